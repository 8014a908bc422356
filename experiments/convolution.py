"""Gradients of filters in bfloat16, on a processor under TensorFlow: as products of matrices.

With many channels over few pixels, TensorFlow's own operation takes several times as long for them as for the
convolution itself, and longer than in float32: about half of a step of Project 6. As one product for each place of
the kernel, over all images and pixels at once, they take about as long as the convolution. What is computed is the same
but for the order in which sums are taken, in thirty-two bits either way, before they are rounded to sixteen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import keras

from experiments.layers import all_layers

CHANNELS, FILTERS = 128, 256
"""From so many on that come in, and that come out, it was faster in batches of 64 to 512 images, a tenth at least."""
SIDE = 8
"""Of the images, in pixels: up to so many."""


def by_products(model: keras.Model) -> None:
    """Let the kernels of `Conv2D` have their gradients so wherever it pays in `model`, which TensorFlow computes."""
    for layer in all_layers(model):
        if type(layer) is keras.layers.Conv2D and _possible(layer):
            layer.convolution_op = _with_products(layer)


def _possible(layer: Any) -> bool:
    return bool(
        layer.compute_dtype == "bfloat16"
        and layer.filters >= FILTERS
        and layer.strides == layer.dilation_rate == (1, 1)
        and layer.groups == 1
        and layer.data_format == "channels_last"
    )


def _with_products(layer: Any) -> Callable[[Any, Any], Any]:
    """What convolves in `layer` instead of its own `convolution_op`."""
    import tensorflow as tf

    convolve, kernel_size, padding = layer.convolution_op, layer.kernel_size, layer.padding

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolved(inputs: Any, kernel: Any) -> Any:
        def gradients(errors: Any) -> tuple[Any, Any]:
            return (
                tf.nn.conv2d_transpose(errors, kernel, tf.shape(inputs), 1, padding.upper()),
                _kernel_gradient(inputs, errors, kernel_size, padding),
            )

        return convolve(inputs, kernel), gradients

    def convolution_op(inputs: Any, kernel: Any) -> Any:
        *sides, channels = inputs.shape[1:]
        if None in sides or max(sides) > SIDE or channels < CHANNELS:
            return convolve(inputs, kernel)
        return convolved(inputs, keras.ops.convert_to_tensor(kernel, inputs.dtype))

    return convolution_op


def _kernel_gradient(inputs: Any, errors: Any, kernel_size: tuple[int, int], padding: str) -> Any:
    """The gradient of a kernel.

    Args:
        inputs: what it was moved over: (images, height, width, channels).
        errors: the gradient of what came out: (images, rows, columns, filters).
        kernel_size: its height and width.
        padding: "same" or "valid", as Keras names them.

    Returns:
        (kernel height, kernel width, channels, filters).
    """
    import tensorflow as tf

    sides = zip(kernel_size, inputs.shape[1:3], errors.shape[1:3], strict=True)
    rows, columns = ([_overlap(at, *side, padding) for at in range(side[0])] for side in sides)
    products: list[Any] = []
    for (row, from_row), (column, from_column) in itertools.product(rows, columns):
        with tf.control_dependencies(products[-2:-1]):  # or all the copies below would be there at once
            seen = tf.reshape(inputs[:, row, column], (-1, inputs.shape[-1]))
            wrong = tf.reshape(errors[:, from_row, from_column], (-1, errors.shape[-1]))
        products.append(tf.matmul(seen, wrong, transpose_a=True))
    return tf.reshape(tf.stack(products), (*kernel_size, inputs.shape[-1], errors.shape[-1]))


def _overlap(at: int, kernel: int, inside: int, outside: int, padding: str) -> tuple[slice, slice]:
    """Along one side: the inputs that lie under place `at` of the kernel, and the outputs that it has part in there."""
    shift = at - ((kernel - 1) // 2 if padding == "same" else 0)
    first, last = max(0, -shift), min(outside, inside - shift)
    return slice(first + shift, max(first, last) + shift), slice(first, max(first, last))
