"""Every name that a page asks for and that is not there is told with its line, not the first one only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from reportgen import record as records
from reportgen import report as reports
from reportgen import source
from reportgen.finding import Finding
from reportgen.material import Material, gather
from reportgen.names import check_absent, check_bare, check_blocks, check_names
from reportgen.source import Source
from tests.reportgen.test_check import CLAIMS
from tests.synthetic import record


def found(root: Path, text: str, check: Callable[[Source, Material], Iterable[Finding]] = check_names) -> list[str]:
    """What is found on a page of a report with one project and one claim."""
    (root / "docs" / "claims.yml").write_text(CLAIMS, encoding="utf-8")
    (root / "docs" / "en" / "index.md").write_text(text, encoding="utf-8")
    report = reports.load(root)
    findings = check(source.read(report, "en", "index.md"), gather(report))
    return [str(finding).removeprefix("docs/en/index.md, ") for finding in findings]


def test_every_unknown_name_is_told_with_its_line_and_the_nearest(small_report: Path) -> None:
    text = "{{ frist.n }}\n\n{{ vanished.n }} {{ first.published.tst.accuracy }}\n{{ 1 | rund }} {{ curvs() }}\n"
    assert found(small_report, text) == [
        "line 4: 'rund' is no filter or test of Jinja's. Mend it with: 'round', if that is meant",
        "line 3: 'tst' is no part of first.published. Mend it with: 'test', if that is meant",
    ]
    assert sorted(found(small_report, text.replace("| rund", ""))) == [
        "line 1: 'frist' is no known name. Mend it with: 'first', if that is meant",
        "line 3: 'tst' is no part of first.published. Mend it with: 'test', if that is meant",
        "line 3: 'vanished' is no known name.",
        "line 4: 'curvs' is no known name. Mend it with: 'curves', if that is meant",
    ]


def test_a_known_name_within_single_braces_is_told(small_report: Path) -> None:
    text = "A\n{ first.published.seconds } b {title('first')}.\n\n| a |\n| - |\n| { (first.n - 1) | abs } |\n"
    assert [line.partition(" stands")[0] for line in found(small_report, text)] == [
        "line 2: '{ first.…'",
        "line 2: '{title(…'",
        "line 6: '{ (first.…'",
    ]
    assert found(small_report, text)[0].endswith("as it is written. Mend it with: {{ first… }}")


def test_other_braces_and_those_in_code_or_shown_as_they_are_are_not_told(small_report: Path) -> None:
    text = (
        "# A { #first.x }\n\n`{ first.n }` { second.n } { .first } {first} {title.} {first(x)} "
        "{% raw %}{{ first.n }}{% endraw %}\n\n```python\nf'{first.n}'\n```\n"
    )
    assert found(small_report, text) == []


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("given(16.12)", '16.12 is no whole number; {{ given(16.12, "decimal") }} writes its decimals.'),
        ("given(-2.5, kind='count')", '-2.5 is no whole number; {{ given(-2.5, "decimal") }} writes its decimals.'),
        ("given('8')", "'8' is no number; {{ given(8192) }} writes one, without quotes."),
        ("given(5, 'kilos')", "'kilos' is not a kind of number that can be given: "),
        ("given(61.5, 'seconds')", "61.5 s would be rounded; "),
        ("given(95, 'percent')", '95 would be 9500%, for the whole is 1; {{ given(0.95, "percent") }} writes 95%.'),
        ("given(-1.01, 'percent')", "-1.01 would be -101%, for the whole is 1; "),
        ("given(-1, 'percent')", None),
        ("given(first.count)", None),
        ("given(2 ** 13)", None),
        ("given(16.12, 'decimal')", None),
    ],
)
def test_a_number_that_cannot_be_given_is_told_before_the_page_is_rendered(
    small_report: Path, call: str, told: str | None
) -> None:
    what = [line for line in found(small_report, f"\n{{{{ {call} }}}}\n") if "no part of" not in line]
    assert len(what) == bool(told) and all(line.startswith(f"line 2: {told}") for line in what)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ('{% claim "first-is-god" %}Good{% endclaim %}.', "'first-is-god' is no claim of docs/claims.yml"),
        ('{{ claim_entry("none") }}', "'none' is no claim of docs/claims.yml"),
        ('{{ results("gone") }}', "'gone' is no known project"),
        ('{{ changes("first", since="frist") }}', "'frist' is no known project"),
        ('{{ variant("gone/ours").reproduced.test }}', "'gone/ours' is no known project"),
        ('{{ variant("first/ours").reproduced.tests }}', "'tests' is no part of variant(\"first/ours\").reproduced"),
        (
            "{{ first.reproduced.test.accuracy.meen }}",
            "'meen' is no part of first.reproduced.test.accuracy. Mend it with: 'mean'",
        ),
        (
            "{{ first.reproduced.test.f1 }}",
            "'f1' is no part of first.reproduced.test. Mend it with: one of accuracy, cross_entropy",
        ),
    ],
)
def test_what_is_named_in_quotes_is_looked_up_too(small_report: Path, text: str, unknown: str) -> None:
    (only,) = found(small_report, f"# A\n\n{text}\n")
    assert only.startswith(f"line 3: {unknown}")


def test_what_is_known_or_the_page_s_own_is_not_told(small_report: Path) -> None:
    text = (
        '{% claim "first-is-good" %}Good{% endclaim %} {% set mine = first %}{{ mine.published }}'
        "{% for one in [first] %}{{ loop.index }} {{ one.reproduced.test.accuracy.sd - given(3) }}{% endfor %}"
        '{{ variant("first/nobody-ran").reproduced.seconds.mean | default(range(3)) }} {{ setting("first", "gone") }}'
        "{% raw %}{{ gone }}{% endraw %} {# {{ gone }} #}{{ first.published.test.accuracy }}"
    )
    assert found(small_report, text) == []


def test_a_setting_that_a_project_s_runs_do_not_have_is_told_with_the_nearest(small_report: Path) -> None:
    records.write(record("first"), small_report / "results")
    text = "{{ setting('first', 'batchsize') }}\n{{ setting('first', name='zzz') }} {{ setting('first', 'epochs') }}\n"
    text += "{{ title(name='first') }}{{ setting('first/no-run', 'zzz') }}\n"
    near, none, *others = found(small_report, text)
    assert near == "line 1: 'batchsize' is no setting of first. Mend it with: 'batch_size', if that is meant"
    assert none.startswith("line 2: 'zzz' is no setting of first. Mend it with: one of batch_size, epochs")
    assert others == []


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("layers()", "layers() is called with other arguments than it has (missing a required argument: 'project')"),
        ('changes("first", "first", "first")', "(too many positional arguments)"),
        ('curves("first", beside="first")', "(got an unexpected keyword argument 'beside')"),
    ],
)
def test_a_call_with_other_arguments_than_the_function_has_is_told(
    small_report: Path, call: str, complaint: str
) -> None:
    (only,) = found(small_report, f"# A\n\n{{{{ {call} }}}}\n")
    assert only.startswith("line 3: ") and complaint in only


def test_a_variant_whose_name_is_nearly_that_of_another_is_a_warning(small_report: Path) -> None:
    records.write(record("first", variant="tiny-imagenet-96px"), small_report / "results")
    for name, told in (("tiny-imagnet-96px", 1), ("tiny-imagenet-128px", 0), ("tiny-imagenet", 0), ("unlike", 0)):
        findings = found(small_report, f'{{{{ variant("first/{name}").reproduced.seconds }}}}\n')
        assert len(findings) == told, name
        assert all("Mend it with: 'imagenet', if that is meant" in line for line in findings)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('Look: {{ layers("first") }}\n\n{{ layers("first") }}\n', [1]),
        ("- {{ ladder() }}\n\n{{ ladder() }} and more\n", [1, 3]),
        ('A {{ title("first") }} of {{ given(8192) }}.\n\n  {{ ladder() }}  \n', []),
        ("{% if first.records %}{{ ladder() }}{% endif %}", []),
        ('!!! note "R"\n\n    {{ ladder() }}\n\n- A\n\n\t{{ ladder() }}\n\n    {{ title("first") }}\n', [3, 7]),
        ("{% if first.records %}\n    {{ ladder() }}\n{% endif %}", [2]),
        ('Look: {{ first.published.seconds }} {{ curves("first") }}', [1]),
        ("# A\n\n{{ gap_chart() }} {{ ladder() }}\n{{ ladder() }}\n", [3, 3]),
        ("1. A\n   {{ gap_chart() }}\n", [2]),
        ('- {{ title("first") }}\n  {{ ladder() }}\n', [2]),
        ('A\n\n {{ code("first") }}\n\n  {{ claim_entry("first-is-good") }}\n\n   {{ gap_chart() }}\n', [3, 5]),
    ],
)
def test_a_block_amid_a_line_or_indented_is_told(small_report: Path, text: str, lines: list[int]) -> None:
    told = found(small_report, text, lambda page, _: check_blocks(page))
    assert [int(re.findall(r"^line (\d+): \w+\(\) makes a block", line)[0]) for line in told] == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("<div markdown>\n\n{{ gap_chart() }}\n\n</div>\n\n{{ gap_chart() }}\n", [3]),
        ('<div class="a" markdown="1">\n{{ ladder() }}\n<div>A</div>\n\n{{ curves("first") }}\n\n</div>\n', [5]),
        ("<div>\n\n{{ gap_chart() }}\n\n</div>\n\n`<div markdown>`\n\n{{ gap_chart() }}\n", []),
        ('<p markdown>Near *{{ same_class("weights", 32) }}*</p>\n\n{{ gap_chart() }}\n', []),
    ],
)
def test_a_figure_in_html_whose_markdown_is_read_is_told(small_report: Path, text: str, lines: list[int]) -> None:
    told = found(small_report, text, lambda page, _: check_blocks(page))
    assert [int(re.findall(r"^line (\d+): \w+\(\) makes a figure", line)[0]) for line in told] == lines


ABSENT, PRESENT = "{{ first.reproduced.seconds.mean }}", "{{ first.published.seconds }}"


@pytest.mark.parametrize(
    "sentence",
    [
        f"The runs took {ABSENT} on average.",
        f"{ABSENT} is what they took.",
        f"The runs took\n{ABSENT}\non average.",
        "It gained {{ first.published.test.accuracy - first.published.train.accuracy }}.",
        'One took {{ variant("first/ours").reproduced.seconds }}.',
    ],
)
def test_a_fact_that_is_absent_amid_a_sentence_is_a_warning(small_report: Path, sentence: str) -> None:
    (only,) = found(small_report, f"# A\n\n{sentence}\n", check_absent)
    assert re.match("line [34]: a fact in this sentence is absent, and a reader sees 'not ", only)


def test_a_fact_that_is_absent_behind_a_label_alone_or_on_a_condition_is_none(small_report: Path) -> None:
    text = (
        f"Time: {ABSENT}; it took {PRESENT} there (here {PRESENT}, {PRESENT}) [{ABSENT}] ({ABSENT}).\n\n{ABSENT}\n\n"
        f"- {ABSENT}\n\n1. {ABSENT}\n\n| a | b |\n| - | - |\n| {PRESENT} | **{ABSENT}** |\n\n"
        f"{{% if first.records %}}It took {ABSENT}.{{% endif %}}\n"
    )
    assert found(small_report, text, check_absent) == []


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ('"%.1f"|format(100 * first.published.test.accuracy.value)', "value"),
        ("(first.published.test.accuracy.value - 0.5) | round(3) | string", "value"),
        ("first.records[0].network.parameters", "records"),
        ("given(first.reproduced.test.accuracy.mean.exact, 'percent')", "exact"),
        ("first.reproduced.test.accuracy.values | sum", "values"),
    ],
)
def test_a_number_that_is_taken_out_of_its_fact_to_be_written_is_told(
    small_report: Path, expression: str, part: str
) -> None:
    (told,) = found(small_report, f"# A {{ #a }}\n\n{{{{ {expression} }}}}\n", lambda page, _: {*check_bare(page)})
    assert told.startswith(f"line 3: .{part} takes a number out of its fact, so that it is written as Python writes it")


@pytest.mark.parametrize(
    ("loop", "part"),
    [
        ('{% for run in first.records %}{{ given(run.test.accuracy, "percent") }}{% endfor %}', "records"),
        ("{% for run in first.records[:2] %}{{ run.test.accuracy }}{% endfor %}", "records"),
        ("{% for value in first.reproduced.seconds.values | sort %}{{ value }}{% endfor %}", "values"),
    ],
)
def test_a_loop_through_numbers_without_their_fact_is_told(small_report: Path, loop: str, part: str) -> None:
    (told,) = found(small_report, f"# A\n\n{loop}\n", lambda page, _: check_bare(page))
    assert told.startswith(f"line 3: .{part} takes a number out of its fact") and "results()" in told


def test_a_loop_through_what_is_no_number_of_a_fact_is_not_told(small_report: Path) -> None:
    text = (
        "{% for one in [first] %}{{ one.reproduced.test.accuracy }}{% endfor %}"
        "{% for one in range(first.records | length) %}{{ loop.index }}{% if first.records %}A{% endif %}{% endfor %}"
        "{% for word in {'a': 'b'}.values() %}{{ word }}{% endfor %}"
    )
    assert found(small_report, text, lambda page, _: check_bare(page)) == []


def test_what_a_condition_asks_for_and_what_is_counted_is_not_written(small_report: Path) -> None:
    text = "{% if first.published.test.accuracy.value > 0.5 %}{{ first.records | length }}{% endif %} {{ first.n }}\n"
    assert found(small_report, text, lambda page, _: check_bare(page)) == []


def test_the_project_that_curves_are_laid_against_and_a_test_of_jinja_are_looked_up_too(small_report: Path) -> None:
    (against,) = found(small_report, '{{ curves("first", against="frist") }}')
    assert against.startswith("line 1: 'frist' is no known project")
    (test,) = found(small_report, "# A\n\n{% if first is definedd %}A{% endif %}\n")
    assert test.startswith("line 3: 'definedd' is no filter or test of Jinja's. Mend it with: 'defined'")


def test_arguments_that_are_handed_on_are_not_counted(small_report: Path) -> None:
    assert found(small_report, '{{ results(*["first"]) }}\n\n{{ curves(**{"project": "first"}) }}\n') == []


@pytest.mark.parametrize(
    "call", ['dataset("first", "train")', 'setting("first", "epochs")', 'same_class("weights", 32)', "given(3)"]
)
def test_a_function_that_writes_a_number_may_stand_amid_a_sentence(small_report: Path, call: str) -> None:
    assert found(small_report, f"There are {{{{ {call} }}}} of them.\n", lambda page, _: check_blocks(page)) == []


@pytest.mark.parametrize("call", ['results("first")', 'curves("first")', "claims_table()", "downloads()"])
def test_a_function_that_makes_a_block_may_not_stand_amid_a_sentence(small_report: Path, call: str) -> None:
    (told,) = found(small_report, f"There are {{{{ {call} }}}} of them.\n", lambda page, _: check_blocks(page))
    assert "makes a block and stands amid a line" in told


def test_a_number_without_its_rounding_is_told_and_a_count_by_its_other_name_is_not(small_report: Path) -> None:
    text = "{{ first.published.test.accuracy.unrounded }}\n\n{{ first.records | count }}\n"
    (told,) = found(small_report, text, lambda page, _: check_bare(page))
    assert told.startswith("line 1: .unrounded takes a number out of its fact")


@pytest.mark.parametrize(
    "sentence",
    [
        "It gained {{ first.published.train.accuracy - first.published.test.accuracy }}.",
        f"The runs took {ABSENT}\n",
        f"{ABSENT} they took",
    ],
)
def test_an_absent_fact_at_either_end_of_a_sentence_or_of_a_difference_is_told(
    small_report: Path, sentence: str
) -> None:
    assert len(found(small_report, f"# A\n\n{sentence}\n", check_absent)) == 1


def test_what_may_be_meant_as_it_stands_is_a_warning_and_an_unknown_name_an_error(small_report: Path) -> None:
    records.write(record("first", variant="tiny-imagenet"), small_report / "results")
    text = f'It took {ABSENT} in {{{{ variant("first/tiny-imagnet").reproduced.seconds }}}}, {{{{ frist }}}}.\n'
    (small_report / "docs" / "en" / "index.md").write_text(text, encoding="utf-8")
    report = reports.load(small_report)
    page, material = source.read(report, "en", "index.md"), gather(report)
    assert {finding.severity for finding in check_absent(page, material)} == {"warning"}
    told = [*check_names(page, material)]
    assert {one.severity for one in told if "frist" in one.what} == {"error"}
    assert {one.severity for one in told if "imagnet" in one.what} == {"warning"}
