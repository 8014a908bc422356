"""What is recorded of a run, beside what is asked for: whether it may stay, told from files alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from experiments import data
from experiments.job import Job, sources
from experiments.standing import Explicit, reason_to_train, standing
from reportgen import record
from reportgen.errors import ReportError
from tests import synthetic

NAMED = Explicit(data=True, precision=True)


def asked(results: Path, **changes: Any) -> Job:
    return dataclasses.replace(Job("p00_base", 0, "full", "float32", "sample", results), **changes)


def recorded(results: Path, **changes: Any) -> None:
    """A record of seed 0 on the sample, made up."""
    done = synthetic.record("p00_base", 0, sources=sources("p00_base"), **changes)
    seen = {"name": "sample", "origin": "sample", "sha256": data.load("sample").sha256}
    record.write(done.model_copy(update={"dataset": done.dataset.model_copy(update=seen)}), results)


def test_a_record_is_missing_up_to_date_of_other_sources_or_not_to_be_read(tmp_path: Path) -> None:
    assert standing(tmp_path, "p00_base", 0).state == "missing"
    recorded(tmp_path)
    assert standing(tmp_path, "p00_base", 0).state == "up to date"
    file = tmp_path / "p00_base" / "seed-0" / record.RECORD_FILE
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(sources("p00_base")["experiments/train.py"], "0" * 64), encoding="utf-8")
    now = standing(tmp_path, "p00_base", 0)
    assert (now.state, now.detail) == ("unconfirmed", "experiments/train.py")
    file.write_text(text[:300], encoding="utf-8")
    now = standing(tmp_path, "p00_base", 0)
    assert now.state == "unreadable"
    with pytest.raises(ReportError, match="Or train it anew with --force"):
        reason_to_train(asked(tmp_path), now, Explicit())
    assert reason_to_train(asked(tmp_path), now, Explicit(force=True)) == "forced"


@pytest.mark.parametrize(
    ("changes", "explicit", "reason"),
    [
        ({}, NAMED, None),
        ({}, Explicit(force=True), "forced"),
        ({"deterministic": True}, NAMED, "recorded with operations that need not compute the same twice"),
        ({"precision": "mixed_bfloat16"}, NAMED, "recorded in float32"),
        ({"precision": "mixed_bfloat16"}, Explicit(data=True), None),
        ({"source": "keras"}, NAMED, "recorded on sample"),
        ({"source": "keras"}, Explicit(precision=True), None),
    ],
)
def test_a_record_may_stay_unless_what_a_user_has_named_is_another(
    tmp_path: Path, changes: dict[str, Any], explicit: Explicit, reason: str | None
) -> None:
    recorded(tmp_path)
    assert reason_to_train(asked(tmp_path, **changes), standing(tmp_path, "p00_base", 0), explicit) == reason


def test_a_smoke_run_gives_way_to_a_full_one_and_replaces_none(tmp_path: Path) -> None:
    recorded(tmp_path, profile="smoke")
    assert reason_to_train(asked(tmp_path), standing(tmp_path, "p00_base", 0), NAMED) == "recorded with profile smoke"
    recorded(tmp_path)
    with pytest.raises(ReportError, match="which a smoke run would replace"):
        reason_to_train(asked(tmp_path, profile="smoke"), standing(tmp_path, "p00_base", 0), NAMED)
