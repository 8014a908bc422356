"""Images on the accelerator: the same batches and the same training, in fewer calls. Here, a processor plays it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import data
from experiments.augmentation import Affine, affine, resize
from experiments.augmentation import transform as by_opencv
from experiments.batches import Batches
from experiments.data import Images
from experiments.feed import fed
from experiments.project import Augmentation, Translation
from experiments.resident import (
    MOST,
    Calls,
    drawing,
    even,
    filled,
    fits,
    in_whole_batches,
    largest_divisor,
    pays,
    resident_of,
    shown,
    stacked,
    transform,
)
from experiments.scaling import BGR_MEAN, UNIT_INTERVAL
from tests.experiments import other_backend

STUDY = Augmentation(rotation=15, shift=0.1, horizontal_flip=True)


@pytest.fixture(scope="module")
def sample() -> Images:
    return data.load("sample").train


@given(st.integers(1, 2000))
def test_a_call_takes_many_batches_and_all_calls_alike(batches: int) -> None:
    together = largest_divisor(batches, MOST)
    assert batches % together == 0
    assert together > MOST // 8 or together == batches


@given(st.integers(1, 100_000), st.integers(1, 1024))
def test_a_set_is_shown_in_batches_of_one_size_where_that_takes_at_most_twice_as_many(images: int, size: int) -> None:
    found = even(images, size)
    assert size / 2 < found <= size
    assert images % found == 0 or found == size


@pytest.mark.cifar10
def test_images_fill_their_batches_and_the_first_ones_come_again(sample: Images) -> None:
    found = filled(sample, 60)
    assert len(found.pixels) == len(found.labels) == 420
    assert np.array_equal(found.pixels[:400], sample.pixels) and np.array_equal(found.pixels[400:], sample.pixels[:20])
    assert np.array_equal(found.labels[400:], sample.labels[:20])
    assert len(filled(sample, 100).labels) == 400
    assert len(filled(Images(sample.pixels[:3], sample.labels[:3]), 8).labels) == 8


def test_on_a_processor_batches_stay_where_they_are_made() -> None:
    assert not pays()


@pytest.mark.parametrize("augmentation", [None, Translation(2), Translation(4, cutout=12)])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.cifar10
def test_a_batch_drawn_on_the_device_is_the_same_to_the_last_bit(
    sample: Images, augmentation: Translation | None, mirrored: bool
) -> None:
    jax = pytest.importorskip("jax")
    batches = Batches(sample, 40, 32, 5, augmentation, BGR_MEAN, mirrored)
    for epoch in range(2):
        batches.draw(epoch)
        held = {"pixels": jax.numpy.asarray(sample.pixels), "labels": jax.numpy.asarray(sample.labels)}
        plans = stacked([batches.plan(k) for k in range(2)])
        for k in range(2):
            pixels, labels = shown(held, {name: array[k] for name, array in plans.items()}, BGR_MEAN)
            expected, of = batches[k]
            assert np.array_equal(np.asarray(pixels), expected) and np.array_equal(np.asarray(labels), of)


@given(st.integers(0, 2**32), st.floats(-180, 180), st.floats(-40, 40), st.floats(-40, 40))
def test_an_image_is_moved_as_opencv_moves_it_but_for_the_rounding_of_positions(
    seed: int, degrees: float, down: float, right: float
) -> None:
    jax = pytest.importorskip("jax")
    random = np.random.default_rng(seed)
    # Neighbours differ by at most 20, so that a 32nd of a pixel is at most 1.3 in each direction.
    ramp = np.add.outer(np.arange(8), np.arange(8)) * 10
    pixels = (ramp[None, :, :, None] + random.integers(0, 5, (4, 8, 8, 3))).astype(np.uint8)
    every, flips = np.ones(4), random.random(4) < 0.5
    movement = affine(np.deg2rad(degrees) * every, down * every, right * every, flips, 8, 8)
    narrow = Affine(movement.matrices.astype(np.float32), flips)
    found = np.asarray(transform(jax.numpy.asarray(pixels), np.arange(4), narrow))
    assert np.abs(found - by_opencv(pixels, movement)).max() < 1.3


@pytest.mark.cifar10
def test_a_batch_is_moved_on_the_device_by_the_amounts_that_were_drawn_for_it(sample: Images) -> None:
    jax = pytest.importorskip("jax")
    batches = Batches(sample, 40, 48, 5, STUDY)
    held = {"pixels": jax.numpy.asarray(resize(sample.pixels, 48)), "labels": jax.numpy.asarray(sample.labels)}
    plans = stacked([batches.plan(k) for k in range(2)])
    for k in range(2):
        pixels, labels = shown(held, {name: array[k] for name, array in plans.items()}, batches.scaling)
        expected, of = batches[k]
        assert np.array_equal(np.asarray(labels), of)
        assert np.abs(np.asarray(pixels) - expected).mean() < 0.5 / 255


@pytest.mark.cifar10
def test_the_calls_of_an_epoch_draw_every_batch_once_and_what_is_left_over_alone(sample: Images) -> None:
    pytest.importorskip("jax")
    batches = Batches(sample, 60, 32, 5, STUDY)
    calls, draw = Calls(batches), drawing(batches.scaling)
    found = [np.asarray(draw(calls[k])) for k in range(len(calls))]
    assert [len(sums) for sums in found] == [6, 1], "400 images: six batches of 60 and one of 40"
    assert np.concatenate(found) == pytest.approx([batches[k][0].sum() for k in range(7)], rel=1e-3)


def test_a_set_too_large_for_an_accelerator_is_drawn_batch_by_batch(
    sample: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jax")
    model = resident_of(keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()]), UNIT_INTERVAL, 60)
    assert isinstance(fed(model, Batches(sample, 60, 32)), Calls)
    monkeypatch.setattr("experiments.resident.LARGEST", 32 * 32 * 3 * len(sample.labels) - 1)
    assert not isinstance(fed(model, Batches(sample, 60, 32)), Calls)


@pytest.mark.parametrize("images", [1, 5, 8])
def test_fewer_images_are_computed_as_a_whole_batch_and_to_the_same_numbers(images: int) -> None:
    layers, seen = keras.layers, []

    def watched(features: Any) -> Any:
        seen.append(features.shape[0])
        return keras.ops.relu(features)

    block = keras.Sequential([layers.Conv2D(3, 3, activation=watched), layers.BatchNormalization(), layers.Flatten()])
    model = keras.Sequential([keras.Input((6, 6, 2)), block, layers.Dense(4, activation=watched)])
    pixels = np.random.default_rng(0).random((images, 6, 6, 2), dtype=np.float32)
    expected = model(pixels, training=True)
    seen.clear()
    in_whole_batches(model, 8)
    found = model(pixels, training=True)
    assert seen == [8, 8]
    assert keras.ops.convert_to_numpy(found) == pytest.approx(keras.ops.convert_to_numpy(expected), abs=1e-6)


TRAINING = """
import jax, json, keras
from experiments import data, train
from experiments.project import SGD, Project, Training, Translation
from experiments.resident import Resident
from experiments.scaling import BGR_MEAN

layers = keras.layers

def row(side):
    return keras.Sequential([
        keras.Input((side, side, 3)), layers.Conv2D(4, 3, strides=2), layers.BatchNormalization(), layers.ReLU(),
        layers.Dropout(0.2), layers.Flatten(), layers.Dense(10, activation="softmax"),
    ])

def graph(side):
    images = keras.Input((side, side, 3))
    found = layers.Conv2D(4, 3, strides=2, activation="relu")(images)
    found = layers.Add()([found, layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(found))])
    return keras.Model(images, layers.Dense(10, activation="softmax")(layers.Flatten()(found)), name="mine")

training = Training(
    batch_size=32, epochs=2, early_stopping=(), augmentation=Translation(2), label_smoothing=0.1,
    optimizer=SGD(learning_rate=0.01, momentum=0.9, warmup=0.2, weight_decay=0.01, averaging=0.5),
)
compiled, programs = [], []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, fun_name="", **_: programs.append(fun_name) if "backend_compile" in event else None
)

def counted(kind):
    def step(self, *arguments):
        compiled.append(kind)
        return getattr(super(Resident, self), f"{kind}_step")(*arguments)
    step.__name__ = f"{kind}_step"
    return step

for kind in ("train", "test", "predict"):
    setattr(Resident, f"{kind}_step", counted(kind))

whole = data.split(data.load("sample"), 0)
first = lambda images, count: data.Images(images.pixels[:count], images.labels[:count])
split = data.Split(first(whole.train, 144), first(whole.validation, 48), first(whole.test, 41), whole.sha256)
everything = []
for network, flips in ((row, False), (graph, True)):
    project = Project(network, training, image_size=40, pixel_scaling=BGR_MEAN, test_time_flips=flips)
    found = []
    for resident in (False, True):
        train.pays = lambda: resident
        compiled.clear(), programs.clear()
        model = train.build(project, 0, "float32", train.steps_of(training, 144, 2))
        assert isinstance(model, Resident) == resident
        run = train.train(project, model, split, 0)
        figures = [*(epoch.model_dump(exclude={"seconds"}) for epoch in run.history)]
        figures += [measured.model_dump() for measured in (run.train, run.validation, run.test)]
        table = [row.model_dump(mode="json") for row in train.network_of(model).layers]
        found.append([figures, [model.name, table, run.confusion]])
    everything.append([*found, [*compiled], [*programs]])
print(json.dumps(everything))
"""


@pytest.mark.cifar10
def test_a_training_on_the_device_is_the_training_that_it_stands_for() -> None:
    """All at once: an averaged schedule, shifts, enlarged images in another scaling, and a smaller last batch; of a row
    of layers without test-time flips, and of layers in another order with them.

    Steps are compiled for full batches first, then for that one and for validation, all before the first of them, and
    nothing is compiled more than once.
    """
    for (usual, as_usual), (resident, as_resident), compiled, programs in other_backend.said("jax", TRAINING):
        assert sorted(compiled) == ["predict", "test", "train", "train"]
        assert [name for name in programs if "step" in name][3:] == ["jit(predict_step)"]
        assert sorted(name for name in programs if "step" in name)[1:] == ["jit(test_step)", *2 * ["jit(train_step)"]]
        assert as_usual == as_resident, "name, layers and confusion matrix"
        for before, after in zip(usual, resident, strict=True):
            assert after == pytest.approx(before, rel=1e-4)


@pytest.mark.parametrize(
    ("backend", "device", "expected"),
    [("jax", "gpu", True), ("jax", "tpu", True), ("jax", "cpu", False), ("tensorflow", "gpu", False)],
)
def test_images_stay_on_an_accelerator_that_keras_reaches_through_jax_alone(
    backend: str, device: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(jax, "default_backend", lambda: device)
    assert pays() is expected


@pytest.mark.parametrize(("side", "channels"), [(32, 3), (48, 3), (32, 1)])
def test_a_set_that_just_fits_on_an_accelerator_is_copied_there_in_the_size_in_which_it_is_shown(
    side: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = Images(np.zeros((5, 32, 32, channels), np.uint8), np.zeros(5, np.int64))
    batches = Batches(images, 2, side)
    for room, expected in ((0, True), (-1, False)):
        monkeypatch.setattr("experiments.resident.LARGEST", 5 * side * side * channels + room)
        assert fits(batches) is expected


@pytest.mark.parametrize(
    ("images", "size", "expected"),
    [(50, 100, 100), (150, 100, 75), (51, 100, 51), (97, 32, 32), (96, 32, 32), (5, 8, 5)],
)
def test_batches_are_even_where_that_takes_fewer_than_twice_as_many(images: int, size: int, expected: int) -> None:
    assert even(images, size) == expected


@pytest.mark.parametrize(
    ("batches", "expected"), [(1, 1), (63, 63), (128, 64), (97, 97), (8 * 67, 8 * 67), (9 * 67, 9), (64, 64)]
)
def test_a_call_takes_more_than_an_eighth_of_the_most_or_the_whole_epoch(batches: int, expected: int) -> None:
    assert largest_divisor(batches, MOST) == expected
