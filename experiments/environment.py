"""What a run depends on beside the sources: processor, memory, versions, commit."""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from pathlib import Path

from reportgen.checkout import git
from reportgen.errors import ReportError, first_line
from reportgen.record import Environment

ROOT = Path(__file__).resolve().parents[1]
"""The root of the repository."""

PACKAGES = ("keras", "numpy", "opencv-python-headless", "pyarrow")
"""Those whose version can change a number, beside the backend."""
BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}
"""The packages of each backend of Keras."""
USUAL_BACKEND = "tensorflow"
"""What Keras computes with where KERAS_BACKEND names nothing else."""

DETERMINISTIC = {"TF_DETERMINISTIC_OPS": "1", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
"""Environment variables under which the backends compute the same twice, beside XLA's flags."""
XLA = {"jax": "jaxlib", "tensorflow": "tensorflow"}
"""The backends that compile with XLA, and the package that brings it."""
DETERMINISTIC_XLA = "--xla_gpu_deterministic_ops=true"
NO_FUSION = "--xla_cpu_experimental_ynn_fusion_type="
"""Keeps JAX 0.11.2 on a processor from a way to multiply in sixteen bits that may answer NaN."""
NO_FUSION_FROM = {"jaxlib": (0, 8, 2), "tensorflow": (2, 21)}
"""The first versions that know this flag; XLA ends the process where it is given one that it does not know."""
PROCESSOR = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
"""Environment variables under which the backends leave a GPU alone."""
COMPILED = {"JAX_COMPILATION_CACHE_DIR": str(ROOT / "build" / "xla")}
"""Where JAX keeps what it has compiled, so that another seed of a project need not wait for that again."""

VECTORS = re.compile(r"avx|fma|amx|asimd|sve|bf16|i8mm")
"""How the names of instructions begin that compute several numbers at once, by Linux."""

KERAS = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
"""What Keras takes from a file of the user's, and what it takes where there is none."""
KERAS_LIMITS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
"""The environment variables in which Keras is told to train for less than it is asked for."""

SIDE_BY_SIDE = "EXPERIMENTS_SIDE_BY_SIDE"
"""The environment variable in which a run is told how many run beside it on this machine, itself included; on a
cluster, how many may."""


def chosen_backend() -> str:
    """The name of the backend that Keras computes with, or will."""
    return os.environ.get("KERAS_BACKEND", USUAL_BACKEND)


def python() -> str:
    """How a command begins that repeats what this process does: Python, and before it a backend that is not the usual
    one.
    """
    backend = chosen_backend()
    return "python" if backend == USUAL_BACKEND else f"KERAS_BACKEND={backend} python"


def refuse_own_keras() -> None:
    """Nothing, unless the user has told Keras to compute otherwise than usual, which no record would name.

    Raises:
        ReportError: a file or an environment variable does.
    """
    file = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "keras.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = {}  # as Keras takes it
    for name, usual in KERAS.items():
        if isinstance(said, dict) and said.get(name, usual) != usual:
            raise ReportError(
                f"{file}: {name} is {said[name]!r}, expected {usual!r}: it would change the numbers of every run, and "
                "no record would say so. Take it out; --precision names the arithmetic of a run."
            )
    for name in KERAS_LIMITS:
        if name in os.environ:
            raise ReportError(
                f"{name} is set, and Keras would train for less than every record says. Unset it; --epochs makes a "
                "training shorter."
            )


def describe() -> Environment:
    """This machine and these programs, now; imports Keras.

    Raises:
        ReportError: as `accelerator`, or SIDE_BY_SIDE counts nothing.
    """
    import keras

    backend = keras.backend.backend()
    git_commit, git_clean = commit()
    return Environment(
        python=platform.python_version(),
        backend=f"{backend} {importlib.metadata.version(backend)}",
        packages=versions(backend),
        platform=f"{platform.system()} {platform.machine()}",
        device=accelerator(backend) or processor(),
        processor_kind=processor_kind(),
        cores=cores(),
        side_by_side=side_by_side(),
        memory_gib=round(memory() / 2**30, 1),
        deterministic=is_deterministic(backend),
        git_commit=git_commit,
        git_clean=git_clean,
    )


def side_by_side() -> int:
    """How many runs are on this machine at a time, this one included.

    Raises:
        ReportError: the environment variable that tells it holds no such number.
    """
    said = os.environ.get(SIDE_BY_SIDE, "1")
    if not said.isdecimal() or int(said) < 1:
        raise ReportError(
            f"{SIDE_BY_SIDE} is {said!r}, expected a whole number from 1 on. Unset it: --jobs says how many runs stand "
            "side by side."
        )
    return int(said)


def deterministic(backend: str | None = None, *, alone: bool = False) -> dict[str, str]:
    """Environment variables under which `backend` computes the same twice, read once when it starts.

    What a user has among XLA's flags stays there, unless these are to stand `alone`. None: the backend that
    KERAS_BACKEND asks for.
    """
    given = [] if alone else os.environ.get("XLA_FLAGS", "").split()
    added = [flag for flag in _xla_flags(backend or chosen_backend()) if flag not in given]
    return DETERMINISTIC | {"XLA_FLAGS": " ".join([*given, *added])}


def use_deterministic_operations() -> None:
    """Let the backend compute the same twice in this process, where environment variables alone do not see to it."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        torch.use_deterministic_algorithms(True)


def is_deterministic(backend: str) -> bool:
    """Whether this process has what `deterministic` and `use_deterministic_operations` set."""
    if backend == "torch":
        import torch

        if not torch.are_deterministic_algorithms_enabled():
            return False
    given = os.environ.get("XLA_FLAGS", "").split()
    return all(os.environ.get(name) == value for name, value in DETERMINISTIC.items()) and all(
        flag in given for flag in _xla_flags(backend)
    )


def _xla_flags(backend: str) -> list[str]:
    """The flags with which the XLA of `backend` computes the same twice, those alone that its version knows."""
    if backend not in XLA:
        return []
    package = XLA[backend]
    version = tuple(int(part) for part in re.findall(r"\d+", versions(backend).get(package, "")))
    return [DETERMINISTIC_XLA, *([NO_FUSION] if version >= NO_FUSION_FROM[package] else [])]


def commit() -> tuple[str | None, bool | None]:
    """The commit of these sources, and whether they are as committed there; None where git does not have them.

    They may lie unpacked inside the checkout of something else, whose commit is not theirs.
    """
    own = Path(__file__).resolve().relative_to(ROOT).as_posix()
    if not git(ROOT, "ls-files", "--error-unmatch", "--", own) or not (found := git(ROOT, "rev-parse", "HEAD")):
        return None, None
    # Results are what a run writes, not what it is made from.
    changes = git(ROOT, "status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)experiments/results")
    # A new project that git does not know yet is in no commit.
    added = git(ROOT, "ls-files", "--others", "--exclude-standard", "--", "experiments/*.py", "reportgen/*.py")
    return found, None if changes is None or added is None else not changes + added


def versions(backend: str) -> dict[str, str]:
    """The version of each package that can change a number under `backend`; the other backends do not matter."""
    found = {}
    for package in (*PACKAGES[:1], *BACKENDS.get(backend, ()), *PACKAGES[1:]):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> int:
    """The memory of this machine, in bytes."""
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    status = (ctypes.c_uint64 * 8)(64)  # on Windows: its own length in bytes, and behind it the memory
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined]
    return status[1]


def processor() -> str:
    """The processor's model name."""
    if platform.system() == "Darwin" and (name := _printed("sysctl", "-n", "machdep.cpu.brand_string")):
        return name
    return model_of(_cpuinfo()) or platform.processor() or platform.machine()


def processor_kind() -> str:
    """What tells this processor from others of the same name; its name where the system says no more."""
    return kind_of(_cpuinfo()) or processor()


def _cpuinfo() -> str:
    """What Linux tells of its processors; nothing elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def model_of(cpuinfo: str) -> str | None:
    """The processor's model as Linux tells it: its name, on ARM the number of its maker and of each kind of core."""
    found = re.findall(r"^(model name|CPU implementer|CPU part)\s*:\s*(.*\S)", cpuinfo, re.MULTILINE)
    names = [value for field, value in found if field == "model name"]
    numbers = dict.fromkeys(f"{field.removeprefix('CPU ')} {value}" for field, value in found if field != "model name")
    if not numbers:
        return names[0] if names else None
    return ", ".join([*(names[:1] or [platform.machine()]), *numbers])


def kind_of(cpuinfo: str) -> str | None:
    """Maker, family, model, stepping and vector instructions of a processor as Linux tells them; None if it does not.

    The name alone is not enough: a virtual machine may call every generation of a processor the same, and each computes
    with other instructions and so rounds in other places.
    """
    found = dict(
        re.findall(r"^(vendor_id|cpu family|model|stepping|flags|Features)\s*:\s*(.*\S)", cpuinfo, re.MULTILINE)
    )
    instructions = found.pop("flags", "") or found.pop("Features", "")
    return " ".join([*found.values(), *sorted(filter(VECTORS.match, instructions.split()))]) or None


def accelerator(backend: str) -> str | None:
    """The name of the first GPU or TPU that the backend computes on, if any.

    Raises:
        ReportError: JAX was told to compute on a device that there is not.
    """
    if backend == "jax":
        import jax

        try:
            device = jax.devices()[0]
        except (RuntimeError, AssertionError) as problem:
            asked = os.environ.get("JAX_PLATFORMS", "")
            raise ReportError(
                f"JAX finds no device to compute on{f', with JAX_PLATFORMS={asked}' if asked else ''} "
                f"({first_line(problem)}). Unset that variable, or install JAX for the device: jax[cuda12] for a GPU."
            ) from problem
        return None if device.platform == "cpu" else str(device.device_kind)
    if backend == "torch":
        import torch

        return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None
    if backend == "tensorflow":
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
        return str(tf.config.experimental.get_device_details(devices[0])["device_name"]) if devices else None
    return None


def _printed(*command: str) -> str | None:
    """What a command prints, or None where it is not there or fails."""
    try:
        # Whatever the locale says, these commands speak UTF-8.
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
