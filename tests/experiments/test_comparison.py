"""What the bench measures: operations counted from the network, and a real session on one project."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from experiments import __main__ as command_line
from experiments import catalogue, data, resident, train
from experiments.comparison import commands, precision, seeds, session, site, training
from experiments.comparison.session import compare, told
from experiments.comparison.training import comparisons, operations_of, pipeline, work_of
from experiments.data import Images
from experiments.environment import COMPILED
from experiments.executor import SHARED_DEVICE
from experiments.job import Job, sources
from experiments.limits import _site
from experiments.project import Augmentation, Project
from experiments.scaling import BGR_MEAN, scaled
from reportgen import record
from reportgen.bench import Comparison, read
from reportgen.errors import ReportError
from tests import synthetic
from tests.experiments import other_backend


def test_a_step_whose_operations_are_not_counted_is_taken_for_as_many_as_use_each_weight_once() -> None:
    layers = keras.layers

    def project(*found: keras.layers.Layer) -> Project:
        return dataclasses.replace(catalogue.load("p00_base"), network=lambda _: keras.Sequential([*found]))

    deep = project(layers.DepthwiseConv2D(3, padding="same"), layers.Flatten())
    assert work_of(deep) == operations_of(deep) == 4 * 3 * 3 * 3 * 32**2
    recurrent = project(layers.Reshape((32, 32 * 3)), layers.LSTM(16), layers.Dense(10))
    assert operations_of(recurrent) is None
    assert work_of(recurrent) == 6 * (4 * (96 + 16 + 1) * 16 + 170)
    assert work_of(project(layers.Flatten())) == 6


@pytest.mark.slow
def test_a_project_is_measured_against_the_study_s_way_its_own_step_and_the_device() -> None:
    found = {one.group: one for one in comparisons("p00_base", "sample", rounds=2)}
    assert set(found) == {"training", "epochs", "training_bfloat16", "pipeline", "peak", "memory"}
    assert all(one.subject == "p00_base" and min(one.ratios) > 0 for one in found.values())
    assert {len(found[group].measured) for group in ("training", "epochs", "pipeline", "peak")} == {2}
    assert 0.1 < found["memory"].measured[0] < 16, "GiB"


ACCELERATED = """
import dataclasses, json
from experiments import catalogue, resident, train
from experiments.comparison import training

train.pays = resident.pays = lambda: True
resident.MOST, training.DRAWN_BY_PYTHON, training.LARGE_MATRIX = 2, 1, 64
small, moved = catalogue.load("p00_base"), catalogue.load("p05_augmentation").training.augmentation
few = dataclasses.replace(small, training=dataclasses.replace(small.training, batch_size=4, augmentation=moved))
catalogue.load = lambda _: few
found = {one.group: one.model_dump(mode="json") for one in training.times("p00_base", "sample", 1)}
memory = [training.peak_memory(way, "p00_base", "sample")[0] for way in ("ours", "study")]
print(json.dumps([found, memory]))
"""


@pytest.mark.slow
@pytest.mark.project("p05_augmentation")
def test_on_an_accelerator_a_round_is_a_whole_call_of_every_kind() -> None:
    """Here, a processor plays the accelerator, with two small batches a call."""
    found, memory = other_backend.said("jax", ACCELERATED)
    assert set(found) == {"training", "training_bfloat16", "pipeline", "peak"}
    assert all(one["measured"][0] > 0 and one["reference"][0] > 0 for one in found.values())
    assert all(0.1 < held < 16 for held in memory)


@pytest.mark.slow
def test_seeds_side_by_side_are_measured_against_one_alone_and_one_that_fails_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seeds, "together", lambda: 2)
    (found,) = seeds.comparisons("p00_base", "sample", rounds=2, operations=1e10)
    assert (found.group, found.subject, found.against) == ("seeds", "p00_base", "one_alone")
    assert len(found.measured) == len(found.reference) == 2 and min(found.ratios) > 0.2
    with pytest.raises(ReportError, match=r"could not be measured: .*no-such-folder"):
        list(seeds.comparisons("p00_base", "no-such-folder", rounds=1))


def test_a_seed_that_ended_before_it_was_told_to_train_says_why() -> None:
    command = [sys.executable, "-c", "raise SystemExit('no memory was left')"]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
        ) as process,
    ):
        process.wait()
        training = seeds.Training(process, complaints)
        training.tell()
        with pytest.raises(ReportError, match=r"could not be measured: no memory was left$"):
            training.images()


def test_the_training_that_an_up_to_date_run_spares_is_the_project_s_and_no_variant_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variant in (None, "batch-8"):
        record.write(synthetic.record(variant=variant, seconds=30.0, sources=sources("p00_base")), tmp_path)
    asked: list[tuple[str, ...]] = []

    def timed(*command: str) -> float:
        asked.append(command)
        return 1.0

    monkeypatch.setattr(commands, "RESULTS", tmp_path)
    monkeypatch.setattr(commands, "timed", timed)
    found = next(commands.comparisons(1))
    assert found.reference == (30.0,)
    assert asked == [("-m", "experiments", "run", "p00_base", "--seed", "0")]


def test_a_preview_or_a_figure_that_fails_is_told_at_once_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'it has no port' >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    page = tmp_path / "report" / "docs" / "en" / "method.md"
    page.parent.mkdir(parents=True)
    page.write_text("# A page")
    monkeypatch.setattr(commands, "ROOT", tmp_path / "report")
    monkeypatch.setattr(commands, "PATIENCE", 20)
    with pytest.raises(ReportError, match=r"The preview ended before it showed a page: it has no port$"):
        next(commands.changed_pages(tmp_path / "copy"))
    with pytest.raises(ReportError, match=r"`python -m reportgen build .* could not be measured: it has no port$"):
        _site()


@pytest.mark.parametrize(("largest", "address"), [("projects/mine", "de/projects/mine/"), ("index", "de/")])
def test_the_page_that_changes_is_the_largest_of_whichever_there_are(
    largest: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    pages = tmp_path / "report" / "docs" / "de"
    (pages / "projects").mkdir(parents=True)
    for name in ("index", "projects/mine"):
        (pages / f"{name}.md").write_text("# A page" + " of many words" * (name == largest))
    asked: list[str] = []

    def appears(address: str, text: str, *_: object) -> None:
        changed = (tmp_path / "copy" / "docs" / "de" / f"{largest}.md").read_text()
        asked.append(address.split("/", 3)[3])
        assert text == "</html>" or text in changed

    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(commands, "ROOT", tmp_path / "report")
    monkeypatch.setattr(commands, "_appears", appears)
    with closing(commands.changed_pages(tmp_path / "copy")) as changed:
        assert len([next(changed), next(changed)]) == 2
    assert asked == [address] * 3


@pytest.mark.parametrize("variant", [None, "batch-8"])
def test_without_a_recorded_run_the_site_is_not_measured_and_why_is_told_at_once(
    variant: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variant:
        record.write(synthetic.record(variant=variant), tmp_path)
    monkeypatch.setattr(site, "RESULTS", tmp_path)
    monkeypatch.setattr(site, "timed", lambda *_: pytest.fail("something was built"))
    with pytest.raises(ReportError, match="there is no recorded run to copy, expected one of a project as it is"):
        next(site.comparisons(1, (10, 100)))
    with pytest.raises(ReportError, match="there is no recorded run to copy"):
        site.copies(tmp_path / "copies", 12)


@pytest.mark.study
def test_the_records_of_the_growth_are_as_many_as_they_say(tmp_path: Path) -> None:
    site.copies(tmp_path, 12)
    assert len(list(tmp_path.glob("*/seed-*/record.json"))) == 12


def test_a_comparison_in_the_terminal_has_both_figures_and_their_ratio() -> None:
    one = Comparison(
        group="site", subject="build", unit="s", measured=(2.0, 3.0), against="sphinx", reference=(4.0, 4.0)
    )
    assert told(one) == ("site", "build", "2.5 s", "4 s (sphinx)", "0.625 (0.5 to 0.75)")


def test_precisions_are_compared_seed_by_seed_and_what_was_trained_before_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float32 the recorded run, if it is up to date, saw the same images and was trained on this device by this
    backend; else the run of an earlier bench.
    """
    recorded, scratch = tmp_path / "recorded", tmp_path / "scratch"
    monkeypatch.setattr(precision, "RESULTS", recorded)
    monkeypatch.setattr(precision, "SCRATCH", scratch)

    monkeypatch.setattr(precision, "describe", synthetic.environment)
    today = sources("p00_base")

    def trained(
        folder: Path,
        seed: int,
        arithmetic: str,
        right: int,
        images: str = "sample",
        of: dict[str, str] = today,
        **there: str,
    ) -> None:
        made = synthetic.record("p00_base", seed, right=right, precision=arithmetic, sources=of)
        seen = made.dataset.model_copy(update={"name": images, "sha256": data.load("sample").sha256})
        other = made.environment.model_copy(update=there)
        record.write(made.model_copy(update={"dataset": seen, "environment": other}), folder)

    trained(recorded, 0, "float32", 60, backend="tensorflow 3.0.0")
    trained(recorded, 1, "float32", 99, images="cifar10")
    trained(recorded, 2, "float32", 98, of={**today, "experiments/train.py": synthetic.HASH})
    trained(recorded, 3, "float32", 97, device="An accelerator")
    trained(recorded, 4, "float32", 96, backend="jax 0.11.2")
    trained(scratch / "sample" / "float32", 1, "float32", 62)
    trained(scratch / "sample" / "float32", 2, "float32", 64)
    trained(scratch / "sample" / "float32", 3, "float32", 66)
    trained(scratch / "sample" / "float32", 4, "float32", 68)
    for seed, right in ((0, 61), (1, 59), (2, 63), (3, 65), (4, 67)):
        trained(scratch / "sample" / "mixed_bfloat16", seed, "mixed_bfloat16", right)
    (found,) = precision.comparisons("p00_base", "sample", (0, 1, 2, 3, 4))
    assert (found.reference, found.measured) == ((60, 62, 64, 66, 68), (61, 59, 63, 65, 67))
    assert (found.group, found.unit, found.against) == ("precision", "%", "float32")


@pytest.mark.parametrize("asked", [(), ("p01_deeper",), ("p05_augmentation", "p00_base")])
def test_precisions_are_compared_for_the_projects_that_are_named_whichever_are_measured(
    asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Comparison(group="check", subject="site", unit="s", measured=(1.0,), against="other", reference=(1.0,))

    def precise(identifier: str, _: str) -> Iterator[Comparison]:
        yield usual.model_copy(update={"group": "precision", "subject": identifier})

    monkeypatch.setattr(commands, "comparisons", lambda *_: iter([usual]))
    monkeypatch.setattr(site, "comparisons", lambda *_: iter(()))
    monkeypatch.setattr(precision, "comparisons", precise)
    parts = ("commands", "site", *(("precision",) if asked else ()))
    benches = list(compare((), "sample", True, parts=parts, precise=asked))
    subjects = ["site", *asked]
    assert [[one.subject for one in found.comparisons] for found in benches] == [
        subjects[: k + 1] for k in range(len(subjects))
    ]


def test_only_the_parts_that_were_named_are_measured_and_nothing_at_all_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (commands, site, precision):
        monkeypatch.setattr(module, "comparisons", lambda *_: pytest.fail("nobody asked for it"))
    asked: list[str] = []
    trained_on = Comparison(group="a", subject="b", unit="s", measured=(1.0,), against="c", reference=(1.0,))

    def trained(identifier: str, *_: object) -> Iterator[Comparison]:
        asked.append(identifier)
        yield trained_on

    monkeypatch.setattr(training, "comparisons", trained)
    (found,) = compare(["p00_base"], "sample", True, parts=["training"])
    assert (asked, found.comparisons) == (["p00_base"], (trained_on,))
    with pytest.raises(ReportError, match=r"Nothing was measured: of p05_augmentation.*they are for p00_base, p01"):
        list(compare(["p05_augmentation"], "sample", True, parts=["seeds"]))


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("failure", [ReportError("No such program."), KeyboardInterrupt()])
@pytest.mark.project("p00_base")
def test_a_bench_that_is_cut_off_says_where_what_it_has_measured_stands(
    failure: BaseException, measured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Comparison(group="a", subject="b", unit="s", measured=(1.0,), against="c", reference=(1.0,))

    def fail(*_: object) -> Iterator[Comparison]:
        if measured:
            yield one
        raise failure

    monkeypatch.setattr(command_line, "SCRATCH", tmp_path)
    monkeypatch.setattr(commands, "comparisons", fail)
    options = ["bench", "--data", "sample", "--only", "commands", "--output", str(tmp_path / "bench.json")]
    done = CliRunner().invoke(command_line.app, options)
    told_of = str(done.exception) if isinstance(failure, ReportError) else done.stderr
    unfinished = tmp_path / "benches" / "unfinished.json"
    assert (str(unfinished) in told_of) == measured == unfinished.exists()
    assert ("No such program." if isinstance(failure, ReportError) else "Cut off.") in told_of
    assert not (tmp_path / "bench.json").exists()
    if measured:
        assert read(unfinished).comparisons == (one,)


@pytest.mark.project("p05_augmentation")
def test_the_drawing_of_batches_is_also_measured_where_they_are_drawn_on_an_accelerator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("jax")
    drawn: list[int] = []

    class Watched(resident.Calls):
        def __getitem__(self, index: int) -> dict[str, Any]:
            found = super().__getitem__(index)
            drawn.extend(found["plans"]["chosen"].ravel())
            return found

    monkeypatch.setattr(resident, "pays", lambda: True)
    monkeypatch.setattr(resident, "Calls", Watched)
    images = data.load("sample").train
    pipeline(catalogue.load("p05_augmentation"), images)()
    assert sorted(drawn) == list(range(len(images.labels)))


def test_a_check_and_a_page_are_held_against_the_build_and_a_run_that_would_be_trained_against_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted: dict[str, tuple[int, ...]] = {}

    def timed(*command: str, accepted: tuple[int, ...] = (0,), told: dict[str, tuple[int, ...]] = accepted) -> float:
        told[command[2]] = accepted
        return builds.pop(0) if command[2] == "build" else 2.0

    builds = [70.0, 4.0, 5.0]
    record.write(synthetic.record(), tmp_path)  # of sources that were others
    monkeypatch.setattr(commands, "RESULTS", tmp_path)
    monkeypatch.setattr(commands, "timed", timed)
    monkeypatch.setattr(commands, "changed_pages", lambda *_: (seconds for seconds in (1.0, 1.5, 9.0)))
    found = {one.subject: (one.measured, one.reference, one.against) for one in commands.comparisons(2)}
    assert found == {"check": ((2.0, 2.0), (4.0, 5.0), "build"), "page": ((1.0, 1.5), (4.0, 5.0), "build")}
    assert not builds, "the first, which may have charts to draw, is not counted"
    assert accepted == {"build": (0,), "check": (0, 1)}, "a report with something to mend is checked all the same"


@pytest.mark.project("p00_base", "p01_deeper")
def test_the_training_that_is_spared_is_that_of_the_seeds_of_one_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for project, seed in (("p00_base", 0), ("p00_base", 2), ("p01_deeper", 0)):
        record.write(synthetic.record(project, seed, seconds=30.0, sources=sources(project)), tmp_path)
    monkeypatch.setattr(commands, "RESULTS", tmp_path)
    monkeypatch.setattr(commands, "timed", lambda *_: 1.0)
    assert next(commands.comparisons(1)).reference == (60.0,)


@pytest.mark.project("p00_base")
def test_what_a_training_took_that_shared_its_machine_or_ran_on_another_one_is_no_time_to_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, device, beside in ((0, "one", 2), (1, "one", 1), (2, "other", 1), (3, "one", 1)):
        done = synthetic.record("p00_base", seed, seconds=30.0, sources=sources("p00_base"))
        machine = done.environment.model_copy(update={"device": device, "side_by_side": beside})
        record.write(done.model_copy(update={"environment": machine}), tmp_path)
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(commands, "RESULTS", tmp_path)

    def timed(*command: str) -> float:
        asked.append(command)
        return 1.0

    monkeypatch.setattr(commands, "timed", timed)
    assert next(commands.comparisons(1)).reference == (60.0,)
    assert asked == [("-m", "experiments", "run", "p00_base", "--seed", "1", "--seed", "3")]


def test_builds_are_compared_once_their_charts_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def timed(*command: str) -> float:
        asked.append(command[command.index("--results") + 1].rpartition("-")[2])
        return float(len(asked))

    monkeypatch.setattr(site, "timed", timed)
    monkeypatch.setattr(site, "copies", lambda *_: None)
    (found,) = site._growth(tmp_path, 2, (10, 100))
    assert asked == ["10", "100"] * 3
    assert (found.reference, found.measured) == ((3.0, 5.0), (4.0, 6.0))


ONE = Comparison(group="a", subject="b", unit="s", measured=(1.0,), against="c", reference=(1.0,))


def test_a_comparison_in_the_terminal_has_medians_and_the_median_of_the_ratios() -> None:
    """Neither a mean, nor the ratio of the medians: one round that is disturbed moves nothing."""
    measured, reference = (1.0, 3.0, 40.0), (4.0, 8.0, 6.0)
    one = Comparison(group="a", subject="b", unit="s", measured=measured, against="c", reference=reference)
    assert told(one) == ("a", "b", "3 s", "6 s (c)", "0.375 (0.25 to 6.67)")


@pytest.mark.parametrize(("quick", "rounds", "sizes"), [(True, 3, (10, 100)), (False, 5, (10, 100, 1000))])
def test_a_quick_session_has_fewer_rounds_and_says_that_it_is_one(
    quick: bool, rounds: int, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    def measured(name: str) -> Callable[..., Iterator[Comparison]]:
        def comparisons(*arguments: object) -> Iterator[Comparison]:
            asked.append((name, *arguments))
            yield ONE.model_copy(update={"group": name, "subject": str(len(asked))})

        return comparisons

    for name in ("commands", "site", "training", "seeds", "precision"):
        monkeypatch.setattr(getattr(session, name), "comparisons", measured(name))
    monkeypatch.setattr(os, "getloadavg", lambda: (1.5, 2.5, 3.5), raising=False)
    found = list(compare(["p00_base", "p05_augmentation"], "the folder", quick, parts=session.PARTS, precise=["p02"]))
    assert asked == [
        ("commands", rounds),
        ("site", rounds, sizes),
        ("training", "p00_base", "the folder", rounds),
        ("seeds", "p00_base", "the folder", rounds),
        ("training", "p05_augmentation", "the folder", rounds),
        ("precision", "p02", "the folder"),
    ]
    assert {(one.quick, one.load) for one in found} == {(quick, 1.5)}


def test_a_project_is_measured_in_processes_of_its_own_whose_last_line_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a library prints before, and a device that has no memory to tell of, are in nobody's way."""
    asked: list[tuple[str, ...]] = []
    peaks = {"ours": [1.5, None], "study": [3.0, 2.0]}
    timed = {"times": ONE, "epochs": ONE.model_copy(update={"group": "epochs"})}

    def run(command: list[str], env: dict[str, str], **options: object) -> SimpleNamespace:
        module, arguments = command[2], command[3:]
        asked.append(tuple(arguments))
        assert module == "experiments.comparison.training" and env["JAX_COMPILATION_CACHE_DIR"] == "the user's"
        said: Any = {name: [one.model_dump(mode="json")] for name, one in timed.items()} | peaks
        said = said[arguments[0]]
        return SimpleNamespace(returncode=0, stdout=f"a greeting\n{json.dumps(said)}\n", stderr="")

    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "the user's")
    monkeypatch.setattr(subprocess, "run", run)
    times, epochs, memory = training.comparisons("p00_base", "the folder", 5)
    assert [times, epochs] == [*timed.values()]
    assert (memory.group, memory.subject, memory.unit, memory.against) == ("memory", "p00_base", "GiB", "keras_fit")
    assert (memory.measured, memory.reference) == ((1.5,), (3.0,))
    assert asked == [
        (what, "p00_base", "the folder", rounds)
        for what, rounds in (("times", "5"), ("epochs", "5"), ("ours", "1"), ("study", "1"))
    ]
    peaks["ours"] = [1.5, 1.0]
    device = list(training.comparisons("p00_base", "the folder", 5))[-1]
    assert (device.group, device.measured, device.reference) == ("device_memory", (1.0,), (2.0,))


def test_a_project_that_cannot_be_measured_is_told_with_the_last_words_of_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = SimpleNamespace(returncode=1, stdout="[]", stderr="Traceback\nno memory was left\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(ReportError, match=r"^p00_base could not be measured: no memory was left$"):
        list(training.comparisons("p00_base", "sample", 1))


@pytest.mark.parametrize(
    ("work", "together", "accelerated", "moved", "batches", "few"),
    [
        (1e12, 1, False, None, 3, 3),
        (training.OPERATIONS / 3 / 4, 1, False, None, 4, 4),
        (training.OPERATIONS / 9 / 4, 1, False, None, 9, 9),
        (training.OPERATIONS / 3 / 4, 2, False, None, 6, 6),
        (training.OPERATIONS / 9 / 4, 3, False, None, 12, 12),
        (training.OPERATIONS / 9 / 4, 8, False, None, 16, 16),
        (1e9, 1, True, None, 64, 64),
        (1e9, 1, True, Augmentation(rotation=15, shift=0.1, horizontal_flip=True), 64, 16),
    ],
)
@pytest.mark.project("p00_base")
def test_images_a_second_are_of_the_images_that_each_way_has_seen_and_operations_of_the_step(
    work: float,
    together: int,
    accelerated: bool,
    moved: Augmentation | None,
    batches: int,
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time stands still here but for what each way takes for an image; the turn that compiles counts for nothing.

    Nor does, on a processor, what an epoch takes before its first call is done and after its last; ours, of several
    batches each.
    """
    now, turns = [0.0], [0]
    base = catalogue.load("p00_base")
    declared = dataclasses.replace(base, training=dataclasses.replace(base.training, batch_size=4, augmentation=moved))
    seconds = {"study": 8.0, "ours": 4.0, "faster": 2.0, "step": 1.0, "pipeline": 0.5}
    sizes: dict[str, int] = {}

    def takes(name: str, images: Any) -> Callable[[], None]:
        sizes[name] = images if isinstance(images, int) else len(images.labels)

        def side(callbacks: Sequence[Any] = ()) -> None:
            turns[0] += 1
            each = seconds.get(name, 0.001) * (100 if turns[0] <= 6 else 1)
            if not callbacks:
                now[0] += each * sizes[name]
                return
            assert not accelerated, "a call is over when its epoch is"
            now[0] += 1000
            steps = sizes[name] // 4
            for callback in callbacks:
                callback.set_params({"steps": steps})
            call = 1 if name == "study" else together
            for begun in range(0, steps, call):
                now[0] += each * 4 * min(call, steps - begun)
                for callback in callbacks:
                    callback.on_train_batch_end(begun + call - 1, {"loss": 0.5})
            now[0] += 1000

        return side

    def drawing(images: Images) -> Callable[[], float]:
        draw = takes("pipeline", images)

        def seconds() -> float:
            began = now[0]
            draw()
            return (now[0] - began) * (1 if accelerated else 1 - 4 / len(images.labels))

        return seconds

    def ours(_: object, images: Images, precision: str) -> SimpleNamespace:
        name = {"float32": "ours", "mixed_bfloat16": "faster"}[precision]
        return SimpleNamespace(epoch=takes(name, images))

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(catalogue, "load", lambda _: declared)
    monkeypatch.setattr(resident, "pays", lambda: accelerated)
    monkeypatch.setattr(training, "work_of", lambda _: work)
    monkeypatch.setattr(training, "batches_a_call", lambda _: together)
    monkeypatch.setattr(training, "operations_of", lambda _: 6e9)
    monkeypatch.setattr(training, "ours", ours)
    monkeypatch.setattr(training, "study", lambda _, images: SimpleNamespace(epoch=takes("study", images)))
    monkeypatch.setattr(training, "step", lambda _, images: takes("step", images))
    monkeypatch.setattr(training, "pipeline", lambda _, images: drawing(images))
    monkeypatch.setattr(training, "multiplication", lambda side: takes("peak", side))
    found = {one.group: (one.measured, one.reference) for one in training.times("p00_base", "sample", 2)}
    side = 8192 if accelerated else 2048
    assert sizes == {**dict.fromkeys(seconds, 4 * batches), "study": 4 * few, "peak": side}
    twice: dict[str, Any] = {name: pytest.approx((1 / taken,) * 2) for name, taken in seconds.items()}
    assert found["training"] == (twice["ours"], twice["study"])
    assert found["training_bfloat16"] == (twice["faster"], twice["study"])
    assert found["pipeline"] == (twice["pipeline"], twice["step"])
    multiplied: Any = pytest.approx((2 * side**3 / (0.001 * side) / 1e9,) * 2)
    assert list(found["peak"]) == [pytest.approx((6.0,) * 2), multiplied]
    monkeypatch.setattr(training, "operations_of", lambda _: None)
    assert "peak" not in {one.group for one in training.times("p00_base", "sample", 1)}


def test_sides_take_turns_in_another_order_each_time_and_the_turn_that_compiles_is_left_out() -> None:
    heard: list[str] = []

    def side(name: str) -> Callable[[], float]:
        def says() -> float:
            heard.append(name)
            return float(len(heard))

        return says

    taken = training.in_turns({name: side(name) for name in "abc"}, 40)
    turns = ["".join(heard[start : start + 3]) for start in range(0, len(heard), 3)]
    assert len(turns) == 41 and {"".join(sorted(turn)) for turn in turns} == {"abc"}
    counts = Counter(turns)
    assert len(counts) == 6 and max(counts.values()) <= 15, "every order comes, none most of the time"
    assert taken == {name: [3.0 * turn + turns[turn].index(name) + 1 for turn in range(1, 41)] for name in "abc"}


class Network:
    """Stands for a network, and for what it is trained with."""

    def __init__(self) -> None:
        self.given: list[tuple[Any, ...]] = []
        self.steps_per_execution = 4

    def fit(self, *images: Any, **options: Any) -> None:
        self.given.append((images, options))

    def train_on_batch(self, pixels: Any, labels: Any) -> None:
        self.given.append((pixels, labels))


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Network, str]]:
    """Every network that is built, and for which precision."""
    found: list[tuple[Network, str]] = []

    def build(_: object, seed: int, arithmetic: str) -> Network:
        assert seed == 0
        found.append((Network(), arithmetic))
        return found[-1][0]

    monkeypatch.setattr(train, "build", build)
    return found


@pytest.mark.parametrize("together", [1, 2, 3])
def test_the_seconds_of_a_batch_are_reckoned_from_the_end_of_the_first_call_whatever_its_length(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what Keras itself tells of seven batches: it takes the last call of an epoch for as long as the others."""
    clock = iter([1000.0 + 10 * min(end, 7) for end in range(together, 7 + together, together)])
    keras.utils.set_random_seed(0)  # `fit` shuffles
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=together)
    pixels = np.zeros((7, 1), np.float32)
    way = training.Way(model, (pixels, pixels), {"batch_size": 1})
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    assert training.seconds_a_batch(way) == 10.0
    assert next(clock, None) is None


@pytest.mark.cifar10
@pytest.mark.project("p00_base")
def test_the_study_s_way_is_a_plain_fit_in_float32_on_arrays_of_the_size_and_the_scaling_of_the_project(
    built: list[tuple[Network, str]],
) -> None:
    base = catalogue.load("p00_base")
    few = dataclasses.replace(base.training, batch_size=3)
    declared = dataclasses.replace(base, image_size=48, pixel_scaling=BGR_MEAN, training=few)
    images = training.chosen(data.load("sample").train, 7)
    way = training.study(declared, images)
    way.epoch()
    way.few_steps()
    ((network, arithmetic),) = built
    ((pixels, labels), options), (few_given, few_options) = network.given
    assert arithmetic == "float32" and options == {"epochs": 1, "verbose": 0, "batch_size": 3}
    assert network.steps_per_execution == 1
    assert pixels.shape == (7, 48, 48, 3) and labels is images.labels
    assert pixels.mean(axis=(1, 2)) == pytest.approx(scaled(images.pixels, BGR_MEAN).mean(axis=(1, 2)), abs=2)
    # The arrays whole, for what `fit` makes of them is memory, too.
    assert few_given[0] is pixels and few_given[1] is labels
    assert few_options == {**options, "steps_per_epoch": 2}, "a whole batch, twice"


@pytest.mark.cifar10
@pytest.mark.project("p00_base")
def test_the_study_s_way_with_augmentation_is_its_generator_with_the_same_changes(
    built: list[tuple[Network, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras.src.legacy.preprocessing import image

    asked: dict[str, Any] = {}

    class Generator(image.ImageDataGenerator):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            asked.update(options)
            super().__init__(**options)

    monkeypatch.setattr(image, "ImageDataGenerator", Generator)
    base = catalogue.load("p00_base")
    moved = Augmentation(rotation=15, shift=0.125, horizontal_flip=True)
    declared = dataclasses.replace(base, training=dataclasses.replace(base.training, batch_size=3, augmentation=moved))
    way = training.study(declared, training.chosen(data.load("sample").train, 7))
    way.epoch()
    assert asked == {
        "rotation_range": 15,
        "width_shift_range": 0.125,
        "height_shift_range": 0.125,
        "horizontal_flip": True,
    }
    (((flow,), options),) = built[0][0].given
    assert options == {"epochs": 1, "verbose": 0}
    assert (len(flow), flow[0][0].shape, flow[0][0].max() <= 1) == (3, (3, 32, 32, 3), True)


@pytest.mark.cifar10
@pytest.mark.project("p00_base")
def test_the_project_s_own_way_its_step_and_its_drawing_see_the_same_batches(
    built: list[tuple[Network, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the size, the changes and the scaling that the project declares."""
    base = catalogue.load("p00_base")
    moved = Augmentation(rotation=15, shift=0.125, horizontal_flip=True)
    few = dataclasses.replace(base.training, batch_size=3, augmentation=moved)
    declared = dataclasses.replace(base, image_size=40, pixel_scaling=BGR_MEAN, training=few)
    images = training.chosen(data.load("sample").train, 7)
    batches = training.drawn(declared, images)
    assert (batches.image_size, batches.batch_size, batches.scaling) == (40, 3, BGR_MEAN)
    assert not np.array_equal(
        batches[0][0], training.drawn(dataclasses.replace(declared, training=base.training), images)[0][0][:3]
    )
    monkeypatch.setattr("experiments.feed.fed", lambda _, given: given)
    for arithmetic in ("float32", training.FASTER):
        training.ours(declared, images, arithmetic).epoch()
        network, used = built[-1]
        (((given,), options),) = network.given
        assert (used, options) == (arithmetic, {"epochs": 1, "verbose": 0, "shuffle": False})
        assert np.array_equal(given[1][0], batches[1][0])
    training.step(declared, images)()
    network, used = built[-1]
    assert used == "float32"
    assert [len(labels) for _, labels in network.given] == [3, 3, 1]
    assert all(np.array_equal(given[0], batches[k][0]) for k, given in enumerate(network.given))
    seen: list[int] = []
    monkeypatch.setattr("experiments.feed.drawn_ahead", lambda given: given)
    monkeypatch.setattr(time, "perf_counter", lambda: 10.0 * len(seen) ** 2)
    monkeypatch.setattr(type(batches), "__getitem__", lambda _, index: seen.append(index))
    assert training.pipeline(declared, images)() == 90.0 - 10.0, "from the end of the first batch"
    assert seen == [0, 1, 2]


@pytest.mark.cifar10
@pytest.mark.project("p00_base")
def test_where_images_stay_on_an_accelerator_the_step_alone_moves_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    base = catalogue.load("p00_base")
    moved = Augmentation(rotation=15, shift=0.125, horizontal_flip=True)
    declared = dataclasses.replace(base, training=dataclasses.replace(base.training, augmentation=moved))
    asked: list[object] = []

    def ours(still: Any, _: object, arithmetic: str) -> SimpleNamespace:
        asked.extend((still.training.augmentation, arithmetic))
        return SimpleNamespace(epoch=lambda: asked.append("an epoch"))

    monkeypatch.setattr(resident, "pays", lambda: True)
    monkeypatch.setattr(training, "ours", ours)
    training.step(declared, data.load("sample").train)()
    assert asked == [None, "float32", "an epoch"]


@pytest.mark.parametrize("way", ["ours", "study"])
@pytest.mark.project("p00_base")
def test_the_peak_of_memory_is_that_of_the_way_that_was_asked_for_behind_its_first_steps(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [1.0]

    def steps(name: str) -> SimpleNamespace:
        return SimpleNamespace(few_steps=lambda: held.append({"ours": 2.0, "study": 3.0}[name]))

    monkeypatch.setattr(training, "ours", lambda *_: steps("ours"))
    monkeypatch.setattr(training, "study", lambda *_: steps("study"))
    monkeypatch.setattr(training, "peak", lambda: held[-1])
    monkeypatch.setattr(training, "device_peak", lambda: held[-1] / 4)
    expected = {"ours": [2.0, 0.5], "study": [3.0, 0.75]}[way]
    assert training.peak_memory(way, "p00_base", "sample") == expected


def test_what_a_process_measures_is_its_last_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "times", lambda *asked: [ONE] if asked == ("p00_base", "sample", 3) else [])
    monkeypatch.setattr(training, "peak_memory", lambda *asked: [1.5, None] if asked[0] == "ours" else [])
    training.main("times", "p00_base", "sample", "3")
    assert json.loads(capsys.readouterr().out) == [ONE.model_dump(mode="json")]
    training.main("ours", "p00_base", "sample", "1")
    assert json.loads(capsys.readouterr().out) == [1.5, None]


def test_images_come_again_where_more_are_asked_for_than_there_are() -> None:
    every = Images(np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1), np.arange(3))
    found = training.chosen(every, 7)
    assert found.labels.tolist() == found.pixels.ravel().tolist() == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(("cores", "expected"), [(1, 2), (2, 2), (3, 3), (64, 3)])
def test_as_many_seeds_are_side_by_side_as_have_a_core_each_of_the_usual_ones_and_two_at_least(
    cores: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "cores", lambda: cores)
    assert seeds.together() == expected


def test_seeds_side_by_side_have_a_share_of_the_cores_each_and_count_all_their_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time stands still here, but for what each takes; what they do before the first turn counts for nothing."""
    now, shares_of = [0.0], []

    class Process:
        def __init__(self, share: tuple[int, ...]) -> None:
            self.share, self.turn = share, 0

        def tell(self) -> None:
            pass

        def images(self) -> int:
            self.turn += 1
            now[0] += 1000 if self.turn == 1 else {(): 4, (0,): 1, (1,): 2}[self.share]
            return {(): 80, (0,): 100, (1,): 50}[self.share]

    @contextmanager
    def started(identifier: str, source: str, operations: float, share: Any) -> Iterator[Process]:
        assert (identifier, source, operations) == ("p00_base", "sample", 5.0)
        shares_of.append(tuple(share))
        yield Process(tuple(share))

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(seeds, "together", lambda: 2)
    monkeypatch.setattr(seeds, "shares", lambda jobs: [{k} for k in range(jobs)])
    monkeypatch.setattr(seeds, "_started", started)
    (found,) = seeds.comparisons("p00_base", "sample", 3, 5.0)
    assert shares_of == [(), (0,), (1,)]
    assert (found.measured, found.reference) == ((50.0,) * 3, (20.0,) * 3)


def test_a_seed_s_process_is_told_its_share_and_shares_the_device_and_ends_with_the_bench(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told_of: list[Any] = []
    begin = subprocess.Popen

    def popen(command: list[str], env: dict[str, str], **options: Any) -> Any:
        told_of.append((command[1:], env))
        return begin([sys.executable, "-c", "import time; time.sleep(60)"], **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), seeds._started("p00_base", "sample", 1e10, {9, 10, 2}) as one:
        raise KeyboardInterrupt
    ((command, variables),) = told_of
    assert command == ["-m", "experiments.comparison.seeds", "p00_base", "sample", "10000000000.0", "2", "9", "10"]
    assert SHARED_DEVICE.items() <= variables.items() and COMPILED.keys() <= variables.keys()
    assert one.process.returncode and time.monotonic() - began < 30


@pytest.mark.project("p00_base")
def test_a_seed_trains_once_to_compile_and_then_whenever_it_is_told_to_on_the_cores_that_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    did: list[object] = []

    def ours(_: object, images: Images, arithmetic: str) -> SimpleNamespace:
        did.append((len(images.labels), arithmetic))
        return SimpleNamespace(epoch=lambda: did.append("an epoch"))

    class Said(StringIO):
        def flush(self) -> None:
            did.append(int(self.getvalue().splitlines()[-1]))

    size = catalogue.load("p00_base").training.batch_size
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: did.append(sorted(cores)), raising=False)
    monkeypatch.setattr(seeds, "ours", ours)
    monkeypatch.setattr(seeds, "work_of", lambda _: 10.0)
    monkeypatch.setattr(sys, "stdin", StringIO("\n\n"))
    monkeypatch.setattr(sys, "stdout", Said())
    seeds.main("p00_base", "sample", str(30.0 * size), "1", "0")
    count = 3 * size
    assert did == [[0, 1], (count, "float32"), *["an epoch", count] * 3]
    did.clear()
    monkeypatch.setattr(sys, "stdin", StringIO())
    seeds.main("p00_base", "sample", "1.0")
    assert did == [(size, "float32"), "an epoch", size], "a batch at least, and all cores where none are named"


@pytest.mark.project("p00_base")
def test_what_is_trained_for_a_comparison_of_precisions_is_full_and_apart_and_a_failure_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Job] = []
    failing: list[Job] = []

    def run(jobs: list[Job], _: object, executor: Any, explicit: Any) -> list[Job]:
        asked.extend(jobs)
        assert (executor.jobs, explicit.data, explicit.precision, explicit.force) == (4, True, True, False)
        for job in jobs:
            right = 70 if job.precision == "float32" else 68
            record.write(synthetic.record("p00_base", job.seed, right=right, precision=job.precision), job.results)
        return failing

    monkeypatch.setattr(precision, "RESULTS", tmp_path / "recorded")
    monkeypatch.setattr(precision, "SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(precision, "cores", lambda: 64)
    monkeypatch.setattr(precision, "run", run)
    (found,) = precision.comparisons("p00_base", "sample", (0, 1))
    assert (found.measured, found.reference) == ((68.0, 68.0), (70.0, 70.0))
    assert [(job.seed, job.precision, job.profile, job.source) for job in asked] == [
        (seed, arithmetic, "full", "sample") for seed in (0, 1) for arithmetic in ("float32", "mixed_bfloat16")
    ]
    assert {job.results for job in asked} == {tmp_path / "scratch" / "sample" / job.precision for job in asked}
    failing.append(asked[1])
    with pytest.raises(ReportError, match=r"^p00_base seed 0 in mixed_bfloat16 could not be trained, so that nothing"):
        next(precision.comparisons("p00_base", "sample", (0, 1)))


@pytest.mark.parametrize("installed", [True, False])
def test_the_build_is_measured_turn_by_turn_with_both_tools_on_every_language_and_its_growth_against_the_fewest(
    installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Furo alone is lacking where it is not all installed."""
    pages = tmp_path / "rendered"
    for code in ("en", "es"):
        (pages / code).mkdir(parents=True)
        (pages / code / "index.md").write_text(f"# {code}", encoding="utf-8")
    (pages / "stamp.json").touch()
    record.write(synthetic.record("p00_base", 4), tmp_path / "results")
    asked: list[str] = []

    def timed(*command: str) -> float:
        _, tool, *words = command
        if tool == "reportgen" and "--results" in words:
            folder = Path(words[words.index("--results") + 1])
            asked.append("growth")
            return float(len(record.read_all(folder)))
        asked.append(tool)
        if tool == "mkdocs":
            settings = yaml.safe_load(Path(words[-1]).read_text(encoding="utf-8"))
            assert settings["theme"]["name"] == "material" and settings["plugins"] == ["search"]
            assert "attr_list" in str(settings["markdown_extensions"])
            return {"en": 1.0, "es": 2.0}[Path(settings["docs_dir"]).name]
        if tool == "sphinx":
            source, target = map(Path, words[-2:])
            assert "myst_parser" in (source / "conf.py").read_text(encoding="utf-8") and not target.exists()
            target.mkdir()
            return {"# en": 10.0, "# es": 20.0}[(source / "index.md").read_text(encoding="utf-8")]
        return 6.0

    monkeypatch.setattr(site, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(site, "RENDERED", pages)
    monkeypatch.setattr(site, "timed", timed)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: installed or name != "furo" or None)
    found = [
        (one.group, one.subject, one.against, one.measured, one.reference) for one in site.comparisons(2, (1, 3, 5))
    ]
    sphinx = [("site", "build", "sphinx", (6.0, 6.0), (30.0, 30.0))]
    assert found == [
        ("site", "build", "mkdocs_material", (6.0, 6.0), (3.0, 3.0)),
        *(sphinx if installed else []),
        ("growth", "records_3", "records_1", (3.0, 3.0), (1.0, 1.0)),
        ("growth", "records_5", "records_1", (5.0, 5.0), (1.0, 1.0)),
    ]
    turn = ["reportgen", "mkdocs", "mkdocs", *(["sphinx"] * 2 if installed else [])]
    assert asked == ["reportgen", *turn * 2, *["growth"] * 9], "a first build that is not counted, of each"


@pytest.mark.project("p00_base", "p01_deeper")
def test_the_records_of_the_growth_are_of_every_project_in_turn_under_seeds_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in (synthetic.record("p00_base", 4), synthetic.record("p01_deeper", 7), synthetic.record(variant="8px")):
        record.write(made, tmp_path / "results")
    monkeypatch.setattr(site, "RESULTS", tmp_path / "results")
    assert site.recorded() == ["p00_base", "p01_deeper"]
    site.copies(tmp_path / "copies", 5)
    found = [(run.project, run.seed, run.variant) for run in record.read_all(tmp_path / "copies")]
    assert found == [("p00_base", seed, None) for seed in range(3)] + [("p01_deeper", seed, None) for seed in range(2)]
