"""Where runs are trained: side by side, and on a real Ray cluster of two nodes, one of which is killed."""

from __future__ import annotations

import dataclasses
import importlib
import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from rich.console import Console

from experiments import data, executor, worker
from experiments.environment import COMPILED, SIDE_BY_SIDE, commit, deterministic
from experiments.executor import SHARED_DEVICE, Finished, most_at_once, receive, resources, shares
from experiments.job import MISTAKES, Job
from reportgen import record
from reportgen.errors import ReportError
from tests import synthetic
from tests.experiments.command_line import said

ROOT = Path(__file__).resolve().parents[2]
JOB = Job("p00_base", 0, "smoke", "float32", "sample", Path("results"))
GIB = 2.0**30
TOKEN = "0123456789abcdef" * 4
WIDE = {"COLUMNS": "300"}
PATIENCE = 300
"""Seconds until a process on a busy machine must have started."""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "experiments", "run", "p00_base", "--profile", "smoke", *arguments]


@pytest.mark.slow
def test_two_runs_side_by_side_share_the_cores_and_are_both_recorded(tmp_path: Path) -> None:
    seeds = ("--seed", "0", "--seed", "1")
    done = subprocess.run(
        command(*seeds, "--jobs", "2", "--results", str(tmp_path)), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    records = record.read_all(tmp_path)
    assert [run.seed for run in records] == [0, 1]
    assert {run.environment.cores for run in records} == {max(1, len(os.sched_getaffinity(0)) // 2)}
    assert {run.environment.side_by_side for run in records} == {2}, "nobody is to take their times for measured"
    assert "p00_base seed 1  epoch 2/2" in done.stdout


GREETED = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795802521.813793   21089 port.cc:153] oneDNN custom operations are on.",
)
LACKING = "E0000 00:00:1795802522.611156   21089 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error"
TOLD = ("W0000 00:00:1795802521.8 gpu_device.cc:2342] Cannot dlopen some GPU libraries.", "error: Añadida", "IO")


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("driver", [None, "/usr/bin/nvidia-smi"])
def test_what_a_backend_greets_with_is_kept_back_and_what_it_complains_of_is_not(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], alone: bool, driver: str | None
) -> None:
    """Nobody can act on a library's greeting, nor, without a GPU, on there being none."""
    lines = [*GREETED, LACKING, *TOLD]
    speaks = f"import sys; sys.stderr.buffer.write({chr(10).join(lines).encode()!r} + b'\\n'); sys.exit(3)"
    monkeypatch.setattr(executor, "_command", lambda _: [sys.executable, "-c", speaks])
    monkeypatch.setattr(shutil, "which", lambda _: driver)
    if alone:
        assert executor._alone(JOB) == 3
    else:
        assert executor._follow(JOB, {}, Console(width=300), []) == 3
    seen = capfd.readouterr()
    assert (seen.err if alone else seen.out).splitlines() == [*([LACKING] if driver else []), *TOLD]


DEAF = """
import signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
print("ready", flush=True)
while len(asked) < int(sys.argv[1]):
    time.sleep(0.01)
"""


@pytest.mark.parametrize(("times", "status"), [(2, 0), (1000, -signal.SIGKILL)])
def test_a_run_that_does_not_hear_it_the_first_time_is_asked_again_and_killed_in_the_end(
    monkeypatch: pytest.MonkeyPatch, times: int, status: int
) -> None:
    monkeypatch.setattr(executor, "ASKED", 3)
    monkeypatch.setattr(executor, "PATIENCE", 0.5)
    with subprocess.Popen([sys.executable, "-c", DEAF, str(times)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        executor._end(process)
    assert process.returncode == status


def recording(job: Job, *_: object, images: str = "sample") -> int:
    """In place of the process of a run: its record, made up."""
    own: dict[str, Any] = {"classes": data.CLASSES, "mistakes": []}
    done = synthetic.record(job.project, job.seed, profile=job.profile, precision=job.precision, **own)
    seen = {"name": images, "sha256": data.load(job.source).sha256}
    record.write(done.model_copy(update={"dataset": done.dataset.model_copy(update=seen)}), job.results)
    return 0


@pytest.mark.parametrize(("jobs", "runs", "at_once"), [(4, 3, 3), (4, 1, 1), (2, 3, 2)])
@pytest.mark.project("p00_base")
def test_no_more_run_side_by_side_than_there_are_and_one_alone_has_the_whole_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, runs: int, at_once: int
) -> None:
    dealt: list[int] = []

    def counted(count: int) -> list[set[int]]:
        dealt.append(count)
        return shares(count)

    monkeypatch.setattr(executor, "shares", counted)
    monkeypatch.setattr(executor, "_follow", recording)
    monkeypatch.setattr(executor, "_alone", recording)
    asked = [dataclasses.replace(JOB, seed=seed, results=tmp_path) for seed in range(runs)]
    before = os.sched_getaffinity(0)
    ended = list(executor.Local(jobs).train(asked, Console(quiet=True)))
    assert sorted(done.job.seed for done in ended if done.recorded) == list(range(runs))
    assert dealt == ([at_once] if at_once > 1 else []) and os.sched_getaffinity(0) == before


def test_side_by_side_each_project_has_its_first_seed_before_one_has_its_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU, the second finds what the first has compiled."""
    begun: list[tuple[str, int]] = []
    together = threading.Barrier(2, timeout=60)

    def follow(job: Job, *_: object) -> int:
        together.wait()
        begun.append((job.project, job.seed))
        together.wait()
        return recording(job)

    monkeypatch.setattr(executor, "_follow", follow)
    asked = [
        dataclasses.replace(JOB, project=name, seed=seed, results=tmp_path)
        for name in ("p05_augmentation", "p01_deeper")
        for seed in (0, 1)
    ]
    assert len(list(executor.Local(2).train(asked, Console(quiet=True)))) == 4
    assert {seed for _, seed in begun[:2]} == {0} and {seed for _, seed in begun[2:]} == {1}


@pytest.mark.parametrize("side_by_side", [1, 2])
@pytest.mark.project("p00_base")
def test_a_process_that_ends_well_without_a_record_has_recorded_nothing(
    side_by_side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the script of a project calls `sys.exit()`; what was recorded before stays, and is not taken for new."""
    asked = [dataclasses.replace(JOB, seed=seed, results=tmp_path) for seed in range(2)]
    recording(asked[1])
    monkeypatch.setattr(executor, "_alone", lambda *_: 0)
    monkeypatch.setattr(executor, "_follow", lambda *_: 0)
    ended = list(executor.Local(side_by_side).train(asked, Console(quiet=True)))
    assert [(done.recorded, done.why_not) for done in ended] == [
        (False, "Its process ended before that. Does the project's script call exit()?")
    ] * 2


@pytest.mark.parametrize("side_by_side", [1, 2])
@pytest.mark.project("p00_base")
def test_what_another_command_has_recorded_meanwhile_is_not_trained_again(
    side_by_side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [dataclasses.replace(JOB, seed=seed, results=tmp_path) for seed in range(6)]
    begun: list[int] = []
    one_at_a_time = threading.Lock()

    def other(job: Job, *_: object) -> int:
        """The other command has come from the last seed to this one, with some in another precision or on others."""
        with one_at_a_time:
            begun.append(job.seed)
            if len(begun) == 1:
                recording(dataclasses.replace(asked[2], precision="mixed_bfloat16"))
                recording(asked[3])
                recording(asked[4])
                recording(asked[5], images="others")
        return recording(job)

    recording(asked[0])
    monkeypatch.setattr(executor, "_alone", other)
    monkeypatch.setattr(executor, "_follow", other)
    ended = list(executor.Local(side_by_side).train(asked, Console(quiet=True)))
    assert sorted(done.job.seed for done in ended if done.recorded) == [0, 1, 2, 3, 4, 5]
    assert sorted(begun) == [0, 1, 2, 5]


@pytest.mark.project("p00_base")
def test_ctrl_c_waits_until_the_run_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prompt comes back behind the last line of the run, and not in the middle of its end."""
    ended, heard = tmp_path / "ended", threading.Event()
    slow = f"trap 'sleep 0.6; touch {ended}; exit' TERM; echo begun >&2; while :; do sleep 0.05; done"

    def hears(_: str) -> bool:
        heard.set()
        return True

    def interrupt() -> None:
        heard.wait(PATIENCE)  # no sooner: a process that is still being started is not yet anybody's to end
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(executor, "says_nothing", hears)
    monkeypatch.setattr(executor, "_command", lambda _: ["sh", "-c", slow])
    # A process that a shell began in the background ignores Ctrl+C, and would wait for ever.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            list(executor.Local().train([JOB], Console(quiet=True)))
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.exists()


@pytest.mark.parametrize("jobs", [1, 2, 3, 64])
def test_every_job_has_a_core_and_no_core_is_left_idle(jobs: int) -> None:
    cores = os.sched_getaffinity(0)
    dealt = shares(jobs)
    assert len(dealt) == jobs and all(dealt)
    assert set().union(*dealt) == cores
    if jobs <= len(cores):
        assert sum(map(len, dealt)) == len(cores)


@pytest.mark.project("p00_base")
def test_a_project_asks_for_a_gpu_only_where_a_node_has_one() -> None:
    cpu = {"CPU": 8.0, "memory": 16 * GIB}
    assert resources(JOB, [cpu]) == {"num_cpus": 2, "num_gpus": 0.0, "memory": 3 * GIB}
    assert resources(JOB, [cpu, {**cpu, "GPU": 1.0}])["num_gpus"] == 0.25


def test_a_cluster_without_a_node_that_is_large_enough_is_refused_with_a_sentence() -> None:
    with pytest.raises(ReportError, match=r"p00_base asks for 2 cores, 0 GPUs and 3 GiB, and none of the cluster's 1 "):
        resources(JOB, [{"CPU": 1.0, "memory": 16 * GIB}])


@pytest.mark.parametrize(
    ("node", "most"),
    [
        ({"CPU": 8.0, "memory": 7 * GIB}, 2),
        ({"CPU": 3.0, "memory": 64 * GIB}, 1),
        ({"CPU": 64.0, "GPU": 1.0, "memory": 64 * GIB}, 4),
    ],
)
@pytest.mark.project("p00_base")
def test_as_many_runs_share_a_node_as_have_room_there(node: dict[str, float], most: int) -> None:
    assert most_at_once(resources(JOB, [node]), [{"CPU": 0.0}, node]) == most


class Cluster:
    """Stands for Ray and one node of eight cores, and for how each seed ends there."""

    def __init__(self, ends: dict[int, Exception | dict[str, bytes]]) -> None:
        self.exceptions = importlib.import_module("ray.exceptions")
        self.beside: set[str] = set()
        self._ends = ends

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": {"CPU": 8.0, "memory": 64 * GIB}}]

    def remote(self, **_: object) -> Callable[[object], Cluster]:
        return lambda _: self

    def options(self, **_: object) -> SimpleNamespace:
        return SimpleNamespace(remote=self._hand)

    def _hand(self, job: Job, variables: dict[str, str]) -> int:
        self.beside.add(variables[SIDE_BY_SIDE])
        return job.seed

    def wait(self, seeds: list[int], num_returns: int) -> tuple[list[int], list[int]]:
        return seeds[:num_returns], seeds[num_returns:]

    def get(self, seed: int) -> dict[str, bytes]:
        ended = self._ends[seed]
        if isinstance(ended, Exception):
            raise ended
        return ended


def test_whatever_goes_wrong_with_a_run_on_a_cluster_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed; it is an extra for several machines")
    from ray.exceptions import RayTaskError, WorkerCrashedError

    def asked(job: Job, _: object) -> dict[str, float]:
        if job.seed == 5:
            raise ReportError("no node is so large")
        return {"num_cpus": 2, "num_gpus": 0.0, "memory": GIB}

    sent = record.write(synthetic.record("p00_base", 4), tmp_path / "node").read_bytes()
    cluster = Cluster(
        {
            0: RayTaskError("perform", "Traceback", ValueError("nobody foresaw\nthis")),
            1: RayTaskError("perform", "Traceback", ReportError("the loss stopped being a number")),
            2: WorkerCrashedError(),
            3: {},
            4: {record.RECORD_FILE: sent},
        }
    )
    monkeypatch.setattr(executor, "resources", asked)
    jobs = [dataclasses.replace(JOB, seed=seed, results=tmp_path / "here") for seed in range(6)]
    ended = {done.job.seed: done for done in executor._on_cluster(cluster, jobs, Console(quiet=True))}
    assert [seed for seed in range(6) if ended[seed].recorded] == [4]
    assert ended[0].why_not == "ValueError: nobody foresaw"
    assert ended[1].why_not == "the loss stopped being a number"
    assert ended[2].why_not.startswith("lost 4 times")
    assert ended[3].why_not == "KeyError: 'record.json'"
    assert ended[5].why_not == "no node is so large"
    assert cluster.beside == {"4"}, "of six that have room for four at a time"


def test_what_comes_back_from_a_node_is_written_with_the_commit_of_the_sources_that_went_there(tmp_path: Path) -> None:
    made = synthetic.record("p00_base", 3)
    sent = record.write(made, tmp_path / "node")
    job = Job("p00_base", 3, "full", "float32", "sample", tmp_path / "here")
    receive({record.RECORD_FILE: sent.read_bytes(), MISTAKES: b"PNG"}, job, "f" * 40, True)
    folder = record.folder(job.results, "p00_base", 3)
    read = record.read(folder / record.RECORD_FILE)
    assert (read.environment.git_commit, read.environment.git_clean) == ("f" * 40, True)
    assert read.model_copy(update={"environment": made.environment}) == made
    assert (folder / MISTAKES).read_bytes() == b"PNG"


@pytest.mark.project("p08_vgg16_finetuned")
def test_a_node_whose_file_of_weights_has_another_content_trains_nothing(tmp_path: Path) -> None:
    """What the weights are has travelled with the job, and would be recorded of others."""
    weights = tmp_path / "mine.weights.h5"
    weights.write_bytes(b"as it is where the run was asked for")
    job = Job("p08_vgg16_finetuned", 0, "full", "float32", "sample", tmp_path, weights)
    assert job.start
    sent = pickle.loads(pickle.dumps(job))
    weights.write_bytes(b"as it is on the node")
    with pytest.raises(ReportError, match=r"mine\.weights\.h5 has another content on this machine"):
        executor.perform(sent, {})


@pytest.mark.project("p00_base")
def test_a_run_on_a_node_is_given_its_variables_before_a_backend_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing that is needed to begin one has imported Keras."""
    before = dict(os.environ)
    monkeypatch.setattr(os, "environ", {**before, "KERAS_BACKEND": "another"})
    seen: list[dict[str, str]] = []

    def loaded() -> NoReturn:
        seen.append(dict(os.environ))
        raise KeyboardInterrupt

    monkeypatch.setattr("experiments.backend.load", loaded)
    with pytest.raises(KeyboardInterrupt):
        executor.perform(dataclasses.replace(JOB, results=tmp_path), {"KERAS_BACKEND": "jax", SIDE_BY_SIDE: "3"})
    assert seen == [{**before, "KERAS_BACKEND": "jax", SIDE_BY_SIDE: "3"}]
    sent = pickle.dumps((executor.perform, JOB))
    program = f"import pickle, sys; pickle.loads({sent!r}); assert 'keras' not in sys.modules, 'it has read them'"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--executor", "slurm"), "Unknown executor 'slurm': expected one of local, ray"),
        (("--address", "localhost:6379"), "add --executor ray"),
        (("--executor", "ray", "--jobs", "2"), "--jobs is for --executor local"),
    ],
)
def test_options_that_do_not_fit_together_are_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    status, _, complaints = said("run", "p00_base", "--profile", "smoke", *arguments)
    assert status == 1
    assert sentence in complaints


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999", "[::1]:1"])
@pytest.mark.project("p00_base")
def test_a_cluster_whose_head_does_not_answer_is_a_sentence_at_once(tmp_path: Path, address: str) -> None:
    pytest.importorskip("ray")
    began = time.monotonic()
    with pytest.raises(ReportError, match=rf"No Ray cluster at '{re.escape(address)}' .*`ray start --head` starts one"):
        list(executor.Ray(address).train([dataclasses.replace(JOB, results=tmp_path)], Console(quiet=True)))
    assert time.monotonic() - began < 2 * executor.REACHED


def test_ray_is_not_imported_for_runs_on_one_machine() -> None:
    program = "import sys, experiments.__main__; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.parametrize("known", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "a file", None])
@pytest.mark.parametrize("chosen", [None, "disabled"])
def test_a_token_is_shown_where_there_is_one_unless_the_user_has_said_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str | None, chosen: str | None
) -> None:
    """Of the home of whoever runs these tests nothing is known."""
    there = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    monkeypatch.setattr(os, "environ", there | {"HOME": str(tmp_path)} | ({"RAY_AUTH_MODE": chosen} if chosen else {}))
    if known == "a file":
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text(TOKEN)
    elif known:
        os.environ[known] = TOKEN
    executor._show_token()
    assert os.environ.get("RAY_AUTH_MODE") == (chosen or ("token" if known else None))


@pytest.fixture
def apart() -> Iterator[list[str]]:
    """A folder for each of two nodes, as on machines of their own, to be asked for before the cluster that uses them.

    In one, the second node would unpack the sources where the first reads them.
    """
    short = partial(tempfile.TemporaryDirectory, prefix="ray-", ignore_cleanup_errors=True)  # as sockets want it
    with short() as one, short() as other:
        yield [one, other]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head that trains nothing and asks for a token, as by default; whoever asks adds nodes."""
    pytest.importorskip("ray", reason="Ray is not installed; it is an extra for several machines")
    from ray.cluster_utils import Cluster

    inner = import_module("ray._raylet")

    def read_again() -> None:
        """Ray has been imported, perhaps, and has read these variables then."""
        inner.Config.initialize("")
        inner.AuthenticationTokenLoader.instance().reset_cache()

    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    read_again()
    small = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    yield made
    made.shutdown()
    monkeypatch.undo()
    read_again()


@pytest.mark.slow
@pytest.mark.project("p00_base")
def test_sources_that_a_cluster_does_not_take_are_a_sentence(cluster: Any, tmp_path: Path) -> None:
    """As where something large lies among them."""
    limit = {"RAY_max_grpc_message_size": "20000"}
    arguments = ("--executor", "ray", "--address", cluster.address, "--results", str(tmp_path))
    done = subprocess.run(
        command(*arguments), cwd=ROOT, env={**os.environ, **WIDE, **limit}, capture_output=True, text=True
    )
    assert done.returncode == 1
    complaint = " ".join(done.stderr.split())
    assert f"{ROOT} could not be sent to the Ray cluster at '{cluster.address}' (Package size (" in complaint, complaint
    assert "exceeds the maximum size" in complaint and "name in .gitignore what no training needs" in complaint
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_runs_of_a_node_that_dies_are_done_elsewhere(apart: list[str], cluster: Any, tmp_path: Path) -> None:
    """Two nodes train a run each; one is killed in the middle of its run, and yet every run is recorded."""
    has = {"num_cpus": 2, "memory": 4 * 2**30, "object_store_memory": 80 * 2**20}
    nodes = [cluster.add_node(**has, temp_dir=own) for own in apart]
    cluster.wait_for_nodes()
    arguments = ("--executor", "ray", "--address", cluster.address, "--results", str(tmp_path))
    with subprocess.Popen(
        command("--seed", "0", "--seed", "1", *arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "RAY_AUTH_MODE"} | WIDE,
    ) as driver:
        wait_until(lambda: all(trains(node) for node in nodes) or driver.poll() is not None)
        assert driver.poll() is None, driver.communicate()[0]
        assert not record.read_all(tmp_path)
        cluster.remove_node(nodes[0], allow_graceful=False)
        output, _ = driver.communicate()
    assert driver.returncode == 0, output
    assert "2 runs handed to 3 nodes." in output
    records = record.read_all(tmp_path)
    assert [run.seed for run in records] == [0, 1]
    assert {(run.environment.git_commit, run.environment.git_clean) for run in records} == {commit()}
    assert all(run.environment.deterministic and run.environment.side_by_side == 1 for run in records)
    assert all((record.folder(tmp_path, "p00_base", seed) / MISTAKES).exists() for seed in (0, 1))


def trains(node: Any) -> bool:
    """Whether a worker of this node is inside a run; Ray gives its process the run's name."""
    raylet = node.all_processes["raylet"][0].process.pid
    listed = subprocess.run(["ps", "-o", "args=", "--ppid", str(raylet)], capture_output=True, text=True)
    return "ray::p00_base" in listed.stdout


def wait_until(happened: Callable[[], bool], pause: float = 0.5) -> None:
    ends = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < ends, "nothing happened in time"
        time.sleep(pause)


@pytest.mark.parametrize(("status", "why"), [(-signal.SIGKILL, "memory ran out"), (1, "")])
@pytest.mark.project("p00_base")
def test_a_run_whose_process_was_killed_is_told_why_and_one_that_failed_has_said_so_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, why: str
) -> None:
    monkeypatch.setattr(executor, "_alone", lambda _: status)
    (ended,) = executor.Local().train([dataclasses.replace(JOB, results=tmp_path)], Console(quiet=True))
    assert not ended.recorded and (why in ended.why_not if why else not ended.why_not)


@pytest.mark.parametrize("clean", [True, False, None])
def test_whether_sources_were_as_committed_is_told_of_those_that_went_to_a_node(
    tmp_path: Path, clean: bool | None
) -> None:
    sent = record.write(synthetic.record("p00_base", 3), tmp_path / "node").read_bytes()
    job = Job("p00_base", 3, "full", "float32", "sample", tmp_path / "here")
    receive({record.RECORD_FILE: sent}, job, None if clean is None else "f" * 40, clean)
    assert record.read_all(job.results)[0].environment.git_clean is clean


class Head:
    """Stands for Ray and for what it is told; every run that is handed to it comes back recorded."""

    def __init__(self, nodes: list[dict[str, Any]], refuses: Exception | None = None) -> None:
        self.exceptions = SimpleNamespace(
            RayTaskError=ZeroDivisionError, RayError=ArithmeticError, RuntimeEnvSetupError=FloatingPointError
        )
        self.begun: dict[str, Any] = {}
        self.tasks: list[dict[str, Any]] = []
        self.handed: list[Job] = []
        self.variables: list[dict[str, str]] = []
        self.token: str | None = None
        self.shut_down = 0
        self._nodes, self._refuses = nodes, refuses

    def init(self, **options: Any) -> None:
        self.begun, self.token = options, os.environ.get("RAY_AUTH_MODE")
        if self._refuses:
            raise self._refuses

    def nodes(self) -> list[dict[str, Any]]:
        return self._nodes

    def remote(self, **options: Any) -> Callable[[object], Any]:
        def of(function: object) -> Any:
            assert function is executor.perform

            def options_of(**more: Any) -> SimpleNamespace:
                self.tasks.append(options | more)
                return SimpleNamespace(remote=hand)

            return SimpleNamespace(options=options_of)

        def hand(job: Job, variables: dict[str, str]) -> Job:
            self.handed.append(job)
            self.variables.append(variables)
            return job

        return of

    def wait(self, jobs: list[Job], num_returns: int) -> tuple[list[Job], list[Job]]:
        return jobs[:num_returns], jobs[num_returns:]

    def get(self, job: Job) -> dict[str, bytes]:
        done = synthetic.record(job.project, job.seed)
        return {record.RECORD_FILE: record.dumps(done).encode("utf-8")}

    def shutdown(self) -> None:
        self.shut_down += 1


LARGE = {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 1.0, "memory": 64 * GIB}}
GONE = {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0, "memory": 512 * GIB}}


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Head:
    """A cluster of one node, and of another that is lost; whoever asks is at home in an empty folder."""
    found = Head([LARGE, GONE])
    monkeypatch.setitem(sys.modules, "ray", found)
    monkeypatch.setattr(executor, "_refuse_unreachable", lambda _: None)
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAY_AUTH_MODE", "")  # and so put back as it was
    monkeypatch.delenv("RAY_AUTH_MODE")
    monkeypatch.setenv("HOME", str(tmp_path))
    return found


def on_cluster(folder: Path, address: str | None = None, seeds: int = 6) -> list[Finished]:
    jobs = [dataclasses.replace(JOB, seed=seed, results=folder / "here") for seed in range(seeds)]
    return list(executor.Ray(address).train(jobs, Console(file=StringIO())))


@pytest.mark.parametrize(
    ("named", "known", "asked"),
    [("host:1", None, "host:1"), ("host:1", "host:2", "host:1"), (None, "host:2", "host:2"), (None, None, "auto")],
)
@pytest.mark.project("p00_base")
def test_the_cluster_that_is_named_is_asked_and_gets_what_training_needs_and_no_more(
    head: Head, named: str | None, known: str | None, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []
    monkeypatch.setattr(executor, "_refuse_unreachable", reached.append)
    if known:
        monkeypatch.setenv("RAY_ADDRESS", known)
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    assert all(done.recorded for done in on_cluster(tmp_path, named, seeds=1))
    assert (head.begun["address"], reached, head.token, head.shut_down) == (asked, [asked], "token", 1)
    assert head.begun["runtime_env"]["working_dir"] == str(ROOT)
    left = set(head.begun["runtime_env"]["excludes"])
    assert {".git", "build", "shared", "experiments/results"} <= left
    assert not {"experiments", "experiments/sample", "experiments/projects", "reportgen", "pyproject.toml"} & left


@pytest.mark.project("p00_base")
def test_a_run_on_a_cluster_is_a_process_of_its_own_with_what_its_project_asks_for(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is begun elsewhere if its node is lost, and computes with the backend that the user has chosen."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    monkeypatch.setenv("CIFAR10_DIR", "a folder of this machine")
    assert [done.recorded for done in on_cluster(tmp_path)] == [True] * 6
    assert [job.seed for job in head.handed] == list(range(6))
    passed = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "2", **SHARED_DEVICE, SIDE_BY_SIDE: "4"}
    assert SHARED_DEVICE == {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    assert head.variables == [passed] * 6
    for task, job in zip(head.tasks, head.handed, strict=True):
        assert task == {
            **{"max_calls": 1, "max_retries": executor.RETRIES},
            **{"num_cpus": 2, "num_gpus": 0.25, "memory": 3 * GIB},
            **{"name": job.name, "scheduling_strategy": "SPREAD"},
        }, "with another `runtime_env` Ray would unpack the sources anew under the eyes of a worker"


@pytest.mark.project("p00_base")
def test_fewer_runs_than_a_node_has_room_for_are_told_how_many_they_are(head: Head, tmp_path: Path) -> None:
    on_cluster(tmp_path, seeds=2)
    assert {variables[SIDE_BY_SIDE] for variables in head.variables} == {"2"}


@pytest.mark.parametrize(
    "refuses",
    [ConnectionError("nobody\nthere"), RuntimeError("nobody"), ValueError("nobody"), ArithmeticError("nobody")],
)
@pytest.mark.project("p00_base")
def test_a_cluster_that_refuses_is_a_sentence_with_its_first_line(
    head: Head, refuses: Exception, tmp_path: Path
) -> None:
    head._refuses = refuses
    with pytest.raises(ReportError, match=r"^No Ray cluster at 'host:1' \(nobody\)\. `ray start --head` starts one"):
        on_cluster(tmp_path, "host:1")


@pytest.mark.parametrize("cause", [ValueError("it is too large.\nSee below."), None])
@pytest.mark.project("p00_base")
def test_sources_that_cannot_be_sent_are_a_sentence_with_the_first_line_of_the_reason(
    head: Head, cause: Exception | None, tmp_path: Path
) -> None:
    head._refuses = FloatingPointError("it is too large" if cause is None else "The environment failed.")
    head._refuses.__cause__ = cause
    sent = re.escape(f"{ROOT} could not be sent to the Ray cluster at 'host:1' (it is too large). What git ignores")
    with pytest.raises(ReportError, match=f"^{sent}"):
        on_cluster(tmp_path, "host:1")


@pytest.mark.project("p00_base")
def test_a_cluster_is_left_also_where_the_runs_are_cut_off(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(head, "get", interrupted)
    with pytest.raises(KeyboardInterrupt):
        on_cluster(tmp_path)
    assert head.shut_down == 1


def test_ray_that_is_not_installed_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(executor, "_show_token", lambda: None)
    with pytest.raises(ReportError, match=r"--executor ray needs Ray, which is not installed; `pip install ray`"):
        on_cluster(tmp_path)


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("host:6379", ("host", 6379)),
        ("[::1]:6379", ("::1", 6379)),
        ("auto", None),
        ("ray://host:10001", None),
        ("host:port", None),
        (":6379", None),
    ],
)
def test_a_head_is_knocked_at_where_its_address_is_a_host_and_a_port(
    address: str, asked: tuple[str, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else is Ray's to understand; what is opened is closed."""
    knocked: list[object] = []

    def connect(where: tuple[str, int], timeout: float) -> SimpleNamespace:
        assert timeout == executor.REACHED
        knocked.append(where)
        return SimpleNamespace(close=lambda: knocked.append("closed"))

    monkeypatch.setattr(socket, "create_connection", connect)
    executor._refuse_unreachable(address)
    assert knocked == ([asked, "closed"] if asked else [])


@pytest.mark.project("p00_base")
def test_a_node_that_has_just_what_a_project_asks_for_is_large_enough_and_one_with_a_part_of_it_is_not() -> None:
    exact = {"CPU": 2.0, "GPU": 0.25, "memory": 3 * GIB}
    assert resources(JOB, [exact])["num_gpus"] == 0.25
    for lacking in exact:
        less = {**exact, lacking: exact[lacking] / 2}
        with pytest.raises(ReportError, match="none of the cluster's 2 nodes has that"):
            resources(JOB, [{"CPU": 0.0}, less])
        assert resources(JOB, [less, exact])["memory"] == 3 * GIB, "one is enough"
    with pytest.raises(ReportError, match=r"\(the largest has 1 cores\)"):
        resources(JOB, [{"CPU": 1.0}, {}])
    with pytest.raises(ReportError, match=r"cluster's 0 nodes has that \(the largest has 0 cores\)"):
        resources(JOB, [])


def test_room_for_a_part_of_a_run_is_none() -> None:
    asked = {"num_cpus": 2.0, "num_gpus": 0.0, "memory": 3 * GIB}
    assert most_at_once(asked, [{"CPU": 7.9, "memory": 64 * GIB}, {"CPU": 2.0, "memory": 3 * GIB}]) == 3


def test_jobs_that_share_cores_are_dealt_out_over_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 6, 9}, raising=False)
    assert shares(2) == [{4, 9}, {6}]
    assert shares(7) == [{4}, {6}, {9}, {4}, {6}, {9}, {4}]
    monkeypatch.delattr(os, "sched_getaffinity")
    assert shares(2) == [set(), set()], "where a process cannot be kept to some of the cores"


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.project("p00_base")
def test_a_node_trains_deterministically_where_that_is_asked_for_and_sends_back_every_file(
    wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[bool] = []

    def train(job: Job, folder: Path) -> None:
        known.append(all(os.environ.get(name) == value for name, value in deterministic().items()))
        there = dataclasses.replace(job, results=folder).folder
        there.mkdir(parents=True)
        for name in ("record.json", "mistakes.png"):
            (there / name).write_bytes(name.encode())

    monkeypatch.setattr(worker, "perform", train)
    for name in deterministic():
        monkeypatch.setenv(name, "")
    sent = executor.perform(dataclasses.replace(JOB, deterministic=wanted), {})
    assert sent == {"record.json": b"record.json", "mistakes.png": b"mistakes.png"}
    assert known == [wanted]


def test_a_node_whose_keras_computes_otherwise_trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "perform", lambda *_: pytest.fail("something was trained"))
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    with pytest.raises(ReportError, match="KERAS_MAX_EPOCHS is set"):
        executor.perform(JOB, {})


@pytest.mark.parametrize("wanted", [False, True])
def test_the_process_of_a_run_has_the_user_s_variables_and_those_of_determinism_only_if_it_is_asked_for(
    wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache,) = COMPILED
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "0")
    monkeypatch.delenv(cache, raising=False)
    job = dataclasses.replace(JOB, deterministic=wanted)
    assert executor._environment(job)["TF_DETERMINISTIC_OPS"] == ("1" if wanted else "0")
    assert executor._environment(job)[cache] == COMPILED[cache]
    monkeypatch.setenv(cache, "a folder of the user's")
    assert executor._environment(job)[cache] == "a folder of the user's"


@pytest.mark.project("p00_base")
def test_runs_side_by_side_share_a_device_and_know_of_each_other_and_keep_to_their_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[dict[str, str], list[set[int]]]] = []
    kept: list[set[int]] = []

    def follow(job: Job, variables: dict[str, str], *_: object) -> int:
        seen.append((variables, list(kept)))
        return recording(job)

    monkeypatch.setattr(executor, "_follow", follow)
    monkeypatch.setattr(executor, "shares", lambda jobs: [{k} for k in range(jobs)])
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: kept.append(cores), raising=False)
    asked = [dataclasses.replace(JOB, seed=seed, results=tmp_path) for seed in range(4)]
    assert all(done.recorded for done in executor.Local(2).train(asked, Console(quiet=True)))
    assert {tuple(sorted(variables.items())) for variables, _ in seen} == {
        tuple(sorted({**SHARED_DEVICE, SIDE_BY_SIDE: "2"}.items()))
    }
    assert kept[:1] == [{0}] and all(before for _, before in seen) and {1} in [*kept, {1}]


def test_the_lines_of_a_run_are_shown_as_they_are_with_the_variables_that_it_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "[red]no markup[/] " * 9
    speaks = f"import os; print('{long}'); print(os.environ['{SIDE_BY_SIDE}'])"
    monkeypatch.setattr(executor, "_command", lambda _: [sys.executable, "-c", speaks])
    shown = StringIO()
    started: list[subprocess.Popen[str]] = []
    assert executor._follow(JOB, {SIDE_BY_SIDE: "2"}, Console(file=shown, width=40), started) == 0
    assert shown.getvalue().splitlines() == [long.rstrip(), "2"]
    assert [process.returncode for process in started] == [0], "so that who is cut off can end it"


@pytest.mark.project("p00_base")
def test_a_record_that_takes_the_place_of_another_has_another_stamp(tmp_path: Path) -> None:
    """Within one tick of the clock it is another file; a file's number may come again, another time."""
    job = dataclasses.replace(JOB, results=tmp_path)
    recording(job)
    before, file = executor.stamp(job), job.folder / record.RECORD_FILE
    assert before and executor.stamp(job) == before
    os.utime(file, ns=(before[0] + 1000, before[0] + 1000))
    assert executor.stamp(job) not in (None, before)
    other = tmp_path / "other.json"
    other.write_bytes(file.read_bytes())
    os.utime(other, ns=(before[0], before[0]))
    other.replace(file)
    assert executor.stamp(job) not in (None, before)
