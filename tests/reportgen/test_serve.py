"""The preview brings a changed page up to date without building the others, and the search keeps them all."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Condition, Event, Thread
from types import SimpleNamespace

import pytest
import yaml
from mkdocs.livereload import LiveReloadServer
from rich.console import Console

from reportgen import record as records
from reportgen import report as reports
from reportgen.build import RENDERED, THEME, build
from reportgen.edition import TEMPLATES
from reportgen.errors import ReportError
from reportgen.language import FOLDER, Language, language
from reportgen.measure import free_port
from reportgen.serve import (
    INDEX,
    Made,
    _complete,
    _look,
    dates,
    rebuild_pages,
    refresh,
    rendered,
    serve,
    until_done,
    watched_places,
)
from tests.reportgen.test_build import held_elsewhere
from tests.synthetic import record


def test_a_changed_page_alone_is_built_and_the_search_keeps_the_others(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")  # says nothing, here as in a whole build
    report, site = reports.load(small_report), tmp_path / "site"
    build(report, site)
    page, other = site / "en" / "index.html", site / "en" / "further" / "index.html"
    long_ago = 1_000_000_000
    for file in site.rglob("*"):
        os.utime(file, (long_ago, long_ago))
    for file in (small_report / "build" / "nox-s-docs").rglob("*.md"):
        os.utime(file, (long_ago - 1, long_ago - 1))
    source = small_report / "docs" / "en" / "index.md"
    before = dates(report)
    source.write_text(source.read_text(encoding="utf-8").replace("# A small report", "# Changed"), encoding="utf-8")
    now = dates(report)
    changed = {file: now[file] for file in now if now[file] != before.get(file)}
    assert set(changed) == {source}
    rebuild_pages(report, site, changed)
    assert "Changed" in page.read_text(encoding="utf-8")
    assert other.stat().st_mtime == long_ago
    found = json.loads((site / "en" / INDEX).read_text(encoding="utf-8"))["docs"]
    places = [entry["location"] for entry in found]
    assert len(places) == len(set(places))
    assert {"", "further/"} <= set(places)
    assert any(entry["title"] == "Changed" for entry in found)
    assert not any(entry["title"] == "A small report" for entry in found)
    assert "Changed" not in (site / "es" / INDEX).read_text(encoding="utf-8")


def test_pages_that_another_command_rendered_are_not_taken_into_the_preview(small_report: Path, tmp_path: Path) -> None:
    report, site = reports.load(small_report), tmp_path / "site"
    last = Made(dates(report), rendered(report))
    others = small_report / RENDERED / "en" / "further.md"
    others.parent.mkdir(parents=True)
    others.write_text("# Of other results\n", encoding="utf-8")
    page = small_report / "docs" / "en" / "index.md"
    page.write_text(page.read_text(encoding="utf-8").replace("# A small report", "# Changed"), encoding="utf-8")
    with held_elsewhere(report), pytest.raises(ReportError, match="another command"):
        refresh(report, site, last)
    now = refresh(report, site, last)
    assert (now.files, now.pages) == (dates(report), rendered(report))
    assert "Changed" in (site / "en" / "index.html").read_text(encoding="utf-8")
    assert "Of other results" not in (site / "en" / "further" / "index.html").read_text(encoding="utf-8")


CLAIM = """
good:
  kind: above
  metric: test.accuracy
  of: first
  value: 60 %
  expect: {study: holds, reproduction: undecided}
"""
SHOWS = """# F { #further }

{% include "part.md" %}

## D { #details }

{{ claims_table() }}
"""


def test_a_page_that_shows_something_of_a_changed_one_changes_with_it(small_report: Path, tmp_path: Path) -> None:
    docs = small_report / "docs"
    (docs / "claims.yml").write_text(CLAIM, encoding="utf-8")
    for code in ("en", "es"):
        (docs / code / "part.md").write_text("# Part { #part }\n\nOld words.\n", encoding="utf-8")
        (docs / code / "further.md").write_text(
            '# F { #further }\n\n{% include "part.md" %}\n\n## D { #details }\n\n{{ claims_table() }}\n',
            encoding="utf-8",
        )
    shared = small_report / "mkdocs.yml"
    shared.write_text(shared.read_text("utf-8").replace("- further.md", "- further.md\n  - part.md"), encoding="utf-8")
    report, site = reports.load(small_report), tmp_path / "site"
    made = refresh(report, site, Made({}, {}))
    further = site / "en" / "further" / "index.html"
    assert "Old words" in further.read_text("utf-8") and "../#claim-good" not in further.read_text("utf-8")
    part, home = docs / "en" / "part.md", docs / "en" / "index.md"
    part.write_text(part.read_text("utf-8").replace("Old", "New"), encoding="utf-8")
    made = refresh(report, site, made)
    assert "New words" in further.read_text("utf-8")
    home.write_text(home.read_text("utf-8") + '\n{% claim "good" %}It is good{% endclaim %}.\n', encoding="utf-8")
    refresh(report, site, made)
    assert "../#claim-good" in further.read_text("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "# A new title { #further }\n\n## 3 { #details }\n",
        "A new title { #further }\n===\n\n## 3 { #details }\n",
        "---\ntitle: A new title\n---\n# 2 { #further }\n\n## 3 { #details }\n",
    ],
)
def test_a_new_title_of_a_page_is_in_the_navigation_of_every_other(
    small_report: Path, tmp_path: Path, text: str
) -> None:
    report, site = reports.load(small_report), tmp_path / "site"
    made = refresh(report, site, Made({}, {}))
    (small_report / "docs" / "en" / "further.md").write_text(text, encoding="utf-8")
    refresh(report, site, made)
    assert "A new title" in (site / "en" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("pattern", "watched"), [("{project}.py", "first.py"), ("{project}/train.py", "first/train.py")]
)
def test_scripts_in_the_root_are_watched_and_not_the_site_beside_them(
    small_report: Path, pattern: str, watched: str
) -> None:
    settings = small_report / "pyproject.toml"
    settings.write_text(settings.read_text("utf-8").replace("scripts/{project}.py", pattern), encoding="utf-8")
    (small_report / watched).parent.mkdir(exist_ok=True)
    (small_report / watched).touch()
    (small_report / "build").mkdir()
    places = watched_places(reports.load(small_report))
    assert small_report / watched in places
    assert not any((small_report / "build").is_relative_to(place) for place in places)


def test_everything_that_the_site_speaks_of_is_watched(small_report: Path) -> None:
    settings = small_report / "pyproject.toml"
    text = settings.read_text(encoding="utf-8").replace("docs/claims.yml", "claims.yml")
    settings.write_text(f'{text}pretraining = "pretraining"\nbench = "benches"\n', encoding="utf-8")
    (small_report / "claims.yml").touch()
    for folder in ("results", "declared", "pretraining", "benches", "scripts"):
        (small_report / folder).mkdir()
    names = {"docs", "results", "declared", "pretraining", "benches", "scripts"}
    files = {"claims.yml", "published.json", "mkdocs.yml"}
    watched = watched_places(reports.load(small_report))
    assert {small_report / name for name in names | files} | {FOLDER} <= set(watched)
    assert {TEMPLATES, THEME} <= set(watched)


def test_templates_and_hooks_of_the_report_s_own_are_watched(small_report: Path) -> None:
    (small_report / "ours").mkdir()
    (small_report / "hooks.py").touch()
    file = small_report / "mkdocs.yml"
    shared = yaml.safe_load(file.read_text(encoding="utf-8"))
    shared["theme"] = {**shared["theme"], "custom_dir": "ours"}
    file.write_text(yaml.safe_dump({**shared, "hooks": ["hooks.py"]}), encoding="utf-8")
    assert {small_report / "ours", small_report / "hooks.py"} <= set(watched_places(reports.load(small_report)))


def test_words_of_the_generator_s_own_that_changed_are_read_again(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[Language] = []
    monkeypatch.setattr("reportgen.serve.build", lambda *_: before.append(language("es")))
    for _ in range(2):
        refresh(reports.load(small_report), tmp_path / "site", Made({}, {}))
    assert before[0] is not before[1]


def test_an_interruption_waits_until_what_it_would_cut_off_is_done_and_comes_then() -> None:
    before, done = signal.getsignal(signal.SIGINT), False
    with pytest.raises(KeyboardInterrupt), until_done():
        os.kill(os.getpid(), signal.SIGINT)
        done = True
    assert done
    assert signal.getsignal(signal.SIGINT) == before
    with until_done():
        pass


def test_a_record_that_is_being_written_and_one_that_has_just_gone_do_not_matter(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small_report / "results" / ".hidden").mkdir(parents=True)
    for name in ("record.json", ".record.json.x1y2", ".hidden/record.json"):
        (small_report / "results" / name).touch()
    walk = os.walk

    def with_one_more(top: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for folder, inside, names in walk(top):
            yield folder, inside, [*names, "gone.json"]

    monkeypatch.setattr(os, "walk", with_one_more)
    found = {file for file in dates(reports.load(small_report)) if file.is_relative_to(small_report / "results")}
    assert found == {small_report / "results" / "record.json"}


def test_a_page_is_not_built_while_another_command_builds_nor_left_half_built_by_an_interruption(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        built.append("page")

    monkeypatch.setattr("reportgen.serve.build", lambda *_: None)
    monkeypatch.setattr("reportgen.serve.rebuild_pages", lambda *_: built.append("page"))
    report = reports.load(small_report)
    made = refresh(report, tmp_path / "site", Made({}, {}))
    os.utime(small_report / "docs" / "en" / "index.md", (1, 1))
    with held_elsewhere(report), pytest.raises(ReportError, match="another command"):
        refresh(report, tmp_path / "site", made)
    assert built == []
    monkeypatch.setattr("reportgen.serve.rebuild_pages", interrupted)
    with pytest.raises(KeyboardInterrupt):
        refresh(report, tmp_path / "site", made)
    assert built == ["page"]


@pytest.mark.parametrize(("host", "shown"), [("localhost", "localhost"), ("::1", "[::1]")])
def test_the_preview_listens_where_it_is_asked_to_and_says_where(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, shown: str
) -> None:
    try:
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
            port = free.getsockname()[1]
    except OSError:
        pytest.skip(f"This machine has no address {host}.")
    monkeypatch.setattr("reportgen.serve.build", lambda *_: None)
    monkeypatch.setattr(LiveReloadServer, "serve", lambda server, **_: (server.server_bind(), server.server_close()))
    said = io.StringIO()
    serve(reports.load(small_report), tmp_path / "site", host, port, Console(file=said, width=200))
    assert said.getvalue() == f"The report is at http://{shown}:{port}/; Ctrl+C ends.\n"


def test_the_first_change_already_is_built_alone_and_a_mistake_is_printed_as_it_is(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def rebuilt(*_: object) -> None:
        done.append("pages")
        if len(done) == 3:
            raise ReportError("docs/en/[bold].md, line 3: 'frist' is not a known name.")

    def two_changes(server: LiveReloadServer, **_: object) -> None:
        for moment in (1, 2):
            os.utime(small_report / "docs" / "en" / "index.md", (moment, moment))
            server.builder()
        server.server_close()

    def built(*_: object) -> None:
        done.append("all")
        (small_report / RENDERED).mkdir(parents=True)
        (small_report / RENDERED / "index.md").touch()

    monkeypatch.setattr("reportgen.serve.build", built)
    monkeypatch.setattr("reportgen.serve.rebuild_pages", rebuilt)
    monkeypatch.setattr(LiveReloadServer, "serve", two_changes)
    said = io.StringIO()
    serve(reports.load(small_report), tmp_path / "site", "127.0.0.1", free_port(), Console(file=said, width=40))
    assert done == ["all", "pages", "pages"]
    assert said.getvalue().endswith("docs/en/[bold].md, line 3: 'frist' is not a known name.\n")


def test_a_port_that_is_taken_is_a_sentence(small_report: Path, tmp_path: Path) -> None:
    complaint = r"^Port \d+ of 127\.0\.0\.1 cannot be used .* choose another with --port"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ReportError, match=complaint):
        serve(reports.load(small_report), tmp_path / "site", "127.0.0.1", taken.getsockname()[1], Console())


@pytest.mark.parametrize(
    ("changed", "alone"),
    [
        (["docs/en/index.md"], True),
        (["docs/en/index.md", "docs/es/further.md"], True),
        (["docs/en/index.md", "mkdocs.yml"], False),
        (["docs/es/catalogue.yml"], False),
        (["docs/es/part.md"], False),
        (["docs/en/index.md", "docs/en/new.svg"], False),
        (["results/notes.md"], False),
        (["results/first/seed-0/record.json"], False),
        ([f"{RENDERED}/en/index.md", "docs/en/index.md"], False),
        ([], False),
    ],
    ids=str,
)
def test_only_pages_that_nothing_else_shows_are_built_alone(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: list[str], alone: bool
) -> None:
    built: list[set[Path]] = []
    monkeypatch.setattr("reportgen.serve.build", lambda *_: built.append(set()))
    monkeypatch.setattr("reportgen.serve.rebuild_pages", lambda _, __, pages: built.append({*pages}))
    for code in ("en", "es"):
        (small_report / "docs" / code / "part.md").write_text("# 4 { #part }\n", encoding="utf-8")
        with (small_report / "docs" / code / "further.md").open("a", encoding="utf-8") as page:
            page.write('\n{% include "part.md" %}\n')
    records.write(record("first"), small_report / "results")
    (small_report / "results" / "notes.md").touch()
    (small_report / RENDERED / "en").mkdir(parents=True)
    (small_report / RENDERED / "en" / "index.md").touch()
    report = reports.load(small_report)
    made = refresh(report, tmp_path / "site", Made({}, {}))
    for name in changed:
        (small_report / name).touch()
        os.utime(small_report / name, (1, 1))
    refresh(report, tmp_path / "site", made)
    assert built == [set(), {small_report / name for name in changed} if alone else set()]


@pytest.mark.parametrize(
    ("code", "before", "after", "alone"),
    [
        ("en", "## 3 {", "## Four {", True),
        ("en", "## 3 {", "More *words* (of mine), {{ first.published.seconds }}.\n\n## 3 {", True),
        ("en", "## 3 {", "[1](nowhere.md)\n\n## 3 {", False),
        ("es", "## 3 {", "![1](nowhere.svg)\n\n## 3 {", False),
        ("en", "## 3 {", "[1]: nowhere.md\n\n## 3 {", False),
        ("en", "## 3 {", '<a href="nowhere.md">1</a>\n\n## 3 {', False),
        ("en", "{ #details }", "{ #other }", False),
        ("en", "{ #details }", "{: .wide #other }", False),
        ("en", "## 3 {", "## 4\n\n## 3 {", False),
        ("es", "# 2 {", "# Otro nombre {", False),
        ("en", "# 2 { #further }\n", "Another name { #further }\n===\n", False),
        ("en", "## 3 {", '{{ results("first") }}\n\n## 3 {', False),
        ("en", "## 3 {", '{% claim "good" %}It is{% endclaim %}.\n\n## 3 {', False),
    ],
)
def test_a_page_is_built_alone_unless_its_name_or_what_others_lead_to_has_changed(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, before: str, after: str, alone: bool
) -> None:
    built: list[bool] = []
    monkeypatch.setattr("reportgen.serve.build", lambda *_: built.append(False))
    monkeypatch.setattr("reportgen.serve.rebuild_pages", lambda *_: built.append(True))
    report = reports.load(small_report)
    made = refresh(report, tmp_path / "site", Made({}, {}))
    page = small_report / "docs" / code / "further.md"
    page.write_text(page.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    os.utime(page, (1, 1))
    refresh(report, tmp_path / "site", made)
    assert built == [False, alone]


@pytest.mark.parametrize(
    ("link", "complaint"),
    [("nowhere.md", "the target is not found"), ("further.md#none", "does not contain an anchor '#none'")],
)
def test_a_page_with_a_dead_link_is_refused_and_the_last_good_site_stays(
    small_report: Path, tmp_path: Path, link: str, complaint: str
) -> None:
    report, site = reports.load(small_report), tmp_path / "site"
    made = refresh(report, site, Made({}, {}))
    page, shown = small_report / "docs" / "en" / "index.md", site / "en" / "index.html"
    text, before = page.read_text(encoding="utf-8"), shown.read_bytes()
    page.write_text(f"{text}\n[?]({link})\n", encoding="utf-8")
    with pytest.raises(ReportError, match=rf"(?s)^MkDocs refused the pages .*'index\.md' contains .*{complaint}"):
        refresh(report, site, made)
    assert shown.read_bytes() == before
    page.write_text(f"{text}\n[?](further.md#details)\n", encoding="utf-8")
    refresh(report, site, made)
    assert 'href="further/#details">?</a>' in shown.read_text(encoding="utf-8")


def test_of_a_page_that_was_built_alone_the_search_finds_no_section_that_has_gone(tmp_path: Path) -> None:
    def entries(*places: str) -> dict[str, list[dict[str, str]]]:
        return {"docs": [{"location": place} for place in places]}

    index = tmp_path / "search_index.json"
    index.write_text(json.dumps(entries("a/", "a/#new")), encoding="utf-8")
    _complete(index, entries("a/", "a/#old", "b/", "b/#kept"))
    assert json.loads(index.read_text(encoding="utf-8")) == entries("a/", "a/#new", "b/", "b/#kept")


def test_settings_that_are_broken_and_mended_are_noticed_once_each(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reportgen.serve.INTERVAL", 0.001)
    report, ended, wanted = reports.load(small_report), Event(), Condition()
    server = SimpleNamespace(_rebuild_cond=wanted, _want_rebuild=False)
    looking = Thread(target=_look, args=(report, server, dates(report), ended))
    shared = small_report / "mkdocs.yml"
    looking.start()
    try:
        for text in ("nav: [", shared.read_text(encoding="utf-8")):
            with wanted:
                # In one step: that a file has been emptied would be noticed, too.
                records.write_atomically(shared, text)
                assert wanted.wait_for(lambda: server._want_rebuild, timeout=5)
                server._want_rebuild = False
        with wanted:
            # A look that was on its way while a file changed may have seen half of it, and look once more.
            for _ in range(2):
                server._want_rebuild = False
                wanted.wait_for(lambda: server._want_rebuild, timeout=0.2)
            assert not server._want_rebuild, "nothing has changed since"
    finally:
        ended.set()
        looking.join()


@pytest.mark.skipif(sys.platform == "win32", reason="there, a process is ended without being asked")
def test_a_preview_that_is_asked_to_end_does(small_report: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "reportgen", "serve", "--port", str(free_port())],
        cwd=small_report,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and "The report is at" in process.stdout.readline()
        time.sleep(0.5)  # until it serves
        process.terminate()
        _, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (128 + signal.SIGTERM, "")
