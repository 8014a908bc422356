"""What is recorded of a run, beside what is asked for: whether it may stay, told from files alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from experiments import data
from experiments.job import Job, sources
from experiments.standing import Explicit, other_weights, reason_to_train, standing
from experiments.vgg16 import Start
from reportgen import record
from reportgen.errors import ReportError
from tests import synthetic

NAMED = Explicit(data=True, precision=True)


def asked(results: Path, **changes: Any) -> Job:
    return dataclasses.replace(Job("p00_base", 0, "full", "float32", "sample", results), **changes)


def recorded(results: Path, **changes: Any) -> None:
    """A record of seed 0 on the sample, made up."""
    done = synthetic.record(
        "p00_base", 0, **{"sources": sources("p00_base"), "classes": data.CLASSES, "mistakes": []} | changes
    )
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


def test_a_record_of_operations_that_compute_the_same_twice_serves_who_does_not_ask_for_them(tmp_path: Path) -> None:
    usual = synthetic.environment()
    recorded(tmp_path, environment=usual.model_copy(update={"deterministic": True}))
    assert reason_to_train(asked(tmp_path), standing(tmp_path, "p00_base", 0), NAMED) is None


@pytest.mark.parametrize(
    ("began", "reason"),
    [
        ("a" * 64, None),
        ("b" * 64, "recorded on weights of the same name and another content"),
        (None, None),  # those that Keras fetched, of which it tells no hash
    ],
)
def test_weights_of_the_same_name_are_told_apart_by_their_content_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, began: str | None, reason: str | None
) -> None:
    start = Start("mine", None, "a" * 64)
    settings = {"weights": "mine"} | ({"weights_sha256": began} if began else {})
    recorded(tmp_path, settings=settings)
    now = standing(tmp_path, "p00_base", 0)
    monkeypatch.setattr(Job, "start", start)
    assert reason_to_train(asked(tmp_path, vgg16_weights=tmp_path / "w.h5"), now, Explicit()) == reason
    assert now.record and bool(other_weights(asked(tmp_path), now.record)) == bool(reason)


def test_a_record_that_was_confirmed_for_other_sources_is_up_to_date_with_them(tmp_path: Path) -> None:
    recorded(tmp_path)
    folder = record.folder(tmp_path, "p00_base", 0)
    done = record.read(folder / record.RECORD_FILE)
    old = done.model_copy(update={"sources": {**done.sources, "experiments/train.py": "0" * 64}})
    record.write(old, tmp_path)
    assert standing(tmp_path, "p00_base", 0).state == "unconfirmed"
    record.confirm(synthetic.confirmation(sources=done.sources), folder)
    assert standing(tmp_path, "p00_base", 0).state == "up to date"


def test_a_record_that_began_from_no_weights_gives_way_to_a_run_from_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path)
    monkeypatch.setattr(Job, "start", Start("imagenet", None, "a" * 64))
    job = asked(tmp_path, vgg16_weights=tmp_path / "w.h5")
    told = "recorded on no weights that it began from"
    assert reason_to_train(job, standing(tmp_path, "p00_base", 0), Explicit()) == told


@pytest.mark.parametrize(
    ("source", "explicit", "trains"),
    [("sample", Explicit(), True), ("mine", NAMED, True), ("mine", Explicit(precision=True), False)],
)
def test_a_record_whose_classes_have_had_other_names_gives_way_to_a_run_on_images_that_are_named_or_the_sample(
    source: str, explicit: Explicit, trains: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path)
    was = data.CLASSES[0]
    monkeypatch.setattr(data, "CLASSES", ("of another name", *data.CLASSES[1:]))
    monkeypatch.setattr("experiments.standing.other_images", lambda *_: None)  # whose names are not theirs
    told = reason_to_train(asked(tmp_path, source=source), standing(tmp_path, "p00_base", 0), explicit)
    assert told == (f"recorded with the classes {was}, in experiments/data.py now of another name" if trains else None)
