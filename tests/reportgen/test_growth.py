"""The cost of many records is measured on records and pages that are really made."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

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


def test_growth_is_told_of_the_last_two_points_and_without_what_is_drawn_once() -> None:
    points = [Point(10, 2, 1.0, 1.0, 5.0), Point(100, 20, 30.0, 30.0, 9.0), Point(1000, 200, 300.0, 300.0, 0.0)]
    assert growth.times(points) == pytest.approx(1)
    assert (points[0].seconds, points[0].from_nothing) == (2.0, 7.0)


def test_copies_of_a_run_differ_in_their_curves_and_mistakes_and_in_nothing_that_they_reached() -> None:
    run, counts = record(), tuple(tuple(range(k, k + 10)) for k in range(10))
    copies = [growth._copy(run.model_copy(update={"confusion": counts}), "copy_1", number) for number in (11, 12)]
    assert [(one.project, one.variant, one.seed) for one in copies] == [("copy_1", None, 1), ("copy_1", None, 2)]
    assert copies[0].history[0] != copies[1].history[0] and copies[0].history[1:] == run.history[1:]
    assert copies[0].confusion != copies[1].confusion
    for one in copies:
        assert [(row[k], sorted(row)) for k, row in enumerate(one.confusion)] == [
            (row[k], [*row]) for k, row in enumerate(counts)
        ]


def test_each_point_has_exactly_so_many_records_and_no_project_without_one(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = reports.load(small_report)
    records.write(record("first"), report.results)
    made: list[tuple[int, tuple[str, ...]]] = []

    def gathered(report: reports.Report) -> SimpleNamespace:
        made.append((len(records.read_all(report.results)), report.pages()))
        return SimpleNamespace(pages=report.pages())

    monkeypatch.setattr(growth, "gather", gathered)
    monkeypatch.setattr(growth, "render_all", lambda _: None)
    list(growth.measure(report, (1, 10, 11, 20)))
    one, two = ("copy_0.md",), ("copy_0.md", "copy_1.md")
    assert made == [(1, one), (10, one), (11, two), (20, two)]


@pytest.mark.parametrize(("drawn", "again", "drawing"), [(12.0, 15.0, 8.0), (3.0, 6.0, 0.0)])
def test_reading_is_told_from_rendering_and_that_from_drawing_which_happens_once(
    small_report: Path, monkeypatch: pytest.MonkeyPatch, drawn: float, again: float, drawing: float
) -> None:
    report = reports.load(small_report)
    records.write(record("first"), report.results)
    clock = iter((0.0, 1.0, drawn, again))
    monkeypatch.setattr("reportgen.growth.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr(growth, "gather", lambda _: SimpleNamespace(pages=("index.md",)))
    monkeypatch.setattr(growth, "render_all", lambda _: None)
    (point,) = growth.measure(report, (10,))
    assert (point.reading, point.rendering, point.drawing) == (1.0, 3.0, drawing)
