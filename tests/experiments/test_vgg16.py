"""VGG16's weights: files that the tests write, read back, loaded, frozen and trained."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments import catalogue, data, vgg16, worker
from experiments.batches import Batches
from experiments.job import Job, Sizes, sources
from experiments.scaling import BGR_MEAN, UNIT_INTERVAL
from experiments.train import build
from experiments.vgg16 import Card, start_of, write_card
from reportgen import record
from reportgen.errors import ReportError
from tests.synthetic import HASH
from tests.synthetic import record as made_up

pytestmark = pytest.mark.project("p06_vgg16_scratch", "p07_vgg16_frozen", "p08_vgg16_finetuned", "p09_mini_vgg16")


@pytest.fixture(scope="module", params=[(False, ".weights.h5"), (False, ".h5"), (True, ".weights.h5")])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    """A file of random VGG16 weights and the network that they came from."""
    top, ending = request.param
    file = tmp_path_factory.mktemp("weights") / f"mine{ending}"
    keras.utils.set_random_seed(5)
    side = 32
    model = keras.applications.VGG16(include_top=top, weights=None, input_shape=(side, side, 3), classes=3)
    if ending == ".h5":
        model.save(file)
    else:
        model.save_weights(file)
    return file, model


def test_the_weights_in_the_network_are_those_of_the_file(written: tuple[Path, keras.Model]) -> None:
    file, source = written
    model = build(catalogue.load("p09_mini_vgg16"), 0, "float32")
    pretrained = vgg16.from_file(file)
    vgg16.load(model, pretrained)
    assert pretrained.name == "mine"
    loaded = vgg16.layers(model)
    assert len(loaded) == 7
    for layer in loaded:
        for found, expected in zip(layer.get_weights(), source.get_layer(layer.name).get_weights(), strict=True):
            assert np.array_equal(found, expected)


@pytest.mark.parametrize(("identifier", "moves"), [("p07_vgg16_frozen", False), ("p08_vgg16_finetuned", True)])
def test_a_step_moves_vgg16_unless_it_is_frozen(identifier: str, moves: bool) -> None:
    model = build(catalogue.load(identifier), 0, "float32")
    before = [weight for layer in vgg16.layers(model) for weight in layer.get_weights()]
    head = model.get_layer("dense_5").get_weights()[0]
    model.train_on_batch(*Batches(data.load("sample").train, 16, 32, 0)[0])
    after = [weight for layer in vgg16.layers(model) for weight in layer.get_weights()]
    assert len(before) == 26
    assert [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)].count(True) == (26 if moves else 0)
    assert not np.array_equal(head, model.get_layer("dense_5").get_weights()[0])


def test_a_file_of_another_network_is_refused_with_the_layer_s_name(tmp_path: Path) -> None:
    file = tmp_path / "other.weights.h5"
    keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, name="thinker")]).save_weights(file)
    with pytest.raises(ReportError, match=r"block1_conv1 of VGG16 is missing; the file has the layers thinker"):
        vgg16.from_file(file)


def test_a_layer_of_another_shape_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "grey.weights.h5"
    keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 1)).save_weights(file)
    with pytest.raises(ReportError, match=r"layer block1_conv1 has weights of .*\(3, 3, 1, 64\).*expected"):
        vgg16.from_file(file)


@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_vgg19_which_has_all_layers_of_vgg16_and_more_is_refused(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"vgg19{ending}"
    model = keras.applications.VGG19(include_top=False, weights=None, input_shape=(32, 32, 3))
    (model.save if ending == ".h5" else model.save_weights)(file)
    with pytest.raises(ReportError, match=r"VGG16 has no layer block3_conv4; the weights are of another network"):
        vgg16.from_file(file)


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "diverged.weights.h5"
    model = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    bias = model.get_layer("block4_conv2").bias
    bias.assign(np.full(bias.shape, np.nan))
    model.save_weights(file)
    with pytest.raises(ReportError, match=r"layer block4_conv2 has weights that are not numbers"):
        vgg16.from_file(file)


def test_a_missing_and_a_truncated_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="there is no such file"):
        vgg16.from_file(tmp_path / "none.h5")
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 40)
    with pytest.raises(ReportError, match="damaged or of another format"):
        vgg16.from_file(broken)


def carded(folder: Path, **changes: Any) -> Path:
    """A file of weights, which only its hash speaks of, and a card beside it; `changes` replace the card's fields."""
    folder.mkdir(exist_ok=True)
    file = folder / "tiny-32px-0123.weights.h5"
    if not file.exists():
        file.write_bytes(b"weights")
    content = {
        "name": "tiny",
        "architecture": "VGG16",
        "preprocessing": BGR_MEAN,
        "image_size": 32,
        "classes": 4,
        "epochs_done": 3,
        "epochs": 3,
        "top1": 0.25,
        "top5": 0.5,
        "weights_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "record": "experiments/pretraining/tiny-32px-0123.json",
        "started": datetime(2026, 3, 1, tzinfo=UTC),
        "run": HASH,
    }
    write_card(Card.model_validate({**content, **changes}), folder / "tiny-32px-0123.json")
    return file


def job(file: Path | None, identifier: str = "p07_vgg16_frozen", **changes: Any) -> Job:
    return dataclasses.replace(Job(identifier, 0, "full", "float32", "sample", Path("results"), file), **changes)


def test_weights_with_a_card_are_called_what_it_says_and_a_run_records_their_promise(tmp_path: Path) -> None:
    start = start_of(carded(tmp_path))
    assert (start.name, start.expects) == ("tiny", BGR_MEAN)
    assert start.settings == {
        "weights_expect": BGR_MEAN,
        "weights_sha256": hashlib.sha256(b"weights").hexdigest(),
        "weights_record": "experiments/pretraining/tiny-32px-0123.json",
        "weights_epochs": 3,
        "weights_epochs_asked": 3,
    }


def test_keras_s_own_weights_expect_vgg16_s_preparation() -> None:
    assert (start_of(None).name, start_of(None).expects) == ("imagenet", BGR_MEAN)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights_sha256": HASH}, r"speaks of 0123456789ab…; the file is damaged, or the card is of another one"),
        ({"architecture": "ResNet50"}, "says weights of ResNet50, expected VGG16"),
        ({"preprocessing": "-1..1"}, r"must be prepared as '-1\.\.1', which is none of those known here: '1/255'"),
        ({"name": "imagenet"}, "calls these weights 'imagenet', and by their content they are not"),
        ({"epochs_done": 1}, "unfinished, 1 of 3 epochs.*--allow-unfinished"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ReportError, match=message):
        start_of(carded(tmp_path, **changes))


def test_a_truncated_card_is_refused(tmp_path: Path) -> None:
    file = carded(tmp_path)
    card = tmp_path / "tiny-32px-0123.json"
    card.write_text(card.read_text(encoding="utf-8")[:60], encoding="utf-8")
    with pytest.raises(ReportError, match=r"tiny-32px-0123\.json.*not valid JSON"):
        start_of(file)


def test_unfinished_weights_may_be_used_when_asked_for_and_the_record_says_so(tmp_path: Path) -> None:
    start = start_of(carded(tmp_path, epochs_done=1), allow_unfinished=True)
    assert (start.settings["weights_epochs"], start.settings["weights_epochs_asked"]) == (1, 3)


@pytest.mark.parametrize("name", ["imagenet", "random"])
def test_a_files_name_never_makes_it_what_it_is_not(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.weights.h5"
    file.write_bytes(b"anything")
    start = start_of(file)
    assert start.name == f"{name}-{hashlib.sha256(b'anything').hexdigest()[:8]}" and start.expects is None


def test_a_run_on_other_weights_or_another_preparation_is_a_variant_in_a_folder_of_its_own(tmp_path: Path) -> None:
    file = carded(tmp_path)
    assert job(None).variant is None
    assert job(file).variant == "tiny"
    assert job(file, preprocessing="weights").variant == "tiny-own-preprocessing"
    assert job(None, preprocessing="weights").variant == "own-preprocessing"
    assert job(file).folder == Path("results/p07_vgg16_frozen/tiny/seed-0")
    assert job(file, profile="smoke").variant is None
    assert job(file, identifier="p06_vgg16_scratch", preprocessing="weights").variant is None


@pytest.mark.parametrize(("name", "variant"), [("_Best", "best"), ("权重", "weights-c5136dfb"), ("a b", "a-b")])
def test_weights_of_any_name_make_a_variant_that_a_folder_can_be_called(
    tmp_path: Path, name: str, variant: str
) -> None:
    file = tmp_path / f"{name}.weights.h5"
    file.write_bytes(b"weights")
    assert job(file).variant == variant.replace("c5136dfb", hashlib.sha256(b"weights").hexdigest()[:8])


def test_options_on_weights_are_no_part_of_the_command_of_a_run_without(tmp_path: Path) -> None:
    for run in (job(carded(tmp_path), "p06_vgg16_scratch"), job(carded(tmp_path), profile="smoke")):
        assert "weights" not in dataclasses.replace(run, preprocessing="weights", allow_unfinished=True).command


def test_a_control_starts_from_random_weights_where_its_project_does_not(tmp_path: Path) -> None:
    control = job(None, "p09_mini_vgg16", random_weights=True)
    assert (control.variant, control.start, worker.pretrained(control)) == ("random", None, None)
    assert control.command.endswith("--force --random-weights") and "--random-weights" in control.arguments
    assert dataclasses.replace(control, sizes=Sizes(64)).variant == "random-64px"
    # These start from such weights anyway.
    assert job(None, "p06_vgg16_scratch", random_weights=True).variant is None
    assert job(None, "p09_mini_vgg16", random_weights=True, profile="smoke").variant is None


def test_a_run_is_fed_as_the_project_says_or_as_its_weights_expect(tmp_path: Path) -> None:
    file = carded(tmp_path)
    assert job(file).declared.pixel_scaling == UNIT_INTERVAL
    assert job(file, preprocessing="weights").declared.pixel_scaling == BGR_MEAN
    assert "--vgg16-weights FILE --preprocessing weights" in job(file, preprocessing="weights").command


def test_the_preparation_of_weights_without_a_card_is_unknown(tmp_path: Path) -> None:
    file = tmp_path / "mine.weights.h5"
    file.write_bytes(b"anything")
    assert job(file).variant == "mine"
    with pytest.raises(ReportError, match="--preprocessing weights needs a file with a card"):
        _ = job(file, preprocessing="weights").declared


@pytest.mark.slow
def test_the_record_of_a_run_on_such_weights_tells_what_they_expect_and_what_was_fed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Project 9 for one epoch of the sample, on random weights that a card speaks of."""
    declared = catalogue.load("p09_mini_vgg16")
    short = dataclasses.replace(declared, training=dataclasses.replace(declared.training, epochs=1))
    monkeypatch.setattr(catalogue, "load", lambda _: short)
    monkeypatch.setattr(worker, "CHECKPOINTS", tmp_path / "checkpoints")
    file = tmp_path / "tiny-32px-0123.weights.h5"
    keras.applications.VGG16(include_top=False, weights=None).save_weights(file)
    asked = job(carded(tmp_path), "p09_mini_vgg16", results=tmp_path / "results", preprocessing="weights")
    done = worker.work(
        asked, lambda: made_up().canary, worker.pretrained(asked), data.load("sample"), sources(asked.project)
    )
    assert record.read_all(tmp_path / "results") == (done,)
    assert done.variant == "tiny-own-preprocessing"
    assert (done.settings["weights"], done.settings["weights_expect"]) == ("tiny", BGR_MEAN)
    assert done.settings["pixel_scaling"] == BGR_MEAN
    assert done.settings["weights_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_that_keras_publishes_is_told_by_its_content_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "downloaded.h5"
    file.write_bytes(b"as published")
    monkeypatch.setattr(vgg16, "IMAGENET", {hashlib.md5(b"as published").hexdigest()})
    start = start_of(file)
    assert (start.name, start.expects) == ("imagenet", BGR_MEAN)
    assert start.sha256 == hashlib.sha256(b"as published").hexdigest()
    assert job(file).variant is None, "it is the project as it is declared"


def test_drawn_weights_keep_the_deviation_of_a_signal_and_are_those_of_their_seed() -> None:
    model = build(catalogue.load("p09_mini_vgg16"), 0, "float32")
    first, again, other = (vgg16.drawn(model, seed).layers for seed in (0, 0, 1))
    for name, (kernel, bias) in first.items():
        assert kernel.std() == pytest.approx(np.sqrt(2 / np.prod(kernel.shape[:3])), rel=0.05) and not bias.any()
        assert np.array_equal(kernel, again[name][0]) and not np.array_equal(kernel, other[name][0])
