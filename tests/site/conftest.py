"""What the tests in a browser share: one site, built as a fresh clone is, and what a visit to all its pages saw."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from reportgen import measure
from reportgen.browser import served
from reportgen.measure import Visit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site under a sub-path: a clone of the tracked files, built without data and TensorFlow."""
    top = tmp_path_factory.mktemp("site")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is not a git checkout, so that there is no saying what a fresh clone would hold")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            copy = top / "clone" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / name).read_bytes())
    with served(top / "served") as root:
        url = f"{root}repository/"
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "CIFAR10_DIR")}
        done = subprocess.run(
            [sys.executable, "-m", "reportgen", "build", "--site", str(top / "served" / "repository")],
            cwd=top / "clone",
            env={**environment, "SITE_URL": url},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        yield url


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A tab of its own, whose browser asks for Spanish."""
    context = browser.new_context(locale="es-ES")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def pages(address: str) -> list[str]:
    """Every page of the site, in every language, by its path."""
    docs = ROOT / "docs"
    found = [file.relative_to(docs).with_suffix("") for code in ("en", "es") for file in (docs / code).rglob("*.md")]
    return sorted(f"{path.parent if path.name == 'index' else path}/" for path in found)


@pytest.fixture(scope="session")
def seen(address: str, pages: list[str], browser: Browser) -> Visit:
    """What a visit to every page has seen, in the light and in the dark: each scheme in one of the languages.

    `nox -s measure` sees every page in both schemes in both languages, and takes its time for it.
    """
    visit = Visit()
    for code, scheme in (("en", "light"), ("es", "dark")):
        measure.visit(browser, address, [path for path in pages if path.startswith(code)], scheme, visit)
    return visit
