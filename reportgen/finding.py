"""What a check finds: a place, a sentence, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing to look at."""

    where: str
    """The file, from the root of the report."""
    what: str
    """What was found there, in a sentence without its full stop."""
    remedy: str = ""
    """What mends it: a command, or what to write instead."""
    line: int | None = None
    severity: Literal["error", "warning"] = "error"
    """A warning lets `check` pass, unless it is strict."""

    @property
    def place(self) -> str:
        """The file and the line."""
        return f"{self.where}, line {self.line}" if self.line else self.where

    def __str__(self) -> str:
        return f"{self.place}: {self.what}." + (f" Mend it with: {self.remedy}" if self.remedy else "")
