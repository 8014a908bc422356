"""Claims: read with every mistake named, judged on the study and on the runs, the spread of the seeds counted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reportgen import claims
from reportgen.claims import METRICS, Judgement, judge, read
from reportgen.errors import ReportError
from reportgen.facts import NOT_PRINTED, NOT_RUN, NOT_STUDIED, ProjectFacts, Published, build
from tests.synthetic import environment, record

PROJECTS = ("base", "deeper", "wider")
EXPECT = {"study": "holds", "reproduction": "undecided"}
PRINTED = {
    "base": (0.6256, 1.070, 0.7134, 47.4),
    "deeper": (0.723, 0.902, 0.80, 45.2),
    "wider": (0.7300, 0.905, None, 90.0),
}
"""What a study printed: accuracy and cross-entropy of the test, accuracy of the training if any, seconds."""
IMAGES = record("base").dataset.test
"""On how many test images a synthetic run is measured."""


def study(printed: Mapping[str, Any]) -> Published:
    """What a study printed of some projects."""
    projects = [
        {
            "id": name,
            "section": "1",
            "notebook": "",
            "parameters": {"total": 1000 * (k + 1), "trainable": 1000 * (k + 1), "non_trainable": 0},
            "seconds": seconds,
            "train": None if train is None else {"accuracy": train, "cross_entropy": 0.5},
            "test": {"accuracy": accuracy, "cross_entropy": entropy},
        }
        for k, (name, (accuracy, entropy, train, seconds)) in enumerate(printed.items())
    ]
    return Published.model_validate({"title": "", "author": "", "year": 2023, "projects": projects})


def facts(
    printed: Mapping[str, Any] = PRINTED, runs: Mapping[str, Sequence[int]] | None = None
) -> dict[str, ProjectFacts]:
    """What is known of some projects: printed figures, and for each run how many test images in 100 were right."""
    recorded = [
        record(name, seed, right=right) for name, found in (runs or {}).items() for seed, right in enumerate(found)
    ]
    return build(study(printed), recorded)


def file_of(folder: Path, content: object) -> Path:
    file = folder / "claims.yml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def judged(folder: Path, statement: Mapping[str, Any], known: Mapping[str, ProjectFacts] | None = None) -> Judgement:
    """The judgement on one claim, read from a file as the report reads it."""
    claim = read(file_of(folder, {"it": {"expect": EXPECT, **statement}}), "claims.yml", PROJECTS)
    return judge(claim[0], known or facts())


@pytest.mark.parametrize(
    ("statement", "printed"),
    [
        ({"kind": "lower", "metric": "seconds", "of": "base", "than": "wider"}, {"base": 3631.0, "wider": 3688.0}),
        ({"kind": "above", "metric": "seconds", "of": "base", "value": "83.4 s"}, {"base": 83.477872}),
        (
            {"kind": "better", "metric": "test.accuracy", "of": "base", "than": "wider"},
            {"base": 0.81804, "wider": 0.81796},
        ),
        ({"kind": "above", "metric": "test.accuracy", "of": "base", "value": "71.34 %"}, {"base": 0.71342}),
    ],
)
def test_a_study_is_judged_by_what_it_prints_and_not_by_what_is_shown_of_that(
    tmp_path: Path, statement: dict[str, Any], printed: dict[str, float]
) -> None:
    seconds = statement["metric"] == "seconds"
    known = facts(
        {
            name: (PRINTED[name][0] if seconds else value, *PRINTED[name][1:3], value if seconds else PRINTED[name][3])
            for name, value in printed.items()
        }
    )
    assert judged(tmp_path, statement, known).study.verdict == "holds"


@pytest.mark.parametrize(
    "statement",
    [
        {"kind": "similar", "metric": "test.accuracy", "of": "base", "than": "base", "margin": "1 pp"},
        {"kind": "better", "metric": "test.accuracy", "of": "base", "than": ["deeper", "base"]},
        {"kind": "ranked", "metric": "test.accuracy", "order": ["base", "deeper", "base"]},
    ],
)
def test_nothing_is_compared_with_itself(tmp_path: Path, statement: dict[str, Any]) -> None:
    with pytest.raises(ReportError, match=r"base is compared with itself\.$"):
        judged(tmp_path, statement)


BOTH = ["test.accuracy", "test.cross_entropy"]
SIMILAR = {"kind": "similar", "metric": "test.accuracy", "of": "wider", "than": "deeper"}
BETTER = {"kind": "better", "metric": "test.accuracy", "of": "deeper", "than": "base"}


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        (BETTER, "holds"),
        ({**BETTER, "metric": BOTH}, "holds"),
        ({**BETTER, "of": "base", "than": "deeper"}, "contradicted"),
        ({**BETTER, "kind": "worse"}, "contradicted"),
        ({**BETTER, "of": "wider", "than": ["base", "deeper"]}, "holds"),
        (
            {**BETTER, "of": "wider", "than": "deeper", "metric": BOTH},
            "contradicted",
        ),
        ({**BETTER, "margin": "9.73 pp"}, "holds"),
        ({**BETTER, "margin": "9.74 pp"}, "contradicted"),
        ({**BETTER, "metric": "train.accuracy", "of": "wider"}, "undecided"),
        ({**BETTER, "metric": "validation.accuracy"}, "undecided"),
        ({"kind": "lower", "metric": "seconds", "of": "deeper", "than": "base"}, "holds"),
        ({"kind": "lower", "metric": "seconds", "of": "deeper", "than": "base", "margin": "3 s"}, "contradicted"),
        ({"kind": "lower", "metric": "seconds", "of": "deeper", "than": "wider", "times": 1.9}, "holds"),
        ({"kind": "higher", "metric": "seconds", "of": "wider", "than": "deeper", "times": 2}, "contradicted"),
        ({"kind": "higher", "metric": "parameters.total", "of": "wider", "than": "base", "times": 2.5}, "holds"),
        ({**SIMILAR, "margin": "0.7 pp"}, "holds"),
        (
            {"kind": "similar", "metric": "test.accuracy", "of": "deeper", "than": "wider", "margin": "0.6 pp"},
            "contradicted",
        ),
        ({"kind": "best", "metric": "test.accuracy", "of": "wider", "among": list(PROJECTS)}, "holds"),
        ({"kind": "worst", "metric": "test.accuracy", "of": "wider", "among": list(PROJECTS)}, "contradicted"),
        ({"kind": "best", "metric": "train.accuracy", "of": "deeper", "among": list(PROJECTS)}, "undecided"),
        ({"kind": "ranked", "metric": "test.accuracy", "order": ["wider", "deeper", "base"]}, "holds"),
        ({"kind": "ranked", "metric": "test.cross_entropy", "order": ["wider", "deeper", "base"]}, "contradicted"),
        ({"kind": "above", "metric": "test.accuracy", "of": "deeper", "value": "72 %"}, "holds"),
        ({"kind": "above", "metric": "test.accuracy", "of": "deeper", "value": "72.3 %"}, "contradicted"),
        ({"kind": "below", "metric": "seconds", "of": "deeper", "value": "1 min"}, "holds"),
        ({"kind": "overfits", "of": "base", "margin": "5 pp"}, "holds"),
        ({"kind": "overfits", "of": "base", "margin": "9 pp"}, "contradicted"),
        ({"kind": "overfits", "of": "wider", "margin": "5 pp"}, "undecided"),
        ({"kind": "lower", "metric": "gap.accuracy", "of": "deeper", "than": "base"}, "holds"),
        ({**SIMILAR, "of": "deeper", "than": "wider", "margin": "0.7 pp"}, "holds"),
        ({"kind": "below", "metric": "seconds", "of": "deeper", "value": "45.2 s"}, "contradicted"),
        ({"kind": "best", "metric": "train.accuracy", "of": "base", "among": list(PROJECTS)}, "contradicted"),
        ({"kind": "ranked", "metric": "test.accuracy", "order": ["wider", "base", "deeper"]}, "contradicted"),
        ({"kind": "lower", "metric": "seconds", "of": "deeper", "than": "wider", "times": 2}, "contradicted"),
        ({"kind": "better", "metric": "gap.accuracy", "of": "deeper", "than": "base"}, "holds"),
        ({"kind": "above", "metric": "gap.cross_entropy", "of": "base", "value": "0.5 nats"}, "holds"),
        ({"kind": "below", "metric": "seconds", "of": "base", "value": "0.02 h"}, "holds"),
    ],
    ids=str,
)
def test_each_kind_of_claim_is_judged_on_the_figures_that_the_study_prints(
    tmp_path: Path, statement: dict[str, Any], verdict: str
) -> None:
    assert judged(tmp_path, statement).study.verdict == verdict


@pytest.mark.parametrize(
    ("deeper", "base", "verdict"),
    [
        ((72, 73, 74), (62, 63, 64), "holds"),
        ((62, 63, 64), (72, 73, 74), "contradicted"),
        ((60, 70, 80), (62, 63, 64), "undecided"),  # the means differ, the seeds more
        ((72,), (62, 63, 64), "holds"),  # one run has no spread: 1,000 test images have
        ((66,), (62, 63, 64), "undecided"),
        ((72, 73, 74), (62,), "holds"),
        ((63, 64, 65), (62,), "undecided"),
        ((62,), (81,), "contradicted"),
        ((61,), (62,), "undecided"),
        ((), (62, 63, 64), "undecided"),
        ((62, 63), (), "undecided"),
        ((62,), (), "undecided"),  # which compares nothing
    ],
)
def test_the_spread_of_the_seeds_decides_a_claim_on_the_runs(
    tmp_path: Path, deeper: tuple[int, ...], base: tuple[int, ...], verdict: str
) -> None:
    judgement = judged(tmp_path, BETTER, facts(runs={"deeper": deeper, "base": base}))
    assert judgement.reproduction.verdict == verdict
    lone = 1 in (len(deeper), len(base)) and 0 not in (len(deeper), len(base))
    assert [item.spread for item in judgement.reproduction.lone] == ["images"] * lone


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ((70, 71, 72), "holds"),
        ((70, 74, 78), "undecided"),
        ((80, 81, 82), "contradicted"),
        ((72,), "undecided"),
        ((83,), "contradicted"),
    ],
)
def test_similar_holds_only_if_the_whole_interval_is_within_the_tolerance(
    tmp_path: Path, runs: tuple[int, ...], verdict: str
) -> None:
    statement = {"kind": "similar", "metric": "test.accuracy", "of": "deeper", "than": "wider", "margin": "3 pp"}
    known = facts(runs={"deeper": runs, "wider": (71, 71, 71)})
    assert judged(tmp_path, statement, known).reproduction.verdict == verdict


@given(
    st.lists(st.integers(1, 99), min_size=2, max_size=6),
    st.lists(st.integers(1, 99), min_size=2, max_size=6),
)
def test_the_interval_of_a_difference_is_welchs(ours: list[int], theirs: list[int]) -> None:
    half = half_of(ours, theirs)
    if len(set(ours)) == len(set(theirs)) == 1:
        assert half == 0
        return
    interval = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert half is not None
    assert 200 * half == pytest.approx(interval.high - interval.low, rel=1e-6)


def half_of(*sides: Sequence[int]) -> float | None:
    """Half of the interval of a difference in test accuracy between runs with so many images right in 100."""
    known = facts(runs={"deeper": sides[0], **({"base": sides[1]} if len(sides) > 1 else {})})
    metric = METRICS["test.accuracy"]
    compared = [known[name] for name in ("deeper", "base")[: len(sides)]]
    return claims._half([claims._share(metric, 1, one, metric.reproduced(one).values) for one in compared])


@given(st.integers(1, 99), st.integers(1, 99))
def test_between_single_runs_the_interval_is_that_of_two_shares_of_the_test_images(ours: int, theirs: int) -> None:
    error = math.sqrt((ours * (100 - ours) + theirs * (100 - theirs)) / 100**2 / IMAGES)
    assert half_of([ours], [theirs]) == pytest.approx(stats.norm.ppf(0.975) * error, rel=1e-6)
    assert half_of([ours]) == pytest.approx(1.96 * math.sqrt(ours * (100 - ours) / 100**2 / IMAGES), rel=1e-4)


@given(st.integers(1, 99), st.lists(st.integers(1, 99), min_size=2, max_size=6))
def test_against_several_seeds_the_images_of_a_single_run_only_widen_the_interval(ours: int, theirs: list[int]) -> None:
    half, images, seeds = half_of([ours], theirs), half_of([ours]), half_of(theirs)
    assert half is not None and images is not None and seeds is not None
    assert half >= images * 0.999999
    assert half <= images + seeds + 1e-9


def test_one_run_that_gets_all_or_nothing_right_counts_its_images_too(tmp_path: Path) -> None:
    """The usual standard error would be 0 and say that nothing is open."""
    side = judged(tmp_path, BETTER, facts(runs={"deeper": (100,), "base": (62,)})).reproduction
    assert side.verdict == "holds" and [item.spread for item in side.lone] == ["images"]


def test_of_a_metric_whose_error_nobody_knows_single_runs_compare_bare_numbers(tmp_path: Path) -> None:
    known = facts(runs={"deeper": (90,), "base": (50,)})
    side = judged(tmp_path, {**BETTER, "metric": ["test.accuracy", "train.accuracy"]}, known).reproduction
    assert {item.test.metric: item.spread for item in side.evidence} == {
        "test.accuracy": "images",
        "train.accuracy": None,
    }


def test_to_contradict_a_claim_one_comparison_of_several_runs_is_enough(tmp_path: Path) -> None:
    known = facts(runs={"deeper": (40, 41, 42), "base": (62, 63, 64), "wider": (90,)})
    against = {**BETTER, "than": ["base", "wider"]}
    side = judged(tmp_path, against, known).reproduction
    assert side.verdict == "contradicted" and side.lone == ()


@given(st.lists(st.integers(1, 99), min_size=2, max_size=6))
def test_against_a_value_the_interval_is_students_of_the_mean_itself(runs: list[int]) -> None:
    content = {"kind": "above", "metric": ("test.accuracy",), "of": "deeper", "value": "50 %", "expect": EXPECT}
    claim = claims.Claim("it", claims.Threshold.model_validate(content), 1)
    (evidence,) = judge(claim, facts(runs={"deeper": tuple(runs)})).reproduction.evidence
    assert evidence.interval is not None
    found = [end.value for end in evidence.interval]
    if len(set(runs)) == 1:
        assert found == pytest.approx([runs[0] / 100] * 2)
        return
    expected = stats.ttest_1samp(runs, 0).confidence_interval(0.95)
    assert found == pytest.approx([max(0, expected.low / 100), min(1, expected.high / 100)], abs=1e-4), "as rounded"


def test_an_interval_of_two_accuracies_difference_is_shown_within_a_hundred_points(tmp_path: Path) -> None:
    """Two seeds of each spread so widely that Welch's interval goes on to 152."""
    (evidence,) = judged(tmp_path, BETTER, facts(runs={"deeper": (50, 90), "base": (20, 60)})).reproduction.evidence
    assert evidence.interval and evidence.verdict == "undecided"
    assert [end.value for end in evidence.interval] == [-0.917, 1.0]


def test_a_single_run_that_is_right_throughout_proves_no_more_than_its_images(tmp_path: Path) -> None:
    known = facts(runs={"deeper": (100,), "base": (70, 99)})
    assert judged(tmp_path, BETTER, known).reproduction.verdict == "undecided"


@pytest.mark.parametrize(
    ("metric", "margin", "low", "high"),
    [("gap.accuracy", "0 pp", -1.0, 1.0), ("gap.cross_entropy", "0 nats", -0.964, 0.304)],
)
def test_the_interval_of_a_gap_has_its_sign_and_goes_no_further_than_all_images(
    tmp_path: Path, metric: str, margin: str, low: float, high: float
) -> None:
    statement = {"kind": "above", "metric": metric, "of": "deeper", "value": margin}
    runs = [
        record("deeper", seed, train={"accuracy": accuracy, "cross_entropy": entropy})
        for seed, accuracy, entropy in ((0, 0.65, 1.40), (1, 0.85, 1.50))
    ]
    (evidence,) = judged(tmp_path, statement, build(study(PRINTED), runs)).reproduction.evidence
    assert evidence.interval and all(end.signed for end in evidence.interval)
    entropy = runs[0].test.cross_entropy
    shift = 0 if metric == "gap.accuracy" else entropy - 1.12
    assert [end.value for end in evidence.interval] == pytest.approx([low + shift, high + shift], abs=2e-3)


def test_what_no_seed_changes_has_no_interval(tmp_path: Path) -> None:
    fewer = {"kind": "similar", "metric": "parameters.total", "of": "deeper", "than": "base"}
    fewer["margin"] = "5000 parameters"
    (evidence,) = judged(tmp_path, fewer, facts(runs={"deeper": (50, 90), "base": (20, 60)})).reproduction.evidence
    assert evidence.verdict == "holds" and evidence.interval is None


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from(["0.5 pp", "2 pp", None]))
def test_two_opposite_claims_never_hold_together(ours: int, theirs: int, margin: str | None) -> None:
    printed = {"base": (theirs / 10_000, 1.0, None, 1.0), "deeper": (ours / 10_000, 1.0, None, 1.0)}
    known = facts(printed)
    verdicts = []
    for kind in ("higher", "lower"):
        content = {"kind": kind, "metric": ("test.accuracy",), "of": "deeper", "than": "base", "expect": EXPECT}
        statement = claims.Comparison.model_validate({**content, **({"margin": margin} if margin else {})})
        verdicts.append(judge(claims.Claim("it", statement, 1), known).study.verdict)
    assert verdicts.count("holds") == (abs(ours - theirs) > round(100 * float((margin or "0").split()[0])))


def test_a_claim_that_holds_in_the_study_and_not_in_the_runs_is_a_finding_and_unexpected(tmp_path: Path) -> None:
    known = facts(runs={"deeper": (60, 61, 62), "base": (70, 71, 72)})
    judgement = judged(tmp_path, BETTER, known)
    assert judgement.finding and judgement.unexpected
    expected = judged(tmp_path, {**BETTER, "expect": {"study": "holds", "reproduction": "contradicted"}}, known)
    assert expected.finding and not expected.unexpected


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "beter"}, "kind is 'beter', expected one of better, .*; did you mean 'better'"),
        ({"metric": "test.acuracy"}, "'test.acuracy' is not a known metric.*did you mean 'test.accuracy'"),
        ({"of": "deper"}, "'deper' is not a known project.*did you mean 'deeper'"),
        ({"than": ["base", "widr"]}, "'widr' is not a known project.*did you mean 'wider'"),
        ({"margin": 5}, "margin: expected a number with its unit, such as '5 pp' or '0.05 nats', found 5"),
        ({"margin": "5"}, "expected a number with its unit"),
        ({"margin": "0.1 nats"}, "the margin of test.accuracy is given in pp, found 'nats'"),
        ({"margin": "5 %"}, "the margin of test.accuracy is given in pp, found '%'"),
        ({"kind": "similar"}, "`similar` needs a margin with its unit"),
        ({"times": 2}, "`times` goes with `higher` or `lower`"),
        ({"metric": "epochs"}, "no epochs is better than another; say `higher` or `lower`"),
        ({"expect": {"study": "true", "reproduction": "holds"}}, "expect.study: found 'true', expected 'holds', 'cont"),
        ({"expect": None}, "expect: "),
        ({"expect": "holds"}, "expect: found 'holds', expected entries, each by its name"),
        ({"whose": "base"}, "whose is unknown"),
        ({"than": []}, "than: "),
        ({"than": []}, r"than: found \[\], expected at least 1 item\.$"),
    ],
    ids=str,
)
def test_a_mistake_in_a_claim_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    content = {"first": {"expect": EXPECT, **BETTER}, "second": {"expect": EXPECT, **BETTER, **change}}
    with pytest.raises(ReportError, match=rf"^claims\.yml, line \d+, claim second: .*{complaint}") as raised:
        read(file_of(tmp_path, content), "claims.yml", PROJECTS)
    line = int(str(raised.value).split("line ")[1].split(",")[0])
    assert file_of(tmp_path, content).read_text(encoding="utf-8").splitlines()[line - 1] == "second:"


def test_overfitting_is_said_of_the_gap_in_accuracy_and_of_nothing_else(tmp_path: Path) -> None:
    statement = {"kind": "overfits", "of": "base", "margin": "5 pp", "expect": EXPECT}
    read(file_of(tmp_path, {"it": {**statement, "metric": "gap.accuracy"}}), "claims.yml", PROJECTS)
    with pytest.raises(ReportError, match=r"^claims\.yml, line 1, claim it: `overfits` is said of gap\.accuracy"):
        read(file_of(tmp_path, {"it": {**statement, "metric": "test.accuracy"}}), "claims.yml", PROJECTS)


def test_every_claim_that_names_a_project_that_is_gone_is_told(tmp_path: Path) -> None:
    content = {name: {"expect": EXPECT, **BETTER} for name in ("one", "two")}
    with pytest.raises(ReportError) as raised:
        read(file_of(tmp_path, content), "claims.yml", ("base", "wider"))
    one, two = str(raised.value).splitlines()
    assert "claim one: 'deeper' is not a known project" in one
    assert "claim two: 'deeper' is not a known project" in two


def test_a_claim_on_a_variant_counts_its_runs_alone_and_nothing_of_the_study_or_the_project(tmp_path: Path) -> None:
    printed = study(PRINTED)
    runs = [
        record("base", right=90),
        record("base", right=40, variant="ours"),
        record("deeper", right=60, variant="ours"),
    ]
    known = build(printed, runs)
    better = {"kind": "better", "metric": "test.accuracy", "of": "deeper/ours", "than": "base/ours"}
    found = judged(tmp_path, better, known)
    assert (found.study.verdict, found.reproduction.verdict) == ("undecided", "holds")
    assert found.reproduction.evidence[0].runs == (1, 1)
    mixed = judged(tmp_path, {**better, "than": "base"}, known)
    assert (mixed.study.verdict, mixed.reproduction.verdict) == ("undecided", "contradicted")
    absent = judged(tmp_path, {**better, "of": "wider/ours"}, known)
    assert absent.reproduction.verdict == "undecided", "nobody has run it"
    with pytest.raises(ReportError, match="'none/ours' is not a known project"):
        judged(tmp_path, {**better, "of": "none/ours"}, known)


def test_whose_training_took_longer_is_undecided_between_two_machines(tmp_path: Path) -> None:
    quicker = {"kind": "lower", "metric": "seconds", "of": "deeper", "than": "base"}
    fast = environment().model_copy(update={"device": "A GPU"})
    runs = [record("base", 0, length=20), record("deeper", 0, length=10)]
    assert judged(tmp_path, quicker, build(study(PRINTED), runs)).reproduction.verdict == "holds"
    runs[1] = record("deeper", 0, length=10, environment=fast)
    side = judged(tmp_path, quicker, build(study(PRINTED), runs)).reproduction
    assert side.verdict == "undecided" and side.evidence[0].difference is not None
    assert side.evidence[0].difference.value is None, "nothing is subtracted that cannot be compared"
    assert not side.lone, "nothing was"
    below = {"kind": "below", "metric": "seconds", "of": "deeper", "value": "1 h"}
    assert judged(tmp_path, below, build(study(PRINTED), runs)).reproduction.verdict == "holds"


def test_an_identifier_that_is_used_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    text = "".join(
        f"it:\n  {yaml.safe_dump({**BETTER, 'expect': EXPECT}, default_flow_style=True, width=999)}" for _ in "12"
    )
    with pytest.raises(ReportError, match=r"line 3: the claim 'it' stands in line 1 already"):
        read(file_of(tmp_path, text), "claims.yml", PROJECTS)


@pytest.mark.parametrize("identifier", ['a"b', "two words", "a#b", "<b>"])
def test_a_name_that_is_no_part_of_an_address_is_refused(tmp_path: Path, identifier: str) -> None:
    entry = f"'{identifier}': {{kind: above, of: first, value: 0.5 %, metric: test accuracy}}\n"
    with pytest.raises(
        ReportError, match=r"^claims\.yml, line 1: the claim .* has a name that is no part of an address"
    ):
        read(file_of(tmp_path, entry), "claims.yml", PROJECTS)


@pytest.mark.parametrize("text", ["- a\n- b\n", "{", "it: 3\n"])
def test_a_file_that_holds_no_claims_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReportError, match=r"^claims\.yml"):
        read(file_of(tmp_path, text), "claims.yml", PROJECTS)


def test_a_report_may_have_no_claims(tmp_path: Path) -> None:
    assert read(tmp_path / "claims.yml", "claims.yml", PROJECTS) == ()
    assert read(file_of(tmp_path, "# none yet\n"), "claims.yml", PROJECTS) == ()


def test_every_metric_is_read_off_a_project_with_runs() -> None:
    known = facts(runs={"base": (60, 61)})["base"]
    for name, metric in METRICS.items():
        summary = metric.reproduced(known)
        assert (len(summary.values), summary.kind) == (2, metric.kind), name
        assert metric.published(known).kind == metric.kind, name


def test_what_was_never_studied_nor_run_is_not_run_yet_in_every_metric() -> None:
    known = build(study(PRINTED), [], ["ours"])["ours"]
    assert {metric.reproduced(known).mean.absent for metric in METRICS.values()} == {NOT_RUN}
    assert {metric.published(known).absent for metric in METRICS.values()} == {NOT_STUDIED}


@given(st.lists(st.integers(0, 99999), min_size=1, max_size=5))
def test_a_gap_that_is_shown_is_the_difference_of_the_means_that_are_shown(accuracies: list[int]) -> None:
    measured = [{"accuracy": accuracy / 99999, "cross_entropy": 0.5} for accuracy in accuracies]
    runs = [record("base", seed, right=61, train=metrics) for seed, metrics in enumerate(measured)]
    known = build(study(PRINTED), runs)["base"]
    means = (known.reproduced.train.accuracy.mean, known.reproduced.test.accuracy.mean)
    assert METRICS["gap.accuracy"].reproduced(known).mean == means[0] - means[1]


def scaled(times: float, project: str, runs: Sequence[int]) -> tuple[float, float] | None:
    """What so many times a project's mean test accuracy brings to the variance of a difference."""
    metric, known = METRICS["test.accuracy"], facts(runs={project: runs})[project]
    return claims._share(metric, times, known, metric.reproduced(known).values)


@given(st.floats(1.1, 9), st.lists(st.integers(1, 99), min_size=2, max_size=5, unique=True), st.integers(1, 99))
def test_a_factor_widens_an_interval_as_it_would_that_of_values_so_much_larger(
    times: float, ours: list[int], theirs: int
) -> None:
    half = claims._half([scaled(1, "deeper", ours), scaled(times, "base", ours)])
    interval = stats.ttest_ind(ours, [times * k for k in ours], equal_var=False).confidence_interval(0.95)
    assert half is not None and 200 * half == pytest.approx(interval.high - interval.low, rel=1e-6)
    one, alone = claims._half([scaled(1, "base", [theirs])]), claims._half([scaled(times, "base", [theirs])])
    assert one is not None and alone == pytest.approx(times * one)


@given(st.integers(1, 99), st.lists(st.integers(1, 99), min_size=2, max_size=6), st.floats(1.1, 9), st.booleans())
def test_a_single_run_beside_several_is_one_more_draw_with_their_spread_unless_its_images_leave_more_open(
    alone: int, seeds: list[int], times: float, first: bool
) -> None:
    metric, known = METRICS["test.accuracy"], facts(runs={"deeper": (alone,), "base": tuple(seeds)})
    compared = [
        (factor, known[name], metric.reproduced(known[name]).values)
        for factor, name in ((1.0, "deeper"), (times, "base"))
    ]
    lent = claims._lent(metric, compared if first else compared[::-1])
    deviation = np.std(seeds, ddof=1) / 100
    if deviation < math.sqrt(alone * (100 - alone) / 100**2 / IMAGES):
        assert lent is None
        return
    quantile = stats.t.ppf(0.975, len(seeds) - 1)
    assert lent == pytest.approx(quantile * deviation * math.sqrt(1 + times**2 / len(seeds)), rel=1e-6)


def test_a_single_run_far_from_others_that_vary_little_differs_and_beside_others_that_vary_much_does_not(
    tmp_path: Path,
) -> None:
    def side(metric: str, deeper: Sequence[int], base: Sequence[int]) -> claims.Side:
        known = facts(runs={"deeper": tuple(deeper), "base": tuple(base)})
        return judged(tmp_path, {**BETTER, "metric": metric}, known).reproduction

    close, wide = side("test.accuracy", (90,), (60, 63, 66)), side("test.accuracy", (90,), (50, 63, 76))
    assert (close.verdict, wide.verdict) == ("holds", "undecided")
    for found in (close, wide, side("test.cross_entropy", (50, 51, 54), (90,))):
        (evidence,) = found.lone
        assert evidence.spread == "lent" and evidence.interval and 1 in (evidence.runs or ())


def test_several_runs_lend_their_spread_also_where_the_error_of_a_single_one_is_unknown(tmp_path: Path) -> None:
    known = facts(runs={"deeper": (90,), "base": (50, 51)})
    (evidence,) = judged(tmp_path, {**BETTER, "metric": "test.cross_entropy"}, known).reproduction.evidence
    assert (evidence.spread, evidence.runs) == ("lent", (1, 2))
    alone = facts(runs={"deeper": (90,), "base": (50,)})
    (evidence,) = judged(tmp_path, {**BETTER, "metric": "test.cross_entropy"}, alone).reproduction.evidence
    assert (evidence.spread, evidence.interval, evidence.runs) == (None, None, (1, 1))


def test_counts_that_vary_have_an_interval_and_a_factor_has_none(tmp_path: Path) -> None:
    runs = [record(name, k, length=9 * (1 + (name == "deeper")) + k) for name in ("base", "deeper") for k in (0, 1)]
    known = build(study(PRINTED), runs)
    longer = {"kind": "higher", "metric": "epochs", "of": "deeper", "than": "base"}
    (plain,) = judged(tmp_path, longer, known).reproduction.evidence
    assert plain.interval and [end.kind for end in plain.interval] == ["average", "average"]
    (times,) = judged(tmp_path, {**longer, "times": 1.5}, known).reproduction.evidence
    assert times.interval is None, "one of the plain difference would be of something else"


def test_an_interval_of_a_difference_in_accuracy_is_in_points(tmp_path: Path) -> None:
    known = facts(runs={"deeper": (70, 71), "base": (60, 61)})
    (difference,) = judged(tmp_path, BETTER, known).reproduction.evidence
    value = {"kind": "above", "metric": "test.accuracy", "of": "deeper", "value": "50 %"}
    (mean,) = judged(tmp_path, value, known).reproduction.evidence
    assert difference.interval and [end.kind for end in difference.interval] == ["points"] * 2
    assert mean.interval and [end.kind for end in mean.interval] == ["percent"] * 2


def test_accuracies_of_two_machines_are_compared(tmp_path: Path) -> None:
    fast = environment().model_copy(update={"device": "A GPU"})
    runs = [record("base", right=60), record("deeper", right=80, environment=fast)]
    assert judged(tmp_path, BETTER, build(study(PRINTED), runs)).reproduction.verdict == "holds"


def test_what_contradicts_a_claim_rests_on_a_single_run_whatever_else_holds(tmp_path: Path) -> None:
    known = facts(runs={"deeper": (60, 61, 62), "base": (40, 41, 42), "wider": (90,)})
    side = judged(tmp_path, {**BETTER, "than": ["base", "wider"]}, known).reproduction
    assert side.verdict == "contradicted" and [item.test.than for item in side.lone] == ["wider"]


@pytest.mark.parametrize("right", [(), (60, 80)])
def test_a_claim_that_one_side_leaves_undecided_is_no_finding(tmp_path: Path, right: tuple[int, ...]) -> None:
    known = facts(runs={"deeper": right, "base": (70, 71)})
    assert not judged(tmp_path, BETTER, known).finding


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        (
            {**BETTER, "kind": "higher", "times": 2, "margin": "1 pp"},
            "`times` goes with `higher` or `lower`, and without",
        ),
        ({**BETTER, "kind": "higher", "times": 1}, "times: found 1, expected greater than 1"),
        ({**BETTER, "kind": "higher", "times": float("inf")}, "times: found inf, expected a finite number"),
        (
            {"kind": "above", "metric": "test.accuracy", "of": "base", "value": "5 pp"},
            "the value of test.accuracy is given in %, found 'pp'",
        ),
        ({"kind": "ranked", "metric": "epochs", "order": ["base", "deeper"]}, "no epochs is better than another"),
        (
            {"kind": "best", "metric": "epochs", "of": "base", "among": list(PROJECTS)},
            "no epochs is better than another",
        ),
        (
            {"kind": "best", "metric": "test.accuracy", "of": "base", "among": "base"},
            "there is nothing to compare base",
        ),
        (
            {"kind": "best", "metric": "test.accuracy", "of": "base", "among": ["base", "widr"]},
            "'widr' is not a known project",
        ),
        (
            {"kind": "best", "metric": "test.accuracy", "of": "base", "among": ["deeper", "deeper"]},
            "deeper is compared with itself",
        ),
    ],
    ids=str,
)
def test_what_a_statement_cannot_mean_is_refused_with_its_place(
    tmp_path: Path, statement: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ReportError, match=rf"^claims\.yml, line 1, claim it: .*{complaint}"):
        judged(tmp_path, statement)


def test_a_field_that_stands_twice_in_a_claim_is_refused(tmp_path: Path) -> None:
    fields = ["kind: above", "metric: test.accuracy", "of: base", "value: 90 %", "value: 50 %"]
    text = "\n  ".join(["it:", *fields, "expect: {study: holds, reproduction: undecided}"]) + "\n"
    with pytest.raises(ReportError, match=r"^claims\.yml, line \d+: .*value"):
        read(file_of(tmp_path, text), "claims.yml", PROJECTS)


def test_trainable_parameters_are_those_and_not_all_of_them(tmp_path: Path) -> None:
    printed = study(PRINTED)
    some = {"total": 1000, "trainable": 10, "non_trainable": 990}
    first = printed.projects[0].model_validate({**printed.projects[0].model_dump(), "parameters": some})
    network = record("base").network
    frozen = network.model_copy(update={"trainable": 10, "non_trainable": network.parameters - 10})
    known = build(printed.model_copy(update={"projects": (first,)}), [record("base", network=frozen)])["base"]
    metric = METRICS["parameters.trainable"]
    assert (metric.published(known).value, metric.reproduced(known).values) == (10, (10.0,))


def test_what_a_study_prints_of_none_of_its_projects_is_not_printed() -> None:
    known = facts()["base"]
    for name in ("validation.accuracy", "validation.cross_entropy", "epochs"):
        assert METRICS[name].published(known).absent == NOT_PRINTED
