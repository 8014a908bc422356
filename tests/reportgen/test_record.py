"""The record survives the way to the disk and back, and what cannot be a record is refused with a clear sentence."""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
import threading
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reportgen.record import (
    CONFIRMATIONS_FILE,
    Record,
    RecordError,
    confirm,
    dumps,
    files,
    folder,
    read,
    read_all,
    read_confirmations,
    read_declarations,
    slug,
    write,
    write_declaration,
    write_together,
)
from tests.synthetic import confirmation, declaration, environment, record

measured = st.floats(0, allow_nan=False, allow_infinity=False)
settings = st.dictionaries(
    st.text(),
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    max_size=4,
)
records = st.builds(
    record,
    project=st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True),
    seed=st.integers(0, 10**6),
    length=st.integers(1, 12),
    right=st.integers(0, 100),
    seconds=measured,
    train=st.fixed_dictionaries({"accuracy": st.floats(0, 1), "cross_entropy": measured}),
    settings=settings,
    command=st.text(),
    started=st.datetimes(timezones=st.just(UTC)),
)


@given(records)
def test_a_record_is_read_as_it_was_written(original: Record) -> None:
    with tempfile.TemporaryDirectory() as results:
        file = write(original, Path(results))
        assert file == folder(Path(results), original.project, original.seed) / "record.json"
        assert read(file) == original
        assert write(read(file), Path(results)).read_text(encoding="utf-8") == dumps(original), "the same bytes again"


def test_every_epoch_stands_on_a_line_of_its_own_so_that_a_difference_can_be_read() -> None:
    lines = dumps(record(length=4)).splitlines()
    assert sum('"val_accuracy"' in line for line in lines) == 4 + 2, "four of the run, two of the canary"


def test_all_records_are_read_in_the_order_of_projects_and_seeds(tmp_path: Path) -> None:
    for project, seed in (("p01_deeper", 0), ("p00_base", 10), ("p00_base", 2)):
        write(record(project, seed), tmp_path)
    assert [(run.project, run.seed) for run in read_all(tmp_path)] == [
        ("p00_base", 2),
        ("p00_base", 10),
        ("p01_deeper", 0),
    ]


def test_where_nothing_was_recorded_there_are_no_records(tmp_path: Path) -> None:
    assert read_all(tmp_path) == ()
    assert read_all(tmp_path / "missing") == ()


def test_a_record_in_the_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    file = write(record("p00_base", 1), tmp_path)
    file.parent.rename(file.parent.with_name("seed-2"))
    with pytest.raises(RecordError, match=r"seed-2.*is the record of p00_base with seed 1, expected in .*seed-1"):
        read_all(tmp_path)


@pytest.mark.parametrize(
    "place",
    [
        *("p00_base/seed-0-backup", "p00_base/seed-00", "p00_base/seed-", "p00_base/seed_2", "p00_base/Seed-2"),
        *("p00_base", ".", "a/b/c/seed-0"),
    ],
)
def test_a_record_in_a_folder_of_no_run_is_refused_and_not_passed_over(place: str, tmp_path: Path) -> None:
    file = write(record("p00_base", 0), tmp_path)
    stray = tmp_path / place / "record.json"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(file.read_bytes())
    why = (
        f"{stray}: this is the record of p00_base with seed 0, expected in {file.parent}. There is one already: delete"
    )
    with pytest.raises(RecordError, match=re.escape(why)):
        files(tmp_path)
    file.unlink()
    with pytest.raises(RecordError, match=re.escape(f"expected in {file.parent}. Move it there, or delete it.")):
        files(tmp_path)


@pytest.mark.parametrize("variant", [None, "other-weights"])
@pytest.mark.parametrize("named", ["p00_base", "..", "../.."])
def test_where_another_folder_is_named_than_that_of_the_results_it_is_told(
    named: str, variant: str | None, tmp_path: Path
) -> None:
    results = tmp_path / "a" / "results"
    write(record(variant=variant), results)
    meant = re.escape(f"Name {results} for the results if that is what holds the projects")
    with pytest.raises(RecordError, match=meant):
        read_all((results / named).resolve())


def test_a_projects_folder_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    write(record(), tmp_path / "disk")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "p00_base").symlink_to(tmp_path / "disk" / "p00_base")
    assert read_all(tmp_path / "results") == (record(),)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"record\.json: there is no such file, expected a record"):
        read(tmp_path / "record.json")


@given(st.data())
def test_a_record_that_was_cut_off_anywhere_is_refused_with_the_place(data: st.DataObject) -> None:
    text = dumps(record(length=2)).rstrip()
    length = data.draw(st.integers(0, len(text) - 1))
    with tempfile.TemporaryDirectory() as where:
        file = Path(where) / "record.json"
        file.write_text(text[:length], encoding="utf-8")
        with pytest.raises(RecordError, match=r"record\.json, line \d+, column \d+: not valid JSON .*truncated"):
            read(file)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"accuracy: 0.62\n", "line 1, column 1: not valid JSON"),
        (b"[]", "expected a JSON object, found list"),
        (b"null", "expected a JSON object, found NoneType"),
        (b"[" * 100_000, r"record\.json: not valid JSON \(maximum recursion depth exceeded"),
        (b'{"seed": %s}' % (b"1" * 5000), r"record\.json: not valid JSON \(Exceeds the limit \(4300 digits\)"),
        (b"\xff\xfe{}", "cannot be read as UTF-8 text"),
    ],
    ids=["not JSON", "a list", "null", "too deep", "too long", "not UTF-8"],
)
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "record.json"
    file.write_bytes(content)
    with pytest.raises(RecordError, match=complaint) as caught:
        read(file)
    assert str(caught.value).startswith(str(file))


def changed(tmp_path: Path, *path: str | int, **value: Any) -> Path:
    """A record's file in which the field at `path` is set to `value["to"]`, or taken away where that is not given."""
    file = write(record(), tmp_path)
    content = json.loads(file.read_text(encoding="utf-8"))
    *above, last = path
    part = content
    for key in above:
        part = part[key]
    if "to" in value:
        part[last] = value["to"]
    else:
        del part[last]
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("version", "found"),
    [(0, "0"), (2, "2"), (99, "99"), ("1", '"1"'), (None, "null"), (True, "true"), (1.0, r"1\.0")],
    ids=repr,
)
def test_an_older_or_a_newer_version_is_refused(tmp_path: Path, version: object, found: str) -> None:
    file = changed(tmp_path, "schema_version", to=version)
    with pytest.raises(RecordError, match=rf"schema_version is {found}, expected 1\..*make the file again"):
        read(file)


def test_a_record_without_a_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="schema_version is null, expected 1"):
        read(changed(tmp_path, "schema_version"))


@pytest.mark.parametrize(
    "path",
    [
        ("test",),
        ("dataset", "sha256"),
        ("history", 3, "val_accuracy"),
        ("environment", "git_commit"),
        ("canary", "stopping", "reason"),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_a_missing_field_is_named_with_its_place(tmp_path: Path, path: tuple[str | int, ...]) -> None:
    field = re.escape(".".join(map(str, path)))
    with pytest.raises(RecordError, match=rf"record\.json: field {field} is missing"):
        read(changed(tmp_path, *path))


def test_every_field_of_a_record_must_be_there(tmp_path: Path) -> None:
    for name in Record.model_fields.keys() - {"schema_version", "variant"}:
        with pytest.raises(RecordError, match=rf"field {name} is missing"):
            read(changed(tmp_path, name))


def test_a_record_of_before_the_choice_of_determinism_was_made_without_it(tmp_path: Path) -> None:
    assert read(changed(tmp_path, "environment", "deterministic")).environment.deterministic is False


def test_an_unknown_field_is_refused_for_it_may_be_a_misspelt_one(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"field dataset\.shape is unknown to version 1"):
        read(changed(tmp_path, "dataset", "shape", to=[32, 32, 3]))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=repr)
def test_a_measured_number_is_finite(tmp_path: Path, number: float) -> None:
    with pytest.raises(RecordError, match=r"field history\.0\.cross_entropy: .*finite"):
        read(changed(tmp_path, "history", 0, "cross_entropy", to=number))
    with pytest.raises(ValidationError, match="finite"):
        record(seconds=number)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("test", "accuracy"), 62.5, "field test.accuracy: .*less than or equal to 1, found 62.5"),
        (("seed",), -1, "field seed: .*greater than or equal to 0, found -1"),
        (("stopping", "reason"), "bored", "field stopping.reason: .*'val_loss'.*found \"bored\""),
        (("started",), "2026-03-01T12:30:00", "field started: .*timezone"),
        (("dataset", "sha256"), "abc", 'field dataset.sha256: .*pattern.*found "abc"'),
        (("network", "parameters"), 30731, "parameters is 30731, but trainable and non_trainable add up to 30730"),
        (("network", "layers", 0, "parameters"), 5, "parameters is 30730, but the layers' parameters add up to 30735"),
        (("confusion",), [[1]], "confusion must be 10 x 10"),
        (("confusion", 0, 0), 61, "confusion counts 1001 images, but dataset.test is 1000"),
        (("test",), {"accuracy": 0.5, "cross_entropy": 1.0}, "600 of 1000 right, but test.accuracy is 0.5"),
        (("stopping", "restored_epoch"), 10, "restored_epoch is 10, but there are 9 epochs"),
        (("script",), "elsewhere.py", "sources lacks the script itself, elsewhere.py"),
        (("mistakes", 0, "prediction"), 10, "mistakes names a class outside the 10 of the data set"),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_wrong_value_is_refused_with_what_was_expected(
    tmp_path: Path, path: tuple[str | int, ...], value: object, complaint: str
) -> None:
    with pytest.raises(RecordError, match=complaint):
        read(changed(tmp_path, *path, to=value))


def test_a_write_that_fails_leaves_the_old_record_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(record(right=50), tmp_path)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(record(right=70), tmp_path)
    assert read(file) == record(right=50)
    assert [entry.name for entry in file.parent.iterdir()] == ["record.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_who_may_read_what_is_written_is_what_the_user_allows(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        file = write(record(), tmp_path)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("refused", [1, 2])
def test_of_several_files_none_takes_its_place_before_the_disk_has_all_of_them(
    refused: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_together({first: b"1", second: b"2"})
    calls = 0

    def full(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == refused:
            raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_together({first: b"3", second: b"4"})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"first": b"1", "second": b"2"}


def test_several_files_take_their_places_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced: list[str] = []
    monkeypatch.setattr(os, "replace", lambda _, file: replaced.append(file.name))
    write_together({tmp_path / name: b"" for name in ("first", "second", "third")})
    assert replaced == ["first", "second", "third"]


def test_a_reader_never_sees_half_a_record(tmp_path: Path) -> None:
    short, long = record(length=1), record(length=200)
    file = write(short, tmp_path)
    ended = threading.Event()
    seen: list[int] = []

    def look() -> None:
        while not ended.is_set():
            seen.append(len(read(file).history))

    reader = threading.Thread(target=look)
    reader.start()
    for turn in range(20):
        write(long if turn % 2 == 0 else short, tmp_path)
    ended.set()
    reader.join()
    assert seen
    assert set(seen) <= {1, 200}


def test_confirmations_are_appended_and_the_record_stays_untouched(tmp_path: Path) -> None:
    file = write(record(), tmp_path)
    before = file.read_bytes()
    assert read_confirmations(file.parent) == ()
    first, second = confirmation(1), confirmation(2, exact=False, largest_difference=1e-6)
    confirm(first, file.parent)
    confirm(second, file.parent)
    assert read_confirmations(file.parent) == (first, second)
    assert file.read_bytes() == before


def test_a_confirmation_that_says_what_is_known_is_not_appended_a_second_time(tmp_path: Path) -> None:
    committed = environment().model_copy(update={"git_commit": "f" * 40, "git_clean": False})
    on_one_core = environment().model_copy(update={"cores": 1})
    for day, changes in enumerate(({}, {}, {"environment": committed}, {"environment": on_one_core}), start=1):
        confirm(confirmation(day, **changes), tmp_path)
    assert [one.confirmed.day for one in read_confirmations(tmp_path)] == [1, 4]


def test_confirmations_of_another_version_are_refused_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / CONFIRMATIONS_FILE
    file.write_text('{"schema_version": 2, "confirmations": []}', encoding="utf-8")
    with pytest.raises(RecordError, match=r"confirmations\.json: schema_version is 2, expected 1"):
        confirm(confirmation(), tmp_path)
    assert '"schema_version": 2' in file.read_text(encoding="utf-8")


def test_a_variants_record_stands_in_a_folder_of_its_own(tmp_path: Path) -> None:
    declared, variant = record(), record(variant="other-weights")
    for run in (declared, variant):
        write(run, tmp_path)
    assert (tmp_path / "p00_base" / "other-weights" / "seed-0" / "record.json").is_file()
    assert read_all(tmp_path) == (declared, variant)
    assert '"variant"' not in dumps(declared)
    assert '"variant": "other-weights"' in dumps(variant)


def test_a_variants_record_in_the_folder_of_the_project_itself_is_refused(tmp_path: Path) -> None:
    write(record(variant="other-weights"), tmp_path)
    (tmp_path / "p00_base" / "other-weights" / "seed-0").rename(tmp_path / "p00_base" / "seed-0")
    with pytest.raises(RecordError, match="the record of p00_base other-weights with seed 0, expected in"):
        read_all(tmp_path)


def test_declarations_are_read_as_they_were_written_each_from_the_file_of_its_project(tmp_path: Path) -> None:
    inner = {"dense": declaration().network.layers}
    written = [declaration("p00_base"), declaration("p01_deeper", inner=inner)]
    for one in written:
        assert write_declaration(one, tmp_path / "declared") == tmp_path / "declared" / f"{one.project}.json"
    assert list(read_declarations(tmp_path / "declared").values()) == written
    assert read_declarations(tmp_path / "none") == {}
    (tmp_path / "declared" / "p00_base.json").rename(tmp_path / "declared" / "p02_dropout.json")
    with pytest.raises(RecordError, match=r"p02_dropout.json: this is the declaration of p00_base"):
        read_declarations(tmp_path / "declared")


ROWS = [[0] * k + [60, 40] + [0] * (8 - k) for k in range(9)] + [[40] + [0] * 8 + [60]]


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("test",), {"accuracy": 0.601, "cross_entropy": 1.0}, "600 of 1000 right, but test.accuracy is 0.601"),
        (("test",), {"accuracy": 0.599, "cross_entropy": 1.0}, "600 of 1000 right, but test.accuracy is 0.599"),
        (("confusion", 0, 1), 39, "confusion counts 999 images, but dataset.test is 1000"),
        (("confusion", 9), [40, *[0] * 8, 60, 0], "confusion must be 10 x 10"),
        (("confusion", 9), [40, *[0] * 7, 60], "confusion must be 10 x 10"),
        (("mistakes", 0, "label"), 10, "mistakes names a class outside the 10 of the data set"),
        (("network", "layers", 1, "parameters"), 30729, "the layers' parameters add up to 30729"),
        (("network", "trainable"), 30729, "trainable and non_trainable add up to 30729"),
        (("test", "accuracy"), -0.6, "field test.accuracy: .*greater than or equal to 0"),
        (("train", "cross_entropy"), -0.1, "field train.cross_entropy: .*greater than or equal to 0"),
        (("seconds",), -1.0, "field seconds: .*greater than or equal to 0"),
        (("dataset", "test"), 0, "field dataset.test: .*greater than or equal to 1"),
        (("stopping", "restored_epoch"), 0, "field stopping.restored_epoch: .*greater than or equal to 1"),
        (("variant",), "Other/weights", "field variant: .*pattern"),
    ],
    ids=str,
)
def test_a_record_that_contradicts_itself_further_in_is_refused(
    tmp_path: Path, path: tuple[str | int, ...], value: object, complaint: str
) -> None:
    with pytest.raises(RecordError, match=complaint):
        read(changed(tmp_path, *path, to=value))


def test_an_accuracy_may_be_of_few_digits_and_the_last_epoch_be_kept(tmp_path: Path) -> None:
    """As Keras has it in 32 bits."""
    assert read(changed(tmp_path, "test", "accuracy", to=0.6000000238418579)).test.accuracy == 0.6000000238418579
    assert read(changed(tmp_path, "test", "accuracy", to=0.6004)).test.accuracy == 0.6004
    assert read(changed(tmp_path, "stopping", "restored_epoch", to=9)).stopping.restored_epoch == 9


def test_a_confirmation_known_from_before_the_last_one_is_not_appended_again(tmp_path: Path) -> None:
    for day, exact in enumerate((True, False, True), start=1):
        confirm(confirmation(day, exact=exact), tmp_path)
    assert [one.confirmed.day for one in read_confirmations(tmp_path)] == [1, 2]


def test_letters_stand_in_a_record_as_they_are_and_no_line_is_longer_than_120() -> None:
    text = dumps(record(command="python año", settings={f"name_{k}": k for k in range(20)}))
    assert "python año" in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_name_of_a_file_begins_and_ends_with_a_letter_or_a_digit() -> None:
    assert slug("  AMD EPYC (tm) 7.2 ") == "amd-epyc-tm-7.2"
    assert slug("(!)") == ""
