"""What Keras downloads: CIFAR-10 and ImageNet's weights, fetched and read by one process at a time.

Keras unpacks an archive anew whenever it loads it, over the files that another process may be reading just then.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from experiments import data, vgg16
from experiments.data import Dataset
from experiments.vgg16 import Pretrained
from reportgen.errors import ReportError

LOCK = "experiments.lock"
"""The file that stands for the right to use them."""
KERAS_CLASSES = 10
"""What labels of Keras's own images stand for."""


def images(source: str) -> Dataset:
    """As `experiments.data.load`; Keras's own images by one process at a time.

    Raises:
        ReportError: the images cannot be had, or a report of others would take Keras's for its own.
    """
    if source != "keras":
        return data.load(source)
    if len(data.CLASSES) != KERAS_CLASSES:
        raise ReportError(
            f"Keras's CIFAR-10 has {KERAS_CLASSES} classes, and experiments/data.py names {len(data.CLASSES)}. "
            "Name the folder of your images with --data DIR or CIFAR10_DIR."
        )
    with _alone():
        return data.load(source)


def weights() -> Pretrained:
    """As `experiments.vgg16.imagenet`, by one process at a time."""
    with _alone():
        return vgg16.imagenet()


def _alone() -> FileLock:
    """The lock on what Keras has downloaded, beside it; where that place is read-only, Keras uses another, too."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    return FileLock((home if os.access(home, os.W_OK) else Path(tempfile.gettempdir())) / LOCK)
