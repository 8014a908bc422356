"""Keras and the backend that computes for it, as what lasts until a process ends."""

from __future__ import annotations

import gc
import importlib
import sys


def load() -> None:
    """Import Keras, and with it its backend, to be called by a command before anything that is made of them.

    Nothing of it is ever garbage, yet Python would search these hundreds of thousands of objects for some while they
    are imported, and again in every training: a quarter of the time that a short run takes.
    """
    if "keras" in sys.modules:
        return
    gc.disable()
    try:
        importlib.import_module("keras")
        gc.freeze()
    finally:
        gc.enable()
