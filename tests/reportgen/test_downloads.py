"""What a reader takes along: results, records, and the report on paper where the site has it."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from reportgen import record as records
from reportgen import report as reports
from reportgen.downloads import COLUMNS, RUN
from reportgen.material import gather
from reportgen.render import Page, Renderer
from tests.synthetic import declaration, record


def page(root: Path, code: str = "en", *, printed: bool = False) -> Page:
    """A page with downloads, of a report with two runs and a variant's."""
    report = reports.load(root)
    for run in (record("first", 0, right=60), record("first", 1, right=50), record("first", 2, variant="tiny")):
        records.write(run, report.results)
    (root / "docs" / code / "further.md").write_text("# 2\n\n{{ downloads() }}\n", encoding="utf-8")
    return Renderer(replace(gather(report), printed=printed), code).page("further.md")


@pytest.mark.parametrize("code", ["en", "es"])
def test_the_results_are_a_table_and_a_list_of_the_same_numbers(small_report: Path, code: str) -> None:
    rendered = page(small_report, code)
    table, rows = rendered.assets["assets/results.csv"], rendered.assets["assets/results.json"]
    assert isinstance(table, str) and isinstance(rows, str)
    (line,), (row,) = csv.DictReader(io.StringIO(table)), json.loads(rows)
    assert row["published_test_accuracy"] == 0.6256
    assert row["reproduced_test_accuracy"] == 0.55
    assert row["published_train_accuracy"] is None
    assert row["seeds"] == 2
    assert line == {key: "" if value is None else str(value) for key, value in row.items()}


def test_every_record_and_every_file_is_linked_from_the_page(small_report: Path) -> None:
    rendered = page(small_report)
    links = re.findall(r'href="\.\./(assets/[^"]*)" download', rendered.markdown)
    files = [f"assets/{name}.{kind}" for name in ("results", "runs") for kind in ("csv", "json")]
    assert links == files + [
        f"assets/records/first/{place}/record.json" for place in ("seed-0", "seed-1", "tiny/seed-2")
    ]
    assert "Records of 1 (variant tiny): <a" in rendered.markdown
    assert set(links) == set(rendered.assets)


def test_the_pdf_is_linked_only_where_the_site_will_have_it(small_report: Path) -> None:
    assert "report.pdf" not in page(small_report).markdown
    assert 'href="../assets/report.pdf"' in page(small_report, printed=True).markdown


def test_a_file_is_called_what_it_is_and_a_record_by_its_seed_and_a_project_without_any_is_not_listed(
    small_report: Path,
) -> None:
    catalogue = small_report / "docs" / "en" / "catalogue.yml"
    names = yaml.safe_load(catalogue.read_text(encoding="utf-8"))
    names |= {"projects": {"first": "1: año"}, "short": {"first": "Año"}}
    catalogue.write_text(yaml.safe_dump(names), encoding="utf-8")
    records.write_declaration(declaration("ours"), small_report / "declared")
    rendered = page(small_report)
    shown = [
        re.sub(r"<[^>]*>", "", line).replace("\u00a0", " ") for line in re.findall("<li>(.*)</li>", rendered.markdown)
    ]
    assert shown == [
        "The results of all projects: CSV · JSON",
        "All runs, one per line: CSV · JSON",
        "Records of Año: Seed 0 · Seed 1",
        "Records of Año (variant tiny): Seed 2",
    ]
    assert re.findall('href="([^"]*)" download>(CSV|JSON)', rendered.markdown) == [
        ("../assets/results.csv", "CSV"),
        ("../assets/results.json", "JSON"),
        ("../assets/runs.csv", "CSV"),
        ("../assets/runs.json", "JSON"),
    ]
    assert '"title": "1: año"' in str(rendered.assets["assets/results.json"])


def test_each_column_holds_what_it_is_called(small_report: Path) -> None:
    """No two numbers are the same, and of a mean and a spread every digit is there."""
    file = small_report / "published.json"
    study = json.loads(file.read_text(encoding="utf-8"))
    study["projects"][0] |= {
        "parameters": {"total": 700, "trainable": 600, "non_trainable": 100},
        "train": {"accuracy": 0.71342, "cross_entropy": 0.84},
    }
    file.write_text(json.dumps(study), encoding="utf-8")
    for seed, right in ((0, 60), (1, 50)):
        run = record(
            "first",
            seed,
            right=right,
            seconds=83.5 + seed,
            test={"accuracy": right / 100, "cross_entropy": 1.125 + seed},
            train={"accuracy": 0.75 + seed / 8, "cross_entropy": 0.5 + seed / 4},
            validation={"accuracy": 0.9, "cross_entropy": 0.3},
        )
        records.write(run, small_report / "results")
    records.write(record("first", 2, variant="tiny"), small_report / "results")
    records.write_declaration(declaration("ours"), small_report / "declared")
    (small_report / "docs" / "en" / "further.md").write_text("{{ downloads() }}\n", encoding="utf-8")
    assets = Renderer(gather(reports.load(small_report)), "en").page("further.md").assets
    table, rows = assets["assets/results.csv"], assets["assets/results.json"]
    assert isinstance(table, str) and isinstance(rows, str)
    first, ours = json.loads(rows)
    assert first == {
        "project": "first",
        "title": "1",
        "of_the_study": True,
        "published_test_accuracy": 0.6256,
        "published_test_cross_entropy": 1.07,
        "published_train_accuracy": 0.71342,
        "published_train_cross_entropy": 0.84,
        "published_parameters": 700,
        "published_seconds": 47.380263,
        "reproduced_test_accuracy": 0.55,
        "reproduced_test_accuracy_sd": pytest.approx(0.0707107, abs=1e-7),
        "reproduced_test_cross_entropy": 1.625,
        "reproduced_test_cross_entropy_sd": pytest.approx(0.7071068, abs=1e-7),
        "reproduced_train_accuracy": 0.8125,
        "reproduced_train_cross_entropy": 0.625,
        "reproduced_seconds": 84.0,
        "seeds": 2,
    }
    nothing = dict.fromkeys(COLUMNS)
    assert ours == {**nothing, "project": "ours", "title": "ours", "of_the_study": False, "seeds": 0}
    assert table.splitlines()[0] == ",".join(COLUMNS) and "\r" not in table
    assert rows.endswith("\n]\n"), "a line ends in both files"
    assert next(csv.DictReader(io.StringIO(table)))["published_parameters"] == "700"


def test_every_run_of_a_project_and_of_its_variants_has_a_line_with_what_its_record_says(small_report: Path) -> None:
    run = record(
        "first",
        3,
        variant="tiny",
        precision="mixed_bfloat16",
        seconds=83.5,
        settings={"decay": 0.5},
        right=50,
        test={"accuracy": 0.5, "cross_entropy": 1.125},
        validation={"accuracy": 0.625, "cross_entropy": 1.25},
        train={"accuracy": 0.75, "cross_entropy": 1.0},
    )
    records.write(run, small_report / "results")
    assets = page(small_report).assets
    table, rows = str(assets["assets/runs.csv"]), str(assets["assets/runs.json"])
    shown = json.loads(rows)
    assert [(row["variant"], row["seed"]) for row in shown] == [(None, 0), (None, 1), ("tiny", 2), ("tiny", 3)]
    assert shown[-1] == {
        "project": "first",
        "variant": "tiny",
        "seed": 3,
        "test_accuracy": 0.5,
        "test_cross_entropy": 1.125,
        "validation_accuracy": 0.625,
        "validation_cross_entropy": 1.25,
        "train_accuracy": 0.75,
        "train_cross_entropy": 1.0,
        "epochs": len(run.history),
        "kept_epoch": run.stopping.restored_epoch,
        "seconds": 83.5,
        "side_by_side": 1,
        "precision": "mixed_bfloat16",
        "backend": run.environment.backend,
        "device": run.environment.device,
        "dataset": run.dataset.name,
        "parameters": run.network.parameters,
        "profile": run.profile,
        "started": run.started.isoformat(),
        "git_commit": run.environment.git_commit,
        "git_clean": True,
        "setting_batch_size": None,
        "setting_decay": 0.5,
        "setting_epochs": None,
        "setting_learning_rate": None,
        "setting_optimizer": None,
    }
    assert shown[0]["setting_batch_size"] == 512 and shown[0]["setting_decay"] is None
    lines = list(csv.DictReader(io.StringIO(table)))
    settings = [name for name in shown[0] if name.startswith("setting_")]
    assert table.splitlines()[0] == ",".join((*RUN, *settings)) and "\r" not in table
    assert lines == [{key: "" if value is None else str(value) for key, value in row.items()} for row in shown]


def test_a_report_without_a_run_has_no_table_of_runs(small_report: Path) -> None:
    (small_report / "docs" / "en" / "further.md").write_text("{{ downloads() }}\n", encoding="utf-8")
    rendered = Renderer(gather(reports.load(small_report)), "en").page("further.md")
    assert sorted(rendered.assets) == ["assets/results.csv", "assets/results.json"]
    assert "per line" not in rendered.markdown
