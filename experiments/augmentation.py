"""Random rotations, shifts and flips of training images, in batches and under every backend.

The distribution is that of `ImageDataGenerator` in Keras 2, which the study used: an angle and two shifts drawn
uniformly, one bilinear transformation about the image's centre, the nearest pixel beyond its edge, then a flip of one
image in two. OpenCV moves a batch in the time in which the generator moves a few images.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from experiments.project import Augmentation, Translation


def augment(
    pixels: npt.NDArray[np.uint8], augmentation: Augmentation, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Move every image of a batch, (images, height, width, 3), by amounts of its own; values stay in 0..255."""
    images, height, width, _ = pixels.shape
    angles = np.deg2rad(random.uniform(-augmentation.rotation, augmentation.rotation, images))
    down = random.uniform(-augmentation.shift, augmentation.shift, images) * height
    right = random.uniform(-augmentation.shift, augmentation.shift, images) * width
    flips = (random.random(images) < 0.5) & np.full(images, augmentation.horizontal_flip)
    return transform(pixels, angles, down, right, flips)


def transform(
    pixels: npt.NDArray[np.uint8],
    angles: npt.NDArray[np.float64],
    down: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    flips: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32]:
    """Rotate by `angles` (radians), read `down` rows and `right` columns further on, then flip where `flips` says so.

    Each of them is (images,). Shifts are in pixels, and turn with the image, as `ImageDataGenerator` composes them.
    """
    _, height, width, _ = pixels.shape
    middle_y, middle_x = height / 2 - 0.5, width / 2 - 0.5
    cosine, sine = np.cos(angles), np.sin(angles)
    y, x = down - middle_y, right - middle_x
    # From a pixel (x, y) of the new image to where it is read in the old one.
    matrices = np.stack(
        [
            np.stack([cosine, sine, middle_x + cosine * x + sine * y], axis=-1),
            np.stack([-sine, cosine, middle_y - sine * x + cosine * y], axis=-1),
        ],
        axis=1,
    )
    moved = pixels.astype(np.float32)
    for image, matrix in zip(moved, matrices, strict=True):
        image[:] = cv2.warpAffine(
            image,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    moved[flips] = moved[flips, :, ::-1]
    return moved


def translate(
    pixels: npt.NDArray[np.uint8], translation: Translation, flips: npt.NDArray[np.bool_], random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Move every image of a batch, (images, height, width, 3), by whole pixels, then mirror where `flips` says so.

    What a shift uncovers is reflected at the edge (whose own pixels are not doubled).
    """
    images, height, width, _ = pixels.shape
    most = translation.pixels
    padded = np.pad(pixels, ((0, 0), (most, most), (most, most), (0, 0)), mode="reflect")
    down, right = random.integers(0, 2 * most + 1, (2, images, 1, 1))
    rows, columns = np.arange(height)[None, :, None], np.arange(width)[None, None, :]
    moved: npt.NDArray[np.uint8] = padded[np.arange(images)[:, None, None], down + rows, right + columns]
    moved[flips] = moved[flips, :, ::-1]
    return moved


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
