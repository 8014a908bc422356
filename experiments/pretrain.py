"""Pretraining: VGG16 learns to tell the classes of a labelled set, and its convolutions are kept for later projects.

The convolutions are those of Keras Applications, layer for layer. On top of them, only here, stand the mean over all
positions, dropout and one layer of class scores: the two hidden layers of 4,096 units in the original hold nine tenths
of its parameters and are thrown away afterwards.

A network so deep without normalisation hardly starts by itself, and the recipe is what has been learnt about that since
2014: random initial weights (He et al., 2015), shifted and scaled once so that each channel has mean 0 and deviation 1
on some real images (Krähenbühl et al., 2016), scores that start from zero, a learning rate that first rises and then
falls along a cosine (Loshchilov & Hutter, 2017), gradients clipped to a norm, decoupled weight decay (AdamW, Loshchilov
& Hutter, 2019), label smoothing (Szegedy et al., 2016), crops of random size and flips, on request patches of other
images (CutMix, Yun et al., 2019), and weights averaged over the last part of the way (Polyak & Juditsky, 1992), which
are the ones measured and kept.

Images are prepared as the authors of VGG16 did: blue, green, red, minus ImageNet's mean, not scaled. For an optimizer
such numbers are too large, so that they are divided by 64 here, and the first layer's kernel is divided by 64 when the
weights are written: the same function of the unscaled image, to the bit, because 64 is a power of two.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
import os
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from experiments import vgg16
from experiments.batches import Batches, DrawEpoch, Plan, order
from experiments.checkpoint import Checkpoint, Diary, KeepCheckpoint, Sparing
from experiments.convolution import by_products
from experiments.crops import Crops, Patched, draw_crops, draw_patches, paste
from experiments.data import Images
from experiments.environment import ROOT, cores, describe, python
from experiments.feed import fed
from experiments.labelled import LabelledSet
from experiments.progress import EpochProgress
from experiments.resident import Steps, even, fits, pays, shown, together
from experiments.scaling import BGR_MEAN, scaled
from experiments.sole import sole
from experiments.train import make_variables, network_of, one_cycle, unfused, use_precision
from experiments.vgg16 import Card
from reportgen.errors import ReportError, first_line
from reportgen.fingerprint import dependencies, fingerprints
from reportgen.pretraining import Pretraining, PretrainingData, PretrainingEpoch, read, write
from reportgen.record import Setting, check_writable

SOURCES = fingerprints(dependencies(["experiments/pretrain.py"], ROOT), ROOT)
"""The fingerprints of what this process computes with, taken when it was read: files may change while it trains."""
WEIGHTS = ROOT / "build" / "pretraining"
"""Weights and checkpoints, which are not committed."""
RECORDS = ROOT / "experiments" / "pretraining"
"""The records, which are."""

UNIT = vgg16.DEVIATION[BGR_MEAN]
"""What the prepared pixels are divided by while training; about their standard deviation, and a power of two."""
AVERAGED = 0.1
"""The weights kept are a running average over about this part of all steps."""
STEADIED = 128
"""Training images on which the initial weights are made steady."""
AHEAD = 16
"""Batches made while the network trains."""


@dataclass(frozen=True)
class Recipe:
    """How to pretrain."""

    image_size: int = 64
    """The side of the images, in pixels."""
    epochs: int = 60
    batch_size: int = 256
    steps_per_epoch: int | None = None
    """Batches between two validations; None: as many as there are full batches in the set."""
    learning_rate: float = 5e-4
    """Its highest value."""
    warmup: float = 0.05
    """The part of all steps in which the learning rate rises."""
    weight_decay: float = 0.05
    clipnorm: float = 1.0
    """The norm to which the gradient of all weights together is clipped."""
    label_smoothing: float = 0.1
    dropout: float = 0.2
    smallest_crop: float = 0.35
    """The smallest part of an image's area that a crop shows; 1: whole images."""
    cutmix: float = 0.0
    """The part of the images over which a piece of another one is pasted."""
    precision: str = "float32"
    seed: int = 0

    def steps(self, images: int) -> int:
        """Batches in an epoch over `images` training images."""
        return self.steps_per_epoch or max(1, images // self.batch_size)


def build(
    recipe: Recipe, classes: int, steps: int, some: npt.NDArray[np.float32], resident: bool = False
) -> keras.Model:
    """The compiled network for `steps` steps in all; (batch, side, side, 3), prepared and divided by 64, to scores.

    Its initial weights suit the images in `some`, which are prepared likewise. `resident`: its batches are drawn on
    the accelerator.

    Raises:
        ReportError: Keras has no such precision, or the images are too small.
    """
    keras.utils.clear_session()
    use_precision(recipe.precision)  # behind the line above, which forgets it
    keras.utils.set_random_seed(recipe.seed)
    side = recipe.image_size
    vgg16.check_size(side)
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(side, side, 3))
    initialise(base, some)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    dropped = keras.layers.Dropout(recipe.dropout, name="dropout")(pooled)
    # Class scores and their softmax in single precision: half of it is too coarse for a cross-entropy.
    scores = keras.layers.Dense(classes, kernel_initializer="zeros", name="scores", dtype="float32")(dropped)
    model = keras.Model(base.input, scores, name="vgg16_classifier")
    if resident:
        model = ResidentVGG16(model)
    if unfused():
        by_products(model)
    optimizer = keras.optimizers.AdamW(
        learning_rate=one_cycle(recipe.learning_rate, recipe.warmup, steps),
        weight_decay=recipe.weight_decay,
        global_clipnorm=recipe.clipnorm,
        use_ema=True,
        ema_momentum=averaging(steps),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.TopKCategoricalAccuracy(5, name="top5"),
            keras.metrics.CategoricalCrossentropy(from_logits=True, name="cross_entropy"),
        ],
    )
    make_variables(model, np.zeros((1, classes), dtype=np.float32))
    return model


def initialise(base: keras.Model, some: npt.NDArray[np.float32]) -> None:
    """Draw the weights of every convolution; on the images in `some`, each channel has mean 0 and deviation 1."""
    ops = keras.ops
    signal = ops.convert_to_tensor(some)
    for layer in base.layers:
        if layer.weights:
            # A new one for each layer: one alone would draw the same numbers again for a kernel of the same shape.
            kernel = keras.initializers.HeNormal()(layer.kernel.shape, dtype="float32")
            found = ops.conv(signal, kernel, padding="same")
            mean, deviation = ops.mean(found, axis=(0, 1, 2)), ops.std(found, axis=(0, 1, 2)) + 1e-6
            layer.kernel.assign(kernel / deviation)
            layer.bias.assign(-mean / deviation)
            signal = ops.relu((found - mean) / deviation)
        elif layer.name.endswith("_pool"):
            signal = ops.max_pool(signal, 2, strides=2)  # by default, JAX gets others


def averaging(steps: int) -> float:
    """The momentum of a running average over about the last tenth of `steps`; 0 where that is less than one step."""
    return max(0.0, 1 - 1 / max(1.0, AVERAGED * steps))


def inputs(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """RGB pixels, (batch, height, width, 3), as the network takes them while it trains."""
    found: npt.NDArray[np.float32] = scaled(pixels, BGR_MEAN) / np.float32(UNIT)
    return found


def one_hot(labels: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float32]:
    """(batch,) to (batch, classes)."""
    found = np.zeros((len(labels), classes), dtype=np.float32)
    found[np.arange(len(labels)), labels] = 1
    return found


class Passes:
    """Which images each step takes and what it shows of them.

    Seed and step alone decide it, so that a run that was cut off can go on. Every pass over the images has an order of
    its own; what does not fill a batch is left out of a pass.
    """

    def __init__(self, images: int, recipe: Recipe) -> None:
        self._images, self._recipe = images, recipe
        self.batch_size = min(recipe.batch_size, images)
        self._order = lru_cache(maxsize=2)(partial(order, images, recipe.seed))

    def step(self, number: int) -> tuple[npt.NDArray[np.int64], Crops, npt.NDArray[np.int64] | None]:
        """The positions of the images of step `number`, (batch,), what is shown of them, and their patches, if any."""
        recipe, size = self._recipe, self.batch_size
        over, position = divmod(number, self._images // size)
        chosen = self._order(over)[position * size : (position + 1) * size]
        # A third number keeps these draws apart from those of the order.
        random = np.random.default_rng((recipe.seed, number, 1))
        crops = draw_crops(size, recipe.image_size, recipe.smallest_crop, random)
        return chosen, crops, draw_patches(size, recipe.image_size, recipe.cutmix, random) if recipe.cutmix else None


class Cropped(Batches):
    """The batches of an epoch, for a device that draws them itself."""

    def __init__(self, images: Images, recipe: Recipe) -> None:
        self._passes = Passes(len(images.labels), recipe)
        self._steps = recipe.steps(len(images.labels))
        super().__init__(images, self._passes.batch_size, recipe.image_size, recipe.seed, scaling=BGR_MEAN)

    def __len__(self) -> int:
        """Steps in an epoch."""
        return self._steps

    def draw(self, epoch: int) -> None:
        """Turn to epoch `epoch`, counted from 0."""
        self._epoch = epoch

    def plan(self, index: int) -> Plan:
        """What step `index` of this epoch takes."""
        chosen, crops, corners = self._passes.step(self._epoch * self._steps + index)
        moved = crops.affine(self.image_size)
        return Plan(chosen, moved if corners is None else Patched(moved.matrices, moved.flips, corners))


class ResidentVGG16(Steps, keras.Model):  # type: ignore[misc]
    """The network, its batches drawn from images on the accelerator."""

    def __init__(self, network: keras.Model) -> None:
        """Take over the layers, the weights and the name of `network`."""
        super().__init__(network.inputs, network.outputs, name=network.name)

    def drawn(self, data: Any, plan: Any) -> tuple[Any, Any]:
        """Images as the network takes them, (batch, height, width, 3), and labels, (batch, classes)."""
        pixels, labels = shown(data, plan, BGR_MEAN)
        found = pixels / np.float32(UNIT), keras.ops.one_hot(labels, self.output_shape[-1])
        return paste(*found, plan["corners"]) if "corners" in plan else found


def batches(images: Images, classes: int, recipe: Recipe, start: int) -> Iterator[tuple[Any, Any]]:
    """Batches from step `start` on, without end, made while the network trains."""
    passes = Passes(len(images.labels), recipe)

    def make(step: int) -> tuple[Any, Any]:
        chosen, crops, corners = passes.step(step)
        found = inputs(crops.of(images.pixels[chosen])), one_hot(images.labels[chosen], classes)
        return found if corners is None else paste(*found, corners)

    waiting: deque[Future[tuple[Any, Any]]] = deque()
    with ThreadPoolExecutor(max_workers=min(8, cores())) as pool:
        for step in itertools.count(start):
            waiting.append(pool.submit(make, step))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()


class Held(keras.utils.PyDataset):  # type: ignore[misc]
    """Whole images in their order, to validate with."""

    def __init__(self, images: Images, classes: int, batch_size: int) -> None:
        super().__init__()
        self._images, self._classes, self._size = images, classes, batch_size

    def __len__(self) -> int:
        """Batches; the last one may be smaller."""
        return -(-len(self._images.labels) // self._size)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Batch `index`: inputs of the network, and labels (batch, classes)."""
        chosen = slice(index * self._size, (index + 1) * self._size)
        return inputs(self._images.pixels[chosen]), one_hot(self._images.labels[chosen], self._classes)


class Publish(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes weights, card and record behind an epoch, in place of those before; for short epochs, not behind each.

    Where the disk does not take them, the training goes on and a warning says so; behind the last epoch, an error.

    Stands before `SwapEMAWeights` in the list: when a validation ends, the averaged weights are still in the model.
    """

    def __init__(self, pretraining: _Pretraining, diary: Diary) -> None:
        super().__init__()
        self._pretraining, self._diary = pretraining, diary
        self._sparing = Sparing()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._weights = {
            layer.name: layer.get_weights() for layer in self.model.layers if layer.name.startswith("block")
        }

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        last = epoch + 1 == self.params["epochs"]
        if (last or self._sparing.due) and all(map(math.isfinite, self._diary.epochs[-1].values())):
            with self._sparing.timed():
                try:
                    self._pretraining.publish(self.model, self._weights, self._diary.epochs)
                except OSError as problem:
                    where = problem.filename or self._pretraining.weights
                    why = os.strerror(problem.errno) if problem.errno else first_line(problem)
                    said = f"{where}: the weights of epoch {epoch + 1} cannot be written ({why})."
                    if last:
                        raise ReportError(
                            f"{said} Start the same command again when they can: it goes on behind the last epoch "
                            "that was kept."
                        ) from problem
                    warnings.warn(f"{said} The pretraining goes on.", stacklevel=2)


@dataclass(frozen=True)
class Finished:
    """What a pretraining leaves."""

    weights: Path
    card: Path
    record: Path
    pretraining: Pretraining
    before: bool = False
    """Whether it had ended already, and nothing was trained."""


@dataclass
class _Pretraining:
    """One pretraining, and where its files go."""

    images: LabelledSet
    recipe: Recipe
    weights: Path
    records: Path

    def __post_init__(self) -> None:
        self.started = datetime.now(UTC).replace(microsecond=0)
        self.environment = describe()
        self.sources = SOURCES
        self.steps = self.recipe.steps(len(self.images.train.labels))
        self.finished: Finished | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What must be unchanged for the run to go on."""
        return {
            "sources": self.sources,
            "settings": dataclasses.asdict(self.recipe),
            "images": self.images.sha256,
            "backend": self.environment.backend,
            "packages": self.environment.packages,
        }

    @property
    def run(self) -> str:
        """A hash that all files of this pretraining share, whatever epoch they are of."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()

    @property
    def stem(self) -> str:
        return f"{self.images.name}-{self.recipe.image_size}px"

    @property
    def checkpoint(self) -> Checkpoint:
        """Where it stands if it was cut off; each recipe, and each set of images and backend with it, has a file of its
        own, so that none stops or ends another.
        """
        own = json.dumps([self.identity[part] for part in ("settings", "images", "backend")], sort_keys=True).encode()
        name = f"{self.stem}-seed-{self.recipe.seed}-{hashlib.sha256(own).hexdigest()[:8]}.npz"
        return Checkpoint(self.weights / "checkpoints" / name, self.identity)

    def already(self) -> Finished | None:
        """What the same pretraining has left that ended before, if it has.

        Raises:
            RecordError: its card or its record is missing or damaged.
        """
        for file in sorted(self.weights.glob(f"{self.stem}-*.json")):
            card, weights = vgg16.read_card(file), file.with_name(f"{file.stem}.weights.h5")
            if card.run == self.run and card.epochs_done >= self.recipe.epochs and weights.is_file():
                record = self.records / file.name
                return Finished(weights, file, record, read(record), before=True)
        return None

    def publish(self, model: keras.Model, weights: dict[str, list[Any]], epochs: Sequence[dict[str, float]]) -> None:
        """Write the weights, their card and the record."""
        before = [
            (file, card)
            for file in sorted(self.weights.glob(f"{self.stem}-*.json"))
            if (card := vgg16.read_card(file)).run == self.run and card.epochs_done <= len(epochs)
        ]
        self.weights.mkdir(parents=True, exist_ok=True)
        temporary = self.weights / f".{self.stem}-{self.run[:12]}.weights.h5"
        try:
            save(weights, temporary)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        with temporary.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        stem = f"{self.stem}-{sha256[:12]}"
        record = self.records / f"{stem}.json"
        done = self._record(model, epochs, sha256)
        last = done.history[-1]
        card = Card(
            name=self.images.name,
            architecture=done.architecture,
            preprocessing=done.preprocessing,
            image_size=self.recipe.image_size,
            classes=self.images.classes,
            epochs_done=len(done.history),
            epochs=done.epochs,
            top1=last.val_top1,
            top5=last.val_top5,
            weights_sha256=sha256,
            record=record.relative_to(ROOT).as_posix() if record.is_relative_to(ROOT) else record.name,
            started=self.started,
            run=self.run,
        )
        # The card comes last but for what it replaces: weights without one are told by nobody.
        write(done, record)
        temporary.replace(self.weights / f"{stem}.weights.h5")
        vgg16.write_card(card, self.weights / f"{stem}.json")
        for file, old in before:
            if old.weights_sha256 != sha256:
                file.unlink()
                file.with_name(f"{file.stem}.weights.h5").unlink(missing_ok=True)
                (self.records / file.name).unlink(missing_ok=True)
        self.finished = Finished(self.weights / f"{stem}.weights.h5", self.weights / f"{stem}.json", record, done)

    def _record(self, model: keras.Model, epochs: Sequence[dict[str, float]], sha256: str) -> Pretraining:
        recipe, images = self.recipe, self.images
        return Pretraining(
            architecture=vgg16.ARCHITECTURE,
            preprocessing=BGR_MEAN,
            weights_sha256=sha256,
            seed=recipe.seed,
            precision=recipe.precision,
            command=self.command,
            started=self.started,
            seconds=sum(epoch["seconds"] for epoch in epochs),
            sources=self.sources,
            dataset=PretrainingData(
                name=images.name,
                classes=images.classes,
                train=len(images.train.labels),
                validation=len(images.validation.labels),
                files=images.files,
                resized=images.resized,
                grey=images.grey,
                sha256=images.sha256,
            ),
            environment=self.environment,
            network=network_of(model),
            settings=self.settings,
            epochs=recipe.epochs,
            steps_per_epoch=self.steps,
            batch_size=min(recipe.batch_size, len(images.train.labels)),
            history=tuple(
                PretrainingEpoch(
                    loss=epoch["loss"],
                    accuracy=epoch["accuracy"],
                    val_top1=epoch["val_accuracy"],
                    val_top5=epoch["val_top5"],
                    val_cross_entropy=epoch["val_cross_entropy"],
                    seconds=epoch["seconds"],
                )
                for epoch in epochs
            ),
        )

    @property
    def settings(self) -> dict[str, Setting]:
        """Everything that was chosen and has no field of its own in the record."""
        recipe = self.recipe
        return {
            "image_size": recipe.image_size,
            "optimizer": "AdamW",
            "learning_rate": recipe.learning_rate,
            "schedule": "cosine",
            "warmup": recipe.warmup,
            "weight_decay": recipe.weight_decay,
            "global_clipnorm": recipe.clipnorm,
            "label_smoothing": recipe.label_smoothing,
            "dropout": recipe.dropout,
            "smallest_crop": recipe.smallest_crop,
            "cutmix": recipe.cutmix,
            "horizontal_flip": True,
            "initial_weights": "HeNormal of each layer, standardized",
            "averaging": averaging(self.steps * recipe.epochs),
        }

    @property
    def command(self) -> str:
        recipe, standard = self.recipe, Recipe()
        options = {
            "--image-size": (recipe.image_size, standard.image_size),
            "--epochs": (recipe.epochs, standard.epochs),
            "--batch-size": (recipe.batch_size, standard.batch_size),
            "--steps-per-epoch": (recipe.steps_per_epoch, standard.steps_per_epoch),
            "--learning-rate": (recipe.learning_rate, standard.learning_rate),
            "--smallest-crop": (recipe.smallest_crop, standard.smallest_crop),
            "--cutmix": (recipe.cutmix, standard.cutmix),
            "--dropout": (recipe.dropout, standard.dropout),
            "--weight-decay": (recipe.weight_decay, standard.weight_decay),
            "--precision": (recipe.precision, standard.precision),
            "--seed": (recipe.seed, standard.seed),
        }
        chosen = "".join(f" {name} {value}" for name, (value, usual) in options.items() if value != usual)
        return f"{python()} -m experiments pretrain --data DIR --name {self.images.name}{chosen}"


def save(weights: dict[str, list[Any]], file: Path) -> None:
    """Write kernels and biases by layer, as trained, into `file` (`.weights.h5`), for images that are not scaled."""
    keras.config.set_dtype_policy("float32")
    # An input without a name gets a number of its own, and the file would differ with every model built before.
    image = keras.Input((None, None, 3), name="image")
    model = keras.applications.VGG16(include_top=False, weights=None, input_tensor=image)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = (np.asarray(value, dtype=np.float32) for value in weights[layer.name])
            layer.set_weights([kernel / np.float32(UNIT) if layer.name == "block1_conv1" else kernel, bias])
    model.save_weights(file)


def pretrain(
    images: LabelledSet,
    recipe: Recipe,
    *,
    weights: Path = WEIGHTS,
    records: Path = RECORDS,
    restart: bool = False,
    callbacks: Sequence[Any] = (),
) -> Finished:
    """Pretrain on `images` and leave weights, their card and a record, anew behind an epoch, as `Publish` has it.

    A run that was cut off resumes after the last epoch that it saved, and one that has ended is left as it is;
    `restart` starts it over, and what ended stays until that has come as far.

    Raises:
        ReportError: the name of the set stands for something else, the precision is unknown, the two folders are one or
            cannot be written to, the loss stopped being a number, or a run that was cut off cannot go on.
    """
    if images.name in vgg16.RESERVED:
        raise ReportError(
            f"A set named {images.name!r} would pass for what the study used; give another name with --name."
        )
    if weights.resolve() == records.resolve():
        raise ReportError(
            f"{records}: the records would stand in the folder of the weights, where the card has the same name; "
            "give another folder with --records or --output."
        )
    job = _Pretraining(images, recipe, weights, records)
    checkpoint = job.checkpoint
    if not restart and not checkpoint.file.exists() and (ended := job.already()):
        return ended
    for folder in (weights, records, checkpoint.file.parent):
        check_writable(folder)
    with sole(checkpoint.file, f"The same pretraining on {images.name} is under way in another process."):
        return _pretrain(job, checkpoint, restart, callbacks)


def _pretrain(job: _Pretraining, checkpoint: Checkpoint, restart: bool, callbacks: Sequence[Any]) -> Finished:
    images, recipe = job.images, job.recipe
    some = inputs(images.train.pixels[order(len(images.train.labels), recipe.seed, 0)[:STEADIED]])
    drawn = Cropped(images.train, recipe)
    resident = pays() and fits(drawn)
    model = build(recipe, images.classes, job.steps * recipe.epochs, some, resident)
    diary = Diary()
    if restart:
        checkpoint.remove()
    checkpoint.resume(model, diary)
    job.started = checkpoint.began
    done = len(diary.epochs)
    size = min(recipe.batch_size, 256)
    if resident:
        shown_to = {"x": fed(model, drawn)}
        held: keras.utils.PyDataset = Batches(
            images.validation, even(len(images.validation.labels), size), recipe.image_size
        )
        drawing = [DrawEpoch(drawn)]
    else:
        shown_to = {"x": batches(images.train, images.classes, recipe, done * job.steps), "steps_per_epoch": job.steps}
        held = Held(images.validation, images.classes, size)
        drawing = []
    validation = fed(model, held)
    with EpochProgress(job.stem, recipe.epochs) as progress:
        model.fit(
            **shown_to,
            validation_data=validation,
            epochs=recipe.epochs,
            initial_epoch=done,
            callbacks=[
                keras.callbacks.TerminateOnNaN(),
                *drawing,
                diary,
                *together(shown_to["x"], validation),
                Publish(job, diary),
                keras.callbacks.SwapEMAWeights(),
                KeepCheckpoint(checkpoint, [], diary),
                progress,
                *callbacks,
            ],
            shuffle=False,  # the batches come in an order of their own
            verbose=0,
        )
    if not all(map(math.isfinite, diary.epochs[-1].values())) or job.finished is None:
        raise ReportError(
            f"The loss stopped being a number in epoch {len(diary.epochs)}; the weights are those of an epoch before, "
            "if there are any. A lower --learning-rate usually helps."
        )
    checkpoint.remove()
    return job.finished
