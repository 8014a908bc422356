"""The figures of a page: charts with their caption and downloads, and pictures that runs left."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reportgen import charts
from reportgen.record import Record
from reportgen.tools import PageTools

MISTAKES = "mistakes.png"


class Figures(PageTools):
    """What a page may call for figures."""

    NAMES = ("curves", "confusion", "mistakes")

    def curves(self, project: str) -> str:
        words, runs = self.edition.words, self.runs(project)
        if not runs:
            return self.missing()
        title = words.gettext("Learning curves")
        caption = words.gettext(
            "Cross-entropy and accuracy by epoch, one line a seed; the dot marks the epoch whose weights were kept."
        )
        kept = "; ".join(
            words.gettext(
                "seed {seed}: kept epoch {epoch} of {epochs}, validation accuracy {accuracy}",
                seed=run.seed,
                epoch=run.stopping.restored_epoch,
                epochs=len(run.history),
                accuracy=words.percent(run.history[run.stopping.restored_epoch - 1].val_accuracy),
            )
            for run in runs
        )
        return self._figure(charts.curves(runs, words), f"curves-{project}", title, kept, caption, "curves.svg", runs)

    def confusion(self, project: str) -> str:
        words, runs = self.edition.words, self.runs(project)
        if not runs:
            return self.missing()
        title = words.gettext("Confusion matrix")
        names = self.class_names(runs[0])
        caption = words.gettext(
            "Of each label (row), the per cent of its test images that were given each prediction, over all seeds."
        )
        best = "; ".join(
            words.gettext("{name}: {share} right", name=name, share=words.percent(_share(runs, k), 0))
            for k, name in enumerate(names)
        )
        return self._figure(
            charts.confusion(runs, words, names), f"confusion-{project}", title, best, caption, "confusion.svg", runs
        )

    def _figure(
        self, svg: str, identifier: str, title: str, text: str, caption: str, file: str, runs: Sequence[Record]
    ) -> str:
        downloads = [
            (f"SVG {run.seed}", self.link(self.asset(run, file))) for run in runs if self.source(run, file).exists()
        ]
        return self.edition.html("figure", Markup(charts.themed(svg, identifier, title, text)), caption, downloads)

    def mistakes(self, project: str) -> str:
        for run in self.runs(project):
            if run.mistakes and self.source(run, MISTAKES).exists():
                image = self.link(self.asset(run, MISTAKES))
                return self.edition.html("mistakes", run, image, self.class_names(run))
        return self.missing()


def _share(runs: Sequence[Record], k: int) -> float:
    total = sum(sum(run.confusion[k]) for run in runs)
    return sum(run.confusion[k][k] for run in runs) / total if total else 0.0
