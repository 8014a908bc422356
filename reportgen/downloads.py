"""What a reader takes along: the results of all projects, every record, and the report on paper."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from reportgen.facts import Fact, ProjectFacts
from reportgen.record import Record
from reportgen.tools import PageTools

PDF = "assets/report.pdf"
"""Where the report as a PDF stands, within a language's folder."""
COLUMNS = (
    "project",
    "title",
    "of_the_study",
    "published_test_accuracy",
    "published_test_cross_entropy",
    "published_train_accuracy",
    "published_train_cross_entropy",
    "published_parameters",
    "published_seconds",
    "reproduced_test_accuracy",
    "reproduced_test_accuracy_sd",
    "reproduced_test_cross_entropy",
    "reproduced_test_cross_entropy_sd",
    "reproduced_train_accuracy",
    "reproduced_train_cross_entropy",
    "reproduced_seconds",
    "seeds",
)
"""Of all runs of a project. Accuracies are fractions, cross-entropies in nats, times in seconds; what is not known is
empty (CSV) or null (JSON).
"""
PARTS = ("test", "validation", "train")
RUN = (
    *("project", "variant", "seed"),
    *(f"{part}_{metric}" for part in PARTS for metric in ("accuracy", "cross_entropy")),
    *("epochs", "kept_epoch", "seconds", "side_by_side", "precision", "backend", "device", "dataset"),
    *("parameters", "profile", "started", "git_commit", "git_clean"),
)
"""Of one run, in the same units; behind these stands a column for each setting that any of them has."""


class Downloads(PageTools):
    """What a page may call for downloads."""

    NAMES = ("downloads",)

    def downloads(self) -> str:
        """Links to the results and all runs as CSV and JSON, to every record, and to the PDF if this site has one."""
        words, facts = self.edition.words, self.edition.material.facts
        results = self._table("results", COLUMNS, [self._of_project(known) for known in facts.values()])
        runs = [_of_run(run) for known in facts.values() for run in known.every_record]
        columns = [*RUN, *sorted({name for run in runs for name in run} - {*RUN})]
        runs = [dict.fromkeys(columns) | run for run in runs]
        tables = [
            (words.gettext("The results of all projects"), results),
            *([(words.gettext("All runs, one per line"), self._table("runs", columns, runs))] if runs else []),
        ]
        records = [
            (name, [(run.seed, self.link(self.asset(run, "record.json"))) for run in runs])
            for project, known in facts.items()
            for name, runs in (
                (self.short(project), known.records),
                *((self.called(project, one), one.records) for one in known.variants),
            )
            if runs
        ]
        printed = self.link(PDF) if self.edition.material.printed else None
        return self.edition.html("downloads", tables, records, printed)

    def _table(self, name: str, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
        """Leave `rows` as a file of each format, and return the formats with their links."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        written = {"csv": stream.getvalue(), "json": json.dumps(rows, ensure_ascii=False, indent=1) + "\n"}
        files = {kind: f"assets/{name}.{kind}" for kind in written}
        self.assets.update({files[kind]: text for kind, text in written.items()})
        return [(kind.upper(), self.link(file)) for kind, file in files.items()]

    def _of_project(self, known: ProjectFacts) -> dict[str, Any]:
        study, runs = known.published, known.reproduced
        facts: tuple[Fact, ...] = (
            *(study.test.accuracy, study.test.cross_entropy, study.train.accuracy, study.train.cross_entropy),
            *(study.parameters.total, study.seconds),
            *(runs.test.accuracy.mean, runs.test.accuracy.sd),
            *(runs.test.cross_entropy.mean, runs.test.cross_entropy.sd),
            *(runs.train.accuracy.mean, runs.train.cross_entropy.mean, runs.seconds.mean),
        )
        values = (*(fact.exact for fact in facts), len(known.records))
        return dict(
            zip(COLUMNS, (known.identifier, self.full_title(known.identifier), known.studied, *values), strict=True)
        )


def _of_run(run: Record) -> dict[str, Any]:
    metrics = [value for part in PARTS for value in (getattr(run, part).accuracy, getattr(run, part).cross_entropy)]
    there = run.environment
    values = (
        *(run.project, run.variant, run.seed),
        *metrics,
        *(len(run.history), run.stopping.restored_epoch, run.seconds, there.side_by_side),
        *(run.precision, there.backend, there.device, run.dataset.name),
        *(run.network.parameters, run.profile, run.started.isoformat(), there.git_commit, there.git_clean),
    )
    return dict(zip(RUN, values, strict=True)) | {f"setting_{name}": value for name, value in run.settings.items()}
