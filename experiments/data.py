"""The images: CIFAR-10 from Keras, from Parquet files, or the embedded sample; and how they are split.

Nothing here scales or resizes: pixels stay unsigned bytes until a batch is drawn.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reportgen.errors import ReportError, first_line

if TYPE_CHECKING:
    import pyarrow as pa

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""What CIFAR-10's labels stand for, in their order."""
CIFAR10_SIDE = 32
"""Height and width of its images, in pixels."""
CIFAR10_COUNTS = {
    "cifar10": ((5_000,) * 10, (1_000,) * 10),
    "cifar10-51k": ((4_500,) * 10, (605, 593, 600, 604, 592, 587, 614, 602, 610, 610)),
}
"""Images of each class to train and to test, as published and as divided anew where most test images are missing."""
CLASSES = CIFAR10
"""What the labels of this report's images stand for, in their order."""
SIDE = CIFAR10_SIDE
"""Height and width of this report's images, in pixels."""
WANTED = "CLASSES and SIDE in experiments/data.py say what is expected."
"""Where a report of other images says so."""
SAMPLE = Path(__file__).parent / "sample"
TRAIN_SIZE = 40_000
"""Images that train, as in the study, where there are at least `FULL_SIZE` training images."""
FULL_SIZE = 45_000
SAMPLE_FRACTION = 0.8
"""The part that trains of a smaller set."""


@dataclass(frozen=True)
class Images:
    """Images and their labels."""

    pixels: npt.NDArray[np.uint8]
    """(images, height, width, 3), RGB."""
    labels: npt.NDArray[np.int64]
    """(images,), from 0."""


@dataclass(frozen=True)
class Dataset:
    """A set of images as it is published: some to train on, some to test on."""

    name: str
    origin: str
    """`keras`, `parquet` or `sample`."""
    classes: tuple[str, ...]
    train: Images
    test: Images

    @cached_property
    def sha256(self) -> str:
        """Over the pixels and labels of the training images, then of the test images."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            digest.update(np.ascontiguousarray(part.pixels).data)
            digest.update(part.labels.astype("<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Split:
    """What trains, what chooses when to stop, and what neither has seen."""

    train: Images
    validation: Images
    test: Images
    sha256: str
    """Over the positions of the training and of the validation images, as little-endian 64-bit integers."""


def load(source: str) -> Dataset:
    """The images that `source` stands for: `keras`, `sample`, or a folder of Parquet files.

    A folder is laid out as the Hugging Face hub publishes CIFAR-10: `train-*.parquet` and `test-*.parquet` with the
    columns `img` ({bytes, path}; PNG, WebP or JPEG) and `label`; other columns may follow.

    Raises:
        ReportError: the data cannot be had; the message says which file, column or image is at fault.
    """
    if source == "keras":
        return _from_keras()
    folder = SAMPLE if source == "sample" else Path(source)
    origin = "sample" if source == "sample" else "parquet"
    files = _files(folder)
    train, test = (_read(files[part]) for part in ("train", "test"))
    for part, images in (("train", train), ("test", test)):
        present = len(np.unique(images.labels))
        if present != len(CLASSES):
            raise ReportError(f"{folder}: the {part} files hold {present} classes, expected {len(CLASSES)}. {WANTED}")
    return Dataset(name=name_of(source), origin=origin, classes=CLASSES, train=train, test=test)


def name_of(source: str) -> str:
    """The name under which a record lists the images of `source`, told without decoding any.

    A folder's images are CIFAR-10 where this report is of its classes, and there are as many of each as there are of
    CIFAR-10; others go by the name of their folder.

    Raises:
        ReportError: the folder or one of its files is missing or is not Parquet.
    """
    if source in ("keras", "sample"):
        return "cifar10" if source == "keras" else "sample"
    files = _files(Path(source))
    sizes = tuple(_rows(files[part]) for part in ("train", "test"))
    for name, counts in CIFAR10_COUNTS.items():
        if (CLASSES, SIDE) == (CIFAR10, CIFAR10_SIDE) and sizes == tuple(map(sum, counts)):
            found = tuple(_counts(files[part]) for part in ("train", "test"))
            if found == tuple(dict(enumerate(each)) for each in counts):
                return name
    named = Path(source).resolve().name
    # A folder's name must not make a set what it is not.
    return f"{named}-{sizes[0]}" if named in ("sample", *CIFAR10_COUNTS) else named


def split(dataset: Dataset, seed: int) -> Split:
    """Divide the training images into those that train and those that validate, each class in proportion.

    The test images stay apart. The same data and seed give the same split.
    """
    labels = dataset.train.labels
    size = len(labels)
    wanted = TRAIN_SIZE if size >= FULL_SIZE else round(SAMPLE_FRACTION * size)
    random = np.random.default_rng(seed)
    shares = _shares(np.bincount(labels, minlength=len(dataset.classes)), wanted)
    train, validation = [], []
    for label, share in enumerate(shares):
        mixed = random.permutation(np.flatnonzero(labels == label))
        train.append(mixed[:share])
        validation.append(mixed[share:])
    chosen = [np.sort(np.concatenate(part)) for part in (train, validation)]
    digest = hashlib.sha256(b"".join(part.astype("<i8").tobytes() for part in chosen))
    parts = [Images(dataset.train.pixels[part], labels[part]) for part in chosen]
    return Split(train=parts[0], validation=parts[1], test=dataset.test, sha256=digest.hexdigest())


def _shares(counts: npt.NDArray[np.int64], wanted: int) -> npt.NDArray[np.int64]:
    """How many of each class train, in proportion to `counts` and `wanted` in all: the largest remainders round up."""
    exact = counts * wanted / counts.sum()
    shares: npt.NDArray[np.int64] = np.floor(exact).astype(np.int64)
    largest = np.argsort(shares - exact, kind="stable")[: wanted - shares.sum()]
    shares[largest] += 1
    return shares


def _from_keras() -> Dataset:
    from keras.datasets import cifar10

    try:
        parts = cifar10.load_data()
    except Exception as problem:  # Keras raises a bare Exception when a download fails
        raise ReportError(
            f"CIFAR-10 could not be downloaded ({first_line(problem)}). Connect to the network, or name a folder of "
            "Parquet files with --data DIR or CIFAR10_DIR, or try the embedded images with --data sample."
        ) from problem
    train, test = (Images(pixels, labels.ravel().astype(np.int64)) for pixels, labels in parts)
    return Dataset(name="cifar10", origin="keras", classes=CIFAR10, train=train, test=test)


def _files(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise ReportError(
            f"{folder}: there is no such folder, expected one with train-*.parquet and test-*.parquet. "
            "--data and CIFAR10_DIR take keras, sample, or such a folder."
        )
    found = {part: shards(folder, part) for part in ("train", "test")}
    for part, files in found.items():
        if not files:
            raise ReportError(f"{folder}: expected at least one file {part}-*.parquet, found none.")
    return found


def shards(folder: Path, part: str) -> list[Path]:
    """The files `part`-*.parquet in `folder`, in their order; none where there are none.

    Raises:
        ReportError: there are not as many as their names say.
    """
    files = sorted(folder.glob(f"{part}-*.parquet"))
    # A file that says `-of-00003` names how many there are, so that a lost one is noticed.
    endings = {file.stem.rpartition("-of-")[2] for file in files if "-of-" in file.stem}
    promised = max((int(ending) for ending in endings if ending.isdecimal()), default=len(files))
    if len(files) != promised:
        names = ", ".join(file.name for file in files)
        raise ReportError(f"{folder}: expected {promised} files {part}-*.parquet, found {names}.")
    return files


def _rows(files: list[Path]) -> int:
    import pyarrow.parquet as pq

    rows = 0
    for file in files:
        with parquet(file):
            rows += pq.ParquetFile(file).metadata.num_rows
    return rows


def _counts(files: list[Path]) -> dict[object, int]:
    """Images of each label; none of a file without a column of whole numbers for them, which `load` refuses."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    counts: Counter[object] = Counter()
    for file in files:
        with parquet(file):
            table = pq.ParquetFile(file)
            if "label" in table.schema_arrow.names and pa.types.is_integer(table.schema_arrow.field("label").type):
                counts.update(table.read(columns=["label"])["label"].to_pylist())
    return dict(counts)


def _read(files: list[Path]) -> Images:
    total = _rows(files)
    pixels = np.empty((total, SIDE, SIDE, 3), dtype=np.uint8)
    labels = np.empty(total, dtype=np.int64)
    start = 0
    with ThreadPoolExecutor() as pool:
        for file in files:
            row = 0
            for batch in _batches(file):
                end = start + batch.num_rows
                labels[start:end] = _labels(batch, file, row)
                encoded = batch.column("img").field("bytes")
                step = -(-batch.num_rows // 8)
                jobs = [
                    pool.submit(
                        _decode,
                        encoded.slice(at, step),
                        pixels[start + at : min(start + at + step, end)],
                        file,
                        row + at,
                    )
                    for at in range(0, batch.num_rows, step)
                ]
                for job in jobs:
                    job.result()
                start, row = end, row + batch.num_rows
    return Images(pixels, labels)


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    schema = table.schema_arrow
    for name, good, expected in (
        (
            "img",
            lambda kind: pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0,
            "a struct with a field bytes",
        ),
        ("label", pa.types.is_integer, "an integer"),
    ):
        if name not in schema.names:
            raise ReportError(
                f"{file}: there is no column {name!r}, expected {expected}; found {', '.join(schema.names)}."
            )
        if not good(schema.field(name).type):
            raise ReportError(f"{file}: column {name!r} is {schema.field(name).type}, expected {expected}.")
    batches = table.iter_batches(batch_size=4096, columns=["img", "label"])
    while True:
        with parquet(file):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


@contextmanager
def parquet(file: Path) -> Iterator[None]:
    """Turn what pyarrow says of a file that is cut short, damaged or of another format into a sentence."""
    try:
        yield
    except (OSError, ValueError) as problem:
        raise ReportError(
            f"{file}: expected a Parquet file, found one that is damaged or of another format "
            f"({first_line(problem)}). Fetch it again."
        ) from problem


def whole_numbers(column: pa.Array, file: Path, row: int) -> npt.NDArray[np.int64]:
    """The labels in `column`, (images,), of which the first stands in that row of `file`.

    Raises:
        ReportError: an image has none.
    """
    if column.null_count:
        first = row + int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise ReportError(f"{file}, row {first}: the image has no label, expected a whole number from 0.")
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)


def _labels(batch: pa.RecordBatch, file: Path, row: int) -> npt.NDArray[np.int64]:
    labels = whole_numbers(batch.column("label"), file, row)
    wrong = np.flatnonzero(~((labels >= 0) & (labels < len(CLASSES))))
    if len(wrong):
        raise ReportError(
            f"{file}, row {row + wrong[0]}: label {labels[wrong[0]]} is not one of the {len(CLASSES)} classes "
            f"(0 to {len(CLASSES) - 1}). {WANTED}"
        )
    return labels


def _decode(encoded: pa.Array, into: npt.NDArray[np.uint8], file: Path, row: int) -> None:
    import cv2

    for position, item in enumerate(encoded):
        content = item.as_buffer() if item.is_valid else b""
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if len(content) else None
        if image is None:
            raise ReportError(f"{file}, row {row + position}: the image cannot be decoded, expected PNG, WebP or JPEG.")
        if image.shape != into.shape[1:]:
            raise ReportError(
                f"{file}, row {row + position}: the image has {image.shape[1]}x{image.shape[0]} pixels, "
                f"expected {SIDE}x{SIDE}. {WANTED}"
            )
        into[position] = image[..., ::-1]  # OpenCV reads blue first
