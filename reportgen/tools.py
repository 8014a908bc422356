"""What the tools of a page have in common: the facts, the names and the files that a page may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from reportgen.edition import NOTHING, Edition
from reportgen.errors import ReportError, did_you_mean
from reportgen.facts import ProjectFacts, Variant, parts_of, subject
from reportgen.record import Declaration, Layer, Record, Setting, folder_of
from reportgen.report import NAME, Report

BRIEFLY = {
    "batch_size": "batches of {value}",
    "epochs": "{value} epochs",
    "image_size": "{value} px",
    "weights": "from {value}",
}
"""Messages for a label, of settings whose own name would fill it; they stand first."""
MOST_DEPARTURES = 4
"""More than these are counted, in a label."""


@dataclass
class PageTools:
    """A set of functions that one page may call; those in `NAMES` are the page's, the others theirs."""

    NAMES: ClassVar[tuple[str, ...]] = ()

    edition: Edition
    path: str
    """The page, by its path within a language's folder."""
    assets: dict[str, Path | str | bytes]
    """What the page wants beside it, by its path within the language's folder: a file to copy, or what is in it."""

    @property
    def report(self) -> Report:
        return self.edition.material.report

    def facts(self, name: str) -> ProjectFacts:
        """Of a project, or of a variant, `project/variant`.

        Raises:
            ReportError: there is no such project.
        """
        known, (project, _) = self.edition.material.facts, parts_of(name)
        if project not in known:
            raise ReportError(f"'{project}' is not a known project{did_you_mean(project, known)}")
        return subject(known, name)

    def runs(self, project: str) -> tuple[Record, ...]:
        """The recorded runs of a project as it is declared, or those of a variant.

        Raises:
            ReportError: there is no such project.
        """
        return self.facts(project).records

    def planned(self, project: str) -> Record | Declaration | None:
        """As the material's; an unknown project is the page's mistake.

        Raises:
            ReportError: there is no such project.
        """
        self.facts(project)
        return self.edition.material.planned(project)

    def inner_layers(self, project: str) -> Mapping[str, Sequence[Layer]]:
        """The layers of each layer that is a network of its own, by its name.

        A record keeps the outer layers alone; these are the declaration's, while that is of the same network.
        """
        plan, declared = self.planned(project), self.edition.material.declarations.get(parts_of(project)[0])
        return declared.inner if plan and declared and declared.network == plan.network else {}

    def missing(self, what: str = "") -> str:
        """What stands where something cannot be shown: a sentence, in the language, that says what is missing."""
        what = what or self.edition.words.gettext("There is no recorded run of this project yet.")
        return f"*{what}*"

    def link(self, target: str) -> str:
        """A file of the language's folder, from the page as MkDocs publishes it (`00.md` becomes `00/`)."""
        here = PurePosixPath(self.path)
        depth = len(here.parts) - (1 if here.name == "index.md" else 0)
        return "../" * depth + target

    def page_link(self, page: str) -> str:
        """Another page, from this one as MkDocs publishes both."""
        file = PurePosixPath(page)
        folder = file.parent if file.name == "index.md" else file.with_suffix("")
        return self.link("".join(f"{part}/" for part in folder.parts))

    def full_title(self, name: str) -> str:
        """What a project is called; a variant as where there is little room, for it has no other name."""
        self.facts(name)
        project, variant = parts_of(name)
        return self.short(name) if variant else self.edition.catalogue.projects.get(project, project)

    def short(self, name: str) -> str:
        """What a project is called where there is little room; a variant with what it has in place of the project's."""
        project, variant = parts_of(name)
        called = self.edition.catalogue.short.get(project) or self.full_title(project)
        if variant is None:
            return called
        runs = (known for known in self.facts(project).variants if known.name == variant)
        return _in_brackets(called, next((self.briefly(known) for known in runs), variant))

    def called(self, project: str, variant: Variant) -> str:
        """As `short`, also of a variant that has no name."""
        return _in_brackets(self.short(project), self.briefly(variant))

    def mention(self, name: str) -> str:
        """What a sentence calls a project, in the language's words: with an article, where the language wants one."""
        return self.edition.catalogue.mention.replace(NAME, self.short(name))

    def apart(self, variant: Variant) -> str:
        """What sets a variant apart from the project that the study's figures are of, in words."""
        words = self.edition.words
        differences = [
            words.gettext(
                "{setting}: {found} instead of {required}",
                setting=words.label(name),
                found=self.in_words(found),
                required=self.in_words(required),
            )
            for name, required, found in self._departures(variant)
        ]
        return "; ".join(differences) or words.gettext("variant {name}", name=variant.name)

    def briefly(self, variant: Variant) -> str:
        """What a variant has in place of what the study's figures are of, for a label; no two of a project share one.

        The names of their folders tell them apart where nothing else does.
        """
        label, project = self._departing(variant), variant.records[0].project
        alike = [one for one in self.facts(project).variants if self._departing(one) == label]
        return f"{label}, {variant.name}" if len(alike) > 1 else label

    def _departing(self, variant: Variant) -> str:
        words = self.edition.words

        def told(name: str, value: Setting | None) -> str:
            if value is None or value is False:
                label = words.label(name)
                return words.gettext("without {setting}", setting=label[:1].lower() + label[1:])
            if name in BRIEFLY:
                one = name == "epochs" and value == 1
                return words.gettext("{value} epoch" if one else BRIEFLY[name], value=self.in_words(value))
            return self.in_words(value) if isinstance(value, str) else f"{words.label(name)} {self.in_words(value)}"

        departures = sorted(self._departures(variant), key=lambda departure: departure[0] not in BRIEFLY)
        shown = departures if len(departures) <= MOST_DEPARTURES else departures[: MOST_DEPARTURES - 1]
        labels = [told(name, value) for name, _, value in shown]
        if further := len(departures) - len(shown):
            labels.append(words.gettext("{n} further settings", n=further))
        return ", ".join(labels) or words.gettext("variant {name}", name=variant.name)

    def _departures(self, variant: Variant) -> Iterator[tuple[str, Setting, Setting]]:
        """Each setting in which it departs: its name, what is required or declared, what was found."""
        yield from variant.differences
        yield from self._undeclared(variant)

    def _undeclared(self, variant: Variant) -> Iterator[tuple[str, Setting, Setting]]:
        """Where it departs from what its project declares, beyond what the study's figures require."""
        run = variant.records[0]
        declared = self.edition.material.declarations.get(run.project)
        if declared is None:
            return
        as_they_are = {"image_size": run.dataset.image_shape[0]}  # which goes without saying
        plan, done = ({**as_they_are, **one.settings} for one in (declared, run))
        known = {name for name, *_ in variant.differences}
        for name in sorted((plan.keys() | done.keys()) - known):
            if plan.get(name) != done.get(name) and not name.startswith("weights_"):
                yield name, plan.get(name), done.get(name)

    def kind_of_variant(self, project: str) -> str:
        """What a variant of a project is called: it reproduces nothing, which goes without saying without a study."""
        studied = self.edition.material.facts[parts_of(project)[0]].studied
        return self.edition.words.gettext("Variant, no reproduction" if studied else "Variant")

    def in_words(self, value: Setting | None) -> str:
        """The value of a setting as the language writes it; a dash where there is none."""
        if isinstance(value, bool):
            return self.edition.words.gettext("yes" if value else "no")
        if isinstance(value, int | float):
            return self.edition.words.decimal(value)
        return self.edition.catalogue.values.get(value) or self.dataset_name(value) if value else NOTHING

    def class_names(self, classes: Sequence[str]) -> list[str]:
        return [self.edition.catalogue.classes.get(name, name) for name in classes]

    def dataset_name(self, name: str) -> str:
        return self.edition.catalogue.datasets.get(name, name)

    def dataset_names(self, runs: Sequence[Record]) -> str:
        """Every data set of `runs` once, in words."""
        return "; ".join(map(self.dataset_name, dict.fromkeys(run.dataset.name for run in runs)))

    def source(self, run: Record, name: str) -> Path:
        """A file that stands beside the record of a run, or the record itself."""
        return folder_of(run, self.report.results) / name

    def asset(self, run: Record, name: str) -> str:
        """Where such a file stands within the language's folder; from now on the page wants it there."""
        target = f"assets/records/{'/'.join(filter(None, run.key[:2]))}/seed-{run.seed}/{name}"
        self.assets[target] = self.source(run, name)
        return target


def _in_brackets(called: str, apart: str) -> str:
    """A name with what sets a variant apart, within one pair of brackets: `Project 12 (ours, 8 epochs)`."""
    return f"{called[:-1]}, {apart})" if called.endswith(")") else f"{called} ({apart})"
