"""The whole report: pages to Markdown, Markdown to the sites of all languages.

What comes into a site is written here, but for what `hooks` and `pdf` add while it is built, and `serve` to a preview.

build/nox-s-docs/<language>/   finished Markdown; the folder is named after the command that makes it
build/mkdocs.<language>.yml    inherits mkdocs.yml and adds what belongs to the language
build/reportgen.lock           held by the command that writes these; another one waits for it
site/<language>/               what is read; site/index.html sends a reader to a language
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml
from filelock import FileLock, Timeout
from markupsafe import escape
from rich.console import Console

from reportgen import cards
from reportgen.checkout import git
from reportgen.errors import ReportError, place, refused, told
from reportgen.hooks import OVERRIDES
from reportgen.language import Language, is_language, language
from reportgen.material import Material, gather
from reportgen.render import Renderer
from reportgen.report import CATALOGUE, Catalogue, Report, visible

RENDERED = "build/nox-s-docs"
LOCK = "build/reportgen.lock"
PATIENCE = 120.0
"""Seconds to wait for another command: a build takes some ten, and one that prints the report, too, a minute or so."""
Outcome = TypeVar("Outcome")
SIGNS = ("index.html", ".nojekyll")
"""What stands at the top of every site."""
THEME = Path(__file__).parent / "theme"
HOOKS = Path(__file__).parent / "hooks.py"


def build(report: Report, site: Path, finish: Callable[[Path, Material], None] | None = None) -> None:
    """Render every page in every language and build the sites, all languages at once, into `site`.

    The last site stays until the new one is whole. `finish`, if given, adds to the new one before that, out of the same
    material; pages then link to the report as a PDF, which it has to make.

    Raises:
        ReportError: a page, a record, a configuration or SOURCE_DATE_EPOCH is wrong, MkDocs complains, `site` is no
            place for a site, or another command builds the same report for longer than this one waits.
    """
    _refuse_place(report, site)
    # Beside the site, on the same disk, so that one takes the place of the other in a moment.
    fresh, last = (site.with_name(f".{site.name}.{age}") for age in ("new", "last"))
    with alone(report):
        _tidy(site, fresh, last)
        material = replace(gather(report), printed=finish is not None)
        refuse_untrue(material)
        try:
            fresh.mkdir(parents=True)
            _make(report, material, fresh)
            if finish:
                finish(fresh, material)
            _take_place(fresh, site, last)
        finally:
            _tidy(site, fresh, last)


@contextmanager
def alone(report: Report) -> Iterator[None]:
    """Keep other commands from what every build of a report writes, until this ends; who holds it may ask once more.

    Whoever has to wait for another command is told so at once, on stderr.

    Raises:
        ReportError: another command has it, for longer than `PATIENCE`; or nothing can be written there.
    """
    file = report.root / LOCK
    try:
        file.parent.mkdir(exist_ok=True)
    except OSError as problem:
        raise ReportError(
            f"{report.relative(file.parent)}: expected a folder, or place for one, for what a build leaves "
            f"({problem.strerror}). Move what stands there elsewhere, or allow this command to write beside it."
        ) from problem
    lock = FileLock(file, is_singleton=True)
    try:
        try:
            held = lock.acquire(blocking=False)
        except Timeout:
            waits = f"Another command is at work on this report; waiting for it, at most {PATIENCE:.0f} s …"
            Console(stderr=True).print(f"[dim]{waits}[/]", highlight=False)
            held = lock.acquire(PATIENCE)
    except Timeout:
        raise ReportError(
            f"{LOCK}: another command is at work on this report, and {PATIENCE:.0f} s of waiting were not enough; "
            "wait until it is done, or end it, and try again."
        ) from None
    with held:
        yield


def _take_place(fresh: Path, site: Path, last: Path) -> None:
    """Put a whole new site where the last one is, which moves aside.

    Raises:
        ReportError: the disk does not let it.
    """
    try:
        if site.exists():
            site.rename(last)
        fresh.rename(site)
    except OSError as problem:
        raise ReportError(
            f"{site}: the new site cannot take its place ({problem.strerror}), and what stood there stays. "
            "See whether another program holds the folder, or name another."
        ) from problem


def _tidy(site: Path, fresh: Path, last: Path) -> None:
    """Leave nothing beside the site. A last one that moved aside for a new one that never came goes back."""
    if last.exists() and not site.exists():
        last.rename(site)
    for folder in (fresh, last):
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_place(report: Report, site: Path) -> None:
    """Stop where a site would take the place of something else: what stands there is deleted.

    Raises:
        ReportError: the report itself is there, or its pages for MkDocs, or files that are no part of a site, or no
            whole one.
    """
    rendered = report.root / RENDERED
    for kept in (report.root, report.docs, report.results, report.claims, report.published, rendered):
        if kept.is_relative_to(site) or (kept != report.root and site.is_relative_to(kept)):
            raise ReportError(f"{site}: the site cannot stand there, for {report.relative(kept)} does; name another.")
    if site.exists() and not site.is_dir():
        raise ReportError(f"{site}: expected a folder for the site, found a file.")
    names = {file.name for file in site.iterdir()} if site.is_dir() else set()
    if complaint := no_site(names):
        raise ReportError(
            f"{site}: the site would replace what stands there, and {complaint}. "
            "Name another folder, or empty this one."
        )


def no_site(names: Collection[str]) -> str:
    """Why what has these `names` at its top is more than a site, or less, in a clause; empty if it is one, or none."""
    others = sorted({*names} - {*SIGNS, "404.html", "sitemap.xml"})
    # A language of the last site may be none of this one's.
    if others := [name for name in others if not is_language(name)]:
        return f"{others[0]} is no part of a site"
    lacking = [name for name in SIGNS if names and name not in names]
    return f"without {' and '.join(lacking)} it is no site" if lacking else ""


def _make(report: Report, material: Material, fresh: Path) -> None:
    """Render and build everything into the empty folder `fresh`."""
    environment = {"SOURCE_DATE_EPOCH": _date(report.root), "NO_MKDOCS_2_WARNING": "true"}
    configured = {code: configure(report, code, fresh) for code in report.languages}
    said = _at_once(material, partial(_site, configured=configured, environment=environment))
    for code in report.languages:
        if said[code]:
            complaints = [line for line in said[code].splitlines() if line.strip() and not line.startswith("INFO")]
            lines = "\n".join(complaints).replace(f"{report.root}{os.sep}", "")
            source = report.relative(report.docs / code)
            if "Config value" in lines:
                where = "mkdocs.yml" + (
                    " or of SITE_URL, which stands for site_url" if os.environ.get("SITE_URL") else ""
                )
                raise ReportError(f"MkDocs refused the settings of {where}:\n{lines}")
            raise ReportError(f"MkDocs refused the pages in {RENDERED}/{code}, made from {source}:\n{lines}")
        if not (fresh / code / "index.html").is_file():
            home = report.relative(report.docs / code / "index.md")
            raise ReportError(f"{home}: there is no such page, and who chooses the language would find nothing there.")
    _write_root(report, fresh, address_of(report.shared()))


def refuse_untrue(material: Material) -> None:
    """Stop where a claim is not what its writer says of the study: the study's figures never change.

    Raises:
        ReportError: names every such claim with its line.
    """
    wrong = [
        f"line {judgement.claim.line}, claim {judgement.claim.identifier}: expected of the study: "
        f"{judgement.claim.expect.study}, found: {judgement.study.verdict}"
        for judgement in material.judgements.values()
        if judgement.study.verdict != judgement.claim.expect.study
    ]
    if wrong:
        file = material.report.relative(material.report.claims)
        raise ReportError(f"{file}: {'; '.join(wrong)}. Mend the claim and the prose that uses it.")


def render_all(material: Material) -> None:
    """Render every language, all at once.

    Raises:
        ReportError: a page names something unknown.
    """
    _at_once(material, render)


def _at_once(material: Material, work: Callable[[Material, str], Outcome]) -> dict[str, Outcome]:
    """Do something for every language, each in a process of its own; the outcomes by language.

    Raises:
        ReportError: a process was ended before it was done.
    """
    languages = material.report.languages
    # A process that runs threads, as the preview does, must not be forked: a lock may be held that nobody gives back.
    context = multiprocessing.get_context("spawn" if threading.active_count() > 1 else None)
    with ProcessPoolExecutor(min(len(languages), os.cpu_count() or 1), context, initializer=_begin) as pool:
        try:
            return dict(zip(languages, pool.map(partial(work, material), languages), strict=True))
        except SystemExit:  # somebody ends this process, and should not wait until the others are done
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        except BrokenProcessPool as problem:
            if problem.__cause__:  # an error that one process raised and this one could not read
                raise
            raise ReportError(
                "A process of the build was ended from outside; if nobody did that, memory ran out: end other programs "
                "that need much of it, and repeat the command."
            ) from None


def _begin() -> None:
    """Prepare a process for one language: Ctrl+C ends it without a word, for the command itself says what there is, and
    so does the end of the command, however that comes.

    It looks for garbage seldom: what was gathered lives as long as the process, and what charts leave behind is little.
    Collecting as often as Python does by itself takes a tenth of the time of a build from nothing.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows lacks one
        if number and callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _end_with_parent() -> None:
    """End this process with the one that began it: who is killed cannot say so, and nobody else holds the lock then."""
    parent = multiprocessing.parent_process()
    assert parent, "a process of a pool has one"
    parent.join()
    os._exit(1)


def _site(material: Material, code: str, configured: Mapping[str, Path], environment: Mapping[str, str]) -> str:
    """Render one language and let MkDocs build its site, here, where what both need is imported already.

    Returns what MkDocs said, if it refused the pages, or stumbled over them, the settings or the report's own hooks and
    templates.

    Raises:
        ReportError: a page is wrong, or the system refuses a file.
    """
    from mkdocs.__main__ import cli
    from mkdocs.exceptions import MkDocsException

    render(material, code)
    os.environ.update(environment)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            # Not --quiet: warnings that are not printed are not counted, and --strict then lets them pass.
            cli.main(["build", "--strict", "--config-file", str(configured[code])], "mkdocs", standalone_mode=False)
        except (MkDocsException, SystemExit) as problem:
            return f"{said.getvalue()}\n{problem}"
        except Exception as problem:
            if isinstance(problem, OSError) and (why := refused(problem)):
                raise ReportError(why) from problem
            # In the theme, settings and templates of the report's own may be wrong; in code, we are.
            if not place(problem, THEME.parent, THEME.parent).startswith((f"{Path(__file__).name},", f"{THEME.name}/")):
                raise
            return f"{said.getvalue()}\n{told(problem)}"
    return ""


def render(material: Material, code: str, only: Collection[str] | None = None) -> None:
    """Write one language's Markdown and what stands beside it; of `only` some pages, if they are named.

    A file that is as it should be is left alone, so that its date tells when it last changed.
    """
    report = material.report
    target = report.root / RENDERED / code
    renderer = Renderer(material, code)
    wanted: dict[str, Path | str | bytes] = {} if only is not None else dict(_beside(report.docs / code))
    for path in material.pages if only is None else only:
        page = renderer.page(path)
        wanted[path] = page.markdown
        wanted.update(page.assets)
        wanted[cards.place(path)] = cards.draw(renderer.edition, cards.title(page.markdown))
    if only is None:
        shipped = report.docs / "assets"
        wanted |= {
            f"assets/{file.relative_to(shipped).as_posix()}": file
            for file in sorted(shipped.rglob("*"))
            if file.is_file()
        }
        if target.is_dir():
            for file in target.rglob("*"):
                if file.is_file() and file.relative_to(target).as_posix() not in wanted:
                    file.unlink()
    for name, content in wanted.items():
        _place(target / name, content.read_bytes() if isinstance(content, Path) else content)


def _beside(folder: Path) -> Iterator[tuple[str, Path]]:
    """What stands beside the pages in a language's folder, such as a picture that one of them shows, by its path."""
    for path in visible(folder):
        if path.suffix != ".md" and path.as_posix() != CATALOGUE:
            yield path.as_posix(), folder / path


def _place(file: Path, content: str | bytes) -> None:
    """Write `content`, unless the file holds it already."""
    new = content.encode("utf-8") if isinstance(content, str) else content
    if file.is_file() and file.read_bytes() == new:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(new)


def configure(report: Report, code: str, site: Path) -> Path:
    """Write the MkDocs configuration of one language and return its file."""
    shared = report.shared()
    catalogues = {other: report.catalogue(other) for other in report.languages}
    words = catalogues[code]
    address = address_of(shared)
    spoken = language(code)
    # MkDocs takes a theme by its name alone, and Material one scheme of colours where there is no choice.
    chosen = shared.get("theme")
    own = own_templates(report, shared)
    named = chosen.get("name") if isinstance(chosen, dict) else chosen
    theme: dict[str, Any] = {"language": code, "custom_dir": str(THEME)}
    if named == "material":
        theme["language"] = _of_material(code, own)
    if isinstance(chosen, str):
        theme["name"] = chosen
    if own:
        theme[OVERRIDES] = str(own)
    if palette := chosen.get("palette") if isinstance(chosen, dict) else None:
        theme["palette"] = [_named(one, spoken) for one in palette] if isinstance(palette, list) else palette
    settings: dict[str, Any] = {
        "INHERIT": "../mkdocs.yml",
        "site_name": words.site_name,
        "site_description": words.site_description,
        "site_url": f"{address}/{code}/" if address else "",
        "docs_dir": str(report.root / RENDERED / code),
        "site_dir": str(site / code),
        "theme": theme,
        "markdown_extensions": {
            "toc": {"permalink_title": spoken.gettext("Link to this section")},
            "reportgen.spacing": {},
        },
        "hooks": [*map(str, own_hooks(report, shared)), str(HOOKS)],
        "nav": _translated(shared.get("nav", []), words, report.relative(report.docs / code / CATALOGUE)),
        "extra": {
            "alternate": [
                {"lang": other, "name": catalogue.name, "link": f"../{other}/"}
                for other, catalogue in catalogues.items()
            ],
            # `theme.language` may lack the region.
            "code": code,
            "root": f"{address}/" if address else "",
            # What a reader chose, such as dark colours, is chosen for every language.
            "scope": urlsplit(address).path + "/",
            "lost": spoken.gettext("This page does not exist."),
        },
    }
    file = report.root / "build" / f"mkdocs.{code}.yml"
    file.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


def _of_material(code: str, own: Path | None) -> str:
    """The language in which Material says its own few words: `code`, or the one that `code` is a region's kind of.

    Raises:
        ReportError: there are none, in its own templates or in those of the report.
    """
    places = [Path(str(files("material"))) / "templates", *filter(None, [own])]
    known = {file.stem for place in places for file in place.glob("partials/languages/*.html")}
    for name in (code, code.partition("-")[0]):
        if name in known:
            return name
    raise ReportError(
        f"Material for MkDocs has no words of its own in {code!r}, which the buttons and the search need, only in "
        f"{', '.join(sorted(known))}. Give them in partials/languages/{code}.html, in the folder that "
        "theme.custom_dir in mkdocs.yml names, or take the language out of [tool.reportgen] in pyproject.toml."
    )


def own_hooks(report: Report, shared: Mapping[str, Any]) -> list[Path]:
    """The files of the report's own hooks, which MkDocs calls before ours."""
    return [report.root / hook for hook in shared.get("hooks", [])]


def own_templates(report: Report, shared: Mapping[str, Any]) -> Path | None:
    """The folder of the report's own templates, which come before ours, if mkdocs.yml names one.

    Raises:
        ReportError: there is no such folder.
    """
    theme = shared.get("theme")
    name = theme.get("custom_dir") if isinstance(theme, dict) else None
    if name is None:
        return None
    if not (report.root / name).is_dir():
        raise ReportError(f"mkdocs.yml: theme.custom_dir is {name!r}, and there is no such folder.")
    return report.root / str(name)


def _named(scheme: Mapping[str, Any], words: Language) -> dict[str, Any]:
    """A scheme of colours whose switch, which leads to the other one, says in words what it does."""
    if "toggle" not in scheme:
        return dict(scheme)
    dark = scheme.get("scheme") == "slate"
    name = words.gettext("Switch to light colours") if dark else words.gettext("Switch to dark colours")
    return {**scheme, "toggle": {**scheme["toggle"], "name": name}}


def address_of(shared: Mapping[str, Any]) -> str:
    """Where the site will stand, without a slash at its end; empty while nobody has said."""
    return str(os.environ.get("SITE_URL") or shared.get("site_url") or "").rstrip("/")


def _translated(nav: list[Any], words: Catalogue, file: str) -> list[Any]:
    """The navigation with its sections named in a language, by its catalogue in `file`."""
    found = []
    for item in nav:
        if isinstance(item, dict):
            for key, inside in item.items():
                if key not in words.nav:
                    raise ReportError(f"{file}: nav lacks {key!r}, which the navigation in mkdocs.yml names.")
                # MkDocs says what is wrong with what is no list, either.
                found.append({words.nav[key]: _translated(inside, words, file) if isinstance(inside, list) else inside})
        else:
            found.append(item)
    return found


def _write_root(report: Report, site: Path, address: str) -> None:
    """What stands above the languages: the page that chooses one, the page for lost readers, the index of sitemaps."""
    catalogues = {code: report.catalogue(code) for code in report.languages}
    codes = ", ".join(f'"{code}"' for code in report.languages)
    choose = f"""<script>
const known = [{codes}];
const language = code => code.toLowerCase().split("-")[0];
const wanted = navigator.languages || [navigator.language];
const found = wanted.map(one =>
  known.find(code => code.toLowerCase() === one.toLowerCase()) || known.find(code => language(code) === language(one))
);
location.replace((found.find(Boolean) || known[0]) + "/" + location.hash);
</script>"""
    links = {code: f"{words.name}: {words.site_name}" for code, words in catalogues.items()}
    (site / "index.html").write_text(_plain_page(report, links, "", choose), encoding="utf-8")
    # A lost address may be at any depth, so that this page's links start at the site's own path.
    lost = {code: f"{language(code).gettext('This page does not exist.')} {words}" for code, words in links.items()}
    home = urlsplit(address).path + "/"
    (site / "404.html").write_text(_plain_page(report, lost, home), encoding="utf-8")
    if address:
        maps = "".join(
            f"<sitemap><loc>{escape(f'{address}/{code}/sitemap.xml')}</loc></sitemap>" for code in catalogues
        )
        (site / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{maps}</sitemapindex>\n',
            encoding="utf-8",
        )
    (site / ".nojekyll").touch()


def _plain_page(report: Report, links: Mapping[str, str], home: str, script: str = "") -> str:
    """A page without a theme: one link to each language, after `home`."""
    first = report.languages[0]
    words = report.catalogue(first)
    items = "\n".join(
        f'<li><a href="{escape(home)}{code}/" lang="{code}" hreflang="{code}">{escape(text)}</a></li>'
        for code, text in links.items()
    )
    return f"""<!doctype html>
<html lang="{first}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto; padding: 0 1rem }}
h1 {{ line-height: 1.2 }}
h1, li {{ text-wrap: balance }}
</style>
<title>{escape(words.site_name)}</title>
<meta name="description" content="{escape(words.site_description)}">
<link rel="icon" href="data:,">
{script}
</head>
<body>
<h1>{escape(words.site_name)}</h1>
<ul>
{items}
</ul>
</body>
</html>
"""


def _date(root: Path) -> str:
    """What a site is dated to, so that two builds of it are alike, in seconds since 1970: what SOURCE_DATE_EPOCH says,
    or else the last commit; 1980 outside a checkout.

    Raises:
        ReportError: SOURCE_DATE_EPOCH is no such number.
    """
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        if not re.fullmatch("[0-9]{1,10}", given) or int(given) >= 2**32:  # of which gzip keeps 32 bits
            raise ReportError(
                f"SOURCE_DATE_EPOCH is {given!r}, expected whole seconds since 1970, from 0 to {2**32 - 1}; "
                "correct this environment variable, or unset it."
            )
        return given
    # A user may have told git to print what it holds of signatures, which goes in front.
    return git(root, "log", "-1", "--no-show-signature", "--format=%ct") or "315532800"
