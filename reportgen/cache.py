"""Charts and other pictures kept by their content: what was drawn before, by the same code, is read again.

The folder may be deleted at any time. Several builds may share it: a file appears whole or not at all, and two that
draw the same write the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from reportgen.drawings import Drawing
from reportgen.language import Language
from reportgen.record import replacing

CODE = ("plot.py", "charts.py", "drawings.py", "labels.py", "language.py")
"""The modules that decide how a drawing looks."""
LIBRARIES = ("matplotlib", "babel")
"""Those that draw, and that write numbers."""


@dataclass(frozen=True)
class Cache:
    """A folder of SVGs."""

    folder: Path

    def svg(self, drawing: Drawing, words: Language) -> str:
        """`drawing` in a language, from the folder if it is there, else drawn and put there."""
        unit = words.gettext("pp")  # the one word that is not in the drawing: `plot` writes it behind a difference
        content = hashlib.sha256(f"{code(CODE, LIBRARIES)}\0{words.code}\0{unit}\0{drawing!r}".encode()).hexdigest()
        file = self.folder / f"{content}.svg"

        def drawn() -> bytes:
            # Matplotlib takes longer to import than all else together, and only what is new needs it.
            from reportgen.plot import draw

            return draw(drawing, words).encode("utf-8")

        return kept(file, drawn).read_text(encoding="utf-8")


def kept(file: Path, make: Callable[[], bytes]) -> Path:
    """`file`, which is named by its content; made if it is not there."""
    # A power cut may leave it empty: what can be made again is not worth waiting for the disk.
    if not (file.exists() and file.stat().st_size):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file, lasting=False) as stream:
            stream.write(make())
    return file


@cache
def code(modules: tuple[str, ...], libraries: tuple[str, ...]) -> str:
    """What else than its content decides how something looks that is kept: `modules` of ours, and `libraries`."""
    digest = hashlib.sha256()
    for name in modules:
        digest.update((Path(__file__).parent / name).read_bytes())
    return " ".join([digest.hexdigest(), *map(version, libraries)])
