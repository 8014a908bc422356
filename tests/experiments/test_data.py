"""The images: where they come from, that they are the right ones, how they are split, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from experiments import data
from experiments.data import CIFAR10_COUNTS, CLASSES, SAMPLE, SIDE, Dataset, Images, load, name_of, split
from reportgen.errors import ReportError

ROOT = Path(__file__).resolve().parents[2]
CIFAR10 = os.environ.get("CIFAR10_DIR")
needs_cifar10 = pytest.mark.skipif(
    not CIFAR10, reason="CIFAR10_DIR is not set: it names the folder with the Parquet files of CIFAR-10"
)


def noise(seed: int, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """An RGB image in which no two channels agree, (side, side, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def encoded(pixels: npt.NDArray[np.uint8], extension: str = ".png") -> bytes:
    """`pixels`, RGB, as the content of an image file; WebP is lossless at a quality over 100."""
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if extension == ".webp" else []
    done, content = cv2.imencode(extension, pixels[..., ::-1], options)
    assert done
    return bytes(content)


def write(file: Path, contents: Sequence[bytes | None], labels: Sequence[int | None], **others: Any) -> Path:
    """A Parquet file in the layout of the Hugging Face hub, with `others` as further columns."""
    images = [{"bytes": content, "path": None} for content in contents]
    column = pa.array(images, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    pq.write_table(pa.table({"img": column, "label": pa.array(labels, pa.int64()), **others}), file)
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images of each class to train on and one to test on; a test then spoils one of the files."""
    contents = [encoded(noise(seed)) for seed in range(20)]
    write(tmp_path / "train-00000-of-00001.parquet", contents, [seed % 10 for seed in range(20)])
    write(tmp_path / "test-00000-of-00001.parquet", contents[:10], range(10))
    return tmp_path


def of_labels(labels: Sequence[int]) -> Dataset:
    """A data set with these training labels; each image's pixels are its position, so that it can be told again."""
    positions = np.arange(len(labels), dtype=np.uint32)
    pixels = np.zeros((len(labels), 1, 1, 3), dtype=np.uint8)
    for channel in range(3):
        pixels[:, 0, 0, channel] = (positions >> (8 * channel)) & 255
    images = Images(pixels, np.asarray(labels, dtype=np.int64))
    return Dataset("made up", "parquet", CLASSES, images, Images(pixels[:10], images.labels[:10]))


def positions(images: Images) -> npt.NDArray[np.int64]:
    """Where in the training images of `of_labels` these stood."""
    low, middle, high = images.pixels[:, 0, 0].astype(np.int64).T
    found: npt.NDArray[np.int64] = low + 256 * middle + 65_536 * high
    return found


# The embedded sample


@pytest.mark.cifar10
def test_the_sample_holds_500_images_balanced_over_the_classes() -> None:
    sample = load("sample")
    assert (sample.name, sample.origin, sample.classes) == ("sample", "sample", CLASSES)
    assert sample.train.pixels.shape == (400, 32, 32, 3)
    assert sample.test.pixels.shape == (100, 32, 32, 3)
    assert sample.train.pixels.dtype == np.uint8
    assert sample.train.labels.dtype == np.int64
    assert np.bincount(sample.train.labels).tolist() == [40] * 10
    assert np.bincount(sample.test.labels).tolist() == [10] * 10


@pytest.mark.cifar10
def test_the_sample_is_of_different_real_images() -> None:
    sample = load("sample")
    everything = [*sample.train.pixels, *sample.test.pixels]
    assert len({image.tobytes() for image in everything}) == 500
    # In a photograph neighbours resemble each other; in noise they differ by 85 on average.
    across = [np.abs(np.diff(image.astype(int), axis=1)).mean() for image in everything]
    assert np.median(across) < 25


@pytest.mark.cifar10
def test_the_sample_is_embedded_with_a_text_that_says_where_it_is_from() -> None:
    assert "Krizhevsky" in (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert sum(file.stat().st_size for file in SAMPLE.iterdir()) < 2**20


def test_the_hash_is_over_pixels_and_labels_of_training_then_test_images() -> None:
    sample = load("sample")
    expected = hashlib.sha256()
    for part in (sample.train, sample.test):
        expected.update(part.pixels.tobytes())
        expected.update(part.labels.astype("<i8").tobytes())
    assert sample.sha256 == expected.hexdigest() == load("sample").sha256
    other = Dataset("sample", "sample", CLASSES, Images(255 - sample.train.pixels, sample.train.labels), sample.test)
    assert other.sha256 != sample.sha256


# Reading Parquet


@pytest.mark.cifar10
def test_the_pixels_are_those_that_another_decoder_reads_red_first() -> None:
    """OpenCV reads blue first; Pillow does not."""
    rows = pq.read_table(SAMPLE / "train-00000-of-00001.parquet").to_pylist()
    sample = load("sample")
    for position in (0, 1, 57, 399):
        expected = np.asarray(Image.open(io.BytesIO(rows[position]["img"]["bytes"])).convert("RGB"))
        assert np.array_equal(sample.train.pixels[position], expected)
        assert sample.train.labels[position] == rows[position]["label"]


@pytest.mark.cifar10
def test_files_are_read_in_the_order_of_their_names_and_rows(folder: Path) -> None:
    (folder / "train-00000-of-00001.parquet").unlink()
    for number in (1, 0):  # written in the wrong order on purpose
        seeds = range(100 + 10 * number, 110 + 10 * number)
        write(folder / f"train-0000{number}-of-00002.parquet", [encoded(noise(seed)) for seed in seeds], range(10))
    found = load(str(folder)).train
    assert np.array_equal(found.pixels, np.stack([noise(seed) for seed in range(100, 120)]))
    assert found.labels.tolist() == [*range(10), *range(10)]


@pytest.mark.parametrize("extension", [".png", ".webp"])
@pytest.mark.cifar10
def test_lossless_images_come_back_bit_for_bit(folder: Path, extension: str) -> None:
    pixels = [noise(seed) for seed in range(10)]
    contents = [encoded(image, extension) for image in pixels]
    write(folder / "test-00000-of-00001.parquet", contents, range(10))
    assert np.array_equal(load(str(folder)).test.pixels, np.stack(pixels))


@pytest.mark.cifar10
def test_jpeg_images_are_read_as_well(folder: Path) -> None:
    flat = [np.full((32, 32, 3), (20 * seed, 100, 255 - 20 * seed), dtype=np.uint8) for seed in range(10)]
    write(folder / "test-00000-of-00001.parquet", [encoded(image, ".jpg") for image in flat], range(10))
    difference = np.abs(load(str(folder)).test.pixels.astype(int) - np.stack(flat))
    assert difference.max() <= 4


@pytest.mark.cifar10
def test_further_columns_are_passed_over(folder: Path) -> None:
    contents = [encoded(noise(seed)) for seed in range(10)]
    write(folder / "test-00000-of-00001.parquet", contents, range(10), origin=pa.array(["test"] * 10))
    assert len(load(str(folder)).test.labels) == 10


@pytest.mark.parametrize(
    ("folder", "train", "test", "name"),
    [
        ("folder", *CIFAR10_COUNTS["cifar10"], "cifar10"),
        ("folder", *CIFAR10_COUNTS["cifar10-51k"], "cifar10-51k"),
        ("folder", (4_500,) * 10, (1_000,) * 10, "folder"),
        ("folder", (500,) * 100, (100,) * 100, "folder"),
        ("folder", (5_001, 4_999, *(5_000,) * 8), (1_000,) * 10, "folder"),
        ("sample", (40,) * 10, (10,) * 10, "sample-400"),
        ("cifar10", (500,) * 100, (100,) * 100, "cifar10-50000"),
        ("cifar10-51k", (40,) * 10, (10,) * 10, "cifar10-51k-400"),
    ],
)
@pytest.mark.cifar10
def test_the_images_of_each_class_tell_the_name_without_decoding(
    tmp_path: Path, folder: str, train: tuple[int, ...], test: tuple[int, ...], name: str
) -> None:
    counted(tmp_path / folder, train, test)
    assert name_of(str(tmp_path / folder)) == name


@pytest.mark.parametrize(("setting", "value"), [("CLASSES", tuple("0123456789")), ("SIDE", 64)])
def test_images_of_a_report_of_others_are_not_called_cifar10(
    tmp_path: Path, setting: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as CIFAR-10's, and as many of each class."""
    counted(tmp_path / "digits", *CIFAR10_COUNTS["cifar10"])
    monkeypatch.setattr(data, setting, value)
    assert name_of(str(tmp_path / "digits")) == "digits"


@pytest.mark.parametrize("labels", [None, pa.array(["cat"] * 50_000), pa.array([None] * 50_000, pa.int64())])
def test_images_whose_labels_cannot_be_counted_have_the_name_of_their_folder(
    tmp_path: Path, labels: pa.Array | None
) -> None:
    """What is wrong with them, `load` says."""
    folder = counted(tmp_path / "mine", *CIFAR10_COUNTS["cifar10"])
    columns = {"other": pa.array(np.zeros(50_000))} if labels is None else {"label": labels}
    pq.write_table(pa.table(columns), folder / "train-00000-of-00001.parquet")
    assert name_of(str(folder)) == "mine"


def counted(folder: Path, train: tuple[int, ...], test: tuple[int, ...]) -> Path:
    """Files with so many labels of each class and no image in them: whoever decodes fails."""
    folder.mkdir()
    for part, counts in (("train", train), ("test", test)):
        table = pa.table({"label": pa.array(np.repeat(np.arange(len(counts)), counts))})
        pq.write_table(table, folder / f"{part}-00000-of-00001.parquet")
    return folder


@pytest.mark.parametrize(("setting", "value"), [("CLASSES", tuple("0123456789X")), ("SIDE", 28)])
def test_images_that_are_not_those_of_the_report_are_told_with_where_it_says_which(
    setting: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, setting, value)
    with pytest.raises(
        ReportError, match=r"expected \S+ CLASSES and SIDE in experiments/data\.py say what is expected"
    ):
        load("sample")


@pytest.mark.cifar10
def test_the_sources_that_are_no_folder_have_names_of_their_own(folder: Path) -> None:
    assert name_of("keras") == "cifar10"
    assert name_of("sample") == load("sample").name
    assert name_of(str(folder)) == load(str(folder)).name == folder.name


@needs_cifar10
def test_the_51017_images_load_in_twice_the_time_of_decoding_them_and_in_a_gibibyte() -> None:
    """In a process of its own, so that the peak of memory is the loading's.

    Decoding alone, one image after the other, takes 2 to 3 seconds of a usual machine, so that loading has at most 6;
    on one half as quick both take twice that. On a machine that does other things as well the wall clock counts their
    time too. Loading computes and hardly waits, so that its processor time, summed over its threads, is then the better
    measure: alone on a machine it takes no longer than that. What disturbs one of the two sides and not the other is
    not what is measured: the best of three tries counts.
    """
    program = (
        "import json, sys, time\n"
        "from pathlib import Path\n"
        "import cv2, numpy\n"
        "from pyarrow import parquet\n"
        "from experiments import data\n"
        "from experiments.memory import peak\n"
        "before, began, worked = peak(), time.perf_counter(), time.process_time()\n"
        "found = data.load(sys.argv[1])\n"
        "seconds = min(time.perf_counter() - began, time.process_time() - worked)\n"
        "gibibytes = peak() - before\n"
        "counts = [[(part.labels == k).sum().item() for k in range(10)] for part in (found.train, found.test)]\n"
        "parts = data.split(found, 0)\n"
        "sizes = [len(part.labels) for part in (parts.train, parts.validation, parts.test)]\n"
        "files = sorted(Path(sys.argv[1]).glob('*.parquet'))\n"
        "images = [row['img']['bytes'] for file in files for row in parquet.read_table(file).to_pylist()[::10]]\n"
        "worked = time.process_time()\n"
        "for image in images:\n"
        "    cv2.imdecode(numpy.frombuffer(image, numpy.uint8), cv2.IMREAD_COLOR)\n"
        "decoding = (time.process_time() - worked) * sum(sizes) / len(images)\n"
        "print(json.dumps([found.name, counts, sizes, gibibytes, seconds / decoding]))\n"
    )
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", program, str(CIFAR10)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        name, (train, test), sizes, gibibytes, times = json.loads(done.stdout)
        if name != "cifar10-51k":
            pytest.skip(f"CIFAR10_DIR holds {name}; the figures are for cifar10-51k")
        if times <= 2:
            break
    assert (sum(train), sum(test)) == (45_000, 6_017)
    assert train == [4_500] * 10
    assert sizes == [40_000, 5_000, 6_017]
    assert 0.1 < gibibytes <= 1
    assert times <= 2


# The split


@given(
    labels=st.lists(st.integers(0, 9), min_size=10, max_size=300),
    seed=st.integers(0, 2**32),
)
def test_a_split_is_disjoint_complete_stratified_and_repeatable(labels: list[int], seed: int) -> None:
    dataset = of_labels(labels)
    parts = split(dataset, seed)
    train, validation = positions(parts.train), positions(parts.validation)

    assert sorted([*train, *validation]) == list(range(len(labels)))  # nothing twice, nothing lost
    assert len(train) == round(0.8 * len(labels))
    for images, where in ((parts.train, train), (parts.validation, validation)):
        assert np.array_equal(images.labels, dataset.train.labels[where])  # pixels and labels stay together
    every, trains = (np.bincount(part, minlength=10) for part in (labels, parts.train.labels))
    # No class is more than one image away from its exact share.
    assert np.all(np.abs(trains - every * len(train) / len(labels)) < 1)
    assert parts.test is dataset.test

    again = split(of_labels(labels), seed)
    assert np.array_equal(positions(again.train), train)
    assert again.sha256 == parts.sha256


@settings(max_examples=5)
@given(size=st.integers(45_000, 50_000), seed=st.integers(0, 2**32))
def test_40000_images_train_where_there_are_as_many_as_in_the_study(size: int, seed: int) -> None:
    parts = split(of_labels([position % 10 for position in range(size)]), seed)
    assert (len(parts.train.labels), len(parts.validation.labels)) == (40_000, size - 40_000)
    assert np.bincount(parts.train.labels).tolist() == [4_000] * 10


def test_another_seed_draws_another_split_and_another_hash() -> None:
    first, second = (split(load("sample"), seed) for seed in (0, 1))
    assert not np.array_equal(first.train.pixels, second.train.pixels)
    assert first.sha256 != second.sha256


def test_the_hash_of_a_split_is_over_the_positions_of_its_images() -> None:
    parts = split(of_labels([position % 10 for position in range(100)]), 7)
    expected = b"".join(positions(part).astype("<i8").tobytes() for part in (parts.train, parts.validation))
    assert parts.sha256 == hashlib.sha256(expected).hexdigest()


# What is refused


def no_such_folder(folder: Path) -> Path:
    return folder / "absent"


def without_test_file(folder: Path) -> Path:
    (folder / "test-00000-of-00001.parquet").unlink()
    return folder


def without_one_of_two_files(folder: Path) -> Path:
    (folder / "train-00000-of-00001.parquet").rename(folder / "train-00000-of-00002.parquet")
    return folder


def with_columns(**columns: pa.Array) -> Callable[[Path], Path]:
    """Ten rows of these columns in place of the training file; `img` or `label` missing where not given."""

    def spoil(folder: Path) -> Path:
        pq.write_table(pa.table(columns), folder / "train-00000-of-00001.parquet")
        return folder

    return spoil


def with_rows(spoil: Callable[[list[bytes | None], list[int | None]], None]) -> Callable[[Path], Path]:
    """The training file with its images and labels as `spoil` leaves them."""

    def write_spoiled(folder: Path) -> Path:
        contents: list[bytes | None] = [encoded(noise(seed)) for seed in range(20)]
        labels: list[int | None] = [seed % 10 for seed in range(20)]
        spoil(contents, labels)
        write(folder / "train-00000-of-00001.parquet", contents, labels)
        return folder

    return write_spoiled


def empty(contents: list[bytes | None], labels: list[int | None]) -> None:
    contents.clear()
    labels.clear()


IMAGES = pa.array([{"bytes": encoded(noise(0)), "path": None}] * 10)
LABELS = pa.array(range(10))
TRAIN = r"train-00000-of-00001\.parquet"
REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a folder that is missing": (no_such_folder, r"absent: there is no such folder, expected .*--data"),
    "a folder without a test file": (without_test_file, r"expected at least one file test-\*\.parquet, found none"),
    "a folder that lacks one of its files": (
        without_one_of_two_files,
        r"expected 2 files train-\*\.parquet, found train-00000-of-00002\.parquet",
    ),
    "a column of another name": (
        with_columns(image=IMAGES, label=LABELS),
        TRAIN + r": there is no column 'img', expected a struct with a field bytes; found image, label",
    ),
    "a missing label": (
        with_columns(img=IMAGES),
        TRAIN + r": there is no column 'label', expected an integer; found img",
    ),
    "labels that are words": (
        with_columns(img=IMAGES, label=pa.array(CLASSES)),
        TRAIN + r": column 'label' is string, expected an integer",
    ),
    "images that are paths": (
        with_columns(img=pa.array(["0.png"] * 10), label=LABELS),
        TRAIN + r": column 'img' is string, expected a struct",
    ),
    "an image that is none": (
        with_rows(lambda contents, labels: contents.__setitem__(13, b"no image")),
        TRAIN + r", row 13: the image cannot be decoded, expected PNG, WebP or JPEG",
    ),
    "an image cut short at its start": (
        with_rows(lambda contents, labels: contents.__setitem__(2, encoded(noise(2))[:12])),
        TRAIN + r", row 2: the image cannot be decoded",
    ),
    "an image that is empty": (
        with_rows(lambda contents, labels: contents.__setitem__(19, b"")),
        TRAIN + r", row 19: the image cannot be decoded",
    ),
    "an image that is null": (
        with_rows(lambda contents, labels: contents.__setitem__(0, None)),
        TRAIN + r", row 0: the image cannot be decoded",
    ),
    "an image of another size": (
        with_rows(lambda contents, labels: contents.__setitem__(5, encoded(noise(5, side=64)))),
        TRAIN + r", row 5: the image has 64x64 pixels, expected 32x32",
    ),
    "a label outside the ten classes": (
        with_rows(lambda contents, labels: labels.__setitem__(4, 10)),
        TRAIN + r", row 4: label 10 is not one of the 10 classes",
    ),
    "a negative label": (
        with_rows(lambda contents, labels: labels.__setitem__(7, -1)),
        TRAIN + r", row 7: label -1 is not one of the 10 classes",
    ),
    "a label that is null": (
        with_rows(lambda contents, labels: labels.__setitem__(6, None)),
        TRAIN + r", row 6: the image has no label, expected a whole number from 0",
    ),
    "fewer than ten classes": (
        with_rows(lambda contents, labels: labels.__setitem__(slice(None), [0, 1, 2, 3] * 5)),
        r"the train files hold 4 classes, expected 10",
    ),
    "no image at all": (
        with_rows(empty),
        r"the train files hold 0 classes, expected 10",
    ),
}


@pytest.mark.parametrize("bad", REFUSED)
@pytest.mark.cifar10
def test_bad_data_is_refused_with_a_sentence_that_names_the_place(folder: Path, bad: str) -> None:
    spoil, sentence = REFUSED[bad]
    with pytest.raises(ReportError, match=sentence):
        load(str(spoil(folder)))


@pytest.mark.parametrize("spoil", [no_such_folder, without_test_file, without_one_of_two_files])
def test_a_missing_file_is_told_before_anything_is_decoded(folder: Path, spoil: Callable[[Path], Path]) -> None:
    with pytest.raises(ReportError, match="expected"):
        name_of(str(spoil(folder)))


@pytest.mark.parametrize("ask", [name_of, load])
def test_a_file_cut_short_is_told_with_its_name(folder: Path, ask: Callable[[str], object]) -> None:
    file = folder / "train-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ReportError, match=TRAIN + ": expected a Parquet file"):
        ask(str(folder))


def test_a_file_damaged_in_its_middle_is_told_with_its_name(folder: Path) -> None:
    file = folder / "train-00000-of-00001.parquet"
    content = bytearray(file.read_bytes())
    content[4:400] = b"\xff" * 396  # the header of the first page; the footer, where the rows are counted, stays
    file.write_bytes(content)
    with pytest.raises(ReportError, match=TRAIN + ": expected a Parquet file, found one that is damaged"):
        load(str(folder))


@pytest.mark.cifar10
def test_files_may_be_named_without_how_many_there_are(folder: Path) -> None:
    (folder / "train-00000-of-00001.parquet").rename(folder / "train-first-of-all.parquet")
    assert len(load(str(folder)).train.labels) == 20


@pytest.mark.cifar10
def test_a_row_is_counted_from_the_start_of_its_file_over_batches_and_files(folder: Path) -> None:
    """Rows are read 4,096 at a time; the number in the sentence is the one that finds the row in the file."""
    (folder / "train-00000-of-00001.parquet").rename(folder / "train-00000-of-00002.parquet")
    good = encoded(np.zeros((32, 32, 3), dtype=np.uint8))
    contents: list[bytes | None] = [good] * 4_200
    contents[4_150] = b"no image"
    write(folder / "train-00001-of-00002.parquet", contents, [row % 10 for row in range(4_200)])
    with pytest.raises(ReportError, match=r"train-00001-of-00002\.parquet, row 4150: "):
        load(str(folder))


def train_on(source: str, results: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A smoke run of Project 0 on `source`, by the command line."""
    command = ("run", "p00_base", "--profile", "smoke", "--seed", "0", "--data", source, "--results", str(results))
    return subprocess.run(
        [sys.executable, "-m", "experiments", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "300", "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
    )


@pytest.mark.slow
def test_an_undecodable_image_ends_the_command_with_a_sentence_and_exit_status_1(folder: Path, tmp_path: Path) -> None:
    spoil, _ = REFUSED["an image that is none"]
    done = train_on(str(spoil(folder)), tmp_path / "results")
    assert done.returncode == 1
    assert "row 13: the image cannot be decoded" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.glob("results/**/record.json"))


@pytest.mark.slow
def test_keras_without_a_network_ends_the_command_with_a_sentence_and_exit_status_1(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"  # the discard port: nothing listens
    keras_home = str(tmp_path / "keras")
    done = train_on("keras", tmp_path / "results", KERAS_HOME=keras_home, http_proxy=nowhere, https_proxy=nowhere)
    assert done.returncode == 1
    assert "CIFAR-10 could not be downloaded" in done.stdout + done.stderr
    assert "--data DIR or CIFAR10_DIR" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_importing_the_module_loads_neither_keras_nor_opencv_nor_pyarrow() -> None:
    """What is up to date is told in a second; the heavy packages wait until images are asked for."""
    program = (
        "import sys; from experiments import data; "
        "assert not {'keras', 'tensorflow', 'cv2', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.cifar10
def test_the_classes_are_those_of_cifar10_in_its_order() -> None:
    assert data.CLASSES[0] == "airplane"
    assert data.CLASSES[9] == "truck"
    assert len(set(data.CLASSES)) == 10


@pytest.mark.cifar10
def test_a_class_without_an_image_to_test_is_refused(folder: Path) -> None:
    write(folder / "test-00000-of-00001.parquet", [encoded(noise(seed)) for seed in range(9)], range(9))
    with pytest.raises(ReportError, match=r"the test files hold 9 classes, expected 10"):
        load(str(folder))


@pytest.mark.parametrize(
    ("label", "sentence"), [(None, "the image has no label"), (10, "label 10 is not one of the 10 classes")]
)
@pytest.mark.cifar10
def test_a_wrong_label_is_told_with_its_row_beyond_the_first_that_are_read_at_once(
    folder: Path, label: int | None, sentence: str
) -> None:
    good = encoded(np.zeros((32, 32, 3), dtype=np.uint8))
    labels: list[int | None] = [row % 10 for row in range(4_200)]
    labels[4_150] = label
    write(folder / "train-00000-of-00001.parquet", [good] * 4_200, labels)
    with pytest.raises(ReportError, match=rf"row 4150: {sentence}"):
        load(str(folder))


@pytest.mark.cifar10
def test_an_image_without_colour_is_read_as_grey(folder: Path) -> None:
    contents = [encoded(noise(seed)) for seed in range(10)]
    grey = noise(3)[..., 0]
    done, content = cv2.imencode(".png", grey)
    assert done
    contents[3] = bytes(content)
    write(folder / "test-00000-of-00001.parquet", contents, range(10))
    assert np.array_equal(load(str(folder)).test.pixels[3], np.repeat(grey[..., None], 3, axis=-1))


@pytest.mark.cifar10
def test_a_folder_that_is_named_by_a_dot_has_its_own_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert name_of(".") == folder.name


def test_keras_s_own_images_are_those_that_it_loads_with_a_label_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the labels in a column, (images, 1)."""
    train, test = (np.stack([noise(seed) for seed in seeds]) for seeds in (range(4), range(4, 6)))
    given = (train, np.array([[3], [1], [0], [9]], np.uint8)), (test, np.array([[8], [2]], np.uint8))
    monkeypatch.setattr("keras.datasets.cifar10.load_data", lambda: given)
    found = load("keras")
    assert (found.name, found.origin, found.classes) == ("cifar10", "keras", data.CIFAR10)
    for part, pixels, labels in ((found.train, train, [3, 1, 0, 9]), (found.test, test, [8, 2])):
        assert np.array_equal(part.pixels, pixels)
        assert part.labels.shape == (len(labels),) and part.labels.dtype == np.int64 and part.labels.tolist() == labels
