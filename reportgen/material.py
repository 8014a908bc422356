"""The material of a report: everything on disk that its pages may speak of, read and judged, before any is rendered."""

from __future__ import annotations

from jinja2.defaults import DEFAULT_NAMESPACE

from reportgen import claims, comparison, evidence, facts, features, pretraining, record
from reportgen.edition import Material
from reportgen.errors import ReportError
from reportgen.render import FUNCTIONS
from reportgen.report import Report


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
        benches=comparison.read_all(report.bench) if report.bench else (),
        pages=pages,
        repository=str(report.shared().get("repo_url") or "").rstrip("/"),
    )
