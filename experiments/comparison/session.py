"""One session of measuring: everything in turn, and what it leaves."""

from __future__ import annotations

import os
import statistics
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from experiments.comparison import commands, precision, seeds, site, training
from experiments.environment import describe
from reportgen.bench import Bench, Comparison
from reportgen.errors import ReportError

QUICK = ("p01_deeper", "p05_augmentation", "p09_mini_vgg16")
"""One project of each kind: plain, augmented, VGG16."""
PARTS = ("commands", "site", "training", "seeds", "precision")
"""What a session measures, in this order."""
PRECISE = "p01_deeper"
"""The project that is trained to the end in both precisions where nobody names another: small, and recorded with
several seeds.
"""


def compare(
    projects: Sequence[str],
    source: str,
    quick: bool,
    *,
    parts: Collection[str],
    precise: Sequence[str] = (PRECISE,),
) -> Iterator[Bench]:
    """Measure these `parts` for `projects`: the bench so far, each time with one comparison more.

    For `precision`, those in `precise` are trained to the end in both, whatever the `projects`.

    Raises:
        ReportError: what is to be measured cannot be had, or there is nothing to measure.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    environment = describe()
    found: list[Comparison] = []
    for one in _comparisons(projects, source, quick, parts, precise):
        found.append(one)
        yield Bench(
            measured=datetime.now(UTC).replace(microsecond=0),
            quick=quick,
            environment=environment,
            load=load,
            comparisons=tuple(found),
        )
    if not found:
        raise ReportError(
            f"Nothing was measured: of {', '.join(projects)}, seeds are trained side by side for none; "
            f"they are for {', '.join(training.SMALL)}."
        )


def _comparisons(
    projects: Sequence[str], source: str, quick: bool, parts: Collection[str], precise: Sequence[str]
) -> Iterator[Comparison]:
    rounds = 3 if quick else 5
    if "commands" in parts:
        yield from commands.comparisons(rounds)
    if "site" in parts:
        yield from site.comparisons(rounds, (10, 100) if quick else (10, 100, 1000))
    for identifier in projects:
        if "training" in parts:
            yield from training.comparisons(identifier, source, rounds)
        if "seeds" in parts and identifier in training.SMALL:
            yield from seeds.comparisons(identifier, source, rounds)
    if "precision" in parts:
        for identifier in precise:
            yield from precision.comparisons(identifier, source)


def told(one: Comparison) -> tuple[str, str, str, str, str]:
    """A comparison for a terminal: what, on what, the two medians, and their ratio with its spread."""
    measured, reference = statistics.median(one.measured), statistics.median(one.reference)
    low, ratio, high = min(one.ratios), statistics.median(one.ratios), max(one.ratios)
    return (
        one.group,
        one.subject,
        f"{measured:,.4g} {one.unit}",
        f"{reference:,.4g} {one.unit} ({one.against})",
        f"{ratio:.3g} ({low:.3g} to {high:.3g})",
    )
