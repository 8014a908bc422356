"""Claims: statements about facts that prose makes, written once for all languages, and whether they are true.

They stand in `claims.yml` beside the narrative, one entry a claim:

    deeper-beats-base:
      kind: better
      metric: [test.accuracy, test.cross_entropy]
      of: p01_deeper
      than: p00_base
      expect: {study: holds, reproduction: holds}

Each is judged twice, on the published figures and on the recorded runs, and the verdict is one of three. On the study a
number is compared with a number. On the runs the spread of the seeds counts: a difference holds if the whole of its
95 % interval (Welch, 1947) does, is contradicted if none of it does, and is undecided in between. Where a project has
one run only, there is no spread to count. Beside a project with several it is taken for one more draw with the spread
of those. Otherwise the test accuracy has the interval that the number of test images leaves open, as if each side had
images of its own, and of other metrics bare numbers are compared. The evidence says which. What is missing leaves a
claim undecided.

A claim may speak of a variant, as `p07_vgg16_frozen/tiny-imagenet`. On the study it is undecided, which has none.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from reportgen import document
from reportgen.errors import ReportError, did_you_mean, wrong_field
from reportgen.facts import (
    MACHINES,
    NOT_PRINTED,
    NOT_REPRODUCED,
    NOT_STUDIED,
    Fact,
    Kind,
    ProjectFacts,
    Summary,
    averaged,
    parts_of,
    possible,
    standard_error,
    subject,
    t_quantile,
)
from reportgen.record import Record
from reportgen.report import read_text

Verdict = Literal["holds", "contradicted", "undecided"]
Direction = Literal["higher", "lower"]
Spread = Literal["seeds", "lent", "images"]


@dataclass(frozen=True)
class Metric:
    """A quantity that claims may speak of."""

    kind: Kind
    label: str
    """The message that names it within a sentence."""
    better: Direction | None
    """Which way is the better one; None where neither is."""
    units: Mapping[str, float]
    """What a difference may be given in, and how much of the quantity it is."""
    published: Callable[[ProjectFacts], Fact]
    reproduced: Callable[[ProjectFacts], Summary]
    """One value a run."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """What a value may be given in, where that is something else."""
    difference: bool = False
    """Whether it is one by itself, and so has a sign."""
    error: Callable[[Record], float] | None = None
    """The standard error that a run's value has whatever its seed; None where nobody knows it."""


_POINTS, _NATS = {"pp": 0.01}, {"nats": 1.0}
_TIME = {"s": 1.0, "min": 60.0, "h": 3600.0}


def _part(part: str, key: str) -> Metric:
    """Accuracy or cross-entropy on one part of the images."""
    accuracy = key == "accuracy"

    def published(project: ProjectFacts) -> Fact:
        # The study measures on two of the three parts.
        measured = getattr(project.published, part, None)
        return getattr(measured, key) if measured else _unprinted(project, "percent" if accuracy else "nats")

    return Metric(
        kind="percent" if accuracy else "nats",
        label=f"{_PARTS[part]} {_KEYS[key]}",
        better="higher" if accuracy else "lower",
        units=_POINTS if accuracy else _NATS,
        published=published,
        reproduced=lambda project: getattr(getattr(project.reproduced, part), key),
        thresholds={"%": 0.01} if accuracy else {},
        error=_sampling if (part, key) == ("test", "accuracy") else None,
    )


def _sampling(run: Record) -> float:
    """What the number of test images leaves open of a run's test accuracy."""
    return standard_error(run.test.accuracy, run.dataset.test)


def _unprinted(project: ProjectFacts, kind: Kind) -> Fact:
    """What stands for a figure that a study prints of no project."""
    return Fact(None, kind, NOT_PRINTED if project.studied else NOT_STUDIED)


def _gap(key: str) -> Metric:
    """How much better the images that trained are known than those of the test."""
    accuracy = key == "accuracy"

    def published(project: ProjectFacts) -> Fact:
        train, test = (getattr(getattr(project.published, part), key) for part in ("train", "test"))
        difference: Fact = train - test if accuracy else test - train
        return difference

    def reproduced(project: ProjectFacts) -> Summary:
        train, test = (getattr(getattr(project.reproduced, part), key) for part in ("train", "test"))
        more, less = (train, test) if accuracy else (test, train)
        values = tuple(a - b for a, b in zip(more.values, less.values, strict=True))
        return Summary(values, "points" if accuracy else "nats", train.origins, (more, less), train.absent)

    return Metric(
        kind="points" if accuracy else "nats",
        label=f"the gap between training and test {_KEYS[key]}",
        better="lower",
        units=_POINTS if accuracy else _NATS,
        published=published,
        reproduced=reproduced,
        difference=True,
    )


def _parameters(which: str) -> Metric:
    column = "parameters" if which == "total" else which
    return Metric(
        kind="count",
        label="number of parameters" if which == "total" else "number of trainable parameters",
        better=None,
        units={"parameters": 1.0},
        published=lambda project: getattr(project.published.parameters, which),
        reproduced=lambda project: Summary(
            tuple(float(getattr(run.network, column)) for run in project.records),
            "count",
            project.reproduced.seconds.origins,
            absent=project.reproduced.test.accuracy.absent,
        ),
    )


_PARTS = {"train": "training", "validation": "validation", "test": "test"}
_KEYS = {"accuracy": "accuracy", "cross_entropy": "cross-entropy"}
METRICS: Mapping[str, Metric] = {
    **{f"{part}.{key}": _part(part, key) for part in _PARTS for key in _KEYS},
    **{f"gap.{key}": _gap(key) for key in _KEYS},
    **{f"parameters.{which}": _parameters(which) for which in ("total", "trainable")},
    "seconds": Metric(
        kind="seconds",
        label="training time",
        better="lower",
        units=_TIME,
        published=lambda project: project.published.seconds,
        reproduced=lambda project: project.reproduced.seconds,
    ),
    "epochs": Metric(
        kind="count",
        label="number of epochs",
        better=None,
        units={"epochs": 1.0},
        published=lambda project: _unprinted(project, "count"),
        reproduced=lambda project: project.reproduced.epochs,
    ),
}


def _tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_tuple), Field(min_length=1)]
"""One name, or a list of them."""
IDENTIFIER = re.compile(r"[\w.-]+")
"""What a claim may be called: a page's address ends in it."""
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z%]+)")


class Quantity(BaseModel):
    """A margin or a threshold: a number and its unit."""

    model_config = ConfigDict(frozen=True)

    number: float
    unit: str

    def of(self, metric: Metric) -> float:
        """How much of `metric` it is."""
        # 0.7 of a hundredth is 0.007 and not a little less.
        return round(self.number * {**metric.units, **metric.thresholds}[self.unit], 12)


def _quantity(value: object) -> object:
    found = _QUANTITY.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"expected a number with its unit, such as '5 pp' or '0.05 nats', found {value!r}")
    return Quantity(number=float(found[1]), unit=found[2])


Margin = Annotated[Quantity, BeforeValidator(_quantity)]


class Expect(BaseModel):
    """The verdicts that the writer expects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: Verdict
    reproduction: Verdict


class _Claim(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: Names
    """All must hold."""
    expect: Expect


class Comparison(_Claim):
    """One project against others, all of which it must exceed, undercut or resemble."""

    kind: Literal["better", "worse", "higher", "lower", "similar"]
    of: str
    than: Names
    margin: Margin | None = None
    """By more than so much; of `similar`, at most so much."""
    times: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = None
    """`higher`: more than so many times; `lower`: less than one in so many."""


class Extreme(_Claim):
    """The best or the worst of a set of projects."""

    kind: Literal["best", "worst"]
    of: str
    among: Names


class Ranking(_Claim):
    """An order, best first."""

    kind: Literal["ranked"]
    order: Annotated[tuple[str, ...], Field(min_length=2)]


class Threshold(_Claim):
    """One project against a value."""

    kind: Literal["above", "below"]
    of: str
    value: Margin


class Overfitting(_Claim):
    """Images that trained are known better than new ones, by more than a margin."""

    kind: Literal["overfits"]
    of: str
    margin: Margin
    metric: Names = ("gap.accuracy",)


Statement = Comparison | Extreme | Ranking | Threshold | Overfitting
_STATEMENT: TypeAdapter[Statement] = TypeAdapter(Annotated[Statement, Field(discriminator="kind")])
KINDS: tuple[str, ...] = tuple(
    kind for form in get_args(Statement) for kind in get_args(form.model_fields["kind"].annotation)
)


@dataclass(frozen=True)
class Claim:
    """A statement under the name that prose uses."""

    identifier: str
    statement: Statement
    line: int
    """In the file of claims, from 1."""

    @property
    def expect(self) -> Expect:
        return self.statement.expect


@dataclass(frozen=True)
class Test:
    """The smallest part of a claim: one project against another, or against a value, in one metric.

    It says that `factors[0]` times `of` exceeds `factors[1]` times `than` by more than `margin` (`sign` 1), falls short
    of it by more than that (−1), or differs from it by at most that (0). Without `than`, the margin itself is compared.
    """

    metric: str
    of: str
    than: str | None
    sign: Literal[-1, 0, 1]
    margin: float = 0.0
    factors: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Evidence:
    """A test on one side: what was compared, and what came out."""

    test: Test
    verdict: Verdict
    of: Fact
    than: Fact | None
    difference: Fact | None
    """Of the numbers as they are shown."""
    interval: tuple[Fact, Fact] | None = None
    """Of the difference, or of the mean that is held against a value, 95 %; None where bare numbers are compared."""
    runs: tuple[int, int] | None = None
    """Of `of` and of `than`; None for the study, and 0 for what is not compared."""
    spread: Spread | None = None
    """What the verdict counts: what the seeds leave open; for want of several on one side what those of the other do
    (`lent`), or what the number of test images does; None where bare numbers are compared or nothing is."""


@dataclass(frozen=True)
class Side:
    """The verdict on one side, with its evidence."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]

    @property
    def lone(self) -> tuple[Evidence, ...]:
        """What decides it and rests on a project with a single run, so that no spread of seeds could be counted."""
        decisive = [item for item in self.evidence if item.verdict == self.verdict]
        # Bare numbers always decide: with one run, what is undecided without a spread was not compared at all.
        lone = [item for item in decisive if 1 in (item.runs or ()) and (item.spread or self.verdict != "undecided")]
        # All of it must hold; to contradict it, one comparison of several runs is enough.
        return () if self.verdict == "contradicted" and len(lone) < len(decisive) else tuple(lone)


@dataclass(frozen=True)
class Judgement:
    """A claim and both verdicts."""

    claim: Claim
    study: Side
    reproduction: Side

    @property
    def finding(self) -> bool:
        """Whether study and reproduction disagree, both being decided."""
        return {self.study.verdict, self.reproduction.verdict} == {"holds", "contradicted"}

    @property
    def unexpected(self) -> bool:
        """Whether the runs say something else than the writer expected."""
        return self.reproduction.verdict != self.claim.expect.reproduction


def read(file: Path, shown: str, projects: Sequence[str]) -> tuple[Claim, ...]:
    """Read the claims of a report about `projects`; none where there is no such file. `shown` names the file in errors.

    Raises:
        ReportError: the file is no YAML, an identifier is used twice, or entries are wrong: an unknown kind, project or
            metric, or a margin without a unit; a line for each, with its line in the file.
    """
    try:
        text = read_text(file, shown)
    except FileNotFoundError:
        return ()
    root = document.compose(text, shown)
    if root is None:
        return ()
    if not isinstance(root, yaml.MappingNode):
        raise ReportError(f"{shown}: expected claims by identifier, as in `deeper-is-better: {{kind: better, …}}`.")
    lines: dict[str, int] = {}
    claims, wrong = [], []
    for key, value in root.value:
        identifier, line = str(key.value), key.start_mark.line + 1
        if identifier in lines:
            raise ReportError(
                f"{shown}, line {line}: the claim {identifier!r} stands in line {lines[identifier]} already. "
                "One identifier has one meaning; rename one of them."
            )
        lines[identifier] = line
        if not IDENTIFIER.fullmatch(identifier):
            wrong.append(
                f"{shown}, line {line}: the claim {identifier!r} has a name that is no part of an address; expected "
                "letters, digits, '-', '_' and '.', as in deeper-is-better."
            )
            continue
        document.refuse_repeated(value, shown)
        try:
            claims.append(_claim(identifier, line, document.construct(value, shown), shown, projects))
        except ReportError as problem:
            wrong.append(str(problem))  # a project that is deleted leaves several
    if wrong:
        raise ReportError("\n".join(wrong))
    return tuple(claims)


def _claim(identifier: str, line: int, content: Any, shown: str, projects: Sequence[str]) -> Claim:
    where = f"{shown}, line {line}, claim {identifier}"
    kind = content.get("kind") if isinstance(content, dict) else None
    if kind not in KINDS:
        raise ReportError(f"{where}: kind is {kind!r}, {_expected(str(kind), KINDS)}")
    try:
        statement = _STATEMENT.validate_python(content)
    except ValidationError as problem:
        raise ReportError(f"{where}: {wrong_field(problem, 'the entry', kind)}.") from problem
    for metric in statement.metric:
        if metric not in METRICS:
            raise ReportError(f"{where}: {metric!r} is not a known metric, {_expected(metric, METRICS)}")
    for project in _projects(statement):
        if parts_of(project)[0] not in projects:
            raise ReportError(f"{where}: {project!r} is not a known project, {_expected(project, projects)}")
    for name in ("margin", "value"):
        quantity = getattr(statement, name, None)
        if not isinstance(quantity, Quantity):
            continue
        for metric in statement.metric:
            units = METRICS[metric].units if name == "margin" else METRICS[metric].thresholds or METRICS[metric].units
            if quantity.unit not in units:
                raise ReportError(
                    f"{where}: the {name} of {metric} is given in {' or '.join(units)}, found {quantity.unit!r}."
                )
    if isinstance(statement, Overfitting) and statement.metric != ("gap.accuracy",):
        raise ReportError(
            f"{where}: `overfits` is said of gap.accuracy, found {', '.join(statement.metric)}. "
            "Leave the metric out; of another one, say `above` with a `value`."
        )
    if isinstance(statement, Comparison):
        if statement.kind == "similar" and statement.margin is None:
            raise ReportError(f"{where}: `similar` needs a margin with its unit, such as '1 pp': similar within what?")
        if statement.times is not None and (statement.kind not in ("higher", "lower") or statement.margin):
            raise ReportError(f"{where}: `times` goes with `higher` or `lower`, and without a margin.")
    if statement.kind in ("better", "worse", "best", "worst", "ranked"):
        for metric in statement.metric:
            if METRICS[metric].better is None:
                raise ReportError(
                    f"{where}: no {metric} is better than another; say `higher` or `lower` instead of {statement.kind}."
                )
    named = _projects(statement)
    # The best of several may be named among them.
    compared = statement.among if isinstance(statement, Extreme) else named
    if twice := sorted({name for name in compared if compared.count(name) > 1}):
        raise ReportError(f"{where}: {', '.join(twice)} is compared with itself.")
    claim = Claim(identifier, statement, line)
    if not any(tests(claim)):
        raise ReportError(f"{where}: there is nothing to compare {', '.join(named)} with.")
    return claim


def _expected(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    return f"expected one of {', '.join(known)}{did_you_mean(word, known)}"


def projects(claim: Claim) -> tuple[str, ...]:
    """Every project and variant that `claim` speaks of."""
    return _projects(claim.statement)


def _projects(statement: Statement) -> tuple[str, ...]:
    match statement:
        case Comparison():
            return (statement.of, *statement.than)
        case Extreme():
            return (statement.of, *statement.among)
        case Ranking():
            return statement.order
        case _:
            return (statement.of,)


def tests(claim: Claim) -> Iterator[Test]:
    """The tests of which every one must hold for `claim` to hold."""
    statement = claim.statement
    for name in statement.metric:
        metric = METRICS[name]
        up: Literal[-1, 1] = 1 if metric.better == "higher" else -1
        down: Literal[-1, 1] = -1 if up == 1 else 1
        match statement:
            case Comparison():
                sign: Literal[-1, 0, 1] = {"better": up, "worse": down, "higher": 1, "lower": -1}.get(
                    statement.kind,
                    0,
                )
                margin = statement.margin.of(metric) if statement.margin else 0.0
                times = statement.times or 1.0
                factors = (1.0, times) if sign == 1 else (times, 1.0)
                for other in statement.than:
                    yield Test(name, statement.of, other, sign, margin, factors)
            case Extreme():
                for other in statement.among:
                    if other != statement.of:
                        yield Test(name, statement.of, other, up if statement.kind == "best" else down)
            case Ranking():
                for first, second in zip(statement.order, statement.order[1:], strict=False):
                    yield Test(name, first, second, up)
            case Threshold():
                sign = 1 if statement.kind == "above" else -1
                yield Test(name, statement.of, None, sign, statement.value.of(metric))
            case Overfitting():
                yield Test(name, statement.of, None, 1, statement.margin.of(metric))


def judge(claim: Claim, facts: Mapping[str, ProjectFacts]) -> Judgement:
    """Both verdicts on `claim`."""
    parts = tuple(tests(claim))
    return Judgement(
        claim,
        _together(tuple(_on_study(test, facts) for test in parts)),
        _together(tuple(_on_runs(test, facts) for test in parts)),
    )


def judge_all(claims: Sequence[Claim], facts: Mapping[str, ProjectFacts]) -> dict[str, Judgement]:
    """The judgement on every claim, by identifier."""
    return {claim.identifier: judge(claim, facts) for claim in claims}


def _together(evidence: tuple[Evidence, ...]) -> Side:
    """One test that is contradicted contradicts the claim; otherwise one that is undecided leaves it undecided."""
    verdicts = {item.verdict for item in evidence}
    verdict: Verdict = next((v for v in ("contradicted", "undecided") if v in verdicts), "holds")
    return Side(verdict, evidence)


def _on_study(test: Test, facts: Mapping[str, ProjectFacts]) -> Evidence:
    metric = METRICS[test.metric]
    of = metric.published(subject(facts, test.of))
    than = metric.published(subject(facts, test.than)) if test.than else None
    difference = of - than if than is not None else None
    one, other = of.exact, than.exact if than is not None else 0.0
    if one is None or other is None:
        return Evidence(test, "undecided", of, than, difference)
    exact = _distance(test, one, other)
    return Evidence(test, _verdict(test, exact, exact), of, than, difference)


def _on_runs(test: Test, facts: Mapping[str, ProjectFacts]) -> Evidence:
    metric = METRICS[test.metric]
    one, other = subject(facts, test.of), subject(facts, test.than) if test.than else None
    first, second = metric.reproduced(one), metric.reproduced(other) if other else None
    ours, theirs = first.values, second.values if second else ()
    of, than = first.mean, second.mean if second else None
    difference = of - than if than is not None else None
    runs = (len(ours), len(theirs))
    if not ours or (test.than and not theirs):
        return Evidence(test, "undecided", of, than, difference, runs=runs)
    if (
        difference is not None
        and other
        and metric.kind == "seconds"
        and one.reproduced.machine != other.reproduced.machine
    ):
        # Whose machine was the quicker one is another question.
        apart = Fact(None, "seconds", MACHINES, difference.origins)
        return Evidence(test, "undecided", of, than, apart, runs=runs)
    middle = _distance(test, statistics.fmean(ours), statistics.fmean(theirs) if theirs else 0.0)
    compared = zip(test.factors, (one, other), (ours, theirs), strict=True)
    sides = [(factor, project, values) for factor, project, values in compared if project]
    lent = _lent(metric, sides)
    half = lent if lent is not None else _half([_share(metric, *side) for side in sides])
    if half is None:
        return Evidence(test, _verdict(test, middle, middle), of, than, difference, runs=runs)
    spread: Spread = "lent" if lent is not None else "images" if 1 in runs else "seeds"
    verdict = _verdict(test, middle - half, middle + half)
    return Evidence(test, verdict, of, than, difference, _shown(test, metric, middle, half), runs, spread)


def _shown(test: Test, metric: Metric, middle: float, half: float) -> tuple[Fact, Fact] | None:
    """The interval of a quantity or of a plain difference, which has its sign.

    With factors there is none to show, nor where nothing varies, such as the parameters of a network.
    """
    if test.factors != (1.0, 1.0) or (metric.kind == "count" and not half):
        return None
    differences = bool(test.than) + metric.difference
    ends = possible(middle - half, middle + half, metric.kind, differences=differences)
    kind: Kind = "points" if test.than and metric.kind == "percent" else metric.kind
    kind = averaged(kind, ends)
    low, high = (replace(Fact.of(end, kind, NOT_REPRODUCED), signed=bool(differences)) for end in ends)
    return low, high


def _distance(test: Test, of: float, than: float) -> float:
    # Published figures are decimal: 0.8180 − 0.8173 is 0.0007 and nothing else.
    return round(test.factors[0] * of - test.factors[1] * than, 12)


def _share(metric: Metric, factor: float, project: ProjectFacts, values: Sequence[float]) -> tuple[float, float] | None:
    """What the mean of a project's `values`, times `factor`, brings to the variance of a difference, and with how many
    degrees of freedom; None where nobody knows.
    """
    if len(values) > 1:
        return factor**2 * statistics.variance(values) / len(values), len(values) - 1
    # The seeds are not in it at all. For the images it is rather too much: two networks err on much the same ones.
    error = metric.error(project.records[0]) if metric.error else None
    return (factor**2 * error**2, math.inf) if error is not None else None


def _lent(metric: Metric, sides: Sequence[tuple[float, ProjectFacts, Sequence[float]]]) -> float | None:
    """Half the width of the 95 % interval of a difference between a single run and several, each side with its factor:
    the run is one more draw with the spread of the others' seeds, as in an interval of prediction.

    None where the sides are others, or where the number of test images leaves more open than those seeds do.
    """
    alone, beside = ([side for side in sides if (len(side[2]) > 1) == several] for several in (False, True))
    if not (alone and beside):
        return None
    (factor, project, _), (other, _, values) = *alone, *beside
    variance = statistics.variance(values)
    if metric.error and metric.error(project.records[0]) ** 2 > variance:
        return None
    # One estimate serves both sides: its degrees of freedom are all there are.
    return t_quantile(len(values) - 1) * math.sqrt(variance * (factor**2 + other**2 / len(values)))


def _half(shares: Sequence[tuple[float, float] | None]) -> float | None:
    """Half the width of the 95 % interval of the difference; None where a side has nothing to tell it by."""
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    total = sum(share for share, _ in known)
    # Welch and Satterthwaite's degrees of freedom, of which there are endless ones where no seed counts.
    uncertain = sum(share**2 / freedom for share, freedom in known)
    return t_quantile(total**2 / uncertain if uncertain else math.inf) * math.sqrt(total)


def _verdict(test: Test, low: float, high: float) -> Verdict:
    """On a difference that lies between `low` and `high`, both included."""
    if test.sign == 0:
        if -test.margin <= low and high <= test.margin:
            return "holds"
        return "contradicted" if low > test.margin or high < -test.margin else "undecided"
    if test.sign == -1:
        # Below a value: the value itself is the bound; below a project: by more than the margin.
        bound = test.margin if test.than is None else -test.margin
        return "holds" if high < bound else "contradicted" if low >= bound else "undecided"
    return "holds" if low > test.margin else "contradicted" if high <= test.margin else "undecided"
