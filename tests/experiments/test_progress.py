"""What a training shows while it runs: a bar that fits its terminal, a whole line an epoch in a log."""

from __future__ import annotations

import re
from io import StringIO

import keras
import numpy as np
import pytest
from rich.console import Console
from rich.progress import Task

from experiments.progress import EpochProgress

LOGS = {"loss": 0.9876, "accuracy": 0.6543, "val_loss": 1.0123, "val_accuracy": 0.6012}
FIGURES = "loss 0.988  accuracy 65.4%  val_loss 1.012  val_accuracy 60.1%"


def shown(console: Console, first: int = 0) -> str:
    """What two epochs of two batches show, of which `first` were done before."""
    with EpochProgress("p12_residual seed 0", 40, console) as progress:
        progress.set_params({"steps": 2, "epochs": 40, "verbose": 0})
        progress.on_train_begin()
        for epoch in range(first, first + 2):
            progress.on_epoch_begin(epoch)
            for batch in range(2):
                progress.on_train_batch_end(batch)
            progress.on_epoch_end(epoch, LOGS)
        progress.on_train_end()
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("width", "figures"), [(80, "val_accuracy 60.1%"), (200, FIGURES)])
def test_a_bar_fits_its_terminal_with_the_time_that_is_left(width: int, figures: str) -> None:
    seen = shown(Console(file=StringIO(), force_terminal=True, width=width, color_system=None))
    assert f"epoch 2/40  {figures}" in seen
    assert "…" not in seen, "nothing is cut off"
    assert seen.count("\n") == 1, "the bar is one line, and epochs have none of their own"


def test_a_log_has_a_line_an_epoch_however_long_and_is_told_of_a_resumption() -> None:
    seen = shown(Console(file=StringIO(), width=80), first=10)
    resumed, *epochs = seen.splitlines()
    assert resumed == "p12_residual seed 0  resumes after epoch 10, where it was cut off; --restart starts over"
    assert epochs == [f"p12_residual seed 0  epoch {number}/40  {FIGURES}" for number in (11, 12)]


SHOWN, HIDDEN = "\x1b[?25h", "\x1b[?25l"
"""What shows a terminal's cursor and hides it."""


@pytest.mark.parametrize("first", [0, 3])
def test_a_bar_goes_on_by_a_step_of_all_epochs_from_where_the_training_was_cut_off(first: int) -> None:
    """The time that remains is reckoned from that."""
    console = Console(file=StringIO(), force_terminal=True, width=200, color_system=None)
    with EpochProgress("p00_base seed 0", 5, console) as progress:
        progress.set_params({"steps": 4, "epochs": 5, "verbose": 0})
        progress.on_train_begin()
        (task,) = progress._bar.tasks
        seen: list[tuple[float, float]] = []

        def look(task: Task = task) -> None:
            seen.append((task.completed, task.percentage))

        progress.on_epoch_begin(first)
        look()
        for batch in range(3):
            progress.on_train_batch_end(batch)
        look()
        progress.on_train_batch_end(3)
        progress.on_epoch_end(first, LOGS)
        progress.on_epoch_begin(first + 1)
        look()
    done = 4 * first
    assert seen == [(steps, 5 * steps) for steps in (done, done + 3, done + 4)], "a step of twenty is five per cent"


@pytest.mark.parametrize("together", [1, 2, 3, 8])
def test_of_several_steps_in_one_call_the_bar_goes_on_by_all(together: int) -> None:
    """Keras tells only of the last of them, and counts as if the last call of an epoch were as long as the others."""
    console = Console(file=StringIO(), force_terminal=True, width=200, color_system=None)
    keras.utils.set_random_seed(0)  # `fit` shuffles
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["accuracy"], steps_per_execution=together)
    seen: list[float] = []
    with EpochProgress("p00_base seed 0", 2, console) as progress:
        look = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda _, logs: seen.append(progress._bar.tasks[0].completed),
            on_epoch_begin=lambda _, logs: seen.append(progress._bar.tasks[0].completed),
        )
        shown = np.zeros((7, 1), np.float32), np.zeros((7, 1), np.float32)
        model.fit(*shown, batch_size=1, epochs=2, validation_data=shown, verbose=0, callbacks=[progress, look])
    calls = [min(done, 7) for done in range(together, 7 + together, together)]
    assert seen == [0, *calls, 7, *(7 + done for done in calls)]


def test_the_time_that_is_left_at_most_stands_at_the_end_of_the_line() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=200, color_system=None)
    with EpochProgress("p00_base seed 0", 40, console) as progress:
        progress.set_params({"steps": 2, "epochs": 40, "verbose": 0})
        progress.on_train_begin()
        progress.on_epoch_begin(0)
    assert isinstance(console.file, StringIO)
    assert re.search(r"epoch 1/40 +0:00:00 at most -:--:--", console.file.getvalue())


@pytest.mark.parametrize("cut_off", [False, True])
def test_a_training_that_ends_leaves_a_terminal_without_its_bar_and_with_its_cursor(cut_off: bool) -> None:
    """Of one that fails or is cut off, nobody tells the bar that it has ended."""
    console = Console(file=StringIO(), force_terminal=True, width=200)
    progress = EpochProgress("p00_base seed 0", 40, console)
    progress.set_params({"steps": 2, "epochs": 40, "verbose": 0})
    progress.on_train_begin()
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().count(HIDDEN) == 1
    if cut_off:
        with pytest.raises(KeyboardInterrupt), progress:
            raise KeyboardInterrupt
    else:
        progress.on_train_end()
    seen = console.file.getvalue()
    assert seen.count(SHOWN) == 1 and "p00_base" not in seen.rpartition(SHOWN)[2]
    assert seen.endswith("\x1b[2K"), "the line is wiped"
