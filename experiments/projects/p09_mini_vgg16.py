"""Half a VGG16: its first three blocks, fine-tuned from ImageNet.

What it tries: whether small images need all that depth. VGG16 is cut after `block3_pool`, where a 32-pixel image still
has 4x4 positions with 256 channels each: 4,096 features instead of 512, from an eighth of the parameters. They start
from their ImageNet weights and go on learning. The layers on top and the training stay as in Project 8.

The study names neither batch size nor patience: 256 and 10 are assumptions, as in Project 6.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from experiments.projects import p08_vgg16_finetuned

if TYPE_CHECKING:
    import keras


def network(image_size: int) -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    from keras import Input, Model, Sequential
    from keras.applications import VGG16
    from keras.layers import BatchNormalization, Dense, Dropout, Flatten

    shape = (image_size, image_size, 3)
    vgg16 = VGG16(include_top=False, weights=None, input_shape=shape, input_tensor=Input(shape, name="input_1"))
    features = Flatten(name="flatten")(vgg16.get_layer("block3_pool").output)
    return Sequential(
        [
            Model(vgg16.input, features, name="model"),
            Dense(256, activation="relu", name="dense"),
            BatchNormalization(name="batch_normalization"),
            Dense(128, activation="relu", name="dense_1"),
            BatchNormalization(name="batch_normalization_1"),
            Dropout(0.25, name="dropout"),
            Dense(10, activation="softmax", name="dense_2"),
        ],
        name="sequential",
    )


PROJECT = dataclasses.replace(p08_vgg16_finetuned.PROJECT, network=network)
