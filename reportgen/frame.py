"""What stands around a chart: its numbers as a table, as text for those who do not see it, and as a file.

All three are read off the same drawing, so that none of them can say what the others do not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reportgen.charts import written
from reportgen.drawings import VARIABLES, Curves, Diagram, Dots, Drawing, Line, Mark, Matrix, Plane, Unit
from reportgen.edition import NOTHING, shape
from reportgen.labels import beside
from reportgen.language import Language


@dataclass(frozen=True)
class Table:
    """The numbers of a chart, written for reading."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(drawing: Drawing, words: Language) -> Table:
    """The numbers of `drawing`; of several runs their mean and, in brackets, their smallest and largest.

    As on the chart, there is a mean for as long as all of them train; behind that, the brackets stand alone.
    """
    match drawing:
        case Curves():
            lines = [(panel, line) for panel in drawing.panels for line in panel.lines]
            head = (drawing.across, *(f"{panel.title}, {line.name}" for panel, line in lines))
            longest = max(len(run.values) for _, line in lines for run in line.runs)
            rows = [
                (str(k + 1), *(_at_epoch(line, k, panel.unit, words) for panel, line in lines)) for k in range(longest)
            ]
        case Dots():
            head = (drawing.down, *(series.name for series in drawing.series))
            rows = [(row.label, *(_mark(mark, drawing.unit, words) for mark in row.marks)) for row in drawing.rows]
        case Plane():
            columns = ((drawing.across, drawing.upwards) for _ in drawing.series)
            names = (series.name for series in drawing.series)
            head = (
                drawing.down,
                *(f"{name}: {what}" for name, pair in zip(names, columns, strict=True) for what in pair),
            )
            rows = [
                (
                    spot.label,
                    *(
                        cell
                        for place in spot.places
                        for cell in (
                            written(place[0], drawing.across_unit, words) if place else NOTHING,
                            _mark(place[1] if place else None, drawing.unit, words),
                        )
                    ),
                )
                for spot in drawing.spots
            ]
        case Matrix():
            head = (f"{drawing.down} \\ {drawing.across}", *drawing.columns)
            rows = [
                (name, *(words.percent(cell, 1) for cell in cells))
                for name, cells in zip(drawing.rows, drawing.cells, strict=True)
            ]
        case Diagram():
            head = (drawing.across, drawing.above, words.gettext("Parameters"))
            rows = [
                (f"{box.name} ({box.type})", shape(box.shape, words), words.count(box.parameters))
                for box in drawing.boxes
            ]
    return Table(head, tuple(rows))


def text(drawing: Dots | Plane | Matrix | Diagram, words: Language) -> str:
    """What a chart shows, in one sentence a row: its alternative text."""
    match drawing:
        case Dots():
            said = [
                (
                    row.label,
                    [
                        (one.name, _mark(mark, drawing.unit, words))
                        for one, mark in zip(drawing.series, row.marks, strict=True)
                        if mark
                    ],
                )
                for row in drawing.rows
            ]
        case Plane():
            said = [
                (
                    spot.label,
                    [
                        (
                            one.name,
                            f"{written(place[0], drawing.across_unit, words)}, {_mark(place[1], drawing.unit, words)}",
                        )
                        for one, place in zip(drawing.series, spot.places, strict=True)
                        if place
                    ],
                )
                for spot in drawing.spots
            ]
        case Matrix(diagonal=True):
            return "; ".join(
                words.gettext("{name}: {share} right", name=name, share=words.percent(cells[k], 0))
                for k, (name, cells) in enumerate(zip(drawing.rows, drawing.cells, strict=True))
            )
        case Matrix():
            return "; ".join(
                _extremes(name, cells, drawing.columns, words)
                for name, cells in zip(drawing.rows, drawing.cells, strict=True)
            )
        case Diagram():
            return "; ".join(
                words.gettext(
                    "{type} {shape}, {count} parameters",
                    type=box.type,
                    shape=shape(box.shape, words),
                    count=words.count(box.parameters),
                )
                for box in drawing.boxes
            )
    return "; ".join(f"{label}: {', '.join(f'{name} {value}' for name, value in values)}" for label, values in said)


def _extremes(name: str, cells: Sequence[float], columns: Sequence[str], words: Language) -> str:
    placed = [*zip(cells, columns, strict=True)]
    (low, at_low), (high, at_high) = min(placed), max(placed)
    return words.gettext(
        "{name}: from {low} ({at_low}) to {high} ({at_high})",
        name=name,
        low=words.percent(low, 0),
        at_low=at_low,
        high=words.percent(high, 0),
        at_high=at_high,
    )


def csv_text(drawing: Drawing) -> str:
    """The same numbers for a program: as they are drawn, decimals with a full stop.

    A row of a project or a layer has its identifier; all else has the name that the chart gives it, in its language.
    """
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(_csv_rows(drawing))
    return stream.getvalue()


def _csv_rows(drawing: Drawing) -> Iterator[Sequence[object]]:
    match drawing:
        case Curves():
            yield "quantity", "line", "run", "epoch", "value", "kept"
            for panel in drawing.panels:
                for line in panel.lines:
                    for run in line.runs:
                        for epoch, value in enumerate(run.values, 1):
                            yield line.key, line.name, run.name, epoch, value, int(epoch == run.kept)
        case Dots():
            yield "row", *(f"{series.key}{part}" for series in drawing.series for part in ("", "_spread"))
            for row in drawing.rows:
                yield row.key, *(cell for mark in row.marks for cell in _numbers(mark))
        case Plane():
            yield "row", *(f"{series.key}_{part}" for series in drawing.series for part in ("x", "y", "y_spread"))
            for spot in drawing.spots:
                yield (
                    spot.key,
                    *(
                        cell
                        for place in spot.places
                        for cell in ((place[0], *_numbers(place[1])) if place else ("", "", ""))
                    ),
                )
        case Matrix():
            yield "row", *drawing.columns
            for name, cells in zip(drawing.rows, drawing.cells, strict=True):
                yield name, *cells
        case Diagram():
            yield "layer", "type", "shape", "parameters"
            for box in drawing.boxes:
                yield (
                    box.name,
                    box.type,
                    "x".join("" if side is None else str(side) for side in box.shape),
                    box.parameters,
                )


def _numbers(mark: Mark | None) -> tuple[object, object]:
    return ("", "") if mark is None else (mark.value, "" if mark.spread is None else mark.spread)


def _mark(mark: Mark | None, unit: Unit, words: Language) -> str:
    if mark is None:
        return NOTHING
    value = written(mark.value, unit, words)
    if mark.spread is None:
        return value
    return f"{value} ± {words.number(100 * mark.spread, 2)}"  # in percentage points, as every value that has one


def _at_epoch(line: Line, k: int, unit: Unit, words: Language) -> str:
    values = [run.values[k] for run in line.runs if k < len(run.values)]
    if not values:
        return NOTHING
    ends = values if len(values) == 1 else (min(values), max(values))
    reach = f"({' – '.join(written(value, unit, words) for value in ends)})"
    if len(values) < len(line.runs):
        return reach
    mean = written(sum(values) / len(values), unit, words)
    return mean if len(values) == 1 else f"{mean} {reach}"


def data(drawing: Curves | Dots | Plane | Matrix) -> dict[str, Any]:
    """The drawing for a script in the reader's browser: its numbers and words, and each colour by its name."""
    found = {"kind": type(drawing).__name__, **_named(asdict(drawing))}
    if isinstance(drawing, Matrix):
        found["row_labels"], found["column_labels"] = beside(drawing)
    return found


def _named(value: Any) -> Any:
    """`value` with the names of colours for their codes and with numbers no longer than they can be seen."""
    if isinstance(value, dict):
        return {key: VARIABLES[item] if key == "colour" else _named(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value
