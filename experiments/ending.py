"""How a command ends when it is asked to: by an exception, so that whatever it has started ends with it."""

from __future__ import annotations

import gc
import signal
import sys
from types import FrameType

SOON = 0.1
"""Seconds until a command that could not end just now ends."""


def end_when_asked() -> None:
    """Let SIGTERM, as `kill` and batch systems send it, end this process by `SystemExit`, and Ctrl+C as ever.

    Neither is lost where it comes while Python discards exceptions, which backends give it occasion for.
    """
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # in the background, it is ignored
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    if _discards(frame):
        signal.signal(signal.SIGALRM, lambda _, later: _end(number, later))
        signal.setitimer(signal.ITIMER_REAL, SOON)
    elif number == signal.SIGINT:
        raise KeyboardInterrupt
    else:
        sys.exit(128 + number)


def _discards(frame: FrameType | None) -> bool:
    """Whether an exception in `frame` would come to nothing, as in what Python calls when it collects garbage."""
    collecting = {getattr(called, "__code__", None) for called in gc.callbacks}
    while frame:
        if frame.f_code in collecting or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
