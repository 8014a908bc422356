"""What a user did that cannot work, in a sentence: the base of every error that is shown without a traceback."""

from __future__ import annotations

import difflib
import errno
import io
import os
import re
import reprlib
import signal
import sys
import traceback
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


ADVICE = (
    (
        r"not supported between .*\b(Fact|Summary|Interval)\b",
        'facts are compared by a claim: {% claim "…" %}…{% endclaim %}',
    ),
    (
        r"(unsupported|bad operand|__round__).*\b(Fact|Summary|Interval)\b|\b(Fact|Summary|Interval)\b.*__round__",
        "facts are rounded already, and one can only be subtracted from another",
    ),
    (r"unexpected char '[“”„‟‘’‚‛«»]'", 'quotes within braces are straight: "…"'),
    (r"unexpected char '[–—−]'", "a minus within braces is a hyphen: -"),
    (r"unexpected '}'$", "an expression ends with }}, a tag with %}"),
    (
        r"'end of print statement', got ':'|expected token ':'",
        "braces that a reader is to see stand between {% raw %} and {% endraw %}",
    ),
)
"""What to do about a page of which Jinja or Python says something like this."""


class ReportError(Exception):
    """A mistake that the user can mend.

    The message says what was found, what was expected, where, and what to do. Commands print it and exit with
    status 1; any other exception is a defect of this program and keeps its traceback.
    """


def asked_to_end(problem: BaseException) -> bool:
    """Whether somebody ends this process by it, as with `kill`, and it is no mistake."""
    return isinstance(problem, SystemExit) and problem.code == 128 + signal.SIGTERM


def first_line(problem: BaseException) -> str:
    """What a library said of a problem, short enough to quote; the kind of the problem if it said nothing."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]


def advised(said: str) -> str:
    """What Jinja or Python says of a page, and what to do about it where that is known."""
    return next((f"{said}; {advice}" for pattern, advice in ADVICE if re.search(pattern, said)), said)


def told(problem: BaseException) -> str:
    """What is wrong, in a clause, of any error that a user's own Python can raise."""
    from pydantic import ValidationError

    if isinstance(problem, ReportError):
        return str(problem)
    if isinstance(problem, ValidationError):
        return f"{problem.title}: {wrong_field(problem, 'it')}."
    kind, said = type(problem).__name__, first_line(problem)
    return kind if said == kind else f"{kind}: {said}"


def refused(problem: OSError) -> str | None:
    """What the system does not let a command do with a file, in sentences; None where that is no matter of files."""
    why = problem.strerror or type(problem).__name__
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):  # of which it seldom says with which file
        return f"What was to be written does not fit on the disk ({why}). Make room, and repeat the command."
    if problem.errno == errno.EFBIG:  # of which it says no more
        return f"What was to be written is larger than a file may be here ({why}). Raise that limit (`ulimit -f`)."
    if problem.filename is None:
        return None
    return (
        f"{os.fsdecode(problem.filename)}: {why}. See that a file or a folder stands there as expected, and that this "
        "command may read and write it."
    )


def refuse_empty(arguments: Sequence[str]) -> None:
    """Nothing, unless one of a command's `arguments` is empty: a folder would be taken for the one it is called in.

    Raises:
        ReportError: one is, as where a script names a variable that is not set.
    """
    for before, argument in pairwise(("", *arguments)):
        option, equals, value = argument.partition("=")
        if argument and not (option.startswith("--") and equals and not value):
            continue
        named = option or before
        where = f"behind {named}" if named.startswith("-") else "among the arguments"
        raise ReportError(
            f"There is an empty value {where}, expected one that names something; perhaps a variable is not set. Give "
            "one, or leave it out."
        )


def speak_freely() -> None:
    """Let no character end this process that the encoding lacks in which it speaks, such as an arrow on Windows.

    What goes into a file or to another program is UTF-8; a terminal shows a question mark for what it does not have.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="replace")


def place(problem: BaseException, folder: Path, root: Path) -> str:
    """The last line below `folder` that an error passed through, with its file from `root` on; empty if none is."""
    # Python names a file as it was imported, perhaps through a link to the root.
    frames = ((Path(frame.filename).resolve(), frame.lineno) for frame in traceback.extract_tb(problem.__traceback__))
    lines = [
        f"{file.relative_to(root.resolve()).as_posix()}, line {line}"
        for file, line in frames
        if file.is_relative_to(folder.resolve())
    ]
    return lines[-1] if lines else ""


EXPECTED = {
    **dict.fromkeys(("dict_type", "model_type"), "entries, each by its name"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    "string_type": "a text",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
}
"""What Pydantic asks for in words of Python's, by the type of its error."""
_SHOULD = re.compile(r"\w+ should (?:be|have) (?P<expected>.+?)(?: after validation, not \d+)?")


def wrong_field(problem: ValidationError, whole: str, kind: str = "", known: Collection[str] = ()) -> str:
    """What is wrong with the first field of `whole`, in a clause: one that is missing may stand there misspelt.

    `kind` is a part of the fields' places that no user writes; of the `known` fields, one may be meant by an unknown.
    """
    errors = problem.errors(include_url=False)
    fields = [".".join(str(part) for part in error["loc"] if part != kind) for error in errors]
    extra = ("extra_forbidden", "unexpected_keyword_argument")
    unknown = [field for field, error in zip(fields, errors, strict=True) if error["type"] in extra]
    if errors[0]["type"] == "missing":
        return f"{fields[0]} is missing" + (f", and {', '.join(unknown)} unknown" if unknown else "")
    if fields[0] in unknown:
        near = nearest(fields[0], known)
        return f"{fields[0]} is unknown" + (f" (did you mean {near}?)" if near else "")
    said, found = errors[0]["msg"], errors[0]["input"]
    if should := _SHOULD.fullmatch(said):
        expected = EXPECTED.get(errors[0]["type"], should["expected"])
        return f"{fields[0] or whole}: found {'nothing' if found is None else reprlib.repr(found)}, expected {expected}"
    return f"{fields[0] or whole}: {said.removeprefix('Value error, ')}"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """That of the `known` words which `word` may stand for, misspelt; empty if none is as near as `cutoff` asks."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return near[0] if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """How a sentence ends that says that `word` is unknown: with the word that is probably meant, if any is near."""
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else "."


def last_words(said: str, otherwise: str = "it ended without a message") -> str:
    """The last line of what a process complained of; `otherwise` if that was nothing."""
    return (said.strip().splitlines() or [otherwise])[-1]
