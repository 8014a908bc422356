"""Records to SVG, in a language. Drawn once in plain colours; `themed` lets a page's style sheet choose them.

Deterministic: the same records give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from reportgen.language import Language, language
from reportgen.record import Record

INK, GRID, PAPER = "#24292f", "#d0d7de", "#ffffff"
TRAIN, VALIDATION = "#0072b2", "#d55e00"
"""Two of Okabe and Ito's colours, which colour-blind readers can tell apart."""
VARIABLES = {INK: "ink", GRID: "grid", PAPER: "paper", TRAIN: "train", VALIDATION: "validation"}
"""The name of the CSS variable (`--rg-…`) for each colour."""
WIDTH = 5.2
"""Of every chart, in inches: small, so that its words stay legible where it shrinks to the screen of a telephone."""
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
        "curves.svg": curves([record], english),
        "confusion.svg": confusion([record], english, record.dataset.classes),
    }


def curves(records: Sequence[Record], words: Language) -> str:
    """Cross-entropy above accuracy, by epoch, training and validation; one line a seed, the kept epoch as a dot."""
    with _style():
        figure = Figure(figsize=(WIDTH, 5.4), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        for record in records:
            _curve(above, record, "cross_entropy", len(records))
            _curve(below, record, "accuracy", len(records))
        longest = max(len(record.history) for record in records)
        below.set_xlim(0.5, longest + 0.5)
        below.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
        below.set_xlabel(words.gettext("Epoch"))
        above.set_title(words.gettext("Cross-entropy"))
        below.set_title(words.gettext("Accuracy"))
        for axes in (above, below):
            axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        digits = _digits(above.get_yticks())
        above.yaxis.set_major_formatter(lambda value, _: words.number(value, digits))
        shares = _digits(100 * below.get_yticks())
        below.yaxis.set_major_formatter(lambda value, _: words.percent(value, shares))
        above.plot([], [], "-", color=TRAIN, label=words.gettext("training"))
        above.plot([], [], "--", color=VALIDATION, label=words.gettext("validation"))
        above.plot([], [], "o", color=INK, markersize=5, label=words.gettext("kept epoch"))
        figure.legend(loc="outside upper left", ncols=3, handlelength=1.6, columnspacing=1.2, handletextpad=0.5)
        return _svg(figure)


def _curve(axes: Axes, record: Record, quantity: str, runs: int) -> None:
    """One quantity of one run: training drawn through, validation dashed, so that colour is not all that tells them."""
    epochs = np.arange(1, len(record.history) + 1)
    kept = record.stopping.restored_epoch
    for name, colour, dash in ((quantity, TRAIN, "-"), (f"val_{quantity}", VALIDATION, "--")):
        values = np.array([getattr(epoch, name) for epoch in record.history])
        axes.plot(epochs, values, dash, color=colour, linewidth=1.8 if runs == 1 else 1.2)
        axes.plot(kept, values[kept - 1], "o", color=colour, markersize=5)


def confusion(records: Sequence[Record], words: Language, classes: Sequence[str]) -> str:
    """Labels (rows) against predictions (columns), in per cent of each label, summed over seeds.

    What is right (the diagonal) has one colour, what is wrong the other. The square root of the share is the strength
    of the colour, for else the mistakes, which are the smaller numbers, would hardly show; the number is printed.
    """
    counts = np.sum([record.confusion for record in records], axis=0).astype(float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = len(classes)
    with _style():
        figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
        axes = figure.subplots()
        for (row, column), share in np.ndenumerate(shares):
            # Never so strong that the number, in the colour of text, becomes hard to read in a light or a dark page.
            strength = round(0.55 * float(np.sqrt(share)), 3)
            colour = TRAIN if row == column else VALIDATION
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=colour, linewidth=0, alpha=strength))
            axes.text(column, row, words.number(100 * share, 0), ha="center", va="center", fontsize=11)
        axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
        axes.set_xticks(range(size), classes, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(size), classes)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        axes.set_xlabel(words.gettext("Prediction"))
        axes.set_ylabel(words.gettext("Label"))
        return _svg(figure)


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


@contextmanager
def _style() -> Iterator[None]:
    """Matplotlib's own defaults and `STYLE`, whatever a matplotlibrc says; everything as before afterwards."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def _digits(ticks: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    """The fewest decimals that tell all `ticks` apart, at most four."""
    return next((digits for digits in range(4) if np.allclose(np.round(ticks, digits), ticks, atol=1e-6)), 4)


def _svg(figure: Figure) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
