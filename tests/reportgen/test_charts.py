"""Charts are well-formed, the same every time, in the reader's language, and at home in a page of either colour."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import matplotlib
import pytest

from reportgen.charts import confusion, curves, draw, run_figures, themed
from reportgen.drawings import VARIABLES
from reportgen.language import language
from tests.synthetic import CLASSES, record

ENGLISH, SPANISH = language("en"), language("es")
SVG = "{http://www.w3.org/2000/svg}"
SPANISH_CLASSES = ["avión", "automóvil", "pájaro", "gato", "ciervo", "perro", "rana", "caballo", "barco", "camión"]


def texts(svg: str) -> list[str]:
    """Every word and number of a chart, in the order in which it is drawn."""
    return ["".join(element.itertext()).strip() for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_figures_beside_a_record_are_its_curves_and_its_confusion_matrix_in_english() -> None:
    figures = run_figures(record())
    assert list(figures) == ["curves.svg", "confusion.svg"]
    assert {"Cross-entropy", "Accuracy", "Epoch", "training", "validation", "kept epoch"} <= set(
        texts(figures["curves.svg"])
    )
    assert {"Label", "Prediction", *CLASSES} <= set(texts(figures["confusion.svg"]))


def test_words_and_numbers_of_a_chart_belong_to_the_language() -> None:
    shown = texts(draw(curves([record()], SPANISH), SPANISH))
    assert {"Entropía cruzada", "Exactitud", "Época", "entrenamiento", "validación", "época conservada"} <= set(shown)
    assert "1,0" in shown
    assert "1.0" not in shown
    assert "60\u00a0%" in shown
    assert set(SPANISH_CLASSES) <= set(texts(draw(confusion([record()], SPANISH, SPANISH_CLASSES), SPANISH)))


def test_the_same_records_give_the_same_bytes_without_a_date_whatever_the_settings_of_matplotlib() -> None:
    first = run_figures(record())
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        again = run_figures(record())
        assert matplotlib.rcParams["font.size"] == 30, "left as it was"
    assert first == again
    assert not re.search(r"dc:date|20\d\d-\d\d-\d\dT", "".join(first.values()))


def lines(svg: str, colour: str) -> int:
    """How many curves of `colour` there are, the sample in the legend included; a path may hold several."""
    paths = re.findall(rf'<path d="(M[^"]*L[^"]*)"[^>]*fill: none[^>]*stroke: {colour}', svg)
    return sum(path.count("M") for path in paths)


@pytest.mark.parametrize("seeds", [1, 3])
def test_every_seed_has_its_lines_in_both_panels(seeds: int) -> None:
    svg = draw(curves([record(seed=seed, length=6 + seed) for seed in range(seeds)], ENGLISH), ENGLISH)
    train, validation = (colour for colour, name in VARIABLES.items() if name in ("train", "validation"))
    means = 2 if seeds > 1 else 0
    assert lines(svg, train) == lines(svg, validation) == 2 * seeds + means + 1


def test_of_several_seeds_the_mean_ends_with_the_first_and_the_band_with_the_last_but_one() -> None:
    line = (
        curves([record(seed=seed, length=length) for seed, length in enumerate((6, 7, 9))], ENGLISH).panels[1].lines[0]
    )
    assert len(line.mean()) == 6
    assert len(line.range()) == 7
    svg = draw(curves([record(seed=seed, length=6 + seed) for seed in range(3)], ENGLISH), ENGLISH)
    assert len(re.findall(r"opacity: 0.16", svg)) == 4, "training and validation, in two panels"


def test_a_dot_marks_the_kept_epoch_and_moves_with_it() -> None:
    early, late = (
        draw(curves([record(stopping={"reason": "both", "restored_epoch": epoch})], ENGLISH), ENGLISH)
        for epoch in (2, 8)
    )

    def dots(svg: str) -> list[tuple[float, ...]]:
        return [
            tuple(map(float, place))
            for place in re.findall(
                r'<use xlink:href="#\w+" x="([\d.]+)" y="([\d.]+)" style="fill: #(?:0072b2|d55e00)', svg
            )
        ]

    assert len(dots(early)) == len(dots(late)) == 4, "training and validation, in two panels"
    assert all(before[0] < after[0] for before, after in zip(dots(early), dots(late), strict=True))


def test_a_run_of_one_epoch_can_be_drawn() -> None:
    shown = texts(draw(curves([record(length=1)], ENGLISH), ENGLISH))
    assert "1" in shown
    assert "kept epoch" in shown


def test_the_confusion_matrix_prints_per_cent_of_each_label_over_all_seeds() -> None:
    numbers = [
        text
        for text in texts(draw(confusion([record(right=50), record(right=70)], ENGLISH, CLASSES), ENGLISH))
        if text.isdigit()
    ]
    assert len(numbers) == 100
    assert numbers[:10] == ["60", "40", "0", "0", "0", "0", "0", "0", "0", "0"]


def test_a_class_without_test_images_is_a_row_of_zeros() -> None:
    run = record()
    empty = run.model_copy(update={"confusion": ((0,) * 10, *run.confusion[1:])})
    numbers = [text for text in texts(draw(confusion([empty], ENGLISH, CLASSES), ENGLISH)) if text.isdigit()]
    assert numbers[:10] == ["0"] * 10


def test_a_name_with_signs_of_mathematics_or_markup_is_drawn_as_it_stands() -> None:
    names = ["$x$", "a < b", "c & d", *CLASSES[3:]]
    assert {"$x$", "a < b", "c & d"} <= set(texts(draw(confusion([record()], ENGLISH, names), ENGLISH)))


def test_a_chart_in_a_page_takes_the_colours_and_the_font_of_the_page() -> None:
    for figure in run_figures(record()).values():
        page = themed(figure, "one", "Title", "Text")
        for colour, name in VARIABLES.items():
            assert page.count(colour) == page.count(f"var(--rg-{name}, {colour})")
        assert set(re.findall(r"#[0-9a-f]{6}\b", page)) <= VARIABLES.keys() | {"#000000"}
        assert "DejaVu" not in page
        assert set(re.findall(r"font-family: ([^;\"]*)", page)) == {"inherit"}


def test_the_font_is_the_page_s_whichever_way_matplotlib_writes_it() -> None:
    short = (
        """<svg viewBox="0 0 9 9"><text style="font: 11px 'DejaVu Sans', sans-serif; fill: #24292f">a</text></svg>"""
    )
    assert 'style="font-size: 11px; font-family: inherit; fill: var(' in themed(short, "one", "Title", "Text")


def test_a_chart_in_a_page_shrinks_with_it_and_says_to_a_screen_reader_what_it_shows() -> None:
    page = themed(draw(curves([record()], ENGLISH), ENGLISH), "one", "Curves <of> & one", 'It "fell".')
    root = ElementTree.fromstring(page)
    assert root.get("role") == "img"
    assert root.get("viewBox")
    assert root.get("width") is None
    assert root.get("height") is None
    title, description = root[0], root[1]
    assert (title.text, description.text) == ("Curves <of> & one", 'It "fell".')
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


def test_letters_stay_legible_on_a_telephone() -> None:
    """At 328 px, which a page leaves to a chart on a screen of 360, no letter is smaller than 9 px."""
    for figure in run_figures(record()).values():
        page = themed(figure, "one", "Title", "Text")
        box = re.search(r'viewBox="0 0 ([\d.]+)', page)
        assert box
        sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", page)]
        assert sizes
        assert min(sizes) * 328 / float(box[1]) >= 9


def test_two_charts_in_a_page_share_no_identifier_and_every_reference_leads_somewhere() -> None:
    svg = draw(curves([record()], ENGLISH), ENGLISH)
    pages = [themed(svg, name, "Title", "Text") for name in ("one", "two")]
    names = [re.findall(r'\bid="([^"]+)"', page) for page in pages]
    assert len({*names[0], *names[1]}) == len(names[0]) + len(names[1])
    for page, known in zip(pages, names, strict=True):
        assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', page)) <= set(known)


def test_a_chart_in_markdown_stays_one_block() -> None:
    page = themed(draw(curves([record()], ENGLISH), ENGLISH), "one", "Title", "Text")
    assert page.startswith("<svg ")
    assert page.endswith("</svg>")
    assert "\n\n" not in page
    assert "<metadata>" not in page
