"""A sample of one's own images is taken of every class and read as the embedded one is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from experiments import data
from experiments.data import Images
from experiments.excerpt import excerpt
from reportgen.errors import ReportError


@pytest.mark.cifar10
def test_the_excerpt_of_images_that_are_few_enough_is_the_same_images(tmp_path: Path) -> None:
    whole = data.load("sample")
    assert excerpt(whole, tmp_path) == (400, 100)
    assert data.load(str(tmp_path)).sha256 == whole.sha256


@pytest.mark.parametrize("refused", [1, 2])
def test_a_disk_that_is_full_leaves_the_sample_that_stands_there(
    refused: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = data.load("sample")
    excerpt(whole, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    calls = 0

    def full(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == refused:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    other = data.Dataset(whole.name, whole.origin, whole.classes, whole.test, whole.train)
    with pytest.raises(ReportError, match=r"the images cannot be written \(No space left on device\)"):
        excerpt(other, tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(("classes", "train", "test"), [(12, 396, 96), (100, 400, 100), (300, 300, 300)])
@pytest.mark.cifar10
def test_every_class_of_many_has_the_same_number_of_images(
    classes: int, train: int, test: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "CLASSES", tuple(map(str, range(classes))))
    labels = np.arange(1000, dtype=np.int64) % classes
    images = Images(np.zeros((1000, 32, 32, 3), np.uint8), labels)
    whole = data.Dataset("fruits", "parquet", data.CLASSES, images, images)
    assert excerpt(whole, tmp_path) == (train, test)
    found = data.load(str(tmp_path))
    for part, count in ((found.train, train), (found.test, test)):
        assert np.bincount(part.labels).tolist() == [count // classes] * classes


@pytest.mark.cifar10
def test_the_images_of_an_excerpt_are_the_first_of_every_class_in_turn_with_their_own_labels(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.int64), 60))
    pixels = np.zeros((600, 32, 32, 3), np.uint8)
    pixels[:, 0, 0, 0], pixels[:, 0, 0, 1] = np.divmod(np.arange(600), 256)  # which image it is
    whole = data.Dataset("many", "parquet", data.CLASSES, Images(pixels, labels), Images(pixels[::-1], labels[::-1]))
    excerpt(whole, tmp_path)
    found = data.load(str(tmp_path))
    for part, of, each in ((found.train, whole.train, 40), (found.test, whole.test, 10)):
        first = np.stack([np.flatnonzero(of.labels == label)[:each] for label in range(10)], axis=1).ravel()
        assert np.array_equal(part.labels, of.labels[first])
        assert np.array_equal(part.pixels, of.pixels[first])
