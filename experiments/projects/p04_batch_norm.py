"""Batch normalization after every convolution and every hidden layer, and smaller batches.

What it tries: a steadier training. Batch normalization (Ioffe & Szegedy, 2015) shifts and scales each channel to mean
0 and variance 1 over the batch, so that a layer need not follow every change of the layers before it. A batch of 256
images instead of 512 gives twice as many, noisier steps an epoch.

Against Project 3 the hidden layers change too, from one of 512 units back to 256 and 128, both normalized. The study
writes the change of the batch size as "516 to 256"; every project before used 512.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from experiments.project import Project
from experiments.projects import p03_doubled

if TYPE_CHECKING:
    import keras


def network(image_size: int) -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    from keras import Sequential
    from keras.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D

    return Sequential(
        [
            Input((image_size, image_size, 3)),
            Conv2D(32, (3, 3), activation="relu", padding="same"),
            BatchNormalization(),
            Conv2D(32, (3, 3), activation="relu", padding="same"),
            BatchNormalization(),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Conv2D(64, (3, 3), activation="relu", padding="same"),
            BatchNormalization(),
            Conv2D(64, (3, 3), activation="relu", padding="same"),
            BatchNormalization(),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Conv2D(128, (3, 3), activation="relu", padding="same"),
            BatchNormalization(),
            Conv2D(128, (3, 3), activation="relu", padding="same"),
            BatchNormalization(),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(256, activation="relu"),
            BatchNormalization(),
            Dense(128, activation="relu"),
            BatchNormalization(),
            Dropout(0.25),
            Dense(10, activation="softmax"),
        ]
    )


PROJECT = Project(network=network, training=dataclasses.replace(p03_doubled.PROJECT.training, batch_size=256))
