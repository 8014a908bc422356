"""The canary: a miniature of a run, deterministic and cheap, that tells whether the code still computes the same.

Training takes minutes to hours, and code is rearranged often. The canary builds the network as the run does, takes
a few single steps, then trains through early stopping, restoring and evaluation, all on the embedded sample.
Recorded before training, it can be repeated in seconds: equal canaries mean that a change of the sources changed
nothing else.

It runs in a process of its own (`python -m experiments canary`), because operations become deterministic for a whole
process at a time and training should not pay for that.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from experiments import data
from experiments.data import Dataset, Images, Split
from experiments.environment import ROOT
from experiments.job import PRETRAINED
from experiments.layers import all_layers
from experiments.project import Project
from reportgen.errors import ReportError
from reportgen.record import Canary, Network, Setting

BATCH_SIZE = 32
PATIENCE = 1
ORDERS = 3
"""Epochs whose order of the images is hashed."""
LEEWAY = 0.05
"""How far from 1 the sum of an image's probabilities may be, in sixteen bits."""


@dataclass(frozen=True)
class Extent:
    """How much of the sample a canary sees, and for how long."""

    steps: int
    epochs: int
    train: int | None
    """Images to train on; None: all."""
    test: int | None
    """Images of the validation set, and as many of the test set; None: all."""


SMALL = Extent(steps=4, epochs=8, train=None, test=None)
LARGE = Extent(steps=1, epochs=3, train=32, test=32)
"""A step of VGG16 takes as long as ten of the networks before it, and shows as much."""
LARGE_FROM = 2_000_000
"""Parameters from which a network counts as large."""
NETWORK_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.>-]*")
LAYER_NAME = re.compile(r"[A-Za-z0-9_.>-]+")
"""The names that TensorFlow takes for what computes within a network, and for the network itself."""


class Specification(BaseModel):
    """What would be trained: resolved, that is, read off the network as built rather than off the sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: Network
    settings: dict[str, Setting]
    seed: int
    precision: str
    canary: Canary


def specify(project: Project, seed: int, precision: str) -> Specification:
    """Resolve the specification of a run and sing its canary."""
    # Imported here because comparing two canaries needs no Keras.
    from experiments.train import build, network_of, settings_of

    network = network_of(build(project, seed, precision))
    return Specification(
        network=network,
        settings=settings_of(project),
        seed=seed,
        precision=precision,
        canary=canary(project, seed, precision, extent(network.parameters)),
    )


def extent(parameters: int) -> Extent:
    """The extent of the canary of a network of so many parameters."""
    return LARGE if parameters >= LARGE_FROM else SMALL


def refuse_other_outputs(model: Any) -> None:
    """Nothing, where `model` has an output for each class.

    Raises:
        ReportError: it has more, or fewer, or they have another shape.
    """
    if model.output_shape != (None, len(data.CLASSES)):
        raise ReportError(
            f"The network's output has the shape {model.output_shape}, expected (None, {len(data.CLASSES)}): for each "
            "image an output for each of CLASSES in experiments/data.py. Nothing was recorded."
        )


def refuse_names(project: Project, model: Any) -> None:
    """Nothing, where TensorFlow can call `model` and its layers by their names.

    Raises:
        ReportError: it refuses one, which Keras takes and another backend may train.
    """
    named = [("network", model.name, NETWORK_NAME), *(("layer", layer.name, LAYER_NAME) for layer in all_layers(model))]
    for what, name, possible in named:
        if not possible.fullmatch(name):
            raise ReportError(
                f"{_defined(project)}: a {what} has the name {name!r}, expected ASCII letters, digits and . _ - > alone"
                f"{', without _ in front' if what == 'network' else ''}: TensorFlow takes no other. Give it another "
                "`name`, or none."
            )


def _defined(project: Project) -> str:
    """Where a project's network is defined: in its own script or in one on which that builds."""
    code = getattr(project.network, "__code__", None)
    if code is None:
        return "The project's script"
    file = Path(code.co_filename).resolve()
    shown = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else str(file)
    return f"{shown}, from line {code.co_firstlineno} on"


def canary(project: Project, seed: int, precision: str, size: Extent) -> Canary:
    """A few raw steps, then a miniature training, both on the embedded sample and from the run's own seed.

    Raises:
        ReportError: the sample cannot be read, the network cannot be built, has a name that TensorFlow refuses, has no
            place for the weights that it starts from or does not end in a probability for each class, a loss is not a
            number, or what a layer draws could not be drawn again.
    """
    from experiments.batches import Batches, order_sha256
    from experiments.train import steps_of, train

    whole = data.split(_sample(), seed)
    split = Split(
        train=_first(whole.train, size.train),
        validation=_first(whole.validation, size.test),
        test=_first(whole.test, size.test),
        sha256=whole.sha256,
    )
    model = _build(project, seed, precision)
    refuse_names(project, model)
    refuse_other_outputs(model)
    scaling, side = project.pixel_scaling, project.image_size
    # What is not a number at all, the loss will tell.
    found = np.asarray(model.predict_on_batch(Batches(split.train, BATCH_SIZE, side, scaling=scaling)[0][0]), float)
    if np.isfinite(found).all() and (found.min() < 0 or np.abs(found.sum(axis=-1) - 1).max() > LEEWAY):
        raise ReportError(
            "The last layer's outputs are no probabilities, and nothing was recorded; end the network in softmax."
        )
    if project.prepare is not None:
        project.prepare(model, Batches(split.train, len(split.train.labels), side, scaling=scaling)[0][0])
    batches = Batches(split.train, BATCH_SIZE, side, seed, project.training.augmentation, scaling)
    losses, drawn = [], _shared_generator()
    for step in range(size.steps):
        # Keras averages the loss over the steps since the last reset.
        model.reset_metrics()
        losses.append(float(model.train_on_batch(*batches[step % len(batches)], return_dict=True)["loss"]))
    if not all(map(math.isfinite, losses)):
        raise ReportError(
            f"The loss of a first step on {BATCH_SIZE} images of the sample is not a number; nothing was trained. "
            "A lower learning rate, or --precision float32, usually helps."
        )

    if _shared_generator() != drawn:
        raise ReportError(
            "A layer draws random numbers from the generator that all of Keras shares, which no checkpoint keeps, so "
            "that a run that is cut off and resumed would be another; nothing was trained. Give the layer its own: "
            "self.generator = keras.random.SeedGenerator() in `__init__`, and seed=self.generator in `call`."
        )

    training = project.training
    miniature = dataclasses.replace(
        project,
        training=dataclasses.replace(
            training,
            batch_size=BATCH_SIZE,
            epochs=size.epochs,
            early_stopping=tuple(dataclasses.replace(rule, patience=PATIENCE) for rule in training.early_stopping),
        ),
    )
    steps = steps_of(miniature.training, len(split.train.labels))
    run = train(miniature, _build(miniature, seed, precision, steps), split, seed)
    return Canary(
        step_losses=tuple(losses),
        epochs=tuple(epoch.model_copy(update={"seconds": 0.0}) for epoch in run.history),
        stopping=run.stopping,
        test=run.test,
        split_sha256=split.sha256,
        order_sha256=order_sha256(len(whole.train.labels), seed, ORDERS),
    )


def _shared_generator() -> list[int] | None:
    """Where the generator stands that Keras draws from when it is given no seed; None before anything did."""
    import keras
    from keras.src.backend.common.global_state import get_global_attribute  # there is no public way to it

    generator = get_global_attribute("global_seed_generator")
    return None if generator is None else keras.ops.convert_to_numpy(generator.state).tolist()


def _sample() -> Dataset:
    try:
        return data.load("sample")
    except ReportError as problem:
        raise ReportError(
            f"{problem} Before every run, a small one trains on these images, which must be of the classes that "
            "experiments/data.py names: `python -m experiments sample --data DIR` takes a few of yours."
        ) from problem


def _first(images: Images, count: int | None) -> Images:
    return Images(images.pixels[:count], images.labels[:count])


def _build(project: Project, seed: int, precision: str, steps: int | None = None) -> Any:
    """The network of a run; where that starts from ImageNet's weights, from others that need no file."""
    from experiments import vgg16
    from experiments.train import build

    model = build(project, seed, precision, steps)
    refuse_without_vgg16(project, model)
    if project.weights == PRETRAINED:
        vgg16.load(model, vgg16.drawn(model, seed, project.pixel_scaling))
    return model


def refuse_without_vgg16(project: Project, model: Any) -> None:
    """Nothing, unless `project` says that it starts from pretrained weights, and `model` has no place for them.

    Raises:
        ReportError: it has none, and would start from random weights while its record told of others.
    """
    from experiments import vgg16

    if project.weights != PRETRAINED:
        return
    found = vgg16.layers(model)
    if not found or any(len(layer.weights) != 2 for layer in found):
        raise ReportError(
            f"The project declares weights={PRETRAINED!r}, and its network has no place for them: expected "
            "keras.applications.VGG16(weights=None, …) as one layer among the others. Give it one, or leave out "
            "`weights`."
        )


def step_tolerance(precision: str, step: int) -> float:
    """How far apart the losses of single step `step`, from 0, may lie on two machines, relative.

    The first tells how a network was built and what it was shown; only rounding separates two machines there. From
    then on training amplifies that, above all in Adam's first update: it moves each weight by the learning rate,
    whatever the size of its gradient, and where that is nearly zero, rounding decides which way.

    In the first step, two processors were seen to differ by 3e-7 in single precision, and in sixteen bits by 7e-4, or
    by 5e-3 with VGG16 where one of them has no instructions for bfloat16, whose last bit is worth 8e-3. Other images or
    weights move the loss of VGG16 there by 4e-2 and more. In the next three steps, in single precision, two machines
    differed by 3e-3, 3e-2 and 3e-2, with the same sources.
    """
    first = 1e-2 if "16" in precision else 1e-5
    return min(fit_tolerance(precision), first * 1000.0**step)


def fit_tolerance(precision: str) -> float:
    """How far apart the losses of the miniature training may lie on two machines, relative.

    With the same sources, two processors were seen to differ by up to 4e-2 in single precision (Project 4) and by up to
    7e-2 in sixteen bits, where one of them has no instructions for bfloat16 (Projects 10 and 11).
    """
    return 1e-1 if "16" in precision else 5e-2


def differences(recorded: Specification, now: Specification, same_machine: bool) -> list[str]:
    """What separates two specifications, in words; none if they agree.

    On the same kind of processor, versions and number of threads the canaries must agree bit for bit; elsewhere the
    losses of the single steps within `step_tolerance` and those of the miniature training within `fit_tolerance`.
    """
    found = list(_changed_settings(recorded, now))
    before, after = recorded.canary, now.canary
    if before.split_sha256 != after.split_sha256:
        found.append("the split of the images differs")
    if before.order_sha256 != after.order_sha256:
        found.append("the order of the images differs")
    if same_machine:
        if not found and before != after:
            found.append(f"the canary differs (by {largest_difference(before, after):.2g}, expected bit for bit)")
        return found
    for step, losses in enumerate(zip(before.step_losses, after.step_losses, strict=False)):
        apart, allowed = _largest(losses[:1], losses[1:]), step_tolerance(recorded.precision, step)
        if apart > allowed:
            found.append(
                f"the losses of single step {step + 1} differ by {apart:.2g} (relative; allowed are {allowed:.2g})"
            )
            break
    fit = _largest([e.cross_entropy for e in before.epochs], [e.cross_entropy for e in after.epochs])
    if fit > (allowed := fit_tolerance(recorded.precision)):
        found.append(f"the losses of the miniature training differ by {fit:.2g} (allowed are {allowed:g})")
    return found


def _changed_settings(recorded: Specification, now: Specification) -> Iterator[str]:
    if recorded.network != now.network:
        was, today = recorded.network.parameters, now.network.parameters
        yield f"the network differs ({was:,} parameters recorded, {today:,} now)"
    for name in sorted(recorded.settings.keys() | now.settings.keys()):
        old, new = recorded.settings.get(name), now.settings.get(name)
        if name.startswith("weights_"):
            continue  # what is known of the weights of a file, which the canary does without
        if name == "weights" and new == PRETRAINED and old is not None:
            continue  # the run may have started from the weights of a file, a smoke run from random ones
        if old != new:
            yield f"{name} was {old} and is {new}"
    if recorded.seed != now.seed:
        yield f"the seed was {recorded.seed} and is {now.seed}"
    if recorded.precision != now.precision:
        yield f"the precision was {recorded.precision} and is {now.precision}"


def largest_difference(before: Canary, after: Canary) -> float:
    """The largest relative difference between the losses of two canaries."""
    return max(
        _largest(before.step_losses, after.step_losses),
        _largest([e.cross_entropy for e in before.epochs], [e.cross_entropy for e in after.epochs]),
    )


def _largest(before: list[float] | tuple[float, ...], after: list[float] | tuple[float, ...]) -> float:
    # Early stopping may end the two at different epochs when an accuracy flips: the common ones count.
    return max((abs(a - b) / max(abs(a), 1e-12) for a, b in zip(before, after, strict=False)), default=math.inf)
