"""What the project promises of its speed, measured: each figure beside its limit."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial

from experiments import catalogue
from experiments.comparison.commands import timed
from experiments.environment import ROOT
from experiments.job import RESULTS, SEEDS
from experiments.project import Augmentation
from experiments.standing import standing
from reportgen.bench import Figure
from reportgen.errors import ReportError

AUGMENTING, PLAIN = "p05_augmentation", "p01_deeper"
"""The projects on which augmentation and training are measured."""
ROUNDS = 5
IMAGES = 5_120
"""Ten batches of Project 1: long against the start of an epoch, short against patience."""

AUGMENTED = 1_024
"""Four batches of Project 5."""


def figures(source: str) -> Iterator[Figure]:
    """Measure every figure, the quick ones first; of a project only where there is one."""
    known = catalogue.identifiers()
    yield _up_to_date()
    yield _site()
    yield from _loading(source)
    if AUGMENTING in known:
        yield augmenting(source)
    if PLAIN in known:
        yield _training(source)


def recorded() -> list[str]:
    """The projects that have a record of each of the usual seeds.

    Raises:
        ReportError: a record is not up to date, or there is no such project. What is missing or stale would be trained,
            and that is nothing to time in passing.
    """
    found = []
    for identifier in catalogue.identifiers():
        states = {seed: standing(RESULTS, identifier, seed).state for seed in SEEDS}
        for seed, state in states.items():
            if state not in ("up to date", "missing"):
                raise ReportError(
                    f"{identifier} seed {seed} is {state}; a bench needs every recorded run up to date. "
                    "`python -m experiments run` sees to that."
                )
        if "missing" not in states.values():
            found.append(identifier)
    if not found:
        raise ReportError("No project is recorded with every seed; `python -m experiments run` sees to that.")
    return found


def _up_to_date() -> Figure:
    taken = statistics.median(timed("-m", "experiments", "run", *recorded()) for _ in range(3))
    return Figure("an up-to-date run of everything recorded", f"{taken:.2f} s", "3 s", taken <= 3)


def _site() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        taken = statistics.median(timed("-m", "reportgen", "build", "--site", f"{folder}/site") for _ in range(3))
    return Figure("the site in every language", f"{taken:.1f} s", "15 s", taken <= 15)


def _loading(source: str) -> Iterator[Figure]:
    """In a process of its own, so that the peak of memory is the loading's."""
    program = (
        "import json, sys, time; from experiments import data; from experiments.memory import peak\n"
        "before, began = peak(), time.perf_counter()\n"
        "found = data.load(sys.argv[1])\n"
        "size = len(found.train.labels) + len(found.test.labels)\n"
        "print(json.dumps([size, time.perf_counter() - began, peak() - before]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, source], cwd=ROOT, check=True, capture_output=True, text=True, errors="replace"
    )
    images, seconds, gibibytes = json.loads(done.stdout)
    yield Figure(f"loading {images:,} images", f"{seconds:.2f} s", "6 s", seconds <= 6)
    yield Figure(f"memory for {images:,} images", f"{gibibytes:.2f} GiB", "1 GiB", gibibytes <= 1)


def augmenting(source: str) -> Figure:
    """Images augmented in a second, against the generator that the study used with the same settings, turn by turn."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    from experiments import data
    from experiments.batches import Batches
    from experiments.data import Images

    training = catalogue.load(AUGMENTING).training
    changes, size = training.augmentation, training.batch_size
    assert isinstance(changes, Augmentation)
    every = data.load(source).train
    images = Images(every.pixels[:AUGMENTED], every.labels[:AUGMENTED])
    generator = ImageDataGenerator(
        rescale=1 / 255,
        rotation_range=changes.rotation,
        width_shift_range=changes.shift,
        height_shift_range=changes.shift,
        horizontal_flip=changes.horizontal_flip,
        fill_mode="nearest",
    )
    batches = {
        "ours": Batches(images, size, data.SIDE, 0, changes),
        "theirs": generator.flow(images.pixels, images.labels, batch_size=size, seed=0),
    }
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        for name, drawn in batches.items():
            began = time.perf_counter()
            for number in range(len(drawn)):
                drawn[number]
            rates[name].append(len(images.labels) / (time.perf_counter() - began))
    ours, theirs = (statistics.median(rates[name]) for name in ("ours", "theirs"))
    measured = f"{ours:,.0f} images a second, {ours / theirs:.1f} times"
    return Figure("augmentation against ImageDataGenerator", measured, "3 times", ours >= 3 * theirs)


def _training(source: str) -> Figure:
    """Steps of Project 1 as the project trains it, against those of a plain `fit` on the same images, turn by turn."""
    from experiments import data
    from experiments.comparison.training import in_turns, ours, seconds_a_batch, study
    from experiments.data import Images

    declared = catalogue.load(PLAIN)
    split = data.split(data.load(source), 0)
    images = Images(split.train.pixels[:IMAGES], split.train.labels[:IMAGES])
    # Without augmentation, the study's way is a plain `fit`.
    ways = {"ours": ours(declared, images, "float32"), "plain": study(declared, images)}
    taken = in_turns({name: partial(seconds_a_batch, way) for name, way in ways.items()}, ROUNDS)
    ratio = statistics.median(taken["ours"]) / statistics.median(taken["plain"])
    return Figure("steps of Project 1 against a plain fit", f"{ratio:.3f} times", "1.05 times", ratio <= 1.05)
