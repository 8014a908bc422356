"""A reproducibility checklist in the manner of the NeurIPS paper checklist, answered from the records and not by hand.

Each question has an answer, yes, partly or no, and what shows it. An honest weakness, such as a project with one run,
is an answer; evidence that is not there at all, such as a record without a commit, is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reportgen import fingerprint, record
from reportgen.edition import show
from reportgen.errors import ReportError
from reportgen.facts import Fact
from reportgen.features import Features
from reportgen.pretraining import Pretraining
from reportgen.record import Record
from reportgen.report import CATALOGUE, read_text
from reportgen.tools import PageTools

Answer = Literal["yes", "partly", "no"]
HASH_DIGITS = 12
"""So much of a hash is shown."""


@dataclass(frozen=True)
class Entry:
    """A question with its answer and what shows it."""

    question: str
    answer: Answer
    evidence: tuple[tuple[str, str], ...]
    """Sentences, each with a piece of code behind it or an empty text."""


class Checklist(PageTools):
    """What a page may call for the checklist."""

    NAMES = ("checklist",)

    def checklist(self) -> str:
        """Every question of the checklist with its answer and its evidence.

        Raises:
            ReportError: there is no recorded run, or evidence is missing: of a record, of the code's licence, or of the
                terms of a data set.
        """
        if self.edition.material.smoke:
            message = self.edition.words.gettext("Smoke runs are no evidence; the checklist stays empty.")
            return self.missing(message)
        runs = [run for known in self.edition.material.facts.values() for run in known.every_record]
        if not runs:
            raise ReportError(
                "the checklist is answered from recorded runs, and there is none in "
                f"{self.report.relative(self.report.results)}."
            )
        entries = [
            self._claims(),
            self._data(runs),
            self._settings(runs),
            self._error_bars(),
            self._compute(runs),
            self._code(runs),
            self._state(runs),
            self._licences(runs),
            self._commands(),
        ]
        return self.edition.html("checklist", entries)

    def _entry(self, question: str, answer: Answer, evidence: Iterable[str | tuple[str, str]]) -> Entry:
        pairs = tuple((item, "") if isinstance(item, str) else item for item in evidence)
        return Entry(question, answer, pairs)

    def _claims(self) -> Entry:
        words, judgements = self.edition.words, self.edition.material.judgements.values()
        question = words.gettext("Do the claims reflect the results?")

        def counted(verdicts: Iterable[str]) -> str:
            counts = sorted(Counter(verdicts).items())
            return words.enumeration([f"{words.gettext(verdict)} ({count})" for verdict, count in counts])

        study = counted(judgement.study.verdict for judgement in judgements)
        reproduction = counted(judgement.reproduction.verdict for judgement in judgements)
        evidence = [words.gettext("Claims that are checked whenever the report is built: {n}.", n=len(judgements))]
        if self.edition.material.reproduces:
            evidence += [
                words.gettext("Their verdicts on the study: {verdicts}.", verdicts=study),
                words.gettext("Their verdicts on the reproduction: {verdicts}.", verdicts=reproduction),
            ]
        else:
            evidence.append(words.gettext("Their verdicts: {verdicts}.", verdicts=reproduction))
        if not judgements:
            return self._entry(question, "no", evidence[:1])
        every = all(judgement.reproduction.verdict == "holds" for judgement in judgements)
        return self._entry(question, "yes" if every else "partly", evidence)

    def _data(self, runs: list[Record]) -> Entry:
        words = self.edition.words
        evidence: list[str | tuple[str, str]] = []
        sets = {(run.dataset.name, run.dataset.sha256): run.dataset for run in runs}
        for data in sets.values():
            sizes = [words.count(size) for size in (data.train, data.validation, data.test)]
            sentence = words.gettext(
                "{name}: {train} images for training, {validation} for validation, {test} for the test; "
                "SHA-256 of pixels and labels:",
                name=self.dataset_name(data.name),
                train=sizes[0],
                validation=sizes[1],
                test=sizes[2],
            )
            evidence.append((sentence, data.sha256[:HASH_DIGITS]))
        splits = {(run.seed, run.dataset.split_sha256) for run in runs}
        for seed, split in sorted(splits):
            evidence.append((words.gettext("Split of seed {seed}, SHA-256:", seed=seed), split[:HASH_DIGITS]))
        return self._entry(words.gettext("Are the data and their split specified?"), "yes", evidence)

    def _settings(self, runs: list[Record]) -> Entry:
        words = self.edition.words
        for run in runs:
            if not run.settings:
                raise self._lacking(run, "no setting")
        names = dict.fromkeys(name for run in runs for name in run.settings)
        labels = words.enumeration([words.label(name) for name in names])
        told = words.gettext("Every record holds its layers and settings; among all of them: {names}.", names=labels)
        return self._entry(words.gettext("Are all details of the training given?"), "yes", [told])

    def _error_bars(self) -> Entry:
        words, known = self.edition.words, self.edition.material.facts
        names = [*known, *(name for facts in known.values() for name in facts.variant_names)]
        counts = {name: len(self.facts(name).records) for name in names}
        several = [name for name, count in counts.items() if count > 1]
        single = [name for name, count in counts.items() if count == 1]
        missing = [name for name, count in counts.items() if not count]
        evidence = [
            words.gettext(
                "Several seeds: mean, sample standard deviation and a 95% interval of the mean (Student's t); "
                "differences by Welch's interval."
            )
        ]
        if several:
            evidence.append(words.gettext("With several seeds: {names}.", names=self._names(several)))
        if single:
            told = words.gettext("With one run only, and without error bars: {names}.", names=self._names(single))
            evidence.append(told)
        # A project of the study may have runs, though none that counts as a reproduction.
        if studied := [name for name in missing if known[name].studied]:
            evidence.append(words.gettext("Not reproduced yet: {names}.", names=self._names(studied)))
        if own := [name for name in missing if not known[name].studied]:
            evidence.append(words.gettext("Not run: {names}.", names=self._names(own)))
        answer: Answer = "no" if not several else "partly" if single or missing else "yes"
        return self._entry(words.gettext("Are there error bars, and is it said what they are?"), answer, evidence)

    def _names(self, projects: list[str]) -> str:
        return self.edition.words.enumeration([self.short(project) for project in projects])

    def _compute(self, runs: list[Record]) -> Entry:
        words = self.edition.words
        machines: dict[str, list[Record]] = {}
        for run in runs:
            there = run.environment
            size = self.edition.size_of(there)
            machines.setdefault(f"{there.device}, {size}, {there.platform}", []).append(run)
        evidence = [
            words.gettext(
                "{machine}: {runs}, {time} in all.",
                machine=machine,
                runs=words.gettext("one run") if len(there) == 1 else words.gettext("{n} runs", n=len(there)),
                time=self._time(there),
            )
            for machine, there in machines.items()
        ]
        evidence.append(words.gettext("Training time of all recorded runs: {time}.", time=self._time(runs)))
        used = {run.settings.get("weights_sha256") for run in runs}
        if pretrainings := [one for one in self.edition.material.pretrainings.values() if one.weights_sha256 in used]:
            time = self._time(pretrainings)
            evidence.append(words.gettext("Time of the pretrainings that some of them start from: {time}.", time=time))
        return self._entry(words.gettext("Is it said what compute the runs needed?"), "yes", evidence)

    def _time(self, runs: Iterable[Record | Pretraining]) -> str:
        return str(show(Fact.of(sum(run.seconds for run in runs), "seconds"), self.edition.words))

    def _code(self, runs: list[Record]) -> Entry:
        words = self.edition.words
        for run in runs:
            if run.environment.git_commit is None:
                raise self._lacking(run, "no commit of the sources")
        scripts = list(dict.fromkeys(run.script for run in runs))
        evidence: list[str | tuple[str, str]] = [(words.gettext("Script:"), script) for script in scripts]
        clean = Counter((str(run.environment.git_commit), run.environment.git_clean is True) for run in runs)
        for (commit, is_clean), count in clean.items():
            told = words.gettext(
                "Commit of the records ({n}):"
                if is_clean
                else "Commit of the records ({n}), with uncommitted changes:",
                n=count,
            )
            evidence.append((told, commit[:HASH_DIGITS]))
        answer: Answer = "yes" if all(is_clean for _, is_clean in clean) else "partly"
        return self._entry(words.gettext("Is the code of every run known and open?"), answer, evidence)

    def _state(self, runs: list[Record]) -> Entry:
        words = self.edition.words
        material, root = self.edition.material, self.report.root
        changed = [run for run in runs if fingerprint.changed(run, material.confirmations[run.key], root)]
        evidence: list[str | tuple[str, str]] = [
            words.gettext(
                "Records that today's sources back: {n} of {total}.", n=len(runs) - len(changed), total=len(runs)
            )
        ]
        for run in {run.project: run for run in changed}.values():
            if command := fingerprint.remedy(run, root):
                message = words.gettext("Unconfirmed: {project}. This tells:", project=self.short(run.project))
                evidence.append((message, command))
            else:
                evidence.append(
                    words.gettext("Unconfirmed: {project}. Its script is gone.", project=self.short(run.project))
                )
        # These have no canary: nothing short of all of it would tell whether today's code does the same.
        others: list[Pretraining | Features] = [*material.pretrainings.values(), *material.features.values()]
        same = [other for other in others if fingerprint.fingerprints(other.sources, root) == other.sources]
        if others:
            evidence.append(
                words.gettext(
                    "Pretrainings, and records of what their weights see, that today's sources made: {n} of {total}.",
                    n=len(same),
                    total=len(others),
                )
            )
        answer: Answer = "partly"
        if len(changed) == len(runs):
            answer = "no"
        elif not changed and len(same) == len(others):
            answer = "yes"
        return self._entry(words.gettext("Does today's code still do what the records say?"), answer, evidence)

    def _licences(self, runs: list[Record]) -> Entry:
        words = self.edition.words
        file = self.report.root / "LICENSE"
        if not file.is_file():
            raise ReportError("the checklist needs the licence of the code, and there is no file LICENSE in the root.")
        first = next((line.strip() for line in read_text(file, file.name).splitlines() if line.strip()), "")
        evidence = [words.gettext("The code: {licence}.", licence=first)]
        for name in dict.fromkeys(run.dataset.name for run in runs):
            terms = self.edition.catalogue.licences.get(name)
            if terms is None:
                where = self.report.relative(self.report.docs / self.edition.code / CATALOGUE)
                raise ReportError(
                    f"the checklist needs the terms of the data set {name}: an entry in `licences` of {where}."
                )
            evidence.append(f"{self.dataset_name(name)}: {terms}.")
        return self._entry(words.gettext("Are the licences of code and data named?"), "yes", evidence)

    def _commands(self) -> Entry:
        words = self.edition.words
        evidence: list[str | tuple[str, str]] = []
        for name, known in self.edition.material.facts.items():
            if known.records:
                evidence.append((f"{self.short(name)}:", known.records[0].command))
            for variant in known.variants:
                evidence.append((f"{self.called(name, variant)}:", variant.records[0].command))
        return self._entry(words.gettext("Is there a command that repeats each run?"), "yes", evidence)

    def _lacking(self, run: Record, what: str) -> ReportError:
        file = record.folder_of(run, self.report.results) / record.RECORD_FILE
        return ReportError(
            f"the checklist needs evidence that is missing: {self.report.relative(file)} holds {what}. "
            "Train the project again, in a git checkout."
        )
