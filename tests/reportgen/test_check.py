"""A writer hears of every record that today's sources no longer stand for, and of what to do about it."""

from __future__ import annotations

from pathlib import Path

from reportgen import record as records
from reportgen import report as reports
from reportgen.build import gather
from reportgen.check import Finding, check
from reportgen.fingerprint import fingerprint
from tests.synthetic import confirmation, record

SCRIPT = "scripts/first.py"


def made(root: Path, *, ran: str, now: str | None, confirmed: str | None = None) -> list[Finding]:
    """What is found where a script said `ran` when it ran, was `confirmed` later and says `now`."""
    report = reports.load(root)
    run = record("first", script=SCRIPT, sources={SCRIPT: fingerprint(ran)})
    file = records.write(run, report.results)
    if confirmed is not None:
        records.confirm(confirmation(sources={SCRIPT: fingerprint(confirmed)}), file.parent)
    if now is not None:
        (root / "scripts").mkdir()
        (root / SCRIPT).write_text(now, encoding="utf-8")
    return check(gather(report))


def test_a_report_without_runs_has_nothing_to_mend(small_report: Path) -> None:
    assert check(gather(reports.load(small_report))) == []


def test_a_record_of_todays_code_has_nothing_to_mend(small_report: Path) -> None:
    assert made(small_report, ran="a = 1\n", now="# A comment changes nothing.\na = 1\n") == []


def test_a_changed_source_is_named_with_the_command_that_mends_it(small_report: Path) -> None:
    (found,) = made(small_report, ran="a = 1\n", now="a = 2\n")
    assert found.where == "first seed 0"
    assert "unconfirmed" in found.what and SCRIPT in found.what
    assert found.remedy.endswith("replay first")


def test_a_source_that_is_gone_is_a_changed_source(small_report: Path) -> None:
    (found,) = made(small_report, ran="a = 1\n", now=None)
    assert SCRIPT in found.what


def test_a_confirmation_of_todays_sources_settles_it(small_report: Path) -> None:
    assert made(small_report, ran="a = 1\n", now="a = 2\n", confirmed="a = 2\n") == []
