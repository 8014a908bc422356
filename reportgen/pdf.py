"""The report on paper: all pages of a language in one document with a cover and contents, printed by a real browser."""

from __future__ import annotations

import json
from pathlib import Path

from reportgen.browser import opened, served
from reportgen.build import build
from reportgen.downloads import PDF
from reportgen.edition import Edition, Material
from reportgen.material import gather
from reportgen.report import Report

SCRIPT = Path(__file__).parent / "templates" / "print.js"
FOOTER = (
    '<div style="width: 100%; font: 8px sans-serif; color: #555; text-align: center">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)


def build_printed(report: Report, site: Path) -> None:
    """Build the site with the report as a PDF in every language.

    Raises:
        ReportError: as for `build`, or there is no browser.
    """

    def finish(fresh: Path) -> None:
        for code in report.languages:
            print_report(report, code, fresh)

    with opened():
        pass  # without one, say so before the site is built
    build(report, site, finish)


def print_report(report: Report, code: str, site: Path) -> None:
    """Print all pages of one language of a built `site` into its PDF."""
    material = gather(report)
    with served(site) as address, opened() as browser:
        page = browser.new_page(color_scheme="light")
        page.goto(f"{address}{code}/", wait_until="networkidle")
        page.evaluate(SCRIPT.read_text(encoding="utf-8"), _words(material, code))
        page.emulate_media(media="print", color_scheme="light")
        page.wait_for_function("[...document.images].every((image) => image.complete)")
        page.pdf(
            path=str(site / code / PDF),
            format="A4",
            margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            print_background=True,
            outline=True,
            tagged=True,
        )


def _words(material: Material, code: str) -> str:
    """What the printing script writes that is on no page."""
    edition = Edition(material, code)
    runs = [run for known in material.facts.values() for run in known.records]
    words, last = edition.words, max((run.started for run in runs), default=None)
    recorded = (
        words.gettext("{n} recorded runs, the last of {date}", n=len(runs), date=words.date(last)) if last else ""
    )
    return json.dumps(
        {
            "title": edition.catalogue.site_name,
            "about": edition.catalogue.site_description,
            "contents": words.gettext("Contents"),
            "recorded": recorded,
        }
    )
