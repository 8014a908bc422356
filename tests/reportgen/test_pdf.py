"""The report on paper, printed by a real browser: a cover, contents that lead to numbered pages, every page once."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from reportgen import pdf
from reportgen import record as records
from reportgen import report as reports
from reportgen.browser import NAMES
from reportgen.errors import ReportError
from reportgen.material import gather
from tests.reportgen.test_render import alone
from tests.synthetic import record

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://reports.example/small"
HOME = """# Chart & <i>claim</i> { #home }

{% claim "above-half" %}More than half of it is right{% endclaim %}: {{ first.published.test.accuracy }},
and [the details](further.md#details) tell more; see also [the claim](#claim-above-half) and [a table](further.md).

{{ curves("first") }}
"""
FURTHER = """# Particulars { #further }

{{ downloads() }}

## Details { #details }

{{ provenance("first") }}
"""


def printing(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command that prints, run on a report."""
    return subprocess.run(
        [sys.executable, "-m", "reportgen", "pdf"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
    )


def links(paper: PdfReader) -> Iterator[tuple[int, str]]:
    """Every link, as the number of its page and where it leads: an address, or `#` and the name of a place."""
    for number, page in enumerate(paper.pages, 1):
        for reference in page.get("/Annots", ()):
            note = reference.get_object()
            yield number, str(note["/A"]["/URI"]) if "/A" in note else f"#{str(note['/Dest']).removeprefix('/')}"


def words(paper: PdfReader, number: int) -> str:
    """The text of a page, from 1, with single spaces."""
    return " ".join(paper.pages[number - 1].extract_text().split())


@pytest.mark.skipif(not any(map(shutil.which, NAMES)), reason="no Chromium or Chrome on the PATH")
def test_the_report_is_printed_whole_with_contents_numbers_and_links_that_lead_somewhere(small_report: Path) -> None:
    for code in ("en", "es"):
        (small_report / "docs" / code / "index.md").write_text(HOME, encoding="utf-8")
        (small_report / "docs" / code / "further.md").write_text(FURTHER, encoding="utf-8")
    (small_report / "docs" / "claims.yml").write_text(
        "above-half: {kind: above, metric: test.accuracy, of: first, value: 50 %, "
        "expect: {study: holds, reproduction: holds}}\n",
        encoding="utf-8",
    )
    for seed in (0, 1):
        records.write(record("first", seed), small_report / "results")
    records.write(record("first", 0, variant="ours"), small_report / "results")
    done = printing(small_report, SITE_URL=ADDRESS)
    assert done.returncode == 0, done.stderr

    site = small_report / "site"
    assert 'href="../assets/report.pdf"' in (site / "en" / "further" / "index.html").read_text(encoding="utf-8")
    spanish = PdfReader(site / "es" / "assets" / "report.pdf")
    assert "Un informe breve" in words(spanish, 1)
    assert "Índice" in words(spanish, 2)
    assert "62,56 %" in " ".join(words(spanish, number + 1) for number in range(len(spanish.pages)))

    paper = PdfReader(site / "en" / "assets" / "report.pdf")
    count = len(paper.pages)
    assert {tuple(round(side / 72 * 25.4) for side in page.mediabox[2:]) for page in paper.pages} == {(210, 297)}, "A4"
    cover, contents = words(paper, 1), words(paper, 2)
    assert "A small report" in cover
    assert "3 recorded runs" in cover
    assert f"/ {count}" not in cover
    for number in range(2, count + 1):
        assert f"{number} / {count}" in words(paper, number)

    begins = {name: paper.get_destination_page_number(place) for name, place in paper.named_destinations.items()}
    chapters = {"page-home": "Chart & claim", "page-further": "Particulars"}
    for name, title in chapters.items():
        at = (begins[name] if name in begins else begins[f"/{name}"]) or 0
        assert title in words(paper, at + 1)
        assert f"{title} {at + 1}" in contents
        assert (2, f"#{name}") in links(paper)
    assert [getattr(entry, "title", None) for entry in paper.outline if not isinstance(entry, list)] != []

    every = {target for _, target in links(paper)}
    places = {f"#{name.removeprefix('/')}" for name in paper.named_destinations}
    assert {target for target in every if target.startswith("#")} <= places
    assert "#page-further--details" in every
    files = {target for target in every if not target.startswith("#")}
    assert f"{ADDRESS}/en/assets/records/first/seed-0/record.json" in files
    assert all(target.startswith(f"{ADDRESS}/en/") for target in files), files

    text = " ".join(words(paper, number) for number in range(1, count + 1))
    assert re.search("More than half of it is right ?✓ ?✓", text)
    assert "Evidence and sources" not in text
    assert "The numbers as a table" not in text
    assert "Python 3.11.7" in text
    # The curves are drawn, not photographed: no page holds a picture but the cover.
    assert not [number for number in range(2, count + 1) if len(paper.pages[number - 1].images)]


def test_without_a_study_the_cover_speaks_of_one_sign_behind_a_claim(small_report: Path) -> None:
    def evidence() -> str:
        return str(json.loads(pdf._words(gather(reports.load(small_report)), "en"))["evidence"])

    assert "stand two signs, for the study and for the runs: ✓ it holds" in evidence()
    alone(small_report)
    assert "stands a sign: ✓ it holds" in evidence() and "study" not in evidence()


def test_without_a_browser_that_is_said_before_anything_is_built(small_report: Path) -> None:
    (empty := small_report / "empty").mkdir()
    done = printing(small_report, PATH=str(empty))
    assert done.returncode == 1
    assert "install Chromium" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (small_report / "site").exists()
    assert not (small_report / "build").exists()


def test_the_cover_tells_how_many_runs_there_are_variants_included_and_when_the_last_of_them_was(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def words() -> dict[str, str]:
        return dict(json.loads(pdf._words(gather(reports.load(small_report)), "en")))

    monkeypatch.setenv("SITE_URL", "")
    assert (words()["recorded"], words()["address"]) == ("", "")
    assert (words()["title"], words()["about"]) == ("A small report", "…")
    days = ((None, datetime(2026, 3, 1, tzinfo=UTC)), ("ours", datetime(2026, 3, 5, tzinfo=UTC)))
    for variant, day in days:
        records.write(record("first", variant=variant, started=day), small_report / "results")
    assert words()["recorded"].startswith("2 recorded runs, the last of") and "5" in words()["recorded"]
    monkeypatch.setenv("SITE_URL", "https://reports.example/small/")
    assert words()["address"] == "https://reports.example/small/en/"


def test_without_what_reads_a_pdf_nothing_is_built(small_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reportgen.pdf.refuse_without", lambda: None)
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(ReportError, match="needs pypdf"):
        pdf.build_printed(reports.load(small_report), small_report / "site")
    assert not (small_report / "build").exists()
