"""What pages may speak of is read once, each piece from where it stands, and what is wrong names its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reportgen import record as records
from reportgen import report as reports
from reportgen.errors import ReportError
from reportgen.material import gather
from tests.synthetic import confirmation, record


def test_every_run_has_the_confirmations_beside_it_and_no_other_s(small_report: Path) -> None:
    runs = (record("first"), record("first", 1), record("first", variant="tiny"))
    for day, run in enumerate(runs, 1):
        file = records.write(run, small_report / "results")
        records.confirm(confirmation(day), file.parent)
    found = gather(reports.load(small_report)).confirmations
    assert {key: [one.confirmed.day for one in ones] for key, ones in found.items()} == {
        run.key: [day] for day, run in enumerate(runs, 1)
    }


def test_claims_that_cannot_be_read_are_told_of_their_file_as_the_user_knows_it(small_report: Path) -> None:
    (small_report / "docs" / "claims.yml").write_text("- no claim\n", encoding="utf-8")
    with pytest.raises(ReportError, match=r"^docs/claims\.yml"):
        gather(reports.load(small_report))


def test_a_report_without_folders_for_them_has_no_benches_no_pretrainings_and_no_features(small_report: Path) -> None:
    material = gather(reports.load(small_report))
    assert (material.benches, material.pretrainings, material.features) == ((), {}, {})
    assert (material.repository, material.within) == ("", "")


def test_a_source_is_linked_in_its_repository_from_a_copy_that_is_no_checkout(small_report: Path) -> None:
    with (small_report / "mkdocs.yml").open("a", encoding="utf-8") as settings:
        settings.write("repo_url: https://host.example/owner/name/\n")
    found = gather(reports.load(small_report)).source_link(of_commit("scripts/first.py"))
    assert found == f"https://host.example/owner/name/blob/{'01ab' * 10}/scripts/first.py"


def of_commit(script: str, commit: str | None = "01ab" * 10, clean: bool | None = True) -> records.Record:
    """A run of `script` as a commit has it."""
    run = record("first")
    there = run.environment.model_copy(update={"git_commit": commit, "git_clean": clean})
    return run.model_copy(update={"script": script, "environment": there})


def test_a_source_of_no_known_commit_or_that_was_not_committed_has_no_link(small_report: Path) -> None:
    known = replace(gather(reports.load(small_report)), repository="https://host.example/owner/name")
    link = f"https://host.example/owner/name/blob/{'01ab' * 10}/a%20b.py"
    assert known.source_link(of_commit("a b.py")) == link
    nowhere = replace(known, repository="").source_link(of_commit("a.py"))
    assert known.source_link(of_commit("a.py", None, None)) is nowhere is None
    assert [known.source_link(of_commit("a.py", clean=clean)) for clean in (False, None)] == [None, None]


@pytest.mark.parametrize("name", ["range", "curves"])
def test_a_project_that_pages_would_take_for_a_function_is_refused(small_report: Path, name: str) -> None:
    records.write(record(name), small_report / "results")
    with pytest.raises(ReportError, match=f"^{name}: no project can be called that, for pages call a function by"):
        gather(reports.load(small_report))
