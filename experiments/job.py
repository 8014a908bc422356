"""A job: one run that was asked for, what can be told of it without Keras, and the files that it leaves."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

from experiments import catalogue
from experiments.data import SIDE
from experiments.environment import ROOT, python
from experiments.project import Project
from experiments.scaling import Scaling
from experiments.vgg16 import SCALINGS, Start, start_of
from reportgen import record
from reportgen.errors import ReportError
from reportgen.fingerprint import dependencies, fingerprints
from reportgen.record import Record

RESULTS = (ROOT / "experiments" / "results").resolve()
"""The recorded runs, which are committed; where that folder is a link, as to another disk, what it leads to."""

SEEDS = (0, 1, 2)
"""Three runs of each project, the fewest that show a spread."""
OWN_PREPROCESSING = "own-preprocessing"
"""In the name of a variant whose pixels are prepared as its weights expect."""
PRETRAINED = "imagenet"
"""What a project declares whose VGG16 starts from weights that are not random."""
RANDOM = "random"
"""What a run records as its weights that started from none, and the name of such a variant."""
TAKEN = re.compile(rf"^({PRETRAINED}|{RANDOM})$|(^|-)(\d+px|batch-\d+|\d+-epochs|{OWN_PREPROCESSING})(-|$)")
"""What the name of a variant says of other things than its weights."""
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
    epochs: int | None = None
    """The most epochs; a schedule that follows the training is as long."""

    def of(self, declared: Project) -> Project:
        """`declared` in these sizes."""
        training = declared.training
        return dataclasses.replace(
            declared,
            image_size=self.image or declared.image_size,
            training=dataclasses.replace(
                training, batch_size=self.batch or training.batch_size, epochs=self.epochs or training.epochs
            ),
        )

    def besides(self, declared: Project) -> Sizes:
        """Those that `declared` does not have anyway."""
        return Sizes(
            self.image if self.image != declared.image_size else None,
            self.batch if self.batch != declared.training.batch_size else None,
            self.epochs if self.epochs != declared.training.epochs else None,
        )

    @property
    def arguments(self) -> list[str]:
        """The sizes as options of the command line."""
        return [
            *(("--image-size", str(self.image)) if self.image else ()),
            *(("--batch-size", str(self.batch)) if self.batch else ()),
            *(("--epochs", str(self.epochs)) if self.epochs else ()),
        ]

    @property
    def words(self) -> list[str]:
        """The sizes as parts of a variant's name."""
        return [
            *([f"{self.image}px"] if self.image else []),
            *([f"batch-{self.batch}"] if self.batch else []),
            *([f"{self.epochs}-epochs"] if self.epochs else []),
        ]


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
    preprocessing: str = "study"
    """`study`: pixels as the project declares. `weights`: as the weights that it starts from expect."""
    allow_unfinished: bool = False
    """Start from weights whose pretraining has not ended."""
    random_weights: bool = False
    """Let VGG16 start from random weights where the project does not: a control, which tells what the others are worth.
    """

    @property
    def chooses_weights(self) -> bool:
        """Whether the options on weights decide anything: not where VGG16, if any, starts from random ones anyway."""
        return self.profile != "smoke" and catalogue.load(self.project).weights == PRETRAINED

    @cached_property
    def start(self) -> Start | None:
        """The weights that the project's VGG16 starts from; None where it has none, or only random ones.

        Raises:
            ReportError: they are not what they promise, or have not ended.
        """
        if self.random_weights or not self.chooses_weights:
            return None
        return start_of(self.vgg16_weights, allow_unfinished=self.allow_unfinished)

    @property
    def scaling(self) -> Scaling | None:
        """How pixels are scaled if not as the project declares.

        Raises:
            ReportError: as the weights expect, and nobody has said how that is.
        """
        if self.preprocessing == "study" or self.start is None:
            return None
        if self.start.expects is None:
            raise ReportError(
                f"{self.vgg16_weights}: --preprocessing weights needs a file with a card that says what it expects, "
                "as `python -m experiments pretrain` leaves one."
            )
        return self.start.expects

    @property
    def caution(self) -> str | None:
        """What a user should know before the run: that its figures will tell less than they seem to."""
        expected = self.start.expects if self.start else None
        if self.precision == "float32" or expected in (None, self.declared.pixel_scaling):
            return None
        return (
            f"its pixels are prepared as {self.declared.pixel_scaling} and its weights expect {expected}. What little "
            f"then tells one image from another is lost in part to the rounding of {self.precision}; with float32 the "
            "figures show the preparation alone."
        )

    @property
    def variant(self) -> str | None:
        """What tells the run from those of the project as it is declared."""
        words = []
        if self.start and self.start.name != PRETRAINED:
            called, mark = record.slug(self.start.name), str(self.start.sha256)[:8]
            # A file may be called as it likes, but not as what else tells a run from the others.
            words.append(f"{called}-{mark}" if TAKEN.search(called) else called or f"weights-{mark}")
        elif self.random_weights and self.chooses_weights:
            words.append(RANDOM)
        if self.scaling:
            words.append(OWN_PREPROCESSING)
        words += self.sizes.besides(catalogue.load(self.project)).words
        return "-".join(words) or None

    @property
    def declared(self) -> Project:
        """The project as it is to be trained."""
        return scaled(self.sizes.of(catalogue.load(self.project)), self.scaling)

    @property
    def folder(self) -> Path:
        """Where its record goes."""
        return record.folder(self.results, self.project, self.seed, self.variant)

    @property
    def name(self) -> str:
        """What a user calls it."""
        return f"{self.project} seed {self.seed}" + (f" ({self.variant})" if self.variant else "")

    @property
    def command(self) -> str:
        """What repeats the run; a folder of images is not named, for it differs from machine to machine."""
        source = spoken(self.source)
        return (
            f"{python()} -m experiments run {self.project} --seed {self.seed} --profile {self.profile} "
            f"--precision {self.precision} --data {source} --force"
            + (" --vgg16-weights FILE" if self.vgg16_weights and self.chooses_weights else "")
            + "".join(f" {word}" for word in self._started if self.chooses_weights)
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
            *self._started,
        ]

    @property
    def _started(self) -> list[str]:
        return [
            *(("--random-weights",) if self.random_weights else ()),
            *(("--preprocessing", self.preprocessing) if self.preprocessing != "study" else ()),
            *(("--allow-unfinished",) if self.allow_unfinished else ()),
        ]


def repeated(jobs: Sequence[Job]) -> list[str]:
    """The commands that train these `jobs`, one a project, and go on with those that were cut off."""
    seeds: dict[tuple[str, ...], list[str]] = {}
    for job in jobs:
        begun = dataclasses.replace(job, restart=False)
        if not job.chooses_weights:
            begun = dataclasses.replace(
                begun, vgg16_weights=None, preprocessing="study", allow_unfinished=False, random_weights=False
            )
        name, option, seed, *others = begun.arguments
        seeds.setdefault((name, *others), []).extend((option, seed))
    return [
        f"{python()} {shlex.join(['-m', 'experiments', 'run', name, *named, *others, '--force'])}"
        for (name, *others), named in seeds.items()
    ]


def spoken(source: str) -> str:
    """Where images come from, as a command that others can type names it: a folder stands elsewhere with them."""
    return source if source in ("keras", "sample") else "DIR"


def scaled(declared: Project, scaling: str | None) -> Project:
    """`declared`, fed with pixels that are scaled as `scaling` says; None: as it declares."""
    known = next((name for name in SCALINGS if name == scaling), declared.pixel_scaling)
    return dataclasses.replace(declared, pixel_scaling=known)


def departures(done: Record) -> tuple[Sizes, str | None]:
    """In which sizes and which scaling of pixels a recorded run departs from its project, as its variant's name tells.

    What it has in common with the project is left out, so that a change of the project is not taken for its own.
    """
    name = f"-{done.variant or ''}"
    trained = {"image_size": SIDE} | done.settings
    image, batch, epochs = (
        (size, None) if isinstance(size := trained.get(setting), int) else (None,)
        for setting in ("image_size", "batch_size", "epochs")
    )
    # Those that name more come first, for a name that ends in all of them ends in the last one, too.
    possible = (Sizes(*found) for found in product(image, batch, epochs))
    sizes = next(found for found in possible if name.endswith(_suffix(found)))
    return sizes, str(done.settings["pixel_scaling"]) if OWN_PREPROCESSING in name else None


def _suffix(sizes: Sizes) -> str:
    return "".join(f"-{word}" for word in sizes.words)


def sources(identifier: str) -> dict[str, str]:
    """The fingerprints of everything that decides the numbers of a project's runs, by path relative to the root."""
    script = catalogue.script(identifier).relative_to(ROOT).as_posix()
    entries = [script, "experiments/train.py"]
    if catalogue.load(identifier).weights == PRETRAINED:
        entries.append("experiments/vgg16.py")
    return fingerprints(dependencies(entries, ROOT), ROOT)


def keep(done: Record, mistakes: bytes | None, results: Path) -> None:
    """Write a finished run into its folder below `results`: the sheet of its `mistakes`, a PNG, if any, and its record.

    The record takes its place first, when all that is new is on the disk; what an earlier run left there ends with its
    record, and not before.

    Raises:
        ReportError: the disk does not take it. As long as the record could not take its place, what an earlier run left
            is whole.
    """
    folder = record.folder_of(done, results)
    written = {folder / record.RECORD_FILE: record.dumps(done).encode("utf-8")}
    if mistakes is not None:
        written[folder / MISTAKES] = mistakes
    try:
        folder.mkdir(parents=True, exist_ok=True)
        record.write_together(written)
        for name in (record.CONFIRMATIONS_FILE, *FIGURES, *([MISTAKES] if mistakes is None else [])):
            (folder / name).unlink(missing_ok=True)
    except OSError as problem:
        raise ReportError(f"{folder}: the record cannot be written ({problem.strerror}).") from problem
