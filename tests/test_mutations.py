"""The real report, spoilt in one place at a time: each lie is caught, with its file and its line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reportgen import record as records
from reportgen import report as reports
from reportgen import source, translations
from reportgen.build import refuse_untrue
from reportgen.check import check
from reportgen.errors import ReportError
from reportgen.finding import Finding
from reportgen.fingerprint import fingerprints
from reportgen.material import gather
from tests.synthetic import confirmation

pytestmark = pytest.mark.study

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The root of a copy of the report in this repository: its pages, its records, its scripts."""
    root = tmp_path / "report"
    ignore = shutil.ignore_patterns("*.svg", "*.png", "__pycache__", "sample")
    for folder in ("docs", "experiments"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignore)
    for file in ("pyproject.toml", "mkdocs.yml"):
        shutil.copy(ROOT / file, root / file)
    return root


def findings(root: Path) -> list[Finding]:
    return check(gather(reports.load(root)))


def caught(root: Path, spoil: Callable[[], None]) -> list[Finding]:
    """What is found after `spoil` and is not found in what `root` is a copy of."""
    spoil()
    return [finding for finding in findings(root) if finding not in found_here()]


@cache
def found_here() -> frozenset[Finding]:
    """What is found in the report as it is."""
    return frozenset(findings(ROOT))


def change(file: Path, old: str, new: str) -> int:
    """Replace the first `old` in a file; the line on which it stood, from 1."""
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file.name} no longer says {old!r}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text.count("\n", 0, text.index(old)) + 1


def rewrite(file: Path, spoil: Callable[[Any], None]) -> None:
    """Change the content of a JSON file."""
    content = json.loads(file.read_text(encoding="utf-8"))
    spoil(content)
    file.write_text(json.dumps(content), encoding="utf-8")


def test_a_comparison_turned_round_is_caught_with_its_line_and_the_lines_that_make_it(copy: Path) -> None:
    file = copy / "docs" / "claims.yml"
    judgements = gather(reports.load(copy)).judgements.values()
    claim = next(one.claim for one in judgements if one.claim.statement.kind == "better")
    above, below = file.read_text(encoding="utf-8").split(f"\n{claim.identifier}:\n")
    file.write_text(f"{above}\n{claim.identifier}:\n{below.replace('better', 'worse', 1)}", encoding="utf-8")
    (found,) = [one for one in findings(copy) if f"claim {claim.identifier} is expected of the study" in one.what]
    assert (found.where, found.severity) == ("docs/claims.yml", "error")
    assert file.read_text(encoding="utf-8").splitlines()[(found.line or 0) - 1] == f"{claim.identifier}:"
    places = re.findall(r"(docs/\w+/\S+\.md), line (\d+)", found.what)
    assert {place.split("/")[1] for place, _ in places} == {"en", "es"}
    for place, number in places:
        said = (copy / place).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        assert f'{{% claim "{claim.identifier}" %}}' in said
    with pytest.raises(ReportError, match=f"docs/claims.yml: .*claim {claim.identifier}"):
        refuse_untrue(gather(reports.load(copy)))


def test_two_accuracies_of_the_study_exchanged_are_caught_by_the_claims_that_rest_on_them(copy: Path) -> None:
    def swap(content: Any) -> None:
        first, second = (next(p for p in content["projects"] if p["id"] == name) for name in ("p00_base", "p01_deeper"))
        first["test"], second["test"] = second["test"], first["test"]

    found = caught(copy, lambda: rewrite(copy / "experiments" / "published.json", swap))
    wrong = [one for one in found if "is expected of the study" in one.what]
    assert wrong and all(one.where == "docs/claims.yml" and one.line for one in wrong)
    assert any("docs/en/projects/01.md, line " in one.what for one in wrong)


def test_an_accuracy_changed_in_a_record_is_caught_by_its_own_confusion_matrix(copy: Path) -> None:
    file = copy / "experiments" / "results" / "p00_base" / "seed-0" / "record.json"
    other = json.loads((file.parents[2] / "p01_deeper" / "seed-0" / "record.json").read_text(encoding="utf-8"))
    rewrite(file, lambda content: content["test"].update(accuracy=other["test"]["accuracy"]))
    with pytest.raises(
        ReportError, match=r"p00_base/seed-0/record\.json: .*confusion has .* right, but test\.accuracy"
    ):
        findings(copy)


def test_the_results_of_two_projects_exchanged_are_caught_by_the_claims_that_rest_on_them(copy: Path) -> None:
    parts = ("train", "validation", "test", "confusion")
    results = copy / "experiments" / "results"

    def swap() -> None:
        for folder in (results / "p00_base").glob("seed-*"):
            files = [results / name / folder.name / "record.json" for name in ("p00_base", "p01_deeper")]
            first, second = (json.loads(file.read_text(encoding="utf-8")) for file in files)
            for part in parts:
                first[part], second[part] = second[part], first[part]
            for file, content in zip(files, (first, second), strict=True):
                file.write_text(json.dumps(content), encoding="utf-8")

    found = caught(copy, swap)
    wrong = [one for one in found if "is expected of the reproduction: holds, found: contradicted" in one.what]
    assert wrong and all(one.where == "docs/claims.yml" and one.line for one in wrong)
    assert any("docs/es/projects/01.md, line " in one.what for one in wrong)


@pytest.mark.parametrize(("code", "other", "newer"), [("es", "en", "Spanish"), ("en", "es", "English")])
def test_a_sentence_deleted_in_one_language_is_caught_in_the_other(
    copy: Path, code: str, other: str, newer: str
) -> None:
    report = reports.load(copy)
    translations.confirm(report, source.read_all(report, report.pages()), ["projects/01.md#meaning"])

    def delete() -> None:
        file = copy / "docs" / code / "projects" / "01.md"
        text = file.read_text(encoding="utf-8")
        begins = text.index("\n", text.index("{ #meaning }"))
        sentence = re.compile(r"(?<=\. )[^.{}]+\. ").search(text, begins)
        assert sentence
        file.write_text(text[: sentence.start()] + text[sentence.end() :], encoding="utf-8")

    (found,) = caught(copy, delete)
    heading = (copy / found.where).read_text(encoding="utf-8").splitlines()[(found.line or 0) - 1]
    assert found.where == f"docs/{other}/projects/01.md" and "{ #meaning }" in heading
    assert found.what == f"section meaning is older than its {newer} text"


@pytest.mark.parametrize(("code", "number"), [("en", "72.3%"), ("en", "0.902"), ("es", "72,30 %"), ("es", "651.978")])
def test_a_number_typed_by_hand_is_caught_on_its_line(copy: Path, code: str, number: str) -> None:
    file = copy / "docs" / code / "projects" / "01.md"
    line = file.read_text(encoding="utf-8").count("\n") + 2

    def write() -> None:
        with file.open("a", encoding="utf-8") as page:
            page.write(f"\n{number} (x).\n")

    found = [one for one in caught(copy, write) if "typed by hand" in one.what]
    assert [(one.where, one.line) for one in found] == [(f"docs/{code}/projects/01.md", line)]
    assert number in found[0].what


def test_a_number_typed_where_a_fact_stood_is_caught_twice(copy: Path) -> None:
    file = copy / "docs" / "en" / "projects" / "01.md"
    fact = "{{ p01_deeper.published.test.accuracy }}"
    lines: list[int] = []
    found = caught(copy, lambda: lines.append(change(file, fact, "72.30%")))
    where = "docs/en/projects/01.md"
    assert (where, lines[0], "'72.30%' looks measured, and it is typed by hand") in [
        (one.where, one.line, one.what) for one in found
    ]
    assert [one for one in found if one.where == where and f"lacks {fact}" in one.what]


def test_a_claim_withdrawn_in_one_language_is_caught_on_the_side_that_lacks_it(copy: Path) -> None:
    file = copy / "docs" / "es" / "projects" / "01.md"
    claim = re.search(r'{% claim "([\w-]+)" %}(.*?){% endclaim %}', file.read_text(encoding="utf-8"), re.DOTALL)
    assert claim
    found = caught(copy, lambda: void(change(file, claim[0], claim[2])))
    assert [one for one in found if one.where == "docs/es/projects/01.md" and f"lacks claim {claim[1]}" in one.what]


def void(_: object) -> None:
    """What changes a file has nothing to say here."""


def test_a_layer_of_another_size_is_caught_at_every_record_that_was_made_with_it(copy: Path) -> None:
    script = "experiments/projects/p00_base.py"
    results = copy / "experiments" / "results"
    for run in records.read_all(results):
        # Whatever state the records are in: here, today's sources stand for them.
        sources = fingerprints(run.sources, copy)
        records.confirm(confirmation(sources=sources), records.folder_of(run, results))
    found = caught(copy, lambda: void(change(copy / script, "Dense(32", "Dense(64")))
    at = {one.where for one in found if "unconfirmed" in one.what and script in one.what}
    assert {f"experiments/results/p00_base/seed-{seed}/record.json" for seed in (0, 1, 2)} <= at
    (declared,) = [one for one in found if one.where == "experiments/declared/p00_base.json"]
    assert script in declared.what and declared.remedy == "python -m experiments declare p00_base"


def test_a_comment_in_a_script_is_no_lie(copy: Path) -> None:
    script = copy / "experiments" / "projects" / "p00_base.py"
    text = script.read_text(encoding="utf-8")
    assert caught(copy, lambda: void(script.write_text(f"# New.\n{text}", encoding="utf-8"))) == []
