"""A summary of several runs is written in one unit, the mean's."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from reportgen import report as reports
from reportgen.edition import NOTHING, Edition, shape, show
from reportgen.facts import Fact, Interval, Kind, Summary
from reportgen.language import language
from reportgen.material import gather
from tests.synthetic import environment


@pytest.mark.parametrize(
    ("kind", "values", "english", "spanish"),
    [
        ("percent", (0.55, 0.6), "57.50% ± 3.54", "57,50 % ± 3,54"),
        ("points", (0.0123, 0.0456), "+2.90 pp ± 2.35", "+2,90 pp ± 2,35"),
        ("nats", (1.0, 1.5), "1.250 ± 0.354", "1,250 ± 0,354"),
        ("seconds", (100.0, 300.0), "3 min 20 s ± 2 min 21 s", "3 min 20 s ± 2 min 21 s"),
        ("count", (263402.0, 263500.0), "263,451 ± 69", "263.451 ± 69"),
        ("count", (263402.0, 263402.0), "263,402", "263.402"),
        ("percent", (0.1002, 0.1002), "10.02% ± 0.00", "10,02 % ± 0,00"),
    ],
)
def test_a_standard_deviation_has_the_unit_of_its_mean(
    kind: Kind, values: tuple[float, ...], english: str, spanish: str
) -> None:
    for code, expected in (("en", english), ("es", spanish)):
        shown = str(show(Summary(values, kind), language(code)))
        assert shown.replace("\u00a0", " ") == expected
        assert "± " not in shown and " ±" not in shown, "no line ends beside the sign"


ENGLISH = language("en")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fact.of(0.61, "percent") - Fact.of(0.6, "percent"), "+1.00 pp"),
        (Fact.of(1.2, "nats") - Fact.of(1.1, "nats"), "+0.100"),
        (Fact.of(1.1, "nats") - Fact.of(1.2, "nats"), "−0.100"),
        (Fact.of(1.1, "nats") - Fact.of(1.1, "nats"), "0.000"),
        (Fact.of(12.3456, "average"), "12.3"),
        (Fact.of(0.0123, "error"), "1.23 pp"),
        (Interval(Fact.of(0.5, "percent"), Fact.of(0.6, "percent")), "50.00% to 60.00%"),
        (None, NOTHING),
    ],
)
def test_a_number_is_written_with_one_sign_where_it_is_a_difference_and_nothing_as_a_dash(
    value: object, expected: str
) -> None:
    assert str(show(value, ENGLISH)).replace("\u00a0", " ") == expected


def test_a_side_that_is_not_fixed_is_a_dash_and_a_single_number_has_one() -> None:
    assert (shape((None, 1024), ENGLISH), shape((), ENGLISH)) == (f"{NOTHING} × 1,024", "1")


MACROS = """{% macro listed(names) %}
<ul>
  {% for name in names %}
  <li>{{ name }} in Project 4</li>
  {% endfor %}
</ul>
{% endmacro %}
{% macro odd(names) %}{{ nmes }}{% endmacro %}
"""


def test_what_a_template_makes_is_one_block_of_html_whose_words_are_bound_and_in_which_no_name_is_unknown(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "lists.jinja").write_text(MACROS, encoding="utf-8")
    monkeypatch.setattr("reportgen.edition.TEMPLATES", tmp_path / "macros")
    edition = Edition(gather(reports.load(small_report)), "en")
    made = edition.html("listed", ["a & b", "c"])
    assert [line.strip() for line in made.splitlines()] == [
        "<ul>", "<li>a &amp; b in Project\u00a04</li>", "<li>c in Project\u00a04</li>", "</ul>"
    ]  # fmt: skip
    with pytest.raises(UndefinedError, match="'nmes' is undefined"):
        edition.html("odd", [])


def test_a_machine_is_told_with_one_core_or_with_several(small_report: Path) -> None:
    edition = Edition(gather(reports.load(small_report)), "en")
    assert edition.size_of(environment(cores=1)).startswith("1 processor core for the run, 8.0")
    assert edition.size_of(environment(cores=2)).startswith("2 processor cores for the run, 8.0")
