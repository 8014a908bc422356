"""Charts are well-formed, whole, the same every time, and in the reader's language."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text

from reportgen import drawings
from reportgen.charts import confusion, curves
from reportgen.drawings import VARIABLES, Box, Diagram, Dots, Drawing, Mark, Matrix, Plane, Row, Series, Spot, Unit
from reportgen.language import language
from reportgen.plot import _apart, arranged, draw, run_figures, style
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


def axes_of(drawing: Drawing) -> list[Axes]:
    with style():
        return arranged(drawing, ENGLISH).axes


def data(line: Line2D, axis: Literal["x", "y"]) -> list[float]:
    """Where the points of a line lie on one axis."""
    return [float(value) for value in np.asarray(line.get_xdata() if axis == "x" else line.get_ydata())]


def squares(axes: Axes) -> PolyCollection:
    """What is drawn as one collection."""
    (found,) = [one for one in axes.collections if isinstance(one, PolyCollection)]
    return found


def test_a_curve_begins_at_the_first_epoch_and_its_dot_stands_on_the_one_that_was_kept() -> None:
    run = record(length=4, stopping={"reason": "both", "restored_epoch": 3})
    top = axes_of(curves([run], ENGLISH))[0]
    line, dot = top.lines[:2]
    values = [epoch.cross_entropy for epoch in run.history]
    assert data(line, "x")[:-1] == [1, 2, 3, 4] and data(line, "y")[:-1] == values
    assert (data(dot, "x"), data(dot, "y")) == ([3], [values[2]])
    low, high = top.get_xlim()
    assert (low, high) == (0.5, 4.5)


def test_the_mean_and_the_band_of_several_runs_begin_at_the_first_epoch() -> None:
    runs = [record(seed=seed, length=length) for seed, length in enumerate((4, 5, 6))]
    top = axes_of(curves(runs, ENGLISH))[0]
    assert data(top.lines[2], "x") == [1, 2, 3, 4]
    extent = top.collections[0].get_paths()[0].get_extents()
    assert (extent.x0, extent.x1) == (1, 5)


def test_validation_is_dashed_in_the_chart_and_in_its_legend() -> None:
    figure = axes_of(curves([record()], ENGLISH))[0].figure
    drawn = {line.get_color(): line.get_linestyle() for line in figure.axes[0].lines if len(data(line, "x")) > 3}
    assert drawn == {drawings.TRAIN: "-", drawings.VALIDATION: "--"}
    named = {line.get_color(): line.get_linestyle() for line in figure.legends[0].get_lines()}
    assert named[drawings.TRAIN] == "-" and named[drawings.VALIDATION] == "--"


def test_the_numbers_of_a_row_stand_outside_of_all_that_is_drawn_the_smaller_one_to_the_left() -> None:
    rows = (
        Row("a", "a", (Mark(0.8), Mark(0.6, 0.1), None)),
        Row("b", "b", (Mark(0.7, 0.05), None, None)),
    )
    (axes,) = axes_of(Dots("Project", "Accuracy", "percent", SERIES, rows))
    told = [text for text in axes.texts if isinstance(text, Annotation)]
    assert [(text.get_text(), round(text.xy[0], 6), text.get_horizontalalignment()) for text in told] == [
        ("60.00%", 0.5, "right"),
        ("80.00%", 0.8, "left"),
        ("70.00%", 0.75, "left"),
    ]
    bottom, top = axes.get_ylim()
    assert bottom > top, "the first row stands above the others"
    low, high = axes.get_xlim()
    assert low < 0.5 and high > 0.8
    bars = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    assert [(bar.has_xerr, bar.has_yerr) for bar in bars] == [(True, False)] * 2


def test_nought_is_in_a_picture_that_has_it_and_a_line_stands_there() -> None:
    rows = (Row("a", "a", (Mark(0.1), Mark(0.12), None)),)
    for zero in (True, False):
        (axes,) = axes_of(Dots("Project", "Gap", "points", SERIES, rows, zero=zero))
        low, high = axes.get_xlim()
        assert (low <= 0 <= high) == zero
        assert any(data(line, "x") == [0, 0] for line in axes.lines) == zero


def test_an_axis_of_shares_marks_none_above_all() -> None:
    rows = (Row("a", "a", (Mark(0.99), Mark(0.6), None)),)
    (axes,) = axes_of(Dots("Project", "Accuracy", "percent", SERIES, rows))
    assert axes.get_xlim()[1] > 1.05 and max(axes.get_xticks()) <= 1


def test_of_two_marks_at_one_place_one_sees_both() -> None:
    (axes,) = axes_of(Dots("Project", "Accuracy", "percent", SERIES, (Row("a", "a", (Mark(0.5), Mark(0.5), None)),)))
    ring, dot = (
        next(line for line in axes.lines if line.get_markeredgecolor() == series.colour) for series in SERIES[:2]
    )
    assert ring.get_markerfacecolor() == "none" and dot.get_markerfacecolor() == SERIES[1].colour
    assert ring.get_zorder() > dot.get_zorder()


def test_a_plane_is_logarithmic_across_and_its_spreads_stand_upright() -> None:
    spots = tuple(Spot(f"{k}", f"{k}", f"{k}", (None, (10.0**k, Mark(0.1 * k, 0.02)), None)) for k in (3, 5))
    (axes,) = axes_of(Plane("Project", "Parameters", "count", "Accuracy", "percent", SERIES, spots))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    bars = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    assert [(bar.has_xerr, bar.has_yerr) for bar in bars] == [(False, True)] * 2


def test_signs_of_one_place_stand_above_each_other_and_others_where_they_belong() -> None:
    signs = [(1000.0, 0.5, "b", ""), (1000.0, 0.5, "a", ""), (1010.0, 0.51, "c", ""), (5000.0, 0.5, "d", "")]
    placed = {sign: y for _, y, sign, _ in _apart(signs, 0.04)}
    near = sorted(placed[sign] for sign in "abc")
    assert all(high - low >= 0.0399 for low, high in pairwise(near)) and placed["d"] == 0.5


def test_the_more_of_a_label_a_prediction_has_the_stronger_is_its_square() -> None:
    cells = ((0.9, 0.1, 0.0), (0.2, 0.8, 0.0), (0.0, 0.5, 0.5))
    names = ("a", "b", "c")
    (axes,) = axes_of(Matrix("Label", "Prediction", names, names, cells, diagonal=True))
    colours = np.asarray(squares(axes).get_facecolor()).reshape(3, 3, 4)
    for row, column in np.ndindex(3, 3):
        right = to_rgb(drawings.TRAIN if row == column else drawings.VALIDATION)
        assert to_hex(tuple(colours[row, column, :3])) == to_hex(right)
    strength = colours[..., 3]
    assert strength[0, 0] > strength[1, 1] > strength[2, 1] > strength[1, 0] > strength[0, 1] > strength[0, 2] == 0
    bottom, top = axes.get_ylim()
    assert bottom > top, "the first label stands above the others"


@pytest.mark.parametrize(("cells", "strengths"), [((0.5, 0.6, 0.7), (0, 0.275, 0.55)), ((0.6, 0.6, 0.6), (0, 0, 0))])
def test_where_no_cell_is_right_or_wrong_colours_go_from_the_smallest_to_the_largest(
    cells: tuple[float, ...], strengths: tuple[float, ...]
) -> None:
    (axes,) = axes_of(Matrix("Class", "Project", ("a",), ("1", "2", "3"), (cells,), diagonal=False))
    colours = np.asarray(squares(axes).get_facecolor())
    assert colours[:, 3] == pytest.approx(strengths)
    assert {to_hex(colour[:3]) for colour in colours} == {drawings.REPRODUCTION}


def test_a_share_of_the_parameters_is_told_unless_it_is_next_to_nothing_and_never_rounded_up_to_all() -> None:
    boxes = tuple(Box(f"{k}", "Dense", (10,), count) for k, count in enumerate((9930, 66, 4)))
    _, below = axes_of(Diagram("Layer", "Output", "Share", ("with", "without"), boxes))
    assert [text.get_text() for text in below.texts if text.get_rotation() == 0] == ["99.3", "1"]


def test_layers_with_parameters_have_a_colour_of_their_own_and_one_that_only_passes_on_is_a_slice() -> None:
    boxes = (Box("a", "Conv2D", (8, 8, 4), 9), Box("b", "ReLU", (8, 8, 4), 0), Box("c", "Conv2D", (8, 8, 4), 9))
    above, _ = axes_of(Diagram("Layer", "Output", "Share", ("with", "without"), boxes))
    drawn = {
        one.get_label(): (
            to_hex(np.asarray(one.get_facecolor())[0]),
            [path.get_extents().width for path in one.get_paths()],
        )
        for one in above.collections
    }
    assert drawn["with"][0] == drawings.REPRODUCTION and drawn["without"][0] == drawings.GRID
    assert drawn["without"][1] == pytest.approx([0.12]) and drawn["with"][1] == pytest.approx([0.85, 0.85])


def test_rows_and_columns_of_a_matrix_whose_names_begin_alike_are_told_apart() -> None:
    names = ("animals without a backbone: in water", "animals without a backbone: on land", "fish")
    cells = ((0.5, 0.25, 0.25),) * 3
    for (axes,) in (
        axes_of(Matrix("Label", "Prediction", names, names, cells, diagonal=True)),
        axes_of(Matrix("Label", "Prediction", names, ("1", "2", "3"), cells, diagonal=False, signs=names)),
    ):
        for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [tick.get_text() for tick in ticks] == ["animals…in water", "animals…on land", "fish"]


@pytest.mark.parametrize(
    ("low", "high", "marked"),
    [
        (0.9, 1.1, ["0.9", "1.0", "1.1"]),
        (0.0, 5.0, ["0", "2", "4"]),
        (1.0, 1.02, ["1.00", "1.01", "1.02"]),
        (1.0, 1.01, ["1.000", "1.005", "1.010"]),
    ],
)
def test_an_axis_has_the_fewest_decimals_that_tell_its_marks_apart(low: float, high: float, marked: list[str]) -> None:
    rows = (Row("a", "a", (Mark(low), Mark(high), None)),)
    (axes,) = axes_of(Dots("Project", "Cross-entropy", "nats", SERIES, rows))
    write = axes.xaxis.get_major_formatter()
    shown = [write(tick) for tick in axes.get_xticks() if low - 1e-9 <= tick <= high + 1e-9]
    assert shown == marked


@pytest.mark.parametrize(("low", "high"), [(5.0, 40.0), (90.0, 1300.0), (3000.0, 90000.0)])
def test_a_mark_on_an_axis_of_durations_is_written_as_what_it_is(low: float, high: float) -> None:
    spots = tuple(Spot(f"{x}", f"{x}", f"{x}", ((x, Mark(0.6)), None, None)) for x in (low, high))
    (axes,) = axes_of(Plane("Project", "Time", "seconds", "Accuracy", "percent", SERIES, spots))
    write, seconds = axes.xaxis.get_major_formatter(), {"s": 1, "min": 60, "h": 3600}
    shown = {tick: write(tick).split("\u00a0") for tick in axes.get_xticks()}
    assert len(shown) > 1
    assert all(float(number) * seconds[unit] == tick for tick, (number, unit) in shown.items())
