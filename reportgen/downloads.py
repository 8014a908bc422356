"""What a reader takes along: the results of all projects, every record, and the report on paper."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from reportgen.facts import Fact, ProjectFacts
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
"""Accuracies are fractions, cross-entropies in nats; what is not known is empty (CSV) or null (JSON)."""


class Downloads(PageTools):
    """What a page may call for downloads."""

    NAMES = ("downloads",)

    def downloads(self) -> str:
        """Links to the results as CSV and JSON, to every record, and to the PDF if this site has one."""
        rows = [self._row(known) for known in self.edition.material.facts.values()]
        stream = io.StringIO()
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.assets["assets/results.csv"] = stream.getvalue()
        self.assets["assets/results.json"] = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        records = [
            (name, [(run.seed, self.link(self.asset(run, "record.json"))) for run in runs])
            for project, known in self.edition.material.facts.items()
            for name, runs in (
                (self.short(project), known.records),
                *((f"{self.short(project)} ({self.briefly(one)})", one.records) for one in known.variants),
            )
            if runs
        ]
        files = [("CSV", self.link("assets/results.csv")), ("JSON", self.link("assets/results.json"))]
        return self.edition.html("downloads", files, records, self.link(PDF) if self.edition.material.printed else None)

    def _row(self, known: ProjectFacts) -> dict[str, Any]:
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
