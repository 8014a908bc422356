"""One project and one seed: the network, the training, the measurements. Beside it, pretraining and the bench `fit`.

The code is neutral to Keras's backend. What is random is drawn from the seed: Keras's own generator (initial weights,
dropout), the split, and the order of the images, which is a function of the seed and the epoch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from experiments.batches import Batches, DrawEpoch
from experiments.checkpoint import Checkpoint, Diary, KeepCheckpoint
from experiments.convolution import by_products
from experiments.data import SIDE, Images, Split
from experiments.feed import fed
from experiments.normalization import in_one_operation
from experiments.operations import operations
from experiments.project import SGD, Project, Training, Translation
from experiments.resident import Resident, even, filled, pays, resident_of, together
from experiments.scaling import Scaling
from experiments.stopping import RestoreIfStopped, outcome
from reportgen.errors import ReportError, asked_to_end, first_line, place, told
from reportgen.record import Epoch, Layer, Metrics, Mistake, Network, Setting, Stopping

MOST_MISTAKES = 25
"""How many of the most confident mistakes are kept."""

LOSS = "sparse_categorical_crossentropy"
CROSS_ENTROPY = "cross_entropy"
"""The metric that stands for the loss where that is not the cross-entropy."""
IMAGES = 40_000
"""How many images train, where nothing else is known."""
CALL = 1e10
"""Operations of the steps that TensorFlow takes in one call on a processor: of small networks, a tenth of a second."""
MOST_STEPS = 8
"""The most of these; with more, nothing is gained."""
PROJECTS = Path(__file__).parent / "projects"
"""Where the files stand in which a network may be wrong."""
WRONG = (
    *(ValueError, TypeError, NameError, AttributeError, LookupError, ArithmeticError),
    *(ImportError, AssertionError, RuntimeError, OSError),
)
"""What the lines of a network raise where they are wrong."""
ENOUGH = 224
"""The side of images, in pixels, for which every network can be built that can be built at all."""
PREPARED = 5_000
"""Training images that a network is prepared with, where it takes something from them; fewer where they are larger."""


@dataclass(frozen=True)
class Run:
    """What a training left: everything of a record that was measured."""

    history: tuple[Epoch, ...]
    stopping: Stopping
    seconds: float
    train: Metrics
    validation: Metrics
    test: Metrics
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]


def use_precision(precision: str) -> None:
    """Compute in `precision` from now on.

    The matrix units of a GPU would round the factors of every product in `float32` to ten bits (TF32), which each
    backend allows them in its own way; here they may not, so that the word means the same on every device.

    Raises:
        ReportError: Keras has no such policy.
    """
    try:
        keras.config.set_dtype_policy(precision)
    except (ValueError, TypeError) as problem:
        raise ReportError(
            f"Unknown precision {precision!r}: expected one of Keras's policies, such as float32 or mixed_bfloat16."
        ) from problem
    match keras.backend.backend():
        case "jax":
            import jax

            jax.config.update("jax_default_matmul_precision", "float32")
        case "tensorflow":
            import tensorflow as tf

            tf.config.experimental.enable_tensor_float_32_execution(False)
        case "torch":
            import torch

            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False


def steps_of(training: Training, images: int = IMAGES, epochs: int | None = None) -> int:
    """The steps of a whole training on `images` images, if nothing ends it early."""
    return -(-images // training.batch_size) * (epochs or training.epochs)


def one_cycle(highest: float, warmup: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """From zero in a straight line to `highest` over the part `warmup` of all `steps`, and along a cosine to zero."""
    rising = max(1, round(warmup * steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rising), warmup_target=highest, warmup_steps=rising
    )


def optimizer_of(training: Training, steps: int) -> keras.optimizers.Optimizer:
    """What `training` declares, for `steps` steps in all."""
    declared = training.optimizer
    if not isinstance(declared, SGD):
        return keras.optimizers.Adam(learning_rate=declared.learning_rate, clipnorm=declared.clipnorm)
    optimizer = keras.optimizers.SGD(
        learning_rate=one_cycle(declared.learning_rate, declared.warmup, steps),
        momentum=declared.momentum,
        nesterov=True,
        weight_decay=declared.weight_decay,
        use_ema=True,
        ema_momentum=declared.averaging,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta"])
    return optimizer


def smoothed(label_smoothing: float) -> Callable[[Any, Any], Any]:
    """Sparse categorical cross-entropy against labels that are smoothed (Szegedy et al., 2016)."""

    def loss(labels: Any, probabilities: Any) -> Any:
        wanted = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), probabilities.shape[-1])
        return keras.losses.categorical_crossentropy(wanted, probabilities, label_smoothing=label_smoothing)

    return loss


def build(project: Project, seed: int, precision: str, steps: int | None = None) -> keras.Model:
    """The compiled network with the weights that `seed` draws, its layers named as in a fresh process.

    A learning rate that follows the training is made for `steps` steps in all; None: those of `IMAGES` images.

    Raises:
        ReportError: Keras has no such precision, or the network cannot be built, or only Keras could say what is in it.
    """
    keras.utils.clear_session()
    use_precision(precision)  # behind the line above, which forgets the precision with everything else
    keras.utils.set_random_seed(seed)
    try:
        model = _network(project, project.image_size)
    except ReportError:
        raise
    except (Exception, SystemExit) as problem:
        where = place(problem, PROJECTS, PROJECTS.parents[1])
        # Keras raises an error of no kind where nothing can be downloaded.
        of_the_network = bool(where) or isinstance(problem, WRONG) or type(problem) is Exception
        if asked_to_end(problem) or _of_the_device(problem) or not of_the_network:
            raise
        side = project.image_size
        if isinstance(problem, ValueError) and _buildable(project, ENOUGH):
            raise ReportError(
                f"The network cannot be built for images of {side}x{side} pixels ({first_line(problem)}). "
                "It needs larger ones: --image-size."
            ) from problem
        raise ReportError(f"{where or 'The network'}: the network cannot be built ({told(problem)}).") from problem
    _check_form(model, project.image_size)
    if model.layers[-1].compute_dtype in ("float16", "bfloat16"):
        # Sixteen bits are too coarse for a probability and its logarithm.
        model.layers[-1].dtype_policy = "float32"
    training = project.training
    if pays():
        model = resident_of(model, project.pixel_scaling, training.batch_size)
    if unfused():
        in_one_operation(model)
        by_products(model)
    smoothing = training.label_smoothing
    model.compile(
        optimizer=optimizer_of(training, steps or steps_of(training)),
        loss=smoothed(smoothing) if smoothing else LOSS,
        # With smoothed labels, the loss is another quantity than the cross-entropy that is recorded.
        metrics=["accuracy", *([keras.metrics.SparseCategoricalCrossentropy(name=CROSS_ENTROPY)] if smoothing else [])],
        steps_per_execution=steps_a_call(model, training.batch_size) if unfused() else 1,
    )
    make_variables(model, np.zeros(1, dtype=np.int32))
    return model


def unfused() -> bool:
    """Whether TensorFlow computes on a processor: operation by operation, where JAX fuses what it compiles."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.config.get_visible_devices("GPU")


def steps_a_call(model: keras.Model, batch_size: int) -> int:
    """How many steps TensorFlow takes on a processor before it comes back to Python, which takes a fraction of a
    millisecond, or a whole one.

    As many as take about a tenth of a second, for between two calls only a training shows how far it is, or ends.
    """
    computed = operations(model)
    return min(MOST_STEPS, max(1, int(CALL / (computed * batch_size)))) if computed else 1


def _of_the_device(problem: BaseException) -> bool:
    """Whether Python or a backend tells of what the device cannot do, as for want of memory, whatever line asked it."""
    own = isinstance(problem, RuntimeError) and type(problem).__module__ != "builtins"
    return own or isinstance(problem, MemoryError) or type(problem).__name__ == "ResourceExhaustedError"


def make_variables(model: keras.Model, labels: npt.NDArray[Any]) -> None:
    """Make what optimizer, loss and metrics remember of a compiled `model`, for a batch of such `labels`.

    Left to a first step, TensorFlow would trace that twice, once to make them, and Keras under JAX would look at a
    batch. Either takes seconds, and a run has several first steps.
    """
    model.optimizer.build(model.trainable_variables)
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2:
        return  # no probability for each class, which the canary tells
    scores = np.full((len(labels), shape[1]), 1 / shape[1], dtype=np.float32)
    model.compute_loss(None, labels, scores)
    model.compute_metrics(None, labels, scores)
    model.reset_metrics()


def _check_form(model: Any, side: int) -> None:
    """Nothing, where `model` is made of layers that can be read, and takes images of `side` pixels.

    Raises:
        ReportError: it is not; the message says what to return instead.
    """
    if not isinstance(model, keras.Model):
        raise ReportError(
            f"The project's `network` returned {type(model).__name__}, expected a keras.Model: does it end in a return?"
        )
    if not hasattr(model, "inputs"):
        raise ReportError(
            f"The project's `network` returned a {type(model).__name__}, whose layers are put together in its `call`, "
            "where no table of them can be read; expected keras.Sequential([…]) or keras.Model(inputs, outputs)."
        )
    several = () if isinstance(model, keras.Sequential) else (("input", model.input), ("output", model.output))
    for what, found in several:
        if not isinstance(found, keras.KerasTensor):
            raise ReportError(
                f"The network's {what} is a {type(found).__name__}, expected one tensor: keras.Model(inputs, outputs) "
                "with one of each."
            )
    shape, expected = model.inputs[0].shape, (None, side, side, 3)
    if len(shape) != 4 or any(found not in (None, wanted) for found, wanted in zip(shape, expected, strict=True)):
        raise ReportError(
            f"The network takes images of the shape {shape}, expected {expected}: `network` is called with "
            "the side of the images in pixels. Begin with keras.Input((image_size, image_size, 3))."
        )
    if not model.layers:
        raise ReportError("The network has no layers behind its input.")


def _network(project: Project, side: int) -> Any:
    """What the project builds; a row of layers that begins with none for its input is told what that will be."""
    model = project.network(side)
    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, side, side, 3))
    return model


def _buildable(project: Project, side: int) -> bool:
    try:
        _network(project, side)
    except ValueError:
        return False
    return True


def rows_of(model: keras.Model) -> tuple[Layer, ...]:
    """One row for each layer of a built network, with the shape of its first output.

    Where layers are put together with operators, as in `x + layer(x)`, each of these is a row, too.
    """
    rows = model.layers if isinstance(model, keras.Sequential) else model.operations
    return tuple(
        Layer(
            name=layer.name,
            type=type(layer).__name__,
            output_shape=tuple(keras.tree.flatten(layer.output)[0].shape),
            parameters=layer.count_params() if isinstance(layer, keras.layers.Layer) else 0,
        )
        for layer in rows
    )


def network_of(model: keras.Model) -> Network:
    """The layer table of a built network, and its totals."""
    layers = rows_of(model)
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    total = int(model.count_params())
    return Network(
        name=model.name, layers=layers, parameters=total, trainable=trainable, non_trainable=total - trainable
    )


def settings_of(project: Project) -> dict[str, Setting]:
    """Everything that a project chose and is not a layer; what it leaves alone is left out."""
    training, augmentation = project.training, project.training.augmentation
    found: dict[str, Setting] = {
        "batch_size": training.batch_size,
        "epochs": training.epochs,
        "optimizer": type(training.optimizer).__name__,
        "learning_rate": training.optimizer.learning_rate,
        "loss": LOSS,
        "pixel_scaling": project.pixel_scaling,
        **{f"patience_{rule.monitor}": rule.patience for rule in training.early_stopping},
    }
    if isinstance(training.optimizer, SGD):
        found |= {
            "momentum": training.optimizer.momentum,
            "schedule": "cosine",
            "warmup": training.optimizer.warmup,
            "weight_decay": training.optimizer.weight_decay,
            "averaging": training.optimizer.averaging,
        }
    elif training.optimizer.clipnorm is not None:
        found["clipnorm"] = training.optimizer.clipnorm
    if training.label_smoothing:
        found["label_smoothing"] = training.label_smoothing
    if isinstance(augmentation, Translation):
        found |= {"translation": augmentation.pixels, "fill_mode": "reflect", "alternating_flip": True}
        if augmentation.cutout:
            found["cutout"] = augmentation.cutout
    elif augmentation is not None:
        found |= {
            "rotation": augmentation.rotation,
            "shift": augmentation.shift,
            "horizontal_flip": augmentation.horizontal_flip,
            "fill_mode": "nearest",
        }
    if project.image_size != SIDE:
        found["image_size"] = project.image_size
    if project.weights is not None:
        found["weights"] = project.weights
    if project.test_time_flips:
        found["test_time_flips"] = True
    return found


def train(
    project: Project,
    model: keras.Model,
    split: Split,
    seed: int,
    *,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
    callbacks: Sequence[Any] = (),
) -> Run:
    """Train `model` on `split` as `project` says (at most `epochs`, if given), and measure it.

    With a `checkpoint`, finished epochs are kept, and a run that was cut off goes on behind the last of these.

    Where weights are averaged, the averaged ones validate each epoch and are measured in the end. The history
    knows no test-time flips; the final measurements of all three sets have them where the project declares them.

    Raises:
        ReportError: the loss stopped being a number, or the checkpoint is of another run.
    """
    training = project.training
    size, side, scaling = training.batch_size, project.image_size, project.pixel_scaling
    stoppers = [RestoreIfStopped(rule) for rule in training.early_stopping]
    batches = Batches(split.train, size, side, seed, training.augmentation, scaling)
    if project.prepare is not None:
        # As many pixels at every size: what is taken from them needs memory for each of its neighbours.
        prepared = min(PREPARED, PREPARED * SIDE**2 // side**2, len(split.train.labels))
        project.prepare(model, Batches(split.train, max(prepared, 1), side, scaling=scaling)[0][0])
    averaging = [keras.callbacks.SwapEMAWeights()] if isinstance(training.optimizer, SGD) else []
    diary = Diary()
    keeper = [] if checkpoint is None else [KeepCheckpoint(checkpoint, stoppers, diary)]
    if checkpoint is not None:
        checkpoint.resume(model, diary)
    validated = even(len(split.validation.labels), size) if isinstance(model, Resident) else size
    trained = fed(model, batches)
    held = fed(model, Batches(split.validation, validated, side, scaling=scaling))
    model.fit(
        trained,
        validation_data=held,
        epochs=epochs or training.epochs,
        initial_epoch=len(diary.epochs),
        shuffle=False,  # Keras would shuffle the batches once more, out of Python's global generator
        callbacks=[
            keras.callbacks.TerminateOnNaN(),
            DrawEpoch(batches),
            *stoppers,
            *averaging,
            diary,
            *together(trained, held),
            *keeper,
            *callbacks,
        ],
        verbose=0,
    )
    if not all(np.isfinite([diary.epochs[-1]["loss"], diary.epochs[-1].get("val_loss", np.nan)])):
        raise ReportError(
            f"The loss stopped being a number in epoch {len(diary.epochs)}; the run is not recorded. "
            "A lower learning rate, or --precision float32, usually helps."
        )
    del trained, held  # their images: what is measured below brings its own
    flips = project.test_time_flips
    probabilities = predict(model, split.test, size, side, scaling, flips)
    return Run(
        history=tuple(
            Epoch(
                accuracy=epoch["accuracy"],
                cross_entropy=epoch.get(CROSS_ENTROPY, epoch["loss"]),
                val_accuracy=epoch["val_accuracy"],
                val_cross_entropy=epoch.get(f"val_{CROSS_ENTROPY}", epoch["val_loss"]),
                seconds=epoch["seconds"],
            )
            for epoch in diary.epochs
        ),
        stopping=outcome(stoppers, len(diary.epochs)),
        seconds=sum(epoch["seconds"] for epoch in diary.epochs),
        train=measure(model, split.train, size, side, scaling, flips),
        validation=measure(model, split.validation, size, side, scaling, flips),
        test=measure(model, split.test, size, side, scaling)
        if not flips and not isinstance(model, Resident)
        else scored(split.test.labels, probabilities),
        confusion=confusion(split.test.labels, probabilities),
        mistakes=confident_mistakes(split.test.labels, probabilities),
    )


def measure(
    model: keras.Model, images: Images, batch_size: int, image_size: int, scaling: Scaling, flips: bool = False
) -> Metrics:
    """Accuracy and cross-entropy of a trained network on `images`, without dropout, augmentation or smoothed labels.

    With `flips`, of the probabilities that `predict` averages; on an accelerator of those that it computes anyway.
    """
    if flips or isinstance(model, Resident):
        return scored(images.labels, predict(model, images, batch_size, image_size, scaling, flips))
    found = model.evaluate(
        fed(model, Batches(images, batch_size, image_size, scaling=scaling)), verbose=0, return_dict=True
    )
    return Metrics(accuracy=found["accuracy"], cross_entropy=found.get(CROSS_ENTROPY, found["loss"]))


def scored(labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.floating[Any]]) -> Metrics:
    """Accuracy and cross-entropy of `probabilities`, (images, classes), bounded as Keras bounds them under JAX.

    Under TensorFlow, where `measure` leaves it to Keras, that starts from the values before the softmax, unbounded.
    """
    of_label = np.maximum(probabilities[np.arange(len(labels)), labels], keras.config.epsilon())
    return Metrics(
        accuracy=float(np.mean(probabilities.argmax(axis=1) == labels)),
        cross_entropy=float(-np.log(of_label).mean()),
    )


def predict(
    model: keras.Model, images: Images, batch_size: int, image_size: int, scaling: Scaling, flips: bool = False
) -> npt.NDArray[np.floating[Any]]:
    """Probabilities, (images, classes); with `flips`, the mean over each image and its mirror image.

    On an accelerator compiling takes longer than computing: there, every set is shown in batches of the same size,
    one by one, so that one compiled function does for all.
    """
    views = (False, True) if flips else (False,)
    resident = isinstance(model, Resident)
    shown = filled(images, batch_size) if resident else images
    found: list[npt.NDArray[np.floating[Any]]] = []
    with one_by_one(model):
        for mirrored in views:
            batches = Batches(shown, batch_size, image_size, scaling=scaling, mirrored=mirrored)
            probabilities = model.predict(batches if resident else fed(model, batches), verbose=0)
            found.append(probabilities[: len(images.labels)])
    return (found[0] + found[1]) / 2 if flips else found[0]


@contextmanager
def one_by_one(model: keras.Model) -> Iterator[None]:
    """Let `model` predict one batch in a call, for Keras compiles several as so many networks."""
    several = model.steps_per_execution
    if several == 1:
        yield
        return
    model.steps_per_execution, model.predict_function = 1, None  # what is compiled holds for one number of batches
    try:
        yield
    finally:
        model.steps_per_execution, model.predict_function = several, None


def confusion(
    labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.floating[Any]]
) -> tuple[tuple[int, ...], ...]:
    """Images by label (row) and most probable class (column); `probabilities` is (images, classes)."""
    classes = probabilities.shape[1]
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return tuple(tuple(int(count) for count in row) for row in counts)


def confident_mistakes(
    labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.floating[Any]], most: int = MOST_MISTAKES
) -> tuple[Mistake, ...]:
    """The wrong predictions with the highest probability, most confident first; ties by position."""
    predictions = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predictions != labels)
    confidence = probabilities[wrong, predictions[wrong]]
    chosen = wrong[np.argsort(-confidence, kind="stable")][:most]
    return tuple(
        Mistake(
            index=int(index),
            label=int(labels[index]),
            prediction=int(predictions[index]),
            # Single precision can round a sum of probabilities to a little over 1.
            probability=min(1.0, float(probabilities[index, predictions[index]])),
        )
        for index in chosen
    )
