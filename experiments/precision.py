"""The arithmetic that a run can be asked for: the policies of Keras that train, told without a backend."""

from __future__ import annotations

from experiments.environment import chosen_backend
from reportgen.errors import ReportError

PRECISIONS = ("float32", "float64", "mixed_bfloat16", "mixed_float16")
SIXTEEN_BITS = {
    "bfloat16": "the 0.999 of Adam is 1 there, and no step would be taken",
    "float16": "the squares of gradients vanish there that Adam divides by",
}
"""Why nothing is trained in sixteen bits alone."""


def check_precision(precision: str) -> None:
    """Nothing, where the backend that KERAS_BACKEND asks for can train in `precision`.

    Raises:
        ReportError: it cannot, or there is no such precision.
    """
    if precision in SIXTEEN_BITS:
        raise ReportError(
            f"In {precision} alone a network does not learn: {SIXTEEN_BITS[precision]}. Name mixed_{precision}, in "
            "which the weights keep thirty-two bits."
        )
    if precision not in PRECISIONS:
        raise ReportError(f"Unknown precision {precision!r}: expected one of {', '.join(PRECISIONS)}.")
    if precision == "float64" and chosen_backend() == "jax":
        raise ReportError(
            "JAX would compute in float32 where it is asked for float64. Name another precision, or another backend "
            "with KERAS_BACKEND."
        )
