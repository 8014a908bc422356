"""The weights that VGG16 starts from: ImageNet's from Keras Applications, or a file that the user has."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import AwareDatetime, Field

from experiments.scaling import BGR_MEAN, UNIT_INTERVAL, Scaling
from reportgen.errors import ReportError, first_line
from reportgen.record import Fraction, Part, Setting, Sha256, read_as, write_as

if TYPE_CHECKING:
    import keras

IMAGENET = {"6d6bbae143d832006294945121d1f1fc", "64373286793e3c8b2b4e3219cbf3544b"}
"""The MD5 of the files that Keras Applications publishes, without and with the top layers."""


SCALINGS: tuple[Scaling, ...] = get_args(Scaling)
"""The preparations of pixels that a card may name."""
ARCHITECTURE = "VGG16"
SMALLEST = 32
"""Pixels a side that leave one position behind VGG16's five poolings."""
DEVIATION: dict[Scaling, int] = {UNIT_INTERVAL: 1, BGR_MEAN: 64}
"""The power of two nearest to how far scaled pixels are from zero."""
CONVOLUTION = re.compile(r"block\d+_conv\d+")
"""What Keras Applications calls the convolutions of VGG16, and of VGG19."""
RESERVED = ("imagenet", "random")
"""Names that stand for the weights that Keras publishes, and for none."""


class Card(Part):
    """What a file of weights made here promises, in a JSON file of the same name beside it."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    """The data set that the weights were trained on; what a run on them records as its `weights`."""
    architecture: str
    preprocessing: str
    """How pixels must be prepared, by the names of `experiments.scaling`."""
    image_size: Annotated[int, Field(ge=1)]
    """Of the images trained on, in pixels."""
    classes: Annotated[int, Field(ge=2)]
    epochs_done: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]
    """Epochs asked for."""
    top1: Fraction
    top5: Fraction
    """Accuracy on the images for validation."""
    weights_sha256: Sha256
    record: str
    """The record of the pretraining, relative to the root of the repository."""
    started: AwareDatetime
    run: Sha256
    """Over settings, sources and data: the same for all epochs of one pretraining."""


def read_card(file: Path) -> Card:
    """Read and validate the card of a file of weights.

    Raises:
        RecordError: it is missing, damaged, of another version, or a field is missing or wrong.
    """
    return read_as(file, Card)


def write_card(card: Card, file: Path) -> Path:
    """Write the card of a file of weights, whole or not at all."""
    return write_as(card, file)


@dataclass(frozen=True)
class Start:
    """What weights are, told without reading them."""

    name: str
    """`imagenet` for those that Keras publishes; otherwise what their card says, or the file's name."""
    expects: Scaling | None
    """How pixels must be prepared for them; None where nobody has said."""
    sha256: str | None = None
    """Of the file; None for those that Keras fetches, which it checks itself."""
    card: Card | None = None

    @property
    def settings(self) -> dict[str, Setting]:
        """What a run that starts from these weights records of them, beside their name."""
        found: dict[str, Setting] = {"weights_expect": self.expects}
        if self.sha256:
            found["weights_sha256"] = self.sha256
        if self.card:
            found |= {
                "weights_record": self.card.record,
                "weights_epochs": self.card.epochs_done,
                "weights_epochs_asked": self.card.epochs,
            }
        return found


def start_of(file: Path | None, *, allow_unfinished: bool = False) -> Start:
    """What the weights of `file` are, or those of Keras Applications if it is None.

    A card beside the file is held against it. Keras's own files are told by their content.

    Raises:
        ReportError: the file is missing, is not the one that its card speaks of, is of another network, expects pixels
            that are prepared in an unknown way, passes for weights that it is not, or its pretraining is unfinished.
    """
    if file is None:
        return Start("imagenet", BGR_MEAN)
    if not file.is_file():
        raise ReportError(f"{file}: there is no such file, expected VGG16 weights (.h5 or .weights.h5).")
    sha256 = _digest(file, "sha256")
    if _digest(file, "md5") in IMAGENET:
        return Start("imagenet", BGR_MEAN, sha256)
    stem = stem_of(file)
    beside = file.with_name(f"{stem}.json")
    if not beside.is_file():
        # A file may be called as it likes, but its name must not make it what it is not.
        return Start(f"{stem}-{sha256[:8]}" if stem in RESERVED else stem, None, sha256)
    card = read_card(beside)
    if card.weights_sha256 != sha256:
        raise ReportError(
            f"{file}: its content has the SHA-256 {sha256[:12]}…, but {beside.name} speaks of "
            f"{card.weights_sha256[:12]}…; the file is damaged, or the card is of another one."
        )
    if card.architecture != ARCHITECTURE:
        raise ReportError(f"{file}: {beside.name} says weights of {card.architecture}, expected {ARCHITECTURE}.")
    expects = next((scaling for scaling in SCALINGS if scaling == card.preprocessing), None)
    if expects is None:
        raise ReportError(
            f"{file}: {beside.name} says that pixels must be prepared as {card.preprocessing!r}, which is none of "
            f"those known here: {', '.join(map(repr, SCALINGS))}."
        )
    if card.name in RESERVED:
        raise ReportError(
            f"{file}: {beside.name} calls these weights {card.name!r}, and by their content they are not."
        )
    if card.epochs_done < card.epochs and not allow_unfinished:
        raise ReportError(
            f"{file}: the pretraining is unfinished, {card.epochs_done} of {card.epochs} epochs. Let it go on with its "
            "own command, or use the weights as they are with --allow-unfinished; the records will say so."
        )
    return Start(card.name, expects, sha256, card)


def stem_of(file: Path) -> str:
    """The name of a file of weights without its endings, which its card and its records share."""
    return file.name.removesuffix(".h5").removesuffix(".weights")


def check_size(image_size: int) -> None:
    """See that something is left of an image, `image_size` pixels a side, behind the last pooling.

    Raises:
        ReportError: nothing is.
    """
    if image_size < SMALLEST:
        raise ReportError(
            f"VGG16 halves an image five times and needs {SMALLEST}x{SMALLEST} pixels; --image-size is {image_size}."
        )


@dataclass(frozen=True)
class Pretrained:
    """The weights of VGG16's convolutions."""

    name: str
    """As in `Start`."""
    layers: Mapping[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]
    """Kernel (height, width, channels in, channels out) and bias (channels out) by the layer's name."""


def imagenet() -> Pretrained:
    """Fetch the ImageNet weights with Keras Applications, which checks them and keeps them for the next time.

    Raises:
        ReportError: they cannot be fetched.
    """
    import keras

    try:
        model = keras.applications.VGG16(include_top=False, weights="imagenet")
    except Exception as problem:  # Keras raises a bare Exception when a download fails
        raise ReportError(
            f"The ImageNet weights of VGG16 could not be downloaded ({first_line(problem)}). "
            "Connect to the network, or name a file of VGG16 weights (.h5 or .weights.h5) with --vgg16-weights FILE."
        ) from problem
    return Pretrained("imagenet", {layer.name: tuple(layer.get_weights()) for layer in model.layers if layer.weights})


def from_file(file: Path) -> Pretrained:
    """Read VGG16 weights, with or without the top layers, in Keras's old (`.h5`) or new (`.weights.h5`) layout.

    Raises:
        ReportError: as `start_of`, or the file is damaged or of another network; the message names the layer.
    """
    import h5py
    import keras

    name = start_of(file, allow_unfinished=True).name
    try:
        with h5py.File(file, "r") as store:
            found = dict(_new_layout(store) if "layers" in store else _old_layout(store))
    except (OSError, RuntimeError, LookupError, ValueError, AttributeError, TypeError) as problem:
        raise ReportError(
            f"{file}: expected VGG16 weights in HDF5, found a file that is damaged or of another format ({problem})."
        ) from problem
    layers = {}
    for layer in keras.applications.VGG16(include_top=False, weights=None).layers:
        if not layer.weights:
            continue
        expected = [tuple(weight.shape) for weight in layer.weights]
        if layer.name not in found:
            names = ", ".join(sorted(found)) or "none"
            raise ReportError(f"{file}: the layer {layer.name} of VGG16 is missing; the file has the layers {names}.")
        shapes = [array.shape for array in found[layer.name]]
        if shapes != expected:
            raise ReportError(f"{file}: layer {layer.name} has weights of {shapes}, expected {expected}.")
        if not all(np.isfinite(array).all() for array in found[layer.name]):
            raise ReportError(
                f"{file}: layer {layer.name} has weights that are not numbers; their training diverged, or the file is "
                "damaged."
            )
        kernel, bias = found[layer.name]
        layers[layer.name] = (kernel, bias)
    others = sorted(name for name in found if CONVOLUTION.fullmatch(name) and name not in layers)
    if others:
        # VGG19 has every layer of VGG16, of the same shape, and more between them.
        raise ReportError(f"{file}: VGG16 has no layer {others[0]}; the weights are of another network.")
    return Pretrained(name, layers)


def drawn(model: keras.Model, seed: int, scaling: Scaling = UNIT_INTERVAL) -> Pretrained:
    """Weights for `model` that `seed` draws, spread so that activations stay steady (He et al., 2015).

    Pixels that `scaling` leaves far from one are brought there by the first layer.
    """
    random = np.random.default_rng(seed)
    found = {}
    for layer in layers(model):
        kernel, bias = (tuple(weight.shape) for weight in layer.weights)
        scale = np.sqrt(2 / np.prod(kernel[:3])).astype(np.float32)
        if layer.name == "block1_conv1":
            scale /= np.float32(DEVIATION[scaling])
        found[layer.name] = (random.standard_normal(kernel, np.float32) * scale, np.zeros(bias, np.float32))
    return Pretrained("drawn", found)


def load(model: keras.Model, pretrained: Pretrained) -> None:
    """Give the VGG16 layers inside `model`, as many as it has, their pretrained weights."""
    for layer in layers(model):
        layer.set_weights(pretrained.layers[layer.name])


def layers(model: keras.Model) -> list[Any]:
    """The convolutions of VGG16 inside `model`, which stand in a model of their own."""
    import keras

    return [
        inner
        for outer in model.layers
        if isinstance(outer, keras.Model)
        for inner in outer.layers
        if inner.name.startswith("block") and inner.weights
    ]


def _old_layout(store: Any) -> Iterator[tuple[str, list[npt.NDArray[np.float32]]]]:
    """One group a layer, which lists its weights in order; a whole saved model keeps them one level deeper."""
    root = store.get("model_weights", store)
    for name in root.attrs["layer_names"]:
        group = root[name]
        if len(group.attrs["weight_names"]):
            yield _text(name), [np.asarray(group[weight], np.float32) for weight in group.attrs["weight_names"]]


def _new_layout(store: Any) -> Iterator[tuple[str, list[npt.NDArray[np.float32]]]]:
    """One group a layer, numbered by its type, which keeps the layer's name as an attribute."""
    for group in store["layers"].values():
        weights = group.get("vars", {})
        if len(weights):
            name = group["vars"].attrs.get("name", group.name.rpartition("/")[2])
            yield _text(name), [np.asarray(weights[key], np.float32) for key in sorted(weights, key=int)]


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _digest(file: Path, algorithm: str) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
