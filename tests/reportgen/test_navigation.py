"""What leads to no page, and a page that nothing leads to, is told before MkDocs refuses the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reportgen import report as reports
from reportgen import source
from reportgen.navigation import check, check_links


def found(root: Path, nav: Any) -> list[str]:
    """What is found of a report with the pages further.md and index.md."""
    file = root / "mkdocs.yml"
    shared = {"site_name": "A report"} if nav is None else {"site_name": "A report", "nav": nav}
    file.write_text(yaml.safe_dump(shared, sort_keys=False), encoding="utf-8")
    report = reports.load(root)
    catalogues = {code: report.catalogue(code) for code in report.languages}
    return [str(finding) for finding in check(report, report.pages(), catalogues)]


@pytest.mark.parametrize("nav", [None, ["index.md", "./further.md", {"more": "https://example.org"}]])
def test_a_navigation_of_every_page_has_nothing_to_mend_and_neither_has_none(small_report: Path, nav: Any) -> None:
    assert found(small_report, nav) == []


def test_pages_that_are_not_there_are_told_with_their_line_and_those_that_nothing_names(small_report: Path) -> None:
    assert found(small_report, ["index.md", {"more": ["furthr.md", {"more": "gone/1.md"}]}]) == [
        "mkdocs.yml, line 5: nav names furthr.md, and there is no such page. Mend it with: further.md, "
        "if that is meant",
        "mkdocs.yml, line 6: nav names gone/1.md, and there is no such page.",
        "mkdocs.yml: nav does not name further.md, and nobody would find it. Mend it with: a line `- further.md`",
    ]


def test_the_line_of_a_page_that_is_not_there_is_its_own_and_not_that_of_a_longer_name(small_report: Path) -> None:
    (told,) = found(small_report, ["index.md", "further.md", {"here.md": "her.md"}])[:1]
    assert told.startswith("mkdocs.yml, line 5: nav names her.md, ")


def test_a_section_of_the_navigation_without_a_title_is_told_of_every_language(small_report: Path) -> None:
    assert found(small_report, ["index.md", {"rest": ["further.md"]}]) == [
        f"docs/{code}/catalogue.yml: there is no nav.rest, which the navigation in mkdocs.yml asks for."
        for code in ("en", "es")
    ]


def test_a_link_to_a_page_that_is_not_there_is_told_with_its_line(small_report: Path) -> None:
    page = small_report / "docs" / "en" / "index.md"
    page.write_text(
        "# A\n\n[here](further.md#details) [away](https://example.org/a.md) [top](#a) [file](assets/logo.svg)\n\n"
        "[there](../further.md) [gone](furthre.md#details)\n",
        encoding="utf-8",
    )
    report = reports.load(small_report)
    read = source.read(report, "en", "index.md")
    assert [str(finding) for finding in check_links(read, "index.md", report.pages())] == [
        "docs/en/index.md, line 5: a link to ../further.md leads to no page.",
        "docs/en/index.md, line 5: a link to furthre.md#details leads to no page. Mend it with: further.md, "
        "if that is meant",
    ]
    assert not [*check_links(read, "projects/1.md", {"projects/further.md", "further.md", "projects/furthre.md"})]


def test_a_page_that_the_navigation_names_already_is_not_what_another_name_may_mean(small_report: Path) -> None:
    assert found(small_report, ["index.md", "further.md", "furthr.md"]) == [
        "mkdocs.yml, line 5: nav names furthr.md, and there is no such page."
    ]


def test_a_title_that_two_sections_lack_is_told_once_in_a_language(small_report: Path) -> None:
    told = found(small_report, ["index.md", {"rest": ["further.md"]}, {"rest": "https://example.org"}])
    assert len(told) == 2 and all("there is no nav.rest" in line for line in told)


def test_a_page_that_is_not_there_is_told_once_where_it_is_named_first_and_however_it_is_written(
    small_report: Path,
) -> None:
    (told,) = found(small_report, ["index.md", "further.md", {"more": [{"more": "./gone.md"}]}, "gone.md", "gone.md"])
    assert told.startswith("mkdocs.yml, line 6: nav names gone.md, ")


def test_pages_that_nothing_names_are_told_in_the_order_of_their_names(small_report: Path) -> None:
    for name in "edcba":
        for code in ("en", "es"):
            (small_report / "docs" / code / f"{name}.md").touch()
    told = [line.partition(" name ")[2].partition(",")[0] for line in found(small_report, ["index.md"])]
    assert told == ["a.md", "b.md", "c.md", "d.md", "e.md", "further.md"]


def test_a_section_whose_title_looks_like_a_number_has_it_where_the_catalogue_says_so(small_report: Path) -> None:
    for code in ("en", "es"):
        file = small_report / "docs" / code / "catalogue.yml"
        words = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump({**words, "nav": {2024: "MMXXIV"}}), encoding="utf-8")
    assert found(small_report, ["index.md", {2024: ["further.md"]}]) == []
