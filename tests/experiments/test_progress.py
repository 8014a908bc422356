"""What a training shows while it runs: a bar that fits its terminal, a whole line an epoch in a log."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

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
