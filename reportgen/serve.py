"""A live preview: builds, serves, and reloads the browser when a page, a template or a record changes.

A changed page alone is rendered alone: MkDocs then builds what is newer than the site ("dirty") and nothing else.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mkdocs.commands.build import build as build_with_mkdocs
from mkdocs.config import load_config
from mkdocs.livereload import LiveReloadServer
from rich.console import Console

from reportgen.build import RENDERED, THEME, alone, build, configure, refuse_untrue, render
from reportgen.edition import TEMPLATES
from reportgen.errors import ReportError
from reportgen.language import FOLDER, language
from reportgen.material import gather
from reportgen.report import Report

INDEX = "search/search_index.json"
Dates = tuple[dict[Path, int], dict[Path, int]]
"""When the files that the site is made from last changed, and when the pages that MkDocs made it of, in nanoseconds."""


def serve(report: Report, site: Path, host: str, port: int, console: Console) -> None:
    """Serve `site` until interrupted. A mistake in a page is printed, and the last good site stays.

    Raises:
        ReportError: the first build fails, or the port is taken.
    """
    last: Dates = {}, {}

    def rebuild() -> None:
        nonlocal last
        try:
            last = refresh(report, site, *last)
        except ReportError as problem:
            console.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)

    try:
        socket.create_server((host, port)).close()
    except OSError as problem:
        raise ReportError(
            f"Port {port} of {host} cannot be used ({problem.strerror}); choose another with --port."
        ) from problem
    with alone(report):
        known = dates(report)
        build(report, site)
        last = known, rendered(report)
    server = LiveReloadServer(builder=rebuild, host=host, port=port, root=str(site), polling_interval=0.25)
    for watched in watched_places(report):
        server.watch(str(watched))
    console.print(f"The report is at [bold]http://{host}:{port}/[/]; Ctrl+C ends.")
    try:
        server.serve(open_in_browser=False)
    except KeyboardInterrupt:
        server.shutdown()


def refresh(report: Report, site: Path, known: Mapping[Path, int], made: Mapping[Path, int]) -> Dates:
    """Bring a site up to date with what has changed since it was made, all of it or pages alone; return how things
    stand now.

    Raises:
        ReportError: as for `build`; the site stays as it is.
    """
    # Ctrl+C may cut the wait for another command, but not the work.
    with alone(report), until_done():
        now = dates(report)
        changed = {file: now[file] for file in now.keys() & known.keys() if now[file] != known[file]}
        pages = now.keys() == known.keys() and all(_page(report, file) for file in changed)
        # Another command may have left pages there of other results.
        if changed and pages and made == rendered(report):
            rebuild_pages(report, site, changed)
        else:
            language.cache_clear()  # a catalogue may have changed
            build(report, site)
        return now, rendered(report)


@contextmanager
def until_done() -> Iterator[None]:
    """Ctrl+C waits for what is inside: cut off while it starts a process, that one would complain of half a message.

    Raises:
        KeyboardInterrupt: it came meanwhile.
    """
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            raise KeyboardInterrupt


def watched_places(report: Report) -> list[Path]:
    """Every file and folder that the site is made from."""
    records = [report.results, report.declared, report.pretraining, report.bench]
    words = [report.docs, report.claims, report.published, report.root / "mkdocs.yml"]
    places = [*words, *filter(None, records), (report.root / report.script).parent, TEMPLATES, THEME, FOLDER]
    return [place for place in places if place.exists()]


def dates(report: Report) -> dict[Path, int]:
    """When each of the files that the site is made from last changed, in nanoseconds."""
    return _dates(watched_places(report))


def rendered(report: Report) -> dict[Path, int]:
    """When each of the files that MkDocs makes the site of was last written, in nanoseconds."""
    return _dates([report.root / RENDERED])


def _dates(places: Iterable[Path]) -> dict[Path, int]:
    files = (file for place in places for file in (place.rglob("*") if place.is_dir() else [place]) if file.is_file())
    return {file: file.stat().st_mtime_ns for file in files}


def _page(report: Report, file: Path) -> bool:
    return file.suffix == ".md" and file.is_relative_to(report.docs)


def rebuild_pages(report: Report, site: Path, changed: Mapping[Path, int]) -> None:
    """Bring some pages of a built site up to date, in the languages in which they changed.

    Raises:
        ReportError: a page names something unknown.
    """
    material = gather(report)
    refuse_untrue(material)
    for code in report.languages:
        folder = report.docs / code
        pages = [file.relative_to(folder).as_posix() for file in changed if file.is_relative_to(folder)]
        if not pages:
            continue
        render(material, code, pages)
        index = site / code / INDEX
        before = json.loads(index.read_text(encoding="utf-8"))
        os.environ.setdefault("NO_MKDOCS_2_WARNING", "true")
        logging.getLogger("mkdocs").setLevel(logging.ERROR)  # it warns that it leaves pages out, which is what we want
        config = load_config(str(configure(report, code, site)))
        config.plugins.on_startup(command="build", dirty=True)
        build_with_mkdocs(config, dirty=True)
        _complete(index, before)


def _complete(index: Path, before: dict[str, list[dict[str, str]]]) -> None:
    """Put the pages that were left out back into the index of the search."""
    now = json.loads(index.read_text(encoding="utf-8"))
    fresh = {entry["location"].partition("#")[0] for entry in now["docs"]}
    now["docs"] += [entry for entry in before["docs"] if entry["location"].partition("#")[0] not in fresh]
    index.write_text(json.dumps(now, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
