"""A labelled set of images in Parquet, of any classes and sizes, to pretrain on.

Every image is brought to one square size as it is read: its middle is cut out, then scaled. Pixels stay unsigned bytes
until a batch is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.data import Images, parquet, shards, whole_numbers
from reportgen.errors import ReportError
from reportgen.record import slug

if TYPE_CHECKING:
    import pyarrow as pa

VALIDATION = ("valid", "validation", "val", "test")
"""What the files for validation may be called; the first that is there counts."""
COLUMNS = ("image", "img")
ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}
"""How a JPEG and a PNG begin, and what stands at their end: OpenCV fills up with grey what is missing of an image."""


@dataclass(frozen=True)
class LabelledSet:
    """Images to train on and to validate with."""

    name: str
    classes: int
    """Labels are from 0 to `classes` - 1."""
    train: Images
    validation: Images
    files: tuple[str, ...]
    """The names of the files that were read."""
    resized: int
    """Images that had another size."""
    grey: int
    """Images without colour."""

    @property
    def summary(self) -> str:
        """The set in a sentence, with what was changed about its images."""
        side = self.train.pixels.shape[1]
        text = (
            f"{self.name}: {len(self.train.labels):,} images to train on and {len(self.validation.labels):,} for "
            f"validation, {self.classes} classes"
        )
        if self.resized:
            text += f"; {self.resized:,} resized to {side}x{side} pixels"
        if self.grey:
            text += f"; {self.grey:,} without colour"
        return f"{text}."

    @cached_property
    def sha256(self) -> str:
        """Over the pixels and labels of the training images, then of those for validation."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation):
            digest.update(np.ascontiguousarray(part.pixels).data)
            digest.update(part.labels.astype("<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class _Part:
    images: Images
    resized: int
    grey: int


def load(folder: Path, size: int, name: str | None = None) -> LabelledSet:
    """Read `train-*.parquet` and `valid-*.parquet` (or validation, val, test) in `folder`, as `size` x `size` pixels.

    The files have a column `image` or `img` ({bytes, …}; PNG, WebP or JPEG) and `label`, whole numbers from 0; other
    columns may follow. The set is called `name`, or like the folder.

    Raises:
        ReportError: the set cannot be had, has no labels, one class or more classes than images; the message says which
            file, column or image is at fault.
    """
    if not folder.is_dir():
        raise ReportError(f"{folder}: there is no such folder, expected one with train-*.parquet and valid-*.parquet.")
    train_files = shards(folder, "train")
    held_out = next((files for part in VALIDATION if (files := shards(folder, part))), [])
    if not train_files or not held_out:
        missing = "train-*.parquet" if not train_files else ", ".join(f"{part}-*.parquet" for part in VALIDATION)
        names = ", ".join(sorted(file.name for file in folder.iterdir())[:6]) or "nothing"
        raise ReportError(f"{folder}: expected files {missing}, found {names}.")
    train, validation = _read(train_files, size), _read(held_out, size)
    present = len(np.unique(train.images.labels))
    if present < 2:
        raise ReportError(f"{folder}: the training images have {present} class, expected at least two to tell apart.")
    highest = int(train.images.labels.max())
    if highest >= len(train.images.labels):
        raise ReportError(
            f"{folder}: the label {highest} would make {highest + 1:,} classes of {len(train.images.labels):,} "
            "training images, expected classes that are numbered from 0."
        )
    unknown = np.setdiff1d(validation.images.labels, train.images.labels)
    if len(unknown):
        raise ReportError(
            f"{folder}: images for validation have the label {unknown[0]}, which no training image has; "
            "both parts need the same classes."
        )
    return LabelledSet(
        name=slug(name or folder.resolve().name) or "set",
        classes=highest + 1,
        train=train.images,
        validation=validation.images,
        files=tuple(file.name for file in (*train_files, *held_out)),
        resized=train.resized + validation.resized,
        grey=train.grey + validation.grey,
    )


def _read(files: list[Path], size: int) -> _Part:
    import pyarrow.parquet as pq

    total = 0
    for file in files:
        with parquet(file):
            total += pq.ParquetFile(file).metadata.num_rows
    if not total:
        raise ReportError(f"{files[0]}: expected images, found none.")
    pixels = np.empty((total, size, size, 3), dtype=np.uint8)
    labels = np.empty(total, dtype=np.int64)
    start = resized = grey = 0
    with ThreadPoolExecutor() as pool:
        for file in files:
            row = 0
            for encoded, marks in _batches(file):
                end = start + len(marks)
                labels[start:end], into = marks, pixels[start:end]
                wrong = np.flatnonzero(marks < 0)
                if len(wrong):
                    raise ReportError(
                        f"{file}, row {row + wrong[0]}: label {marks[wrong[0]]} stands for an image without a label; "
                        "expected whole numbers from 0."
                    )
                step = -(-len(marks) // 8)
                jobs = [
                    pool.submit(_decode, encoded.slice(at, step), into[at : at + step], file, row + at)
                    for at in range(0, len(marks), step)
                ]
                for job in jobs:
                    changed, colourless = job.result()
                    resized, grey = resized + changed, grey + colourless
                start, row = end, row + len(marks)
    return _Part(Images(pixels, labels), resized, grey)


def _batches(file: Path) -> Iterator[tuple[pa.Array, npt.NDArray[np.int64]]]:
    """The encoded images of a file and their labels, some thousand at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with parquet(file):
        table = pq.ParquetFile(file)
    schema = table.schema_arrow
    image = next((name for name in COLUMNS if name in schema.names), None)
    if image is None or "label" not in schema.names:
        lacking = "label" if image else "image"
        raise ReportError(
            f"{file}: there is no column {lacking!r}; expected image (or img) and label, "
            f"found {', '.join(schema.names)}."
        )
    form = schema.field(image).type
    if not (pa.types.is_struct(form) and form.get_field_index("bytes") >= 0):
        raise ReportError(f"{file}: column {image!r} is {form}, expected a struct with the field bytes.")
    if not pa.types.is_integer(schema.field("label").type):
        raise ReportError(f"{file}: column 'label' is {schema.field('label').type}, expected whole numbers.")
    batches = table.iter_batches(batch_size=4096, columns=[image, "label"])
    row = 0
    while True:
        with parquet(file):
            batch = next(batches, None)
        if batch is None:
            return
        labels = whole_numbers(batch.column("label"), file, row)
        row += len(labels)
        yield batch.column(image).field("bytes"), labels


def _decode(encoded: pa.Array, into: npt.NDArray[np.uint8], file: Path, row: int) -> tuple[int, int]:
    """Fill `into`, (images, size, size, 3); how many images had another size, and how many no colour."""
    import cv2

    resized = grey = 0
    for position, item in enumerate(encoded):
        content = bytes(item.as_buffer()) if item.is_valid else b""
        end = next((end for start, end in ENDS.items() if content.startswith(start)), b"")
        whole = content and content.rfind(end) >= 0
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYCOLOR) if whole else None
        if image is None:
            raise ReportError(
                f"{file}, row {row + position}: the image is cut short or cannot be decoded, expected PNG, WebP or "
                "JPEG."
            )
        if image.ndim == 2:
            grey += 1
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        if image.shape != into.shape[1:]:
            resized += 1
            image = _square(image, into.shape[1])
        into[position] = image[..., ::-1]  # OpenCV reads blue first
    return resized, grey


def _square(image: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """The middle of an image, (height, width, 3), at `size` x `size` pixels."""
    import cv2

    height, width, _ = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = image[top : top + side, left : left + side]
    # Averaging over areas keeps a shrunken image from aliasing; an enlarged one is interpolated.
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(middle, (size, size), interpolation=method), dtype=np.uint8)
