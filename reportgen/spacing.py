"""Where a line does not break: a Markdown extension, which the configuration that `build` writes names.

“Project” at the end of a line and “4” at the beginning of the next, or “64 ×” and “64”, make a reader stumble; so does
an option of a command whose dashes are left behind. Such pairs are of every language, so that no page has to write an
entity for them. What templates make is HTML, which Markdown does not look into: `bound_html` does the same there.
"""

from __future__ import annotations

import re
from typing import Any

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor

_BEFORE_NUMBER = re.compile(r"\b([A-ZÀ-Þ][\w-]*) (?=\d)")
"""A name and its number, such as “Project 4”."""
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min|h|px|pp|[kKMGT]?i?B|%)(?!\w))")
_OPTION = re.compile(r"(?<![^\s(])(?:--?[A-Za-z][\w-]{0,22}|--)(?![\w-])")
"""An option of a command; one that is longer than half a line of a telephone may break."""
_PIECES = re.compile(
    r"<(?P<verbatim>kbd|pre|samp|script|style|svg)\b.*?</(?P=verbatim)>"
    r"|(?P<code><code\b[^>]*>)(?P<said>[^<]+)"
    r"|(?<=>)(?P<text>[^<]*[\d×][^<]*)",
    re.DOTALL,
)
"""What HTML has between its tags; of an attribute nothing, for none holds a `>`."""
_BEFORE_RAW = 35
"""A priority above that with which Markdown puts back the HTML that a page holds: what templates make is bound already.
The table of contents and the page's title have taken a heading by then, as it was written."""


def bound(text: str) -> str:
    """Running text with spaces that hold a number to the name before it, to its unit, and to “×”."""
    text = _BEFORE_NUMBER.sub("\\1\u00a0", text)
    return _BEFORE_UNIT.sub("\u00a0", text).replace(" ×", "\u00a0×").replace("× ", "×\u00a0")


def bound_html(html: str) -> str:
    """HTML whose text is `bound`, and in whose code no line ends within an option."""
    return _PIECES.sub(_bound_piece, html)


def _bound_piece(found: re.Match[str]) -> str:
    if found["code"]:
        return found["code"] + _OPTION.sub(r'<span class="rg-whole">\g<0></span>', found["said"])
    return found[0] if found["text"] is None else bound(found["text"])


class _Bind(Postprocessor):
    def run(self, text: str) -> str:
        return bound_html(text)


class Spacing(Extension):
    """Binds numbers to their words in every page that is converted."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.postprocessors.register(_Bind(md), "spacing", _BEFORE_RAW)


def makeExtension(**options: Any) -> Spacing:
    """The extension, for Python-Markdown, which knows it by the name of this module."""
    return Spacing(**options)
