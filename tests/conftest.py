"""What several tests need: a report small enough to build in a second or two, and a real browser."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
import yaml
from hypothesis import settings
from playwright.sync_api import Browser
from xdist.scheduler import LoadScopeScheduling

from experiments import data
from reportgen import cache
from reportgen.browser import opened
from reportgen.errors import ReportError

# Two trainings that must agree to the last bit need operations that do; read once, before the backend starts.
os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")

# What an example takes depends on what else the machine does, and says nothing of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parents[1]
SITE = "tests/site/"
TRAINING = "tests/experiments/"
LONG = (SITE, "tests/experiments/test_run.py")
"""What takes minutes each. Begun first, they leave no process waiting for the other in the end."""
PROJECTS = frozenset(
    (
        *("p00_base", "p01_deeper", "p02_dropout", "p03_doubled", "p04_batch_norm", "p05_augmentation"),
        *("p06_vgg16_scratch", "p07_vgg16_frozen", "p08_vgg16_finetuned", "p09_mini_vgg16", "p10_vgg16_64px"),
        *("p11_modern", "p12_residual"),
    )
)
"""Those that tests speak of; a fork may have deleted any."""
PROJECT = re.compile(r"\bp\d\d_\w+")
CATALOGUES = {
    "en": {"name": "English", "site_name": "A small report", "nav": {"more": "Further"}, "comparing": ["better"]},
    "es": {"name": "Español", "site_name": "Un informe breve", "nav": {"more": "Más"}, "comparing": ["mejor*"]},
}
SECTIONS = (
    *("index.md#home", "further.md#further", "further.md#details"),
    *(f"catalogue.yml#{entry}" for entry in ("name", "site_name", "site_description", "nav", "projects")),
)
"""What of a small report has to be in step."""
HOME = """# {title} {{ #home }}

{{{{ first.published.test.accuracy }}}} · {{{{ first.published.seconds }}}}

[{word}](further.md#details)
"""


def unbound(html: str) -> str:
    """HTML whose lines may end anywhere: `reportgen.spacing` undone."""
    return re.sub('<span class="rg-whole">(.*?)</span>', r"\1", html).replace("\u00a0", " ")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while everything is imported, which lasts until the end: a third of that time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long; the others keep their order.

    What speaks of projects, pages or images that a fork has deleted is skipped there, with that for its reason.
    """
    of_cifar10 = (data.CLASSES, data.SIDE) == (data.CIFAR10, data.CIFAR10_SIDE)
    there = {file.stem for file in (ROOT / "experiments" / "projects").glob("p*.py")}
    told = bool(json.loads((ROOT / "experiments" / "published.json").read_text(encoding="utf-8"))["projects"])
    for item in items:
        if gone := sorted(spoken_of(item) - there):
            item.add_marker(pytest.mark.skip(reason=f"This report has no project {', '.join(gone)}."))
        if item.get_closest_marker("cifar10") and not of_cifar10:
            item.add_marker(pytest.mark.skip(reason="This report is of other images than CIFAR-10's."))
        if item.get_closest_marker("study") and not told:
            item.add_marker(pytest.mark.skip(reason="This report tells of no study."))
    items.sort(key=lambda item: next((k for k, long in enumerate(LONG) if item.nodeid.startswith(long)), len(LONG)))


def spoken_of(item: pytest.Item) -> set[str]:
    """The projects that a test names in its marker or in its parameters; of those that train, also in their code."""
    marked = {name for marker in item.iter_markers("project") for name in marker.args}
    params = item.callspec.params.values() if hasattr(item, "callspec") else ()
    given = {value for value in params if isinstance(value, str)}
    code: set[str] = set()
    if item.nodeid.startswith(TRAINING) and isinstance(item, pytest.Function):
        seen: set[object] = set()
        fixtures = [one.func for each in item._fixtureinfo.name2fixturedefs.values() for one in each]
        code = {name for used in (item.function, *fixtures) for name in _named(used, seen)}
    return marked | (PROJECTS & (given | code))


def _named(value: object, seen: set[object]) -> Iterator[str]:
    """Every project that a piece of a test names, or a helper beside it that this calls."""
    match value:
        case str():
            yield from PROJECT.findall(value)
        case tuple() | frozenset() | list():
            for part in value:
                yield from _named(part, seen)
        case dict():
            yield from _named([*value, *value.values()], seen)
        case CodeType():
            yield from _named(value.co_consts, seen)
        case FunctionType() if value.__module__.startswith("tests.") and value not in seen:
            seen.add(value)
            yield from _named([value.__code__, value.__defaults__, value.__kwdefaults__], seen)
            for code in _codes(value.__code__):
                yield from _named([value.__globals__.get(name) for name in code.co_names], seen)
        case type() if value.__module__.startswith("tests.") and value not in seen:
            seen.add(value)
            yield from _named([*vars(value).values()], seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions within it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Give one process all tests of the site, which it then builds once; of the others, a file's tests."""

    class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return SITE if nodeid.startswith(SITE) else str(super()._split_scope(nodeid))

    return ByWhatIsShared(config, log)


@pytest.fixture(scope="module", autouse=True)
def _nothing_old_is_searched() -> None:
    """Spare the collector of garbage what earlier files have imported and built, which lasts until the end.

    With TensorFlow, Keras and JAX that is a million objects, and a training has them searched again and again: up to
    half of what a short one takes.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def code_anew() -> Iterator[None]:
    """What else than its content decides how something looks that is kept is asked again, in a test and behind it."""
    cache.code.cache_clear()
    yield
    cache.code.cache_clear()


@pytest.fixture
def small_report(tmp_path: Path) -> Path:
    """The root of a report with two pages in two languages, one published project and no runs."""
    root = tmp_path / "report"
    for code, words in CATALOGUES.items():
        folder = root / "docs" / code
        folder.mkdir(parents=True)
        names = {"projects": {"first": "1"}, "classes": {}, "datasets": {}, "site_description": "…"}
        (folder / "catalogue.yml").write_text(yaml.safe_dump({**words, **names}), encoding="utf-8")
        home = HOME.format(title=words["site_name"], word="details")
        (folder / "index.md").write_text(home, encoding="utf-8")
        (folder / "further.md").write_text("# 2 { #further }\n\n## 3 { #details }\n", encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "assets", root / "docs" / "assets")
    shared = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    shared["nav"] = ["index.md", {"more": ["further.md"]}]
    (root / "mkdocs.yml").write_text(yaml.safe_dump(shared), encoding="utf-8")
    (root / "pyproject.toml").write_text(
        '[tool.reportgen]\nlanguages = ["en", "es"]\ndocs = "docs"\nresults = "results"\n'
        'published = "published.json"\nclaims = "docs/claims.yml"\n'
        'declared = "declared"\nscript = "scripts/{project}.py"\n',
        encoding="utf-8",
    )
    first = {"id": "first", "notebook": "1.ipynb", "section": "1", "parameters": None, "seconds": 47.380263}
    measured = {"train": None, "test": {"accuracy": 0.6256, "cross_entropy": 1.07}}
    study = {"title": "A study", "author": "N. N.", "year": 2023, "projects": [{**first, **measured}]}
    (root / "published.json").write_text(json.dumps(study), encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, without any request of its own."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(opened())
        except ReportError as problem:
            pytest.skip(str(problem))
        yield found
