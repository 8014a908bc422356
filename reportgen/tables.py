"""The tables of a page, and single values that are read off records. Each function returns Markdown or HTML."""

from __future__ import annotations

import difflib
import math
import re
import statistics
from collections import Counter
from collections.abc import Sequence

from reportgen import fingerprint
from reportgen.bench import Bench
from reportgen.edition import NOTHING, shape
from reportgen.errors import ReportError, did_you_mean
from reportgen.facts import Fact, Origin, ProjectFacts, Quoted, Variant
from reportgen.language import Language
from reportgen.record import Declaration, Layer, Network, Record
from reportgen.tools import PageTools

MOST_LISTED = 8
"""Layers that are told one by one where they change; of more, only how many there are of each type."""

MARKUP = re.compile(r'[&<>"|*_`~^{}\[\]\\]')
"""What Markdown, HTML or an extension of MkDocs may take for more than a character."""


def escaped(text: str) -> str:
    """`text` in which no character is markup, in a sentence of Markdown as in a cell."""
    return MARKUP.sub(lambda found: f"&#{ord(found[0])};", text)


class Tables(PageTools):
    """What a page may call for tables and values."""

    NAMES = (
        "title",
        "ladder",
        "variant",
        "variants",
        "results",
        "layers",
        "training_settings",
        "changes",
        "provenance",
        "pretrainings",
        "bench",
        "setting",
        "dataset",
    )

    def title(self, name: str) -> str:
        """What a project is called, for a heading, a sentence or a cell, in which no character of it is markup."""
        return escaped(self.full_title(name))

    def ladder(self) -> str:
        """All projects in one table, one below the other, each with its variants and a link to its chapter."""
        rows, chapters = [], self.edition.material.chapters
        # Where several pages show a project's results, the one with the fewest others is its chapter.
        shown = Counter(page for pages in chapters.values() for page in pages)
        for identifier, known in self.edition.material.facts.items():
            page = min(chapters.get(identifier, ()), key=shown.__getitem__, default=None)
            # Of the study's projects the table has what the study prints.
            ours = None if known.studied else self.planned(identifier)
            rows.append(
                {
                    "title": self.full_title(identifier),
                    "link": self.page_link(page) if page else None,
                    "facts": known,
                    "variants": self._variants(known),
                    "kind_of_variant": self.kind_of_variant(identifier),
                    "parameters": Fact.of(ours.network.parameters, "count") if ours else None,
                }
            )
        every = [run for known in self.edition.material.facts.values() for run in known.records]
        ladder = "ladder" if self.edition.material.reproduces else "own_ladder"
        return self.edition.html(ladder, rows, self.dataset_names(every))

    def variant(self, project: str) -> ProjectFacts:
        """The facts of a variant, `project/variant`, for a number in a sentence."""
        return self.facts(project)

    def variants(self) -> str:
        """Every run that reproduces nothing, because something else than its seed sets it apart, beside the study."""
        rows = [
            (self.full_title(identifier), known.published, apart, variant, seen)
            for identifier, known in self.edition.material.facts.items()
            for apart, variant, seen in self._variants(known)
        ]
        if not rows:
            return self.missing(self.edition.words.gettext("There is no recorded run of a variant yet."))
        return self.edition.html("variants", rows)

    def results(self, project: str) -> str:
        """What a project's runs measured, beside what the study prints; its variants; what changed since it ran."""
        known = self.facts(project)
        return self.edition.html(
            "results",
            known,
            self.dataset_names(known.records),
            self._changed(known),
            self._variants(known),
            self.kind_of_variant(project),
        )

    def _variants(self, known: ProjectFacts) -> list[tuple[str, Variant, str]]:
        """What sets each variant of a project apart, the variant, and the images that it saw."""
        return [(self.apart(variant), variant, self.dataset_names(variant.records)) for variant in known.variants]

    def _changed(self, known: ProjectFacts) -> list[tuple[str, str | None]]:
        """What changed since the runs of a project and of its variants, and the command that mends it, if any; a
        sentence for all runs of one kind with the same changes.
        """
        words, apart = self.edition.words, self._set_apart(known)
        alike = dict[tuple[tuple[str, ...], str], list[Record]]()
        for run in known.every_record:
            if files := fingerprint.changed(run, self.edition.material.confirmations[run.key], self.report.root):
                alike.setdefault((files, apart.get(run.key, "")), []).append(run)
        return [
            (
                words.gettext(
                    "Changed since the run of seed {seeds}: {files}."
                    if len(runs) == 1
                    else "Changed since the runs of seeds {seeds}: {files}.",
                    seeds=words.enumeration([str(run.seed) for run in runs]) + (f" ({kind})" if kind else ""),
                    files=words.enumeration(list(files)),
                ),
                fingerprint.remedy(runs[0], self.report.root),
            )
            for (files, kind), runs in alike.items()
        ]

    def _set_apart(self, known: ProjectFacts) -> dict[tuple[str, str | None, int], str]:
        """What sets each run of a variant apart, for a label, by the key of its record."""
        return {run.key: self.briefly(variant) for variant in known.variants for run in variant.records}

    def layers(self, project: str) -> str:
        """The layer table of a project's runs, or of what it declares, with the layers inside a layer."""
        plan = self.planned(project)
        if plan is None:
            return self.missing()
        return self.edition.html("layers", plan.network, self.inner_layers(project)) + self._declared(plan)

    def training_settings(self, project: str) -> str:
        """Every setting of a project's runs, or of what it declares, and the precision."""
        plan = self.planned(project)
        if plan is None:
            return self.missing()
        rows = []
        for name, value in (plan.settings | {"precision": plan.precision}).items():
            text = self.in_words(value)
            rows.append((self.edition.words.label(name), text, text == value))  # a name of Keras's stays as it is
        return self.edition.html("settings", rows) + self._declared(plan)

    def _declared(self, *plans: Record | Declaration) -> str:
        """What a table says below it if it does not show runs alone."""
        if all(isinstance(plan, Record) for plan in plans):
            return ""
        words = self.edition.words
        note = words.gettext("As the script declares it: there is no recorded run with these settings yet.")
        return "\n" + self.edition.html("caption", note)

    def changes(self, project: str, since: str) -> str:
        """The layers and settings that differ from another project, by the records or what the projects declare."""
        before, now = self.planned(since), self.planned(project)
        if before is None or now is None:
            return self.missing()
        rows = [*self._layer_changes(before.network, now.network)]
        # A declared precision is a default beside one that somebody chose for a run: that is no change of the project.
        alike = isinstance(before, Record) == isinstance(now, Record)
        old_settings, new_settings = (
            plan.settings | ({"precision": plan.precision} if alike else {}) for plan in (before, now)
        )
        for name in dict.fromkeys([*old_settings, *new_settings]):
            old, new = (self.in_words(settings.get(name)) for settings in (old_settings, new_settings))
            if old != new:
                rows.append((self.edition.words.label(name), old, new))
        words = self.edition.words
        totals = (before.network.parameters, now.network.parameters)
        trained = (before.network.trainable, now.network.trainable)
        if totals[0] != totals[1]:
            rows.append((words.gettext("Parameters"), words.count(totals[0]), words.count(totals[1])))
        elif trained[0] != trained[1]:
            rows.append((words.gettext("Trainable parameters"), words.count(trained[0]), words.count(trained[1])))
        if not rows:
            return self.missing(words.gettext("No layer and no setting changed."))
        return self.edition.html("changes", rows) + self._declared(before, now)

    def _layer_changes(self, before: Network, now: Network) -> list[tuple[str, str, str]]:
        words = self.edition.words
        old, new = ([_described(layer, words) for layer in network.layers] for network in (before, now))
        labels = {
            "insert": words.gettext("Layers added"),
            "delete": words.gettext("Layers removed"),
            "replace": words.gettext("Layers replaced"),
        }
        return [
            (labels[kind], _listed(before.layers[a:b], words), _listed(now.layers[c:d], words))
            for kind, a, b, c, d in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
            if kind != "equal"
        ]

    def provenance(self, project: str) -> str:
        """Of every run of a project and of its variants: when, where and from which sources, and its record."""
        words, material = self.edition.words, self.edition.material
        items, facts = [], self.facts(project)
        apart = self._set_apart(facts)
        for run in facts.every_record:
            known = material.confirmations[run.key]
            changed = fingerprint.changed(run, known, self.report.root)
            items.append(
                {
                    "record": run,
                    "apart": apart.get(run.key),
                    "dataset": self.dataset_name(run.dataset.name),
                    "date": words.date(run.started),
                    "state": words.gettext(fingerprint.state(run, known, self.report.root)),
                    "changed": changed,
                    "remedy": fingerprint.remedy(run, self.report.root),
                    "link": self.link(self.asset(run, "record.json")),
                    "source": material.source_link(run),
                }
            )
        return self.edition.html("provenance", items) if items else self.missing()

    def pretrainings(self) -> str:
        """Every recorded pretraining: on what, how long, how well its weights do, and how complete it is."""
        words, known = self.edition.words, self.edition.material.pretrainings
        if not known:
            return self.missing(words.gettext("There is no recorded pretraining yet."))
        rows = []
        for file, done in known.items():
            target = f"assets/pretraining/{file.name}"
            self.assets[target] = file
            rows.append(
                {
                    "record": done,
                    "dataset": self.dataset_name(done.dataset.name),
                    "last": done.history[-1],
                    "passes": words.decimal(round(done.passes, 2)),
                    "link": self.link(target),
                }
            )
        return self.edition.html("pretrainings", rows)

    def bench(self, group: str | None = None, needed: bool = True) -> str:
        """One group of comparisons, each figure beside its reference; without a group, the machines.

        Where nothing was measured, only the latter says so. A group that is not `needed` may lack where others are.

        Raises:
            ReportError: something was measured, and nothing of a group that is needed.
        """
        benches, words = self.edition.material.benches, self.edition.words
        if not benches:
            return "" if group else self.missing(words.gettext("Nothing has been measured side by side yet."))
        if group is None:
            return "\n\n".join(
                self.edition.html("bench_machine", one, words.date(one.measured), words.decimal(round(one.load, 1)))
                for one in benches
            )
        units = {one.unit for bench in benches for one in bench.comparisons if one.group == group}
        # One unit for all stands at the head; a percentage has its sign beside it.
        common = units.pop() if len(units) == 1 and units != {"%"} else None
        machines = [(bench.environment, rows) for bench in benches if (rows := self._rows(bench, group, common))]
        if not machines and not needed:
            return self.missing(words.gettext("Not measured yet."))
        if not machines:
            groups = ", ".join(sorted({one.group for bench in benches for one in bench.comparisons}))
            raise ReportError(f"'{group}' is not a group of the bench: {groups}.")
        # What all rows stand beside is told once, at the head.
        beside = {row["against"] for _, rows in machines for row in rows}
        against = beside.pop() if len(beside) == 1 else ""
        unit = words.gettext(common) if common else ""
        return self.edition.html("bench", machines, len(benches) > 1, unit, against[:1].upper() + against[1:])

    def _rows(self, bench: Bench, group: str, common: str | None) -> list[dict[str, str]]:
        """The comparisons of a group, each figure with its unit unless all have that in `common`."""
        return [
            {
                "subject": self._measured(one.subject),
                "measured": self._median(one.measured, one.unit, common),
                "against": self._measured(one.against),
                "reference": self._median(one.reference, one.unit, common),
                "ratio": self._significant(statistics.median(one.ratios), self._further(one.ratios)),
                "range": self._range(one.ratios),
            }
            for one in bench.comparisons
            if one.group == group
        ]

    def _measured(self, name: str) -> str:
        """What is compared, in words: a project's title, or the report's own name for it."""
        catalogue = self.edition.catalogue
        return catalogue.bench.get(name) or catalogue.short.get(name) or catalogue.projects.get(name, name)

    def _median(self, rounds: Sequence[float], unit: str, common: str | None) -> str:
        words, median = self.edition.words, statistics.median(rounds)
        if unit == "%":
            return words.percent(median / 100, max(0, self._decimals(median)))
        return self._significant(median) if common else f"{self._significant(median)} {words.gettext(unit)}"

    def _range(self, rounds: Sequence[float]) -> str:
        """From the least to the greatest, where there are several."""
        if len(rounds) == 1:
            return ""
        further = self._further(rounds)
        low, high = (self._significant(end, further) for end in (min(rounds), max(rounds)))
        return self.edition.words.gettext("{low} to {high}", low=low, high=high)

    def _further(self, rounds: Sequence[float]) -> int:
        """Further digits for a range and its median: whether it holds 1 is what it is read for, and no rounding may say
        otherwise, nor set the median outside of it."""
        others = [end for end in (min(rounds), max(rounds)) if end != 1]
        return next(
            (more for more in range(3) if all(round(end, self._decimals(end) + more) != 1 for end in others)), 0
        )

    def _significant(self, value: float, further: int = 0) -> str:
        """Three significant digits, as many as rounds on a shared machine bear, and so many `further` ones."""
        decimals = self._decimals(value) + further
        rounded = round(value, decimals)
        if not further:
            decimals = self._decimals(rounded)  # 9.996 is 10.0
        return self.edition.words.number(rounded, max(0, decimals))

    def _decimals(self, value: float) -> int:
        """Decimals of three significant digits; below zero, so many digits before the point are zero."""
        return 2 - math.floor(math.log10(value))

    def setting(self, project: str, name: str) -> object:
        """One setting of a project's runs, or of what it declares, for prose.

        Raises:
            ReportError: there is no such project, or it has no such setting.
        """
        plan = self.planned(project)
        if plan is None:
            return self.edition.words.gettext(self.facts(project).reproduced.test.accuracy.absent)
        if name not in plan.settings:
            near = did_you_mean(name, plan.settings)
            raise ReportError(f"'{name}' is not a setting of {project}: {', '.join(plan.settings)}{near}")
        origins = self._origins(project) if isinstance(plan, Record) else ()
        return Quoted(escaped(self.in_words(plan.settings[name])), origins)

    def dataset(self, project: str, part: str) -> Fact:
        """How many images a project's runs had to `train`, for `validation` or to `test`.

        Raises:
            ReportError: there is no such project, or a data set has no such part.
        """
        if part not in (parts := ("train", "validation", "test")):
            raise ReportError(f"'{part}' is no part of a data set: {', '.join(parts)}.")
        runs = self.runs(project)
        images = getattr(runs[0].dataset, part) if runs else None
        absent = self.facts(project).reproduced.test.accuracy.absent
        return Fact.of(images, "count", absent, self._origins(project))

    def _origins(self, project: str) -> tuple[Origin, ...]:
        return (Origin(project, "reproduced"),)


def _described(layer: Layer, words: Language) -> str:
    return f"{layer.type} {shape(layer.output_shape[1:], words)}"


def _listed(layers: Sequence[Layer], words: Language) -> str:
    """Layers in a cell of the table of changes."""
    if len(layers) > MOST_LISTED:
        counted = Counter(layer.type for layer in layers)
        return ", ".join(f"{count}\u00a0×\u00a0{name}" for name, count in counted.items())
    return ", ".join(_described(layer, words) for layer in layers) or NOTHING
