"""Random rotations, shifts and flips of training images, in batches and under every backend.

What happens to each image is drawn first, without a look at its pixels, and then done: here, or on an accelerator.

The distribution is that of `ImageDataGenerator` in Keras 2, which the study used: an angle and two shifts drawn
uniformly, one bilinear transformation about the image's centre, the nearest pixel beyond its edge, then a flip of one
image in two. OpenCV moves a batch in the time in which the generator moves a few images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from experiments.project import Augmentation, Translation


@dataclass(frozen=True)
class Affine:
    """A rotation and shift of its own for each image of a batch, and which of them are mirrored afterwards."""

    matrices: npt.NDArray[np.float64]
    """(images, 2, 3): from a pixel (x, y, 1) of the new image to where it is read in the old one."""
    flips: npt.NDArray[np.bool_]
    """(images,)"""


@dataclass(frozen=True)
class Shift:
    """A shift by whole pixels for each image of a batch, and which of them are mirrored afterwards."""

    down: npt.NDArray[np.int64]
    """(images,): so many rows further down, the old image is read; the same to the right."""
    right: npt.NDArray[np.int64]
    flips: npt.NDArray[np.bool_]
    """(images,)"""


@dataclass(frozen=True)
class CoveredShift(Shift):
    """The same, and then a grey square over each image."""

    squares: npt.NDArray[np.int64]
    """Of each, its first row and column and those behind its last ones, (images, 4)."""


Movement = Affine | Shift

GREY = np.uint8(128)
"""What a square covers an image with: about the mean of all pixels, so that it tells the network nothing."""


def draw_affine(
    images: int, height: int, width: int, augmentation: Augmentation, random: np.random.Generator
) -> Affine:
    """What `augmentation` does to each of a batch of `images` of `height` x `width` pixels."""
    angles = np.deg2rad(random.uniform(-augmentation.rotation, augmentation.rotation, images))
    down = random.uniform(-augmentation.shift, augmentation.shift, images) * height
    right = random.uniform(-augmentation.shift, augmentation.shift, images) * width
    flips = (random.random(images) < 0.5) & np.full(images, augmentation.horizontal_flip)
    return affine(angles, down, right, flips, height, width)


def affine(
    angles: npt.NDArray[np.float64],
    down: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    flips: npt.NDArray[np.bool_],
    height: int,
    width: int,
) -> Affine:
    """Rotate by `angles` (radians), read `down` rows and `right` columns further on, then flip where `flips` says so.

    Each of them is (images,). Shifts are in pixels, and turn with the image, as `ImageDataGenerator` composes them.
    """
    middle_y, middle_x = height / 2 - 0.5, width / 2 - 0.5
    cosine, sine = np.cos(angles), np.sin(angles)
    y, x = down - middle_y, right - middle_x
    matrices = np.stack(
        [
            np.stack([cosine, sine, middle_x + cosine * x + sine * y], axis=-1),
            np.stack([-sine, cosine, middle_y - sine * x + cosine * y], axis=-1),
        ],
        axis=1,
    )
    return Affine(matrices, flips)


def draw_shift(
    translation: Translation, flips: npt.NDArray[np.bool_], height: int, width: int, random: np.random.Generator
) -> Shift:
    """What `translation` does to each image of a batch, `height` x `width` pixels large.

    Who is mirrored, (images,), has been decided. A square that covers something lies within the image.
    """
    down, right = random.integers(0, 2 * translation.pixels + 1, (2, len(flips))) - translation.pixels
    if not translation.cutout:
        return Shift(down, right, flips)
    side = min(translation.cutout, height, width)
    first = random.integers(0, (height - side + 1, width - side + 1), (len(flips), 2))
    return CoveredShift(down, right, flips, np.concatenate([first, first + side], axis=1))


def moved(pixels: npt.NDArray[np.uint8], movement: Movement | None) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    """A batch, (images, height, width, 3), moved; values stay in 0..255."""
    match movement:
        case Affine():
            return transform(pixels, movement)
        case Shift():
            rows, columns = places(movement.down, movement.right, movement.flips, *pixels.shape[1:3])
            shifted: npt.NDArray[np.uint8] = pixels[np.arange(len(pixels))[:, None, None], rows, columns]
            return covered(shifted, movement.squares) if isinstance(movement, CoveredShift) else shifted
        case None:
            return pixels


def transform(pixels: npt.NDArray[np.uint8], movement: Affine) -> npt.NDArray[np.float32]:
    """Move every image of a batch by bilinear interpolation; beyond the edge lies the nearest pixel."""
    _, height, width, _ = pixels.shape
    found = pixels.astype(np.float32)
    for image, matrix in zip(found, movement.matrices, strict=True):
        image[:] = cv2.warpAffine(
            image,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    found[movement.flips] = found[movement.flips, :, ::-1]
    return found


def places(down: Any, right: Any, flips: Any, height: int, width: int) -> tuple[Any, Any]:
    """Where a shifted batch is read: rows, (images, height, 1), and columns, (images, 1, width).

    Beyond the edge the image is reflected (its outermost pixels are not doubled). Arrays of any library will do.
    """
    rows, columns = grid(flips, height, width)
    return _reflected(down[:, None, None] + rows, height), _reflected(right[:, None, None] + columns, width)


def grid(flips: Any, height: int, width: int) -> tuple[Any, Any]:
    """Every pixel's row, (1, height, 1), and column, (images, 1, width), which run backwards in mirrored images."""
    rows, columns = np.arange(height)[None, :, None], np.arange(width)[None, None, :]
    return rows, columns + flips[:, None, None] * (width - 1 - 2 * columns)


def covered(pixels: Any, squares: Any) -> Any:
    """A batch of unsigned bytes, (images, height, width, 3), with a grey square over each. Any library's arrays do."""
    hidden = inside(squares, *pixels.shape[1:3])
    return pixels * ~hidden + GREY * hidden


def inside(corners: Any, height: int, width: int) -> Any:
    """Which pixels lie in the rectangle of each image, (images, height, width, 1); `corners` are (images, 4).

    These are its first row and column and those behind its last ones. Arrays of any library will do.
    """
    top, left, bottom, right = (corners[:, k, None, None, None] for k in range(4))
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[:, None]
    return (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)


def _reflected(position: Any, side: int) -> Any:
    return side - 1 - abs(side - 1 - abs(position))


def alternating(images: int, seed: int, epoch: int) -> npt.NDArray[np.bool_]:
    """Which of `images` are mirrored in epoch `epoch`: a coin for each in the first, the others in the next."""
    coins = np.random.default_rng((seed, images)).random(images) < 0.5
    return coins if epoch % 2 == 0 else ~coins


def resize(pixels: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """A batch, (images, height, width, 3), at `side` x `side` pixels, by OpenCV's bilinear interpolation.

    The study enlarged the whole set at once, which its memory could not hold beyond 64 pixels.
    """
    if pixels.shape[1:3] == (side, side):
        return pixels
    return np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR) for image in pixels])
