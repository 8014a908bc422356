"""Beyond the study, and ours: the network of Project 11 wider, deeper and with residuals, trained for longer.

What it tries: how far small images alone go when a network has the room and the time. It follows airbench's largest
recipe (Jordan, 2024), the one that is to reach 96 %, in its outline. The first layer, the start and the schedule are
those of Project 11; what is new:

- three convolutions a block instead of two, and a residual around the last two (He et al., 2016);
- wider blocks: five times as many parameters in all;
- cutout (DeVries & Taylor, 2017): a grey square hides a place of each training image, which also moves by up to four
  pixels instead of two, for many epochs over few images would be learnt by heart;
- 40 epochs instead of 16, at a smaller learning rate.

Meant for a GPU. On two processor cores with bfloat16 an epoch takes six to nine minutes; `--epochs 8` is a
schedule of the same form that takes a little over an hour. No weights from elsewhere are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.project import SGD, Project, Resources, Training, Translation
from experiments.projects.p11_modern import WHITEN, identity, prepare

if TYPE_CHECKING:
    import keras

WIDTHS = (128, 384, 512)
"""Channels of the three blocks."""


def network(image_size: int) -> keras.Model:
    """Square RGB images, (batch, height, width, 3) in [0, 1], to the probabilities of 10 classes, (batch, 10)."""
    from keras import Sequential
    from keras.layers import Activation, Conv2D, Dense, GlobalMaxPooling2D, Input, Rescaling

    model = Sequential(
        [
            Input((image_size, image_size, 3)),
            Conv2D(32, (3, 3), trainable=False, name=WHITEN),
            Activation("silu"),
        ]
    )
    for number, width in enumerate(WIDTHS, start=1):
        model.add(block(model.output_shape[1:], width, f"block_{number}"))
    model.add(GlobalMaxPooling2D())
    # Scores in single precision: half of it is too coarse for a cross-entropy.
    model.add(Dense(10, use_bias=False, dtype="float32"))
    model.add(Rescaling(1 / 9, dtype="float32"))
    model.add(Activation("softmax"))
    return model


def block(shape: tuple[int, int, int], width: int, name: str) -> keras.Model:
    """Features of `shape`, (height, width, channels), to `width` channels of half the height and width."""
    from keras import Input, Model
    from keras.layers import Activation, Add, BatchNormalization, Conv2D, MaxPooling2D

    def convolution(features: keras.KerasTensor) -> keras.KerasTensor:
        return Conv2D(width, (3, 3), padding="same", use_bias=False, kernel_initializer=identity)(features)

    def normalized(features: keras.KerasTensor) -> keras.KerasTensor:
        return BatchNormalization(scale=False)(features)

    given = Input(shape)
    passed = Activation("silu")(normalized(MaxPooling2D((2, 2))(convolution(given))))
    features = Activation("silu")(normalized(convolution(passed)))
    features = Add()([passed, normalized(convolution(features))])
    return Model(given, Activation("silu")(features), name=name)


PROJECT = Project(
    network=network,
    training=Training(
        batch_size=512,
        epochs=40,
        early_stopping=(),
        optimizer=SGD(learning_rate=0.6, momentum=0.85, warmup=0.2, weight_decay=0.009, averaging=0.99),
        augmentation=Translation(pixels=4, cutout=12),
        label_smoothing=0.2,
    ),
    of_the_study=False,
    prepare=prepare,
    test_time_flips=True,
    resources=Resources(gpus=1.0, memory_gib=6),
)
