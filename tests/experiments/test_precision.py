"""What a run can be asked to compute in, and why not in sixteen bits alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from experiments import catalogue
from experiments.precision import PRECISIONS, check_precision
from experiments.train import build
from reportgen.errors import ReportError


@pytest.mark.parametrize(("precision", "moves"), [("bfloat16", False), ("mixed_bfloat16", True)])
def test_what_is_refused_does_not_learn_and_what_is_named_instead_does(precision: str, moves: bool) -> None:
    model = build(dataclasses.replace(catalogue.load("p00_base"), image_size=8), 0, precision)
    before = [np.array(weights, np.float32) for weights in model.get_weights()]
    model.train_on_batch(np.random.default_rng(0).random((8, 8, 8, 3), np.float32), np.arange(8))
    after = [np.array(weights, np.float32) for weights in model.get_weights()]
    assert any(not np.array_equal(was, now) for was, now in zip(before, after, strict=True)) is moves
    assert (precision in PRECISIONS) is moves


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_sixteen_bits_alone_are_refused_with_the_reason_and_what_to_name_instead(precision: str) -> None:
    with pytest.raises(ReportError, match=rf"In {precision} alone .* Name mixed_{precision}"):
        check_precision(precision)


def test_jax_which_would_compute_in_another_precision_than_it_is_asked_for_is_refused_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for precision in PRECISIONS:
        check_precision(precision)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(ReportError, match="JAX would compute in float32"):
        check_precision("float64")


def test_jax_is_refused_no_precision_in_which_it_does_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    for precision in PRECISIONS:
        if precision != "float64":
            check_precision(precision)


@pytest.mark.parametrize("precision", ["float12", "", "Float32", "mixed_float32"])
def test_a_precision_that_there_is_not_is_told_with_those_that_there_are(precision: str) -> None:
    with pytest.raises(ReportError, match=rf"Unknown precision '{precision}': expected one of {', '.join(PRECISIONS)}"):
        check_precision(precision)
