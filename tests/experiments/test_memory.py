"""Memory that runs out: a sentence that says what to lower, whichever library tells it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from experiments import project
from experiments.memory import enough_memory
from reportgen.errors import ReportError

SENTENCE = (
    r"ran out with batches of 256 images of 64x64 pixels; nothing was recorded. Lower --batch-size or --image-size"
)


def test_the_backend_s_own_error_becomes_a_sentence() -> None:
    """No processor can address so many bytes."""
    with pytest.raises(ReportError, match=SENTENCE), enough_memory(project.load("p10_vgg16_64px")):
        keras.layers.Dense(2**22, kernel_initializer="zeros").build((None, 2**23))


def test_numpy_s_error_becomes_the_same_sentence() -> None:
    with pytest.raises(ReportError, match=SENTENCE), enough_memory(project.load("p10_vgg16_64px")):
        np.ones((2**24, 2**20))


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), enough_memory(project.load("p10_vgg16_64px")):
        1 / 0  # noqa: B018
    with pytest.raises(ReportError, match="something else"), enough_memory(project.load("p10_vgg16_64px")):
        raise ReportError("something else")
