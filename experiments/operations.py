"""How much a network computes: the multiplications and additions of a training step."""

from __future__ import annotations

import math
from typing import Any

import keras

COUNTED = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)
"""Layers that use each weight of their first array once at each place of their output."""


def operations(model: Any) -> float | None:
    """Multiplications and additions of one training step for one image: of the convolutions and the dense layers.

    A step goes forward once, and back for the gradients of the weights where they are trained, and for those of the
    layer's input where something before it is trained. What has no matrix of weights is little beside them and is not
    counted. None where the network has other layers with one, such as attention or a recurrent layer, or leaves open
    over how many pixels it goes.
    """
    found, _ = _counted(model, False)
    return found if math.isfinite(found) else None


def _counted(model: Any, behind: bool) -> tuple[float, bool]:
    """The operations of `model`, and whether something is trained up to its end; `behind`: before it."""
    total = 0.0
    for layer in model.layers:
        if hasattr(layer, "layers") and hasattr(layer, "inputs"):
            found, behind = _counted(layer, behind)
            total += found
            continue
        if type(layer) in COUNTED:
            places = [math.nan if side is None else side for side in layer.output.shape[1:-1]]
            total += 2.0 * math.prod([*places, *layer.weights[0].shape]) * (1 + layer.trainable + behind)
        elif any(len(weight.shape) > 1 for weight in layer.weights):
            total = math.nan
        behind = behind or bool(layer.trainable_weights)
    return total, behind
