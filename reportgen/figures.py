"""The figures of a page: charts in their frames, and pictures that runs left."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args

from markupsafe import Markup
from PIL import Image

from reportgen import charts, frame
from reportgen.cache import Cache, code, kept
from reportgen.claims import METRICS
from reportgen.drawings import (
    INK,
    OTHER,
    REPRODUCTION,
    Box,
    Diagram,
    Dots,
    Drawing,
    Mark,
    Matrix,
    Plane,
    Row,
    Series,
    Spot,
    Unit,
)
from reportgen.errors import ReportError
from reportgen.facts import NOT_RUN, Fact, Machine, ProjectFacts, Summary, Variant, parts_of
from reportgen.features import FILTERS, NEIGHBOURS, Features, Way
from reportgen.record import Record, renamed
from reportgen.tools import PageTools

MISTAKES = "mistakes.png"
SHEET_COLUMNS, SHEET_SCALE, SHEET_GAP = 5, 3, 6
"""How a sheet of images is laid out: images in a row, screen pixels a pixel, and pixels between two images."""


@dataclass(frozen=True)
class Framed:
    """Everything that a chart's frame holds, ready to be written into a page."""

    identifier: str
    title: str
    svg: Markup
    caption: str
    source: str
    table: frame.Table
    downloads: Sequence[tuple[str, str]]
    """Name and link."""
    data: Markup
    """JSON for the script that makes the chart answer; empty where it stays as it is drawn."""
    rows: int
    """How many rows of dots it has, each of which needs its height on a narrow screen, too; 0 for other charts."""


Placed = TypeVar("Placed")


class Figures(PageTools):
    """What a page may call for figures."""

    NAMES = (
        "curves",
        "confusion",
        "mistakes",
        "ladder_chart",
        "gap_chart",
        "accuracy_parameters",
        "accuracy_time",
        "class_chart",
        "network",
        "features",
        "same_class",
    )

    def curves(self, project: str, against: str | None = None) -> str:
        """Loss and accuracy by epoch; with `against`, the validation curves of two projects over each other."""
        if not against and (of_variants := self._of_variants(self.curves, project)):
            return of_variants
        words, runs = self.edition.words, _told(self.runs(project))
        other = _told(self.runs(against)) if against else ()
        if not runs or (against and not other):
            every = [self.runs(name) for name in (project, against) if name]
            return self.missing(
                words.gettext("No recorded run of this project tells its epochs.")
                if all(every)
                else self._unrun(words.gettext("Learning curves"))
            )
        if against:
            names = [(self.short(project), runs), (self.short(against), other)]
            drawing = charts.curves_against(names, words)
            title = words.gettext("Validation: {one} and {other}", one=names[0][0], other=names[1][0])
            kept = "; ".join(f"{name}: {self._kept(records)}" for name, records in names)
            identifier = _identifier("curves", f"{project}-{against}")
        else:
            drawing = charts.curves(runs, words)
            title = words.gettext("Learning curves: {project}", project=self.short(project))
            kept = self._kept(runs)
            identifier = _identifier("curves", project)
        caption = [*self._caution(project), words.gettext("By epoch. The dot marks the epoch whose weights were kept.")]
        if len(runs) > 1 or len(other) > 1:
            caption.append(
                words.gettext(
                    "Thin: each seed. Thick: their mean, as long as all of them train. Band: from the smallest to the "
                    "largest."
                )
            )
        others = {} if against else self._others(project)
        return self._framed(identifier, title, drawing, kept, " ".join(caption), self._records(*runs, *other), others)

    def _of_variants(self, figure: Callable[[str], str], project: str) -> str:
        """The figure of each variant of a project, as long as nothing else of it has run; else nothing."""
        known = self.facts(project)
        return "" if known.records else "\n\n".join(map(figure, known.variant_names))

    def _caution(self, name: str) -> tuple[str, ...]:
        """What a caption says first where a variant stands for its project."""
        project, variant = parts_of(name)
        return (f"{self.kind_of_variant(project)}.",) if variant else ()

    def _others(self, project: str) -> dict[str, str]:
        """Where a script finds the curves of every other project that has a run, by short name."""
        found = {}
        for known in self.edition.material.facts.values():
            if _told(known.records) and known.identifier != project:
                target = f"assets/charts/curves-{known.identifier}.json"
                self.assets[target] = self.edition.once(target, partial(self._curves_data, known))
                found[self.short(known.identifier)] = self.link(target)
        return found

    def _curves_data(self, known: ProjectFacts) -> str:
        return _json(frame.data(charts.curves(_told(known.records), self.edition.words)))

    def _kept(self, runs: Sequence[Record]) -> str:
        words = self.edition.words
        return "; ".join(
            words.gettext(
                "seed {seed}: kept epoch {epoch} of {epochs}, validation accuracy {accuracy}",
                seed=run.seed,
                epoch=run.stopping.restored_epoch,
                epochs=len(run.history),
                accuracy=words.percent(run.history[run.stopping.restored_epoch - 1].val_accuracy),
            )
            for run in runs
        )

    def confusion(self, project: str) -> str:
        """Labels against predictions, over all seeds; of many classes the pairs that are confused most."""
        if of_variants := self._of_variants(self.confusion, project):
            return of_variants
        words, runs = self.edition.words, self.runs(project)
        if not runs:
            return self.missing(self._unrun(words.gettext("Confusion matrix")))
        drawing = charts.confusion(runs, words, self.class_names(self._classes(project)))
        if isinstance(drawing, Matrix):
            title = words.gettext("Confusion matrix: {project}", project=self.short(project))
            caption = words.gettext(
                "Of each label (row), the percentage of its test images that were given each prediction, over all "
                "seeds."
            )
        elif drawing.rows:
            title = words.gettext("The classes confused most: {project}", project=self.short(project))
            caption = words.gettext(
                "Of {n} classes, the pairs confused most: what share of the test images of the first class was taken "
                "for the second, and what share was right, over all seeds.",
                n=len(runs[0].dataset.classes),
            )
        else:
            return self.missing(self._faultless())
        caption = " ".join([*self._caution(project), caption])
        text, source = frame.text(drawing, words), self._records(*runs)
        return self._framed(_identifier("confusion", project), title, drawing, text, caption, source)

    def _classes(self, project: str) -> tuple[str, ...]:
        """The classes that the runs of a project tell apart.

        Raises:
            ReportError: they are not the same in all of them.
        """
        first, *others = self.runs(project)
        for other in others:
            if other.dataset.classes != first.dataset.classes:
                apart = f"the runs of {project} tell different classes apart, and cannot be counted together:"
                if told := renamed(self.runs(project)):
                    what, command = told
                    raise ReportError(
                        f"{apart} on the same images, {what}. Train anew what has other names: `{command}`."
                    )
                found = (
                    f"seed {run.seed} has the {len(run.dataset.classes)} classes of {run.dataset.name}"
                    for run in (first, other)
                )
                raise ReportError(
                    f"{apart} {', '.join(found)}. Keep those on other images in a folder of results of their own."
                )
        return first.dataset.classes

    def ladder_chart(self) -> str:
        """The test accuracy of every project, published and reproduced; below it its variants, beside the study."""
        words = self.edition.words
        series: tuple[Series, ...] = self._series()
        rows = self._rows(
            lambda known: (_mark(known.published.test.accuracy), _summary(known.reproduced.test.accuracy))
        )
        empty = (None,) * (len(series) - 1)
        variants = [
            Row(
                _key(known.identifier, variant),
                f"{self.short(known.identifier)}: {self.briefly(variant)}",
                (_mark(known.published.test.accuracy), *empty, _summary(variant.reproduced.test.accuracy)),
            )
            for known in self.edition.material.facts.values()
            for variant in known.variants
        ]
        if variants:
            called = words.gettext("Variant, no reproduction" if self._reproduces else "Variant")
            series = (*series, Series("variant", called, OTHER, hollow=False))
            rows = [*(Row(row.key, row.label, (*row.marks, None)) for row in rows), *variants]
            projects = [*self.edition.material.facts]
            rows.sort(key=lambda row: projects.index(parts_of(row.key)[0]))
        drawing = Dots(words.gettext("Project"), words.gettext("Test accuracy"), "percent", series, tuple(rows))
        title = words.gettext("Test accuracy of every project")
        return self._of_all("ladder-chart", title, drawing, self._explained())

    def gap_chart(self) -> str:
        """Training accuracy less test accuracy, of every project that has both."""
        words = self.edition.words
        gap = METRICS["gap.accuracy"]
        rows = self._rows(lambda known: (_mark(gap.published(known)), _summary(gap.reproduced(known))))
        across = words.gettext("Training accuracy less test accuracy")
        drawing = Dots(words.gettext("Project"), across, "points", self._series(), tuple(rows), zero=True)
        title = words.gettext("The gap between training and test")
        return self._of_all("gap-chart", title, drawing, self._explained())

    def accuracy_parameters(self) -> str:
        """Test accuracy against the number of parameters."""

        def places(known: ProjectFacts) -> tuple[tuple[float, Mark] | None, tuple[float, Mark] | None]:
            recorded = [float(run.network.parameters) for run in known.records]
            return (
                _place(known.published.parameters.total.value, _mark(known.published.test.accuracy)),
                _place(statistics.fmean(recorded) if recorded else None, _summary(known.reproduced.test.accuracy)),
            )

        words = self.edition.words
        title = words.gettext("Test accuracy against parameters")
        return self._plane("accuracy-parameters", title, words.gettext("Parameters"), "count", places)

    def accuracy_time(self) -> str:
        """Test accuracy against the time of training."""

        def places(known: ProjectFacts) -> tuple[tuple[float, Mark] | None, tuple[float, Mark] | None]:
            return (
                _place(known.published.seconds.value, _mark(known.published.test.accuracy)),
                _place(known.reproduced.seconds.mean.value, _summary(known.reproduced.test.accuracy)),
            )

        words = self.edition.words
        title = words.gettext("Test accuracy against training time")
        note = ""
        machines: dict[Machine, list[str]] = {}
        recorded = [known for known in self.edition.material.facts.values() if known.records]
        for known in recorded:
            if known.reproduced.machine:
                machines.setdefault(known.reproduced.machine, []).append(self.short(known.identifier))
        if recorded and not machines:
            note = words.gettext(
                "Times of the recorded runs are not shown: those of a project come from several machines, or from one "
                "that they shared."
            )
        elif self._reproduces:
            note = words.gettext("The study's machine was another one; only times of one colour can be compared.")
        if len(machines) > 1:
            told = "; ".join(
                f"{words.gettext('{device}, {cores} cores, {backend}', **machine._asdict())}: {', '.join(names)}"
                for machine, names in machines.items()
            )
            note = words.gettext(
                "The study's machine was another one, and the reproduction has several; only times of one machine can "
                "be compared ({machines})."
                if self._reproduces
                else "Only times of one machine can be compared ({machines}).",
                machines=told,
            )
        return self._plane("accuracy-time", title, words.gettext("Training time"), "seconds", places, note)

    def class_chart(self) -> str:
        """The accuracy of each class in every project that has a run, the easiest class first; of many both ends."""
        words = self.edition.words
        recorded = [known for known in self.edition.material.facts.values() if known.records]
        title = words.gettext("Test accuracy by class")
        if not recorded:
            return self.missing(self._unrun(title))
        of_each = {known.identifier: self._classes(known.identifier) for known in recorded}
        classes = of_each[recorded[0].identifier]
        alike = [known for known in recorded if of_each[known.identifier] == classes]
        shares = [[_share(known.records, k) for known in alike] for k in range(len(classes))]
        order = sorted(range(len(classes)), key=lambda k: -statistics.fmean(shares[k]))
        names, half = self.class_names(classes), charts.MOST_CLASSES // 2
        shown = [*order[:half], *order[-half:]] if len(order) > charts.MOST_CLASSES else order
        drawing = Matrix(
            down=words.gettext("Class"),
            across=words.gettext("Project"),
            rows=tuple(names[k] for k in shown),
            columns=tuple(self.short(known.identifier) for known in alike),
            signs=tuple(_signs([self.short(known.identifier) for known in alike])),
            cells=tuple(tuple(round(share, 6) for share in shares[k]) for k in shown),
            diagonal=False,
        )
        caption = words.gettext(
            "Of each class, the percentage of its test images that each project gets right, over all its seeds; the "
            "class that is easiest on average stands first."
        )
        if shown != order:
            told = words.gettext("Of {n} classes, the {half} easiest and the {half} hardest.", n=len(order), half=half)
            caption = f"{caption} {told}"
        if left_out := [self.short(name) for name, found in of_each.items() if found != classes]:
            told = words.gettext("With other classes, and so not shown: {names}.", names=", ".join(left_out))
            caption = f"{caption} {told}"
        runs = [run for known in alike for run in known.records]
        return self._framed("class-chart", title, drawing, frame.text(drawing, words), caption, self._records(*runs))

    def network(self, project: str) -> str:
        """The layers of a project: what shape each gives to what it sees, and where the parameters are."""
        words, plan = self.edition.words, self.planned(project)
        if plan is None:
            return self.missing()
        inner = self.inner_layers(project)
        drawing = Diagram(
            words.gettext("Layer"),
            words.gettext("Output"),
            words.gettext("Parameters, in per cent of all"),
            (words.gettext("with parameters"), words.gettext("without")),
            tuple(
                Box(layer.name, layer.type, layer.output_shape[1:], layer.parameters)
                for outer in plan.network.layers
                for layer in inner.get(outer.name, (outer,))
            ),
        )
        title = words.gettext("The network: {project}", project=self.short(project))
        caption = words.gettext(
            "From the first layer to the last. A block is as high as the sides of its maps and the wider, the more of "
            "them there are; a narrow bar is a vector, and a slice a layer that neither learns nor changes the shape."
        )
        unrun = words.gettext("what the script declares, not run yet")
        source = self._records(plan) if isinstance(plan, Record) else unrun
        return self._framed(
            _identifier("network", project), title, drawing, frame.text(drawing, words), caption, source
        )

    def mistakes(self, project: str) -> str:
        """The most confident mistakes of the first seed that left a sheet of them."""
        if of_variants := self._of_variants(self.mistakes, project):
            return of_variants
        identifier = _identifier("mistakes", project)
        for run in self.runs(project):
            if run.mistakes and self.source(run, MISTAKES).exists():
                sheet = self.link(self.asset(run, MISTAKES))
                small = f"assets/charts/{identifier}.png"
                self.assets[small] = self._without_enlargement(self.source(run, MISTAKES))
                about = {"identifier": identifier, "of": self.short(project), "caution": self._caution(project)}
                classes = self.class_names(run.dataset.classes)
                return self.edition.html("mistakes", about, run, self.link(small), sheet, self._tiles(run), classes)
        words = self.edition.words
        if not self.runs(project):
            return self.missing(self._unrun(words.gettext("Mistakes")))
        if all(run.test.accuracy == 1 for run in self.runs(project)):
            return self.missing(self._faultless())
        return self.missing(words.gettext("No recorded run of this project left a picture of its mistakes."))

    def _faultless(self) -> str:
        return self.edition.words.gettext("No test image of this project was given a wrong prediction.")

    def _unrun(self, figure: str) -> str:
        return self.edition.words.gettext("{figure}: there is no recorded run yet.", figure=figure)

    def features(self) -> str:
        """What each of the pretrained weights sees: filters of its first layer, and images that it finds alike."""
        known = self.edition.material.features
        if not known:
            return self.missing(self.edition.words.gettext("Nobody has looked yet at what recorded weights see."))
        return "\n\n".join(self._seen(file, found) for file, found in known.items())

    def same_class(self, compared_by: str, image_size: int, preprocessing: str | None = None) -> Fact:
        """A share of the table of `features`, for a sentence: of the first weights that were looked at.

        Pixels are prepared as these weights expect unless `preprocessing` names another way.

        Raises:
            ReportError: images are not compared by that.
        """
        if compared_by not in get_args(Way):
            raise ReportError(f"'{compared_by}' is no way in which images are compared: {', '.join(get_args(Way))}.")
        first = next(iter(self.edition.material.features.values()), None)
        if first is None:
            return Fact(None, "percent", NOT_RUN)
        prepared = None if compared_by == "pixels" else preprocessing or first.preprocessing
        return Fact.of(first.same_class(compared_by, prepared, image_size), "percent", NOT_RUN)

    def _seen(self, file: Path, found: Features) -> str:
        words, sheets = self.edition.words, {name: file.with_name(name) for name in (FILTERS, NEIGHBOURS)}
        for picture in sheets.values():
            if not picture.exists():
                return self.missing(words.gettext("{file} is missing.", file=self.report.relative(picture)))
        links, stem = {}, file.parent.name
        for part in (file, *sheets.values()):
            target = f"assets/pretraining/{stem}/{part.name}"
            self.assets[target] = part
            links[part.name] = self.link(target)
        small = f"assets/charts/{stem}-{NEIGHBOURS}"
        self.assets[small] = self._without_enlargement(sheets[NEIGHBOURS])
        sizes = {}
        for name, picture in sheets.items():
            with self._opened(picture) as opened:
                sizes[name] = opened.size
        width, height = sizes[NEIGHBOURS]
        step = (height + SHEET_GAP) // len(found.shown)
        tiles = {"image": self.link(small), "side": step - SHEET_GAP, "step": step, "width": width, "height": height}
        seen = {
            "stem": stem,
            "record": found,
            "weights": self.dataset_name(found.weights),
            "dataset": self.dataset_name(found.dataset),
            "classes": self.class_names(found.classes),
            "filters": sizes[FILTERS],
            "others": words.count(found.images - 1),
            "sizes": sorted({share.image_size for share in found.shares}),
            "ways": list(dict.fromkeys((share.compared_by, share.preprocessing) for share in found.shares)),
            "number": partial(words.number, digits=2),
        }
        return self.edition.html("features", seen, tiles, links)

    @contextmanager
    def _opened(self, picture: Path) -> Iterator[Image.Image]:
        """A picture that a run left.

        Raises:
            ReportError: it is none, or cut off, which may come out only where its pixels are used.
        """
        try:
            with Image.open(picture) as opened:
                yield opened
        except (OSError, SyntaxError) as problem:  # the latter of a PNG whose parts are broken
            raise ReportError(
                f"{self.report.relative(picture)}: no picture, or one that is cut off. If git keeps it, "
                f"`git restore {self.report.relative(picture)}` brings it back; if that is Git LFS, `git lfs pull`."
            ) from problem

    def _without_enlargement(self, sheet: Path) -> bytes:
        """A sheet of images with a pixel for each pixel of theirs: a browser enlarges it just as well."""

        def shrunk() -> bytes:
            with self._opened(sheet) as picture:
                size = (-(-picture.width // SHEET_SCALE), -(-picture.height // SHEET_SCALE))
                stream = io.BytesIO()
                picture.convert("RGB").resize(size, Image.Resampling.NEAREST).save(stream, "PNG", optimize=True)
            return stream.getvalue()

        shrunk_by = code(("figures.py",), ("pillow",))
        content = hashlib.sha256(sheet.read_bytes() + shrunk_by.encode()).hexdigest()
        return kept(self.report.root / "build" / "sheets" / f"{content}.png", shrunk).read_bytes()

    def _tiles(self, run: Record) -> dict[str, object]:
        """Where each image lies on the sheet."""
        height, width = (side * SHEET_SCALE for side in run.dataset.image_shape[:2])
        count = len(run.mistakes)
        columns = min(SHEET_COLUMNS, count)
        places = [divmod(position, columns) for position in range(count)]
        return {
            "width": width,
            "height": height,
            "sheet_width": columns * (width + SHEET_GAP) - SHEET_GAP,
            "sheet_height": -(-count // columns) * (height + SHEET_GAP) - SHEET_GAP,
            "places": [(column * (width + SHEET_GAP), row * (height + SHEET_GAP)) for row, column in places],
        }

    @property
    def _reproduces(self) -> bool:
        return self.edition.material.reproduces

    def _series(self) -> tuple[Series, ...]:
        """The study and the reproduction, and what is ours alone, once it has run; without a study, the results."""
        words = self.edition.words
        if not self._reproduces:
            return (Series("results", words.gettext("Results"), REPRODUCTION, hollow=False),)
        both = (
            Series("published", words.gettext("Study"), INK, hollow=True),
            Series("reproduced", words.gettext("Reproduction"), REPRODUCTION, hollow=False),
        )
        if not self._beyond():
            return both
        return (*both, Series("beyond", words.gettext("Beyond the study"), OTHER, hollow=False, marker="D"))

    def _beyond(self) -> bool:
        return any(known.records and not known.studied for known in self.edition.material.facts.values())

    def _placed(self, known: ProjectFacts, both: tuple[Placed | None, Placed | None]) -> tuple[Placed | None, ...]:
        """What a project has for each of `_series`, from what the study and the runs have of it."""
        study, runs = both
        if not self._reproduces:
            return (runs,)
        if not self._beyond():
            return both
        return (study, runs, None) if known.studied else (None, None, runs)

    def _explained(self) -> str:
        return self.edition.words.gettext(
            "The study's figure is of one run; the reproduction is the mean of its seeds, with their standard "
            "deviation where there are several."
            if self._reproduces
            else "The mean of the seeds, with their standard deviation where there are several."
        )

    def _rows(self, marks: Callable[[ProjectFacts], tuple[Mark | None, Mark | None]]) -> list[Row]:
        rows = [
            Row(key, self.full_title(key), self._placed(known, marks(known)))
            for key, known in self.edition.material.facts.items()
        ]
        return [row for row in rows if any(row.marks)]

    def _plane(
        self,
        identifier: str,
        title: str,
        across: str,
        unit: Unit,
        places: Callable[[ProjectFacts], tuple[tuple[float, Mark] | None, tuple[float, Mark] | None]],
        note: str = "",
    ) -> str:
        words, known = self.edition.words, self.edition.material.facts
        names = {project: self.short(project) for project in known}
        spots = [
            Spot(project, sign, self.full_title(project), self._placed(facts, places(facts)))
            for (project, facts), sign in zip(known.items(), _signs(list(names.values())), strict=True)
        ]
        shown = tuple(spot for spot in spots if any(spot.places))
        if not shown and any(facts.records for facts in known.values()):
            return self.missing(words.gettext("{figure}: of no project are both figures known.", figure=title))
        # A series of which no place is known, as where all runs shared their machines, would be an empty promise.
        every = self._series()
        present = [number for number in range(len(every)) if any(spot.places[number] for spot in shown)]
        series = tuple(every[number] for number in present)
        shown = tuple(replace(spot, places=tuple(spot.places[number] for number in present)) for spot in shown)
        drawing = Plane(
            words.gettext("Project"), across, unit, words.gettext("Test accuracy"), "percent", series, shown
        )
        caption = [words.gettext("Across: a logarithmic scale. What stands beside a dot is its project."), note]
        left_out = [names[spot.key] for spot in spots if not any(spot.places)]
        if left_out:
            caption.append(words.gettext("Not shown: {names}.", names=", ".join(left_out)))
        if any(one.key != "published" for one in series):
            caption.append(self._explained())
        return self._of_all(identifier, title, drawing, " ".join(filter(None, caption)))

    def _of_all(self, identifier: str, title: str, drawing: Dots | Plane, caption: str) -> str:
        """A chart of every project, published and reproduced."""
        words, shown = self.edition.words, _of_runs(drawing)
        runs: list[Record] = []
        for name, known in self.edition.material.facts.items():
            runs += known.records if name in shown else []
            for variant in known.variants:
                runs += variant.records if _key(name, variant) in shown else []
        sources = [words.gettext("the study's printed figures")] if self._reproduces else []
        if runs:
            sources.append(self._records(*runs))
        if not sources:
            return self.missing(self._unrun(title))
        source = words.gettext("{one} and {other}", one=sources[0], other=sources[1]) if sources[1:] else sources[0]
        return self._framed(identifier, title, drawing, frame.text(drawing, words), caption, source)

    def _records(self, *runs: Record) -> str:
        """Where the numbers of `runs` come from, in words."""
        count = len(runs)
        words = self.edition.words
        number = words.gettext("one record") if count == 1 else words.gettext("{n} records", n=count)
        return f"{number} ({self.dataset_names(runs)})"

    def _framed(
        self,
        identifier: str,
        title: str,
        drawing: Drawing,
        text: str,
        caption: str,
        source: str,
        others: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """A chart with all that belongs to it; `others` are files that a script may lay over it, by name."""
        words = self.edition.words
        svg = Cache(self.report.root / "build" / "charts").svg(drawing, words)
        files = {
            "SVG": (f"assets/charts/{identifier}.svg", svg),
            "CSV": (f"assets/charts/{identifier}.csv", frame.csv_text(drawing)),
        }
        for target, content in files.values():
            self.assets[target] = content
        framed = Framed(
            identifier,
            title,
            Markup(charts.themed(svg, identifier, title, text)),
            caption,
            source,
            frame.table(drawing, words),
            [(name, self.link(target)) for name, (target, _) in files.items()],
            Markup("" if isinstance(drawing, Diagram) else _json(frame.data(drawing) | self._for_a_script(others))),
            len(drawing.rows) if isinstance(drawing, Dots) else 0,
        )
        return self.edition.html("figure", framed)

    def _for_a_script(self, others: Mapping[str, str]) -> dict[str, object]:
        """What a script needs beside the drawing: the words of its controls, short names, and what may be laid over."""
        words = self.edition.words
        return {
            "short": {project: self.short(project) for project in self.edition.material.facts},
            "others": [{"name": name, "href": link} for name, link in others.items()],
            "words": {
                "language": self.edition.code,
                "keys": words.gettext("The arrow keys go from value to value."),
                "mean": words.gettext("mean"),
                "seeds": words.gettext("Seeds"),
                "over": words.gettext("Lay over:"),
                "nothing": words.gettext("nothing"),
                "points": words.gettext("pp"),
            },
        }


def _json(value: object) -> str:
    """`value` as JSON that may stand in a page: nothing in it ends a script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _key(project: str, variant: Variant) -> str:
    """What stands for a variant among projects."""
    return f"{project}/{variant.name or 'variant'}"


def _of_runs(drawing: Dots | Plane) -> set[str]:
    """The projects and variants of which a chart shows more than what the study printed."""
    marks: list[tuple[str, tuple[Any, ...]]] = (
        [(row.key, row.marks) for row in drawing.rows]
        if isinstance(drawing, Dots)
        else [(spot.key, spot.places) for spot in drawing.spots]
    )
    return {
        key
        for key, of_each in marks
        if any(mark and one.key != "published" for one, mark in zip(drawing.series, of_each, strict=True))
    }


def _identifier(kind: str, name: str) -> str:
    """Of a figure of a project or a variant, as an anchor and a file's name."""
    return f"{kind}-{name}".replace("/", "-")


def _signs(names: Sequence[str]) -> list[str]:
    """Names without the whole words that all of several begin with: of `Project 0` and `Project 1`, 0 and 1."""
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    common = "".join(letters[0] for letters in alike) if len(names) > 1 else ""
    common = common[: common.rfind(" ") + 1]
    return [name.removeprefix(common) or name for name in names]


def _told(runs: Sequence[Record]) -> Sequence[Record]:
    """Those of the runs that tell their epochs."""
    return tuple(run for run in runs if run.history)


def _mark(fact: Fact) -> Mark | None:
    return None if fact.value is None else Mark(fact.value)


def _summary(summary: Summary) -> Mark | None:
    return None if summary.mean.value is None else Mark(summary.mean.value, summary.sd.value)


def _place(across: float | None, mark: Mark | None) -> tuple[float, Mark] | None:
    return None if across is None or not across or mark is None else (across, mark)


def _share(runs: Sequence[Record], k: int) -> float:
    total = sum(sum(run.confusion[k]) for run in runs)
    return sum(run.confusion[k][k] for run in runs) / total if total else 0.0
