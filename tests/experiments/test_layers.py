"""The layers of a network, however deep they lie."""

from __future__ import annotations

import keras

from experiments.layers import all_layers


def test_layers_within_layers_follow_the_one_that_they_are_in() -> None:
    inputs = keras.Input((4,))
    innermost = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="deep")], name="innermost")
    inner = keras.Sequential([keras.Input((4,)), innermost, keras.layers.Dense(2, name="shallow")], name="inner")
    model = keras.Model(inputs, keras.layers.Dense(1, name="last")(inner(inputs)))
    names = [layer.name for layer in all_layers(model) if not isinstance(layer, keras.layers.InputLayer)]
    assert names == ["inner", "innermost", "deep", "shallow", "last"]


def test_a_layer_that_several_share_comes_once() -> None:
    shared = keras.layers.Dense(4, name="shared")
    parts = [keras.Sequential([keras.Input((4,)), shared], name=f"part_{number}") for number in range(2)]
    model = keras.Sequential([keras.Input((4,)), *parts])
    assert [layer.name for layer in all_layers(model)] == ["part_0", "shared", "part_1"]
