"""What is written down of each project is what its script declares, under every backend."""

from __future__ import annotations

import pytest

from experiments import catalogue
from experiments.declare import DECLARED, declare
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
