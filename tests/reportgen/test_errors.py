"""What others said of a problem, short enough to quote."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

from reportgen.errors import first_line, last_words, nearest, refused, told


def test_a_problem_is_told_by_its_first_line_or_by_its_kind() -> None:
    assert first_line(OSError("\n no such host \nat line 3")) == "no such host "
    assert first_line(TimeoutError()) == "TimeoutError"
    assert (told(AssertionError("no\nway")), told(AssertionError())) == ("AssertionError: no", "AssertionError")


def test_no_character_ends_a_command_whose_output_goes_into_a_file_or_whose_terminal_lacks_it() -> None:
    program = "from reportgen.errors import speak_freely; speak_freely(); print('→ − …')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
    )
    assert (done.returncode, done.stdout.decode("utf-8").strip()) == (0, "→ − …")


def test_a_disk_that_is_full_is_a_sentence_though_no_file_is_named() -> None:
    assert "does not fit on the disk" in str(refused(OSError(errno.ENOSPC, "No space left on device")))
    assert refused(BrokenPipeError(errno.EPIPE, "Broken pipe")) is None


def test_of_what_a_process_complained_the_last_line_is_quoted() -> None:
    assert last_words("Traceback:\n  line 3\nerror: no such folder\n\n") == "error: no such folder"
    assert last_words(" \n") == "it ended without a message"
    assert last_words("", "nothing") == "nothing"


def test_the_word_that_was_meant_is_the_nearest_one_or_none() -> None:
    known = ("accuracy", "cross_entropy")
    assert nearest("acuracy", known) == "accuracy"
    assert nearest("seconds", known) == ""
    assert (nearest("curacy", known, cutoff=0.9), nearest("cures", known, cutoff=0.4)) == ("", "accuracy")
