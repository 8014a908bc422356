"""What a training shows while it runs: a bar on a terminal, a line an epoch in a log."""

from __future__ import annotations

from typing import Any, Self

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

WIDE = 130
"""Columns of a terminal that has room for every figure of an epoch; a narrower one is shown the foremost."""


class EpochProgress(keras.callbacks.Callback):  # type: ignore[misc]
    """Epoch, loss, accuracy and remaining time (until the last epoch allowed; early stopping usually comes first).

    As a context it takes its bar from the terminal even where a training is cut off.
    """

    def __init__(self, title: str, epochs: int, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or Console()
        self._title = title
        self._epochs = epochs
        self._wide = self._console.width >= WIDE
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24 if self._wide else 8),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}  {task.fields[figures]}"),
            TimeElapsedColumn(),
            TextColumn("at most" if self._wide else "≤"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._begun = False
        self._steps = self.params["steps"]
        self._task = self._bar.add_task(
            self._title, total=self._epochs * self._steps, epoch=1, epochs=self._epochs, figures=""
        )
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch and not self._begun:
            self._print(f"{self._title}  resumes after epoch {epoch}, where it was cut off; --restart starts over")
        self._begun = True
        self._done = epoch * self._steps
        self._bar.update(self._task, epoch=epoch + 1, completed=self._done)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Of several steps in one call only the last is told, which may lie beyond the epoch.
        self._bar.update(self._task, completed=self._done + min(batch + 1, self._steps))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        foremost = f"val_accuracy {logs['val_accuracy']:.1%}"
        figures = (
            f"loss {logs['loss']:.3f}  accuracy {logs['accuracy']:.1%}  val_loss {logs['val_loss']:.3f}  {foremost}"
        )
        self._bar.update(self._task, figures=figures if self._wide else foremost)
        if not self._console.is_terminal:
            self._print(f"{self._title}  epoch {epoch + 1}/{self._epochs}  {figures}")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._bar.stop()
