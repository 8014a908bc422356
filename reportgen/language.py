"""A language: how it writes numbers, durations and dates (Babel's data), and its words (a `.po` catalogue).

A message is its English sentence. `locale/<code>.po` translates it; adding a language is adding such a file.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from functools import cache, partial
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent
from babel.support import Translations

from reportgen.errors import ReportError

FOLDER = Path(__file__).parent / "locale"
FORMS = {"en": "en_GB"}
"""Whose lists and dates a language has: Babel takes English for American, and the messages are British."""
PRECISION = 400
"""More digits than any float has, as a percentage with decimals, too."""


def codes() -> tuple[str, ...]:
    """The languages that have a catalogue."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.po")))


def is_language(code: str) -> bool:
    """Whether a report can be in the language `code`, if there is a catalogue of it."""
    try:
        locale = Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    # Babel takes old and other names of a language, too, some of which are usual names of folders, such as `src`.
    return bool(locale.language == code.partition("-")[0].lower())


@cache
def language(code: str) -> Language:
    """The language called `code`, such as `es` or, for that of a region, `pt-BR`.

    Raises:
        ReportError: there is no catalogue of that name, or Babel knows no such language.
    """
    file = FOLDER / f"{code}.po"
    if not file.exists():
        raise ReportError(
            f"Unknown language {code!r}: there is no {file.name} in reportgen/locale, only {', '.join(codes())}."
        )
    try:
        locale = Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError) as problem:
        raise ReportError(
            f"Unknown language {code!r}: Babel has no number formats for it. Expected a code such as es or pt-BR."
        ) from problem
    compiled = io.BytesIO()
    with file.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=locale))
    compiled.seek(0)
    return Language(code=code, locale=locale, _translate=Translations(compiled).gettext)


def untranslated(code: str) -> list[str]:
    """What another language's catalogue translates and this one's does not; nothing of English, which messages are."""
    if code == "en":
        return []
    told = {}
    for other in codes():
        with (FOLDER / f"{other}.po").open("rb") as stream:
            told[other] = {str(message.id) for message in read_po(stream) if message.id and message.string}
    return sorted(set().union(*told.values()) - told[code])


def unlike(code: str) -> list[tuple[int, str]]:
    """Each translation that has other names in braces than its message: the line, and what is wrong."""
    with (FOLDER / f"{code}.po").open("rb") as stream:
        messages = [message for message in read_po(stream) if message.id and message.string]
    found = []
    for message in messages:
        expected, names = _placeholders(str(message.id)), _placeholders(str(message.string))
        if names != expected:
            what = "braces that do not pair" if names is None else _listed(names)
            told = f"the translation of {message.id!r} has {what}, expected {_listed(expected or set())}"
            found.append((message.lineno or 0, told))
    return found


def _placeholders(text: str) -> set[str] | None:
    """The names in braces; None if the braces do not pair."""
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return None


def _listed(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "no names in braces"


@dataclass(frozen=True)
class Language:
    """One language; every method returns text as that language writes it."""

    code: str
    locale: Locale
    _translate: Callable[[str], str]

    def gettext(self, message: str, **values: object) -> str:
        """`message` translated, with `{name}` replaced by the value of that name.

        Raises:
            ReportError: the translation names something else.
        """
        text = self._translate(message)
        try:
            return text.format(**values) if values else text
        except (LookupError, ValueError) as problem:
            raise ReportError(
                f"reportgen/locale/{self.code}.po: the translation of {message!r} is {text!r}, expected the names in "
                f"braces of the message, each within its own: {_listed({*values})}."
            ) from problem

    def number(self, value: float, digits: int) -> str:
        """A number with exactly `digits` decimals and a real minus sign: `0.840`, `0,840`."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return _signed(value, lambda amount: format_decimal(amount, pattern, locale=self.locale))

    def decimal(self, value: float) -> str:
        """A number with the decimals that it was given: `0.05`, `0,05`."""
        return self.number(value, _decimals(value))

    def count(self, value: int) -> str:
        """A whole number with its groups: `263,402`, `263.402`."""
        return self.number(value, 0)

    def briefly(self, value: float) -> str:
        """A round number in few letters: `500K`, `500 mil`."""
        return format_compact_decimal(value, locale=self.locale)

    def percent(self, fraction: float, digits: int = 2) -> str:
        """A fraction as a percentage: 0.6256 is `62.56%`, `62,56 %`."""
        pattern = self.locale.percent_formats[None].pattern.partition(";")[0]
        pattern = pattern.replace("#,##0", "#,##0" + ("." + "0" * digits if digits else ""))
        return _signed(fraction, lambda amount: format_percent(amount, pattern, locale=self.locale))

    def share(self, fraction: float) -> str:
        """A percentage with the decimals that it was given, none or two at least: `25%`, `12.50%`, `99.995%`."""
        decimals = _decimals(round(fraction * 100, 9))
        return self.percent(fraction, decimals and max(2, decimals))

    def points(self, difference: float, digits: int = 2) -> str:
        """A difference of two fractions in percentage points, signed unless it rounds to nothing: `+9.74 pp`."""
        difference = round(difference, digits + 2) or 0.0  # or: no minus before a zero
        sign = "+" if difference > 0 else ""
        unit = self.gettext("pp")
        return f"{sign}{self.number(difference * 100, digits)}\u00a0{unit}"

    def seconds(self, value: float, digits: int = 1) -> str:
        """A duration, finer the shorter it is: `47.4 s`, `1 min 23 s`, `2 h 5 min`; with `digits` below a minute."""
        return _signed(value, partial(self._duration, digits))

    def _duration(self, digits: int, value: float) -> str:
        if round(value, digits) < 60:
            return f"{self.number(value, digits)}\u00a0s"
        minutes, seconds = divmod(round(value), 60)
        if minutes < 60:
            return f"{minutes}\u00a0min {seconds}\u00a0s"
        hours, minutes = divmod(round(value / 60), 60)
        return f"{self.count(hours)}\u00a0h {minutes}\u00a0min"

    def enumeration(self, items: Sequence[str]) -> str:
        """Items as a sentence lists them: `0, 1 and 2`, `0, 1 y 2`."""
        return format_list(items, locale=FORMS.get(self.code, self.locale))

    def date(self, moment: datetime) -> str:
        """A day, in the language's long form: `1 March 2026`, `1 de marzo de 2026`."""
        return format_date(moment, "long", locale=FORMS.get(self.code, self.locale))

    def label(self, name: str) -> str:
        """The words for a setting's name, such as `batch_size`; the name with spaces if the catalogue has none."""
        words = name.replace("_", " ")
        return self.gettext(words[:1].upper() + words[1:])


def _decimals(value: float) -> int:
    """How many decimals it takes to write a number as it was given."""
    return max(0, -int(Decimal(repr(value)).normalize().as_tuple().exponent))


def _signed(value: float, write: Callable[[float], str]) -> str:
    """What `write` makes of an amount, behind a real minus sign where it is negative and does not round to nothing."""
    with localcontext(prec=PRECISION):  # decimal's own 28 digits are too few for a loss that has run away
        text = write(abs(value))
        return f"−{text}" if value < 0 and text != write(0.0) else text
