"""The git checkout that a report stands in: what git says of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from reportgen.errors import ReportError, last_words

ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Environment variables that send git to another repository than the one around, as in a hook of that."""


def git(repository: Path, *arguments: str) -> str | None:
    """What a git command prints; None where it fails, or there is no git."""
    try:
        done = run(repository, *arguments)
    except OSError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A git command that has ended, with what it printed and complained of."""
    # Whatever the locale says, git speaks UTF-8.
    return subprocess.run(
        ["git", *arguments],
        cwd=repository,
        env={name: value for name, value in os.environ.items() if name not in ELSEWHERE},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )


@contextlib.contextmanager
def within(repository: Path) -> Iterator[None]:
    """Where another library asks git, too, about this repository and no other: the process's folder is there."""
    sent = {name: os.environ.pop(name) for name in ELSEWHERE if name in os.environ}
    try:
        with contextlib.chdir(repository):
            yield
    finally:
        os.environ.update(sent)


def refuse_outside(repository: Path, consequence: str) -> None:
    """Stop where git has nothing to say of a folder; `consequence` goes on behind what is found, as `so that …`.

    Raises:
        ReportError: there is no git, the folder is in no checkout of it, or git refuses that.
    """
    if shutil.which("git") is None:
        raise ReportError(
            f"There is no program called git on this machine's PATH, {consequence}. Install git, or add its folder to "
            "the PATH."
        )
    asked = run(repository, "rev-parse", "--git-dir")
    if asked.returncode and "not a git repository" in asked.stderr:
        raise ReportError(f"{repository}: not a git checkout, {consequence}.")
    if asked.returncode:  # as where the checkout is another user's
        raise ReportError(f"{repository}: git refuses it, {consequence}. It says: {' '.join(asked.stderr.split())}")


def uncommitted(repository: Path) -> list[str]:
    """Every file that is not as it was committed, or was never committed and is not ignored.

    Raises:
        ReportError: git cannot tell.
    """
    return [line[3:] for line in _status(repository)]


def ignored(repository: Path, folder: Path) -> list[str]:
    """What git ignores in a folder, and so could not bring back.

    Raises:
        ReportError: git cannot tell.
    """
    lines = _status(repository, "--ignored", "--", str(folder))
    return [line[3:] for line in lines if line.startswith("!!")]


def _status(repository: Path, *arguments: str) -> list[str]:
    # A user may have told git to leave out of its status what it does not know.
    done = run(repository, "status", "--porcelain", "--untracked-files=all", *arguments)
    if done.returncode:
        raise ReportError(f"{repository}: git cannot say what is not committed: {last_words(done.stderr)}")
    return done.stdout.splitlines()


def refuse_uncommitted(repository: Path, reason: str) -> None:
    """Stop where something is not committed; `reason` goes on behind “Commit or stash them”.

    Raises:
        ReportError: names the first of the files.
    """
    if changed := uncommitted(repository):
        raise ReportError(
            f"The tree has uncommitted changes: {len(changed)} (first: {changed[0]}). Commit or stash them{reason}."
        )
