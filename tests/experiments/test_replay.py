"""Canaries of recorded runs that are sung again: what their processes say, and what is made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from experiments import replay
from experiments.canary import Specification
from experiments.environment import PROCESSOR, deterministic
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


@pytest.mark.parametrize("apart", [0.0, 1e-9, 0.5])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_canary_is_held_against_the_record_s_and_what_they_have_in_common_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: float, elsewhere: bool
) -> None:
    """Bit for bit on the same machine; within the tolerance on another, with the distance that was found."""
    done = synthetic.record()
    first, *others = done.canary.step_losses
    sung = done.canary.model_copy(update={"step_losses": (first * (1 + apart), *others)})
    specification = Specification(
        network=done.network, settings=done.settings, seed=0, precision=done.precision, canary=sung
    )
    there = done.environment.model_copy(update={"platform": "another"} if elsewhere else {})
    monkeypatch.setattr(replay, "singing", lambda *_: nullcontext())
    monkeypatch.setattr(replay, "sources", lambda _: {"a.py": synthetic.HASH})
    monkeypatch.setattr(
        replay, "answer", lambda _: {"specification": specification.model_dump(), "environment": there.model_dump()}
    )
    agrees = not apart or (elsewhere and apart < 1e-6)
    console = Console(file=StringIO(), width=300)
    assert replay.replay(tmp_path, done, console) == ("confirmed" if agrees else "stale")
    confirmations = record.read_confirmations(record.folder_of(done, tmp_path))
    assert len(confirmations) == agrees
    for one in confirmations:
        assert one.exact == (not apart) and one.largest_difference == pytest.approx(apart, rel=1e-3)
        assert (one.environment, one.sources) == (there, {"a.py": synthetic.HASH})
    assert isinstance(console.file, StringIO)
    expected = ("bit for bit" if not apart else "within the tolerance") if agrees else "stale. the "
    assert expected in console.file.getvalue()


@pytest.mark.parametrize(
    ("variant", "told"), [("2-epochs", " Train it again with `do [it] again`, or delete its folder."), (None, "")]
)
def test_of_a_stale_variant_the_command_is_told_that_alone_trains_it_again(
    variant: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = synthetic.record(variant=variant, command="do [it] again")
    monkeypatch.setattr(replay, "singing", lambda *_: nullcontext())
    monkeypatch.setattr(replay, "departures", lambda _: (Sizes(), None))
    monkeypatch.setattr(replay, "sources", lambda _: {"a.py": synthetic.HASH})
    specification = Specification(
        network=done.network, settings={"epochs": 7}, seed=0, precision=done.precision, canary=done.canary
    )
    said = {"specification": specification.model_dump(), "environment": done.environment.model_dump()}
    monkeypatch.setattr(replay, "answer", lambda _: said)
    console = Console(file=StringIO(), width=300)
    assert replay.replay(tmp_path, done, console) == "stale"
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().rstrip().endswith(f".{told}")


def test_a_canary_is_asked_for_as_its_run_was_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    settings = {"image_size": 16, "batch_size": 8, "epochs": 3, "pixel_scaling": "BGR - ImageNet mean"}
    done = synthetic.record(
        variant="mine-own-preprocessing-16px-batch-8-3-epochs", seed=4, precision="mixed_bfloat16", settings=settings
    )

    def singing(*arguments: Any) -> nullcontext[None]:
        asked.append(arguments)
        raise ReportError("that is enough")

    monkeypatch.setattr(replay, "singing", singing)
    assert replay.replay(tmp_path, done, Console(file=StringIO())) == "undecided"
    sizes = Sizes(16, 8, 3)
    assert asked == [
        ("p00_base", 4, "mixed_bfloat16", sizes, "tensorflow", "BGR - ImageNet mean", done.environment.cores)
    ]


def test_the_process_of_a_canary_is_told_everything_and_computes_the_same_twice_on_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tells = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
    script, python = tmp_path / "python", sys.executable
    script.write_text(f'#!/bin/sh\nexec {python} -c "{tells}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setenv("XLA_FLAGS", "--xla_of_a_user")
    for name in PROCESSOR:
        monkeypatch.setenv(name, "of a user")
    wanted = deterministic("jax", alone=True)
    with singing("p05_augmentation", 4, "float32", Sizes(16, 8, 3), "jax", "1/255", 2) as process:
        output, _ = process.communicate()
    arguments, environment = json.loads(output)
    options = "--seed 4 --precision float32 --image-size 16 --batch-size 8 --epochs 3 --pixel-scaling 1/255 --cores 2"
    assert arguments == ["-m", "experiments", "canary", "p05_augmentation", *options.split()]
    assert wanted.items() | PROCESSOR.items() | {("KERAS_BACKEND", "jax")} <= environment.items()


@pytest.mark.parametrize("part", ["device", "cores", "platform", "backend"])
def test_a_machine_is_another_where_anything_that_changes_numbers_is(part: str) -> None:
    now = synthetic.environment()
    assert not same_machine(now, now.model_copy(update={part: 99 if part == "cores" else "another"}))
