"""What the tools of a page have in common: what a project or a variant is called, and what is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reportgen import record as records
from reportgen.edition import Edition
from reportgen.errors import ReportError
from tests.reportgen.test_render import page, requiring, tools
from tests.synthetic import declaration, record


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
    assert tools(small_report, *runs).short("mine/few") == "mine (Epochs: 3 instead of 40)"


def test_what_sets_a_variant_apart_stands_in_the_order_of_its_names_beginning_with_what_the_study_requires(
    small_report: Path,
) -> None:
    requiring(small_report, weights="theirs")
    plan = {"weights": "theirs", "mirror": True, "epochs": 40, "decay": 0.1, "batch_size": 512}
    records.write_declaration(declaration("first", settings=plan), small_report / "declared")
    changed = {"weights": "ours", "mirror": False, "epochs": 3, "decay": 0.2, "batch_size": 1024, "image_size": 64}
    known = tools(small_report, record("first", variant="other", settings=changed))
    (variant,) = known.facts("first").variants
    assert known.briefly(variant) == "ours, batches of 1,024, Decay 0.2, 3 epochs, 64 px, Mirror no"


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
