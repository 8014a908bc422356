"""The chapter of a project that has none: its page in every language, its names, and its place in the navigation.

A beginning: the sections that show what records and declarations know, and a comment for the writer wherever words are
wanted. Catalogues and mkdocs.yml get a line each, and keep what else is in them, comments included.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

import yaml

from reportgen import document, entries
from reportgen.errors import ReportError, did_you_mean
from reportgen.language import Language, language
from reportgen.material import Material
from reportgen.navigation import SHARED
from reportgen.report import CATALOGUE, is_hidden, read_text

FOLDER = "projects"
"""Where chapters stand while there is none to stand beside."""
QUESTIONS = (
    "What is to be found out, and why is it open?",
    "Why this, and what was left as it was?",
    "What do the runs show? What compares belongs into a claim.",
    "What does it prove, and what not?",
)
"""What a new chapter asks its writer, in comments that no reader sees."""


def write(
    material: Material, project: str, page: str | None, since: str | None, titles: Mapping[str, str]
) -> list[str]:
    """Begin a chapter about `project`, and tell of each file, and the line in it, that was written.

    `page` is its place within a language's folder; None: beside the other chapters, under the project's name. `since`
    names the project that it is compared with, `titles` what it is called in a language: else its identifier.

    Raises:
        ReportError: the project is unknown, has a chapter, or would be compared with itself, the page exists or is no
            place for one, a title is of no language of the report, or a file is wrong or cannot be given a line by a
            program. Nothing is written then.
    """
    report = material.report
    for name in (project, since):
        if name is not None and name not in material.facts:
            raise ReportError(
                f"{name!r} has neither a run nor a declaration, nor figures of a study"
                f"{did_you_mean(name, material.facts)}. A new project is declared first, with "
                "`python -m experiments declare`."
            )
    if since == project:
        raise ReportError(f"{project} cannot be compared with itself; name the project that it departs from.")
    if told := material.chapters.get(project):
        raise ReportError(f"{report.relative(report.docs / report.languages[0] / told[0])} tells of {project} already.")
    if unknown := sorted(titles.keys() - {*report.languages}):
        raise ReportError(f"A title is given in {unknown[0]!r}, expected one of {', '.join(report.languages)}.")
    beside = [posixpath.dirname(place) for places in material.chapters.values() for place in places]
    place = page or posixpath.join(beside[-1] if beside else FOLDER, f"{project}.md")
    path = PurePosixPath(place)
    unseen = is_hidden(path) or path.name == "README.md"  # which MkDocs takes for its folder's index.md
    if path.suffix != ".md" or place != posixpath.normpath(place) or path.is_absolute() or unseen:
        raise ReportError(f"{place!r} is no page, expected a path such as {FOLDER}/{project}.md.")
    same = f"{path.parent}.md" if path.name == "index.md" else f"{path.with_suffix('')}/index.md"
    if same in material.pages:
        raise ReportError(f"{place!r} would have the address of {same}, and one of them would be lost; name another.")
    written: dict[Path, tuple[str, int | None]] = {}
    for code in report.languages:
        folder = report.docs / code
        if (folder / place).exists():
            raise ReportError(f"{report.relative(folder / place)} exists already; name another page.")
        written[folder / place] = (_text(project, since, language(code)), None)
        catalogue = folder / CATALOGUE
        report.catalogue(code)  # nothing can be added to one that is wrong
        text, shown = read_text(catalogue, report.relative(catalogue)), report.relative(catalogue)
        root = report.catalogue_document(code)
        if isinstance(root, yaml.MappingNode) and root.flow_style:
            raise ReportError(f"{shown}: expected one entry a line, which a program can add to.")
        line = None
        title = titles.get(code, project)
        # “Project 13: wider” is “Project 13” where there is little room.
        # The title last: a short name that came in above it would move the line that is told.
        for names, name in (("short", title.partition(":")[0].strip()), ("projects", title)):
            text, found = _named(text, shown, names, project, name)
            line = found or line
        if line:
            written[catalogue] = (text, line)
    if "nav" in report.shared():
        others = {other for places in material.chapters.values() for other in places}
        written[report.root / SHARED] = _listed(read_text(report.root / SHARED, SHARED), place, others)
    for file, (text, _) in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        entries.write(file, text)
    return [report.relative(file) + (f", line {line}" if line else "") for file, (_, line) in written.items()]


def unanswered(text: str, words: Language) -> Iterator[tuple[int, str]]:
    """Each question of a new chapter that still stands in a page, with its line."""
    asked = {_comment(words.gettext(question)): words.gettext(question) for question in QUESTIONS}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() in asked:
            yield number, asked[line.strip()]


def _text(project: str, since: str | None, words: Language) -> str:
    """A page whose prose is still to be written."""
    named = f'"{project}"'
    open_question, what_changed, what_is_shown, what_it_proves = (_comment(words.gettext(one)) for one in QUESTIONS)
    reached = words.gettext(
        "Recorded runs: {n}. Test accuracy: {accuracy}; cross-entropy: {cross_entropy}; training time: {seconds}.",
        n=_call(f"{project}.reproduced.test.accuracy.n"),
        accuracy=_call(f"{project}.reproduced.test.accuracy"),
        cross_entropy=_call(f"{project}.reproduced.test.cross_entropy"),
        seconds=_call(f"{project}.reproduced.seconds"),
    )
    parts = [
        f"# {_call(f'title({named})')} {{ #project }}",
        _heading(words.gettext("The question"), "question"),
        open_question,
    ]
    if since:
        parts += [
            _heading(words.gettext("What changed"), "changes"),
            _call(f'changes({named}, since="{since}")'),
            what_changed,
        ]
    parts += [
        _heading(words.gettext("The network"), "network"),
        _call(f"network({named})"),
        _call(f"layers({named})"),
        _heading(words.gettext("The settings"), "settings"),
        _call(f"training_settings({named})"),
        _heading(words.gettext("The script"), "script"),
        _call(f"code({named})"),
        _heading(words.gettext("What happened"), "results"),
        reached,
        _call(f"results({named})"),
        _call(f"curves({named})"),
        what_is_shown,
        _heading(words.gettext("What it means"), "meaning"),
        what_it_proves,
        _call(f"confusion({named})"),
        _call(f"mistakes({named})"),
        _heading(words.gettext("Provenance"), "provenance"),
        _call(f"provenance({named})"),
    ]
    return "\n\n".join(parts) + "\n"


def _heading(words: str, identifier: str) -> str:
    return f"## {words} {{ #{identifier} }}"


def _comment(words: str) -> str:
    return f"<!-- {words} -->"


def _call(expression: str) -> str:
    return f"{{{{ {expression} }}}}"


def _named(text: str, shown: str, names: str, project: str, title: str) -> tuple[str, int | None]:
    """A catalogue with a name for `project` behind the last of its `names`, and the line of that; None if it has one.

    Where a catalogue has no short names, they are left out, and the title serves for both.
    """
    node = entries.mapping(text).get(names)
    if not isinstance(node, yaml.MappingNode):
        return text, None
    entry = f"{project}: {json.dumps(title, ensure_ascii=False)}"
    if not node.value:  # {}, of a report that has no project yet
        before, behind = text[: node.start_mark.index].rstrip(), text[node.end_mark.index :]
        return f"{before}\n  {entry}{behind}", node.start_mark.line + 2
    if node.flow_style:
        raise ReportError(f"{shown}: expected {names} with one name a line, which a program can add to.")
    if project in {key.value for key, _ in node.value}:
        return text, None
    column = node.value[0][0].start_mark.column
    return entries.with_line(text, node.value[-1][1], " " * column + entry)


def _listed(text: str, place: str, chapters: Collection[str]) -> tuple[str, int | None]:
    """mkdocs.yml with `place` in the navigation: behind the last chapter of its folder, or page of it, or of all."""
    every = document.nodes(entries.mapping(text)["nav"])
    lists = [node for node in every if isinstance(node, yaml.SequenceNode) and not node.flow_style]
    if not lists:
        raise ReportError(f"{SHARED}: expected nav with one page a line, which a program can add to.")
    pages = [(item, node) for node in lists for item in node.value if isinstance(item, yaml.ScalarNode)]
    beside = [pair for pair in pages if posixpath.dirname(pair[0].value) == posixpath.dirname(place)]
    told = [pair for pair in beside if pair[0].value in chapters]
    item, node = max(told or beside or [(lists[0].value[-1], lists[0])], key=lambda pair: pair[0].start_mark.line)
    return entries.with_line(text, item, f"{' ' * node.start_mark.column}- {_as_text(place)}")


def _as_text(place: str) -> str:
    """A page as YAML takes it for that: in quotes where it would take it for a comment, a mapping or the like."""
    try:
        plain = yaml.safe_load(f"- {place}") == [place]
    except yaml.YAMLError:
        plain = False
    return place if plain else json.dumps(place, ensure_ascii=False)
