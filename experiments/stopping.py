"""Early stopping as the study meant it, under Keras 3.

In the Keras 2 of the study, the callback whose patience ran out restored its best weights at that moment, and another
one that was still waiting did nothing. In Keras 3 each callback with `restore_best_weights` restores when training
ends, so that the last in the list decides, whoever stopped the run. Here, only a callback that stopped it restores:

- one ran out of patience: its best epoch;
- both, in the same epoch: each restores in turn, so that the second of the list, validation accuracy, decides;
- none: the weights of the last epoch stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from keras import callbacks

from experiments.project import EarlyStopping
from reportgen.record import Stopping


class RestoreIfStopped(callbacks.EarlyStopping):  # type: ignore[misc]
    """Keras's early stopping that restores its best weights only if its own patience ran out."""

    def __init__(self, rule: EarlyStopping) -> None:
        mode = "min" if rule.monitor == "val_loss" else "max"
        super().__init__(monitor=rule.monitor, mode=mode, patience=rule.patience, restore_best_weights=True)

    @property
    def ran_out(self) -> bool:
        """Whether this callback ended the run."""
        return bool(self.stopped_epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Restore, or leave the weights to whoever stopped the run."""
        if self.ran_out:
            super().on_train_end(logs)


def outcome(stoppers: Sequence[RestoreIfStopped], epochs: int) -> Stopping:
    """How a run of `epochs` epochs ended, told from its callbacks in the order in which they were given to `fit`."""
    ran_out = [stopper for stopper in stoppers if stopper.ran_out]
    if not ran_out:
        return Stopping(reason="none", restored_epoch=epochs)
    reason = "both" if len(ran_out) > 1 else ran_out[0].monitor
    # Keras counts epochs from 0; the last to restore decides.
    return Stopping(
        reason=cast(Literal["val_loss", "val_accuracy", "both"], reason), restored_epoch=ran_out[-1].best_epoch + 1
    )
