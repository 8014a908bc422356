"""Where a line does not break: a Markdown extension, which the configuration that `build` writes names.

“Project” at the end of a line and “4” at the beginning of the next, or “64 ×” and “64”, make a reader stumble; so does
an option of a command whose dashes are left behind. Such pairs are of every language, so that no page has to write an
entity for them. What templates make is HTML, which Markdown does not look into: `bound_html` does the same there.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

_BEFORE_NUMBER = re.compile(r"\b([A-ZÀ-Þ][\w-]*) (?=\d)")
"""A name and its number, such as “Project 4”."""
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min|h|px|pp|[kKMGT]?i?B|%)(?!\w))")
_VERBATIM = {"kbd", "pre", "samp", "script", "style"}
_OPTION = re.compile(r"(?<![^\s(])(?:--?[A-Za-z][\w-]{0,22}|--)(?![\w-])")
"""An option of a command; one that is longer than half a line of a telephone may break."""
_WHOLE = "rg-whole"
"""The class of what stands on one line."""
_PIECES = re.compile(
    r"<(?P<verbatim>kbd|pre|samp|script|style|svg)\b.*?</(?P=verbatim)>"
    r"|(?P<code><code\b[^>]*>)(?P<said>[^<]+)"
    r"|>(?P<text>[^<]*[\d×][^<]*)",
    re.DOTALL,
)
"""What HTML has between its tags; of an attribute nothing, for none holds a `>`."""
_AFTER_TOC = -10
"""A priority below that of the table of contents and of the page's title: both take a heading as it was written."""


def bound(text: str) -> str:
    """Running text with spaces that hold a number to the name before it, to its unit, and to “×”."""
    text = _BEFORE_NUMBER.sub("\\1\u00a0", text)
    return _BEFORE_UNIT.sub("\u00a0", text).replace(" ×", "\u00a0×").replace("× ", "×\u00a0")


def bound_html(html: str) -> str:
    """HTML whose text is `bound`, and in whose code no line ends within an option."""
    return _PIECES.sub(_bound_piece, html)


def _bound_piece(found: re.Match[str]) -> str:
    if found["code"]:
        return found["code"] + _OPTION.sub(rf'<span class="{_WHOLE}">\g<0></span>', found["said"])
    return found[0] if found["text"] is None else ">" + bound(found["text"])


class _Bind(Treeprocessor):
    def run(self, root: Element) -> None:
        if root.tag in _VERBATIM:
            return
        if root.tag == "code":
            _keep_options_whole(root)
            return
        root.text = root.text and bound(root.text)
        for child in root:
            self.run(child)
            child.tail = child.tail and bound(child.tail)


def _keep_options_whole(code: Element) -> None:
    """As `bound_html`, in what Markdown has made of backticks."""
    if len(code) or not code.text:
        return
    text, end = code.text, 0
    for option in _OPTION.finditer(text):
        before = text[end : option.start()]
        if len(code):
            code[-1].tail = before
        else:
            code.text = before
        SubElement(code, "span", {"class": _WHOLE}).text = option[0]
        end = option.end()
    if len(code):
        code[-1].tail = text[end:]


class Spacing(Extension):
    """Binds numbers to their words in every page that is converted."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(_Bind(md), "spacing", _AFTER_TOC)


def makeExtension(**options: Any) -> Spacing:
    """The extension, for Python-Markdown, which knows it by the name of this module."""
    return Spacing(**options)
