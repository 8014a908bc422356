"""The canary: what it notices of the weights of VGG16, and what it makes no fuss about."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest

from experiments import catalogue, data, vgg16
from experiments.batches import order_sha256
from experiments.canary import (
    BATCH_SIZE,
    LARGE,
    SMALL,
    Extent,
    Specification,
    _build,
    canary,
    differences,
    extent,
    specify,
)
from experiments.data import Images
from experiments.project import Augmentation
from experiments.scaling import BGR_MEAN
from reportgen.errors import ReportError
from reportgen.record import Setting
from tests import synthetic


def specification(**settings: Setting) -> Specification:
    record = synthetic.record()
    return Specification(network=record.network, settings=settings, seed=0, precision="float32", canary=record.canary)


@pytest.mark.parametrize("recorded", ["random", "tiny-imagenet", "imagenet"])
def test_a_run_may_have_started_from_other_weights_than_those_declared(recorded: str) -> None:
    assert not differences(specification(weights=recorded), specification(weights="imagenet"), True)


@pytest.mark.parametrize(("recorded", "now"), [("imagenet", "random"), (None, "imagenet"), ("imagenet", None)])
def test_weights_that_the_project_no_longer_starts_from_are_a_difference(recorded: str | None, now: str | None) -> None:
    found = differences(specification(weights=recorded), specification(weights=now), True)
    assert found == [f"weights was {recorded} and is {now}"]


@pytest.mark.parametrize(
    ("precision", "step", "apart", "told"),
    [
        ("float32", 0, 5e-6, False),
        ("float32", 0, 5e-5, True),
        ("float32", 1, 3e-3, False),
        ("float32", 1, 2e-2, True),
        ("float32", 2, 4e-2, False),
        ("float32", 3, 6e-2, True),
        ("mixed_bfloat16", 0, 5e-3, False),
        ("mixed_bfloat16", 0, 2e-2, True),
    ],
)
def test_two_machines_may_part_by_rounding_in_the_first_step_and_by_what_training_makes_of_it_later(
    precision: str, step: int, apart: float, told: bool
) -> None:
    losses = [2.0, 1.9, 1.8, 1.7]
    before = specification()
    before = before.model_copy(
        update={"precision": precision, "canary": before.canary.model_copy(update={"step_losses": tuple(losses)})}
    )
    losses[step] *= 1 + apart
    after = before.model_copy(update={"canary": before.canary.model_copy(update={"step_losses": tuple(losses)})})
    assert bool(differences(before, after, same_machine=False)) == told
    assert differences(before, after, same_machine=True)


@pytest.mark.parametrize(
    ("precision", "apart", "told"),
    [
        ("float32", 4e-2, False),
        ("float32", 6e-2, True),
        ("mixed_bfloat16", 6e-2, False),
        ("mixed_bfloat16", 0.11, True),
    ],
)
def test_two_machines_may_part_further_over_epochs_in_sixteen_bits(precision: str, apart: float, told: bool) -> None:
    before = specification()
    before = before.model_copy(update={"precision": precision})
    last = before.canary.epochs[-1]
    drifted = last.model_copy(update={"cross_entropy": last.cross_entropy * (1 + apart)})
    canary = before.canary.model_copy(update={"epochs": (*before.canary.epochs[:-1], drifted)})
    after = before.model_copy(update={"canary": canary})
    assert bool(differences(before, after, same_machine=False)) == told
    assert differences(before, after, same_machine=True)


@pytest.mark.project("p09_mini_vgg16")
def test_a_canary_loads_weights_as_the_run_does_from_others_that_need_no_file() -> None:
    model = _build(catalogue.load("p09_mini_vgg16"), 0, "float32")
    expected = vgg16.drawn(model, 0).layers
    assert len(vgg16.layers(model)) == len(expected) == 7
    for layer in vgg16.layers(model):
        for found, drawn in zip(layer.get_weights(), expected[layer.name], strict=True):
            assert np.array_equal(found, drawn)


@pytest.mark.parametrize(("parameters", "expected"), [(263_402, SMALL), (1_341_226, SMALL), (2_820_042, LARGE)])
def test_only_vgg16_sings_a_shorter_canary(parameters: int, expected: Extent) -> None:
    assert extent(parameters) == expected
    assert (SMALL.steps, SMALL.epochs, SMALL.train, SMALL.test) == (4, 8, None, None)


@pytest.mark.project("p09_mini_vgg16")
def test_the_canary_of_a_large_network_has_an_image_for_every_step_and_sings_the_same_twice() -> None:
    """Of the mini VGG16, in the extent of the large ones."""
    assert LARGE.train is not None and LARGE.steps * BATCH_SIZE <= LARGE.train
    declared = catalogue.load("p09_mini_vgg16")
    first, second = (canary(declared, 0, "float32", LARGE) for _ in range(2))
    assert first == second
    assert (len(first.step_losses), first.stopping.restored_epoch <= len(first.epochs)) == (LARGE.steps, True)


def test_the_steps_of_a_canary_are_shown_what_the_run_is_shown() -> None:
    """Pixels scaled as the run scales them, and a first layer that was prepared with them."""
    tiny = Extent(steps=1, epochs=1, train=64, test=32)
    declared = catalogue.load("p00_base")
    seen: list[float] = []
    prepared = dataclasses.replace(
        declared, pixel_scaling=BGR_MEAN, prepare=lambda _, pixels: seen.append(float(np.abs(pixels).max()))
    )
    usual, scaled = canary(declared, 0, "float32", tiny), canary(prepared, 0, "float32", tiny)
    assert usual.step_losses != scaled.step_losses
    assert len(seen) == 2 and min(seen) > 64, "before the single steps, and before the miniature training"


@pytest.mark.project("p09_mini_vgg16")
def test_the_drawn_weights_of_a_canary_bring_pixels_that_are_not_scaled_to_where_others_are() -> None:
    declared = dataclasses.replace(catalogue.load("p09_mini_vgg16"), pixel_scaling=BGR_MEAN)
    first, second = (_build(one, 0, "float32") for one in (catalogue.load("p09_mini_vgg16"), declared))
    kernels = [[layer.get_weights()[0] for layer in vgg16.layers(model)] for model in (first, second)]
    np.testing.assert_array_equal(kernels[0][0] / 64, kernels[1][0])
    np.testing.assert_array_equal(kernels[0][1], kernels[1][1])


def test_a_loss_that_is_no_number_is_told_in_a_sentence() -> None:
    def spoil(model: Any, _: object) -> None:
        model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])

    declared = dataclasses.replace(catalogue.load("p00_base"), prepare=spoil)
    with pytest.raises(ReportError, match="first step on 32 images of the sample is not a number"):
        canary(declared, 0, "float32", Extent(steps=1, epochs=1, train=64, test=32))


@pytest.mark.parametrize(("outputs", "flat", "shape"), [(12, True, "None, 12"), (10, False, "None, 32, 32, 10")])
def test_a_network_without_an_output_for_each_class_is_told_before_it_trains(
    outputs: int, flat: bool, shape: str
) -> None:
    declared = dataclasses.replace(
        catalogue.load("p00_base"), network=lambda side: with_outputs(side, outputs, flat=flat)
    )
    with pytest.raises(ReportError, match=rf"output has the shape \({shape}\), expected \(None, 10\)"):
        canary(declared, 0, "float32", SMALL)


def test_a_network_that_ends_in_no_probabilities_is_told_before_it_trains() -> None:
    declared = catalogue.load("p00_base")
    for network in (lambda side: with_outputs(side, 10, None), lambda side: with_outputs(side, 10, "sigmoid")):
        with pytest.raises(ReportError, match=r"outputs are no probabilities.*end the network in softmax"):
            canary(dataclasses.replace(declared, network=network), 0, "float32", SMALL)


def with_outputs(side: int, outputs: int, activation: str | None = "softmax", flat: bool = True) -> Any:
    from keras import Sequential
    from keras.layers import Dense, Flatten, Input

    between = [Flatten()] if flat else []
    return Sequential([Input((side, side, 3)), *between, Dense(outputs, activation=activation)])


def vgg16_among_others(image_size: int) -> keras.Model:
    """As most tutorials put layers on top of a network: its own stand among them."""
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(image_size, image_size, 3))
    return keras.Model(base.input, keras.layers.Dense(10, "softmax")(keras.layers.Flatten()(base.output)))


def another_of_that_name(image_size: int) -> keras.Model:
    images = keras.Input((image_size, image_size, 3))
    block = keras.layers.SeparableConv2D(4, 3, name="block_1_expand")
    layers = [images, keras.Sequential([images, block]), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    return keras.Sequential(layers)


def none_of_vgg16(image_size: int) -> keras.Model:
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])


@pytest.mark.parametrize("network", [vgg16_among_others, another_of_that_name, none_of_vgg16])
def test_a_network_without_a_place_for_the_weights_that_it_names_is_told(network: Any) -> None:
    project = dataclasses.replace(catalogue.load("p00_base"), network=network, weights="imagenet")
    with pytest.raises(ReportError, match=r"declares weights='imagenet', and its network has no place for them"):
        specify(project, 0, "float32")


class DropPath(keras.layers.Layer):  # type: ignore[misc]
    """Leaves out some images' features, by numbers of its own or of Keras's."""

    def __init__(self, own: bool) -> None:
        super().__init__()
        self.generator = keras.random.SeedGenerator() if own else None

    def call(self, features: Any) -> Any:
        kept = keras.random.uniform((keras.ops.shape(features)[0], 1), seed=self.generator)
        return features * keras.ops.cast(kept > 0.2, features.dtype)


def test_what_a_layer_draws_must_be_kept_by_a_checkpoint() -> None:
    def network(own: bool) -> Any:
        layers = keras.layers
        return lambda _: keras.Sequential([layers.Flatten(), DropPath(own), layers.Dense(10, "softmax")])

    project = catalogue.load("p00_base")
    with pytest.raises(ReportError, match=r"random numbers from the generator that all of Keras shares.*SeedGenerator"):
        specify(dataclasses.replace(project, network=network(own=False)), 0, "float32")
    assert specify(dataclasses.replace(project, network=network(own=True)), 0, "float32").canary.step_losses


def test_a_sample_with_fewer_batches_than_steps_shows_its_batches_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = data.load("sample")
    few = dataclasses.replace(whole, train=Images(whole.train.pixels[:40], whole.train.labels[:40]))
    monkeypatch.setattr("experiments.canary._sample", lambda: few)
    found = canary(catalogue.load("p00_base"), 0, "float32", SMALL)
    assert len(found.step_losses) == SMALL.steps and all(found.step_losses)


def test_a_sample_of_other_classes_is_told_with_the_command_that_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CLASSES", (*data.CLASSES, "moon"))
    with pytest.raises(ReportError, match=r"hold 10 classes, expected 11\. .* `python -m experiments sample --data"):
        canary(catalogue.load("p00_base"), 0, "float32", SMALL)


def test_a_canary_is_sung_from_the_run_s_own_seed_and_its_steps_are_moved_as_the_run_s() -> None:
    tiny = Extent(steps=1, epochs=1, train=64, test=32)
    declared = catalogue.load("p00_base")
    moving = dataclasses.replace(declared.training, augmentation=Augmentation(15, 0.1, True))
    moved = dataclasses.replace(declared, training=moving)
    usual, other, augmented = (
        canary(project, seed, "float32", tiny) for project, seed in ((declared, 0), (declared, 1), (moved, 0))
    )
    for seed, found in ((0, usual), (1, other)):
        split = data.split(data.load("sample"), seed)
        assert found.split_sha256 == split.sha256
        assert found.order_sha256 == order_sha256(len(split.train.labels), seed, 3)
    assert len({found.step_losses for found in (usual, other, augmented)}) == 3


@pytest.mark.parametrize("same_machine", [True, False])
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": 1}, "the seed was 0 and is 1"),
        ({"precision": "mixed_bfloat16"}, "the precision was float32 and is mixed_bfloat16"),
        ({"settings": {"clipnorm": 1.0}}, "clipnorm was None and is 1.0"),
        ({"split_sha256": "f" * 64}, "the split of the images differs"),
        ({"order_sha256": "f" * 64}, "the order of the images differs"),
        ({"layer": "GlobalAveragePooling2D"}, "the network differs (30,730 parameters recorded, 30,730 now)"),
    ],
)
def test_whatever_else_separates_two_runs_is_told_on_any_machine(
    changes: dict[str, Any], told: str, same_machine: bool
) -> None:
    before = specification()
    after = before.model_copy(update={name: changes[name] for name in changes if name in Specification.model_fields})
    hashes = {name: changes[name] for name in changes if name.endswith("sha256")}
    first, *others = before.network.layers
    layers = (first.model_copy(update={"type": changes.get("layer", first.type)}), *others)
    after = after.model_copy(
        update={
            "canary": before.canary.model_copy(update=hashes),
            "network": before.network.model_copy(update={"layers": layers}),
        }
    )
    assert differences(before, after, same_machine) == [told]


def test_on_one_machine_an_accuracy_that_is_another_is_a_difference_though_no_loss_is() -> None:
    before = specification()
    test = before.canary.test.model_copy(update={"accuracy": 0.5})
    after = before.model_copy(update={"canary": before.canary.model_copy(update={"test": test})})
    assert differences(before, after, same_machine=True) == ["the canary differs (by 0, expected bit for bit)"]
    assert not differences(before, after, same_machine=False)


def test_two_canaries_without_an_epoch_in_common_cannot_agree() -> None:
    before = specification()
    none = before.model_copy(update={"canary": before.canary.model_copy(update={"epochs": ()})})
    assert differences(before, none, same_machine=False) == [
        "the losses of the miniature training differ by inf (allowed are 0.05)"
    ]
