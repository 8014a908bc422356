"""What a user did that cannot work, in a sentence: the base of every error that is shown without a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class ReportError(Exception):
    """A mistake that the user can mend.

    The message says what was found, what was expected, where, and what to do. Commands print it and exit with
    status 1; any other exception is a defect of this program and keeps its traceback.
    """


def first_line(problem: Exception) -> str:
    """What a library said of a problem, short enough to quote; the kind of the problem if it said nothing."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]


def wrong_field(problem: ValidationError, whole: str, kind: str = "") -> str:
    """What is wrong with the first field of `whole`, in a clause: one that is missing may stand there misspelt.

    `kind` is a part of the fields' places that no user writes.
    """
    errors = problem.errors(include_url=False)
    fields = [".".join(str(part) for part in error["loc"] if part != kind) for error in errors]
    unknown = [field for field, error in zip(fields, errors, strict=True) if error["type"] == "extra_forbidden"]
    if errors[0]["type"] == "missing":
        return f"{fields[0]} is missing" + (f", and {', '.join(unknown)} unknown" if unknown else "")
    if fields[0] in unknown:
        return f"{fields[0]} is unknown"
    return f"{fields[0] or whole}: {errors[0]['msg'].removeprefix('Value error, ')}"


def last_words(said: str, otherwise: str = "it ended without a message") -> str:
    """The last line of what a process complained of; `otherwise` if that was nothing."""
    return (said.strip().splitlines() or [otherwise])[-1]
