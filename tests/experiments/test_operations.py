"""What a training step computes: as it is counted, and as JAX writes it down."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import pytest

from experiments import catalogue
from experiments.operations import operations
from experiments.train import build
from tests.experiments import other_backend

pytestmark = pytest.mark.project("p00_base")
COUNTED = """
import json, keras, jax, numpy as np
from jax.extend.core import jaxprs_in_params
from experiments import catalogue
from experiments.operations import operations
from experiments.train import build

pixels, labels = np.zeros((2, 32, 32, 3), "float32"), np.zeros(2, "int32")

def counted(program):
    total = 0
    for step in program.eqns:
        if step.primitive.name in ("conv_general_dilated", "dot_general"):
            right, made = step.invars[1].aval.shape, step.outvars[0].aval.shape
            numbers = step.params["dimension_numbers"]
            if step.primitive.name == "dot_general":
                summed = np.prod([right[axis] for axis in numbers[0][1]])
            else:
                summed = np.prod(right) / right[numbers.rhs_spec[0]]
            total += 2 * np.prod(made) * summed
        total += sum(counted(one) for one in jaxprs_in_params(step.params))
    return total

def computed(declared):
    model = build(declared, 0, "float32")
    others = [one.value for one in model.non_trainable_variables]

    def loss(trained):
        found, _ = model.stateless_call(trained, others, pixels, training=True)
        return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, found))

    program = jax.make_jaxpr(jax.grad(loss))([one.value for one in model.trainable_variables])
    return counted(program.jaxpr) / len(labels)

projects = [catalogue.load(one) for one in ("p00_base", "p01_deeper", "p11_modern")]
print(json.dumps([[operations(build(one, 0, "float32")), computed(one)] for one in projects]))
"""


def test_operations_are_counted_forward_and_back_for_the_gradients_that_a_step_needs() -> None:
    """Two operations for each weight of a convolution at each of its positions, and for each of a dense layer.

    No gradient is asked for of the images, nor of what comes out of frozen layers alone.
    """
    convolutions = 3 * 3 * 3 * 32 * 32**2
    hidden, scores = 32 * 16 * 16 * 32, 32 * 10
    base = catalogue.load("p00_base")
    assert operations(build(base, 0, "float32")) == 2 * (2 * convolutions + 3 * (hidden + scores))

    def counted(frozen: Callable[[Any], Any]) -> float | None:
        def network(side: int) -> keras.Model:
            found: Any = base.network(side)
            frozen(found).trainable = False
            return keras.Sequential([found])  # within another

        return operations(build(dataclasses.replace(base, network=network), 0, "float32"))

    assert counted(lambda found: found.layers[0]) == 2 * (convolutions + 2 * hidden + 3 * scores)
    assert counted(lambda found: found.layers[-1]) == 2 * (2 * convolutions + 3 * hidden + 2 * scores)
    assert counted(lambda found: found) == 2 * (convolutions + hidden + scores)


@pytest.mark.project("p00_base", "p01_deeper", "p11_modern")
def test_the_operations_that_are_counted_are_those_of_the_step_s_own_program() -> None:
    """As JAX writes down a step for two images: convolutions and products, with their gradients."""
    for found, computed in other_backend.said("jax", COUNTED):
        assert found == pytest.approx(computed, rel=0.02)


def test_operations_are_counted_of_other_layers_too_and_never_guessed() -> None:
    layers, base = keras.layers, catalogue.load("p00_base")

    def counted(*found: keras.layers.Layer) -> float | None:
        return operations(build(dataclasses.replace(base, network=lambda _: keras.Sequential([*found])), 0, "float32"))

    lines = layers.Reshape((32, 32 * 3))
    assert counted(layers.DepthwiseConv2D(3, padding="same"), layers.Flatten()) == 4 * 3 * 3 * 3 * 32**2
    assert counted(lines, layers.Conv1D(8, 5, padding="same")) == 4 * 5 * 96 * 8 * 32
    assert counted(lines, layers.LSTM(16), layers.Dense(10)) is None
    open_sided = [keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D(), layers.Dense(10)]
    assert counted(*open_sided) is None
    assert counted(layers.Flatten()) == 0


@pytest.mark.project("p00_base")
def test_operations_of_a_network_within_a_network_count_like_its_own() -> None:
    """As VGG16 stands in the projects that start from it."""
    layers = keras.layers
    inner = keras.Sequential([keras.Input((32, 32, 3)), layers.Conv2D(4, 3, padding="same"), layers.Flatten()])
    network = keras.Sequential([keras.Input((32, 32, 3)), inner, layers.Dense(10)])
    assert operations(network) == 4 * 3 * 3 * 3 * 4 * 32**2 + 6 * 4 * 32**2 * 10


def test_a_layer_of_one_s_own_is_not_taken_for_one_of_keras_that_has_its_name() -> None:
    class Dense(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> list[Any]:
            return [inputs]

    class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]
        pass

    inputs = keras.Input((8, 8, 3))
    (same,) = Dense()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(same)))
    assert operations(model) == 2 * 2 * 8 * 8 * 3 * 10
    assert operations(keras.Sequential([keras.Input((8, 8, 3)), Conv2D(4, 3)])) is None
