"""Records and published figures to the numbers that the report may use.

A `Fact` is a value rounded once, to the digits with which its kind is shown, so that a difference that is shown equals
the difference of the numbers that are shown. It has no language; rendering writes it.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

from mpmath import betainc, findroot
from pydantic import Field, ValidationError, field_validator

from reportgen.errors import ReportError, wrong_field
from reportgen.record import Count, Environment, Fraction, Identifier, Metrics, Part, Record, Seconds, Setting
from reportgen.report import read_text

Side = Literal["published", "reproduced"]
Kind = Literal["percent", "points", "error", "nats", "seconds", "count", "average"]
DIGITS: dict[Kind, int] = {"percent": 4, "points": 4, "error": 4, "nats": 3, "seconds": 1, "count": 0, "average": 1}
"""Decimals of the value itself: a fraction with four is a percentage with two.

`points` are a difference and have a sign, an `error` has none. An `average` is what counts that differ come to.
"""
LARGE = 1000
"""From here on, a mean of counts is told as a whole number."""
NOT_PRINTED = "not printed in the study"
NOT_REPRODUCED = "not reproduced yet"
NOT_STUDIED = "not part of the study"
NOT_RUN = "not run yet"
"""Where there is nothing to reproduce."""
ONE_RUN = "one run only"
MACHINES = "several machines"
"""In place of what their times would come to together: a mean of a processor's hours and a GPU's seconds is of neither.
"""
NOT_RECORDED = "not recorded"
"""Where there are runs, and their records are silent."""
SIDE_BY_SIDE = "shared machine"
"""In place of the times of runs that had to share it, and took as long as the others let them."""


class Parameters(Part):
    """The totals under a layer table."""

    total: Count
    trainable: Count
    non_trainable: Count


class PublishedProject(Part):
    """What the study prints about one project; None where it prints nothing."""

    id: Identifier
    section: str
    notebook: str
    parameters: Parameters | None
    seconds: Seconds | None
    train: Metrics | None
    test: Metrics | None
    requires: dict[str, Setting] = Field(default_factory=dict)
    """Settings with which the figures were obtained: a run with others stands beside them, never against them."""


class Published(Part):
    """The study's own figures."""

    title: str
    author: str
    year: int
    projects: tuple[PublishedProject, ...]
    """None, where every project of the report is its own."""

    @field_validator("projects")
    @classmethod
    def _each_once(cls, projects: tuple[PublishedProject, ...]) -> tuple[PublishedProject, ...]:
        repeated = [identifier for identifier, times in Counter(one.id for one in projects).items() if times > 1]
        if repeated:
            raise ValueError(f"{', '.join(repeated)} stands there more than once, expected each id once")
        return projects


def read_published(file: Path) -> Published:
    """Read and validate the published figures.

    Raises:
        ReportError: the file is missing, is no JSON in UTF-8, a field is missing or wrong, or a project stands twice.
    """
    try:
        return Published.model_validate_json(read_text(file, str(file)))
    except FileNotFoundError as problem:
        nothing = '{"title": "", "author": "", "year": 0, "projects": []}'
        raise ReportError(
            f"{file}: there is no such file. It holds the figures of the study that is reproduced; without a study: "
            f"{nothing}"
        ) from problem
    except ValidationError as problem:
        raise ReportError(f"{file}: {wrong_field(problem, 'the file')}.") from problem


@dataclass(frozen=True, order=True)
class Origin:
    """Where a number comes from: what the study printed of a project, or what its runs measured."""

    project: str
    side: Side


class _Unwritten:
    """What only a language writes, with a link to where it comes from: it is no text and no bare number before.

    Jinja's `~`, `join` and `int` ask for those, and readers would see Python's way to write a fact, or 0.
    """

    def _refuse(self) -> NoReturn:
        raise ReportError(
            f"a {type(self).__name__} cannot become part of a text or a bare number, for its origin would be lost. "
            "Write it alone between its braces, and the text outside of them."
        )

    __str__ = __int__ = __float__ = _refuse


@dataclass(frozen=True)
class Fact(_Unwritten):
    """A number of the report, rounded; or the reason why there is none."""

    value: float | None
    kind: Kind
    absent: str = NOT_PRINTED
    """The message that stands for a missing value."""
    origins: tuple[Origin, ...] = ()
    """What a reader opens who asks where the number comes from."""
    signed: bool = False
    """A difference, which is written with its sign."""
    unrounded: float | None = field(default=None, compare=False)
    """What `value` was before it was rounded to be read; None where it was not."""
    whole: bool = field(default=False, compare=False)
    """A time of which no part of a second is told: one from a minute on, or what lies between two of which one is."""

    def __eq__(self, other: object) -> bool:
        """Whether both read the same, wherever they come from; where a number is absent, for the same reason.

        Raises:
            ReportError: the other is a bare number, to which nothing is equal.
        """
        if isinstance(other, int | float):
            raise ReportError(
                f"a {self.kind} is asked whether it equals {other}, a bare number; what is true of a number is a claim."
            )
        if not isinstance(other, Fact):
            return NotImplemented
        told = (self.value, self.kind, self.signed, self.absent if self.value is None else None)
        return told == (other.value, other.kind, other.signed, other.absent if other.value is None else None)

    def __hash__(self) -> int:
        return hash((self.value, self.kind, self.signed))

    def __bool__(self) -> bool:
        """Whether there is a number, as `{% if … %}` asks."""
        return self.value is not None

    @property
    def exact(self) -> float | None:
        """The value by which claims are judged and that programs get."""
        return self.value if self.unrounded is None else self.unrounded

    @staticmethod
    def of(value: float | None, kind: Kind, absent: str = NOT_PRINTED, origins: tuple[Origin, ...] = ()) -> Fact:
        """A fact with `value` rounded as its kind is shown."""
        if value is None:
            return Fact(None, kind, absent, origins)
        rounded, whole = round(value, DIGITS[kind]), kind == "seconds" and abs(value) >= 60
        if whole:
            # From a minute on, a language writes whole seconds, and 83.48 rounded twice would become 84; from an hour
            # on, whole minutes.
            second = round(value)
            rounded = float(60 * round(second / 60) if abs(second) >= 3600 else second)
        return Fact(rounded, kind, absent, origins, unrounded=value, whole=whole)

    def __sub__(self, other: Fact | Summary) -> Fact:
        """The difference of the rounded values, percentages in percentage points; absent if either is."""
        if isinstance(other, Summary):
            return self - other.mean
        if not isinstance(other, Fact):
            return NotImplemented
        kind: Kind = "points" if self.kind == "percent" else self.kind
        if {self.kind, other.kind} == {"count", "average"}:
            kind = "average"
        elif self.kind != other.kind:
            raise ReportError(f"A {other.kind} cannot be subtracted from a {self.kind}.")
        origins = tuple(sorted({*self.origins, *other.origins}))
        if self.value is None or other.value is None:
            return Fact(None, kind, self.absent if self.value is None else other.absent, origins)
        assert self.exact is not None and other.exact is not None
        exact = self.exact - other.exact
        found = Fact.of(self.value - other.value, kind, origins=origins)
        return replace(found, signed=True, unrounded=exact, whole=self.whole or other.whole)

    def __abs__(self) -> Fact:
        """How large it is, without a sign, as Jinja's `abs` asks; absent if it is."""
        kind: Kind = "error" if self.kind == "points" else self.kind
        if self.value is None or self.exact is None:
            return replace(self, kind=kind, signed=False)
        return replace(self, value=abs(self.value), kind=kind, signed=False, unrounded=abs(self.exact))


@dataclass(frozen=True)
class Interval(_Unwritten):
    """Where a mean lies with 95 % confidence, as far as the seeds tell (Student's t)."""

    low: Fact
    high: Fact

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Those of the mean."""
        return self.low.origins


@dataclass(frozen=True)
class Quoted(_Unwritten):
    """A value that needs no rounding, such as a setting, as a language writes it, with where it comes from."""

    text: str
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Summary(_Unwritten):
    """One quantity over the seeds of a project."""

    values: tuple[float, ...]
    kind: Kind
    origins: tuple[Origin, ...] = ()
    between: tuple[Summary, Summary] | None = None
    """Where the quantity is a difference: of what. Its mean is then that of the means as they are shown."""
    absent: str = NOT_REPRODUCED
    """The message that stands for it where there is no run."""

    def __bool__(self) -> bool:
        """Whether there is a run, as `{% if … %}` asks."""
        return bool(self.values)

    def __sub__(self, other: Fact | Summary) -> Fact:
        """The difference of the rounded means; absent where there is no run."""
        return self.mean - other if isinstance(other, Fact | Summary) else NotImplemented

    @property
    def n(self) -> Fact:
        """How many runs."""
        return Fact.of(len(self.values), "count", origins=self.origins)

    @property
    def mean(self) -> Fact:
        """The mean over the seeds; absent where there is no run."""
        if self.between:
            return self.between[0].mean - self.between[1].mean
        return self._fact(statistics.fmean(self.values) if self.values else None, self._averaged)

    @property
    def sd(self) -> Fact:
        """The sample standard deviation, of percentages in points; absent with fewer than two runs."""
        kind: Kind = "error" if self.kind in ("percent", "points") else self._averaged
        return self._fact(statistics.stdev(self.values) if len(self.values) > 1 else None, kind)

    @property
    def interval(self) -> Interval | Fact:
        """Where the mean lies with 95 % confidence; absent with fewer than two runs."""
        if len(self.values) < 2:
            return self._fact(None)
        ends = possible(*t_interval(self.values), self.kind, differences=1 if self.between else 0)
        low, high = (replace(self._fact(end, self._averaged), signed=bool(self.between)) for end in ends)
        return Interval(low, high)

    @property
    def min(self) -> Fact:
        """The smallest."""
        return self._fact(min(self.values, default=None))

    @property
    def max(self) -> Fact:
        """The largest."""
        return self._fact(max(self.values, default=None))

    @property
    def _averaged(self) -> Kind:
        return averaged(self.kind, self.values)

    def _fact(self, value: float | None, kind: Kind | None = None) -> Fact:
        return Fact.of(value, kind or self.kind, ONE_RUN if self.values else self.absent, self.origins)


@dataclass(frozen=True)
class Measured(_Unwritten):
    """Accuracy and cross-entropy, published."""

    accuracy: Fact
    cross_entropy: Fact


@dataclass(frozen=True)
class Totals(_Unwritten):
    """Totals of parameters, printed or of the network that the runs trained."""

    total: Fact
    trainable: Fact
    non_trainable: Fact


@dataclass(frozen=True)
class PublishedFacts(_Unwritten):
    """What the study printed about one project: `{{ project.published… }}`."""

    notebook: str
    section: str
    """Where it stands in the study."""
    seconds: Fact
    train: Measured
    test: Measured
    parameters: Totals

    def __bool__(self) -> bool:
        """Whether the study has such a project, as `{% if … %}` asks."""
        return bool(self.seconds.origins)


@dataclass(frozen=True)
class Summaries(_Unwritten):
    """Accuracy and cross-entropy over the seeds."""

    accuracy: Summary
    cross_entropy: Summary


class Machine(NamedTuple):
    """What a training time is of: the same processor is another machine with other cores or another backend."""

    device: str
    cores: int
    backend: str
    """Without its version."""

    @staticmethod
    def of(environment: Environment) -> Machine:
        return Machine(environment.device, environment.cores, environment.backend.partition(" ")[0])


@dataclass(frozen=True)
class ReproducedFacts(_Unwritten):
    """What the runs of one project measured: `{{ project.reproduced… }}`."""

    train: Summaries
    validation: Summaries
    test: Summaries
    seconds: Summary
    """Absent where the runs were trained on several machines, or beside others."""
    epochs: Summary
    parameters: Totals
    machine: Machine | None
    """What each of them had to itself; None where there is none, or several, or one that was shared."""
    standard_error: Fact
    """Of the test accuracy of one run: what the finite size of the test set brings (binomial)."""

    def __bool__(self) -> bool:
        """Whether there is a run, as `{% if … %}` asks."""
        return bool(self.test.accuracy)


@dataclass(frozen=True)
class Variant(_Unwritten):
    """Runs of a project that are no reproduction, because they depart from it in more than the seed."""

    name: str | None
    differences: tuple[tuple[str, Setting, Setting], ...]
    """Each required setting that differs: its name, the value required, the value found."""
    reproduced: ReproducedFacts
    records: tuple[Record, ...]
    """By seed."""


@dataclass(frozen=True)
class ProjectFacts(_Unwritten):
    """Everything that the report knows of one project."""

    identifier: str
    published: PublishedFacts
    reproduced: ReproducedFacts
    records: tuple[Record, ...]
    """Those that count as a reproduction, by seed."""
    variants: tuple[Variant, ...] = ()
    studied: bool = True
    """Whether the study has such a project; else its runs are our own and reproduce nothing."""

    @property
    def variant(self) -> str | None:
        """The name of the variant that these are the facts of; None for a project."""
        return parts_of(self.identifier)[1]

    @property
    def variant_names(self) -> tuple[str, ...]:
        """What a page calls the variants that have a name: `project/variant`, of which `subject` knows the runs."""
        return tuple(dict.fromkeys(f"{self.identifier}/{one.name}" for one in self.variants if one.name))

    @property
    def every_record(self) -> tuple[Record, ...]:
        """Those of variants, too."""
        return (*self.records, *(run for variant in self.variants for run in variant.records))


def build(published: Published, records: Sequence[Record], declared: Iterable[str] = ()) -> dict[str, ProjectFacts]:
    """The facts of every project of the study, then of every other that has a record or is declared, by identifier.

    A run counts as a reproduction if it has no variant and every setting that the study's figures require.
    """
    known = {project.id: project for project in published.projects}
    identifiers = [*known, *sorted({*declared, *(record.project for record in records)} - set(known))]
    found = {}
    for identifier in identifiers:
        project = known.get(identifier)
        requires = project.requires if project else {}
        groups: dict[tuple[Any, ...], list[Record]] = {}
        for run in (record for record in records if record.project == identifier):
            differences = tuple(
                (name, wanted, run.settings.get(name))
                for name, wanted in requires.items()
                if run.settings.get(name) != wanted
            )
            groups.setdefault((run.variant, differences), []).append(run)
        runs = tuple(groups.pop((None, ()), ()))
        variants = tuple(
            Variant(name, differences, _reproduced(same, (), NOT_REPRODUCED), tuple(same))
            for (name, differences), same in groups.items()
        )
        found[identifier] = ProjectFacts(
            identifier,
            _published(project),
            _reproduced(runs, (Origin(identifier, "reproduced"),), NOT_REPRODUCED if project else NOT_RUN),
            runs,
            variants,
            project is not None,
        )
    return found


def parts_of(name: str) -> tuple[str, str | None]:
    """The project and, if it is one, the variant that `name` stands for: `project`, or `project/variant`."""
    project, _, variant = name.partition("/")
    return project, variant or None


def subject(known: Mapping[str, ProjectFacts], name: str) -> ProjectFacts:
    """What is known of a project, or of its variant `project/variant`.

    A variant is like a project that the study does not have: no figure of the study's is its own.

    Raises:
        KeyError: there is no such project; a variant that nobody has run is one without records.
    """
    identifier, variant = parts_of(name)
    project = known[identifier]
    if variant is None:
        return project
    runs = tuple(run for one in project.variants if one.name == variant for run in one.records)
    return ProjectFacts(
        name, _published(None), _reproduced(runs, (Origin(name, "reproduced"),), NOT_RUN), runs, studied=False
    )


def _published(project: PublishedProject | None) -> PublishedFacts:
    origins = (Origin(project.id, "published"),) if project else ()

    def printed(value: float | None, kind: Kind) -> Fact:
        return Fact.of(value, kind, NOT_PRINTED if project else NOT_STUDIED, origins)

    def measured(metrics: Metrics | None) -> Measured:
        return Measured(
            printed(metrics.accuracy if metrics else None, "percent"),
            printed(metrics.cross_entropy if metrics else None, "nats"),
        )

    parameters = project.parameters if project else None
    return PublishedFacts(
        notebook=project.notebook if project else "",
        section=project.section if project else "",
        seconds=printed(project.seconds if project else None, "seconds"),
        train=measured(project.train if project else None),
        test=measured(project.test if project else None),
        parameters=Totals(
            printed(parameters.total if parameters else None, "count"),
            printed(parameters.trainable if parameters else None, "count"),
            printed(parameters.non_trainable if parameters else None, "count"),
        ),
    )


def _reproduced(runs: Sequence[Record], origins: tuple[Origin, ...], absent: str) -> ReproducedFacts:
    def over(part: Literal["train", "validation", "test"]) -> Summaries:
        measured = [getattr(run, part) for run in runs]
        return Summaries(
            Summary(tuple(metrics.accuracy for metrics in measured), "percent", origins, absent=absent),
            Summary(tuple(metrics.cross_entropy for metrics in measured), "nats", origins, absent=absent),
        )

    errors = [standard_error(run.test.accuracy, run.dataset.test) for run in runs]
    machines = {Machine.of(run.environment) for run in runs}
    shared = any(run.environment.side_by_side > 1 for run in runs)
    alone = len(machines) == 1 and not shared
    times = tuple(run.seconds for run in runs) if alone else ()
    lengths = tuple(float(len(run.history)) for run in runs if run.history)
    network = runs[0].network if runs else None  # the check tells of runs that differ in it
    counts = (network.parameters, network.trainable, network.non_trainable) if network else (None, None, None)
    return ReproducedFacts(
        train=over("train"),
        validation=over("validation"),
        test=over("test"),
        seconds=Summary(times, "seconds", origins, absent=SIDE_BY_SIDE if shared else MACHINES if machines else absent),
        epochs=Summary(lengths, "count", origins, absent=NOT_RECORDED if runs else absent),
        parameters=Totals(*(Fact.of(count, "count", absent, origins) for count in counts)),
        machine=machines.pop() if alone else None,
        standard_error=Fact.of(statistics.fmean(errors) if errors else None, "error", absent, origins),
    )


def averaged(kind: Kind, values: Sequence[float]) -> Kind:
    """Of what kind a mean is: counts that differ have one between them, of which large ones need no part."""
    return "average" if kind == "count" and len(set(values)) > 1 and max(map(abs, values)) < LARGE else kind


def possible(low: float, high: float, kind: Kind, *, differences: int) -> tuple[float, float]:
    """What can be measured of an interval of a quantity of this `kind`: of a plain one (`differences` is 0), of a
    difference of two (1), or of two of those (2).

    No run measures less than nothing, nor more than all of its images right; two differ by all of them at most.
    """
    most = float(max(differences, 1)) if kind in ("percent", "points") else math.inf
    return max(low, -most if differences else 0.0), min(high, most)


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """Where the mean of what `values` were drawn from lies with 95 % confidence; of at least two values."""
    mean = statistics.fmean(values)
    half = t_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half


@cache
def t_quantile(degrees: float) -> float:
    """How many standard errors a 95 % interval reaches to either side, by Student's t with 1 degree of freedom or more.

    SciPy has it ready, and would take half of a command's start-up.
    """
    if degrees > 1e9:  # the normal distribution, to nine digits
        return statistics.NormalDist().inv_cdf(0.975)

    def outside(reach: float) -> Any:
        return betainc(degrees / 2, 0.5, 0, degrees / (degrees + reach**2), regularized=True) - 0.05

    # Between the normal distribution's 1.96 and the 12.71 of one degree of freedom.
    return float(findroot(outside, (1.9, 13), solver="anderson"))


def standard_error(accuracy: Fraction, images: int) -> float:
    """The standard error of an accuracy measured on `images` independent images, as a fraction.

    Of an accuracy of 0 or 1 the usual formula makes 0, as if more images could not tell more. It is taken there for the
    share that two right and two wrong images more would give (Agresti & Coull, 1998).
    """
    if accuracy in (0, 1):
        accuracy, images = (accuracy * images + 2) / (images + 4), images + 4
    return math.sqrt(accuracy * (1 - accuracy) / images)
