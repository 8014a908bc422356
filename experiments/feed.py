"""How batches reach `fit`, `evaluate` and `predict`: at once, in whatever form suits the backend and its device."""

from __future__ import annotations

from typing import Any

import keras

from experiments.batches import Batches
from experiments.resident import Calls, Steps, fits

AHEAD = 2
"""Batches that are drawn while another is trained on."""


def fed(model: keras.Model, batches: keras.utils.PyDataset) -> Any:
    """What `model` is to be given for `batches`, of two arrays each: the same batches in the same order.

    For TensorFlow, Keras makes a set of them that tunes itself while it is drawn from. When an epoch ends, TensorFlow
    often waits for the next turn of this tuning, and the turns grow apart as the epoch goes on: epochs of Project 3
    took 53 s or 82 s, for the turns come after 41 s and 82 s. So TensorFlow gets a set that does not tune itself. As
    with Keras's own, batches are drawn anew in each epoch. A network whose images stay on the device gets their plans.
    """
    if isinstance(model, Steps) and isinstance(batches, Batches) and fits(batches):
        return Calls(batches)
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return (
        tf.data.Dataset.from_generator(
            lambda: (batches[index] for index in range(len(batches))),
            output_signature=tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batches[0]),
        )
        .apply(tf.data.experimental.assert_cardinality(len(batches)))
        .prefetch(AHEAD)
        .with_options(options)
    )
