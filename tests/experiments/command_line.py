"""The command line in this process, for what it says before anything trains."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import patch

import pytest

from experiments import __main__


def said(*arguments: str) -> tuple[object, str, str]:
    """How `python -m experiments` ends with these arguments: its exit status, and what it writes to stdout and stderr.

    An error that it does not foresee, of which a user would see the traceback, is one of the test, too.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with (
            patch.object(sys, "argv", ["experiments", *arguments]),
            patch.dict(os.environ),
            redirect_stdout(StringIO()) as output,
            redirect_stderr(StringIO()) as complaints,
            pytest.raises(SystemExit) as ended,
        ):
            __main__.main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return ended.value.code, output.getvalue(), complaints.getvalue()
