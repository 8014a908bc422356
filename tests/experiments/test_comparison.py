"""What the bench measures: operations counted from the network, and a real session on one project."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from experiments import project
from experiments.comparison import site
from experiments.comparison.session import told
from experiments.comparison.training import comparisons, operations_of
from reportgen.comparison import Comparison


def test_operations_are_counted_forward_once_and_back_twice_and_frozen_layers_forward_only() -> None:
    """Two operations for each weight of a convolution at each of its positions, and for each of a dense layer."""
    base = project.load("p00_base")
    convolutions = 3 * 3 * 3 * 32 * 32**2
    dense = 32 * 16 * 16 * 32 + 32 * 10
    found = operations_of(base)
    assert found == pytest.approx(3 * 2 * (convolutions + dense))

    def frozen(side: int):  # type: ignore[no-untyped-def]
        network = base.network(side)
        network.layers[0].trainable = False
        return network

    assert operations_of(dataclasses.replace(base, network=frozen)) == pytest.approx(2 * convolutions + 6 * dense)


@pytest.mark.slow
def test_a_project_is_measured_against_the_study_s_way_its_own_step_and_the_device() -> None:
    found = {one.group: one for one in comparisons("p00_base", "sample", rounds=2)}
    assert set(found) == {"training", "training_bfloat16", "pipeline", "peak", "memory"}
    assert all(one.subject == "p00_base" and min(one.ratios) > 0 for one in found.values())
    assert {len(found[group].measured) for group in ("training", "pipeline", "peak")} == {2}
    assert 0.1 < found["memory"].measured[0] < 16, "GiB"


def test_the_records_of_the_growth_are_as_many_as_they_say(tmp_path: Path) -> None:
    site.copies(tmp_path, 12)
    assert len(list(tmp_path.glob("*/seed-*/record.json"))) == 12


def test_a_comparison_in_the_terminal_has_both_figures_and_their_ratio() -> None:
    one = Comparison(
        group="site", subject="build", unit="s", measured=(2.0, 3.0), against="sphinx", reference=(4.0, 4.0)
    )
    assert told(one) == ("site", "build", "2.5 s", "4 s (sphinx)", "0.625 (0.5 to 0.75)")
