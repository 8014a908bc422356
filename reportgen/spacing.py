"""Spaces at which a line does not break: a Markdown extension, which the configuration that `build` writes names.

“Project” at the end of a line and “4” at the beginning of the next, or “64 ×” and “64”, make a reader stumble. Such
pairs are of every language, so that no page has to write the entity for them.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

_BEFORE_NUMBER = re.compile(r"\b([A-ZÀ-Þ][\w-]*) (?=\d)")
"""A name and its number, such as “Project 4”."""
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min|h|px|pp|[kKMGT]?i?B|%)(?!\w))")
_VERBATIM = {"code", "kbd", "pre", "samp", "script", "style"}
_AFTER_TOC = -10
"""A priority below that of the table of contents and of the page's title: both take a heading as it was written."""


def bound(text: str) -> str:
    """Running text with spaces that hold a number to the name before it, to its unit, and to “×”."""
    text = _BEFORE_NUMBER.sub("\\1\u00a0", text)
    return _BEFORE_UNIT.sub("\u00a0", text).replace(" ×", "\u00a0×").replace("× ", "×\u00a0")


class _Bind(Treeprocessor):
    def run(self, root: Element) -> None:
        if root.tag in _VERBATIM:
            return
        root.text = root.text and bound(root.text)
        for child in root:
            self.run(child)
            child.tail = child.tail and bound(child.tail)


class Spacing(Extension):
    """Binds numbers to their words in every page that is converted."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.treeprocessors.register(_Bind(md), "spacing", _AFTER_TOC)


def makeExtension(**options: Any) -> Spacing:
    """The extension, for Python-Markdown, which knows it by the name of this module."""
    return Spacing(**options)
