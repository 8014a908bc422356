"""What others said of a problem, short enough to quote."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from reportgen.errors import (
    ReportError,
    asked_to_end,
    did_you_mean,
    first_line,
    last_words,
    nearest,
    place,
    refuse_empty,
    refused,
    speak_freely,
    told,
    wrong_field,
)


def test_a_problem_is_told_by_its_first_line_or_by_its_kind() -> None:
    assert first_line(OSError("\n no such host \nat line 3")) == "no such host "
    assert first_line(TimeoutError()) == "TimeoutError"
    assert (told(AssertionError("no\nway")), told(AssertionError())) == ("AssertionError: no", "AssertionError")


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (("run", "--data", ""), "behind --data,"),
        (("run", "0", "--results="), "behind --results,"),
        (("run", ""), "among the arguments,"),
        (("",), "among the arguments,"),
    ],
)
def test_an_empty_value_is_refused_with_the_option_before_it(arguments: tuple[str, ...], where: str) -> None:
    with pytest.raises(ReportError, match=f"^There is an empty value {where} expected .* a variable is not set"):
        refuse_empty(arguments)


def test_what_only_looks_empty_is_a_value() -> None:
    refuse_empty(("chapter", "first", "--title", "en=", "--title=es=", "--strict", "--data", " ", "--jobs=0"))


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
    assert "larger than a file may be here (File too large)" in str(refused(OSError(errno.EFBIG, "File too large")))
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


class Setting(BaseModel, extra="forbid"):
    """What a user may have written wrongly."""

    epochs: int
    seed: int = 0


def wrong(**fields: object) -> ValidationError:
    with pytest.raises(ValidationError) as problem:
        Setting.model_validate(fields)
    return problem.value


def test_only_the_end_that_somebody_asked_for_is_none_of_a_mistake() -> None:
    assert asked_to_end(SystemExit(128 + signal.SIGTERM))
    assert not any(map(asked_to_end, (SystemExit(1), SystemExit(), KeyboardInterrupt())))


def test_a_problem_of_ours_or_of_a_field_is_told_without_the_name_of_a_class() -> None:
    assert told(ReportError("There is no such file.\nLook.")) == "There is no such file.\nLook."
    assert told(wrong(epochs=3, sed=1)) == "Setting: sed is unknown."


def test_a_field_that_is_missing_may_stand_there_misspelt() -> None:
    assert wrong_field(wrong(epoch=3), "it") == "epochs is missing, and epoch unknown"
    assert wrong_field(wrong(), "it") == "epochs is missing"
    assert wrong_field(wrong(epochs=3, sed=1), "it", known=("epochs", "seed")) == "sed is unknown (did you mean seed?)"
    assert wrong_field(wrong(epochs="x"), "it", kind="epochs") == "it: found 'x', expected a whole number"


def test_a_sentence_about_an_unknown_word_ends_in_a_full_stop_or_in_the_word_that_is_meant() -> None:
    assert did_you_mean("acuracy", ["accuracy"]) == "; did you mean 'accuracy'?"
    assert did_you_mean("seconds", ["accuracy"]) == "."


def test_a_file_that_the_system_refuses_is_named_and_so_is_a_quota_that_is_full() -> None:
    assert str(refused(OSError(errno.EACCES, "Permission denied", b"a.md"))).startswith("a.md: Permission denied. See")
    assert "does not fit on the disk (Disk quota" in str(refused(OSError(errno.EDQUOT, "Disk quota exceeded")))
    bare = OSError()
    bare.errno, bare.filename = errno.EIO, "a.md"
    assert str(refused(bare)).startswith("a.md: OSError. See")


def test_the_place_of_an_error_is_the_last_line_of_the_user_s_own_also_through_a_link(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "projects").mkdir(parents=True)
    (tmp_path / "link").symlink_to(root)
    file = tmp_path / "link" / "projects" / "mine.py"
    file.write_text("def inner():\n    return int('x')\n\n\ninner()\n", encoding="utf-8")
    with pytest.raises(ValueError) as problem:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {})
    assert place(problem.value, root / "projects", root) == "projects/mine.py, line 2"
    assert place(problem.value, tmp_path / "elsewhere", root) == ""


def test_a_terminal_that_lacks_a_character_keeps_its_encoding_and_shows_a_question_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(shown, encoding="cp1252"))
    speak_freely()
    print("62 → é", flush=True)
    assert shown.getvalue().decode("cp1252").strip() == "62 ? é"
