"""Small labelled sets in Parquet, written from the real images of the embedded sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from experiments import data

Encode = Callable[[npt.NDArray[np.uint8]], bytes]


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", pixels[..., ::-1])[1])


def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels[..., ::-1])[1])


def grey(pixels: npt.NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))[1])


def wide(pixels: npt.NDArray[np.uint8]) -> bytes:
    """64 pixels high and 96 wide."""
    return png(np.asarray(cv2.resize(pixels, (96, 64)), dtype=np.uint8))


def write(file: Path, encoded: Sequence[bytes], labels: Sequence[Any], image: str = "image") -> None:
    """One Parquet file with the columns `image` (or what it is called) and `label`."""
    structs = [{"bytes": content, "path": None} for content in encoded]
    form = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({image: pa.array(structs, form), "label": pa.array(labels)}), file)


def few(folder: Path, classes: int = 4, train: int = 48, valid: int = 16, encode: Encode = png) -> Path:
    """A folder with so many images of the first `classes` classes of the sample."""
    folder.mkdir(parents=True, exist_ok=True)
    sample = data.load("sample").train
    known = np.flatnonzero(sample.labels < classes)
    for name, chosen in (("train", known[:train]), ("valid", known[train : train + valid])):
        write(
            folder / f"{name}-00000.parquet",
            [encode(sample.pixels[k]) for k in chosen],
            [int(sample.labels[k]) for k in chosen],
        )
    return folder
