"""What others said of a problem, short enough to quote."""

from __future__ import annotations

from reportgen.errors import first_line, last_words


def test_a_problem_is_told_by_its_first_line_or_by_its_kind() -> None:
    assert first_line(OSError("\n no such host \nat line 3")) == "no such host "
    assert first_line(TimeoutError()) == "TimeoutError"


def test_of_what_a_process_complained_the_last_line_is_quoted() -> None:
    assert last_words("Traceback:\n  line 3\nerror: no such folder\n\n") == "error: no such folder"
    assert last_words(" \n") == "it ended without a message"
    assert last_words("", "nothing") == "nothing"
