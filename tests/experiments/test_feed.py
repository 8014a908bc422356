"""What `fit` is given: the same batches as Keras would draw itself, anew in each epoch, and nothing that waits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import keras
import numpy as np
import pytest

from experiments.batches import Batches, DrawEpoch
from experiments.data import Images
from experiments.feed import fed
from experiments.project import Augmentation, Translation
from experiments.scaling import BGR_MEAN, UNIT_INTERVAL, Scaling

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


def images(count: int = 22) -> Images:
    random = np.random.default_rng(5)
    pixels = random.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    pixels[0].flat[:] = np.arange(192)
    pixels[1].flat[:] = np.arange(64, 256)
    return Images(pixels, random.integers(0, 10, count))


def given_by(feed: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What a model would see of `feed`, batch by batch."""
    for pixels, labels in feed:
        yield np.asarray(pixels), np.asarray(labels)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends take the batches as they are")
@pytest.mark.parametrize("scaling", [UNIT_INTERVAL, BGR_MEAN])
def test_what_tensorflow_draws_itself_is_the_same_to_the_last_bit_in_every_epoch(scaling: Scaling) -> None:
    shown = images()
    batches = Batches(shown, 5, 8, seed=3, scaling=scaling)
    feed = fed(network(), batches)
    orders = []
    for epoch in range(3):
        batches.draw(epoch)
        found = list(given_by(feed))
        assert len(found) == len(batches) == 5 and len(found[-1][1]) == 2
        for index, (pixels, labels) in enumerate(found):
            expected, expected_labels = batches[index]
            assert pixels.dtype == expected.dtype and pixels.tobytes() == expected.tobytes()
            assert labels.dtype == expected_labels.dtype and labels.tolist() == expected_labels.tolist()
        orders.append(tuple(label for _, labels in found for label in labels.tolist()))
    assert len(set(orders)) == 3, "every epoch has its own order"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends take the batches as they are")
@pytest.mark.parametrize(
    ("options", "still"),
    [
        ({}, True),
        ({"seed": 3}, True),
        ({"mirrored": True}, False),
        ({"augmentation": Translation(2)}, False),
        ({"augmentation": Augmentation(rotation=15, shift=0.1, horizontal_flip=True)}, False),
        ({"image_size": 12}, False),
    ],
)
def test_images_that_are_moved_or_enlarged_are_drawn_in_python_the_others_are_not(
    options: dict[str, Any], still: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(images(), 5, **{"image_size": 8, **options})
    expected = [batches[index] for index in range(5)]
    asked: list[int] = []
    own = Batches.__getitem__

    def drawn(self: Batches, index: int) -> Any:
        asked.append(index)
        return own(self, index)

    monkeypatch.setattr(Batches, "__getitem__", drawn)
    feed = fed(network(), batches)
    asked.clear()  # a first one may have been looked at for its shape
    found = list(given_by(feed))
    assert asked == ([] if still else [*range(5)])
    for (pixels, labels), (wanted, wanted_labels) in zip(found, expected, strict=True):
        assert pixels.tobytes() == wanted.tobytes() and labels.tolist() == wanted_labels.tolist()


def test_a_training_draws_the_order_of_its_own_epoch_also_where_a_set_is_drawn_ahead() -> None:
    histories = []
    for feed in (fed, lambda model, batches: batches):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        batches = Batches(images(), 5, 8, seed=3)
        done = model.fit(feed(model, batches), epochs=3, shuffle=False, verbose=0, callbacks=[DrawEpoch(batches)])
        histories.append(done.history)
    assert histories[0] == histories[1]


def test_batches_of_a_class_that_draws_in_its_own_way_are_asked_for_each() -> None:
    class Own(Batches):
        def __getitem__(self, index: int) -> Any:
            pixels, labels = super().__getitem__(index)
            return 1 - pixels, labels

    batches = Own(images(), 5, 8)
    feed = fed(network(), batches)
    found = list(islice(given_by(feed), 5))  # other backends go on
    assert len(found) == 5
    for index, (pixels, _) in enumerate(found):
        assert np.array_equal(pixels, batches[index][0])
