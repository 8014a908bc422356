"""Where runs are trained: side by side on this machine, or on the nodes of a Ray cluster.

Both take jobs and tell of each as it ends. What was recorded then stands in the job's folder of results: on this
machine the process of the run has written it; from a cluster the files come back as bytes, and this process writes
them, so that the nodes need no storage in common.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from experiments import backend, catalogue
from experiments.environment import COMPILED, ROOT, SIDE_BY_SIDE, commit, deterministic, refuse_own_keras
from experiments.job import MISTAKES, Job, keep
from experiments.standing import Explicit, reason_to_train, standing
from reportgen import record
from reportgen.errors import ReportError, first_line, told

ASKED = 6
"""How often a run's process is asked to end before it is killed."""
PATIENCE = 10
"""Seconds that it has for it each time."""
TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""Environment variables that have the token of a Ray cluster, or name its file."""
REACHED = 10
"""Seconds that the head of a cluster has to answer."""
RETRIES = 3
"""How often a run is started again elsewhere when the node that trained it is lost."""
TRAVELS_NOT = [".git", ".nox", ".venv", "build", "site", "shared", "docs", "tests", "experiments/results"]
"""What a node does not need to train: everything else of the repository is sent to it."""
SHARED_DEVICE = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Environment variables without which the first of several processes would take all the memory of a GPU."""
PASSED_ON = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")
"""Environment variables that hold for the runs on other machines, too."""
GREETING = re.compile(r"WARNING: All log messages before absl::InitializeLog\(\)|I\d{4} \d\d:\d\d:\d\d")
"""How a line begins with which TensorFlow greets whoever imports it, whatever TF_CPP_MIN_LOG_LEVEL says."""
NO_DRIVER = re.compile(r"E\d{4} .*failed call to cuInit")
"""How it says, in the words of an error, that there is no GPU."""


@dataclass(frozen=True)
class Finished:
    """How one job ended."""

    job: Job
    recorded: bool
    why_not: str = ""
    """What went wrong, where the process of the run has not told it itself."""


class Executor(Protocol):
    """Something that trains jobs."""

    def train(self, jobs: Sequence[Job], console: Console) -> Generator[Finished]:
        """Train every job, and tell of each when it ends; the order is that of their ends."""
        ...


@dataclass(frozen=True)
class Local:
    """Processes on this machine, one for each run."""

    jobs: int = 1
    """How many run side by side; each has its share of the processor's cores to itself."""

    def train(self, jobs: Sequence[Job], console: Console) -> Generator[Finished]:
        """Train every job in a process of its own, which shows its own progress; side by side, seed after seed."""
        side_by_side = min(self.jobs, len(jobs))
        before = {job: stamp(job) for job in jobs}
        if side_by_side == 1:
            for job in jobs:
                yield _finished(job, before[job], 0 if recorded_since(before[job], job) else _alone(job))
            return
        free: queue.Queue[set[int]] = queue.Queue()
        for share in shares(side_by_side):
            free.put(share)
        started: list[subprocess.Popen[str]] = []
        with ThreadPoolExecutor(side_by_side, initializer=_take, initargs=(free,)) as pool:
            variables = {**SHARED_DEVICE, SIDE_BY_SIDE: str(side_by_side)}
            # One seed of every project, and then the next: on a GPU that one finds compiled what the first has
            # compiled, where two that begin together both do all of it.
            in_turn = sorted(jobs, key=lambda job: job.seed)
            running = {pool.submit(_in_turn, before[job], job, variables, console, started): job for job in in_turn}
            try:
                for future in as_completed(running):
                    job = running[future]
                    yield _finished(job, before[job], future.result())
            except BaseException:
                # Whoever ends this process means its runs, too; they resume after their last epoch another time.
                pool.shutdown(wait=False, cancel_futures=True)
                _end(*started)
                raise


@dataclass(frozen=True)
class Ray:
    """A Ray cluster, whose nodes have Python and the packages that training needs, and get these sources from here."""

    address: str | None = None
    """Where the cluster's head is, as `host:port`; None: RAY_ADDRESS, or the cluster that this machine belongs to."""

    def train(self, jobs: Sequence[Job], console: Console) -> Generator[Finished]:
        """Train every job on a node that has what its project asks for; start it again elsewhere if the node is lost.

        Raises:
            ReportError: Ray is not installed, there is no such cluster, or it does not take these sources.
        """
        _show_token()
        try:
            import ray
        except ImportError as problem:
            raise ReportError(
                "--executor ray needs Ray, which is not installed; `pip install ray` adds it. "
                "On one machine, --executor local does without."
            ) from problem
        address = self.address or os.environ.get("RAY_ADDRESS") or "auto"
        try:
            _refuse_unreachable(address)
            ray.init(
                address=address,
                runtime_env={"working_dir": str(ROOT), "excludes": TRAVELS_NOT},
                logging_level=logging.ERROR,
            )
        except ray.exceptions.RuntimeEnvSetupError as problem:
            why = first_line(problem.__cause__ or problem).rstrip(".")
            raise ReportError(
                f"{ROOT} could not be sent to the Ray cluster at {address!r} ({why}). What git ignores stays here: "
                "name in .gitignore what no training needs, or try again if a file was just changing."
            ) from problem
        except (OSError, OverflowError, ValueError, RuntimeError, ray.exceptions.RayError) as problem:
            raise ReportError(
                f"No Ray cluster at {address!r} ({first_line(problem)}). `ray start --head` starts one, and prints "
                "the address for --address. One that asks for a token wants that of its head here, too, in "
                "~/.ray/auth_token or RAY_AUTH_TOKEN."
            ) from problem
        try:
            yield from _on_cluster(ray, jobs, console)
        finally:
            ray.shutdown()


def _show_token() -> None:
    """Let Ray show the token that this user has, which the head of a cluster asks for: by itself it does not, where it
    is told an address. Before Ray is imported, which reads it then.
    """
    if any(name in os.environ for name in TOKENS) or (Path.home() / ".ray" / "auth_token").is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")


def _refuse_unreachable(address: str) -> None:
    """Nothing, unless nobody listens at `address`, a `host:port`, where Ray itself would try again for minutes.

    Raises:
        OSError: there is no such host, or it does not answer.
        OverflowError: there is no such port.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED).close()


def _on_cluster(ray: Any, jobs: Sequence[Job], console: Console) -> Generator[Finished]:
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    sources = commit()
    waiting = {}
    variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    for job in jobs:
        try:
            asked = resources(job, nodes)
        except ReportError as problem:
            yield Finished(job, False, str(problem))
            continue
        beside = {SIDE_BY_SIDE: str(min(len(jobs), most_at_once(asked, nodes)))}
        # A worker that has trained ends, so that each run has a process of its own here, too. Its variables are no
        # `runtime_env` of its own: for each of these Ray unpacks the sources once more, in the place of those that a
        # worker may just be reading.
        task = ray.remote(max_calls=1, max_retries=RETRIES)(perform).options(
            **asked, name=job.name, scheduling_strategy="SPREAD"
        )
        waiting[task.remote(job, {**variables, **SHARED_DEVICE, **beside})] = job
    console.print(f"{len(waiting)} runs handed to {len(nodes)} nodes.", highlight=False)
    while waiting:
        (done,), _ = ray.wait(list(waiting), num_returns=1)
        job = waiting.pop(done)
        try:
            receive(ray.get(done), job, *sources)
        except ray.exceptions.RayTaskError as problem:
            yield Finished(job, False, told(problem.cause))
        except ray.exceptions.RayError as problem:
            yield Finished(job, False, f"lost {RETRIES + 1} times ({first_line(problem)})")
        except Exception as problem:  # whatever is wrong with what came back, the other runs go on
            yield Finished(job, False, told(problem))
        else:
            yield Finished(job, True)


def resources(job: Job, nodes: Sequence[dict[str, float]]) -> dict[str, float]:
    """What `job` takes of a node, as Ray's options: `num_cpus`, `num_gpus` and `memory` in bytes.

    A share of a GPU is asked for only where a node has one at all; a project can also be trained without.

    Raises:
        ReportError: none of the `nodes`, each told as Ray's resources, has so much.
    """
    declared = catalogue.load(job.project).resources
    gpus = declared.gpus if any(node.get("GPU") for node in nodes) else 0.0
    memory = declared.memory_gib * 2**30
    if not any(
        node.get("CPU", 0) >= declared.cpus and node.get("GPU", 0) >= gpus and node.get("memory", 0) >= memory
        for node in nodes
    ):
        largest = max((node.get("CPU", 0) for node in nodes), default=0)
        raise ReportError(
            f"{job.project} asks for {declared.cpus} cores, {gpus:g} GPUs and {declared.memory_gib:g} GiB, and none of "
            f"the cluster's {len(nodes)} nodes has that (the largest has {largest:g} cores). Add a node, or lower the "
            "project's resources."
        )
    return {"num_cpus": declared.cpus, "num_gpus": gpus, "memory": memory}


def most_at_once(asked: dict[str, float], nodes: Sequence[dict[str, float]]) -> int:
    """How many runs that take what is `asked` can be on one of the `nodes` at a time."""
    has = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}
    wanted = {has[name]: amount for name, amount in asked.items() if amount}
    return max(int(min(node.get(name, 0) / amount for name, amount in wanted.items())) for node in nodes)


def perform(job: Job, variables: dict[str, str]) -> dict[str, bytes]:
    """Do `job` in this process, on whatever machine it is, and return the files that it left, by name.

    The environment `variables` are set before a backend is imported, which reads them then.
    """
    os.environ.update(variables)
    refuse_own_keras()
    if dataclasses.replace(job).start != job.start:  # which has travelled with the job, and the weights have not
        raise ReportError(f"{job.vgg16_weights} has another content on this machine than where the run was asked for.")
    if job.deterministic:
        os.environ.update(deterministic())
    backend.load()
    from experiments.worker import perform as train

    with tempfile.TemporaryDirectory() as results:
        train(job, Path(results))
        folder = dataclasses.replace(job, results=Path(results)).folder
        return {file.name: file.read_bytes() for file in folder.iterdir()}


def receive(files: dict[str, bytes], job: Job, git_commit: str | None, git_clean: bool | None) -> None:
    """Write what `perform` returned into the results of `job`.

    The sources have come to the node without their history, so that their commit is told here.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / record.RECORD_FILE
        file.write_bytes(files[record.RECORD_FILE])
        done = record.read(file)
    environment = done.environment.model_copy(update={"git_commit": git_commit, "git_clean": git_clean})
    keep(done.model_copy(update={"environment": environment}), files.get(MISTAKES), job.results)


def shares(jobs: int) -> list[set[int]]:
    """The cores that this process may use, dealt out to so many jobs; where there are fewer cores, some share one."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return [set(cores[k::jobs]) or set(cores[k % len(cores) :][:1] if cores else []) for k in range(jobs)]


def stamp(job: Job) -> tuple[int, int] | None:
    """What is another for every record that the folder of `job` ever holds; None where it holds none."""
    try:
        now = (job.folder / record.RECORD_FILE).stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_ino


def recorded_since(before: tuple[int, int] | None, job: Job) -> bool:
    """Whether another command has recorded what `job` asks for since its `stamp` was the one `before`."""
    if stamp(job) in (None, before):
        return False
    now = standing(job.results, job.project, job.seed, job.variant)
    with suppress(ReportError):
        return reason_to_train(job, now, Explicit(data=True, precision=True)) is None
    return False


def _take(free: queue.Queue[set[int]]) -> None:
    """Keep this thread, and the processes that it will start, to a share of the cores."""
    if share := free.get():
        os.sched_setaffinity(0, share)


def _alone(job: Job) -> int:
    """Train `job` in a process that has the terminal to itself, but for what it complains of, which passes by here."""
    with subprocess.Popen(
        _command(job), cwd=ROOT, env=_environment(job), stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if not says_nothing(line):
                    print(line, end="", file=sys.stderr, flush=True)
            return process.wait()
        except BaseException:
            _end(process)  # behind Ctrl+C, leaving the context would not wait for long
            raise


def _end(*processes: subprocess.Popen[Any]) -> None:
    """End processes, and not at once: each may have started one of its own.

    They end by an exception, which is lost where Python discards those, as in what it calls while it collects garbage;
    so they are asked again, but not before they had the time for it.
    """
    for _ in range(ASKED):
        for process in processes:
            process.terminate()
        with suppress(subprocess.TimeoutExpired):
            for process in processes:
                process.wait(timeout=PATIENCE)
            return
    for process in processes:
        process.kill()


def _in_turn(
    before: tuple[int, int] | None,
    job: Job,
    variables: dict[str, str],
    console: Console,
    started: list[subprocess.Popen[str]],
) -> int:
    return 0 if recorded_since(before, job) else _follow(job, variables, console, started)


def _follow(job: Job, variables: dict[str, str], console: Console, started: list[subprocess.Popen[str]]) -> int:
    """Train `job`, and show the lines that its process prints one by one: several bars would overwrite each other.

    The process, which is given these environment `variables` too, is added to those that were `started`.
    """
    with subprocess.Popen(
        _command(job),
        cwd=ROOT,
        env={**_environment(job), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if not says_nothing(line):
                console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
    return process.returncode


def says_nothing(line: str) -> bool:
    """Whether a line of a run's process is one that no user can act on."""
    return bool(GREETING.match(line)) or (bool(NO_DRIVER.match(line)) and not shutil.which("nvidia-smi"))


def _finished(job: Job, before: tuple[int, int] | None, status: int) -> Finished:
    if status:
        return Finished(job, False, killed("Its process", status) if status < 0 else "")
    if stamp(job) in (None, before):
        return Finished(job, False, "Its process ended before that. Does the project's script call exit()?")
    return Finished(job, True)


def killed(what: str, status: int) -> str:
    """What is said of a process that a signal ended: so the system ends one that takes all memory."""
    name = signal.Signals(-status).name
    return f"{what} was ended by {name}." + (
        " If nobody sent it, memory ran out: lower --batch-size or --image-size." if name == "SIGKILL" else ""
    )


def _command(job: Job) -> list[str]:
    return [sys.executable, "-m", "experiments", "train", *job.arguments]


def _environment(job: Job) -> dict[str, str]:
    return {**COMPILED, **os.environ, **(deterministic() if job.deterministic else {})}
