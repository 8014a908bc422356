"""An edition: everything that the report knows, in one language, and how that language writes it. Writes no file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reportgen import compiled, facts
from reportgen.charts import written
from reportgen.facts import Fact, Interval, Kind, Quoted, Summary
from reportgen.language import Language, language
from reportgen.record import Environment as Machine
from reportgen.report import Catalogue
from reportgen.spacing import bound_html

if TYPE_CHECKING:
    from reportgen.material import Material

TEMPLATES = Path(__file__).parent / "templates"
NOTHING = "–"
"""Stands in a table for what is not there."""


def show(value: object, words: Language) -> object:
    """A fact as `words` writes it; anything else as it is."""
    if isinstance(value, Summary):
        if not value.values:
            return words.gettext(value.absent)
        mean, sd = show(value.mean, words), value.sd.value
        # Of counts that are the same in every run, such as parameters, the one number says it.
        if sd is None or (value.kind == "count" and len(set(value.values)) == 1):
            return mean
        return f"{mean}\u00a0±\u00a0{_spread(sd, value.sd.kind, words)}"
    if isinstance(value, Interval):
        return words.gettext("{low} to {high}", low=show(value.low, words), high=show(value.high, words))
    if isinstance(value, Quoted):
        return value.text
    if value is None:
        return NOTHING
    if not isinstance(value, Fact):
        return value
    if value.value is None:
        return words.gettext(value.absent)
    text = words.seconds(value.value, 0) if value.whole else _number(value.value, value.kind, words)
    return f"+{text}" if value.signed and value.value > 0 and value.kind != "points" else text


def _number(value: float, kind: Kind, words: Language) -> str:
    match kind:
        case "error":
            return words.points(value).removeprefix("+")
        case "average":
            return words.number(value, facts.DIGITS["average"])
        case _:
            return written(value, kind, words)


def _spread(sd: float, kind: Kind, words: Language) -> str:
    """A standard deviation as it stands behind a mean: in its unit, which only a duration says once more."""
    match kind:
        case "percent" | "points" | "error":
            return words.number(100 * sd, 2)
        case "seconds":
            return words.seconds(sd)
        case _:
            return words.number(sd, facts.DIGITS[kind])


def shape(sides: Sequence[int | None], words: Language) -> str:
    """The sides of what a layer gives, in words; of a single number, which has none, 1."""
    return " × ".join(NOTHING if side is None else words.count(side) for side in sides or (1,))


@dataclass
class Edition:
    """The report in one language."""

    material: Material
    code: str
    _made: dict[str, str] = field(default_factory=dict, repr=False)

    def once(self, name: str, make: Callable[[], str]) -> str:
        """What `make` returns, made once for all pages: each page has the curves of every other project beside it."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    @cached_property
    def words(self) -> Language:
        return language(self.code)

    @cached_property
    def catalogue(self) -> Catalogue:
        return self.material.report.catalogue(self.code)

    @cached_property
    def _macros(self) -> Mapping[str, Any]:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            finalize=lambda value: show(value, self.words),
            autoescape=True,
            bytecode_cache=compiled.kept(self.material.report.root),
        )
        environment.globals.update(
            _=self.words.gettext,
            label=self.words.label,
            fact=lambda value, kind: Fact.of(value, kind),
            seeds=self.seeds,
            size_of=self.size_of,
            reproduces=self.material.reproduces,
            shape=lambda sides: shape(sides, self.words),
            shown=lambda value: show(value, self.words),
        )
        names = environment.list_templates(extensions=["jinja"])
        modules = [environment.get_template(name).module for name in names]
        return {name: macro for module in modules for name, macro in vars(module).items() if callable(macro)}

    def html(self, macro: str, *arguments: object) -> str:
        """What a macro of the shared templates makes of its arguments, as one block of HTML within Markdown."""
        # Markdown ends a block of HTML at an empty line.
        return bound_html(re.sub(r"\n\s*\n", "\n", str(self._macros[macro](*arguments))).strip())

    def size_of(self, there: Machine) -> str:
        """How many cores a run had, and how much memory its machine has, in words."""
        memory = self.words.number(there.memory_gib, 1)
        return self.words.gettext(
            "{cores} processor core for the run, {memory} GiB of main memory on the machine"
            if there.cores == 1
            else "{cores} processor cores for the run, {memory} GiB of main memory on the machine",
            cores=there.cores,
            memory=memory,
        )

    def seeds(self, count: int) -> str:
        """How many runs, in words."""
        return self.words.gettext("one run") if count == 1 else self.words.gettext("{n} seeds", n=count)
