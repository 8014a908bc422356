"""Batch normalization in one operation: what Keras computes, but for rounding, and in sixteen bits alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from experiments import catalogue
from experiments.normalization import in_one_operation
from experiments.train import build

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX fuses what it compiles")

CHANNELS = 6
MIXED = "mixed_bfloat16"
WITHIN = {MIXED: 2e-2, "mixed_float16": 2e-3}
"""How far apart values of about 1 may lie: a few units of the last digit."""


def network(policy: str = MIXED, **options: Any) -> Any:
    """A convolution, and the layer behind it; both have other weights than they begin with."""
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy(policy)
    try:
        layer = keras.layers.BatchNormalization(**options)
        model = keras.Sequential(
            [keras.Input((7, 5, 3)), keras.layers.Conv2D(CHANNELS, 3, padding="same"), keras.layers.Activation("relu")]
        )
        model.add(layer)
        model.add(keras.layers.Conv2D(4, 3))
        model.add(keras.layers.GlobalAveragePooling2D(dtype="float32"))
    finally:
        keras.config.set_dtype_policy("float32")
    random = np.random.default_rng(2)
    layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def shown(count: int = 9) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    return random.normal(1, 2, (count, 7, 5, 3)).astype(np.float32), random.normal(0, 1, (count, 4)).astype(np.float32)


def normalizing(model: Any) -> Any:
    return next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))


def operations(model: Any, training: bool) -> set[str]:
    """The kinds of operations that `model` is compiled to."""
    import tensorflow as tf

    traced = tf.function(lambda pixels: model(pixels, training=training)).get_concrete_function(
        tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
    )
    return {operation.type for operation in traced.graph.get_operations()} | {
        operation.type for function in traced.graph._functions.values() for operation in function.graph.get_operations()
    }


FUSED = "FusedBatchNormV3"


@pytest.mark.parametrize("policy", WITHIN)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"momentum": 0.6, "epsilon": 0.1}])
def test_a_training_is_that_of_keras_but_for_rounding(policy: str, options: dict[str, Any]) -> None:
    """Weights, what is remembered of the images, and predictions, after steps that move all of them."""
    pixels, wanted = shown()
    found = []
    for plain in (True, False):
        model = network(policy, **options)
        if not plain:
            in_one_operation(model)
            assert FUSED in operations(model, True) and FUSED in operations(model, False)
        before = [weight.copy() for weight in model.get_weights()]
        losses = [model.train_on_batch(pixels, wanted) for _ in range(3)]
        after = model.get_weights()
        assert all(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
        found.append([np.array(losses), *after, model.predict_on_batch(pixels)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=WITHIN[policy], atol=WITHIN[policy])


def test_the_variance_that_is_remembered_is_that_of_the_batch_as_keras_has_it() -> None:
    """TensorFlow's own would be larger by half where a channel has three values."""
    pixels = np.array([1.0, 2.0, 6.0], np.float32).reshape(3, 1, 1, 1)
    for count, variance in ((3, 14 / 3), (1, 0.0)):
        model = keras.Sequential([keras.Input((1, 1, 1)), keras.layers.BatchNormalization(momentum=0.0, dtype=MIXED)])
        in_one_operation(model)
        model(pixels[:count], training=True)
        mean, remembered = model.layers[0].get_weights()[2:]
        assert mean == pytest.approx(pixels[:count].mean()) and remembered == pytest.approx(variance, rel=1e-6)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_layer_that_only_uses_what_it_remembers_hands_back_the_gradients_of_keras(frozen: bool) -> None:
    """Because it is not trained, or because nothing is: then, its own weights have gradients, too."""
    import tensorflow as tf

    pixels, wanted = shown()
    found = []
    for plain in (True, False):
        model = network()
        layer = normalizing(model)
        layer.trainable = not frozen
        if not plain:
            in_one_operation(model)
            assert FUSED in operations(model, frozen)
        before = layer.get_weights()
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((model(pixels, training=frozen) - wanted) ** 2)
        found.append(
            [np.array(one) for one in tape.gradient(loss, [weight.value for weight in model.trainable_weights])]
        )
        assert all(np.array_equal(*pair) for pair in zip(before, layer.get_weights(), strict=True)), (
            "nor is that changed"
        )
    assert len(found[0]) == (4 if frozen else 6)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=WITHIN[MIXED] * np.abs(one).max())


@pytest.mark.parametrize(
    "options",
    [{"axis": 1}, {"axis": 2}, {"epsilon": 1e-6}, {"renorm": True}, {"synchronized": True}, {"dtype": "float32"}],
)
def test_what_it_cannot_do_or_would_do_with_other_digits_is_left_to_keras(options: dict[str, Any]) -> None:
    model = keras.Sequential(
        [keras.Input((7, 5, CHANNELS)), keras.layers.BatchNormalization(**{"dtype": MIXED, **options})]
    )
    in_one_operation(model)
    assert FUSED not in operations(model, True)


def test_a_row_of_numbers_and_a_layer_of_one_s_own_are_left_to_keras() -> None:
    class Own(keras.layers.BatchNormalization):  # type: ignore[misc]
        pass

    inputs = keras.Input((7, 5, CHANNELS))
    features = keras.layers.GlobalAveragePooling2D()(Own(dtype=MIXED)(inputs))
    model = keras.Model(inputs, keras.layers.BatchNormalization(dtype=MIXED)(features))
    in_one_operation(model)
    assert FUSED not in operations(model, True)


def test_a_mask_is_left_to_keras() -> None:
    pixels = shown()[0]
    model = keras.Sequential([keras.Input((7, 5, 3)), keras.layers.BatchNormalization(momentum=0.0, dtype=MIXED)])
    in_one_operation(model)
    mask = np.zeros((9, 7, 5), bool)
    mask[:4] = True
    model.layers[0](pixels, training=True, mask=keras.ops.convert_to_tensor(mask))
    np.testing.assert_allclose(model.layers[0].get_weights()[2], pixels[:4].mean(axis=(0, 1, 2)), rtol=1e-2)


def test_a_layer_that_nothing_has_called_is_left_alone() -> None:
    class Owner(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.built = True
            self.layers = [keras.layers.BatchNormalization(dtype=MIXED)]

        def call(self, inputs: Any) -> Any:
            return inputs

    in_one_operation(keras.Sequential([keras.Input((7, 5, 3)), Owner()]))


def test_layers_within_layers_are_found() -> None:
    inner = keras.Sequential([keras.Input((7, 5, 3)), keras.layers.BatchNormalization(dtype=MIXED)])
    model = keras.Sequential([keras.Input((7, 5, 3)), inner, keras.layers.Flatten()])
    in_one_operation(model)
    assert FUSED in operations(model, True)


@pytest.mark.project("p04_batch_norm")
def test_a_project_trains_so_in_sixteen_bits_and_in_thirty_two_as_keras_would() -> None:
    declared = catalogue.load("p04_batch_norm")
    assert FUSED in operations(build(declared, 0, MIXED), True)
    assert FUSED not in operations(build(declared, 0, "float32"), True)
