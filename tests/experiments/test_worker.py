"""One run in this process: what keeps it from being recorded, and where it keeps its checkpoint."""

from __future__ import annotations

import dataclasses
import io
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from experiments import catalogue, data, downloads, worker
from experiments.canary import Specification
from experiments.checkpoint import Checkpoint
from experiments.job import MISTAKES, RESULTS, Job, Sizes
from experiments.progress import EpochProgress
from experiments.project import Adam, Project
from experiments.replay import singing
from experiments.sheet import sheet
from experiments.train import Run, build, steps_of, train
from reportgen.errors import ReportError
from tests import synthetic


def job(results: Path, identifier: str = "p00_base", **changes: object) -> Job:
    return dataclasses.replace(Job(identifier, 0, "smoke", "float32", "sample", results), **changes)  # type: ignore[arg-type]


RECORDED = synthetic.record()
SPECIFICATION = Specification(
    network=RECORDED.network, settings=RECORDED.settings, seed=0, precision="float32", canary=RECORDED.canary
).model_dump(mode="json")


@pytest.fixture
def diverging(monkeypatch: pytest.MonkeyPatch) -> Project:
    """Project 0 with steps so long that its weights overflow."""
    declared = catalogue.load("p00_base")
    training = dataclasses.replace(declared.training, optimizer=Adam(learning_rate=1e30))
    found = dataclasses.replace(declared, training=training)
    monkeypatch.setattr(catalogue, "load", lambda identifier: found)
    return found


def test_a_loss_that_is_no_number_stops_the_run_at_its_epoch_and_records_nothing(
    diverging: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    asked = job(tmp_path / "results", sizes=Sizes(batch=64))
    with pytest.raises(ReportError, match=r"stopped being a number in epoch 1; the run is not recorded"):
        worker.work(asked, lambda: synthetic.record().canary, None, data.load("sample"), {})
    assert not list(tmp_path.rglob("*"))


def test_two_processes_do_not_do_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    asked = job(tmp_path / "results")
    file = worker.checkpoint_file(asked, "sample").with_suffix(".lock")
    file.parent.mkdir(parents=True)
    with FileLock(file), pytest.raises(ReportError, match="p00_base seed 0 is being trained by another process"):
        worker.perform(asked)


def test_a_run_that_ends_leaves_the_file_of_its_lock_to_what_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, a file that is held cannot be deleted."""

    def unlink(file: Path, missing_ok: bool = False) -> None:
        raise PermissionError(f"{file} is being used by another process")

    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(worker, "_perform", lambda *_: RECORDED)
    monkeypatch.setattr(Path, "unlink", unlink)
    for _ in range(2):
        assert worker.perform(job(tmp_path / "results")) == RECORDED


def test_where_no_checkpoint_can_stand_there_is_no_other_place_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "build").touch()
    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "build" / "checkpoints")
    with pytest.raises(ReportError, match=r"expected a folder .* nowhere else: make it writable") as told:
        worker.perform(job(tmp_path / "results"))
    assert "Name another" not in str(told.value)


def test_images_that_cannot_be_had_are_told_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(source: str) -> data.Dataset:
        raise ReportError("row 13: the image cannot be decoded")

    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(downloads, "images", damaged)
    monkeypatch.setattr(worker, "singing", lambda *_: pytest.fail("a canary sings"))
    with pytest.raises(ReportError, match="row 13"):
        worker.perform(job(tmp_path / "results"))


def test_memory_that_runs_out_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(worker, "build", exhausted)
    with pytest.raises(
        ReportError, match=r"batches of 512 images of 32x32 pixels\. Lower --batch-size or --image-size"
    ):
        worker.work(job(tmp_path), lambda: synthetic.record().canary, None, data.load("sample"), {})
    assert not list(tmp_path.rglob("*"))


def test_runs_that_differ_in_anything_keep_their_checkpoints_apart() -> None:
    recorded = job(RESULTS, profile="full")
    others = [
        job(RESULTS),
        dataclasses.replace(recorded, seed=1),
        dataclasses.replace(recorded, precision="mixed_bfloat16"),
        dataclasses.replace(recorded, sizes=Sizes(image=64)),
        dataclasses.replace(recorded, sizes=Sizes(batch=64)),
        dataclasses.replace(recorded, results=RESULTS / "elsewhere"),
    ]
    files = {worker.checkpoint_file(one, "cifar10") for one in (recorded, *others)}
    assert len(files) == 7
    assert worker.checkpoint_file(recorded, "cifar10").parent.name == "cifar10-full-float32"


@pytest.mark.project("p06_vgg16_scratch", "p08_vgg16_finetuned")
def test_a_smoke_run_and_a_project_of_random_weights_fetch_none(tmp_path: Path) -> None:
    missing = tmp_path / "none.h5"
    assert worker.pretrained(job(tmp_path, "p08_vgg16_finetuned", vgg16_weights=missing)) is None
    assert worker.pretrained(job(tmp_path, "p06_vgg16_scratch", profile="full", vgg16_weights=missing)) is None
    with pytest.raises(ReportError, match="there is no such file"):
        worker.pretrained(job(tmp_path, "p08_vgg16_finetuned", profile="full", vgg16_weights=missing))


def test_sources_that_change_while_a_run_begins_are_named_and_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = iter([{"a.py": "1", "b.py": "1"}, {"a.py": "1", "b.py": "2"}])
    monkeypatch.setattr(worker, "sources", lambda _: next(found))
    monkeypatch.setattr(worker, "singing", begun)
    monkeypatch.setattr(worker, "answer", lambda _: {"specification": SPECIFICATION})
    with pytest.raises(ReportError, match=r"^b\.py changed while the run began\. Start it again"):
        worker.perform(job(tmp_path))


def test_results_that_cannot_be_written_are_told_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(ReportError, match="expected a folder to write to, and it is none"):
        worker.perform(job(tmp_path / "a file"))


@contextmanager
def begun(*_: object) -> Iterator[subprocess.Popen[str]]:
    """A process that stands for a canary's and would go on for long."""
    sleeps = [sys.executable, "-c", "import time; time.sleep(300)"]
    with subprocess.Popen(sleeps, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("accelerator", [None, "a GPU"])
def test_the_canary_sings_before_the_training_or_beside_it_where_an_accelerator_trains(
    accelerator: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    trained = threading.Event()

    def sing(_: object) -> dict[str, object]:
        if accelerator:
            assert trained.wait(60)
        heard.append("canary")
        return {"specification": SPECIFICATION}

    def watched(*arguments: Any, **options: Any) -> Run:
        heard.append("training")
        trained.set()
        return train(*arguments, **options)

    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(worker, "accelerator", lambda _: accelerator)
    monkeypatch.setattr(worker, "singing", begun)
    monkeypatch.setattr(worker, "answer", sing)
    monkeypatch.setattr(worker, "train", watched)
    asked = job(tmp_path / "asked", sizes=Sizes(batch=200), deterministic=False)
    done = worker.perform(asked, tmp_path / "results")
    assert [file.parents[3].name for file in tmp_path.rglob("record.json")] == ["results"]
    assert heard == (["training", "canary"] if accelerator else ["canary", "training"])
    assert done.canary == RECORDED.canary


def test_a_canary_that_fails_beside_a_training_ends_it_behind_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counted(EpochProgress):
        def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            epochs.append(epoch)
            super().on_epoch_begin(epoch, logs)

    @contextmanager
    def begun_and_killed(*_: object) -> Iterator[subprocess.Popen[str]]:
        with begun() as process:
            process.kill()
            yield process

    epochs: list[int] = []
    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(worker, "accelerator", lambda _: "a GPU")
    monkeypatch.setattr(worker, "singing", begun_and_killed)
    monkeypatch.setattr(worker, "EpochProgress", Counted)
    with pytest.raises(ReportError, match="The canary's process was ended by SIGKILL"):
        worker.perform(job(tmp_path / "results", sizes=Sizes(batch=200)))
    assert epochs == [0], "of two"
    assert not list((tmp_path / "results").rglob("*.json"))


def test_a_training_that_ends_takes_its_canary_along(
    diverging: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[str]] = []

    @contextmanager
    def watched(*asked: Any) -> Iterator[subprocess.Popen[str]]:
        with singing(*asked) as process:
            started.append(process)
            yield process

    slow = tmp_path / "a canary that takes its time"
    slow.write_text("#!/bin/sh\nexec sleep 300\n")
    slow.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(slow))
    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(worker, "accelerator", lambda _: "a GPU")
    monkeypatch.setattr(worker, "singing", watched)
    with pytest.raises(ReportError, match="stopped being a number"):
        worker.perform(job(tmp_path / "results", sizes=Sizes(batch=64)))
    assert started[0].returncode == -signal.SIGKILL


def test_a_record_tells_of_the_run_that_was_asked_for_and_may_go_on_only_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = datetime(2020, 1, 1, tzinfo=UTC)
    identities: list[dict[str, Any]] = []
    built: list[tuple[Any, ...]] = []

    class Resumed(Checkpoint):
        """As if its first sitting had been years ago, with others beside it."""

        def __init__(self, file: Path, identity: dict[str, Any], beside: int) -> None:
            super().__init__(file, identity, beside)
            self.began, self.beside = began, 5
            identities.append(identity)

    def watched(*arguments: Any) -> Any:
        built.append(arguments)
        return build(*arguments)

    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(worker, "Checkpoint", Resumed)
    monkeypatch.setattr(worker, "build", watched)
    asked, images = job(tmp_path / "results", seed=1, sizes=Sizes(image=16, batch=200)), data.load("sample")
    done = worker.work(asked, lambda: RECORDED.canary, None, images, RECORDED.sources)
    split = data.split(images, 1)
    assert (done.seed, done.started, done.environment.side_by_side, len(done.history)) == (1, began, 5, 2)
    assert (done.dataset.train, done.dataset.validation, done.dataset.test) == (320, 80, 100)
    assert (done.dataset.sha256, done.dataset.split_sha256) == (images.sha256, split.sha256)
    assert (done.settings["image_size"], done.settings["batch_size"]) == (16, 200)
    assert built == [(asked.declared, 1, "float32", steps_of(asked.declared.training, 320, 2))]
    (identity,) = identities
    assert (identity["sources"], identity["settings"]) == (RECORDED.sources, done.settings)
    assert (identity["images"], identity["backend"]) == (images.sha256, done.environment.backend)
    assert identity["packages"] == done.environment.packages
    assert identity["deterministic"] == done.environment.deterministic
    wrong = sheet([split.test.pixels[mistake.index] for mistake in done.mistakes])
    found, expected = (
        np.asarray(Image.open(io.BytesIO(png))) for png in ((asked.folder / MISTAKES).read_bytes(), wrong)
    )
    assert np.array_equal(found, expected)
    assert not list((tmp_path / "checkpoints").rglob("*.npz"))


@pytest.mark.parametrize("restart", [False, True])
def test_a_run_starts_over_only_where_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    asked = job(tmp_path / "results", restart=restart, sizes=Sizes(image=16, batch=200))
    file = worker.checkpoint_file(asked, "sample")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"of another day")

    def work() -> None:
        worker.work(asked, lambda: RECORDED.canary, None, data.load("sample"), RECORDED.sources)

    if restart:
        work()
        assert not file.exists()
    else:
        with pytest.raises(ReportError, match=r"Start over with --restart"):
            work()
        assert file.read_bytes() == b"of another day"


@pytest.mark.project("p09_mini_vgg16")
def test_a_canary_is_asked_for_in_the_sizes_and_the_scaling_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def singing(*arguments: Any) -> Any:
        asked.append(arguments)
        raise ReportError("that is enough")

    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(worker, "singing", singing)
    monkeypatch.setattr(worker, "pretrained", lambda _: None)
    sizes = Sizes(image=48, batch=8)
    run = job(tmp_path, "p09_mini_vgg16", profile="full", seed=3, sizes=sizes, preprocessing="weights")
    with pytest.raises(ReportError, match="that is enough"):
        worker.perform(run)
    assert asked == [("p09_mini_vgg16", 3, "float32", sizes, None, "BGR - ImageNet mean")]
