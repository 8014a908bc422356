"""A deeper network: three convolutions of growing width and two larger hidden layers.

What it tries: depth. Each convolution sees a wider part of the image than the one before and combines its patterns,
while pooling shrinks what has to be described from 8,192 numbers to 2,048; the hidden layers grow to 256 and 128 units.
Everything else stays as in Project 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.project import Project
from experiments.projects import p00_base

if TYPE_CHECKING:
    import keras


def network(image_size: int) -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    from keras import Sequential
    from keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D

    return Sequential(
        [
            Input((image_size, image_size, 3)),
            Conv2D(32, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Conv2D(64, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Conv2D(128, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(256, activation="relu"),
            Dense(128, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


PROJECT = Project(network=network, training=p00_base.PROJECT.training)
