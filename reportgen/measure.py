"""What the site promises its readers, measured in a real browser: each figure beside its limit."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import yaml

from reportgen.browser import opened, served
from reportgen.build import RENDERED, build
from reportgen.errors import ReportError
from reportgen.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

WEIGHT, SHIFT, PAINT = 400_000, 0.05, 1.0
"""Limits of a page's first view: bytes transferred with gzip, layout shift, seconds to the first contentful paint."""
CACHED, COLD = 1.3, 2.5
"""Limits of the whole build, in times of what MkDocs alone needs for the same finished Markdown."""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa")
ALLOWED: Mapping[str, str] = {}
"""Defects of the theme that stay, by the selector that axe gives, each with its reason."""
TEXT = re.compile(r"^(text/|application/(json|javascript|xml)|image/svg)")
WATCH = """
window.rgShift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.rgShift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass(frozen=True)
class Figure:
    """One measurement and its limit."""

    name: str
    measured: str
    limit: str
    kept: bool


@dataclass
class Visit:
    """What was seen of the pages of a site."""

    weights: dict[str, int] = field(default_factory=dict)
    """Bytes of the first view of each page, as a server with gzip sends them."""
    shifts: dict[str, float] = field(default_factory=dict)
    paints: dict[str, float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    """Messages of the console, requests that failed or went to another host."""
    violations: list[str] = field(default_factory=list)
    """Of accessibility, each with its page, scheme, rule and selector."""
    links: dict[str, list[str]] = field(default_factory=dict)
    """Every internal link of each page."""
    anchors: dict[str, set[str]] = field(default_factory=dict)
    """Every identifier of each page."""

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


def visit(browser: Browser, address: str, paths: list[str], scheme: str, visit: Visit, *, width: int = 1280) -> None:
    """Open every page once in one scheme, and note what is seen in `visit`."""
    rules = axe()
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 800},
        bypass_csp=True,
    )
    for path in paths:
        context.clear_cookies()
        page = context.new_page()
        page.add_init_script(WATCH)
        answers: list[Response] = []
        where = f"{path} ({scheme})"

        def complain(what: object, where: str = where) -> None:
            visit.complaints.append(f"{where}: {what}")

        def said(message: ConsoleMessage, complain: Callable[[object], None] = complain) -> None:
            if message.type in ("error", "warning"):
                complain(message.text)

        def failed(request: Request, complain: Callable[[object], None] = complain) -> None:
            complain(f"failed {request.url}")

        def answered(answer: Response, answers: list[Response] = answers) -> None:
            answers.append(answer)

        page.on("response", answered)
        page.on("console", said)
        page.on("pageerror", complain)
        page.on("requestfailed", failed)
        page.goto(address + path, wait_until="networkidle")
        for answer in answers:
            if not answer.ok:
                visit.complaints.append(f"{where}: {answer.status} {answer.url}")
            if not answer.url.startswith((address, "data:", "blob:")):
                visit.complaints.append(f"{where}: another host, {answer.url}")
        visit.weights[path] = sum(map(_transferred, answers))
        visit.shifts[where] = float(page.evaluate("window.rgShift"))
        visit.paints[where] = float(
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0") / 1000
        )
        visit.links[path] = page.eval_on_selector_all(
            "a[href]", "links => links.map(link => link.href).filter(link => link.startsWith(location.origin))"
        )
        visit.links[path] = [link.removeprefix(address) for link in visit.links[path]]
        visit.anchors[path] = set(page.eval_on_selector_all("[id]", "found => found.map(element => element.id)"))
        visit.violations += [f"{where}: {found}" for found in violations(page, rules)]
        page.close()
    context.close()


def violations(page: Page, rules: str) -> list[str]:
    """What axe-core finds against WCAG 2.2, levels A and AA, on an open page, with everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((block) => (block.open = true))")
    page.evaluate(rules)
    # To list all that is right takes axe-core as long as to find what is wrong.
    options = json.dumps({"runOnly": RULES, "resultTypes": ["violations"]})
    found: dict[str, Any] = page.evaluate(f"axe.run(document, {options})")
    return [
        f"{rule['id']} at {' '.join(map(str, node['target']))}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(selector in " ".join(map(str, node["target"])) for selector in ALLOWED)
    ]


def _transferred(answer: Response) -> int:
    try:
        body = answer.body()
    except Exception:  # a redirect has none
        return 0
    return len(gzip.compress(body)) if TEXT.match(answer.headers.get("content-type", "")) else len(body)


def figures(report: Report) -> Iterator[Figure]:
    """Measure everything: the time of a build first, then each page of what was built."""
    site = report.root / "build" / "measured"
    yield from _building(report, site)
    seen = Visit()
    paths = pages(site, report.languages)
    with served(site) as address, opened() as browser:
        for scheme in ("light", "dark"):
            visit(browser, address, paths, scheme, seen)
    count = f"{len(paths)} pages, light and dark"
    yield _largest("transferred for a page's first view", seen.weights, WEIGHT, "{:,.0f} bytes")
    yield _largest("layout shift of a page", seen.shifts, SHIFT, "{:.3f}")
    yield _largest("first contentful paint of a page", seen.paints, PAINT, "{:.2f} s")
    for name, found in (
        ("violations of WCAG 2.2 A and AA", seen.violations),
        ("messages, failed requests, other hosts", seen.complaints),
        ("broken links and anchors", seen.broken()),
    ):
        first = f" (first: {found[0]})" if found else ""
        yield Figure(f"{name}, {count}", f"{len(found)}{first}", "0", not found)


def _largest(name: str, values: Mapping[str, float], limit: float, form: str) -> Figure:
    where = max(values, key=lambda key: values[key])
    return Figure(name, f"{form.format(values[where])} ({where})", form.format(limit), values[where] <= limit)


def _building(report: Report, site: Path) -> Iterator[Figure]:
    """A build from nothing, one with everything drawn, and MkDocs alone on what they made; whether two are alike."""
    drawn = [report.root / "build" / name for name in ("charts", "cards")]
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        for place in drawn:
            if place.exists():
                shutil.move(place, kept / place.name)
        cold = _seconds(lambda: build(report, site))
        before = _content(site)
    cached = min(_seconds(lambda: build(report, site)) for _ in range(2))
    same = _content(site) == before
    bare = min(_seconds(lambda: _bare(report)) for _ in range(2))
    for name, taken, limit in (("a build", cached, CACHED), ("a build from nothing", cold, COLD)):
        ratio = taken / bare
        yield Figure(
            f"{name}, against MkDocs alone", f"{ratio:.2f} times ({taken:.1f} s)", f"{limit} times", ratio <= limit
        )
    yield Figure("two builds", "alike to the byte" if same else "different", "alike", same)


def _bare(report: Report) -> None:
    """MkDocs with the same theme on the same Markdown, all languages at once."""
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for code in report.languages:
            settings = yaml.safe_load((report.root / "build" / f"mkdocs.{code}.yml").read_text(encoding="utf-8"))
            settings |= {"INHERIT": str(report.root / "mkdocs.yml"), "site_dir": f"{folder}/{code}"}
            settings["docs_dir"] = str(report.root / RENDERED / code)
            settings["theme"].pop("custom_dir", None)
            file = Path(folder) / f"{code}.yml"
            file.write_text(yaml.safe_dump(settings), encoding="utf-8")
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", str(file)],
                    env={**os.environ, "NO_MKDOCS_2_WARNING": "true"},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
        for process in running:
            process.wait()


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _content(site: Path) -> dict[str, bytes]:
    return {file.relative_to(site).as_posix(): file.read_bytes() for file in sorted(site.rglob("*")) if file.is_file()}
