"""The record of what weights see: what was written is read, and what contradicts itself is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reportgen import features
from reportgen.features import FILE, Neighbour
from reportgen.record import RecordError
from tests.synthetic import features as made_up

NEIGHBOUR = {"index": 3, "label": 0, "similarity": 0.5}
SHARE = {"compared_by": "weights", "preprocessing": "1/255", "image_size": 32, "same_class": 0.5}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = made_up()
    file = features.write(record, tmp_path / "set-32px" / FILE)
    assert features.read(file) == record
    assert features.read_all(tmp_path) == {file: record}
    assert features.read_all(tmp_path / "none") == {}
    for name in ("set-64px", "another", "set-128px", "Set"):
        features.write(record, tmp_path / name / FILE)
    names = [file.parent.name for file in features.read_all(tmp_path)]
    assert names == ["Set", "another", "set-128px", "set-32px", "set-64px"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nearest": 3}, "shown has 2 neighbours of image 0, not 3"),
        ({"nearest": 1}, "shown has 2 neighbours of image 0, not 1"),
        ({"weights_sha256": "0123"}, "weights_sha256"),
        ({"images": 4}, "shown has image 4 with label 1"),
        ({"shown": [{"index": 0, "label": 10, "nearest": [NEIGHBOUR] * 2}]}, "shown has image 0 with label 10"),
        ({"shown": []}, "at least 1 item"),
        ({"shares": [SHARE | {"same_class": 1.5}]}, "less than or equal to 1"),
        ({"shares": []}, "at least 1 item"),
        ({"shares": [SHARE, SHARE]}, "one way to compare images twice"),
        ({"shares": [SHARE | {"image_size": 64}]}, "shares begins with weights at 64 pixels, prepared as 1/255"),
        ({"shares": [SHARE | {"preprocessing": None}]}, "shares begins with weights at 32 pixels, prepared as None"),
        ({"classes": ["cat"]}, "at least 2 items"),
        ({"shares": [SHARE | {"compared_by": "untrained"}]}, "shares begins with untrained at 32 pixels"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        made_up(**changes)


def test_a_share_is_found_by_all_of_the_way_in_which_images_were_compared() -> None:
    ways = [("weights", "1/255", 32, 0.5), ("weights", "1/255", 64, 0.4), ("weights", "none", 32, 0.3)]
    ways += [("untrained", "1/255", 32, 0.2)]
    record = made_up(shares=[dict(zip(SHARE, way, strict=True)) for way in ways])
    assert [record.same_class(by, preprocessing, size) for by, preprocessing, size, _ in ways] == [0.5, 0.4, 0.3, 0.2]
    assert record.same_class("pixels", None, 32) is None


@pytest.mark.parametrize("cut", [0, 1, 40, -2])
def test_a_truncated_record_is_refused_with_its_name(tmp_path: Path, cut: int) -> None:
    file = features.write(made_up(), tmp_path / FILE)
    file.write_text(file.read_text(encoding="utf-8")[:cut], encoding="utf-8")
    with pytest.raises(RecordError, match=r"features\.json"):
        features.read(file)


def test_a_record_of_the_first_version_is_told_from_damage(tmp_path: Path) -> None:
    file = features.write(made_up(), tmp_path / FILE)
    file.write_text(file.read_text(encoding="utf-8").replace('"schema_version": 2', '"schema_version": 1'))
    with pytest.raises(RecordError, match="schema_version is 1, expected 2"):
        features.read(file)


@pytest.mark.parametrize("similarity", [-1.0005, 1.0005])
def test_a_cosine_may_be_out_by_what_rounding_leaves_and_by_no_more(similarity: float) -> None:
    assert Neighbour(index=3, label=0, similarity=similarity).similarity == similarity
    with pytest.raises(ValidationError, match="similarity"):
        Neighbour(index=3, label=0, similarity=1.01 * similarity)
