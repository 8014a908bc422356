"""The site that is served to a browser, and what a reader of the terminal hears of it."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from reportgen import pdf
from reportgen.browser import _Quiet, _Server, refuse_without, served
from reportgen.errors import ReportError


def test_a_folder_is_served_and_a_page_that_is_left_early_is_not_worth_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.html").write_bytes(b"words " * 5_000_000)
    with served(tmp_path) as address:
        with urlopen(address + "page.html") as whole:
            assert len(whole.read()) == 30_000_000
        with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)) as left:
            left.sendall(b"GET /page.html HTTP/1.0\r\n\r\n")
            assert left.recv(4) == b"HTTP"
            left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # drops what is under way
        for thread in threading.enumerate():
            if "process_request" in thread.name:
                thread.join()
    assert capfd.readouterr().err == ""


def test_what_is_served_to_a_browser_of_this_machine_is_served_to_nobody_else(tmp_path: Path) -> None:
    with served(tmp_path) as address:
        place = urlsplit(address)
        assert place.hostname == "127.0.0.1"
        # Another address of this same machine, where one that listens everywhere would answer.
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", place.port or 0), timeout=0.2).close()


@pytest.mark.parametrize(("problem", "told"), [(ValueError("odd"), True), (ConnectionResetError("left"), False)])
def test_what_goes_wrong_while_a_page_is_served_is_told_unless_its_reader_has_left(
    problem: Exception, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with _Server(("127.0.0.1", 0), _Quiet) as server:
        try:
            raise problem
        except (ValueError, ConnectionResetError):
            server.handle_error(None, ("127.0.0.1", 1))
    assert (str(problem) in capsys.readouterr().err) == told


def test_of_a_package_that_is_missing_the_file_that_names_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, needed in (("playwright.sync_api", refuse_without), ("pypdf", pdf._reader)):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ReportError, match=r"is not installed; requirements/browser\.txt names it\.$"):
            needed()
