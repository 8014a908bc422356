"""The checklist is answered from the records; what is weak is answered honestly, what is missing stops the build."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

from reportgen import features, pretraining
from reportgen import record as records
from reportgen.errors import ReportError
from reportgen.fingerprint import fingerprint
from reportgen.record import Record
from tests.conftest import unbound
from tests.reportgen.test_render import alone, page
from tests.synthetic import confirmation, environment, record
from tests.synthetic import features as seen
from tests.synthetic import pretraining as made_up

SCRIPT = "scripts/first.py"


@pytest.fixture
def root(small_report: Path) -> Path:
    """A report with a licence, a script and the terms of its data set."""
    (small_report / "LICENSE").write_text("\nMIT License\n\nCopyright\n", encoding="utf-8")
    (small_report / "scripts").mkdir()
    (small_report / SCRIPT).write_text("a = 1\n", encoding="utf-8")
    for code, terms in [("en", "free to use"), ("es", "de uso libre")]:
        file = small_report / "docs" / code / "catalogue.yml"
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        content |= {"licences": {"sample": terms}}
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return small_report


def run(seed: int = 0, **changes: Any) -> Record:
    return record("first", seed, script=SCRIPT, sources={SCRIPT: fingerprint("a = 1\n")}, **changes)


def answers(root: Path, *runs: Record, code: str = "en") -> dict[str, tuple[str, str]]:
    """The answer and the evidence, by the first words of the question."""
    shown = unbound(page(root, "{{ checklist() }}", *runs, code=code).markdown)
    table = re.search(r"<table.*</table>", shown, re.DOTALL)
    assert table
    rows = ElementTree.fromstring(table[0]).iter("tr")
    cells = [["\n".join(part.strip() for part in cell.itertext() if part.strip()) for cell in row] for row in rows]
    return {question: (answer, evidence) for question, answer, evidence in cells[1:]}


def test_every_question_is_answered_from_the_records(root: Path) -> None:
    found = answers(root, run(0), run(1))
    told = {question: answer for question, (answer, _) in found.items()}
    assert told == {
        "Do the claims reflect the results?": "no",
        "Are the data and their split specified?": "yes",
        "Are all details of the training given?": "yes",
        "Are there error bars, and is it said what they are?": "yes",
        "Is it said what compute the runs needed?": "yes",
        "Is the code of every run known and open?": "yes",
        "Does today's code still do what the records say?": "yes",
        "Are the licences of code and data named?": "yes",
        "Is there a command that repeats each run?": "yes",
    }
    evidence = "\n".join(text for _, text in found.values())
    for shown in [
        "320 images for training, 80 for validation, 1,000 for the test",
        "0123456789ab",
        "A processor, 2 processor cores for the run, 8.0 GiB of main memory on the machine, Linux x86_64: "
        "2 runs, 27.0 s in all.",
        "The code: MIT License.",
        "sample: free to use.",
        "python -m experiments run first --seed 0",
        "Commit of the records (2):\n012345678901",
        "Records that today's sources back: 2 of 2.",
        SCRIPT,
    ]:
        assert shown in evidence, shown


def test_without_a_study_the_checklist_counts_the_verdicts_on_the_runs_alone(root: Path) -> None:
    alone(root)
    high = {"kind": "above", "metric": "test.accuracy", "of": "first", "value": "50 %"}
    expected = {"expect": {"study": "undecided", "reproduction": "holds"}}
    (root / "docs" / "claims.yml").write_text(yaml.safe_dump({"high": high | expected}), encoding="utf-8")
    answer, evidence = answers(root, run())["Do the claims reflect the results?"]
    assert answer == "yes" and evidence.splitlines()[-1] == "Their verdicts: holds (1)."
    assert "study" not in evidence and "reproduction" not in evidence


def test_the_checklist_is_written_in_the_language_of_the_page(root: Path) -> None:
    found = answers(root, run(0), run(1), code="es")
    assert found["¿Se nombran las licencias del código y de los datos?"] == (
        "sí",
        "El código: MIT License.\nsample: de uso libre.",
    )
    assert not [question for question in found if not question.startswith("¿")]


DIRTY = environment().model_copy(update={"git_clean": False})


@pytest.mark.parametrize(
    ("runs", "question", "answer", "evidence"),
    [
        ([run(0)], "Are there error bars", "no", "With one run only, and without error bars: 1."),
        ([run(0), run(1), record("second")], "Are there error bars", "partly", "without error bars: second."),
        ([run(0), run(1, environment=DIRTY)], "Is the code", "partly", "with uncommitted changes"),
        ([run(0), record("first", 1, script=SCRIPT, sources={SCRIPT: "0" * 64})], "Does today's code", "partly",
         "Unconfirmed: 1. This tells:\npython -m experiments replay first"),
        ([record("first", script=SCRIPT, sources={SCRIPT: "0" * 64})], "Does today's code", "no", "0 of 1"),
        ([record("first", script="gone.py", sources={"gone.py": "0" * 64})], "Does today's code", "no",
         "Unconfirmed: 1. Its script is gone."),
    ],
)  # fmt: skip
def test_what_is_weak_is_answered_honestly(
    root: Path, runs: list[Record], question: str, answer: str, evidence: str
) -> None:
    (found,) = [value for asked, value in answers(root, *runs).items() if asked.startswith(question)]
    assert found[0] == answer and evidence in found[1]


@pytest.mark.parametrize(
    ("content", "answer", "evidence"), [("a = 1\n", "yes", "1 of 1"), ("a = 2\n", "partly", "0 of 1")]
)
def test_a_pretraining_of_other_sources_is_told_for_it_has_no_canary(
    root: Path, content: str, answer: str, evidence: str
) -> None:
    with (root / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('pretraining = "pretraining"\n')
    pretraining.write(made_up(sources={SCRIPT: fingerprint(content)}), root / "pretraining" / "set.json")
    told = answers(root, run())["Does today's code still do what the records say?"]
    assert told[0] == answer
    assert f"that today's sources made: {evidence}." in told[1]


def test_only_pretrainings_that_a_run_starts_from_take_their_time(root: Path) -> None:
    known = made_up()
    with (root / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('pretraining = "pretraining"\n')
    pretraining.write(known, root / "pretraining" / "known.json")
    question = "Is it said what compute the runs needed?"
    assert "pretraining" not in answers(root, run())[question][1]
    started = run(1, settings={"epochs": 3, "weights_sha256": known.weights_sha256})
    assert "Time of the pretrainings that some of them start from" in answers(root, run(), started)[question][1]


def test_what_counts_as_no_reproduction_has_a_place_among_the_runs(root: Path) -> None:
    """The study's project has two runs of one variant and one of another, and none of its own."""
    few = [run(seed, variant="3-epochs", settings={"epochs": 3}) for seed in (0, 1)]
    found = answers(root, *few, run(variant="1-epochs", settings={"epochs": 1}))
    answer, evidence = found["Are there error bars, and is it said what they are?"]
    assert answer == "partly" and "Not reproduced yet: 1." in evidence and "Not run" not in evidence
    assert "With several seeds: 1 (variant 3-epochs)." in evidence
    assert "With one run only, and without error bars: 1 (variant 1-epochs)." in evidence


def test_one_core_is_one(root: Path) -> None:
    found = answers(root, run(environment=environment(cores=1)), run(1))
    told = found["Is it said what compute the runs needed?"][1]
    assert "1 processor core for the run, " in told and "2 processor cores for the run, " in told


def test_a_variant_is_a_run_like_the_others(root: Path) -> None:
    other = run(variant="tiny", command="python -m experiments run first --seed 0 --vgg16-weights FILE")
    found = answers(root, run(0), run(1), other)
    assert "3 runs, 40.5 s in all." in found["Is it said what compute the runs needed?"][1]
    assert "3 of 3" in found["Does today's code still do what the records say?"][1]
    assert "1 (variant tiny):\n" + other.command in found["Is there a command that repeats each run?"][1]


def test_the_claims_and_their_verdicts_are_counted(root: Path) -> None:
    claim = "{kind: above, metric: test.accuracy, of: first, value: %s, expect: {study: holds, reproduction: holds}}\n"
    (root / "docs" / "claims.yml").write_text(
        f"one: {claim % '50 %'}two: {claim % '57 %'}three: {claim % '62 %'}", encoding="utf-8"
    )
    answer, evidence = answers(root, run(right=58))["Do the claims reflect the results?"]
    assert answer == "partly"
    assert evidence.splitlines() == [
        "Claims that are checked whenever the report is built: 3.",
        "Their verdicts on the study: holds (3).",
        "Their verdicts on the reproduction: contradicted (1), holds (1) and undecided (1).",
    ]


NO_COMMIT = environment().model_copy(update={"git_commit": None, "git_clean": None})


@pytest.mark.parametrize(
    ("runs", "complaint"),
    [
        ([], "docs/en/index.md, line 1: the checklist is answered from recorded runs, and there is none in results."),
        ([run(environment=NO_COMMIT)],
         "needs evidence that is missing: results/first/seed-0/record.json holds no commit of the sources"),
        ([run(settings={})], "results/first/seed-0/record.json holds no setting"),
        ([run(dataset=run().dataset.model_copy(update={"name": "other"}))],
         "needs the terms of the data set other: an entry in `licences` of docs/en/catalogue.yml"),
    ],
)  # fmt: skip
def test_missing_evidence_stops_the_build_with_a_sentence(root: Path, runs: list[Record], complaint: str) -> None:
    with pytest.raises(ReportError) as problem:
        answers(root, *runs)
    assert complaint in str(problem.value)


def test_a_repository_without_a_licence_stops_the_build(root: Path) -> None:
    (root / "LICENSE").write_bytes("Año".encode("latin-1"))
    with pytest.raises(ReportError, match="LICENSE: expected text in UTF-8"):
        answers(root, run())
    (root / "LICENSE").unlink()
    with pytest.raises(ReportError, match="there is no file LICENSE in the root"):
        answers(root, run())


def test_smoke_runs_are_no_evidence(root: Path) -> None:
    smoke = run(profile="smoke", environment=NO_COMMIT)
    assert "*Smoke runs are no evidence; the checklist stays empty.*" in page(root, "{{ checklist() }}", smoke).markdown


UNKNOWN = environment().model_copy(update={"git_clean": None})


@pytest.mark.parametrize(
    ("runs", "question", "answer"),
    [
        ([run(0), run(1, environment=UNKNOWN)], "Is the code of every run", "partly"),
        ([run(0), run(1), *(record("second", seed, variant="ours") for seed in (0, 1))], "Are there error", "partly"),
    ],
)
def test_what_is_not_known_or_has_no_run_of_its_own_is_no_whole_yes(
    root: Path, runs: list[Record], question: str, answer: str
) -> None:
    (found,) = [value[0] for asked, value in answers(root, *runs).items() if asked.startswith(question)]
    assert found == answer


@pytest.mark.parametrize(
    ("content", "answer", "evidence"), [("a = 1\n", "yes", "1 of 1"), ("a = 2\n", "partly", "0 of 1")]
)
def test_what_weights_see_is_told_of_other_sources_too(root: Path, content: str, answer: str, evidence: str) -> None:
    with (root / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('pretraining = "pretraining"\n')
    made = seen(sources={SCRIPT: fingerprint(content)})
    features.write(made, root / "pretraining" / "set" / features.FILE)
    told = answers(root, run())["Does today's code still do what the records say?"]
    assert told[0] == answer and f"that today's sources made: {evidence}." in told[1]


def test_a_record_whose_canary_confirmed_today_s_sources_is_backed_by_them(root: Path) -> None:
    older = record("first", script=SCRIPT, sources={SCRIPT: "0" * 64})
    folder = records.folder_of(older, root / "results")
    question = "Does today's code still do what the records say?"
    assert answers(root, older)[question][0] == "no"
    records.confirm(confirmation(sources={SCRIPT: fingerprint("a = 1\n")}), folder)
    assert answers(root)[question][0] == "yes"


def test_the_data_and_the_split_of_every_seed_are_told_by_their_own_hashes(root: Path) -> None:
    def of(seed: int, data: str) -> Record:
        hashes = {"sha256": data * 64, "split_sha256": f"{seed}" * 64}
        return run(seed, dataset=run().dataset.model_copy(update=hashes))

    told = answers(root, of(1, "a"), of(2, "b"))["Are the data and their split specified?"][1]
    assert re.findall(r"(?:labels|seed \d, SHA-256):\n(\w+)", told) == [12 * digit for digit in "ab12"]


def test_the_settings_of_every_run_are_among_the_details_of_the_training(root: Path) -> None:
    told = answers(root, run(0, settings={"epochs": 3}), record("second", settings={"decay": 0.1}))
    assert told["Are all details of the training given?"][1].endswith("among all of them: Epochs and Decay.")
