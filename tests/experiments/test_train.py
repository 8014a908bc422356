"""Real networks, real training steps, on the embedded sample."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import data, project
from experiments.data import Images
from experiments.train import (
    Batches,
    DrawEpoch,
    build,
    confident_mistakes,
    confusion,
    network_of,
    order,
    scaled,
    settings_of,
    train,
)
from reportgen.errors import ReportError

ROWS = {
    "p00_base": [
        ("conv2d", "Conv2D", (None, 32, 32, 32), 896),
        ("max_pooling2d", "MaxPooling2D", (None, 16, 16, 32), 0),
        ("flatten", "Flatten", (None, 8192), 0),
        ("dense", "Dense", (None, 32), 262176),
        ("dense_1", "Dense", (None, 10), 330),
    ],
    "p01_deeper": [
        ("conv2d", "Conv2D", (None, 32, 32, 32), 896),
        ("max_pooling2d", "MaxPooling2D", (None, 16, 16, 32), 0),
        ("conv2d_1", "Conv2D", (None, 16, 16, 64), 18496),
        ("max_pooling2d_1", "MaxPooling2D", (None, 8, 8, 64), 0),
        ("conv2d_2", "Conv2D", (None, 8, 8, 128), 73856),
        ("max_pooling2d_2", "MaxPooling2D", (None, 4, 4, 128), 0),
        ("flatten", "Flatten", (None, 2048), 0),
        ("dense", "Dense", (None, 256), 524544),
        ("dense_1", "Dense", (None, 128), 32896),
        ("dense_2", "Dense", (None, 10), 1290),
    ],
}
TOTALS = {"p00_base": 263_402, "p01_deeper": 651_978}


@pytest.mark.parametrize("identifier", sorted(ROWS))
def test_every_layer_row_that_the_study_prints_is_built(identifier: str) -> None:
    network = network_of(build(project.load(identifier), 0, "float32"))
    assert network.name == "sequential"
    assert [(row.name, row.type, row.output_shape, row.parameters) for row in network.layers] == ROWS[identifier]
    assert (network.parameters, network.trainable, network.non_trainable) == (TOTALS[identifier],) * 2 + (0,)


def test_the_layers_are_named_the_same_when_another_network_was_built_before() -> None:
    build(project.load("p01_deeper"), 0, "float32")
    network = network_of(build(project.load("p00_base"), 0, "float32"))
    assert [row.name for row in network.layers] == [name for name, *_ in ROWS["p00_base"]]


@pytest.mark.parametrize("identifier", sorted(ROWS))
def test_the_settings_are_those_of_the_study(identifier: str) -> None:
    assert settings_of(project.load(identifier)) == {
        "batch_size": 512,
        "epochs": 100,
        "optimizer": "Adam",
        "learning_rate": 1e-3,
        "loss": "sparse_categorical_crossentropy",
        "pixel_scaling": "1/255",
        "patience_val_loss": 5,
        "patience_val_accuracy": 5,
    }


@pytest.mark.parametrize("identifier", sorted(ROWS))
def test_a_real_training_on_the_sample_beats_chance(identifier: str) -> None:
    """Chance is 10 %; with 320 images a network learns enough to stand clearly above it."""
    declared = project.load(identifier)
    split = data.split(data.load("sample"), 0)
    run = train(declared, build(declared, 0, "float32"), split, 0, epochs=25, batch_size=32)
    assert run.test.accuracy > 0.2
    assert run.train.accuracy > 0.3
    assert run.history[-1].cross_entropy < run.history[0].cross_entropy
    assert sum(map(sum, run.confusion)) == len(split.test.labels)
    assert all(wrong.label != wrong.prediction for wrong in run.mistakes)
    assert run.stopping.restored_epoch <= len(run.history)


def test_the_restored_weights_are_those_that_are_measured() -> None:
    """The validation accuracy of the run is the one of the epoch that it says it restored."""
    declared = project.load("p00_base")
    split = data.split(data.load("sample"), 3)
    run = train(declared, build(declared, 3, "float32"), split, 3, batch_size=32)
    assert run.stopping.reason != "none"
    restored = run.history[run.stopping.restored_epoch - 1]
    assert run.validation.accuracy == pytest.approx(restored.val_accuracy, abs=1e-6)
    assert run.validation.cross_entropy == pytest.approx(restored.val_cross_entropy, rel=1e-4)


def test_the_order_that_fit_draws_is_a_function_of_seed_and_epoch() -> None:
    """Each image carries its own number as its label, so that the labels seen by `fit` tell the order."""
    seen: list[int] = []

    class Watched(Batches):
        def __getitem__(self, index: int):  # type: ignore[no-untyped-def]
            pixels, labels = super().__getitem__(index)
            seen.extend(labels.tolist())
            return pixels, labels

    numbers = np.arange(20)
    images = Images(pixels=np.zeros((20, 2, 2, 3), np.uint8), labels=numbers)
    model = keras.Sequential([keras.layers.Input((2, 2, 3)), keras.layers.Flatten(), keras.layers.Dense(20)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    batches = Watched(images, 6, seed=4)
    model.fit(batches, epochs=3, shuffle=False, callbacks=[DrawEpoch(batches)], verbose=0)
    # The backend may look at a first batch to learn its shape before it starts.
    epochs = [seen[-60:][start : start + 20] for start in (0, 20, 40)]
    assert epochs == [order(20, 4, epoch).tolist() for epoch in range(3)]


@given(st.integers(1, 200), st.integers(0, 2**32), st.integers(0, 100))
def test_an_order_draws_every_image_once(size: int, seed: int, epoch: int) -> None:
    assert sorted(order(size, seed, epoch)) == list(range(size))


def test_scaling_a_batch_equals_scaling_the_whole_set() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(scaled(every), every.astype(np.float32) / 255.0)


def test_an_unknown_precision_is_refused_with_a_sentence() -> None:
    with pytest.raises(ReportError, match="Unknown precision 'float12'"):
        build(project.load("p00_base"), 0, "float12")


def test_the_most_confident_mistakes_come_first_and_right_answers_never() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.99, 0.01], [0.4, 0.6]])
    found = confident_mistakes(labels, probabilities)
    assert [(wrong.index, wrong.label, wrong.prediction) for wrong in found] == [(2, 1, 0), (1, 0, 1)]
    assert confusion(labels, probabilities) == ((1, 1), (1, 1))
