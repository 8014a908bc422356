"""A report that tells of nothing yet: what another one starts with, made of one that does.

What is left is what any report needs: the languages with the words for what compares, the settings of the site, and a
home page, which fills as projects come. Pages, claims, records, declarations and a study's figures go.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from reportgen import checkout, document, entries, source, translations
from reportgen.errors import ReportError
from reportgen.language import Language, language
from reportgen.navigation import SHARED
from reportgen.report import CATALOGUE, Report, read_text

HOME = "index.md"
WRITTEN = (f"{HOME}#home", f"{HOME}#ladder", f"{CATALOGUE}#site_name", f"{CATALOGUE}#site_description")
"""Sections that this program writes in every language, as its own catalogues have them."""
PICTURES = re.compile(r"^(\[tool\.reportgen\.screenshots\].*\n)(?:(?!\[).*(?:\n|\Z))*?(?=\[|\Z)", re.MULTILINE)
"""In pyproject.toml, what a README shows of pages that go; as far as the next table."""
KEPT = ".gitkeep"
"""Git keeps no folder without a file, and the report's settings name each of these."""
CLAIMS = """\
# What the prose claims of the numbers: one entry a claim, for all languages. Each is checked whenever the report is
# built.
#
# wider-is-better:
#   kind: better
#   metric: test.accuracy
#   of: wider
#   than: first
#   expect: {study: undecided, reproduction: holds}
"""


@dataclass(frozen=True)
class Content:
    """What a report tells with, all of which goes."""

    pages: tuple[Path, ...]
    claims: int
    folders: tuple[Path, ...]
    """Of records, declarations, pretrainings and benches."""
    files: int
    """In those folders."""


def content(report: Report) -> Content:
    """What would go from a report.

    Raises:
        ReportError: there is no git, the report is in no checkout, or something is not committed or is ignored: it
            could not be brought back; a part of it stands outside of its root; or the claims are no YAML.
    """
    checkout.refuse_outside(report.root, "so that nothing that goes could be brought back")
    checkout.refuse_uncommitted(report.root, ": what goes is brought back from what is committed")
    named = (report.results, report.declared, report.pretraining, report.bench)
    folders = tuple(folder for folder in named if folder and folder.is_dir())
    for place in (report.docs, report.published, report.claims, *folders):
        if not place.is_relative_to(report.root):
            raise ReportError(f"{place}: outside of {report.root}, and so not this report's alone.")
    for folder in folders:
        if lost := checkout.ignored(report.root, folder):
            raise ReportError(
                f"{lost[0]}: git ignores it, and could not bring it back once {report.relative(folder)} has gone. "
                "Move it elsewhere, or delete it."
            )
    pages = tuple(report.docs / code / page for code in report.languages for page in report.pages())
    claims = document.compose(_text(report, report.claims), report.relative(report.claims))
    files = sum(file.is_file() for folder in folders for file in folder.rglob("*"))
    return Content(pages, len(claims.value) if isinstance(claims, yaml.MappingNode) else 0, folders, files)


def clear(report: Report, told: Content) -> list[str]:
    """Take away what a report tells, and leave what another one starts with; name each file that was written.

    Raises:
        ReportError: mkdocs.yml, a catalogue or the file of what was confirmed is wrong. Nothing has gone then.
    """
    texts = _texts(report, told)
    translations.read(report)  # which `confirm` does in the end, when all else is done
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        entries.write(file, text)
    inside = [place for folder in told.folders for place in folder.rglob("*")]
    for file in {*told.pages, *(place for place in inside if place.is_symlink() or not place.is_dir())} - texts.keys():
        file.unlink()
    for top in (*told.folders, *(report.docs / code for code in report.languages)):
        for folder in sorted((place for place in top.rglob("*") if place.is_dir()), reverse=True):
            if not folder.is_symlink() and not any(folder.iterdir()):
                folder.rmdir()
    translations.confirm(report, source.read_all(report, report.pages()), WRITTEN)
    return [report.relative(file) for file in texts]


def _texts(report: Report, told: Content) -> dict[Path, str]:
    """What each file says of a report that tells of nothing.

    Raises:
        ReportError: mkdocs.yml or a catalogue is wrong, or written so that a program cannot replace a part of it.
    """
    texts: dict[Path, str] = {}
    for code in report.languages:
        report.catalogue(code)
        folder, words = report.docs / code, language(code)
        texts[folder / HOME] = _home(words)
        texts[folder / CATALOGUE] = _names(report, folder / CATALOGUE, words)
    if report.screenshots:
        settings = report.root / "pyproject.toml"
        texts[settings] = PICTURES.sub(r"\1\n", read_text(settings, settings.name))
    report.shared()
    texts[report.root / SHARED] = _replaced(_text(report, report.root / SHARED), "nav", f"nav:\n  - {HOME}", SHARED)
    texts[report.claims] = CLAIMS
    nothing = {"title": "", "author": "", "year": 0, "projects": []}
    texts[report.published] = json.dumps(nothing, indent=2) + "\n"
    for folder in told.folders:
        texts[folder / KEPT] = ""
    return texts


def _home(words: Language) -> str:
    return (
        f"# {_title(words)} {{ #home }}\n\n"
        f"<!-- {words.gettext('What was asked, what came out so far, and where is one to begin?')} -->\n\n"
        f"## {words.gettext('All projects')} {{ #ladder }}\n\n{{{{ ladder_chart() }}}}\n\n{{{{ ladder() }}}}\n"
    )


def _title(words: Language) -> str:
    return words.gettext("A report of experiments")


def _names(report: Report, file: Path, words: Language) -> str:
    """A catalogue without the names of what was told."""
    text = _text(report, file)
    described = words.gettext("Every number is bound to the run it comes from.")
    for name, entry in (
        ("site_name", f"site_name: {json.dumps(_title(words), ensure_ascii=False)}"),
        ("site_description", f"site_description: {json.dumps(described, ensure_ascii=False)}"),
        ("nav", "nav: {}"),
        ("projects", "projects: {}"),
        ("short", "short: {}"),
        ("mention", ""),
    ):
        text = _replaced(text, name, entry, report.relative(file))
    return text


def _replaced(text: str, name: str, entry: str, shown: str) -> str:
    """`text` with another entry of a name, as long as nothing else in it needs the one that goes, as an alias does."""
    text = entries.replaced(text, name, entry)
    document.compose(text, f"{shown} with nothing in {name}")
    return text


def _text(report: Report, file: Path) -> str:
    return read_text(file, report.relative(file)) if file.is_file() else ""
