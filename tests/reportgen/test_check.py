"""A writer hears of everything in the report that nobody stands for, by file and line, and of what to do about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from reportgen import check as checking
from reportgen import record as records
from reportgen import report as reports
from reportgen import source, translations
from reportgen.__main__ import app
from reportgen.check import check
from reportgen.finding import Finding
from reportgen.fingerprint import fingerprint
from reportgen.material import gather
from tests.conftest import SECTIONS
from tests.synthetic import CLASSES, confirmation, declaration, record

SCRIPT = "scripts/first.py"


def confirm(root: Path) -> None:
    """Say of every section that its versions are in step."""
    report = reports.load(root)
    sources = source.read_all(report, report.pages())
    translations.confirm(report, sources, SECTIONS)


def made(root: Path, *, ran: str, now: str | None, confirmed: str | None = None) -> list[Finding]:
    """What is found where a script said `ran` when it ran, was `confirmed` later and says `now`."""
    report = reports.load(root)
    run = record("first", script=SCRIPT, sources={SCRIPT: fingerprint(ran)})
    file = records.write(run, report.results)
    if confirmed is not None:
        records.confirm(confirmation(sources={SCRIPT: fingerprint(confirmed)}), file.parent)
    if now is not None:
        (root / "scripts").mkdir()
        (root / SCRIPT).write_text(now, encoding="utf-8")
    confirm(root)
    return check(gather(report))


def test_a_report_without_runs_has_nothing_to_mend(small_report: Path) -> None:
    confirm(small_report)
    assert check(gather(reports.load(small_report))) == []


@pytest.mark.parametrize("part", ["results", "claims", "declared", "pretraining", "bench"])
def test_a_part_that_is_missing_beside_its_namesake_is_told(small_report: Path, part: str) -> None:
    """As where its path is mistyped: the pages would say that nothing has been run."""
    confirm(small_report)
    (small_report / "parts").mkdir()
    there, other = small_report / "parts" / f"my-{part}s", small_report / "parts" / f"my-{part}.x"
    if part == "claims":  # which are a file, and no folder
        there, other = other, there
    there.touch() if part == "claims" else there.mkdir()
    other.mkdir() if part == "claims" else other.touch()
    settings = small_report / "pyproject.toml"
    lines = [line for line in settings.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{part} =")]
    settings.write_text("\n".join([*lines, f'{part} = "parts/my-{part}"']), encoding="utf-8")
    (found,) = check(gather(reports.load(small_report)))
    assert str(found) == (
        f"pyproject.toml: [tool.reportgen] names parts/my-{part} for {part}, and there is nothing of that name. "
        f'Mend it with: {part} = "parts/{there.name}"'
    )
    there.rmdir() if there.is_dir() else there.unlink()
    assert check(gather(reports.load(small_report))) == [], "the other is of another kind"


def test_a_record_of_todays_code_has_nothing_to_mend(small_report: Path) -> None:
    assert made(small_report, ran="a = 1\n", now="# A comment changes nothing.\na = 1\n") == []


def test_a_changed_source_is_named_with_the_command_that_mends_it(small_report: Path) -> None:
    (found,) = made(small_report, ran="a = 1\n", now="a = 2\n")
    assert found.place == "results/first/seed-0/record.json"
    assert "unconfirmed" in found.what and SCRIPT in found.what
    assert found.remedy.endswith("replay first")


def test_a_source_that_is_gone_is_a_changed_source(small_report: Path) -> None:
    (found,) = made(small_report, ran="a = 1\n", now=None)
    assert str(found) == (
        f"results/first/seed-0/record.json: its script {SCRIPT} is gone. "
        "Mend it with: the script under its old name; or delete this folder, or move it out of results"
    )


def test_a_confirmation_of_todays_sources_settles_it(small_report: Path) -> None:
    assert made(small_report, ran="a = 1\n", now="a = 2\n", confirmed="a = 2\n") == []


def test_a_declaration_older_than_its_script_is_named_with_the_command_that_writes_it_anew(small_report: Path) -> None:
    declared = declaration("first", script=SCRIPT, sources={SCRIPT: fingerprint("a = 1")})
    records.write_declaration(declared, small_report / "declared")
    (small_report / "scripts").mkdir()
    confirm(small_report)
    (small_report / SCRIPT).write_text("a = 1  # still\n", encoding="utf-8")
    assert check(gather(reports.load(small_report))) == []
    (small_report / SCRIPT).write_text("a = 2\n", encoding="utf-8")
    (found,) = check(gather(reports.load(small_report)))
    assert found.place == "declared/first.json"
    assert SCRIPT in found.what and found.remedy.endswith("declare first")
    (small_report / SCRIPT).unlink()
    (found,) = check(gather(reports.load(small_report)))
    assert str(found) == (
        f"declared/first.json: its script {SCRIPT} is gone. "
        "Mend it with: the script under its old name; or delete this file"
    )


CLAIMS = """
first-is-good:
  kind: above
  metric: test.accuracy
  of: first
  value: 50 %
  expect: {study: holds, reproduction: undecided}
"""


def claiming(root: Path, claims: str) -> list[str]:
    """What is found where both home pages make the claim."""
    (root / "docs" / "claims.yml").write_text(claims, encoding="utf-8")
    for code in ("en", "es"):
        with (root / "docs" / code / "index.md").open("a", encoding="utf-8") as page:
            page.write('\n{% claim "first-is-good" %}Good{% endclaim %}.\n')
    confirm(root)
    return [f"{finding.severity}: {finding}" for finding in check(gather(reports.load(root)))]


def test_claims_that_are_as_expected_are_not_found(small_report: Path) -> None:
    assert claiming(small_report, CLAIMS) == []


def test_a_claim_that_the_study_does_not_bear_out_is_an_error_with_the_lines_that_make_it(small_report: Path) -> None:
    assert claiming(small_report, CLAIMS.replace("above", "below")) == [
        "error: docs/claims.yml, line 2: claim first-is-good is expected of the study: holds, found: contradicted; "
        "it is said in docs/en/index.md, line 7 and docs/es/index.md, line 7. "
        "Mend it with: the claim, or the prose that makes it"
    ]


@pytest.mark.parametrize(
    ("right", "expected", "found"),
    [
        ((40, 41), "undecided", "contradicted"),
        ((40, 41), "holds", "contradicted"),
        ((60, 61), "contradicted", "holds"),
        ((49, 52), "holds", "undecided"),
        ((49, 52), "undecided", ""),
        ((60, 61), "holds", ""),
        ((), "holds", "undecided"),
        ((), "contradicted", "undecided"),
        ((), "undecided", ""),
    ],
)
def test_a_claim_on_which_the_runs_are_not_as_expected_is_a_warning_also_where_a_run_is_gone(
    small_report: Path, right: tuple[int, ...], expected: str, found: str
) -> None:
    (small_report / "scripts").mkdir()
    (small_report / SCRIPT).write_text("a = 1\n", encoding="utf-8")
    sources = {SCRIPT: fingerprint("a = 1\n")}
    for seed, share in enumerate(right):
        run = record("first", seed, right=share, script=SCRIPT, sources=sources)
        records.write(run, reports.load(small_report).results)
    warnings = claiming(small_report, CLAIMS.replace("reproduction: undecided", f"reproduction: {expected}"))
    assert len(warnings) == (1 if found else 0)
    for warning in warnings:
        assert warning.startswith(
            f"warning: docs/claims.yml, line 2: claim first-is-good is expected of the reproduction: {expected}, "
            f"found: {found}; it is said in docs/en/index.md, line 7"
        )
        assert warning.endswith(
            f"Mend it with: `expect: {{reproduction: {found}}}`, and prose that says so; or runs that decide otherwise"
        )


def rename(root: Path, code: str, **names: object) -> None:
    file = root / "docs" / code / "catalogue.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**content, **names}), encoding="utf-8")


def test_a_name_that_one_catalogue_lacks_or_no_catalogue_has_is_an_error(small_report: Path) -> None:
    confirm(small_report)
    rename(small_report, "en", classes={"cat": "cat"})
    rename(small_report, "es", projects={"frist": "Primero"})
    assert [
        (finding.place, finding.what.partition(",")[0])
        for finding in check(gather(reports.load(small_report)))
        if finding.what.startswith("there is no ")
    ] == [
        ("docs/en/catalogue.yml", "there is no projects.frist"),
        ("docs/es/catalogue.yml", "there is no classes.cat"),
        ("docs/es/catalogue.yml", "there is no projects.first"),
    ]


def test_two_projects_of_one_short_name_are_a_warning(small_report: Path) -> None:
    rename(small_report, "en", short={"first": "One", "second": "One", "third": "Three"})
    (finding,) = (one for one in check(gather(reports.load(small_report))) if "short name" in one.what)
    assert str(finding) == (
        "docs/en/catalogue.yml: 'One' is the short name of first and second, which no reader can tell apart. "
        "Mend it with: a name for each in `short`"
    )
    assert finding.severity == "warning"


def test_projects_that_a_catalogue_still_names_are_a_warning(small_report: Path) -> None:
    for code in ("en", "es"):
        rename(small_report, code, projects={"first": "1", "gone": "2"}, short={"left": "3"})
    findings = check(gather(reports.load(small_report)))
    assert [str(finding) for finding in findings if finding.severity == "warning"] == [
        f"docs/{code}/catalogue.yml: it names projects that are not there: gone, left." for code in ("en", "es")
    ]


def test_images_without_terms_are_an_error_where_a_page_shows_the_checklist(small_report: Path) -> None:
    """The build would stop there."""
    records.write(record("first"), small_report / "results")
    rename(small_report, "es", licences={"sample": "libre"})
    for listed in (False, True):
        for code in ("en", "es"):
            text = "# A { #a }\n" + "\n{{ checklist() }}\n" * listed
            (small_report / "docs" / code / "further.md").write_text(text, encoding="utf-8")
        found = [str(finding) for finding in check(gather(reports.load(small_report)))]
        told = "docs/en/catalogue.yml: there is no licences.sample, the terms of those images, which the checklist asks"
        assert any(finding.startswith(told) for finding in found) == listed


def test_a_name_that_changed_in_one_catalogue_alone_makes_the_others_older(small_report: Path) -> None:
    confirm(small_report)
    rename(small_report, "en", projects={"first": "One"})
    (found,) = check(gather(reports.load(small_report)))
    line = (small_report / "docs" / "es" / "catalogue.yml").read_text(encoding="utf-8").splitlines().index("projects:")
    assert found.place == f"docs/es/catalogue.yml, line {line + 1}"
    assert found.what == "section projects is older than its English text"
    assert found.remedy.endswith("python -m reportgen confirm catalogue.yml#projects")


def test_a_language_that_names_no_words_that_compare_is_an_error(small_report: Path) -> None:
    confirm(small_report)
    rename(small_report, "es", comparing=[])
    (found,) = check(gather(reports.load(small_report)))
    assert found.place == "docs/es/catalogue.yml" and "there are no words that compare" in found.what


def test_a_report_in_one_language_is_in_step_with_itself(small_report: Path) -> None:
    file = small_report / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('["en", "es"]', '["en"]'), encoding="utf-8")
    assert check(gather(reports.load(small_report))) == []


def test_what_a_page_takes_from_a_file_that_is_none_is_an_error(small_report: Path) -> None:
    for code in ("en", "es"):
        folder = small_report / "docs" / code
        (folder / "part.txt").write_text("Accuracy 72.34%", encoding="utf-8")
        with (folder / "index.md").open("a", encoding="utf-8") as stream:
            stream.write('\n{% include "part.txt" %}\n')
    confirm(small_report)
    found = [str(finding) for finding in check(gather(reports.load(small_report)))]
    assert [text.partition(":")[2].partition(",")[0] for text in found] == [
        ' {% include "part.txt" %} takes words from a file that is no page'
    ] * 2


def test_a_claim_that_does_not_exist_is_an_error_on_every_page_that_makes_it(small_report: Path) -> None:
    found = claiming(small_report, CLAIMS.replace("first-is-good", "it-is-good"))
    assert [text.partition(". ")[0] for text in found] == [
        "warning: docs/claims.yml, line 2: claim it-is-good is made on no page",
        "error: docs/en/index.md, line 7: 'first-is-good' is no claim of docs/claims.yml",
        "error: docs/es/index.md, line 7: 'first-is-good' is no claim of docs/claims.yml",
    ]


def test_words_of_the_generator_that_a_language_lacks_are_counted(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "untranslated", lambda code: {"es": ["Accuracy", "Epoch"]}.get(code, []))
    confirm(small_report)
    (found,) = check(gather(reports.load(small_report)))
    assert str(found).startswith("reportgen/locale/es.po: 2 messages are not translated, and readers see them in Engl")


def test_a_translation_that_cannot_be_filled_in_is_an_error_with_its_line(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "unlike", lambda code: [(7, "braces")] if code == "es" else [])
    confirm(small_report)
    (found,) = check(gather(reports.load(small_report)))
    assert (found.place, found.what, found.severity) == ("reportgen/locale/es.po, line 7", "braces", "error")


def test_runs_on_different_images_make_no_mean_and_no_comparison(small_report: Path) -> None:
    first = json.loads((small_report / "published.json").read_text(encoding="utf-8"))
    first["projects"].append({**first["projects"][0], "id": "second"})
    (small_report / "published.json").write_text(json.dumps(first), encoding="utf-8")
    (small_report / "scripts").mkdir()
    (small_report / SCRIPT).write_text("a = 1\n", encoding="utf-8")
    seen: dict[str, Any] = {"script": SCRIPT, "sources": {SCRIPT: fingerprint("a = 1\n")}}
    other = record("first").dataset.model_copy(update={"name": "other", "sha256": "f" * 64})
    for run in (
        record("first", 0, **seen),
        record("first", 1, dataset=other, **seen),
        record("second", dataset=other, **seen),
    ):
        records.write(run, reports.load(small_report).results)
    claim = "{kind: better, metric: test.accuracy, of: first, than: second, expect: {study: contradicted"
    found = claiming(small_report, f"compared: {claim}, reproduction: contradicted}}}}\n")
    assert [text for text in found if "images" in text] == [
        "error: docs/claims.yml, line 1: claim compared compares runs on different images: other (ffffffff), sample "
        "(01234567). Mend it with: runs of all these projects on the same images",
        "error: results/first: one mean would be taken of runs on different images: other (ffffffff), sample "
        "(01234567). Mend it with: records on the same images; those of other runs into a folder of results of their "
        "own",
    ]


def test_runs_whose_classes_have_other_names_make_no_mean_and_a_command_trains_the_older_ones_anew(
    small_report: Path,
) -> None:
    command = "python -m experiments run first --seed 0 --data DIR --force"
    old = record("first", 0, command=command)
    new = record("first", 1, classes=["a", "b", *CLASSES[2:]], started=datetime(2026, 4, 1, tzinfo=UTC))
    for run in (old, new):
        records.write(run, small_report / "results")
    (found,) = [line for line in told(small_report) if "names of classes" in line]
    assert found == (
        "results/first: one mean would be taken of runs with other names of classes: seed 0 says airplane, "
        f"automobile where the latest, seed 1, says a, b. Mend it with: {command}"
    )


def test_runs_that_differ_in_more_than_the_seed_make_no_mean(small_report: Path) -> None:
    """Two pretrainings of the same set have one name, and so have the variants that start from them."""
    (small_report / "scripts").mkdir()
    (small_report / SCRIPT).write_text("a = 1\n", encoding="utf-8")
    seen: dict[str, Any] = {"script": SCRIPT, "sources": {SCRIPT: fingerprint("a = 1\n")}, "variant": "set"}
    runs = [record("first", seed, **seen, settings={"weights_sha256": weights}) for seed, weights in enumerate("aab")]
    elsewhere = runs[0].environment.model_copy(update={"device": "A GPU", "backend": "jax 1.0"})
    runs[1] = runs[1].model_copy(update={"environment": elsewhere})
    runs[2] = runs[2].model_copy(update={"precision": "mixed_bfloat16"})
    for run in runs:
        records.write(run, reports.load(small_report).results)
    confirm(small_report)
    assert [str(finding) for finding in check(gather(reports.load(small_report)))] == [
        "results/first/set: one mean would be taken of runs that differ in more than the seed: precision, "
        "weights_sha256. Mend it with: records that differ in nothing else; the others into a folder of results of "
        "their own"
    ]


def test_a_claim_that_no_page_makes_is_a_warning(small_report: Path) -> None:
    (found,) = claiming(small_report, CLAIMS + CLAIMS.replace("first-is", "it-is"))
    assert found.startswith("warning: docs/claims.yml, line 9: claim it-is-good is made on no page")


def command(root: Path, verb: str, *arguments: str) -> Result:
    """Run a command on a report, as a user does."""
    return CliRunner().invoke(app, [verb, *arguments, "--root", str(root)], env={"COLUMNS": "300"})


def test_the_command_prints_each_finding_with_its_place_and_fails(small_report: Path) -> None:
    confirm(small_report)
    with (small_report / "docs" / "en" / "index.md").open("a", encoding="utf-8") as page:
        page.write("\nIt is 90 % good.\n")
    done = command(small_report, "check")
    assert done.exit_code == 1
    assert "error: docs/en/index.md, line 7: '90 %' looks measured, and it is typed by hand." in done.stdout
    assert "error: docs/es/index.md, line 1: section home is older than its English text." in done.stdout
    assert done.stdout.endswith("2 errors, 0 warnings.\n")


def test_warnings_fail_only_where_the_check_is_strict(small_report: Path) -> None:
    (small_report / "docs" / "claims.yml").write_text(CLAIMS, encoding="utf-8")
    confirm(small_report)
    assert command(small_report, "check").exit_code == 0
    assert command(small_report, "check", "--strict").exit_code == 1


def test_sections_are_confirmed_by_a_command(small_report: Path) -> None:
    done = command(small_report, "confirm", *SECTIONS)
    assert done.exit_code == 0 and all(name in done.stdout for name in SECTIONS)
    assert command(small_report, "check").stdout == "Nothing to mend.\n"


def test_confirming_nothing_is_a_mistake(small_report: Path) -> None:
    assert command(small_report, "confirm").exit_code == 2


def told(root: Path) -> list[str]:
    return [str(finding) for finding in check(gather(reports.load(root)))]


def test_every_look_at_pages_catalogues_and_navigation_is_taken(small_report: Path) -> None:
    """One defect for each, in English alone; what each finds of them is told elsewhere."""
    rename(small_report, "en", site_description="It reached 72.34%.")
    navigation = small_report / "mkdocs.yml"
    shared = yaml.safe_load(navigation.read_text(encoding="utf-8"))
    navigation.write_text(yaml.safe_dump({**shared, "nav": ["index.md"]}), encoding="utf-8")
    with (small_report / "docs" / "en" / "index.md").open("a", encoding="utf-8") as page:
        page.write(
            "\nIt is 90 % good, {{ frist }}, [gone](gone.md).\n\nLook: {{ ladder() }}\n\n"
            "It took {{ first.reproduced.seconds }}, {{ first.reproduced.seconds }}, "
            "{{ first.published.seconds.value }} and "
            "{{ first.published.seconds.value }}.\n"
        )
    found = told(small_report)
    for what in (
        "docs/en/catalogue.yml, line 10: '72.34%' looks measured",
        "mkdocs.yml: nav does not name further.md",
        "docs/en/index.md, line 7: '90 %' looks measured",
        "docs/en/index.md, line 7: 'frist' is no known name",
        "docs/en/index.md, line 7: a link to gone.md leads to no page",
        "docs/en/index.md, line 9: ladder() makes a block and stands amid a line",
        "docs/en/index.md, line 11: a fact in this sentence is absent",
        "docs/en/index.md, line 11: .value takes a number out of its fact",
        "docs/es/index.md, line 1: section home lacks {{ ladder() }}",
        "docs/en/catalogue.yml, line 5: section name was never confirmed",
    ):
        assert sum(line.startswith(what) for line in found) == 1, what
    places = [(f.where, f.line or 0) for f in check(gather(reports.load(small_report)))]
    assert places == sorted(places)


def test_a_part_whose_folder_is_not_there_either_is_no_traceback(small_report: Path) -> None:
    confirm(small_report)
    settings = small_report / "pyproject.toml"
    text = settings.read_text(encoding="utf-8").replace('results = "results"', 'results = "nowhere/results"')
    settings.write_text(text, encoding="utf-8")
    assert told(small_report) == []


def test_a_changed_source_of_a_variant_is_named_too(small_report: Path) -> None:
    run = record("first", variant="ours", script=SCRIPT, sources={SCRIPT: fingerprint("a = 1\n")})
    records.write(run, small_report / "results")
    (small_report / "scripts").mkdir()
    (small_report / SCRIPT).write_text("a = 2\n", encoding="utf-8")
    confirm(small_report)
    (found,) = told(small_report)
    assert found.startswith("results/first/ours/seed-0/record.json: unconfirmed: changed since the run")


@pytest.mark.parametrize(
    ("tag", "number"),
    [
        ('{% include "further.md" %}', 0),
        ('{% import "part.txt" as part %}', 2),
        ('{% from "part.txt" import x %}', 2),
    ],
)
def test_only_a_file_that_is_no_page_is_a_file_that_nobody_checks(small_report: Path, tag: str, number: int) -> None:
    for code in ("en", "es"):
        (small_report / "docs" / code / "part.txt").write_text("{% set x = 3 %}", encoding="utf-8")
        with (small_report / "docs" / code / "index.md").open("a", encoding="utf-8") as page:
            page.write(f"\n{tag}\n")
    confirm(small_report)
    assert sum("takes words from a file that is no page" in line for line in told(small_report)) == number


@pytest.mark.parametrize("shown", [False, True])
def test_a_project_that_no_catalogue_names_is_told_with_the_command_that_adds_it_where_no_page_shows_it(
    small_report: Path, shown: bool
) -> None:
    for code in ("en", "es"):
        rename(small_report, code, projects={})
        if shown:
            (small_report / "docs" / code / "further.md").write_text('{{ results("first") }}\n', encoding="utf-8")
    found = [line for line in told(small_report) if "there is no projects.first" in line]
    assert [line.endswith("Mend it with: python -m reportgen chapter first") for line in found] == [not shown] * 2


@pytest.mark.parametrize(("profile", "number"), [("full", 2), ("smoke", 0)])
def test_terms_of_images_are_asked_for_once_a_language_and_not_of_a_smoke_run(
    small_report: Path, profile: str, number: int
) -> None:
    records.write(record("first", profile=profile), small_report / "results")
    for code in ("en", "es"):
        text = "# A { #a }\n\n{{ checklist() }}\n"
        (small_report / "docs" / code / "further.md").write_text(text, encoding="utf-8")
    assert sum("there is no licences.sample" in line for line in told(small_report)) == number


def test_terms_that_one_catalogue_has_are_missed_once_in_the_other(small_report: Path) -> None:
    records.write(record("first"), small_report / "results")
    rename(small_report, "es", licences={"sample": "libre"})
    for code in ("en", "es"):
        text = "# A { #a }\n\n{{ checklist() }}\n"
        (small_report / "docs" / code / "further.md").write_text(text, encoding="utf-8")
    assert sum("there is no licences.sample" in line for line in told(small_report)) == 1


@pytest.mark.parametrize(
    ("second", "names"),
    [
        ({"settings": {"batch_size": 512, "decay": 0.1}}, "decay"),
        ({"settings": {}}, "batch_size"),
        ({"network": {"name": "other"}}, "network"),
    ],
)
def test_runs_that_differ_in_a_setting_that_one_of_them_lacks_or_in_their_network_make_no_mean(
    small_report: Path, second: dict[str, Any], names: str
) -> None:
    first = record("first", settings={"batch_size": 512})
    if "network" in second:
        second = {"settings": first.settings, "network": first.network.model_copy(update=second["network"])}
    for run in (first, record("first", 1, **second)):
        records.write(run, small_report / "results")
    (found,) = [line for line in told(small_report) if "one mean" in line]
    assert f"differ in more than the seed: {names}. " in found


def test_variants_of_one_name_are_taken_together_whatever_sets_them_apart(small_report: Path) -> None:
    study = json.loads((small_report / "published.json").read_text(encoding="utf-8"))
    study["projects"][0]["requires"] = {"weights": "theirs"}
    (small_report / "published.json").write_text(json.dumps(study), encoding="utf-8")
    for seed, weights in enumerate(("ours", "mine")):
        records.write(record("first", seed, variant="it", settings={"weights": weights}), small_report / "results")
    (found,) = [line for line in told(small_report) if "one mean" in line]
    assert found.startswith("results/first/it: ") and "differ in more than the seed: weights." in found


@pytest.mark.parametrize(
    ("metric", "value", "expected", "found"),
    [
        ("train.accuracy", "50 %", "holds", "undecided"),
        ("test.accuracy", "50 %", "contradicted", "holds"),
        ("test.accuracy", "50 %", "undecided", "holds"),
        ("test.accuracy", "90 %", "undecided", "contradicted"),
    ],
)
def test_a_claim_on_which_the_study_is_not_as_expected_is_an_error_whichever_way(
    small_report: Path, metric: str, value: str, expected: str, found: str
) -> None:
    text = CLAIMS.replace("test.accuracy", metric).replace("50 %", value).replace("study: holds", f"study: {expected}")
    (only,) = claiming(small_report, text)
    assert only.startswith(
        f"error: docs/claims.yml, line 2: claim first-is-good is expected of the study: {expected}, found: {found}; "
    )


def test_a_claim_that_names_a_variant_nearly_as_another_is_called_is_a_warning(small_report: Path) -> None:
    records.write(record("first", variant="tiny-imagenet"), small_report / "results")
    text = CLAIMS.replace("of: first", "of: first/tiny-imagnet").replace("study: holds", "study: undecided")
    found = [line for line in claiming(small_report, text) if line.startswith("warning: docs/claims.yml, line 2")]
    assert len(found) == 1 and "Mend it with: 'imagenet', if that is meant" in found[0]


def test_a_claim_on_a_variant_compares_its_images_and_not_those_of_the_project(small_report: Path) -> None:
    other = record("first").dataset.model_copy(update={"name": "other", "sha256": "f" * 64})
    for run in (record("first"), record("first", variant="ours", dataset=other), record("second", dataset=other)):
        records.write(run, small_report / "results")
    both = {
        "kind": "better",
        "metric": "test.accuracy",
        "of": "first/ours",
        "expect": {"study": "undecided", "reproduction": "undecided"},
    }
    claims = {"alike": {**both, "than": "second"}, "mixed": {**both, "than": "first"}}
    (small_report / "docs" / "claims.yml").write_text(yaml.safe_dump(claims), encoding="utf-8")
    compared = [line for line in told(small_report) if "compares runs on different images" in line]
    assert len(compared) == 1 and "claim mixed" in compared[0]


def test_terms_are_asked_for_of_the_images_of_a_variant_too(small_report: Path) -> None:
    records.write(record("first", variant="ours"), small_report / "results")
    for code in ("en", "es"):
        text = "# A { #a }\n\n{{ checklist() }}\n"
        (small_report / "docs" / code / "further.md").write_text(text, encoding="utf-8")
    assert sum("there is no licences.sample" in line for line in told(small_report)) == 2
