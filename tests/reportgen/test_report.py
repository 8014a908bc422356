"""Where the parts of a report stand; what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reportgen.errors import ReportError
from reportgen.report import load, read_text


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
    (small_report / "docs").rename(small_report / "prose")
    settings = small_report / "pyproject.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"docs"', '"prose"'), encoding="utf-8")
    (small_report / "prose" / "es" / "further.md").unlink()
    with pytest.raises(ReportError, match=r"Missing in one language: prose/es/further\.md"):
        load(small_report).pages()


def test_what_editors_leave_beside_a_page_is_none(small_report: Path) -> None:
    folder = small_report / "docs" / "en"
    (folder / ".#index.md").symlink_to("somebody@host.1234:1")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "index-checkpoint.md").touch()
    (folder / "folder.md").mkdir()
    for code in ("en", "es"):
        (small_report / "docs" / code / "gone.md").symlink_to("nowhere.md")
    assert load(small_report).pages() == ("further.md", "index.md")


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('["en", "es"]', "[]", r"languages: expected one language or several, each once; found \[\]"),
        ('["en", "es"]', '["en", "en"]', r"languages: .*each once; found \['en', 'en'\]"),
        ('["en", "es"]', '"en"', "languages: found 'en', expected a list"),
        ('docs = "docs"', "docs = 5", "docs: found 5, expected a text"),
        ('docs = "docs"', 'dosc = "docs"', "docs is missing, and dosc unknown"),
        ('docs = "docs"', 'docs = "docs"\nbenchs = "benches"', r"benchs is unknown \(did you mean bench\?\)\.$"),
        ('docs = "docs"', 'docs = "docs"\nscreenshots = "x"', "screenshots: found 'x', expected entries, each by"),
        (
            'docs = "docs"',
            'docs = "docs"\nscreenshots = {"a.png" = "en/", "b.jpg" = "es/"}',
            r"screenshots: expected names of files that end in \.png; found 'b\.jpg'",
        ),
        ('"scripts/{project}.py"', "5", "script: found 5, expected a text"),
        ("{project}", "{name}", r"script: expected a path with \{project\} in it.*found 'scripts/\{name\}\.py'"),
        ("[tool.reportgen]", "[tool]\nreportgen = 5\n[other]", "the whole of it: found 5, expected entries, each by"),
        ("[tool.reportgen]", "[tool.other]", r"there is no \[tool\.reportgen\]"),
        ("[tool.reportgen]", "tool = 5\n[other]", r"there is no \[tool\.reportgen\]"),
        ("[tool.reportgen]", "[tool.reportgen", "not valid TOML"),
        ("[tool", "\udcf1[tool", "expected text in UTF-8"),
    ],
)
def test_a_table_that_says_nothing_sensible_is_a_sentence(
    small_report: Path, before: str, after: str, complaint: str
) -> None:
    file = small_report / "pyproject.toml"
    text = file.read_text(encoding="utf-8").replace(before, after)
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ReportError, match=complaint):
        load(small_report)


def test_text_in_another_encoding_is_named_and_the_mark_of_some_editors_is_none_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes("\ufeff# Título".encode())
    assert read_text(file, "a.md") == "# Título"
    file.write_bytes("# Título".encode("latin-1"))
    with pytest.raises(ReportError, match=r"^a\.md: expected text in UTF-8, found the byte 0xed at 3"):
        read_text(file, "a.md")


def test_a_name_that_a_catalogue_gives_twice_is_refused_with_both_lines(small_report: Path) -> None:
    file = small_report / "docs" / "es" / "catalogue.yml"
    file.write_text("classes: {}\nprojects:\n  one: Uno\n  one: Dos\n", encoding="utf-8")
    with pytest.raises(ReportError, match=r"^docs/es/catalogue\.yml, line 4: 'one' stands in line 3 already"):
        load(small_report).catalogue("es")


def test_an_entry_of_a_catalogue_that_is_unknown_is_told_with_the_one_that_may_be_meant(small_report: Path) -> None:
    with (small_report / "docs" / "es" / "catalogue.yml").open("a", encoding="utf-8") as file:
        file.write("shorts: {}\n")
    with pytest.raises(ReportError, match=r"^docs/es/catalogue\.yml: shorts is unknown \(did you mean short\?\)\.$"):
        load(small_report).catalogue("es")


def test_names_without_quotes_are_the_text_that_stands_there(small_report: Path) -> None:
    file = small_report / "docs" / "es" / "catalogue.yml"
    named = "classes: {0: 5, yes: no, 1.50: ~, null: 2021-02-30, 'on': \"off\"}"
    text = yaml.safe_load(file.read_text(encoding="utf-8"))
    text.pop("classes")
    file.write_text(f"{yaml.safe_dump(text)}{named}\n", encoding="utf-8")
    expected = {"0": "5", "yes": "no", "1.50": "~", "null": "2021-02-30", "on": "off"}
    assert load(small_report).catalogue("es").classes == expected
    file.write_text(f"{yaml.safe_dump(text)}classes:\n", encoding="utf-8")
    with pytest.raises(ReportError, match="classes: found nothing, expected entries, each by its name"):
        load(small_report).catalogue("es")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: A\nsite_name: {{ name }}\n", r"catalogue\.yml, line 2: expected a name before the colon"),
        ("name: &it\n  inside: *it\n", r"catalogue\.yml: "),
        ("", r"^docs/es/catalogue\.yml: expected entries, each by its name, as in `name: English`; found none\.$"),
        ("- name\n", r"catalogue\.yml: expected entries, each by its name"),
        ("name: A\n<<: {site_name: B}\n", r"catalogue\.yml, line 2: expected entries, each by its name, found '<<'"),
    ],
)
def test_a_mapping_that_is_none_of_names_is_told_and_one_within_itself_ends(
    small_report: Path, text: str, complaint: str
) -> None:
    (small_report / "docs" / "es" / "catalogue.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=complaint):
        load(small_report).catalogue("es")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("markdown_extensions:\n- tables\n", "line 2: markdown_extensions is .*expected each extension by its name"),
        ("nav: index.md\n", "line 2: nav is 'index.md', expected a list of pages"),
        ("hooks: my.py\n", "line 2: hooks is 'my.py', expected a list of files"),
        ("hooks:\n- my.py\n- 5\n", "line 4: hooks.1 is 5, expected a file"),
        ("theme: [material]\n", "line 2: theme is .*, expected its name"),
        ("theme:\n  custom_dir: 5\n", "line 3: theme.custom_dir is 5, expected a folder"),
        ("theme:\n  palette:\n  - slate\n", "line 4: theme.palette.0 is 'slate', expected a scheme"),
        (
            "theme:\n  palette:\n  - scheme: slate\n    toggle: x\n",
            "line 5: theme.palette.0.toggle is 'x', expected an icon",
        ),
    ],
)
def test_a_setting_of_mkdocs_that_could_not_be_joined_with_a_language_s_own_is_told_with_its_line(
    small_report: Path, text: str, complaint: str
) -> None:
    (small_report / "mkdocs.yml").write_text(f"site_name: A\n{text}", encoding="utf-8")
    with pytest.raises(ReportError, match=rf"^mkdocs\.yml, {complaint}"):
        load(small_report).shared()


def test_a_setting_of_mkdocs_that_stands_twice_is_refused_with_both_lines(small_report: Path) -> None:
    text = "site_name: A\ntheme:\n  name: material\n  palette: {scheme: default}\n  palette: {scheme: slate}\n"
    (small_report / "mkdocs.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=r"^mkdocs\.yml, line 5: 'palette' stands in line 4 already\.$"):
        load(small_report).shared()


def test_addresses_that_no_link_would_lead_to_are_refused(small_report: Path) -> None:
    (small_report / "mkdocs.yml").write_text("site_name: A\nuse_directory_urls: false\n", encoding="utf-8")
    with pytest.raises(ReportError, match=r"^mkdocs\.yml, line 2: use_directory_urls is False, expected true"):
        load(small_report).shared()


def test_a_page_that_mkdocs_publishes_under_another_name_is_refused(small_report: Path) -> None:
    for code in ("en", "es"):
        (small_report / "docs" / code / "more").mkdir()
        (small_report / "docs" / code / "more" / "README.md").touch()
    with pytest.raises(ReportError, match=r"^docs/en/more/README\.md: MkDocs publishes .* Rename it to index\.md"):
        load(small_report).pages()


def test_two_pages_of_one_address_are_refused(small_report: Path) -> None:
    for code in ("en", "es"):
        (small_report / "docs" / code / "further").mkdir()
        (small_report / "docs" / code / "further" / "index.md").touch()
    with pytest.raises(ReportError, match=r"^docs/en/further\.md: it has the address of further/index\.md, and one of"):
        load(small_report).pages()


def test_a_setting_of_mkdocs_without_a_value_is_none(small_report: Path) -> None:
    (small_report / "mkdocs.yml").write_text("site_name: A\nnav:\n", encoding="utf-8")
    assert load(small_report).shared() == {"site_name": "A"}


def test_a_folder_where_a_file_is_expected_is_a_sentence(small_report: Path) -> None:
    (small_report / "mkdocs.yml").unlink()
    (small_report / "mkdocs.yml").mkdir()
    with pytest.raises(ReportError, match=r"^mkdocs\.yml: expected a file that can be read \(Is a directory\)\.$"):
        load(small_report).shared()


def test_a_root_and_results_are_found_again_from_another_folder(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    report = load(Path("report"), Path("mine"))
    assert (report.root, report.docs, report.results) == (small_report, small_report / "docs", tmp_path / "mine")


def test_a_page_for_editors_at_the_top_is_refused_too(small_report: Path) -> None:
    for code in ("en", "es"):
        (small_report / "docs" / code / "README.md").touch()
    with pytest.raises(ReportError, match=r"^docs/en/README\.md: MkDocs publishes"):
        load(small_report).pages()


@pytest.mark.parametrize("mention", ["el proyecto", "{name} o {name}"])
def test_how_a_sentence_names_a_project_has_its_name_once(small_report: Path, mention: str) -> None:
    with (small_report / "docs" / "es" / "catalogue.yml").open("a", encoding="utf-8") as file:
        file.write(f"mention: '{mention}'\n")
    with pytest.raises(ReportError, match=rf"mention: expected \{{name\}} in it once, .*; found '{mention}'"):
        load(small_report).catalogue("es")


def test_a_name_of_a_catalogue_that_says_nothing_is_refused(small_report: Path) -> None:
    file = small_report / "docs" / "es" / "catalogue.yml"
    file.write_text(file.read_text("utf-8").replace("site_name: Un informe breve", "site_name:"), encoding="utf-8")
    with pytest.raises(ReportError, match=r"^docs/es/catalogue\.yml: site_name: found nothing, expected a text"):
        load(small_report).catalogue("es")


def test_a_file_that_nobody_may_read_is_a_sentence(small_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ReportError, match=r"^a\.md: expected a file that can be read \(Permission denied\)\.$"):
        read_text(small_report / "a.md", "a.md")
