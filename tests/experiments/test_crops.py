"""Crops show as much as was asked for, and their movement on a device is the same; patches cover what they say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.augmentation import transform
from experiments.crops import draw_crops, draw_patches, paste


def test_crops_keep_their_share_of_the_area_and_half_of_them_are_mirrored() -> None:
    """A ramp from left to right tells how much of its width a crop shows and whether it was mirrored."""
    count, side = 2_000, 32
    ramp = np.broadcast_to(np.arange(side, dtype=np.uint8)[:, None] * 8, (side, side, 3))  # along the width
    crops = draw_crops(count, side, 0.35, np.random.default_rng(0))
    across = crops.of(np.stack([ramp] * count)).astype(int)
    down = crops.of(np.stack([ramp.transpose(1, 0, 2)] * count)).astype(int)
    slope = across[:, 0, -1, 0] - across[:, 0, 0, 0]
    assert 0.47 < (slope < 0).mean() < 0.53
    widths = (np.abs(slope) / 8 + 1) / side
    heights = ((down[:, -1, 0, 0] - down[:, 0, 0, 0]) / 8 + 1) / side
    area = widths * heights
    assert area.min() > 0.27 and area.max() <= 1.0 and 0.6 < area.mean() < 0.75


@given(st.integers(0, 2**32), st.sampled_from([8, 32, 64]), st.floats(0.1, 1))
def test_a_crop_is_the_same_as_a_movement_but_for_its_outermost_pixels(seed: int, side: int, smallest: float) -> None:
    random = np.random.default_rng(seed)
    crops = draw_crops(4, side, smallest, random)
    ramp = np.add.outer(np.arange(side), np.arange(side)) * (255 / (2 * side))  # no two neighbours differ by much
    pixels = np.repeat(ramp[None, :, :, None], 4, axis=0).repeat(3, axis=3).astype(np.uint8)
    cut, moved = crops.of(pixels).astype(float), transform(pixels, crops.affine(side))
    margin = int(np.ceil(side / min(crops.heights.min(), crops.widths.min()) / 2))
    inner = slice(margin, side - margin)
    assert np.abs(cut - moved)[:, inner, inner].max(initial=0) < 2
    assert np.abs(cut - moved).max() < 2 + 255 / side


@given(st.integers(0, 2**32), st.sampled_from([1, 8, 31]), st.floats(0, 1))
def test_a_patched_image_shows_another_in_a_rectangle_and_its_label_says_how_much(
    seed: int, side: int, part: float
) -> None:
    random = np.random.default_rng(seed)
    pixels = np.broadcast_to(np.arange(1, 6, dtype=np.float32)[:, None, None, None], (5, side, side, 3))
    shown, labels = paste(pixels, np.eye(5, dtype=np.float32), draw_patches(5, side, part, random))
    assert shown.dtype == labels.dtype == np.float32
    for k, (image, label) in enumerate(zip(shown, labels, strict=True)):
        other = 4 - k
        assert set(np.unique(image)) <= {k + 1, other + 1}
        pasted = (image[:, :, 0] == other + 1) & (other != k)
        expected = np.eye(5)[k] * (1 - pasted.mean()) + np.eye(5)[other] * pasted.mean()
        np.testing.assert_allclose(label, expected, atol=1e-6)
        rows, columns = np.flatnonzero(pasted.any(1)), np.flatnonzero(pasted.any(0))
        assert pasted[np.ix_(rows, columns)].all()


def test_patches_cover_any_part_of_as_many_images_as_was_asked_for() -> None:
    corners = draw_patches(4_000, 64, 0.5, np.random.default_rng(0))
    areas = (corners[:, 2:] - corners[:, :2]).prod(1) / 64**2
    assert 0.47 < (areas > 0).mean() < 0.53 and areas.max() > 0.9
    assert 0.25 < areas[areas > 0].mean() < 0.4  # half of the image but for what stands over its edges
    none = draw_patches(100, 64, 0, np.random.default_rng(0))
    np.testing.assert_array_equal(none[:, :2], none[:, 2:])


def test_crops_lie_anywhere_and_are_as_often_wide_as_high() -> None:
    crops = draw_crops(4_000, 32, 0.35, np.random.default_rng(0))
    for firsts, sizes in ((crops.tops, crops.heights), (crops.lefts, crops.widths)):
        free = sizes < 26
        place = firsts[free] / (32 - sizes[free])
        assert place.min() == 0 and place.max() == 1 and 0.47 < place.mean() < 0.53
    shape = np.log(crops.widths / crops.heights)
    assert abs(shape.mean()) < 0.02 and shape.min() < -0.2 and shape.max() > 0.2
