"""The report on paper: all pages of a language in one document with a cover and contents, printed by a real browser."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.browser import opened, refuse_without, served
from reportgen.build import address_of, build
from reportgen.downloads import PDF
from reportgen.edition import TEMPLATES, Edition
from reportgen.errors import ReportError
from reportgen.evidence import GLYPHS
from reportgen.material import Material
from reportgen.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pypdf import PdfReader

NUMBERED = """
numbers => document.querySelectorAll(".rg-page").forEach(room => (room.textContent = numbers[room.dataset.of]))
"""


def build_printed(report: Report, site: Path) -> None:
    """Build the site with the report as a PDF in every language.

    Raises:
        ReportError: as for `build`, or there is no browser, or nothing that reads a PDF.
    """

    def finish(fresh: Path, material: Material) -> None:
        with served(fresh) as address, opened() as browser:
            for code in report.languages:
                page = browser.new_page(color_scheme="light")
                _print(page, f"{address}{code}/", _words(material, code), fresh / code / PDF)
                page.close()

    refuse_without()
    _reader()
    build(report, site, finish)


def _print(page: Page, address: str, words: str, file: Path) -> None:
    """Print all pages of the language at `address` into `file`: once to learn where each begins, and once more with
    those numbers in the contents.
    """
    page.goto(address, wait_until="networkidle")
    page.emulate_media(media="print", color_scheme="light")
    page.evaluate((TEMPLATES / "print.js").read_text(encoding="utf-8"), words)
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    page.evaluate(NUMBERED, _beginnings(_paper(page)))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_paper(page))


def _paper(page: Page) -> bytes:
    """The open page as a PDF, as its own style has it: size, margins, numbers."""
    return page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


def _beginnings(paper: bytes) -> dict[str, int]:
    """The number of the page, from 1, on which each place that a link leads to stands, by its identifier."""
    reader = _reader()(io.BytesIO(paper))
    places = reader.named_destinations.items()
    return {name.removeprefix("/"): (reader.get_destination_page_number(place) or 0) + 1 for name, place in places}


def _reader() -> type[PdfReader]:
    try:
        from pypdf import PdfReader
    except ImportError:
        raise ReportError("This needs pypdf, which is not installed; requirements/browser.txt names it.") from None
    return PdfReader


def _words(material: Material, code: str) -> str:
    """What the printing script writes that is on no page, and how paper looks."""
    edition = Edition(material, code)
    runs = [run for known in material.facts.values() for run in known.every_record]
    words, last = edition.words, max((run.started for run in runs), default=None)
    recorded = (
        words.gettext("{n} recorded runs, the last of {date}", n=len(runs), date=words.date(last)) if last else ""
    )
    address = address_of(material.report.shared())
    return json.dumps(
        {
            "title": edition.catalogue.site_name,
            "about": edition.catalogue.site_description,
            "address": f"{address}/{code}/" if address else "",
            "contents": words.gettext("Contents"),
            "evidence": words.gettext(
                "Behind a sentence that compares stand two signs, for the study and for the runs: {holds} it holds, "
                "{contradicted} it is contradicted, {undecided} it is undecided. The evidence for it, the source of "
                "every number, and all files are on the site."
                if material.reproduces
                else "Behind a sentence that compares stands a sign: {holds} it holds, {contradicted} it is "
                "contradicted, {undecided} it is undecided. The evidence for it, the source of every number, and all "
                "files are on the site.",
                **GLYPHS,
            ),
            "recorded": recorded,
            "style": (TEMPLATES / "print.css").read_text(encoding="utf-8"),
        }
    )
