"""Records to SVG, in a language. Drawn once in plain colours; `themed` lets a page's style sheet choose them.

Deterministic: the same records give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import matplotlib.patches
import numpy as np
from markupsafe import escape
from matplotlib.figure import Figure

from reportgen.language import Language, language
from reportgen.record import Record

INK, GRID, PAPER = "#24292f", "#d0d7de", "#ffffff"
TRAIN, VALIDATION = "#0072b2", "#d55e00"
"""Two of Okabe and Ito's colours, which colour-blind readers can tell apart."""
VARIABLES = {INK: "ink", GRID: "grid", PAPER: "paper", TRAIN: "train", VALIDATION: "validation"}
"""The name of the CSS variable (`--rg-…`) for each colour."""
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "reportgen",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": "none",
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
    """Cross-entropy and accuracy by epoch, training and validation; one thin line a seed, the kept epoch as a dot."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        axes = figure.subplots(1, 2)
        for record in records:
            epochs = np.arange(1, len(record.history) + 1)
            kept = record.stopping.restored_epoch
            for axis, key, factor in ((axes[0], "cross_entropy", 1.0), (axes[1], "accuracy", 100.0)):
                for prefix, colour, dash in (("", TRAIN, "-"), ("val_", VALIDATION, "--")):
                    values = factor * np.array([getattr(epoch, prefix + key) for epoch in record.history])
                    axis.plot(epochs, values, dash, color=colour, linewidth=1.6)
                    axis.plot(kept, values[kept - 1], "o", color=colour, markersize=5)
        for axis, title in zip(axes, (words.gettext("Cross-entropy"), words.gettext("Accuracy (%)")), strict=True):
            axis.set_title(title, loc="left", fontsize=12)
            axis.set_xlabel(words.gettext("Epoch"))
            axis.xaxis.get_major_locator().set_params(integer=True)
        axes[0].plot([], [], "-", color=TRAIN, label=words.gettext("training"))
        axes[0].plot([], [], "--", color=VALIDATION, label=words.gettext("validation"))
        axes[0].plot([], [], "o", color=INK, label=words.gettext("kept epoch"))
        axes[0].legend(fontsize=10)
        return _svg(figure)


def confusion(records: Sequence[Record], words: Language, classes: Sequence[str]) -> str:
    """Labels (rows) against predictions (columns), in per cent of each label, summed over seeds."""
    counts = np.sum([record.confusion for record in records], axis=0).astype(float)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with matplotlib.rc_context({**STYLE, "axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}):
        figure = Figure(figsize=(6.4, 5.6), layout="constrained")
        axis = figure.subplots()
        size = len(classes)
        for row in range(size):
            for column in range(size):
                share = shares[row, column]
                colour = TRAIN if row == column else VALIDATION
                cell = matplotlib.patches.Rectangle((column - 0.5, row - 0.5), 1, 1, color=colour, linewidth=0)
                cell.set_alpha(round(float(share) / 100 * 0.75, 3))
                axis.add_patch(cell)
                axis.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=10)
        axis.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
        axis.set_xticks(range(size), classes, rotation=45, ha="right")
        axis.set_yticks(range(size), classes)
        axis.tick_params(length=0)
        axis.set_xlabel(words.gettext("Prediction"))
        axis.set_ylabel(words.gettext("Label"))
        return _svg(figure)


def themed(svg: str, identifier: str, title: str, description: str) -> str:
    """An SVG to put into a page: its colours are the page's, its ids begin with `identifier`, its text the page's font.

    `title` and `description` are what a screen reader says of it.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    used = set(re.findall(r"(?:url\(#|href=\"#)([\w.-]+)", body))
    # Matplotlib names every group; only ids that something refers to may stay, and those must be the page's only ones.
    body = re.sub(r' id="([\w.-]+)"', lambda m: f' id="{identifier}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{identifier}-", body)
    for colour, name in VARIABLES.items():
        body = body.replace(colour, f"var(--rg-{name}, {colour})")
    body = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--rg-font, sans-serif)", body)
    head = re.match(r"<svg[^>]*>", body)
    assert head is not None
    box = re.search(r'viewBox="[^"]*"', head[0])
    assert box is not None
    opening = (
        f'<svg {box[0]} xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'role="img" aria-labelledby="{identifier}-title {identifier}-desc">'
        f'<title id="{identifier}-title">{escape(title)}</title>'
        f'<desc id="{identifier}-desc">{escape(description)}</desc>'
    )
    # Markdown ends a block of HTML at an empty line.
    return re.sub(r"\n\s*\n", "\n", opening + body[head.end() :]).strip()


def _svg(figure: Figure) -> str:
    stream = io.StringIO()
    nothing: dict[str, Any] = {"Date": None, "Creator": None}
    figure.savefig(stream, format="svg", metadata=nothing)
    return stream.getvalue()
