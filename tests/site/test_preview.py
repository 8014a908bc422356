"""The live preview: what is edited shows in the browser without a restart, and a mistake does not end it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from typer.testing import CliRunner

from reportgen import record
from reportgen.__main__ import app
from reportgen.measure import free_port
from tests import synthetic

pytestmark = pytest.mark.study

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30_000
"""Milliseconds in which a change must have reached the browser; it takes about three seconds."""


@pytest.fixture
def preview(small_report: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running preview of a small report, and its address."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "SITE_URL"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "reportgen", "serve", "--port", str(port)],
        cwd=small_report,
        env={**environment, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl+C, and this passes on; a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout
    said = ""
    while "Ctrl+C" not in said:
        line = process.stdout.readline()
        assert line, f"the preview ended: {said}"
        said += line
    yield process, f"http://127.0.0.1:{port}/"
    process.kill()
    process.communicate()


def edit(file: Path, before: str, after: str) -> None:
    """Change a text in a file."""
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def test_a_changed_page_or_number_shows_without_a_restart_and_a_mistake_leaves_the_last_good_site(
    small_report: Path, preview: tuple[subprocess.Popen[str], str], browser: Browser
) -> None:
    process, address = preview
    page = browser.new_page()
    page.goto(f"{address}en/")
    home = small_report / "docs" / "en" / "index.md"
    article = page.locator("article")
    expect(article).to_contain_text("62.56%")
    edit(home, "# A small report", "# A changed report")
    expect(article).to_contain_text("A changed report", timeout=PATIENCE)
    edit(small_report / "published.json", "0.6256", "0.7123")
    expect(article).to_contain_text("71.23%", timeout=PATIENCE)
    edit(home, "first.published.test", "frist.published.test")
    assert process.stdout
    for line in process.stdout:
        if "did you mean 'first'?" in line:
            break
    another = browser.new_page()
    another.goto(f"{address}en/")
    expect(another.locator("article")).to_contain_text("71.23%")
    another.close()
    edit(home, "frist.published.test", "first.published.test")
    edit(home, "A changed report", "A mended report")
    expect(article).to_contain_text("A mended report", timeout=PATIENCE)
    # The folder of the results was not there when the preview began.
    record.write(synthetic.record("first", right=99), small_report / "results")
    edit(home, "A mended report", "{{ first.reproduced.test.accuracy }}")
    expect(article.locator("h1")).to_contain_text("99.00%", timeout=PATIENCE)
    shutil.rmtree(small_report / "results")
    expect(article.locator("h1")).not_to_contain_text("99.00%", timeout=PATIENCE)
    record.write(synthetic.record("first", right=98), small_report / "results")
    expect(article.locator("h1")).to_contain_text("98.00%", timeout=PATIENCE)
    page.close()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert "Traceback" not in rest
    assert process.returncode == 0


def test_a_port_that_is_taken_is_named(small_report: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = str(held.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "reportgen", "serve", "--port", port],
            cwd=small_report,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_no_machine_has_is_refused() -> None:
    refused = CliRunner().invoke(app, ["serve", "--root", str(ROOT / "nowhere"), "--port", "70000"])
    assert refused.exit_code == 2 and "equal to 65535" in " ".join(refused.output.split())
