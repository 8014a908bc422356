"""What a run depends on beside the sources."""

from __future__ import annotations

from experiments.environment import versions


def test_a_backend_that_stands_idle_is_not_among_the_packages() -> None:
    found = versions("tensorflow")
    assert list(found)[:2] == ["keras", "tensorflow"]
    assert not {"jax", "jaxlib", "torch"} & set(found)
    assert "tensorflow" not in versions("jax")
