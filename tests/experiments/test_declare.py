"""What is written down of each project is what its script declares, under every backend."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import pytest
import typer

from experiments import __main__ as command_line
from experiments import catalogue, data
from experiments.canary import specify
from experiments.declare import DECLARED, declare
from experiments.environment import ROOT
from experiments.project import Project
from reportgen.errors import ReportError
from reportgen.fingerprint import dependencies, fingerprints
from reportgen.record import Declaration, read_declarations
from tests.experiments import other_backend


def without_sources(declaration: Declaration) -> Declaration:
    """What a reader sees of it: a rearranged script declares the same."""
    return declaration.model_copy(update={"sources": {}})


@pytest.mark.parametrize("identifier", catalogue.identifiers())
def test_a_declaration_is_what_the_script_declares_today(identifier: str) -> None:
    written = read_declarations(DECLARED)
    mend = f"`python -m experiments declare {identifier}` writes it anew"
    assert identifier in written, mend
    assert without_sources(written[identifier]) == without_sources(declare(identifier)), mend


@pytest.mark.project("p04_batch_norm", "p09_mini_vgg16")
def test_the_layers_of_vgg16_stand_inside_their_layer() -> None:
    inner = read_declarations(DECLARED)["p09_mini_vgg16"].inner
    assert list(inner) == ["model"]
    assert [layer.name for layer in inner["model"]][-2:] == ["block3_pool", "flatten"]
    assert sum(layer.parameters for layer in inner["model"]) == 1_735_488
    assert read_declarations(DECLARED)["p04_batch_norm"].inner == {}


class Residual(keras.Model):  # type: ignore[misc]
    """A block as tutorials write one."""

    def __init__(self) -> None:
        super().__init__()
        self.first = keras.layers.Conv2D(3, 3, padding="same")

    def call(self, features: Any) -> Any:
        return features + self.first(features)


def test_a_block_that_only_its_call_knows_is_one_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, base = keras.layers, catalogue.load("p00_base")

    def network(_: int) -> keras.Model:
        images = keras.Input((32, 32, 3))
        row = [
            images,
            Residual(),
            keras.Sequential([images, layers.Flatten(name="inside")]),
            layers.Dense(10, "softmax"),
        ]
        return keras.Sequential(row)

    monkeypatch.setattr(catalogue, "load", lambda _: dataclasses.replace(base, network=network))
    found = declare("p00_base")
    assert [layer.type for layer in found.network.layers] == ["Residual", "Sequential", "Dense"]
    assert [[layer.name for layer in rows] for rows in found.inner.values()] == [["inside"]]


def test_a_network_for_other_classes_is_not_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, base = keras.layers, catalogue.load("p00_base")
    seven = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(7, "softmax")])
    monkeypatch.setattr(catalogue, "load", lambda _: dataclasses.replace(base, network=lambda _: seven))
    with pytest.raises(ReportError, match=r"output has the shape \(None, 7\), expected \(None, 10\)"):
        declare("p00_base")


@pytest.mark.parametrize(
    ("network", "layer", "inner", "told"),
    [
        ("mi red", None, None, "a network has the name 'mi red'"),
        ("_mine", None, None, "a network has the name '_mine', expected .*, without _ in front"),
        (None, "capa 1", None, "a layer has the name 'capa 1'"),
        (None, None, "tamaño", "a layer has the name 'tamaño'"),
    ],
)
def test_a_name_that_tensorflow_refuses_is_told_with_the_script_before_anything_trains(
    network: str | None, layer: str | None, inner: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers, base = keras.layers, catalogue.load("p00_base")

    def named(side: int) -> keras.Model:
        images = keras.Input((side, side, 3))
        features = keras.Sequential([images, layers.Flatten(name=inner)])(images)
        return keras.Model(images, layers.Dense(len(data.CLASSES), "softmax", name=layer)(features), name=network)

    monkeypatch.setattr(catalogue, "load", lambda _: dataclasses.replace(base, network=named))
    with pytest.raises(ReportError, match=rf"^tests/experiments/test_declare\.py, from line \d+ on: {told}"):
        declare("p00_base")
    with pytest.raises(ReportError, match=rf"^tests/experiments/test_declare\.py, from line \d+ on: {told}"):
        specify(catalogue.load("p00_base"), 0, "float32")


def test_names_that_tensorflow_takes_are_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, base = keras.layers, catalogue.load("p00_base")
    row = [keras.Input((32, 32, 3)), layers.Flatten(name="_l.1>a-b"), layers.Dense(len(data.CLASSES), "softmax")]
    model = keras.Sequential(row, name="My.net-1_a>b")
    monkeypatch.setattr(catalogue, "load", lambda _: dataclasses.replace(base, network=lambda _: model))
    assert declare("p00_base").network.layers[0].name == "_l.1>a-b"


@pytest.mark.project("p00_base", "p01_deeper")
def test_a_project_that_cannot_be_declared_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = catalogue.load

    def broken(identifier: str) -> Project:
        found = load(identifier)
        return dataclasses.replace(found, network=lambda _: None) if identifier == "p00_base" else found

    monkeypatch.setattr(catalogue, "load", broken)
    monkeypatch.setattr("experiments.declare.DECLARED", tmp_path)
    with pytest.raises(typer.Exit) as ended:
        command_line.declare_projects(["0", "1"])
    assert ended.value.exit_code == 1
    assert "p00_base: The project's `network` returned NoneType" in " ".join(capsys.readouterr().out.split())
    assert list(read_declarations(tmp_path)) == ["p01_deeper"]


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.project("p05_augmentation", "p09_mini_vgg16", "p11_modern")
def test_another_backend_builds_the_same_layers_and_takes_steps(backend: str) -> None:
    """A convolutional project with everything that has a state, one of VGG16, and ours."""
    program = """
import json, keras
from experiments import data, catalogue
from experiments.declare import declare
from experiments.batches import Batches
from experiments.train import build
found = {}
for name in ("p05_augmentation", "p09_mini_vgg16", "p11_modern"):
    declared = catalogue.load(name)
    model = build(declared, 0, "float32")
    before = [weight.copy() for weight in model.get_weights()]
    batch = Batches(data.load("sample").train, 8, declared.image_size, 0, declared.training.augmentation)[0]
    loss = float(model.train_on_batch(*batch)[0])
    model.train_on_batch(*batch)  # a learning rate that rises from zero moves nothing at first
    moved = sum(bool((a != b).any()) for a, b in zip(before, model.get_weights()))
    found[name] = [declare(name).model_dump(mode="json"), loss, moved]
print(json.dumps([keras.backend.backend(), found]))
"""
    written = read_declarations(DECLARED)
    used, found = other_backend.said(backend, program)
    assert used == backend
    for identifier, (declared, loss, moved) in found.items():
        assert without_sources(Declaration.model_validate(declared)) == without_sources(written[identifier])
        assert 0 < loss < 10
        assert moved > 20


def test_a_declaration_has_the_fingerprint_of_its_script_and_of_all_that_this_builds_on() -> None:
    """Without one, a script that has changed since would be shown as it was."""
    found = declare("p00_base")
    assert found.script == "experiments/projects/p00_base.py"
    assert {found.script, "experiments/project.py"} <= found.sources.keys()
    assert found.sources == fingerprints(dependencies([found.script], ROOT), ROOT)


def test_a_project_without_a_place_for_its_weights_is_not_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    base = catalogue.load("p00_base")
    monkeypatch.setattr(catalogue, "load", lambda _: dataclasses.replace(base, weights="imagenet"))
    with pytest.raises(ReportError, match="declares weights='imagenet', and its network has no place for them"):
        declare("p00_base")
