"""A bench: what was measured on one machine, each figure beside the figure that it is compared with.

The version, the types, the reader and the writer of the format stand together here, as for records. A comparison
holds every round of both sides, in the order in which they were measured turn by turn, so that a machine that others
use at the same time slows down both.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from reportgen.errors import ReportError
from reportgen.record import Environment, Identifier, Part, read_as, slug, write_as

Rounds = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]
Unit = Literal["images/s", "GFLOP/s", "GiB", "s", "%"]


class Comparison(Part):
    """One quantity, measured in two ways."""

    group: Identifier
    """What is measured, such as `training`."""
    subject: str
    """On what: a project, a size, a command."""
    unit: Unit
    measured: Rounds
    """Round by round."""
    against: Identifier
    """What the reference is."""
    reference: Rounds
    """Round by round; where it has as many rounds, each was measured beside its fellow."""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Measured by reference, round by round; of the medians where the rounds are not pairs."""
        if len(self.measured) == len(self.reference):
            return tuple(a / b for a, b in zip(self.measured, self.reference, strict=True))
        return (statistics.median(self.measured) / statistics.median(self.reference),)


@dataclass(frozen=True)
class Figure:
    """One measurement and its limit, for a terminal."""

    name: str
    measured: str
    limit: str
    kept: bool


class Bench(Part):
    """All comparisons of one session on one machine."""

    schema_version: Literal[1] = 1
    measured: AwareDatetime
    quick: bool
    """Fewer rounds, and only some projects."""
    environment: Environment
    load: Annotated[float, Field(ge=0)]
    """How many processes wanted a core on average in the minute before, those of others included."""
    comparisons: Annotated[tuple[Comparison, ...], Field(min_length=1)]

    @property
    def file_name(self) -> str:
        """A name for its file, after the machine: a later bench takes the place of the one before."""
        return f"{slug(f'{self.environment.device} {self.environment.cores} cores')}.json"

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        keys = [(one.group, one.subject, one.against) for one in self.comparisons]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"compared twice: {', '.join(' '.join(key) for key in twice)}")
        return self


def read(file: Path) -> Bench:
    """Read and validate a bench.

    Raises:
        RecordError: the file is missing, truncated, of another version, or a field is missing or wrong.
    """
    return read_as(file, Bench)


def read_all(folder: Path) -> tuple[Bench, ...]:
    """Read every bench in `folder`, in the order of their files' names; none where there is no such folder.

    Raises:
        ReportError: as `read`, or `folder` is a file, as where a report of a single bench names it.
    """
    if folder.is_file():
        raise ReportError(
            f"{folder}: expected a folder of benches, one file for each machine, and found a file. "
            "Put it into a folder of its own, and name that in [tool.reportgen]."
        )
    return tuple(read(file) for file in sorted(folder.glob("*.json")))


def write(bench: Bench, file: Path) -> Path:
    """Write `bench`, whole or not at all, and return the file."""
    return write_as(bench, file)
