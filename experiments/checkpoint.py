"""Where a run stands after a finished epoch, so that one that was cut off goes on instead of starting over.

A checkpoint holds the weights, the optimizer's and the layers' random states, the state of both early-stopping rules
with the weights of their best epochs, and the history with its seconds. The order of the images and their augmentation
need no state: seed and epoch decide them. It is one file, replaced whole after an epoch, away from the results, and
removed when the run is recorded. Where epochs take seconds, as on a GPU, it is not written after each of them: what
keeps a run safe should not take as long as the run.
"""

from __future__ import annotations

import json
import math
import time
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np

from experiments.stopping import RestoreIfStopped
from reportgen.errors import ReportError
from reportgen.record import replacing

SHARE = 0.1
"""The part of the time that may go into writing."""


class Sparing:
    """Lets something be done as often as it takes no more than a `SHARE` of the time, and at first at once."""

    def __init__(self) -> None:
        self._next = -math.inf

    @property
    def due(self) -> bool:
        """Whether it may be done again."""
        return time.perf_counter() >= self._next

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Do it inside."""
        began = time.perf_counter()
        yield
        ended = time.perf_counter()
        self._next = ended + (ended - began) * (1 - SHARE) / SHARE


class Diary(keras.callbacks.Callback):  # type: ignore[misc]
    """Every finished epoch: Keras's own figures, and the seconds that it took, validation included."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self.epochs.append({**figures, "seconds": time.perf_counter() - self._began})


class Checkpoint:
    """The checkpoint of one run, in one file."""

    def __init__(self, file: Path, identity: dict[str, Any], beside: int = 1) -> None:
        """`identity` is everything that must be unchanged for the run to go on, by name, as JSON can hold it.

        `beside` tells how many trainings are on the machine now.
        """
        self.file = file
        self.began = datetime.now(UTC).replace(microsecond=0)
        """When the run was started, in the first of its sittings."""
        self.beside = beside
        """How many trainings were on the machine at a time, in the fullest of its sittings."""
        self._identity: dict[str, Any] = json.loads(json.dumps(identity))
        self._rules: list[dict[str, Any]] = []

    def write(self, model: keras.Model, stoppers: Sequence[RestoreIfStopped], diary: Diary) -> None:
        """Keep the state behind the epoch that has just ended; the file is replaced whole or not at all."""
        state: dict[str, Any] = {
            "identity": self._identity,
            "began": self.began.isoformat(),
            "beside": self.beside,
            "history": diary.epochs,
            "rules": [],
        }
        arrays: dict[str, Any] = {
            f"variable_{k}": keras.ops.convert_to_numpy(variable) for k, variable in enumerate(_variables(model))
        }
        for k, stopper in enumerate(stoppers):
            # Keras starts `best` as None or infinity, and keeps no weights before a first improvement.
            best = None if stopper.best is None else float(stopper.best)
            state["rules"].append({"wait": stopper.wait, "best": best, "best_epoch": stopper.best_epoch})
            for n, weights in enumerate(stopper.best_weights or ()):
                arrays[f"best_{k}_{n}"] = weights
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.file) as stream:
            np.savez(stream, state=np.array(json.dumps(state)), **arrays)

    def resume(self, model: keras.Model, diary: Diary) -> None:
        """Set `model` and `diary` to where the run stood, if it left a checkpoint.

        Raises:
            ReportError: the file is damaged, or was left by a run that differs in sources, settings or data.
        """
        if not self.file.exists():
            return
        try:
            with np.load(self.file) as found:
                arrays = dict(found)
            state = json.loads(str(arrays.pop("state")))
            if changed := sorted(_differences(state["identity"], self._identity)):
                raise ReportError(
                    f"{self.file}: this run was cut off after epoch {len(state['history'])} and cannot go on, because "
                    f"these have changed since: {', '.join(changed)}. Put them back, or start over with --restart."
                )
            for k, variable in enumerate(_variables(model)):
                variable.assign(arrays[f"variable_{k}"])
            diary.epochs[:] = state["history"]
            self.began = datetime.fromisoformat(state["began"])
            self.beside = max(self.beside, state["beside"])
            self._rules = [
                {
                    **rule,
                    "best_weights": [arrays[f"best_{k}_{n}"] for n in range(len(model.weights))]
                    if f"best_{k}_0" in arrays
                    else None,
                }
                for k, rule in enumerate(state["rules"])
            ]
        except (OSError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile, EOFError) as problem:
            raise ReportError(
                f"{self.file}: expected a checkpoint, found a damaged file ({problem}). Start over with --restart."
            ) from problem

    def restore_rules(self, stoppers: Sequence[RestoreIfStopped]) -> None:
        """Set the early-stopping rules to where they stood; Keras has just reset them."""
        for stopper, rule in zip(stoppers, self._rules, strict=False):
            for name, value in rule.items():
                setattr(stopper, name, value)

    def remove(self) -> None:
        """The run is recorded, or starts over."""
        self.file.unlink(missing_ok=True)


class KeepCheckpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps a checkpoint after an epoch; stands behind the early-stopping rules and the diary in the list.

    Where it cannot be written, as on a full disk, the training goes on, and a warning says so once.
    """

    def __init__(self, checkpoint: Checkpoint, stoppers: Sequence[RestoreIfStopped], diary: Diary) -> None:
        super().__init__()
        self._checkpoint, self._stoppers, self._diary = checkpoint, stoppers, diary
        self._sparing = Sparing()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._checkpoint.restore_rules(self._stoppers)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # What follows the last epoch is cheap; cut off there, that epoch is repeated and the rules stop it again.
        last = self.model.stop_training or epoch + 1 >= self.params["epochs"]
        if not last and self._sparing.due and np.isfinite(self._diary.epochs[-1]["loss"]):
            with self._sparing.timed():
                try:
                    self._checkpoint.write(self.model, self._stoppers, self._diary)
                except OSError as problem:
                    # Python shows the same warning of one place once.
                    warnings.warn(
                        f"{self._checkpoint.file}: no checkpoint can be written ({problem.strerror}). The run goes on; "
                        "cut off, it would resume after an earlier epoch, or start over.",
                        stacklevel=2,
                    )


def _variables(model: keras.Model) -> list[Any]:
    """Weights, the generators of dropout, and what the optimizer remembers."""
    return [*model.variables, *model.optimizer.variables]


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    found = []
    for name in before.keys() | now.keys():
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new)
        elif old != new:
            found.append(name)
    return found
