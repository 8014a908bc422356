"""Memory that runs out: a sentence that says what to lower, whichever library tells it."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from experiments import __main__ as command_line
from experiments.memory import device_peak, enough_memory, peak
from reportgen.errors import ReportError
from tests.experiments.labelled_files import few

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = r"ran out with batches of 256 images of 64x64 pixels\. Lower --batch-size or --image-size\."


def test_the_backend_s_own_error_becomes_a_sentence() -> None:
    """No processor can address so many bytes."""
    with pytest.raises(ReportError, match=SENTENCE), enough_memory(256, 64):
        keras.layers.Dense(2**22, kernel_initializer="zeros").build((None, 2**23))


def test_numpy_s_error_becomes_the_same_sentence() -> None:
    with pytest.raises(ReportError, match=SENTENCE), enough_memory(256, 64):
        np.ones((2**24, 2**20))


@pytest.mark.parametrize("command", ["pretrain", "features"])
@pytest.mark.project("p00_base")
def test_memory_that_runs_out_away_from_a_run_is_the_sentence_with_the_options_that_there_are(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr("experiments.pretrain.build", exhausted)
    monkeypatch.setattr("experiments.features.described", exhausted)
    monkeypatch.setattr(command_line, "from_file", lambda _: None)
    weights = tmp_path / "any.h5"
    weights.touch()
    asked, options = {
        "pretrain": (["--data", str(few(tmp_path / "few")), "--output", str(tmp_path)], "--batch-size or --image-size"),
        "features": (["--data", "sample", "--vgg16-weights", str(weights)], "--image-size"),
    }[command]
    arguments = [command, *asked, "--image-size", "48", "--records", str(tmp_path / "records")]
    done = CliRunner().invoke(command_line.app, arguments)
    assert isinstance(done.exception, ReportError)
    assert str(done.exception).endswith(f"batches of 256 images of 48x48 pixels. Lower {options}.")


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), enough_memory(256, 64):
        1 / 0  # noqa: B018
    with pytest.raises(ReportError, match="something else"), enough_memory(256, 64):
        raise ReportError("something else")


def test_what_a_process_held_is_told_apart_from_what_its_parent_held() -> None:
    """As a child of this process, which holds a backend and, for a moment, a quarter of a gibibyte more."""
    held = np.ones(2**28, dtype=np.uint8)
    program = "from experiments.memory import peak; a = peak(); b = bytearray(b'1') * 2**27; print(a, peak())"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert 0 < before < held.nbytes / 2**30
    assert after - before == pytest.approx(1 / 8, abs=0.02)


def test_a_device_is_asked_for_its_memory_only_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_peak() is None, "these tests compute on the processor"
    jax = pytest.importorskip("jax")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert device_peak() is None, "JAX does not count the processor's memory"

    class Accelerator:
        def memory_stats(self) -> dict[str, int]:
            return {"bytes_in_use": 2**30, "peak_bytes_in_use": 3 * 2**30}

    monkeypatch.setattr(jax, "local_devices", lambda: [Accelerator()])
    assert device_peak() == 3


@pytest.mark.parametrize(
    "problem",
    [
        RuntimeError("RESOURCE_EXHAUSTED: while trying to allocate 68719476736 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        ValueError("Graph execution error: OOM when allocating tensor with shape[512,64]"),
        RuntimeError("std::bad_alloc"),
        ValueError("Unable to allocate 128. TiB for an array"),
        MemoryError(),
    ],
)
def test_whichever_words_say_that_memory_ran_out_become_the_sentence(problem: Exception) -> None:
    """With the images of a batch and their side each in its place."""
    told = r"with batches of 7 images of 48x48 pixels\. Lower --epochs\.$"
    with pytest.raises(ReportError, match=told) as raised, enough_memory(7, 48, "--epochs"):
        raise problem
    assert raised.value.__cause__ is problem


def test_a_mistake_that_speaks_of_memory_is_told_in_its_own_words() -> None:
    with pytest.raises(ReportError, match=r"^Its canary ran out of memory\.$"), enough_memory(7, 48):
        raise ReportError("Its canary ran out of memory.")


def test_what_a_process_held_is_what_it_held_at_most_whichever_system_tells_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linux in its own file, in KiB; macOS in bytes, others in KiB."""
    status = "VmPeak:\t 9437184 kB\nVmHWM:\t 3145728 kB\nVmRSS:\t 1048576 kB\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: status)
    assert peak() == 3
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "Name:\tpython\n")
    assert peak() == 0

    def none(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", none)
    for system, held in (("darwin", 3 * 2**30), ("freebsd14", 3 * 2**20)):
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(resource, "getrusage", lambda _, held=held: SimpleNamespace(ru_maxrss=held))
        assert peak() == 3


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_an_accelerator_is_asked_what_was_held_at_most(
    backend: str, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By stand-ins: each backend tells it in its own way."""
    config = SimpleNamespace(
        list_logical_devices=lambda kind: ["one"] if there and kind == "GPU" else [],
        experimental=SimpleNamespace(get_memory_info=lambda _: {"current": 2**30, "peak": 3 * 2**30}),
    )
    cuda = SimpleNamespace(
        is_available=lambda: there, memory_allocated=lambda: 2**30, max_memory_allocated=lambda: 3 * 2**30
    )
    stand_in = SimpleNamespace(config=config, cuda=cuda)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setitem(sys.modules, backend, stand_in)
    assert device_peak() == (3 if there else None)
