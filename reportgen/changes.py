"""What changes in the report if it is built from other results: numbers that move, and claims that turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from reportgen import source
from reportgen.claims import METRICS, Verdict
from reportgen.edition import NOTHING, Edition, show
from reportgen.evidence import Evidence
from reportgen.facts import Fact, ProjectFacts, Summary, parts_of, subject
from reportgen.language import Language
from reportgen.material import Material


@dataclass(frozen=True)
class Move:
    """A number of one project that is another one afterwards, or appears, or disappears."""

    project: str
    """Or a variant, `project/variant`."""
    metric: str
    before: Fact
    after: Fact
    runs: tuple[int, int]
    """How many, before and after."""

    @property
    def difference(self) -> Fact:
        """Of the numbers as they are shown; absent where one of them is."""
        return self.after - self.before


@dataclass(frozen=True)
class Turn:
    """A claim whose verdict on the reproduction is another one afterwards."""

    identifier: str
    sentence: str
    before: Verdict
    after: Verdict
    unexpected: bool
    """Whether it is now another one than its writer expects."""
    said: tuple[str, ...]
    """The files and lines that make the claim."""


@dataclass(frozen=True)
class Changes:
    """Everything that two sets of results tell differently."""

    moves: tuple[Move, ...]
    turns: tuple[Turn, ...]
    claims: int
    """How many claims were judged on both."""
    words: Language

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for move in self.moves:
            numbers = [
                NOTHING if fact.value is None else str(show(fact, self.words))
                for fact in (move.before, move.after, move.difference)
            ]
            yield move.project, move.metric, *numbers, " → ".join(map(str, move.runs))

    @property
    def summary(self) -> str:
        """One sentence."""
        return (
            f"{_count(len(self.moves), 'number')} moved; {len(self.turns)} of {_count(self.claims, 'claim')} "
            "changed the verdict."
        )

    def text(self) -> RenderableType:
        """For a terminal."""
        numbers = Table()
        for k, name in enumerate(HEADER):
            # Where the terminal is narrow, names are folded and numbers are not.
            numbers.add_column(name, justify="left" if k < 2 else "right", no_wrap=k >= 2, overflow="fold")
        for row in self._rows():
            numbers.add_row(*map(escape, row))
        turned = [
            f"[bold]{escape(turn.identifier)}[/]: {turn.before} → [{COLOURS[turn.after]}]{turn.after}[/]"
            + f"\n  {escape(turn.sentence)}"
            + "".join(f"\n  {escape(place)}" for place in turn.said)
            for turn in self.turns
        ]
        return Group(*([numbers] if self.moves else []), *turned, self.summary)

    def markdown(self) -> str:
        """For a comment under a pull request."""
        parts = [f"### What these results change\n\n{self.summary}"]
        if self.turns:
            claims = [
                f"- `{turn.identifier}`: {turn.before} → **{turn.after}**{' (unexpected)' if turn.unexpected else ''}. "
                f"{turn.sentence} Said in {'; '.join(turn.said) or 'no page'}."
                for turn in self.turns
            ]
            parts += ["#### Claims that changed their verdict", "\n".join(claims)]
        if self.moves:
            rows = [_row(HEADER), _row(["---", "---", "---:", "---:", "---:", "---:"]), *map(_row, self._rows())]
            parts += ["#### Numbers that moved", "\n".join(rows)]
        return "\n\n".join(parts) + "\n"


COLOURS: Mapping[Verdict, str] = {"holds": "green", "contradicted": "red", "undecided": "yellow"}
HEADER = ("Project", "Metric", "Before", "After", "Difference", "Runs")


def between(before: Material, after: Material) -> Changes:
    """The changes from one set of results to another, of the same report and so of the same claims."""
    said = source.claims(source.read_all(after.report, after.pages))
    evidence = Evidence(Edition(after, after.report.languages[0]), "index.md", {})
    turns = [
        Turn(
            identifier,
            evidence.sentence(now),
            then.reproduction.verdict,
            now.reproduction.verdict,
            now.unexpected,
            tuple(said.get(identifier, ())),
        )
        for identifier, now in after.judgements.items()
        if (then := before.judgements[identifier]).reproduction.verdict != now.reproduction.verdict
    ]
    names = dict.fromkeys(name for material in (before, after) for name in _names(material.facts))
    moves = [move for name in names for move in _moves(name, before.facts, after.facts)]
    return Changes(tuple(moves), tuple(turns), len(after.judgements), evidence.edition.words)


def _names(known: Mapping[str, ProjectFacts]) -> Iterator[str]:
    """Of every project and of every variant, as prose names them."""
    for identifier, project in known.items():
        yield identifier
        yield from project.variant_names


def _moves(name: str, before: Mapping[str, ProjectFacts], after: Mapping[str, ProjectFacts]) -> Iterator[Move]:
    known = [subject(side, name) if parts_of(name)[0] in side else None for side in (before, after)]
    for key, metric in METRICS.items():
        then, now = (metric.reproduced(side) if side else Summary((), metric.kind) for side in known)
        if then.mean.value != now.mean.value:
            yield Move(name, key, then.mean, now.mean, (len(then.values), len(now.values)))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
