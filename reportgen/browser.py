"""A real browser on a built site: what prints the report, takes its pictures and measures it has this in common."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.errors import ReportError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""No request of the browser's own; no sandbox, which a container does not allow."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads an access log of this."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, but not that a browser left a page before it had all of it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which `folder` is served, for as long as the context lasts."""
    server = _Server(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refuse_without() -> None:
    """Nothing, where there is a browser; to be asked before a site is built that only a browser can finish.

    Raises:
        ReportError: as for `opened`.
    """
    with opened():
        pass


@contextmanager
def opened() -> Iterator[Browser]:
    """A headless Chromium: Playwright's own, which its version pins, if that is installed, else the one on the PATH.

    Raises:
        ReportError: there is no Playwright, or no Chromium or Chrome.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise ReportError(
            "This needs a browser and Playwright, which is not installed; requirements/browser.txt names it."
        ) from None
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)
        if path is None:
            raise ReportError(
                f"This needs a browser, and none of {', '.join(NAMES)} is on the PATH; install Chromium, or let "
                "`python -m playwright install chromium` do it."
            )
        browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()
