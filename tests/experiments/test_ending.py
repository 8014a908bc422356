"""A command that is asked to end does, whatever Python is about to do just then."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLLECTING = """
def ask(phase, _):
    if phase == "start":
        os.kill(os.getpid(), signal.{name})
        time.sleep(0.01)

gc.callbacks.append(ask)
gc.collect()
gc.callbacks.remove(ask)
"""
DELETING = """
class Held:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})
        time.sleep(0.01)

Held()
"""
PROGRAM = """
import gc, os, signal, time
from experiments.ending import end_when_asked

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this process
end_when_asked()
try:
    {asked}
    time.sleep(60)
finally:
    print("tidied up")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there, a process is ended without being asked")
@pytest.mark.parametrize("asked", ["os.kill(os.getpid(), signal.{name})", COLLECTING, DELETING])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_process_that_is_asked_to_end_does_so_by_an_exception_which_is_never_lost(name: str, asked: str) -> None:
    program = PROGRAM.format(asked=asked.format(name=name).replace("\n", "\n    "))
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.stdout == "tidied up\n"
    assert done.returncode == (128 + signal.SIGTERM if name == "SIGTERM" else -signal.SIGINT)
    assert "ignored" not in done.stderr


def test_ctrl_c_stays_ignored_where_it_was() -> None:
    program = (
        "import os, signal; from experiments.ending import end_when_asked;"
        "signal.signal(signal.SIGINT, signal.SIG_IGN); end_when_asked();"
        "os.kill(os.getpid(), signal.SIGINT); print('goes on')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "goes on\n")


WITHIN = """
def asked():
    os.kill(os.getpid(), signal.{name})
    time.sleep(0.01)

class Held:
    def __del__(self):
        asked()

Held()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there, a process is ended without being asked")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_process_that_is_asked_to_end_within_what_python_discards_ends_all_the_same(name: str) -> None:
    """What Python calls when it deletes something may call something else, in which the signal comes."""
    program = PROGRAM.format(asked=WITHIN.format(name=name).replace("\n", "\n    ")).replace("sleep(60)", "sleep(10)")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == (128 + signal.SIGTERM if name == "SIGTERM" else -signal.SIGINT)
    assert done.stdout == "tidied up\n" and "ignored" not in done.stderr
