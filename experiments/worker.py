"""Inside the process of one run: train, write the record and the sheet of mistakes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, cast

from experiments import data, project
from experiments.environment import ROOT, describe
from experiments.job import FIGURES, Job, sources
from experiments.mistakes import sheet
from experiments.progress import EpochProgress
from experiments.train import build, network_of, settings_of, train
from reportgen import record
from reportgen.record import Canary, Dataset, Record

SMOKE_EPOCHS = 2


def work(job: Job, canary: Canary) -> Record:
    """Train what `job` asks for and write its record, with the `canary` sung before, last of all.

    Raises:
        ReportError: the data cannot be had, the precision is unknown, or the training diverged.
    """
    declared = project.load(job.project)
    before = sources(job.project)
    environment = describe()
    dataset = data.load(job.source)
    split = data.split(dataset, job.seed)
    model = build(declared, job.seed, job.precision)
    epochs = SMOKE_EPOCHS if job.profile == "smoke" else declared.training.epochs
    started = datetime.now(UTC).replace(microsecond=0)
    run = train(
        declared,
        model,
        split,
        job.seed,
        epochs=epochs,
        callbacks=[EpochProgress(f"{job.project} seed {job.seed}", epochs)],
    )
    done = Record(
        project=job.project,
        seed=job.seed,
        profile=cast(Literal["full", "smoke"], job.profile),
        precision=job.precision,
        command=job.command,
        started=started,
        seconds=run.seconds,
        script=project.script(job.project).relative_to(ROOT).as_posix(),
        sources=before,
        dataset=Dataset(
            name=dataset.name,
            origin=dataset.origin,
            classes=dataset.classes,
            image_shape=cast(tuple[int, int, int], dataset.train.pixels.shape[1:]),
            train=len(split.train.labels),
            validation=len(split.validation.labels),
            test=len(split.test.labels),
            sha256=dataset.sha256,
            split_sha256=split.sha256,
        ),
        environment=environment,
        network=network_of(model),
        settings=settings_of(declared),
        history=run.history,
        stopping=run.stopping,
        train=run.train,
        validation=run.validation,
        test=run.test,
        confusion=run.confusion,
        mistakes=run.mistakes,
        canary=canary,
    )
    folder = record.folder(job.results, job.project, job.seed)
    folder.mkdir(parents=True, exist_ok=True)
    # A record stands for a finished run, so that it is written last; what an earlier one left ends with it.
    for name in (record.CONFIRMATIONS_FILE, *FIGURES):
        (folder / name).unlink(missing_ok=True)
    if run.mistakes:
        (folder / "mistakes.png").write_bytes(sheet([split.test.pixels[wrong.index] for wrong in run.mistakes]))
    record.write(done, job.results)
    return done
