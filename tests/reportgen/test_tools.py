"""What the tools of a page have in common: what a project or a variant is called, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from reportgen import record as records
from reportgen import report as reports
from reportgen.edition import Edition
from reportgen.errors import ReportError
from reportgen.material import gather
from reportgen.record import Record, Setting
from reportgen.tools import PageTools
from tests.reportgen.test_render import DENSE, HIDDEN, of_network, page, requiring
from tests.synthetic import declaration, record

PLAN: dict[str, Setting] = {"epochs": 40, "mirror": True}


def tools(root: Path, *runs: Record, path: str = "index.md", **names: Mapping[str, str] | str) -> PageTools:
    """What a page of a report with these runs may use, its English catalogue with other names."""
    file = root / "docs" / "en" / "catalogue.yml"
    words = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**words, **names}), encoding="utf-8")
    report = reports.load(root)
    for run in runs:
        records.write(run, report.results)
    return PageTools(Edition(gather(report), "en"), path, {})


@pytest.mark.parametrize(
    ("path", "file", "links"),
    [
        ("index.md", "a.svg", {"index.md": "", "further.md": "further/", "more/index.md": "more/"}),
        ("further.md", "../a.svg", {"index.md": "../", "further.md": "../further/", "more/1.md": "../more/1/"}),
        ("more/index.md", "../a.svg", {"index.md": "../", "more/index.md": "../more/", "more/1.md": "../more/1/"}),
        ("more/1.md", "../../a.svg", {"index.md": "../../", "more/2.md": "../../more/2/"}),
    ],
)
def test_a_link_leads_to_where_mkdocs_publishes_a_page_or_a_file(
    small_report: Path, path: str, file: str, links: dict[str, str]
) -> None:
    known = tools(small_report, path=path)
    assert known.link("a.svg") == file
    assert {target: known.page_link(target) for target in links} == links


@pytest.mark.parametrize(
    ("settings", "briefly", "apart"),
    [
        ({"epochs": 1}, "1 epoch", "Epochs: 1 instead of 40"),
        ({"epochs": 3}, "3 epochs", "Epochs: 3 instead of 40"),
        ({"batch_size": 1}, "batches of 1", "Batch size: 1 instead of –"),
        ({"decay": 0.5}, "Decay 0.5", "Decay: 0.5 instead of –"),
        ({"mirror": None}, "without mirror", "Mirror: – instead of yes"),
        ({"mirror": False}, "without mirror", "Mirror: no instead of yes"),
        ({"epochs": None}, "without epochs", "Epochs: – instead of 40"),
        ({"weights": "theirs"}, "from the weights of others", "Initial weights: the weights of others instead of –"),
        ({"weights_sha256": "ab"}, "variant other", "variant other"),
    ],
)
def test_a_variant_is_told_by_each_setting_that_it_or_its_project_alone_has(
    small_report: Path, settings: dict[str, Setting], briefly: str, apart: str
) -> None:
    records.write_declaration(declaration("mine", settings=PLAN), small_report / "declared")
    run = record("mine", variant="other", settings={**PLAN, **settings})
    known = tools(small_report, run, values={"theirs": "the weights of others"})
    (variant,) = known.facts("mine").variants
    assert (known.briefly(variant), known.apart(variant)) == (briefly, apart)


def test_a_project_is_called_by_its_short_name_and_a_variant_by_what_sets_it_apart(small_report: Path) -> None:
    runs = [record("first", variant=name, settings={"epochs": epochs}) for name, epochs in (("one", 1), ("two", 2))]
    short, projects = {"first": "P1"}, {"first": "Project 1"}
    known = tools(small_report, *runs, short=short, projects=projects, mention="the project {name}")
    assert (known.short("first"), known.full_title("first")) == ("P1", "Project 1")
    assert known.mention("first") == "the project P1"
    assert known.short("first/two") == known.full_title("first/two") == "P1 (variant two)"
    assert known.short("first/gone") == "P1 (gone)"
    with pytest.raises(ReportError, match="'frist' is not a known project; did you mean 'first'"):
        known.full_title("frist")


def test_what_a_project_plans_is_its_first_run_then_what_it_declares_then_the_run_of_a_variant(
    small_report: Path,
) -> None:
    runs = [record("mine", variant="small", settings={"epochs": 1})]
    assert tools(small_report, *runs).planned("mine") == runs[0]
    plan = declaration("mine", settings={"epochs": 40})
    records.write_declaration(plan, small_report / "declared")
    assert tools(small_report).planned("mine") == plan
    own = record("mine", settings={"epochs": 40})
    assert tools(small_report, own).planned("mine") == own
    assert tools(small_report).planned("first") is None


def test_the_layers_within_a_layer_are_those_of_the_same_network_only(small_report: Path) -> None:
    inner = {"dense": (HIDDEN,)}
    records.write_declaration(declaration("mine", network=of_network(DENSE), inner=inner), small_report / "declared")
    assert [*tools(small_report, record("mine", network=of_network(DENSE))).inner_layers("mine")] == ["dense"]
    assert tools(small_report, record("mine", network=of_network(HIDDEN, DENSE))).inner_layers("mine") == {}


def test_names_of_classes_and_of_data_sets_are_the_catalogue_s_each_once(small_report: Path) -> None:
    other = record("first", 2, dataset={**record().dataset.model_dump(), "name": "other"})
    runs = [record("first", 0), record("first", 1), other]
    known = tools(small_report, classes={"cat": "Cat"}, datasets={"sample": "A sample"})
    assert known.class_names(["cat", "dog"]) == ["Cat", "dog"]
    assert known.dataset_names(runs) == "A sample; other"
    assert [known.in_words(value) for value in (True, False, None, "", "sample")] == ["yes", "no", "–", "–", "A sample"]


def test_a_file_beside_the_record_of_a_variant_stands_apart_from_the_project_s(small_report: Path) -> None:
    known = tools(small_report)
    runs = [record("first", 3), record("first", 3, variant="ours")]
    places = [known.asset(run, "record.json") for run in runs]
    assert places == [f"assets/records/first/{part}seed-3/record.json" for part in ("", "ours/")]
    assert [known.assets[place] for place in places] == [
        small_report / "results" / "first" / part / "seed-3" / "record.json" for part in ("", "ours")
    ]


def test_a_variant_that_leaves_out_what_its_project_declares_is_told_by_that(small_report: Path) -> None:
    records.write_declaration(declaration("mine", settings=PLAN), small_report / "declared")
    known = tools(small_report, record("mine", variant="other", settings={"epochs": 40}))
    assert known.short("mine/other") == "mine (without mirror)"


def test_a_variant_of_an_unknown_project_is_named_by_that_with_the_nearest(small_report: Path) -> None:
    with pytest.raises(ReportError, match=r"line 1: 'frist' is not a known project; did you mean 'first'\?$"):
        page(small_report, '{{ results("frist/ours") }}', record("first", variant="ours"))


def test_a_variant_that_nobody_has_run_has_nothing_of_what_its_project_declares(small_report: Path) -> None:
    records.write_declaration(declaration("mine"), small_report / "declared")
    for code, told in (
        ("en", "There is no recorded run of this project yet."),
        ("es", "Todavía no hay ninguna ejecución registrada de este proyecto."),
    ):
        assert page(small_report, '{{ layers("mine/gone") }}', code=code).markdown == f"*{told}*"


def test_of_several_runs_or_variants_the_first_tells_what_a_project_plans(small_report: Path) -> None:
    variants = [record("first", variant=name, settings={"epochs": epochs}) for name, epochs in (("a", 1), ("b", 2))]
    assert tools(small_report, *variants).planned("first") == variants[0]
    runs = [record("first", seed, settings={"epochs": 3 + seed}) for seed in (0, 1)]
    assert tools(small_report, *runs).planned("first") == runs[0]


def test_a_project_with_a_slash_and_no_variant_behind_it_has_its_title(small_report: Path) -> None:
    assert tools(small_report, projects={"first": "Project 1"}).full_title("first/") == "Project 1"


def test_of_several_runs_of_a_variant_the_first_tells_what_sets_it_apart(small_report: Path) -> None:
    records.write_declaration(declaration("mine", settings={"epochs": 40}), small_report / "declared")
    runs = [record("mine", seed, variant="few", settings={"epochs": 3 + seed}) for seed in (0, 1)]
    assert tools(small_report, *runs).short("mine/few") == "mine (3 epochs)"


def test_what_sets_a_variant_apart_stands_in_the_order_of_its_names_beginning_with_what_the_study_requires(
    small_report: Path,
) -> None:
    requiring(small_report, weights="theirs")
    plan = {"weights": "theirs", "mirror": True, "epochs": 40, "decay": 0.1, "batch_size": 512}
    records.write_declaration(declaration("first", settings=plan), small_report / "declared")
    changed = {"weights": "ours", "mirror": False, "epochs": 3, "decay": 0.2, "batch_size": 1024, "image_size": 64}
    known = tools(small_report, record("first", variant="other", settings=changed))
    (variant,) = known.facts("first").variants
    assert known.briefly(variant) == "from ours, batches of 1,024, 3 epochs, 3 further settings"
    few = {**plan, "weights": "ours", "mirror": False, "epochs": 3, "decay": 0.2}
    (variant,) = tools(small_report, record("first", variant="other", settings=few)).facts("first").variants
    assert known.briefly(variant) == "from ours, 3 epochs, Decay 0.2, without mirror"


def test_no_two_variants_of_a_project_have_one_label_and_each_has_one_pair_of_brackets(small_report: Path) -> None:
    records.write_declaration(declaration("mine", settings=PLAN), small_report / "declared")
    few = {**PLAN, "epochs": 1}
    runs = [record("mine", variant=name, settings=few) for name in ("1-epochs", "batch-32-1-epochs")]
    other = record("mine", variant="2-epochs", settings={**PLAN, "epochs": 2})
    known = tools(small_report, *runs, other, short={"mine": "Project 1 (ours)"})
    assert [known.called("mine", variant) for variant in known.facts("mine").variants] == [
        "Project 1 (ours, 1 epoch, 1-epochs)",
        "Project 1 (ours, 2 epochs)",
        "Project 1 (ours, 1 epoch, batch-32-1-epochs)",
    ]
    assert known.short("mine/1-epochs") == "Project 1 (ours, 1 epoch, 1-epochs)"


def test_a_variant_that_nothing_but_its_name_sets_apart_is_told_in_the_page_s_language(small_report: Path) -> None:
    known = tools(small_report, record("first", variant="mine"))
    spanish = replace(known, edition=Edition(known.edition.material, "es"))
    (variant,) = known.facts("first").variants
    assert [spanish.briefly(variant), spanish.apart(variant)] == ["variante mine", "variante mine"]


def test_the_results_of_a_variant_are_its_own(small_report: Path) -> None:
    runs = record("first", right=60), record("first", right=40, variant="ours")
    shown = page(small_report, '{{ results("first/ours") }}', *runs).markdown
    assert "40.00%" in shown and "60.00%" not in shown and "62.56%" not in shown


@pytest.mark.parametrize(
    ("code", "project", "kind"),
    [
        ("en", "first", "Variant, no reproduction"),
        ("es", "first", "Variante, no es reproducción"),
        ("en", "mine", "Variant"),
        ("es", "mine", "Variante"),
    ],
)
def test_a_variant_is_no_reproduction_only_of_what_the_study_has_in_the_page_s_words(
    small_report: Path, code: str, project: str, kind: str
) -> None:
    shown = page(small_report, f'{{{{ results("{project}") }}}}', record(project, variant="few"), code=code).markdown
    assert f"<strong>{kind}.</strong>" in shown
