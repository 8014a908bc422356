"""What `fit` is given: the same batches as Keras would draw itself, anew in each epoch, and nothing that waits."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from experiments.feed import fed

BATCHES = 5


class Numbers(keras.utils.PyDataset):  # type: ignore[misc]
    """Five batches, the last one smaller, that remember when they were drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def __len__(self) -> int:
        return BATCHES

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self.drawn.append(index)
        size = 2 if index == BATCHES - 1 else 4
        pixels = np.full((size, 3, 3, 1), index, np.float32)
        return pixels, np.full(size, index, np.int64)


def network() -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((3, 3, 1)), keras.layers.Flatten(), keras.layers.Dense(BATCHES)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def test_a_training_is_the_same_as_on_keras_s_own_set_to_the_last_bit() -> None:
    histories = []
    for feed in (fed, lambda model, batches: batches):
        model = network()
        batches = feed(model, Numbers())
        done = model.fit(batches, validation_data=feed(model, Numbers()), epochs=3, shuffle=False, verbose=0)
        found = model.evaluate(batches, verbose=0), model.predict(batches, verbose=0).tolist()
        histories.append((done.history, found))
    assert histories[0] == histories[1]


def test_every_epoch_draws_every_batch_once_in_its_order() -> None:
    numbers = Numbers()
    model = network()
    given = fed(model, numbers)
    numbers.drawn.clear()  # a first one may have been looked at for its shape
    model.fit(given, epochs=2, shuffle=False, verbose=0)
    assert numbers.drawn[-2 * BATCHES :] == [*range(BATCHES)] * 2


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow's sets tune themselves")
def test_tensorflow_is_given_a_set_of_known_length_that_does_not_tune_itself_and_so_never_waits_for_that() -> None:
    given = fed(network(), Numbers())
    assert given.options().autotune.enabled is False
    assert int(given.cardinality()) == BATCHES
    pixels, labels = given.element_spec
    assert (pixels.shape.as_list(), labels.shape.as_list()) == ([None, 3, 3, 1], [None]), "a last batch may be smaller"
