"""The layers of a network, however deep they lie."""

from __future__ import annotations

from typing import Any


def all_layers(model: Any) -> list[Any]:
    """Every layer of `model` once, and behind each that is made of layers those within it."""
    found: dict[int, Any] = {}
    for layer in model.layers:
        for one in (layer, *(all_layers(layer) if hasattr(layer, "layers") else ())):
            found.setdefault(id(one), one)
    return [*found.values()]
