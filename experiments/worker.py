"""Inside the process of one run: train, write the record and the sheet of mistakes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, cast

import keras

from experiments import catalogue, data, downloads, vgg16
from experiments.canary import Specification, specify
from experiments.checkpoint import Checkpoint
from experiments.environment import ROOT, accelerator, describe, use_deterministic_operations
from experiments.job import RANDOM, RESULTS, Job, keep, sources
from experiments.memory import enough_memory
from experiments.progress import EpochProgress
from experiments.replay import answer, singing
from experiments.sheet import sheet
from experiments.sole import sole
from experiments.train import build, network_of, settings_of, steps_of, train
from experiments.vgg16 import Pretrained
from reportgen.errors import ReportError
from reportgen.record import Canary, Dataset, Record, check_writable

SMOKE_EPOCHS = 2
VGG16_SMOKE_EPOCHS = 1
"""One pass of VGG16 over the sample shows all that two would."""
CHECKPOINTS = ROOT / "build" / "checkpoints"
"""Away from the results, which are committed."""


def perform(job: Job, results: Path | None = None) -> Record:
    """Do one run in this process, and no other does the same meanwhile; as `_perform`.

    Raises:
        ReportError: as `_perform`, or another process is at it, or it could keep no checkpoint.
    """
    checkpoint = checkpoint_file(job, data.name_of(job.source))
    nowhere_else = "Checkpoints go there, and nowhere else: make it writable, or use a copy of the repository."
    check_writable(checkpoint.parent, nowhere_else)
    with sole(checkpoint, f"{job.name} is being trained by another process."):
        return _perform(job, results)


def _perform(job: Job, results: Path | None) -> Record:
    """Do one run, from the weights that it starts with to its record.

    The record goes into `results`, if that is another folder than the one which the job asks for: on another machine.

    The canary sings on the processor. Where that is also what trains, it does so first; an accelerator need not wait.

    Raises:
        ReportError: as `work`, or the weights or the images cannot be had, the results cannot be written, the canary
            failed, or the sources changed meanwhile.
    """
    if job.deterministic:
        use_deterministic_operations()
    read = sources(job.project)  # as this process has read them; they may change while it trains
    check_writable(results or job.results)
    # What is missing or damaged is told before anything is computed.
    weights, images = pretrained(job), downloads.images(job.source)
    beside = accelerator(keras.backend.backend()) is not None
    if job.deterministic and not beside:
        # This process computes as that of a canary would.
        with enough_memory(job.declared.training.batch_size, job.declared.image_size):
            sung = specify(job.declared, job.seed, job.precision).canary
        _unchanged(job, read)
        return work(job, lambda: sung, weights, images, read, results=results)
    asked = (job.project, job.seed, job.precision, job.sizes, None, job.scaling)
    with ThreadPoolExecutor(1) as pool, singing(*asked) as process:
        heard = pool.submit(lambda: _canary(job, read, answer(process)))
        if not beside:
            heard.result()
        return work(job, heard.result, weights, images, read, [Listen(heard)], results)


def _canary(job: Job, read: dict[str, str], answered: dict[str, Any]) -> Canary:
    _unchanged(job, read)
    return Specification.model_validate(answered["specification"]).canary


def _unchanged(job: Job, read: dict[str, str]) -> None:
    if changed := sorted(name for name, content in sources(job.project).items() if read.get(name) != content):
        raise ReportError(f"{', '.join(changed)} changed while the run began. Start it again with the same command.")


class Listen(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a training whose canary has failed, with the error of that: its run could not be recorded."""

    def __init__(self, heard: Future[Canary]) -> None:
        super().__init__()
        self._heard = heard

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._heard.done():
            self._heard.result()


def pretrained(job: Job) -> Pretrained | None:
    """The weights that the project's VGG16 starts from; None where it has none, or only random ones.

    Raises:
        ReportError: they cannot be had.
    """
    if job.start is None:
        return None
    return vgg16.from_file(job.vgg16_weights) if job.vgg16_weights else downloads.weights()


def checkpoint_file(job: Job, dataset: str) -> Path:
    """Where a run on `dataset` keeps its checkpoint: apart from every run that is another one."""
    words = [dataset, job.profile, job.precision, *([job.variant] if job.variant else [])]
    if job.results != RESULTS:
        # Runs of the same kind may go to several folders at once.
        words.append(hashlib.sha256(str(job.results.resolve()).encode()).hexdigest()[:8])
    return CHECKPOINTS / "-".join(words) / f"{job.project}-seed-{job.seed}.npz"


def work(
    job: Job,
    canary: Callable[[], Canary],
    weights: Pretrained | None,
    images: data.Dataset,
    before: dict[str, str],
    callbacks: Sequence[Any] = (),
    results: Path | None = None,
) -> Record:
    """Train on `images` what `job` asks for and write its record last of all, with the `canary`, to be waited for.

    The record goes into `results`, or else where the job asks for it. `before` are the fingerprints of the sources that
    this process has read.

    Raises:
        ReportError: the canary failed, the precision is unknown, the training diverged, memory ran out, or a run that
            was cut off cannot go on.
    """
    declared = job.declared
    if declared.weights is not None:
        declared = dataclasses.replace(declared, weights=RANDOM if weights is None else weights.name)
    settings = settings_of(declared) | (job.start.settings if job.start else {})
    environment = describe()
    split = data.split(images, job.seed)
    smoke = SMOKE_EPOCHS if declared.weights is None else VGG16_SMOKE_EPOCHS
    epochs = smoke if job.profile == "smoke" else declared.training.epochs
    checkpoint = Checkpoint(
        checkpoint_file(job, images.name),
        {
            "sources": before,
            "settings": settings,
            "images": images.sha256,
            "backend": environment.backend,
            "packages": environment.packages,
            "deterministic": environment.deterministic,
        },
        environment.side_by_side,
    )
    if job.restart:
        checkpoint.remove()
    with enough_memory(declared.training.batch_size, declared.image_size):
        steps = steps_of(declared.training, len(split.train.labels), epochs)
        model = build(declared, job.seed, job.precision, steps)
        if weights is not None:
            vgg16.load(model, weights)
        with EpochProgress(f"{job.project} seed {job.seed}", epochs) as progress:
            run = train(
                declared,
                model,
                split,
                job.seed,
                epochs=epochs,
                checkpoint=checkpoint,
                callbacks=[progress, *callbacks],
            )
    done = Record(
        project=job.project,
        variant=job.variant,
        seed=job.seed,
        profile=cast(Literal["full", "smoke"], job.profile),
        precision=job.precision,
        command=job.command,
        started=checkpoint.began,
        seconds=run.seconds,
        script=catalogue.script(job.project).relative_to(ROOT).as_posix(),
        sources=before,
        dataset=Dataset(
            name=images.name,
            origin=images.origin,
            classes=images.classes,
            image_shape=cast(tuple[int, int, int], images.train.pixels.shape[1:]),
            train=len(split.train.labels),
            validation=len(split.validation.labels),
            test=len(split.test.labels),
            sha256=images.sha256,
            split_sha256=split.sha256,
        ),
        environment=environment.model_copy(update={"side_by_side": checkpoint.beside}),
        network=network_of(model),
        settings=settings,
        history=run.history,
        stopping=run.stopping,
        train=run.train,
        validation=run.validation,
        test=run.test,
        confusion=run.confusion,
        mistakes=run.mistakes,
        canary=canary(),
    )
    wrong = [split.test.pixels[mistake.index] for mistake in run.mistakes]
    keep(done, sheet(wrong) if wrong else None, results or job.results)
    checkpoint.remove()
    return done
