"""From one set of results to another: the numbers that move, and the claims whose truth changes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner, Result

from reportgen import record as records
from reportgen import report as reports
from reportgen.__main__ import app
from reportgen.changes import between
from reportgen.material import gather
from reportgen.record import Record
from tests.synthetic import record

CLAIM = """
first-is-good:
  kind: above
  metric: test.accuracy
  of: first
  value: 50 %
  expect: {study: holds, reproduction: holds}
"""


def results(root: Path, name: str, *runs: Record) -> Path:
    """A folder of results of its own."""
    folder = root / name
    folder.mkdir()
    for run in runs:
        records.write(run, folder)
    return folder


def compare(root: Path, before: list[Record], after: list[Record], *options: str) -> Result:
    """What the command says of two sets of results, between which a report makes one claim."""
    (root / "docs" / "claims.yml").write_text(CLAIM, encoding="utf-8")
    for code in ("en", "es"):
        (root / "docs" / code / "further.md").write_text(
            '# A { #further }\n\n## B { #details }\n\n{% claim "first-is-good" %}It is{% endclaim %}.\n',
            encoding="utf-8",
        )
    folders = [str(results(root, name, *runs)) for name, runs in [("a", before), ("b", after)]]
    return CliRunner().invoke(app, ["compare", *folders, "--root", str(root), *options], env={"COLUMNS": "120"})


def test_the_same_results_change_nothing(small_report: Path) -> None:
    runs = [record("first", 0), record("first", 1)]
    done = compare(small_report, runs, runs)
    assert (done.exit_code, done.stdout) == (0, "0 numbers moved; 0 of 1 claim changed the verdict.\n")


def test_a_number_that_moves_is_told_with_its_difference_and_the_runs(small_report: Path) -> None:
    done = compare(small_report, [record("first", right=60)], [record("first", seed, right=61) for seed in (0, 1)])
    assert done.exit_code == 0
    row = next(line for line in done.stdout.splitlines() if "test.accuracy" in line and "gap" not in line)
    assert [cell.strip() for cell in row.replace("\u00a0", " ").split("│")[1:-1]] == [
        "first", "test.accuracy", "60.00%", "61.00%", "+1.00 pp", "1 → 2"
    ]  # fmt: skip
    assert "test.cross_entropy" not in done.stdout


def test_where_a_terminal_is_narrow_every_number_is_still_there(small_report: Path) -> None:
    before, after = [record("first", right=60)], [record("first", seed, right=61) for seed in (0, 1)]
    compare(small_report, before, after)
    folders = [str(small_report / name) for name in "ab"]
    done = CliRunner().invoke(app, ["compare", *folders, "--root", str(small_report)], env={"COLUMNS": "64"})
    row = next(line for line in done.stdout.splitlines() if "60.00%" in line).replace("\u00a0", " ")
    assert [cell.strip() for cell in row.split("│")[3:-1]] == ["60.00%", "61.00%", "+1.00 pp", "1 → 2"]
    assert "…" not in done.stdout, "a name goes on in the next line"


def test_a_number_of_a_variant_alone_moves_too(small_report: Path) -> None:
    kept = record("first", right=60)
    before, after = ([kept, record("first", right=right, variant="ours")] for right in (50, 51))
    (move,) = [line for line in compare(small_report, before, after).stdout.splitlines() if " test.accuracy" in line]
    assert [cell.strip() for cell in move.split("│")[1:-1]][:1] == ["first/ours"] and "51.00%" in move


def test_a_claim_that_turns_is_told_with_its_sentence_and_every_line_that_makes_it(small_report: Path) -> None:
    done = compare(small_report, [record("first", right=60)], [record("first", right=40)])
    assert done.exit_code == 1
    assert "first-is-good: holds → contradicted" in done.stdout
    assert "In test accuracy, 1 is above 50%." in done.stdout
    assert "docs/en/further.md, line 5" in done.stdout and "docs/es/further.md, line 5" in done.stdout
    assert "1 of 1 claim changed the verdict." in done.stdout
    assert done.stdout.endswith("1 of 1 claim changed the verdict.\n"), "where a terminal has scrolled to"


def test_a_project_that_appears_has_a_number_where_there_was_none(small_report: Path) -> None:
    done = compare(small_report, [], [record("first", right=60)])
    assert done.exit_code == 1 and "undecided → holds" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "test.accuracy" in line)
    assert [cell.strip() for cell in row.split("│")[3:-1]] == ["–", "60.00%", "–", "0 → 1"]


def test_the_same_as_markdown_for_a_pull_request(small_report: Path) -> None:
    done = compare(small_report, [record("first", right=60)], [record("first", right=40)], "--format", "markdown")
    lines = done.stdout.replace("\u00a0", " ").splitlines()
    assert lines[0] == "### What these results change"
    assert (
        "- `first-is-good`: holds → **contradicted** (unexpected). In test accuracy, 1 is above 50%. "
        "Said in docs/en/further.md, line 5; docs/es/further.md, line 5."
    ) in lines
    assert "| first | test.accuracy | 60.00% | 40.00% | −20.00 pp | 1 → 1 |" in lines
    header = lines.index("| Project | Metric | Before | After | Difference | Runs |")
    assert lines[header + 1] == "| --- | --- | ---: | ---: | ---: | ---: |", "without it GitHub shows no table"


def test_of_the_same_results_a_comment_is_the_sentence_alone(small_report: Path) -> None:
    done = compare(small_report, [record("first")], [record("first")], "--format", "markdown")
    assert done.stdout == "### What these results change\n\n0 numbers moved; 0 of 1 claim changed the verdict.\n"


def test_a_number_that_was_zero_was_there(small_report: Path) -> None:
    shown = compare(small_report, [record("first", right=0)], [record("first", right=60)]).stdout
    row = next(line for line in shown.replace("\u00a0", " ").splitlines() if " test.accuracy" in line)
    assert [cell.strip() for cell in row.split("│")[3:-1]] == ["0.00%", "60.00%", "+60.00 pp", "1 → 1"]


def test_a_claim_that_no_page_makes_is_told_so_and_in_the_colour_of_its_verdict(small_report: Path) -> None:
    (small_report / "docs" / "claims.yml").write_text(CLAIM, encoding="utf-8")
    folders = [results(small_report, str(right), record("first", right=right)) for right in (60, 40)]
    found = between(*(gather(reports.load(small_report, folder)) for folder in folders))
    assert "In test accuracy, 1 is above 50%. Said in no page." in found.markdown()
    console = Console(file=(terminal := io.StringIO()), force_terminal=True, color_system="standard", width=120)
    console.print(found.text(), highlight=False)
    assert "holds → \x1b[31mcontradicted\x1b[0m" in terminal.getvalue()


@pytest.mark.parametrize("missing", ["a", "b"])
def test_a_folder_that_is_not_there_is_a_sentence(small_report: Path, missing: str) -> None:
    there = results(small_report, "there")
    folders = [str(small_report / missing), str(there)][:: 1 if missing == "a" else -1]
    done = CliRunner().invoke(app, ["compare", *folders, "--root", str(small_report)])
    assert "there is no such folder of results" in str(done.exception)


def rows(root: Path, before: list[str], after: list[str]) -> list[list[str]]:
    """What a comparison says of the test accuracy of the projects that have a run on either side."""
    shown = compare(root, [*map(record, before)], [*map(record, after)]).stdout
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if " test.accuracy" in line]


def test_a_project_that_one_side_alone_knows_is_told_whichever_side_that_is(small_report: Path) -> None:
    assert rows(small_report, ["first", "second"], ["first", "third"]) == [
        ["second", "test.accuracy", "60.00%", "–", "–", "1 → 0"],
        ["third", "test.accuracy", "–", "60.00%", "–", "0 → 1"],
    ]


def test_a_claim_that_turns_into_what_its_writer_expects_is_told_as_no_surprise(small_report: Path) -> None:
    before, after = [record("first", right=40)], [record("first", right=60)]
    done = compare(small_report, before, after, "--format", "markdown")
    assert "- `first-is-good`: contradicted → **holds**. In test accuracy," in done.stdout
    assert "unexpected" not in done.stdout
    assert "| Project | Metric | Before | After | Difference | Runs |" in done.stdout


def test_brackets_in_the_name_of_a_project_are_no_markup_of_a_terminal(small_report: Path) -> None:
    file = small_report / "docs" / "en" / "catalogue.yml"
    words = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**words, "short": {"first": "P [bold] 1"}}), encoding="utf-8")
    done = compare(small_report, [record("first", right=60)], [record("first", right=40)])
    assert "In test accuracy, P [bold] 1 is above 50%." in done.stdout
