"""Beyond the study, and ours: a small network of today with a schedule of today, from random weights.

What it tries: what the field has learnt about training quickly since VGG16, in a network of about the size of Project
9's. It follows airbench (Jordan, 2024), the fastest published way to 94 %, in its outline; each idea is a line:

- the first layer is not learnt: it whitens patches of 3x3 pixels, so that neighbours are no longer nearly equal;
- convolutions start as the identity (Zagoruyko & Komodakis, 2017): at first the signal passes them unchanged;
- batch normalization (Ioffe & Szegedy, 2015) after each of them, without a scale, and SiLU (Elfwing et al., 2018)
  instead of ReLU; the largest value of each channel goes to a single layer of class scores, divided by 9;
- SGD with Nesterov's momentum, a large learning rate in one cycle (Smith & Topin, 2019), decoupled weight decay;
- smoothed labels (Szegedy et al., 2016), shifts by two pixels, flips that alternate (Jordan, 2024);
- weights averaged over about 100 steps (Polyak & Juditsky, 1992), as are the statistics of batch normalization;
- test-time flips: the final measurements average the probabilities of each image and its mirror image.

No early stopping: the schedule ends the training, and its last averaged weights are kept. Left out of airbench, for
simplicity: faster biases, lookahead, crops at test time. No weights from elsewhere are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.project import SGD, Project, Resources, Training, Translation

if TYPE_CHECKING:
    import keras

WIDTHS = (64, 256, 256)
"""Channels of the three blocks."""
WHITEN = "whiten"
EPSILON = 5e-4
"""Keeps directions in which patches hardly vary from being blown up."""


def network(image_size: int) -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    from keras import Sequential
    from keras.layers import (
        Activation,
        BatchNormalization,
        Conv2D,
        Dense,
        GlobalMaxPooling2D,
        Input,
        MaxPooling2D,
        Rescaling,
    )

    layers = [
        Input((image_size, image_size, 3)),
        Conv2D(32, (3, 3), trainable=False, name=WHITEN),
        Activation("silu"),
    ]
    for width in WIDTHS:
        layers += [
            Conv2D(width, (3, 3), padding="same", use_bias=False, kernel_initializer=identity),
            MaxPooling2D((2, 2)),
            BatchNormalization(scale=False),
            Activation("silu"),
            Conv2D(width, (3, 3), padding="same", use_bias=False, kernel_initializer=identity),
            BatchNormalization(scale=False),
            Activation("silu"),
        ]
    # Scores in single precision: half of it is too coarse for a cross-entropy.
    scores = Dense(10, use_bias=False, dtype="float32")
    return Sequential([*layers, GlobalMaxPooling2D(), scores, Rescaling(1 / 9, dtype="float32"), Activation("softmax")])


def identity(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """A kernel, (3, 3, channels in, channels out), that passes on each channel; those beyond are drawn at random."""
    from keras import initializers, ops

    drawn = initializers.VarianceScaling(1 / 3, "fan_in", "uniform")(shape, dtype=dtype)
    kept = min(shape[2], shape[3])
    passing = np.zeros((*shape[:3], kept), dtype=np.float32)
    passing[shape[0] // 2, shape[1] // 2, range(kept), range(kept)] = 1
    return ops.concatenate([ops.cast(passing, drawn.dtype), drawn[..., kept:]], axis=-1)


def whitening(pixels: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The kernel, (3, 3, 3, 32), and bias, (32,), whose outputs on `pixels`, (images, height, width, 3), are white.

    That is, of mean 0, variance 1 and uncorrelated: the 16 directions in which patches vary most, each divided by its
    deviation. Their opposites follow, because an activation keeps only one side.
    """
    patches = np.lib.stride_tricks.sliding_window_view(pixels, (3, 3), axis=(1, 2))  # colours before rows and columns
    flat = patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 27)
    variances, directions = np.linalg.eigh(np.cov(flat, rowvar=False))  # in ascending order
    white = directions[:, -16:] / np.sqrt(variances[-16:] + EPSILON)
    kernel = np.concatenate([white, -white], axis=1)
    return kernel.reshape(3, 3, 3, 32).astype(np.float32), (-flat.mean(axis=0) @ kernel).astype(np.float32)


def prepare(model: keras.Model, pixels: npt.NDArray[np.float32]) -> None:
    """Let the first layer whiten patches of training images, (images, height, width, 3)."""
    model.get_layer(WHITEN).set_weights(whitening(pixels))


PROJECT = Project(
    network=network,
    training=Training(
        batch_size=512,
        epochs=16,
        early_stopping=(),
        optimizer=SGD(learning_rate=0.75, momentum=0.85, warmup=0.2, weight_decay=0.009, averaging=0.99),
        augmentation=Translation(pixels=2),
        label_smoothing=0.2,
    ),
    of_the_study=False,
    prepare=prepare,
    test_time_flips=True,
    resources=Resources(gpus=0.5, memory_gib=4),
)
