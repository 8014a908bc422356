"""A live preview: builds, serves, and reloads the browser when a page, a template or a record changes.

A changed page alone is rendered alone: MkDocs then builds what is newer than the site ("dirty") and nothing else. It
cannot tell then where links lead, so that a page that has other links, or other anchors, is built with all pages.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from mkdocs.commands.build import build as build_with_mkdocs
from mkdocs.config import load_config
from mkdocs.livereload import LiveReloadServer
from rich.console import Console
from rich.text import Text

from reportgen.build import RENDERED, THEME, alone, build, configure, own_hooks, own_templates, refuse_untrue, render
from reportgen.edition import TEMPLATES
from reportgen.errors import ReportError
from reportgen.evidence import included, uses
from reportgen.language import FOLDER, language
from reportgen.material import gather
from reportgen.report import Report, read_text
from reportgen.source import FRONT_MATTER

INTERVAL = 0.25
"""Seconds between two looks at the files; more where a look takes more than a tenth of them."""
INDEX = "search/search_index.json"
HEADING = re.compile(r"^#[ \t].*|^.+\n=+[ \t]*$", re.MULTILINE)
"""Of the first level; or a comment in code, which does no harm here."""

LINK = re.compile(
    r"\]\([^)\n]*\)|\]\[[^\]\n]*\]|^ *\[[^\]\n]+\]:.*|\b(?:href|src|id)=\S+|\{[ :][^{}\n]*#[^{}\n]*\}|^#+[ \t][^{\n]*$",
    re.MULTILINE,
)
"""Where a link leads, in each way to write it; and where one can lead: an identifier, or a heading without any."""


@dataclass(frozen=True)
class Made:
    """What a site was made of."""

    files: Mapping[Path, int]
    """When each of the files that it is made from last changed, in nanoseconds."""
    pages: Mapping[Path, int]
    """When each of the pages that MkDocs made it of was last written, in nanoseconds."""
    said: Any = ()
    """What other pages show of a page, and what links need: its title, its links and anchors, and which claims and
    which results it has, to which they lead."""


def serve(report: Report, site: Path, host: str, port: int, console: Console) -> None:
    """Serve `site` until interrupted. A mistake in a page is printed, and the last good site stays.

    Raises:
        ReportError: the first build fails, or the port is taken.
    """
    last = Made({}, {})

    def rebuild() -> None:
        nonlocal last
        try:
            last = refresh(report, site, last)
        except ReportError as problem:
            console.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)

    six = ":" in host  # an address of IPv6: so MkDocs, too, takes any name for one of IPv4
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if six else socket.AF_INET).close()
    except OSError as problem:
        raise ReportError(
            f"Port {port} of {host} cannot be used ({problem.strerror}); choose another with --port."
        ) from problem
    with alone(report):
        known, said = dates(report), _said(report)
        build(report, site)
        last = Made(known, rendered(report), said)
    server = LiveReloadServer(builder=rebuild, host=host, port=port, root=str(site))
    # MkDocs has pages reload only where it watches something itself.
    server.watch(str(report.root / "mkdocs.yml"), recursive=False)
    ended = Event()
    Thread(target=_look, args=(report, server, known, ended), daemon=True).start()
    address = f"http://{f'[{host}]' if six else host}:{port}/"
    console.print("The report is at", Text(address, "bold"), end="; Ctrl+C ends.\n", highlight=False)
    try:
        server.serve(open_in_browser=False)
    except KeyboardInterrupt:
        pass
    finally:
        server.shutdown()
        ended.set()


def _look(report: Report, server: LiveReloadServer, seen: Mapping[Path, int], ended: Event) -> None:
    """Until it has `ended`, have `server` build whenever the files of the site are others than those `seen` last.

    MkDocs itself would watch the places that there are when it begins, and none that comes, or goes and comes back.
    """
    took = 0.0
    while not ended.wait(max(INTERVAL, 10 * took)):
        began = time.perf_counter()
        try:
            now = dates(report)
        except (ReportError, OSError):
            now = {}  # the build says what is wrong
        took = time.perf_counter() - began
        if now != seen:
            seen = now
            with server._rebuild_cond:
                server._want_rebuild = True
                server._rebuild_cond.notify_all()


def refresh(report: Report, site: Path, last: Made) -> Made:
    """Bring a site up to date with what has changed since it was made, all of it or pages alone, where no other page
    shows anything of these; return what it is made of now.

    Raises:
        ReportError: as for `build`; the site stays as it is.
    """
    # Ctrl+C may cut the wait for another command, but not the work.
    with alone(report), until_done():
        now = dates(report)
        changed = {file: now[file] for file in now.keys() & last.files.keys() if now[file] != last.files[file]}
        pages = now.keys() == last.files.keys() and all(_page(report, file) for file in changed)
        said = _said(report)
        # Another command may have left pages there of other results.
        alike = said == last.said and last.pages == rendered(report)
        if changed and pages and alike and not _shown_elsewhere(report) & changed.keys():
            rebuild_pages(report, site, changed)
        else:
            language.cache_clear()  # a catalogue may have changed
            build(report, site)
        return Made(now, rendered(report), said)


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
    """Every file and folder that the site is made from.

    Raises:
        ReportError: mkdocs.yml, which names some of them, is wrong.
    """
    shared = report.shared()
    records = [report.results, report.declared, report.pretraining, report.bench]
    words = [report.docs, report.claims, report.published, report.root / "mkdocs.yml"]
    # One by one where their folder is that of the report, which holds the site as well.
    named = (report.root / report.script).parent
    within = named.is_dir() and named != report.root
    scripts = [named] if within else report.root.glob(report.script.replace("{project}", "*"))
    own = [*own_hooks(report, shared), own_templates(report, shared)]
    places = [*words, *filter(None, (*records, *own)), *scripts, TEMPLATES, THEME, FOLDER]
    return [place for place in places if place.exists()]


def dates(report: Report) -> dict[Path, int]:
    """When each of the files that the site is made from last changed, in nanoseconds.

    Raises:
        ReportError: as for `watched_places`.
    """
    return _dates(watched_places(report))


def rendered(report: Report) -> dict[Path, int]:
    """When each of the files that MkDocs makes the site of was last written, in nanoseconds."""
    return _dates([report.root / RENDERED])


def _dates(places: Iterable[Path]) -> dict[Path, int]:
    """Names that begin with a dot are left out: those of files that are being written, and of an editor's own."""
    found = {}
    for file in (file for place in places for file in _files(place)):
        try:
            found[file] = file.stat().st_mtime_ns
        except FileNotFoundError:
            continue  # gone since it was listed, as where a run puts a record in the place of another
    return found


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
    for folder, inside, names in os.walk(place):
        inside[:] = [name for name in inside if not name.startswith(".")]
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _said(report: Report) -> Any:
    pages = report.pages()
    told = {report.docs / code / page: _told(report, code, page) for code in report.languages for page in pages}
    return told, uses(report, report.languages[0], pages, "claim", "results")


def _told(report: Report, code: str, page: str) -> tuple[str | None, list[str], list[str]]:
    """What may become a page's name in the navigation: what stands in front of it, and headings of the first level; and
    its links and anchors.
    """
    file = report.docs / code / page
    text = read_text(file, report.relative(file))
    front = FRONT_MATTER.match(text)
    return front[0] if front else None, HEADING.findall(text), LINK.findall(text)


def _shown_elsewhere(report: Report) -> set[Path]:
    """The files that pages include."""
    return {file for code in report.languages for file in included(report, code, report.pages())}


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
        if not os.environ.get("SOURCE_DATE_EPOCH", "0"):
            del os.environ["SOURCE_DATE_EPOCH"]  # MkDocs would take it for a number
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
