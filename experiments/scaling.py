"""How pixels from 0 to 255 become what a network takes. Names are those of the setting `pixel_scaling` in a record."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

Scaling = Literal["1/255", "BGR - ImageNet mean"]
UNIT_INTERVAL: Scaling = "1/255"
"""Red, green, blue from 0 to 1: what the study fed to every network."""
BGR_MEAN: Scaling = "BGR - ImageNet mean"
"""Blue, green, red, minus ImageNet's mean of each, not scaled: what VGG16's authors fed to it."""
MEAN = np.array([103.939, 116.779, 123.68], dtype=np.float32)
"""Blue, green, red; the numbers that came with VGG16's weights."""


def scaled(pixels: Any, scaling: Scaling = UNIT_INTERVAL) -> Any:
    """RGB pixels from 0 to 255, (batch, height, width, 3), prepared as `scaling` says, float32.

    NumPy and JAX take unsigned bytes or float32, TensorFlow float32 alone.
    """
    return pixels / np.float32(255) if scaling == UNIT_INTERVAL else pixels[..., ::-1] - MEAN
