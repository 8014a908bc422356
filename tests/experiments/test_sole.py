"""What two processes would spoil for each other, one does at a time."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import Timeout

from experiments.sole import sole
from reportgen.errors import ReportError

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_one_is_refused_until_the_first_has_ended_even_if_that_failed(tmp_path: Path) -> None:
    file = tmp_path / "run.npz"
    with pytest.raises(KeyError), sole(file, "It is done already."):
        refused = pytest.raises(ReportError, match=r"^It is done already\. Wait until that ends, or end it\.$")
        with refused, sole(file, "It is done already."):
            pass
        raise KeyError
    with sole(file, "It is done already."):
        pass


def test_another_lock_that_is_held_is_not_taken_for_this_one(tmp_path: Path) -> None:
    with pytest.raises(Timeout), sole(tmp_path / "run.npz", "It is done already."):
        raise Timeout("of something inside")


def test_what_is_kept_is_not_touched_by_what_locks_it(tmp_path: Path) -> None:
    """Whatever takes a file for a lock empties it."""
    file = tmp_path / "run.npz"
    file.write_bytes(b"epochs")
    with sole(file, "It is done already."):
        assert file.read_bytes() == b"epochs"
        assert (tmp_path / "run.lock").exists()
    assert file.read_bytes() == b"epochs"


def test_what_a_killed_process_left_of_a_checkpoint_goes_and_what_others_write_stays(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from reportgen.record import replacing\n"
        "with replacing(Path(sys.argv[1])) as stream: os.kill(os.getpid(), signal.SIGKILL)"
    )
    for name in ("seed-1.npz", "seed-11.npz"):
        done = subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], cwd=ROOT)
        assert done.returncode == -signal.SIGKILL
    (tmp_path / "seed-1.npz").write_bytes(b"epochs")
    left = {file.name for file in tmp_path.iterdir() if file.name.startswith(".seed-11.npz.")}
    assert len([*tmp_path.iterdir()]) == 3 and len(left) == 1
    with sole(tmp_path / "seed-1.npz", "It is done already."):
        assert {file.name for file in tmp_path.iterdir()} == {"seed-1.npz", "seed-1.lock", *left}
        refused = pytest.raises(ReportError, match="It is done already")
        (tmp_path / ".seed-1.npz.being-written").touch()
        with refused, sole(tmp_path / "seed-1.npz", "It is done already."):
            pass
        assert (tmp_path / ".seed-1.npz.being-written").exists(), "who is refused deletes nothing"
