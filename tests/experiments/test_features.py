"""What weights see: neighbours that really are the nearest, and weights that know something told from those that do
not.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from experiments import data, vgg16
from experiments import features as made
from experiments.augmentation import resize
from experiments.data import SIDE, Dataset, Images
from experiments.environment import ROOT
from experiments.features import NEAREST, described, examine, filters, neighbours, same_class
from experiments.scaling import BGR_MEAN, UNIT_INTERVAL
from experiments.vgg16 import Pretrained, Start
from reportgen import features
from reportgen.errors import ReportError
from reportgen.features import FILE, FILTERS, NEIGHBOURS


@pytest.fixture(scope="module")
def pretrained() -> Pretrained:
    """VGG16 with random weights."""
    keras.utils.set_random_seed(1)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    return Pretrained("mine", {layer.name: tuple(layer.get_weights()) for layer in network.layers if layer.weights})


@settings(max_examples=40)
@given(arrays.arrays(np.float32, st.tuples(st.integers(6, 20), st.integers(2, 5)), elements=st.integers(-9, 9)))
def test_no_image_is_more_like_another_than_its_neighbours_are_and_none_is_its_own(found: np.ndarray) -> None:
    places, similarities = neighbours(found, 3)
    centred = (found - found.mean(axis=0)).astype(np.float64)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    for image, (near, alike) in enumerate(zip(places, similarities, strict=True)):
        assert image not in near and len(set(near)) == 3
        every = np.delete(unit @ unit[image], image)
        np.testing.assert_allclose(alike, np.sort(every)[::-1][:3], atol=1e-4)


def test_neighbours_are_found_across_the_blocks_in_which_they_are_looked_for() -> None:
    angles = np.linspace(0, 2 * np.pi, 700, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    places, _ = neighbours(around, 2)
    assert {frozenset(row) for row in places.tolist()} == {
        frozenset({(k - 1) % 700, (k + 1) % 700}) for k in range(700)
    }


def test_the_share_of_the_same_class_counts_neighbours() -> None:
    labels = np.array([0, 0, 1])
    assert same_class(labels, np.array([[1, 2], [0, 2], [0, 1]])) == pytest.approx(2 / 6)


def test_a_filter_that_answers_to_red_is_red_whatever_the_order_of_the_channels(pretrained: Pretrained) -> None:
    for preprocessing, red in ((UNIT_INTERVAL, 0), (BGR_MEAN, 2)):
        kernel = np.zeros((3, 3, 3, 64), np.float32)
        kernel[:, :, red, 5] = 2.0
        kernel[:, :, red, 9] = -1.0
        layers = {**pretrained.layers, "block1_conv1": (kernel, np.zeros(64, np.float32))}
        first, second, *others = filters(Pretrained("mine", layers), preprocessing)
        assert (first == (255, 128, 128)).all(), "the strongest comes first"
        assert (second == (0, 128, 128)).all()
        assert all((other == 128).all() for other in others), "nothing is grey, and divides by nothing"


@pytest.mark.cifar10
def test_features_are_those_of_the_network_by_keras_itself_and_images_of_another_size_are_resized(
    pretrained: Pretrained,
) -> None:
    pixels = data.load("sample").test.pixels[:3]
    found = described(pretrained, pixels, BGR_MEAN, 32)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="max")
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(pretrained.layers[layer.name])
    prepared = keras.applications.vgg16.preprocess_input(pixels.astype(np.float32))
    np.testing.assert_allclose(found, network.predict(prepared, verbose=0), rtol=1e-3, atol=1e-3)
    assert described(pretrained, pixels, BGR_MEAN, 64).shape == (3, 512)
    with pytest.raises(ReportError, match="needs 32x32 pixels"):
        described(pretrained, pixels, BGR_MEAN, 31)


@pytest.mark.cifar10
def test_what_was_found_is_recorded_with_its_pictures(pretrained: Pretrained, tmp_path: Path) -> None:
    sample = data.load("sample")
    found = examine(pretrained, Start("mine", UNIT_INTERVAL), sample, (32,), tmp_path / "mine", "the command")
    assert features.read_all(tmp_path) == {tmp_path / "mine" / FILE: found}
    assert found.preprocessing == UNIT_INTERVAL, "as the weights expect"
    assert [query.label for query in found.shown] == list(range(10))
    assert all(sample.test.labels[query.index] == query.label for query in found.shown)
    with Image.open(tmp_path / "mine" / NEIGHBOURS) as picture:
        assert picture.size == (5 * 102 - 6, 10 * 102 - 6)
        sheet = np.asarray(picture)
    second = sample.test.pixels[found.shown[1].nearest[0].index]
    assert np.array_equal(sheet[102:198:3, 102:198:3, :3], second)
    with Image.open(tmp_path / "mine" / FILTERS) as picture:
        assert picture.size == (16 * 30 - 6, 4 * 30 - 6)
    others = Start("mine", UNIT_INTERVAL, sha256="b" * 64)
    fewer = dataclasses.replace(sample, test=Images(sample.test.pixels[1:], sample.test.labels[1:]))
    for start, images, what in ((others, sample, "weights"), (Start("mine", UNIT_INTERVAL), fewer, "images")):
        with pytest.raises(ReportError, match=rf"found with other {what}, .* would be replaced; nothing was computed"):
            examine(pretrained, start, images, (32,), tmp_path / "mine", "the command")
    assert features.read_all(tmp_path) == {tmp_path / "mine" / FILE: found}


@pytest.mark.cifar10
def test_weights_that_tell_classes_apart_find_more_neighbours_of_the_same_class_than_the_controls(
    pretrained: Pretrained, tmp_path: Path
) -> None:
    """Two classes that differ in a little red, among much green that tells nothing; the weights see red alone."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 100, (60, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(60) % 2
    pixels[labels == 1, :, :, 0] += 10
    pixels[..., 1] += random.integers(0, 150, (60, 1, 1)).astype(np.uint8)
    images = Images(pixels, labels)
    layers = dict(pretrained.layers)
    for name, (kernel, bias) in pretrained.layers.items():
        # The first channel of every layer is the mean of the first one before; all others are silent.
        alone = np.zeros_like(kernel)
        alone[:, :, 0, 0] = 1 / 9
        layers[name] = (alone, np.zeros_like(bias))
    dataset = Dataset("two", "parquet", ("less", "more"), images, images)
    found = examine(Pretrained("ear", layers), Start("ear", UNIT_INTERVAL), dataset, (32, 64), tmp_path, "the command")
    shares = {(share.compared_by, share.image_size): share.same_class for share in found.shares}
    assert shares["weights", 32] > 0.95 and shares["weights", 64] > 0.95, "a flat image is the same at any size"
    assert shares["pixels", 32] < 0.8
    assert shares["weights", 32] > shares["untrained", 32]


def test_too_few_images_are_refused(pretrained: Pretrained, tmp_path: Path) -> None:
    few = Images(np.zeros((NEAREST, 32, 32, 3), np.uint8), np.zeros(NEAREST, np.int64))
    with pytest.raises(ReportError, match=r"more than 4 test images .* found 4"):
        examine(pretrained, Start("mine", None), Dataset("few", "parquet", ("a",), few, few), (32,), tmp_path, "")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_beside_nothing_recorded_and_says_what_it_found(
    pretrained: Pretrained, tmp_path: Path
) -> None:
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    network.save_weights(tmp_path / "mine.weights.h5")
    command = [sys.executable, "-m", "experiments", "features", "--data", "sample", "--records", str(tmp_path)]
    done = subprocess.run(
        [*command, "--vgg16-weights", str(tmp_path / "mine.weights.h5")],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = features.read(tmp_path / "mine" / FILE)
    assert all(f"{share.same_class:.2%}" in done.stdout for share in found.shares)
    assert found.command == "python -m experiments features --vgg16-weights mine.weights.h5 --data sample"


@pytest.mark.cifar10
def test_every_size_is_compared_in_every_way_and_images_too_small_are_refused_before_anything_is_computed(
    pretrained: Pretrained, tmp_path: Path
) -> None:
    test = data.load("sample").test
    few = Images(test.pixels[:12], test.labels[:12])
    dataset = Dataset("few", "parquet", tuple(f"class {k}" for k in range(10)), few, few)
    found = examine(pretrained, Start("mine", BGR_MEAN), dataset, (64, 32), tmp_path, "the command")
    assert [(share.compared_by, share.preprocessing, share.image_size) for share in found.shares] == [
        ("weights", BGR_MEAN, 64),
        ("weights", UNIT_INTERVAL, 64),
        ("untrained", BGR_MEAN, 64),
        ("weights", BGR_MEAN, 32),
        ("weights", UNIT_INTERVAL, 32),
        ("untrained", BGR_MEAN, 32),
        ("pixels", None, 32),
    ]
    assert found.image_size == 64, "the first is shown"
    with pytest.raises(ReportError, match="needs 32x32 pixels"):
        examine(pretrained, Start("mine", BGR_MEAN), dataset, (32, 31), tmp_path / "none", "the command")
    assert not (tmp_path / "none").exists()


@pytest.mark.cifar10
def test_all_images_are_described_by_the_mean_over_positions_however_many_are_taken_at_a_time(
    pretrained: Pretrained, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = data.load("sample").test.pixels[:5]
    monkeypatch.setattr(made, "BATCH", 2)
    found = described(pretrained, pixels, UNIT_INTERVAL, 64)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3))
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(pretrained.layers[layer.name])
    large = resize(pixels, 64).astype(np.float32) / 255
    expected = keras.ops.convert_to_numpy(network(large, training=False)).mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("expects", "prepared"), [(None, BGR_MEAN), (BGR_MEAN, BGR_MEAN), (UNIT_INTERVAL,) * 2])
def test_every_share_is_of_the_weights_the_preparation_and_the_size_that_it_names(
    expects: Any, prepared: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features are made up here, others for each way to describe the images."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (60, 32, 32, 3)).astype(np.uint8)
    images = Images(pixels, np.arange(60, dtype=np.int64) % 3)

    def of(name: str, scaling: str, side: int) -> np.ndarray:
        return np.random.default_rng([*name.encode(), *scaling.encode(), side]).random((60, 3), np.float32)

    def described(weights: Pretrained, seen: np.ndarray, scaling: str, side: int, _: object = None) -> np.ndarray:
        assert np.array_equal(seen, pixels)
        return of(weights.name, scaling, side)

    monkeypatch.setattr(made, "described", described)
    monkeypatch.setattr(made, "_network", lambda side: side)
    monkeypatch.setattr(vgg16, "drawn", lambda _, seed: Pretrained(f"drawn {seed}", {}))
    mine = Pretrained("mine", {"block1_conv1": (np.ones((3, 3, 3, 2), np.float32), np.zeros(2, np.float32))})
    dataset = Dataset("set", "parquet", ("a", "b", "c"), images, images)
    found = examine(mine, Start("mine", expects), dataset, (48, 32, 48), tmp_path, "the command")
    assert (found.preprocessing, found.image_size, found.dimensions) == (prepared, 48, 3)

    def share(features: np.ndarray) -> float:
        return same_class(images.labels, neighbours(features)[0])

    places, similarities = neighbours(of("mine", prepared, 48))
    for query in found.shown:
        assert [one.index for one in query.nearest] == places[query.index].tolist()
        alike = similarities[query.index].tolist()
        assert [one.similarity for one in query.nearest] == pytest.approx(alike, abs=1e-6)
    called = {"weights": "mine", "untrained": "drawn 0"}
    for one in found.shares:
        bare = pixels.reshape(60, -1).astype(np.float32)
        named = (called.get(one.compared_by, ""), str(one.preprocessing), one.image_size)
        assert one.same_class == share(bare if one.compared_by == "pixels" else of(*named)), named
    assert found.shares[-1].image_size == SIDE
    assert len({(one.compared_by, one.preprocessing, one.image_size) for one in found.shares}) == len(found.shares)


def test_pictures_that_the_disk_does_not_take_have_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record without its pictures would be shown with holes."""
    images = Images(np.zeros((6, 32, 32, 3), np.uint8), np.arange(6, dtype=np.int64) % 2)
    mine = Pretrained("mine", {"block1_conv1": (np.ones((3, 3, 3, 2), np.float32), np.zeros(2, np.float32))})

    def full(_: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(made, "described", lambda *_: np.eye(6, dtype=np.float32))
    monkeypatch.setattr(made, "_others", lambda *_: ())
    monkeypatch.setattr(made, "replacing", full)
    with pytest.raises(OSError, match="no space left"):
        dataset = Dataset("set", "parquet", ("a", "b"), images, images)
        examine(mine, Start("mine", None), dataset, (32,), tmp_path / "mine", "the command")
    assert not (tmp_path / "mine" / FILE).exists()
