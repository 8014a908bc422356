"""Larger images: the whole of VGG16, fine-tuned, on pictures enlarged to 64x64 pixels.

What it tries: a size nearer to what VGG16 was made for (the study writes 244x244, its authors 224x224). Enlarging adds
no detail, but patterns reach the size at which the pretrained filters look for them, and 2x2 positions are left after
the last pooling instead of one. The study stopped at 64 for lack of memory; here images are enlarged batch by batch.
Everything else stays as in Project 8.

The study names neither batch size nor patience: 256 and 10 are assumptions, as in Project 6.
"""

from __future__ import annotations

import dataclasses

from experiments.projects import p08_vgg16_finetuned

PROJECT = dataclasses.replace(p08_vgg16_finetuned.PROJECT, image_size=64)
