"""Transfer learning, frozen: VGG16 as ImageNet left it, and only the layers on top learn.

What it tries: whether features found on 1.3 million large photographs serve for small ones as they are. VGG16 starts
from its ImageNet weights and is frozen, so that of 14.9 million parameters only 166,282 train. At 32 pixels its five
poolings leave a single position, and the images are scaled by 1/255 rather than prepared as VGG16 saw them: two
handicaps that the study does not discuss. Everything else stays as in Project 6.

The study names neither batch size nor patience: 256 and 10 are assumptions, as in Project 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.project import Project
from experiments.projects import p06_vgg16_scratch

if TYPE_CHECKING:
    import keras


def network(image_size: int) -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    network = p06_vgg16_scratch.network(image_size, vgg16_name="model_1")
    network.get_layer("model_1").trainable = False
    return network


PROJECT = Project(network=network, training=p06_vgg16_scratch.PROJECT.training, weights="imagenet")
