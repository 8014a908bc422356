"""Records and published figures become rounded numbers, or the word for why there is none."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reportgen import facts
from reportgen.edition import show
from reportgen.errors import ReportError
from reportgen.facts import (
    MACHINES,
    NOT_PRINTED,
    NOT_RECORDED,
    NOT_REPRODUCED,
    NOT_RUN,
    NOT_STUDIED,
    ONE_RUN,
    SIDE_BY_SIDE,
    Fact,
    Published,
    Summary,
    build,
    read_published,
    subject,
)
from reportgen.language import language
from tests.synthetic import environment, record

fractions = st.floats(0, 1)


def study(**changes: Any) -> dict[str, Any]:
    """A study of two projects, of which the second prints hardly anything."""
    first = {
        "id": "first",
        "section": "1",
        "notebook": "1.ipynb",
        "parameters": {"total": 30730, "trainable": 30000, "non_trainable": 730},
        "seconds": 47.380263,
        "train": {"accuracy": 0.71342, "cross_entropy": 0.84},
        "test": {"accuracy": 0.6256, "cross_entropy": 1.07},
    }
    empty = {"parameters": None, "seconds": None, "train": None, "test": None}
    second = {"id": "second", "section": "2", "notebook": "2.ipynb", **empty}
    return {"title": "A study", "author": "N. N.", "year": 2023, "projects": [first, second], **changes}


def published() -> Published:
    """The same, read."""
    return Published.model_validate(study())


def test_published_figures_are_rounded_as_they_are_shown() -> None:
    first = build(published(), [])["first"].published
    assert (first.test.accuracy.value, first.train.accuracy.value) == (0.6256, 0.7134)
    assert (first.test.cross_entropy.value, first.seconds.value) == (1.07, 47.4)
    assert (first.parameters.total.value, first.parameters.non_trainable.value) == (30730, 730)
    assert first.notebook == "1.ipynb"


def test_a_duration_is_rounded_once() -> None:
    """Of 83.48 seconds, 83 are shown: not 83.5 first and 84 then."""
    assert Fact.of(83.477872, "seconds").value == 83
    assert Fact.of(47.380263, "seconds").value == 47.4


def test_what_the_study_does_not_print_is_absent_and_not_zero() -> None:
    second = build(published(), [])["second"].published
    every = (second.test.accuracy, second.train.cross_entropy, second.seconds, second.parameters.total)
    assert {(fact.value, fact.absent) for fact in every} == {(None, NOT_PRINTED)}


def test_a_project_without_runs_is_not_reproduced_yet() -> None:
    runs = build(published(), [])["first"].reproduced
    every = (runs.test.accuracy.mean, runs.test.accuracy.sd, runs.seconds.min, runs.epochs.max, runs.standard_error)
    assert {(fact.value, fact.absent) for fact in every} == {(None, NOT_REPRODUCED)}
    assert runs.test.accuracy.n.value == 0


def test_three_seeds_have_a_mean_a_sample_standard_deviation_and_a_range() -> None:
    records = [
        record("first", seed, right=right, length=length)
        for seed, right, length in [(0, 60, 9), (1, 50, 12), (2, 58, 6)]
    ]
    known = build(published(), records)["first"]
    accuracy = known.reproduced.test.accuracy
    assert accuracy.mean.value == 0.56
    assert accuracy.sd.value == round(statistics.stdev([0.6, 0.5, 0.58]), 4)
    assert (accuracy.min.value, accuracy.max.value, accuracy.n.value) == (0.5, 0.6, 3)
    assert known.reproduced.epochs.mean.value == 9
    assert known.reproduced.seconds.mean.value == 13.5
    assert [run.seed for run in known.records] == [0, 1, 2]


def test_the_runs_tell_how_many_parameters_their_network_has() -> None:
    """A project of one's own has no printed total that could be named."""
    found = build(published(), [record("p13_mine")])["p13_mine"].reproduced.parameters
    assert (found.total.value, found.trainable.value, found.non_trainable.value) == (30730, 30730, 0)
    assert found.total.origins == (facts.Origin("p13_mine", "reproduced"),)
    none = build(published(), [])["first"].reproduced.parameters.total
    assert (none.value, none.absent) == (None, NOT_REPRODUCED)


def test_the_times_of_several_machines_are_not_summed_up_and_what_else_was_measured_is() -> None:
    fast = environment().model_copy(update={"device": "A GPU"})
    known = build(published(), [record("first", 0), record("first", 1, environment=fast)])["first"].reproduced
    assert known.machine is None
    assert known.seconds.mean.value is None and known.seconds.mean.absent == MACHINES
    assert known.test.accuracy.n.value == known.epochs.n.value == 2
    shared = environment().model_copy(update={"side_by_side": 2})
    beside = build(published(), [record("first", 0), record("first", 1, environment=shared)])["first"].reproduced
    assert beside.machine is None and beside.seconds.mean.absent == SIDE_BY_SIDE
    alone = build(published(), [record("first", 0, environment=fast)])["first"].reproduced
    assert alone.machine == ("A GPU", 2, "tensorflow") and alone.seconds.mean.value is not None


@pytest.mark.parametrize(
    ("change", "several"), [({"cores": 64}, True), ({"backend": "jax 0.4"}, True), ({"backend": "tensorflow 3"}, False)]
)
def test_the_same_processor_with_other_cores_or_another_backend_is_another_machine(
    change: dict[str, Any], several: bool
) -> None:
    other = environment().model_copy(update=change)
    known = build(published(), [record("first", 0), record("first", 1, environment=other)])["first"].reproduced
    assert (known.machine is None) is several and (known.seconds.mean.absent == MACHINES) is several


def test_runs_whose_records_have_no_epochs_have_run_all_the_same() -> None:
    known = build(published(), [record("first", history=())])
    assert known["first"].reproduced.epochs.mean.absent == NOT_RECORDED
    assert known["second"].reproduced.epochs.mean.absent == NOT_REPRODUCED


def test_one_run_has_a_mean_and_no_standard_deviation() -> None:
    accuracy = build(published(), [record("first")])["first"].reproduced.test.accuracy
    assert accuracy.mean.value == 0.6
    assert (accuracy.sd.value, accuracy.sd.absent) == (None, ONE_RUN)


@given(st.lists(fractions, min_size=2, max_size=5))
def test_an_interval_is_student_s_as_far_as_an_accuracy_can_reach(values: list[float]) -> None:
    interval = Summary(tuple(values), "percent").interval
    assert isinstance(interval, facts.Interval)
    low, high = facts.t_interval(values)
    assert (interval.low.value, interval.high.value) == (round(max(low, 0), 4), round(min(high, 1), 4))


def test_the_standard_error_is_that_of_one_run_on_its_test_set() -> None:
    assert facts.standard_error(0.5, 10_000) == pytest.approx(0.005)
    error = build(published(), [record("first", right=60)])["first"].reproduced.standard_error
    assert error.value == round(math.sqrt(0.6 * 0.4 / 1000), 4)
    assert error.kind == "error"


def test_a_project_that_only_has_runs_follows_those_of_the_study() -> None:
    known = build(published(), [record("another"), record("first")])
    assert list(known) == ["first", "second", "another"]
    assert known["another"].published.test.accuracy.value is None
    assert known["another"].reproduced.test.accuracy.mean.value == 0.6


def test_a_project_that_the_study_does_not_have_is_told_apart_before_it_has_run_and_after() -> None:
    known = build(published(), [], ["first", "ours"])
    assert {name: facts.studied for name, facts in known.items()} == {"first": True, "second": True, "ours": False}
    ours = known["ours"]
    assert ours.published.test.accuracy.absent == ours.published.seconds.absent == NOT_STUDIED
    assert {ours.reproduced.test.accuracy.mean.absent, ours.reproduced.standard_error.absent} == {NOT_RUN}
    ran = build(published(), [record("ours")], ["ours"])["ours"]
    assert (ran.studied, ran.reproduced.test.accuracy.mean.value) == (False, 0.6)
    assert (ran.reproduced.test.accuracy - known["first"].published.test.accuracy).value is not None
    assert (ours.reproduced.test.accuracy - known["first"].published.test.accuracy).absent == NOT_RUN


@given(fractions, fractions)
def test_a_difference_is_that_of_the_two_numbers_that_are_shown(a: float, b: float) -> None:
    difference = Fact.of(a, "percent") - Fact.of(b, "percent")
    shown = round(100 * round(a, 4), 2) - round(100 * round(b, 4), 2)
    assert difference.kind == "points"
    assert difference.value is not None
    assert round(100 * difference.value, 2) == pytest.approx(shown, abs=1e-9)


@given(st.lists(fractions, min_size=1, max_size=5), fractions)
def test_a_difference_from_the_runs_is_that_from_their_rounded_mean(values: list[float], figure: float) -> None:
    runs, shown = Summary(tuple(values), "percent"), Fact.of(figure, "percent")
    assert runs - shown == runs.mean - shown
    assert shown - runs == shown - runs.mean


def test_a_difference_from_nothing_is_absent_for_the_reason_of_what_is_missing() -> None:
    known = build(published(), [])
    first, second = known["first"], known["second"]
    without = second.published.test.accuracy - first.published.test.accuracy
    assert (without.value, without.absent, without.kind) == (None, NOT_PRINTED, "points")
    unrun = first.published.test.accuracy - first.reproduced.test.accuracy
    assert (unrun.value, unrun.absent) == (None, NOT_REPRODUCED)


def test_how_large_a_difference_is_has_no_sign() -> None:
    less = Fact.of(0.5, "percent") - Fact.of(0.6256, "percent")
    assert (less.value, less.kind, less.signed) == (-0.1256, "points", True)
    assert (abs(less).value, abs(less).kind, abs(less).signed) == (0.1256, "error", False)
    assert abs(Fact(None, "nats")) == Fact(None, "nats")


def test_counts_that_differ_have_an_average_with_a_decimal_and_equal_ones_their_number() -> None:
    same, apart = Summary((10.0, 10.0), "count"), Summary((10.0, 10.0, 10.0, 11.0), "count")
    assert (same.mean.value, same.mean.kind) == (10, "count")
    assert (apart.mean.value, apart.sd.value, apart.max.kind) == (10.2, 0.5, "count")
    assert (apart.mean - same.mean).value == 0.2


def test_from_an_hour_on_durations_differ_by_what_is_shown_of_them() -> None:
    assert (Fact.of(3 * 3600 + 29, "seconds") - Fact.of(3 * 3600 - 29, "seconds")).value == 0


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (948.319, 948.827, "−1\u00a0s"),
        (83.6, 45.5, "+38\u00a0s"),
        (45.5, 83.6, "−38\u00a0s"),
        (59.4, 47.0, "+12.4\u00a0s"),
        (948.2, 948.4, "0\u00a0s"),
        (948.0, 120.0, "+13\u00a0min 48\u00a0s"),
    ],
)
def test_between_times_that_are_shown_in_whole_seconds_there_are_no_tenths(
    first: float, second: float, told: str
) -> None:
    difference = Fact.of(first, "seconds") - Fact.of(second, "seconds")
    assert show(difference, language("en")) == told
    assert show(abs(difference), language("en")) == told.lstrip("+−")
    assert difference.exact == pytest.approx(first - second)


def test_an_accuracy_of_all_or_nothing_has_a_standard_error_too() -> None:
    expected = pytest.approx(math.sqrt(0.98 * 0.02 / 100))
    assert facts.standard_error(1.0, 96) == expected and facts.standard_error(0.0, 96) == expected


def test_only_numbers_of_one_kind_can_be_subtracted() -> None:
    with pytest.raises(ReportError, match="A seconds cannot be subtracted from a percent"):
        Fact.of(0.5, "percent") - Fact.of(47.0, "seconds")
    with pytest.raises(TypeError):
        Fact.of(0.5, "percent") - 1  # type: ignore[operator]


def test_the_published_figures_are_read_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "published.json"
    file.write_text(json.dumps(study()), encoding="utf-8")
    assert read_published(file) == published()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "published.json: there is no such file. It holds the figures of the study"),
        ('{"title": "Visión"}'.encode("latin-1"), "published.json: expected text in UTF-8"),
        ('{"title": "A st', "published.json: the file: Invalid JSON"),
        (json.dumps(study()).replace("2023", "9" * 5000), "published.json: the file: Invalid JSON"),
        ("[" * 100_000, "published.json: the file: Invalid JSON"),
        (json.dumps(study(year="last")), "published.json: year: "),
        (json.dumps({"title": "A study", "author": "N. N.", "year": 2023}), "projects is missing"),
        (
            json.dumps({"title": "A study", "author": "N. N.", "year": 2023, "project": []}),
            r"projects is missing, and project unknown\.",
        ),
        (
            json.dumps(study(projects=[*study()["projects"], study()["projects"][0]])),
            r"published.json: projects: first stands there more than once, expected each id once\.",
        ),
        (json.dumps(study(notes="")), "published.json: notes is unknown"),
        (
            json.dumps(study(projects=[{**study()["projects"][0], "test": {"accuracy": 62.56, "cross_entropy": 1}}])),
            r"published.json: projects\.0\.test\.accuracy: ",
        ),
    ],
)
def test_published_figures_that_cannot_be_read_are_named_by_file_and_field(
    tmp_path: Path, content: str | bytes | None, complaint: str
) -> None:
    file = tmp_path / "published.json"
    if content is not None:
        file.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    with pytest.raises(ReportError, match=complaint):
        read_published(file)


def settings(**changes: Any) -> dict[str, Any]:
    return {"batch_size": 512, "start": "theirs", "scale": "small", **changes}


def strict() -> Published:
    """A study whose first project was obtained with settings that not every run has."""
    content = study()
    content["projects"][0]["requires"] = {"start": "theirs", "scale": "small"}
    return Published.model_validate(content)


def test_runs_with_other_settings_than_the_study_requires_stand_beside_it_and_never_count() -> None:
    ours = [record("first", seed, right=40, settings=settings(start="ours")) for seed in (0, 1)]
    known = build(strict(), ours)["first"]
    assert known.records == () and known.reproduced.test.accuracy.mean.absent == NOT_REPRODUCED
    (variant,) = known.variants
    assert variant.differences == (("start", "theirs", "ours"),) and variant.records == tuple(ours)
    assert variant.reproduced.test.accuracy.mean.value == 0.4
    assert variant.reproduced.test.accuracy.origins == ()
    assert known.every_record == tuple(ours)


def test_a_run_with_the_required_settings_takes_the_reproductions_place_by_itself() -> None:
    ours = record("first", 0, right=40, variant="ours", settings=settings(start="ours"))
    theirs = record("first", 0, right=70, settings=settings())
    known = build(strict(), [theirs, ours])["first"]
    assert known.records == (theirs,) and known.reproduced.test.accuracy.mean.value == 0.7
    assert [variant.name for variant in known.variants] == ["ours"]


def test_runs_that_differ_in_different_ways_are_variants_of_their_own() -> None:
    runs = [
        record("first", 0, variant="ours", settings=settings(start="ours")),
        record("first", 1, variant="ours", settings=settings(start="ours")),
        record("first", 0, variant="ours-large", settings=settings(start="ours", scale="large")),
        record("first", 0, variant="wide", settings=settings()),
    ]
    found = {variant.name: variant for variant in build(strict(), runs)["first"].variants}
    assert {name: len(variant.records) for name, variant in found.items()} == {"ours": 2, "ours-large": 1, "wide": 1}
    assert [name for name, _, _ in found["ours-large"].differences] == ["start", "scale"]
    assert found["wide"].differences == ()


def test_a_setting_that_a_run_lacks_is_another_than_the_required_one() -> None:
    (variant,) = build(strict(), [record("first", 0)])["first"].variants
    assert variant.differences == (("start", "theirs", None), ("scale", "small", None))


@given(st.floats(1, 1e6))
def test_student_s_quantile_is_that_of_another_library(degrees: float) -> None:
    assert facts.t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6, unique=True))
def test_an_interval_is_that_of_another_library(values: list[float]) -> None:
    """Its ends, before they are cut to what an accuracy can be."""
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert facts.t_interval(values) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)


def test_a_duration_of_nearly_a_minute_keeps_its_tenths() -> None:
    assert Fact.of(59.7, "seconds").value == 59.7


def test_a_fact_of_nothing_is_a_fact() -> None:
    assert Fact.of(0.0, "nats") and not Fact(None, "nats")


def test_facts_read_the_same_only_with_their_sign_and_their_reason() -> None:
    plain, difference = Fact.of(3.0, "nats"), Fact.of(3.0, "nats") - Fact.of(0.0, "nats")
    assert plain.value == difference.value and plain != difference
    assert Fact(None, "nats", NOT_PRINTED) != Fact(None, "nats", NOT_RUN)


def test_the_size_of_a_difference_is_exact_too() -> None:
    assert abs(Fact.of(0.12345, "nats") - Fact.of(0.5, "nats")).exact == pytest.approx(0.37655)


def test_a_gap_between_means_is_that_of_those_shown_and_its_interval_has_a_sign() -> None:
    train, test = Summary((0.75004, 0.75004), "percent"), Summary((0.60006, 0.60006), "percent")
    gap = Summary((0.14998, 0.14998), "points", between=(train, test))
    assert gap.mean == train.mean - test.mean
    assert gap.mean.value == 0.1499 and gap.mean.signed
    assert (gap.sd.kind, gap.sd.signed) == ("error", False)
    wide = Summary((-0.9, 0.3), "points", between=(train, test)).interval
    assert isinstance(wide, facts.Interval)
    assert (wide.low.value, wide.high.value) == (-1.0, 1.0) and wide.low.signed and wide.high.signed


@pytest.mark.parametrize(
    ("values", "mean", "kind"), [((998.0, 999.0), 998.5, "average"), ((999.0, 1000.0), 1000, "count")]
)
def test_the_mean_of_large_counts_is_a_whole_number(values: tuple[float, ...], mean: float, kind: str) -> None:
    assert (Summary(values, "count").mean.value, Summary(values, "count").mean.kind) == (mean, kind)


def test_runs_that_shared_one_of_several_machines_are_said_to_have_shared_it() -> None:
    shared = environment(cores=64).model_copy(update={"side_by_side": 2})
    known = build(published(), [record("first"), record("first", 1, environment=shared)])["first"].reproduced
    assert (known.machine, known.seconds.mean.absent) == (None, SIDE_BY_SIDE)


def test_projects_of_ones_own_stand_by_name() -> None:
    names = ["delta", "alpha", "echo", "bravo", "charlie", "foxtrot"]
    assert list(build(published(), [record("golf")], names))[2:] == sorted([*names, "golf"])


def test_the_facts_of_a_variant_are_of_its_runs_alone() -> None:
    runs = [record("first", variant="ours", right=40), record("first", variant="ours-large", right=70)]
    known = build(published(), runs)
    assert known["first"].records == () and known["first"].reproduced.test.accuracy.mean.value is None
    ours = subject(known, "first/ours")
    assert ours.reproduced.test.accuracy.values == (0.4,) and ours.records == (runs[0],)
    assert (ours.studied, ours.published.test.accuracy.absent, bool(ours.published)) == (False, NOT_STUDIED, False)


def test_a_variant_without_a_name_has_none_by_which_a_page_could_call_it() -> None:
    runs = [
        record("first", 0, settings=settings(start="ours")),
        record("first", 0, variant="ours", settings=settings()),
    ]
    known = build(strict(), runs)["first"]
    assert len(known.variants) == 2 and known.variant_names == ("first/ours",)


def test_an_interval_reaches_as_far_as_what_it_is_of() -> None:
    assert facts.possible(-3, 3, "percent", differences=0) == (0, 1)
    assert facts.possible(-3, 3, "points", differences=1) == (-1, 1)
    assert facts.possible(-3, 3, "points", differences=2) == (-2, 2)
    assert facts.possible(-3, 3, "nats", differences=0) == (0, 3)


def test_the_printed_totals_are_three() -> None:
    totals = build(published(), [])["first"].published.parameters
    assert (totals.total.value, totals.trainable.value, totals.non_trainable.value) == (30730, 30000, 730)


def test_a_project_of_the_study_is_one_though_nothing_is_printed_of_it_and_a_run_is_one() -> None:
    known = build(published(), [record("ours")], ["other"])
    assert [bool(one.published) for one in known.values()] == [True, True, False, False]
    assert [bool(one.reproduced) for one in known.values()] == [False, False, False, True]


def test_the_time_of_a_run_is_what_its_record_says_and_not_the_sum_of_its_epochs() -> None:
    assert build(published(), [record("first", seconds=40.0)])["first"].reproduced.seconds.mean.value == 40


def test_the_standard_error_is_the_mean_of_those_of_the_runs() -> None:
    runs = [record("first", 0, right=50), record("first", 1, right=90)]
    error = build(published(), runs)["first"].reproduced.standard_error
    expected = (facts.standard_error(0.5, 1000) + facts.standard_error(0.9, 1000)) / 2
    assert error.value == round(expected, 4)
