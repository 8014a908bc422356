"""A job: one run that was asked for, and what can be told of it without Keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from experiments import project
from experiments.environment import ROOT
from reportgen.fingerprint import dependencies, fingerprints

RESULTS = ROOT / "experiments" / "results"
"""The recorded runs, which are committed."""

SEEDS = (0, 1, 2)
"""Three runs of each project, the fewest that show a spread."""
FIGURES = ("curves.svg", "confusion.svg")
"""What is drawn from a record and stands beside it."""


@dataclass(frozen=True)
class Job:
    """One project, one seed, and how to run them."""

    project: str
    seed: int
    profile: str
    precision: str
    source: str
    """Where the images come from, as `experiments.data.load` takes it."""
    results: Path
    vgg16_weights: Path | None = None
    """A file of VGG16 weights; None: those of Keras Applications, for the projects that start from them."""
    fresh: bool = False
    """Start over, even where a run that was cut off could go on."""

    @property
    def command(self) -> str:
        """What repeats the run; a folder of images is not named, for it differs from machine to machine."""
        source = self.source if self.source in ("keras", "sample") else "DIR"
        return (
            f"python -m experiments run {self.project} --seed {self.seed} --profile {self.profile} "
            f"--precision {self.precision} --data {source} --force"
            + (" --vgg16-weights FILE" if self.vgg16_weights else "")
        )

    @property
    def arguments(self) -> list[str]:
        """The job as options of the command line, for the process that does it."""
        return [
            self.project,
            *("--seed", str(self.seed)),
            *("--profile", self.profile),
            *("--precision", self.precision),
            *("--data", self.source),
            *("--results", str(self.results)),
            *(("--vgg16-weights", str(self.vgg16_weights)) if self.vgg16_weights else ()),
            *(("--fresh",) if self.fresh else ()),
        ]


def sources(identifier: str) -> dict[str, str]:
    """The fingerprints of everything that decides the numbers of a project's runs, by path relative to the root."""
    script = project.script(identifier).relative_to(ROOT).as_posix()
    return fingerprints(dependencies([script, "experiments/train.py"], "experiments", ROOT), ROOT)
