"""A live preview: builds, serves, and reloads the browser when a page, a template or a record changes."""

from __future__ import annotations

import socket
from pathlib import Path

from mkdocs.livereload import LiveReloadServer
from rich.console import Console

from reportgen.build import THEME, build
from reportgen.edition import TEMPLATES
from reportgen.errors import ReportError
from reportgen.report import Report


def serve(report: Report, site: Path, host: str, port: int, console: Console) -> None:
    """Serve `site` until interrupted. A mistake in a page is printed, and the last good site stays.

    Raises:
        ReportError: the first build fails, or the port is taken.
    """

    def rebuild() -> None:
        try:
            build(report, site)
        except ReportError as problem:
            console.print(str(problem), style="red", markup=False, highlight=False, soft_wrap=True)

    try:
        socket.create_server((host, port)).close()
    except OSError as problem:
        raise ReportError(
            f"Port {port} of {host} cannot be used ({problem.strerror}); choose another with --port."
        ) from problem
    build(report, site)
    server = LiveReloadServer(builder=rebuild, host=host, port=port, root=str(site))
    scripts = (report.root / report.script).parent
    for watched in (
        report.docs,
        report.results,
        report.published,
        scripts,
        report.root / "mkdocs.yml",
        TEMPLATES,
        THEME,
    ):
        if watched.exists():
            server.watch(str(watched))
    console.print(f"The report is at [bold]http://{host}:{port}/[/]; Ctrl+C ends.")
    try:
        server.serve(open_in_browser=False)
    except KeyboardInterrupt:
        server.shutdown()
