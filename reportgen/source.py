"""The source of a page: its sections by heading, and what each says, shows and claims, with the lines.

A page is Markdown with Jinja. Jinja's own lexer takes the expressions and tags out and leaves one character in place of
each; a Markdown parser then tells prose from code, links and tables. Nothing is rendered.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, TemplateSyntaxError, nodes
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reportgen.errors import ReportError, advised
from reportgen.evidence import ClaimTags
from reportgen.report import CATALOGUE, WORD_LISTS, Report, read_text
from reportgen.verbatim import CODE, for_jinja, replaced

HOLE = "\ufffc"
"""Stands in prose for what is no prose: a fact, a piece of code."""
END = "¶"
"""Stands where a passage ends."""
TOP = "top"
"""The identifier of what stands above a page's first heading."""
Kind = Literal["expression", "claim", "tag", "image", "link", "table", "code"]


@dataclass(frozen=True)
class Item:
    """Something that a page must have in every language, beside its words."""

    kind: Kind
    key: str
    """What it is, written alike wherever it is the same."""
    line: int
    alone: bool = False
    """Whether it is a block of its own, such as a figure or a table, and not part of a sentence."""
    in_code: bool = field(default=False, compare=False)
    """Whether it stands in a block or a span of code, or in a link's target, and not in prose."""
    in_html: bool = field(default=False, compare=False)
    """Whether it stands in an element of HTML whose Markdown is read."""

    def __str__(self) -> str:
        match self.kind:
            case "expression":
                return f"{{{{ {self.key} }}}}"
            case "claim":
                return f"claim {self.key}"
            case "tag":
                return f"{{% {self.key} %}}"
            case _:
                return self.key


@dataclass(frozen=True)
class Passage:
    """The prose of one block: a paragraph, a heading, a cell, an alternative text."""

    text: str
    """`HOLE` stands for each fact and each piece of code; links' targets are gone."""
    lines: tuple[tuple[int, int], ...]
    """From which offset on the text stands on which line."""
    covered: tuple[tuple[int, int], ...] = ()
    """From where to where the text stands in a claim, or is marked as general."""

    def line(self, offset: int) -> int:
        """The line of the page on which the character at `offset` stands."""
        return self.lines[bisect_right(self.lines, (offset, 1 << 60)) - 1][1]

    def is_covered(self, offset: int) -> bool:
        """Whether the character at `offset` stands in a claim or in what is marked as general."""
        return any(start <= offset < end for start, end in self.covered)


@dataclass(frozen=True)
class Section:
    """A heading and what follows it, up to the next heading of any level."""

    level: int
    """1 to 6; 0 above the first heading."""
    identifier: str | None
    """The explicit one, as in `## Results { #results }`."""
    title: str
    line: int
    items: tuple[Item, ...]
    passages: tuple[Passage, ...]
    text: str
    """All words, those in code spans too, with single spaces between them."""
    said: str = ""
    """The words with what stands between them: facts, tags, where links lead, blocks of code, ends of passages."""
    code: tuple[tuple[str, int], ...] = ()
    """What stands as code within sentences, with its line."""

    @property
    def fingerprint(self) -> str:
        """Of all that is said and where: a fact in another cell or a claim over more words change it, spaces do not."""
        return _digest(self.said)


@dataclass(frozen=True)
class Source:
    """One page in one language."""

    file: str
    """From the root of the report."""
    sections: tuple[Section, ...]
    tree: nodes.Template = field(default_factory=lambda: nodes.Template([]), compare=False, repr=False)
    """What Jinja reads in it."""
    text: str = field(default="", compare=False, repr=False)
    """As it is written."""

    def section(self, identifier: str | None) -> Section | None:
        """The first section of that identifier."""
        return next((section for section in self.sections if section.identifier == identifier), None)


Sources = Mapping[str, Mapping[str, Source]]
"""By page, then by language."""


def read_all(report: Report, pages: Iterable[str]) -> dict[str, dict[str, Source]]:
    """Every page in every language.

    Raises:
        ReportError: a page's Jinja is broken.
    """
    return {page: {code: read(report, code, page) for code in report.languages} for page in pages}


def read(report: Report, code: str, page: str) -> Source:
    """One page in one language.

    Raises:
        ReportError: the page's Jinja is broken, with file and line.
    """
    file = report.docs / code / page
    shown = report.relative(file)
    text = read_text(file, shown)
    return Source(shown, *_parsed(text, shown), text)


def read_catalogues(report: Report) -> dict[str, Source]:
    """Every language's catalogue as if it were a page: a section for each entry that says something.

    Raises:
        ReportError: a catalogue is wrong.
    """
    return {code: _catalogue(report, code) for code in report.languages}


def _catalogue(report: Report, code: str) -> Source:
    said = report.catalogue(code).model_dump()
    root = report.catalogue_document(code)
    lines = {key.value: key.start_mark.line + 1 for key, _ in root.value} if root else {}
    sections = []
    for entry, line in lines.items():
        if entry not in WORD_LISTS:
            names = said[entry].items() if isinstance(said[entry], dict) else [(entry, said[entry])]
            text = "\n".join(f"{name}: {words}" for name, words in sorted(names))
            sections.append(Section(1, entry, entry, line, (), (), text, text))
    return Source(report.relative(report.docs / code / CATALOGUE), tuple(sections))


def claims(sources: Sources) -> dict[str, list[str]]:
    """The files and lines that make each claim, by its identifier."""
    said: dict[str, list[str]] = {}
    for versions in sources.values():
        for version in versions.values():
            for section in version.sections:
                for item in section.items:
                    if item.kind == "claim":
                        said.setdefault(item.key, []).append(f"{version.file}, line {item.line}")
    return said


def parse(text: str, shown: str = "the page") -> tuple[Section, ...]:
    """The sections of a page, from its text; `shown` names it where its Jinja is broken.

    Raises:
        ReportError: the Jinja is broken.
    """
    return _parsed(text, shown)[0]


def _parsed(text: str, shown: str) -> tuple[tuple[Section, ...], nodes.Template]:
    text = for_jinja(text)
    try:
        tree = _jinja().parse(text)
        front = FRONT_MATTER.match(text)
        masked, lines, marks = _mask(FRONT_MATTER.sub(lambda found: "\n" * found[0].count("\n"), text))
    except TemplateSyntaxError as problem:
        raise ReportError(f"{shown}, line {problem.lineno}: {advised(problem.message or '')}") from problem
    reader = _Reader(lines, marks)
    reader.front(front[0] if front else "")
    # CommonMark has no footnotes, and would read the first line of one as where a link leads.
    footnotes = rf"{CODE}|(?P<footnote>^ {{0,3}}\[\^[^\]\n]+\]:[ \t]*)"
    masked = replaced(footnotes, lambda found: "" if found["footnote"] else found[0], masked)
    reader.read(_markdown().parse(masked))
    return reader.sections, tree


@dataclass(frozen=True)
class _Mark:
    """An expression or a tag that Jinja found."""

    form: Literal["expression", "tag"]
    name: str
    key: str
    line: int


FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
"""What stands in front of a page for MkDocs."""
_FRONT_KEY = re.compile(r"(?:[\w-]+:(?=\s|$))?\s*(?:[|>][+-]?$)?")
"""What begins a line in front of a page and is no word of it."""
_PRIVATE = 0xF0000
"""The first of the characters that stand for marks: private use, so that no page has them."""
_MARK = re.compile("([\U000f0000-\U000ffffd])")
_ATTRIBUTES = re.compile(r"\s*\{(?::|\s*[#.])[^{}\n]*\}")
_IDENTIFIER = re.compile(r"\{:?[^{}]*#([^\s{}#]+(?:\s+[\w-]+(?=[\s}]))*)[^{}]*\}\s*$")
"""With the words behind it that are no attribute, and were meant to belong to it."""
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?)\s+[\w -]+")
COVERING = tuple(sorted(ClaimTags.tags))
"""The tags within which a comparison may stand."""


@cache
def _jinja() -> Environment:
    return Environment(keep_trailing_newline=True, extensions=[ClaimTags])


@cache
def _markdown() -> MarkdownIt:
    # No code by indentation: what is indented here belongs to a list, a definition or an admonition.
    return MarkdownIt("commonmark", {"html": True}).enable("table").disable(["code", "text_join"])


def _mask(text: str) -> tuple[str, list[int], list[_Mark]]:
    """The text with one private character for each expression and tag, the line of each of its lines, and the marks."""
    parts: list[str] = []
    lines, marks = [1], list[_Mark]()
    inside: list[tuple[str, str]] | None = None
    began, form = 1, "expression"
    for line, kind, value in _jinja().lexer.tokeniter(text, None):
        if kind == "data":
            parts.append(value)
            lines += [line + k for k in range(1, value.count("\n") + 1)]
        elif kind in ("variable_begin", "block_begin"):
            inside, began, form = [], line, "expression" if kind == "variable_begin" else "tag"
        elif kind in ("variable_end", "block_end"):
            assert inside is not None
            name = inside[0][1] if inside else ""
            body = inside[1:] if form == "tag" and name in COVERING else inside
            parts.append(chr(_PRIVATE + len(marks)))
            marks.append(_Mark("tag" if form == "tag" else "expression", name, _written(body), began))
            inside = None
        elif inside is not None and kind != "whitespace":
            inside.append((kind, value))
    return "".join(parts), lines, marks


def _written(tokens: Sequence[tuple[str, str]]) -> str:
    """An expression in one way of writing, whatever quotes and spaces it was written with."""
    text = ""
    before = ""
    for kind, value in tokens:
        if kind == "string":
            value = json.dumps(ast.literal_eval(value.replace("\n", "\\n")), ensure_ascii=False)
        words = before in _WORDS and kind in _WORDS
        spaced = kind == "operator" and value not in ".()[]{},=:|" and text
        text += f" {value} " if spaced else f"{value} " if value == "," else f" {value}" if words else value
        before = kind
    return text


_WORDS = {"name", "string", "integer", "float"}


@dataclass
class _Reader:
    """Walks the blocks of a page."""

    lines: Sequence[int]
    marks: Sequence[_Mark]
    open: list[_Mark] = field(default_factory=list)
    """Claims and general remarks that have begun and not ended."""
    elements: list[str] = field(default_factory=list)
    """Elements of HTML that have begun and not ended: those whose Markdown is read, and those of their names within."""
    _done: list[Section] = field(default_factory=list)
    _level: int = 0
    _identifier: str | None = TOP
    _title: str = ""
    _line: int = 1
    _items: list[Item] = field(default_factory=list)
    _passages: list[Passage] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _said: list[str] = field(default_factory=list)
    _code: list[tuple[str, int]] = field(default_factory=list)
    _front: list[tuple[str, int]] = field(default_factory=list)
    # The passage that is being read:
    _text: str = ""
    _starts: list[tuple[int, int]] = field(default_factory=list)
    _covered: list[tuple[int, int]] = field(default_factory=list)

    @property
    def sections(self) -> tuple[Section, ...]:
        """What was read; what stands above the first heading only if there is something."""
        return tuple(section for section in self._done if section.level or section.items or section.text)

    def front(self, matter: str) -> None:
        """What stands in front of a page for MkDocs, such as its title: readers and search engines see it."""
        for line, text in enumerate(matter.splitlines()[1:-1], 2):
            if value := _FRONT_KEY.sub("", text.strip(), count=1):
                self._front.append((value, line))

    def read(self, tokens: Sequence[Token]) -> None:
        block = 1
        for place, token in enumerate(tokens):
            if token.map:
                block = self._source_line(token.map[0])
            match token.type:
                case "heading_open":
                    self._end_section()
                    self._begin_with_front()
                    self._level, self._line = int(token.tag[1:]), block
                    content = tokens[place + 1].content
                    found = _IDENTIFIER.search(content)
                    self._identifier = found[1] if found else None
                case "inline":
                    heading = tokens[place - 1].type == "heading_open"
                    first = token.map[0] if token.map else 0
                    alone = not heading and bool(_MARK.fullmatch(token.content.strip()))
                    self._inline(token.children or [], token.content, first, alone)
                    if heading:
                        self._title = self._text.strip()
                    self._end_passage()
                case "fence" | "code_block":
                    kind = _MARK.sub("", token.info).strip() or "plain"
                    self._items.append(Item("code", f"a block of code ({kind})", block, True))
                    self._said.append(f" [{_digest(_MARK.sub(HOLE, token.content))}] ")
                    self._marks_in(token.info + token.content)
                case "html_block":
                    _Html(self, token.map[0] if token.map else 0).feed(token.content)
                    self._end_passage()
                case "table_open":
                    self._items.append(_table(tokens[place:], block))
        self._begin_with_front()
        self._end_section()

    def _begin_with_front(self) -> None:
        """Count what stands in front of the page to its first section."""
        for text, line in self._front:
            self._add(text, line)
            self._end_passage()
        self._front.clear()

    def inline(self, text: str, first: int) -> None:
        """Markdown within HTML."""
        for token in _markdown().parseInline(text):
            self._inline(token.children or [], text, first, False)

    def _inline(self, children: Sequence[Token], content: str, first: int, alone: bool) -> None:
        """The parts of a block whose text is `content` and begins on line `first` (from 0) of the masked page."""
        place = 0
        for child in children:
            written = child.markup if child.type in ("text_special", "code_inline") else child.content
            found = content.find(written, place)
            if found >= 0:
                place = found
            line = self._source_line(first + content.count("\n", 0, place))
            place += len(written)
            match child.type:
                case "text" | "text_special":
                    self.say(child.content, line, alone)
                case "softbreak" | "hardbreak":
                    self.say("\n", line)
                case "code_inline":
                    place = max(place, content.find(child.markup, place) + len(child.markup))
                    self.say(HOLE, line)
                    code = _MARK.sub(HOLE, child.content)
                    self._words.append(code)
                    self._said.append(code)
                    self._code.append((code, line))
                    self._marks_in(child.content)
                case "image":
                    self.picture(unquote(str(child.attrGet("src") or "")), line)
                    self.say(f" {child.content} {child.attrGet('title') or ''} ", line)
                case "link_open":
                    self.link(unquote(str(child.attrGet("href") or "")), line)
                    self.say(f" {child.attrGet('title')} " if child.attrGet("title") else "", line)
                case "html_inline":
                    _Html(self, first + content.count("\n", 0, max(0, place - len(written)))).feed(child.content)

    def link(self, target: str, line: int) -> None:
        """What leads elsewhere; an address on other sites may be another one in each language."""
        self._said.append(f" [{_MARK.sub('', target)}] ")
        if target and not urlsplit(target).scheme and not _MARK.search(target):
            self._items.append(Item("link", f"a link to {target}", line))
        self._marks_in(target)

    def picture(self, source: str, line: int) -> None:
        """A picture, which is the same one in every language."""
        self._items.append(Item("image", f"picture {_MARK.sub('', source)}", line, True))
        self._marks_in(source)

    def say(self, text: str, line: int, alone: bool = False) -> None:
        """Prose, perhaps with marks in it."""
        for part in _MARK.split(_ATTRIBUTES.sub("", text)):
            if _MARK.fullmatch(part):
                if self._mark(part, alone):
                    self._add(HOLE, line)
            elif part:
                self._add(part, line)

    def _add(self, text: str, line: int) -> None:
        if not self._starts or self._starts[-1][1] != line:
            self._starts.append((len(self._text), line))
        if self.open:
            self._covered.append((len(self._text), len(self._text) + len(text)))
        self._text += text
        self._words.append(text)
        self._said.append(text)

    def _marks_in(self, text: str) -> None:
        for found in _MARK.finditer(text):
            self._mark(found[0], False, in_code=True)

    def _mark(self, character: str, alone: bool, in_code: bool = False) -> bool:
        """Note an expression or a tag; whether it leaves something in the text."""
        mark = self.marks[ord(character) - _PRIVATE]
        self._said.append(f" [{mark.name} {mark.key}] ")
        if mark.form == "expression":
            self._items.append(Item("expression", mark.key, mark.line, alone, in_code, bool(self.elements)))
            return True
        if mark.name in COVERING:
            self.open.append(mark)
            if mark.name == "claim":
                self._items.append(Item("claim", mark.key.strip('"'), mark.line))
        elif mark.name.removeprefix("end") in COVERING:
            self.open.pop()
        elif not mark.name.startswith("end"):
            self._items.append(Item("tag", mark.key, mark.line, alone))
        return False

    def _end_passage(self) -> None:
        text = _ADMONITION.sub(lambda found: " " * len(found[0]), self._text) if self._text[:1] in "!?" else self._text
        if text.strip(f"{HOLE} \n"):
            self._passages.append(Passage(text, tuple(self._starts), tuple(self._covered)))
        self._words.append("\n")
        self.part()
        self._text, self._starts, self._covered = "", [], []

    def part(self) -> None:
        """What follows stands in another place than what came before, as in the next cell."""
        self._said.append(f" {END} ")

    def _end_section(self) -> None:
        self._done.append(
            Section(
                self._level,
                self._identifier,
                self._title,
                self._line,
                tuple(self._items),
                tuple(self._passages),
                _spaced("".join(self._words).replace(HOLE, "")),
                _spaced("".join(self._said)),
                tuple(self._code),
            )
        )
        self._items, self._passages, self._words, self._said, self._code = [], [], [], [], []
        self._title = ""

    def _source_line(self, line: int) -> int:
        """The page's line (from 1) of a line (from 0) of the masked text."""
        return self.lines[min(line, len(self.lines) - 1)]


class _Html(HTMLParser):
    """The prose in a block of HTML: its text, and what its attributes tell a reader."""

    SPOKEN = ("alt", "title", "aria-label", "summary")
    WITHIN_WORDS = ("a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "sub", "sup", "u")
    """Tags that do not part what stands before them from what follows."""

    def __init__(self, reader: _Reader, first: int) -> None:
        super().__init__()
        self._reader, self._first, self._silent = reader, first, False

    def feed(self, data: str) -> None:
        super().feed(data)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self._reader._source_line(self._first + self.getpos()[0] - 1)
        self._silent = tag in ("script", "style")
        if "markdown" in dict(attrs) or tag in self._reader.elements:
            self._reader.elements.append(tag)
        if tag not in self.WITHIN_WORDS:
            self._reader.say(" ", line)
            self._reader.part()
        for name, value in attrs:
            if name in self.SPOKEN:
                self._reader.say(f" {value or ''} ", line)
            elif name == "href":
                self._reader.link(value or "", line)
            elif name == "src":
                self._reader.picture(value or "", line)
            else:
                self._reader._marks_in(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        if tag in self._reader.elements:
            self._reader.elements.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._reader.inline(data, self._first + self.getpos()[0] - 1)


def _spaced(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _table(tokens: Sequence[Token], line: int) -> Item:
    """A table that is written out, by its size."""
    rows = columns = 0
    for token in tokens:
        if token.type == "table_close":
            break
        rows += token.type == "tr_open"
        columns += token.type == "th_open"
    return Item("table", f"a table of {rows} rows and {columns} columns", line, True)
