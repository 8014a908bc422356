"""A summary of several runs is written in one unit, the mean's."""

from __future__ import annotations

import pytest

from reportgen.edition import NOTHING, shape, show
from reportgen.facts import Fact, Interval, Kind, Summary
from reportgen.language import language


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
