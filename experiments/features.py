"""What pretrained weights see: the filters of VGG16's first layer, and the test images that its features find alike.

A network that was pretrained well describes two photographs of the same thing with much the same numbers, even of
things that it was never asked about. So the nearest neighbours of an image by these numbers are looked at: how many of
them show the same class? Beside that stand two controls, which learned nothing: the same network with weights that were
just drawn, and the pixels themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from experiments import vgg16
from experiments.augmentation import resize
from experiments.data import SIDE, Dataset, Images
from experiments.environment import ROOT, describe
from experiments.scaling import BGR_MEAN, UNIT_INTERVAL, Scaling, scaled
from experiments.sheet import COLUMNS, sheet
from experiments.vgg16 import Pretrained, Start
from reportgen.errors import ReportError
from reportgen.features import FILE, FILTERS, NEIGHBOURS, Features, Neighbour, Query, Share, read, write
from reportgen.fingerprint import dependencies, fingerprints
from reportgen.record import check_writable, replacing

SOURCES = fingerprints(dependencies(["experiments/features.py"], ROOT), ROOT)
"""The fingerprints of what this process computes with, taken when it was read."""
NEAREST = COLUMNS - 1
"""Neighbours of an image that are counted, and shown beside it in a row of the sheet."""
FILTER_COLUMNS, FILTER_SCALE = 16, 8
BATCH = 256
UNTRAINED = 0
"""The seed of the weights that learned nothing."""


def filters(pretrained: Pretrained, preprocessing: Scaling) -> list[npt.NDArray[np.uint8]]:
    """The kernels of the first layer as pictures, (3, 3, 3) in RGB; grey stands for 0. The strongest first."""
    kernel, _ = pretrained.layers["block1_conv1"]
    if preprocessing == BGR_MEAN:
        kernel = kernel[:, :, ::-1]
    every = np.moveaxis(kernel, -1, 0)
    strength = np.sqrt((every**2).sum(axis=(1, 2, 3)))
    highest = np.maximum(np.abs(every).max(axis=(1, 2, 3), keepdims=True), 1e-12)
    pictures = np.rint(127.5 * (1 + every / highest)).astype(np.uint8)
    return [pictures[place] for place in np.argsort(-strength, kind="stable")]


def described(
    pretrained: Pretrained,
    pixels: npt.NDArray[np.uint8],
    preprocessing: Scaling,
    image_size: int,
    console: Console | None = None,
) -> npt.NDArray[np.float32]:
    """VGG16's last pooling, averaged over positions: (images, 512) for RGB images (images, height, width, 3).

    Raises:
        ReportError: the images are too small for VGG16's five poolings.
    """
    vgg16.check_size(image_size)
    network = _network(image_size)
    vgg16.load(network, pretrained)
    found = []
    shown = console or Console(stderr=True)
    what = f"Features of {pretrained.name} at {image_size} pixels"
    for start in track(range(0, len(pixels), BATCH), what, console=shown, transient=True):
        images = resize(pixels[start : start + BATCH], image_size)
        found.append(keras.ops.convert_to_numpy(network(scaled(images, preprocessing), training=False)))
    return np.concatenate(found)


def neighbours(
    features: npt.NDArray[np.float32], count: int = NEAREST
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The `count` images most like each one, most similar first, and how similar: twice (images, count).

    Similar is whose features, (images, dimensions), point the same way from the mean of all images.
    """
    centred = features - features.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    places, similarities = [], []
    for start in range(0, len(unit), BATCH):
        alike = unit[start : start + BATCH] @ unit.T
        rows = np.arange(len(alike))
        alike[rows, start + rows] = -np.inf  # none is its own neighbour
        nearest = np.argsort(-alike, axis=1, kind="stable")[:, :count]
        places.append(nearest)
        similarities.append(np.take_along_axis(alike, nearest, axis=1))
    return np.concatenate(places), np.concatenate(similarities)


def same_class(labels: npt.NDArray[np.int64], found: npt.NDArray[np.int64]) -> float:
    """The share of neighbours, (images, count), with the class of the image that they are like."""
    return float((labels[found] == labels[:, None]).mean())


def examine(
    pretrained: Pretrained,
    start: Start,
    dataset: Dataset,
    image_sizes: Sequence[int],
    folder: Path,
    command: str,
    console: Console | None = None,
) -> Features:
    """Describe the test images, count neighbours of the same class, and write record and pictures into `folder`.

    They are counted at each of `image_sizes`, and shown at the first of them.

    Raises:
        ReportError: there are too few test images, they are too small, or `folder` cannot be written to or holds what
            was found with other weights or images.
    """
    began = datetime.now(UTC).replace(microsecond=0)
    test = dataset.test
    if len(test.labels) <= NEAREST:
        raise ReportError(
            f"Expected more than {NEAREST} test images to look for neighbours among, found {len(test.labels)}."
        )
    for side in image_sizes:
        vgg16.check_size(side)
    if (folder / FILE).exists():
        earlier = read(folder / FILE)
        for what, theirs, own in (
            ("weights", earlier.weights_sha256, start.sha256),
            ("images", earlier.dataset_sha256, dataset.sha256),
        ):
            if theirs != own:
                raise ReportError(
                    f"{folder / FILE}: what is recorded there was found with other {what}, {str(theirs)[:12]} and not "
                    f"{str(own)[:12]}, and would be replaced; nothing was computed. Name another folder with "
                    "--records, or delete that one."
                )
    check_writable(folder)
    preprocessing, image_size = start.expects or BGR_MEAN, image_sizes[0]
    features = described(pretrained, test.pixels, preprocessing, image_size, console)
    places, similarities = neighbours(features)
    shown = [int(np.flatnonzero(test.labels == label)[0]) for label in np.unique(test.labels)]
    kernels = filters(pretrained, preprocessing)
    record = Features(
        weights=start.name,
        weights_sha256=start.sha256,
        architecture=vgg16.ARCHITECTURE,
        preprocessing=preprocessing,
        image_size=image_size,
        layer="block5_pool",
        dimensions=features.shape[1],
        filters=len(kernels),
        command=command,
        started=began,
        sources=SOURCES,
        environment=describe(),
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
        classes=dataset.classes,
        images=len(test.labels),
        nearest=NEAREST,
        shares=(
            Share(
                compared_by="weights",
                preprocessing=preprocessing,
                image_size=image_size,
                same_class=same_class(test.labels, places),
            ),
            *_others(pretrained, test, preprocessing, image_sizes, console),
        ),
        shown=tuple(_query(index, test, places[index], similarities[index]) for index in shown),
    )
    pictures = [test.pixels[place] for index in shown for place in (index, *places[index])]
    for name, picture in ((FILTERS, sheet(kernels, FILTER_COLUMNS, FILTER_SCALE)), (NEIGHBOURS, sheet(pictures))):
        with replacing(folder / name) as stream:
            stream.write(picture)
    # The record comes last: pictures without one are shown by nobody.
    write(record, folder / FILE)
    return record


def _others(
    pretrained: Pretrained,
    images: Images,
    preprocessing: Scaling,
    image_sizes: Sequence[int],
    console: Console | None,
) -> Iterator[Share]:
    """The share in every other way: other sizes, pixels prepared as the study did, and the controls."""
    drawn = vgg16.drawn(_network(image_sizes[0]), UNTRAINED)
    for side in dict.fromkeys(image_sizes):
        ways: list[tuple[Literal["weights", "untrained"], Pretrained, Scaling]] = []
        if side != image_sizes[0]:  # at the first size they are what is shown
            ways.append(("weights", pretrained, preprocessing))
        if preprocessing != UNIT_INTERVAL:
            ways.append(("weights", pretrained, UNIT_INTERVAL))
        ways.append(("untrained", drawn, preprocessing))
        for compared_by, weights, scaling in ways:
            found = described(weights, images.pixels, scaling, side, console)
            yield Share(
                compared_by=compared_by,
                preprocessing=scaling,
                image_size=side,
                same_class=same_class(images.labels, neighbours(found)[0]),
            )
    bare = images.pixels.reshape(len(images.labels), -1).astype(np.float32)
    yield Share(
        compared_by="pixels",
        preprocessing=None,
        image_size=SIDE,
        same_class=same_class(images.labels, neighbours(bare)[0]),
    )


def _query(
    index: int, images: Images, nearest: Sequence[int] | npt.NDArray[np.int64], alike: npt.NDArray[np.float32]
) -> Query:
    return Query(
        index=index,
        label=int(images.labels[index]),
        nearest=tuple(
            Neighbour(index=int(place), label=int(images.labels[place]), similarity=round(float(similarity), 6))
            for place, similarity in zip(nearest, alike, strict=True)
        ),
    )


def _network(image_size: int) -> keras.Model:
    """VGG16 up to the mean over its last pooling, inside another model, as the projects hold it."""
    shape = (image_size, image_size, 3)
    vgg = keras.applications.VGG16(include_top=False, weights=None, input_shape=shape, pooling="avg")
    return keras.Sequential([keras.Input(shape), vgg])
