"""Crops and patches: a part of an image that is shown at the full size, and a piece of another pasted over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from experiments.augmentation import Affine, inside


@dataclass(frozen=True)
class Crops:
    """A part of each image of a batch, which is shown at the full size, half of them mirrored; each (images,)."""

    tops: npt.NDArray[np.int64]
    lefts: npt.NDArray[np.int64]
    heights: npt.NDArray[np.int64]
    widths: npt.NDArray[np.int64]
    mirrored: npt.NDArray[np.bool_]

    def of(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """These parts of `pixels`, (images, side, side, 3), at the same size."""
        side = pixels.shape[1]
        found = np.empty_like(pixels)
        for k, image in enumerate(pixels):
            top, left = self.tops[k], self.lefts[k]
            part = image[top : top + self.heights[k], left : left + self.widths[k]]
            part = cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR)
            found[k] = part[:, ::-1] if self.mirrored[k] else part
        return found

    def affine(self, side: int) -> Affine:
        """The same as a movement of images of `side` pixels; at its edges, a crop reads half a pixel further."""
        matrices = np.zeros((len(self.tops), 2, 3))
        for row, (first, shown_of) in enumerate(((self.lefts, self.widths), (self.tops, self.heights))):
            scale = shown_of / side
            matrices[:, row, row] = scale
            matrices[:, row, 2] = first + scale / 2 - 0.5  # a pixel's middle is half a pixel from its edge
        return Affine(matrices, self.mirrored)


@dataclass(frozen=True)
class Patched(Affine):
    """A crop as a movement, and then a patch."""

    corners: npt.NDArray[np.int64]
    """As `draw_patches` has them."""


def paste(pixels: Any, labels: Any, corners: Any) -> tuple[Any, Any]:
    """Over a rectangle of each image of a batch, the same part of another, and labels in proportion to the areas.

    The other is the one that stands as far from the batch's end as the image from its beginning. `pixels` are (batch,
    side, side, 3), `labels` (batch, classes), `corners` as `draw_patches` has them.
    """
    side = pixels.shape[1]
    pasted = inside(corners, side, side)
    top, left, bottom, right = (corners[:, k, None] for k in range(4))
    share = ((bottom - top) * (right - left)).astype(np.float32) / np.float32(side**2)
    return pixels * ~pasted + pixels[::-1] * pasted, labels * (1 - share) + labels[::-1] * share


def draw_patches(images: int, side: int, part: float, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Patches for `part` of so many images of `side` pixels; of no size for the others.

    Of each, the first row and column and those behind the last ones, (images, 4). Their areas are drawn uniformly up
    to that of the image, their middles among all its pixels; what would stand over its edges is cut off.
    """
    half = side * np.sqrt(random.uniform(0, 1, images) * (random.random(images) < part)) / 2
    middle = random.uniform(0, side, (2, images))
    first, behind = (np.clip(np.rint(middle + sign * half), 0, side).astype(int) for sign in (-1, 1))
    return np.stack([*first, *behind], axis=1)


def draw_crops(images: int, side: int, smallest: float, random: np.random.Generator) -> Crops:
    """Parts of so many images of `side` pixels.

    Their areas are drawn uniformly from `smallest` to 1, their shapes from 3:4 to 4:3, their places among all that fit.
    """
    area = random.uniform(smallest, 1, images)
    shape = np.exp(random.uniform(np.log(3 / 4), np.log(4 / 3), images))
    heights = np.clip(np.rint(side * np.sqrt(area / shape)), 1, side).astype(int)
    widths = np.clip(np.rint(side * np.sqrt(area * shape)), 1, side).astype(int)
    tops = random.integers(0, side - heights + 1)
    lefts = random.integers(0, side - widths + 1)
    return Crops(tops, lefts, heights, widths, random.random(images) < 0.5)
