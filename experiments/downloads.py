"""What Keras downloads: CIFAR-10 and ImageNet's weights, fetched and read by one process at a time.

Keras unpacks an archive anew whenever it loads it, over the files that another process may be reading just then.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from textwrap import shorten

from filelock import FileLock

from experiments import data, vgg16
from experiments.data import Dataset
from experiments.vgg16 import Pretrained
from reportgen.errors import ReportError

LOCK = "experiments.lock"
"""The file that stands for the right to use them."""


def images(source: str) -> Dataset:
    """As `experiments.data.load`; Keras's own images by one process at a time.

    Raises:
        ReportError: the images cannot be had, or a report of others would take Keras's for its own.
    """
    refuse_keras_for_others(source)
    if source == "keras":
        with _alone():
            return data.load(source)
    return data.load(source)


def refuse_keras_for_others(source: str) -> None:
    """Nothing, unless `source` stands for Keras's own images, and the report is of other classes or of another size.

    Raises:
        ReportError: it is, and a network would learn CIFAR-10 under the names of its classes.
    """
    if source == "keras" and (data.CLASSES, data.SIDE) != (data.CIFAR10, data.CIFAR10_SIDE):
        raise ReportError(
            "The images of Keras are CIFAR-10's, and CLASSES or SIDE in experiments/data.py speak of others. "
            "Name the folder of yours with --data DIR or CIFAR10_DIR."
        )


def refuse_unsound_images() -> None:
    """Nothing, unless CLASSES or SIDE cannot be what a report's images are of: whoever forks it writes them.

    Raises:
        ReportError: the classes are no names, fewer than two or not told apart, or the side is no whole number.
    """
    classes, side = data.CLASSES, data.SIDE
    named = isinstance(classes, tuple | list) and all(isinstance(name, str) and name.strip() for name in classes)
    if not (named and len(classes) == len({*classes}) >= 2):
        shown = shorten(repr(classes), 60, placeholder=" …")
        expected = 'a tuple of at least two different names, such as ("cat", "dog")'
        raise ReportError(f"experiments/data.py: CLASSES is {shown}, expected {expected}.")
    if type(side) is not int or side < 1:
        shown = shorten(repr(side), 60, placeholder=" …")
        raise ReportError(f"experiments/data.py: SIDE is {shown}, expected a whole number from 1 on.")


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
