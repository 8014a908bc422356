"""Numbers, durations and words as each language writes them; no message falls back to English in silence."""

from __future__ import annotations

import ast
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import example, given
from hypothesis import strategies as st

import reportgen
from reportgen import bench, chapter, checklist, claims, evidence, facts, tools
from reportgen.errors import ReportError
from reportgen.language import FOLDER, codes, is_language, language, unlike, untranslated

PACKAGE = Path(reportgen.__file__).parent
SETTINGS = ("batch_size", "epochs", "optimizer", "learning_rate", "loss", "pixel_scaling", "precision")
PATIENCE = ("patience_val_loss", "patience_val_accuracy")
SOMETIMES = (
    *("rotation", "shift", "horizontal_flip", "fill_mode", "clipnorm", "image_size", "weights"),
    *("momentum", "schedule", "warmup", "weight_decay", "averaging", "label_smoothing"),
    *("translation", "cutout", "alternating_flip", "test_time_flips"),
)
"""Settings that only some projects have."""
STARTED = ("weights_sha256", "weights_expect", "weights_record", "weights_epochs", "weights_epochs_asked")
"""Settings of runs that start from weights of our own."""


def asked_for(source: str) -> set[str]:
    """Every message that a module gives to `gettext` as it stands, inside an f-string too (which Babel overlooks)."""
    return {
        part.value
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "gettext"
        for part in ast.walk(call.args[0])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def messages() -> set[str]:
    """Every message that the program's modules and templates ask for."""
    modules = set().union(*(asked_for(file.read_text(encoding="utf-8")) for file in PACKAGE.glob("*.py")))
    templates = {
        str(message)
        for _, _, message, _, _ in extract_from_dir(
            PACKAGE / "templates",
            method_map=[("**.jinja", "jinja2.ext:babel_extract")],
            options_map={"**.jinja": {"silent": "false"}},
            keywords={"_": None},
        )
    }
    labels = {name.replace("_", " ").capitalize() for name in (*SETTINGS, *PATIENCE, *SOMETIMES, *STARTED)}
    return (
        modules
        | templates
        | labels
        | {*evidence.MESSAGES.values(), *evidence.ONE.values(), *tools.BRIEFLY.values()}
        | {*chapter.QUESTIONS}
        | set(get_args(claims.Verdict))
        | set(get_args(bench.Unit))
        | set(get_args(checklist.Answer))
        | {word for metric in claims.METRICS.values() for word in (metric.label, *metric.units)}
        | {
            facts.NOT_PRINTED,
            facts.NOT_REPRODUCED,
            facts.NOT_STUDIED,
            facts.NOT_RUN,
            facts.ONE_RUN,
            facts.MACHINES,
            facts.NOT_RECORDED,
            facts.SIDE_BY_SIDE,
        }
        | {"up to date", "unconfirmed"}
    )


@pytest.mark.parametrize("code", [code for code in codes() if code != "en"])
def test_every_message_is_translated_with_the_same_placeholders(code: str) -> None:
    with (FOLDER / f"{code}.po").open("rb") as stream:
        catalogue = read_po(stream, locale=code)
    translated = {str(message.id): str(message.string) for message in catalogue if message.id and message.string}
    assert sorted(messages() - translated.keys()) == []
    assert sorted(translated.keys() - messages()) == [], "no longer used"
    for source, target in translated.items():
        assert sorted(re.findall(r"{\w+}", source)) == sorted(re.findall(r"{\w+}", target))


def test_spanish_and_english_write_numbers_their_own_way() -> None:
    english, spanish = language("en"), language("es")
    assert english.percent(0.6256) == "62.56%"
    assert spanish.percent(0.6256) == "62,56\u00a0%"
    assert (english.count(263402), spanish.count(263402)) == ("263,402", "263.402")
    assert (english.number(0.84, 3), spanish.number(0.84, 3)) == ("0.840", "0,840")
    assert (english.seconds(47.380263), spanish.seconds(47.380263)) == ("47.4\u00a0s", "47,4\u00a0s")
    assert english.seconds(1225.159844) == "20\u00a0min 25\u00a0s"
    assert spanish.seconds(7500) == "2\u00a0h 5\u00a0min"
    assert (english.points(0.0974), english.points(-0.2)) == ("+9.74\u00a0pp", "−20.00\u00a0pp")


@given(st.floats(0, 1))
def test_a_percentage_is_read_back_as_the_number_that_was_written(fraction: float) -> None:
    text = language("es").percent(fraction)
    assert float(text.replace("\u00a0%", "").replace(",", ".")) == pytest.approx(100 * fraction, abs=0.0051)


@pytest.mark.parametrize("difference", [0.0, -0.0, 0.00001, -0.00001])
def test_a_difference_that_rounds_to_nothing_has_no_sign(difference: float) -> None:
    words = language("en")
    assert words.points(difference) == "0.00\u00a0pp"
    assert (words.number(difference, 3), words.percent(difference)) == ("0.000", "0.00%")
    assert words.seconds(difference) == "0.0\u00a0s"


@given(st.floats(0.06, 1e6), st.sampled_from(["percent", "seconds", "points", "count"]))
def test_a_negative_value_is_written_as_the_positive_one_behind_a_minus_sign(value: float, kind: str) -> None:
    """A duration, too: −276 seconds are −4 min 36 s."""
    write = getattr(language("es"), kind)
    text = write(value).removeprefix("+")
    assert write(-value) == (f"−{text}" if re.search("[1-9]", text) else text)


@pytest.mark.parametrize(("value", "groups"), [(10**30, 10), (-1e29, 9), (1.5e300, 100), (1.7e308, 102)])
def test_a_number_of_more_digits_than_decimal_has_by_itself_is_written_too(value: float, groups: int) -> None:
    english = language("en")
    assert english.count(round(value)).count(",") == english.number(value, 3).count(",") == groups
    assert english.decimal(value).startswith("−" if value < 0 else "1")
    assert english.percent(value / 100, 4).endswith(".0000%")


def test_a_day_is_written_as_each_language_writes_it() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert language("en").date(moment) == "1 March 2026"
    assert language("es").date(moment) == "1 de marzo de 2026"


def test_a_list_is_written_as_each_language_writes_it() -> None:
    assert language("en").enumeration(["a", "b", "c"]) == "a, b and c"
    assert language("es").enumeration(["a", "b", "c"]) == "a, b y c"


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ReportError, match=r"Unknown language 'xx'.*en, es"):
        language("xx")


@pytest.mark.parametrize(
    ("code", "known"),
    [
        *((code, True) for code in ("es", "pt-BR", "pt-br", "zh-TW", "zh-Hant-TW", "sr-RS", "ast")),
        *((name, False) for name in ("src", "docs", "bin", "index.html", "thesis.tex", "", "en_US")),
    ],
)
def test_a_language_is_told_from_the_name_of_anything_else(code: str, known: bool) -> None:
    assert is_language(code) == known


def test_a_setting_without_words_is_shown_by_its_name() -> None:
    assert language("es").label("my_new_setting") == "My new setting"


def test_what_another_catalogue_translates_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in codes():
        shutil.copy(FOLDER / f"{code}.po", tmp_path)
    (tmp_path / "fr.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "Seeds"\nmsgstr "Graines"\n', encoding="utf-8")
    monkeypatch.setattr("reportgen.language.FOLDER", tmp_path)
    assert untranslated("en") == untranslated("es") == []
    assert "Seeds" not in untranslated("fr") and len(untranslated("fr")) > 100


@pytest.mark.parametrize(
    ("translation", "found"),
    [("{m} semillas", "{m}"), ("semillas", "no names in braces"), ("{n} semillas}", "braces that do not pair")],
)
def test_a_translation_with_other_names_in_braces_is_told_with_its_line_and_is_no_traceback(
    translation: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'msgid ""\nmsgstr ""\n\nmsgid "{{n}} seeds"\nmsgstr "{translation}"\n'
    (tmp_path / "nn.po").write_text(text, encoding="utf-8")
    monkeypatch.setattr("reportgen.language.FOLDER", tmp_path)
    assert unlike("nn") == [(4, f"the translation of '{{n}} seeds' has {found}, expected {{n}}")]
    if "{" in translation:
        complaint = re.escape(f"reportgen/locale/nn.po: the translation of '{{n}} seeds' is '{translation}'")
        with pytest.raises(ReportError, match=complaint):
            language("nn").gettext("{n} seeds", n=3)
    language.cache_clear()


@given(st.floats(0, 1e6))
@example(59.96)
@example(119.7)
@example(3599.7)
@example(7199.0)
def test_a_duration_never_shows_sixty_seconds(value: float) -> None:
    assert not re.search(r"\b60(\.0)?\u00a0(s|min)", language("en").seconds(value))


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [(0.25, "25%"), (0.125, "12.50%"), (0.99995, "99.995%"), (0.07, "7%"), (0.29, "29%"), (1, "100%")],
)
def test_a_share_has_the_decimals_that_it_was_given_none_or_two_at_least(fraction: float, shown: str) -> None:
    assert language("en").share(fraction) == shown


@pytest.mark.parametrize(("value", "shown"), [(2.0, "2"), (0.05, "0.05"), (1e-07, "0.0000001"), (1200.0, "1,200")])
def test_a_number_has_the_decimals_that_it_was_given(value: float, shown: str) -> None:
    assert language("en").decimal(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (60.0, "1 min 0 s"),
        (83.6, "1 min 24 s"),
        (3631.0, "1 h 1 min"),
        (3600.0, "1 h 0 min"),
        (3629.0, "1 h 0 min"),
        (3600 * 1234, "1,234 h 0 min"),
    ],
)
def test_durations_at_their_bounds(value: float, shown: str) -> None:
    assert language("en").seconds(value).replace("\u00a0", " ") == shown


def test_a_code_may_be_in_capitals_and_a_message_without_values_may_have_braces() -> None:
    assert is_language("PT-BR")
    assert language("en").gettext("as {it} stands") == "as {it} stands"


def test_a_translation_with_one_more_name_is_told_and_a_message_without_one_is_not_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'msgid ""\nmsgstr ""\n\nmsgid "{n} seeds"\nmsgstr "{n} {m} semillas"\n\nmsgid "Seed"\nmsgstr ""\n'
    (tmp_path / "nn.po").write_text(text, encoding="utf-8")
    (tmp_path / "es.po").write_text(
        text.replace('msgid "Seed"\nmsgstr ""', 'msgid "Seed"\nmsgstr "Semilla"'), encoding="utf-8"
    )
    monkeypatch.setattr("reportgen.language.FOLDER", tmp_path)
    assert [line for line, _ in unlike("nn")] == [4]
    assert untranslated("nn") == ["Seed"]
