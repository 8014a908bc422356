"""A page and the facts become Markdown in a language; whatever a page gets wrong is named with its line."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

from reportgen import pretraining
from reportgen import record as records
from reportgen import report as reports
from reportgen.bench import write as write_bench
from reportgen.build import build
from reportgen.errors import ReportError
from reportgen.fingerprint import fingerprint
from reportgen.material import gather
from reportgen.record import Network, Record, Setting
from reportgen.render import Page, Renderer
from reportgen.tables import Tables
from tests.conftest import unbound
from tests.reportgen.test_bench import bench, comparison
from tests.reportgen.test_check import CLAIMS
from tests.synthetic import declaration, environment, record
from tests.synthetic import pretraining as made_up

DENSE = {"name": "dense", "type": "Dense", "output_shape": (None, 10), "parameters": 30730}
HIDDEN = {"name": "hidden", "type": "Dense", "output_shape": (None, 64), "parameters": 1000}
HOSTILE = '<script>alert("&")</script>'


def page(root: Path, text: str, *runs: Record, code: str = "en", path: str = "index.md") -> Page:
    """Render `text` as a page of the report at `root`, with `runs` recorded."""
    report = reports.load(root)
    for run in runs:
        records.write(run, report.results)
    (root / "docs" / code / path).write_text(text, encoding="utf-8")
    return Renderer(gather(report), code).page(path)


def plain(page: Page) -> str:
    """What is rendered, with ordinary spaces and without the notes and the links to them."""
    text = page.markdown.partition("\n\n## Evidence and sources")[0].partition("\n\n## Pruebas y fuentes")[0]
    return re.sub(r'<a class="rg-fact"[^>]*>([^<]*)</a>', r"\1", text).replace("\u00a0", " ")


def cells(page: Page) -> list[list[str]]:
    """The rows of the first table of a page, as text."""
    table = re.search(r"<table.*?</table>", page.markdown, re.DOTALL)
    assert table, page.markdown
    rows = ElementTree.fromstring(table[0].replace("<br>", " ")).iter("tr")
    return [["".join(cell.itertext()).replace("\u00a0", " ").strip() for cell in row] for row in rows]


def of_network(*layers: dict[str, Any]) -> Network:
    total = sum(layer["parameters"] for layer in layers)
    return Network(name="net", layers=layers, parameters=total, trainable=total, non_trainable=0)


def test_no_character_of_a_setting_is_markup(small_report: Path) -> None:
    run = record("first", settings={"batch_size": 512, "filter": "x*y*<z>"})
    shown = plain(page(small_report, "So: {{ setting('first', 'filter') }}.\n", run, code="en"))
    assert shown.strip() == "So: x&#42;y&#42;&#60;z&#62;."


@pytest.mark.parametrize(
    ("expression", "english", "spanish"),
    [
        ("first.published.test.accuracy", "62.56%", "62,56 %"),
        ("first.published.test.cross_entropy", "1.070", "1,070"),
        ("first.published.seconds", "47.4 s", "47,4 s"),
        ("first.published.train.accuracy", "not printed in the study", "no figura en el estudio"),
        ("first.published.parameters.total", "not printed in the study", "no figura en el estudio"),
        ("first.reproduced.test.accuracy", "55.00% ± 7.07", "55,00 % ± 7,07"),
        ("first.reproduced.test.accuracy.mean", "55.00%", "55,00 %"),
        ("first.reproduced.test.accuracy.sd", "7.07 pp", "7,07 pp"),
        ("first.reproduced.test.accuracy.n", "2", "2"),
        ("first.reproduced.test.cross_entropy", "1.125 ± 0.000", "1,125 ± 0,000"),
        ("first.reproduced.test.accuracy - first.published.test.accuracy", "−7.56 pp", "−7,56 pp"),
        ("first.published.test.accuracy - first.published.test.accuracy", "0.00 pp", "0,00 pp"),
        ("first.reproduced.standard_error", "1.57 pp", "1,57 pp"),
        ("setting('first', 'batch_size')", "512", "512"),
        ("setting('first', 'learning_rate')", "0.001", "0,001"),
        ("dataset('first', 'test')", "1,000", "1.000"),
    ],
)
def test_a_fact_in_a_sentence_is_written_as_its_language_writes_it(
    small_report: Path, expression: str, english: str, spanish: str
) -> None:
    runs = [record("first", seed, right=right) for seed, right in [(0, 60), (1, 50)]]
    for code, expected in [("en", english), ("es", spanish)]:
        assert (
            plain(page(small_report, f"So: {{{{ {expression} }}}}.\n", *runs, code=code)).strip() == f"So: {expected}."
        )


@pytest.mark.parametrize(("code", "word"), [("en", "not reproduced yet"), ("es", "aún sin reproducir")])
def test_what_has_not_been_run_is_a_word_and_never_a_number(small_report: Path, code: str, word: str) -> None:
    asked = ["first.reproduced.test.accuracy", "first.reproduced.seconds.mean", "setting('first', 'epochs')",
             "dataset('first', 'train')", "first.reproduced.test.accuracy - first.published.test.accuracy"]  # fmt: skip
    text = "\n".join(f"{{{{ {expression} }}}}" for expression in asked)
    assert set(page(small_report, text, code=code).markdown.splitlines()) == {word}


def test_a_setting_of_what_is_ours_and_has_no_run_of_its_own_is_not_run_yet(small_report: Path) -> None:
    text = "{{ setting('ours/none', 'epochs') }}"
    assert page(small_report, text, record("ours", variant="small")).markdown.strip() == "not run yet"


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("frist.published.test.accuracy", "'frist' is not a known name; did you mean 'first'?"),
        ("first.publishd.test.accuracy", "'publishd' is not a known name; did you mean 'published'?"),
        ("first.published.test.acuracy", "'acuracy' is not a known name; did you mean 'accuracy'?"),
        ("first.reproduced.secnds", "'secnds' is not a known name; did you mean 'seconds'?"),
        ("curvs('first')", "'curvs' is not a known name; did you mean 'curves'?"),
        ("curves('frist')", "'frist' is not a known project; did you mean 'first'?"),
        ("setting('first', 'batchsize')", "'batchsize' is not a setting of first: batch_size, epochs"),
        ("setting('first', 'batchsize')", "; did you mean 'batch_size'?"),
        ("curves()", "curves() is called with other arguments than it has (missing a required argument: 'project')"),
        ("first.reproduced.test.accuracy - 0.1", "this cannot be computed"),
        ("setting('first', ['x'])", "setting takes its name as a text in quotes, and here is something else (list)."),
        ("results(first)", "results takes its project as a text in quotes, and here is something else (ProjectFacts)."),
        ("results(None)", "results takes its project as a text in quotes, and here is something else (NoneType)."),
        ("bench(3)", "bench takes its group as a text in quotes, and here is something else (int)."),
        ("results(frist)", "results takes its project as a text in quotes, and here is a name without quotes."),
        ("given(1, ['percent'])", "given takes its kind as a text in quotes, and here is something else (list)."),
        ("given(1e400)", "this cannot be computed (name 'inf' is not defined)"),
        ("given(10 ** 400, 'percent')", "what is given is infinite, or too large"),
        ("claim_entry(3)", "claim_entry takes its identifier as a text in quotes, and here is something else (int)."),
        ("general('x')", "general is a tag: {% general %}a sentence{% endgeneral %}."),
        ("claim('x')", 'claim is a tag: {% claim "…" %}a sentence{% endclaim %}.'),
        (
            "'' }}{% claim 3 %}A{% endclaim %}{{ ''",
            "claim takes its identifier as a text in quotes, and here is something else (int).",
        ),
        ("'' }}{% claim ['x'] %}A{% endclaim %}{{ ''", "claim takes its identifier as a text in quotes"),
        ("first.reproduced.tset.accuracy", "'tset' is not a known name; did you mean 'test'?"),
        ("first.reproduced.test.accuracy.intervl", "'intervl' is not a known name; did you mean 'interval'?"),
        ("first.reproduced.test.accuracy.zzz", "'zzz' is not a known name; known are absent, between, interval, "),
        ("first.reproduced.test.f1", "'f1' is not a known name; known are accuracy, cross_entropy."),
        ("first.reproduced.machine.device.nme", "'nme' is not a known name."),
        ("first.studied", "True is no number or text; ask for it in {% if … %}"),
        (
            "first.reproduced.test.accuracy.interval.low",
            "'low' is not a known name of a single number, and an interval",
        ),
        (
            "first.reproduced.test.accuracy.interval.high",
            "'high' is not a known name of a single number, and an interval",
        ),
        ("first.published.test.accuracy.mean", "'mean' is not a known name of a single number, which has no parts."),
        ("'' }}{% general %}{{ 1 / 0 }}{% endgeneral %}{{ ''", "this cannot be computed (division by zero)"),
        ("first.published.test.accuracy - 1", "this cannot be computed"),
        ("1 / 0", "this cannot be computed (division by zero)"),
        ("first.reproduced.seconds + first.reproduced.seconds", "'; facts are rounded already, and one can only be"),
        ("first.reproduced.seconds.mean / 2", "'; facts are rounded already, and one can only be subtracted from an"),
        ("first.reproduced.seconds - 0.1", "'; facts are rounded already, and one can only be subtracted from another"),
        ("-first.published.test.accuracy", "'; facts are rounded already, and one can only be subtracted"),
        ("first.published.test.accuracy | round(1)", "method; facts are rounded already, and one can only"),
        ("'{:.1f}'.format(first.published.test.accuracy)", "__format__; facts are rounded already, and one can only"),
        ("1 if first.published.seconds > first.reproduced.seconds", "'; facts are compared by a claim: {% claim "),
        ("[first.published.seconds, first.published.seconds] | max", "'; facts are compared by a claim: {% claim "),
        ("'{} {}'.format(1)", "this cannot be computed"),
        ("5 | dictsort", "this cannot be computed"),
        ("{'a': 5} | dictsort(by='x')", 'You can only sort by either "key" or "value"'),
        ("first.published.test.accuracy - first.published.seconds", "cannot be subtracted"),
        ("code('first')", "there is no script scripts/first.py of first to show."),
        ("1 | unheard_of", "No filter named 'unheard_of'"),
        ("first.", "expected name or number"),
        ("title(“first”)", "unexpected char '“' at 29; quotes within braces are straight"),
    ],
)
def test_a_page_that_asks_for_something_unknown_is_named_with_its_line(
    small_report: Path, expression: str, complaint: str
) -> None:
    with pytest.raises(ReportError) as raised:
        page(small_report, f"# Title\n\nFine.\n\nSo: {{{{ {expression} }}}}.\n", record("first"), path="further.md")
    assert str(raised.value).startswith("docs/en/further.md, line 5: ")
    assert complaint in str(raised.value)


def test_a_page_that_includes_a_missing_file_is_named_with_its_line(small_report: Path) -> None:
    with pytest.raises(ReportError, match=r"^docs/en/index\.md, line 2: there is no file nowhere\.md to include"):
        page(small_report, "# Title\n{% include 'nowhere.md' %}\n")
    with pytest.raises(ReportError, match=r"^docs/en/index\.md, line 2: there is no file \.\./es to include"):
        page(small_report, "# Title\n{% include '../es' %}\n")  # a folder is none


@pytest.mark.parametrize("other", ["index.md", "further.md"])
def test_a_page_that_includes_itself_by_itself_or_by_another_is_named(small_report: Path, other: str) -> None:
    (small_report / "docs" / "en" / "further.md").write_text('{% include "index.md" %}\n', encoding="utf-8")
    with pytest.raises(ReportError, match=r"^docs/en/index\.md: it includes itself, or a page that includes it\.$"):
        page(small_report, f'# A {{ #a }}\n\n{{% include "{other}" %}}\n')


def test_text_in_another_encoding_is_named_wherever_a_page_has_it_from(small_report: Path) -> None:
    spanish = small_report / "docs" / "es"
    (spanish / "part.txt").write_bytes(b"{{ first. }}")
    with pytest.raises(ReportError, match=r"^docs/es/part\.txt, line 1: expected name or number"):
        page(small_report, "# Título\n{% include 'part.txt' %}\n", code="es")
    (spanish / "part.txt").write_bytes("Año".encode("cp1252"))
    with pytest.raises(ReportError, match=r"^docs/es/index\.md, line 2: docs/es/part\.txt: expected text in UTF-8"):
        page(small_report, "# Título\n{% include 'part.txt' %}\n", code="es")
    (spanish / "index.md").write_bytes("# Título".encode("cp1252"))
    with pytest.raises(ReportError, match=r"^docs/es/index\.md: expected text in UTF-8, found the byte 0xed at 3"):
        Renderer(gather(reports.load(small_report)), "es").page("index.md")


def test_the_table_of_all_projects_aligns_the_study_with_the_runs(small_report: Path) -> None:
    study = json.loads((small_report / "published.json").read_text(encoding="utf-8"))
    study["projects"].append({**study["projects"][0], "id": "second", "test": None})
    (small_report / "published.json").write_text(json.dumps(study), encoding="utf-8")
    runs = [record("first", seed, right=right) for seed, right in [(0, 60), (1, 50)]]
    rendered = page(small_report, "{{ ladder() }}", *runs)
    _, first, second = cells(rendered)
    assert first[:4] == ["1", "62.56%", "55.00% ± 7.07 2 seeds", "−7.56 pp"]
    assert second[:3] == ["second", "not printed in the study", "not reproduced yet"]
    assert "Reproduced on: sample." in rendered.markdown


@pytest.mark.parametrize(
    ("code", "beyond", "absent"), [("en", "Beyond the study", "not run yet"), ("es", "Más allá", "aún sin ejecutar")]
)
def test_what_is_ours_is_told_from_the_study_before_it_has_run_and_after(
    small_report: Path, code: str, beyond: str, absent: str
) -> None:
    records.write_declaration(declaration("ours"), small_report / "declared")
    *_, row = cells(page(small_report, "{{ ladder() }}", record("first"), code=code))
    assert beyond in row[0] and row[1:5] == ["–", absent, "–", "–"]
    assert int(row[5].replace(",", "").replace(".", "")) == declaration("ours").network.parameters
    *_, unknown = cells(page(small_report, '{{ results("ours") }}', code=code))
    assert unknown == [absent]
    _, _, *rows = cells(page(small_report, '{{ results("ours") }}', record("ours"), code=code))
    assert len(rows) == 1 and rows[0][0].endswith(" 0") and rows[0][1].startswith("60")
    *_, row = cells(page(small_report, "{{ ladder() }}", code=code))
    assert beyond in row[0] and row[2].startswith("60")


def alone(root: Path) -> None:
    """Let no study stand beside the report's own projects."""
    study = json.loads((root / "published.json").read_text(encoding="utf-8"))
    (root / "published.json").write_text(json.dumps({**study, "projects": []}), encoding="utf-8")


OWN = """{% claim "deeper" %}So{% endclaim %}: {{ first.reproduced.test.accuracy }},
{{ variant("second/small").reproduced.test.accuracy }}.

{{ ladder() }}
{{ results("first") }}
{{ variants() }}
{{ claims_table() }}
{{ ladder_chart() }}
{{ gap_chart() }}
{{ accuracy_parameters() }}
{{ accuracy_time() }}
{{ class_chart() }}
{{ curves("third") }}
"""
"""What a report of somebody's own experiments may ask for."""


def test_a_report_of_own_experiments_names_no_study_and_no_reproduction(small_report: Path) -> None:
    fast = environment().model_copy(update={"device": "A GPU"})
    runs = [
        record("first"),
        record("second", environment=fast),
        *(record(project, variant="small") for project in ("second", "third")),
    ]
    alone(small_report)
    better = {"kind": "better", "metric": "test.accuracy", "of": "second", "than": "first"}
    expected = {"expect": {"study": "undecided", "reproduction": "holds"}}
    (small_report / "docs" / "claims.yml").write_text(yaml.safe_dump({"deeper": better | expected}), encoding="utf-8")
    rendered = page(small_report, OWN, *runs).markdown
    read = re.sub(r"<script.*?</script>|<(?!\w+ [^>]*aria-label=)[^>]*>", " ", rendered, flags=re.DOTALL)
    assert not re.findall(r".*\b(?:stud|reprodu).*", read, re.IGNORECASE)
    assert "Only times of one machine can be compared" in read
    asked = page(small_report, "{{ findings() }}").markdown
    assert asked == "*There is no study that a claim could disagree with.*"
    assert cells(page(small_report, "{{ ladder() }}")) == [
        ["Project", "Test accuracy", "Parameters"],
        ["1", "60.00% one run", "30,730"],
        ["second", "60.00% one run", "30,730"],
        ["Variant variant small", "60.00% one run", "–"],
        ["third", "not run yet", "30,730"],
        ["Variant variant small", "60.00% one run", "–"],
    ]


def test_the_results_stand_beside_the_published_ones_their_mean_first_and_seed_by_seed(small_report: Path) -> None:
    parts, columns, study, unknown = cells(page(small_report, '{{ results("first") }}'))
    assert parts == ["", "Test", "Training"]
    measured = ["Accuracy", "Cross-entropy"]
    assert columns == [*measured, *measured, "Time", "Epochs, and the one kept"]
    absent = "not printed in the study"
    assert [study[0], study[1], study[3], study[6]] == ["Study", "62.56%", absent, absent]
    assert unknown == ["Reproduction", "not reproduced yet"]
    runs = [record("first", seed, right=right) for seed, right in [(0, 60), (1, 50)]]
    _, _, *alone = cells(page(small_report, '{{ results("first") }}', runs[0]))
    assert [row[:2] for row in alone] == [["Study", "62.56%"], ["Seed 0", "60.00%"]]
    _, _, again, mean, sd, *seeds = cells(page(small_report, '{{ results("first") }}', *runs))
    assert again == study
    assert [mean[0], mean[1], mean[3]] == ["Mean", "55.00%", "75.00%"]
    assert [sd[0], sd[1], sd[2]] == ["Standard deviation", "7.07 pp", "0.000"]
    assert [(seed[0], seed[1], seed[6]) for seed in seeds] == [
        ("Seed 0", "60.00%", "9 · 6"),
        ("Seed 1", "50.00%", "9 · 6"),
    ]


def test_the_results_say_in_the_languages_words_on_which_data_they_were_had(small_report: Path) -> None:
    file = small_report / "docs" / "es" / "catalogue.yml"
    words = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**words, "datasets": {"sample": "la muestra"}}), encoding="utf-8")
    rendered = page(small_report, '{{ results("first") }}', record("first"), code="es")
    assert re.search(r'class="rg-caption">[^<]*: la muestra\.', rendered.markdown)


def pretrained_in(root: Path) -> Path:
    """Where the small report keeps the records of pretrainings."""
    with (root / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('pretraining = "pretraining"\n')
    return root / "pretraining"


@pytest.mark.parametrize(
    ("code", "absent", "unfinished"),
    [
        ("en", "There is no recorded pretraining yet.", "2 of 5, unfinished"),
        ("es", "Aún no hay ningún preentrenamiento registrado.", "2 de 5, sin terminar"),
    ],
)
def test_pretrainings_are_listed_with_what_they_reached_and_how_complete_they_are(
    small_report: Path, code: str, absent: str, unfinished: str
) -> None:
    assert absent in page(small_report, "{{ pretrainings() }}", code=code).markdown
    folder = pretrained_in(small_report)
    pretraining.write(made_up(), folder / "a.json")
    pretraining.write(made_up(epochs=5), folder / "b.json")
    rendered = page(small_report, "{{ pretrainings() }}", code=code)
    _, whole, part = cells(rendered)
    assert whole[0] in ("set Record 0123456789ab", "set Registro 0123456789ab")
    assert whole[1:3] == ["32", "2 1"] and part[2] == f"{unfinished} 1"
    assert re.findall(r"\d+.\d+", whole[3].replace(",", ".")) == ["37.50", "50.00"]
    assert rendered.assets["assets/pretraining/a.json"] == folder / "a.json"


def test_a_number_in_front_of_a_page_is_text_and_a_claim_has_no_place_there(small_report: Path) -> None:
    front = "---\ndescription: It reached {}.\n---\n# A\n\n{{{{ first.published.test.accuracy }}}}\n"
    number = "{{ first.published.test.accuracy }}"
    shown = page(small_report, front.format(number)).markdown
    assert shown.startswith("---\ndescription: It reached 62.56%.\n---\n# A\n") and 'class="rg-fact"' in shown
    (small_report / "docs" / "claims.yml").write_text(CLAIMS, encoding="utf-8")
    with pytest.raises(ReportError, match=r"index\.md: a claim stands before the page's text"):
        page(small_report, front.format('{% claim "first-is-good" %}more{% endclaim %}'))


def requiring(root: Path, **settings: Any) -> None:
    """Have the study's figures require `settings`."""
    study = json.loads((root / "published.json").read_text(encoding="utf-8"))
    study["projects"][0]["requires"] = settings
    (root / "published.json").write_text(json.dumps(study), encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "nothing", "apart"),
    [
        ("en", "not reproduced yet", "Initial weights: ours instead of theirs"),
        ("es", "aún sin reproducir", "Pesos iniciales: ours en vez de theirs"),
    ],
)
def test_runs_that_are_no_reproduction_have_a_line_of_their_own_that_says_why(
    small_report: Path, code: str, nothing: str, apart: str
) -> None:
    requiring(small_report, weights="theirs")
    run = record("first", right=40, variant="ours", settings={"weights": "ours"})
    _, first, variant = cells(page(small_report, "{{ ladder() }}", run, code=code))
    assert first[2] == nothing
    why, accuracy, *study = variant  # the first cell takes the room of a figure of the study, too
    assert why.endswith(apart) and accuracy.startswith("40") and study == ["–", "–", "–"]


@pytest.mark.parametrize(
    ("code", "absent", "apart"),
    [
        ("en", "There is no recorded run of a variant yet.", "ours instead of theirs"),
        ("es", "Aún no hay ninguna ejecución registrada de una variante.", "ours en vez de theirs"),
    ],
)
def test_all_variants_stand_together_with_what_sets_them_apart_and_without_what_reproduces(
    small_report: Path, code: str, absent: str, apart: str
) -> None:
    requiring(small_report, weights="theirs")
    assert (
        absent
        in page(small_report, "{{ variants() }}", record("first", settings={"weights": "theirs"}), code=code).markdown
    )
    runs = [record("first", seed, right=40, variant="ours", settings={"weights": "ours"}) for seed in (0, 1)]
    _, *rows = cells(page(small_report, "{{ variants() }}", *runs, code=code))
    assert [row[0] for row in rows if row[1].endswith(apart) and row[3].startswith("40")] == ["1"]


def test_a_variant_is_told_apart_by_what_its_project_declares_otherwise_beyond_what_the_study_requires(
    small_report: Path,
) -> None:
    requiring(small_report, weights="imagenet")
    plan = declaration("first", settings={"weights": "imagenet", "batch_size": 64, "image_size": 48})
    records.write_declaration(plan, small_report / "declared")
    catalogue = small_report / "docs" / "en" / "catalogue.yml"
    content = yaml.safe_load(catalogue.read_text(encoding="utf-8"))
    catalogue.write_text(yaml.safe_dump({**content, "datasets": {"imagenet": "ImageNet"}}), encoding="utf-8")
    settings = {"weights": "ours", "weights_sha256": "ab", "batch_size": 64}
    run = record("first", variant="ours-32px", settings=settings)
    _, (_, apart, *_others) = cells(page(small_report, "{{ variants() }}", run))
    assert apart == ("Initial weights: ours instead of ImageNet; Side of the image (pixels): 32 instead of 48"), (
        "images stay as they are where nothing is said"
    )


def test_a_variant_has_its_own_table_of_results_and_its_own_provenance(small_report: Path) -> None:
    requiring(small_report, weights="theirs")
    runs = [
        record("first", right=60, settings={"weights": "theirs"}),
        record("first", right=40, variant="ours", settings={"weights": "ours"}),
    ]
    rendered = page(small_report, '{{ results("first") }}\n\n{{ provenance("first") }}', *runs)
    whole, apart = unbound(rendered.markdown).split("<strong>Variant, no reproduction.</strong>", 1)
    assert apart.startswith(" Initial weights: ours instead of theirs")
    assert "60.00%" in whole and "40.00%" not in whole and "40.00%" in apart
    assert "Seed 0 (from ours)" in apart
    files = {target: str(file) for target, file in rendered.assets.items()}
    assert files["assets/records/first/ours/seed-0/record.json"].endswith("results/first/ours/seed-0/record.json")


def test_a_variant_of_a_project_of_our_own_stands_beside_nothing_of_the_study(small_report: Path) -> None:
    plan = declaration("mine", settings={"batch_size": 64, "epochs": 40})
    records.write_declaration(plan, small_report / "declared")
    run = record("mine", variant="8-epochs", settings={"batch_size": 64, "epochs": 8})
    rendered = page(small_report, '{{ results("mine") }}\n\n{{ ladder() }}', run)
    assert "<strong>Variant.</strong> Epochs: 8 instead of 40." in plain(rendered)
    assert "Variant, no reproduction" not in plain(rendered)
    _, _, *own = plain(rendered).partition("Epochs: 8 instead of 40.")
    assert "not part of the study" not in own[0] and "60.00%" in own[0]


def test_the_layers_are_listed_with_shapes_and_totals(small_report: Path) -> None:
    _, flatten, dense, total = cells(page(small_report, '{{ layers("first") }}', record("first")))
    assert flatten == ["flatten", "Flatten", "3,072", "0"]
    assert dense == ["dense", "Dense", "10", "30,730"]
    assert total[1] == "30,730 (30,730, 0)"


def test_changes_since_another_project_are_its_layers_settings_and_parameters(small_report: Path) -> None:
    before = record("first", network=of_network(DENSE), settings={"batch_size": 512, "epochs": 100})
    now = record(
        "second",
        network=of_network(HIDDEN, DENSE),
        settings={"batch_size": 256, "epochs": 100, "decay": 0.1, "mirror": True},
    )
    _, *rows = cells(page(small_report, '{{ changes("second", since="first") }}', before, now))
    assert rows == [
        ["Layers added", "–", "Dense 64"],
        ["Batch size", "512", "256"],
        ["Decay", "–", "0.1"],
        ["Mirror", "–", "yes"],
        ["Parameters", "30,730", "31,730"],
    ]


def test_a_network_whose_layers_were_only_freed_has_more_that_train_and_one_with_no_change_no_table(
    small_report: Path,
) -> None:
    free = of_network(DENSE)
    frozen = free.model_copy(update={"trainable": 0, "non_trainable": free.parameters})
    changed = '{{ changes("second", since="first") }}'
    _, *rows = cells(page(small_report, changed, record("first", network=frozen), record("second", network=free)))
    assert rows == [["Trainable parameters", "0", "30,730"]]
    same = page(small_report, changed, record("first", network=free), record("second", network=free))
    assert "*No layer and no setting changed.*" in plain(same) and "<table" not in same.markdown


def test_cells_are_apart_for_the_search_which_reads_a_table_as_one_text(small_report: Path) -> None:
    runs = [record("first"), record("second", settings={"batch_size": 256}), record("first", variant="ours")]
    tables = '{{ ladder() }}{{ variants() }}{{ results("first") }}{{ changes("second", since="first") }}'
    assert re.findall(r"</t[hd]>(?:<t[hd]\b.{20})", page(small_report, tables, *runs).markdown) == []


def test_of_many_layers_that_changed_only_the_number_of_each_type_is_told(small_report: Path) -> None:
    before = record("first", network=of_network(DENSE))
    for more, told in ((8, ", ".join(8 * ["Dense 64"])), (9, "9 × Dense")):
        now = record("second", network=of_network(*(more * [HIDDEN]), DENSE))
        _, added, *_ = cells(page(small_report, '{{ changes("second", since="first") }}', before, now))
        assert added == ["Layers added", "–", told]


DECLARED = "As the script declares it: there is no recorded run with these settings yet."


def test_without_a_run_layers_settings_and_changes_are_those_declared_and_say_so(small_report: Path) -> None:
    declared = declaration("first", network=of_network(DENSE), settings={"batch_size": 512})
    records.write_declaration(declared, small_report / "declared")
    text = '{{ layers("first") }}\n\n{{ training_settings("first") }}\n\n{{ setting("first", "batch_size") }}'
    rendered = page(small_report, text)
    assert cells(rendered)[1] == ["dense", "Dense", "10", "30,730"]
    assert plain(rendered).count(DECLARED) == 2
    assert plain(rendered).endswith("512")
    now = record("second", network=of_network(HIDDEN, DENSE), settings={"batch_size": 256}, precision="mixed_bfloat16")
    changed = page(small_report, '{{ changes("second", since="first") }}', now)
    rows = [["Layers added", "–", "Dense 64"], ["Batch size", "512", "256"], ["Parameters", "30,730", "31,730"]]
    assert cells(changed)[1:] == rows, "what a run computed in is no change beside what a script declares"
    assert DECLARED in changed.markdown
    spanish = page(small_report, '{{ changes("second", since="first") }}', code="es")
    assert "Tal como lo declara el guion" in spanish.markdown
    before = record("first", network=of_network(DENSE), settings={"batch_size": 512})
    between = cells(page(small_report, '{{ changes("second", since="first") }}', before, now))
    assert between[3] == ["Precision", "float32", "mixed_bfloat16"]


def test_the_ladder_leads_to_the_page_that_shows_a_project_s_results(small_report: Path) -> None:
    ladder = page(small_report, "{{ ladder() }}", record("first")).markdown
    assert "<a href" not in ladder
    for code in ("en", "es"):
        (small_report / "docs" / code / "further.md").write_text('{{ results("first") }}\n', encoding="utf-8")
    assert '<a href="further/">' in page(small_report, "{{ ladder() }}", record("first")).markdown


def test_the_ladder_leads_to_a_project_s_own_page_rather_than_one_of_several_and_to_the_home_page_by_its_address(
    small_report: Path,
) -> None:
    for code in ("en", "es"):
        (small_report / "docs" / code / "index.md").write_text('{{ results("second") }}\n', encoding="utf-8")
        (small_report / "docs" / code / "all.md").write_text(
            '{{ results("first") }}\n{{ results("second") }}\n', encoding="utf-8"
        )
        (small_report / "docs" / code / "own").mkdir()
        (small_report / "docs" / code / "own" / "index.md").write_text('{{ results("first") }}\n', encoding="utf-8")
    ladder = page(small_report, "{{ ladder() }}", record("first"), record("second"), path="further.md").markdown
    assert re.findall('<a href="([^"]*)">', ladder) == ["../own/", "../"]


def test_settings_are_written_as_a_language_writes_them_and_what_keras_calls_by_a_name_keeps_it(
    small_report: Path,
) -> None:
    settings: dict[str, Setting] = {"batch_size": 1024, "decay": 1e-07, "mirror": True, "loss": "a_loss", "clip": None}
    run = record("first", settings=settings)
    text = '{{ training_settings("first") }}\n\nAlso {{ setting("first", "decay") }}, {{ setting("first", "mirror") }}.'
    for code, written, said in (
        ("en", ["1,024", "0.0000001", "yes", "a_loss", "–", "float32"], "Also 0.0000001, yes."),
        ("es", ["1.024", "0,0000001", "sí", "a_loss", "–", "float32"], "Also 0,0000001, sí."),
    ):
        rendered = page(small_report, text, run, code=code)
        assert [value for _, value in cells(rendered)[1:]] == written
        assert "<code>a_loss</code>" in rendered.markdown and "<code>1" not in rendered.markdown
        assert plain(rendered).endswith(said)


def test_a_run_s_table_is_its_own_with_the_inner_layers_of_the_same_network_declared(small_report: Path) -> None:
    inner = {"hidden": (of_network(DENSE).layers[0],)}
    network = of_network(HIDDEN, DENSE)
    records.write_declaration(declaration("first", network=network, inner=inner), small_report / "declared")
    rendered = page(small_report, '{{ layers("first") }}', record("first", network=network))
    assert [row[0] for row in cells(rendered)] == [
        "Layer",
        "hidden",
        "dense",
        "dense",
        "Total (trainable, non-trainable)",
    ]
    assert rendered.markdown.count("rg-inner") == 1
    assert DECLARED not in rendered.markdown
    variant = page(small_report, '{{ layers("first/mine") }}', record("first", variant="mine", network=network))
    assert cells(variant) == cells(rendered)
    other = page(small_report, '{{ layers("first") }}', record("first", network=of_network(DENSE)))
    assert "rg-inner" not in other.markdown


def test_a_title_is_no_markup_in_a_cell_a_heading_or_the_page_s_name(small_report: Path) -> None:
    called = '1: a|b <tiny> *c* d_e_f & "g"'
    for code in ("en", "es"):
        file = small_report / "docs" / code / "catalogue.yml"
        words = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump({**words, "projects": {"first": called}}), encoding="utf-8")
    name = '{{ title("first") }}'
    text = f"# {name} {{ #details }}\n\n| A | B |\n| - | - |\n| {name} | {name} |\n"
    for code in ("en", "es"):
        (small_report / "docs" / code / "further.md").write_text(text, encoding="utf-8")
    build(reports.load(small_report), small_report / "site")
    shown = (small_report / "site" / "en" / "further" / "index.html").read_text(encoding="utf-8")
    written = re.findall(r"<td>(.*?)</td>", shown) + re.findall(r"<h1[^>]*>(.*?)<a ", shown)
    assert [html.unescape(text) for text in written] == [called] * 3
    assert f"<title>{called} - " in shown  # in which HTML knows no tags


def test_the_title_of_a_variant_says_what_sets_it_apart(small_report: Path) -> None:
    text = '{{ title("first") }}; {{ title("first/mine") }}'
    assert page(small_report, text, record("first", variant="mine")).markdown == "1; 1 (variant mine)"


def test_the_code_is_the_file_itself_under_its_name(small_report: Path) -> None:
    (small_report / "scripts").mkdir()
    script = 'words = "{{ not a fact }}"\n'
    (small_report / "scripts" / "first.py").write_text(script, encoding="utf-8")
    shown = page(small_report, '{{ code("first") }}').markdown
    assert shown == f'```python title="scripts/first.py"\n{script}```'


def test_the_provenance_tells_each_run_its_state_and_hands_out_its_record(small_report: Path) -> None:
    rendered = page(small_report, '{{ provenance("first") }}', record("first"), record("first", 1))
    assert rendered.markdown.count("<details") == 2
    for told in (
        "A processor",
        "2 processor cores for the run, 8.0 GiB of main memory on the machine",
        "3.11.7",
        "012345678901",
        "--seed 1",
        "unconfirmed",
        "first.py",
    ):
        assert told in unbound(rendered.markdown)
    target = "assets/records/first/seed-1/record.json"
    assert f'href="{target}"' in rendered.markdown
    assert isinstance(rendered.assets[target], Path)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("en", "Changed since the runs of seeds 0 and 2: scripts/first.py."),
        ("es", "Ha cambiado desde las ejecuciones con las semillas 0 y 2: scripts/first.py."),
    ],
)
def test_results_of_runs_whose_sources_changed_are_marked_beside_the_numbers(
    small_report: Path, code: str, sentence: str
) -> None:
    script = small_report / "scripts" / "first.py"
    script.parent.mkdir()
    script.write_text("a = 2\n", encoding="utf-8")
    runs = [
        record("first", seed, script="scripts/first.py", sources={"scripts/first.py": fingerprint(f"a = {now}\n")})
        for seed, now in [(0, 1), (1, 2), (2, 1)]
    ]
    marked = unbound(page(small_report, '{{ results("first") }}', *runs, code=code).markdown)
    assert marked.index("rg-unconfirmed") < marked.index("<table")
    assert sentence in marked and "<code>python -m experiments replay first</code>" in marked


def test_no_command_is_named_for_a_run_whose_script_is_gone(small_report: Path) -> None:
    text = '{{ results("first") }}\n\n{{ provenance("first") }}'
    told = page(small_report, text, record("first")).markdown
    assert "rg-unconfirmed" in told and "Changed since the run of seed 0" in told
    assert "experiments replay" not in told and "this command tells" not in told


def test_a_variant_whose_sources_changed_is_not_taken_for_the_run_of_the_same_seed(small_report: Path) -> None:
    script = small_report / "scripts" / "first.py"
    script.parent.mkdir()
    script.write_text("a = 2\n", encoding="utf-8")
    sources = {"scripts/first.py": fingerprint("a = 1\n")}
    runs = [
        record("first", seed, script="scripts/first.py", sources=sources, variant=variant)
        for seed in (0, 1)
        for variant in (None, "ours")
    ]
    marked = page(small_report, '{{ results("first") }}', *runs).markdown
    assert "the runs of seeds 0 and 1: scripts/first.py." in marked
    assert "the runs of seeds 0 and 1 (variant ours): scripts/first.py." in marked


def test_results_that_todays_sources_stand_for_are_not_marked(small_report: Path) -> None:
    script = small_report / "scripts" / "first.py"
    script.parent.mkdir()
    script.write_text("a = 1  # as then\n", encoding="utf-8")
    run = record("first", script="scripts/first.py", sources={"scripts/first.py": fingerprint("a = 1\n")})
    assert "rg-unconfirmed" not in page(small_report, '{{ results("first") }}', run).markdown


@pytest.mark.parametrize(
    ("tool", "what"),
    [
        *((tool, "There is no recorded run of this project yet.") for tool in ("layers", "provenance")),
        ("training_settings", "There is no recorded run of this project yet."),
        ("curves", "Learning curves: there is no recorded run yet."),
        ("confusion", "Confusion matrix: there is no recorded run yet."),
        ("mistakes", "Mistakes: there is no recorded run yet."),
    ],
)
def test_a_table_or_figure_of_a_project_without_runs_says_so(small_report: Path, tool: str, what: str) -> None:
    assert page(small_report, f'{{{{ {tool}("first") }}}}').markdown == f"*{what}*"


def test_what_a_record_says_never_becomes_markup(small_report: Path) -> None:
    run = record("first", settings={"optimizer": HOSTILE}, command=HOSTILE, precision=HOSTILE)
    text = '{{ training_settings("first") }}\n\n{{ provenance("first") }}\n\n{{ layers("first") }}'
    rendered = page(small_report, text, run)
    assert "<script" not in rendered.markdown
    assert rendered.markdown.count("&lt;script&gt;") >= 4


@pytest.mark.parametrize("opening", ["# Title { #top }\n", "---\nhide: [toc]\n---\n\n# Title { #top }\n", ""])
def test_a_smoke_run_marks_every_page_below_its_heading(small_report: Path, opening: str) -> None:
    marked = page(small_report, f"{opening}\nText.\n", record("first", profile="smoke"), path="further.md").markdown
    assert marked.startswith(opening)
    note = marked.index('\n\n!!! danger ""\n    This is a smoke run') if opening else marked.index("!!! danger")
    assert note < marked.index("\n\nText.")


def test_a_page_without_smoke_runs_is_not_marked(small_report: Path) -> None:
    assert page(small_report, "# Title\n", record("first")).markdown == "# Title\n"


def with_bench(root: Path) -> Path:
    """The small report, with something measured."""
    one = comparison(subject="first", measured=(1234.5, 2469.0), reference=(617.25, 617.25))
    write_bench(bench(one), root / "benches" / "a.json")
    configuration = root / "pyproject.toml"
    configuration.write_text(configuration.read_text(encoding="utf-8") + 'bench = "benches"\n', encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("code", "unit", "row"),
    [
        ("en", "images/s", ["1", "3.00 2.00 to 4.00", "1,850", "617"]),
        ("es", "imágenes/s", ["1", "3,00 de 2,00 a 4,00", "1.850", "617"]),
    ],
)
def test_a_bench_is_a_table_in_which_each_figure_stands_beside_its_reference(
    small_report: Path, code: str, unit: str, row: list[str]
) -> None:
    head, *rows = cells(page(with_bench(small_report), "{{ bench('training') }}", code=code))
    assert [name.rpartition(" ")[2] for name in head].count(unit) == 2, "above each of the two figures"
    assert head[-1] == f"Plain {unit}", "what all stand beside is told once"
    assert rows == [row]


def test_a_bench_names_in_each_row_what_that_stands_beside_where_it_is_not_the_same_for_all(small_report: Path) -> None:
    several = comparison(subject="first", against="plain"), comparison(subject="second", against="fancy")
    write_bench(bench(*several), with_bench(small_report) / "benches" / "a.json")
    head, *rows = cells(page(small_report, "{{ bench('training') }}"))
    assert head[-2:] == ["Beside it", "There images/s"]
    assert [row[-2] for row in rows] == ["plain", "fancy"]


@pytest.mark.parametrize(
    ("ratios", "shown"),
    [
        ((1.0034, 1.0062), "1.005 1.003 to 1.006"),
        ((0.99998, 1.0), "0.99999 0.99998 to 1.0000"),
        ((0.9, 1.0), "0.950 0.900 to 1.00"),
        ((0.996, 1.2), "1.10 0.996 to 1.20"),
        ((1.0, 1.0), "1.00 1.00 to 1.00"),
    ],
)
def test_a_range_that_does_not_hold_1_is_not_rounded_to_one_that_does_and_holds_its_median(
    small_report: Path, ratios: tuple[float, ...], shown: str
) -> None:
    file = with_bench(small_report) / "benches" / "a.json"
    write_bench(bench(comparison(subject="first", measured=ratios, reference=(1.0,) * len(ratios))), file)
    assert cells(page(small_report, "{{ bench('training') }}"))[1][1] == shown


def test_a_bench_says_the_unit_of_each_figure_where_they_are_of_several_and_always_that_of_a_share(
    small_report: Path,
) -> None:
    file = with_bench(small_report) / "benches" / "a.json"
    mixed = [comparison(subject="first"), comparison(subject="second", unit="s")]
    shares = comparison(subject="first", group="share", unit="%", measured=(85.91,), reference=(86.0,))
    write_bench(bench(*mixed, shares), file)
    rows = cells(page(small_report, "{{ bench('training') }}"))[1:]
    assert [row[2].partition(" ")[2] for row in rows] == ["images/s", "s"]
    assert cells(page(small_report, "{{ bench('share') }}"))[1][2:] == ["85.9%", "86.0%"]


def test_two_machines_stand_in_one_table_each_with_its_name_and_each_in_its_words(small_report: Path) -> None:
    there = environment().model_copy(update={"device": "An accelerator", "cores": 16})
    other = bench(comparison(subject="first"), comparison(subject="first", group="sleep"))
    write_bench(other.model_copy(update={"environment": there}), with_bench(small_report) / "benches" / "b.json")
    both = page(small_report, "{{ bench('training') }}")
    assert [row[0] for row in cells(both)[1:]] == [
        "A processor, 2 cores, tensorflow 2.18.0",
        "1",
        "An accelerator, 16 cores, tensorflow 2.18.0",
        "1",
    ]
    named = plain(page(small_report, "{{ bench() }}"))
    assert "on A processor with 2 cores" in named and "on An accelerator with 16 cores" in named
    one = page(small_report, "{{ bench('sleep') }}", code="es")
    assert [row[0] for row in cells(one)[1:]] == ["An accelerator, 16 núcleos, tensorflow 2.18.0", "1"], (
        "a machine alone in its table is named where there are others"
    )


def test_a_bench_names_the_machine_how_busy_it_was_and_that_it_was_quick(small_report: Path) -> None:
    text = plain(page(with_bench(small_report), "{{ bench() }}"))
    assert "on A processor with 2 cores" in text
    assert "1.2 processes on average wanted a core" in text
    assert "a quick session" in text


def test_a_group_that_was_not_measured_is_an_error_and_no_bench_at_all_is_said_once(small_report: Path) -> None:
    empty = plain(page(small_report, "{{ bench() }}{{ bench('training') }}"))
    assert empty.strip() == "*Nothing has been measured side by side yet.*"
    assert plain(page(small_report, "{{ bench(None) }}")) == plain(page(small_report, "{{ bench() }}"))
    with pytest.raises(ReportError, match=r"index.md, line 1: 'sleep' is not a group of the bench: training\."):
        page(with_bench(small_report), "{{ bench('sleep') }}")


def test_a_group_that_may_lack_says_so_in_the_page_s_language(small_report: Path) -> None:
    rendered = page(with_bench(small_report), "{{ bench('sleep', needed=False) }}", code="es")
    assert "Aún sin medir." in rendered.markdown


def test_a_smoke_run_is_told_below_the_heading_of_every_page_also_that_of_a_variant(small_report: Path) -> None:
    text = "---\nhide:\n  - toc\n---\n\n# Title { #title }\n\nWords.\n"
    smoke = record("first", variant="ours", profile="smoke")
    shown = page(small_report, text, record("second"), smoke).markdown
    head, _, rest = shown.partition('!!! danger ""\n')
    assert head.rstrip().endswith("# Title { #title }") and "This is a smoke run" in rest and "Words." in rest
    spanish = page(small_report, text, code="es").markdown
    assert "Esto es una prueba de humo" in spanish and "smoke run" not in spanish


def test_a_defect_of_the_program_is_no_mistake_of_the_page(small_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tables, "ladder", lambda _: [][1])
    with pytest.raises(IndexError):
        page(small_report, "{{ ladder() }}\n")


@pytest.mark.parametrize(
    ("macro", "complaint"), [("told", "no value can be written here"), ("shown", "'results' is not known here")]
)
def test_an_imported_file_that_does_not_know_its_page_is_told_how_it_would(
    small_report: Path, macro: str, complaint: str
) -> None:
    remedy = "a file knows what its page knows where that includes it, or imports it `with context`"
    macros = "{% macro told(name) %}{{ name }}{% endmacro %}{% macro shown(name) %}{{ results(name) }}{% endmacro %}"
    (small_report / "docs" / "en" / "part.txt").write_text(macros, encoding="utf-8")
    text = '# Title\n{{% import "part.txt" as part{} %}}\n{{{{ part.{}("first") }}}}\n'
    with pytest.raises(ReportError) as raised:
        page(small_report, text.format("", macro))
    assert str(raised.value) == f"docs/en/index.md, line 3: {complaint}: {remedy}."
    assert page(small_report, text.format(" with context", macro)).markdown.startswith("# Title")


@pytest.mark.parametrize("expression", ["'abc' | truncate(1)", "cycler()"])
def test_whatever_jinja_s_own_functions_refuse_is_named_with_its_line(small_report: Path, expression: str) -> None:
    with pytest.raises(ReportError, match=r"^docs/en/index\.md, line 2: this cannot be computed \("):
        page(small_report, f"# Title\n{{{{ {expression} }}}}\n")


@pytest.mark.parametrize("body", ['{% macro say(name) %}\n{{ results(name) }}{% endmacro %}\n{{ say("frist") }}',
                                  "{% general %}\n{{ frist }}{% endgeneral %}"])  # fmt: skip
def test_of_several_lines_that_led_to_a_mistake_the_one_that_makes_it_is_named(small_report: Path, body: str) -> None:
    with pytest.raises(ReportError, match=r"^docs/en/index\.md, line 3: 'frist' is not a known"):
        page(small_report, f"# Title\n{body}\n")
