"""What leads from page to page, the navigation in mkdocs.yml and links: what leads nowhere, and what none leads to.

MkDocs refuses such a site as well, without a line, and only once every page has been rendered.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from reportgen import document, entries
from reportgen.errors import nearest
from reportgen.finding import Finding
from reportgen.report import CATALOGUE, Catalogue, Report, read_text
from reportgen.source import Source

SHARED = "mkdocs.yml"


def check(report: Report, pages: Collection[str], catalogues: Mapping[str, Catalogue]) -> Iterator[Finding]:
    """Pages that the navigation names and that are not there, or the reverse; sections of it without a title."""
    shared = report.shared()
    if "nav" not in shared:
        return  # MkDocs then lists every page by itself
    listed = [*_entries(shared["nav"])]
    named = {_normal(place) for _, place in listed if place and not urlsplit(place).scheme}
    missing = sorted(named - set(pages))
    # Where nothing is missing, as almost always, the file is not read a second time.
    lines = _lines(entries.mapping(read_text(report.root / SHARED, SHARED)).get("nav")) if missing else {}
    for place in missing:
        near = _near(place, set(pages) - named)
        yield Finding(SHARED, f"nav names {place}, and there is no such page", near, lines.get(place))
    for page in sorted(set(pages) - named):
        yield Finding(SHARED, f"nav does not name {page}, and nobody would find it", f"a line `- {page}`")
    for code, catalogue in catalogues.items():
        for key in dict.fromkeys(key for key, _ in listed if key and key not in catalogue.nav):
            file = report.relative(report.docs / code / CATALOGUE)
            yield Finding(file, f"there is no nav.{key}, which the navigation in {SHARED} asks for")


def check_links(page: Source, path: str, pages: Collection[str]) -> Iterator[Finding]:
    """Links of the page at `path`, within a language's folder, to pages that are not there."""
    for section in page.sections:
        for item in section.items:
            target = urlsplit(item.key.removeprefix("a link to ")).path if item.kind == "link" else ""
            place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if target.endswith(".md") and place not in pages:
                yield Finding(page.file, f"{item} leads to no page", _near(place, pages), item.line)


def _entries(nav: object) -> Iterator[tuple[str | None, str | None]]:
    """Every key and every page of a navigation: a list of pages, and of titles with a page or another such list."""
    items: list[Any] = nav if isinstance(nav, list) else []
    for item in items:
        if isinstance(item, str):
            yield None, item
        for key, inside in item.items() if isinstance(item, dict) else ():
            yield str(key), inside if isinstance(inside, str) else None
            yield from _entries(inside)


def _lines(nav: yaml.Node | None) -> dict[str, int]:
    """The first line, from 1, of every page that a navigation names."""
    found: dict[str, int] = {}
    for node in document.nodes(nav) if nav else ():
        if isinstance(node, yaml.ScalarNode):
            found.setdefault(_normal(node.value), node.start_mark.line + 1)
    return found


def _normal(place: str) -> str:
    """A page as it is called everywhere else; MkDocs also takes `./index.md`."""
    return posixpath.normpath(place)


def _near(place: str, pages: Collection[str]) -> str:
    near = nearest(place, pages, cutoff=0.9)  # pages are often named by number
    return f"{near}, if that is meant" if near else ""
