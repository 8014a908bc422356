"""Real networks, real training steps, on the embedded sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from experiments import catalogue, data
from experiments.augmentation import resize
from experiments.batches import Batches
from experiments.data import Images
from experiments.layers import all_layers
from experiments.project import Augmentation, Project, Translation
from experiments.scaling import BGR_MEAN, scaled
from experiments.train import (
    build,
    confident_mistakes,
    confusion,
    measure,
    network_of,
    optimizer_of,
    predict,
    rows_of,
    scored,
    settings_of,
    smoothed,
    steps_of,
    train,
    unfused,
    use_precision,
)
from reportgen.errors import ReportError

ROWS = {
    "p00_base": [
        ("conv2d", "Conv2D", (None, 32, 32, 32), 896),
        ("max_pooling2d", "MaxPooling2D", (None, 16, 16, 32), 0),
        ("flatten", "Flatten", (None, 8192), 0),
        ("dense", "Dense", (None, 32), 262176),
        ("dense_1", "Dense", (None, 10), 330),
    ],
    "p01_deeper": [
        ("conv2d", "Conv2D", (None, 32, 32, 32), 896),
        ("max_pooling2d", "MaxPooling2D", (None, 16, 16, 32), 0),
        ("conv2d_1", "Conv2D", (None, 16, 16, 64), 18496),
        ("max_pooling2d_1", "MaxPooling2D", (None, 8, 8, 64), 0),
        ("conv2d_2", "Conv2D", (None, 8, 8, 128), 73856),
        ("max_pooling2d_2", "MaxPooling2D", (None, 4, 4, 128), 0),
        ("flatten", "Flatten", (None, 2048), 0),
        ("dense", "Dense", (None, 256), 524544),
        ("dense_1", "Dense", (None, 128), 32896),
        ("dense_2", "Dense", (None, 10), 1290),
    ],
}
_CONVOLUTIONS = [(32, 896), (32, 9248), (64, 18496), (64, 36928), (128, 73856), (128, 147584)]


def _blocks(normalized: bool) -> list[tuple[str, str, tuple[int | None, ...], int]]:
    """The rows of three blocks of two convolutions, as the study prints them for Projects 3 and 4."""
    rows: list[tuple[str, str, tuple[int | None, ...], int]] = []

    def number(name: str, k: int) -> str:
        return f"{name}_{k}" if k else name

    for k, (channels, parameters) in enumerate(_CONVOLUTIONS):
        block, side = k // 2, 32 // 2 ** (k // 2)
        rows.append((number("conv2d", k), "Conv2D", (None, side, side, channels), parameters))
        if normalized:
            name = number("batch_normalization", k)
            rows.append((name, "BatchNormalization", (None, side, side, channels), 4 * channels))
        if k % 2:
            half = side // 2
            rows.append((number("max_pooling2d", block), "MaxPooling2D", (None, half, half, channels), 0))
            rows.append((number("dropout", block), "Dropout", (None, half, half, channels), 0))
    return [*rows, ("flatten", "Flatten", (None, 2048), 0)]


ROWS["p02_dropout"] = [
    *ROWS["p01_deeper"][:4],
    ("dropout", "Dropout", (None, 8, 8, 64), 0),
    *ROWS["p01_deeper"][4:6],
    ("dropout_1", "Dropout", (None, 4, 4, 128), 0),
    *ROWS["p01_deeper"][6:9],
    ("dropout_2", "Dropout", (None, 128), 0),
    ROWS["p01_deeper"][9],
]
ROWS["p03_doubled"] = [
    *_blocks(normalized=False),
    ("dense", "Dense", (None, 512), 1049088),
    ("dropout_3", "Dropout", (None, 512), 0),
    ("dense_1", "Dense", (None, 10), 5130),
]
ROWS["p04_batch_norm"] = ROWS["p05_augmentation"] = [
    *_blocks(normalized=True),
    ("dense", "Dense", (None, 256), 524544),
    ("batch_normalization_6", "BatchNormalization", (None, 256), 1024),
    ("dense_1", "Dense", (None, 128), 32896),
    ("batch_normalization_7", "BatchNormalization", (None, 128), 512),
    ("dropout_3", "Dropout", (None, 128), 0),
    ("dense_2", "Dense", (None, 10), 1290),
]
_TOP = [
    ("dense_3", "Dense", (None, 256), 131328),
    ("batch_normalization_2", "BatchNormalization", (None, 256), 1024),
    ("dense_4", "Dense", (None, 128), 32896),
    ("batch_normalization_3", "BatchNormalization", (None, 128), 512),
    ("dropout_1", "Dropout", (None, 128), 0),
    ("dense_5", "Dense", (None, 10), 1290),
]
ROWS["p06_vgg16_scratch"] = ROWS["p08_vgg16_finetuned"] = [("model_2", "Functional", (None, 512), 14714688), *_TOP]
ROWS["p07_vgg16_frozen"] = [("model_1", "Functional", (None, 512), 14714688), *_TOP]
ROWS["p09_mini_vgg16"] = [
    ("model", "Functional", (None, 4096), 1735488),
    ("dense", "Dense", (None, 256), 1048832),
    ("batch_normalization", "BatchNormalization", (None, 256), 1024),
    ("dense_1", "Dense", (None, 128), 32896),
    ("batch_normalization_1", "BatchNormalization", (None, 128), 512),
    ("dropout", "Dropout", (None, 128), 0),
    ("dense_2", "Dense", (None, 10), 1290),
]
VGG16_ROWS = [
    ("input_1", "InputLayer", (None, 32, 32, 3), 0),
    ("block1_conv1", "Conv2D", (None, 32, 32, 64), 1792),
    ("block1_conv2", "Conv2D", (None, 32, 32, 64), 36928),
    ("block1_pool", "MaxPooling2D", (None, 16, 16, 64), 0),
    ("block2_conv1", "Conv2D", (None, 16, 16, 128), 73856),
    ("block2_conv2", "Conv2D", (None, 16, 16, 128), 147584),
    ("block2_pool", "MaxPooling2D", (None, 8, 8, 128), 0),
    ("block3_conv1", "Conv2D", (None, 8, 8, 256), 295168),
    ("block3_conv2", "Conv2D", (None, 8, 8, 256), 590080),
    ("block3_conv3", "Conv2D", (None, 8, 8, 256), 590080),
    ("block3_pool", "MaxPooling2D", (None, 4, 4, 256), 0),
    ("block4_conv1", "Conv2D", (None, 4, 4, 512), 1180160),
    ("block4_conv2", "Conv2D", (None, 4, 4, 512), 2359808),
    ("block4_conv3", "Conv2D", (None, 4, 4, 512), 2359808),
    ("block4_pool", "MaxPooling2D", (None, 2, 2, 512), 0),
    ("block5_conv1", "Conv2D", (None, 2, 2, 512), 2359808),
    ("block5_conv2", "Conv2D", (None, 2, 2, 512), 2359808),
    ("block5_conv3", "Conv2D", (None, 2, 2, 512), 2359808),
    ("block5_pool", "MaxPooling2D", (None, 1, 1, 512), 0),
]
TOTALS = {
    "p00_base": (263_402, 263_402, 0),
    "p01_deeper": (651_978, 651_978, 0),
    "p02_dropout": (651_978, 651_978, 0),
    "p03_doubled": (1_341_226, 1_341_226, 0),
    "p04_batch_norm": (849_066, 847_402, 1_664),
    "p05_augmentation": (849_066, 847_402, 1_664),
    "p06_vgg16_scratch": (14_881_738, 14_880_970, 768),
    "p07_vgg16_frozen": (14_881_738, 166_282, 14_715_456),
    "p08_vgg16_finetuned": (14_881_738, 14_880_970, 768),
    "p09_mini_vgg16": (2_820_042, 2_819_274, 768),
    "p10_vgg16_64px": (15_274_954, 15_274_186, 768),
}
OURS = (1_979_136, 1_975_936, 3_200)
NAMES = {"p06_vgg16_scratch": "sequential_2", "p07_vgg16_frozen": "sequential_2", "p08_vgg16_finetuned": "sequential_2"}
SMALL = ("p00_base", "p01_deeper")
"""Quick to train."""


def with_small_batches(declared: Project) -> Project:
    """The sample has 320 training images; a batch of 512 would make an epoch a single step."""
    return dataclasses.replace(declared, training=dataclasses.replace(declared.training, batch_size=32))


@pytest.mark.parametrize("identifier", sorted(ROWS))
def test_every_layer_row_that_the_study_prints_is_built(identifier: str) -> None:
    network = network_of(build(catalogue.load(identifier), 0, "float32"))
    assert network.name == NAMES.get(identifier, "sequential")
    assert [(row.name, row.type, row.output_shape, row.parameters) for row in network.layers] == ROWS[identifier]


@pytest.mark.parametrize("identifier", catalogue.studied())
def test_the_totals_of_parameters_are_the_study_s(identifier: str) -> None:
    network = network_of(build(catalogue.load(identifier), 0, "float32"))
    assert (network.parameters, network.trainable, network.non_trainable) == TOTALS[identifier]


@pytest.mark.project("p11_modern")
def test_project_11_is_ours_and_has_three_wide_blocks_without_a_hidden_layer() -> None:
    assert not catalogue.load("p11_modern").of_the_study
    network = network_of(build(catalogue.load("p11_modern"), 0, "float32"))
    assert (network.parameters, network.trainable, network.non_trainable) == OURS
    rows = [(row.type, row.output_shape[1:], row.parameters) for row in network.layers]
    assert rows[:2] == [("Conv2D", (30, 30, 32), 896), ("Activation", (30, 30, 32), 0)]
    inward, side = 32, 30
    for block, width in enumerate((64, 256, 256)):
        half = side // 2
        assert rows[2 + 7 * block : 9 + 7 * block] == [
            ("Conv2D", (side, side, width), 9 * inward * width),
            ("MaxPooling2D", (half, half, width), 0),
            ("BatchNormalization", (half, half, width), 3 * width),
            ("Activation", (half, half, width), 0),
            ("Conv2D", (half, half, width), 9 * width * width),
            ("BatchNormalization", (half, half, width), 3 * width),
            ("Activation", (half, half, width), 0),
        ]
        inward, side = width, half
    assert rows[23:] == [
        ("GlobalMaxPooling2D", (256,), 0),
        ("Dense", (10,), 2560),
        ("Rescaling", (10,), 0),
        ("Activation", (10,), 0),
    ]


@pytest.mark.parametrize(("identifier", "last"), [("p06_vgg16_scratch", 19), ("p09_mini_vgg16", 11)])
def test_the_layers_of_vgg16_are_those_that_the_study_prints(identifier: str, last: int) -> None:
    inner = build(catalogue.load(identifier), 0, "float32").layers[0].layers
    rows = [(layer.name, type(layer).__name__, tuple(layer.output.shape), layer.count_params()) for layer in inner]
    features = (None, 512 if last == 19 else 4096)
    assert rows == [*VGG16_ROWS[:last], ("flatten", "Flatten", features, 0)]


@pytest.mark.parametrize("identifier", ["p01_deeper", "p06_vgg16_scratch"])
def test_images_too_small_for_the_network_are_refused(identifier: str) -> None:
    small = dataclasses.replace(catalogue.load(identifier), image_size=4)
    with pytest.raises(ReportError, match="cannot be built for images of 4x4 pixels"):
        build(small, 0, "float32")


@pytest.mark.project("p01_deeper")
def test_a_network_that_no_size_would_help_is_told_without_that_advice() -> None:
    def misspelt(image_size: int) -> keras.Model:
        return keras.Sequential([keras.Input((image_size, image_size, 3)), keras.layers.Dense(10, "softmx")])

    training = catalogue.load("p00_base").training
    with pytest.raises(ReportError, match=r"the network cannot be built \(ValueError: Could not interpret"):
        build(Project(network=misspelt, training=training), 0, "float32")
    with pytest.raises(ReportError, match=r"`network` returned NoneType, expected a keras\.Model"):
        build(Project(network=lambda _: None, training=training), 0, "float32")


class OfItsOwn(Exception):
    """As a backend raises one, or a project."""


class ResourceExhaustedError(Exception):
    """As TensorFlow calls its own."""


@pytest.mark.parametrize(
    ("problem", "wrong"),
    [
        (OfItsOwn("no way"), "OfItsOwn: no way"),
        (StopIteration(), "StopIteration"),
        (SystemExit(0), "SystemExit: 0"),
        (KeyError("size"), "KeyError: 'size'"),
    ],
)
@pytest.mark.project("p00_base")
def test_whatever_a_network_s_lines_raise_is_told_with_the_line(
    monkeypatch: pytest.MonkeyPatch, problem: BaseException, wrong: str
) -> None:
    def network(_: int) -> keras.Model:
        raise problem

    monkeypatch.setattr("experiments.train.PROJECTS", Path(__file__).parent)
    with pytest.raises(ReportError) as told:
        build(Project(network=network, training=catalogue.load("p00_base").training), 0, "float32")
    line = network.__code__.co_firstlineno + 1
    assert str(told.value) == f"tests/experiments/test_train.py, line {line}: the network cannot be built ({wrong})."


@pytest.mark.parametrize(
    "problem",
    [ReportError("a sentence"), SystemExit(143), MemoryError(), ResourceExhaustedError(), KeyboardInterrupt()],
)
@pytest.mark.project("p00_base")
def test_what_is_no_mistake_of_the_network_s_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    def network(_: int) -> keras.Model:
        raise problem

    monkeypatch.setattr("experiments.train.PROJECTS", Path(__file__).parent)
    with pytest.raises(type(problem)) as raised:
        build(Project(network=network, training=catalogue.load("p00_base").training), 0, "float32")
    assert raised.value is problem


class Composed(keras.Model):  # type: ignore[misc]
    """As a tutorial writes one: what its layers do is known to its `call` alone."""

    def call(self, images: Any) -> Any:
        return images


def several(image_size: int, inputs: bool) -> keras.Model:
    images = [keras.Input((image_size, image_size, 3)) for _ in range(2)]
    mixed = keras.layers.Add()(images) if inputs else images[0]
    return keras.Model(images if inputs else images[0], {"flat": keras.layers.Flatten()(mixed)})


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (lambda _: Composed(), r"returned a Composed, whose layers are put together in its `call`.*keras\.Sequential"),
        (lambda side: several(side, inputs=True), r"input is a list, expected one tensor"),
        (lambda side: several(side, inputs=False), r"output is a dict, expected one tensor"),
        (
            lambda _: keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()]),
            r"takes images of the shape \(None, 28, 28, 1\), expected \(None, 32, 32, 3\).*keras\.Input\(\(image_size",
        ),
        (lambda _: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), r"the shape \(None, 3\), expected"),
        (lambda side: keras.Sequential([keras.Input((side, side, 3))]), "no layers behind its input"),
        (lambda _: keras.Sequential([]), "cannot be built .*no layers"),
    ],
)
def test_a_network_that_cannot_be_fed_or_read_is_told_before_it_trains(
    network: Callable[[int], keras.Model], told: str
) -> None:
    with pytest.raises(ReportError, match=told):
        build(Project(network=network, training=catalogue.load("p00_base").training), 0, "float32")


def test_a_row_of_layers_needs_no_input_and_a_side_may_be_left_open() -> None:
    layers, training = keras.layers, catalogue.load("p00_base").training

    def row(image_size: int) -> keras.Model:
        return keras.Sequential([layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(10, "softmax")])

    def any_side(image_size: int) -> keras.Model:
        images = keras.Input((None, None, 3))
        return keras.Sequential([images, layers.GlobalAveragePooling2D(), layers.Dense(10, "softmax")])

    shapes = [layer.output_shape for layer in rows_of(build(Project(row, training), 0, "float32"))]
    assert shapes == [(None, 30, 30, 4), (None, 3600), (None, 10)]
    assert rows_of(build(Project(any_side, training), 0, "float32"))[0].output_shape == (None, 3)


def test_the_table_shows_what_operators_do_between_layers() -> None:
    def residual(image_size: int) -> keras.Model:
        images = keras.Input((image_size, image_size, 3))
        found = images + keras.layers.Conv2D(3, 3, padding="same", name="block")(images)
        return keras.Model(
            images, keras.ops.softmax(keras.layers.Dense(10, name="last")(keras.ops.mean(found, (1, 2))))
        )

    network = network_of(build(Project(residual, catalogue.load("p00_base").training), 0, "float32"))
    rows = [(row.type, row.output_shape[1:], row.parameters) for row in network.layers]
    assert rows == [
        ("InputLayer", (32, 32, 3), 0),
        ("Conv2D", (32, 32, 3), 84),
        ("Add", (32, 32, 3), 0),
        ("Mean", (3,), 0),
        ("Dense", (10,), 40),
        ("Softmax", (10,), 0),
    ]
    assert network.parameters == 124


def test_the_table_shows_the_first_output_of_a_layer_that_has_several() -> None:
    def recurrent(image_size: int) -> keras.Model:
        images = keras.Input((image_size, image_size, 3))
        read = keras.layers.Reshape((image_size, 3 * image_size))(images)
        lines, *_ = keras.layers.GRU(8, return_state=True)(read)
        return keras.Model(images, keras.layers.Dense(10, "softmax")(lines))

    rows = rows_of(build(Project(recurrent, catalogue.load("p00_base").training), 0, "float32"))
    assert [row.output_shape for row in rows][2:] == [(None, 8), (None, 10)]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (AssertionError(), r"cannot be built \(AssertionError\)"),
        (RuntimeError("no way"), r"cannot be built \(RuntimeError: no way\)"),
        (FileNotFoundError(2, "No such file", "mine.h5"), r"cannot be built \(FileNotFoundError: .*mine\.h5'\)"),
        (Exception("URL fetch failure on the weights"), r"cannot be built \(Exception: URL fetch failure on the wei"),
    ],
)
def test_what_a_network_itself_refuses_is_a_sentence(problem: Exception, told: str) -> None:
    def refusing(image_size: int) -> keras.Model:
        raise problem

    with pytest.raises(ReportError, match=told):
        build(Project(network=refusing, training=catalogue.load("p00_base").training), 0, "float32")


def test_what_a_backend_says_of_its_memory_is_left_to_those_who_know_it() -> None:
    class OfABackend(RuntimeError):
        """As JAX and PyTorch have one each."""

    def too_large(image_size: int) -> keras.Model:
        raise OfABackend("out of memory")

    with pytest.raises(OfABackend):
        build(Project(network=too_large, training=catalogue.load("p00_base").training), 0, "float32")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow alone computes operation by operation")
@pytest.mark.parametrize("gpus", [[], ["GPU:0"]])
@pytest.mark.project("p12_residual")
def test_only_where_nothing_is_fused_layers_in_sixteen_bits_compute_otherwise(
    gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    assert unfused() is (not gpus)
    for precision in ("float32", "mixed_bfloat16"):
        model = build(catalogue.load("p12_residual"), 0, precision)
        replaced = [name for layer in all_layers(model) for name in ("call", "convolution_op") if name in vars(layer)]
        assert ({*replaced} == {"call", "convolution_op"}) is (not gpus and precision == "mixed_bfloat16")
        assert bool(replaced) is (not gpus and precision == "mixed_bfloat16")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends take their steps otherwise")
@pytest.mark.project("p00_base")
def test_short_steps_are_taken_several_in_a_call_and_long_ones_alone() -> None:
    """Nor those of which nobody knows how long they are."""
    base = catalogue.load("p00_base")

    def calls(project: Project, batch_size: int) -> int:
        training = dataclasses.replace(base.training, batch_size=batch_size)
        return int(build(dataclasses.replace(project, training=training), 0, "float32").steps_per_execution)

    assert [calls(base, images) for images in (32, 512, 4096)] == [8, 3, 1]

    def uncounted(_: int) -> keras.Model:
        layers = keras.layers
        return keras.Sequential([keras.Input((32, 32, 3)), layers.Reshape((32, 96)), layers.LSTM(4), layers.Dense(10)])

    def pooled(_: int) -> keras.Model:
        layers = keras.layers
        return keras.Sequential([keras.Input((32, 32, 3)), layers.GlobalMaxPooling2D(), layers.Rescaling(0.1)])

    assert [calls(dataclasses.replace(base, network=network), 32) for network in (uncounted, pooled)] == [1, 1]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.project("p00_base")
def test_a_prediction_goes_batch_by_batch_for_keras_compiles_several_as_so_many_networks(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = dataclasses.replace(catalogue.load("p00_base"), image_size=8)
    model = build(declared, 0, "float32")
    model.steps_per_execution = 5
    seen, prediction = [], model.predict

    def predicts(*arguments: Any, **options: Any) -> Any:
        seen.append(model.steps_per_execution)
        if fails:
            raise KeyboardInterrupt
        return prediction(*arguments, **options)

    monkeypatch.setattr(model, "predict", predicts)
    images = data.load("sample").test
    with pytest.raises(KeyboardInterrupt) if fails else nullcontext():
        assert predict(model, images, 32, 8, declared.pixel_scaling, flips=True).shape == (len(images.labels), 10)
    assert seen == [1] * (1 if fails else 2) and model.steps_per_execution == 5
    monkeypatch.undo()
    plain = model.predict(scaled(resize(images.pixels, 8), declared.pixel_scaling), batch_size=9, verbose=0)
    assert plain.shape == (len(images.labels), 10), "and whoever predicts then is answered for all"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends take their steps otherwise")
@pytest.mark.project("p02_dropout", "p11_modern")
@pytest.mark.parametrize(("identifier", "within"), [("p02_dropout", 0.0), ("p11_modern", 1e-3)])
def test_a_training_is_the_same_however_many_steps_a_call_takes(
    identifier: str, within: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what each step draws, and a learning rate that changes with each; the last call is not full.

    To the last bit, but where TensorFlow puts batch normalization together otherwise.
    """
    declared = catalogue.load(identifier)
    declared = dataclasses.replace(declared, training=dataclasses.replace(declared.training, batch_size=32))
    split = data.split(data.load("sample"), 0)
    few = dataclasses.replace(split, train=Images(split.train.pixels[:150], split.train.labels[:150]))
    found = []
    for together in (1, 2):
        monkeypatch.setattr("experiments.train.steps_a_call", lambda *_, taken=together: taken)
        model = build(declared, 0, "float32", 10)
        run = train(declared, model, few, 0, epochs=2)
        assert int(model.optimizer.iterations.numpy()) == 10 and model.steps_per_execution == together
        losses = [(epoch.cross_entropy, epoch.val_cross_entropy) for epoch in run.history]
        found.append([np.array(losses), np.array(run.test.cross_entropy), *model.get_weights()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol=within, atol=within)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
@pytest.mark.parametrize("identifier", ["p00_base", "p11_modern"])
def test_a_step_is_traced_once(identifier: str, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that makes variables would be traced twice, which takes as long as a short training."""
    model = build(dataclasses.replace(catalogue.load(identifier), image_size=16), 0, precision)
    traced, step = [], model.train_step

    def counted(data: Any) -> Any:
        traced.append(data)
        return step(data)

    monkeypatch.setattr(model, "train_step", counted)
    before = [np.asarray(weight) for weight in model.weights]
    model.train_on_batch(np.ones((2, 16, 16, 3), np.float32), np.zeros(2))
    assert len(traced) == 1
    assert any(not np.array_equal(was, weight) for was, weight in zip(before, model.weights, strict=True))


def test_a_network_without_a_probability_for_each_class_is_built_and_told_by_the_canary() -> None:
    def flat(image_size: int) -> keras.Model:
        return keras.Sequential([keras.Input((image_size, image_size, 3)), keras.layers.Dense(10, "softmax")])

    assert build(Project(network=flat, training=catalogue.load("p00_base").training), 0, "float32").output_shape[
        1:
    ] == (
        *(32, 32),
        10,
    )


def test_the_layers_are_named_the_same_when_another_network_was_built_before() -> None:
    build(catalogue.load("p01_deeper"), 0, "float32")
    network = network_of(build(catalogue.load("p00_base"), 0, "float32"))
    assert [row.name for row in network.layers] == [name for name, *_ in ROWS["p00_base"]]


@pytest.mark.study
def test_each_project_changes_the_settings_that_the_study_changed() -> None:
    found = {identifier: settings_of(catalogue.load(identifier)) for identifier in catalogue.identifiers()}
    settings: dict[str, object] = {
        "batch_size": 512,
        "epochs": 100,
        "optimizer": "Adam",
        "learning_rate": 1e-3,
        "loss": "sparse_categorical_crossentropy",
        "pixel_scaling": "1/255",
        "patience_val_loss": 5,
        "patience_val_accuracy": 5,
    }
    steps: list[dict[str, object]] = [
        *({}, {}, {}, {}),
        {"batch_size": 256},
        {
            **{"patience_val_loss": 10, "patience_val_accuracy": 10},
            **{"rotation": 15, "shift": 0.1, "horizontal_flip": True, "fill_mode": "nearest"},
        },
        {"learning_rate": 1e-4, "clipnorm": 1.0, "weights": "random"},
        {"weights": "imagenet"},
        *({}, {}),
        {"image_size": 64},
    ]
    for identifier, step in zip(catalogue.studied(), steps, strict=True):
        settings = {**settings, **step}
        assert found[identifier] == settings, identifier


@pytest.mark.project("p11_modern", "p12_residual")
def test_project_12_is_project_11_with_residuals_width_cutout_and_time() -> None:
    before, now = catalogue.load("p11_modern"), catalogue.load("p12_residual")
    assert not now.of_the_study and now.test_time_flips and now.prepare is before.prepare
    old, new = settings_of(before), settings_of(now)
    assert {name: value for name, value in new.items() if old.get(name) != value} == {
        "epochs": 40,
        "learning_rate": 0.6,
        "translation": 4,
        "cutout": 12,
    }
    assert old.keys() <= new.keys()
    model = build(now, 0, "float32")
    assert (network := network_of(model)).parameters == network.trainable + 7_040 == 9_931_648
    blocks = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    assert [block.output_shape[1:] for block in blocks] == [(15, 15, 128), (7, 7, 384), (3, 3, 512)]
    for block in blocks:
        assert [row.type for row in rows_of(block)].count("Conv2D") == 3


@pytest.mark.project("p12_residual")
def test_a_block_of_project_12_begins_with_convolutions_that_change_nothing_and_adds_what_it_found_to_them() -> None:
    from experiments.projects import p12_residual

    given = np.random.default_rng(0).normal(size=(2, 8, 8, 16)).astype(np.float32)
    pooled = given.reshape(2, 4, 2, 4, 2, 16).max(axis=(2, 4))

    def silu(signal: Any) -> Any:
        return signal / (1 + np.exp(-signal))

    def normalized(signal: Any) -> Any:
        return signal / np.sqrt(1 + 1e-3)  # nothing has been averaged yet

    passed = silu(normalized(pooled))
    expected = silu(passed + normalized(silu(normalized(passed))))
    found = p12_residual.block((8, 8, 16), 16, "block")(given)
    assert np.asarray(found) == pytest.approx(expected, abs=1e-5)


@pytest.mark.project("p11_modern")
def test_the_settings_of_project_11_name_everything_that_is_unlike_the_study_s() -> None:
    assert settings_of(catalogue.load("p11_modern")) == {
        "batch_size": 512,
        "epochs": 16,
        "optimizer": "SGD",
        "learning_rate": 0.75,
        "loss": "sparse_categorical_crossentropy",
        "pixel_scaling": "1/255",
        "momentum": 0.85,
        "schedule": "cosine",
        "warmup": 0.2,
        "weight_decay": 0.009,
        "averaging": 0.99,
        "label_smoothing": 0.2,
        "translation": 2,
        "fill_mode": "reflect",
        "alternating_flip": True,
        "test_time_flips": True,
    }


@pytest.mark.project("p11_modern")
def test_the_learning_rate_of_project_11_rises_falls_and_ends_at_zero() -> None:
    training = catalogue.load("p11_modern").training
    steps = steps_of(training)
    assert steps == 79 * 16
    optimizer = optimizer_of(training, steps)
    rising = round(0.2 * steps)
    rates = [float(optimizer._learning_rate(step)) for step in (0, rising // 2, rising, (rising + steps) // 2, steps)]
    assert rates == pytest.approx([0, 0.75 / 2, 0.75, 0.75 / 2, 0], abs=2e-3)
    optimizer.build([keras.Variable(np.ones(2), name=name) for name in ("kernel", "bias", "beta")])
    decaying = [optimizer._use_weight_decay(variable) for variable in optimizer._trainable_variables]
    assert decaying == [True, False, False]


@pytest.mark.project("p11_modern")
def test_project_11_starts_from_white_patches_and_convolutions_that_change_nothing() -> None:
    from experiments.projects import p11_modern

    images = data.load("sample").train
    pixels = Batches(images, 320, 32)[0][0]
    model = build(catalogue.load("p11_modern"), 0, "float32")
    p11_modern.prepare(model, pixels)
    whitened = np.asarray(model.layers[0](pixels))[..., :16].reshape(-1, 16)
    assert whitened.mean(axis=0) == pytest.approx(np.zeros(16), abs=1e-3)
    covariance = np.cov(whitened, rowvar=False)
    # The directions that hardly vary are held back, so that their noise is not blown up.
    assert covariance - np.diag(np.diag(covariance)) == pytest.approx(np.zeros((16, 16)), abs=1e-2)
    assert 0.9 < covariance[15, 15] <= 1.001 and (np.diag(covariance) <= 1.001).all()
    convolution = model.layers[2]
    signal = np.random.default_rng(0).normal(size=(2, 8, 8, 32)).astype(np.float32)
    assert np.asarray(convolution(signal))[..., :32] == pytest.approx(signal, abs=1e-6)


@pytest.mark.parametrize(("side", "images"), [(32, 5_000), (224, 102), (1600, 2)])
def test_a_network_is_prepared_with_fewer_images_where_they_are_larger(side: int, images: int) -> None:
    """So that what it takes of them, every pixel with its neighbours, does not grow with their size."""

    class Seen(Exception):
        pass

    def prepare(model: keras.Model, pixels: npt.NDArray[np.float32]) -> None:
        raise Seen(pixels.shape)

    split = data.split(data.load("sample"), 0)
    declared = dataclasses.replace(catalogue.load("p00_base"), image_size=side, prepare=prepare)
    with pytest.raises(Seen) as seen:
        train(declared, keras.Sequential([keras.Input((side, side, 3))]), split, 0, epochs=1)
    assert seen.value.args[0] == (min(images, len(split.train.labels)), side, side, 3)


@pytest.mark.project("p11_modern")
def test_smoothed_labels_are_spread_over_all_classes_and_what_is_recorded_is_not() -> None:
    labels = np.array([0, 2])
    probabilities = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], dtype=np.float32)
    wanted = 0.8 * np.eye(3)[labels] + 0.2 / 3
    expected = -(wanted * np.log(probabilities)).sum(axis=1)
    assert np.asarray(smoothed(0.2)(labels, probabilities)) == pytest.approx(expected, rel=1e-5)
    declared = catalogue.load("p11_modern")
    images = Images(data.load("sample").train.pixels[:8], data.load("sample").train.labels[:8])
    model = build(declared, 0, "float32")
    found = measure(model, images, 8, 32, declared.pixel_scaling)
    shown = predict(model, images, 8, 32, declared.pixel_scaling)
    plain = -np.log(shown[np.arange(8), images.labels]).mean()
    assert found.cross_entropy == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize("identifier", ["p00_base", "p11_modern"])
def test_with_test_time_flips_an_image_and_its_mirror_image_are_predicted_alike(identifier: str) -> None:
    declared = catalogue.load(identifier)
    images = data.load("sample").test
    mirrored = Images(images.pixels[:, :, ::-1], images.labels)
    model = build(declared, 0, "float32")
    one, other = (predict(model, both, 50, 32, declared.pixel_scaling, flips=True) for both in (images, mirrored))
    plain = predict(model, images, 50, 32, declared.pixel_scaling)
    assert one == pytest.approx(other, abs=1e-6)
    assert one.sum(axis=1) == pytest.approx(np.ones(len(one)), abs=1e-5)
    assert np.abs(one - plain).max() > 1e-5
    found = measure(model, images, 50, 32, declared.pixel_scaling, flips=True)
    assert found.accuracy == pytest.approx((one.argmax(axis=1) == images.labels).mean())
    assert found.cross_entropy == pytest.approx(-np.log(one[np.arange(len(one)), images.labels]).mean(), rel=1e-4)


@pytest.mark.project("p11_modern")
def test_a_real_training_of_project_11_keeps_the_averaged_weights_it_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Narrow and on small images, to be quick; no rule stops it, so that the last epoch is kept and measured."""
    from experiments.projects import p11_modern

    monkeypatch.setattr(p11_modern, "WIDTHS", (32, 64, 64))
    declared = with_small_batches(dataclasses.replace(catalogue.load("p11_modern"), image_size=16))
    declared = dataclasses.replace(declared, test_time_flips=False)
    split = data.split(data.load("sample"), 0)
    steps = steps_of(declared.training, len(split.train.labels), 20)
    run = train(declared, build(declared, 0, "float32", steps), split, 0, epochs=20)
    assert run.train.accuracy > 0.4
    assert run.test.accuracy > 0.2
    assert run.history[-1].cross_entropy < run.history[0].cross_entropy
    assert (run.stopping.reason, run.stopping.restored_epoch) == ("none", 20)
    assert run.validation.accuracy == pytest.approx(run.history[-1].val_accuracy, abs=1e-6)
    assert run.validation.cross_entropy == pytest.approx(run.history[-1].val_cross_entropy, rel=1e-4)


@pytest.mark.parametrize("identifier", SMALL)
def test_a_real_training_on_the_sample_beats_chance(identifier: str) -> None:
    """Chance is 10 %; with 320 images, and small ones, a network learns enough to stand clearly above it."""
    declared = with_small_batches(dataclasses.replace(catalogue.load(identifier), image_size=16))
    split = data.split(data.load("sample"), 0)
    run = train(declared, build(declared, 0, "float32"), split, 0, epochs=25)
    assert run.test.accuracy > 0.2
    assert run.train.accuracy > 0.3
    assert run.history[-1].cross_entropy < run.history[0].cross_entropy
    assert sum(map(sum, run.confusion)) == len(split.test.labels)
    assert all(wrong.label != wrong.prediction for wrong in run.mistakes)
    assert run.stopping.restored_epoch <= len(run.history)


def test_the_restored_weights_are_those_that_are_measured() -> None:
    """The validation accuracy of the run is the one of the epoch that it says it restored."""
    declared = with_small_batches(dataclasses.replace(catalogue.load("p00_base"), image_size=16))
    split = data.split(data.load("sample"), 3)
    run = train(declared, build(declared, 3, "float32"), split, 3)
    assert run.stopping.reason != "none"
    restored = run.history[run.stopping.restored_epoch - 1]
    assert run.validation.accuracy == pytest.approx(restored.val_accuracy, abs=1e-6)
    assert run.validation.cross_entropy == pytest.approx(restored.val_cross_entropy, rel=1e-4)


def test_single_precision_is_not_shortened_by_the_matrix_units_of_a_gpu() -> None:
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(True)
    use_precision("float32")
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


def test_an_unknown_precision_is_refused_with_a_sentence() -> None:
    with pytest.raises(ReportError, match="Unknown precision 'float12'"):
        build(catalogue.load("p00_base"), 0, "float12")


def test_the_most_confident_mistakes_come_first_and_right_answers_never() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.99, 0.01], [0.4, 0.6]])
    found = confident_mistakes(labels, probabilities)
    assert [(wrong.index, wrong.label, wrong.prediction) for wrong in found] == [(2, 1, 0), (1, 0, 1)]
    assert confusion(labels, probabilities) == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("precision", "computed"), [("float32", "float32"), ("mixed_bfloat16", "bfloat16"), ("float32", "float32")]
)
def test_a_network_computes_in_the_precision_that_was_asked_for(precision: str, computed: str) -> None:
    """Its weights and its probabilities stay in full precision, and no network before it has a say."""
    model = build(catalogue.load("p00_base"), 0, precision)
    assert {layer.compute_dtype for layer in model.layers[:-1]} == {computed}
    assert model.predict(np.zeros((1, 32, 32, 3), np.float32), verbose=0).dtype == np.float32
    assert {weight.dtype for weight in model.weights} == {"float32"}


@pytest.mark.parametrize("flips", [False, True])
def test_each_set_is_measured_as_it_is_by_the_weights_of_the_last_epoch(flips: bool) -> None:
    """Scaled as the project says, moved in no way, and none taken for another; what validates knows no flips."""
    usual = catalogue.load("p00_base").training
    training = dataclasses.replace(usual, batch_size=32, augmentation=Translation(4, cutout=8))

    def linear(side: int) -> keras.Model:
        layers = keras.layers
        small = [layers.Rescaling(1 / 256), layers.Flatten(), layers.Dense(10, "softmax")]
        return keras.Sequential([keras.Input((side, side, 3)), *small])

    declared = Project(linear, training, image_size=16, pixel_scaling=BGR_MEAN, test_time_flips=flips)
    split = data.split(data.load("sample"), 0)
    model = build(declared, 0, "float32")
    run = train(declared, model, split, 0, epochs=2)

    def probabilities(images: Images, flips: bool) -> npt.NDArray[np.float32]:
        shown = scaled(resize(images.pixels, 16), BGR_MEAN)
        views = [model.predict(view, verbose=0) for view in (shown, *([shown[:, :, ::-1]] if flips else []))]
        return np.asarray(np.mean(views, axis=0), np.float32)

    for images, measured in ((split.train, run.train), (split.validation, run.validation), (split.test, run.test)):
        expected = scored(images.labels, probabilities(images, flips))
        assert measured.accuracy == pytest.approx(expected.accuracy)
        assert measured.cross_entropy == pytest.approx(expected.cross_entropy, rel=1e-3)
    assert len({run.train.cross_entropy, run.validation.cross_entropy, run.test.cross_entropy}) == 3
    validated, last = scored(split.validation.labels, probabilities(split.validation, False)), run.history[-1]
    assert last.val_accuracy == pytest.approx(validated.accuracy)
    assert last.val_cross_entropy == pytest.approx(validated.cross_entropy, rel=1e-3)
    tested = probabilities(split.test, flips)
    assert run.confusion == confusion(split.test.labels, tested)
    assert [wrong.index for wrong in run.mistakes] == [
        wrong.index for wrong in confident_mistakes(split.test.labels, tested)
    ]
    assert run.seconds == sum(epoch.seconds for epoch in run.history) > last.seconds > 0


def test_what_trains_is_drawn_by_the_seed_anew_in_each_epoch_and_moved_and_scaled_as_the_project_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = with_small_batches(dataclasses.replace(catalogue.load("p00_base"), image_size=16))
    moved = dataclasses.replace(base.training, augmentation=Augmentation(15, 0.1, True))
    split = data.split(data.load("sample"), 0)
    drawn: list[int] = []
    draw = Batches.draw

    def watched(batches: Batches, epoch: int) -> None:
        drawn.append(epoch)
        draw(batches, epoch)

    def loss(declared: Project, seed: int) -> float:
        return train(declared, build(declared, 0, "float32"), split, seed, epochs=1).history[0].cross_entropy

    others = dataclasses.replace(base, training=moved), dataclasses.replace(base, pixel_scaling=BGR_MEAN)
    assert len({loss(base, 0), loss(base, 1), *(loss(other, 0) for other in others)}) == 4
    monkeypatch.setattr(Batches, "draw", watched)
    train(base, build(base, 0, "float32"), split, 0, epochs=3)
    assert drawn.count(2) == 1 == drawn.count(1)


def test_the_first_weights_are_drawn_by_the_seed_alone() -> None:
    declared = catalogue.load("p00_base")
    first, again, other = (build(declared, seed, "float32").get_weights()[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.project("p06_vgg16_scratch", "p11_modern")
def test_an_optimizer_has_everything_that_a_project_declares() -> None:
    training = catalogue.load("p06_vgg16_scratch").training
    adam = optimizer_of(training, 10)
    assert float(adam.learning_rate) == pytest.approx(1e-4) and adam.clipnorm == 1.0
    declared = catalogue.load("p11_modern")
    sgd = build(dataclasses.replace(declared, image_size=16), 0, "float32", steps=100).optimizer
    assert (sgd.momentum, sgd.nesterov, sgd.weight_decay, sgd.ema_momentum) == (0.85, True, 0.009, 0.99)
    assert float(sgd._learning_rate(20)) == pytest.approx(0.75) and float(sgd._learning_rate(100)) == pytest.approx(0)


def test_a_label_that_was_thought_impossible_costs_what_keras_would_let_it_cost_and_no_more() -> None:
    found = scored(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]], np.float32))
    assert found.accuracy == 0.5 and found.cross_entropy == pytest.approx(-np.log(1e-7) / 2, rel=1e-5)


def test_rows_of_a_confusion_are_labels_and_a_probability_is_no_more_than_1() -> None:
    labels = np.array([0, 0, 0, 1])
    over = np.nextafter(np.float32(1), np.float32(2))
    probabilities = np.array([[0.9, 0.1], [0.0, over], [0.3, 0.7], [0.4, 0.6]], np.float32)
    assert confusion(labels, probabilities) == ((1, 2), (0, 1))
    assert [wrong.probability for wrong in confident_mistakes(labels, probabilities)] == pytest.approx([1, 0.7])


def test_smaller_images_are_told_in_the_settings_as_larger_ones_are() -> None:
    declared = catalogue.load("p00_base")
    assert [settings_of(dataclasses.replace(declared, image_size=side)).get("image_size") for side in (16, 32, 64)] == [
        *(16, None, 64)
    ]
