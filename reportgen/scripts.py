"""The scripts of projects on a page: one as it stands, and two side by side."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from reportgen.errors import ReportError
from reportgen.report import read_text
from reportgen.tools import PageTools

CONTEXT = 2
"""Lines that are shown before and after a change."""


@dataclass(frozen=True)
class Part:
    """Some lines of two scripts: what both have (`same`), or what stands here on one side and there on the other."""

    same: Markup | None = None
    before: Markup | None = None
    now: Markup | None = None
    left_out: int = 0
    """How many lines, alike in both, are not shown."""


class Scripts(PageTools):
    """What a page may call for scripts."""

    NAMES = ("code", "code_changes")

    def code(self, project: str) -> str:
        """The project's script as it stands in its file."""
        name, text = self._script(project)
        # Longer than any within: what a docstring shows as code must not end it.
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        return f'{fence}python title="{name}"\n{text.rstrip()}\n{fence}'

    def code_changes(self, project: str, since: str) -> str:
        """What a project's script has that another's has not, and the reverse; without what each says of itself."""
        (old_name, old), (new_name, new) = (self._script(name) for name in (since, project))
        parts = list(compare(old, new))
        return self.edition.html("code_changes", project, parts, old_name, new_name)

    def _script(self, project: str) -> tuple[str, str]:
        self.facts(project)
        name = self.report.script.replace("{project}", project)
        file = self.report.root / name
        if not file.exists():
            raise ReportError(f"there is no script {name} of {project} to show.")
        return name, read_text(file, name)


def compare(before: str, now: str) -> Iterator[Part]:
    """Two Python programs side by side, without the docstrings at their tops, far from a change left out."""
    old, new = _without_docstring(before), _without_docstring(now)
    old_shown, new_shown = _coloured(old), _coloured(new)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            yield Part(before=_joined(old_shown[a:b]), now=_joined(new_shown[c:d]))
            continue
        first = a + (CONTEXT if a else 0)
        last = b - (CONTEXT if b < len(old) else 0)
        if last - first <= 1:
            yield Part(same=_joined(old_shown[a:b]))
            continue
        if a < first:
            yield Part(same=_joined(old_shown[a:first]))
        yield Part(left_out=last - first)
        if last < b:
            yield Part(same=_joined(old_shown[last:b]))


def _without_docstring(source: str) -> list[str]:
    """The lines of a program after its docstring."""
    lines = _lines(source)
    try:
        module = ast.parse(source)
    except SyntaxError:
        return lines
    if ast.get_docstring(module, clean=False) is not None:
        del lines[: module.body[0].end_lineno]
    while lines and not lines[0].strip():
        del lines[0]
    return lines


def _coloured(lines: list[str]) -> list[str]:
    """Each line as HTML whose colours are the site's."""
    return _lines(
        str(highlight("".join(f"{line}\n" for line in lines), PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))
    )


def _lines(text: str) -> list[str]:
    """Lines as Python counts them, for which a form feed between two functions ends none."""
    return text.removesuffix("\n").split("\n")


def _joined(lines: list[str]) -> Markup | None:
    # An empty line would end the block of HTML for Markdown.
    return Markup("\n".join(line or "&#8203;" for line in lines)) if lines else None
