"""Labelled sets of any classes and sizes: read as they are, brought to one size, refused with the place at fault."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments import data, labelled
from reportgen.errors import ReportError
from tests.experiments.labelled_files import few, grey, jpeg, png, wide, write


def images(count: int) -> list[np.ndarray]:
    return list(data.load("sample").train.pixels[:count])


@pytest.mark.cifar10
def test_images_of_the_wanted_size_are_read_as_they_are(tmp_path: Path) -> None:
    found = labelled.load(few(tmp_path / "Some set"), 32)
    sample = data.load("sample").train
    known = np.flatnonzero(sample.labels < 4)[:48]
    np.testing.assert_array_equal(found.train.pixels, sample.pixels[known])
    np.testing.assert_array_equal(found.train.labels, sample.labels[known])
    assert (found.name, found.classes, found.resized, found.grey) == ("some-set", 4, 0, 0)
    assert found.summary == "some-set: 48 images to train on and 16 for validation, 4 classes."


@pytest.mark.cifar10
def test_images_of_many_sizes_are_cut_square_resized_and_counted(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    pixels = images(3)
    write(folder / "train-00001.parquet", [wide(pixels[0]), png(pixels[1]), wide(pixels[2])], [0, 1, 2])
    found = labelled.load(folder, 32)
    assert found.resized == 2 and "2 resized to 32x32 pixels" in found.summary
    middle = cv2.resize(pixels[0], (96, 64))[:, 16:80]
    expected = cv2.resize(middle, (32, 32), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(found.train.pixels[48], expected)


@pytest.mark.cifar10
def test_images_of_several_files_are_read_in_their_order_and_held_once(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    pixels = images(3)
    write(folder / "train-00001.parquet", [png(image) for image in pixels], [0, 1, 2])
    tracemalloc.start()
    try:
        found = labelled.load(folder, 256)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [*found.train.labels[48:]] == [0, 1, 2]
    np.testing.assert_array_equal(found.train.pixels[50], cv2.resize(pixels[2], (256, 256)))
    assert most < 1.3 * (found.train.pixels.nbytes + found.validation.pixels.nbytes)


@pytest.mark.cifar10
def test_grey_images_become_rgb_and_are_counted(tmp_path: Path) -> None:
    found = labelled.load(few(tmp_path / "set", encode=grey), 32)
    assert found.grey == 64 and "64 without colour" in found.summary
    assert np.ptp(found.train.pixels, axis=-1).max() == 0


@pytest.mark.cifar10
def test_the_hash_changes_with_a_pixel_or_a_label(tmp_path: Path) -> None:
    whole = labelled.load(few(tmp_path / "a"), 32)
    assert whole.sha256 == labelled.load(few(tmp_path / "b"), 32).sha256
    assert whole.sha256 != labelled.load(few(tmp_path / "c", encode=jpeg), 32).sha256


@pytest.mark.parametrize(("encode", "kept"), [(png, 300), (jpeg, 300), (jpeg, 0)])
def test_an_image_that_was_cut_short_is_refused_with_its_row(tmp_path: Path, encode: object, kept: int) -> None:
    """OpenCV itself would fill the rest of it with grey."""
    folder = few(tmp_path / "set")
    pixels = images(2)
    whole = encode(pixels[1])  # type: ignore[operator]
    assert len(whole) > kept
    write(folder / "train-00001.parquet", [png(pixels[0]), whole[:kept]], [0, 1])
    with pytest.raises(ReportError, match=r"train-00001\.parquet, row 1: the image is cut short"):
        labelled.load(folder, 32)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    file = folder / "train-00000.parquet"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ReportError, match="damaged or of another format"):
        labelled.load(folder, 32)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, None], r"row 1: the image has no label"),
        ([0, -1], r"row 1: label -1 stands for an image without a label"),
        (["cat", "dog"], r"column 'label' is string, expected whole numbers"),
    ],
)
def test_images_without_labels_are_refused(tmp_path: Path, labels: list[object], message: str) -> None:
    folder = few(tmp_path / "set")
    write(folder / "train-00001.parquet", [png(image) for image in images(2)], labels)
    with pytest.raises(ReportError, match=message):
        labelled.load(folder, 32)


def test_a_set_without_a_column_of_labels_is_refused_with_what_it_has(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    table = pq.read_table(folder / "train-00000.parquet").drop_columns(["label"])
    pq.write_table(table, folder / "train-00000.parquet")
    with pytest.raises(ReportError, match=r"no column 'label'; expected image \(or img\) and label, found image"):
        labelled.load(folder, 32)


def test_a_column_of_images_without_bytes_is_refused(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    pq.write_table(pa.table({"img": ["a.png", "b.png"], "label": [0, 1]}), folder / "train-00001.parquet")
    with pytest.raises(ReportError, match="column 'img' is string, expected a struct with the field bytes"):
        labelled.load(folder, 32)


def test_one_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="have 1 class, expected at least two"):
        labelled.load(few(tmp_path / "set", classes=1, train=10, valid=5), 32)


@pytest.mark.cifar10
def test_a_label_that_only_validation_has_is_refused(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    write(folder / "valid-00001.parquet", [png(image) for image in images(1)], [9])
    with pytest.raises(ReportError, match="have the label 9, which no training image has"):
        labelled.load(folder, 32)


def test_more_classes_than_images_are_refused(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    write(folder / "train-00001.parquet", [png(image) for image in images(2)], [1, 10_000_000])
    with pytest.raises(ReportError, match=r"the label 10000000 would make 10,000,001 classes of 50 training images"):
        labelled.load(folder, 32)


@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_lost_file_is_noticed_where_the_others_tell_of_it(tmp_path: Path, part: str) -> None:
    folder = few(tmp_path / "set")
    (found,) = folder.glob(f"{part}-*.parquet")
    found.rename(folder / f"{part}-00000-of-00002.parquet")
    with pytest.raises(ReportError, match=rf"expected 2 files {part}-\*\.parquet, found {part}-00000-of-00002"):
        labelled.load(folder, 32)


def test_a_missing_folder_and_a_missing_part_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="there is no such folder"):
        labelled.load(tmp_path / "none", 32)
    folder = few(tmp_path / "set")
    (folder / "valid-00000.parquet").unlink()
    with pytest.raises(ReportError, match=r"expected files valid-\*\.parquet, validation-\*\.parquet"):
        labelled.load(folder, 32)


@pytest.mark.slow
def test_the_shared_set_is_read_whole() -> None:
    folder = os.environ.get("TINY_IMAGENET_DIR")
    if not folder:
        pytest.skip("TINY_IMAGENET_DIR names no folder of Tiny ImageNet, so that there is nothing to read")
    found = labelled.load(Path(folder), 64)
    assert (len(found.train.labels), len(found.validation.labels), found.classes) == (75_000, 5_000, 200)
    assert found.resized == 0 and 0.01 < found.grey / 80_000 < 0.05


@pytest.mark.cifar10
def test_the_middle_of_a_tall_image_is_kept_as_that_of_a_wide_one_is_whichever_side_fits(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    write(folder / "train-00001.parquet", [png(noise[:, :32]), png(noise[:32])], [0, 1])
    found = labelled.load(folder, 32)
    assert found.resized == 2
    np.testing.assert_array_equal(found.train.pixels[48:], [noise[16:48, :32], noise[:32, 16:48]])


@pytest.mark.cifar10
def test_images_for_validation_are_counted_and_hashed_as_well(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    before = labelled.load(folder, 32)
    write(folder / "valid-00001.parquet", [wide(images(1)[0])], [0])
    found = labelled.load(folder, 32)
    assert (before.resized, found.resized) == (0, 1) and found.sha256 != before.sha256


@pytest.mark.parametrize(
    ("label", "message"), [(None, "the image has no label"), (-1, "label -1 stands for an image without a label")]
)
def test_an_image_without_a_label_is_told_with_its_row_beyond_the_first_that_are_read_at_once(
    tmp_path: Path, label: int | None, message: str
) -> None:
    folder = few(tmp_path / "set")
    write(folder / "train-00001.parquet", [png(images(1)[0])] * 4_200, [*[0] * 4_150, label, *[0] * 49])
    with pytest.raises(ReportError, match=rf"train-00001\.parquet, row 4150: {message}"):
        labelled.load(folder, 32)


def test_a_class_may_be_empty_and_its_number_is_kept_but_no_label_reaches_the_number_of_images(tmp_path: Path) -> None:
    folder = few(tmp_path / "set")
    write(folder / "train-00001.parquet", [png(image) for image in images(2)], [1, 49])
    assert labelled.load(folder, 32).classes == 50
    write(folder / "train-00001.parquet", [png(image) for image in images(2)], [1, 50])
    with pytest.raises(ReportError, match="the label 50 would make 51 classes of 50 training images"):
        labelled.load(folder, 32)
