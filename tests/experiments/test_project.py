"""What a project may say, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from experiments.project import SGD, Adam, Augmentation, EarlyStopping, Resources, Training, Translation, patience
from reportgen.errors import ReportError


@given(st.integers(max_value=0))
def test_no_batch_and_no_training_is_empty(number: int) -> None:
    with pytest.raises(ValidationError, match="batch_size"):
        Training(batch_size=number, early_stopping=())
    with pytest.raises(ValidationError, match="epochs"):
        Training(batch_size=64, early_stopping=(), epochs=number)
    with pytest.raises(ValidationError, match="learning_rate"):
        Adam(learning_rate=number)


def test_averaged_weights_are_not_put_back_by_a_rule_that_knows_those_of_one_epoch() -> None:
    averaging = SGD(learning_rate=0.1, momentum=0.9, warmup=0.1, weight_decay=0.0, averaging=0.9)
    assert Training(batch_size=64, early_stopping=(), optimizer=averaging).optimizer == averaging
    with pytest.raises(ReportError, match=r"expected early_stopping=\(\) beside SGD"):
        Training(batch_size=64, early_stopping=patience(5), optimizer=averaging)


CYCLE = {"learning_rate": 0.1, "momentum": 0.9, "warmup": 0.1, "weight_decay": 0.0, "averaging": 0.9}


def test_the_study_s_rules_stand_in_its_order() -> None:
    """The first that is broken decides to which epoch a training goes back."""
    assert patience(7) == (EarlyStopping("val_loss", 7), EarlyStopping("val_accuracy", 7))


@pytest.mark.parametrize(
    ("kind", "sound", "spoilt"),
    [
        (SGD, CYCLE, {"learning_rate": 0.0}),
        (SGD, CYCLE, {"momentum": 1.5}),
        (SGD, CYCLE, {"warmup": -0.1}),
        (SGD, CYCLE, {"averaging": 1.01}),
        (EarlyStopping, {"monitor": "val_loss", "patience": 1}, {"patience": 0}),
        (Augmentation, {"rotation": 15, "shift": 0.1, "horizontal_flip": True}, {"shift": 1.1}),
        (Translation, {"pixels": 0, "cutout": 0}, {"pixels": -1}),
        (Translation, {"pixels": 0, "cutout": 0}, {"cutout": -1}),
        (Training, {"batch_size": 1, "early_stopping": (), "label_smoothing": 1.0}, {"label_smoothing": 1.1}),
        (Resources, {"cpus": 1}, {"cpus": 0}),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_its_name(
    kind: Any, sound: dict[str, Any], spoilt: dict[str, Any]
) -> None:
    kind(**sound)
    (name,) = spoilt
    with pytest.raises(ValidationError, match=name):
        kind(**{**sound, **spoilt})
