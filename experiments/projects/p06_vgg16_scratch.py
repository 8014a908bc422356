"""VGG16 from scratch: a famous, far deeper network, with random weights.

What it tries: a larger network as it stands in the literature (Simonyan & Zisserman, 2015), thirteen convolutions in
five blocks, and the hidden layers of Project 4 on top. The study calls this transfer learning, but with random weights
nothing is transferred; it is the reference for the projects that follow. A network so deep trains more steadily in
small steps: the learning rate falls from 1e-3 to 1e-4, and each tensor of the gradient is clipped to norm 1.

Images are scaled by 1/255 as before, not prepared as VGG16's authors did. The study's listing adds a Flatten that its
first summary lacks. It names neither batch size nor patience from here on: the 256 of Project 4 and the 10 of Project
5 are assumptions. The layers carry the names of the study's summary.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from experiments.project import Adam, Project, Resources
from experiments.projects import p05_augmentation

if TYPE_CHECKING:
    import keras


def network(image_size: int, vgg16_name: str = "model_2") -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    from keras import Input, Model, Sequential
    from keras.applications import VGG16
    from keras.layers import BatchNormalization, Dense, Dropout, Flatten

    shape = (image_size, image_size, 3)
    vgg16 = VGG16(include_top=False, weights=None, input_shape=shape, input_tensor=Input(shape, name="input_1"))
    features = Flatten(name="flatten")(vgg16.get_layer("block5_pool").output)
    return Sequential(
        [
            Model(vgg16.input, features, name=vgg16_name),
            Dense(256, activation="relu", name="dense_3"),
            BatchNormalization(name="batch_normalization_2"),
            Dense(128, activation="relu", name="dense_4"),
            BatchNormalization(name="batch_normalization_3"),
            Dropout(0.25, name="dropout_1"),
            Dense(10, activation="softmax", name="dense_5"),
        ],
        name="sequential_2",
    )


PROJECT = Project(
    network=network,
    training=dataclasses.replace(p05_augmentation.PROJECT.training, optimizer=Adam(learning_rate=1e-4, clipnorm=1.0)),
    weights="random",
    resources=Resources(cpus=4, gpus=1, memory_gib=6),
)
