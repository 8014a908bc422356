"""What each project would train, written down without training it, so that the report can show it before it has run."""

from __future__ import annotations

import keras

from experiments import catalogue
from experiments.canary import refuse_names, refuse_other_outputs, refuse_without_vgg16
from experiments.environment import ROOT
from experiments.train import build, network_of, rows_of, settings_of
from reportgen.fingerprint import dependencies, fingerprints
from reportgen.record import Declaration

DECLARED = ROOT / "experiments" / "declared"
"""One file a project, committed."""


def declare(identifier: str) -> Declaration:
    """Resolve what a project's script declares today, in the precision that is usual.

    Raises:
        ReportError: the project or its network cannot be trained as it is.
    """
    declared = catalogue.load(identifier)
    precision = "float32"
    model = build(declared, 0, precision)
    refuse_names(declared, model)
    refuse_without_vgg16(declared, model)
    refuse_other_outputs(model)
    script = catalogue.script(identifier).relative_to(ROOT).as_posix()
    return Declaration(
        project=identifier,
        script=script,
        sources=fingerprints(dependencies([script], ROOT), ROOT),
        network=network_of(model),
        # What a class of its own computes is known to its `call` alone.
        inner={
            layer.name: rows_of(layer)
            for layer in model.layers
            if isinstance(layer, keras.Model) and hasattr(layer, "inputs")
        },
        settings=settings_of(declared),
        precision=precision,
    )
