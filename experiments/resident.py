"""Images that stay on the accelerator, under JAX: drawn, moved and scaled there, many batches in one compiled call.

Otherwise the processor makes each batch, copies it to the accelerator and starts each step from Python, and a small
network has computed its step before the next one is ready. Here all images are copied once. What is drawn at random is
still drawn by the processor, out of the same numbers: the order of the images and what happens to each of them.

Batches hold the same images, resized by OpenCV as elsewhere. Shifts by whole pixels give the same pixels; rotations are
interpolated at their exact positions, which OpenCV rounds to 1/32 of a pixel.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from experiments.augmentation import Affine, covered, grid, places, resize
from experiments.batches import Batches, Plan
from experiments.data import Images
from experiments.layers import all_layers
from experiments.scaling import Scaling, scaled

MOST = 64
"""Batches in one call; a bar moves between calls."""
LARGEST = 2 * 2**30
"""Bytes of images that are copied to what draws them, an accelerator or TensorFlow; of a larger set, batch by batch."""


def pays() -> bool:
    """Whether Keras reaches an accelerator through JAX; on a processor, nothing would be copied anyway."""
    if keras.backend.backend() != "jax":
        return False
    import jax

    return bool(jax.default_backend() != "cpu")


class Steps:
    """The steps of a Keras model that also takes the calls of `Calls`; to stand before `keras.Model` in its bases."""

    def drawn(self, data: Any, plan: Any) -> tuple[Any, Any]:
        """The batch of one plan, as the network takes it; compiled with the step."""
        raise NotImplementedError

    def make_train_function(self, force: bool = False) -> None:
        """As Keras makes it for JAX, but what is compiled can be reached, for `CompileTogether`."""
        model: Any = self
        if force or model.train_function is None:
            self.compiled_train_step, model.train_function = _compiled(self.train_step)

    def make_test_function(self, force: bool = False) -> None:
        """As `make_train_function`, for validation."""
        model: Any = self
        if force or model.test_function is None:
            self.compiled_test_step, model.test_function = _compiled(self.test_step)

    def train_step(self, state: Any, data: Any) -> Any:
        """One step, or one for each batch of a call; Keras's own interface under JAX."""
        return self._each(super().train_step, state, data)  # type: ignore[misc]

    def test_step(self, state: Any, data: Any) -> Any:
        """As `train_step`, without training."""
        return self._each(super().test_step, state, data)  # type: ignore[misc]

    def _each(self, one: Callable[[Any, Any], Any], state: Any, data: Any) -> Any:
        if not isinstance(data, dict):
            return one(state, data)
        import jax

        def step(state: Any, plan: Any) -> Any:
            logs, state = one(state, self.drawn(data, plan))
            return state, logs

        state, logs = jax.lax.scan(step, state, data["plans"])
        return {name: values[-1] for name, values in logs.items()}, state


def _compiled(step: Callable[[Any, Any], Any]) -> tuple[Any, Callable[[Any, Iterator[Any]], Any]]:
    """`step`, compiled once for each form of its arguments, and what Keras calls with the batches of an epoch."""
    import jax

    compiled = jax.jit(step, donate_argnums=0)
    return compiled, lambda state, batches: compiled(state, next(batches))


class CompileTogether(keras.callbacks.Callback):  # type: ignore[misc]
    """Compiles every form of the steps before the first of them: that of full batches, and then the others at once.

    The last batch of an epoch is often smaller than the others, and validation knows no training. Most of the time to
    compile goes into trying ways to convolve on the GPU, for one program at a time, and JAX remembers what it has found
    for full batches: the other forms ask for little else (`in_whole_batches`).

    Stands behind the callback that draws the epoch, and behind the one that takes its time, for what is compiled here
    belongs to the first epoch.
    """

    def __init__(self, training: Calls, validation: Calls) -> None:
        super().__init__()
        self._training, self._validation = training, validation
        self._done = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._done:
            return
        model: Any = self.model
        model.make_train_function()
        model.make_test_function()
        weights = [model.trainable_variables, model.non_trainable_variables]
        trained = _values(*weights, model.optimizer.variables, model.metrics_variables)
        tested = _values(*weights, model.metrics_variables)
        first, *others = [
            *((model.compiled_train_step, trained, data) for data in self._training.forms()),
            *((model.compiled_test_step, tested, data) for data in self._validation.forms()),
        ]
        with ThreadPoolExecutor() as pool:
            step, *arguments = first
            compiled = pool.submit(step.lower(*arguments).compile)
            # Traced meanwhile, and one after the other, for Keras traces into its own global state.
            lowered = [step.lower(*arguments) for step, *arguments in others]
            compiled.result()
            for program in [pool.submit(one.compile) for one in lowered]:
                program.result()  # JAX keeps it, and the first call finds it
        self._done = True


def together(training: Any, validation: Any) -> list[CompileTogether]:
    """What compiles the steps of a training fed with these, as a list of callbacks: none where Keras does it all."""
    return (
        [CompileTogether(training, validation)] if isinstance(training, Calls) and isinstance(validation, Calls) else []
    )


def _values(*groups: Sequence[Any]) -> tuple[list[Any], ...]:
    """The state of a model as Keras hands it to a step."""
    return tuple([variable.value for variable in group] for group in groups)


def in_whole_batches(model: keras.Model, batch_size: int) -> None:
    """Let every convolution and dense layer of `model` compute as for `batch_size` images, also for fewer.

    Empty images are added before the layer and taken away behind it: the numbers are the same, and so are the
    gradients. JAX tries many ways to convolve before it chooses one, for each size of a batch anew, and that takes most
    of the time to compile; with one size for all batches there is less to try.
    """
    for layer in all_layers(model):
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            layer.call = _filling(layer.call, batch_size)


def _filling(call: Callable[..., Any], batch_size: int) -> Callable[..., Any]:
    @functools.wraps(call)
    def call_filled(inputs: Any, **options: Any) -> Any:
        images = inputs.shape[0]  # None while Keras only asks for shapes
        if images is None or images >= batch_size:
            return call(inputs, **options)
        empty = [(0, batch_size - images), *[(0, 0)] * (len(inputs.shape) - 1)]
        return call(keras.ops.pad(inputs, empty), **options)[:images]

    return call_filled


class Resident(Steps):
    """A network of a project, its batches drawn from images on the accelerator; made by `resident_of`."""

    scaling: Scaling

    def drawn(self, data: Any, plan: Any) -> tuple[Any, Any]:
        """Scaled pixels, (batch, height, width, 3), and labels, (batch,)."""
        return shown(data, plan, self.scaling)


class ResidentSequential(Resident, keras.Sequential):  # type: ignore[misc]
    """A row of layers."""


class ResidentFunctional(Resident, keras.Model):  # type: ignore[misc]
    """Layers in any other order."""


def resident_of(network: keras.Model, scaling: Scaling, batch_size: int) -> Any:
    """A `Resident` with the layers, the weights and the name of `network`; its images are scaled as `scaling` says.

    Layers compute `batch_size` images at a time, as `in_whole_batches` says.
    """
    model: Any
    if isinstance(network, keras.Sequential):
        model = ResidentSequential([keras.Input(network.input_shape[1:]), *network.layers], name=network.name)
    else:
        model = ResidentFunctional(network.inputs, network.output, name=network.name)
    model.scaling = scaling
    in_whole_batches(model, batch_size)
    return model


class Calls(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of an epoch as `Resident` takes them: all images, and the plans of several batches at a time.

    What does not fill a batch is a call of its own, for a compiled call has fixed shapes.
    """

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        import jax

        self._batches = batches
        rest = len(batches.plan(len(batches) - 1).chosen) < batches.batch_size
        full = len(batches) - rest
        together = largest_divisor(full, MOST) if full else 1
        self._calls = [range(start, start + together) for start in range(0, full, together)]
        if rest:
            self._calls.append(range(full, full + 1))
        self._pixels = jax.device_put(resize(batches.images.pixels, batches.image_size))
        self._labels = jax.device_put(batches.images.labels.astype(np.int32))

    def __len__(self) -> int:
        """Calls in an epoch."""
        return len(self._calls)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """All `pixels`, all `labels`, and the `plans` of the batches of call `index`, each (batches, batch, …)."""
        plans = stacked([self._batches.plan(batch) for batch in self._calls[index]])
        return {"pixels": self._pixels, "labels": self._labels, "plans": plans}

    def forms(self) -> list[dict[str, Any]]:
        """One call of each shape: all others are compiled to the same program as one of these."""
        alike = {(len(call), len(self._batches.plan(call[0]).chosen)): index for index, call in enumerate(self._calls)}
        return [self[index] for index in alike.values()]


def fits(batches: Batches) -> bool:
    """Whether all images of `batches`, resized, are few enough bytes to be copied at once."""
    return len(batches.images.labels) * batches.image_size**2 * int(batches.images.pixels.shape[-1]) <= LARGEST


def even(images: int, batch_size: int) -> int:
    """Images a batch, at most `batch_size`, so that the last batch is as large as the others and nothing is compiled
    for it alone; `batch_size` where that would take more than twice as many batches.
    """
    found = largest_divisor(images, batch_size)
    return found if batch_size / 2 < found <= batch_size else batch_size


def filled(images: Images, batch_size: int) -> Images:
    """`images`, and then the first of them once more, until they fill batches; for what looks at each image alone."""
    places = np.arange(-len(images.labels) % batch_size) % len(images.labels)
    return Images(
        np.concatenate([images.pixels, images.pixels[places]]), np.concatenate([images.labels, images.labels[places]])
    )


def largest_divisor(number: int, most: int) -> int:
    """The largest number up to `most` that divides `number`; `number` itself where all of those are small."""
    found = next(divisor for divisor in range(min(number, most), 0, -1) if number % divisor == 0)
    return found if found > most // 8 else number


def stacked(plans: Sequence[Plan]) -> dict[str, Any]:
    """Plans of batches of one size as arrays by name, the batches along their first axis."""
    movements = [plan.movement for plan in plans]
    fields = [] if movements[0] is None else [field.name for field in dataclasses.fields(movements[0])]
    found = {name: np.stack([getattr(movement, name) for movement in movements]) for name in fields}
    found["chosen"] = np.stack([plan.chosen for plan in plans])
    # JAX computes in 32 bits.
    return {name: _narrow(array) for name, array in found.items()}


def _narrow(array: Any) -> Any:
    return array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))


def shown(data: Any, plan: Any, scaling: Scaling) -> tuple[Any, Any]:
    """The batch of one plan: scaled pixels (batch, height, width, 3) and labels (batch,); compiled with the step."""
    pixels, chosen = data["pixels"], plan["chosen"]
    if "matrices" in plan:
        found = transform(pixels, chosen, Affine(plan["matrices"], plan["flips"]))
    elif "flips" in plan:
        rows, columns = places(plan["down"], plan["right"], plan["flips"], *pixels.shape[1:3])
        found = pixels[chosen[:, None, None], rows, columns]
        if "squares" in plan:
            found = covered(found, plan["squares"])
    else:
        found = pixels[chosen]
    return scaled(found, scaling), data["labels"][chosen]


def drawing(scaling: Scaling) -> Callable[[Any], Any]:
    """The compiled drawing of a call's batches and nothing else, to measure: the sum of the pixels of each."""
    import jax

    def sums(data: Any) -> Any:
        return jax.lax.map(lambda plan: shown(data, plan, scaling)[0].sum(), data["plans"])

    compiled: Callable[[Any], Any] = jax.jit(sums)
    return compiled


def transform(pixels: Any, chosen: Any, movement: Affine) -> Any:
    """The images `chosen` of `pixels`, moved as `experiments.augmentation.transform` does: float32, 0..255."""
    import jax.numpy as jnp

    _, height, width, _ = pixels.shape
    rows, columns = grid(movement.flips, height, width)  # a flip comes last: the new image is read from right to left
    matrices = movement.matrices[..., None, None]
    x, y = (matrices[:, k, 0] * columns + matrices[:, k, 1] * rows + matrices[:, k, 2] for k in range(2))
    x, y = jnp.clip(x, 0, width - 1), jnp.clip(y, 0, height - 1)
    left, top = jnp.floor(x).astype(jnp.int32), jnp.floor(y).astype(jnp.int32)
    right, bottom = jnp.minimum(left + 1, width - 1), jnp.minimum(top + 1, height - 1)
    across, along = (x - left)[..., None], (y - top)[..., None]
    image = chosen[:, None, None]
    upper = pixels[image, top, left] * (1 - across) + pixels[image, top, right] * across
    lower = pixels[image, bottom, left] * (1 - across) + pixels[image, bottom, right] * across
    return upper * (1 - along) + lower * along
