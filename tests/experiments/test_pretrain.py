"""Pretraining on a few real images: it learns, goes on where it was cut off to the bit, and leaves what it promises."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from experiments import labelled, vgg16
from experiments.__main__ import app
from experiments.checkpoint import Diary
from experiments.environment import ROOT
from experiments.labelled import LabelledSet
from experiments.pretrain import (
    SOURCES,
    Finished,
    Passes,
    Publish,
    Recipe,
    _Pretraining,
    averaging,
    batches,
    build,
    initialise,
    inputs,
    pretrain,
    save,
)
from experiments.scaling import BGR_MEAN, scaled
from experiments.train import unfused
from reportgen import pretraining
from reportgen.errors import ReportError
from tests.experiments import other_backend
from tests.experiments.labelled_files import few

RECIPE = Recipe(image_size=32, epochs=3, batch_size=8, steps_per_epoch=2, learning_rate=1e-3)
WIDE = [f"block{block}_conv{convolution}" for block in (3, 4, 5) for convolution in (1, 2, 3)]
"""The convolutions of 256 filters and more."""


@pytest.fixture(autouse=True)
def behind_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.checkpoint.SHARE", 1.0)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> LabelledSet:
    return labelled.load(few(tmp_path_factory.mktemp("sets") / "few"), 32)


@pytest.fixture(scope="module")
def finished(images: LabelledSet, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("pretraining")
    return pretrain(images, RECIPE, weights=folder / "weights", records=folder / "records")


class CutOff(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends the process, as far as `fit` can tell, in the middle of the third epoch."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._epoch == 2 and batch == 1:
            raise KeyboardInterrupt


@pytest.mark.cifar10
def test_the_weights_are_named_by_their_hash_and_their_card_and_record_say_what_they_are(finished: Finished) -> None:
    sha256 = hashlib.sha256(finished.weights.read_bytes()).hexdigest()
    assert finished.weights.name == f"few-32px-{sha256[:12]}.weights.h5"
    card, record = vgg16.read_card(finished.card), pretraining.read(finished.record)
    assert card.weights_sha256 == record.weights_sha256 == sha256
    assert (card.name, card.architecture, card.preprocessing) == ("few", "VGG16", BGR_MEAN)
    assert (card.epochs_done, card.epochs, card.classes, card.image_size) == (3, 3, 4, 32)
    assert (card.top1, card.top5) == (record.history[-1].val_top1, record.history[-1].val_top5)
    assert record.finished and record.passes == 3 * 2 * 8 / 48
    assert record.network.parameters == 14_714_688 + 512 * 4 + 4
    assert {"experiments/pretrain.py", "experiments/labelled.py"} <= set(record.sources)
    assert sorted(file.name for file in finished.weights.parent.iterdir() if file.is_file()) == sorted(
        [finished.weights.name, finished.card.name]
    )
    assert not list((finished.weights.parent / "checkpoints").glob("*.npz"))


@pytest.mark.cifar10
def test_the_recorded_command_asks_for_the_recipe_that_was_recorded(
    images: LabelledSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Recipe(
        image_size=48,
        epochs=3,
        batch_size=8,
        steps_per_epoch=2,
        learning_rate=1e-3,
        dropout=0.5,
        weight_decay=0.1,
        smallest_crop=0.7,
        cutmix=0.5,
        precision="mixed_bfloat16",
        seed=3,
    )
    command = _Pretraining(images, chosen, tmp_path, tmp_path).command
    python, _, package, *arguments = shlex.split(command)
    assert (python, package) == ("python", "experiments")
    asked: list[Recipe] = []

    def pretrained(images: LabelledSet, recipe: Recipe, **options: object) -> None:
        asked.append(recipe)
        raise ReportError("not trained")

    monkeypatch.setattr("experiments.labelled.load", lambda *arguments: images)
    monkeypatch.setattr("experiments.pretrain.pretrain", pretrained)
    CliRunner().invoke(app, arguments)
    assert asked == [chosen]


@pytest.mark.parametrize("chosen", [None, "elsewhere"])
def test_what_is_compiled_for_a_pretraining_is_kept_and_a_folder_that_the_user_names_is_left(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    variable = "JAX_COMPILATION_CACHE_DIR"
    there = {name: value for name, value in os.environ.items() if name != variable}
    monkeypatch.setattr(os, "environ", there | ({variable: chosen} if chosen else {}))
    CliRunner().invoke(app, ["pretrain", "--data", "nowhere"])
    assert os.environ[variable] == (chosen or str(ROOT / "build" / "xla"))


@pytest.mark.cifar10
def test_what_has_ended_is_not_trained_again(images: LabelledSet, finished: Finished) -> None:
    again = pretrain(images, RECIPE, weights=finished.weights.parent, records=finished.record.parent)
    assert again == dataclasses.replace(finished, before=True)


@pytest.mark.cifar10
def test_another_recipe_that_was_cut_off_does_not_stand_in_the_way_of_one_that_has_ended(
    images: LabelledSet, finished: Finished
) -> None:
    weights, records = finished.weights.parent, finished.record.parent
    other = _Pretraining(images, dataclasses.replace(RECIPE, learning_rate=1e-4), weights, records).checkpoint.file
    other.write_bytes(b"where the other stands")
    assert pretrain(images, RECIPE, weights=weights, records=records).before
    assert other.read_bytes() == b"where the other stands"
    other.unlink()


@pytest.mark.slow
@pytest.mark.cifar10
def test_a_run_that_was_cut_off_leaves_unfinished_weights_and_ends_like_one_that_was_not(
    images: LabelledSet, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started over beside one that has ended, which stays until the new one has come as far."""
    shutil.copytree(finished.record.parents[1], tmp_path, dirs_exist_ok=True)
    ended = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    weights, records = tmp_path / "weights", tmp_path / "records"
    with pytest.raises(KeyboardInterrupt):
        pretrain(images, RECIPE, weights=weights, records=records, restart=True, callbacks=[CutOff()])
    assert all(file.read_bytes() == content for file, content in ended.items())
    (card,) = (vgg16.read_card(file) for file in weights.glob("*.json") if file not in ended)
    assert (card.epochs_done, card.epochs) == (2, 3)
    with monkeypatch.context() as changed:
        changed.setitem(SOURCES, "experiments/vgg16.py", "of another day")
        with pytest.raises(ReportError, match=r"cut off after epoch 2 and cannot go on.*since: experiments/vgg16\.py"):
            pretrain(images, RECIPE, weights=weights, records=records)
    resumed = pretrain(images, RECIPE, weights=weights, records=records)
    assert not resumed.before and resumed.weights.name == finished.weights.name
    without_seconds = [
        [epoch.model_copy(update={"seconds": 0.0}) for epoch in done.pretraining.history]
        for done in (resumed, finished)
    ]
    assert without_seconds[0] == without_seconds[1]
    assert [file.name for file in records.iterdir()] == [resumed.record.name]


@pytest.mark.cifar10
def test_records_do_not_stand_among_the_weights_whose_cards_have_their_names(
    images: LabelledSet, tmp_path: Path
) -> None:
    with pytest.raises(ReportError, match="where the card has the same name"):
        pretrain(images, RECIPE, weights=tmp_path, records=tmp_path / "." / "")
    assert not list(tmp_path.iterdir())


@pytest.mark.cifar10
def test_two_processes_do_not_do_the_same_pretraining(images: LabelledSet, tmp_path: Path) -> None:
    file = _Pretraining(images, RECIPE, tmp_path, tmp_path).checkpoint.file
    file.parent.mkdir(parents=True)
    with FileLock(file.with_suffix(".lock")), pytest.raises(ReportError, match="under way in another process"):
        pretrain(images, RECIPE, weights=tmp_path, records=tmp_path / "records")


@pytest.mark.cifar10
def test_other_images_of_the_same_name_have_a_checkpoint_of_their_own(images: LabelledSet, tmp_path: Path) -> None:
    others = dataclasses.replace(images, train=images.validation)
    assert (
        _Pretraining(images, RECIPE, tmp_path, tmp_path).checkpoint.file
        != _Pretraining(others, RECIPE, tmp_path, tmp_path).checkpoint.file
    )


class Diverge(keras.callbacks.Callback):  # type: ignore[misc]
    """As if the very last step had blown the weights up: the mean loss of the epoch is still a number."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if int(self.model.optimizer.iterations) == RECIPE.epochs * 2:
            for variable in self.model.optimizer._model_variables_moving_average:
                variable.assign(np.full(variable.shape, np.nan))


@pytest.mark.slow
@pytest.mark.cifar10
def test_weights_that_stop_being_numbers_in_the_last_step_are_not_kept(images: LabelledSet, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"stopped being a number in epoch 3; the weights are those of an epoch"):
        pretrain(images, RECIPE, weights=tmp_path / "weights", records=tmp_path / "records", callbacks=[Diverge()])
    (card,) = map(vgg16.read_card, (tmp_path / "weights").glob("*.json"))
    assert (card.epochs_done, card.epochs) == (2, 3)


@pytest.mark.cifar10
def test_a_folder_that_is_none_is_told_before_anything_is_trained(images: LabelledSet, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(ReportError, match="a file: expected a folder to write to"):
        pretrain(images, RECIPE, weights=tmp_path / "a file", records=tmp_path)


@pytest.mark.cifar10
def test_weights_that_the_disk_does_not_take_end_no_pretraining_that_is_under_way(
    images: LabelledSet, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource", reason="the system limits no file's size")
    model = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    publish = Publish(_Pretraining(images, RECIPE, tmp_path, tmp_path), diary := Diary())
    publish.set_model(model)
    publish.set_params({"epochs": 2})
    publish.on_test_end()
    diary.epochs = [{"loss": 1.0, "seconds": 1.0}] * 2
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with pytest.warns(UserWarning, match=r"weights of epoch 1 cannot be written \(File too large\).* goes on"):
            publish.on_epoch_end(0)
        with pytest.raises(ReportError, match=r"weights of epoch 2 .* \(File too large\)\. Start the same"):
            publish.on_epoch_end(1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


@pytest.mark.cifar10
def test_a_set_that_would_pass_for_the_study_s_weights_is_refused(images: LabelledSet, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="'imagenet' would pass for what the study used"):
        pretrain(dataclasses.replace(images, name="imagenet"), RECIPE, weights=tmp_path, records=tmp_path)


@pytest.mark.cifar10
def test_the_written_weights_give_on_unscaled_images_what_the_network_saw(images: LabelledSet, tmp_path: Path) -> None:
    some = inputs(images.train.pixels[:16])
    trained = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    initialise(trained, some)
    file = tmp_path / "mine.weights.h5"
    save({layer.name: layer.get_weights() for layer in trained.layers if layer.weights}, file)
    read = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    for name, weights in vgg16.from_file(file).layers.items():
        read.get_layer(name).set_weights(weights)
    own = scaled(images.train.pixels[:16], BGR_MEAN)
    np.testing.assert_allclose(read.predict(own, verbose=0), trained.predict(some, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.cifar10
def test_fresh_weights_give_every_channel_of_every_convolution_mean_0_and_deviation_1(images: LabelledSet) -> None:
    some = inputs(images.train.pixels[:32])
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    initialise(base, some)
    for name in ("block1_conv1", "block2_conv2", "block3_conv3"):
        layer = base.get_layer(name)
        signal = keras.Model(base.input, layer.input).predict(some, verbose=0)
        found = np.asarray(keras.ops.conv(signal, layer.kernel, padding="same") + layer.bias)
        np.testing.assert_allclose(found.mean((0, 1, 2)), 0, atol=1e-3)
        np.testing.assert_allclose(found.std((0, 1, 2)), 1, atol=1e-3)


@pytest.mark.cifar10
def test_no_layer_begins_with_the_weights_of_another_and_a_seed_draws_them_again(images: LabelledSet) -> None:
    drawn = []
    for seed in (0, 0, 1):
        keras.utils.set_random_seed(seed)
        base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
        initialise(base, inputs(images.train.pixels[:8]))
        drawn.append([np.asarray(layer.kernel) for layer in base.layers if layer.weights])
    for one, other in itertools.combinations(drawn[0], 2):
        if one.shape == other.shape:  # scaled by channel, so that equal draws would not be equal
            assert abs(np.corrcoef(one[..., 0].ravel(), other[..., 0].ravel())[0, 1]) < 0.1
    for again, same, another in zip(*drawn, strict=True):
        np.testing.assert_array_equal(again, same)
        assert not np.array_equal(again, another)


@pytest.mark.cifar10
def test_the_learning_rate_rises_then_falls_to_zero_and_biases_do_not_decay(images: LabelledSet) -> None:
    model = build(RECIPE, 4, 100, inputs(images.train.pixels[:8]))
    schedule = model.optimizer._learning_rate
    rates = [float(schedule(step)) for step in range(101)]
    assert rates[0] == 0 and max(rates) == pytest.approx(1e-3) == rates[5] and rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[5:] == sorted(rates[5:], reverse=True)
    decaying = [weight.path for weight in model.trainable_variables if model.optimizer._use_weight_decay(weight)]
    assert len(decaying) == 14 and not any("bias" in path for path in decaying)


@pytest.mark.cifar10
def test_images_too_small_and_an_unknown_precision_are_refused(images: LabelledSet) -> None:
    some = inputs(images.train.pixels[:8])
    with pytest.raises(ReportError, match="needs 32x32 pixels; --image-size is 16"):
        build(dataclasses.replace(RECIPE, image_size=16), 4, 10, some)
    with pytest.raises(ReportError, match="Unknown precision"):
        build(dataclasses.replace(RECIPE, precision="tiny"), 4, 10, some)


@pytest.mark.cifar10
def test_a_pass_shows_every_image_once_and_batches_depend_on_seed_and_step_alone(images: LabelledSet) -> None:
    whole = dataclasses.replace(RECIPE, smallest_crop=1.0)
    labels = np.concatenate([batch[1] for batch in itertools.islice(batches(images.train, 4, whole, 0), 6)])
    assert sorted(labels.argmax(1)) == sorted(images.train.labels)
    first = list(itertools.islice(batches(images.train, 4, RECIPE, 0), 9))
    later = list(itertools.islice(batches(images.train, 4, RECIPE, 7), 2))
    for before, now in zip(first[7:], later, strict=True):
        np.testing.assert_array_equal(before[0], now[0])
        np.testing.assert_array_equal(before[1], now[1])
    assert not np.array_equal(first[0][0], first[6][0])


TRAINING = """
import json, keras, numpy as np, sys, tempfile
from pathlib import Path
from experiments import labelled, pretrain, resident

images = labelled.load(Path(sys.argv[1]), 32)
vgg16 = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
pretrain.initialise(vgg16, pretrain.inputs(images.train.pixels[:8]))
assert all(np.isfinite(weights).all() for weights in vgg16.get_weights())

class Classes:
    def __init__(self, classes):
        self.output_shape = (None, classes)

def small(recipe, classes, steps, some, resident=False):
    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    image = keras.Input((32, 32, 3))
    found = keras.layers.Conv2D(8, 5, strides=3, activation="relu", name="block1_conv1")(image)
    model = keras.Model(image, keras.layers.Dense(classes)(keras.layers.Flatten()(found)), name="small")
    if resident:
        model = pretrain.ResidentVGG16(model)
    model.compile(
        keras.optimizers.AdamW(recipe.learning_rate, use_ema=True, ema_momentum=0.5),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="accuracy"),
            keras.metrics.TopKCategoricalAccuracy(2, name="top5"),
            keras.metrics.CategoricalCrossentropy(from_logits=True, name="cross_entropy"),
        ],
    )
    pretrain.make_variables(model, np.zeros((1, classes), dtype=np.float32))
    return model

pretrain.build, pretrain.save = small, lambda weights, file: file.write_bytes(b"")
everything = []
for cutmix in (0, 0.5):
    recipe = pretrain.Recipe(
        image_size=32, epochs=3, batch_size=5, steps_per_epoch=2, learning_rate=1e-3, cutmix=cutmix
    )

    drawn, host = pretrain.Cropped(images.train, recipe), pretrain.batches(images.train, images.classes, recipe, 0)
    for epoch in range(3):
        drawn.draw(epoch)
        for index in range(len(drawn)):
            plan = {name: array[0] for name, array in resident.stacked([drawn.plan(index)]).items()}
            held = {"pixels": images.train.pixels, "labels": images.train.labels.astype(np.int32)}
            held = {name: keras.ops.convert_to_tensor(array) for name, array in held.items()}
            pixels, labels = pretrain.ResidentVGG16.drawn(Classes(images.classes), held, plan)
            expected, of = next(host)
            assert np.allclose(labels, of, atol=1e-6)
            # Pixels of a crop are whole numbers to OpenCV, and its edges reach no further: of 4 in all, that is little.
            assert np.abs(pixels - expected).mean() < 0.02, np.abs(pixels - expected).mean()

    found = []
    for pays in (False, True):
        pretrain.pays = lambda: pays
        with tempfile.TemporaryDirectory() as folder:
            done = pretrain.pretrain(images, recipe, weights=Path(folder), records=Path(folder) / "records")
        found.append([epoch.model_dump(exclude={"seconds"}) for epoch in done.pretraining.history])
        found[-1].append(done.pretraining.network.model_dump(mode="json"))
    everything.append(found)
print(json.dumps(everything))
"""


@pytest.mark.cifar10
def test_a_pretraining_on_the_device_is_the_pretraining_that_it_stands_for(tmp_path: Path) -> None:
    """Under JAX, with a small network in VGG16's place: batches in few calls, crops drawn there, a smaller last one;
    without patches, and with them.
    """
    for (*usual, network), (*resident, as_resident) in other_backend.said("jax", TRAINING, str(few(tmp_path / "few"))):
        assert network == as_resident
        assert len(usual) == 3 and usual[0]["loss"] != usual[2]["loss"]
        for before, after in zip(usual, resident, strict=True):
            losses = ("loss", "val_cross_entropy")
            assert [after[name] for name in losses] == pytest.approx([before[name] for name in losses], rel=0.02)


def test_the_average_spans_a_tenth_of_all_steps_and_never_less_than_one() -> None:
    assert averaging(5) == 0 and averaging(1_000) == pytest.approx(0.99) and averaging(20_000) == pytest.approx(0.9995)


def test_weights_and_checkpoints_go_where_git_does_not_look() -> None:
    from experiments import pretrain as module

    assert module.WEIGHTS.is_relative_to(ROOT / "build")


@pytest.mark.cifar10
def test_a_network_computes_in_the_precision_that_was_asked_for_but_for_its_scores(images: LabelledSet) -> None:
    some = inputs(images.train.pixels[:8])
    model = build(dataclasses.replace(RECIPE, precision="mixed_bfloat16"), 4, 10, some)
    replaced = [layer.name for layer in model.layers if "convolution_op" in vars(layer)]
    assert replaced == (WIDE if unfused() else [])
    assert model.get_layer("block3_conv2").compute_dtype == "bfloat16"
    assert model.get_layer("scores").compute_dtype == "float32"
    assert np.isfinite(model.train_on_batch(some, np.zeros((len(some), 4), np.float32) + 0.25)[0])


@pytest.mark.slow
@pytest.mark.cifar10
def test_the_weights_that_are_kept_are_the_averaged_ones_whose_figures_on_the_validation_images_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more than five classes, and over so many steps that the average is another than the last weights."""

    class Averaged(keras.callbacks.Callback):  # type: ignore[misc]
        def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
            self.weights = self.model.get_weights()

    monkeypatch.setattr("experiments.pretrain.AVERAGED", 1.0)
    images, recipe = labelled.load(few(tmp_path / "set", classes=8), 32), dataclasses.replace(RECIPE, epochs=2)
    weights, records = tmp_path / "weights", tmp_path / "records"
    done = pretrain(images, recipe, weights=weights, records=records, callbacks=[averaged := Averaged()])
    model = build(recipe, images.classes, 4, inputs(images.train.pixels[:8]))
    assert averaging(4) == model.optimizer.ema_momentum == 0.75
    model.set_weights(averaged.weights)
    for name, (kernel, bias) in vgg16.from_file(done.weights).layers.items():
        expected, of_bias = model.get_layer(name).get_weights()
        np.testing.assert_array_equal(kernel * (64 if name == "block1_conv1" else 1), expected)
        np.testing.assert_array_equal(bias, of_bias)
    labels = images.validation.labels
    scores = model.predict(inputs(images.validation.pixels), verbose=0).astype(float)
    logarithms = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    ranks = (scores > scores[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    last = done.pretraining.history[-1]
    assert last.val_cross_entropy == pytest.approx(-logarithms[np.arange(len(labels)), labels].mean(), rel=1e-3)
    assert (last.val_top1, last.val_top5) == pytest.approx(((ranks < 1).mean(), (ranks < 5).mean()))
    assert done.pretraining.seconds == sum(epoch.seconds for epoch in done.pretraining.history) > last.seconds
    assert (done.pretraining.dataset.train, done.pretraining.dataset.validation) == (48, 16)


@pytest.mark.cifar10
def test_a_pretraining_draws_its_weights_crops_and_dropout_as_its_recipe_says(images: LabelledSet) -> None:
    some = inputs(images.train.pixels[:8])
    other = dataclasses.replace(RECIPE, seed=1, dropout=0.5)
    first, second = (build(recipe, 4, 10, some) for recipe in (RECIPE, other))
    assert (first.get_layer("dropout").rate, second.get_layer("dropout").rate) == (0.2, 0.5)
    kernels = [model.get_layer("block1_conv1").get_weights()[0] for model in (first, second)]
    assert not np.array_equal(*kernels)
    drawn = [Passes(48, recipe).step(step) for recipe in (RECIPE, other) for step in (0, 6)]
    assert len({chosen.tobytes() for chosen, _, _ in drawn}) == 4, "a pass has an order of its own"
    assert len({crops.tops.tobytes() + crops.lefts.tobytes() for _, crops, _ in drawn}) == 4
