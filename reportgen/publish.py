"""The built site to a branch of a git remote, from which GitHub Pages serves it; `ghp-import` does the pushing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import ghp_import

from reportgen.build import no_site
from reportgen.checkout import git, refuse_outside, refuse_uncommitted, run, within
from reportgen.errors import ReportError

Outcome = Literal["published", "nothing new", "dry run"]
DOMAIN = "CNAME"
"""The file that GitHub commits beside the site when somebody gives it a domain of its own."""


@dataclass(frozen=True)
class Tip:
    """What a branch of the remote holds now: a site."""

    tree: str
    domain: str | None
    """Its own one, if it has any."""


def prepare(repository: Path, remote: str, branch: str) -> str | None:
    """Check that what would be published is what is committed, and has a place to go to; return its address there.

    That is the domain that the branch has of its own, or else GitHub's; None where the remote is not on GitHub.

    Raises:
        ReportError: no git, no checkout, no such remote, changes that are not committed, nobody to commit as, or a
            branch that holds something else than a site.
    """
    refuse_outside(repository, "so that there is nowhere to publish to")
    address = git(repository, "remote", "get-url", remote)
    if address is None:
        known = (git(repository, "remote") or "").split()
        raise ReportError(
            f"There is no git remote {remote!r} (found: {', '.join(known) or 'none'}). "
            f"Add one with `git remote add {remote} ADDRESS`, or name another with --remote."
        )
    refuse_uncommitted(repository, ", so that what is published can be found again")
    for key, variable in (("user.name", "GIT_COMMITTER_NAME"), ("user.email", "GIT_COMMITTER_EMAIL")):
        if not (os.environ.get(variable) or git(repository, "config", key)):
            raise ReportError(f"git has no {key} to commit the site as; set it with `git config {key} VALUE`.")
    there = _tip(repository, remote, branch)
    return f"https://{there.domain}/" if there and there.domain else site_url(address)


def site_url(address: str) -> str | None:
    """The address at which GitHub Pages serves a repository; None where the remote is not on GitHub."""
    found = re.fullmatch(
        r"(?:https://(?:[^@/]+@)?|git@|ssh://git@)github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?", address
    )
    if not found:
        return None
    owner, name = found[1].lower(), found[2]
    return f"https://{owner}.github.io/" + ("" if name.lower() == f"{owner}.github.io" else f"{name}/")


def publish(site: Path, repository: Path, remote: str, branch: str, *, dry_run: bool = False) -> Outcome:
    """Commit `site` to `branch` and push it to `remote`, unless the remote has just that already.

    A dry run does all but the last step: git asks the remote whether it would take the push. The branches of the
    checkout stay as they are, and so does a domain of the branch's own.

    Raises:
        ReportError: there is no site, the branch holds something else, the remote cannot be reached, or it refuses the
            push.
    """
    if not (site / "index.html").is_file():
        raise ReportError(f"{site}: there is no built site; `nox -s docs` makes it.")
    there = _tip(repository, remote, branch)
    commit = git(repository, "rev-parse", "--short", "HEAD")
    # A branch of its own, so that a dry run and an unchanged site leave the user's branches as they were.
    draft = "reportgen-publish-draft"
    git(repository, "branch", "--delete", "--force", draft)  # what an interrupted run may have left
    if there:
        git(repository, "branch", "--force", draft, f"refs/remotes/{remote}/{branch}")
    try:
        with within(repository):
            ghp_import.ghp_import(
                str(site),
                remote=remote,
                branch=draft,
                mesg=f"Report of {commit}",
                nojekyll=True,
                cname=there and there.domain,
                no_history=not there,
            )
        if there and there.tree == git(repository, "rev-parse", f"{draft}^{{tree}}"):
            return "nothing new"
        trial = ["--dry-run"] if dry_run else []
        pushed = run(repository, "push", *trial, remote, f"{draft}:refs/heads/{branch}")
        if pushed.returncode:
            raise ReportError(f"git could not push to {remote} ({branch}): {pushed.stderr.strip()}")
        return "dry run" if dry_run else "published"
    except ghp_import.GhpError as problem:
        raise ReportError(f"The site could not be committed: {problem}") from problem
    finally:
        git(repository, "branch", "--delete", "--force", draft)


def _tip(repository: Path, remote: str, branch: str) -> Tip | None:
    """What the remote has in `branch`, fetched; None where it has no such branch. All of it gives way to the site.

    Raises:
        ReportError: the remote cannot be reached, or something else than a site stands there.
    """
    if branch == git(repository, "symbolic-ref", "--quiet", "--short", "HEAD"):
        raise ReportError(
            f"{branch} is the branch that is checked out here, and publishing leaves nothing but the site in a branch; "
            "name another with --branch."
        )
    # Asked of the remote itself: what this checkout remembers of it may be long gone.
    listed = run(repository, "ls-remote", "--heads", remote, f"refs/heads/{branch}")
    if listed.returncode:
        raise ReportError(f"git could not reach {remote}: {listed.stderr.strip()}")
    if not listed.stdout.strip():
        return None
    tip = f"refs/remotes/{remote}/{branch}"
    fetched = run(repository, "fetch", remote, f"+refs/heads/{branch}:{tip}")
    if fetched.returncode:
        raise ReportError(f"git could not fetch {branch} from {remote}: {fetched.stderr.strip()}")
    names = set((git(repository, "ls-tree", "--full-tree", "-z", "--name-only", tip) or "").split("\0")) - {"", DOMAIN}
    if complaint := no_site(names):
        raise ReportError(
            f"The branch {branch} of {remote} holds something else, which publishing would delete: {complaint}. "
            f"Name another with --branch, or, if nobody needs it, `git push {remote} --delete {branch}`."
        )
    domain = (git(repository, "show", f"{tip}:{DOMAIN}") or "").split()
    return Tip(git(repository, "rev-parse", f"{tip}^{{tree}}") or "", domain[0] if domain else None)
