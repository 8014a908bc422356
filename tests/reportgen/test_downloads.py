"""What a reader takes along: results, records, and the report on paper where the site has it."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reportgen import record as records
from reportgen import report as reports
from reportgen.material import gather
from reportgen.render import Page, Renderer
from tests.synthetic import record


def page(root: Path, code: str = "en", *, printed: bool = False) -> Page:
    """A page with downloads, of a report with two runs and a variant's."""
    report = reports.load(root)
    for run in (record("first", 0, right=60), record("first", 1, right=50), record("first", 2, variant="tiny")):
        records.write(run, report.results)
    (root / "docs" / code / "further.md").write_text("# 2\n\n{{ downloads() }}\n", encoding="utf-8")
    return Renderer(replace(gather(report), printed=printed), code).page("further.md")


@pytest.mark.parametrize("code", ["en", "es"])
def test_the_results_are_a_table_and_a_list_of_the_same_numbers(small_report: Path, code: str) -> None:
    rendered = page(small_report, code)
    table, rows = rendered.assets["assets/results.csv"], rendered.assets["assets/results.json"]
    assert isinstance(table, str) and isinstance(rows, str)
    (line,), (row,) = csv.DictReader(io.StringIO(table)), json.loads(rows)
    assert row["published_test_accuracy"] == 0.6256
    assert row["reproduced_test_accuracy"] == 0.55
    assert row["published_train_accuracy"] is None
    assert row["seeds"] == 2
    assert line == {key: "" if value is None else str(value) for key, value in row.items()}


def test_every_record_and_both_files_are_linked_from_the_page(small_report: Path) -> None:
    rendered = page(small_report)
    links = re.findall(r'href="\.\./(assets/[^"]*)" download', rendered.markdown)
    assert links == ["assets/results.csv", "assets/results.json"] + [
        f"assets/records/first/{place}/record.json" for place in ("seed-0", "seed-1", "tiny/seed-2")
    ]
    assert "Records of 1 (variant tiny): <a" in rendered.markdown
    assert set(links) == set(rendered.assets)


def test_the_pdf_is_linked_only_where_the_site_will_have_it(small_report: Path) -> None:
    assert "report.pdf" not in page(small_report).markdown
    assert 'href="../assets/report.pdf"' in page(small_report, printed=True).markdown
