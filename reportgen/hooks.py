"""What MkDocs calls while it builds a site of the report; the configuration that `build` writes names this file.

Charts, the tables of their numbers and the notes below a page are finished HTML, and a half of each page. They are held
out while Markdown is converted and the search reads, which would look through all of it to no end, and put back as
they were. Their marks are comments, so that MkDocs without this file makes the same page, more slowly.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import escape

from reportgen import compiled

HELD = re.compile(r"<!--held-->(.*?)<!--/held-->", re.DOTALL)
"""Finished HTML, as the templates mark it; nothing is marked within it once more."""
PLACE = re.compile(r"<!--held (\d+)-->.*?<!--/held-->", re.DOTALL)
OVERRIDES = "overrides"
"""The setting of the theme that names a report's own templates: MkDocs knows one folder of them, and that is ours."""
FOLD = Path(__file__).with_name("templates") / "fold.js"
ENTITY = re.compile(r"&#(\d{1,6});")
ANCHOR = re.compile(r'\bid="([^"]+)"')

_held: dict[str, list[str]] = {}
"""By the page's file, while it is being made."""


def on_config(config: Any, **_: object) -> None:
    """Let a report's own templates come before ours, and so before the theme's, and its names be no markup."""
    for name in ("site_name", "site_description"):
        config[name] = escape(config[name] or "")  # the theme puts them between quotes as they are
    if folder := config.theme.get(OVERRIDES):
        config.theme.dirs.insert(0, folder)


def on_env(env: Environment, config: Any, **_: object) -> Environment:
    """Keep the theme's templates as Jinja compiled them, which otherwise every build would do anew."""
    # The configuration stands in the folder build/ of the report.
    env.bytecode_cache = compiled.kept(Path(config.config_file_path).resolve().parents[1])
    return env


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Hold finished HTML out of a page; its anchors stay, so that MkDocs knows where links can lead."""
    held = _held[page.file.src_uri] = []

    def hold(found: re.Match[str]) -> str:
        held.append(found[1])
        anchors = "".join(f'<div id="{name}"></div>' for name in ANCHOR.findall(found[1]))
        return f"<!--held {len(held) - 1}-->{anchors}<!--/held-->"

    return HELD.sub(hold, markdown)


def on_page_content(html: str, page: Any, **_: object) -> str:
    """Let a page's name be read where the theme speaks it, which spells out an entity such as that of `_`."""

    def read(found: re.Match[str]) -> str:
        character = chr(int(found[1]))
        return found[0] if character in "<>&\"'" else character

    page.title = ENTITY.sub(read, page.title)
    return html


def on_post_page(output: str, page: Any, **_: object) -> str:
    """Put back what was held out."""
    held = _held.pop(page.file.src_uri)
    return PLACE.sub(lambda found: held[int(found[1])], output)


def on_post_build(config: Any, **_: object) -> None:
    """Let the search find words whose accents were not typed, behind what the theme brings for the language.

    English has nothing there; its words have no accents.
    """
    site = Path(config.site_dir)
    index = site / "search" / "search_index.json"
    if not index.is_file():
        return
    # The theme searches in `pt` where its words are those of `pt-BR`.
    for code in json.loads(index.read_text(encoding="utf-8"))["config"]["lang"]:
        pack = site / "assets" / "javascripts" / "lunr" / "min" / f"lunr.{code}.min.js"
        if not pack.is_file():
            continue
        text, more = pack.read_text(encoding="utf-8"), FOLD.read_text(encoding="utf-8").replace("LANGUAGE", code)
        if not text.endswith(more):  # a build of some pages leaves the file as the last one has made it
            pack.write_text(text + more, encoding="utf-8")
