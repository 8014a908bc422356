"""What two processes would spoil for each other, one does at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import Timeout

from experiments.sole import sole
from reportgen.errors import ReportError


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
