"""What a page draws of its records, and how a finished SVG comes to stand in a page.

`plot` draws it; nothing here needs matplotlib, which takes longer to import than all else together.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from operator import itemgetter

from markupsafe import escape

from reportgen.drawings import (
    OTHER,
    REPRODUCTION,
    TRAIN,
    VALIDATION,
    VARIABLES,
    Curves,
    Dots,
    Line,
    Mark,
    Matrix,
    Panel,
    Row,
    Run,
    Series,
    Unit,
)
from reportgen.language import Language
from reportgen.record import Record

MOST_CLASSES = 20
"""In a confusion matrix: of more, neither the names nor the numbers could be read on the screen of a telephone."""
MOST_PAIRS = 15
"""Of classes that are confused, in the chart that takes the place of such a matrix: about as many as fill a screen."""


def curves(records: Sequence[Record], words: Language) -> Curves:
    """Cross-entropy above accuracy, by epoch, training and validation."""
    return Curves(
        words.gettext("Epoch"),
        words.gettext("kept epoch"),
        tuple(
            Panel(
                quantity,
                title,
                unit,
                tuple(
                    Line(key, part, colour, dashed, tuple(_run(record, key, words) for record in records))
                    for key, part, colour, dashed in (
                        (quantity, words.gettext("training"), TRAIN, False),
                        (f"val_{quantity}", words.gettext("validation"), VALIDATION, True),
                    )
                ),
            )
            for quantity, title, unit in _quantities(words)
        ),
    )


def curves_against(runs: Sequence[tuple[str, Sequence[Record]]], words: Language) -> Curves:
    """The validation curves of two projects over each other; `runs` gives each project's short name and its records."""
    return Curves(
        words.gettext("Epoch"),
        words.gettext("kept epoch"),
        tuple(
            Panel(
                quantity,
                f"{title} ({words.gettext('validation')})",
                unit,
                tuple(
                    Line(
                        f"val_{quantity}",
                        name,
                        colour,
                        dashed,
                        tuple(_run(r, f"val_{quantity}", words) for r in records),
                    )
                    for (name, records), colour, dashed in zip(runs, (REPRODUCTION, OTHER), (False, True), strict=True)
                ),
            )
            for quantity, title, unit in _quantities(words)
        ),
    )


def _quantities(words: Language) -> tuple[tuple[str, str, Unit], ...]:
    return (
        ("cross_entropy", words.gettext("Cross-entropy"), "nats"),
        ("accuracy", words.gettext("Accuracy"), "percent"),
    )


def _run(record: Record, key: str, words: Language) -> Run:
    values = tuple(getattr(epoch, key) for epoch in record.history)
    return Run(words.gettext("Seed {seed}", seed=record.seed), values, record.stopping.restored_epoch)


def confusion(records: Sequence[Record], words: Language, classes: Sequence[str]) -> Matrix | Dots:
    """Labels (rows) against predictions (columns), as fractions of each label, summed over seeds.

    Of more than `MOST_CLASSES` classes the pairs that are confused most.
    """
    # The row of one label in every run, then its cells summed over the runs.
    rows = [
        [sum(cells) for cells in zip(*of_label, strict=True)]
        for of_label in zip(*(record.confusion for record in records), strict=True)
    ]
    cells = tuple(tuple(round(count / (sum(row) or 1), 6) for count in row) for row in rows)
    if len(classes) > MOST_CLASSES:
        return _confused(cells, words, classes)
    return Matrix(
        down=words.gettext("Label"),
        across=words.gettext("Prediction"),
        rows=tuple(classes),
        columns=tuple(classes),
        cells=cells,
        diagonal=True,
    )


def _confused(cells: Sequence[Sequence[float]], words: Language, classes: Sequence[str]) -> Dots:
    """The largest shares of a label that were given a wrong prediction, each beside the share that was right."""
    wrong = [
        (share, k, other) for k, row in enumerate(cells) for other, share in enumerate(row) if share and other != k
    ]
    rows = []
    for share, k, other in heapq.nlargest(MOST_PAIRS, wrong, key=itemgetter(0)):
        name = words.gettext("{label} taken for {prediction}", label=classes[k], prediction=classes[other])
        rows.append(Row(name, name, (Mark(share), Mark(cells[k][k]))))
    return Dots(
        down=words.gettext("Mistake"),
        across=words.gettext("Share of the class's test images"),
        unit="percent",
        series=(
            Series("mistake", words.gettext("this mistake"), VALIDATION, hollow=False),
            Series("right", words.gettext("right"), TRAIN, hollow=False, marker="D"),
        ),
        rows=tuple(rows),
    )


def written(value: float, unit: Unit, words: Language) -> str:
    """A value in words, as it stands beside its mark."""
    match unit:
        case "percent":
            return words.percent(value)
        case "points":
            return words.points(value)
        case "nats":
            return words.number(value, 3)
        case "seconds":
            return words.seconds(value)
        case "count":
            return words.count(round(value))


def themed(svg: str, identifier: str, title: str, description: str) -> str:
    """An SVG to put into a page: its colours are the page's, its ids begin with `identifier`, its text the page's font.

    It shrinks with the page and grows no larger than it was drawn. `title` and `description` are what a screen reader
    says of it.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w.-]+)", body))
    # Matplotlib names every group; only ids that something refers to may stay, and those must be the page's only ones.
    body = re.sub(r' id="([\w.-]+)"', lambda m: f' id="{identifier}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{identifier}-", body)
    for colour, name in VARIABLES.items():
        body = body.replace(colour, f"var(--rg-{name}, {colour})")
    # One version of matplotlib writes `font: 11px 'DejaVu Sans', …`, another `font-size: 11px; font-family: …`.
    body = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1; font-family: inherit", body)
    body = re.sub(r"font-family: [^;\"]*", "font-family: inherit", body)
    head = re.match(r"<svg[^>]*>", body)
    box = head and re.search(r'viewBox="0 0 ([\d.]+) [\d.]+"', head[0])
    assert head and box, "matplotlib opens every SVG with a viewBox from 0 0"
    opening = (
        f'<svg {box[0]} xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'style="max-width: {float(box[1]) * 4 / 3:.0f}px" '  # a point is 4/3 of a CSS pixel
        f'role="img" aria-labelledby="{identifier}-title {identifier}-desc">'
        f'<title id="{identifier}-title">{escape(title)}</title>'
        f'<desc id="{identifier}-desc">{escape(description)}</desc>'
    )
    # Markdown ends a block of HTML at an empty line.
    return re.sub(r"\n\s*\n", "\n", opening + body[head.end() :]).strip()
