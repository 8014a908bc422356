"""The git checkout that a report stands in: what git says of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from reportgen.errors import ReportError


def git(repository: Path, *arguments: str) -> str | None:
    """What a git command prints; None where it fails, or there is no git."""
    try:
        done = run(repository, *arguments)
    except OSError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A git command that has ended, with what it printed and complained of."""
    return subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True)


def uncommitted(repository: Path) -> list[str]:
    """Every file that is not as it was committed, or was never committed and is not ignored."""
    return [line[3:] for line in (git(repository, "status", "--porcelain") or "").splitlines()]


def refuse_uncommitted(repository: Path, reason: str) -> None:
    """Stop where something is not committed; `reason` goes on behind “Commit or stash them”.

    Raises:
        ReportError: names the first of the files.
    """
    if changed := uncommitted(repository):
        raise ReportError(
            f"The tree has uncommitted changes: {len(changed)} (first: {changed[0]}). Commit or stash them{reason}."
        )
