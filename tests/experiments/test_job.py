"""What is asked for: the sizes that a user may change, the command that repeats a run, the sources that decide it."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import catalogue
from experiments.job import FIGURES, RESULTS, Job, Sizes, departures, keep, repeated, sources
from experiments.scaling import BGR_MEAN
from experiments.vgg16 import Start
from reportgen import record
from reportgen.errors import ReportError
from tests import synthetic


@pytest.mark.project("p10_vgg16_64px")
def test_sizes_that_are_not_named_stay_as_the_project_declares_them() -> None:
    declared = catalogue.load("p10_vgg16_64px")
    assert Sizes().of(declared) == declared
    changed = Sizes(image=224, batch=8).of(declared)
    assert (changed.image_size, changed.training.batch_size) == (224, 8)
    assert changed.training.early_stopping == declared.training.early_stopping
    assert Sizes(batch=8).of(declared).image_size == 64
    assert Sizes(epochs=3).of(declared).training == dataclasses.replace(declared.training, epochs=3)


@pytest.mark.project("p07_vgg16_frozen")
def test_the_command_repeats_the_run_and_names_no_path() -> None:
    job = Job("p07_vgg16_frozen", 2, "full", "float32", "/home/me/images", RESULTS, Path("/home/me/w.h5"))
    assert job.command == (
        "python -m experiments run p07_vgg16_frozen --seed 2 --profile full --precision float32 --data DIR --force "
        "--vgg16-weights FILE"
    )
    other = Job("p00_base", 0, "full", "float32", "sample", RESULTS, sizes=Sizes(64, 8, 3))
    assert other.command.endswith("--data sample --force --image-size 64 --batch-size 8 --epochs 3")


@pytest.mark.parametrize(("chosen", "begins"), [("tensorflow", "python -m"), ("jax", "KERAS_BACKEND=jax python -m")])
def test_the_command_names_a_backend_that_is_not_the_usual_one(
    chosen: str, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", chosen)
    job = Job("p00_base", 0, "full", "float32", "sample", RESULTS)
    assert job.command.startswith(f"{begins} experiments run p00_base --seed 0 ")
    assert repeated([job])[0].startswith(f"{begins} experiments run p00_base --seed 0 ")


@pytest.mark.project("p07_vgg16_frozen")
def test_what_is_left_of_several_projects_is_a_command_for_each_with_what_concerns_it(tmp_path: Path) -> None:
    results, weights = tmp_path / "my results", tmp_path / "w.h5"
    asked = Job("p00_base", 0, "full", "float32", "keras", results, weights, restart=True, allow_unfinished=True)
    others = [dataclasses.replace(asked, project="p07_vgg16_frozen", seed=seed) for seed in (1, 2)]
    common = f"--profile full --precision float32 --data keras --results '{results}'"
    assert repeated([asked, *others]) == [
        f"python -m experiments run p00_base --seed 0 {common} --force",
        f"python -m experiments run p07_vgg16_frozen --seed 1 --seed 2 {common} --vgg16-weights {weights} "
        "--allow-unfinished --force",
    ]


@pytest.mark.parametrize(
    ("sizes", "variant"),
    [
        (Sizes(), None),
        (Sizes(64, 256), None),  # as the project declares them
        (Sizes(32), "32px"),
        (Sizes(64, 8), "batch-8"),
        (Sizes(32, 8), "32px-batch-8"),
        (Sizes(64, 256, 100), None),
        (Sizes(epochs=8), "8-epochs"),
        (Sizes(32, None, 8), "32px-8-epochs"),
        (Sizes(32, 8, 16), "32px-batch-8-16-epochs"),
    ],
)
@pytest.mark.project("p10_vgg16_64px")
def test_a_run_in_other_sizes_than_its_project_is_a_variant_whose_name_tells_in_what_it_departs(
    sizes: Sizes, variant: str | None
) -> None:
    job = Job("p10_vgg16_64px", 0, "full", "float32", "sample", RESULTS, sizes=sizes)
    assert job.variant == variant
    settings = {
        "image_size": sizes.image or 64,
        "batch_size": sizes.batch or 256,
        "epochs": sizes.epochs or 100,
        "pixel_scaling": BGR_MEAN,
    }
    for name, scaling in (("", None), ("mine-", None), ("mine-own-preprocessing-", BGR_MEAN)):
        words = f"{name}{variant or ''}".strip("-") or None
        done = synthetic.record("p10_vgg16_64px", variant=words, settings=settings)
        departs = Sizes(
            sizes.image if sizes.image != 64 else None,
            sizes.batch if sizes.batch != 256 else None,
            sizes.epochs if sizes.epochs != 100 else None,
        )
        assert departures(done) == (departs, scaling), "what it has of the project is not its own"


@pytest.mark.parametrize(
    ("identifier", "precision", "preprocessing", "cautioned"),
    [
        ("p07_vgg16_frozen", "mixed_bfloat16", "study", True),
        ("p07_vgg16_frozen", "float32", "study", False),
        ("p07_vgg16_frozen", "mixed_bfloat16", "weights", False),
        ("p06_vgg16_scratch", "mixed_bfloat16", "study", False),
    ],
)
def test_who_feeds_weights_otherwise_than_they_expect_is_told_what_half_precision_adds(
    identifier: str, precision: str, preprocessing: str, cautioned: bool
) -> None:
    job = Job(identifier, 0, "full", precision, "sample", RESULTS, preprocessing=preprocessing)
    assert bool(job.caution) == cautioned
    if job.caution:
        assert "1/255" in job.caution and "BGR" in job.caution and "float32" in job.caution


@pytest.mark.project("p10_vgg16_64px")
def test_a_step_of_vgg16_at_224_pixels_takes_less_than_6_gib() -> None:
    """In a process of its own, whose peak is the step's; `--image-size 224 --batch-size 8` asks for it."""
    program = """
from experiments import data, catalogue
from experiments.job import Sizes
from experiments.memory import peak
from experiments.batches import Batches
from experiments.train import build
asked = Sizes(image=224, batch=8).of(catalogue.load("p10_vgg16_64px"))
model = build(asked, 0, "float32")
images = data.load("sample").train
batches = Batches(images, asked.training.batch_size, asked.image_size, 0, asked.training.augmentation)
loss, _ = model.train_on_batch(*batches[0])
assert 0 < loss < 10 and batches[0][0].shape == (8, 224, 224, 3)
print(peak())
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 0.5 < float(done.stdout.splitlines()[-1]) < 6, "GiB"


@pytest.mark.parametrize("refused", ["the first file", "the second file", "the place of the record"])
def test_where_the_disk_does_not_take_a_record_the_earlier_one_stays_whole(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = synthetic.record()
    folder = record.folder_of(done, tmp_path)
    keep(done, b"sheet", tmp_path)
    for name in (*FIGURES, record.CONFIRMATIONS_FILE):
        (folder / name).write_text("of the earlier run", encoding="utf-8")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    replace, written = os.replace, 0

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fsync(_: int) -> None:
        nonlocal written
        written += 1
        if (refused, written) in (("the first file", 1), ("the second file", 2)):
            full()

    def placed(temporary: Path, file: Path) -> None:
        if refused == "the place of the record" and file.name == record.RECORD_FILE:
            full()
        replace(temporary, file)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", placed)
    with pytest.raises(ReportError, match=r"the record cannot be written \(No space left on device\)"):
        keep(done.model_copy(update={"seconds": 1.0}), b"another sheet", tmp_path)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    monkeypatch.undo()
    keep(done, None, tmp_path)
    assert [file.name for file in folder.iterdir()] == [record.RECORD_FILE]


@pytest.mark.parametrize("identifier", catalogue.identifiers())
def test_what_loads_weights_is_among_the_sources_of_the_projects_that_load_some(identifier: str) -> None:
    loads = catalogue.load(identifier).weights == "imagenet"
    assert ("experiments/vgg16.py" in sources(identifier)) == loads
    assert loads == ("p07" <= identifier < "p11")


@pytest.mark.project("p07_vgg16_frozen")
@pytest.mark.parametrize(
    ("called", "variant"),
    [
        ("tiny-imagenet", "tiny-imagenet"),
        ("Random", "random-aaaaaaaa"),
        ("64px", "64px-aaaaaaaa"),
        ("foo-64px", "foo-64px-aaaaaaaa"),
        ("foo-batch-8", "foo-batch-8-aaaaaaaa"),
        ("own-preprocessing", "own-preprocessing-aaaaaaaa"),
        ("¡", "weights-aaaaaaaa"),
    ],
)
def test_a_file_of_weights_lends_its_name_to_no_other_variant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, called: str, variant: str
) -> None:
    monkeypatch.setattr(Job, "start", Start(called, None, "a" * 64))
    assert Job("p07_vgg16_frozen", 0, "full", "float32", "sample", tmp_path, tmp_path / "w.h5").variant == variant


@pytest.mark.project("p07_vgg16_frozen")
def test_the_process_of_a_run_and_whoever_repeats_it_are_told_everything_that_was_asked_for() -> None:
    job = Job(
        *("p07_vgg16_frozen", 2, "full", "mixed_bfloat16", "/home/me/images", Path("r"), Path("w.h5")),
        restart=True,
        deterministic=True,
        sizes=Sizes(64, 8, 3),
        preprocessing="weights",
        allow_unfinished=True,
    )
    common, sizes = "--seed 2 --profile full --precision mixed_bfloat16", "--image-size 64 --batch-size 8 --epochs 3"
    weights = "--preprocessing weights --allow-unfinished"
    told = f"{common} --data /home/me/images --results r --vgg16-weights w.h5 --restart --deterministic {sizes}"
    assert job.arguments == ["p07_vgg16_frozen", *f"{told} {weights}".split()]
    assert job.command == (
        f"python -m experiments run p07_vgg16_frozen {common} --data DIR --force --vgg16-weights FILE {weights} "
        f"--deterministic {sizes}"
    )
