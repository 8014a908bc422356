"""The record of a pretraining: how weights came about that later runs start from, as a JSON file.

Type, reader and writer stand together here, as those of a run do in `record`. The weights themselves are another file,
outside the repository; the SHA-256 of its content ties the two, and names the record:

    pretraining/<data set>-<pixels>px-<hash>.json

Accuracies are fractions from 0 to 1, cross-entropies in nats, times in seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from reportgen.record import (
    Count,
    Environment,
    Fraction,
    Nats,
    Network,
    Part,
    Positive,
    Seconds,
    Setting,
    Sha256,
    read_as,
    write_as,
)


class PretrainingEpoch(Part):
    """A number of training steps, and a validation behind them."""

    loss: Nats
    """What was minimised, on the images as augmented: with label smoothing it cannot reach zero."""
    accuracy: Fraction
    """Of the same images, while the weights changed."""
    val_top1: Fraction
    """The fraction of validation images whose most probable class is their label."""
    val_top5: Fraction
    """The fraction whose label is among the five most probable classes."""
    val_cross_entropy: Nats
    """Without label smoothing."""
    seconds: Seconds


class PretrainingData(Part):
    """The images that the pretraining saw."""

    name: str
    """A short name that stands for these images in the report."""
    classes: Annotated[int, Field(ge=2)]
    train: Positive
    validation: Positive
    """Images of each part."""
    files: Annotated[tuple[str, ...], Field(min_length=2)]
    """The names of the files that were read."""
    resized: Count
    """Images that did not have the size that was trained on."""
    grey: Count
    """Images without colour, of which the three channels were made equal."""
    sha256: Sha256
    """Over the pixels, as resized, and labels of the training images, then of those for validation."""


class Pretraining(Part):
    """One pretraining, finished or not."""

    schema_version: Literal[1] = 1
    architecture: str
    """The name of the network whose weights were trained."""
    preprocessing: str
    """How pixels are prepared for these weights, in the words of a run's setting `pixel_scaling`."""
    weights_sha256: Sha256
    """Of the file of weights."""
    seed: Count
    precision: str
    command: str
    """What to type, in the root of the repository, to repeat it."""
    started: AwareDatetime
    """The first time, if it went on later."""
    seconds: Seconds
    """Training and validation over all sittings, by the wall clock."""
    sources: dict[str, Sha256]
    """The fingerprint of every source file that it depends on, by relative path."""
    dataset: PretrainingData
    environment: Environment
    network: Network
    """With the classification head, which the file of weights leaves out."""
    settings: dict[str, Setting]
    """Everything else that was chosen, by its name."""
    epochs: Positive
    """Epochs asked for; the history has those that were done."""
    steps_per_epoch: Positive
    batch_size: Positive
    history: Annotated[tuple[PretrainingEpoch, ...], Field(min_length=1)]
    """The last epoch's validation is that of the weights in the file."""

    @property
    def finished(self) -> bool:
        """Whether every epoch that was asked for was done."""
        return len(self.history) == self.epochs

    @property
    def passes(self) -> float:
        """How many times every training image was seen, on average."""
        return len(self.history) * self.steps_per_epoch * self.batch_size / self.dataset.train

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if len(self.history) > self.epochs:
            raise ValueError(f"history has {len(self.history)} epochs, but epochs is {self.epochs}")
        if any(epoch.val_top5 < epoch.val_top1 for epoch in self.history):
            raise ValueError("history has an epoch whose val_top5 is below its val_top1")
        return self


def read(file: Path) -> Pretraining:
    """Read and validate one record.

    Raises:
        RecordError: the file is missing, truncated, of another version, or a field is missing or wrong.
    """
    return read_as(file, Pretraining)


def read_all(folder: Path) -> dict[Path, Pretraining]:
    """Read every record in `folder`, by file, sorted; none where there is no such folder.

    Raises:
        RecordError: a file cannot be read.
    """
    return {file: read(file) for file in sorted(folder.glob("*.json"))}


def write(record: Pretraining, file: Path) -> Path:
    """Write `record`, whole or not at all, and return the file."""
    return write_as(record, file)
