"""Pictures of pages, for a README: which page goes into which file is said in pyproject.toml."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image

from reportgen.browser import opened, served
from reportgen.errors import ReportError
from reportgen.report import Report

SIZE = {"width": 1280, "height": 800}


def screenshots(report: Report, site: Path) -> Iterator[Path]:
    """Take every picture that pyproject.toml names, of a built `site`, and say which file was written.

    Raises:
        ReportError: there is no browser, or no such page or place on it.
    """
    with served(site) as address, opened() as browser:
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type]
        for name, path in report.screenshots.items():
            answer = page.goto(f"{address}{path}", wait_until="networkidle")
            fragment = unquote(urlsplit(path).fragment)
            lacking = "page" if answer and not answer.ok else "place on the page"
            if lacking == "page" or (fragment and not page.evaluate("id => !!document.getElementById(id)", fragment)):
                raise ReportError(
                    f"pyproject.toml, [tool.reportgen.screenshots]: {name!r} is to show {path!r}, and the site has no "
                    f"such {lacking}. Name another, or take the entry out."
                )
            file = report.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            # A page has few colours: with 256 of them its picture weighs half as much and looks the same.
            with Image.open(io.BytesIO(page.screenshot())) as picture:
                picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
            yield file
