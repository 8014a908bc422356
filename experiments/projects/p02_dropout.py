"""Dropout: a quarter of the units, drawn anew for every image, fall silent while the network trains.

What it tries: regularization. Project 1 learns its training images far better than it recognizes new ones. Dropout
(Srivastava et al., 2014) forbids any unit to rely on a particular other one: 25 % of the outputs of the second and the
third convolutional block, and of the last hidden layer, are set to zero at random. It adds no parameters.
Everything else stays as in Project 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.project import Project
from experiments.projects import p01_deeper

if TYPE_CHECKING:
    import keras


def network(image_size: int) -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    from keras import Sequential
    from keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D

    return Sequential(
        [
            Input((image_size, image_size, 3)),
            Conv2D(32, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Conv2D(64, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Conv2D(128, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(256, activation="relu"),
            Dense(128, activation="relu"),
            Dropout(0.25),
            Dense(10, activation="softmax"),
        ]
    )


PROJECT = Project(network=network, training=p01_deeper.PROJECT.training)
