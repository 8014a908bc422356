"""Gradients of kernels as products of matrices: those that TensorFlow has, but for the order of sums."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import catalogue, convolution
from experiments.convolution import CHANNELS, FILTERS, SIDE, by_products
from experiments.train import build

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles them by itself")

MIXED = "mixed_bfloat16"
OWN = "Conv2DBackpropFilter"
"""TensorFlow's operation."""
WITHIN = 2e-2
"""How far apart values of about 1 may lie: a few units of the last digit of sixteen bits."""
side = st.integers(1, 7)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 3), st.tuples(side, side), st.tuples(side, side), st.sampled_from(["same", "valid"]))
def test_a_product_for_each_place_of_a_kernel_is_its_gradient(
    images: int, size: tuple[int, int], kernel: tuple[int, int], padding: str
) -> None:
    """Whatever its sides and those of the images: even and odd, larger than the images, and where there are none."""
    import tensorflow as tf

    channels, filters = 3, 2
    random = np.random.default_rng(0)
    inputs = tf.constant(random.normal(size=(images, *size, channels)), tf.float64)
    weights = tf.constant(random.normal(size=(*kernel, channels, filters)), tf.float64)
    if padding == "valid" and any(one > other for one, other in zip(kernel, size, strict=True)):
        return  # nothing comes out
    with tf.GradientTape() as tape:
        tape.watch(weights)
        outputs = tf.nn.conv2d(inputs, weights, 1, padding.upper())
        errors = tf.constant(random.normal(size=outputs.shape), tf.float64)
        total = tf.reduce_sum(outputs * errors)
    found = convolution._kernel_gradient(inputs, errors, kernel, padding)
    np.testing.assert_allclose(found, tape.gradient(total, weights), rtol=1e-12, atol=1e-12)


def network(
    policy: str = MIXED,
    shape: tuple[int | None, int | None, int] = (6, 4, 8),
    channels: int = CHANNELS,
    **options: Any,
) -> Any:
    """A convolution that is narrow, one that is wide, and scores of four classes."""
    keras.utils.set_random_seed(1)
    given = {"filters": FILTERS, "kernel_size": 3, "padding": "same", "activation": "relu", "dtype": policy}
    model = keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(channels, 3, padding="same", dtype=policy),
            keras.layers.Conv2D(**{**given, **options}),
            keras.layers.GlobalAveragePooling2D(dtype="float32"),
            keras.layers.Dense(4, dtype="float32"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), "mse")
    return model


def shown(shape: tuple[int, ...] = (6, 4, 8)) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    return random.normal(0, 1, (9, *shape)).astype(np.float32), random.normal(0, 1, (9, 4)).astype(np.float32)


def gradients_left_to_tensorflow(model: Any, shape: tuple[int, ...] | None = None) -> int:
    """How many kernels have their gradient from TensorFlow's own operation in a step of `model`."""
    import tensorflow as tf

    def step(pixels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(pixels, training=True))
        return tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    traced = tf.function(step).get_concrete_function(
        tf.TensorSpec((None, *(shape or model.input_shape[1:])), tf.float32)
    )
    return sum(operation.type == OWN for operation in traced.graph.get_operations())


@pytest.mark.parametrize("options", [{}, {"padding": "valid", "kernel_size": (2, 3)}, {"use_bias": False}])
def test_a_training_is_that_of_keras_but_for_rounding(options: dict[str, Any]) -> None:
    """Losses, weights and predictions after steps that move all of them; before the first, even bit for bit."""
    pixels, wanted = shown()
    found = []
    first = []
    for plain in (True, False):
        model = network(**options)
        if not plain:
            by_products(model)
        assert gradients_left_to_tensorflow(model) == (2 if plain else 1)
        first.append(model.predict_on_batch(pixels))
        before = [weight.copy() for weight in model.get_weights()]
        losses = [model.train_on_batch(pixels, wanted) for _ in range(3)]
        after = model.get_weights()
        assert all(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
        found.append([np.array(losses), *after, model.predict_on_batch(pixels)])
    np.testing.assert_array_equal(*first)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=WITHIN, atol=WITHIN)


def test_a_layer_whose_own_kernel_is_frozen_hands_its_gradient_back() -> None:
    pixels, wanted = shown()
    found = []
    for plain in (True, False):
        model = network()
        model.layers[1].trainable = False
        model.compile(keras.optimizers.SGD(0.5), "mse")
        frozen = model.layers[1].get_weights()
        if not plain:
            by_products(model)
        before = model.layers[0].get_weights()
        model.train_on_batch(pixels, wanted)
        found.append([one - other for one, other in zip(model.layers[0].get_weights(), before, strict=True)])
        assert all(np.array_equal(*pair) for pair in zip(frozen, model.layers[1].get_weights(), strict=True))
    for one, other in zip(*found, strict=True):
        assert np.abs(one).max() > 0
        np.testing.assert_allclose(one, other, rtol=0, atol=WITHIN * np.abs(one).max())


@pytest.mark.parametrize(
    "options",
    [
        {"policy": "float32"},
        {"policy": "mixed_float16"},
        {"filters": FILTERS - 1},
        {"channels": CHANNELS - 1},
        {"strides": 2},
        {"dilation_rate": 2},
        {"groups": 2},
        {"shape": (SIDE + 1, 4, 8)},
        {"shape": (4, SIDE + 1, 8)},
    ],
)
def test_where_it_is_slower_or_not_the_same_it_is_left_to_tensorflow(options: dict[str, Any]) -> None:
    model = network(**options)
    before = gradients_left_to_tensorflow(model)
    by_products(model)
    assert gradients_left_to_tensorflow(model) == before > 0


def test_the_sides_of_the_images_count_and_not_those_that_a_network_could_take() -> None:
    model = network(shape=(None, None, 8))
    by_products(model)
    assert gradients_left_to_tensorflow(model) == 2, "they are not known"
    assert gradients_left_to_tensorflow(model, (SIDE, 4, 8)) == 1
    assert gradients_left_to_tensorflow(model, (SIDE + 1, 4, 8)) == 2


def test_a_layer_of_one_s_own_is_left_alone() -> None:
    class Own(keras.layers.Conv2D):  # type: ignore[misc]
        pass

    model = keras.Sequential([keras.Input((4, 4, CHANNELS)), Own(FILTERS, 3, dtype=MIXED)])
    by_products(model)
    assert gradients_left_to_tensorflow(model) == 1


def test_layers_within_layers_are_found() -> None:
    inner = keras.Sequential([keras.Input((4, 4, CHANNELS)), keras.layers.Conv2D(FILTERS, 3, dtype=MIXED)])
    model = keras.Sequential([keras.Input((4, 4, CHANNELS)), inner, keras.layers.Flatten()])
    by_products(model)
    assert gradients_left_to_tensorflow(model) == 0


@pytest.mark.project("p06_vgg16_scratch")
def test_a_project_trains_so_in_bfloat16_and_in_float32_as_keras_would() -> None:
    """Of the thirteen convolutions, nine have so many filters."""
    declared = catalogue.load("p06_vgg16_scratch")
    assert gradients_left_to_tensorflow(build(declared, 0, MIXED)) == 4
    assert gradients_left_to_tensorflow(build(declared, 0, "float32")) == 13
