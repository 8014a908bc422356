"""What a user did that cannot work, in a sentence: the base of every error that is shown without a traceback."""


class ReportError(Exception):
    """A mistake that the user can mend.

    The message says what was found, what was expected, where, and what to do. Commands print it and exit with
    status 1; any other exception is a defect of this program and keeps its traceback.
    """


def first_line(problem: Exception) -> str:
    """What a library said of a problem, short enough to quote; the kind of the problem if it said nothing."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]


def last_words(said: str, otherwise: str = "it ended without a message") -> str:
    """The last line of what a process complained of; `otherwise` if that was nothing."""
    return (said.strip().splitlines() or [otherwise])[-1]
