"""Batches: which images are in each, in which order, and that nothing but seed and epoch decides it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import data
from experiments.augmentation import Affine, Shift, moved, resize
from experiments.batches import Batches, DrawEpoch, order, order_sha256
from experiments.data import Images
from experiments.feed import fed
from experiments.project import Augmentation, Translation
from experiments.scaling import BGR_MEAN, scaled


def test_the_order_that_fit_draws_is_a_function_of_seed_and_epoch() -> None:
    """Each image carries its own number as its label, so that the labels seen by `fit` tell the order."""
    seen: list[int] = []

    class Watched(keras.Sequential):  # type: ignore[misc]
        def train_step(self, *given: Any) -> Any:
            _, labels = given[-1]  # behind the state of the model, where a backend hands that on
            seen.extend(np.asarray(labels).tolist())
            return super().train_step(*given)

    numbers = np.arange(20)
    images = Images(pixels=np.zeros((20, 2, 2, 3), np.uint8), labels=numbers)
    model = Watched([keras.layers.Input((2, 2, 3)), keras.layers.Flatten(), keras.layers.Dense(20)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    batches = Batches(images, 6, 2, seed=4)
    model.fit(fed(model, batches), epochs=3, shuffle=False, callbacks=[DrawEpoch(batches)], verbose=0)
    epochs = [seen[start : start + 20] for start in range(0, len(seen), 20)]
    assert epochs == [order(20, 4, epoch).tolist() for epoch in range(3)]


@given(st.integers(1, 200), st.integers(0, 2**32), st.integers(0, 100))
def test_an_order_draws_every_image_once(size: int, seed: int, epoch: int) -> None:
    assert sorted(order(size, seed, epoch)) == list(range(size))


@pytest.mark.cifar10
def test_the_same_seed_epoch_and_batch_move_an_image_the_same_way() -> None:
    sample = data.load("sample").train
    first, again = (Batches(sample, 32, 32, 7, Augmentation(15, 0.1, True)) for _ in range(2))
    assert np.array_equal(first[3][0], again[3][0])
    before = first[3][0]
    first.draw(1)
    assert not np.array_equal(first[3][0], before)


@pytest.mark.cifar10
def test_a_batch_is_resized_and_the_set_is_not() -> None:
    sample = data.load("sample").train
    pixels, labels = Batches(sample, 8, 64)[0]
    assert pixels.shape == (8, 64, 64, 3) and len(labels) == 8
    assert np.array_equal(np.round(pixels * 255), resize(sample.pixels[:8], 64))
    assert resize(sample.pixels, 32) is sample.pixels


@pytest.mark.cifar10
def test_project_11_draws_both_views_of_every_image() -> None:
    """Without shifts, what two epochs draw of an image is itself and its mirror image."""
    images = data.load("sample").train.pixels[:64]
    labels = np.arange(len(images))
    batches = Batches(data.Images(images, labels), len(images), 32, 3, Translation(0))
    views = []
    for epoch in range(2):
        batches.draw(epoch)
        pixels, order = batches[0]
        views.append(pixels[np.argsort(order)])
    plain = images.astype(np.float32) / np.float32(255)
    for image, *both in zip(plain, *views, strict=True):
        flipped = [np.array_equal(view, image[:, ::-1]) for view in both]
        assert sorted(flipped) == [False, True]
        assert np.array_equal(both[flipped.index(False)], image)


@given(st.integers(1, 3), st.integers(0, 2**32), st.integers(0, 10))
def test_a_plan_tells_what_a_batch_shows(epochs: int, seed: int, most: int) -> None:
    """Drawn twice, once for each of the two that use it, it must be the same."""
    images = Images(np.random.default_rng(seed).integers(0, 256, (10, 12, 12, 3), np.uint8), np.arange(10))
    batches = Batches(images, 4, 12, seed, Translation(most))
    batches.draw(epochs)
    for k in range(len(batches)):
        plan, again = batches.plan(k), batches.plan(k)
        assert plan.chosen.tolist() == again.chosen.tolist() == batches[k][1].tolist()
        assert isinstance(plan.movement, Shift) and isinstance(again.movement, Shift)
        assert plan.movement.down.tolist() == again.movement.down.tolist()
        assert np.array_equal(scaled(moved(images.pixels[plan.chosen], plan.movement)), batches[k][0])


def test_a_hash_stands_for_the_orders_of_the_first_epochs() -> None:
    assert order_sha256(20, 4, 3) == order_sha256(20, 4, 3)
    assert len({order_sha256(20, 4, 3), order_sha256(20, 4, 2), order_sha256(20, 5, 3), order_sha256(21, 4, 3)}) == 4


def test_an_order_is_another_in_another_epoch_and_with_another_seed() -> None:
    orders = {tuple(order(20, seed, epoch).tolist()) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@pytest.mark.parametrize("augmentation", [Augmentation(15, 0.1, True), Translation(4, cutout=2)])
def test_what_happens_to_images_is_drawn_anew_for_each_seed_epoch_and_batch(
    augmentation: Augmentation | Translation,
) -> None:
    """Told by the movements alone, for the order of the images is another as well."""
    images = Images(np.zeros((16, 12, 12, 3), np.uint8), np.arange(16))
    drawn = set()
    for seed in (0, 1):
        batches = Batches(images, 8, 12, seed, augmentation)
        for epoch in (0, 1):
            batches.draw(epoch)
            for index in (0, 1):
                movement = batches.plan(index).movement
                assert movement is not None
                amounts = movement.matrices if isinstance(movement, Affine) else (movement.down, movement.right)
                drawn.add(np.asarray(amounts).tobytes())
    assert len(drawn) == 8


def test_whom_a_first_epoch_mirrors_is_a_coin_for_each_image_that_the_seed_throws() -> None:
    images = Images(np.zeros((200, 4, 4, 3), np.uint8), np.arange(200))
    thrown = set()
    for seed in (0, 1):
        movement = Batches(images, 200, 4, seed, Translation(0)).plan(0).movement
        assert isinstance(movement, Shift)
        mirrored = movement.flips[np.argsort(order(200, seed, 0))]
        assert 60 < mirrored.sum() < 140
        thrown.add(mirrored.tobytes())
    assert len(thrown) == 2


def test_a_batch_is_scaled_as_it_was_asked_for_and_mirrored_as_a_second_view_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    images = Images(pixels, np.arange(3))
    assert np.array_equal(Batches(images, 3, 8, scaling=BGR_MEAN)[0][0], scaled(pixels, BGR_MEAN))
    assert np.array_equal(Batches(images, 3, 8, mirrored=True)[0][0], scaled(pixels[:, :, ::-1]))
