"""A project that has no chapter is given one, by a program that disturbs nothing else of what a writer wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from reportgen import chapter, check, navigation, record, translations
from reportgen import report as reports
from reportgen import source as sources
from reportgen.__main__ import app
from reportgen.build import build
from reportgen.errors import ReportError
from reportgen.material import gather
from tests import synthetic
from tests.conftest import SECTIONS

OURS = "p13_ours"
TITLES = {"en": 'Project 13: "ours"', "es": "Proyecto 13: «nuestro»"}


@pytest.fixture
def root(small_report: Path) -> Path:
    """A report in which a project is declared, and nobody tells of it."""
    record.write_declaration(synthetic.declaration(OURS, sources={}), small_report / "declared")
    record.write_declaration(synthetic.declaration("before", sources={}), small_report / "declared")
    (small_report / "scripts").mkdir()
    (small_report / "scripts" / f"{OURS}.py").write_text('"""Tries it."""\n', encoding="utf-8")
    for code in ("en", "es"):
        file = small_report / "docs" / code / "catalogue.yml"
        names = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(
            "# Names.\n" + yaml.safe_dump({**names, "projects": {"first": "1", "before": "Before"}}) + "# The end.\n",
            encoding="utf-8",
        )
    return small_report


def write(root: Path, page: str | None = None, since: str | None = None, project: str = OURS) -> list[str]:
    return chapter.write(gather(reports.load(root)), project, page, since, TITLES)


def every_file(root: Path) -> dict[Path, str]:
    """What stands in every file of a report but those that a command leaves for the next one."""
    files = (file for file in root.rglob("*") if file.is_file() and "build" not in file.relative_to(root).parts)
    return {file: file.read_text(encoding="utf-8") for file in files}


def added(before: dict[Path, str], after: dict[Path, str]) -> Iterator[tuple[str, str]]:
    """By file, every line that came in; nothing may have gone, or changed its place."""
    for file, text in after.items():
        lines = iter(before.get(file, "").splitlines())
        awaited = next(lines, None)
        for line in text.splitlines():
            if line == awaited:
                awaited = next(lines, None)
            elif file in before:
                yield file.name, line
        assert awaited is None, f"{file.name} has lost {awaited!r}"


def test_a_chapter_begins_in_every_language_and_the_report_needs_no_more_than_to_be_read(root: Path) -> None:
    before = every_file(root)
    told = write(root, "further/13.md", since="before")
    after = every_file(root)
    assert {file.relative_to(root).as_posix() for file in after.keys() - before.keys()} == {
        "docs/en/further/13.md",
        "docs/es/further/13.md",
    }
    assert sorted(added(before, after)) == [
        ("catalogue.yml", '  p13_ours: "Project 13: \\"ours\\""'),
        ("catalogue.yml", '  p13_ours: "Proyecto 13: «nuestro»"'),
        ("mkdocs.yml", "- further/13.md"),
    ]
    for place in told:
        file, _, line = place.partition(", line ")
        if line:
            assert "13" in after[root / file].splitlines()[int(line) - 1]
    report = reports.load(root)
    errors = [finding for finding in check.check(gather(report)) if finding.severity == "error"]
    assert {finding.what.partition(" ")[0] for finding in errors} == {"section"}
    read = sources.read_all(report, report.pages())
    # The title stands in the catalogues, so that the first section has no words to be read.
    sections = [f"further/13.md#{section.identifier}" for section in read["further/13.md"]["en"].sections[1:]]
    translations.confirm(report, read, [*SECTIONS, *sections])
    left = check.check(gather(report))
    assert {(finding.severity, finding.what.partition("“")[0]) for finding in left} == {("warning", "the comment ")}
    build(report, root / "site")
    page = (root / "site" / "es" / "further" / "13" / "index.html").read_text(encoding="utf-8")
    assert "Proyecto 13: «nuestro»" in page and "Qué cambió" in page and "aún sin ejecutar" in page


def test_without_another_project_there_is_nothing_that_changed(root: Path) -> None:
    assert write(root)[0] == f"docs/en/projects/{OURS}.md"
    assert "changes(" not in (root / "docs" / "en" / "projects" / f"{OURS}.md").read_text(encoding="utf-8")


def test_it_stands_beside_the_other_chapters_and_a_short_name_beside_the_short_ones(root: Path) -> None:
    for code in ("en", "es"):
        (root / "docs" / code / "further.md").write_text('# 2 { #further }\n\n{{ results("before") }}\n', "utf-8")
        with (root / "docs" / code / "catalogue.yml").open("a", encoding="utf-8") as stream:
            stream.write("short:\n    before: '12'  # as it is called\n")
    (root / "mkdocs.yml").write_text(
        (root / "mkdocs.yml")
        .read_text(encoding="utf-8")
        .replace("nav:\n- index.md\n- more:\n  - further.md\n", "nav:\n  - more:\n      - further.md\n  - index.md\n"),
        encoding="utf-8",
    )
    before = every_file(root)
    assert write(root)[0] == f"docs/en/{OURS}.md"
    after = every_file(root)
    assert ("catalogue.yml", f'    {OURS}: "Project 13"') in added(before, after)
    nav = reports.load(root).shared()["nav"]
    assert nav == [{"more": ["further.md", f"{OURS}.md"]}, "index.md"], "behind the last chapter of its folder"


def test_the_ends_of_lines_and_the_mark_of_some_editors_stay_as_they_are(root: Path) -> None:
    files = [root / "docs" / "en" / "catalogue.yml", root / "mkdocs.yml"]
    before = {}
    for file in files:
        before[file] = b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n")
        file.write_bytes(before[file])
    other = root / "docs" / "es" / "catalogue.yml"
    write(root)
    for file in files:
        lines = file.read_bytes().split(b"\r\n")
        assert [line for line in lines if OURS.encode() not in line] == before[file].split(b"\r\n")
        assert len(lines) > before[file].count(b"\r\n") + 1 and b"\n" not in b"".join(lines)
    assert b"\r" not in other.read_bytes()


def test_a_page_of_the_section_below_is_listed_there(root: Path) -> None:
    for code in ("en", "es"):
        (root / "docs" / code / "more").mkdir()
        (root / "docs" / code / "further.md").rename(root / "docs" / code / "more" / "further.md")
    text = (root / "mkdocs.yml").read_text(encoding="utf-8")
    (root / "mkdocs.yml").write_text(text.replace("  - further.md", "  - more/further.md"), encoding="utf-8")
    write(root, "more/13.md")
    assert reports.load(root).shared()["nav"] == ["index.md", {"more": ["more/further.md", "more/13.md"]}]


def test_the_first_project_of_a_report_is_named_where_there_is_no_name_yet(root: Path) -> None:
    for code in ("en", "es"):
        file = root / "docs" / code / "catalogue.yml"
        text = file.read_text(encoding="utf-8").replace("projects:\n  before: Before\n  first: '1'\n", "projects: {}\n")
        file.write_text(f"short: {{}}\n{text}", encoding="utf-8")
    told = dict(place.split(", line ") for place in write(root) if ", line " in place)
    for code, title in TITLES.items():
        lines = (root / "docs" / code / "catalogue.yml").read_text(encoding="utf-8").splitlines()
        assert lines[int(told[f"docs/{code}/catalogue.yml"]) - 2] == "projects:"
        names = yaml.safe_load((root / "docs" / code / "catalogue.yml").read_text(encoding="utf-8"))
        assert (names["projects"], names["short"]) == ({OURS: title}, {OURS: title.partition(":")[0]})
        assert names["site_name"], "what stands behind it is as it was"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"project": "p13_our"}, "'p13_our' has neither a run nor a declaration.*did you mean 'p13_ours'"),
        ({"since": "nobody"}, "'nobody' has neither a run.* declared first, with `python -m experiments declare`"),
        ({"project": ""}, "^'' has neither a run"),
        ({"since": ""}, "^'' has neither a run"),
        ({"since": "p13_ours"}, "p13_ours cannot be compared with itself"),
        ({"page": "further.md"}, "docs/en/further.md exists already"),
        ({"page": "further.txt"}, "'further.txt' is no page, expected a path such as projects/p13_ours.md"),
        ({"page": "../../README.md"}, "is no page"),
        ({"page": "further"}, "'further' is no page"),
        ({"page": "more/README.md"}, "'more/README.md' is no page"),
        ({"page": ".more/13.md"}, "'.more/13.md' is no page"),
        ({"page": "further/index.md"}, "'further/index.md' would have the address of further.md"),
    ],
)
def test_what_cannot_be_begun_is_a_sentence_and_writes_nothing(
    root: Path, arguments: dict[str, str], sentence: str
) -> None:
    before = every_file(root)
    with pytest.raises(ReportError, match=sentence):
        write(root, **arguments)
    assert every_file(root) == before


def test_what_a_new_chapter_asks_is_told_until_it_is_answered_and_so_is_a_project_that_has_no_title(root: Path) -> None:
    def told() -> list[tuple[str, int | None, str]]:
        found = check.check(gather(reports.load(root)))
        return [(one.where, one.line, one.severity) for one in found if re.search("comment|its identifier", one.what)]

    place = f"projects/{OURS}.md"
    chapter.write(gather(reports.load(root)), OURS, None, "before", {"en": "Ours"})
    lines = (root / "docs" / "en" / place).read_text(encoding="utf-8").splitlines()
    asked = [number for number, line in enumerate(lines, 1) if line.startswith("<!--")]
    assert len(asked) == 4
    files = [f"docs/{code}/{place}" for code in ("en", "es")]
    titled = [("docs/es/catalogue.yml", None, "warning")]
    in_english, in_spanish = ([(file, line, "warning") for line in asked] for file in files)
    assert told() == in_english + titled + in_spanish
    for file in files:
        text = (root / file).read_text(encoding="utf-8")
        (root / file).write_text(re.sub("<!-- .* -->", "An answer.", text), encoding="utf-8")
    assert told() == titled


def test_a_second_chapter_is_not_begun(root: Path) -> None:
    write(root)
    before = every_file(root)
    with pytest.raises(ReportError, match=f"docs/en/projects/{OURS}.md tells of {OURS} already"):
        write(root, "other.md")
    assert every_file(root) == before


def test_a_title_in_no_language_of_the_report_is_refused(root: Path) -> None:
    with pytest.raises(ReportError, match="given in 'fr', expected one of en, es"):
        chapter.write(gather(reports.load(root)), OURS, None, None, {"fr": "Projet 13"})


@pytest.mark.parametrize(
    ("file", "before", "after", "complaint"),
    [
        (
            "docs/es/catalogue.yml",
            "projects:\n  before: Before\n  first: '1'\n",
            "projects: {first: '1'}\n",
            "docs/es/catalogue.yml: expected projects with one",
        ),
        (
            "mkdocs.yml",
            "nav:\n- index.md\n- more:\n  - further.md\n",
            "nav: [index.md, {more: [further.md]}]\n",
            "mkdocs.yml: expected nav with one",
        ),
        ("docs/es/catalogue.yml", "projects:", "projects: [", r"docs/es/catalogue\.yml, line \d+: not valid YAML"),
        ("docs/es/catalogue.yml", "\nname:", "\nnombre:", r"docs/es/catalogue\.yml: name is missing"),
    ],
)
def test_what_a_program_cannot_add_a_line_to_is_named_before_anything_is_written(
    root: Path, file: str, before: str, after: str, complaint: str
) -> None:
    text = (root / file).read_text(encoding="utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after), encoding="utf-8")
    kept = every_file(root)
    with pytest.raises(ReportError, match=f"^{complaint}"):
        write(root)
    assert every_file(root) == kept


def test_a_catalogue_whose_entries_stand_in_braces_is_left_to_the_writer(root: Path) -> None:
    file = root / "docs" / "es" / "catalogue.yml"
    names = {**yaml.safe_load(file.read_text(encoding="utf-8")), "projects": {}}
    file.write_text(yaml.safe_dump(names, default_flow_style=True), encoding="utf-8")
    kept = every_file(root)
    with pytest.raises(ReportError, match=r"^docs/es/catalogue\.yml: expected one entry a line"):
        write(root)
    assert every_file(root) == kept


def test_the_check_says_how_to_begin_the_chapter_of_a_project_without_a_title(root: Path) -> None:
    found = [str(finding) for finding in check.check(gather(reports.load(root)))]
    assert any(f"there is no projects.{OURS}" in line and f"reportgen chapter {OURS}" in line for line in found)


@pytest.mark.parametrize(("title", "status"), [("en=Ours", 0), ("Ours", 1)])
def test_the_command_takes_a_title_for_each_language(root: Path, title: str, status: int) -> None:
    done = CliRunner().invoke(app, ["chapter", OURS, "--root", str(root), "--title", title])
    if status:
        assert (
            str(done.exception) == "A title is 'Ours', expected a language and what it is called there, as in en='…'."
        )
        return
    assert done.exit_code == status and f"docs/en/projects/{OURS}.md" in done.stdout
    named = {code: yaml.safe_load((root / "docs" / code / "catalogue.yml").read_text("utf-8")) for code in ("en", "es")}
    assert [named[code]["projects"][OURS] for code in named] == ["Ours", OURS]


@pytest.mark.parametrize("page", ["/tmp/13.md", "more/../13.md", "./13.md", "more//13.md"])
def test_a_page_has_one_way_in_which_it_is_named(root: Path, page: str) -> None:
    before = every_file(root)
    with pytest.raises(ReportError, match=f"'{page}' is no page, expected a path such as projects/{OURS}.md"):
        write(root, page)
    assert every_file(root) == before


def test_a_project_that_a_catalogue_names_already_keeps_that_name_alone(root: Path) -> None:
    catalogues = {root / "docs" / code / "catalogue.yml" for code in ("en", "es")}
    before = every_file(root)
    told = write(root, project="before")
    assert told[0] == "docs/en/projects/before.md" and not [place for place in told if "catalogue" in place]
    after = every_file(root)
    assert all(after[file] == before[file] for file in catalogues)


def test_a_chapter_of_no_section_stands_behind_the_last_page_beside_it(root: Path) -> None:
    write(root, "13.md")
    assert reports.load(root).shared()["nav"] == ["index.md", {"more": ["further.md", "13.md"]}]


def test_a_chapter_that_stands_beside_no_page_is_listed_at_the_end(root: Path) -> None:
    write(root, "other/13.md")
    assert reports.load(root).shared()["nav"] == ["index.md", {"more": ["further.md"]}, "other/13.md"]


def test_where_mkdocs_lists_the_pages_by_itself_its_settings_stay_as_they_are(root: Path) -> None:
    (root / "mkdocs.yml").write_text("site_name: A report\n", encoding="utf-8")
    assert "mkdocs.yml" not in " ".join(write(root))
    assert (root / "mkdocs.yml").read_text(encoding="utf-8") == "site_name: A report\n"


@pytest.mark.parametrize("order", [("short", "projects"), ("projects", "short")])
def test_the_line_of_a_title_is_told_wherever_short_names_stand(root: Path, order: tuple[str, str]) -> None:
    file = root / "docs" / "en" / "catalogue.yml"
    names = {**yaml.safe_load(file.read_text(encoding="utf-8")), "short": {"first": "1"}}
    ordered = {name: names[name] for name in (*order, *sorted(names.keys() - {*order}))}
    file.write_text(yaml.safe_dump(ordered, sort_keys=False), encoding="utf-8")
    told = dict(place.split(", line ") for place in write(root) if ", line " in place)
    text = file.read_text(encoding="utf-8")
    assert list(yaml.safe_load(text)["projects"]) == ["before", "first", OURS]
    line = text.splitlines()[int(told["docs/en/catalogue.yml"]) - 1]
    assert line == f'  {OURS}: "Project 13: \\"ours\\""'


@pytest.mark.parametrize(
    "page", ["a/b/13.md", "a b.md", "#13.md", "a #13.md", "1: a.md", "[13].md", "*13.md", "- 13.md", "'«13».md"]
)
def test_the_navigation_has_a_page_by_whatever_name(root: Path, page: str) -> None:
    write(root, page)
    report = reports.load(root)
    assert page in report.pages()
    assert not [str(found) for found in navigation.check(report, report.pages(), {}) if page in str(found)]


def test_a_chapter_shows_all_that_is_known_of_its_project_each_number_behind_its_word(root: Path) -> None:
    write(root, since="before")
    text = (root / "docs" / "en" / "projects" / f"{OURS}.md").read_text(encoding="utf-8")
    numbers = [f"{OURS}.reproduced.{name}" for name in ("test.accuracy", "test.cross_entropy", "seconds")]
    assert re.findall(r"{{ (.*?) }}", text) == [
        *(f'title("{OURS}")', f'changes("{OURS}", since="before")'),
        *(f'{tool}("{OURS}")' for tool in ("network", "layers", "training_settings", "code")),
        *(f"{OURS}.reproduced.test.accuracy.n", *numbers),
        *(f'{tool}("{OURS}")' for tool in ("results", "curves", "confusion", "mistakes", "provenance")),
    ]
    told = ("Test accuracy", "cross-entropy", "training time")
    assert "; ".join(f"{word}: {{{{ {name} }}}}" for word, name in zip(told, numbers, strict=True)) in text
    assert text.count("<!-- ") == text.count(" -->") == 4, "what a writer is asked is not shown"


def test_a_chapter_stands_where_the_last_of_the_others_does_and_its_short_name_ends_before_the_colon(
    root: Path,
) -> None:
    for code in ("en", "es"):
        (root / "docs" / code / "more").mkdir()
        (root / "docs" / code / "more" / "1.md").write_text('# 1 { #one }\n\n{{ results("before") }}\n', "utf-8")
        (root / "docs" / code / "further.md").write_text('# 2 { #further }\n\n{{ results("first") }}\n', "utf-8")
        with (root / "docs" / code / "catalogue.yml").open("a", encoding="utf-8") as stream:
            stream.write("short: {}\n")
    titles = {code: f"{name} 13 : wider" for code, name in (("en", "Project"), ("es", "Proyecto"))}
    told = chapter.write(gather(reports.load(root)), OURS, None, None, titles)
    assert told[0] == f"docs/en/more/{OURS}.md"
    names = yaml.safe_load((root / "docs" / "es" / "catalogue.yml").read_text(encoding="utf-8"))
    assert names["short"] == {OURS: "Proyecto 13"}
