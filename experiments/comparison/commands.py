"""The commands that a user repeats, against what they spare: training again, or building the whole site."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import IO

from experiments.environment import ROOT
from experiments.job import RESULTS
from experiments.standing import standing
from reportgen import record
from reportgen.bench import Comparison
from reportgen.errors import ReportError, last_words

PATIENCE = 300
"""Seconds until a changed page must have appeared."""
MARK = "measured-{turn}"


def comparisons(rounds: int) -> Iterator[Comparison]:
    """An up-to-date run against the training that it spares; a check and a changed page against a whole build."""
    # Of runs that shared their machine, nobody knows how long they take.
    done = [
        run
        for run in record.read_all(RESULTS)
        if run.variant is None
        and run.environment.side_by_side == 1
        and standing(RESULTS, run.project, run.seed).state == "up to date"
    ]
    if done:
        # A project's seeds are named one by one: what is not recorded would be trained.
        first, device = done[0].project, done[0].environment.device
        mine = [run for run in done if run.project == first and run.environment.device == device]
        seeds = [word for run in mine for word in ("--seed", str(run.seed))]
        yield Comparison(
            group="commands",
            subject="up_to_date",
            unit="s",
            measured=tuple(timed("-m", "experiments", "run", first, *seeds) for _ in range(rounds)),
            against="training",
            reference=(sum(run.seconds for run in mine),),
        )
    builds, checks, pages = [], [], []
    with tempfile.TemporaryDirectory() as folder, closing(changed_pages(Path(folder) / "report")) as changed:
        build = ("-m", "reportgen", "build", "--site", f"{folder}/site")
        timed(*build)  # it may have charts to draw that the others find drawn
        for _ in range(rounds):
            builds.append(timed(*build))
            # A report whose pages have something to mend is checked in the same time.
            checks.append(timed("-m", "reportgen", "check", accepted=(0, 1)))
            pages.append(next(changed))
    for subject, measured in (("check", checks), ("page", pages)):
        yield Comparison(
            group="commands",
            subject=subject,
            unit="s",
            measured=tuple(measured),
            against="build",
            reference=tuple(builds),
        )


def timed(*command: str, accepted: tuple[int, ...] = (0,)) -> float:
    """Seconds that a command of this Python takes in the root.

    Raises:
        ReportError: it failed; the message is its last words.
    """
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace")
    taken = time.perf_counter() - began
    if done.returncode not in accepted:
        raise ReportError(f"`python {' '.join(command)}` could not be measured: {last_words(done.stderr)}")
    return taken


def changed_pages(copy: Path) -> Generator[float]:
    """Time after time, the seconds from writing the largest page, in a copy of the report, until the preview shows it.

    The preview runs from the first time until this is closed.

    Raises:
        ReportError: the preview ended, or took too long.
    """
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "build", "site", "shared", "tests", "__pycache__"))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    page = max((copy / "docs").glob("*/**/*.md"), key=lambda file: file.stat().st_size)
    path = page.relative_to(copy / "docs").with_suffix("")
    address = f"http://127.0.0.1:{port}/{(path.parent if path.name == 'index' else path).as_posix()}/"
    text = page.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "reportgen", "serve", "--port", str(port)]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(command, cwd=copy, stdout=subprocess.DEVNULL, stderr=complaints, text=True) as preview,
    ):
        try:
            _appears(address, "</html>", preview, complaints)
            for turn in count():
                mark = MARK.format(turn=turn)
                began = time.perf_counter()
                page.write_text(f"{text}\n\n{mark}\n", encoding="utf-8")
                _appears(address, mark, preview, complaints)
                yield time.perf_counter() - began
        finally:
            preview.kill()


def _appears(address: str, text: str, preview: subprocess.Popen[str], complaints: IO[str]) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if preview.poll() is not None:
            complaints.seek(0)
            raise ReportError(f"The preview ended before it showed a page: {last_words(complaints.read())}")
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
                if text in answer.read().decode():
                    return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.02)
    raise ReportError(f"The preview did not show a changed page within {PATIENCE} seconds.")
