"""VGG16's weights: files that the tests write, read back, loaded, frozen and trained."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from experiments import data, project, vgg16
from experiments.train import Batches, build
from reportgen.errors import ReportError


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
    model = build(project.load("p09_mini_vgg16"), 0, "float32")
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
    model = build(project.load(identifier), 0, "float32")
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


def test_a_missing_and_a_truncated_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="there is no such file"):
        vgg16.from_file(tmp_path / "none.h5")
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 40)
    with pytest.raises(ReportError, match="damaged or of another format"):
        vgg16.from_file(broken)
