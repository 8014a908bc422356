"""`python -m reportgen`: every command of the report, from its first chapter to its publication."""

from __future__ import annotations

import os
import signal
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from reportgen import report as reports
from reportgen.errors import ReportError, refuse_empty, refused, speak_freely

# What a command needs beyond these it imports itself: a build waits for nothing that only `check` reads with.
app = typer.Typer(
    help="Turn recorded experiments and a narrative into a site in several languages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)


class Form(StrEnum):
    """How `compare` writes."""

    TEXT = "text"
    MARKDOWN = "markdown"


Root = Annotated[Path, typer.Option(help="The root of the report, where pyproject.toml is.")]
Results = Annotated[Path | None, typer.Option(help="Take these results instead of the recorded runs.")]
Site = Annotated[Path | None, typer.Option(help="Where the site goes.", show_default="site/ in the root")]


@app.command("build")
def build_site(root: Root = Path("."), results: Results = None, site: Site = None) -> None:
    """Render every page in every language and build the site; `serve` shows it."""
    from reportgen.build import build

    began = time.perf_counter()
    report = reports.load(root, results)
    target = (site or report.root / "site").resolve()
    console.print("[dim]Building the report …[/]")
    build(report, target)
    pages, codes = len(report.pages()), " and ".join(report.languages)
    console.print(
        f"[green]{pages} pages in {codes}[/] in {time.perf_counter() - began:.1f} s: "
        f"{escape(report.relative(target))}/",
        highlight=False,
    )


@app.command("pdf")
def build_with_pdf(root: Root = Path("."), results: Results = None, site: Site = None) -> None:
    """Build the site as `build` does, and print the whole report into a PDF in every language. Needs Chromium."""
    from reportgen.downloads import PDF
    from reportgen.pdf import build_printed

    report = reports.load(root, results)
    target = (site or report.root / "site").resolve()
    console.print("[dim]Building and printing the report …[/]")
    build_printed(report, target)
    for code in report.languages:
        console.print(f"[green]Printed:[/] {escape(report.relative(target / code / PDF))}", highlight=False)


@app.command("screenshots")
def take_screenshots(root: Root = Path(".")) -> None:
    """Build the site and take the pictures that pyproject.toml names. Needs Chromium."""
    from reportgen.browser import refuse_without
    from reportgen.build import alone, build
    from reportgen.screenshots import screenshots

    report = reports.load(root)
    refuse_without()
    target = report.root / "site"
    console.print("[dim]Building the report …[/]")
    with alone(report):
        build(report, target)
        for file in screenshots(report, target):
            console.print(f"[green]Taken:[/] {escape(report.relative(file))}", highlight=False)


@app.command("measure")
def measure_site(root: Root = Path(".")) -> None:
    """Measure the build and every page in a real browser. Exit status 1 if a limit is not kept. Needs Chromium."""
    from reportgen.measure import figures

    kept = True
    for figure in figures(reports.load(root)):
        kept = kept and figure.kept
        colour = "green" if figure.kept else "red"
        told = f": {figure.measured}; limit: {figure.limit}"
        console.print(f"[{colour}]{escape(figure.name)}[/]{escape(told)}", highlight=False)
    if not kept:
        raise typer.Exit(1)


@app.command("check")
def check_report(
    root: Root = Path("."),
    results: Results = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count, too.")] = False,
) -> None:
    """List what a writer should look at, by file and line.

    Pages whose versions differ or are not in step, names that are unknown, numbers typed by hand, comparisons outside a
    claim, claims that are not what is expected of them, means over different things, records whose sources changed.
    Exit status 1 if there is an error; with --strict, if there is anything.
    """
    from reportgen.check import check
    from reportgen.material import gather

    found = check(gather(reports.load(root, results)))
    for finding in found:
        colour = "red" if finding.severity == "error" else "yellow"
        console.print(f"[{colour}]{finding.severity}:[/]", end=" ")
        console.print(str(finding), highlight=False, markup=False, soft_wrap=True)
    wrong = sum(finding.severity == "error" for finding in found)
    if found:
        console.print(f"{wrong} errors, {len(found) - wrong} warnings.", highlight=False)
    else:
        console.print("[green]Nothing to mend.[/]")
    if wrong or (strict and found):
        raise typer.Exit(1)


@app.command("confirm")
def confirm_sections(
    sections: Annotated[
        list[str], typer.Argument(help="Sections by page and identifier, such as projects/05.md#results.")
    ],
    root: Root = Path("."),
) -> None:
    """Say of sections that you have read them in every language, and that they say the same.

    Each is named; nothing confirms all of them. A shell shortens several of one page:
    projects/05.md#{question,results}. Whoever changes one language later hears from `check` that the others are older.
    """
    from reportgen import source, translations

    report = reports.load(root)
    for line in translations.confirm(report, source.read_all(report, report.pages()), sections):
        console.print(f"[green]in step:[/] {escape(line)}", highlight=False)


@app.command("chapter")
def begin_chapter(
    project: Annotated[str, typer.Argument(help="A project that is declared, or has run.")],
    page: Annotated[
        str | None,
        typer.Argument(
            help="Its page within a language's folder.", show_default="beside the other chapters, by the project's name"
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help="The project that it is compared with.")] = None,
    title: Annotated[
        list[str] | None,
        typer.Option(
            help="What it is called in a language, such as en='Project 13: wider'; once for each.",
            show_default="its identifier",
        ),
    ] = None,
    root: Root = Path("."),
) -> None:
    """Begin the chapter of a project that has none: its pages, its names in the catalogues, its line in nav.

    The pages show what the records and the declarations know; comments in them ask for the words that are yours.
    """
    from reportgen.chapter import write
    from reportgen.material import gather

    titles = {}
    for given in title or []:
        code, equals, text = given.partition("=")
        if not equals:
            raise ReportError(f"A title is {given!r}, expected a language and what it is called there, as in en='…'.")
        titles[code] = text
    for place in write(gather(reports.load(root)), project, page, since, titles):
        console.print(f"[green]written:[/] {escape(place)}", highlight=False)
    console.print("`check` tells what is still to be read and confirmed; `serve` shows the pages.", highlight=False)


@app.command("starter")
def start_over(
    root: Root = Path("."),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before anything goes.")] = False,
) -> None:
    """Leave of this report what another one starts with: in a fork, the first thing to do.

    Pages, claims, records, declarations and the study's figures go; the languages with their lists of words, the
    settings and the look of the site stay, with a home page that fills as projects come. Git must have
    everything committed, so that it brings back whatever goes.
    """
    from reportgen.starter import clear, content

    report = reports.load(root)
    told = content(report)
    folders = ", ".join(report.relative(folder) for folder in told.folders) or "no folder"
    console.print(
        f"What will go: all pages ({len(told.pages)}) and claims ({told.claims}), the study's figures, and "
        f"{escape(folders)} (files: {told.files}).",
        highlight=False,
    )
    if not yes:
        typer.confirm("Go on?", abort=True)
    for place in clear(report, told):
        console.print(f"[green]written:[/] {escape(place)}", highlight=False)
    console.print(
        "What went is in git: `git restore .` brings it back. Next, declare a project and begin its `chapter`.",
        highlight=False,
    )


@app.command("compare")
def compare_results(
    before: Annotated[Path, typer.Argument(help="A folder of results.")],
    after: Annotated[Path, typer.Argument(help="Another one.")],
    root: Root = Path("."),
    form: Annotated[Form, typer.Option("--format", help="For a terminal, or for a pull request.")] = Form.TEXT,
) -> None:
    """Tell which numbers move and which claims change their verdict from one set of results to another.

    Exit status 1 if a claim changes its verdict; numbers may move.
    """
    from reportgen.changes import between
    from reportgen.material import gather

    found = between(gather(reports.load(root, before)), gather(reports.load(root, after)))
    if form is Form.MARKDOWN:
        typer.echo(found.markdown(), nl=False)
    else:
        console.print(found.text())
    if found.turns:
        raise typer.Exit(1)


@app.command("serve")
def serve_site(
    root: Root = Path("."),
    results: Results = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8000,
) -> None:
    """Show the report in a browser and reload it whenever a page, a template or a record changes."""
    from reportgen.serve import serve

    report = reports.load(root, results)
    serve(report, report.root / "build" / "preview", host, port, console)


@app.command("bench")
def bench_records(
    root: Root = Path("."),
    figure: Annotated[Path | None, typer.Option(help="Draw the curve into this SVG.")] = None,
) -> None:
    """Measure what 10, 100 and 1,000 records cost, read and rendered in every language.

    Exit status 1 if the largest number takes more than a minute from scratch, or if the cost grows faster than the
    number of records.
    """
    from reportgen import growth, record

    if figure:  # before minutes of measuring
        if figure.is_dir():
            raise ReportError(f"{figure}: expected a file to write to, found a folder.")
        record.check_writable(figure.resolve().parent)
    points = []
    for point in growth.measure(reports.load(root)):
        points.append(point)
        console.print(
            f"{point.records:>5} records, {point.pages} pages: {point.from_nothing:.1f} s from scratch "
            f"({point.reading:.1f} s to read, {point.rendering:.1f} s to render, {point.drawing:.1f} s to draw, once)",
            highlight=False,
        )
    if figure:
        figure.write_text(growth.curve(points), encoding="utf-8")
    grown = growth.times(points)
    kept = points[-1].from_nothing <= growth.LIMIT_SECONDS and grown <= growth.LIMIT_GROWTH
    console.print(
        f"[{'green' if kept else 'red'}]A record among {points[-1].records} costs {grown:.2f} times one among "
        f"{points[-2].records}, charts apart[/]; limits: {growth.LIMIT_SECONDS:.0f} s from scratch, "
        f"{growth.LIMIT_GROWTH} times.",
        highlight=False,
    )
    if not kept:
        raise typer.Exit(1)


@app.command("publish")
def publish_site(
    root: Root = Path("."),
    remote: Annotated[str, typer.Option(help="The git remote to push to.")] = "origin",
    branch: Annotated[str, typer.Option(help="The branch that GitHub Pages serves.")] = "gh-pages",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Build and check, but push nothing.")] = False,
) -> None:
    """Check, build and push the site. What `check` calls an error is not published.

    The address that the site will have is SITE_URL, if set, or site_url of mkdocs.yml; else the domain that the branch
    has of its own, or GitHub's.
    """
    from reportgen.build import address_of, alone, build
    from reportgen.check import check
    from reportgen.material import gather
    from reportgen.publish import prepare, publish

    report = reports.load(root)
    served = prepare(report.root, remote, branch)
    address = address_of(report.shared()) or served
    if address:
        os.environ["SITE_URL"] = address
    wrong = [finding for finding in check(gather(report)) if finding.severity == "error"]
    if wrong:
        raise ReportError(
            f"`reportgen check` finds errors ({len(wrong)}), and nothing was published. First: {wrong[0]}"
        )
    target = report.root / "site"
    where = f" for {escape(address)}" if address else ""
    console.print(f"[dim]Building the report{where} …[/]", highlight=False)
    with alone(report):  # until it is pushed: what another command builds is not what was checked
        build(report, target)
        outcome = publish(target, report.root, remote, branch, dry_run=dry_run)
    said = {
        "published": f"Published to {remote} ({branch}).",
        "nothing new": f"Nothing new: {remote} ({branch}) has this site already.",
        "dry run": f"Everything is ready for {remote} ({branch}); nothing was pushed.",
    }
    console.print(f"[green]{escape(said[outcome])}[/]" + (f" {escape(address)}" if address else ""), highlight=False)


def main() -> None:
    """Run the command line; a user's mistake is a sentence and exit status 1."""
    speak_freely()
    _end_when_asked()
    try:
        refuse_empty(sys.argv[1:])
        app()
    except ReportError as problem:
        _fail(str(problem))
    except OSError as problem:
        if (why := refused(problem)) is None:
            raise
        _fail(why)


def _end_when_asked() -> None:
    """Let SIGTERM and SIGHUP end this process by `SystemExit`, so that nothing half-made is left."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows lacks one
        if number and signal.getsignal(number) is signal.SIG_DFL:  # behind `nohup`, one is ignored
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def _fail(why: str) -> NoReturn:
    errors.print("[red]error:[/]", end=" ")
    errors.print(why, highlight=False, markup=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
