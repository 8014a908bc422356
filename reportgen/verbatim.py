"""Where a page's Markdown is shown as it is written: in code, in which nothing is a comment, a link or a note."""

from __future__ import annotations

import re
from collections.abc import Callable

CODE = (
    r"^[ \t]*(?P<fence>```+|~~~+).*?^[ \t]*(?P=fence)"
    r"|(?<!`)(?P<ticks>`+)(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`)"
)
"""A fence, or a span within a line, as a pattern for DOTALL and MULTILINE."""
_JINJA = r"\{%-?\s*raw\b.*?\bendraw\s*-?%\}|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}"
"""What Jinja reads; what it shows as it stands comes first."""
_INDENTED = r"(?:\A|(?<=\n\n))(?:(?: {4}|\t)[^\n]*(?:\n+|\Z))+"
_BELONGS = re.compile(r"^ {0,3}(?:[-*+][ \t]|\d+[.)][ \t]|:[ \t]|!!!|\?\?\?|===|\[\^|<)", re.MULTILINE)
"""What begins a list, a definition, an admonition, a tab, a footnote or HTML, to which indented lines may belong."""


def replaced(pattern: str, replace: Callable[[re.Match[str]], str], text: str) -> str:
    """`text` with every match of `pattern` replaced, and every block of indented code, in which none is looked for.

    A `pattern` that is to find nothing in other code, either, begins with `CODE`.
    """
    inner = re.compile(pattern, re.DOTALL | re.MULTILINE)
    every = re.compile(f"(?P<indented>{_INDENTED})|{pattern}", re.DOTALL | re.MULTILINE)
    parts, done, place = list[str](), 0, 0
    while found := every.search(text, place):
        start, place = found.start(), found.end()
        if found["indented"] and not _is_code(text, start):
            found = inner.match(text, start)
            if not found:
                place = start + 1  # what stands further on in these lines
                continue
        parts += [text[done:start], replace(found)]
        done = place = found.end()
    return "".join([*parts, text[done:]])


def _is_code(text: str, start: int) -> bool:
    """Whether the indented lines that begin at `start` are code, and no part of a list or the like above them."""
    above = [block for block in re.split(r"\n[ \t]*\n", text[:start]) if re.match(r"\n* {0,3}[^\s]", block)]
    return not above or not _BELONGS.search(above[-1])


def without_comments(text: str) -> str:
    """A page without the HTML comments that have Jinja within them; every line stays where it is.

    What a chart is made of has comments of its own, the first of which would end the one around it. A comment without
    Jinja may be there for a plugin of MkDocs.
    """

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n") if found["comment"] and "{" in found[0] else found[0]

    return replaced(f"{CODE}|{_JINJA}|(?P<comment><!--.*?-->)", blank, text) if "<!--" in text else text
