"""Sheets of small pictures: the images alone. Words belong to the report, which knows the reader's language."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

COLUMNS = 5
SCALE = 3
"""Each pixel becomes a square of so many pixels: a small photograph stays sharp, and no detail is invented."""
GAP = 6
"""Between two images, in pixels of the sheet; transparent."""


def sheet(images: Sequence[npt.NDArray[np.uint8]], columns: int = COLUMNS, scale: int = SCALE) -> bytes:
    """A PNG with `images`, each (height, width, 3) in RGB and all of one size, in rows, in the given order."""
    height, width = (side * scale for side in images[0].shape[:2])
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    pixels = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), dtype=np.uint8)
    for position, image in enumerate(images):
        row, column = divmod(position, columns)
        top, left = row * (height + GAP), column * (width + GAP)
        large = image.repeat(scale, axis=0).repeat(scale, axis=1)
        pixels[top : top + height, left : left + width, :3] = large[..., ::-1]  # OpenCV writes blue first
        pixels[top : top + height, left : left + width, 3] = 255
    _, encoded = cv2.imencode(".png", pixels)
    png: bytes = encoded.tobytes()
    return png
