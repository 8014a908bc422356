"""What the project promises of its speed, where a test can hold it to that in a few seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments import catalogue, data, limits
from experiments.comparison import training
from experiments.data import Images
from experiments.limits import augmenting
from reportgen.bench import Figure
from reportgen.errors import ReportError


@pytest.mark.project("p05_augmentation")
def test_augmentation_gives_three_times_the_images_a_second_of_the_study_s_generator() -> None:
    """Medians of rounds that take turns: what else the machine does slows both alike."""
    figure = augmenting("sample")
    assert figure.kept, figure.measured


def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time stand still, but for what is spent by calling what this returns."""
    now = [0.0]

    def spend(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return spend


@pytest.mark.parametrize(
    ("measured", "command", "seconds", "told", "kept"),
    [
        ("_up_to_date", ("-m", "experiments", "run", "p00_base"), (9.0, 3.0, 0.5), ("3.00 s", "3 s"), True),
        ("_up_to_date", ("-m", "experiments", "run", "p00_base"), (0.5, 3.1, 9.0), ("3.10 s", "3 s"), False),
        ("_site", ("-m", "reportgen", "build", "--site"), (90.0, 15.0, 1.0), ("15.0 s", "15 s"), True),
        ("_site", ("-m", "reportgen", "build", "--site"), (1.0, 15.5, 90.0), ("15.5 s", "15 s"), False),
    ],
)
def test_a_command_is_held_to_its_limit_by_the_median_of_three_times(
    measured: str,
    command: tuple[str, ...],
    seconds: tuple[float, ...],
    told: tuple[str, str],
    kept: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []
    taken = iter(seconds)

    def timed(*words: str) -> float:
        asked.append(words)
        return next(taken)

    monkeypatch.setattr(limits, "recorded", lambda: ["p00_base"])
    monkeypatch.setattr(limits, "timed", timed)
    figure: Figure = getattr(limits, measured)()
    assert ((figure.measured, figure.limit), figure.kept) == (told, kept)
    assert [words[: len(command)] for words in asked] == [command] * 3


@pytest.mark.parametrize(
    ("seconds", "gibibytes", "kept"), [(6.0, 1.0, [True, True]), (6.1, 0.1, [False, True]), (0.1, 1.1, [True, False])]
)
def test_loading_is_held_to_its_limits_by_what_it_takes_itself_and_not_by_what_the_process_held_before(
    seconds: float, gibibytes: float, kept: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    spend, held = clock(monkeypatch), [3.0]

    def load(source: str) -> SimpleNamespace:
        assert source == "the folder"
        spend(seconds)
        held[0] += gibibytes
        return SimpleNamespace(train=SimpleNamespace(labels=[0] * 1200), test=SimpleNamespace(labels=[0] * 34))

    def run(command: list[str], **options: object) -> SimpleNamespace:
        """In this process, in which time and memory are made up."""
        monkeypatch.setattr(sys, "argv", ["-c", *command[3:]])
        with redirect_stdout(StringIO()) as printed:
            exec(command[2], {})
        return SimpleNamespace(stdout=printed.getvalue())

    monkeypatch.setattr(data, "load", load)
    monkeypatch.setattr("experiments.memory.peak", lambda: held[0])
    monkeypatch.setattr(subprocess, "run", run)
    found = list(limits._loading("the folder"))
    assert [figure.kept for figure in found] == kept
    assert [figure.name for figure in found] == ["loading 1,234 images", "memory for 1,234 images"]
    assert [figure.measured for figure in found] == [f"{seconds:.2f} s", f"{gibibytes:.2f} GiB"]


@pytest.mark.parametrize(("theirs", "kept"), [(2.9, False), (3.1, True)])
@pytest.mark.project("p05_augmentation")
def test_an_augmentation_that_is_not_three_times_as_fast_misses_its_limit(
    theirs: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch takes a second here, and the generator's so much; one round in three is disturbed."""
    spend, disturbed = clock(monkeypatch), iter([1, 1, 50] * 100)
    few = Images(np.zeros((2, 32, 32, 3), np.uint8), np.zeros(2, np.int64))

    class Drawn:
        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def __len__(self) -> int:
            return 1

        def __getitem__(self, _: int) -> None:
            spend(self.seconds * next(disturbed))

    monkeypatch.setattr(data, "load", lambda _: SimpleNamespace(train=few))
    monkeypatch.setattr("experiments.batches.Batches", lambda *_: Drawn(1.0))
    generator = "keras.src.legacy.preprocessing.image.ImageDataGenerator"
    monkeypatch.setattr(generator, lambda **_: SimpleNamespace(flow=lambda *_, **__: Drawn(theirs)))
    figure = limits.augmenting("sample")
    assert (figure.kept, figure.measured) == (kept, f"2 images a second, {theirs:.1f} times")


@pytest.mark.parametrize(("own", "kept"), [(1.04, True), (1.06, False)])
@pytest.mark.project("p01_deeper")
def test_the_steps_of_an_epoch_are_held_against_those_of_a_plain_fit_behind_the_turn_that_compiles(
    own: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend = clock(monkeypatch)

    def way(*seconds: float) -> SimpleNamespace:
        taken = iter(seconds)

        def epoch(callbacks: Sequence[Any]) -> None:
            for callback in callbacks:
                callback.set_params({"steps": 2})
            for batch, before in enumerate((300.0, next(taken))):  # what comes before the first batch does not count
                spend(before)
                for callback in callbacks:
                    callback.on_train_batch_end(batch, {"loss": 0.5})
            spend(300.0)

        return SimpleNamespace(epoch=epoch)

    monkeypatch.setattr(training, "ours", lambda *_: way(500.0, 80.0, 80.0, own, 0.1, 0.1))
    monkeypatch.setattr(training, "study", lambda *_: way(500.0, 0.1, 1.0, 0.1, 90.0, 90.0))
    figure = limits._training("sample")
    assert (figure.measured, figure.limit, figure.kept) == (f"{own:.3f} times", "1.05 times", kept)


def test_an_up_to_date_run_is_timed_on_the_projects_that_have_every_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {("p00_base", 1): "missing"}

    def standing(_: object, identifier: str, seed: int) -> SimpleNamespace:
        return SimpleNamespace(state=states.get((identifier, seed), "up to date"))

    monkeypatch.setattr(limits, "standing", standing)
    monkeypatch.setattr(catalogue, "identifiers", lambda: ("p00_base", "p01_deeper"))
    assert limits.recorded() == ["p01_deeper"]
    for state in ("stale", "unconfirmed", "unreadable"):
        states["p01_deeper", 2] = state
        with pytest.raises(ReportError, match=rf"p01_deeper seed 2 is {state}; a bench needs every recorded run up to"):
            limits.recorded()
    states["p01_deeper", 2] = "missing"
    with pytest.raises(ReportError, match="No project is recorded with every seed"):
        limits.recorded()


def test_of_a_project_that_a_fork_has_deleted_no_figure_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def figure(name: str) -> Figure:
        return Figure(name, "1 s", "2 s", True)

    def loading(_: str) -> Iterator[Figure]:
        yield figure("loading")

    made: dict[str, Any] = {
        "_up_to_date": lambda: figure("run"),
        "_site": lambda: figure("site"),
        "_loading": loading,
        "augmenting": lambda _: figure("augmenting"),
        "_training": lambda _: figure("training"),
    }
    for name, stand_in in made.items():
        monkeypatch.setattr(limits, name, stand_in)
    for known, measured in (
        ((), []),
        ((limits.PLAIN,), ["training"]),
        ((limits.AUGMENTING,), ["augmenting"]),
        ((limits.PLAIN, limits.AUGMENTING), ["augmenting", "training"]),
    ):
        monkeypatch.setattr(catalogue, "identifiers", lambda known=known: known)
        assert [one.name for one in limits.figures("sample")] == ["run", "site", "loading", *measured]
