"""Canaries of recorded runs that are sung again: what their processes say, and what is made of it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from experiments import replay
from experiments.canary import Specification
from experiments.job import Sizes
from experiments.replay import answer, same_machine, singing
from reportgen import record
from reportgen.errors import ReportError
from tests import synthetic


def test_a_canary_that_sang_while_its_sources_changed_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process reads them a moment after they were fingerprinted."""
    done = synthetic.record()
    sung = Specification(
        network=done.network, settings=done.settings, seed=0, precision=done.precision, canary=done.canary
    )
    answered = {"specification": sung.model_dump(), "environment": done.environment.model_dump()}
    monkeypatch.setattr(replay, "singing", lambda *_: nullcontext())
    monkeypatch.setattr(replay, "answer", lambda _: answered)
    for then, verdict, confirmations in ((synthetic.HASH, "confirmed", 1), ("f" * 64, "undecided", 1)):
        found = iter([{"a.py": synthetic.HASH}, {"a.py": then}])
        monkeypatch.setattr(replay, "sources", lambda _, found=found: next(found))
        console = Console(file=StringIO())
        assert replay.replay(tmp_path, done, console) == verdict
        assert len(record.read_confirmations(record.folder_of(done, tmp_path))) == confirmations


def test_what_a_canary_said_before_the_system_ended_it_is_told() -> None:
    aborts = "echo 'Unknown flag in XLA_FLAGS: --new' >&2; kill -ABRT $$"
    with (
        subprocess.Popen(["sh", "-c", aborts], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        pytest.raises(ReportError, match=r"ended by SIGABRT\. It said: Unknown flag in XLA_FLAGS: --new$"),
    ):
        answer(process)


def test_a_canary_that_ends_well_before_it_has_sung_is_told() -> None:
    with (
        subprocess.Popen(["true"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
        pytest.raises(ReportError, match=r"ended before it had sung\. Does the project's script call exit\(\)\?"),
    ):
        answer(process)


def test_a_canary_whose_complaint_is_no_text_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nprintf 'error: jos\\351' >&2; exit 1\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with singing("p00_base", 0, "float32", Sizes()) as process, pytest.raises(ReportError, match=r"^jos\ufffd$"):
        answer(process)


def test_a_backend_that_stood_idle_does_not_make_another_machine() -> None:
    before = synthetic.environment()
    for package, same in (("jax", True), ("torch", True), ("tensorflow", False), ("numpy", False)):
        packages = {**before.packages, package: "99"}
        assert same_machine(before, before.model_copy(update={"packages": packages})) == same


def test_a_machine_is_the_same_only_where_its_kind_of_processor_is_known() -> None:
    now = synthetic.environment()
    other, old = (now.model_copy(update={"processor_kind": kind}) for kind in ("AMaker 25 17 1 avx512f", None))
    assert same_machine(now, now)
    assert not any(same_machine(*pair) for pair in ((now, other), (old, now), (now, old), (old, old)))
