"""A job: one run that was asked for, what can be told of it without Keras, and the files that it leaves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from experiments import project
from experiments.environment import ROOT
from experiments.project import Project
from reportgen import record
from reportgen.fingerprint import dependencies, fingerprints
from reportgen.record import Record

RESULTS = ROOT / "experiments" / "results"
"""The recorded runs, which are committed."""

SEEDS = (0, 1, 2)
"""Three runs of each project, the fewest that show a spread."""
PRETRAINED = "imagenet"
"""What a project declares whose VGG16 starts from weights that are not random."""
FIGURES = ("curves.svg", "confusion.svg")
"""What is drawn from a record and stands beside it."""
MISTAKES = "mistakes.png"
"""The sheet of the images that the network got wrong with confidence."""


@dataclass(frozen=True)
class Sizes:
    """What a user changes of a project to fit a machine; None: as the project declares it."""

    image: int | None = None
    """The side to which images are resized, in pixels."""
    batch: int | None = None
    """Images in a batch."""

    def __bool__(self) -> bool:
        """Whether anything is changed."""
        return self != Sizes()

    def of(self, declared: Project) -> Project:
        """`declared` in these sizes."""
        training = declared.training
        return dataclasses.replace(
            declared,
            image_size=self.image or declared.image_size,
            training=dataclasses.replace(training, batch_size=self.batch or training.batch_size),
        )

    @property
    def arguments(self) -> list[str]:
        """The sizes as options of the command line."""
        return [
            *(("--image-size", str(self.image)) if self.image else ()),
            *(("--batch-size", str(self.batch)) if self.batch else ()),
        ]

    @property
    def words(self) -> list[str]:
        """The sizes as parts of a folder's name."""
        return [*([f"{self.image}px"] if self.image else []), *([f"batch-{self.batch}"] if self.batch else [])]


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
    restart: bool = False
    """Start over, even where a run that was cut off could go on."""
    deterministic: bool = False
    """Only operations that compute the same bits twice on one machine, though they may be slower."""

    sizes: Sizes = Sizes()

    @property
    def declared(self) -> Project:
        """The project as it is to be trained."""
        return self.sizes.of(project.load(self.project))

    @property
    def name(self) -> str:
        """What a user calls it."""
        return f"{self.project} seed {self.seed}"

    @property
    def command(self) -> str:
        """What repeats the run; a folder of images is not named, for it differs from machine to machine."""
        source = self.source if self.source in ("keras", "sample") else "DIR"
        return (
            f"python -m experiments run {self.project} --seed {self.seed} --profile {self.profile} "
            f"--precision {self.precision} --data {source} --force"
            + (" --vgg16-weights FILE" if self.vgg16_weights else "")
            + (" --deterministic" if self.deterministic else "")
            + "".join(f" {word}" for word in self.sizes.arguments)
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
            *(("--restart",) if self.restart else ()),
            *(("--deterministic",) if self.deterministic else ()),
            *self.sizes.arguments,
        ]


def sources(identifier: str) -> dict[str, str]:
    """The fingerprints of everything that decides the numbers of a project's runs, by path relative to the root."""
    script = project.script(identifier).relative_to(ROOT).as_posix()
    entries = [script, "experiments/train.py"]
    if project.load(identifier).weights == PRETRAINED:
        entries.append("experiments/vgg16.py")
    return fingerprints(dependencies(entries, "experiments", ROOT), ROOT)


def keep(done: Record, mistakes: bytes | None, results: Path) -> None:
    """Write a finished run into its folder below `results`: the sheet of its `mistakes`, a PNG, if any, and its record.

    A record stands for a finished run, so that it is written last; what an earlier run left there ends with it.
    """
    folder = record.folder(results, done.project, done.seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (record.CONFIRMATIONS_FILE, *FIGURES, MISTAKES):
        (folder / name).unlink(missing_ok=True)
    if mistakes is not None:
        with record.replacing(folder / MISTAKES) as stream:
            stream.write(mistakes)
    record.write(done, results)
