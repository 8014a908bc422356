"""What measures the site finds what is wrong with it, and says of each figure whether its limit is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from reportgen import measure
from reportgen import report as reports
from reportgen.browser import served
from reportgen.errors import ReportError
from reportgen.measure import Visit

ROOT = Path(__file__).resolve().parents[2]

SOUND = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sound</title>
<link rel="icon" href="data:,"></head><body><main><h1 id="top">Sound</h1>
<a href="../sound/#top">itself</a> <a href="../file.csv">a file</a></main></body></html>"""
POOR = """<!doctype html><html><head><meta charset="utf-8"><title>Poor</title><link rel="icon" href="data:,"></head>
<body><main><h1>Poor</h1><img src="lost.png"><p style="color: #999; background: #aaa">pale</p>
<a href="../sound/#nowhere">no anchor</a> <a href="../none.csv">no file</a> <a href="https://example.org/">out</a>
<details><p style="width: 500px">wide</p></details>
<p id="moving" style="margin: 0">late</p><p style="height: 400px">pushed down</p></main>
<script>console.error("a complaint");
// What was never painted cannot shift, and a visit ends when the network rests: it rests once the shift was seen.
const busy = setInterval(() => fetch("../sound/"), 100);
new PerformanceObserver(() => clearInterval(busy)).observe({type: "layout-shift", buffered: true});
new PerformanceObserver(() => {
  document.getElementById("moving").style.height = "400px";
}).observe({type: "paint", buffered: true});</script></body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Two pages, one as it should be and one with every kind of defect; the folder and the address."""
    for name, text in (("sound", SOUND), ("poor", POOR)):
        (tmp_path / "en" / name).mkdir(parents=True)
        (tmp_path / "en" / name / "index.html").write_text(text, encoding="utf-8")
    (tmp_path / "en" / "file.csv").write_text("a,b\n" * 1000, encoding="utf-8")
    with served(tmp_path) as address:
        yield tmp_path, address


def test_a_visit_finds_every_defect_of_a_page_and_none_of_a_sound_one(site: tuple[Path, str], browser: Browser) -> None:
    folder, address = site
    paths = measure.pages(folder, ("en",))
    assert paths == ["en/poor/", "en/sound/"]
    seen = Visit()
    measure.visit(browser, address, paths, "light", seen)
    assert any("a complaint" in said for said in seen.complaints)
    assert any("404" in said and "lost.png" in said for said in seen.complaints)
    assert {said.partition(": ")[2].partition(" at ")[0] for said in seen.violations} == {
        "color-contrast",
        "html-has-lang",
        "image-alt",
    }
    assert not [said for said in seen.complaints + seen.violations if not said.startswith("en/poor/")]
    assert seen.broken() == ["en/poor/: en/sound/#nowhere"]
    assert measure.missing(folder, seen) == ["en/poor/: en/none.csv"]
    assert seen.shifts["en/poor/", "light"] > measure.SHIFT
    assert seen.shifts["en/sound/", "light"] == 0
    assert all(0 < paint < 60 for paint in seen.paints.values())
    assert 0 < seen.weights["en/sound/"] < len(SOUND)
    assert seen.widths["en/poor/"] > 500 and seen.widths["en/sound/"] == measure.TELEPHONE


@pytest.mark.slow
def test_a_page_that_was_late_is_asked_again_whatever_the_brackets_in_its_path(
    small_report: Path, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "site" / "en" / "05 (copy)").mkdir(parents=True)
    (folder / "index.html").write_text(SOUND.replace("../sound/#top", "#top"), encoding="utf-8")
    (folder.parent / "file.csv").write_text("a\n", encoding="utf-8")
    monkeypatch.setattr(measure, "opened", lambda: nullcontext(browser))
    monkeypatch.setattr(measure, "PAINT", 0.0)
    monkeypatch.setattr(measure, "violations", lambda *_: [])  # which take most of the time
    found = {figure.name: figure for figure in measure._reading(reports.load(small_report), tmp_path / "site")}
    assert "(en/05 (copy)/ (" in found["first contentful paint of a page"].measured


def test_a_copy_holds_the_sources_and_nothing_that_was_made(small_report: Path, tmp_path: Path) -> None:
    for made in ("build/charts/1.svg", "site/index.html", ".nox/docs/bin"):
        (small_report / made).parent.mkdir(parents=True, exist_ok=True)
        (small_report / made).write_text("made", encoding="utf-8")
    copy = measure._copy(small_report, tmp_path / "copy")
    assert {file.name for file in copy.iterdir()} == {"docs", "mkdocs.yml", "published.json", "pyproject.toml"}
    assert (copy / "docs/en/index.md").read_bytes() == (small_report / "docs/en/index.md").read_bytes()


def test_two_sites_are_alike_only_to_the_byte(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name / "en").mkdir(parents=True)
        (tmp_path / name / "en" / "index.html").write_bytes(b"same")
    assert measure.unlike(tmp_path / "one", tmp_path / "other") == []
    (tmp_path / "other" / "en" / "index.html").write_bytes(b"some")
    (tmp_path / "one" / "new").write_bytes(b"")
    assert measure.unlike(tmp_path / "one", tmp_path / "other") == ["en/index.html", "new"]


def test_what_is_timed_really_ran_or_its_failure_is_said(small_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = reports.load(small_report)
    measure._build(small_report)
    assert (small_report / "site" / "es" / "index.html").is_file()
    with monkeypatch.context() as patched:
        # What is ours and not the theme's own costs nothing there.
        patched.setattr(measure, "_environment", lambda: {**os.environ, "PYTHONPATH": ""})
        patched.chdir(small_report)
        measure._bare(report, small_report)
    (small_report / "mkdocs.yml").write_text("theme: {name: nowhere}", encoding="utf-8")
    with pytest.raises(ReportError, match=r"What was to be measured fails: .*nowhere"):
        measure._bare(report, small_report)


def test_a_report_is_copied_where_there_is_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root := tmp_path / "root").mkdir()
    for name in ("kept.md", ".hidden"):
        (root / name).touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    copy = measure._copy(root, tmp_path / "copy")
    assert [file.name for file in copy.iterdir()] == ["kept.md"]


def test_a_copy_holds_a_file_whose_name_the_locale_cannot_write(tmp_path: Path) -> None:
    (root := tmp_path / "root").mkdir()
    (root / "josé.md").write_text("é", encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    program = "from pathlib import Path; from reportgen.measure import _copy; _copy(Path('root'), Path('copy'))"
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "copy" / "josé.md").read_text(encoding="utf-8") == "é"


def test_what_comes_from_another_host_a_warning_and_an_error_of_a_script_are_told(
    tmp_path: Path, browser: Browser
) -> None:
    for host in ("ours", "theirs"):
        (tmp_path / host / "en").mkdir(parents=True)
    (tmp_path / "theirs" / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    with served(tmp_path / "ours") as address, served(tmp_path / "theirs") as other:
        (tmp_path / "ours" / "en" / "index.html").write_text(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>A</title><link rel="icon" href="data:,">'
            '<main><h1 id="más">A</h1>'
            f'<a href="#m%C3%A1s">up</a> <a href="#mas">lost</a><img alt="a" src="{other}a.svg">'
            '<script>console.warn("mind"); throw new Error("broken")</script></main></html>',
            encoding="utf-8",
        )
        seen = Visit()
        measure.visit(browser, address, ["en/"], "dark", seen)
    assert seen.complaints[0].startswith("en/ (dark): ")
    assert {what for what in ("another host", "mind", "broken") if any(what in said for said in seen.complaints)} == {
        "another host",
        "mind",
        "broken",
    }
    assert seen.broken() == ["en/: en/#mas"]


@pytest.mark.parametrize(("limit", "kept"), [(3.0, True), (2.9, False)])
def test_of_all_pages_the_worst_is_held_against_the_limit_which_is_kept_where_it_is_met(
    limit: float, kept: bool
) -> None:
    figure = measure._largest("weight", {"en/": 1.0, "es/": 3.0, "fr/": 2.0}, limit, "{:.1f}")
    assert (figure.measured, figure.limit, figure.kept) == ("3.0 (es/)", f"{limit:.1f}", kept)
