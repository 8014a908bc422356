"""A project's training step against the study's way, its input against its step, and both against the hardware.

The study's way is Keras's `fit` in float32: on the arrays, or, with augmentation, on `ImageDataGenerator`, whose images
were enlarged one by one in a Python loop before. Each side trains a network of its own on the same images, turn by
turn in one process, so that whatever else the machine does slows down both.

On a processor a round is too short for what an epoch takes at its ends: to begin to draw, and under TensorFlow the wait
that `experiments.feed` tells of, which took up to half of it. So the steps are timed within the epoch. What the ends
amount to is timed in whole epochs, of the projects for which these are short.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any

from experiments import backend, catalogue, data
from experiments.environment import COMPILED, ROOT
from experiments.memory import device_peak, peak
from experiments.project import Augmentation, Project
from reportgen.bench import Comparison
from reportgen.errors import ReportError, last_words

OPERATIONS = 4e11
"""About so many operations (multiplications and additions) make one round of a step, seconds on a processor."""
LEAST_BATCHES, MOST_BATCHES = 2, 8
DRAWN_BY_PYTHON = 16
"""On an accelerator, the most batches of a round of the study's way where a Python loop draws each image."""
MATRIX, LARGE_MATRIX = 2048, 8192
"""Rows and columns of the multiplication that shows what a processor, and what an accelerator can do."""
FASTER = "mixed_bfloat16"
SMALL = ("p00_base", "p01_deeper")
"""The projects whose whole epochs are timed, too, seconds each, and of which several seeds are trained side by side."""
MEMORIES = ("memory", "device_memory")
"""What `peak_memory` measures: of the host, and of an accelerator."""


def comparisons(identifier: str, source: str, rounds: int) -> Iterator[Comparison]:
    """Measure one project, in processes of its own: one for the times, and one for the peak of memory of each way.

    Its share of the device's peak is left out where its operations cannot be counted.

    Raises:
        ReportError: a process failed; the message is its last words.
    """
    for what in ("times", *(["epochs"] if identifier in SMALL else [])):
        for one in _ask(what, identifier, source, rounds):
            yield Comparison.model_validate(one)
    for group, ours, study in zip(
        MEMORIES, *(_ask(way, identifier, source, 1) for way in ("ours", "study")), strict=True
    ):
        if ours is not None and study is not None:
            yield Comparison(
                group=group, subject=identifier, unit="GiB", measured=(ours,), against="keras_fit", reference=(study,)
            )


def _ask(what: str, identifier: str, source: str, rounds: int) -> list[Any]:
    command = [sys.executable, "-m", "experiments.comparison.training", what, identifier, source, str(rounds)]
    done = subprocess.run(
        command, cwd=ROOT, env={**COMPILED, **os.environ}, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise ReportError(f"{identifier} could not be measured: {last_words(done.stderr)}")
    found: list[Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def times(identifier: str, source: str, rounds: int) -> list[Comparison]:
    """Everything that is a matter of time, for one project."""
    from experiments import resident

    declared = catalogue.load(identifier)
    size = declared.training.batch_size
    every = data.split(data.load(source), 0).train
    accelerated = resident.pays()
    if accelerated:
        # A whole call at least: less is over before it has begun.
        images = chosen(every, size * resident.MOST)
        few = chosen(every, size * DRAWN_BY_PYTHON) if declared.training.augmentation else images
    else:
        wanted = max(LEAST_BATCHES, min(MOST_BATCHES, round(OPERATIONS / (work_of(declared) * size))))
        together = batches_a_call(declared)
        images = few = chosen(every, size * together * (1 + math.ceil(wanted / together)))
    matrix = LARGE_MATRIX if accelerated else MATRIX
    ways = {
        "study": study(declared, few),
        "ours": ours(declared, images, "float32"),
        "faster": ours(declared, images, FASTER),
    }
    trained = _epoch if accelerated else seconds_a_batch
    sides: dict[str, Callable[[], float]] = {name: partial(trained, way) for name, way in ways.items()}
    sides["pipeline"] = pipeline(declared, images)
    whole = {"step": step(declared, images), "peak": multiplication(matrix)}
    taken = in_turns({**sides, **{name: partial(_timed, part) for name, part in whole.items()}}, rounds)
    counts = dict.fromkeys(taken, len(images.labels)) | {"study": len(few.labels)}
    if not accelerated:
        counts |= dict.fromkeys(ways, size) | {"pipeline": counts["pipeline"] - size}
    speed = {name: tuple(counts[name] / seconds for seconds in taken[name]) for name in taken}

    def compared(group: str, unit: Any, measured: Any, against: str, reference: Any) -> Comparison:
        return Comparison(
            group=group, subject=identifier, unit=unit, measured=measured, against=against, reference=reference
        )

    found = [
        compared("training", "images/s", speed["ours"], "keras_fit", speed["study"]),
        compared("training_bfloat16", "images/s", speed["faster"], "keras_fit", speed["study"]),
        compared("pipeline", "images/s", speed["pipeline"], "step", speed["step"]),
    ]
    if operations := operations_of(declared):
        done = tuple(operations * images_per_second / 1e9 for images_per_second in speed["step"])
        peak = tuple(2 * matrix**3 / seconds / 1e9 for seconds in taken["peak"])
        found.append(compared("peak", "GFLOP/s", done, "multiplication", peak))
    return found


def epochs(identifier: str, source: str, rounds: int) -> list[Comparison]:
    """Whole epochs of one project, on all its training images."""
    declared = catalogue.load(identifier)
    images = data.split(data.load(source), 0).train
    ways = {"ours": ours(declared, images, "float32"), "study": study(declared, images)}
    taken = in_turns({name: partial(_epoch, way) for name, way in ways.items()}, rounds)
    speed = {name: tuple(len(images.labels) / seconds for seconds in taken[name]) for name in ways}
    return [
        Comparison(
            group="epochs",
            subject=identifier,
            unit="images/s",
            measured=speed["ours"],
            against="keras_fit",
            reference=speed["study"],
        )
    ]


def in_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The seconds that each side says, round by round, one after the other in each; behind the turn that compiles.

    Each round has an order of its own, which is drawn from its number: what comes right after another side can be a few
    per cent slower for that alone.
    """
    turns = [
        {name: sides[name]() for name in random.Random(turn).sample([*sides], len(sides))} for turn in range(rounds + 1)
    ]
    return {name: [turn[name] for turn in turns[1:]] for name in sides}


def _timed(part: Callable[[], None]) -> float:
    """The seconds that a part of training takes."""
    began = time.perf_counter()
    part()
    return time.perf_counter() - began


def _epoch(way: Way) -> float:
    """The seconds of a whole epoch."""
    return _timed(way.epoch)


def seconds_a_batch(way: Way) -> float:
    """The seconds for a batch, from the end of an epoch's first call, of one batch or several, to that of its last."""
    from keras.callbacks import LambdaCallback

    ends: list[tuple[int, float]] = []

    def ended(batch: int, logs: Any) -> None:
        float(logs["loss"])  # waits for it, where a step is computed while Python goes on
        ends.append((batch, time.perf_counter()))

    look = LambdaCallback(on_train_batch_end=ended)
    way.epoch(callbacks=[look])
    (first, began), (_, over) = ends[0], ends[-1]
    behind: int = look.params["steps"] - 1 - first  # of the last call Keras tells as if it were as long as the others
    return (over - began) / behind


@cache
def operations_of(declared: Project) -> float | None:
    """What a training step of a project computes for one image; None where it cannot be counted."""
    from experiments.operations import operations
    from experiments.train import build

    return operations(build(declared, 0, "float32"))


def work_of(declared: Project) -> float:
    """About how much a step computes for one image: its operations, or, where they are not counted, as many as if each
    weight were used once.
    """
    from experiments.train import build

    return operations_of(declared) or 6.0 * max(1, build(declared, 0, "float32").count_params())


def batches_a_call(declared: Project) -> int:
    """How many batches a project's training takes at once, on a processor."""
    from experiments.train import build

    return int(build(declared, 0, "float32").steps_per_execution)


@dataclass(frozen=True)
class Way:
    """A network, and the images as one way of training feeds it."""

    model: Any
    images: tuple[Any, ...]
    """What `fit` takes: batches, or arrays."""
    options: dict[str, Any]
    """Further arguments of `fit`."""

    def epoch(self, **further: Any) -> None:
        """Train on all images once; `further` arguments are for `fit`."""
        self.model.fit(*self.images, epochs=1, verbose=0, **self.options, **further)

    def few_steps(self) -> None:
        """Begin an epoch, for two batches or one call: enough for all that a training keeps in memory."""
        from experiments.resident import Calls

        steps = 1 if isinstance(self.images[0], Calls) else 2
        self.model.fit(*self.images, epochs=1, steps_per_epoch=steps, verbose=0, **self.options)


def ours(declared: Project, images: data.Images, precision: str) -> Way:
    """As the project trains."""
    from experiments.feed import fed
    from experiments.train import build

    model = build(declared, 0, precision)
    return Way(model, (fed(model, drawn(declared, images)),), {"shuffle": False})


def study(declared: Project, images: data.Images) -> Way:
    """As the study trained."""
    import cv2
    import numpy as np

    from experiments.scaling import scaled
    from experiments.train import build

    training = declared.training
    side = declared.image_size
    pixels = scaled(images.pixels, declared.pixel_scaling)
    if side != data.SIDE:
        pixels = np.array([cv2.resize(image, (side, side)) for image in pixels])
    model = build(declared, 0, "float32")
    model.steps_per_execution = 1  # as Keras has it where nothing is said
    if not isinstance(training.augmentation, Augmentation):
        return Way(model, (pixels, images.labels), {"batch_size": training.batch_size})
    # Keras 3 keeps the study's generator only for old code.
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(
        rotation_range=training.augmentation.rotation,
        width_shift_range=training.augmentation.shift,
        height_shift_range=training.augmentation.shift,
        horizontal_flip=training.augmentation.horizontal_flip,
    )
    flow = generator.flow(pixels, images.labels, batch_size=training.batch_size)
    return Way(model, (flow,), {})


def step(declared: Project, images: data.Images) -> Callable[[], None]:
    """The training steps alone, on images that are ready; where they stay on an accelerator, with nothing moved."""
    from experiments import resident
    from experiments.train import build

    if resident.pays():
        still = dataclasses.replace(declared, training=dataclasses.replace(declared.training, augmentation=None))
        return ours(still, images, "float32").epoch
    model = build(declared, 0, "float32")
    batches = drawn(declared, images)
    ready = [batches[k] for k in range(len(batches))]

    def run() -> None:
        for pixels, labels in ready:
            model.train_on_batch(pixels, labels)

    return run


def drawn(declared: Project, images: data.Images) -> Any:
    """The batches of an epoch, as the project draws them."""
    from experiments.batches import Batches

    training = declared.training
    return Batches(images, training.batch_size, declared.image_size, 0, training.augmentation, declared.pixel_scaling)


def pipeline(declared: Project, images: data.Images) -> Callable[[], float]:
    """The seconds of drawing, augmenting, resizing and scaling the batches of an epoch, without training on them.

    On a processor they are those of all batches but the first: what it takes to begin belongs to an epoch's ends.
    """
    from experiments import resident
    from experiments.feed import drawn_ahead

    batches = drawn(declared, images)

    def run() -> float:
        ends = []
        for _ in islice(ahead, len(batches)):
            ends.append(time.perf_counter())
        return ends[-1] - ends[0]

    def run_there() -> None:
        import jax

        for k in range(len(calls)):
            jax.block_until_ready(pixels(calls[k]))

    if not resident.pays():
        ahead = drawn_ahead(batches)
        return run
    calls, pixels = resident.Calls(batches), resident.drawing(declared.pixel_scaling)
    return partial(_timed, run_there)


def multiplication(side: int) -> Callable[[], None]:
    """One multiplication of two float32 matrices of `side` rows, the most that the device is asked for here."""
    import keras
    import numpy as np

    matrix = keras.ops.convert_to_tensor(np.random.default_rng(0).random((side, side), dtype=np.float32))

    def run() -> None:
        # One number is enough to wait for; to fetch all of them would take an accelerator longer than to compute them.
        keras.ops.convert_to_numpy(keras.ops.matmul(matrix, matrix)[0, 0])

    return run


def peak_memory(way: str, identifier: str, source: str) -> list[float | None]:
    """The most memory, in GiB, that this process holds with all training images at hand, after two steps: `MEMORIES`.

    None where there is no accelerator.
    """
    declared = catalogue.load(identifier)
    every = data.split(data.load(source), 0).train
    side = study(declared, every) if way == "study" else ours(declared, every, "float32")
    side.few_steps()
    return [peak(), device_peak()]


def chosen(every: data.Images, count: int) -> data.Images:
    """So many images of a set, some of them more than once where it is smaller."""
    import numpy as np

    places = np.arange(count) % len(every.labels)
    return data.Images(every.pixels[places], every.labels[places])


def main(what: str, identifier: str, source: str, rounds: str) -> None:
    """What `comparisons` asks for, as one line of JSON."""
    backend.load()
    measures = {"times": times, "epochs": epochs}
    found = (
        [one.model_dump(mode="json") for one in measures[what](identifier, source, int(rounds))]
        if what in measures
        else peak_memory(what, identifier, source)
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
