"""What a project may say, and what it may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from experiments.project import SGD, Adam, Training, patience
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
