"""Tables of pages: what they show of records, of a bench and of scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from reportgen import record as records
from reportgen.bench import write as write_bench
from reportgen.fingerprint import fingerprint
from tests.reportgen.test_bench import bench, comparison
from tests.reportgen.test_render import DENSE, HIDDEN, cells, of_network, page, plain, with_bench
from tests.synthetic import declaration, record


def test_what_is_no_longer_there_is_a_change_as_well(small_report: Path) -> None:
    before = record("first", network=of_network(HIDDEN, DENSE), settings={"batch_size": 512, "decay": 0.1})
    now = record("second", network=of_network(DENSE), settings={"batch_size": 512})
    _, *rows = cells(page(small_report, '{{ changes("second", since="first") }}', before, now))
    assert rows == [
        ["Layers removed", "Dense 64", "–"],
        ["Decay", "0.1", "–"],
        ["Parameters", "31,730", "30,730"],
    ]
    wide = {**HIDDEN, "output_shape": (None, 128)}
    other = record("third", network=of_network(wide, DENSE), settings={"batch_size": 512, "decay": 0.1})
    _, *rows = cells(page(small_report, '{{ changes("third", since="first") }}', other))
    assert rows == [["Layers replaced", "Dense 64", "Dense 128"]]


def test_a_bench_tells_the_median_of_its_rounds(small_report: Path) -> None:
    file = with_bench(small_report) / "benches" / "a.json"
    one = comparison(subject="first", measured=(100.0, 200.0, 600.0), reference=(100.0, 100.0, 100.0))
    write_bench(bench(one), file)
    assert cells(page(small_report, "{{ bench('training') }}"))[1] == ["1", "2.00 1.00 to 6.00", "200", "100"]


@pytest.mark.parametrize(
    ("measured", "shown"), [(9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (0.9996, "1.00"), (12345.0, "12,300")]
)
def test_a_measurement_has_three_digits_also_where_it_is_rounded_up_to_one_more(
    measured: float, shown: str, small_report: Path
) -> None:
    one = comparison(subject="first", measured=(measured,), reference=(measured,))
    write_bench(bench(one), with_bench(small_report) / "benches" / "a.json")
    assert cells(page(small_report, "{{ bench('training') }}"))[1] == ["1", "1.00", shown, shown]


@pytest.mark.parametrize(("part", "shown"), [("train", "320"), ("validation", "80"), ("test", "1,000")])
def test_each_part_of_a_data_set_has_its_number(small_report: Path, part: str, shown: str) -> None:
    text = f"{{{{ dataset('first', '{part}') }}}}\n"
    rendered = page(small_report, text, record("first"))
    assert f'<a class="rg-fact" href="#source-first-reproduced">{shown}</a>' in rendered.markdown


@pytest.mark.parametrize("part", ["name", "tets"])
def test_a_part_that_a_data_set_does_not_have_is_refused(small_report: Path, part: str) -> None:
    with pytest.raises(Exception, match=f"'{part}' is no part of a data set: train, validation, test"):
        page(small_report, f"{{{{ dataset('first', '{part}') }}}}\n", record("first"))


def test_a_setting_that_a_script_declares_leads_to_no_record(small_report: Path) -> None:
    records.write_declaration(declaration("first"), small_report / "declared")
    text = "{{ setting('first', 'batch_size') }}\n"
    assert page(small_report, text).markdown == "512\n"
    assert 'href="#source-first-reproduced">512</a>' in page(small_report, text, record("first")).markdown


def test_the_provenance_tells_the_day_and_the_state_of_each_run(small_report: Path) -> None:

    (small_report / "scripts").mkdir()
    (small_report / "scripts" / "first.py").write_text("a = 1\n", encoding="utf-8")
    runs = [
        record("first", seed, script="scripts/first.py", sources={"scripts/first.py": fingerprint(f"a = {now}\n")})
        for seed, now in enumerate((1, 2))
    ]
    shown = plain(page(small_report, '{{ provenance("first") }}', *runs))
    assert shown.count("1 March 2026") == 2
    first, second = shown.split("<details")[1:]
    assert "up to date" in first and "unconfirmed" not in first
    assert "unconfirmed" in second and "up to date" not in second


def test_two_scripts_that_declare_another_precision_differ_in_it(small_report: Path) -> None:
    for name, precision in (("first", "float32"), ("second", "mixed_bfloat16")):
        records.write_declaration(declaration(name, precision=precision), small_report / "declared")
    assert cells(page(small_report, '{{ changes("second", since="first") }}'))[1:] == [
        ["Precision", "float32", "mixed_bfloat16"]
    ]
