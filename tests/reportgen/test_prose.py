"""What looks measured is not typed, and what compares stands in a claim: in any language, by its own data."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from reportgen import prose
from reportgen import report as reports
from reportgen.language import Language, codes, language
from reportgen.prose import comparisons, numbers
from reportgen.report import Catalogue
from reportgen.source import Source, parse

ROOT = Path(__file__).resolve().parents[2]
REPORT = reports.load(ROOT)


def catalogue_of(code: str) -> Catalogue:
    """The words of this report in a language, without which the test is skipped."""
    if code not in REPORT.languages:
        pytest.skip(f"this report has no {code}")
    return REPORT.catalogue(code)


def loose(text: str, code: str) -> list[str]:
    catalogue = catalogue_of(code)
    return [found for _, found in numbers(text, language(code), catalogue.units, catalogue.quantities)]


def compared(text: str, code: str) -> list[str]:
    return [found for _, found in comparisons(text, catalogue_of(code).comparing)]


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("zh", "这个网络的准确率更高。准确率达到61.23%。训练了12345张图片。损失为0.5123。耗时83秒。",
         ["61.23%", "12345", "0.5123", "83秒"]),
        ("zh", "共10类，32×32像素，2023年，3D和ResNet50网络，达到62％。", ["62％"]),
        ("ja", "精度は61.23%です。12345枚の画像。", ["61.23%", "12345"]),
        ("th", "ความแม่นยำ61.23%และ12345ภาพ", ["61.23%", "12345"]),
        ("ko", "정확도는 62.56%로, 손실은 0.5123을, 10개.", ["62.56%", "0.5123"]),
        ("ar", "الدقة ٦٢٫٥٦٪ والخسارة ١٫٠٧ و٠٫٥ وعدد ١٢٬٣٤٥ من ١٠", ["٦٢٫٥٦٪", "١٫٠٧", "٠٫٥", "١٢٬٣٤٥"]),
    ],
)  # fmt: skip
def test_a_number_looks_measured_in_languages_without_spaces_and_in_other_digits(
    code: str, text: str, found: list[str]
) -> None:
    # A language of which the generator has no words yet.
    words = Language(code, Locale.parse(code), str)
    assert [number for _, number in numbers(text, words)] == found


def test_a_word_compares_amid_a_sentence_without_spaces_and_within_no_word_of_letters() -> None:
    assert [*comparisons("这个网络的准确率更高。", ("更高",))] == [(8, "更高")]
    assert [*comparisons("แม่นยำกว่าเดิม", ("กว่า",))]
    assert not [*comparisons("unbetter bettering", ("better",))]


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("en", "It reaches 62.56% of them.", ["62.56%"]),
        ("en", "It reaches 90 % of them, or 9 percent, or 9 per cent.", ["90 %", "9 percent", "9 per cent"]),
        ("en", "A loss of 0.9, 1.070 or 1.07.", ["0.9", "1.070", "1.07"]),
        ("en", "An accuracy of 62.6 or .", ["62.6"]),
        ("en", "Loss 1.14. Cross-entropy 1.07; Python 3.11", ["1.14", "1.07"]),
        ("es", "Pérdida 1,14. Entropía cruzada 1,07; Versión 3,11", ["1,14", "1,07"]),
        ("en", "It took 47 s, 5 min, 2 hours and 30-second pauses.", ["47 s", "5 min", "2 hours", "30-second"]),
        ("en", "It has 263,402 or 263402 or 263 402 parameters, 8,192 and 8192.",
         ["263,402", "263402", "263 402", "8,192", "8192"]),
        ("en", "Better by 9 points, +9.74 pp, ± 2.", ["9 points", "+9.74 pp", "± 2"]),
        ("en", "A multiple of 1/40,000.", ["40,000"]),
        ("en", "17.5× the parameters, 2.3 x quicker.", ["17.5×", "2.3 x"]),
        ("en", "652K of them, .86 or 1.2e-3.", ["652K", ".86", "1.2e-3"]),
        ("es", "Alcanza el 62,56 %, el 9 por ciento.", ["62,56 %", "9 por ciento"]),
        ("es", "Una pérdida de 0,9, de 1,070 o de 1,07.", ["0,9", "1,070", "1,07"]),
        ("es", "Tardó 47 segundos, 5 minutos y 2 h.", ["47 segundos", "5 minutos", "2 h"]),
        ("es", "Tiene 263.402 parámetros, no 8.192.", ["263.402", "8.192"]),
        ("es", "Gana 9 puntos.", ["9 puntos"]),
    ],
)  # fmt: skip
def test_a_number_that_looks_measured_is_found(code: str, text: str, found: list[str]) -> None:
    assert loose(text, code) == found


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize(
    "text",
    [
        "In 2023, or 1989.",
        "Python 3.11, Keras 3.8, TensorFlow 2.21.0, and 6.3.",
        "Of 32 × 32, 224 × 224, 1024 × 1024 or 3x3.",
        "Ten of 500, 512, 256 and 10; 64, 128, 256.",
        "VGG16, CIFAR-10, p01_deeper, 3D, float32.",
        "1. 2) 3/4, 5–6.",
    ],
)
def test_years_versions_sizes_names_and_small_whole_numbers_are_nobody_s_measurement(code: str, text: str) -> None:
    assert loose(text, code) == []


@given(st.floats(0.1, 0.9999), st.sampled_from(codes()))
def test_whatever_the_language_writes_as_a_percentage_is_found_as_it_is_written(value: float, code: str) -> None:
    written = language(code).percent(value)
    assert [found for _, found in numbers(f"– {written}.", language(code))] == [written]


@given(st.integers(2200, 10**9), st.sampled_from(codes()))
def test_whatever_the_language_writes_as_a_count_of_thousands_is_found_as_it_is_written(value: int, code: str) -> None:
    written = language(code).count(value)
    assert [found for _, found in numbers(f"– {written} –", language(code))] == [written]


@given(st.floats(60, 10**5), st.sampled_from(codes()))
def test_every_duration_that_the_language_writes_is_found(seconds: float, code: str) -> None:
    assert list(numbers(f"– {language(code).seconds(seconds)}.", language(code)))


@given(st.text(max_size=60), st.sampled_from(codes()))
def test_any_text_has_numbers_where_it_says_and_nowhere_else(text: str, code: str) -> None:
    for offset, found in numbers(text, language(code)):
        assert text[offset:].startswith(found) and any(character.isdigit() for character in found)


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("en", "Better; IMPROVES, improvement; it overfits. More\naccurate.",
         ["Better", "IMPROVES", "improvement", "overfits", "More\naccurate"]),
        ("en", "A betterment of the bestseller, dissimilar.", []),
        ("es", "Mejoró; es Más Rápida, con menor pérdida y sobreajuste. Superó.",
         ["Mejoró", "Más Rápida", "menor pérdida", "sobreajuste", "Superó"]),
        ("es", "La mayor parte de la superficie.", []),
    ],
)  # fmt: skip
def test_comparing_words_are_found_whole_and_in_any_case(code: str, text: str, found: list[str]) -> None:
    assert compared(text, code) == found


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("en", "better best worse worst higher highest lower lowest improves improved improvement outperforms beats "
         "overfits overfitting similar faster slower surpasses exceeded outdoes superior inferior comparable"),
        ("es", "mejor mejores peor peores mejora mejoran mejoró supera superan superó sobreajuste sobreajusta similar "
         "similares parecido parecidos superaba aventaja excede iguala deteriora"),
    ],
)  # fmt: skip
def test_each_language_of_the_report_lists_the_words_that_compare(code: str, words: str) -> None:
    assert compared(words, code) == words.split()


def findings(text: str, **changes: object) -> list[tuple[int | None, str]]:
    catalogue = catalogue_of("en").model_copy(update=changes)
    source = Source("docs/en/index.md", parse(text))
    return [(found.line, found.what) for found in prose.check_page(source, "en", catalogue)]


def test_each_finding_of_a_page_has_its_line() -> None:
    text = "# A 90% { #a }\n\nOne\n0.123 and\nbetter `0.5` {{ f }} %.\n\n![of 12.5 s](x.svg)\n"
    assert findings(text) == [
        (1, "'90%' looks measured, and it is typed by hand"),
        (4, "'0.123' looks measured, and it is typed by hand"),
        (5, "'better' compares, and it stands in no claim"),
        (7, "'12.5 s' looks measured, and it is typed by hand"),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{{ "91.66 %" }} and {{ 91.66 * 1 }}', [3, 3]),
        ('{{ given(1) if x == 91.66 else "92 %" }}\n{% set y = 91.66 %}', [3, 4]),
        ('{{ "%s %%" | format(91.66) }} {{ y | default(12345) }} {{ [91.66] | first ~ z }}', [3, 3, 3]),
        ('![x](y.png "at 92.55 %")', [3]),
        ("`91.66 %`, `93%` or `--limit 91.66%`, `0.5`, `width: 50%`", [3, 3]),
        ('{% set x | replace("=", "-") %}at 91.66 %{% endset %}', [3]),
        ('{{ "94% in 3.29 seconds" }} {{ f(91.66) - g(96) }} {{ loop.index + 1 }} {{ x | round(2) }} {{ a[91] }}', []),
    ],
)
def test_a_number_typed_within_an_expression_or_a_title_is_found(text: str, lines: list[int]) -> None:
    found = findings(f"# A {{ #a }}\n\n{text}\n")
    assert [line for line, _ in found] == lines and all("typed by hand" in what for _, what in found)


def test_what_stands_in_front_of_a_page_is_read_to_its_last_line() -> None:
    text = "---\ntitle: A page\ndescription: >\n  as good\n  as 91.66 %\ntags:\n- 72.3 %\n---\n\n# A { #a }\n"
    assert [line for line, _ in findings(text)] == [5, 7]


def test_a_claim_and_a_general_remark_may_compare_but_not_type_a_number() -> None:
    text = '{% claim "x" %}It is\nbetter by 5 %{% endclaim %}, {% general %}as lower *is better*{% endgeneral %}.\n'
    assert findings(text) == [(2, "'5 %' looks measured, and it is typed by hand")]


def test_a_language_without_words_that_compare_compares_nothing() -> None:
    assert findings("It is better by 7 points.", comparing=(), units=()) == []


def test_the_names_that_a_catalogue_gives_are_prose_with_lines(small_report: Path) -> None:
    file = small_report / "docs" / "en" / "catalogue.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content |= {"datasets": {"a": "of 51,017 images"}, "projects": {"first": "the best"}, "comparing": ["best"]}
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines()
    report = reports.load(small_report)
    found = prose.check_catalogue(report, "en", report.catalogue("en"))
    assert sorted((lines[(one.line or 0) - 1].strip(), one.what.partition(" ")[0]) for one in found) == [
        ("a: of 51,017 images", "'51,017'"),
        ("first: the best", "'best'"),
    ]


def test_a_catalogue_needs_no_list_of_words() -> None:
    assert Catalogue.model_fields["comparing"].default == ()


def test_a_year_is_one_of_four_hundred_and_any_other_number_of_four_digits_is_measured() -> None:
    assert loose("Of 1799, 1800, 2199 or 2200 images.", "en") == ["1799", "2200"]


@pytest.mark.parametrize(("code", "text"), [("en", "A ratio of 1,12."), ("es", "Una versión 1.12.")])
def test_a_mark_that_is_no_decimal_one_of_the_language_makes_no_measurement(code: str, text: str) -> None:
    assert loose(text, code) == []


def test_a_share_of_a_thousand_is_measured() -> None:
    assert loose("It is 12 ‰, or 3‰.", "en") == ["12 ‰", "3‰"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ 91.66 }}", 1),
        ("{{ 12 }}", 1),
        ("{{ 3.1 * x }}", 1),
        ("{{ x * -91.66 }}", 1),
        ("{{ y | d(12345) }}", 1),
        ("`{{ 91.66 }}` and `{{ [91.66, x] }}`", 0),
    ],
)
def test_a_number_that_is_all_of_an_expression_or_a_factor_or_what_stands_for_nothing_is_typed(
    text: str, found: int
) -> None:
    assert [line for line, what in findings(f"# A {{ #a }}\n\n{text}\n") if "typed by hand" in what] == [3] * found


def test_what_is_found_in_one_paragraph_is_told_in_the_order_in_which_it_stands() -> None:
    assert [what.split("'")[1] for _, what in findings("It is better by 7 points, or best at 0.123.\n")] == [
        "better",
        "7 points",
        "best",
        "0.123",
    ]
