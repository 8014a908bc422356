"""Which runs are missing or stale, and the processes that mend that. Imports neither Keras nor a backend."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

from experiments import data, downloads
from experiments.canary import Specification, differences, largest_difference
from experiments.environment import BACKENDS, COMPILED, PROCESSOR, ROOT, deterministic
from experiments.executor import Executor, killed
from experiments.job import FIGURES, Job, Sizes, departures, sources
from experiments.precision import check_precision
from reportgen import record
from reportgen.errors import ReportError, last_words
from reportgen.fingerprint import changed
from reportgen.record import Confirmation, Environment, Record

Verdict = Literal["confirmed", "stale", "undecided"]
_canaries: set[subprocess.Popen[str]] = set()
"""The processes of canaries that sing now."""


@dataclass(frozen=True)
class Explicit:
    """What a user has named, for which a record that is up to date may not do."""

    data: bool = False
    """The images; otherwise a record may be on others than those at hand."""
    precision: bool = False
    """The precision; otherwise a run has that of its record, or of the other seeds."""
    force: bool = False
    """To train, whatever is recorded."""


@dataclass(frozen=True)
class Standing:
    """Where a run stands, as far as its files tell."""

    state: Literal["missing", "unreadable", "up to date", "unconfirmed"]
    detail: str = ""
    """The files that changed, or the error."""
    record: Record | None = None


def standing(results: Path, project: str, seed: int, variant: str | None = None) -> Standing:
    """Compare the record of a run, and its confirmations, with the sources of today."""
    folder = record.folder(results, project, seed, variant)
    if not (folder / record.RECORD_FILE).exists():
        return Standing("missing")
    try:
        done = record.read_own(folder / record.RECORD_FILE, results)
        confirmations = record.read_confirmations(folder)
    except record.RecordError as problem:
        return Standing("unreadable", str(problem))
    if different := changed(done, confirmations, ROOT):
        return Standing("unconfirmed", ", ".join(different), done)
    return Standing("up to date", "", done)


def reason_to_train(job: Job, now: Standing, explicit: Explicit) -> str | None:
    """Why `job` must train, told from files alone; None where its record may stay.

    Raises:
        ReportError: the record is there but cannot be read, and training was not forced.
    """
    if explicit.force:
        return "forced"
    if now.state == "missing":
        return "not recorded yet"
    if now.record is None:
        raise ReportError(f"{now.detail} Or train it anew with --force.")
    if now.record.profile == "full" and job.profile == "smoke":
        raise ReportError(
            "A run of the full profile is recorded there, which a smoke run would replace; nothing was trained. Name "
            "another folder with --results DIR, or replace it with --force."
        )
    if now.record.profile != job.profile:
        return f"recorded with profile {now.record.profile}"
    if job.deterministic and not now.record.environment.deterministic:
        return "recorded with operations that need not compute the same twice"
    if explicit.precision and now.record.precision != job.precision:
        return f"recorded in {now.record.precision}"
    both_sample = job.source == now.record.dataset.origin == "sample"
    if (explicit.data or both_sample) and (others := other_images(job.source, now.record)):
        return f"recorded on {others}"
    recorded = now.record.settings
    if job.start and job.vgg16_weights:
        if recorded["weights"] != job.start.name:
            return f"recorded on the weights {recorded['weights']}"
        if other_weights(job, now.record):
            return "recorded on weights of the same name and another content"
    return None


def replay(results: Path, done: Record, console: Console) -> Verdict:
    """Repeat a record's canary under its backend and today's sources; append a confirmation if it agrees."""
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
        console.print(f"[yellow]{name}: stale.[/] {'; '.join(found)}.", highlight=False)
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
        text=True,
        errors="replace",  # not all that a backend complains of heeds the locale
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


def draw(folder: Path) -> None:
    """Draw the figures that are missing beside the record in `folder`.

    Raises:
        ReportError: they cannot be written.
    """
    if all((folder / name).exists() for name in FIGURES):
        return
    # Imported here because matplotlib is slow to import and an up-to-date run draws nothing.
    from reportgen import plot

    for name, svg in plot.run_figures(record.read(folder / record.RECORD_FILE)).items():
        try:
            record.write_atomically(folder / name, svg)
        except OSError as problem:
            raise ReportError(
                f"{_relative(folder / name)} cannot be drawn ({problem.strerror}). The run is recorded; once there is "
                "room, the same command draws what is missing."
            ) from problem


class CutOff(KeyboardInterrupt):
    """Ctrl+C while runs were trained: those that it left without a record, and how many were recorded before."""

    def __init__(self, left: list[Job], recorded: int) -> None:
        super().__init__()
        self.left, self.recorded = left, recorded


def run(jobs: Sequence[Job], console: Console, executor: Executor, explicit: Explicit) -> list[Job]:
    """Have trained what is missing or stale, leave the rest, say which; the jobs that failed.

    Where no precision was asked for, a run has that of its record, or of the other seeds. One on other images than
    those of seeds that stay is not begun: no mean could be taken of them.

    Raises:
        CutOff: by Ctrl+C, while runs were trained.
    """
    wanted, unclear = _wanted(jobs, console, explicit)
    admitted, refused = _admitted(wanted, console, explicit)
    return [*unclear, *refused, *_trained(admitted, console, executor)]


def _wanted(jobs: Sequence[Job], console: Console, explicit: Explicit) -> tuple[list[tuple[Job, str]], list[Job]]:
    """The jobs that must train, each with the reason, and those of which that cannot be told; the others stay."""
    wanted, failed = [], []
    for job in jobs:
        name = f"{job.project} seed {job.seed}"
        try:
            name = job.name  # which may not be told of weights that are not what they promise
            now = standing(job.results, job.project, job.seed, job.variant)
            reason = reason_to_train(job, now, explicit)
            if reason is None and now.record is not None:
                note = (
                    ""
                    if explicit.data or now.record.dataset.name == data.name_of(job.source)
                    else f" (on {now.record.dataset.name}; --data asks for other images)"
                )
                draw(job.folder)
                if now.state == "up to date":
                    console.print(f"{name}: up to date{escape(note)}", highlight=False)
                    continue
                console.print(f"{name}: sources changed ({now.detail}); repeating the canary …", highlight=False)
                if replay(job.results, now.record, console) != "stale":
                    continue
        except ReportError as problem:
            console.print(f"[red]{name}: {escape(str(problem))}[/]", highlight=False)
            failed.append(job)
            continue
        wanted.append((job, reason or "stale"))
    return wanted, failed


def _admitted(wanted: Sequence[tuple[Job, str]], console: Console, explicit: Explicit) -> tuple[list[Job], list[Job]]:
    """Those of the jobs `wanted` that may replace what is recorded and stand beside the seeds that stay, in their
    precision, and the others.
    """
    admitted, failed = [], []
    replaced = {job.folder for job, _ in wanted}
    for asked, reason in wanted:
        beside = seeds_of(asked)
        recorded = [done for done in beside if done.profile == asked.profile]
        remains = [done for done in beside if record.folder_of(done, asked.results) not in replaced]
        stays = [done for done in remains if done.profile == asked.profile]
        job = asked if explicit.precision else dataclasses.replace(asked, precision=usual_precision(asked, recorded))
        try:
            check_precision(job.precision)
            downloads.refuse_keras_for_others(job.source)
            refuse_smoke_beside_full(job, remains)
            refuse_to_replace(job, recorded, explicit)
            refuse_other_images(job, stays)
            refuse_other_weights(job, stays)
        except ReportError as problem:
            console.print(f"[red]{job.name}: {escape(str(problem))}[/]", highlight=False)
            failed.append(job)
            continue
        console.print(f"[bold]{job.name}[/]: to be trained ({escape(reason)})", highlight=False)
        if job.precision != asked.precision:
            told = f"in {job.precision}, as it or the other seeds are recorded; --precision asks for another"
            console.print(f"{job.name}: {told}", highlight=False)
        for caution in cautions(job, recorded, stays):
            console.print(f"[yellow]{job.name}[/]: {escape(caution)}", highlight=False)
        admitted.append(job)
    return admitted, failed


def _trained(jobs: list[Job], console: Console, executor: Executor) -> list[Job]:
    """Have `jobs` trained; those that failed.

    Raises:
        CutOff: by Ctrl+C.
    """
    if not jobs:
        return []
    left, failed = list(jobs), list[Job]()
    with closing(executor.train(jobs, console)) as running:  # which ends the runs, should something fail here
        try:
            for ended in running:
                folder = ended.job.folder
                if ended.recorded:
                    left.remove(ended.job)
                    console.print(f"[green]{ended.job.name}: recorded[/] in {escape(_relative(folder))}")
                    try:
                        draw(folder)
                    except ReportError as problem:
                        console.print(f"[red]{ended.job.name}: {escape(str(problem))}[/]", highlight=False)
                        failed.append(ended.job)
                else:
                    why = f" {escape(ended.why_not)}" if ended.why_not else ""
                    console.print(f"[red]{ended.job.name}: failed[/]; nothing was recorded.{why}", highlight=False)
                    failed.append(ended.job)
        except KeyboardInterrupt as problem:
            raise CutOff(left, len(jobs) - len(left)) from problem
    return failed


def seeds_of(job: Job) -> list[Record]:
    """The recorded runs of the project and variant of `job`, of every seed and profile, that can be read."""
    found = []
    for file in sorted(job.folder.parent.glob(f"seed-*/{record.RECORD_FILE}")):
        with suppress(record.RecordError):
            found.append(record.read(file))
    return found


def refuse_smoke_beside_full(job: Job, stays: Sequence[Record]) -> None:
    """Nothing, unless `job` is a smoke run and one that stays beside it is a full one.

    Raises:
        ReportError: it is.
    """
    if job.profile == "smoke" and (full := [str(done.seed) for done in stays if done.profile == "full"]):
        raise ReportError(
            f"A smoke run would stand beside seeds of the full profile ({', '.join(full)}), and no mean could be taken "
            "of them; nothing was trained. Name another folder with --results DIR."
        )


def usual_precision(job: Job, recorded: Sequence[Record]) -> str:
    """That of the job's own record among those `recorded`, or of all other seeds; else what the job has."""
    own = {done.precision for done in recorded if done.seed == job.seed}
    found = own or {done.precision for done in recorded}
    return found.pop() if len(found) == 1 else job.precision


def other_images(source: str, done: Record) -> str | None:
    """The images that `done` saw, where `source` stands for others; of Keras's own only the name is compared.

    Raises:
        ReportError: the images of `source` cannot be had.
    """
    name = data.name_of(source)
    if done.dataset.name != name:
        return done.dataset.name
    if source == "keras" or done.dataset.sha256 == _sha256(source, _stamps(source)):
        return None
    return "another sample" if source == "sample" else f"other images of the name {name}"


def _stamps(source: str) -> tuple[tuple[str, int, int], ...]:
    folder = data.SAMPLE if source == "sample" else Path(source)
    stats = sorted((file.name, file.stat()) for file in folder.glob("*.parquet"))
    return tuple((name, found.st_size, found.st_mtime_ns) for name, found in stats)


@cache
def _sha256(source: str, stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Over all pixels and labels, which takes seconds: once for files whose `stamps` stay the same."""
    return data.load(source).sha256


def refuse_to_replace(job: Job, recorded: Sequence[Record], explicit: Explicit) -> None:
    """Nothing, unless `job` would replace, without being forced, a record that began with other weights, or one on
    other images than those of the machine at hand, which nobody named. The sample's runs are there to be repeated.

    Raises:
        ReportError: it would.
    """
    for done in recorded:
        if done.seed != job.seed or job.source == "sample" or explicit.force:
            continue
        others = None if explicit.data else other_images(job.source, done)
        if start := other_weights(job, done):
            others = f"the weights {start[:12]}, of the same name"
        if others:
            raise ReportError(
                f"It would replace a run on {others}; nothing was trained. Name another folder with --results DIR, or "
                "replace it with --force."
            )


def refuse_other_images(job: Job, stays: Sequence[Record]) -> None:
    """Nothing, where `job` sees the same images as the other seeds whose records stay.

    Raises:
        ReportError: it would see others, or its images cannot be had.
    """
    images = data.name_of(job.source)
    if others := sorted({found for done in stays if (found := other_images(job.source, done))}):
        seeds = ", ".join(str(done.seed) for done in stays)
        raise ReportError(
            f"On {images} it would stand beside seeds on {', '.join(others)} ({seeds}), and no mean could be taken of "
            "them; nothing was trained. Name the same images with --data DIR, another folder with --results DIR, or "
            "every recorded seed with --force, which replaces them all."
        )


def other_weights(job: Job, done: Record) -> str | None:
    """The SHA-256 of the weights that `done` began with, where `job` begins with others; their name may not tell."""
    own, began = job.start.sha256 if job.start else None, done.settings.get("weights_sha256")
    return str(began) if own and began and began != own else None


def refuse_other_weights(job: Job, stays: Sequence[Record]) -> None:
    """Nothing, where `job` starts from the same weights as the other seeds whose records stay; their name may not tell.

    Raises:
        ReportError: it would start from others.
    """
    if others := sorted({found for done in stays if (found := other_weights(job, done))}):
        own = str(job.start.sha256) if job.start else ""
        seeds = ", ".join(str(done.seed) for done in stays)
        raise ReportError(
            f"From the weights {own[:12]} it would stand beside seeds ({seeds}) from {others[0][:12]}, which have the "
            "same name, and no mean could be taken of them; nothing was trained. Name the same file with "
            "--vgg16-weights, another folder with --results DIR, or every recorded seed with --force, which replaces "
            "them all."
        )


def cautions(job: Job, recorded: Sequence[Record], stays: Sequence[Record]) -> list[str]:
    """What a user should know before `job` is trained: how it departs from what is `recorded` and from what `stays`."""
    images = data.name_of(job.source)
    before = [other_images(job.source, done) for done in recorded if done.seed == job.seed]
    mixed = sorted({done.precision for done in stays} - {job.precision})
    return [
        *(f"on {images}; the record that it replaces is on {others}" for others in before if others),
        *([f"in {job.precision}, beside seeds in {', '.join(mixed)}"] if mixed else []),
        *([job.caution] if job.caution else []),
    ]


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
