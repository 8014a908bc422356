"""What of the runs that are asked for is trained, and what stays. Imports neither Keras nor a backend."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from experiments import data, downloads
from experiments.environment import ROOT, chosen_backend
from experiments.executor import Executor
from experiments.job import FIGURES, Job
from experiments.precision import check_precision
from experiments.replay import replay
from experiments.standing import Explicit, other_classes, other_images, other_weights, reason_to_train, standing
from reportgen import record
from reportgen.errors import ReportError
from reportgen.record import Record


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
                note = "" if explicit.data else _note(job, now.record)
                draw(job.folder)
                if now.state == "up to date":
                    console.print(f"{name}: up to date{escape(note)}", highlight=False)
                    continue
                console.print(f"{name}: sources changed ({now.detail}); repeating the canary …", highlight=False)
                if replay(job.results, now.record, console) != "stale":
                    if note:
                        console.print(f"{name}: stays as it is{escape(note)}", highlight=False)
                    continue
        except ReportError as problem:
            console.print(f"[red]{name}: {escape(str(problem))}[/]", highlight=False)
            failed.append(job)
            continue
        wanted.append((job, reason or "stale"))
    return wanted, failed


def _note(job: Job, done: Record) -> str:
    """On which images or with which classes a record was made that stays, where `job` would have others."""
    if done.dataset.name != data.name_of(job.source):
        return f" (on {done.dataset.name}; --data asks for other images)"
    if others := other_classes(done):
        return f" (with the classes {others}; --force trains it anew)"
    return ""


def _admitted(wanted: Sequence[tuple[Job, str]], console: Console, explicit: Explicit) -> tuple[list[Job], list[Job]]:
    """Those of the jobs `wanted` that may replace what is recorded and stand beside the seeds that stay, in their
    precision, and the others.
    """
    beside = {asked.folder: seeds_of(asked) for asked, _ in wanted}
    jobs = [
        asked
        if explicit.precision
        else dataclasses.replace(asked, precision=usual_precision(asked, _of_its_profile(asked, beside[asked.folder])))
        for asked, _ in wanted
    ]
    refused = _refused(jobs, beside, explicit)
    given_way = {job.folder for job in jobs} - refused.keys()
    admitted = []
    for (asked, reason), job in zip(wanted, jobs, strict=True):
        if why := refused.get(job.folder):
            console.print(f"[red]{job.name}: {escape(str(why))}[/]", highlight=False)
            continue
        console.print(f"[bold]{job.name}[/]: to be trained ({escape(reason)})", highlight=False)
        if job.precision != asked.precision:
            told = f"in {job.precision}, as it or the other seeds are recorded; --precision asks for another"
            console.print(f"{job.name}: {told}", highlight=False)
        recorded = _of_its_profile(job, beside[job.folder])
        for caution in cautions(job, recorded, _without(recorded, given_way, job)):
            console.print(f"[yellow]{job.name}[/]: {escape(caution)}", highlight=False)
        admitted.append(job)
    return admitted, [job for job in jobs if job.folder in refused]


def _refused(
    jobs: Sequence[Job], beside: Mapping[Path, Sequence[Record]], explicit: Explicit
) -> dict[Path, ReportError]:
    """Why which of `jobs` may not be trained, by folder; `beside` has the records of all seeds, by folder, too.

    The record that a refused job would have replaced stays, and may keep others from standing beside it.
    """
    refused: dict[Path, ReportError] = {}
    while True:
        given_way = {job.folder for job in jobs} - refused.keys()
        more = {
            job.folder: why
            for job in jobs
            if job.folder in given_way and (why := _why_not(job, beside[job.folder], given_way, explicit))
        }
        if not more:
            return refused
        refused |= more


def _why_not(job: Job, beside: Sequence[Record], given_way: Collection[Path], explicit: Explicit) -> ReportError | None:
    """Why `job` may not be trained, where the records in the folders `given_way` do not stay; None: it may."""
    remains, recorded = _without(beside, given_way, job), _of_its_profile(job, beside)
    stays = _of_its_profile(job, remains)
    try:
        check_precision(job.precision)
        downloads.refuse_keras_for_others(job.source)
        refuse_smoke_beside_full(job, remains)
        refuse_to_replace(job, recorded, explicit)
        refuse_other_images(job, stays)
        refuse_other_classes(stays)
        refuse_other_weights(job, stays)
        refuse_other_precision(job, stays, explicit)
    except ReportError as problem:
        return problem
    return None


def _of_its_profile(job: Job, records: Sequence[Record]) -> list[Record]:
    return [done for done in records if done.profile == job.profile]


def _without(records: Sequence[Record], given_way: Collection[Path], job: Job) -> list[Record]:
    """Those of the records beside `job` that are in none of the folders `given_way`."""
    return [done for done in records if record.folder_of(done, job.results) not in given_way]


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
    if job.profile == "smoke" and (full := [done for done in stays if done.profile == "full"]):
        raise ReportError(
            f"A smoke run would stand beside seeds of the full profile ({_seeds(full)}), and no mean could be taken "
            "of them; nothing was trained. Name another folder with --results DIR."
        )


def usual_precision(job: Job, recorded: Sequence[Record]) -> str:
    """That of the job's own record among those `recorded`, or of all other seeds; else what the job has."""
    own = {done.precision for done in recorded if done.seed == job.seed}
    found = own or {done.precision for done in recorded}
    return found.pop() if len(found) == 1 else job.precision


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
        raise ReportError(
            f"On {images} it would stand beside seeds on {', '.join(others)} ({_seeds(stays)}), and no mean could be "
            "taken of them; nothing was trained. Name the same images with --data DIR, another folder with --results "
            "DIR, or every recorded seed with --force, which replaces them all."
        )


def refuse_other_classes(stays: Sequence[Record]) -> None:
    """Nothing, where the classes have the same names as in the other seeds whose records stay.

    Raises:
        ReportError: they have others.
    """
    if others := sorted({found for done in stays if (found := other_classes(done))}):
        raise ReportError(
            f"It would stand beside seeds ({_seeds(stays)}) with the classes {others[0]}, and they could not be "
            "counted together; nothing was trained. Put the names in CLASSES back, name another folder with --results "
            "DIR, or every recorded seed with --force, which replaces them all."
        )


def refuse_other_weights(job: Job, stays: Sequence[Record]) -> None:
    """Nothing, where `job` starts from the same weights as the other seeds whose records stay; their name may not tell.

    Raises:
        ReportError: it would start from others.
    """
    if others := sorted({found for done in stays if (found := other_weights(job, done))}):
        own = str(job.start.sha256) if job.start else ""
        raise ReportError(
            f"From the weights {own[:12]} it would stand beside seeds ({_seeds(stays)}) from {others[0][:12]}, which "
            "have the same name, and no mean could be taken of them; nothing was trained. Name the same file with "
            "--vgg16-weights, another folder with --results DIR, or every recorded seed with --force, which replaces "
            "them all."
        )


def refuse_other_precision(job: Job, stays: Sequence[Record], explicit: Explicit) -> None:
    """Nothing, where `job` computes in the precision of other seeds whose records stay, or is forced.

    Raises:
        ReportError: it would compute in another.
    """
    others = sorted({done.precision for done in stays})
    if others and job.precision not in others and not explicit.force:
        raise ReportError(
            f"In {job.precision} it would stand beside seeds in {', '.join(others)} ({_seeds(stays)}), and no mean "
            "could be taken of them; nothing was trained. Leave --precision out, name another folder with --results "
            "DIR, or every recorded seed, which replaces them all."
        )


def _seeds(runs: Sequence[Record]) -> str:
    return ", ".join(str(done.seed) for done in runs)


def cautions(job: Job, recorded: Sequence[Record], stays: Sequence[Record]) -> list[str]:
    """What a user should know before `job` is trained: how it departs from what is `recorded` and from what `stays`."""
    images = data.name_of(job.source)
    replaced = [done for done in recorded if done.seed == job.seed]
    before = [other_images(job.source, done) for done in replaced]
    backends = [
        done.environment.backend for done in replaced if done.environment.backend.split()[0] != chosen_backend()
    ]
    mixed = sorted({done.precision for done in stays} - {job.precision})
    return [
        *(f"on {images}; the record that it replaces is on {others}" for others in before if others),
        *(f"under {chosen_backend()}; the record that it replaces is by {other}" for other in backends),
        *([f"in {job.precision}, beside seeds in {', '.join(mixed)}"] if mixed else []),
        *([job.caution] if job.caution else []),
    ]


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
