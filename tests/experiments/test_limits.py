"""What the project promises of its speed, where a test can hold it to that in a few seconds."""

from __future__ import annotations

import pytest

from experiments.limits import augmenting


@pytest.mark.project("p05_augmentation")
def test_augmentation_gives_three_times_the_images_a_second_of_the_study_s_generator() -> None:
    """Medians of rounds that take turns: what else the machine does slows both alike."""
    figure = augmenting("sample")
    assert figure.kept, figure.measured
