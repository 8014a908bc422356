"""Translations in step: which text of each section was last confirmed to say the same in every language.

One file keeps, for every section by page and identifier, the fingerprint of its words in each language; an entry of the
catalogues is a section, too, as `catalogue.yml#datasets`. Sections are confirmed together in all languages and one by
one: nothing confirms whatever there is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from reportgen.errors import ReportError, nearest, wrong_field
from reportgen.finding import Finding
from reportgen.language import language
from reportgen.record import write_atomically
from reportgen.report import CATALOGUE, Report, read_text
from reportgen.source import Section, Source, Sources, read_catalogues

FILE = "translations.json"
"""Beside the languages' folders."""


class Translations(BaseModel):
    """What was confirmed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    sections: dict[str, dict[str, str]] = {}
    """By section (`projects/05.md#results`), then by language: the fingerprint of the words."""


def read(report: Report) -> Translations:
    """What was confirmed in the languages of the report; nothing where there is no file.

    Raises:
        ReportError: as `_kept`.
    """
    # A language that the report gave up has no version that could be in step.
    return Translations(
        sections={
            name: {code: words for code, words in versions.items() if code in report.languages}
            for name, versions in _kept(report).items()
        }
    )


def _kept(report: Report) -> dict[str, dict[str, str]]:
    """What was confirmed, also in languages that the report has put aside.

    Raises:
        ReportError: the file is of another version or encoding, or is not what this program writes.
    """
    file = report.docs / FILE
    try:
        return Translations.model_validate_json(read_text(file, report.relative(file))).sections
    except FileNotFoundError:
        return {}
    except ValidationError as problem:
        wrong = wrong_field(problem, "the file")
        raise ReportError(f"{report.relative(file)}: {wrong}. Restore it with git.") from problem


def check(page: str, versions: Mapping[str, Source], confirmed: Translations) -> Iterator[Finding]:
    """The sections of one page whose words changed in one language and not in the others, or were never confirmed."""
    if len(versions) == 1:
        return  # there is nothing to be in step with
    for identifier, sections in _shared(versions).items():
        name = f"{page}#{identifier}"
        known = confirmed.sections.get(name, {})
        remedy = f"python -m reportgen confirm {_typed(name)}"
        fresh = [code for code in sections if code not in known] if known else []
        changed = [code for code, text in known.items() if code in sections and text != sections[code].fingerprint]
        code = next(iter(sections))
        for added in fresh:
            others = " and ".join(_language(other) for other in known)
            what = f"section {identifier} was never confirmed to say the same as the {others} text"
            yield Finding(versions[added].file, what, remedy, sections[added].line)
        if not known:
            others = " and ".join(f"its {_language(other)}" for other in sections if other != code)
            what = f"section {identifier} was never confirmed to say the same as {others} text"
            yield Finding(versions[code].file, what, remedy, sections[code].line)
        elif len(changed) == len(sections) - len(fresh):
            what = f"section {identifier} changed in every language since it was confirmed"
            yield Finding(versions[code].file, what, remedy, sections[code].line)
        elif changed:
            newer = " and ".join(map(_language, changed))
            for code, section in sections.items():
                if code not in changed and code not in fresh:
                    what = f"section {identifier} is older than its {newer} text"
                    yield Finding(versions[code].file, what, f"the same change here, then {remedy}", section.line)


def confirm(report: Report, sources: Sources, names: Sequence[str]) -> list[str]:
    """Keep today's words of the sections called `names` as saying the same in every language; tell their sizes.

    What was kept of sections that are gone, and of languages whose folder is, is dropped. A language that is put aside
    keeps what it has of other sections, and nothing of these.

    Raises:
        ReportError: a name is of no section that stands in every language; nothing is then kept.
    """
    known = {
        f"{page}#{identifier}": sections
        for page, versions in {**sources, CATALOGUE: read_catalogues(report)}.items()
        for identifier, sections in _shared(versions).items()
    }
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f" Did you mean {near}?" if near else ""
            raise ReportError(
                f"{name!r} is no section that stands in every language; "
                f"expected a page and an identifier, such as {next(iter(known), 'index.md#home')}.{hint}"
            )
    before = _kept(report)
    kept = {
        name: {code: words for code, words in before[name].items() if (report.docs / code).is_dir()}
        for name in known
        if name in before
    }
    kept |= {name: {code: section.fingerprint for code, section in known[name].items()} for name in names}
    _write(Translations(sections=kept), report.docs / FILE)
    return [
        f"{name}: " + ", ".join(f"{code} {len(section.text.split())} words" for code, section in known[name].items())
        for name in dict.fromkeys(names)
    ]


def _write(translations: Translations, file: Path) -> None:
    """One line a section, sorted, so that a change is a line in a diff."""
    lines = [
        f"    {json.dumps(name, ensure_ascii=False)}: {json.dumps(texts, sort_keys=True)}"
        for name, texts in sorted(translations.sections.items())
    ]
    body = "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"
    write_atomically(file, f'{{\n  "version": {translations.version},\n  "sections": {body}\n}}\n')


def _shared(versions: Mapping[str, Source]) -> dict[str, dict[str, Section]]:
    """The sections that have words and stand in every language, by identifier, then by language."""
    found = {}
    for section in next(iter(versions.values())).sections:
        same = {code: source.section(section.identifier) for code, source in versions.items()}
        every = {code: counterpart for code, counterpart in same.items() if counterpart}
        if section.identifier and len(every) == len(versions) and any(part.text for part in every.values()):
            found[section.identifier] = every
    return found


def _typed(name: str) -> str:
    """A name as a shell takes it for one word, on every system."""
    return name if re.fullmatch(r"[\w./#-]+", name) else f'"{name}"'


def _language(code: str) -> str:
    """A language's name in English, the language of this program's messages."""
    return language(code).locale.get_display_name("en") or code
