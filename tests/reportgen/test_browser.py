"""The site that is served to a browser, and what a reader of the terminal hears of it."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from reportgen.browser import served


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
