"""How pixels are prepared, held against the plain arithmetic and against Keras Applications' own function."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from experiments.scaling import BGR_MEAN, UNIT_INTERVAL, Scaling, scaled


def test_the_study_s_scaling_is_a_division_by_255() -> None:
    every = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(scaled(every), every.astype(np.float32) / 255.0)


@pytest.mark.parametrize("scaling", [UNIT_INTERVAL, BGR_MEAN])
def test_bytes_and_numbers_become_the_same_numbers_in_single_precision(scaling: Scaling) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    found, others = scaled(pixels, scaling), scaled(pixels.astype(np.float32), scaling)
    assert found.dtype == others.dtype == np.float32
    np.testing.assert_array_equal(found, others)


def test_vgg16_s_own_preparation_is_that_of_keras_applications() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    expected = keras.applications.vgg16.preprocess_input(pixels.astype(np.float32))
    np.testing.assert_allclose(scaled(pixels, BGR_MEAN), expected, rtol=0, atol=1e-5)
