"""Transfer learning, fine-tuned: VGG16 starts from its ImageNet weights, and all of them go on learning.

What it tries: pretrained features as a start instead of an end. The network is that of Project 6 to the last layer; the
one difference is where its weights begin, and so the pair of them measures what the ImageNet weights are worth.

The study names neither batch size nor patience: 256 and 10 are assumptions, as in Project 6.
"""

from __future__ import annotations

import dataclasses

from experiments.projects import p06_vgg16_scratch

PROJECT = dataclasses.replace(p06_vgg16_scratch.PROJECT, weights="imagenet")
