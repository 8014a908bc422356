"""What the site promises its readers, measured in a real browser: each figure beside its limit."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml

from reportgen.bench import Figure
from reportgen.browser import opened, refuse_without, served
from reportgen.checkout import git
from reportgen.errors import ReportError
from reportgen.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

WEIGHT, SHIFT, PAINT = 400_000, 0.05, 1.0
"""Limits of a page's first view: bytes transferred with gzip, layout shift, seconds to the first contentful paint."""
CACHED, COLD = 1.3, 2.5
"""Limits of the whole build, in times of what MkDocs alone needs for the same finished Markdown."""
PREVIEW, EDITS = 2.0, 5
"""Limit of the preview: seconds from saving a page to its place in a browser; and how often that is tried."""
TELEPHONE = 360
"""The pixels across of a narrow telephone."""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
TEXT = re.compile(r"^(text/|application/(json|javascript|xml)|image/svg)")
WATCH = """
window.rgShift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.rgShift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Waits until what follows a change of the window's size has been drawn."""


@dataclass
class Visit:
    """What was seen of the pages of a site."""

    weights: dict[str, int] = field(default_factory=dict)
    """Bytes of the first view of each page, as a server with gzip sends them."""
    sent: dict[str, int] = field(default_factory=dict)
    """Bytes of each file, as a server with gzip sends it, by its address; most are sent with every page."""
    shifts: dict[tuple[str, str], float] = field(default_factory=dict)
    """How far each page moves while it loads, by path and scheme."""
    paints: dict[tuple[str, str], float] = field(default_factory=dict)
    """Seconds to the first contentful paint of each page, by path and scheme."""
    complaints: list[str] = field(default_factory=list)
    """Messages of the console, requests that failed or went to another host."""
    violations: list[str] = field(default_factory=list)
    """Of accessibility, each with its page, scheme, rule and selector."""
    links: dict[str, list[str]] = field(default_factory=dict)
    """Every internal link of each page."""
    anchors: dict[str, set[str]] = field(default_factory=dict)
    """Every identifier of each page."""
    widths: dict[str, int] = field(default_factory=dict)
    """Pixels that each page takes across on a telephone, with everything unfolded."""

    def broken(self) -> list[str]:
        """Every link that leads to no page or to no anchor."""
        found = []
        for page, links in self.links.items():
            for link in links:
                target, _, anchor = link.partition("#")
                if target in self.anchors and anchor and unquote(anchor) not in self.anchors[target]:
                    found.append(f"{page}: {link}")
        return found


def axe() -> str:
    """The source of axe-core.

    Raises:
        ReportError: it is not installed.
    """
    package = find_spec("axe_playwright_python")
    if package is None or not package.origin:
        raise ReportError("This needs axe-core, which is not installed; requirements/browser.txt names it.")
    file = next(Path(package.origin).parent.rglob("axe.min.js"))
    return file.read_text(encoding="utf-8")


def pages(site: Path, languages: tuple[str, ...]) -> list[str]:
    """Every page of a built site, by its path."""
    found = [file.parent for code in languages for file in (site / code).rglob("index.html")]
    return sorted(f"{folder.relative_to(site).as_posix()}/" for folder in found)


def visit(browser: Browser, address: str, paths: list[str], scheme: str, seen: Visit) -> None:
    """Open every page once in one scheme, and note in `seen` what is seen of it."""
    rules = axe()
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": 1280, "height": 800},
        bypass_csp=True,
    )
    before: _Loaded | None = None
    for path in paths:
        # A page loads with the browser to itself. That nothing more comes of it shows only in waiting, and that is the
        # time to examine the page before it.
        page = _load(context, address, path, scheme, seen)
        if before:
            _examine(before, address, rules, seen)
        before = page
    if before:
        _examine(before, address, rules, seen)
    context.close()


@dataclass
class _Loaded:
    """A page that a browser has loaded, and what the server has answered it so far."""

    page: Page
    path: str
    scheme: str
    answers: list[Response]

    @property
    def where(self) -> str:
        """How a reader of the report is told which page it is."""
        return _where((self.path, self.scheme))


def _where(page: tuple[str, str]) -> str:
    path, scheme = page
    return f"{path} ({scheme})"


def _load(context: BrowserContext, address: str, path: str, scheme: str, seen: Visit) -> _Loaded:
    context.clear_cookies()
    page = context.new_page()
    page.add_init_script(WATCH)
    loaded = _Loaded(page, path, scheme, [])

    def complain(what: object) -> None:
        seen.complaints.append(f"{loaded.where}: {what}")

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complain(message.text)

    def failed(request: Request) -> None:
        complain(f"failed {request.url}")

    def answered(answer: Response) -> None:
        loaded.answers.append(answer)

    page.on("response", answered)
    page.on("console", said)
    page.on("pageerror", complain)
    page.on("requestfailed", failed)
    page.goto(address + path, wait_until="load")
    return loaded


def _examine(loaded: _Loaded, address: str, rules: str, seen: Visit) -> None:
    """Note everything about a page once its network rests, and close it."""
    page, path, where = loaded.page, loaded.path, loaded.where
    key = (path, loaded.scheme)
    page.wait_for_load_state("networkidle")
    for answer in loaded.answers:
        if not answer.ok:
            seen.complaints.append(f"{where}: {answer.status} {answer.url}")
        if not answer.url.startswith((address, "data:", "blob:")):
            seen.complaints.append(f"{where}: another host, {answer.url}")
    for answer in loaded.answers:
        if answer.url not in seen.sent:
            seen.sent[answer.url] = _transferred(answer)
    seen.weights[path] = sum(seen.sent[answer.url] for answer in loaded.answers)
    seen.shifts[key] = float(page.evaluate("window.rgShift"))
    seen.paints[key] = float(
        page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0") / 1000
    )
    seen.links[path] = page.eval_on_selector_all(
        "a[href]", "links => links.map(link => link.href).filter(link => link.startsWith(location.origin))"
    )
    seen.links[path] = [link.removeprefix(address) for link in seen.links[path]]
    seen.anchors[path] = set(page.eval_on_selector_all("[id]", "found => found.map(element => element.id)"))
    seen.violations += [f"{where}: {found}" for found in violations(page, rules)]
    page.set_viewport_size({"width": TELEPHONE, "height": 740})
    page.evaluate(DRAWN)
    seen.widths[path] = max(seen.widths.get(path, 0), page.evaluate("document.scrollingElement.scrollWidth"))
    page.close()


def violations(page: Page, rules: str) -> list[str]:
    """What axe-core finds against WCAG 2.2, levels A and AA, on an open page, with everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((block) => (block.open = true))")
    page.evaluate(rules)
    # To list all that is right takes axe-core as long as to find what is wrong; no rule of these wants style sheets
    # that it would have to fetch.
    options = json.dumps({"runOnly": RULES, "resultTypes": ["violations"], "preload": False})
    found: dict[str, Any] = page.evaluate(f"axe.run(document, {options})")
    return [
        f"{rule['id']} at {' '.join(map(str, node['target']))}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _transferred(answer: Response) -> int:
    try:
        body = answer.body()
    except Exception:  # a redirect has none
        return 0
    return len(gzip.compress(body)) if TEXT.match(answer.headers.get("content-type", "")) else len(body)


def figures(report: Report) -> Iterator[Figure]:
    """Measure everything: the time of a build first, then each page of what was built.

    Raises:
        ReportError: there is no browser or no axe-core, or what is to be measured fails.
    """
    refuse_without()
    axe()
    (report.root / "build").mkdir(exist_ok=True)
    # Copies, so that nothing drawn before helps; within the checkout, so that they are of the same commit.
    with tempfile.TemporaryDirectory(prefix="measure.", dir=report.root / "build") as folder:
        copy, other = (_copy(report.root, Path(folder) / name) for name in ("one", "the-other"))
        yield from _building(report, copy, other)
        yield from _reading(report, copy / "site")
        yield from _editing(report, copy)


def _reading(report: Report, site: Path) -> Iterator[Figure]:
    """What a reader meets on each page of a built site."""
    seen = Visit()
    paths = pages(site, report.languages)
    with served(site) as address, opened() as browser:
        for scheme in ("light", "dark"):
            visit(browser, address, paths, scheme, seen)
        # Whatever else the machine does can only delay a page: one that was late is asked again.
        for path, scheme in [late for late, paint in seen.paints.items() if paint > PAINT]:
            again = Visit()
            for _ in range(3):
                visit(browser, address, [path], scheme, again)
                seen.paints[path, scheme] = min(seen.paints[path, scheme], again.paints[path, scheme])
    broken = [*seen.broken(), *missing(site, seen)]
    count = f"{len(paths)} pages, light and dark"
    yield _largest("transferred for a page's first view", seen.weights, WEIGHT, "{:,.0f} bytes")
    yield _largest("layout shift of a page", _told(seen.shifts), SHIFT, "{:.3f}")
    yield _largest("first contentful paint of a page", _told(seen.paints), PAINT, "{:.2f} s")
    for name, found in (
        ("violations of WCAG 2.2 A and AA", seen.violations),
        ("messages, failed requests, other hosts", seen.complaints),
        ("broken links and anchors", broken),
        (
            "pages that scroll sideways on a telephone",
            [path for path, width in seen.widths.items() if width > TELEPHONE],
        ),
    ):
        first = f" (first: {found[0]})" if found else ""
        yield Figure(f"{name}, {count}", f"{len(found)}{first}", "0", not found)


def missing(site: Path, seen: Visit) -> list[str]:
    """Every link to a file of the site that is not there."""
    targets = {link: unquote(urlsplit(link).path) for links in seen.links.values() for link in links}
    lost = {link for link, path in targets.items() if not (site / path).exists()}
    return [f"{page}: {link}" for page, links in seen.links.items() for link in links if link in lost]


def _told(values: Mapping[tuple[str, str], float]) -> dict[str, float]:
    return {_where(page): value for page, value in values.items()}


def _largest(name: str, values: Mapping[str, float], limit: float, form: str) -> Figure:
    where = max(values, key=lambda key: values[key])
    return Figure(name, f"{form.format(values[where])} ({where})", form.format(limit), values[where] <= limit)


def _building(report: Report, copy: Path, other: Path) -> Iterator[Figure]:
    """The command that builds, from nothing and with everything drawn, and MkDocs alone on what it made; whether two
    copies give the same site. In turns, so that what else the machine does delays all alike.
    """
    cold = [_seconds(lambda: _build(copy))]
    cached, bare = [], []
    for _ in range(3):
        cached.append(_seconds(lambda: _build(copy)))
        bare.append(_seconds(lambda: _bare(report, copy)))
    cold.append(_seconds(lambda: _build(other)))
    for name, taken, limit in (("a build", min(cached), CACHED), ("a build from nothing", min(cold), COLD)):
        ratio = taken / min(bare)
        yield Figure(
            f"{name}, against MkDocs alone ({min(bare):.1f} s)",
            f"{ratio:.2f} times ({taken:.1f} s)",
            f"{limit} times",
            ratio <= limit,
        )
    differing = unlike(copy / "site", other / "site")
    said = f"{len(differing)} files differ (first: {differing[0]})" if differing else "alike to the byte"
    yield Figure("two builds from nothing", said, "alike", not differing)


def _editing(report: Report, copy: Path) -> Iterator[Figure]:
    """How long after a page was saved the preview shows it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "reportgen", "serve", "--root", str(copy), "--port", str(port)],
        env=_environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    try:
        assert process.stdout
        while "Ctrl+C" not in (line := process.stdout.readline()):
            if not line:
                raise ReportError("The preview, whose speed is to be measured, does not start; try `nox -s serve`.")
        code = report.languages[0]
        file = max((copy / "docs" / code).rglob("*.md"), key=lambda file: file.stat().st_size)
        path = file.relative_to(copy / "docs" / code).with_suffix("")
        address = f"{code}/" if path.name == "index" else f"{code}/{path.as_posix()}/"
        with opened() as browser:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/{address}")
            middle = statistics.median(_seconds(partial(_edit, file, page, f"Edit{k}")) for k in range(EDITS))
    finally:
        process.terminate()
        process.communicate()
    yield Figure(
        f"a changed page in the preview ({address}), the middle of {EDITS} changes",
        f"{middle:.2f} s",
        f"{PREVIEW:.0f} s",
        middle < PREVIEW,
    )


def _edit(file: Path, page: Page, word: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{word}\n")
    page.get_by_text(word, exact=True).wait_for(timeout=60_000)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _copy(root: Path, target: Path) -> Path:
    """A copy of what a report is made from, and of nothing that was made."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is not None:
        # Git names files in UTF-8, and the locale may not.
        names = [Path(os.fsdecode(name.encode("utf-8"))) for name in listed.split("\0") if name]
    else:
        every = (file.relative_to(root) for file in root.rglob("*"))
        names = [name for name in every if name.parts[0] not in ("build", "site") and not name.parts[0].startswith(".")]
    for name in names:
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, target / name)
    return target


def _environment() -> dict[str, str]:
    """Where a process finds this package, wherever it runs.

    Python keeps what it compiles, as it does unless told otherwise: what is measured is builds, not its compiler.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), "NO_MKDOCS_2_WARNING": "true"}


def _build(root: Path) -> None:
    """What the command does that builds the site of a report, with everything that it costs."""
    _run([sys.executable, "-m", "reportgen", "build", "--root", str(root)])


def _bare(report: Report, root: Path) -> None:
    """MkDocs with the theme as it comes, on the same Markdown, all languages at once."""
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for code in report.languages:
            settings = yaml.safe_load((root / "build" / f"mkdocs.{code}.yml").read_text(encoding="utf-8"))
            settings |= {"INHERIT": str(root / "mkdocs.yml"), "site_dir": f"{folder}/{code}"}
            settings["theme"].pop("custom_dir")
            settings.pop("hooks")
            settings["markdown_extensions"].pop("reportgen.spacing")
            file = Path(folder) / f"{code}.yml"
            file.write_text(yaml.safe_dump(settings), encoding="utf-8")
            commands.append([sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", str(file)])
        _run(*commands)


def _run(*commands: list[str]) -> None:
    """Run commands side by side.

    Raises:
        ReportError: one failed.
    """
    running = [
        subprocess.Popen(
            command,
            env=_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        for command in commands
    ]
    complaints = [process.communicate()[1] for process in running]
    for process, said in zip(running, complaints, strict=True):
        if process.returncode:
            raise ReportError(f"What was to be measured fails: {said.strip()}")


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def unlike(one: Path, other: Path) -> list[str]:
    """Every file that two folders do not have alike to the byte, by its path within them."""

    def content(folder: Path) -> dict[str, bytes]:
        files = (file for file in folder.rglob("*") if file.is_file())
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}

    first, second = content(one), content(other)
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
