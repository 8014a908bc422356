"""Batch normalization in sixteen bits, on a processor under TensorFlow: in one operation instead of a dozen.

Keras composes it of operations that each read and write the whole batch, in thirty-two bits, and that took two fifths
of a step of Project 5. What is computed is the same but for the order in which sums are taken. In the outputs that is
lost when they are rounded to sixteen bits; what is remembered of the images may differ by a thousandth. In float32 it
would be felt: TensorFlow's operation sums thousands of values one by one, and the first loss of Project 5 came out
several times further from the one in float64 than Keras's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras

from experiments.layers import all_layers

DTYPES = ("bfloat16", "float16")
"""Of the images. Sums are in float32 all the same, as they are in Keras."""
LEAST_EPSILON = 1.001e-5
"""It takes no smaller one."""
DIMENSIONS = 4
"""Of a batch of images, the last of which are the channels."""


def in_one_operation(model: keras.Model) -> None:
    """Let `BatchNormalization` compute so wherever `model`, which TensorFlow computes, has it over the channels of
    images in sixteen bits.
    """
    for layer in all_layers(model):
        if type(layer) is keras.layers.BatchNormalization and _possible(layer):
            layer.call = _fused(layer, layer.call)


def _possible(layer: Any) -> bool:
    return (
        layer.built
        and layer.compute_dtype in DTYPES
        and layer.input_spec.ndim == DIMENSIONS
        and layer.axis in (-1, DIMENSIONS - 1)
        and layer.variable_dtype == "float32"
        and layer.epsilon >= LEAST_EPSILON
        and not (layer.renorm or layer.synchronized)
    )


def _fused(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """What computes `layer` instead of `call`."""
    import tensorflow as tf

    @functools.wraps(call)
    def call_fused(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None:
            return call(inputs, training=training, mask=mask)
        mean, variance = layer.moving_mean, layer.moving_variance
        gamma = tf.convert_to_tensor(layer.gamma) if layer.scale else tf.ones(mean.shape)
        beta = tf.convert_to_tensor(layer.beta) if layer.center else tf.zeros(mean.shape)
        normalized = functools.partial(tf.compat.v1.nn.fused_batch_norm, inputs, gamma, beta, epsilon=layer.epsilon)
        if not (training and layer.trainable):
            return normalized(tf.convert_to_tensor(mean), tf.convert_to_tensor(variance), is_training=False)[0]
        outputs, mean_now, variance_now = normalized(is_training=True)
        # TensorFlow estimates the variance of all images from these, Keras remembers that of these.
        values = tf.cast(tf.size(inputs) // mean.shape[0], tf.float32)
        variance_now *= tf.maximum(values - 1, 1) / values
        for remembered, now in ((mean, mean_now), (variance, variance_now)):
            remembered.assign(remembered * layer.momentum + now * (1 - layer.momentum))
        return outputs

    return call_fused
