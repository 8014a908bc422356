"""What a run depends on beside the sources."""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest

from experiments import environment
from experiments.environment import (
    DETERMINISTIC,
    DETERMINISTIC_XLA,
    NO_FUSION,
    SIDE_BY_SIDE,
    accelerator,
    commit,
    cores,
    describe,
    deterministic,
    is_deterministic,
    kind_of,
    memory,
    model_of,
    processor,
    processor_kind,
    refuse_own_keras,
    versions,
)
from reportgen.checkout import git as ask
from reportgen.errors import ReportError


@pytest.mark.parametrize(
    "said", [{"floatx": "float16"}, {"epsilon": 1e-3}, {"image_data_format": "channels_first", "backend": "jax"}]
)
def test_what_a_user_has_told_keras_and_no_record_would_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, object]
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    refuse_own_keras()
    (tmp_path / "keras.json").write_text(json.dumps(said), encoding="utf-8")
    name, value = next(iter(said.items()))
    with pytest.raises(ReportError, match=rf"keras\.json: {name} is {value!r}, expected"):
        refuse_own_keras()


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"floatx": "float32", "epsilon": 1e-07, "backend": "torch", "image_data_format": "channels_last"}'],
)
def test_the_file_that_keras_itself_writes_and_one_that_is_none_are_in_nobody_s_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text(content, encoding="utf-8")
    refuse_own_keras()


def test_fewer_epochs_than_a_record_would_say_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    with pytest.raises(ReportError, match="KERAS_MAX_EPOCHS is set"):
        refuse_own_keras()


def test_a_backend_that_stands_idle_is_not_among_the_packages() -> None:
    found = versions("tensorflow")
    assert list(found)[:2] == ["keras", "tensorflow"]
    assert not {"jax", "jaxlib", "torch"} & set(found)
    assert "tensorflow" not in versions("jax")


def git(folder: Path, *arguments: str) -> str:
    """What git prints in `folder`, whoever the user is."""
    known = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *known, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the module that looks for a commit, not yet known to git."""
    own = tmp_path / "own"
    (own / "experiments" / "projects").mkdir(parents=True)
    (own / "experiments" / "environment.py").touch()
    monkeypatch.setattr(environment, "ROOT", own)
    monkeypatch.setattr(environment, "__file__", str(own / "experiments" / "environment.py"))
    return own


def test_a_commit_is_of_these_sources_and_they_are_as_committed_if_git_has_them_all(sources: Path) -> None:
    assert commit() == (None, None), "there is no checkout"
    git(sources, "init")
    assert commit() == (None, None), "nothing is committed"
    git(sources, "add", ".")
    assert commit() == (None, None), "nothing is committed"
    git(sources, "commit", "-m", "first")
    assert commit() == (git(sources, "rev-parse", "HEAD"), True)
    (sources / "notes.txt").touch()
    (sources / "experiments" / "results").mkdir()
    (sources / "experiments" / "results" / "record.json").touch()
    assert commit()[1] is True, "what no run is made from does not count"
    new = sources / "experiments" / "projects" / "p21_new.py"
    new.touch()
    assert commit()[1] is False, "a new project is in no commit"
    new.unlink()
    (sources / "experiments" / "environment.py").write_text("# changed", encoding="utf-8")
    assert commit()[1] is False


def test_a_repository_that_the_environment_names_is_not_asked(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (sources, tmp_path / "another"):
        folder.mkdir(exist_ok=True)
        git(folder, "init")
        git(folder, "commit", "--allow-empty", "-m", f"of {folder.name}")
    git(sources, "add", ".")
    git(sources, "commit", "-m", "the sources")
    own = git(sources, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "another" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(sources))
    assert commit() == (own, True)


def test_the_commit_of_a_checkout_around_these_sources_is_theirs_only_if_it_holds_them(sources: Path) -> None:
    around = sources.parent
    (around / "something else").touch()
    git(around, "init")
    git(around, "add", "something else")
    git(around, "commit", "-m", "first")
    assert commit() == (None, None)
    git(around, "add", ".")
    git(around, "commit", "-m", "the sources")
    assert commit() == (git(around, "rev-parse", "HEAD"), True)


ARM = "processor\t: {core}\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: {part}\n\n"


def test_a_processor_is_told_by_its_model_and_on_arm_by_its_maker_and_the_kinds_of_its_cores() -> None:
    intel = "processor\t: 0\nmodel name\t: A processor @ 2.50GHz\n\n"
    assert model_of(intel * 2) == "A processor @ 2.50GHz"
    parts = ("0xd0c", "0xd0c", "0xd40")
    arm = "".join(ARM.format(core=core, part=part) for core, part in enumerate(parts))
    assert model_of(arm) == f"{platform.machine()}, implementer 0x41, part 0xd0c, part 0xd40"
    assert model_of(f"model name\t: ARMv7\n{arm}") == "ARMv7, implementer 0x41, part 0xd0c, part 0xd40"
    assert model_of("processor\t: 0\n") is None


GENERATION = (
    "processor\t: {core}\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: {model}\nmodel name\t: AMD EPYC\n"
    "stepping\t: 1\ncpu MHz\t\t: {mhz}\nflags\t\t: fpu sse2 smep avx2 fma {more}\n\n"
)


def test_processors_of_one_name_are_told_apart_by_their_generation_and_what_they_compute_with() -> None:
    def told(model: int = 1, mhz: float = 2450.0, more: str = "avx") -> str:
        return "".join(GENERATION.format(core=core, model=model, mhz=mhz, more=more) for core in range(2))

    assert model_of(told()) == model_of(told(17, more="avx512f")) == "AMD EPYC"
    assert kind_of(told()) == kind_of(told(mhz=3100.5)) == "AuthenticAMD 25 1 1 avx avx2 fma"
    assert len({kind_of(told(1)), kind_of(told(17)), kind_of(told(more="avx512f"))}) == 3
    assert kind_of(ARM.format(core=0, part="0xd0c")) == "asimd"
    assert kind_of("processor\t: 0\n") is None
    assert processor_kind()


def test_a_processor_of_apple_is_told_by_what_its_system_calls_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setenv("PATH", str(tmp_path))
    before = processor()
    sysctl = tmp_path / "sysctl"
    sysctl.write_text('#!/bin/sh\ntest "$*" = "-n machdep.cpu.brand_string" && echo "Apple M4"\n')
    sysctl.chmod(0o700)
    assert (before != "Apple M4", processor()) == (True, "Apple M4")


def test_the_memory_of_a_machine_is_asked_of_windows_where_there_is_no_sysconf(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2**28 < memory() < 2**50

    def status(buffer: Any) -> None:
        assert buffer._obj[0] == ctypes.sizeof(buffer._obj)
        buffer._obj[1] = 2**35

    kernel32 = SimpleNamespace(GlobalMemoryStatusEx=status)
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel32), raising=False)
    assert memory() == 2**35


@pytest.mark.parametrize(
    ("backend", "installed", "known"),
    [
        ("jax", {"jax": "0.8.0", "jaxlib": "0.8.0"}, False),
        ("jax", {"jax": "0.8.2", "jaxlib": "0.8.2"}, True),
        ("jax", {"jax": "0.12.0.1", "jaxlib": "0.12.0.1"}, True),
        ("jax", {}, False),
        ("tensorflow", {"tensorflow": "2.20.0"}, False),
        ("tensorflow", {"tensorflow": "2.21.0"}, True),
    ],
)
def test_a_flag_is_kept_from_versions_that_would_end_at_it(
    backend: str, installed: dict[str, str], known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    monkeypatch.setattr(environment, "versions", lambda _: installed)
    assert deterministic(backend)["XLA_FLAGS"].split() == [DETERMINISTIC_XLA, *([NO_FUSION] if known else [])]


@pytest.mark.parametrize("own", ["", "--xla_dump_to=/dumps  --xla_force_host_platform_device_count=2"])
def test_the_flags_of_a_user_stay_and_do_not_make_a_run_less_deterministic(
    own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XLA_FLAGS", own)
    assert not environment.is_deterministic("tensorflow")
    wanted = deterministic("tensorflow")
    assert wanted["XLA_FLAGS"].split()[: len(own.split())] == own.split()
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    assert environment.is_deterministic("tensorflow")
    assert deterministic("tensorflow") == wanted, "given to a process that has them, they are not named twice"
    assert not set(own.split()) & set(deterministic("tensorflow", alone=True)["XLA_FLAGS"].split()), "as for a canary"


def test_pytorch_is_deterministic_only_where_it_was_told_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch is not among the locked packages, and variables alone leave cuDNN its choice."""
    told: list[bool] = []
    stand_in = SimpleNamespace(
        use_deterministic_algorithms=told.append, are_deterministic_algorithms_enabled=lambda: told == [True]
    )
    monkeypatch.setitem(sys.modules, "torch", stand_in)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(backend=SimpleNamespace(backend=lambda: "torch")))
    for name, value in DETERMINISTIC.items():
        monkeypatch.setenv(name, value)
    assert not environment.is_deterministic("torch")
    environment.use_deterministic_operations()
    assert environment.is_deterministic("torch")


def test_what_a_command_prints_is_read_as_utf8_and_need_not_be_any() -> None:
    program = "import sys; sys.stdout.buffer.write('é '.encode() + b'\\xff')"
    assert environment._printed(sys.executable, "-c", program) == "é \ufffd"


@pytest.mark.parametrize(
    ("problem", "asked", "told"),
    [
        (AssertionError(), "cuda", r"no device to compute on, with JAX_PLATFORMS=cuda \(AssertionError\)\. Unset"),
        (RuntimeError("Unable to initialize"), None, r"no device to compute on \(Unable to initialize\)\. Unset"),
    ],
)
def test_a_device_that_jax_does_not_find_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, asked: str | None, told: str
) -> None:
    jax = pytest.importorskip("jax")

    def none() -> None:
        raise problem

    monkeypatch.setattr(jax, "devices", none)
    if asked:
        monkeypatch.setenv("JAX_PLATFORMS", asked)
    else:
        monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    with pytest.raises(ReportError, match=told):
        accelerator("jax")


@pytest.mark.parametrize("beside", [None, "3"])
@pytest.mark.parametrize("gpu", [None, "A GPU"])
def test_a_record_tells_of_the_device_the_memory_the_company_and_the_care_that_its_run_had(
    beside: str | None, gpu: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Any] = {
        "accelerator": lambda _: gpu,
        "processor": lambda: "A processor",
        "processor_kind": lambda: "AMaker 25 1 1",
        "cores": lambda: 6,
        "memory": lambda: int(8.04 * 2**30),
        "is_deterministic": lambda _: gpu is not None,
        "commit": lambda: ("f" * 40, False),
    }
    for name, stand_in in made.items():
        monkeypatch.setattr(environment, name, stand_in)
    monkeypatch.delenv(SIDE_BY_SIDE, raising=False)
    if beside:
        monkeypatch.setenv(SIDE_BY_SIDE, beside)
    backend = keras.backend.backend()
    found = describe()
    assert found.backend == f"{backend} {importlib.metadata.version(backend)}"
    assert (found.device, found.processor_kind, found.cores) == (gpu or "A processor", "AMaker 25 1 1", 6)
    assert (found.memory_gib, found.side_by_side) == (8.0, int(beside or 1))
    assert (found.deterministic, found.git_commit, found.git_clean) == (gpu is not None, "f" * 40, False)


@pytest.mark.parametrize("said", ["abc", "0", "-1", "1.5", ""])
def test_a_number_of_runs_side_by_side_that_is_none_is_a_sentence(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SIDE_BY_SIDE, said)
    with pytest.raises(ReportError, match=rf"^{SIDE_BY_SIDE} is '{said}', expected a whole number from 1 on\."):
        describe()


def test_every_package_that_can_change_a_number_under_a_backend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"1.{len(name)}")
    usual = {"keras", "numpy", "opencv-python-headless", "pyarrow"}
    assert versions("jax").keys() == usual | {"jax", "jaxlib"}
    assert versions("torch").keys() == usual | {"torch"}
    assert versions("jax")["jaxlib"] == "1.6"


def test_a_process_that_lacks_any_part_of_determinism_is_not_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    wanted = deterministic("tensorflow")
    assert {name: wanted[name] for name in DETERMINISTIC} == DETERMINISTIC
    assert (wanted["TF_DETERMINISTIC_OPS"], wanted["CUBLAS_WORKSPACE_CONFIG"]) == ("1", ":4096:8")
    for lacking in (None, *wanted):
        for name, value in wanted.items():
            monkeypatch.setenv(name, "" if name == lacking else value)
        assert is_deterministic("tensorflow") is (lacking is None), lacking


@pytest.mark.parametrize(("asked", "flags"), [("torch", False), ("jax", True), (None, True)])
def test_what_makes_a_run_deterministic_is_that_of_the_backend_that_was_asked_for(
    asked: str | None, flags: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch knows no flags of XLA."""
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if asked:
        monkeypatch.setenv("KERAS_BACKEND", asked)
    assert (deterministic()["XLA_FLAGS"] != "") is flags


def test_a_run_with_fewer_steps_than_a_record_would_say_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "1")
    with pytest.raises(ReportError, match="KERAS_MAX_STEPS_PER_EPOCH is set"):
        environment.refuse_own_keras()


def test_a_record_that_changed_is_no_change_of_the_sources_and_a_module_that_is_ignored_none_either(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = sources / "experiments" / "results"
    results.mkdir()
    for file in (results / "record.json", sources / "reportgen" / "__init__.py"):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    (sources / ".gitignore").write_text("experiments/own_*.py\n")
    git(sources, "init")
    git(sources, "add", ".")
    git(sources, "commit", "-m", "first")
    (results / "record.json").write_text("{}", encoding="utf-8")
    (sources / "experiments" / "own_notes.py").touch()
    assert commit()[1] is True
    (sources / "reportgen" / "new.py").touch()
    assert commit()[1] is False, "what reads records decides what a run is made from, too"
    monkeypatch.setattr(environment, "git", lambda root, *words: None if words[0] == "status" else ask(root, *words))
    assert commit() == (git(sources, "rev-parse", "HEAD"), None), "where git does not say, nobody knows"


def test_the_cores_of_a_run_are_those_that_it_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


def test_the_kind_of_a_processor_is_more_than_its_name_and_its_first_core_gives_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = GENERATION.format(core=0, model=1, mhz=2450.0, more="avx")
    assert model_of(f"{told}model name\t: Another\n\n") == "AMD EPYC"
    monkeypatch.setattr(environment, "_cpuinfo", lambda: told)
    assert processor_kind() == "AuthenticAMD 25 1 1 avx avx2 fma"
    monkeypatch.setattr(environment, "_cpuinfo", lambda: "")
    monkeypatch.setattr(environment, "processor", lambda: "its name")
    assert processor_kind() == "its name"


@pytest.mark.parametrize("found", [(), ("A GPU", "Another")])
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_device_has_the_name_of_the_first_accelerator_if_there_is_one(
    backend: str, found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each backend is asked in its own way, by stand-ins here; a processor is no accelerator."""

    def details(device: str) -> dict[str, str]:
        return {"device_name": device, "compute_capability": "9.0"}

    def devices(kind: str) -> Iterable[str]:
        return found if kind == "GPU" else ["The processor"]

    there = [SimpleNamespace(platform="gpu", device_kind=name) for name in found]
    config = SimpleNamespace(list_physical_devices=devices, experimental=SimpleNamespace(get_device_details=details))

    def name_of(place: int) -> str:
        return found[place]

    stand_ins = {
        "tensorflow": SimpleNamespace(config=config),
        "jax": SimpleNamespace(devices=lambda: there or [SimpleNamespace(platform="cpu", device_kind="The processor")]),
        "torch": SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: bool(found), get_device_name=name_of)),
    }
    monkeypatch.setitem(sys.modules, backend, stand_ins[backend])
    assert accelerator(backend) == (found[0] if found else None)


def test_a_command_that_fails_or_is_not_there_has_printed_nothing() -> None:
    assert environment._printed(sys.executable, "-c", "print('half'); raise SystemExit(1)") is None
    assert environment._printed("no-such-command-as-this") is None
