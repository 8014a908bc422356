"""The augmentation: what one image becomes, what many are drawn from, and how fast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import catalogue, data
from experiments.augmentation import affine, alternating, draw_affine, draw_shift, moved, resize, transform
from experiments.project import Augmentation, Translation

STUDY = Augmentation(rotation=15, shift=0.1, horizontal_flip=True)


@pytest.fixture(scope="module")
def images() -> npt.NDArray[np.uint8]:
    return data.load("sample").train.pixels[:64]


def turned(
    images: npt.NDArray[np.uint8], degrees: float = 0, down: float = 0, right: float = 0, flip: bool = False
) -> npt.NDArray[np.float32]:
    every = np.ones(len(images))
    amounts = np.deg2rad(degrees) * every, down * every, right * every, every * flip > 0
    return transform(images, affine(*amounts, *images.shape[1:3]))


def augmented(images: npt.NDArray[np.uint8], augmentation: Augmentation, seed: int) -> npt.NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return transform(images, draw_affine(len(images), images.shape[1], images.shape[2], augmentation, random))


@given(st.integers(0, 5), st.integers(0, 2**32))
def test_a_translation_shows_a_part_of_the_reflected_image_and_mirrors_whom_it_is_told(most: int, seed: int) -> None:
    images = np.random.default_rng(seed).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    flips = np.array([False, True, False, True])
    found = moved(images, draw_shift(Translation(most), flips, 8, 8, np.random.default_rng(seed)))
    for image, flip, shown in zip(images, flips, found, strict=True):
        wide = np.pad(image, ((most, most), (most, most), (0, 0)), mode="reflect")
        places = [(down, right) for down in range(2 * most + 1) for right in range(2 * most + 1)]
        parts = [wide[down : down + 8, right : right + 8] for down, right in places]
        assert any(np.array_equal(part[:, ::-1] if flip else part, shown) for part in parts)


@given(st.integers(1, 40), st.integers(0, 2**32))
def test_cutout_covers_a_square_that_lies_within_the_image_and_nothing_else(side: int, seed: int) -> None:
    images = np.random.default_rng(seed).integers(0, 128, (4, 10, 12, 3), dtype=np.uint8)
    flips = np.array([False, True, False, True])
    movement, plain = (
        draw_shift(Translation(2, cutout), flips, 10, 12, np.random.default_rng(seed)) for cutout in (side, 0)
    )
    found, shifted = moved(images, movement), moved(images, plain)
    assert found.dtype == np.uint8
    for image, before in zip(found, shifted, strict=True):
        hidden = (image == 128).all(axis=-1)
        assert hidden.sum() == min(side, 10) ** 2
        rows, columns = hidden.any(axis=1), hidden.any(axis=0)
        assert rows.sum() == columns.sum() == min(side, 10), "a square"
        assert np.array_equal(image[~hidden], before[~hidden])


@given(st.integers(1, 300), st.integers(0, 2**32), st.integers(0, 50))
def test_every_image_is_mirrored_in_one_of_any_two_epochs(images: int, seed: int, epoch: int) -> None:
    first, second = alternating(images, seed, epoch), alternating(images, seed, epoch + 1)
    assert np.array_equal(first, ~second)
    assert np.array_equal(first, alternating(images, seed, epoch + 2))


@pytest.mark.project("p05_augmentation")
def test_project_5_augments_as_the_study_does() -> None:
    assert catalogue.load("p05_augmentation").training.augmentation == STUDY


def test_no_movement_leaves_every_pixel(images: npt.NDArray[np.uint8]) -> None:
    assert np.array_equal(turned(images), images)


def test_a_shift_repeats_the_nearest_pixel(images: npt.NDArray[np.uint8]) -> None:
    shifted = turned(images, down=2, right=3)
    assert np.allclose(shifted[:, :-2, :-3], images[:, 2:, 3:], atol=1e-3)
    assert np.allclose(shifted[:, -2:, :-3], images[:, -1:, 3:], atol=1e-3)
    assert np.allclose(shifted[:, :-2, -3:], images[:, 2:, -1:], atol=1e-3)


def test_a_quarter_turn_is_about_the_centre(images: npt.NDArray[np.uint8]) -> None:
    assert np.allclose(turned(images, degrees=90), np.rot90(images, k=-1, axes=(1, 2)), atol=0.1)


def test_a_flip_comes_after_the_movement(images: npt.NDArray[np.uint8]) -> None:
    assert np.array_equal(turned(images, 7, 1.5, 2.5, flip=True), turned(images, 7, 1.5, 2.5)[:, :, ::-1])


@pytest.mark.parametrize("movement", [(0.0, 0.0, 0.0), (15.0, 0.0, 0.0), (-11.0, 2.7, -1.3), (4.0, -3.2, 3.2)])
def test_an_image_becomes_what_the_study_s_generator_makes_of_it(
    images: npt.NDArray[np.uint8], movement: tuple[float, float, float]
) -> None:
    pytest.importorskip("scipy", reason="Keras's generator moves images with SciPy")
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    degrees, down, right = movement
    generator = ImageDataGenerator(fill_mode="nearest")
    expected = np.stack(
        [generator.apply_transform(x.astype(np.float32), {"theta": -degrees, "tx": right, "ty": down}) for x in images]
    )
    found = turned(images, degrees, down, right)
    # OpenCV rounds positions to 1/32 of a pixel, which shows only at edges in the image.
    assert np.abs(found - expected).mean() < 0.5
    assert np.abs(found - expected).max() < 25


def test_the_amounts_are_drawn_from_the_study_s_distribution() -> None:
    """A ramp from left to right tells shift and flip; many draws tell their distribution."""
    ramp = np.broadcast_to(np.arange(32, dtype=np.uint8)[None, None, :, None] * 4, (4000, 32, 32, 3)).copy()
    only_shift = Augmentation(rotation=0, shift=0.1, horizontal_flip=False)
    middle = augmented(ramp, only_shift, 0)[:, 16, 16, 0] / 4 - 16
    assert np.abs(middle).max() <= 3.2 + 0.05
    assert middle.std() == pytest.approx(6.4 / np.sqrt(12), rel=0.05)
    assert middle.mean() == pytest.approx(0, abs=0.1)
    only_flip = Augmentation(rotation=0, shift=0, horizontal_flip=True)
    flipped = augmented(ramp, only_flip, 1)[:, 0, 0, 0] > 0
    assert flipped.mean() == pytest.approx(0.5, abs=0.03)
    only_turn = Augmentation(rotation=15, shift=0, horizontal_flip=False)
    found = augmented(ramp, only_turn, 2)
    slope = np.abs((found[:, 18, 15, 0] - found[:, 13, 15, 0]) / 20)  # the sine of the angle
    assert slope.max() == pytest.approx(np.sin(np.deg2rad(15)), abs=0.01)
    assert slope.mean() == pytest.approx(np.sin(np.deg2rad(15)) / 2, rel=0.05)


def test_images_are_turned_and_shifted_to_either_side_alike() -> None:
    """An image is read elsewhere by a matrix of its own: its angle and the shift of its centre are in there."""
    found = draw_affine(4_000, 32, 32, Augmentation(15, 0.1, False), np.random.default_rng(0)).matrices
    degrees = np.rad2deg(np.arctan2(found[:, 0, 1], found[:, 0, 0]))
    assert degrees.min() == pytest.approx(-15, abs=0.1) and degrees.max() == pytest.approx(15, abs=0.1)
    assert degrees.mean() == pytest.approx(0, abs=0.5)
    turns, middle = found[:, :, :2], np.array([15.5, 15.5])
    moved_to = (turns @ middle + found[:, :, 2]) - middle
    right, down = (np.swapaxes(turns, 1, 2) @ moved_to[..., None])[..., 0].T
    for amount in (down, right):
        assert amount.min() == pytest.approx(-3.2, abs=0.02) and amount.max() == pytest.approx(3.2, abs=0.02)
        assert amount.mean() == pytest.approx(0, abs=0.1)
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.05


def test_an_enlarged_image_is_interpolated_between_its_pixels() -> None:
    """Twice as large, a step of 40 becomes steps at a quarter and three quarters of it."""
    image = np.repeat(np.array([[0, 40]], np.uint8)[..., None], 3, axis=-1).repeat(2, axis=0)
    assert resize(image[None], 4)[0, 0, :, 0].tolist() == [0, 10, 30, 40]
