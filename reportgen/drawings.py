"""What can be drawn, as plain data: the numbers and the words of a chart, and nothing of how it looks but its colours.

Equal drawings look alike, so that a chart can be kept by the content of its drawing.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Literal

INK, GRID, PAPER = "#24292f", "#d0d7de", "#ffffff"
TRAIN, VALIDATION, REPRODUCTION, OTHER = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
"""Four of Okabe and Ito's colours, which colour-blind readers can tell apart.

One voice in every chart: training is blue and validation orange; what was reproduced, or the project that a page is
about, is green, and another project beside it purple. The study's figures are hollow, in the colour of text.
"""
VARIABLES = {
    INK: "ink",
    GRID: "grid",
    PAPER: "paper",
    TRAIN: "train",
    VALIDATION: "validation",
    REPRODUCTION: "reproduction",
    OTHER: "other",
}
"""The name of the CSS variable (`--rg-…`) for each colour."""

Unit = Literal["percent", "points", "nats", "seconds", "count"]
"""Fractions as percentages, their differences as percentage points, cross-entropy, durations, whole numbers."""


@dataclass(frozen=True)
class Run:
    """One quantity of one run, by epoch from 1."""

    name: str
    values: tuple[float, ...]
    kept: int
    """The epoch whose weights were kept."""


@dataclass(frozen=True)
class Line:
    """One quantity of several runs that differ in nothing but the seed."""

    key: str
    """What the quantity is called in files, such as `val_accuracy`."""
    name: str
    colour: str
    dashed: bool
    """So that colour is not all that tells two lines apart."""
    runs: tuple[Run, ...]

    def mean(self) -> tuple[float, ...]:
        """The mean over the runs, for the epochs that all of them had."""
        return tuple(statistics.fmean(values) for values in zip(*(run.values for run in self.runs), strict=False))

    def range(self) -> tuple[tuple[float, float], ...]:
        """The smallest and the largest value of the runs still going on, by epoch, while there are two."""
        lengths = sorted(len(run.values) for run in self.runs)
        at = [[run.values[k] for run in self.runs if k < len(run.values)] for k in range(lengths[-2])]
        return tuple((min(values), max(values)) for values in at)


@dataclass(frozen=True)
class Panel:
    """Lines over the same epochs, in one unit."""

    key: str
    title: str
    unit: Unit
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Curves:
    """Panels one above the other, over the same epochs."""

    across: str
    kept: str
    """What the dot is called."""
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Series:
    """Marks that belong together."""

    key: str
    name: str
    colour: str
    hollow: bool
    marker: Literal["o", "D"] = "o"
    """A dot, or a diamond for what stands outside the row of the others."""


@dataclass(frozen=True)
class Mark:
    """A value, with its spread on either side if it has one."""

    value: float
    spread: float | None = None


@dataclass(frozen=True)
class Row:
    """What one thing scored in each series; None where it has nothing."""

    key: str
    label: str
    marks: tuple[Mark | None, ...]


@dataclass(frozen=True)
class Dots:
    """Rows one below the other; each mark stands at its value."""

    down: str
    """What the rows are."""
    across: str
    unit: Unit
    series: tuple[Series, ...]
    rows: tuple[Row, ...]
    zero: bool = False
    """Whether nought is in the picture."""


@dataclass(frozen=True)
class Spot:
    """One thing in a plane: where each series puts it; None where a series has no place for it."""

    key: str
    sign: str
    """A character or two that stand beside it."""
    label: str
    places: tuple[tuple[float, Mark] | None, ...]


@dataclass(frozen=True)
class Plane:
    """Values (upwards) against another quantity (across, logarithmic)."""

    down: str
    """What the spots are."""
    across: str
    across_unit: Unit
    upwards: str
    unit: Unit
    series: tuple[Series, ...]
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class Matrix:
    """Fractions by row and column; each cell shows its number in per cent, without a sign.

    The stronger the colour, the larger the number. In a matrix with a `diagonal`, what stands on it has one colour and
    the rest another.
    """

    down: str
    across: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float, ...], ...]
    diagonal: bool
    signs: tuple[str, ...] = ()
    """What stands below the columns in the picture where their names are too long for it."""


@dataclass(frozen=True)
class Box:
    """One layer of a network."""

    name: str
    type: str
    shape: tuple[int | None, ...]
    """Of its output, without the batch; None where it is not fixed."""
    parameters: int


@dataclass(frozen=True)
class Diagram:
    """A network from its first layer to its last: above the shape of each output, below its share of the parameters."""

    across: str
    above: str
    below: str
    kinds: tuple[str, str]
    """What layers with and without parameters are called."""
    boxes: tuple[Box, ...]


Drawing = Curves | Dots | Plane | Matrix | Diagram
