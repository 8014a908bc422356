"""The figures of a page: each stands in one frame with its words, its numbers, its source and its files."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from experiments import sheet
from reportgen import cache, drawings, features, figures, frame
from reportgen import record as records
from reportgen import report as reports
from reportgen.drawings import Box, Curves, Diagram, Dots, Line, Mark, Matrix, Panel, Plane, Row, Run, Series, Spot
from reportgen.errors import ReportError
from reportgen.features import FILE, FILTERS, NEIGHBOURS
from reportgen.language import language
from reportgen.material import gather
from reportgen.record import Mistake, Record, folder
from reportgen.render import Page, Renderer
from tests.reportgen.test_render import alone
from tests.synthetic import CLASSES, MANY, declaration, environment, record
from tests.synthetic import features as made_up

OF_ALL = ("ladder_chart()", "gap_chart()", "accuracy_parameters()", "accuracy_time()")
OF_RUNS = (
    'network("first")',
    'curves("first")',
    'confusion("first")',
    "class_chart()",
    'curves("first", against="second")',
)
PICTURE = io.BytesIO()
Image.new("RGBA", (504, 198)).save(PICTURE, "PNG")
SHEET = PICTURE.getvalue()
"""A sheet of seven mistakes, two rows of five."""
HOSTILE = '<b>"&$x$'


def page(root: Path, text: str, *runs: Record, code: str = "en", path: str = "index.md") -> Page:
    """Render `text` as a page of the report at `root`, with `runs` recorded."""
    report = reports.load(root)
    for run in runs:
        records.write(run, report.results)
    (root / "docs" / code / path).write_text(text, encoding="utf-8")
    return Renderer(gather(report), code).page(path)


def require(root: Path, **settings: str) -> None:
    """Let a run of the study's first project need these settings to count as its reproduction."""
    file = root / "published.json"
    study = json.loads(file.read_text(encoding="utf-8"))
    study["projects"][0]["requires"] = settings
    file.write_text(json.dumps(study), encoding="utf-8")


def publish(root: Path, *names: str) -> None:
    """Let the study have printed figures of projects of these names."""
    file = root / "published.json"
    study = json.loads(file.read_text(encoding="utf-8"))
    totals = {"total": 30730, "trainable": 30730, "non_trainable": 0}
    measured = {"accuracy": 0.7, "cross_entropy": 0.9}
    study["projects"] = [
        {**study["projects"][0], "id": name, "parameters": totals, "train": measured} for name in names
    ]
    file.write_text(json.dumps(study), encoding="utf-8")


def name(root: Path, code: str = "en", **entries: dict[str, str]) -> None:
    """Give a catalogue other entries."""
    file = root / "docs" / code / "catalogue.yml"
    words = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**words, **entries}), encoding="utf-8")


def figure(page: Page) -> ElementTree.Element:
    """The only figure of a page, without the parts that XML has another syntax for."""
    (found,) = re.findall(r"<figure.*?</figure>", page.markdown, re.DOTALL)
    plain = found.replace("data-search-exclude", "").replace(" download>", ">").replace("\u00a0", " ")
    return ElementTree.fromstring(plain)


def table(found: ElementTree.Element) -> list[list[str]]:
    """The rows of the table below a figure."""
    return [["".join(cell.itertext()) for cell in row] for row in found.iter("tr")]


def words(found: ElementTree.Element) -> list[str]:
    """Every word and number that is drawn."""
    return ["".join(text.itertext()) for text in found.iter("{http://www.w3.org/2000/svg}text")]


def description(found: ElementTree.Element) -> str:
    """The alternative text."""
    return found.findtext(".//{http://www.w3.org/2000/svg}desc") or ""


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize("call", [*OF_ALL, *OF_RUNS])
def test_every_chart_has_an_alternative_text_a_table_a_source_and_two_files(
    small_report: Path, code: str, call: str
) -> None:
    publish(small_report, "first", "second")
    runs = [record(project, seed) for project in ("first", "second") for seed in (0, 1)]
    rendered = page(small_report, f"{{{{ {call} }}}}", *runs, code=code, path="further.md")
    assert "\n\n" not in rendered.markdown, "Markdown would end the figure at an empty line"
    found = figure(rendered)
    assert re.search(r"\d\s?%|\d pp|30.730", description(found))
    assert len(table(found)) > 1
    assert all(cell for row in table(found) for cell in row)
    assert found.findtext(".//figcaption")
    links = re.findall(r'<a href="\.\./(assets/[^"]*)" download>(\w+)</a>', rendered.markdown)
    assert [kind for _, kind in links] == ["SVG", "CSV"]
    drawn, numbers = (rendered.assets[target] for target, _ in links)
    assert isinstance(drawn, str) and isinstance(numbers, str)
    ElementTree.fromstring(drawn)
    lengths = {len(row) for row in csv.reader(io.StringIO(numbers))}
    assert len(lengths) == 1, "a rectangle"
    assert numbers.count("\n") >= len(table(found)) - 1


def test_the_ladder_shows_study_and_reproduction_and_of_a_project_without_runs_the_study_alone(
    small_report: Path,
) -> None:
    publish(small_report, "first", "second")
    name(small_report, projects={"first": "One", "second": "Two"})
    runs = [record("first", seed, right=right) for seed, right in [(0, 60), (1, 50)]]
    found = figure(page(small_report, "{{ ladder_chart() }}", *runs))
    assert table(found) == [
        ["Project", "Study", "Reproduction"],
        ["One", "62.56%", "55.00% ± 7.07"],
        ["Two", "62.56%", "–"],
    ]
    assert {"One", "Two", "62.56%", "55.00%"} <= set(words(found))
    assert description(found) == "One: Study 62.56%, Reproduction 55.00% ± 7.07; Two: Study 62.56%"


def test_the_ladder_shows_a_variant_beside_the_study_in_a_row_and_a_colour_of_its_own(small_report: Path) -> None:
    publish(small_report, "first", "second")
    name(small_report, projects={"first": "One", "second": "Two"})
    require(small_report, weights="theirs")
    run = record("first", right=40, variant="ours", settings={"weights": "ours"})
    assert table(figure(page(small_report, "{{ ladder_chart() }}", run))) == [
        ["Project", "Study", "Reproduction", "Variant, no reproduction"],
        ["One", "62.56%", "–", "–"],
        ["One: from ours", "62.56%", "–", "40.00%"],
        ["Two", "62.56%", "–", "–"],
    ]


def test_a_variant_stands_below_its_own_project_and_not_below_one_whose_name_goes_on_like_its(
    small_report: Path,
) -> None:
    publish(small_report, "deep", "deeper")
    runs = [record(project, variant="ours") for project in ("deep", "deeper", "deepest")]
    rows = table(figure(page(small_report, "{{ ladder_chart() }}", *runs, record("deeper"))))[1:]
    ours = ": variant ours"
    assert [row[0] for row in rows] == ["deep", f"deep{ours}", "deeper", f"deeper{ours}", f"deepest{ours}"]


def test_the_figures_of_a_variant_stand_in_for_those_of_a_project_that_has_no_other_run(small_report: Path) -> None:
    """Each variant has its own, and says what it is; with a run of the project itself, they make room for it."""
    require(small_report, weights="theirs")
    wrong = (Mistake(index=3, label=0, prediction=1, probability=0.9),)
    runs = [record("first", variant=name, settings={"weights": name}, mistakes=wrong) for name in ("ours", "mine")]
    for run in runs:
        sheet_of = folder(reports.load(small_report).results, "first", 0, run.variant) / "mistakes.png"
        sheet_of.parent.mkdir(parents=True, exist_ok=True)
        sheet_of.write_bytes(SHEET)
    text = '{{ curves("first") }}\n\n{{ confusion("first") }}\n\n{{ mistakes("first") }}'
    rendered = page(small_report, text, *runs)
    found = re.findall(r'<figure class="rg-figure" id="([^"]*)"><p class="rg-figure-title">([^<]*)', rendered.markdown)
    kinds = {"curves": "Learning curves", "confusion": "Confusion matrix", "mistakes": "The most confident mistakes"}
    assert found == [
        (f"{kind}-first-{name}", f"{title}: 1 (from {name})")
        for kind, title in kinds.items()
        for name in ("mine", "ours")
    ]
    assert rendered.markdown.count("<figcaption>Variant, no reproduction. ") == 6
    assert {f"assets/charts/{identifier}.{end}" for identifier, _ in found[:4] for end in ("svg", "csv")} <= set(
        rendered.assets
    )
    beside = page(small_report, text, record("first", 1, settings={"weights": "theirs"}))
    assert re.findall(r'<figure class="rg-figure" id="([^"]*)"', beside.markdown) == ["curves-first", "confusion-first"]
    assert "Variant" not in beside.markdown


@pytest.mark.parametrize(
    ("call", "identifier"),
    [
        ('curves("first/mine", against="first")', "curves-first-mine-first"),
        ('curves("first", against="first/mine")', "curves-first-first-mine"),
        ('network("first/mine")', "network-first-mine"),
    ],
)
def test_a_figure_of_a_variant_has_an_anchor_and_files_beside_the_others(
    small_report: Path, call: str, identifier: str
) -> None:
    rendered = page(small_report, f"{{{{ {call} }}}}", record("first"), record("first", variant="mine"))
    assert f'<figure class="rg-figure" id="{identifier}">' in rendered.markdown
    assert {f"assets/charts/{identifier}.{end}" for end in ("svg", "csv")} <= set(rendered.assets)


def test_what_is_ours_stands_in_the_ladder_with_a_name_and_a_mark_of_its_own(small_report: Path) -> None:
    publish(small_report, "first")
    name(small_report, projects={"first": "One", "ours": "Ours"})
    runs = (record("first"), record("ours", right=70))
    found = figure(page(small_report, "{{ ladder_chart() }}", *runs))
    assert table(found) == [
        ["Project", "Study", "Reproduction", "Beyond the study"],
        ["One", "62.56%", "60.00%", "–"],
        ["Ours", "–", "–", "70.00%"],
    ]
    assert "Beyond the study" in words(found)
    assert "Beyond the study" in words(figure(page(small_report, "{{ accuracy_time() }}", *runs)))


def test_the_gap_is_training_less_test_seed_by_seed(small_report: Path) -> None:
    publish(small_report, "first")
    runs = [record("first", seed, right=right) for seed, right in [(0, 60), (1, 50)]]
    assert table(figure(page(small_report, "{{ gap_chart() }}", *runs)))[1:] == [["1", "+7.44 pp", "+20.00 pp ± 7.07"]]


def test_a_project_whose_place_is_not_known_is_named_below_the_chart(small_report: Path) -> None:
    name(small_report, short={"first": "Project 1"})
    found = figure(page(small_report, "{{ accuracy_parameters() }}", record("second")))
    assert "Not shown: Project 1." in (found.findtext(".//figcaption") or "")


def test_a_plane_without_any_place_says_so_in_a_sentence(small_report: Path) -> None:
    """As of times, where every run shared its machine."""
    shared = environment().model_copy(update={"side_by_side": 2})
    publish(small_report)
    found = page(small_report, "{{ accuracy_time() }}", record("first", environment=shared)).markdown
    assert "*Test accuracy against training time: of no project are both figures known.*" in found
    assert "<svg" not in found


def test_a_plane_names_no_series_without_a_place(small_report: Path) -> None:
    """As of a reproduction whose runs all shared their machine."""
    publish(small_report, "first")
    records.write_declaration(declaration("ours"), small_report / "declared")
    shared = environment().model_copy(update={"side_by_side": 2})
    runs = (record("first", environment=shared), record("ours", right=70))
    found = figure(page(small_report, "{{ accuracy_time() }}", *runs))
    head, first, ours = table(found)
    assert head[0] == "Project" and not any("Reproduction" in cell for cell in head)
    assert first[0] == "1" and "60.00%" not in first and "70.00%" in ours
    assert {"Study", "Beyond the study"} <= set(words(found)) and "Reproduction" not in words(found)


def test_where_only_the_study_has_times_neither_caption_nor_source_speaks_of_runs(small_report: Path) -> None:
    publish(small_report, "first")
    shared = environment().model_copy(update={"side_by_side": 2})
    found = figure(page(small_report, "{{ accuracy_time() }}", record("first", environment=shared)))
    caption = found.findtext(".//figcaption") or ""
    assert "Times of the recorded runs are not shown" in caption and "mean of its seeds" not in caption
    assert "record" not in "".join(found.itertext()).partition("Source:")[2]


def test_times_of_several_machines_are_told_apart_below_the_chart(small_report: Path) -> None:
    publish(small_report, "first", "second")
    larger = environment().model_copy(update={"cores": 64})
    found = figure(page(small_report, "{{ accuracy_time() }}", record("first"), record("second", environment=larger)))
    caption = found.findtext(".//figcaption") or ""
    assert "(A processor, 2 cores, tensorflow: 1; A processor, 64 cores, tensorflow: second)" in caption


@pytest.mark.parametrize(
    ("short", "signs"),
    [
        (("Project 1", "Project 2"), ("1", "2")),
        (("Project 10", "Project 11"), ("10", "11")),
        (("Project 1", "Project 10"), ("1", "10")),
        (("ResNet", "ResNet-B"), ("ResNet", "ResNet-B")),
        (("A network",), ("A network",)),
    ],
    ids=str,
)
def test_the_words_that_all_short_names_begin_with_are_left_out_beside_a_dot(
    small_report: Path, short: tuple[str, ...], signs: tuple[str, ...]
) -> None:
    projects = ("first", "second")[: len(short)]
    publish(small_report, *projects)
    name(small_report, short=dict(zip(projects, short, strict=True)))
    assert set(signs) <= set(words(figure(page(small_report, "{{ accuracy_time() }}"))))


def test_the_classes_stand_by_ease_and_the_projects_side_by_side(small_report: Path) -> None:
    def counts(right: dict[int, int]) -> list[list[int]]:
        """Of each class's hundred images, so many right (60 where not said), the others taken for the next class."""
        rows = [[0] * 10 for _ in range(10)]
        for k, row in enumerate(rows):
            row[k] = right.get(k, 60)
            row[(k + 1) % 10] = 100 - row[k]
        return rows

    confusion = counts({3: 100, 5: 55})
    cat = record("first", confusion=confusion, test={"accuracy": (8 * 60 + 155) / 1000, "cross_entropy": 1.0})
    found = figure(page(small_report, "{{ class_chart() }}", cat, record("second", right=60)))
    head, first, *_, last = table(found)
    assert head == ["Class \\ Project", "1", "second"]
    name(small_report, short={"first": "Network 1 of ours", "second": "Network 2 of ours"})
    named = figure(page(small_report, "{{ class_chart() }}", cat, record("second", right=60)))
    assert {"1 of ours", "2 of ours"} <= set(words(named)) and table(named)[0][1] == "Network 1 of ours"
    assert first == ["cat", "100.0%", "60.0%"]
    assert last == ["dog", "55.0%", "60.0%"]
    assert description(found).startswith("cat: from 60% (second) to 100% (1); ")


def of_two_classes(project: str, seed: int = 0) -> Record:
    """A run on another data set."""
    dataset = {**record().dataset.model_dump(), "name": "coins", "classes": ("heads", "tails"), "test": 200}
    return record(project, seed, dataset=dataset, confusion=[[60, 40], [40, 60]], mistakes=[])


def test_a_project_with_other_classes_is_named_below_the_chart_of_classes(small_report: Path) -> None:
    found = figure(page(small_report, "{{ class_chart() }}", record("first"), of_two_classes("second")))
    assert table(found)[0] == ["Class \\ Project", "1"]
    assert "With other classes, and so not shown: second." in (found.findtext(".//figcaption") or "")


@pytest.mark.parametrize("call", ['confusion("first")', "class_chart()"])
def test_seeds_with_different_classes_are_refused_in_a_sentence(small_report: Path, call: str) -> None:
    told = "line 1: the runs of first tell .*: seed 0 has the 10 classes of sample, seed 1 has the 2 classes of coins"
    with pytest.raises(ReportError, match=told):
        page(small_report, f"{{{{ {call} }}}}", record("first"), of_two_classes("first", 1))


def test_of_a_hundred_classes_a_page_shows_the_pairs_that_are_confused_most(small_report: Path) -> None:
    name(small_report, code="es", classes={"class 0": "gato", "class 1": "perro"})
    call = '{{ confusion("first") }}'
    found = figure(page(small_report, call, record("first", classes=MANY), code="es"))
    assert table(found)[:2] == [
        ["Error", "este error", "aciertos"],
        ["gato se confunde con perro", "40,00 %", "60,00 %"],
    ]
    assert description(found).startswith("gato se confunde con perro: este error 40,00 %, aciertos 60,00 %; ")
    assert "De 100 clases, los pares que más se confunden" in (found.findtext(".//figcaption") or "")
    assert len(table(found)) < 20 and len(description(found)) < 2000
    perfect = page(small_report, call, record("first", classes=MANY, right=100)).markdown
    assert perfect == "*No test image of this project was given a wrong prediction.*"


def test_of_a_hundred_classes_the_easiest_and_the_hardest_stand_in_the_chart_of_classes(small_report: Path) -> None:
    found = figure(page(small_report, "{{ class_chart() }}", record("first", classes=MANY)))
    assert [row[0] for row in table(found)[1:]] == [*MANY[:10], *MANY[-10:]]
    assert "Of 100 classes, the 10 easiest and the 10 hardest." in (found.findtext(".//figcaption") or "")


def test_two_projects_lie_over_each_other_by_name(small_report: Path) -> None:
    runs = [record("first", length=5), record("second", length=8), record("second", 1, length=9)]
    name(small_report, short={"first": "One", "second": "Two"})
    found = figure(page(small_report, '{{ curves("first", against="second") }}', *runs))
    assert {"One", "Two", "kept epoch"} <= set(words(found))
    assert len(table(found)) == 10
    assert table(found)[9][1] == "–", "the first project had ended"
    assert "One: seed 0: kept epoch 3 of 5" in description(found)


def test_in_the_table_of_curves_there_is_a_mean_as_long_as_all_seeds_train(small_report: Path) -> None:
    runs = [record("first", seed, length=length) for seed, length in enumerate((6, 8, 9))]
    rows = table(figure(page(small_report, '{{ curves("first") }}', *runs)))
    assert [row[1] for row in rows[6:]] == ["0.333 (0.333 – 0.333)", "(0.286 – 0.286)", "(0.250 – 0.250)", "(0.222)"]


@pytest.mark.parametrize("call", OF_RUNS)
def test_a_chart_of_runs_without_a_run_says_so_by_name(small_report: Path, call: str) -> None:
    publish(small_report, "first", "second")
    titles = {"curves": "Learning curves", "confusion": "Confusion matrix", "class_chart": "Test accuracy by class"}
    title = titles.get(call.partition("(")[0])
    said = f"*{title}: there is no recorded run yet" if title else "*There is no recorded run of this project"
    assert page(small_report, f"{{{{ {call} }}}}").markdown.startswith(said)


@pytest.mark.parametrize("call", OF_ALL)
def test_a_chart_of_all_projects_stands_without_any_run(small_report: Path, call: str) -> None:
    publish(small_report, "first", "second")
    assert len(table(figure(page(small_report, f"{{{{ {call} }}}}")))) == 3
    publish(small_report)
    assert page(small_report, f"{{{{ {call} }}}}").markdown.endswith(": there is no recorded run yet.*"), "and no study"


@pytest.mark.parametrize("call", [*OF_ALL, *OF_RUNS, 'mistakes("first")'])
def test_a_name_with_markup_stays_text(small_report: Path, call: str) -> None:
    publish(small_report, "first", "second")
    names = {"first": HOSTILE, "second": f"{HOSTILE}2"}
    name(
        small_report,
        projects=names,
        short=names,
        classes={one: HOSTILE + one for one in CLASSES},
        datasets={"sample": HOSTILE},
    )
    (folder(reports.load(small_report).results, "first", 0)).mkdir(parents=True)
    (folder(reports.load(small_report).results, "first", 0) / "mistakes.png").write_bytes(SHEET)
    rendered = page(small_report, f"{{{{ {call} }}}}", record("first"), record("second"))
    assert "<b>" not in rendered.markdown
    assert "&lt;b&gt;" in rendered.markdown


@pytest.mark.parametrize("call", OF_RUNS[1:])
@pytest.mark.parametrize("length", [1, 2])
def test_a_run_of_an_epoch_or_two_has_its_figures(small_report: Path, call: str, length: int) -> None:
    rendered = page(small_report, f"{{{{ {call} }}}}", record("first", length=length), record("second", length=length))
    assert len(table(figure(rendered))) > 1


@pytest.mark.parametrize("call", ['curves("first")', "ladder_chart()", 'confusion("first")'])
def test_thirty_seeds_stand_in_one_figure_whose_table_is_no_longer_for_them(small_report: Path, call: str) -> None:
    few = page(small_report, f"{{{{ {call} }}}}", *(record("first", seed) for seed in range(2)))
    many = page(small_report, f"{{{{ {call} }}}}", *(record("first", seed) for seed in range(30)))
    assert len(table(figure(many))) == len(table(figure(few)))


def test_a_very_long_class_name_is_clipped_in_the_chart_and_whole_in_the_table(small_report: Path) -> None:
    name(small_report, classes={"cat": "c" * 300})
    found = figure(page(small_report, '{{ confusion("first") }}', record("first")))
    assert max(map(len, words(found))) < 40
    assert any("c" * 300 in cell for row in table(found) for cell in row)


def test_a_network_is_drawn_from_its_layers_with_the_share_of_each(small_report: Path) -> None:
    layers = [
        {"name": "maps", "type": "Convolution", "output_shape": (None, 8, 8, 16), "parameters": 250},
        {"name": "noise", "type": "Noise", "output_shape": (None, 8, 8, 16), "parameters": 0},
        {"name": "any", "type": "Sequence", "output_shape": (None, None, 4), "parameters": 0},
        {"name": "one", "type": "Number", "output_shape": (None,), "parameters": 0},
        {"name": "out", "type": "Dense", "output_shape": (None, 10), "parameters": 750},
    ]
    network = {"name": "net", "layers": layers, "parameters": 1000, "trainable": 1000, "non_trainable": 0}
    found = figure(page(small_report, '{{ network("first") }}', record("first", network=network)))
    assert {"25", "75", "Convolution 8×8×16", "Dense 10", "with parameters"} <= set(words(found))
    assert table(found)[1] == ["maps (Convolution)", "8 × 8 × 16", "250"]
    assert description(found).endswith("Sequence – × 4, 0 parameters; Number 1, 0 parameters; Dense 10, 750 parameters")


def test_without_a_run_the_network_is_drawn_as_declared_with_the_layers_inside_a_layer(small_report: Path) -> None:
    def layer(name: str, parameters: int) -> dict[str, object]:
        return {"name": name, "type": "Dense", "output_shape": (None, 10), "parameters": parameters}

    network = {"name": "net", "layers": [layer("base", 300), layer("out", 100)], "parameters": 400}
    declared = declaration(
        "first",
        network={**network, "trainable": 400, "non_trainable": 0},
        inner={"base": (layer("early", 100), layer("late", 200))},
    )
    records.write_declaration(declared, small_report / "declared")
    found = figure(page(small_report, '{{ network("first") }}'))
    assert [row[0] for row in table(found)[1:]] == ["early (Dense)", "late (Dense)", "out (Dense)"]
    assert {"25", "50"} <= set(words(found))
    assert "what the script declares, not run yet" in "".join(found.itertext())


def test_where_nothing_was_mistaken_no_picture_of_it_is_missing(small_report: Path) -> None:
    call = '{{ mistakes("first") }}'
    assert page(small_report, call, record("first", right=100, mistakes=[])).markdown.strip() == (
        "*No test image of this project was given a wrong prediction.*"
    )
    some = page(small_report, call, record("first", right=100, mistakes=[]), record("first", 1, mistakes=[]))
    assert "left a picture of its mistakes" in some.markdown


def test_the_mistakes_are_a_gallery_with_words_and_a_table_of_the_same(small_report: Path) -> None:
    picture = folder(reports.load(small_report).results, "first", 0) / "mistakes.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(SHEET)
    wrong = [{"index": 7 + k, "label": 3, "prediction": 4, "probability": 0.99} for k in range(7)]
    rendered = page(small_report, '{{ mistakes("first") }}', record("first", mistakes=wrong))
    assert rendered.assets["assets/records/first/seed-0/mistakes.png"] == picture
    assert rendered.markdown.count('<image href="assets/charts/mistakes-first.png"') == 7
    small = rendered.assets["assets/charts/mistakes-first.png"]
    assert isinstance(small, bytes)
    assert Image.open(io.BytesIO(small)).size == (168, 66)
    assert 'aria-label="Test image 7, label cat, prediction deer"' in rendered.markdown
    assert 'viewBox="102 102 96 96"' in rendered.markdown, "the seventh: second row, second column"
    assert table(figure(rendered))[1] == ["7", "cat", "deer", "99.00%"]


def test_another_program_or_library_makes_the_small_picture_anew(
    small_report: Path, code_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = folder(reports.load(small_report).results, "first", 0) / "mistakes.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(SHEET)
    wrong = [{"index": 7 + k, "label": 3, "prediction": 4, "probability": 0.99} for k in range(7)]
    made: list[Path] = []

    def kept(file: Path, make: Callable[[], bytes]) -> Path:
        made.append(file)
        return cache.kept(file, make)

    monkeypatch.setattr(figures, "kept", kept)
    page(small_report, '{{ mistakes("first") }}', record("first", mistakes=wrong))
    monkeypatch.setattr(cache, "version", lambda _: "another")
    cache.code.cache_clear()
    page(small_report, '{{ mistakes("first") }}')
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: b"new" if file.name == "figures.py" else read(file))
    cache.code.cache_clear()
    page(small_report, '{{ mistakes("first") }}')
    assert len(made) == len({*made}) == 3


def test_mistakes_without_their_picture_are_said_to_be_missing(small_report: Path) -> None:
    rendered = page(small_report, '{{ mistakes("first") }}', record("first"))
    assert rendered.markdown == "*No recorded run of this project left a picture of its mistakes.*"


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.mark.parametrize("content", [LFS, b"", SHEET[:100], SHEET.replace(b"IDAT", b"IDAX")])
def test_a_picture_that_is_none_or_cut_off_is_named_with_what_brings_it_back(
    small_report: Path, content: bytes
) -> None:
    picture = folder(reports.load(small_report).results, "first", 0) / "mistakes.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(content)
    wrong = (Mistake(index=3, label=0, prediction=1, probability=0.9),)
    with pytest.raises(ReportError, match=r"results/first/seed-0/mistakes\.png: no picture, .* `git lfs pull`"):
        page(small_report, '{{ mistakes("first") }}', record("first", mistakes=wrong))


@pytest.mark.parametrize("call", ['curves("first")', 'curves("first", against="second")'])
def test_without_a_history_a_page_stands_and_says_that_the_epochs_are_missing(small_report: Path, call: str) -> None:
    publish(small_report, "first", "second")
    text = f'{{{{ {call} }}}}\n\n{{{{ confusion("first") }}}}\n\n{{{{ results("first") }}}}\n'
    rendered = page(small_report, text, record("first", history=()), record("second"), code="es")
    assert "*Ninguna ejecución registrada de este proyecto detalla sus épocas.*" in rendered.markdown
    assert 'id="confusion-first"' in rendered.markdown
    assert "sin registrar" in rendered.markdown.partition("Épocas")[2]


def test_a_seed_without_a_history_leaves_the_curves_to_the_others(small_report: Path) -> None:
    found = figure(page(small_report, '{{ curves("first") }}', record("first"), record("first", 1, history=())))
    assert "seed 0: kept epoch 6 of 9" in description(found)
    assert "seed 1" not in description(found)


def test_the_sheet_of_mistakes_is_read_as_it_is_written() -> None:
    assert (figures.SHEET_COLUMNS, figures.SHEET_SCALE, figures.SHEET_GAP) == (
        sheet.COLUMNS,
        sheet.SCALE,
        sheet.GAP,
    )


@pytest.mark.parametrize("code", ["en", "es"])
def test_what_weights_see_stands_with_its_pictures_its_controls_and_its_files(small_report: Path, code: str) -> None:
    text = "{{ features() }}"
    absent = {"en": "Nobody has looked yet", "es": "Aún no se ha mirado"}[code]
    assert absent in page(small_report, text, code=code).markdown
    with (small_report / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('pretraining = "pretraining"\n')
    name(small_report, code, classes={"airplane": HOSTILE})
    folder = small_report / "pretraining" / "set-32px"
    file = features.write(made_up(), folder / FILE)
    missing = page(small_report, text, code=code)
    assert "pretraining/set-32px/filters.png" in missing.markdown, "a picture that is missing is named"
    (folder / FILTERS).write_bytes(LFS)
    Image.new("RGBA", (3 * 102 - 6, 2 * 102 - 6)).save(folder / NEIGHBOURS)
    with pytest.raises(ReportError, match=r"pretraining/set-32px/filters\.png: no picture"):
        page(small_report, text, code=code)
    Image.new("RGBA", (90, 18)).save(folder / FILTERS)
    rendered = page(small_report, text, code=code, path="further.md")
    figures_of_it = re.findall(r"<figure.*?</figure>", rendered.markdown, re.DOTALL)
    assert len(figures_of_it) == 2 and not any("\n\n" in found for found in figures_of_it)
    filters, alike = figures_of_it
    assert 'src="../assets/pretraining/set-32px/filters.png" width="90" height="18"' in filters
    assert re.search(r'alt="[^"]*\b4\b', filters)
    assert "3 × 3" not in filters, "nothing says how large they are"
    assert alike.count("<svg") == 6
    assert 'viewBox="204 102 96 96"' in alike, "the second neighbour of the second image"
    assert html.escape(HOSTILE, quote=False) in alike.replace("&#34;", '"') and HOSTILE not in alike
    assert alike.count("rg-right") == 2 and alike.count("rg-wrong") == 2
    assert [alike.replace(",", ".").count(alikeness) for alikeness in ("0.88", "−0.50")] == [2, 2]
    cells = [
        [
            re.sub(r"<[^>]*>", "", cell).replace(",", ".").rstrip("% \xa0\u202f")
            for cell in re.findall(r"<td.*?</td>", row)
        ]
        for row in alike[alike.rindex("<tbody>") :].split("</tr>")[:-1]
    ]
    assert cells == [["50.00", "62.50"], ["43.75", "–"], ["37.50", "–"], ["25.00", "–"]], "a row a way, a column a size"
    assert "(BGR)" in alike, "another preparation is named"
    numbers = '{{ same_class("weights", 64) }}; {{ same_class("pixels", 32) }}; {{ same_class("weights", 32, "BGR") }}'
    sentence = page(small_report, numbers, code=code).markdown.replace(",", ".")
    assert re.findall(r"\d+\.\d+", sentence) == ["62.50", "25.00", "43.75"], "the same in a sentence"
    assert {"en": "not run yet", "es": "aún sin ejecutar"}[code] in page(
        small_report, "{{ same_class('weights', 48) }}", code=code
    ).markdown
    with pytest.raises(ReportError, match="'wieghts' is no way in which images are compared: weights, untr"):
        page(small_report, "{{ same_class('wieghts', 32) }}", code=code)
    small = rendered.assets["assets/charts/set-32px-neighbours.png"]
    assert isinstance(small, bytes)
    assert Image.open(io.BytesIO(small)).size == (100, 66)
    assert rendered.assets["assets/pretraining/set-32px/features.json"] == file


def script_data(page: Page) -> dict[str, Any]:
    """What a figure hands to the script that makes it answer."""
    (found,) = re.findall(r'<script type="application/json" class="rg-json">(.*?)</script>', page.markdown)
    data: dict[str, Any] = json.loads(found)
    return data


def test_a_script_gets_the_numbers_of_the_chart_and_the_colours_by_name(small_report: Path) -> None:
    publish(small_report, "first")
    data = script_data(page(small_report, "{{ ladder_chart() }}", record("first", right=60)))
    assert data["kind"] == "Dots"
    assert [one["colour"] for one in data["series"]] == ["ink", "reproduction"]
    assert (data["words"]["points"], data["words"]["language"]) == ("pp", "en")
    assert data["rows"][0]["marks"] == [{"value": 0.6256, "spread": None}, {"value": 0.6, "spread": None}]


def test_a_script_finds_the_curves_of_every_other_project_that_has_a_run(small_report: Path) -> None:
    rendered = page(small_report, '{{ curves("first") }}', record("first"), record("second"), path="further.md")
    (other,) = script_data(rendered)["others"]
    assert other == {"name": "second", "href": "../assets/charts/curves-second.json"}
    beside = rendered.assets["assets/charts/curves-second.json"]
    assert isinstance(beside, str)
    assert json.loads(beside)["panels"][0]["lines"][0]["runs"][0]["kept"] == 6


def test_what_a_script_gets_cannot_end_it(small_report: Path) -> None:
    name(small_report, classes={"cat": "</script><script>alert(1)"})
    data = script_data(page(small_report, '{{ confusion("first") }}', record("first")))
    assert "</script><script>alert(1)" in data["rows"]


def test_what_is_said_of_a_kept_epoch_is_of_that_epoch_and_of_the_validation_images(small_report: Path) -> None:
    found = figure(page(small_report, '{{ curves("first") }}', record("first")))
    assert "seed 0: kept epoch 6 of 9, validation accuracy 63.33%" in description(found)


def test_nothing_is_to_be_laid_over_curves_that_lie_over_each_other_already(small_report: Path) -> None:
    runs = [record(project) for project in ("first", "second", "third")]
    assert script_data(page(small_report, '{{ curves("first", against="second") }}', *runs))["others"] == []


def test_a_run_without_a_history_is_no_curve_to_lay_over(small_report: Path) -> None:
    rendered = page(small_report, '{{ curves("first") }}', record("first"), record("second", history=()))
    assert script_data(rendered)["others"] == []


def test_several_seeds_of_the_second_project_alone_are_explained_too(small_report: Path) -> None:
    runs = [record("first"), record("second"), record("second", 1)]
    found = figure(page(small_report, '{{ curves("first", against="second") }}', *runs))
    assert "Thin: each seed." in (found.findtext(".//figcaption") or "")


def test_as_many_classes_of_other_names_are_other_classes(small_report: Path) -> None:
    others = [f"other {k}" for k in range(10)]
    with pytest.raises(ReportError, match="the runs of first tell different classes apart"):
        page(small_report, '{{ confusion("first") }}', record("first"), record("first", 1, classes=others))


def test_seeds_before_and_after_a_class_got_another_name_are_told_apart_with_the_command_that_trains_the_old_ones(
    small_report: Path,
) -> None:
    command = "python -m experiments run first --seed 0 --profile full --data DIR --force"
    old = [record("first", seed, command=command.replace("seed 0", f"seed {seed}")) for seed in (0, 1)]
    classes = ["gato" if name == "cat" else name for name in CLASSES]
    new = record("first", 3, classes=classes, started=datetime(2026, 4, 1, tzinfo=UTC))
    with pytest.raises(ReportError) as told:
        page(small_report, '{{ confusion("first") }}', *old, new)
    assert "on the same images, seeds 0, 1 say cat where the latest, seed 3, says gato. Train" in str(told.value)
    assert f"`{command.replace('--seed 0', '--seed 0 --seed 1')}`" in str(told.value)


def test_of_several_pictures_the_source_tells_how_many_records_there_are(small_report: Path) -> None:
    for runs, told in (([record("first")], "one record (sample)"), ([record("first", 1)], "2 records (sample)")):
        shown = "".join(figure(page(small_report, '{{ curves("first") }}', *runs)).itertext())
        assert told in shown


def test_a_ladder_counts_the_records_that_it_shows_with_those_of_variants(small_report: Path) -> None:
    publish(small_report, "first")
    require(small_report, weights="theirs")
    runs = [record("first", k, settings={"weights": "theirs"}) for k in (0, 1)]
    runs.append(record("first", variant="ours", settings={"weights": "ours"}))
    shown = "".join(figure(page(small_report, "{{ ladder_chart() }}", *runs)).itertext())
    assert "the study's printed figures and 3 records (sample)" in shown
    shown = "".join(figure(page(small_report, "{{ gap_chart() }}")).itertext())
    assert "the study's printed figures and 2 records (sample)" in shown


def test_without_a_study_charts_show_the_results_and_no_other_source(small_report: Path) -> None:
    alone(small_report)
    runs = [record("first", right=70), record("first", 1, right=72)]
    found = figure(page(small_report, "{{ ladder_chart() }}", *runs))
    assert table(found) == [["Project", "Results"], ["1", "71.00% ± 1.41"]]
    assert "Source: 2 records (sample)" in " ".join("".join(found.itertext()).split())
    times = figure(page(small_report, "{{ accuracy_time() }}", *runs)).findtext(".//figcaption") or ""
    assert "Across" in times and "study" not in times


def test_a_project_of_which_nothing_is_known_has_no_row(small_report: Path) -> None:
    records.write_declaration(declaration("ours"), small_report / "declared")
    found = figure(page(small_report, "{{ ladder_chart() }}", record("first")))
    assert [row[0] for row in table(found)] == ["Project", "1"] and table(found)[0][-1] == "Reproduction"


def test_the_classes_of_another_data_set_are_named_and_their_records_not_counted(small_report: Path) -> None:
    others = [f"other {k}" for k in range(10)]
    found = figure(page(small_report, "{{ class_chart() }}", record("first"), record("second", classes=others)))
    assert table(found)[0] == ["Class \\ Project", "1"]
    assert "With other classes, and so not shown: second." in (found.findtext(".//figcaption") or "")
    assert "one record (sample)" in "".join(found.itertext())


def test_five_mistakes_are_one_row(small_report: Path) -> None:
    picture = folder(reports.load(small_report).results, "first", 0) / "mistakes.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(SHEET)
    wrong = [{"index": 7 + k, "label": 3, "prediction": 4, "probability": 0.99} for k in range(5)]
    rendered = page(small_report, '{{ mistakes("first") }}', record("first", mistakes=wrong))
    sizes = re.findall(r'<image href="[^"]*" width="(\d+)" height="(\d+)"', rendered.markdown)
    assert set(sizes) == {("504", "96")}


def test_times_on_one_machine_are_compared_with_the_study_s_alone(small_report: Path) -> None:
    publish(small_report, "first")
    caption = figure(page(small_report, "{{ accuracy_time() }}")).findtext(".//figcaption") or ""
    assert "The study's machine was another one; only times of one colour" in caption
    assert "are not shown" not in caption, "there is no run"


def test_a_variant_without_a_study_is_called_no_reproduction_of_anything(small_report: Path) -> None:
    alone(small_report)
    found = figure(page(small_report, "{{ ladder_chart() }}", record("first"), record("first", variant="ours")))
    assert table(found)[0] == ["Project", "Results", "Variant"]
    assert [row[1:] for row in table(found)[1:]] == [["60.00%", "–"], ["–", "60.00%"]]


ENGLISH = language("en")
STUDY, OURS = (
    Series("published", "Study", drawings.INK, hollow=True),
    Series("reproduced", "Runs", drawings.REPRODUCTION, hollow=False),
)
DOTS = Dots(
    "Project",
    "Accuracy",
    "percent",
    (STUDY, OURS),
    (Row("one", "Project 1", (Mark(0.62561234), Mark(0.55, 0.0123))), Row("two", "Project 2", (None, Mark(0.5)))),
)
PLANE = Plane(
    "Project",
    "Time",
    "seconds",
    "Accuracy",
    "percent",
    (STUDY, OURS),
    (Spot("one", "1", "Project 1", (None, (47.4, Mark(0.55, 0.0123)))),),
)


def rows(drawing: drawings.Drawing) -> list[list[str]]:
    """The file of a chart's numbers, without its first line."""
    return [*csv.reader(io.StringIO(frame.csv_text(drawing)))][1:]


def test_the_file_of_a_chart_has_its_numbers_as_they_are_by_the_identifier_of_each_row() -> None:
    assert frame.csv_text(DOTS) == (
        "row,published,published_spread,reproduced,reproduced_spread\none,0.62561234,,0.55,0.0123\ntwo,,,0.5,\n"
    )
    assert frame.csv_text(PLANE) == (
        "row,published_x,published_y,published_y_spread,reproduced_x,reproduced_y,reproduced_y_spread\n"
        "one,,,,47.4,0.55,0.0123\n"
    )


def test_the_file_of_curves_counts_epochs_from_one_and_marks_the_one_that_was_kept() -> None:
    line = Line("val_accuracy", "validation", drawings.VALIDATION, True, (Run("Seed 3", (0.12345678, 0.5, 0.4), 2),))
    drawing = Curves("Epoch", "kept epoch", (Panel("accuracy", "Accuracy", "percent", (line,)),))
    assert rows(drawing) == [
        ["val_accuracy", "validation", "Seed 3", str(epoch), value, kept]
        for epoch, value, kept in ((1, "0.12345678", "0"), (2, "0.5", "1"), (3, "0.4", "0"))
    ]
    assert [row[0] for row in frame.table(drawing, ENGLISH).rows] == ["1", "2", "3"]


def test_a_side_that_is_not_fixed_is_empty_in_the_file_of_a_network() -> None:
    drawing = Diagram("Layer", "Output", "Share", ("with", "without"), (Box("any", "Sequence", (None, 4), 9),))
    assert rows(drawing) == [["any", "Sequence", "x4", "9"]]


def test_what_a_plane_shows_is_told_with_both_quantities_and_only_where_it_has_a_place() -> None:
    assert frame.text(PLANE, ENGLISH).replace("\u00a0", " ") == "Project 1: Runs 47.4 s, 55.00% ± 1.23"
    assert [cell.replace("\u00a0", " ") for cell in frame.table(PLANE, ENGLISH).rows[0]] == [
        *("Project 1", "–", "–"),
        *("47.4 s", "55.00% ± 1.23"),
    ]


def test_of_a_matrix_each_row_is_told_by_its_own_cells() -> None:
    right = Matrix("Label", "Prediction", ("cat", "dog"), ("cat", "dog"), ((0.9, 0.1), (0.3, 0.7)), diagonal=True)
    assert frame.text(right, ENGLISH) == "cat: 90% right; dog: 70% right"
    assert frame.table(right, ENGLISH).rows[1] == ("dog", "30.0%", "70.0%")
    by_class = Matrix("Class", "Project", ("cat",), ("1", "2"), ((0.9, 0.1),), diagonal=False)
    assert frame.text(by_class, ENGLISH) == "cat: from 10% (2) to 90% (1)"


def test_a_script_gets_numbers_as_exact_as_they_can_be_seen() -> None:
    assert frame.data(DOTS)["rows"][0]["marks"] == [
        {"value": 0.625612, "spread": None},
        {"value": 0.55, "spread": 0.0123},
    ]


def test_a_script_gets_the_names_beside_a_matrix_as_they_are_drawn() -> None:
    long = ("animals without a backbone: in water", "animals without a backbone: on land")
    apart = ["animals…in water", "animals…on land"]
    cells = ((0.9, 0.1), (0.3, 0.7))
    found = frame.data(Matrix("Label", "Prediction", long, long, cells, diagonal=True))
    assert (found["row_labels"], found["column_labels"], found["rows"]) == (apart, apart, [*long])
    found = frame.data(Matrix("Class", "Project", long, long, cells, diagonal=False, signs=("1", "2")))
    assert (found["row_labels"], found["column_labels"]) == (apart, ["1", "2"])


LINE = Line("val_accuracy", "validation", drawings.VALIDATION, True, (Run("Seed 3", (0.5, 0.25), 2),))


@pytest.mark.parametrize(
    ("drawing", "head", "first"),
    [
        (
            Curves("Epoch", "kept epoch", (Panel("accuracy", "Accuracy", "percent", (LINE,)),)),
            ("Epoch", "Accuracy, validation"),
            "quantity,line,run,epoch,value,kept",
        ),
        (
            PLANE,
            ("Project", "Study: Time", "Study: Accuracy", "Runs: Time", "Runs: Accuracy"),
            "row,published_x,published_y,published_y_spread,reproduced_x,reproduced_y,reproduced_y_spread",
        ),
        (
            Matrix("Label", "Prediction", ("cat",), ("cat", "dog"), ((0.9, 0.1),), diagonal=False),
            ("Label \\ Prediction", "cat", "dog"),
            "row,cat,dog",
        ),
        (
            Diagram("Layer", "Output", "Share", ("with", "without"), (Box("any", "Dense", (4,), 9),)),
            ("Layer", "Output", "Parámetros"),
            "layer,type,shape,parameters",
        ),
    ],
)
def test_the_head_of_a_table_and_of_a_file_says_what_stands_in_each_column(
    drawing: drawings.Drawing, head: tuple[str, ...], first: str
) -> None:
    assert frame.table(drawing, language("es")).head == head
    assert frame.csv_text(drawing).splitlines()[0] == first


def test_runs_that_agree_have_a_spread_of_nought_and_a_single_run_has_none() -> None:
    drawing = Dots("Project", "Accuracy", "percent", (OURS,), (Row("one", "1", (Mark(0.5, 0.0),)),))
    assert frame.table(drawing, ENGLISH).rows == (("1", "50.00% ± 0.00"),)
    assert rows(drawing) == [["one", "0.5", "0.0"]]
    assert frame.table(DOTS, ENGLISH).rows[0] == ("Project 1", "62.56%", "55.00% ± 1.23")


def test_of_several_runs_a_table_has_the_smallest_and_the_largest_whichever_came_first() -> None:
    runs = tuple(Run(f"Seed {k}", values, 1) for k, values in enumerate([(0.5, 0.2), (0.75,), (0.25, 0.1, 0.9)]))
    line = Line("accuracy", "training", drawings.TRAIN, False, runs)
    found = frame.table(Curves("Epoch", "kept epoch", (Panel("accuracy", "A", "percent", (line, LINE)),)), ENGLISH).rows
    assert found == (
        ("1", "50.00% (25.00% – 75.00%)", "50.00%"),
        ("2", "(10.00% – 20.00%)", "25.00%"),
        ("3", "(90.00%)", "–"),
    )
