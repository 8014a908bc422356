"""Scripts on a page: one whole, two side by side with all that differs and none of what they say of themselves."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen import record as records
from reportgen import report as reports
from reportgen.errors import ReportError
from reportgen.material import gather
from reportgen.render import Renderer
from reportgen.scripts import Part, compare
from tests.synthetic import record

BEFORE = '"""What it was."""\n\na = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = "<b>"\ng = 7\n'
NOW = '"""What it is, at length.\n\nMore.\n"""\n\na = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = "<i>"\n\nh = 8\n'


def plain(markup: object) -> str:
    """What a reader sees."""
    return unescape(re.sub(r"<[^>]*>", "", str(markup or ""))).replace("\u200b", "")


def show(root: Path, text: str, code: str = "en") -> str:
    """A page of a report with two scripts."""
    (root / "scripts").mkdir(exist_ok=True)
    (root / "scripts" / "first.py").write_text(BEFORE, encoding="utf-8")
    (root / "scripts" / "second.py").write_text(NOW, encoding="utf-8")
    return render(root, text, code)


def render(root: Path, text: str, code: str = "en") -> str:
    """A page of a report that knows two projects."""
    report = reports.load(root)
    records.write(record("second"), report.results)
    (root / "docs" / code / "index.md").write_text(text, encoding="utf-8")
    return Renderer(gather(report), code).page("index.md").markdown


def test_what_differs_stands_side_by_side_and_what_is_far_from_it_is_counted() -> None:
    shown = [(plain(part.same), plain(part.before), plain(part.now), part.left_out) for part in compare(BEFORE, NOW)]
    assert shown == [
        ("", "", "", 3),
        ("d = 4\ne = 5", "", "", 0),
        ("", 'f = "<b>"\ng = 7', 'f = "<i>"\n\nh = 8', 0),
    ]


def test_two_equal_programs_with_other_docstrings_differ_in_nothing() -> None:
    parts = list(compare('"""One."""\nx = 1\n', '"""Another,\n\nlonger."""\n\nx = 1\n'))
    assert all(part.before is part.now is None for part in parts)
    assert shown('""""""\nx = 1\n', "x = 1\n") == [("x = 1", "", "", 0)]


lines = st.lists(st.sampled_from(["a = 1", "b = 2", "c = '<&>'", "", "# note", "d = [1, 2]"]), max_size=12)


@given(lines, lines)
def test_each_side_is_its_whole_program_but_for_what_is_left_out(before: list[str], now: list[str]) -> None:
    parts: list[Part] = list(compare("\n".join(before), "\n".join(now)))
    left_out = sum(part.left_out for part in parts)

    def side(name: str) -> list[str]:
        return [line for part in parts for line in plain(part.same or getattr(part, name)).splitlines() if line]

    for name, program in (("before", before), ("now", now)):
        shown = side(name)
        expected = iter(line for line in program if line)
        assert all(line in expected for line in shown), "in order"
        assert len([line for line in program if line]) - len(shown) <= left_out


@pytest.mark.parametrize(("code", "word"), [("en", "Before"), ("es", "Antes")])
def test_a_page_shows_the_changes_as_deletions_and_insertions_and_never_as_markup(
    small_report: Path, code: str, word: str
) -> None:
    shown = show(small_report, '{{ code_changes("second", since="first") }}', code)
    assert "\n\n" not in shown
    assert f"{word}: <code>scripts/first.py</code>" in shown
    (removed,), (added,) = (re.findall(rf"<{tag}>(.*?)</{tag}>", shown, re.DOTALL) for tag in ("del", "ins"))
    assert plain(removed) == 'f = "<b>"\ng = 7'
    assert "<b>" not in shown and "<i>" not in shown
    assert "h" in plain(added)


def test_a_script_that_shows_code_of_its_own_stands_whole(small_report: Path) -> None:
    (small_report / "scripts").mkdir(exist_ok=True)
    text = '"""As in\n\n```python\nx = 1\n```\n"""\n\ny = 2\n'
    (small_report / "scripts" / "first.py").write_text(text, encoding="utf-8")
    page = render(small_report, "{{ code('first') }}")
    assert f'````python title="scripts/first.py"\n{text}````' in page


def test_a_script_stands_as_it_is_under_its_name(small_report: Path) -> None:
    assert show(small_report, "{{ code('first') }}") == f'```python title="scripts/first.py"\n{BEFORE}```'


def test_a_project_without_a_script_that_can_be_read_is_named(small_report: Path) -> None:
    (small_report / "scripts").mkdir()
    (small_report / "scripts" / "first.py").write_bytes("# año".encode("latin-1"))
    with pytest.raises(ReportError, match=r"line 1: scripts/first\.py: expected text in UTF-8"):
        render(small_report, "{{ code('first') }}")
    (small_report / "scripts" / "first.py").unlink()
    with pytest.raises(ReportError, match=r"line 1: there is no script scripts/first\.py of first to show"):
        render(small_report, '{{ code_changes("second", since="first") }}')


def test_a_script_that_is_not_python_is_compared_whole() -> None:
    assert [plain(part.before) for part in compare("not: Python", "x = 1")] == ["not: Python"]


def test_empty_lines_at_the_end_of_a_script_are_lines_of_it() -> None:
    same, more = compare("x = 1\n", "x = 1\n\n\n")
    assert plain(same.same) == "x = 1" and more.now is not None and more.now.count("\n") == 1


def test_a_form_feed_ends_no_line() -> None:
    """Python counts none there, and what stands behind it is still of the docstring."""
    (part,) = compare('"""One.\n\fTwo.\n"""\nx = 1\n', '"""One.\n\fTwo.\n"""\nx = 2\n')
    assert part.before and part.now and "One" not in part.before


def shown(before: str, now: str) -> list[tuple[str, str, str, int]]:
    return [(plain(part.same), plain(part.before), plain(part.now), part.left_out) for part in compare(before, now)]


@pytest.mark.parametrize("now", ["a = 2", "a = 2\nb = 2"])
def test_behind_the_last_change_no_more_stands_than_belongs_to_it(now: str) -> None:
    tail = "".join(f"line_{k} = {k}\n" for k in range(6))
    assert shown(f"a = 1\n{tail}", f"{now}\n{tail}") == [
        ("", "a = 1", now, 0),
        ("line_0 = 0\nline_1 = 1", "", "", 0),
        ("", "", "", 4),
    ]


@pytest.mark.parametrize(("between", "left_out"), [(5, []), (6, [2])])
def test_a_single_line_between_two_changes_is_shown_rather_than_counted(between: int, left_out: list[int]) -> None:
    same = "".join(f"line_{k} = {k}\n" for k in range(between))
    found = shown(f"a = 1\n{same}z = 1\n", f"a = 2\n{same}z = 2\n")
    assert [part[3] for part in found if part[3]] == left_out


def test_a_line_that_changed_in_a_long_program_of_lines_alike_is_the_only_one_told() -> None:
    lines = ["layer(1)", "layer(2)"] * 150
    now = [*lines[:150], "layer(3)", *lines[151:]]
    found = shown("\n".join(lines), "\n".join(now))
    assert [part[1:3] for part in found if part[1] or part[2]] == [("layer(1)", "layer(3)")]


def test_a_change_is_coloured_and_brings_no_block_of_its_own() -> None:
    (part,) = compare("a = 1\n", "b = 2\nc = 3\n")
    assert {*re.findall(r"<(\w+)", f"{part.before}{part.now}")} == {"span"}


def test_what_no_python_is_stands_whole_beside_what_is() -> None:
    assert shown('"""One."""\ndef f(:\n', "x = 1") == [("", '"""One."""\ndef f(:', "x = 1", 0)]


def test_an_empty_line_is_a_line_amid_a_change() -> None:
    (part,) = compare("a = 1\n", "b = 1\n\nc = 1\n")
    assert str(part.now).count("\n") == 2 and "\n\n" not in str(part.now)


def test_the_script_of_a_project_that_nobody_knows_is_asked_for_by_no_file(small_report: Path) -> None:
    with pytest.raises(ReportError, match=r"line 1: 'frist' is not a known project; did you mean 'first'"):
        render(small_report, '{{ code("frist") }}')
