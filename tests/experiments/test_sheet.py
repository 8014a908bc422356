"""Sheets of small pictures: what stands where."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from experiments.sheet import GAP, sheet


@pytest.mark.parametrize(("count", "columns", "scale"), [(1, 5, 3), (5, 5, 3), (7, 5, 3), (7, 3, 8)])
def test_every_image_stands_at_its_place_enlarged_without_a_change_of_colour(
    count: int, columns: int, scale: int
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, 4, 6, 3)).astype(np.uint8)
    found = np.asarray(Image.open(io.BytesIO(sheet(list(images), columns, scale))))
    across = min(columns, count)
    assert found.shape[1] == across * (6 * scale + GAP) - GAP
    for place, image in enumerate(images):
        row, column = divmod(place, across)
        top, left = row * (4 * scale + GAP), column * (6 * scale + GAP)
        tile = found[top : top + 4 * scale, left : left + 6 * scale]
        assert np.array_equal(tile[::scale, ::scale, :3], image)
        assert (tile[..., 3] == 255).all()
    assert (found[..., 3] == 255).sum() == count * 4 * 6 * scale**2, "and what lies between them is transparent"


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_a_sheet_is_as_high_as_its_rows(count: int, rows: int) -> None:
    images = [np.zeros((4, 6, 3), np.uint8)] * count
    assert Image.open(io.BytesIO(sheet(images, 3, 2))).size[1] == rows * (4 * 2 + GAP) - GAP
