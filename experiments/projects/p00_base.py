"""The smallest network that can still be called convolutional: one convolution, one hidden layer of 32 units.

What it tries: a reference that every later project is measured against. One convolution looks for 32 local patterns,
one pooling halves the image, and 8,192 numbers are squeezed through a hidden layer of only 32 units. That bottleneck,
not the convolution, holds nearly all of the parameters and limits what the network can say about an image.

Early stopping watches validation loss and validation accuracy, five epochs of patience each.

What the study leaves out, and is assumed here and in every later project: that the images that train and those that
validate are divided at random with every class in proportion; that the arithmetic is in single precision; and that
weights, order and dropout are drawn anew by each seed. How many images train follows from the study's accuracies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.project import Project, Training, patience

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
            Flatten(),
            Dense(32, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )


PROJECT = Project(network=network, training=Training(batch_size=512, epochs=100, early_stopping=patience(5)))
