"""The site's build against bare tools on the same pages, and how it grows with the number of records."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from experiments.comparison.commands import timed
from experiments.environment import ROOT
from experiments.job import RESULTS
from reportgen import record
from reportgen.bench import Comparison
from reportgen.errors import ReportError

RENDERED = ROOT / "build" / "nox-s-docs"
"""Where the report leaves the finished Markdown of each language."""
SPHINX = 'extensions = ["myst_parser"]\nhtml_theme = "furo"\nmyst_enable_extensions = ["attrs_block", "html_image"]\n'


def comparisons(rounds: int, sizes: Sequence[int]) -> Iterator[Comparison]:
    """The whole build, turn by turn with MkDocs and Sphinx on the Markdown that it has just made; then its growth.

    Raises:
        ReportError: a command failed, or there is no recorded run, of which the growth is made.
    """
    recorded()  # told before the builds, which take minutes
    taken: dict[str, list[float]] = {"report": [], "mkdocs_material": []}
    # Of the bench's own environment, which other environments need not have.
    if all(importlib.util.find_spec(name) for name in ("sphinx", "myst_parser", "furo")):
        taken["sphinx"] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        build = ("-m", "reportgen", "build", "--site", str(scratch / "report"))
        timed(*build)  # it may have charts to draw that the others find drawn
        for _ in range(rounds):
            taken["report"].append(timed(*build))
            languages = sorted(path for path in RENDERED.iterdir() if path.is_dir())
            taken["mkdocs_material"].append(sum(_mkdocs(language, scratch) for language in languages))
            if "sphinx" in taken:
                taken["sphinx"].append(sum(_sphinx(language, scratch) for language in languages))
        for against in [name for name in taken if name != "report"]:
            yield Comparison(
                group="site",
                subject="build",
                unit="s",
                measured=tuple(taken["report"]),
                against=against,
                reference=tuple(taken[against]),
            )
        yield from _growth(scratch, rounds, sizes)


def _mkdocs(pages: Path, scratch: Path) -> float:
    """Seconds of MkDocs with Material and its search on one language, without anything of the report."""
    configuration = scratch / "mkdocs.yml"
    shared = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    settings = {
        "site_name": "Bare",
        "docs_dir": str(pages),
        "site_dir": str(scratch / "mkdocs"),
        "theme": {"name": "material", "font": False},
        "plugins": ["search"],
        "markdown_extensions": shared["markdown_extensions"],
    }
    configuration.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return timed("-m", "mkdocs", "build", "--quiet", "--config-file", str(configuration))


def _sphinx(pages: Path, scratch: Path) -> float:
    """Seconds of Sphinx with MyST and Furo on one language, from nothing."""
    source, target = scratch / "sphinx", scratch / "html"
    for folder in (source, target):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pages, source)
    (source / "conf.py").write_text(SPHINX, encoding="utf-8")
    return timed("-m", "sphinx", "-q", "-b", "html", str(source), str(target))


def _growth(scratch: Path, rounds: int, sizes: Sequence[int]) -> Iterator[Comparison]:
    """The build from so many records, against that from the fewest; made from recorded runs with other seeds."""
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    for size in sizes:
        copies(scratch / f"results-{size}", size)
    for turn in range(rounds + 1):
        for size in sizes:
            options = ("--results", str(scratch / f"results-{size}"), "--site", str(scratch / "site"))
            seconds = timed("-m", "reportgen", "build", *options)
            if turn:  # the first draws the charts of these records
                taken[size].append(seconds)
    for size in sizes[1:]:
        yield Comparison(
            group="growth",
            subject=f"records_{size}",
            unit="s",
            measured=tuple(taken[size]),
            against=f"records_{sizes[0]}",
            reference=tuple(taken[sizes[0]]),
        )


def recorded() -> list[str]:
    """The projects of which a run is recorded as they declare it.

    Raises:
        ReportError: there is none.
    """
    found = list(dict.fromkeys(run.project for run in record.read_all(RESULTS) if run.variant is None))
    if not found:
        raise ReportError(
            f"{RESULTS}: there is no recorded run to copy, expected one of a project as it is declared. "
            "Train one with `python -m experiments run PROJECT`, or measure another part with --only."
        )
    return found


def copies(results: Path, size: int) -> None:
    """Fill `results` with so many runs: of every recorded project in turn, under seeds of their own.

    Raises:
        ReportError: there is no recorded run.
    """
    projects = recorded()
    for k in range(size):
        project, seed = projects[k % len(projects)], k // len(projects)
        folder = record.folder(results, project, seed)
        shutil.copytree(min((RESULTS / project).glob("seed-*")), folder)
        content = json.loads((folder / record.RECORD_FILE).read_text(encoding="utf-8"))
        content["seed"] = seed
        (folder / record.RECORD_FILE).write_text(json.dumps(content), encoding="utf-8")
