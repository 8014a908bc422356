"""The cost of many records is measured on records and pages that are really made."""

from __future__ import annotations

from pathlib import Path

import pytest

from reportgen import growth
from reportgen import record as records
from reportgen import report as reports
from reportgen.errors import ReportError
from reportgen.growth import Point
from reportgen.material import Material, gather
from tests.synthetic import record


def test_every_point_has_its_records_and_pages_in_every_language(small_report: Path) -> None:
    report = reports.load(small_report)
    records.write(record("first"), report.results)
    points = list(growth.measure(report, (2, 11)))
    assert [(point.records, point.pages) for point in points] == [(2, 2), (11, 4)]
    assert all(point.reading > 0 and point.rendering > 0 and point.drawing > 0 for point in points)
    assert growth.curve(points).count("<svg") == 1


def test_a_run_that_departs_from_its_project_is_copied_as_one_that_does_not(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variant alone would be on no chart of its project's page."""
    report = reports.load(small_report)
    records.write(record("first", variant="batch-8"), report.results)
    copied: list[tuple[str, str | None, int]] = []

    def gathered(report: reports.Report) -> Material:
        copied.extend(run.key for run in records.read_all(report.results))
        return gather(report)

    monkeypatch.setattr(growth, "gather", gathered)
    list(growth.measure(report, (2,)))
    assert copied == [("copy_0", None, 0), ("copy_0", None, 1)]


def test_a_report_without_runs_has_nothing_to_copy(small_report: Path) -> None:
    with pytest.raises(ReportError, match="results: there is no recorded run to copy"):
        list(growth.measure(reports.load(small_report)))


def test_growth_is_one_where_a_record_costs_the_same_among_many() -> None:
    assert growth.times([Point(10, 2, 1.0, 1.0, 0.0), Point(100, 20, 10.0, 10.0, 9.0)]) == 1
    assert growth.times([Point(10, 2, 1.0, 1.0, 0.0), Point(100, 20, 20.0, 20.0, 9.0)]) == 2
