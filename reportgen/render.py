"""One page and the facts to Markdown, in one language. Strict: an unknown name is an error with its file and line.

Pure: nothing is written; a page is returned with the files that it wants beside it.
"""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)
from markupsafe import Markup

from reportgen import charts, facts, fingerprint
from reportgen.errors import ReportError
from reportgen.facts import Fact, Kind, ProjectFacts, Summary
from reportgen.language import Language, language
from reportgen.record import Confirmation, Network, Record, folder
from reportgen.report import Catalogue, Report

TEMPLATES = Path(__file__).parent / "templates"
MISTAKES = "mistakes.png"
NOTHING = "–"
"""Stands in a table for what one side does not have."""


@dataclass(frozen=True)
class Page:
    """A finished page."""

    markdown: str
    assets: Mapping[str, Path]
    """Files to copy, by their path within the language's folder."""


@dataclass(frozen=True)
class Material:
    """Everything that is known before a page is rendered, the same for all languages."""

    report: Report
    facts: Mapping[str, ProjectFacts]
    confirmations: Mapping[tuple[str, int], Sequence[Confirmation]]
    pages: tuple[str, ...]

    @property
    def smoke(self) -> bool:
        """Whether any record is of a run that only proves that everything works."""
        return any(run.profile == "smoke" for known in self.facts.values() for run in known.records)


def show(value: object, words: Language) -> object:
    """A fact as `words` writes it; anything else as it is."""
    if isinstance(value, Summary):
        if not value.values:
            return words.gettext(facts.NOT_REPRODUCED)
        mean = show(value.mean, words)
        return (
            f"{mean} ± {words.number(_spread(value.sd), 2 if value.kind == 'percent' else facts.DIGITS[value.kind])}"
            if (value.sd.value is not None)
            else mean
        )
    if value is None:
        return NOTHING
    if not isinstance(value, Fact):
        return value
    if value.value is None:
        return words.gettext(value.absent)
    match value.kind:
        case "percent":
            return words.percent(value.value)
        case "points":
            return words.points(value.value)
        case "error":
            return words.points(value.value).removeprefix("+")
        case "nats":
            return words.number(value.value, facts.DIGITS["nats"])
        case "seconds":
            return words.seconds(value.value)
        case "count":
            return words.count(round(value.value))


def _spread(sd: Fact) -> float:
    assert sd.value is not None
    return sd.value * 100 if sd.kind == "percent" else sd.value


@dataclass
class Renderer:
    """Renders the pages of one language."""

    material: Material
    code: str

    @cached_property
    def words(self) -> Language:
        return language(self.code)

    @cached_property
    def catalogue(self) -> Catalogue:
        return self.material.report.catalogue(self.code)

    @cached_property
    def _pages(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(self.material.report.docs / self.code),
            undefined=StrictUndefined,
            finalize=lambda value: show(value, self.words),
            keep_trailing_newline=True,
            autoescape=False,  # Markdown; what is shown of records passes through the templates, which escape
        )
        environment.globals.update(self.material.facts)
        return environment

    @cached_property
    def _macros(self) -> Any:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            finalize=lambda value: show(value, self.words),
            autoescape=True,
        )
        environment.globals.update(
            _=self.words.gettext,
            label=self.words.label,
            fact=lambda value, kind: Fact.of(value, kind),
            seeds=self._seeds,
        )
        return environment.get_template("tables.html.jinja").module

    def page(self, path: str) -> Page:
        """Render `path`, such as `projects/00.md`.

        Raises:
            ReportError: the page names something unknown, or its Jinja is broken; with file and line.
        """
        source = self.material.report.docs / self.code / path
        shown = self.material.report.relative(source)
        assets: dict[str, Path] = {}
        tools = _Tools(self, path, assets)
        names = {name: getattr(tools, name) for name in _TOOLS}
        try:
            text = self._pages.get_template(path).render(**names)
        except TemplateSyntaxError as problem:
            raise ReportError(f"{shown}, line {problem.lineno}: {problem.message}") from problem
        except UndefinedError as problem:
            line = _line(problem, str(source))
            raise ReportError(f"{shown}, line {line}: {self._unknown(str(problem.message))}") from problem
        except TemplateNotFound as problem:
            line = _line(problem, str(source))
            raise ReportError(f"{shown}, line {line}: there is no file {problem.name} to include.") from problem
        except (ReportError, TemplateError) as problem:
            raise ReportError(f"{shown}, line {_line(problem, str(source))}: {problem}") from problem
        except TypeError as problem:
            if _is_own(problem, str(source)):
                raise
            line = _line(problem, str(source))
            raise ReportError(f"{shown}, line {line}: this cannot be computed ({problem}).") from problem
        if self.material.smoke:
            note = self.words.gettext(
                "This is a smoke run: its numbers show that everything works and mean nothing else."
            )
            # Below the heading: MkDocs takes a page's title from a heading only if that comes first.
            below = _OPENING.match(text).end()  # type: ignore[union-attr]  # it matches nothing, too
            text = f'{text[:below]}\n!!! danger ""\n    {note}\n\n{text[below:]}'
        return Page(text, assets)

    def _unknown(self, message: str) -> str:
        found = re.search(r"'([^' ]+)' is undefined|has no attribute '([^']+)'", message)
        if not found:
            return message
        word = found[1] or found[2]
        known = [*self.material.facts, *_TOOLS, *_FIELDS]
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else f"; known are {', '.join(sorted(_TOOLS))} and the projects."
        return f"'{word}' is not a known name{hint}"

    def _seeds(self, count: int) -> str:
        return self.words.gettext("one run") if count == 1 else self.words.gettext("{n} seeds", n=count)


_OPENING = re.compile(r"(---\n.*?\n---\n)?\s*(#[^\n]*\n)?", re.DOTALL)
"""Front matter and the heading of a page, if it has them."""
_FIELDS = sorted(
    {"mean", "sd", "min", "max", "n"}
    | {
        part.name
        for form in facts.__dict__.values()
        if isinstance(form, type) and is_dataclass(form) and form.__module__ == facts.__name__
        for part in fields(form)
    }
)
"""Every name that a page can write behind a dot."""


def _is_own(problem: BaseException, page: str) -> bool:
    """Whether the error arose inside this package, and not in the expression that the page wrote."""
    files = [frame.filename for frame in traceback.extract_tb(problem.__traceback__)]
    below = files[len(files) - files[::-1].index(page) :] if page in files else files
    return any(Path(file).is_relative_to(Path(__file__).parent) for file in below)


def _line(problem: BaseException, file: str) -> int | str:
    lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == file]
    return lines[-1] if lines and lines[-1] else "?"


_TOOLS = (
    "title",
    "ladder",
    "results",
    "layers",
    "training_settings",
    "changes",
    "code",
    "curves",
    "confusion",
    "mistakes",
    "provenance",
    "setting",
    "dataset",
    "published_difference",
)


@dataclass
class _Tools:
    """What a page may call; each returns Markdown or HTML."""

    renderer: Renderer
    path: str
    assets: dict[str, Path]

    @property
    def _report(self) -> Report:
        return self.renderer.material.report

    def _facts(self, project: str) -> ProjectFacts:
        known = self.renderer.material.facts
        if project not in known:
            near = difflib.get_close_matches(project, known, n=1)
            raise ReportError(f"'{project}' is not a known project" + (f"; did you mean '{near[0]}'?" if near else "."))
        return known[project]

    def _runs(self, project: str) -> tuple[Record, ...]:
        return self._facts(project).records

    def _missing(self) -> str:
        message = self.renderer.words.gettext("There is no recorded run of this project yet.")
        return f"*{message}*"

    def _html(self, macro: str, *arguments: object) -> str:
        html = str(getattr(self.renderer._macros, macro)(*arguments))
        # Markdown ends a block of HTML at an empty line.
        return re.sub(r"\n\s*\n", "\n", html).strip()

    def _link(self, target: str) -> str:
        """A file of the language's folder, from the page as MkDocs publishes it (`00.md` becomes `00/`)."""
        here = PurePosixPath(self.path)
        depth = len(here.parts) - (1 if here.name == "index.md" else 0)
        return "../" * depth + target

    def title(self, project: str) -> str:
        self._facts(project)
        return self.renderer.catalogue.projects.get(project, project)

    def ladder(self) -> str:
        rows = []
        for identifier, known in self.renderer.material.facts.items():
            page = f"projects/{identifier[1:3]}.md"
            link = self._link(page.removesuffix(".md") + "/") if page in self.renderer.material.pages else None
            rows.append({"title": self.title(identifier), "link": link, "facts": known})
        every = [run for known in self.renderer.material.facts.values() for run in known.records]
        return self._html("ladder", rows, self._dataset_names(every))

    def results(self, project: str) -> str:
        known = self._facts(project)
        return self._html("results", known, self._dataset_names(known.records))

    def layers(self, project: str) -> str:
        runs = self._runs(project)
        return self._html("layers", runs[0].network) if runs else self._missing()

    def training_settings(self, project: str) -> str:
        runs = self._runs(project)
        return self._html("settings", runs[0]) if runs else self._missing()

    def changes(self, project: str, since: str) -> str:
        """The layers and settings that differ from another project, read from the records."""
        before, now = self._runs(since), self._runs(project)
        if not before or not now:
            return self._missing()
        rows = [*self._layer_changes(before[0].network, now[0].network)]
        for name in dict.fromkeys([*before[0].settings, *now[0].settings]):
            old, new = (show(runs[0].settings.get(name), self.renderer.words) for runs in (before, now))
            if old != new:
                rows.append((self.renderer.words.label(name), str(old), str(new)))
        words = self.renderer.words
        totals = (before[0].network.parameters, now[0].network.parameters)
        if totals[0] != totals[1]:
            rows.append((words.gettext("Parameters"), words.count(totals[0]), words.count(totals[1])))
        return self._html("changes", rows)

    def _layer_changes(self, before: Network, now: Network) -> list[tuple[str, str, str]]:
        old, new = (
            [f"{layer.type} {' × '.join(map(str, layer.output_shape[1:]))}" for layer in net.layers]
            for net in (before, now)
        )
        words = self.renderer.words
        labels = {
            "insert": words.gettext("Layers added"),
            "delete": words.gettext("Layers removed"),
            "replace": words.gettext("Layers replaced"),
        }
        return [
            (labels[kind], ", ".join(old[a:b]) or NOTHING, ", ".join(new[c:d]) or NOTHING)
            for kind, a, b, c, d in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
            if kind != "equal"
        ]

    def code(self, project: str) -> str:
        """The project's script as it stands in its file."""
        self._facts(project)
        name = self._report.script.format(project=project)
        file = self._report.root / name
        if not file.exists():
            raise ReportError(f"there is no script {name} of {project} to show.")
        return f'```python title="{name}"\n{file.read_text(encoding="utf-8").rstrip()}\n```'

    def curves(self, project: str) -> str:
        words, runs = self.renderer.words, self._runs(project)
        if not runs:
            return self._missing()
        title = words.gettext("Learning curves")
        caption = words.gettext(
            "Cross-entropy and accuracy by epoch, one line a seed; the dot marks the epoch whose weights were kept."
        )
        kept = "; ".join(
            words.gettext(
                "seed {seed}: kept epoch {epoch} of {epochs}, validation accuracy {accuracy}",
                seed=run.seed,
                epoch=run.stopping.restored_epoch,
                epochs=len(run.history),
                accuracy=words.percent(run.history[run.stopping.restored_epoch - 1].val_accuracy),
            )
            for run in runs
        )
        return self._figure(charts.curves(runs, words), f"curves-{project}", title, kept, caption, "curves.svg", runs)

    def confusion(self, project: str) -> str:
        words, runs = self.renderer.words, self._runs(project)
        if not runs:
            return self._missing()
        title = words.gettext("Confusion matrix")
        names = self._class_names(runs[0])
        caption = words.gettext(
            "Of each label (row), the per cent of its test images that were given each prediction, over all seeds."
        )
        best = "; ".join(
            words.gettext("{name}: {share} right", name=name, share=words.percent(_share(runs, k), 0))
            for k, name in enumerate(names)
        )
        return self._figure(
            charts.confusion(runs, words, names), f"confusion-{project}", title, best, caption, "confusion.svg", runs
        )

    def _figure(
        self, svg: str, identifier: str, title: str, text: str, caption: str, file: str, runs: Sequence[Record]
    ) -> str:
        downloads = [
            (f"SVG {run.seed}", self._link(self._asset(run, file))) for run in runs if self._source(run, file).exists()
        ]
        return self._html("figure", Markup(charts.themed(svg, identifier, title, text)), caption, downloads)

    def mistakes(self, project: str) -> str:
        for run in self._runs(project):
            if run.mistakes and self._source(run, MISTAKES).exists():
                image = self._link(self._asset(run, MISTAKES))
                return self._html("mistakes", run, image, self._class_names(run))
        return self._missing()

    def provenance(self, project: str) -> str:
        words, material = self.renderer.words, self.renderer.material
        items = []
        for run in self._runs(project):
            known = material.confirmations[run.project, run.seed]
            changed = fingerprint.changed(run, known, self._report.root)
            items.append(
                {
                    "record": run,
                    "dataset": self._dataset_name(run.dataset.name),
                    "date": words.date(run.started),
                    "memory": words.number(run.environment.memory_gib, 1),
                    "state": words.gettext(fingerprint.state(run, known, self._report.root)),
                    "changed": changed,
                    "remedy": f"python -m experiments replay {run.project}",
                    "link": self._link(self._asset(run, "record.json")),
                }
            )
        return self._html("provenance", items) if items else self._missing()

    def setting(self, project: str, name: str) -> object:
        """One setting of a project's runs, for prose."""
        runs = self._runs(project)
        if not runs:
            return self.renderer.words.gettext(facts.NOT_REPRODUCED)
        if name not in runs[0].settings:
            raise ReportError(f"'{name}' is not a setting of {project}: {', '.join(runs[0].settings)}.")
        value = runs[0].settings[name]
        if isinstance(value, float):
            return self.renderer.words.number(value, len(f"{Decimal(repr(value)):f}".partition(".")[2]))
        return value

    def dataset(self, project: str, part: str) -> Fact:
        """How many images a project's runs had to `train`, for `validation` or to `test`."""
        runs = self._runs(project)
        kind: Kind = "count"
        return Fact.of(getattr(runs[0].dataset, part) if runs else None, kind, facts.NOT_REPRODUCED)

    def published_difference(self, project: str, since: str) -> Fact:
        """What the study's test accuracy gained from one project to another."""
        return self._facts(project).published.test.accuracy - self._facts(since).published.test.accuracy

    def _class_names(self, run: Record) -> list[str]:
        return [self.renderer.catalogue.classes.get(name, name) for name in run.dataset.classes]

    def _dataset_name(self, name: str) -> str:
        return self.renderer.catalogue.datasets.get(name, name)

    def _dataset_names(self, runs: Sequence[Record]) -> str:
        """Every data set of `runs` once, in words."""
        return "; ".join(map(self._dataset_name, dict.fromkeys(run.dataset.name for run in runs)))

    def _source(self, run: Record, name: str) -> Path:
        return folder(self._report.results, run.project, run.seed) / name

    def _asset(self, run: Record, name: str) -> str:
        target = f"assets/records/{run.project}/seed-{run.seed}/{name}"
        self.assets[target] = self._source(run, name)
        return target


def _share(runs: Sequence[Record], k: int) -> float:
    total = sum(sum(run.confusion[k]) for run in runs)
    return sum(run.confusion[k][k] for run in runs) / total if total else 0.0
