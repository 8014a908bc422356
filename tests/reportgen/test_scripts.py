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
