"""The format of a bench: what is compared stands beside its reference, and survives the way to the disk and back."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reportgen.bench import Bench, Comparison, read, read_all, write
from reportgen.errors import ReportError
from tests.synthetic import environment

rounds = st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=5).map(tuple)


def comparison(**changes: Any) -> Comparison:
    """Training twice as fast as its reference."""
    content = {
        "group": "training",
        "subject": "p00_base",
        "unit": "images/s",
        "measured": (200.0, 220.0, 90.0),
        "against": "plain",
        "reference": (100.0, 100.0, 100.0),
    }
    return Comparison.model_validate({**content, **changes})


def bench(*comparisons: Comparison) -> Bench:
    """A quick session of one comparison, unless others are given."""
    return Bench(
        measured=datetime(2026, 3, 1, tzinfo=UTC),
        quick=True,
        environment=environment(),
        load=1.25,
        comparisons=comparisons or (comparison(),),
    )


@given(rounds, rounds)
def test_a_bench_is_read_as_it_was_written(measured: tuple[float, ...], reference: tuple[float, ...]) -> None:
    original = bench(comparison(measured=measured, reference=reference))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new" / "bench.json"
        write(original, file)
        assert read(file) == original


def test_each_machine_has_a_file_of_its_own_and_a_new_bench_there_replaces_the_one_before(tmp_path: Path) -> None:
    here = bench()
    there = here.model_copy(update={"environment": environment().model_copy(update={"device": "NVIDIA H200"})})
    for one in (there, here, here.model_copy(update={"load": 0.5})):
        write(one, tmp_path / one.file_name)
    assert [file.name for file in sorted(tmp_path.iterdir())] == [here.file_name, there.file_name]
    assert there.file_name == "nvidia-h200-2-cores.json"
    assert [one.load for one in read_all(tmp_path)] == [0.5, 1.25]
    assert read_all(tmp_path / "none") == ()
    with pytest.raises(ReportError, match=r"expected a folder of benches.*found a file\. Put it into a folder"):
        read_all(tmp_path / here.file_name)


def test_rounds_that_were_measured_beside_each_other_are_compared_one_by_one() -> None:
    assert comparison().ratios == (2.0, 2.2, 0.9)
    assert comparison(reference=(50.0,)).ratios == (4.0,), "the median of the rounds where they are no pairs"


@pytest.mark.parametrize(
    "changes", [{"reference": ()}, {"measured": (0.0,)}, {"unit": "furlongs"}, {"against": "Not a name"}], ids=str
)
def test_a_figure_without_its_comparison_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        comparison(**changes)


def test_what_is_compared_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="compared twice: training p00_base plain"):
        bench(comparison(), comparison())


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("schema_version", 9, r"schema_version is 9, expected 1\. It was written by another version"),
        ("load", -1, r"field load: .*, found -1"),
        ("comparisons", [], "field comparisons: "),
    ],
)
def test_a_file_of_another_version_or_with_a_wrong_field_is_refused_by_name(
    field: str, value: object, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "bench.json"
    content = {**json.loads(bench().model_dump_json()), field: value}
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ReportError, match=rf"bench\.json: {complaint}"):
        read(file)


def test_a_file_that_was_cut_off_or_saved_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    file.write_bytes(b"\xf1")
    with pytest.raises(ReportError, match=r"bench\.json: cannot be read as UTF-8 text"):
        read(file)
    file.write_text(bench().model_dump_json()[:100], encoding="utf-8")
    with pytest.raises(ReportError, match=r"bench\.json, line 1, column .*: not valid JSON"):
        read(file)


def test_rounds_that_are_no_pairs_are_compared_by_their_medians_on_both_sides() -> None:
    assert comparison(measured=(4.0, 1.0, 6.0, 5.0), reference=(1.0, 2.0, 9.0)).ratios == (2.25,)
