"""The command line of the experiments, in processes of their own, on the embedded sample."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pyarrow
import pytest
import typer
from pyarrow import parquet
from rich.console import Console

from experiments import __main__, catalogue, data
from experiments import run as experiments_run
from experiments.comparison import session
from experiments.environment import cores
from experiments.executor import Finished, Local, Ray, killed
from experiments.job import FIGURES, RESULTS, Job, Sizes, sources
from experiments.replay import singing
from experiments.run import CutOff, refuse_other_weights, refuse_to_replace, run
from experiments.scaling import BGR_MEAN, UNIT_INTERVAL
from experiments.standing import Explicit, Standing, reason_to_train, standing
from experiments.train import build, train
from experiments.vgg16 import Start
from experiments.worker import checkpoint_file
from reportgen import record
from reportgen.bench import Bench, Comparison, Figure, read, write
from reportgen.errors import ReportError
from tests import synthetic
from tests.experiments.command_line import said

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ("run", "p00_base", "--profile", "smoke", "--seed", "0")
SMALL = (*SMOKE, "--image-size", "16")
VARIANT = "16px"
LIMITS = hasattr(os, "sched_setaffinity")
"""Whether a process can be kept to some of the cores here."""


def experiments(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m experiments` as a user does, wide enough that no line breaks."""
    return subprocess.run(
        [sys.executable, "-m", "experiments", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "300", "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
    )


def working() -> float:
    """Seconds of processor time that the finished commands took: what else runs beside the tests counts for nothing."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a smoke run of Project 0 on smaller images, on one core, as runs side by side have."""
    results = tmp_path_factory.mktemp("smoke")
    before = os.sched_getaffinity(0) if LIMITS else set()
    if LIMITS:
        os.sched_setaffinity(0, {min(before)})
    try:
        done = experiments(*SMALL, "--results", str(results))
    finally:
        if LIMITS:
            os.sched_setaffinity(0, before)
    assert done.returncode == 0, done.stderr
    return results


def test_a_run_leaves_a_record_and_its_figures(smoke: Path) -> None:
    folder = record.folder(smoke, "p00_base", 0, VARIANT)
    done = record.read(folder / "record.json")
    assert (done.profile, done.dataset.name, len(done.history)) == ("smoke", "sample", 2)
    assert done.sources == sources("p00_base")
    assert str(ROOT) not in (folder / "record.json").read_text(encoding="utf-8")
    assert {file.name for file in folder.iterdir()} == {*FIGURES, "mistakes.png", "record.json"}


def test_a_second_run_trains_nothing_and_ends_in_seconds(smoke: Path) -> None:
    before = (record.folder(smoke, "p00_base", 0, VARIANT) / "record.json").read_bytes()
    began = working()
    done = experiments(*SMALL, "--results", str(smoke))
    assert working() - began < 3
    assert "p00_base seed 0 (16px): up to date" in done.stdout
    assert (record.folder(smoke, "p00_base", 0, VARIANT) / "record.json").read_bytes() == before


def test_help_tells_the_default_of_an_option_that_has_one() -> None:
    told = re.sub(r"[\s│]+", " ", said("run", "--help")[1])
    precision = "(that of the record or of the other seeds, else float32)"
    for default in ("(0, 1, 2; of smoke runs 0)", "(the folder in CIFAR10_DIR, else keras)", precision, "full"):
        assert f"[default: {default}]" in told


def test_telling_what_is_up_to_date_imports_no_backend() -> None:
    program = (
        "import sys, runpy\nsys.argv = ['experiments', 'status']\n"
        "try: runpy.run_module('experiments', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_replay_agrees_bit_for_bit_on_as_many_cores_and_in_its_size_and_is_appended_beside_the_record(
    smoke: Path,
) -> None:
    """On another number of cores, Project 5 drifts apart by more than the tolerance."""
    folder = record.folder(smoke, "p00_base", 0, VARIANT)
    before = (folder / "record.json").read_bytes()
    done = experiments("replay", "p00_base", "--results", str(smoke))
    assert done.returncode == 0, done.stdout + done.stderr
    (confirmation,) = record.read_confirmations(folder)
    assert confirmation.exact
    had = record.read(folder / "record.json").environment.cores
    assert confirmation.environment.cores == had == (1 if LIMITS else cores())
    assert confirmation.sources == sources("p00_base")
    assert (folder / "record.json").read_bytes() == before


@pytest.mark.project("p00_base")
def test_canaries_are_replayed_side_by_side_all_that_are_asked_for_and_one_that_is_stale_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(4):
        record.write(synthetic.record(seed=seed), tmp_path)
    together = threading.Barrier(2, timeout=60)
    asked: list[int] = []

    def replay(_: Path, done: record.Record, __: object) -> str:
        together.wait()
        asked.append(done.seed)
        return "stale" if done.seed == 3 else "confirmed"

    monkeypatch.setattr(__main__, "replay", replay)
    __main__.replay_projects(seed=[0, 2], results=tmp_path)
    assert sorted(asked) == [0, 2]
    with pytest.raises(typer.Exit):
        __main__.replay_projects(results=tmp_path)
    assert sorted(asked) == [0, 0, 1, 2, 2, 3]


def replays(monkeypatch: pytest.MonkeyPatch, damaged: int | None = None) -> tuple[list[int], StringIO]:
    """Let a replay confirm every run but that of a seed whose confirmations are `damaged`; what it is asked for, and
    what the command says.
    """
    asked: list[int] = []

    def replay(_: Path, done: record.Record, __: object) -> str:
        asked.append(done.seed)
        if done.seed == damaged:
            raise ReportError("its confirmations are damaged")
        return "confirmed"

    output = StringIO()
    monkeypatch.setattr(__main__, "replay", replay)
    monkeypatch.setattr(__main__, "console", Console(file=output, width=1000))
    return asked, output


def test_a_record_that_is_damaged_keeps_no_other_run_from_being_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path, 0, 1, 2)
    (tmp_path / "p00_base" / "seed-1" / "record.json").write_text("{", encoding="utf-8")
    asked, output = replays(monkeypatch, damaged=0)
    with pytest.raises(typer.Exit):
        __main__.replay_projects(results=tmp_path)
    told = output.getvalue()
    assert sorted(asked) == [0, 2]
    assert "p00_base/seed-0: cannot be replayed. its confirmations are damaged" in told
    assert re.search(r"p00_base/seed-1: cannot be replayed\. .*record\.json.*not valid JSON", told)
    __main__.replay_projects(seed=[2], results=tmp_path)
    assert sorted(asked) == [0, 2, 2]


def test_canaries_side_by_side_take_any_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[list[int]] = []

    def begun(*_: object) -> NoReturn:
        raise ReportError("that is enough")

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4, 20)), raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: taken.append(sorted(cores)), raising=False)
    monkeypatch.setattr("experiments.canary.specify", begun)
    for most in (*[2] * 8, 99):
        with pytest.raises(ReportError, match="enough"):
            __main__.canary("p00_base", 0, "float32", most_cores=most)
    assert {len(cores) for cores in taken[:8]} == {2} and len(set(map(tuple, taken[:8]))) > 1
    assert taken[8] == [*range(4, 20)]


def test_a_record_of_other_sources_is_unconfirmed_and_a_changed_setting_makes_it_stale(
    smoke: Path, tmp_path: Path
) -> None:
    content = json.loads((record.folder(smoke, "p00_base", 0, VARIANT) / "record.json").read_text(encoding="utf-8"))
    content["sources"]["experiments/train.py"] = "0" * 64
    content["settings"]["learning_rate"] = 0.5
    folder = record.folder(tmp_path, "p00_base", 0, VARIANT)
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps(content), encoding="utf-8")
    now = standing(tmp_path, "p00_base", 0, VARIANT)
    assert (now.state, now.detail) == ("unconfirmed", "experiments/train.py")
    done = experiments("replay", "p00_base", "--results", str(tmp_path))
    assert done.returncode == 1
    assert "stale. learning_rate was 0.5 and is 0.001" in done.stdout
    assert record.read_confirmations(folder) == ()


def test_one_run_that_fails_does_not_take_the_other_down(tmp_path: Path) -> None:
    broken = record.folder(tmp_path, "p00_base", 0)
    broken.mkdir(parents=True)
    (broken / "record.json").write_text('{"schema_version": 1, "project"', encoding="utf-8")
    executor, failed, told = trained(tmp_path, 0, 1)
    assert "p00_base seed 0: " in told and "not valid JSON" in told
    assert ([job.seed for job in failed], [job.seed for job in executor.jobs]) == ([0], [1])


def test_runs_that_failed_are_counted_and_are_the_exit_status(smoke: Path, tmp_path: Path) -> None:
    shutil.copytree(smoke, tmp_path, dirs_exist_ok=True)
    broken = record.folder(tmp_path, "p00_base", 1, VARIANT)
    broken.mkdir(parents=True)
    (broken / "record.json").write_text('{"schema_version": 1, "project"', encoding="utf-8")
    status, told, complaints = said(*SMALL, "--seed", "1", "--results", str(tmp_path))
    assert (status, "1 of 2 runs failed" in complaints) == (1, True)
    assert "seed 0 (16px): up to date" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "p99"), "Unknown project 'p99'"),
        (("run", "--profile", "quick"), "Unknown profile 'quick': expected one of full, smoke"),
        (("run", "--data", "no-such-folder"), "there is no such folder"),
        (("run", "[/x]"), "Unknown project '[/x]'"),
        (("run", "--data", "no-such-folder[old]"), "no-such-folder[old]: there is no such folder"),
        (
            ("run", "0", "--vgg16-weights", "no.h5", "--allow-unfinished"),
            "p00_base: the network starts from random weights, so that --vgg16-weights, --allow-unfinished would",
        ),
        ((*SMOKE, "--random-weights"), "In a smoke run, VGG16 starts from random weights"),
        ((*SMOKE, "--epochs", "3"), "--epochs would change nothing; leave it out"),
        (("status", "--results", "no-such-folder"), "no-such-folder: there is no such folder"),
        (("bench", "0", "--quick", "--data", "no-such-folder"), "there is no such folder"),
        ((*SMOKE, "--results", str(RESULTS)), "A smoke run cannot go into experiments/results"),
        (("run", "0", "--data", "sample", "--results", str(RESULTS)), "A run on the sample cannot go into experiments"),
        (("replay", "--results", "no-such-folder"), "No recorded run"),
        (("sample", "--data", "sample"), "The sample cannot be taken of itself"),
        (("sample", "--data", "no-such-folder"), "there is no such folder"),
        (("bench", "--quick", "--precise", "1", "--data", "sample"), "the sample tell nothing about accuracy"),
        (("bench", "--only", "precision", "--data", "sample"), "the sample tell nothing about accuracy"),
        (("bench", "--only", "speed", "--data", "sample"), "Unknown part of a bench 'speed': expected one of"),
        (
            ("run", "7", "--random-weights", "--preprocessing", "weights"),
            "--random-weights starts from none: leave out",
        ),
        (("run", "7", "--preprocessing", "mine"), "Unknown preprocessing 'mine': expected one of study, weights"),
        ((*SMOKE, "--precision", "float12"), "Unknown precision 'float12': expected one of float32, float64, mixed"),
        ((*SMOKE, "--precision", "int8_from_float32"), "Unknown precision 'int8_from_float32'"),
        (
            ("pretrain", "--data", "no-such-folder", "--precision", "uint8"),
            "Unknown precision 'uint8': expected one of",
        ),
    ],
)
@pytest.mark.project("p00_base")
def test_a_mistake_of_the_user_is_a_sentence_and_exit_status_1(arguments: tuple[str, ...], sentence: str) -> None:
    status, _, complaints = said(*arguments)
    assert status == 1
    assert sentence in complaints


def test_a_mistake_of_the_user_shows_no_traceback() -> None:
    done = experiments("run", "--data", "no-such-folder")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and "no-such-folder: there is no such folder" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_precision_that_the_backend_would_not_keep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    status, _, complaints = said("run", "0", "--precision", "float64")
    assert (status, "JAX would compute in float32 where it is asked for float64" in complaints) == (1, True)


@pytest.mark.parametrize(
    ("backend", "sentence"),
    [
        ("theano", "KERAS_BACKEND is 'theano', expected one of tensorflow, jax, torch"),
        pytest.param(
            "torch",
            "KERAS_BACKEND=torch asks for torch, which is not installed; `pip install '.[experiments,torch]'` adds it",
            marks=pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed here"),
        ),
    ],
)
def test_a_backend_that_is_not_there_is_a_sentence(backend: str, sentence: str) -> None:
    done = experiments("declare", "0", KERAS_BACKEND=backend)
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("backend", "missing", "sentence"),
    [
        ("jax", "pyarrow", r"This needs pyarrow, which is not installed; `pip install '\.\[experiments\]'` adds it\."),
        ("jax", "jaxlib", r"KERAS_BACKEND=jax asks for jaxlib.*`pip install '\.\[experiments,jax\]'` adds it\."),
        (
            "tensorflow",
            "tensorflow",
            r"KERAS_BACKEND=tensorflow asks for tensorflow.*set KERAS_BACKEND to jax or torch",
        ),
        (None, "tensorflow", r"Keras computes with tensorflow.*'\.\[experiments\]'` adds it, or set KERAS_BACKEND to"),
    ],
)
def test_a_package_that_is_not_there_is_a_sentence(
    backend: str | None,
    missing: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    monkeypatch.setattr(__main__, "app", lambda: import_module(missing))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if backend:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 1
    assert re.search(sentence, capsys.readouterr().err)


def test_a_canary_whose_numbers_no_record_may_hold_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what its process complains, the last line is told, and Pydantic's last line is an address."""

    def specify(*_: object) -> NoReturn:
        record.Epoch.model_validate({"accuracy": 2})
        raise AssertionError

    monkeypatch.setattr("experiments.canary.specify", specify)
    monkeypatch.setattr("experiments.environment.use_deterministic_operations", lambda: None)
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None, raising=False)
    status, _, complaints = said("canary", "p00_base", "--seed", "0", "--precision", "float32")
    assert status == 1 and "p00_base: Epoch: " in complaints and "errors.pydantic.dev" not in complaints


def test_the_status_lists_every_seed_that_is_recorded(tmp_path: Path) -> None:
    for project in ("p00_base", "p00_renamed"):
        record.write(synthetic.record(project, 3), tmp_path)
    listed = experiments("status", "0", "--results", str(tmp_path)).stdout
    assert f"Recorded, and without a script: p00_renamed. Delete or move their folders in {tmp_path}" in listed
    states = re.findall(r"p00_base\s+│\s+(\d)\s+│\s+(\w+)", listed)
    assert states == [("0", "missing"), ("1", "missing"), ("2", "missing"), ("3", "unconfirmed")]


def test_the_status_lists_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    for variant, seed in ((None, 3), ("8-epochs", 0)):
        file = record.write(synthetic.record("p00_base", seed, variant=variant), tmp_path)
        file.write_text(file.read_text(encoding="utf-8")[:300], encoding="utf-8")
    listed = experiments("status", "0", "--results", str(tmp_path)).stdout
    assert re.findall(r"p00_base( 8-epochs)?\s+│\s+(\d)\s+│\s+unreadable", listed) == [("", "3"), (" 8-epochs", "0")]


def test_a_name_that_an_encoding_lacks_ends_no_command(tmp_path: Path) -> None:
    """As that of Windows where output goes into a file."""
    file = record.write(synthetic.record("p00_base", 0), tmp_path / "日本")
    file.write_text("{", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "status", "0", "--results", str(tmp_path / "日本")],
        cwd=ROOT,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert "unreadable" in done.stdout.decode("utf-8")


def test_a_file_of_keras_s_own_does_not_choose_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which no record and no check of a precision would know."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # and so put back as it was
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(__main__, "app", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    __main__.main()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


def test_a_copy_of_a_record_is_told_and_does_not_pass_for_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = record.write(synthetic.record(seed=0), tmp_path).parent
    shutil.copytree(folder, folder.with_name("seed-3"))
    now = standing(tmp_path, "p00_base", 3)
    assert now.state == "unreadable" and "the record of p00_base with seed 0, expected in" in now.detail
    asked, output = replays(monkeypatch)
    with pytest.raises(typer.Exit):
        __main__.replay_projects(results=tmp_path)
    assert asked == [0] and "There is one already: delete this one, or move it out of" in output.getvalue()
    folder.with_name("seed-3").rename(folder.with_name("seed-0-backup"))
    for command in (__main__.status, __main__.replay_projects):
        with pytest.raises(record.RecordError, match=r"seed-0-backup.*expected in .*seed-0. There is one already"):
            command(results=tmp_path)


@pytest.mark.project("p00_base")
def test_a_folder_of_records_whose_name_looks_like_markup_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = record.write(synthetic.record(seed=0), tmp_path / "res [old]")
    file.write_text("{", encoding="utf-8")
    monkeypatch.setattr(__main__, "console", Console(width=1000))  # no line of which breaks
    status, told, _ = said("status", "0", "--seed", "0", "--results", str(tmp_path / "res [old]"))
    assert (status, f"unreadable: {file}" in told) == (0, True)


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command line in a session of its own, that goes on while its lines are read."""
    return subprocess.Popen(
        [sys.executable, "-m", "experiments", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "300", "TF_CPP_MIN_LOG_LEVEL": "2"},
    )


@pytest.mark.project("p02_dropout")
def test_a_run_that_is_killed_goes_on_behind_its_last_epoch_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    """Project 2 has dropout; what batch normalization and augmentation need is tested with the checkpoints.

    Small batches make its second epoch long.
    """
    size = 8
    job = Job("p02_dropout", 0, "smoke", "float32", "sample", tmp_path, sizes=Sizes(image=16, batch=size))
    checkpoint_file(job, "sample").unlink(missing_ok=True)
    sizes = ("--image-size", "16", "--batch-size", str(size))
    command = ("run", "2", "--profile", "smoke", *sizes, "--force", "--results", str(tmp_path))
    running = started(*command)
    assert running.stdout is not None
    seen = []
    for line in running.stdout:
        seen.append(line)
        if "epoch 1/2" in line:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL, "".join(seen)
    assert not list(tmp_path.rglob("*"))

    done = experiments(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "p02_dropout seed 0  resumes after epoch 1, where it was cut off" in done.stdout
    found = record.read(record.folder(tmp_path, "p02_dropout", 0, "16px-batch-8") / "record.json")

    declared = job.declared
    split = data.split(data.load("sample"), 0)
    whole = train(declared, build(declared, 0, "float32"), split, 0, epochs=2)
    timeless = [epoch.model_copy(update={"seconds": 0.0}) for epoch in found.history]
    assert timeless == [epoch.model_copy(update={"seconds": 0.0}) for epoch in whole.history]
    assert (found.test, found.mistakes, found.stopping) == (whole.test, whole.mistakes, whole.stopping)
    assert found.settings["batch_size"] == size


def descendants(pid: int) -> list[int]:
    """Every process that this one started, and those that they did."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for thread in threads for child in thread.read_text().split()]
    return [*children, *(other for child in children for other in descendants(child))]


def is_alive(pid: int) -> bool:
    """Whether there is such a process that still runs; one that ended and that nobody asked for does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc to see processes")
def test_a_command_that_is_asked_to_end_takes_its_runs_along(tmp_path: Path) -> None:
    """As a cluster's scheduler or a service does it: to the command alone, and not to all that it started.

    In batches of one large image, so that neither run ends of itself, not even where it has to be asked twice; one
    trains then, and the other is about to.
    """
    for seed in (0, 1):
        job = Job("p00_base", seed, "full", "float32", "sample", tmp_path, sizes=Sizes(image=96, batch=1))
        checkpoint_file(job, "sample").unlink(missing_ok=True)
    how = ("--seed", "0", "--seed", "1", "--jobs", "2", "--deterministic")  # which needs no process for a canary
    sizes = ("--image-size", "96", "--batch-size", "1")
    command = ("run", "0", "--data", "sample", *sizes, *how, "--results", str(tmp_path))
    running = started(*command)
    assert running.stdout is not None
    below: set[int] = set()
    asked = False
    for line in running.stdout:
        below |= set(descendants(running.pid))
        if re.search(r"seed \d  epoch", line) and not asked:
            asked = True
            running.terminate()
    assert running.wait(30) == 128 + signal.SIGTERM
    assert len(below) >= 2
    deadline = time.monotonic() + 30
    while alive := [pid for pid in below if is_alive(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)
    assert not list(tmp_path.rglob("record.json"))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc to see processes")
def test_a_command_that_is_asked_to_end_while_a_canary_sings_takes_that_along(tmp_path: Path) -> None:
    running = started("run", "0", "--seed", "0", "--data", "sample", "--results", str(tmp_path))
    deadline = time.monotonic() + 60
    while len(below := descendants(running.pid)) < 2:  # the run, and its canary
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.05)
    running.terminate()
    assert running.wait(30) == 128 + signal.SIGTERM
    while alive := [pid for pid in below if is_alive(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)


def test_a_process_that_the_system_ends_is_told_as_memory_that_ran_out() -> None:
    assert killed("Its process", -signal.SIGKILL) == (
        "Its process was ended by SIGKILL. If nobody sent it, memory ran out: lower --batch-size or --image-size."
    )
    assert killed("Its process", -signal.SIGTERM) == "Its process was ended by SIGTERM."


@pytest.mark.project("p00_base")
def test_memory_that_runs_out_is_a_sentence_and_leaves_no_record(tmp_path: Path) -> None:
    """The hidden layer of Project 0 would have a quarter of a tebibyte of weights; no machine is to try."""
    limit = 24 * 2**30
    command = ("run", "0", "--profile", "smoke", "--image-size", "16000", "--results", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "experiments", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        env={**os.environ, "COLUMNS": "300", "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    assert done.returncode == 1
    assert "ran out with batches of 512 images of 16000x16000 pixels. Lower --batch-size or" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.rglob("*"))


@pytest.mark.project("p06_vgg16_scratch", "p08_vgg16_finetuned")
def test_other_weights_are_asked_for_by_their_option(smoke: Path, tmp_path: Path) -> None:
    now = standing(smoke, "p00_base", 0, VARIANT)
    weights = tmp_path / "mine.weights.h5"
    weights.write_bytes(b"any")
    assert now.record is not None
    for identifier, used, reason in (
        ("p08_vgg16_finetuned", "imagenet", "recorded on the weights imagenet"),
        ("p08_vgg16_finetuned", "mine", None),
        ("p06_vgg16_scratch", "random", None),
    ):
        done = now.record.model_copy(update={"profile": "full", "settings": {"weights": used, "batch_size": 256}})
        job = Job(identifier, 0, "full", "float32", "sample", smoke, weights)
        assert reason_to_train(job, Standing("up to date", "", done), Explicit()) == reason


def test_other_images_are_asked_for_only_by_data(smoke: Path) -> None:
    now = standing(smoke, "p00_base", 0, VARIANT)
    job = Job("p00_base", 0, "smoke", "float32", "keras", smoke)
    assert reason_to_train(job, now, Explicit()) is None
    assert reason_to_train(job, now, Explicit(data=True)) == "recorded on sample"


class Trained:
    """An executor that trains nothing: it keeps what it is given, and records each in its place until it is cut off."""

    def __init__(self, until: int | None = None) -> None:
        self.jobs: list[Job] = []
        self.ended = False
        self._until = until

    def train(self, jobs: Sequence[Job], console: Console) -> Generator[Finished]:
        self.jobs += jobs
        try:
            for number, job in enumerate(jobs):
                if number == self._until:
                    raise KeyboardInterrupt
                images = data.name_of(job.source)
                recorded(job.results, job.seed, project=job.project, images=images, source=job.source)
                yield Finished(job, True)
        finally:
            self.ended = True


def recorded(
    results: Path,
    *seeds: int,
    project: str = "p00_base",
    images: str = "sample",
    source: str = "sample",
    **changes: Any,
) -> None:
    """Make records of these `seeds`, on the images of `source` under this name, with empty files for figures."""
    seen = {"name": images, "origin": "parquet", "sha256": data.load(source).sha256}
    for seed in seeds:
        done = synthetic.record(project, seed, **{"classes": data.CLASSES, "mistakes": []} | changes)
        done = done.model_copy(update={"dataset": done.dataset.model_copy(update=seen)})
        folder = record.write(done, results).parent
        for name in FIGURES:
            (folder / name).touch()


def trained(
    results: Path,
    *seeds: int,
    force: bool = False,
    precision: str | None = None,
    until: int | None = None,
    source: str = "sample",
) -> tuple[Trained, list[Job], str]:
    """What `run` makes of these seeds on the sample: what it has trained, what failed, and what it says."""
    jobs = [Job("p00_base", seed, "full", precision or "float32", source, results) for seed in seeds]
    executor, console = Trained(until), Console(file=StringIO(), width=400)
    failed = run(jobs, console, executor, Explicit(data=True, precision=precision is not None, force=force))
    assert isinstance(console.file, StringIO)
    return executor, failed, console.file.getvalue()


def test_a_run_has_the_precision_of_its_record_or_of_the_other_seeds_unless_another_is_named(tmp_path: Path) -> None:
    recorded(tmp_path, 0, 1, precision="mixed_bfloat16")
    executor, _, told = trained(tmp_path, 0, 5, force=True)
    assert [job.precision for job in executor.jobs] == ["mixed_bfloat16"] * 2
    assert (
        "p00_base seed 5: in mixed_bfloat16, as it or the other seeds are recorded; --precision asks for another"
        in told
    )
    recorded(tmp_path, 0, 1, precision="mixed_bfloat16")
    executor, _, told = trained(tmp_path, 0, force=True, precision="float32")
    assert [job.precision for job in executor.jobs] == ["float32"]
    assert "p00_base seed 0: in float32, beside seeds in mixed_bfloat16" in told
    executor, _, _ = trained(tmp_path, 1, 7, force=True)
    assert [job.precision for job in executor.jobs] == ["mixed_bfloat16", "float32"], "where the seeds are not at one"


def test_a_seed_in_another_precision_takes_a_recorded_one_s_place_only_with_all_of_them(tmp_path: Path) -> None:
    recorded(tmp_path, 0, 1)
    executor, failed, told = trained(tmp_path, 0, precision="mixed_bfloat16")
    assert executor.jobs == [] and [job.seed for job in failed] == [0]
    assert "p00_base seed 0: In mixed_bfloat16 it would stand beside seeds in float32 (1), and no mean could be" in told
    executor, failed, _ = trained(tmp_path, 0, 1, precision="mixed_bfloat16")
    assert ([job.seed for job in executor.jobs], failed) == ([0, 1], [])


def test_ctrl_c_ends_a_replay_and_its_canaries_though_they_did_not_hear_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path, 0, 1, 2)
    canaries: list[subprocess.Popen[str]] = []

    def replay(_: Path, done: record.Record, __: object) -> str:
        with singing("p00_base", done.seed, "float32", Sizes()) as process:
            canaries.append(process)
            if len(canaries) == 2:
                os.kill(os.getpid(), signal.SIGINT)  # this process alone, as if the others were just beginning
            process.communicate()
        return "undecided"

    monkeypatch.setattr(__main__, "replay", replay)
    monkeypatch.setattr(__main__, "console", Console(file=StringIO()))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            __main__.replay_projects(results=tmp_path, jobs=2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [process.returncode for process in canaries] == [-signal.SIGKILL] * 2


def test_a_run_on_other_images_than_the_seeds_that_stay_is_refused_before_it_trains(tmp_path: Path) -> None:
    recorded(tmp_path, 0, 1, images="cifar10-51k")
    executor, failed, told = trained(tmp_path, 1, 5)
    assert not executor.jobs and [job.seed for job in failed] == [1, 5]
    assert "seed 5: On sample it would stand beside seeds on cifar10-51k (0), and no mean could be taken" in told
    executor, failed, told = trained(tmp_path, 0, 1, 5, force=True)
    assert [job.seed for job in executor.jobs] == [0, 1, 5] and not failed
    assert "p00_base seed 0: on sample; the record that it replaces is on cifar10-51k" in told


def test_a_run_with_other_names_of_classes_than_the_seeds_that_stay_is_refused_before_it_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename leaves images and canary as they are, so that nothing else would tell."""
    folder, results = tmp_path / "mine", tmp_path / "results"
    shutil.copytree(data.SAMPLE, folder)
    recorded(results, 0, 1, images="mine", source=str(folder), sources=sources("p00_base"))
    was = data.CLASSES[0]
    monkeypatch.setattr(data, "CLASSES", ("another", *data.CLASSES[1:]))
    executor, failed, told = trained(results, 3, source=str(folder))
    assert not executor.jobs and [job.seed for job in failed] == [3]
    assert f"seed 3: It would stand beside seeds (0, 1) with the classes {was}, in experiments/data.py now" in told
    assert "every recorded seed with --force" in told
    console = Console(file=StringIO(), width=400)
    job = Job("p00_base", 0, "full", "float32", str(folder), results)
    stays = record.read(job.folder / record.RECORD_FILE)
    assert not run([job], console, Trained(), Explicit()), "it stays, for nobody named the images"
    assert isinstance(console.file, StringIO)
    shown = f"seed 0: up to date (with the classes {was}, in experiments/data.py now another; --force trains it anew)"
    assert shown in console.file.getvalue()
    with monkeypatch.context() as patched:
        patched.setattr(experiments_run, "standing", lambda *_: Standing("unconfirmed", "experiments/data.py", stays))
        patched.setattr(experiments_run, "replay", lambda *_: "confirmed")
        assert not run([job], console, Trained(), Explicit())
    assert shown.replace("up to date", "stays as it is") in console.file.getvalue()
    executor, failed, _ = trained(results, 0, 1, 3, source=str(folder), force=True)
    assert [job.seed for job in executor.jobs] == [0, 1, 3] and not failed


def test_a_smoke_run_neither_replaces_a_full_one_nor_stands_beside_it(tmp_path: Path) -> None:
    recorded(tmp_path, 0, 1)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    executor, console = Trained(), Console(file=StringIO(), width=400)
    jobs = [Job("p00_base", seed, "smoke", "float32", "sample", tmp_path) for seed in (0, 5)]
    assert run(jobs, console, executor, Explicit()) == jobs and not executor.jobs
    assert isinstance(console.file, StringIO)
    told = console.file.getvalue()
    assert "seed 0: A run of the full profile is recorded there, which a smoke run would replace" in told
    assert "seed 5: A smoke run would stand beside seeds of the full profile (0, 1)" in told
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    run(jobs[:1], console, executor, Explicit(force=True))
    assert not executor.jobs, "the other seed stays"
    recorded(tmp_path / "one", 0)
    assert not run([dataclasses.replace(jobs[0], results=tmp_path / "one")], console, executor, Explicit(force=True))


def test_a_run_on_a_sample_that_was_replaced_is_made_again(
    smoke: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = standing(smoke, "p00_base", 0, VARIANT)
    job = Job("p00_base", 0, "smoke", "float32", "sample", smoke)
    assert reason_to_train(job, now, Explicit()) is None
    other = tmp_path / "other"
    shutil.copytree(data.SAMPLE, other)
    turned(other)
    monkeypatch.setattr(data, "SAMPLE", other)
    assert reason_to_train(job, now, Explicit()) == "recorded on another sample"


def turned(folder: Path) -> None:
    """Let the first of the images that train be the last."""
    file = folder / "train-00000-of-00001.parquet"
    table = parquet.read_table(file)
    parquet.write_table(pyarrow.concat_tables([table[1:], table[:1]]), file)


def test_other_images_in_a_folder_of_the_same_name_are_not_those_that_are_recorded(tmp_path: Path) -> None:
    """There are as many of each class, so that only their content tells."""
    folder, results = tmp_path / "mine", tmp_path / "results"
    shutil.copytree(data.SAMPLE, folder)
    recorded(results, 0, 1, images="mine", source=str(folder), sources=sources("p00_base"))
    executor, failed, told = trained(results, 0, 1, 2, source=str(folder))
    assert "seed 1: up to date" in told and [job.seed for job in executor.jobs] == [2] and not failed
    turned(folder)
    executor, failed, told = trained(results, 5, source=str(folder))
    assert not executor.jobs and [job.seed for job in failed] == [5]
    assert "seed 5: On mine it would stand beside seeds on other images of the name mine (0, 1, 2)" in told
    executor, failed, told = trained(results, 0, 1, 2, source=str(folder))
    assert [job.seed for job in executor.jobs] == [0, 1, 2] and not failed
    assert "seed 0: to be trained (recorded on other images of the name mine)" in told
    assert "seed 0: on mine; the record that it replaces is on other images of the name mine" in told


def test_keras_s_images_are_refused_before_anything_trains_where_the_report_is_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "CLASSES", tuple("0123456789"))
    monkeypatch.setattr("experiments.executor.Local.train", lambda *_: pytest.fail("something trains"))
    status, told, _ = said("run", "0", "--seed", "0", "--data", "keras", "--results", str(tmp_path))
    assert status == 1 and "The images of Keras are CIFAR-10's" in " ".join(told.split())


def test_images_whose_folder_looks_like_markup_are_told_as_they_are(tmp_path: Path) -> None:
    recorded(tmp_path, 0, images="set [old]")
    _, _, told = trained(tmp_path, 0)
    assert "p00_base seed 0: to be trained (recorded on set [old])\n" in told
    assert "p00_base seed 0: on sample; the record that it replaces is on set [old]\n" in told


@pytest.mark.project("p07_vgg16_frozen")
def test_a_run_from_other_weights_of_the_same_name_than_the_seeds_that_stay_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Start("tiny", expects=None, sha256="b" * 64)
    monkeypatch.setattr(Job, "start", start)
    asked = Job("p07_vgg16_frozen", 5, "full", "float32", "sample", tmp_path, tmp_path / "w.h5")
    settings = {"weights": "tiny", "weights_sha256": "a" * 64}
    stays = [synthetic.record("p07_vgg16_frozen", seed, settings=settings) for seed in (0, 1)]
    with pytest.raises(ReportError, match=r"From the weights bbbbbbbbbbbb it would stand beside seeds \(0, 1\)"):
        refuse_other_weights(asked, stays)
    own = dataclasses.replace(asked, seed=1, source=str(tmp_path))
    with pytest.raises(ReportError, match=r"would replace a run on the weights aaaaaaaaaaaa, of the same name"):
        refuse_to_replace(own, stays, Explicit(data=True))
    settings["weights_sha256"] = "b" * 64
    same = [synthetic.record("p07_vgg16_frozen", 1, settings=settings)]
    refuse_other_weights(asked, same)
    refuse_to_replace(own, same, Explicit(data=True))


def test_a_run_on_other_images_that_nobody_named_replaces_nothing_unless_it_is_forced(tmp_path: Path) -> None:
    folder, results = tmp_path / "mine", tmp_path / "results"
    shutil.copytree(data.SAMPLE, folder)
    recorded(results, 0, images="cifar10-51k")
    console = Console(file=StringIO(), width=400)
    jobs = [Job("p00_base", 0, "full", "float32", str(folder), results)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(experiments_run, "reason_to_train", lambda *_, **__: "stale")
        assert run(jobs, console, Trained(), Explicit()) == jobs
        assert isinstance(console.file, StringIO)
        assert "seed 0: It would replace a run on cifar10-51k; nothing was trained." in console.file.getvalue()
        assert run(jobs, console, Trained(), Explicit(force=True)) == []


def test_a_figure_that_the_disk_does_not_take_keeps_no_other_run_from_being_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Path, content: str | bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    recorded(tmp_path, 0)
    (tmp_path / "p00_base" / "seed-0" / FIGURES[0]).unlink()
    with monkeypatch.context() as patched:
        patched.setattr(record, "write_atomically", full)
        with pytest.raises(ReportError, match=r"cannot be drawn \(No space left on device\)\. The run is recorded"):
            experiments_run.draw(tmp_path / "p00_base" / "seed-0")

    def first_only(folder: Path) -> None:
        if folder.name == "seed-0":
            raise ReportError("It cannot be drawn.")

    monkeypatch.setattr(experiments_run, "draw", first_only)
    executor, failed, told = trained(tmp_path, 0, 1, force=True)
    assert [job.seed for job in executor.jobs] == [0, 1] and [job.seed for job in failed] == [0]
    assert "seed 0: It cannot be drawn." in told and "seed 1: recorded" in told


def test_ctrl_c_names_what_is_left_where_the_same_command_would_train_again_what_it_has_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CutOff) as cut:
        trained(tmp_path, 0, 1, 2, force=True, until=1)
    assert ([job.seed for job in cut.value.left], cut.value.recorded) == ([1, 2], 1)
    for options, told in (
        ({"force": True}, "train again what it has recorded. What is left resumes after the last epoch that was saved"),
        ({"restart": True}, "The same command without --restart resumes after the last epoch that was saved."),
        ({"cluster": True}, "The same command begins anew, but for a run that comes to a node which kept its"),
        ({"force": True, "cluster": True}, "which kept its checkpoint. The command for it:\n  python -m experiments"),
    ):
        with pytest.raises(typer.Exit), __main__._resumable(**options, how=("--jobs", "2")):
            raise cut.value
        heard = capsys.readouterr().err
        assert told in heard
        assert ("run p00_base --seed 1 --seed 2 --profile full" in heard) == ("force" in options)
        assert ("--force --jobs 2\n" in heard) == ("force" in options)


def test_the_runs_end_where_what_follows_one_of_them_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(experiments_run, "draw", full)
    executor = Trained()
    with pytest.raises(OSError, match="no space left") as problem:
        run(
            [Job("p00_base", 0, "full", "float32", "sample", tmp_path)],
            Console(quiet=True),
            executor,
            Explicit(data=True, precision=True),
        )
    assert executor.ended, f"while {problem.value} is still told"


@pytest.mark.slow
@pytest.mark.project("p05_augmentation")
def test_a_deterministic_run_gives_the_same_bits_twice(tmp_path: Path) -> None:
    """Augmentation, batch normalization and dropout included; only the clock may tell the two apart."""
    runs = []
    for folder in ("first", "second"):
        options = ("--profile", "smoke", "--image-size", "16", "--deterministic", "--results", str(tmp_path / folder))
        done = experiments("run", "p05_augmentation", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        (run,) = record.read_all(tmp_path / folder)
        assert run.environment.deterministic and run.command.endswith("--deterministic --image-size 16")
        runs.append(run.model_dump(exclude={"started", "seconds"}))
        for epoch in runs[-1]["history"]:
            del epoch["seconds"]
    assert runs[0] == runs[1]


def test_a_deterministic_run_replaces_one_that_was_not(smoke: Path) -> None:
    now = standing(smoke, "p00_base", 0, VARIANT)
    assert now.record and now.record.environment.deterministic, "a smoke run always is"
    job = Job("p00_base", 0, "smoke", "float32", "sample", smoke, deterministic=True)
    assert reason_to_train(job, now, Explicit()) is None
    usual = now.record.environment.model_copy(update={"deterministic": False})
    before = dataclasses.replace(now, record=now.record.model_copy(update={"environment": usual}))
    assert reason_to_train(job, before, Explicit()) == "recorded with operations that need not compute the same twice"


@pytest.mark.parametrize(("verdict", "seeds"), [("confirmed", []), ("undecided", []), ("stale", [0])])
@pytest.mark.project("p00_base")
def test_only_a_canary_that_sings_otherwise_has_its_run_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: str, seeds: list[int]
) -> None:
    recorded(tmp_path, 0)  # from sources that were others
    monkeypatch.setattr(experiments_run, "replay", lambda *_: verdict)
    executor, failed, told = trained(tmp_path, 0)
    assert ([job.seed for job in executor.jobs], failed) == (seeds, [])
    assert "p00_base seed 0: sources changed (" in told and ("to be trained (stale)" in told) == bool(seeds)


@pytest.mark.project("p00_base")
def test_what_a_smoke_run_has_left_is_no_measure_for_a_full_one(tmp_path: Path) -> None:
    recorded(tmp_path, 1, images="cifar10-51k", profile="smoke", precision="mixed_bfloat16")
    executor, failed, _ = trained(tmp_path, 0)
    assert [job.precision for job in executor.jobs] == ["float32"] and not failed


@pytest.mark.project("p00_base")
def test_a_precision_that_keras_does_not_know_is_refused_before_anything_trains(tmp_path: Path) -> None:
    executor, failed, told = trained(tmp_path, 0, precision="float12")
    assert not executor.jobs and [job.seed for job in failed] == [0]
    assert "p00_base seed 0: Unknown precision 'float12'" in told


@pytest.mark.project("p00_base")
def test_a_figure_that_is_gone_is_drawn_again_beside_a_record_that_stays(tmp_path: Path) -> None:
    recorded(tmp_path, 0, sources=sources("p00_base"))
    gone = tmp_path / "p00_base" / "seed-0" / FIGURES[1]
    gone.unlink()
    executor, _, told = trained(tmp_path, 0)
    assert not executor.jobs and "seed 0: up to date" in told and "<svg" in gone.read_text(encoding="utf-8")


@pytest.mark.project("p07_vgg16_frozen")
def test_a_user_is_cautioned_of_what_half_precision_adds_before_a_run_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "caution", "its figures will tell less than they seem to")
    _, _, told = trained(tmp_path, 0)
    assert "p00_base seed 0: its figures will tell less than they seem to" in told


@pytest.mark.project("p00_base")
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_user_is_told_before_a_record_of_another_backend_is_replaced(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path, 0)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    _, _, told = trained(tmp_path, 0, 1, force=True)
    cautioned = f"p00_base seed 0: under {backend}; the record that it replaces is by tensorflow 2.18.0" in told
    assert cautioned is (backend != "tensorflow")
    assert "seed 1: under" not in told


@pytest.mark.project("p00_base")
def test_a_seed_that_is_refused_stays_and_no_other_is_trained_beside_it_on_other_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, results = tmp_path / "mine", tmp_path / "results"
    shutil.copytree(data.SAMPLE, folder)
    recorded(results, 0, images="cifar10-51k")
    monkeypatch.setattr(experiments_run, "reason_to_train", lambda *_, **__: "stale")
    jobs = [Job("p00_base", seed, "full", "float32", str(folder), results) for seed in (5, 0)]
    console, executor = Console(file=StringIO(), width=400), Trained()
    assert run(jobs, console, executor, Explicit()) == jobs
    assert not executor.jobs and isinstance(console.file, StringIO)
    told = console.file.getvalue()
    assert "seed 0: It would replace a run on cifar10-51k" in told
    assert "seed 5: On mine it would stand beside seeds on cifar10-51k (0)" in told


FOLDER = str(data.SAMPLE)
"""A folder of images, of which nobody knows that it is the sample's."""


class Runs:
    """Stands for what trains the runs that a command asks for; those of the seeds in `failing` fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *failing: int, cut: bool = False, before: int = 1) -> None:
        self.jobs: list[Job] = []
        self.executor: object = None
        self.explicit: Explicit | None = None

        def run(jobs: Sequence[Job], _: object, executor: object, explicit: Explicit) -> list[Job]:
            self.jobs, self.executor, self.explicit = list(jobs), executor, explicit
            if cut:
                raise CutOff(self.jobs, before)
            return [job for job in jobs if job.seed in failing]

        monkeypatch.setattr(__main__, "run", run)


@pytest.mark.project("p07_vgg16_frozen")
def test_a_run_is_asked_for_as_the_command_line_says_in_every_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are whole, for a process that starts elsewhere, and what is named twice is trained once."""
    runs = Runs(monkeypatch)
    monkeypatch.chdir(tmp_path)
    words = "run 7 vgg16_frozen --seed 3 --seed 4294967295 --seed 3 --precision mixed_bfloat16 --data sample --jobs 3 "
    words += "--vgg16-weights own.h5 --preprocessing weights --allow-unfinished --image-size 40 --batch-size 8 --force "
    assert said(*f"{words} --epochs 5 --restart --deterministic --results mine".split())[0] == 0
    assert runs.jobs == [
        Job(
            "p07_vgg16_frozen",
            seed,
            "full",
            "mixed_bfloat16",
            "sample",
            tmp_path / "mine",
            vgg16_weights=tmp_path / "own.h5",
            restart=True,
            deterministic=True,
            sizes=Sizes(40, 8, 5),
            preprocessing="weights",
            allow_unfinished=True,
        )
        for seed in (3, 4294967295)
    ]
    assert (runs.executor, runs.explicit) == (Local(3), Explicit(data=True, precision=True, force=True))
    assert said("run", "0", "7", "--random-weights", "--seed", "0", "--data", FOLDER)[0] == 0
    assert [(job.project, job.random_weights) for job in runs.jobs] == [("p00_base", True), ("p07_vgg16_frozen", True)]


@pytest.mark.parametrize(
    ("words", "seeds", "source", "results", "careful", "side_by_side"),
    [
        (("0",), (0, 1, 2), FOLDER, RESULTS, False, 1),
        (("0", "1"), (0, 1, 2), FOLDER, RESULTS, False, 1),
        (("0", "--data", "sample"), (0, 1, 2), "sample", __main__.SCRATCH / "sample", False, 1),
        (("0", "--profile", "smoke"), (0,), "sample", __main__.SCRATCH / "smoke", True, 1),
        (("0", "1", "2", "--profile", "smoke"), (0,), "sample", __main__.SCRATCH / "smoke", True, 2),
        (("0", "1", "--profile", "smoke", "--data", FOLDER), (0,), FOLDER, __main__.SCRATCH / "smoke", True, 2),
    ],
)
@pytest.mark.project("p00_base", "p01_deeper", "p02_dropout")
def test_what_nobody_names_is_as_the_help_says(
    words: tuple[str, ...],
    seeds: tuple[int, ...],
    source: str,
    results: Path,
    careful: bool,
    side_by_side: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = Runs(monkeypatch)
    monkeypatch.setattr(__main__, "cores", lambda: 8)
    monkeypatch.setenv("CIFAR10_DIR", FOLDER)
    assert said("run", *words)[0] == 0
    assert tuple(dict.fromkeys(job.seed for job in runs.jobs)) == seeds
    assert {(job.source, job.results, job.deterministic) for job in runs.jobs} == {(source, results, careful)}
    assert {(job.precision, job.restart, job.sizes, job.preprocessing) for job in runs.jobs} == {
        ("float32", False, Sizes(), "study")
    }
    assert (runs.executor, runs.explicit) == (Local(side_by_side), Explicit(data="--data" in words))


@pytest.mark.parametrize("folder", [None, "", FOLDER])
def test_images_come_from_the_folder_that_the_environment_names_or_else_from_keras(
    folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CIFAR10_DIR", raising=False)
    if folder is not None:
        monkeypatch.setenv("CIFAR10_DIR", folder)
    assert __main__._usual_source() == (folder or "keras")


def test_a_folder_of_images_is_named_whole_for_a_process_that_starts_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data.SAMPLE.parent)
    assert __main__._images(f"./{data.SAMPLE.name}") == FOLDER
    assert {__main__._images(word) for word in ("keras", "sample")} == {"keras", "sample"}


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ("run 0 --seed -1", 2, "Invalid value for '--seed'"),
        ("run 0 --seed 4294967296", 2, "Invalid value for '--seed'"),
        ("run 0 --jobs 0", 2, "Invalid value for '--jobs'"),
        ("run 0 --epochs 0", 2, "Invalid value for '--epochs'"),
        ("run 0 --batch-size 0", 2, "Invalid value for '--batch-size'"),
        ("run 0 --image-size 0", 2, "Invalid value for '--image-size'"),
        ("replay --jobs 0", 2, "Invalid value for '--jobs'"),
        ("run 7 --random-weights --vgg16-weights own.h5", 1, "--random-weights starts from none: leave out"),
        ("run 7 --random-weights --allow-unfinished", 1, "--random-weights starts from none: leave out"),
        (f"run 0 --data {FOLDER} --results {RESULTS / 'mine'}", 1, "below experiments/results stand the recorded runs"),
        (f"run 0 --data sample --results {RESULTS / 'mine'}", 1, "A run on the sample cannot go into"),
        ("bench --data sample --output .", 1, "expected a file to write to, found a folder"),
    ],
)
@pytest.mark.project("p00_base", "p07_vgg16_frozen")
def test_what_cannot_be_meant_is_refused_before_anything_trains(
    words: str, status: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(__main__, "run", lambda *_: pytest.fail("something was trained"))
    monkeypatch.setattr(__main__, "replay", lambda *_: pytest.fail("something was replayed"))
    ended, _, complaints = said(*words.split())
    assert (ended, sentence in " ".join(complaints.split())) == (status, True)


@pytest.mark.project("p00_base")
def test_the_recorded_runs_are_guarded_also_where_their_folder_is_a_link(tmp_path: Path) -> None:
    """As to another disk; what is no record stays in the checkout."""
    checkout, disk = tmp_path / "checkout", tmp_path / "disk"
    for folder in ("experiments", "reportgen"):
        ignored = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(ROOT / folder, checkout / folder, ignore=ignored)
    disk.mkdir()
    (checkout / "experiments" / "results").symlink_to(disk)

    def refused(*words: str) -> str:
        command = [sys.executable, "-m", "experiments", "run", "0", *words]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, env=environment)
        assert done.returncode == 1
        return done.stderr

    for place in ("experiments/results", str(disk)):
        told = refused("--data", "sample", "--results", place)
        assert "A run on the sample cannot go into experiments/results" in told
    told = refused("--data", "experiments/sample", "--results", "experiments/results/mine")
    assert "below experiments/results stand the recorded runs alone" in told
    program = "from experiments import __main__ as it; print(it.SCRATCH, it.BENCHES)"
    done = subprocess.run([sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(checkout / "build"), str(checkout / "experiments" / "benches")]


@pytest.mark.project("p00_base")
def test_one_run_that_fails_is_the_exit_status_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    Runs(monkeypatch, 1)
    status, _, complaints = said("run", "0", "--data", FOLDER)
    assert (status, "1 of 3 runs failed." in complaints) == (1, True)


@pytest.mark.parametrize(
    ("backend", "how", "executor"),
    [
        ("tensorflow", "--executor ray --address host:1", Ray("host:1")),
        ("tensorflow", "--executor ray", Ray(None)),
        ("jax", "--jobs 2", Local(2)),
    ],
)
@pytest.mark.project("p00_base")
def test_the_command_for_what_ctrl_c_has_left_trains_it_where_and_with_what_the_first_did(
    backend: str, how: str, executor: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    runs = Runs(monkeypatch, cut=True)
    words = ("run", "0", "--data", FOLDER, "--results", str(tmp_path), *how.split())
    status, _, complaints = said(*words, "--force")
    assert (status, runs.executor) == (128 + signal.SIGINT, executor)
    (command,) = (line for line in complaints.splitlines() if "experiments run" in line)
    assert command.lstrip().startswith("KERAS_BACKEND=jax python -m" if backend == "jax" else "python -m")
    assert command.endswith(f"--force {how}")
    assert ("begins anew" in complaints) is ("ray" in how)
    Runs(monkeypatch, cut=True, before=0)
    assert "would train again" not in said(*words, "--force")[2], "nothing was recorded"
    Runs(monkeypatch, cut=True)
    status, _, complaints = said(*words, "--restart")
    assert (status, "The same command without --restart" in complaints) == (128 + signal.SIGINT, True)


@pytest.mark.parametrize("changed", [False, True])
def test_the_process_of_a_run_does_the_job_that_it_was_started_for(
    changed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Job] = []
    monkeypatch.setattr("experiments.worker.perform", done.append)
    job = Job("p07_vgg16_frozen", 3, "smoke", "float64", "sample", tmp_path)
    if changed:
        more: dict[str, Any] = {"vgg16_weights": tmp_path / "own.h5", "restart": True, "deterministic": True}
        more |= {"preprocessing": "weights", "allow_unfinished": True, "random_weights": True}
        job = Job("p07_vgg16_frozen", 3, "smoke", "float64", "sample", tmp_path, sizes=Sizes(40, 8, 5), **more)
    assert said("train", *job.arguments)[0] == 0
    assert done == [job]


@pytest.mark.parametrize("scaling", [None, BGR_MEAN])
@pytest.mark.project("p00_base")
def test_a_canary_sings_of_the_run_in_its_sizes_and_its_scaling_with_operations_that_compute_the_same_twice(
    scaling: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sung: list[object] = []

    def specify(declared: Any, seed: int, precision: str) -> SimpleNamespace:
        training = declared.training
        sung.extend(
            (declared.image_size, training.batch_size, training.epochs, declared.pixel_scaling, seed, precision)
        )
        return SimpleNamespace(model_dump=lambda **_: "a song")

    monkeypatch.setattr("experiments.canary.specify", specify)
    monkeypatch.setattr("experiments.environment.use_deterministic_operations", lambda: sung.append("the same twice"))
    monkeypatch.setattr("experiments.environment.describe", synthetic.environment)
    words = "canary p00_base --seed 3 --precision float32 --image-size 40 --batch-size 8 --epochs 5"
    status, told, _ = said(*words.split(), *(("--pixel-scaling", scaling) if scaling else ()))
    assert status == 0 and told.startswith('{"specification": "a song", "environment": {')
    assert sung == ["the same twice", 40, 8, 5, scaling or UNIT_INTERVAL, 3, "float32"]


def test_the_status_tells_of_each_run_what_is_recorded_and_of_variants_those_seeds_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, variant in ((3, None), (1, "8px")):
        record.write(synthetic.record("p00_base", seed, seconds=30.0, variant=variant), tmp_path)
    monkeypatch.setattr(__main__, "console", Console(width=300))

    def rows(*words: str) -> list[tuple[str, ...]]:
        told = said("status", "0", *words, "--results", str(tmp_path))[1]
        found = (tuple(part.strip() for part in re.split("[│┃]", line)[1:-1]) for line in told.splitlines())
        return [(row[0], row[1], row[2].split(":")[0], *row[3:]) for row in found if row[:1] and "p00" in row[0]]

    there = ("60.00%", "sample", "2026-03-01, 30 s")
    missing = [("p00_base", str(seed), "missing", "", "", "") for seed in range(3)]
    assert rows() == [
        *missing,
        ("p00_base", "3", "unconfirmed", *there),
        ("p00_base 8px", "1", "unconfirmed", *there),
    ]
    assert rows("--seed", "5") == [("p00_base", "5", "missing", "", "", "")]
    assert rows("--seed", "1") == [missing[1], ("p00_base 8px", "1", "unconfirmed", *there)]
    assert "experiments/projects/" in said("status", "0", "--results", str(tmp_path))[1], "what has changed"


@pytest.mark.project("p05_augmentation", "p11_modern")
def test_the_list_tells_of_each_project_what_it_tries_and_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "console", Console(width=300))
    status, told, _ = said("list")
    assert status == 0
    for identifier in catalogue.identifiers():
        training = catalogue.load(identifier).training
        patience = str(training.early_stopping[0].patience) if training.early_stopping else ""
        row = (identifier, catalogue.summary(identifier), str(training.batch_size), str(training.epochs), patience)
        assert [" ".join(part.split()) for part in row] in [
            [" ".join(part.split()) for part in line.strip("│").split("│")] for line in told.splitlines()
        ]


def test_only_the_seeds_that_are_named_are_replayed_and_one_that_is_not_confirmed_is_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path, 0, 1, 2)
    asked, _ = replays(monkeypatch)
    assert said("replay", "--seed", "1", "--seed", "2", "--results", str(tmp_path))[0] == 0
    assert sorted(asked) == [1, 2]
    asked, _ = replays(monkeypatch, damaged=1)
    assert said("replay", "--results", str(tmp_path))[0] == 1
    for verdict in ("undecided", "contradicted"):
        monkeypatch.setattr(__main__, "replay", lambda _, done, __, v=verdict: v if done.seed == 1 else "confirmed")
        assert said("replay", "--results", str(tmp_path))[0] == 1


ONE = Comparison(group="a", subject="b", unit="s", measured=(1.0,), against="c", reference=(1.0,))
EVERY = set(session.PARTS)
REST = EVERY - {"precision"}


class Measured:
    """Stands for a session of measuring, and for the limits behind it; `why` ends it before its first comparison."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, folder: Path, *kept: bool, why: BaseException | None = None
    ) -> None:
        self.asked: list[Any] = []
        self.limits: list[str] = []
        self.results = folder / "experiments" / "results"

        def compare(*arguments: object, parts: set[str], precise: Sequence[str]) -> Iterator[Bench]:
            self.asked = [*arguments, set(parts), list(precise)]
            if why:
                raise why
            now = datetime(2026, 4, 1, tzinfo=UTC)
            yield Bench(measured=now, quick=False, environment=synthetic.environment(), load=0.5, comparisons=(ONE,))

        def figures(source: str) -> Iterator[Figure]:
            self.limits.append(source)
            yield from (Figure(f"figure {k}", "1 s", "2 s", one) for k, one in enumerate(kept))

        self.results.mkdir(parents=True)
        (folder / "build").mkdir()
        monkeypatch.setattr(__main__, "BENCHES", self.results.with_name("benches"))
        monkeypatch.setattr(__main__, "SCRATCH", folder / "build")
        monkeypatch.setattr(session, "compare", compare)
        monkeypatch.setattr("experiments.limits.figures", figures)
        monkeypatch.setattr("experiments.limits.recorded", lambda: self.limits.append("recorded"))


@pytest.mark.parametrize(
    ("words", "projects", "parts", "precise", "quick"),
    [
        (f"--data {FOLDER}", catalogue.studied(), EVERY, "p01_deeper", False),
        (f"--data {FOLDER} --quick", session.QUICK, REST, "p01_deeper", True),
        ("--data sample", catalogue.studied(), REST, "p01_deeper", False),
        (f"0 --data {FOLDER}", ("p00_base",), REST, "p01_deeper", False),
        (f"0 --precise 2 --data {FOLDER}", ("p00_base",), EVERY, "p02_dropout", False),
        (f"0 --quick --precise 2 --data {FOLDER}", ("p00_base",), EVERY, "p02_dropout", True),
        ("0 --only training --data sample", ("p00_base",), {"training"}, "p01_deeper", False),
        (f"0 --only precision --only site --data {FOLDER}", ("p00_base",), {"precision", "site"}, "p01_deeper", False),
        (f"0 --only site --precise 2 --data {FOLDER}", ("p00_base",), {"precision", "site"}, "p02_dropout", False),
    ],
)
@pytest.mark.project("p00_base", "p01_deeper", "p02_dropout", "p05_augmentation", "p09_mini_vgg16")
def test_a_bench_measures_what_was_asked_for_and_checks_every_limit_unless_a_part_is_named(
    words: str,
    projects: tuple[str, ...],
    parts: set[str],
    precise: str,
    quick: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured = Measured(monkeypatch, tmp_path, True)
    status, told, _ = said("bench", *words.split())
    source = "sample" if words.endswith(" sample") else FOLDER
    named, *asked = measured.asked
    assert (status, list(named), asked) == (0, list(projects), [source, quick, parts, [precise]])
    passing = quick or "--only" in words
    (file,) = tmp_path.rglob("*.json")
    assert file.parent == (tmp_path / "build" / "benches" if passing else measured.results.parent / "benches")
    assert file.stem == "a-processor-2-cores" and read(file).comparisons == (ONE,), "and nothing that is unfinished"
    assert measured.limits == ([] if "--only" in words else ["recorded", source])
    assert ("kept" in told) is ("--only" not in words)


@pytest.mark.project("p00_base")
def test_a_limit_that_is_missed_is_the_exit_status_and_stands_beside_those_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Measured(monkeypatch, tmp_path, True, False, True)
    status, told, _ = said("bench", "0", "--data", "sample", "--output", str(tmp_path / "own.json"))
    assert (status, len(re.findall(r"kept +│", told)), len(re.findall(r"missed +│", told))) == (1, 2, 1)
    assert [file.name for file in tmp_path.rglob("*.json")] == ["own.json"]


@pytest.mark.parametrize(("why", "ended"), [(KeyboardInterrupt(), 130), (ReportError("No such program."), 1)])
@pytest.mark.project("p00_base")
def test_what_an_earlier_bench_has_left_is_not_taken_for_what_this_one_has_measured(
    why: BaseException, ended: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Measured(monkeypatch, tmp_path, why=why)
    earlier = Bench(
        measured=datetime(2026, 4, 1, tzinfo=UTC),
        quick=False,
        environment=synthetic.environment(),
        load=0.5,
        comparisons=(ONE,),
    )
    (tmp_path / "build" / "benches").mkdir()
    write(earlier, tmp_path / "build" / "benches" / "unfinished.json")
    status, _, complaints = said("bench", "0", "--data", "sample", "--only", "site")
    assert (status, "What was measured before" in complaints) == (ended, False)
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--data", FOLDER), "there is no project that the study tried"),
        (("0", "--only", "precision", "--data", FOLDER), "Name the project to train in sixteen bits with --precise"),
    ],
)
def test_a_bench_that_has_nothing_to_measure_by_itself_asks_for_a_name(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a fork that has deleted the study's projects."""
    measured = Measured(monkeypatch, tmp_path, True)
    monkeypatch.setattr(catalogue, "identifiers", lambda: ("p00_mine",))
    monkeypatch.setattr(catalogue, "studied", lambda: ())
    status, _, complaints = said("bench", *words)
    named = "Name the projects to measure, some of p00_mine" if "--only" not in words else sentence
    assert (status, named in complaints, measured.asked) == (1, True, [])


@pytest.mark.project("p07_vgg16_frozen")
def test_what_weights_see_is_asked_for_in_the_sizes_that_are_named_and_written_apart_for_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from experiments import features, pretrain

    asked: list[Any] = []

    def examine(*arguments: Any) -> Any:
        asked.append(arguments)
        return synthetic.features()

    monkeypatch.setattr(features, "examine", examine)
    monkeypatch.setattr(__main__, "from_file", lambda file: f"the weights of {file.name}")
    monkeypatch.setattr(pretrain, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setattr(pretrain, "RECORDS", tmp_path / "records")
    own = tmp_path / "my own.h5"
    own.write_bytes(b"weights")
    words = ("features", "--vgg16-weights", str(own), "--data")
    assert said(*words, "sample", "--image-size", "48", "--image-size", "64", "--allow-unfinished")[0] == 0
    weights, start, images, sizes, folder, command, _ = asked[0]
    assert (weights, images.name, sizes) == ("the weights of my own.h5", "sample", [48, 64])
    assert folder == tmp_path / "weights" / start.name
    assert command == (
        "python -m experiments features --vgg16-weights 'my own.h5' --image-size 48 --image-size 64 "
        "--allow-unfinished --data sample"
    )
    assert said(*words, FOLDER)[0] == 0
    assert asked[1][3:6] == (
        [32],
        tmp_path / "records" / start.name,
        "python -m experiments features --vgg16-weights 'my own.h5' --data DIR",
    )


def test_a_sample_that_cannot_be_written_is_told_before_the_images_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise ReportError(f"{folder.name} cannot be written")

    monkeypatch.setattr(record, "check_writable", refuse)
    monkeypatch.setattr("experiments.downloads.images", lambda _: pytest.fail("images were read"))
    status, _, complaints = said("sample", "--data", FOLDER)
    assert (status, "sample cannot be written" in complaints) == (1, True)


def test_a_command_keeps_the_backends_quiet_ends_when_asked_and_refuses_a_keras_that_computes_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(__main__, "end_when_asked", lambda: seen.append("ends"))
    monkeypatch.setattr(__main__, "app", lambda: seen.append(os.environ["TF_CPP_MIN_LOG_LEVEL"]))
    for level, expected in ((None, "2"), ("0", "0")):
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
        if level:
            monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
        with monkeypatch.context() as there:
            there.setattr(os, "environ", dict(os.environ))
            __main__.main()
        assert seen[-2:] == ["ends", expected]
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    assert said("list")[0] == 1 and seen == ["ends", "2", "ends", "0", "ends"]


@pytest.mark.parametrize(("number", "foreseen"), [(errno.ENOSPC, True), (errno.EPIPE, False)])
def test_a_disk_that_is_full_is_a_sentence_and_what_nobody_foresaw_stays_what_it_is(
    number: int, foreseen: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full() -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(__main__, "app", full)
    monkeypatch.setattr(__main__, "end_when_asked", lambda: None)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    with pytest.raises(SystemExit if foreseen else OSError) as ended:
        __main__.main()
    if foreseen:
        assert isinstance(ended.value, SystemExit) and ended.value.code == 1
        assert os.strerror(number).lower() in capsys.readouterr().err.lower()
