"""Where the parts of a report stand; what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from reportgen.errors import ReportError
from reportgen.report import load


def test_the_parts_stand_where_pyproject_says(small_report: Path) -> None:
    report = load(small_report)
    assert report.languages == ("en", "es")
    assert report.results == small_report / "results"
    assert report.bench is None
    assert report.pages() == ("further.md", "index.md")
    assert report.catalogue("es").site_name == "Un informe breve"


def test_a_file_is_named_from_the_root_and_in_full_outside_of_it(small_report: Path, tmp_path: Path) -> None:
    report = load(small_report)
    assert report.relative(small_report / "docs" / "en" / "index.md") == "docs/en/index.md"
    assert report.relative(tmp_path / "elsewhere.json") == str(tmp_path / "elsewhere.json")


def test_other_results_take_the_place_of_the_recorded_ones(small_report: Path, tmp_path: Path) -> None:
    assert load(small_report, tmp_path).results == tmp_path
    with pytest.raises(ReportError, match="there is no such folder of results"):
        load(small_report, tmp_path / "missing")


def test_a_root_that_is_none_is_told_where_to_look(small_report: Path) -> None:
    for root in (small_report / "docs", small_report / "mkdocs.yml"):
        with pytest.raises(ReportError, match=r"pyproject\.toml: there is no such file; run this in the root"):
            load(root)


def test_a_page_that_one_language_lacks_is_named(small_report: Path) -> None:
    (small_report / "docs" / "es" / "further.md").unlink()
    with pytest.raises(ReportError, match=r"Missing in one language: docs/es/further\.md"):
        load(small_report).pages()
