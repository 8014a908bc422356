"""Pictures of pages, for a README: which page goes into which file is said in pyproject.toml."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from reportgen.browser import opened, served
from reportgen.report import Report

SIZE = {"width": 1280, "height": 800}


def screenshots(report: Report, site: Path) -> Iterator[Path]:
    """Take every picture that pyproject.toml names, of a built `site`, and say which file was written.

    Raises:
        ReportError: there is no browser.
    """
    with served(site) as address, opened() as browser:
        page = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")  # type: ignore[arg-type]
        for name, path in report.screenshots.items():
            page.goto(f"{address}{path}", wait_until="networkidle")
            file = report.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            # A page has few colours: with 256 of them its picture weighs half as much and looks the same.
            with Image.open(io.BytesIO(page.screenshot())) as picture:
                picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
            yield file
