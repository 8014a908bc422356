"""The material of a report: everything on disk that its pages may speak of, read and judged, before any is rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2.defaults import DEFAULT_NAMESPACE

from reportgen import bench, claims, evidence, facts, features, pretraining, record
from reportgen.bench import Bench
from reportgen.checkout import git
from reportgen.claims import Judgement
from reportgen.errors import ReportError
from reportgen.facts import ProjectFacts, Published, subject
from reportgen.features import Features
from reportgen.pretraining import Pretraining
from reportgen.record import Confirmation, Declaration, Record
from reportgen.render import FUNCTIONS
from reportgen.report import Report


@dataclass(frozen=True)
class Material:
    """Everything that is known before a page is rendered, the same for all languages."""

    report: Report
    study: Published
    """What was published, and by whom."""
    facts: Mapping[str, ProjectFacts]
    judgements: Mapping[str, Judgement]
    """Every claim with its verdicts, by identifier."""
    claim_pages: Mapping[str, Sequence[str]]
    """The pages on which each claim is used."""
    chapters: Mapping[str, Sequence[str]]
    """The pages that show each project's results."""
    confirmations: Mapping[tuple[str, str | None, int], Sequence[Confirmation]]
    """By the record's key."""
    declarations: Mapping[str, Declaration]
    """What each project would train, where that is written down."""
    benches: Sequence[Bench]
    """What was measured side by side, on each machine that measured."""
    pages: tuple[str, ...]
    pretrainings: Mapping[Path, Pretraining]
    """How weights came about that runs start from, by file."""
    features: Mapping[Path, Features]
    """What such weights see, by file."""
    repository: str = ""
    """Where the sources can be read in a browser, if anybody has said: MkDocs's own `repo_url`."""
    within: str = ""
    """The folder of the report in its repository, as `report/`; empty where it is the whole of it."""
    printed: bool = False
    """Whether the site will hold the report as a PDF in each language."""

    def source_link(self, run: Record) -> str | None:
        """The page that shows the script of `run` as it ran; None where there is no such page, as for one that was not
        committed.
        """
        commit = run.environment.git_commit if run.environment.git_clean else None
        where = quote(f"{self.within}{run.script}")
        return f"{self.repository}/blob/{commit}/{where}" if self.repository and commit else None

    def planned(self, project: str) -> Record | Declaration | None:
        """Where a project's network and settings stand: its first run; else what it declares; else a variant's run."""
        known = subject(self.facts, project)
        return next(iter(known.records), None) or self.declarations.get(project) or next(iter(known.every_record), None)

    @property
    def reproduces(self) -> bool:
        """Whether any project is a study's; else the report tells of its own experiments, and names no study."""
        return any(known.studied for known in self.facts.values())

    @property
    def smoke(self) -> bool:
        """Whether any record is of a run that only proves that everything works."""
        return any(run.profile == "smoke" for known in self.facts.values() for run in known.every_record)


def gather(report: Report) -> Material:
    """Read everything that the pages may speak of.

    Raises:
        ReportError: a record, the published figures or a page cannot be read or is missing; or a project has the name
            of a function.
    """
    records = record.read_all(report.results)
    study = facts.read_published(report.published)
    declarations = record.read_declarations(report.declared)
    known = facts.build(study, records, declarations)
    if taken := sorted(known.keys() & {*FUNCTIONS, *DEFAULT_NAMESPACE}):
        raise ReportError(
            f"{taken[0]}: no project can be called that, for pages call a function by this name. Rename it."
        )
    pages = report.pages()
    repository = str(report.shared().get("repo_url") or "").rstrip("/")
    statements = claims.read(report.claims, report.relative(report.claims), tuple(known))
    claim_pages, chapters = evidence.uses(report, report.languages[0], pages, "claim", "results")
    return Material(
        report=report,
        study=study,
        facts=known,
        judgements=claims.judge_all(statements, known),
        claim_pages=claim_pages,
        chapters=chapters,
        confirmations={run.key: record.read_confirmations(record.folder_of(run, report.results)) for run in records},
        declarations=declarations,
        pretrainings=pretraining.read_all(report.pretraining) if report.pretraining else {},
        features=features.read_all(report.pretraining) if report.pretraining else {},
        benches=bench.read_all(report.bench) if report.bench else (),
        pages=pages,
        repository=repository,
        within=(git(report.root, "rev-parse", "--show-prefix") or "") if repository else "",
    )
