"""One page and the facts to Markdown, in one language. Strict: an unknown name is an error with its file and line.

Pure: nothing is written; a page is returned with the files that it wants beside it.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
)

from reportgen import compiled, facts
from reportgen.checklist import Checklist
from reportgen.downloads import Downloads
from reportgen.edition import Edition
from reportgen.errors import ReportError, advised, nearest
from reportgen.evidence import CLAIM, IMPORTED, ClaimTags, Evidence, bare, cite, placed
from reportgen.figures import Figures
from reportgen.report import read_text
from reportgen.scripts import Scripts
from reportgen.source import FRONT_MATTER
from reportgen.tables import Tables
from reportgen.tools import PageTools
from reportgen.verbatim import for_jinja

if TYPE_CHECKING:
    from reportgen.material import Material


@dataclass(frozen=True)
class Page:
    """A finished page."""

    markdown: str
    assets: Mapping[str, Path | str | bytes]
    """What stands beside it, by its path within the language's folder: a file to copy, or what is in it."""


@dataclass
class Renderer:
    """Renders the pages of one language."""

    material: Material
    code: str

    @cached_property
    def edition(self) -> Edition:
        return Edition(self.material, self.code)

    @cached_property
    def _pages(self) -> Environment:
        environment = Environment(
            loader=FunctionLoader(self._source),
            undefined=StrictUndefined,
            finalize=cite,
            extensions=[ClaimTags],
            keep_trailing_newline=True,
            bytecode_cache=compiled.kept(self.material.report.root),
            autoescape=False,  # Markdown; what is shown of records passes through the templates, which escape
        )
        environment.globals.update(self.material.facts)
        return environment

    def _source(self, path: str) -> tuple[str, str, None] | None:
        """What Jinja asks for of a page or of a file that one includes: text and path; None where there is none."""
        file = self.material.report.docs / self.code / path
        if not file.is_file():
            return None
        return for_jinja(read_text(file, self.material.report.relative(file))), str(file), None

    def page(self, path: str) -> Page:
        """Render `path`, such as `projects/00.md`.

        Raises:
            ReportError: the page names something unknown, or its Jinja is broken, with file and line; or it, or a file
                that it includes, is in another encoding than UTF-8.
        """
        source = self.material.report.docs / self.code / path
        shown = self.material.report.relative(source)
        assets: dict[str, Path | str | bytes] = {}
        evidence = Evidence(self.edition, path, assets)
        tools: list[PageTools] = [evidence, *(kind(self.edition, path, assets) for kind in TOOLS)]
        names = {name: _fitting(getattr(tool, name)) for tool in tools for name in tool.NAMES}
        read_text(source, shown)  # as Jinja does below, where a mistake is told with a line, and an encoding has none
        try:
            text = self._pages.get_template(path).render(**names, evidence_=evidence)
        except TemplateSyntaxError as problem:
            broken = self.material.report.relative(Path(problem.filename or source))
            raise ReportError(f"{broken}, line {problem.lineno}: {advised(problem.message or '')}") from problem
        except UndefinedError as problem:
            line = _line(problem, str(source))
            raise ReportError(f"{shown}, line {line}: {self._unknown(str(problem.message))}") from problem
        except TemplateNotFound as problem:
            line = _line(problem, str(source))
            raise ReportError(f"{shown}, line {line}: there is no file {problem.name} to include.") from problem
        except (ReportError, TemplateError) as problem:
            raise ReportError(f"{shown}, line {_line(problem, str(source))}: {problem}") from problem
        except RecursionError as problem:
            raise ReportError(f"{shown}: it includes itself, or a page that includes it.") from problem
        except Exception as problem:
            if _is_own(problem, str(source)):
                raise
            line = _line(problem, str(source))
            raise ReportError(f"{shown}, line {line}: this cannot be computed ({advised(str(problem))}).") from problem
        if self.material.smoke:
            note = self.edition.words.gettext(
                "This is a smoke run: its numbers show that everything works and mean nothing else."
            )
            # Below the heading: MkDocs takes a page's title from a heading only if that comes first.
            below = _OPENING.match(text).end()  # type: ignore[union-attr]  # it matches nothing, too
            text = f'{text[:below]}\n!!! danger ""\n    {note}\n\n{text[below:]}'
        front = FRONT_MATTER.match(text)
        head, body = (front[0], text[front.end() :]) if front else ("", text)
        if CLAIM in head:
            raise ReportError(f"{shown}: a claim stands before the page's text, where nobody could open its evidence.")
        try:
            text = f"{bare(head)}{placed(body)}"
        except ReportError as problem:
            raise ReportError(f"{shown}: {problem}") from problem
        notes = evidence.notes()
        return Page(f"{text.rstrip()}\n\n{notes}" if notes else text, assets)

    def _unknown(self, message: str) -> str:
        found = re.search(
            r"'([^' ]+)' is undefined|(?:'reportgen\.facts\.(\w+) object' )?has no attribute '([^']+)'", message
        )
        if not found:
            return message
        word, form = found[1] or found[3], getattr(facts, found[2] or "", None)
        if form is facts.Fact:
            ends = word in ("low", "high")
            return f"'{word}' is not a known name of a single number" + (
                ", and an interval needs two runs or more." if ends else ", which has no parts."
            )
        known, otherwise = set[str](), ""
        if found[1]:
            known, otherwise = {*self.material.facts, *FUNCTIONS}, f"{', '.join(sorted(FUNCTIONS))} and the projects"
        elif form:
            known = {part.name for part in fields(form)}
            known |= {name for name, part in vars(form).items() if isinstance(part, property) and name[0] != "_"}
            otherwise = ", ".join(sorted(known))
        if word in known:
            return f"'{word}' is not known here: {IMPORTED}."
        near = nearest(word, sorted(known))
        hint = f"; did you mean '{near}'?" if near else f"; known are {otherwise}." if otherwise else "."
        return f"'{word}' is not a known name{hint}"


TOOLS: tuple[type[PageTools], ...] = (Tables, Figures, Scripts, Checklist, Downloads)
_KINDS: tuple[type[PageTools], ...] = (Evidence, *TOOLS)
FUNCTIONS = {name: inspect.signature(getattr(kind, name)) for kind in _KINDS for name in kind.NAMES}
"""Every function that a page can call, and with what."""
_OPENING = re.compile(rf"({FRONT_MATTER.pattern})?\s*(#[^\n]*\n)?", re.DOTALL)
"""Front matter and the heading of a page, if it has them."""


def _fitting(function: Callable[..., object]) -> Callable[..., object]:
    """A function of a page's that first looks at what it is called with, and says what does not fit."""
    name = function.__name__
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: object, **kwargs: object) -> object:
        if "caller" in signature.parameters and not callable(kwargs.get("caller")):
            begin = f'{name} "…"' if len(signature.parameters) > 1 else name
            raise ReportError(f"{name} is a tag: {{% {begin} %}}a sentence{{% end{name} %}}.")
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as problem:
            raise ReportError(f"{name}() is called with other arguments than it has ({problem}).") from problem
        for argument, value in given.items():
            wanted = signature.parameters[argument].annotation  # as it is written
            fits = isinstance(value, str) or (value is None and wanted == "str | None")
            if wanted in ("str", "str | None") and not fits:
                found = (
                    "a name without quotes"
                    if isinstance(value, Undefined)
                    else f"something else ({type(value).__name__})"
                )
                raise ReportError(f"{name} takes its {argument} as a text in quotes, and here is {found}.")
        return function(*args, **kwargs)

    return call


def _is_own(problem: BaseException, page: str) -> bool:
    """Whether the error arose inside this package, and not in the expression that the page wrote."""
    files = [frame.filename for frame in traceback.extract_tb(problem.__traceback__)]
    below = files[len(files) - files[::-1].index(page) :] if page in files else files
    return any(Path(file).is_relative_to(Path(__file__).parent) for file in below)


def _line(problem: BaseException, file: str) -> int | str:
    lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == file]
    return lines[-1] if lines and lines[-1] else "?"
