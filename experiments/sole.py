"""One process at a time for what two would spoil for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from reportgen.errors import ReportError
from reportgen.record import clear_unfinished


@contextmanager
def sole(checkpoint: Path, told: str) -> Iterator[None]:
    """Do what stands inside, which keeps `checkpoint`, in no more than one process; it does not wait for another.

    What one that was killed had not finished writing of it goes.

    Raises:
        ReportError: another process is at it, as `told` says.
    """
    try:
        held = FileLock(checkpoint.with_suffix(".lock")).acquire(blocking=False)
    except Timeout:
        raise ReportError(f"{told} Wait until that ends, or end it.") from None
    with held:
        clear_unfinished(checkpoint)
        yield
