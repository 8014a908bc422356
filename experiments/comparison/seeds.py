"""Several seeds of a small project side by side on one device, against one that has the device to itself.

Each trains in a process of its own, as `run --jobs` starts them: on a processor with its share of the cores, on an
accelerator beside the others. A small network leaves much of a device idle, and then several get through more images
together than one does alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from experiments import backend, catalogue, data, downloads
from experiments.comparison.training import chosen, ours, work_of
from experiments.environment import COMPILED, ROOT, cores
from experiments.executor import SHARED_DEVICE, shares
from experiments.job import SEEDS
from reportgen.bench import Comparison
from reportgen.errors import ReportError, last_words

OPERATIONS = 2e11
"""About so many multiplications and additions make a turn: seconds on a processor, long against a message."""


@dataclass(frozen=True)
class Training:
    """A process that trains on its images once whenever it is told to."""

    process: subprocess.Popen[str]
    complaints: IO[str]

    def tell(self) -> None:
        """Let it train; one that has ended says why when it is asked for its images."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            os.write(self.process.stdin.fileno(), b"\n")  # past the buffer, which would be written again at the end

    def images(self) -> int:
        """Wait until it has trained, and learn on how many images.

        Raises:
            ReportError: it ended instead; the message is its last words.
        """
        assert self.process.stdout is not None
        if line := self.process.stdout.readline():
            return int(line)
        self.complaints.seek(0)
        raise ReportError(f"Seeds side by side could not be measured: {last_words(self.complaints.read())}")


def comparisons(identifier: str, source: str, rounds: int, operations: float = OPERATIONS) -> Iterator[Comparison]:
    """The images that several seeds together get through in a second, against those of one alone, turn by turn.

    A turn is about so many `operations` for each.

    Raises:
        ReportError: one of the processes failed.
    """
    with ExitStack() as stack:
        alone = stack.enter_context(_started(identifier, source, operations, ()))
        beside = [stack.enter_context(_started(identifier, source, operations, share)) for share in shares(together())]
        for one in (alone, *beside):
            one.images()
        turns = [(_speed(beside), _speed([alone])) for _ in range(rounds)]
    measured, reference = zip(*turns, strict=True)
    yield Comparison(
        group="seeds",
        subject=identifier,
        unit="images/s",
        measured=measured,
        against="one_alone",
        reference=reference,
    )


def together() -> int:
    """How many seeds are trained side by side: the usual ones, or as many as there are cores; two at least."""
    return max(2, min(len(SEEDS), cores()))


@contextmanager
def _started(identifier: str, source: str, operations: float, share: Collection[int]) -> Iterator[Training]:
    arguments = [identifier, source, str(operations), *map(str, sorted(share))]
    command = [sys.executable, "-m", "experiments.comparison.seeds", *arguments]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**COMPILED, **os.environ, **SHARED_DEVICE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as process,
    ):
        try:
            yield Training(process, complaints)
        finally:
            process.terminate()


def _speed(trainings: Sequence[Training]) -> float:
    """Images a second of all `trainings`, from the start of the first to the end of the last."""
    began = time.perf_counter()
    for one in trainings:
        one.tell()
    images = sum(one.images() for one in trainings)
    return images / (time.perf_counter() - began)


def main(identifier: str, source: str, operations: str, *share: str) -> None:
    """Train once to compile and then for each line that comes in; say on how many images each time.

    Only the cores of `share` are used, if any are named. All draw the same weights: the time does not depend on them.
    """
    if share:
        os.sched_setaffinity(0, map(int, share))
    every = data.split(downloads.images(source), 0).train  # what is missing is told before Keras is imported
    backend.load()
    declared = catalogue.load(identifier)
    size = declared.training.batch_size
    count = size * max(1, round(float(operations) / (work_of(declared) * size)))
    images = chosen(every, count)
    training = ours(declared, images, "float32")
    training.epoch()
    print(count, flush=True)
    for _ in sys.stdin:
        training.epoch()
        print(count, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
