"""Names in the room that a chart has for them."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.drawings import Matrix

BESIDE_MATRIX = 16
"""Characters beside a row and below a column of a matrix."""


def beside(matrix: Matrix) -> tuple[list[str], list[str]]:
    """What stands beside the rows of a matrix, and below its columns."""
    return told_apart(matrix.rows, BESIDE_MATRIX), told_apart(matrix.signs or matrix.columns, BESIDE_MATRIX)


def clipped(text: str, length: int, end: int = 0) -> str:
    """At most `length` characters of `text`, its last `end` among them: where long names begin alike, these differ."""
    if len(text) <= length:
        return text
    return text[: length - end - 1].rstrip() + "…" + text[len(text) - end :].lstrip()


def told_apart(texts: Sequence[str], length: int, end: int = 0) -> list[str]:
    """`texts` clipped to `length`, with as much of their ends as it takes to tell them apart; whole if nothing does."""
    for kept in (end, length // 2, length - length // 4):
        short = [clipped(text, length, kept) for text in texts]
        if len({*short}) == len({*texts}):
            return short
    return [*texts]
