"""The study's own figures, held against what the study prints, in the study's own notation."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import catalogue
from reportgen.facts import PublishedProject, read_published
from reportgen.record import Metrics

pytestmark = pytest.mark.study

FILE = Path(catalogue.__file__).parent / "published.json"

PRINTED = """
p00_base            263,402    263,402    0          0:00:47.380263 71.342 62.560 0.840 1.070
p01_deeper          651,978    651,978    0          0:00:45.206875 -      72.30  -     0.902
p02_dropout         651,978    651,978    0          0:01:23.477872 92.065 77.300 0.268 0.673
p03_doubled         1,341,226  1,341,226  0          0:02:16.842777 94.010 78.410 0.196 0.672
p04_batch_norm      849,066    847,402    1,664      0:02:28.758790 97.728 81.730 0.074 0.660
p05_augmentation    849,066    847,402    1,664      0:20:25.159844 92.820 85.940 0.206 0.426
p06_vgg16_scratch   14,881,738 14,880,970 768        0:15:48.826757 88.450 81.800 0.328 0.559
p07_vgg16_frozen    14,881,738 166,282    14,715,456 0:22:47.992402 66.653 60.940 0.950 1.118
p08_vgg16_finetuned -          -          -          0:09:42.279129 -      86.88  -     0.411
p09_mini_vgg16      2,820,042  2,819,274  768        0:13:09.168614 97.303 87.800 0.082 0.388
p10_vgg16_64px      -          -          -          0:15:48.318542 98.153 91.660 0.056 0.279
"""
"""Project; parameters in all, trainable and not; training time; accuracy in percent and cross-entropy, train and test
each. A dash stands where the study prints nothing."""

ROWS = [line.split() for line in PRINTED.strip().splitlines()]

NOTEBOOKS = (
    "230630_base_cnn-cifar10.ipynb",
    "230630_1_cnn-cifar10.ipynb",
    "230630_2_cnn-cifar10_dropout.ipynb",
    "230630_3_cnn-cifar10.ipynb",
    "230630_4_cnn-cifar10_BatchNorm.ipynb",
    "230701_5_cnn-cifar10_DataAugmentation.ipynb",
    "230703_6.1_cnn-cifar10_vgg16_weights=None.ipynb",
    "230703_6.3_cnn-cifar10_vgg16_weights='imagenet'_frozen.ipynb",
    "230703_6.2_cnn-cifar10_vgg16_weights='imagenet'_trainable.ipynb",
    "230705_8.1_cnn-cifar10_mini-vgg16_weights='imagenet'_trainable.ipynb",
    "230705_6.5_cnn-cifar10_vgg16_weights='imagenet'_trainable_64x64.ipynb",
)

STUDY = read_published(FILE)
PROJECTS = {entry.id: entry for entry in STUDY.projects}


def each_project() -> pytest.MarkDecorator:
    """Once for every project of the study."""
    return pytest.mark.parametrize("entry", STUDY.projects, ids=lambda entry: entry.id)


def seconds(clock: str) -> float:
    """`0:01:23.477872` in seconds."""
    hours, minutes, rest = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def test_the_study_is_named_and_its_eleven_projects_stand_in_its_order() -> None:
    assert (STUDY.title, STUDY.author, STUDY.year) == (
        "Proyecto IV – Visión por computador",
        "Marina Ramiro Pareta",
        2023,
    )
    assert tuple(entry.id for entry in STUDY.projects) == tuple(row[0] for row in ROWS)
    assert tuple(entry.section for entry in STUDY.projects) == tuple(map(str, range(11)))


def test_the_notebooks_keep_their_names_whose_numbers_are_not_the_projects() -> None:
    assert tuple(entry.notebook for entry in STUDY.projects) == NOTEBOOKS


def test_every_declared_project_is_one_of_the_study_or_says_that_it_is_ours() -> None:
    assert set(catalogue.studied()) == set(PROJECTS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_figure_is_the_printed_one_and_empty_where_nothing_is_printed(row: list[str]) -> None:
    identifier, *totals, clock, train_accuracy, test_accuracy, train_loss, test_loss = row
    entry = PROJECTS[identifier]

    printed = None if "-" in totals else tuple(int(total.replace(",", "")) for total in totals)
    found = entry.parameters
    assert (found and (found.total, found.trainable, found.non_trainable)) == printed

    assert entry.seconds == pytest.approx(seconds(clock), abs=1e-9)
    for metrics, accuracy, loss in ((entry.train, train_accuracy, train_loss), (entry.test, test_accuracy, test_loss)):
        if accuracy == "-":
            assert metrics is None
        else:
            assert metrics is not None
            # Written out from the fraction, the percentage has the digits of the study: 71.342, not 71.34.
            assert f"{100 * metrics.accuracy:.3f}" == f"{float(accuracy):.3f}"
            assert metrics.accuracy == pytest.approx(float(accuracy) / 100, abs=1e-12)
            assert metrics.cross_entropy == float(loss)


@each_project()
def test_trainable_and_other_parameters_add_up(entry: PublishedProject) -> None:
    if entry.parameters:
        assert entry.parameters.trainable + entry.parameters.non_trainable == entry.parameters.total


@each_project()
def test_accuracies_are_counts_of_40000_training_and_10000_test_images(entry: PublishedProject) -> None:
    """Rounded to the thousandth of a percent that the study prints: this is how the size of its split is known."""

    def distance(metrics: Metrics, images: int) -> float:
        return abs(metrics.accuracy - round(metrics.accuracy * images) / images)

    if entry.train:
        assert distance(entry.train, 40_000) <= 0.5e-5 + 1e-12
    assert entry.test is not None
    assert distance(entry.test, 10_000) <= 1e-12
