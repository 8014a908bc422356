"""The embedded sample: a few images of every class of a whole set, which canaries, smoke runs and tests train on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.data import SAMPLE, Dataset, Images

TRAIN = 400
"""About so many images to train on, the same number of each class; of many classes, one each."""
TEST = 100
"""About so many to test on."""


def excerpt(whole: Dataset, folder: Path = SAMPLE) -> tuple[int, int]:
    """Write the first images of every class of `whole` into `folder`; how many to train and to test on.

    They take the place of those that stand there.
    """
    train = _write(whole, whole.train, TRAIN, folder / "train-00000-of-00001.parquet")
    test = _write(whole, whole.test, TEST, folder / "test-00000-of-00001.parquet")
    return train, test


def _write(whole: Dataset, images: Images, wanted: int, file: Path) -> int:
    """Write about so many images in the layout of the Hugging Face hub, interleaved by class; how many."""
    each = max(1, wanted // len(whole.classes))
    places = [np.flatnonzero(images.labels == label)[:each] for label in range(len(whole.classes))]
    chosen = [int(place[row]) for row in range(each) for place in places if row < len(place)]
    contents = [cv2.imencode(".png", images.pixels[at][..., ::-1])[1].tobytes() for at in chosen]  # blue first
    form = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    column = pa.array([{"bytes": content, "path": None} for content in contents], form)
    pq.write_table(pa.table({"img": column, "label": pa.array(images.labels[chosen])}), file)
    return len(chosen)
