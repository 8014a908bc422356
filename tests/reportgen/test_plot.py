"""Charts are well-formed, whole, the same every time, and in the reader's language."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.text import Text

from reportgen import drawings
from reportgen.charts import confusion, curves
from reportgen.drawings import VARIABLES, Box, Diagram, Dots, Drawing, Mark, Matrix, Plane, Row, Series, Spot, Unit
from reportgen.language import language
from reportgen.plot import arranged, draw, run_figures, style
from tests.synthetic import CLASSES, MANY, record

ENGLISH, SPANISH = language("en"), language("es")
SVG = "{http://www.w3.org/2000/svg}"
SPANISH_CLASSES = ["avión", "automóvil", "pájaro", "gato", "ciervo", "perro", "rana", "caballo", "barco", "camión"]
SERIES = (
    Series("study", "Estudio", drawings.INK, hollow=True),
    Series("ours", "Reproducción", drawings.REPRODUCTION, hollow=False),
    Series("variant", "Variante, no es reproducción", drawings.OTHER, hollow=False),
)
LONG = "a name that is much longer than anybody would call a class"


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


def test_long_names_of_rows_that_begin_alike_are_told_apart_by_their_ends() -> None:
    names = [f"Project 10: weights of another set, pixels as these weights expect, {side} pixels" for side in (64, 96)]
    rows = tuple(Row(name, name, (Mark(0.5), None, None)) for name in names)
    shown = texts(draw(Dots("Project", "Accuracy", "percent", SERIES, rows), ENGLISH))
    labels = [text for text in shown if text.startswith("Project 10")]
    assert [label[-9:] for label in labels] == ["64 pixels", "96 pixels"]
    assert max(map(len, labels)) <= 56


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


def test_the_drawing_of_a_hundred_classes_is_no_larger_than_others() -> None:
    assert max(map(len, run_figures(record(classes=MANY)).values())) < 100_000


def test_an_axis_of_shares_marks_none_below_nothing() -> None:
    rows = (Row("0", "0", (Mark(0.38), Mark(0.0), None)),)
    marked = [
        text for text in texts(draw(Dots("", "", "percent", SERIES, rows), ENGLISH)) if re.fullmatch(r".?\d+%", text)
    ]
    assert marked == ["0%", "10%", "20%", "30%", "40%"]


def test_a_class_without_test_images_is_a_row_of_zeros() -> None:
    run = record()
    empty = run.model_copy(update={"confusion": ((0,) * 10, *run.confusion[1:])})
    numbers = [text for text in texts(draw(confusion([empty], ENGLISH, CLASSES), ENGLISH)) if text.isdigit()]
    assert numbers[:10] == ["0"] * 10


def test_a_name_with_signs_of_mathematics_or_markup_is_drawn_as_it_stands() -> None:
    names = ["$x$", "a < b", "c & d", *CLASSES[3:]]
    assert {"$x$", "a < b", "c & d"} <= set(texts(draw(confusion([record()], ENGLISH, names), ENGLISH)))


WIDE = [
    curves([record(seed=seed, length=6 + seed) for seed in range(3)], SPANISH),
    Dots(
        "Proyecto",
        "Exactitud de entrenamiento menos exactitud de prueba",
        "points",
        SERIES,
        tuple(
            Row(str(k), f"Proyecto {k}: {LONG}", (Mark(-0.1234), Mark(0.0147 * k, 0.02), Mark(0.15, 0.03)))
            for k in range(12)
        ),
        zero=True,
    ),
    Dots("Proyecto", "Exactitud", "percent", SERIES, (Row("0", "0", (Mark(0.6256), None, None)),)),
    Plane(
        "Proyecto",
        "Parámetros",
        "count",
        "Exactitud de prueba",
        "percent",
        SERIES,
        tuple(
            Spot(str(k), str(k), f"{k}", ((10.0**k, Mark(0.6)), (10.0**k, Mark(0.8, 0.1)), None)) for k in range(3, 9)
        ),
    ),
    confusion([record()], SPANISH, [LONG, *SPANISH_CLASSES[1:]]),
    confusion([record(classes=MANY)], SPANISH, [f"{LONG} {k}" for k in range(100)]),
    Matrix("Clase", "Proyecto", (LONG,), (LONG, "b"), ((0.5, 0.25),), diagonal=False),
    Diagram(
        "Capa",
        "Salida",
        "Parámetros, en porcentaje del total",
        ("con parámetros", "sin parámetros"),
        tuple(Box(f"layer_{k}", "BatchNormalization", (224, 224, 512), k % 3) for k in range(30)),
    ),
    Diagram("Capa", "Salida", "Parámetros", ("con", "sin"), (Box("only", "Flatten", (10,), 0),)),
]


@pytest.mark.parametrize(("layers", "named"), [(16, 32), (17, 17)])
def test_where_layers_are_many_those_that_only_pass_on_what_they_get_have_no_name(layers: int, named: int) -> None:
    boxes = [
        box for k in range(layers) for box in (Box(f"a{k}", "Conv2D", (8, 8, k), 9), Box("b", "ReLU", (8, 8, k), 0))
    ]
    with style():
        figure = arranged(Diagram("Capa", "Salida", "Parámetros", ("con", "sin"), tuple(boxes)), SPANISH)
    names = [text.get_text() for text in figure.findobj(Text) if "8×8" in text.get_text()]
    assert len(names) == named and all("Conv2D 8×8" in name for name in names[:: named // layers])


def test_the_names_of_many_layers_lie_beside_each_other() -> None:
    boxes = [Box(f"a{k}", "Conv2D", (8, 8, k), 9) for k in range(60)]
    with style():
        figure = arranged(Diagram("Capa", "Salida", "Parámetros", ("con", "sin"), tuple(boxes)), SPANISH)
        names = [text for text in figure.findobj(Text) if "8×8" in text.get_text()]
        sides = [text.get_window_extent() for text in names]
    assert len(sides) == 60 and all(one.x1 <= other.x0 + 0.5 for one, other in pairwise(sides))


@pytest.mark.parametrize(("low", "high"), [(200.0, 500.0), (40.0, 1300.0), (4000.0, 9000.0)])
def test_an_axis_of_durations_marks_two_of_them_at_least(low: float, high: float) -> None:
    spots = tuple(Spot(f"{x}", f"{x}", f"{x}", ((x, Mark(0.6)), None, None)) for x in (low, high))
    with style():
        axis = arranged(Plane("P", "Tiempo", "seconds", "E", "percent", SERIES, spots), SPANISH).axes[0].xaxis
        left, right = axis.get_view_interval()
        assert len([tick for tick in axis.get_majorticklocs() if left <= tick <= right]) >= 2


@pytest.mark.parametrize(("unit", "across"), [("count", 21_000.0), ("seconds", 70.0)])
def test_spots_at_one_place_lie_amid_an_axis_with_ticks(unit: Unit, across: float) -> None:
    spots = tuple(
        Spot(name, name, name, ((across, Mark(height)), None, None)) for name, height in (("0", 0.6), ("1", 0.7))
    )
    with style():
        axis = arranged(Plane("Proyecto", "Tamaño", unit, "Exactitud", "percent", SERIES, spots), SPANISH).axes[0].xaxis
        low, high = axis.get_view_interval()
        assert low < across < high and any(low <= tick <= high for tick in axis.get_majorticklocs())


@pytest.mark.parametrize("drawing", [pytest.param(one, id=f"{type(one).__name__}-{k}") for k, one in enumerate(WIDE)])
def test_no_word_and_no_number_is_cut_off_at_the_edge(drawing: Drawing) -> None:
    with style():
        figure = arranged(drawing, SPANISH)
        figure.draw_without_rendering()
    width, height = figure.bbox.size
    unseen = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    words = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert words
    for text in set(words) - unseen:
        box = text.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1, text.get_text()
        assert -1 <= box.y0 <= box.y1 <= height + 1, text.get_text()
