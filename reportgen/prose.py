"""What prose must not say by itself: numbers that look measured, and words that compare.

A measured number is a name (`{{ project.published.test.accuracy }}`), a constant of the design is `{{ given(8192) }}`;
a comparison stands within `{% claim %}`, or within `{% general %}` if it says nothing of these results. Which words
compare is data of each language: `comparing` in its `catalogue.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import yaml
from babel import Locale
from babel.numbers import get_decimal_symbol
from babel.units import format_unit
from jinja2 import Environment, TemplateSyntaxError, nodes

from reportgen import document
from reportgen.finding import Finding
from reportgen.language import Language, language
from reportgen.report import CATALOGUE, WORD_LISTS, Catalogue, Report
from reportgen.source import Item, Passage, Source

YEARS = range(1800, 2200)
"""Four digits that are taken for a year."""
MEASURED_UNITS = ("second", "minute", "hour", "percent")
"""What a number is measured in, by the names that Babel's data (CLDR) give to units."""
MEASURED = "a fact, or {{ given(…) }} if nobody measured it"
"""What belongs in the place of a number that is typed."""

_UNSPACED = (
    r"\u0e00-\u0e4f\u0e80-\u0ecf\u1000-\u103f\u1780-\u17df\u3005-\u30ff\u31f0-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana and Chinese characters, which no spaces part."""
_LETTER = rf"[^\W{_UNSPACED}]"
"""What makes a longer word of the word that it touches."""
_NAMING = rf"[^\W{_UNSPACED}\uac00-\ud7a3\u05d0-\u05ea\u0620-\u065f\u0671-\u06d3]"
"""What makes a name of the number that it touches, such as 3D: no Korean, Hebrew or Arabic letters, either, which say
*to* or *and*.
"""
_NUMBER = re.compile(
    rf"(?<!{_NAMING})(?P<sign>[+−±-][ \u00a0\u202f]?)?"
    r"(?P<number>\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d.,٫٬]?\d)|\d+(?:[.,’'٫٬]\d+)*"
    rf"|(?<!{_NAMING})(?<![.)])\.\d{{2,}})"
)
_LITERAL = re.compile(r"[-+]?\d[\d._eE+-]*")
"""A number in an expression that is nothing else."""
_CONSTANT = re.compile(r"(?<![\w.])\d|\"")
"""How a number or a text begins in an expression."""
_WRITING = ("default", "d", "format")
"""Filters that show what they are called with."""
_SIZE_BEFORE = re.compile(r"\d[ \u00a0\u202f]*[×xX][ \u00a0\u202f]*$")
_SIZE_AFTER = re.compile(r"[ \u00a0\u202f]*[×xX][ \u00a0\u202f]*\d")
_TIMES = r"e[+−-]?\d+|[kM]|[ \u00a0\u202f]?[×x](?![ \u00a0\u202f]*\d)"
"""What multiplies a number, or says that it multiplies something: `1.2e-3`, `652K`, `2.3× the images`."""
_NAME_BEFORE = re.compile(r"\b[A-ZÀ-Þ][\w+-]*[ \u00a0\u202f]$")


def check_page(source: Source, code: str, catalogue: Catalogue) -> Iterator[Finding]:
    """Every loose number and every comparing word outside a claim on one page, in order."""
    for section in source.sections:
        for passage in section.passages:
            yield from _check(passage, source.file, code, catalogue)
        for text, line in section.code:
            # Elsewhere in code, a number is an option or a piece of a program.
            if text.endswith(("%", "٪", "％")) and [text] == [found for _, found in numbers(text, language(code))]:
                yield Finding(source.file, f"'{text}' looks measured, and it is typed by hand", MEASURED, line)
        for item in section.items:
            if item.kind == "expression" and not item.in_code and _LITERAL.fullmatch(item.key):
                yield Finding(source.file, f"{item} is typed by hand", MEASURED, item.line)
            elif item.kind in ("expression", "tag") and not item.in_code:
                for value in _typed(item, language(code), catalogue.units):
                    what = f"{value!r} in {item} is typed by hand"
                    yield Finding(source.file, what, MEASURED, item.line)


def _typed(item: Item, words: Language, units: tuple[str, ...]) -> Iterator[float | str]:
    """Numbers that look measured among what an expression shows or sets, and texts that are nothing else.

    A text with words is quoted from elsewhere, such as a title.
    """
    if not _CONSTANT.search(item.key) or (item.kind == "tag" and not re.match(r"set\b.*=", item.key)):
        return
    try:
        tree = _parsed(str(item))
    except TemplateSyntaxError:
        return  # the beginning of a block, whose text is read where it stands
    for value in _constants(tree):
        loose = [text for _, text in numbers(str(value), words, units)]
        rest = str(value)
        for text in loose:
            rest = rest.replace(text, "")
        if isinstance(value, float) or (loose and not re.search(r"[^\W\d]", rest)):
            yield value


@cache
def _parsed(text: str) -> nodes.Template:
    return Environment().parse(text)


def _constants(node: nodes.Node) -> Iterator[float | str]:
    """The constants that `node` may make a reader see: not those that a function is called with, or that are tested."""
    shown: list[nodes.Node] = []
    match node:
        case nodes.Const(value=int() | float() | str() as value) if not isinstance(value, bool):
            yield value
        case nodes.Template() | nodes.Output() | nodes.List() | nodes.Tuple() | nodes.Concat() | nodes.BinExpr():
            shown = [*node.iter_child_nodes()]
        case nodes.UnaryExpr(node=inner) | nodes.Assign(node=inner):
            shown = [inner]
        case nodes.CondExpr(expr1=first, expr2=second):
            shown = [first, second] if second else [first]
        case nodes.Filter(node=inner, name=name, args=arguments):
            shown = [*([inner] if inner else []), *(arguments if name in _WRITING else [])]
    for part in shown:
        yield from _constants(part)


def check_catalogue(report: Report, code: str, catalogue: Catalogue) -> Iterator[Finding]:
    """The same in the names that the catalogue gives, which are prose, too; and whether it knows what compares."""
    file = report.docs / code / CATALOGUE
    if not catalogue.comparing:
        what = "there are no words that compare, and without them no comparison of this language is found"
        yield Finding(report.relative(file), what, "comparing: […], as in another language's catalogue")
    root = report.catalogue_document(code)
    for node in document.nodes(root, leaving_out=WORD_LISTS) if root else ():
        if isinstance(node, yaml.ScalarNode):
            passage = Passage(node.value, ((0, node.start_mark.line + 1),))
            yield from _check(passage, report.relative(file), code, catalogue)


def _check(passage: Passage, file: str, code: str, catalogue: Catalogue) -> Iterator[Finding]:
    found = [
        *(
            (
                offset,
                f"'{text}' looks measured, and it is typed by hand",
                MEASURED,
            )
            for offset, text in numbers(passage.text, language(code), catalogue.units, catalogue.quantities)
        ),
        *(
            (
                offset,
                f"'{text}' compares, and it stands in no claim",
                '{% claim "…" %}, or {% general %} if it says nothing of these results',
            )
            for offset, text in comparisons(passage.text, catalogue.comparing)
            if not passage.is_covered(offset)
        ),
    ]
    for offset, what, remedy in sorted(found):
        yield Finding(file, what, remedy, passage.line(offset))


def numbers(
    text: str, words: Language, units: tuple[str, ...] = (), quantities: tuple[str, ...] = ()
) -> Iterator[tuple[int, str]]:
    """Every number in `text` that looks measured, with its offset."""
    unit = _units(words.locale, units)
    for found in _NUMBER.finditer(text):
        measure = unit.match(text, found.end())
        if not measure and re.match(_NAMING, text[found.end() : found.end() + 1]):
            continue  # part of a name, such as 3D
        shown = text[found.start() : measure.end() if measure else found.end()]
        if measure or (found["sign"] or "").startswith("±"):
            yield found.start(), shown
        elif found["number"].isdigit() and (
            _SIZE_BEFORE.search(text[: found.start()]) or _SIZE_AFTER.match(text, found.end())
        ):
            continue
        elif _looks_measured(found["number"], text[: found.start()], words, quantities):
            yield found.start(), shown


def _looks_measured(number: str, before: str, words: Language, quantities: tuple[str, ...]) -> bool:
    """Whether a number without a unit is more exact than what anybody counts or chooses."""
    whole, *rest = re.split(r"[.,’'٫٬ \u00a0\u202f]", number)
    if not rest:
        return len(whole) > 4 or (len(whole) == 4 and int(whole) not in YEARS)
    if len(rest) > 1:
        # Groups of thousands; else a version, or a date.
        return all(len(part) == 3 for part in rest) and len(whole) <= 3
    (decimals,) = rest
    if len(decimals) >= 3 or len(whole) != 1 or int(whole) == 0:
        return True
    # One digit before the mark and one or two behind it: `Python 3.11`, `notebook 6.3`, or a rounded loss.
    decimal = number[1] in (get_decimal_symbol(words.locale), "٫")
    if not decimal or len(decimals) != 2:
        return False
    named = list(_whole(quantities).finditer(before)) if quantities else []
    return bool(named and not before[named[-1].end() :].strip()) or not _NAME_BEFORE.search(before)


@cache
def _units(locale: Locale, more: tuple[str, ...]) -> re.Pattern[str]:
    """What may follow a number and makes it a measured one."""
    forms = {
        re.sub(r"[\d\s\u00a0]+", " ", format_unit(count, unit, length=length, locale=locale)).strip()
        for unit in MEASURED_UNITS
        for length in ("long", "short", "narrow")
        for count in (1, 2)
    }
    every = sorted({"%", "‰", "٪", "％", "s", "min", "h", *forms, *more}, key=lambda form: (-len(form), form))
    units = "|".join(map(_pattern, every))
    return re.compile(rf"(?:[ \u00a0\u202f-]?(?:{units})|{_TIMES})(?!{_NAMING})", re.IGNORECASE)


def comparisons(text: str, words: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Every comparing word in `text`, with its offset."""
    if words:
        for found in _whole(words).finditer(text):
            yield found.start(), found[0]


@cache
def _whole(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of `words`, whole and in any case."""
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(rf"(?<!{_LETTER})(?:{'|'.join(map(_pattern, longest_first))})(?!{_LETTER})", re.IGNORECASE)


def _pattern(words: str) -> str:
    """A word or several, as data write them: `*` stands for the rest of a word, a space for any space."""
    return r"\s+".join(re.escape(word).replace(r"\*", r"\w*") for word in words.split())
