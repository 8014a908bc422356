"""What is recorded of a run, beside what is asked for. Imports neither Keras nor a backend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from experiments import data
from experiments.environment import ROOT
from experiments.job import Job
from reportgen import record
from reportgen.errors import ReportError
from reportgen.fingerprint import changed
from reportgen.record import Record


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
    if (explicit.data or both_sample) and (others := other_classes(now.record)):
        return f"recorded with the classes {others}"
    if job.start and job.vgg16_weights:
        began = now.record.settings.get("weights")
        if began != job.start.name:
            return f"recorded on {f'the weights {began}' if began else 'no weights that it began from'}"
        if other_weights(job, now.record):
            return "recorded on weights of the same name and another content"
    return None


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


def other_classes(done: Record) -> str | None:
    """The names of classes in `done` that today's differ from, with those; None where they are the same."""
    if done.dataset.classes == tuple(data.CLASSES):
        return None
    was, now = record.other_names(done.dataset.classes, data.CLASSES)
    return f"{was}, in experiments/data.py now {now}"


def _stamps(source: str) -> tuple[tuple[str, int, int], ...]:
    folder = data.SAMPLE if source == "sample" else Path(source)
    stats = sorted((file.name, file.stat()) for file in folder.glob("*.parquet"))
    return tuple((name, found.st_size, found.st_mtime_ns) for name, found in stats)


@cache
def _sha256(source: str, stamps: tuple[tuple[str, int, int], ...]) -> str:
    """Over all pixels and labels, which takes seconds: once for files whose `stamps` stay the same."""
    return data.load(source).sha256


def other_weights(job: Job, done: Record) -> str | None:
    """The SHA-256 of the weights that `done` began with, where `job` begins with others; their name may not tell."""
    own, began = job.start.sha256 if job.start else None, done.settings.get("weights_sha256")
    return str(began) if own and began and began != own else None
