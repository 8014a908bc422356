"""The built site to a branch of a git remote, from which GitHub Pages serves it; `ghp-import` does the pushing."""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path
from typing import Literal

import ghp_import

from reportgen.errors import ReportError

Outcome = Literal["published", "nothing new", "dry run"]


def prepare(repository: Path, remote: str) -> str:
    """Check that what would be published is what is committed, and return the remote's address.

    Raises:
        ReportError: no checkout, no such remote, or changes that are not committed.
    """
    if _git(repository, "rev-parse", "--git-dir") is None:
        raise ReportError(f"{repository}: not a git checkout, so that there is nowhere to publish to.")
    address = _git(repository, "remote", "get-url", remote)
    if address is None:
        known = (_git(repository, "remote") or "").split()
        raise ReportError(
            f"There is no git remote {remote!r} (found: {', '.join(known) or 'none'}). "
            f"Add one with `git remote add {remote} ADDRESS`, or name another with --remote."
        )
    changed = (_git(repository, "status", "--porcelain") or "").splitlines()
    if changed:
        raise ReportError(
            f"The tree has {len(changed)} uncommitted changes (first: {changed[0][3:]}); commit or stash them, "
            "so that what is published can be found again."
        )
    return address


def site_url(address: str) -> str | None:
    """The address at which GitHub Pages serves a repository; None where the remote is not on GitHub."""
    found = re.fullmatch(r"(?:https://|git@|ssh://git@)github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?", address)
    if not found:
        return None
    owner, name = found[1].lower(), found[2]
    return f"https://{owner}.github.io/" + ("" if name.lower() == f"{owner}.github.io" else f"{name}/")


def publish(site: Path, repository: Path, remote: str, branch: str, *, dry_run: bool = False) -> Outcome:
    """Commit `site` to `branch` and push it to `remote`, unless the remote has just that already.

    Raises:
        ReportError: there is no site, or git refuses.
    """
    if not (site / "index.html").is_file():
        raise ReportError(f"{site}: there is no built site; `nox -s docs` makes it.")
    _git(repository, "fetch", remote, f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}")
    there = _git(repository, "rev-parse", "--verify", "--quiet", f"refs/remotes/{remote}/{branch}^{{tree}}")
    commit = _git(repository, "rev-parse", "--short", "HEAD")
    # A branch of its own, so that a dry run and an unchanged site leave the user's branches as they were.
    draft = "reportgen-publish-draft"
    if there:
        _git(repository, "branch", "--force", draft, f"refs/remotes/{remote}/{branch}")
    try:
        with contextlib.chdir(repository):  # where ghp-import looks for git
            ghp_import.ghp_import(
                str(site), remote=remote, branch=draft, mesg=f"Report of {commit}", nojekyll=True, no_history=not there
            )
        here = _git(repository, "rev-parse", f"{draft}^{{tree}}")
        if here == there:
            return "nothing new"
        if dry_run:
            return "dry run"
        pushed = subprocess.run(
            ["git", "push", remote, f"{draft}:refs/heads/{branch}"], cwd=repository, capture_output=True, text=True
        )
        if pushed.returncode:
            raise ReportError(f"git could not push to {remote} ({branch}): {pushed.stderr.strip()}")
        return "published"
    except ghp_import.GhpError as problem:
        raise ReportError(f"The site could not be committed: {problem}") from problem
    finally:
        _git(repository, "branch", "--delete", "--force", draft)


def _git(repository: Path, *arguments: str) -> str | None:
    """What a git command prints; None where it fails."""
    done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True)
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
