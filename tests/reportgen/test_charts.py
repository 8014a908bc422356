"""A chart is at home in a page of either colour, and says to everybody what it shows."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from reportgen import drawings
from reportgen.charts import MOST_CLASSES, MOST_PAIRS, confusion, curves, curves_against, themed, written
from reportgen.drawings import VARIABLES, Dots, Line, Mark, Matrix, Run
from reportgen.language import language
from reportgen.plot import draw, run_figures
from tests.synthetic import CLASSES, MANY, record

ENGLISH = language("en")


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


def test_in_the_place_of_a_matrix_of_many_classes_stand_the_pairs_that_are_confused_most() -> None:
    run = record(classes=MANY, right=95)
    one, other, none = [0] * 100, [0] * 100, [0] * 100
    one[3], one[7], one[8] = 40, 50, 10
    other[4], other[90] = 70, 30
    counts = (none, *run.confusion[1:3], one, other, *run.confusion[5:])
    drawing = confusion([run.model_copy(update={"confusion": counts})], ENGLISH, MANY)
    assert isinstance(drawing, Dots)
    assert [(row.label, *row.marks) for row in drawing.rows[:4]] == [
        ("class 3 taken for class 7", Mark(0.5), Mark(0.4)),
        ("class 4 taken for class 90", Mark(0.3), Mark(0.7)),
        ("class 3 taken for class 8", Mark(0.1), Mark(0.4)),
        ("class 1 taken for class 2", Mark(0.05), Mark(0.95)),
    ]
    assert len(drawing.rows) == MOST_PAIRS
    assert isinstance(confusion([record(classes=MANY[:MOST_CLASSES])], ENGLISH, MANY[:MOST_CLASSES]), Matrix)


def test_every_line_of_curves_is_what_its_name_says() -> None:
    run = record(length=3)
    for panel in curves([run], ENGLISH).panels:
        training, validation = panel.lines
        assert (training.name, training.dashed, validation.name, validation.dashed) == (
            *("training", False),
            *("validation", True),
        )
        for line, key in ((training, panel.key), (validation, f"val_{panel.key}")):
            assert (line.key, line.runs[0].kept) == (key, run.stopping.restored_epoch)
            assert line.runs[0].values == tuple(getattr(epoch, key) for epoch in run.history)


def test_of_two_projects_the_validation_lies_over_each_other_and_not_by_colour_alone() -> None:
    runs = {"One": record(length=3), "Two": record(length=5)}
    for panel in curves_against([(name, [run]) for name, run in runs.items()], ENGLISH).panels:
        assert "(validation)" in panel.title
        assert [(line.name, line.colour, line.dashed) for line in panel.lines] == [
            ("One", drawings.REPRODUCTION, False),
            ("Two", drawings.OTHER, True),
        ]
        for line in panel.lines:
            expected = tuple(getattr(epoch, f"val_{panel.key}") for epoch in runs[line.name].history)
            assert line.runs[0].values == expected


def test_the_mean_of_runs_is_no_median_and_their_range_goes_from_the_smallest_to_the_largest() -> None:
    runs = tuple(Run(f"{k}", values, 1) for k, values in enumerate([(0.5, 0.25), (0.0, 0.75), (1.0, 0.5, 0.9)]))
    line = Line("accuracy", "training", drawings.TRAIN, False, (*runs, Run("3", (0.9, 0.9), 1)))
    assert line.mean() == (0.6, 0.6)
    assert line.range() == ((0.0, 1.0), (0.25, 0.9))


def test_a_value_beside_its_mark_has_the_decimals_of_its_unit() -> None:
    shown = [written(12.6, "count", ENGLISH), written(1.23456, "nats", ENGLISH), written(0.6256, "percent", ENGLISH)]
    assert shown == ["13", "1.235", "62.56%"]


def test_a_picture_grows_no_larger_than_it_was_drawn_and_has_no_empty_line() -> None:
    shown = themed('<svg viewBox="0 0 9 9">\n<g>\n  \n\n</g>\n</svg>\n', "one", "Title", "Text")
    assert 'style="max-width: 12px"' in shown, "nine points"
    assert shown.endswith("<g>\n</g>\n</svg>")


def test_of_many_classes_no_pair_is_told_that_was_never_confused() -> None:
    run = record(classes=MANY, right=100)
    row = (*run.confusion[0][:2], 1, *run.confusion[0][3:])
    drawing = confusion([run.model_copy(update={"confusion": (row, *run.confusion[1:])})], ENGLISH, MANY)
    assert isinstance(drawing, Dots)
    assert [one.label for one in drawing.rows] == ["class 0 taken for class 2"]


def test_what_stands_on_the_diagonal_of_a_confusion_is_right() -> None:
    drawing = confusion([record(right=70)], ENGLISH, CLASSES)
    assert isinstance(drawing, Matrix)
    assert drawing.diagonal and [row[k] for k, row in enumerate(drawing.cells)] == [0.7] * 10
    assert (drawing.down, drawing.across) == ("Label", "Prediction")
