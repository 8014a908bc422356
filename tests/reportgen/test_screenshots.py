"""The pictures of a README: each page that is named, in the file that is named for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from reportgen import report as reports
from reportgen.browser import NAMES
from reportgen.errors import ReportError
from reportgen.screenshots import SIZE, screenshots

ROOT = Path(__file__).resolve().parents[2]
BROWSER = pytest.mark.skipif(not any(map(shutil.which, NAMES)), reason="no Chromium or Chrome on the PATH")


@pytest.mark.parametrize(("path", "lacking"), [("en/gone/", "page"), ("en/#gone", "place on the page")])
def test_a_picture_of_what_the_site_does_not_have_is_refused(
    path: str, lacking: str, small_report: Path, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process can have one such browser only, and other tests of this one may have opened it.
    monkeypatch.setattr("reportgen.screenshots.opened", lambda: nullcontext(browser))
    site = tmp_path / "site"
    (site / "en").mkdir(parents=True)
    (site / "en" / "index.html").write_text("<!doctype html><h1 id='it is'>Here</h1>", encoding="utf-8")
    report = replace(reports.load(small_report), screenshots={"good.png": "en/#it%20is", "bad.png": path})
    with pytest.raises(ReportError, match=rf"'bad\.png' is to show '{path}', and the site has no such {lacking}\."):
        [*screenshots(report, site)]
    assert (small_report / "good.png").exists() and not (small_report / "bad.png").exists()


@BROWSER
def test_every_picture_that_is_named_is_taken_of_its_page(small_report: Path) -> None:
    with (small_report / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('[tool.reportgen.screenshots]\n"pictures/home.png" = "en/"\n"pictures/more.png" = "es/further/"\n')
    done = subprocess.run(
        [sys.executable, "-m", "reportgen", "screenshots"],
        cwd=small_report,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    pictures = [small_report / "pictures" / f"{name}.png" for name in ("home", "more")]
    for file in pictures:
        assert f"Taken: pictures/{file.name}" in done.stdout
        with Image.open(file) as picture:
            assert picture.size == (SIZE["width"], SIZE["height"])
            assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 10  # a page, not an empty tab
    assert pictures[0].read_bytes() != pictures[1].read_bytes()
