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
_BEGIN = re.compile(r"\{[{%#]")
_INDENTED = r"(?:\A|^[ \t]*\n)(?P<indented>(?:(?: {4}|\t)[^\n]*(?:\n(?:[ \t]*\n)*|\Z))+)"
"""What is code unless it belongs to what stands above it, behind an empty line."""
_BELONGS = re.compile(r"^ {0,3}(?:[-*+][ \t]|\d+[.)][ \t]|:[ \t]|!!!|\?\?\?|===|\[\^|<)")
"""What begins a list, a definition, an admonition, a tab, a footnote or HTML, to which indented lines may belong."""
_DEEP = re.compile(r" {4}|\t")


def replaced(pattern: str, replace: Callable[[re.Match[str]], str], text: str) -> str:
    """`text` with every match of `pattern` replaced, and every block of indented code, in which none is looked for.

    A `pattern` that is to find nothing in other code, either, begins with `CODE`.
    """
    inner = re.compile(pattern, re.DOTALL | re.MULTILINE)
    every = re.compile(f"{_INDENTED}|{pattern}", re.DOTALL | re.MULTILINE)
    parts, done, place = list[str](), 0, 0
    while found := every.search(text, place):
        if found["indented"] and not _is_code(text, start := found.start("indented")):
            found = inner.match(text, start)
            if not found:
                place = start + 1  # what stands further on in these lines
                continue
        parts += [text[done : found.start()], replace(found)]
        done = place = found.end()
    return "".join([*parts, text[done:]])


def _is_code(text: str, start: int) -> bool:
    """Whether the indented lines that begin at `start` are code, and no part of a list or the like above them."""
    at_the_margin, belongs = False, False
    while start:  # line by line upwards
        begin = text.rfind("\n", 0, start - 1) + 1
        line, start = text[begin:start], begin
        if line.strip():
            at_the_margin, belongs = not _DEEP.match(line), belongs or bool(_BELONGS.match(line))
        elif at_the_margin:
            break  # the block above is read, and it is no deeper part of another
        else:
            belongs = False
    return not (at_the_margin and belongs)


def for_jinja(text: str) -> str:
    """A page as Jinja is to read it; every line stays where it is.

    HTML comments that have Jinja within them go: what a chart is made of has comments of its own, the first of which
    would end the one around it. A comment without Jinja may be there for a plugin of MkDocs.

    Jinja would take an identifier such as `{#results}` for the beginning of a comment that ends far below, or nowhere.
    It is spaced, and in code, which readers are to see as it is written, it is marked as raw.
    """

    def kept(found: re.Match[str]) -> str:
        if found["comment"]:
            return "\n" * found[0].count("\n") if _BEGIN.search(found[0]) else found[0]
        if found["attributes"]:
            return f"{{ #{found['attributes']} }}"
        return _IN_CODE.sub(as_it_stands, found[0]) if found["fence"] or found["ticks"] else found[0]

    def as_it_stands(found: re.Match[str]) -> str:
        return f"{{% raw %}}{found[0]}{{% endraw %}}" if found["attributes"] else found[0]

    return replaced(_READ, kept, text) if "<!--" in text or "{#" in text else text


_ATTRIBUTES = r"\{#(?P<attributes>\w[^{}#\n]*)\}"
"""What gives a heading its identifier."""
_IN_CODE = re.compile(rf"{_ATTRIBUTES}|{_JINJA}", re.DOTALL)
_READ = rf"{CODE}|{_ATTRIBUTES}|{_JINJA}|(?P<comment><!--.*?-->)"
