"""How batches reach `fit`, `evaluate` and `predict`: at once, in whatever form suits the backend and its device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from experiments.batches import Batches
from experiments.resident import Calls, Steps, fits
from experiments.scaling import scaled

AHEAD = 2
"""Batches that are drawn while another is trained on."""


def fed(model: keras.Model, batches: keras.utils.PyDataset) -> Any:
    """What `model` is to be given for `batches`, of two arrays each: the same batches in the same order.

    A network whose images stay on the device gets the plans of its batches, any other what is `drawn_ahead`.
    """
    if isinstance(model, Steps) and isinstance(batches, Batches) and fits(batches):
        return Calls(batches)
    return drawn_ahead(batches)


def drawn_ahead(batches: keras.utils.PyDataset) -> Any:
    """`batches`, of two arrays each, in the form in which the backend draws them while it trains.

    For TensorFlow, Keras makes a set of them that tunes itself while it is drawn from. When an epoch ends, TensorFlow
    often waits for the next turn of this tuning, and the turns grow apart as the epoch goes on: epochs of Project 3
    took 53 s or 82 s, for the turns come after 41 s and 82 s. So TensorFlow gets a set that does not tune itself. As
    with Keras's own, batches are drawn anew in each epoch.

    Images that are shown as they are, TensorFlow draws itself out of a copy of its own, to the same bits: Python would
    hold up the steps of a small network.
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    # Another class may have another way to draw.
    still = type(batches) is Batches and batches.still and fits(batches)
    return (
        (_drawn_by_tensorflow if still else _drawn_by_python)(batches)
        .apply(tf.data.experimental.assert_cardinality(len(batches)))
        .prefetch(AHEAD)
        .with_options(options)
    )


def _drawn_by_python(batches: keras.utils.PyDataset) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_generator(
        lambda: (batches[index] for index in range(len(batches))),
        output_signature=tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batches[0]),
    )


def _drawn_by_tensorflow(batches: Batches) -> Any:
    import tensorflow as tf

    with tf.device("CPU"):
        pixels, labels = tf.constant(batches.images.pixels), tf.constant(batches.images.labels)

    def orders() -> Iterator[Any]:
        yield batches.order

    def divided(order: Any) -> Any:
        return tf.data.Dataset.from_tensor_slices(order).batch(batches.batch_size)

    def drawn(chosen: Any) -> tuple[Any, Any]:
        return scaled(tf.cast(tf.gather(pixels, chosen), tf.float32), batches.scaling), tf.gather(labels, chosen)

    # From Python comes the order of an epoch, and nothing for each batch.
    ordered = tf.data.Dataset.from_generator(orders, output_signature=tf.TensorSpec((None,), tf.int64))
    return ordered.flat_map(divided).map(drawn)
