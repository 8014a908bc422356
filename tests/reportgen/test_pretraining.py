"""The record of a pretraining: what was written is read, and what contradicts itself is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reportgen import pretraining
from reportgen.pretraining import Pretraining
from reportgen.record import RecordError
from tests.synthetic import pretraining as made_up


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = made_up()
    file = pretraining.write(record, tmp_path / "set-32px.json")
    assert pretraining.read(file) == record
    assert pretraining.read_all(tmp_path) == {file: record}
    assert pretraining.read_all(tmp_path / "none") == {}


def test_it_is_finished_when_all_epochs_are_done_and_knows_its_passes() -> None:
    whole = made_up()
    assert whole.finished and whole.passes == pytest.approx(2 * 4 * 10 / 80)
    assert not made_up(epochs=5).finished


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 1}, "history has 2 epochs, but epochs is 1"),
        ({"history": []}, "at least 1 item"),
        ({"weights_sha256": "abc"}, "weights_sha256"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        made_up(**changes)


def test_a_top_5_below_the_top_1_is_refused() -> None:
    content = made_up().model_dump(mode="json")
    content["history"][1]["val_top5"] = 0.01
    with pytest.raises(ValidationError, match="val_top5 is below its val_top1"):
        Pretraining.model_validate(content)


@pytest.mark.parametrize("cut", [0, 1, 40, -2])
def test_a_truncated_record_is_refused_with_its_name(tmp_path: Path, cut: int) -> None:
    file = pretraining.write(made_up(), tmp_path / "set-32px.json")
    file.write_text(file.read_text(encoding="utf-8")[:cut], encoding="utf-8")
    with pytest.raises(RecordError, match=r"set-32px\.json"):
        pretraining.read(file)


def test_another_version_is_refused(tmp_path: Path) -> None:
    file = pretraining.write(made_up(), tmp_path / "set-32px.json")
    file.write_text(file.read_text(encoding="utf-8").replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(RecordError, match="schema_version is 2, expected 1"):
        pretraining.read(file)


def test_of_a_pretraining_that_is_not_finished_only_what_was_done_counts() -> None:
    assert made_up(epochs=5).passes == made_up().passes == 1


def test_a_top_5_may_be_as_low_as_the_top_1() -> None:
    content = made_up().model_dump(mode="json")
    content["history"][1]["val_top5"] = content["history"][1]["val_top1"]
    assert Pretraining.model_validate(content).finished
