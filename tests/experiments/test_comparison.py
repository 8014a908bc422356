"""What the bench measures: operations counted from the network, and a real session on one project."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import pytest
from typer.testing import CliRunner

from experiments import __main__ as command_line
from experiments import catalogue, data, resident
from experiments.comparison import commands, precision, seeds, site, training
from experiments.comparison.session import compare, told
from experiments.comparison.training import comparisons, operations_of, pipeline, work_of
from experiments.job import sources
from experiments.limits import _site
from experiments.project import Project
from reportgen import record
from reportgen.bench import Comparison, read
from reportgen.errors import ReportError
from tests import synthetic
from tests.experiments import other_backend


def test_operations_are_counted_forward_once_and_back_twice_and_frozen_layers_forward_only() -> None:
    """Two operations for each weight of a convolution at each of its positions, and for each of a dense layer."""
    base = catalogue.load("p00_base")
    convolutions = 3 * 3 * 3 * 32 * 32**2
    dense = 32 * 16 * 16 * 32 + 32 * 10
    found = operations_of(base)
    assert found == pytest.approx(3 * 2 * (convolutions + dense))

    def frozen(side: int):  # type: ignore[no-untyped-def]
        network = base.network(side)
        network.layers[0].trainable = False
        return network

    assert operations_of(dataclasses.replace(base, network=frozen)) == pytest.approx(2 * convolutions + 6 * dense)


def test_operations_are_counted_of_other_layers_too_and_never_guessed() -> None:
    layers = keras.layers

    def project(*found: keras.layers.Layer) -> Project:
        return dataclasses.replace(catalogue.load("p00_base"), network=lambda _: keras.Sequential([*found]))

    lines = layers.Reshape((32, 32 * 3))
    deep = project(layers.DepthwiseConv2D(3, padding="same"), layers.Flatten())
    assert operations_of(deep) == work_of(deep) == 6 * 3 * 3 * 3 * 32**2
    assert operations_of(project(lines, layers.Conv1D(8, 5, padding="same"))) == 6 * 5 * 96 * 8 * 32
    recurrent = project(lines, layers.LSTM(16), layers.Dense(10))
    assert operations_of(recurrent) is None
    assert work_of(recurrent) == 6 * (4 * (96 + 16 + 1) * 16 + 170)
    open_sided = [keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D(), layers.Dense(10)]
    assert operations_of(project(*open_sided)) is None
    assert work_of(project(layers.Flatten())) == 6


@pytest.mark.slow
def test_a_project_is_measured_against_the_study_s_way_its_own_step_and_the_device() -> None:
    found = {one.group: one for one in comparisons("p00_base", "sample", rounds=2)}
    assert set(found) == {"training", "training_bfloat16", "pipeline", "peak", "memory"}
    assert all(one.subject == "p00_base" and min(one.ratios) > 0 for one in found.values())
    assert {len(found[group].measured) for group in ("training", "pipeline", "peak")} == {2}
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
        commands.changed_page(tmp_path / "copy", 1)
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
    assert len(commands.changed_page(tmp_path / "copy", 2)) == 2
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
    """In float32 the recorded run, if it is up to date and saw the same images; else the run of an earlier bench."""
    recorded, scratch = tmp_path / "recorded", tmp_path / "scratch"
    monkeypatch.setattr(precision, "RESULTS", recorded)
    monkeypatch.setattr(precision, "SCRATCH", scratch)

    today = sources("p00_base")

    def trained(
        folder: Path, seed: int, arithmetic: str, right: int, images: str = "sample", of: dict[str, str] = today
    ) -> None:
        made = synthetic.record("p00_base", seed, right=right, precision=arithmetic, sources=of)
        seen = made.dataset.model_copy(update={"name": images, "sha256": data.load("sample").sha256})
        record.write(made.model_copy(update={"dataset": seen}), folder)

    trained(recorded, 0, "float32", 60)
    trained(recorded, 1, "float32", 99, images="cifar10")
    trained(recorded, 2, "float32", 98, of={**today, "experiments/train.py": synthetic.HASH})
    trained(scratch / "sample" / "float32", 1, "float32", 62)
    trained(scratch / "sample" / "float32", 2, "float32", 64)
    for seed, right in ((0, 61), (1, 59), (2, 63)):
        trained(scratch / "sample" / "mixed_bfloat16", seed, "mixed_bfloat16", right)
    (found,) = precision.comparisons("p00_base", "sample", (0, 1, 2))
    assert (found.reference, found.measured) == ((60, 62, 64), (61, 59, 63))
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
        return {"build": 4.0, "check": 2.0}[command[2]]

    record.write(synthetic.record(), tmp_path)  # of sources that were others
    monkeypatch.setattr(commands, "RESULTS", tmp_path)
    monkeypatch.setattr(commands, "timed", timed)
    monkeypatch.setattr(commands, "changed_page", lambda *_: [1.0, 1.5])
    found = {one.subject: (one.measured, one.reference, one.against) for one in commands.comparisons(2)}
    assert found == {"check": ((2.0, 2.0), (4.0, 4.0), "build"), "page": ((1.0, 1.5), (4.0, 4.0), "build")}
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
