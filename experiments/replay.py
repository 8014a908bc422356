"""The canary of a recorded run, sung again in a process of its own. Imports neither Keras nor a backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from experiments.canary import Specification, differences, largest_difference
from experiments.environment import BACKENDS, COMPILED, PROCESSOR, ROOT, deterministic
from experiments.executor import killed
from experiments.job import Sizes, departures, sources
from reportgen import record
from reportgen.errors import ReportError, last_words
from reportgen.record import Confirmation, Environment, Record

Verdict = Literal["confirmed", "stale", "undecided"]
_canaries: set[subprocess.Popen[str]] = set()
"""The processes of canaries that sing now."""


def replay(results: Path, done: Record, console: Console) -> Verdict:
    """Repeat a record's canary under its backend and today's sources; append a confirmation if it agrees.

    Raises:
        ReportError: the script of the project is gone or broken, or the confirmations beside the record cannot be read.
    """
    name = f"{done.project} seed {done.seed}" + (f" ({done.variant})" if done.variant else "")
    backend = done.environment.backend.partition(" ")[0]
    now = sources(done.project)
    sizes, scaling = departures(done)
    try:
        asked = (done.project, done.seed, done.precision, sizes, backend, scaling, done.environment.cores)
        with singing(*asked) as process:
            said = answer(process)
    except ReportError as problem:
        console.print(f"[yellow]{name}: cannot be replayed under {backend}.[/] {escape(str(problem))}", highlight=False)
        return "undecided"
    if sources(done.project) != now:
        again = "its sources changed while the canary sang. Replay it again."
        console.print(f"[yellow]{name}: undecided[/], {again}", highlight=False)
        return "undecided"
    recorded = Specification(
        network=done.network,
        settings=done.settings,
        seed=done.seed,
        precision=done.precision,
        canary=done.canary,
    )
    today = Specification.model_validate(said["specification"])
    environment = Environment.model_validate(said["environment"])
    same = same_machine(done.environment, environment)
    found = differences(recorded, today, same)
    if found:
        again = f" Train it again with `{done.command}`, or delete its folder." if done.variant else ""
        console.print(f"[yellow]{name}: stale.[/] {escape('; '.join(found))}.{escape(again)}", highlight=False)
        return "stale"
    exact = recorded.canary == today.canary
    record.confirm(
        Confirmation(
            confirmed=datetime.now(UTC).replace(microsecond=0),
            sources=now,
            environment=environment,
            exact=exact,
            largest_difference=0.0 if exact else largest_difference(recorded.canary, today.canary),
        ),
        record.folder_of(done, results),
    )
    console.print(
        f"[green]{name}: confirmed[/], {'bit for bit' if exact else 'within the tolerance'}.", highlight=False
    )
    return "confirmed"


def same_machine(before: Environment, after: Environment) -> bool:
    """Whether two environments must compute the same bits: processor, versions and threads.

    Not where one of them does not tell its kind of processor: its name can stand for several generations.
    """
    keys = ("device", "processor_kind", "cores", "platform", "backend")
    alike = all(getattr(before, key) == getattr(after, key) for key in keys) and _used(before) == _used(after)
    return alike and before.processor_kind is not None


def _used(environment: Environment) -> dict[str, str]:
    """The packages without those of the backends that were installed and stood idle."""
    backend = environment.backend.partition(" ")[0]
    idle = {package for name, packages in BACKENDS.items() if name != backend for package in packages}
    return {package: version for package, version in environment.packages.items() if package not in idle}


@contextmanager
def singing(
    project: str,
    seed: int,
    precision: str,
    sizes: Sizes,
    backend: str | None = None,
    scaling: str | None = None,
    cores: int | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """The process of a run's canary, which is to give an `answer`; it ends with the context.

    Its operations are deterministic. It computes on the processor, whatever trains: so a machine without a GPU can
    repeat the canary of a run on one, and the canary takes no memory from runs that share a GPU.

    Pixels are scaled as `scaling` says, or as the project declares. Of more than `cores` cores, only so many are used:
    on another number of threads sums are taken in another order, and what is trained drifts apart.
    """
    chosen = {"KERAS_BACKEND": backend} if backend else {}
    # A user's own flags for XLA are not for it: no record names them, and they change numbers.
    environment = {**COMPILED, **os.environ, **deterministic(backend, alone=True), **PROCESSOR, **chosen}
    arguments = ["canary", project, "--seed", str(seed), "--precision", precision, *sizes.arguments]
    if scaling:
        arguments += ["--pixel-scaling", scaling]
    if cores:
        arguments += ["--cores", str(cores)]
    command = [sys.executable, "-m", "experiments", *arguments]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",  # not all that a backend complains of is text
    ) as process:
        _canaries.add(process)
        try:
            yield process
        finally:
            _canaries.discard(process)
            process.kill()


def end_canaries() -> None:
    """End every canary that sings now, whichever thread waits for it."""
    for process in _canaries.copy():
        process.kill()


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a canary's `process` says when it ends: the specification, the canary and the environment.

    Raises:
        ReportError: it failed, for instance because the backend is not installed.
    """
    output, complaints = process.communicate()
    if process.returncode < 0:
        said = last_words(complaints, "")
        raise ReportError(killed("The canary's process", process.returncode) + (f" It said: {said}" if said else ""))
    if process.returncode:
        said = last_words(complaints, "The canary's process ended without a message.")
        raise ReportError(said.removeprefix("error: "))
    if not output.strip():
        raise ReportError("The canary's process ended before it had sung. Does the project's script call exit()?")
    found: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return found
