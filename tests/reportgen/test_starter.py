"""A fork begins with a report that tells of nothing yet, and in which nothing has to be mended."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from reportgen import chapter, check, record, starter
from reportgen import report as reports
from reportgen.__main__ import app
from reportgen.build import build
from reportgen.errors import ReportError
from reportgen.material import gather
from tests import synthetic

COMMENT = "# A word that a writer left behind.\n"


@pytest.fixture
def fork(small_report: Path) -> Path:
    """A report with a run, a claim and a deeper page, all of it committed."""
    record.write(synthetic.record("first"), small_report / "results")
    record.write_declaration(synthetic.declaration("first"), small_report / "declared")
    (small_report / "docs" / "claims.yml").write_text(
        "first-above:\n  kind: above\n  metric: test.accuracy\n  of: first\n  value: 50 %\n"
        "  expect: {study: holds, reproduction: holds}\n",
        encoding="utf-8",
    )
    for code in ("en", "es"):
        folder = small_report / "docs" / code
        (folder / "deeper" / "still").mkdir(parents=True)
        (folder / "deeper" / "still" / "page.md").write_text("# 4 { #page }\n", encoding="utf-8")
        names = (folder / "catalogue.yml").read_text(encoding="utf-8")
        (folder / "catalogue.yml").write_text(COMMENT + names + "short:\n  first: '1'\n", encoding="utf-8")
    (small_report / ".gitignore").write_text("/build/\n/site/\n", encoding="utf-8")
    commit(small_report)
    return small_report


def commit(root: Path) -> None:
    who = ("-c", "user.name=N", "-c", "user.email=n@example.org")
    for arguments in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "all")):
        subprocess.run(["git", *arguments], cwd=root, check=True)


def begin(root: Path) -> reports.Report:
    report = reports.load(root)
    starter.clear(report, starter.content(report))
    return reports.load(root)


def test_what_was_told_goes_and_what_any_report_needs_stays(fork: Path) -> None:
    told = starter.content(reports.load(fork))
    assert (len(told.pages), told.claims, told.files) == (6, 1, 2)
    report = begin(fork)
    assert report.pages() == ("index.md",)
    assert report.shared()["nav"] == ["index.md"]
    assert [file.name for part in ("results", "declared") for file in (fork / part).rglob("*")] == [starter.KEPT] * 2
    assert not (fork / "docs" / "en" / "deeper").exists()
    assert (fork / "docs" / "assets").is_dir()
    for code, comparing in (("en", ["better"]), ("es", ["mejor*"])):
        text = (fork / "docs" / code / "catalogue.yml").read_text(encoding="utf-8")
        names = yaml.safe_load(text)
        assert text.startswith(COMMENT) and names["comparing"] == comparing
        assert (names["projects"], names["nav"], names["short"]) == ({}, {}, {})


def test_pictures_for_a_readme_of_pages_that_go_are_named_no_more_and_other_settings_stay(fork: Path) -> None:
    settings = fork / "pyproject.toml"
    before, told = settings.read_text(encoding="utf-8"), starter.content(reports.load(fork))
    pictures = '[tool.reportgen.screenshots]\n"a.png" = "en/#x"\n# of [b]\n"b.png" = "en/further/"\n'
    for after in ("", "\n[tool.other]\nkept = [1]\n"):
        settings.write_text(f"{before}\n{pictures}{after}", encoding="utf-8")
        text = starter._texts(reports.load(fork), told)[settings]
        assert text == f"{before}\n[tool.reportgen.screenshots]\n{after or chr(10)}"


def test_a_file_of_which_a_part_goes_keeps_its_line_ends_and_the_mark_at_its_start(fork: Path) -> None:
    file = fork / "mkdocs.yml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    commit(fork)
    begin(fork)
    written = file.read_bytes()
    assert written.startswith(b"\xef\xbb\xbf") and written.count(b"\n") == written.count(b"\r\n")


def test_nothing_has_to_be_mended_and_the_site_is_built(fork: Path) -> None:
    report = begin(fork)
    # These three were never read in this small report, and are as they were.
    kept = {"name", "classes", "datasets"}
    found = [str(finding) for finding in check.check(gather(report))]
    assert [line for line in found if not any(f"section {name} " in line for name in kept)] == []
    build(report, fork / "site")
    page = (fork / "site" / "es" / "index.html").read_text(encoding="utf-8")
    assert "Un informe de experimentos" in page and "A study" not in page


def test_a_project_and_its_chapter_are_told_next(fork: Path) -> None:
    begin(fork)
    (fork / "scripts").mkdir()
    (fork / "scripts" / "mine.py").write_text('"""Tries it."""\n', encoding="utf-8")
    record.write(synthetic.record("mine"), fork / "results")
    chapter.write(gather(reports.load(fork)), "mine", None, None, {"en": "Mine", "es": "El mío"})
    report = reports.load(fork)
    assert report.shared()["nav"] == ["index.md", "projects/mine.md"]
    build(report, fork / "site")
    page = (fork / "site" / "es" / "index.html").read_text(encoding="utf-8")
    assert "El mío" in page and "60,00" in page


def every_file(root: Path) -> dict[Path, bytes]:
    return {
        file: file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and not {".git", "build", "site"} & {*file.relative_to(root).parts}
    }


def test_git_brings_back_what_went(fork: Path) -> None:
    before = every_file(fork)
    begin(fork)
    assert every_file(fork) != before
    subprocess.run(["git", "restore", "."], cwd=fork, check=True)
    subprocess.run(["git", "clean", "-qfd"], cwd=fork, check=True)
    assert every_file(fork) == before


@pytest.mark.parametrize(
    ("name", "before", "after", "complaint"),
    [
        ("mkdocs.yml", "nav:\n", "nav: [\n", r"mkdocs\.yml, line \d+: not valid YAML"),
        ("docs/es/catalogue.yml", "name:", "nombre:", r"docs/es/catalogue\.yml: name is missing, and nombre unknown"),
        (
            "docs/es/catalogue.yml",
            "projects:\n  first: '1'\n",
            "projects: &it\n  first: '1'\nvalues: *it\n",
            r"docs/es/catalogue\.yml with nothing in projects, line \d+: .*undefined alias",
        ),
        ("docs/claims.yml", "kind:", "kind: [", r"docs/claims\.yml, line \d+: not valid YAML"),
        ("docs/translations.json", "", "{", r"docs/translations\.json: the file: Invalid JSON: .* at line 1"),
    ],
)
def test_a_mistake_that_stops_it_is_found_before_anything_goes(
    fork: Path, name: str, before: str, after: str, complaint: str
) -> None:
    file = fork / name
    text = file.read_text(encoding="utf-8") if before else ""
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    commit(fork)
    kept = every_file(fork)
    with pytest.raises(ReportError, match=f"^{complaint}"):
        begin(fork)
    assert every_file(fork) == kept


def test_what_stands_in_a_folder_that_goes_is_there_afterwards_if_any_report_needs_it(fork: Path) -> None:
    settings = fork / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8").replace('"published.json"', '"results/published.json"'), "utf-8")
    (fork / "published.json").rename(fork / "results" / "published.json")
    commit(fork)
    begin(fork)
    assert sorted(file.name for file in (fork / "results").iterdir()) == [starter.KEPT, "published.json"]


def test_what_could_not_be_brought_back_does_not_go(fork: Path) -> None:
    (fork / "docs" / "en" / "draft.txt").write_text("not committed", encoding="utf-8")
    with pytest.raises(ReportError, match=r"uncommitted changes: 1 \(first: docs/en/draft.txt\)"):
        starter.content(reports.load(fork))


def test_what_git_ignores_does_not_go_for_it_could_not_be_brought_back(fork: Path) -> None:
    with (fork / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("*.npz\n")
    commit(fork)
    kept = fork / "results" / "weights.npz"
    kept.write_bytes(b"weights")
    with pytest.raises(ReportError, match=r"results/weights\.npz: git ignores it"):
        starter.content(reports.load(fork))
    kept.unlink()
    subprocess.run(["git", "config", "status.showUntrackedFiles", "no"], cwd=fork, check=True)
    (fork / "results" / "new.json").touch()
    with pytest.raises(ReportError, match=r"uncommitted changes: 1 \(first: results/new.json\)"):
        starter.content(reports.load(fork))


def test_outside_of_git_nothing_goes(small_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(small_report.parent))
    with pytest.raises(ReportError, match="not a git checkout"):
        starter.content(reports.load(small_report))


def test_what_belongs_to_others_too_does_not_go(fork: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    settings = fork / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8").replace('"results"', '"../shared"'), encoding="utf-8")
    commit(fork)
    with pytest.raises(ReportError, match="shared: outside of"):
        starter.content(reports.load(fork))


@pytest.mark.parametrize(("answer", "gone"), [("n\n", False), ("y\n", True)])
def test_the_command_says_what_would_go_and_asks(fork: Path, answer: str, gone: bool) -> None:
    done = CliRunner().invoke(app, ["starter", "--root", str(fork)], input=answer)
    said = "What will go: all pages (6) and claims (1), the study's figures, and results, declared (files: 2)."
    assert said in " ".join(done.stdout.split())
    assert (fork / "docs" / "en" / "further.md").exists() != gone
    assert (done.exit_code == 0) == gone


@pytest.mark.parametrize(
    ("setting", "place"),
    [("docs", "docs"), ("published", "published.json"), ("claims", "docs/claims.yml")],
)
def test_pages_figures_and_claims_outside_of_the_root_are_others_too_and_do_not_go(
    fork: Path, tmp_path: Path, setting: str, place: str
) -> None:
    (fork / place).rename(tmp_path / "others")
    settings = fork / "pyproject.toml"
    text = settings.read_text("utf-8").replace(f'{setting} = "{place}"', f'{setting} = "../others"')
    settings.write_text(text, encoding="utf-8")
    commit(fork)
    with pytest.raises(ReportError, match="others: outside of"):
        starter.content(reports.load(fork))


def test_of_a_link_to_a_folder_the_link_goes_and_what_it_leads_to_stays(fork: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious.json").write_text("{}", encoding="utf-8")
    (fork / "results" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    (fork / "docs" / "en" / "empty").symlink_to(tmp_path / "empty")
    commit(fork)
    begin(fork)
    assert [file.name for file in (fork / "results").iterdir()] == [starter.KEPT]
    assert (tmp_path / "elsewhere" / "precious.json").is_file()
    assert (fork / "docs" / "en" / "empty").is_symlink() and (tmp_path / "empty").is_dir()


def test_records_of_pretrainings_and_of_benches_go_and_how_a_project_is_mentioned_with_them(fork: Path) -> None:
    with (fork / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write('pretraining = "pretraining"\nbench = "benches"\n')
    with (fork / "docs" / "es" / "catalogue.yml").open("a", encoding="utf-8") as catalogue:
        catalogue.write("mention: 'el proyecto {name}'\n")
    for folder in ("pretraining", "benches"):
        (fork / folder).mkdir()
        (fork / folder / "one.txt").touch()
    commit(fork)
    report = begin(fork)
    assert report.catalogue("es").mention == "{name}"
    for folder in ("pretraining", "benches"):
        assert [file.name for file in (fork / folder).iterdir()] == [starter.KEPT]
