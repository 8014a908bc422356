"""The embedded sample: a few images of every class of a whole set, which canaries, smoke runs and tests train on."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.data import SAMPLE, Dataset, Images
from reportgen.errors import ReportError
from reportgen.record import write_together

TRAIN = 400
"""About so many images to train on, the same number of each class; of many classes, one each."""
TEST = 100
"""About so many to test on."""


def excerpt(whole: Dataset, folder: Path = SAMPLE) -> tuple[int, int]:
    """Write the first images of every class of `whole` into `folder`; how many to train and to test on.

    They take the place of those that stand there, when all of them are on the disk.

    Raises:
        ReportError: the disk does not take them.
    """
    train, test = _chosen(whole, whole.train, TRAIN), _chosen(whole, whole.test, TEST)
    try:
        write_together(
            {
                folder / "train-00000-of-00001.parquet": _parquet(whole.train, train),
                folder / "test-00000-of-00001.parquet": _parquet(whole.test, test),
            }
        )
    except OSError as problem:
        raise ReportError(
            f"{folder}: the images cannot be written ({problem.strerror}). Mend that and repeat the command."
        ) from problem
    return len(train), len(test)


def _chosen(whole: Dataset, images: Images, wanted: int) -> list[int]:
    """The places of the first images of every class, about so many in all, interleaved by class."""
    each = max(1, wanted // len(whole.classes))
    places = [np.flatnonzero(images.labels == label)[:each] for label in range(len(whole.classes))]
    return [int(place[row]) for row in range(each) for place in places if row < len(place)]


def _parquet(images: Images, chosen: list[int]) -> bytes:
    """Those of `images` at the places `chosen`, in the layout of the Hugging Face hub."""
    contents = [cv2.imencode(".png", images.pixels[at][..., ::-1])[1].tobytes() for at in chosen]  # blue first
    form = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    column = pa.array([{"bytes": content, "path": None} for content in contents], form)
    stream = io.BytesIO()
    pq.write_table(pa.table({"img": column, "label": pa.array(images.labels[chosen])}), stream)
    return stream.getvalue()
