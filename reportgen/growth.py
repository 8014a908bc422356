"""What many records cost: a recorded run, copied under other names, read and rendered in every language.

The pages show everything that a chapter shows of its project, charts included; what they leave out is the prose.
"""

from __future__ import annotations

import dataclasses
import io
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from matplotlib.figure import Figure

from reportgen import record
from reportgen.build import render_all
from reportgen.errors import ReportError
from reportgen.material import gather
from reportgen.report import CATALOGUE, Report

SEEDS = 10
COUNTS = (10, 100, 1000)
LIMIT_SECONDS = 60.0
"""For the largest of the counts, from nothing."""
LIMIT_GROWTH = 1.5
"""How much dearer a record may be among the most of them than among ten times fewer."""
PAGE = """# {{{{ title("{0}") }}}} {{ #project }}

{{{{ {0}.reproduced.test.accuracy }}}}, {{{{ {0}.reproduced.test.cross_entropy }}}}

{{{{ results("{0}") }}}}

{{{{ layers("{0}") }}}}

{{{{ training_settings("{0}") }}}}

{{{{ curves("{0}") }}}}

{{{{ confusion("{0}") }}}}

{{{{ provenance("{0}") }}}}
"""


@dataclass(frozen=True)
class Point:
    """What so many records took, in seconds by the wall clock."""

    records: int
    pages: int
    """In all languages."""
    reading: float
    """Reading and validating the records, and all that is worked out of them."""
    rendering: float
    """Writing every page in every language as Markdown, its charts as they were drawn before."""
    drawing: float
    """Drawing every chart in every language, which happens once for each content."""

    @property
    def seconds(self) -> float:
        """Reading and rendering."""
        return self.reading + self.rendering

    @property
    def from_nothing(self) -> float:
        """All of it, where no chart was drawn before."""
        return self.seconds + self.drawing


def measure(report: Report, counts: Sequence[int] = COUNTS) -> Iterator[Point]:
    """A point for each of `counts` records, ten a project, made of the first recorded run of `report`.

    Raises:
        ReportError: there is no recorded run to copy.
    """
    runs = record.read_all(report.results)
    if not runs:
        raise ReportError(f"{report.relative(report.results)}: there is no recorded run to copy.")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            yield _point(report, runs[0], count, Path(folder))


def _point(report: Report, run: record.Record, count: int, root: Path) -> Point:
    copied = dataclasses.replace(report, root=root, docs=root / "docs", results=root / "results")
    shutil.copy(report.root / "mkdocs.yml", root)
    projects = [f"copy_{number}" for number in range(-(-count // SEEDS))]
    for number in range(count):
        record.write(_copy(run, projects[number // SEEDS], number), copied.results)
    for code in copied.languages:
        pages = copied.docs / code
        pages.mkdir(parents=True)
        shutil.copy(report.docs / code / CATALOGUE, pages)
        for project in projects:
            (pages / f"{project}.md").write_text(PAGE.format(project), encoding="utf-8")
    began = time.perf_counter()
    material = gather(copied)
    middle = time.perf_counter()
    render_all(material)
    drawn = time.perf_counter()
    render_all(material)
    rendering = time.perf_counter() - drawn
    return Point(
        count,
        len(material.pages) * len(copied.languages),
        middle - began,
        rendering,
        max(0.0, drawn - middle - rendering),
    )


def _copy(run: record.Record, project: str, number: int) -> record.Record:
    """`run` under another name, with a history and a confusion of its own, so that no chart is found drawn already."""
    shifted = [
        epoch.model_copy(update={"cross_entropy": epoch.cross_entropy * (1 + number / 1000)})
        for epoch in run.history[:1]
    ]
    return run.model_copy(
        update={
            "project": project,
            "variant": None,
            "seed": number % SEEDS,
            "history": (*shifted, *run.history[1:]),
            "confusion": tuple(_shuffled(row, k, Random(number)) for k, row in enumerate(run.confusion)),
        }
    )


def _shuffled(row: Sequence[int], right: int, random: Random) -> tuple[int, ...]:
    """A row of a confusion matrix with its mistakes dealt out anew."""
    wrong = [*row[:right], *row[right + 1 :]]
    random.shuffle(wrong)
    return (*wrong[:right], row[right], *wrong[right:])


def times(points: Sequence[Point]) -> float:
    """How many times dearer a record is at the last point than at the one before; 1 is linear."""
    before, last = points[-2:]
    return (last.seconds / last.records) / (before.seconds / before.records)


def curve(points: Sequence[Point]) -> str:
    """The points as an SVG: seconds by records, both on logarithmic scales, beside the limit and a straight line."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    records = [point.records for point in points]
    axes.loglog(records, [point.from_nothing for point in points], marker="o", label="from scratch, charts drawn")
    axes.loglog(records, [point.seconds for point in points], marker="o", label="read and rendered")
    axes.loglog(records, [point.reading for point in points], marker="o", label="read")
    slope = points[0].seconds / points[0].records
    axes.loglog(records, [slope * count for count in records], linestyle=":", color="grey", label="linear")
    axes.loglog(records[-1:], [LIMIT_SECONDS], marker="_", markersize=20, color="black", linestyle="", label="limit")
    axes.set(xlabel="records", ylabel="seconds")
    axes.legend()
    stream = io.StringIO()
    figure.savefig(stream, format="svg")
    return stream.getvalue()
