"""Drawings to SVG, in a language: the room of matplotlib. Imported only where something is to be drawn.

Deterministic: the same drawing gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator

from reportgen.charts import confusion, curves, written
from reportgen.drawings import (
    GRID,
    INK,
    PAPER,
    REPRODUCTION,
    TRAIN,
    VALIDATION,
    Curves,
    Diagram,
    Dots,
    Drawing,
    Line,
    Matrix,
    Plane,
    Series,
    Unit,
)
from reportgen.labels import beside, clipped, told_apart
from reportgen.language import Language, language
from reportgen.record import Record

WIDTH = 5.2
"""Of every chart, in inches: small, so that its words stay legible where it shrinks to the screen of a telephone."""
MOST_NAMED = 32
"""Layers in a diagram, whose names stand side by side; of more, those that hardly change what they get have none."""
CORNERS = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
"""Of a square about its middle."""
Corners = list[tuple[float, float]]
INSIDE: dict[str, Any] = {"in_layout": False, "clip_on": False}
"""For what lies within the axes by its place: not measured for the layout, it is drawn in half the time."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "reportgen",
    "font.family": "sans-serif",
    "font.size": 11.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.titlesize": 12.5,
    "axes.titlelocation": "left",
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "xtick.labelcolor": INK,
    "ytick.color": GRID,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
    "figure.dpi": 72,
    "legend.frameon": False,
}


def run_figures(record: Record) -> dict[str, str]:
    """The figures that stand beside a record, by file name: English, in plain colours on white."""
    english = language("en")
    return {
        "curves.svg": draw(curves([record], english), english),
        "confusion.svg": draw(confusion([record], english, record.dataset.classes), english),
    }


def draw(drawing: Drawing, words: Language) -> str:
    """An SVG of `drawing`, in plain colours on white, with numbers as `words` writes them."""
    stream = io.StringIO()
    with style():
        arranged(drawing, words).savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def arranged(drawing: Drawing, words: Language) -> Figure:
    """The figure of `drawing`, with everything at its place, in the style that is set."""
    match drawing:
        case Curves():
            return _draw_curves(drawing, words)
        case Dots():
            return _draw_dots(drawing, words)
        case Plane():
            return _draw_plane(drawing, words)
        case Matrix():
            return _draw_matrix(drawing, words)
        case Diagram():
            return _draw_diagram(drawing, words)


def _draw_curves(drawing: Curves, words: Language) -> Figure:
    figure = Figure(figsize=(WIDTH, 5.4))
    axes = figure.subplots(len(drawing.panels), 1, sharex=True)
    for panel, place in zip(drawing.panels, axes, strict=True):
        for line in panel.lines:
            _draw_line(place, line)
        place.set_title(panel.title)
        _write_values(place.yaxis, panel.unit, words, 6)
    longest = max(len(run.values) for panel in drawing.panels for line in panel.lines for run in line.runs)
    last = axes[-1]
    last.set_xlim(0.5, longest + 0.5)
    last.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    last.set_xlabel(drawing.across)
    top = axes[0]
    lines = drawing.panels[0].lines
    for line, label in zip(lines, told_apart([line.name for line in lines], 24), strict=True):
        top.plot([], [], "--" if line.dashed else "-", color=line.colour, label=label)
    top.plot([], [], "o", color=INK, markersize=5, label=drawing.kept)
    _arrange(figure, columns=3, handlelength=1.6)
    return figure


def _draw_line(axes: Axes, line: Line) -> None:
    """One run as it is; of several the mean, each run thin behind it, and a band from the smallest to the largest."""
    dash = "--" if line.dashed else "-"
    several = len(line.runs) > 1
    # One artist for all runs, with a gap behind each: every artist costs more than its points do.
    epochs = np.concatenate([[*range(1, len(run.values) + 1), np.nan] for run in line.runs])
    values = np.concatenate([[*run.values, np.nan] for run in line.runs])
    axes.plot(epochs, values, dash, color=line.colour, linewidth=0.7 if several else 1.8, alpha=0.55 if several else 1)
    kept = [(run.kept, run.values[run.kept - 1]) for run in line.runs]
    axes.plot(*zip(*kept, strict=True), "o", color=line.colour, markersize=5)
    if several:
        mean, reach = line.mean(), np.array(line.range())
        axes.plot(np.arange(1, len(mean) + 1), mean, dash, color=line.colour, linewidth=1.8)
        axes.fill_between(np.arange(1, len(reach) + 1), *reach.T, color=line.colour, alpha=0.16, linewidth=0)


def _draw_dots(drawing: Dots, words: Language) -> Figure:
    size = len(drawing.rows)
    figure = Figure(figsize=(WIDTH, 0.95 + 0.5 * size))
    axes = figure.subplots()
    labels = told_apart([row.label for row in drawing.rows], 56, 18)
    for number, (row, label) in enumerate(zip(drawing.rows, labels, strict=True)):
        height = number + 0.17
        standing: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 10.5, **INSIDE}
        # On paper of its own: the lines of the grid go behind a name, not through it.
        axes.text(0, number - 0.2, label, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1}, **standing)
        known = [(series, mark) for series, mark in zip(drawing.series, row.marks, strict=True) if mark]
        known.sort(key=lambda item: item[1].value)
        for (_, one), (_, other) in pairwise(known):
            axes.plot([one.value, other.value], [height] * 2, "-", color=GRID, linewidth=3, zorder=1)
        # The two numbers stand outside of everything that is drawn, so that they meet neither it nor each other.
        ends = [mark.value + sign * (mark.spread or 0) for _, mark in known for sign in (-1, 1)]
        for place, (series, mark) in enumerate(known):
            _draw_mark(axes, series, mark.value, height, mark.spread, "x")
            left = place == 0 and len(known) > 1
            axes.annotate(
                written(mark.value, drawing.unit, words),
                (min(ends) if left else max(ends), height),
                xytext=(-7 if left else 7, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                va="center_baseline",
                fontsize=9.5,
                color=series.colour,
                in_layout=False,
            )
    marks = [mark for row in drawing.rows for mark in row.marks if mark]
    values = [mark.value + sign * (mark.spread or 0) for mark in marks for sign in (-1, 1)]
    values += [0.0] if drawing.zero else []
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.27 * ((high - low) or 1)  # as wide as the number that stands beside the outermost mark
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(size - 0.45, -0.6)
    axes.yaxis.set_major_locator(NullLocator())
    axes.spines["left"].set_visible(False)
    if drawing.zero:
        axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    _write_values(axes.xaxis, drawing.unit, words, 6)
    if drawing.unit == "percent":  # there is no share below nothing or above all, where only a number needs room
        shares = [tick for tick in axes.get_xticks() if 0 <= round(tick, 6) <= 1]
        axes.xaxis.set_major_locator(FixedLocator(shares))
    axes.set_xlabel(drawing.across)
    _draw_legend(figure, axes, drawing.series)
    return figure


def _draw_plane(drawing: Plane, words: Language) -> Figure:
    figure = Figure(figsize=(WIDTH, 4.4))
    axes = figure.subplots()
    axes.set_xscale("log")
    signs = []
    for spot in drawing.spots:
        known = [(series, *place) for series, place in zip(drawing.series, spot.places, strict=True) if place]
        for (_, x, mark), (_, next_x, next_mark) in pairwise(known):
            axes.plot([x, next_x], [mark.value, next_mark.value], "-", color=GRID, linewidth=2, zorder=1)
        for series, x, mark in known:
            _draw_mark(axes, series, x, mark.value, mark.spread, "y")
            signs.append((x, mark.value, spot.sign, series.colour))
    if len(places := {x for x, *_ in signs}) == 1:  # of which matplotlib makes an axis without any width
        axes.set_xlim(min(places) / 2, min(places) * 2)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    for x, y, sign, colour in _apart(signs, 0.042 * (high - low)):
        right = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[0] > 0.85  # little room is left
        axes.annotate(
            clipped(sign, 12),
            (x, y),
            xytext=(-5 if right else 5, 5),
            textcoords="offset points",
            ha="right" if right else "left",
            va="center_baseline",
            fontsize=9.5,
            color=colour,
            in_layout=False,
        )
    _write_widely(axes.xaxis, drawing.across_unit, words)
    _write_values(axes.yaxis, drawing.unit, words, 7)
    axes.set_xlabel(drawing.across)
    axes.set_title(drawing.upwards)
    _draw_legend(figure, axes, drawing.series)
    return figure


def _draw_mark(axes: Axes, series: Series, x: float, y: float, spread: float | None, along: Literal["x", "y"]) -> None:
    if spread is not None:
        across, upwards = (spread, None) if along == "x" else (None, spread)
        axes.errorbar(x, y, upwards, across, color=series.colour, elinewidth=1.4, capsize=2.5, zorder=2)
    axes.plot(
        x,
        y,
        series.marker,
        **_style(series),
        zorder=4 if series.hollow else 3,  # of two at one place one sees both: a ring about a dot
    )


def _draw_legend(figure: Figure, axes: Axes, series: Sequence[Series]) -> None:
    for one in series:
        axes.plot([], [], one.marker, **_style(one), label=one.name)
    _arrange(figure, columns=2)


def _style(series: Series) -> dict[str, Any]:
    face = "none" if series.hollow else series.colour
    return {"markerfacecolor": face, "markeredgecolor": series.colour, "markeredgewidth": 1.5, "markersize": 7}


def _draw_matrix(drawing: Matrix, words: Language) -> Figure:
    """Colour by the square root of the number: else the mistakes, which are the smaller numbers, would hardly show."""
    height, width = len(drawing.rows), len(drawing.columns)
    rows, columns = beside(drawing)
    figure = Figure(figsize=(WIDTH, 0.43 * height + 0.45 + 0.065 * max(map(len, columns), default=0)))
    axes = figure.subplots()
    every = [cell for cells in drawing.cells for cell in cells]
    low, high = (0.0, 1.0) if drawing.diagonal else (min(every), max(every))
    squares, colours = [], []
    for row, cells in enumerate(drawing.cells):
        for column, cell in enumerate(cells):
            depth = (cell - low) / ((high - low) or 1)
            # Never so strong that the number, in the colour of text, becomes hard to read in a light or a dark page.
            strength = round(0.55 * float(np.sqrt(depth) if drawing.diagonal else depth), 3)
            colour = TRAIN if row == column else VALIDATION
            if not drawing.diagonal:
                colour = REPRODUCTION
            squares.append(_rectangle(column, row, 1, 1))
            colours.append(to_rgba(colour, strength))
            axes.text(column, row, words.number(100 * cell, 0), ha="center", va="center", fontsize=11, **INSIDE)
    axes.add_collection(PolyCollection(squares, facecolors=colours, linewidths=0, **INSIDE), autolim=False)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="auto")
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(width), columns, **slant)
    axes.set_yticks(range(height), rows)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel(drawing.across)
    axes.set_ylabel(drawing.down)
    _arrange(figure)
    return figure


def _draw_diagram(drawing: Diagram, words: Language) -> Figure:
    """Maps are blocks as high as their sides and as wide as they have channels; vectors are bars of their length."""
    boxes, size = drawing.boxes, len(drawing.boxes)
    figure = Figure(figsize=(WIDTH, 4.9))
    above, below = figure.subplots(2, 1, height_ratios=(3, 2))
    # A side that is not fixed, and a single number, which has none, are drawn as small as anything is.
    extents = [tuple(side or 1 for side in box.shape) or (1,) for box in boxes]
    side = max((extent[0] for extent in extents if len(extent) > 1), default=1)
    depth = max((extent[-1] for extent in extents if len(extent) > 1), default=2)
    length = max((extent[-1] for extent in extents if len(extent) == 1), default=2)
    shapes: dict[bool, list[Corners]] = {True: [], False: []}
    # What changes neither the shape nor anything that is learned is no more than a slice.
    slices = {k for k in range(1, size) if boxes[k].shape == boxes[k - 1].shape and not boxes[k].parameters}
    for place, (box, extent) in enumerate(zip(boxes, extents, strict=True)):
        if place in slices:
            width = 0.12
        elif len(extent) > 1:
            width = 0.25 + 0.6 * float(np.log2(extent[-1] + 1) / np.log2(depth + 1))
        else:
            width = 0.25
        height = extent[0] / side if len(extent) > 1 else float(np.log2(extent[-1] + 1) / np.log2(length + 1))
        shapes[bool(box.parameters)].append(_rectangle(place, 0, width, height))
    style: dict[str, Any] = {"edgecolors": INK, "linewidths": 0.7, "alpha": 0.75, **INSIDE}
    for colour, kind, found in zip((REPRODUCTION, GRID), drawing.kinds, shapes.values(), strict=True):
        above.add_collection(PolyCollection(found, facecolors=colour, label=kind, **style), autolim=False)
    total = max(sum(box.parameters for box in boxes), 1)
    shares = [box.parameters / total for box in boxes]
    bars = [_rectangle(place, share / 2, 0.62, share) for place, share in enumerate(shares)]
    below.add_collection(PolyCollection(bars, facecolors=REPRODUCTION, **style), autolim=False)
    highest = max(shares) or 1
    for place, share in enumerate(shares):
        if share >= 0.005:
            shown = words.number(100 * share, 1 if 0.99 < share < 1 else 0)  # the title says what of
            below.text(place, share + 0.06 * highest, shown, ha="center", fontsize=9.5, **INSIDE)
    reach = (-0.7, max(size, 6) - 0.3)
    for axes, title in ((above, drawing.above), (below, drawing.below)):
        axes.set_title(title)
        axes.xaxis.set_major_locator(NullLocator())
        axes.yaxis.set_major_locator(NullLocator())
        axes.spines[:].set_visible(False)
    above.set(xlim=reach, ylim=(-0.55, 0.55))
    below.set(xlim=reach, ylim=(0, 1.25 * highest))
    below.spines["bottom"].set_visible(True)
    # Of many, those with a shape or with parameters that count; their names stay apart.
    small = {k for k in range(1, size) if boxes[k].shape == boxes[k - 1].shape and shares[k] < 0.005}
    unnamed = small if size > MOST_NAMED else set()
    pitch = 72 * WIDTH / (reach[1] - reach[0])
    # A tick for each name, with its two marks and its line across the axes, would cost five times as much.
    standing: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "top", "fontsize": min(9.8, 0.9 * pitch)}
    for place, box in enumerate(boxes):
        if place in unnamed:
            continue
        name = f"{clipped(box.type, 18)} {'×'.join('–' if side is None else str(side) for side in box.shape or (1,))}"
        below.text(place, -0.03, name, transform=below.get_xaxis_transform(), **standing)
    _arrange(figure, columns=2)
    return figure


def _rectangle(x: float, y: float, width: float, height: float) -> Corners:
    """The corners of a rectangle about its middle; as one collection, many are drawn faster than as many patches."""
    return [(x + width * across, y + height * up) for across, up in CORNERS]


def _arrange(figure: Figure, columns: int = 0, handlelength: float = 1.0) -> None:
    """Fit the axes into the figure, below the legend in so many columns, if any.

    Done once and at the end: left to a layout engine, matplotlib measures every word four times and draws twice.
    """
    room = 0.0
    if columns:
        legend = figure.legend(
            loc="upper left",
            ncols=columns,
            handlelength=handlelength,
            handletextpad=0.5,
            columnspacing=1.2,
            borderpad=0.1,
            borderaxespad=0.2,
        )
        rows = -(-len(legend.get_texts()) // columns)
        room = (1.5 * rows + 0.3) * STYLE["font.size"] / (72 * figure.get_figheight())
    figure.tight_layout(pad=0.3)  # not within a smaller rectangle, which it would measure everything for once more
    figure.subplots_adjust(top=figure.subplotpars.top - room)
    figure.set_layout_engine(None)


def _apart(signs: Sequence[tuple[float, float, str, str]], gap: float) -> Iterator[tuple[float, float, str, str]]:
    """Signs moved up where one of much the same place stands below it."""
    placed: list[tuple[float, float]] = []
    for x, y, sign, colour in sorted(signs, key=lambda sign: (sign[1], sign[0])):
        while any(abs(np.log10(x / other)) < 0.09 and abs(y - height) < gap for other, height in placed):
            y += gap / 4
        placed.append((x, y))
        yield x, y, sign, colour


_ROUND_TIMES = {
    **{float(seconds): f"{seconds}\u00a0s" for seconds in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 75, 90)},
    **{60.0 * minutes: f"{minutes}\u00a0min" for minutes in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 75, 90)},
    **{3600.0 * hours: f"{hours}\u00a0h" for hours in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 100)},
}
"""Durations that an axis may mark, each as it is written there."""
_ROUNDEST = (1, 3, 10, 30, 100)
"""Of which it marks those of so many units, as long as two of them are on it."""


def _write_widely(axis: Any, unit: Unit, words: Language) -> None:
    """Ticks at round values of a logarithmic axis."""
    axis.set_minor_locator(NullLocator())
    if unit == "seconds":
        low, high = axis.get_view_interval()
        times = [time for time in _ROUND_TIMES if low <= time <= high]
        few = [time for time in times if int(_ROUND_TIMES[time].split()[0]) in _ROUNDEST]
        axis.set_major_locator(FixedLocator(few if len(few) > 1 else times))
        axis.set_major_formatter(lambda value, _: _ROUND_TIMES.get(round(value, 6), ""))
        return

    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    axis.set_major_formatter(lambda value, _: words.briefly(value))


def _write_values(axis: Any, unit: Unit, words: Language, most: int) -> None:
    """Ticks at round values, with the fewest decimals that tell them apart."""
    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))
    scale = 100 if unit in ("percent", "points") else 1
    digits = _digits(scale * axis.get_majorticklocs())

    def written(value: float, _: object) -> str:
        match unit:
            case "percent":
                return words.percent(value, digits)
            case "points":
                return words.points(value, digits)
            case _:
                return words.number(value, digits)

    axis.set_major_formatter(written)


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults and `STYLE`, whatever a matplotlibrc says; everything as before afterwards."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def _digits(ticks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    """The fewest decimals that tell all `ticks` apart, at most four."""
    return next((digits for digits in range(4) if np.allclose(np.round(ticks, digits), ticks, atol=1e-6)), 4)
