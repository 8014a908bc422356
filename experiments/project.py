"""The vocabulary in which a project says what to train: frozen, typed, and free of any machine-learning library.

A project is one file in `experiments/projects/`. It declares a `PROJECT` and trains nothing:

    PROJECT = Project(network=network, training=Training(batch_size=512, early_stopping=patience(5)))

Its identifier is the name of its file. Listing projects imports neither Keras nor a backend, because a project imports
Keras inside the function that builds its network.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from experiments.scaling import UNIT_INTERVAL, Scaling
from reportgen.errors import ReportError

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

AS_WRITTEN = ConfigDict(strict=True, extra="forbid")
"""Every value by its name and as it is meant: no text that could be read as a number."""
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, config=AS_WRITTEN)
class EarlyStopping:
    """Stop when a quantity has not improved for a number of epochs, and go back to the weights of its best epoch."""

    monitor: Literal["val_loss", "val_accuracy"]
    patience: Positive
    """Epochs without improvement that are allowed."""


def patience(epochs: int) -> tuple[EarlyStopping, ...]:
    """The study's pair of early-stopping rules, in its order: first validation loss, then validation accuracy."""
    return (EarlyStopping("val_loss", epochs), EarlyStopping("val_accuracy", epochs))


@dataclass(frozen=True, config=AS_WRITTEN)
class Adam:
    """The optimizer of every project of the study (Kingma & Ba, 2015), with Keras's defaults for what is not named."""

    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    clipnorm: float | None = None
    """The norm to which the gradient of each weight is clipped; None: not at all."""


@dataclass(frozen=True, config=AS_WRITTEN)
class SGD:
    """Gradient descent with Nesterov's momentum over one cycle of the learning rate (Smith & Topin, 2019).

    The rate rises from zero in a straight line and falls back to zero along a cosine, once in the whole training.
    """

    learning_rate: Annotated[float, Field(gt=0)]
    """Its highest value."""
    momentum: Share
    warmup: Share
    """The part of all steps in which the learning rate rises."""
    weight_decay: float
    """The part of each weight that a step at learning rate 1 takes away; what is only added (a bias) keeps its own."""
    averaging: Share
    """The momentum of a running average of the weights (Polyak & Juditsky, 1992): what is measured and kept."""


@dataclass(frozen=True, config=AS_WRITTEN)
class Augmentation:
    """Random changes of the training images; what they uncover takes the nearest pixel. See Keras's own names."""

    rotation: float
    """The largest angle, in degrees, to either side."""
    shift: Share
    """The largest shift, up, down or sideways, as a fraction of the side."""
    horizontal_flip: bool
    """Whether one image in two is mirrored."""


@dataclass(frozen=True, config=AS_WRITTEN)
class Translation:
    """Random shifts of the training images by whole pixels, filled by reflection, and flips that alternate.

    Each image is mirrored in every other epoch (Jordan, 2024): a coin decides once whether in the even or the odd ones.
    """

    pixels: Annotated[int, Field(ge=0)]
    """The largest shift, up, down or sideways."""
    cutout: Annotated[int, Field(ge=0)] = 0
    """The side of a grey square that covers a place of each image, in pixels (DeVries & Taylor, 2017); 0: none does."""


@dataclass(frozen=True, config=AS_WRITTEN)
class Training:
    """How a network is trained. The loss is sparse categorical cross-entropy."""

    batch_size: Positive
    early_stopping: tuple[EarlyStopping, ...]
    epochs: Positive = 100
    """The most epochs; early stopping usually ends the run before."""
    optimizer: Adam | SGD = Adam()
    augmentation: Augmentation | Translation | None = None
    label_smoothing: Share = 0.0
    """The part of each label that is spread evenly over all classes while training, and never in what is recorded."""

    def __post_init__(self) -> None:
        """Refuse what would keep other weights than those that were validated.

        Raises:
            ReportError: weights are averaged, and a rule would put back those of its best epoch, which are not.
        """
        if self.early_stopping and isinstance(self.optimizer, SGD):
            raise ReportError(
                "early_stopping keeps the weights of an epoch, and SGD validates an average of them: expected "
                "early_stopping=() beside SGD, whose cycle ends with the last epoch."
            )


@dataclass(frozen=True, config=AS_WRITTEN)
class Resources:
    """What one run takes of a machine, for a cluster to place it; nothing of it decides a number."""

    cpus: Positive = 2
    gpus: float = 0.25
    """The share of a GPU, on machines that have one: four runs of a small network fill one together."""
    memory_gib: float = 3.0


@dataclasses.dataclass(frozen=True)
class Project:
    """One experiment: a network and the way to train it."""

    network: Callable[[int], keras.Model]
    """Builds the network for square images of so many pixels a side, with fresh weights and the study's layer names."""
    training: Training
    image_size: int = 32
    """The side to which images are resized, in pixels."""
    pixel_scaling: Scaling = UNIT_INTERVAL
    """What the network is fed, whatever its weights expect: the study scaled by 1/255 throughout."""
    weights: str | None = None
    """What its VGG16 layers start from: `random`, `imagenet`, or a file's name; None where it has no such layers."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    of_the_study: bool = True
    """Whether the study tried it; else it is ours, and nothing of the study's stands beside it."""
    prepare: Callable[[keras.Model, npt.NDArray[np.float32]], None] | None = None
    """Sets what a fresh network takes from its training images, (images, height, width, 3), as it is fed with them."""
    test_time_flips: bool = False
    """Whether the final measurements average the probabilities of each image and its mirror image."""
