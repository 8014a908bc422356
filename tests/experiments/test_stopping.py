"""The four ways in which early stopping can end a run, each on a real model with scripted validation figures."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import pytest

from experiments.project import EarlyStopping, patience
from experiments.stopping import RestoreIfStopped, outcome


def finish(
    losses: Sequence[float],
    accuracies: Sequence[float],
    allowed: int = 2,
    rules: Sequence[EarlyStopping] | None = None,
) -> tuple[str, int, float]:
    """Play epochs through both callbacks; reason, restored epoch, and the epoch whose weights the model holds."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    stoppers = [RestoreIfStopped(rule) for rule in rules or patience(allowed)]
    model.stop_training = False
    for stopper in stoppers:
        stopper.set_model(model)
        stopper.on_train_begin()
    epochs = 0
    for epoch, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True)):
        model.set_weights([np.full((1, 1), epoch + 1.0)])
        epochs += 1
        for stopper in stoppers:
            stopper.on_epoch_end(epoch, {"val_loss": loss, "val_accuracy": accuracy})
        if model.stop_training:
            break
    for stopper in stoppers:
        stopper.on_train_end()
    ended = outcome(stoppers, epochs)
    return ended.reason, ended.restored_epoch, float(model.get_weights()[0][0, 0])


def test_the_loss_runs_out_and_its_best_epoch_is_restored_though_accuracy_still_improves() -> None:
    """Under Keras 3's own rule the accuracy's best epoch, the fourth, would win."""
    assert finish([1.0, 0.9, 1.1, 1.2], [0.1, 0.2, 0.3, 0.4]) == ("val_loss", 2, 2.0)


def test_the_accuracy_runs_out_and_its_best_epoch_is_restored_though_loss_still_improves() -> None:
    assert finish([1.0, 0.9, 0.8, 0.7, 0.6], [0.1, 0.2, 0.5, 0.4, 0.3]) == ("val_accuracy", 3, 3.0)


def test_both_run_out_in_the_same_epoch_and_restore_the_same_weights() -> None:
    assert finish([1.0, 0.5, 0.6, 0.7], [0.1, 0.5, 0.5, 0.5]) == ("both", 2, 2.0)


def test_with_unequal_patience_the_accuracy_listed_second_wins_a_tie() -> None:
    """Equal patience that runs out together began together; only unequal patience can tell who decides."""
    rules = (EarlyStopping("val_loss", 2), EarlyStopping("val_accuracy", 3))
    assert finish([1.0, 0.9, 0.5, 0.6, 0.7], [0.1, 0.5, 0.5, 0.5, 0.5], rules=rules) == ("both", 2, 2.0)


def test_none_runs_out_and_the_last_weights_stay() -> None:
    assert finish([1.0, 0.9, 0.95], [0.1, 0.2, 0.15]) == ("none", 3, 3.0)


@pytest.mark.parametrize("allowed", [1, 3, 5])
def test_patience_counts_the_epochs_without_improvement(allowed: int) -> None:
    losses = [1.0, 0.5] + [0.6] * 10
    accuracies = [0.1 * step for step in range(12)]
    model_epoch = finish(losses, accuracies, allowed)
    assert model_epoch == ("val_loss", 2, 2.0)


def test_a_patience_of_one_ends_a_run_after_the_second_epoch_which_is_restored_from_the_first() -> None:
    """As in a canary; Keras counts the epoch in which it stops from 0."""
    assert finish([0.5, 0.6, 0.7], [0.1, 0.2, 0.3], 1) == ("val_loss", 1, 1.0)
