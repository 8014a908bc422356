"""Twice the convolutions: every block has two in a row before it halves the image.

What it tries: more depth where the patterns are found. Two 3x3 convolutions in a row see 5x5 pixels with fewer weights
than one 5x5 convolution, and with one more non-linearity between them. Dropout now follows the first block too.

The study's listing ends with hidden layers of 256 and 128 units; the summary printed below it, and its total of
1,341,226 parameters, have a single one of 512. The summary shows what ran, so that is what stands here. More than one
thing changes against Project 2: the convolutions, the dropout of the first block, and the hidden layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.project import Project
from experiments.projects import p02_dropout

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
            Conv2D(32, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Conv2D(64, (3, 3), activation="relu", padding="same"),
            Conv2D(64, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Conv2D(128, (3, 3), activation="relu", padding="same"),
            Conv2D(128, (3, 3), activation="relu", padding="same"),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(512, activation="relu"),
            Dropout(0.25),
            Dense(10, activation="softmax"),
        ]
    )


PROJECT = Project(network=network, training=p02_dropout.PROJECT.training)
