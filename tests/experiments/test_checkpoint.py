"""A run that is cut off resumes after its last finished epoch and ends as if nothing had happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments import catalogue, data
from experiments.checkpoint import Checkpoint, Diary, Sparing
from experiments.project import Adam, EarlyStopping, Project
from experiments.stopping import RestoreIfStopped
from experiments.train import Run, build, steps_of, train
from reportgen.errors import ReportError

pytestmark = pytest.mark.project("p05_augmentation", "p12_residual")

EPOCHS = 6


@pytest.fixture(autouse=True)
def after_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.checkpoint.SHARE", 1.0)


class CutOff(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends the process, as far as `fit` can tell, in the middle of the fourth epoch."""

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if len(self.model.history.epoch) == 3 and batch >= 2:  # several are taken in one call
            raise KeyboardInterrupt


def small(identifier: str) -> Project:
    """Batches of which an epoch on the sample has more than one call takes, and images on which a step is quick."""
    declared = catalogue.load(identifier)
    training = dataclasses.replace(declared.training, batch_size=32)
    return dataclasses.replace(declared, image_size=16, training=training)


def run(
    checkpoint: Checkpoint | None,
    *callbacks: Any,
    identifier: str = "p05_augmentation",
    declared: Project | None = None,
    precision: str = "float32",
    epochs: int = EPOCHS,
) -> Run:
    declared = declared or small(identifier)
    split = data.split(data.load("sample"), 1)
    steps = steps_of(declared.training, len(split.train.labels), EPOCHS)
    return train(
        declared,
        build(declared, 1, precision, steps),
        split,
        1,
        epochs=epochs,
        checkpoint=checkpoint,
        callbacks=callbacks,
    )


def without_seconds(found: Run) -> Run:
    history = tuple(epoch.model_copy(update={"seconds": 0.0}) for epoch in found.history)
    return dataclasses.replace(found, history=history, seconds=0.0)


@pytest.mark.parametrize("identifier", ["p02_dropout", "p12_residual"])
def test_a_run_that_was_cut_off_ends_like_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identifier: str
) -> None:
    """Dropout and both rules; batch normalization, shifts, momentum, a schedule and averaged weights, in a network of
    networks.
    """
    from experiments.projects import p12_residual

    monkeypatch.setattr(p12_residual, "WIDTHS", (16, 16, 16))  # quicker, and as many states
    file = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint(file, {"sources": {"a.py": "1"}}), CutOff(), identifier=identifier)
    assert file.exists()
    resumed = run(Checkpoint(file, {"sources": {"a.py": "1"}}), identifier=identifier)
    assert len(resumed.history) == EPOCHS
    assert without_seconds(resumed) == without_seconds(run(None, identifier=identifier))


def test_the_weights_of_a_best_epoch_before_the_cut_are_those_that_are_kept(tmp_path: Path) -> None:
    """Under an optimizer that scales the loss."""
    base = small("p00_base")
    rules = (EarlyStopping("val_loss", 4), EarlyStopping("val_accuracy", 4))
    # Steps so long that no epoch comes up to the first.
    training = dataclasses.replace(base.training, early_stopping=rules, optimizer=Adam(learning_rate=0.1))
    declared = dataclasses.replace(base, training=training)
    whole = run(None, declared=declared, precision="mixed_float16")
    assert whole.stopping.reason != "none" and whole.stopping.restored_epoch < 3, "a best epoch before the cut"
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint(tmp_path / "run.npz", {}), CutOff(), declared=declared, precision="mixed_float16")
    resumed = run(Checkpoint(tmp_path / "run.npz", {}), declared=declared, precision="mixed_float16")
    assert without_seconds(resumed) == without_seconds(whole)


def test_changed_sources_are_named_and_the_run_does_not_go_on(tmp_path: Path) -> None:
    file = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint(file, {"sources": {"a.py": "1", "b.py": "1"}}), CutOff(), identifier="p00_base")
    with pytest.raises(ReportError, match=r"cut off after epoch 3 and cannot go on.*changed since: b\.py\."):
        run(Checkpoint(file, {"sources": {"a.py": "1", "b.py": "2"}}), identifier="p00_base")


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    file = tmp_path / "run.npz"
    file.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ReportError, match="expected a checkpoint, found a damaged file"):
        run(Checkpoint(file, {}), identifier="p00_base")


def without_a_variable(file: Path) -> None:
    with np.load(file) as found:
        arrays = dict(found)
    del arrays["variable_1"]
    np.savez(file, **arrays)


def of_one_array(file: Path) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.zeros(3))


@pytest.mark.parametrize("spoil", [without_a_variable, of_one_array])
def test_a_checkpoint_that_can_be_read_and_lacks_something_is_told(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    file = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        run(Checkpoint(file, {}), CutOff(), declared=declared_short())
    spoil(file)
    with pytest.raises(ReportError, match=r"run\.npz: expected a checkpoint, found a damaged .*Start over with --rest"):
        run(Checkpoint(file, {}), declared=declared_short())


def test_a_disk_that_takes_no_checkpoint_does_not_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="no checkpoint can be written.*The run goes on"):
        done = run(Checkpoint(tmp_path / "file" / "run.npz", {}), declared=declared_short(), epochs=2)
    assert len(done.history) == 2


def test_a_run_began_with_its_first_sitting_and_tells_the_fullest_of_them(tmp_path: Path) -> None:
    def sitting(beside: int) -> Checkpoint:
        return Checkpoint(tmp_path / "run.npz", {}, beside)

    first, then = sitting(3), sitting(1)
    first.began = first.began.replace(year=2020)
    with pytest.raises(KeyboardInterrupt):
        run(first, CutOff(), declared=declared_short())
    run(then, declared=declared_short())
    assert (then.began, then.beside) == (first.began, 3)


def declared_short() -> Project:
    """A small network on small images."""
    return dataclasses.replace(small("p00_base"), image_size=8)


def test_writing_takes_no_more_than_its_share_of_the_time_and_begins_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now, share = 100.0, 0.1
    monkeypatch.setattr("experiments.checkpoint.SHARE", share)
    monkeypatch.setattr("experiments.checkpoint.time.perf_counter", lambda: now)
    sparing = Sparing()
    assert sparing.due
    with sparing.timed():
        now += 2
    now += 2 / share - 2 - 0.01
    assert not sparing.due
    now += 0.02
    assert sparing.due


def test_a_rule_goes_on_with_its_own_best_epoch_best_value_weights_and_patience(tmp_path: Path) -> None:
    def rules() -> list[RestoreIfStopped]:
        return [RestoreIfStopped(EarlyStopping("val_loss", 4)), RestoreIfStopped(EarlyStopping("val_accuracy", 4))]

    def state(stopper: RestoreIfStopped) -> tuple[Any, ...]:
        return stopper.wait, stopper.best, stopper.best_epoch, [weights.tolist() for weights in stopper.best_weights]

    model, diary, before, now = build(declared_short(), 1, "float32"), Diary(), rules(), rules()
    for k, stopper in enumerate(before):
        stopper.wait, stopper.best, stopper.best_epoch = k + 1, 0.5 + k / 4, 2 - k
        stopper.best_weights = [np.full(weight.shape, k, np.float32) for weight in model.weights]
    Checkpoint(tmp_path / "run.npz", {}).write(model, before, diary)
    resumed = Checkpoint(tmp_path / "run.npz", {})
    resumed.resume(model, diary)
    for stopper in now:
        stopper.on_train_begin()
    resumed.restore_rules(now)
    assert [*map(state, now)] == [*map(state, before)]


def test_an_epoch_takes_from_its_beginning_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 13.5, 20.0, 21.0])
    monkeypatch.setattr("experiments.checkpoint.time.perf_counter", lambda: next(clock))
    diary = Diary()
    for epoch in range(2):
        diary.on_epoch_begin(epoch)
        diary.on_epoch_end(epoch, {"loss": 1.0})
    assert diary.epochs == [{"loss": 1.0, "seconds": 3.5}, {"loss": 1.0, "seconds": 1.0}]


@pytest.mark.parametrize(("before", "now"), [({"a.py": "1"}, {"a.py": "1", "b.py": "1"}), ({"b.py": "1"}, {})])
def test_a_source_that_has_come_or_gone_since_is_named(
    tmp_path: Path, before: dict[str, str], now: dict[str, str]
) -> None:
    model = build(declared_short(), 1, "float32")
    Checkpoint(tmp_path / "run.npz", {"sources": before}).write(model, [], Diary())
    with pytest.raises(ReportError, match=r"changed since: b\.py\."):
        Checkpoint(tmp_path / "run.npz", {"sources": now}).resume(model, Diary())


def test_the_fullest_sitting_may_be_the_last(tmp_path: Path) -> None:
    model, now = build(declared_short(), 1, "float32"), Checkpoint(tmp_path / "run.npz", {}, 3)
    Checkpoint(tmp_path / "run.npz", {}, 1).write(model, [], Diary())
    now.resume(model, Diary())
    assert now.beside == 3
