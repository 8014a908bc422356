"""A claim in a page: its sentence, its mark and its note; numbers that lead to their source."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reportgen import record as records
from reportgen import report as reports
from reportgen.build import build, refuse_untrue
from reportgen.errors import ReportError
from reportgen.evidence import included, uses
from reportgen.material import gather
from reportgen.record import Record
from reportgen.render import Page, Renderer
from tests.conftest import unbound
from tests.reportgen.test_render import alone
from tests.synthetic import record

HIGH = {
    "kind": "above",
    "metric": "test.accuracy",
    "of": "first",
    "value": "60 %",
    "expect": {"study": "holds", "reproduction": "holds"},
}


def rendered(root: Path, text: str, *runs: Record, code: str = "en", **statements: object) -> Page:
    """`text` as a page of the report at `root`, which makes the claims `statements`."""
    (root / "docs" / "claims.yml").write_text(yaml.safe_dump(statements), encoding="utf-8")
    report = reports.load(root)
    for run in runs:
        records.write(run, report.results)
    for language in report.languages:
        (root / "docs" / language / "index.md").write_text(text, encoding="utf-8")
    return Renderer(gather(report), code).page("index.md")


def test_a_page_shows_a_claims_entry_as_it_stands_in_the_file_and_nothing_of_the_next(small_report: Path) -> None:
    shown = rendered(small_report, '{{ claim_entry("high") }}\n', high=HIGH, next={**HIGH, "kind": "below"}).markdown
    fence, entry, _ = shown.split("```")[0], shown.split("```")[1], shown.split("```")[2]
    assert fence == ""
    assert yaml.safe_load(entry.removeprefix("yaml\n")) == {"high": HIGH}


@pytest.mark.parametrize(
    "behind", ["", "\n# Of the next one.\nnext: {}\n".format(json.dumps({**HIGH, "kind": "below"}))]
)
def test_an_entry_with_an_empty_line_in_it_is_shown_whole(small_report: Path, behind: str) -> None:
    entry = "high:\n  kind: above\n  metric: test.accuracy\n\n  # of all\n  of: first\n" + "".join(
        f"  {key}: {json.dumps(HIGH[key])}\n" for key in HIGH if key not in ("kind", "metric", "of")
    )
    docs = small_report / "docs"
    docs.joinpath("claims.yml").write_text(entry + behind, encoding="utf-8")
    docs.joinpath("en", "index.md").write_text('{{ claim_entry("high") }}\n', encoding="utf-8")
    shown = Renderer(gather(reports.load(small_report)), "en").page("index.md").markdown
    assert shown.strip() == f"```yaml\n{entry}```"


SENTENCE = 'So {% claim "high" %}it is right on {{ first.published.test.accuracy }}{% endclaim %}.\n'


def test_a_claims_sentence_stays_and_its_mark_leads_to_the_evidence(small_report: Path) -> None:
    page = rendered(small_report, SENTENCE, record("first", right=50), high=HIGH).markdown
    assert re.sub(r"<[^>]*>", "", page).startswith("So it is right on 62.56%✓✗.")
    assert 'href="#claim-high"' in page and 'id="claim-high"' in page
    assert 'aria-label="Evidence: holds in the study, contradicted in the reproduction"' in page
    assert 'href="#said-high"' in page and page.count('id="said-high"') == 1
    assert "## Evidence and sources { #evidence }" in page


def test_the_sources_of_all_numbers_share_one_line_behind_the_claims(small_report: Path) -> None:
    page = rendered(small_report, SENTENCE, record("first"), high=HIGH).markdown
    claims, folded, sources = page.partition('<details class="rg-note rg-sources">')
    assert folded and 'id="claim-high"' in claims
    assert 'id="source-first-published"' in sources and 'id="source-first-reproduced"' in sources
    assert sources.count("<details") + 1 == sources.count("</details>")


def test_the_evidence_says_the_claim_in_words_of_its_own_in_each_language(small_report: Path) -> None:
    for code, said in [
        ("en", "In test accuracy, 1 is above 60%."),
        ("es", "En exactitud de prueba, 1 está por encima de 60 %."),
    ]:
        page = rendered(small_report, SENTENCE, record("first"), code=code, high=HIGH).markdown
        assert said in page.replace("\u00a0", " ")
    assert "Una sola ejecución no tiene dispersión" in page


def test_a_sentence_names_a_project_as_the_catalogue_says(small_report: Path) -> None:
    file = small_report / "docs" / "es" / "catalogue.yml"
    file.write_text(file.read_text(encoding="utf-8") + "\nmention: el {name}\n", encoding="utf-8")
    names = {"of": "first", "than": ["second", "first"]}
    longer = {"kind": "higher", "metric": "epochs", **names, "than": "second", "expect": HIGH["expect"]}
    runs = (record("first"), record("second"))
    page = rendered(small_report, SENTENCE, *runs, code="es", high=longer)
    assert "En número de épocas, el 1 tiene un valor mayor que el second." in page.markdown
    page = rendered(small_report, SENTENCE, *runs, code="en", high=longer)
    assert "In number of epochs, 1 is above second." in page.markdown


def test_a_mention_without_a_place_for_the_name_is_refused(small_report: Path) -> None:
    file = small_report / "docs" / "es" / "catalogue.yml"
    file.write_text(file.read_text(encoding="utf-8") + "\nmention: el\n", encoding="utf-8")
    with pytest.raises(ReportError, match=r"docs/es/catalogue\.yml.*mention: expected \{name\} in it once"):
        rendered(small_report, SENTENCE, code="es", high=HIGH)


@pytest.mark.parametrize(
    ("code", "margin", "said"),
    [
        ("en", "1 epochs", "by more than 1 epoch."),
        ("en", "2 epochs", "by more than 2 epochs."),
        ("es", "1 epochs", "más de 1 época de diferencia."),
        ("es", "1.5 epochs", "más de 1,5 épocas de diferencia."),
    ],
)
def test_one_of_a_unit_is_no_plural(small_report: Path, code: str, margin: str, said: str) -> None:
    longer = {"kind": "higher", "metric": "epochs", "of": "first", "than": "second", "margin": margin}
    runs = (record("first"), record("second"))
    page = rendered(small_report, SENTENCE, *runs, code=code, high={**longer, "expect": HIGH["expect"]})
    assert said in page.markdown.replace("\u00a0", " ")


LENT = "One run has no spread of its own: this verdict lends it that of the seeds beside it."
IMAGES = "One run has no spread of seeds: this verdict counts in its place what the number of test images leaves open."


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (["test.accuracy"], [IMAGES]),
        (["test.cross_entropy"], ["One run has no spread: this verdict compares single numbers."]),
        (["test.accuracy", "test.cross_entropy"], [IMAGES, "Of the other metrics it compares single numbers."]),
    ],
)
def test_the_evidence_says_what_stands_for_the_seeds_of_a_single_run(
    small_report: Path, metrics: list[str], said: list[str]
) -> None:
    better = {"kind": "better", "metric": metrics, "of": "second", "than": "first", "expect": HIGH["expect"]}
    page = rendered(
        small_report,
        '{% claim "it" %}So{% endclaim %}.\n',
        record("first"),
        record("second", right=70, test={"accuracy": 0.7, "cross_entropy": 0.9}),
        it=better,
    ).markdown
    assert re.findall(r'<p class="rg-caption">([^<]*)', page) == said
    assert ("95% interval" in page) == ("test.accuracy" in metrics)


@pytest.mark.parametrize(
    ("metrics", "rights", "said"),
    [
        (["test.accuracy"], (50, 60), [LENT]),
        (["test.accuracy", "test.cross_entropy"], (60, 60), [IMAGES, LENT]),
    ],
)
def test_the_evidence_says_where_a_single_run_is_lent_the_spread_of_several(
    small_report: Path, metrics: list[str], rights: tuple[int, int], said: list[str]
) -> None:
    better = {"kind": "better", "metric": metrics, "of": "second", "than": "first", "expect": HIGH["expect"]}
    losses = [{"accuracy": right / 100, "cross_entropy": 1.0 + seed / 90} for seed, right in enumerate(rights)]
    runs = [record("first", seed, right=right, test=losses[seed]) for seed, right in enumerate(rights)]
    alone = record("second", right=99, test={"accuracy": 0.99, "cross_entropy": 0.01})
    page = rendered(small_report, '{% claim "it" %}So{% endclaim %}.\n', *runs, alone, it=better).markdown
    assert re.findall(r'<p class="rg-caption">([^<]*)', page) == said


def test_the_evidence_against_a_value_shows_how_far_the_seeds_leave_the_mean_open(small_report: Path) -> None:
    runs = [record("first", seed, right=right) for seed, right in enumerate((60, 62, 64))]
    page = rendered(small_report, SENTENCE, *runs, high=HIGH).markdown
    assert "3 seeds</small><br><small>95% interval: 57.03% to 66.97%</small>" in page.replace("\n", "")


@pytest.mark.parametrize(("of", "than"), [("second", "first"), ("first", "second")])
def test_the_interval_of_a_difference_stands_beside_it_where_the_study_has_one_side_only(
    small_report: Path, of: str, than: str
) -> None:
    """The second project is not of the study."""
    better = {"kind": "better", "metric": "test.accuracy", "of": of, "than": than, "expect": HIGH["expect"]}
    runs = [
        record(name, seed, right=right + seed) for name, right in (("first", 60), ("second", 70)) for seed in (0, 2)
    ]
    page = rendered(small_report, '{% claim "it" %}So{% endclaim %}.\n', *runs, it=better).markdown
    (row,) = [row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if "95% interval" in row]
    assert ">Difference<" in row and "not part of the study" in row
    assert ("+10.00" if of == "second" else "\u221210.00") in row


@pytest.mark.parametrize("metrics", [["test.accuracy"], ["test.accuracy", "test.cross_entropy"]], ids=len)
def test_the_evidence_for_several_metrics_is_one_table_with_one_head(small_report: Path, metrics: list[str]) -> None:
    better = {"kind": "better", "metric": metrics, "of": "second", "than": "first", "expect": HIGH["expect"]}
    runs = record("first"), record("second", right=70)
    page = rendered(small_report, '{% claim "it" %}So{% endclaim %}.\n', *runs, it=better).markdown
    (table,) = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert re.findall("<(thead|tbody|tfoot)>", table) == ["thead", *["tbody"] * len(metrics), "tfoot"]
    assert [table.count(f">{name}</th>") for name in ("Test accuracy", "Test cross-entropy")] == [1, len(metrics) - 1]


def test_a_claim_used_twice_has_one_note(small_report: Path) -> None:
    page = rendered(small_report, SENTENCE + "\n" + SENTENCE, record("first"), high=HIGH).markdown
    assert page.count('class="rg-mark"') == 2
    assert page.count('id="claim-high"') == page.count('id="said-high"') == 1


def test_an_unknown_claim_is_named_with_its_line_and_the_nearest(small_report: Path) -> None:
    with pytest.raises(
        ReportError,
        match=r"^docs/en/index\.md, line 3: 'hihg' is not a claim of docs/claims\.yml; did you mean 'high'\?",
    ):
        rendered(small_report, '# Title\n\n{% claim "hihg" %}So.{% endclaim %}\n', high=HIGH)


def test_a_claim_that_is_not_closed_is_named_with_its_line(small_report: Path) -> None:
    with pytest.raises(ReportError, match=r"^docs/en/index\.md, line \d+: .*endclaim"):
        rendered(small_report, '# Title\n\n{% claim "high" %}So.\n', high=HIGH)


def test_a_report_is_not_built_from_a_claim_that_the_study_contradicts(small_report: Path) -> None:
    rendered(small_report, SENTENCE, high={**HIGH, "value": "70 %"})
    with pytest.raises(
        ReportError, match=r"docs/claims\.yml: line 1, claim high: expected of the study: holds, found: contradicted"
    ):
        build(reports.load(small_report), small_report / "site")
    assert not (small_report / "site").exists()
    rendered(small_report, SENTENCE, high=HIGH)
    refuse_untrue(gather(reports.load(small_report)))


def test_a_number_in_prose_leads_to_its_record_and_the_command_that_repeats_it(small_report: Path) -> None:
    run = record("first")
    page = rendered(small_report, "It is {{ first.reproduced.test.accuracy.mean }}.\n", run)
    assert '<a class="rg-fact" href="#source-first-reproduced">60.00%</a>' in page.markdown
    note = unbound(page.markdown.partition('id="source-first-reproduced"')[2])
    assert 'href="assets/records/first/seed-0/record.json" download' in note
    assert run.command in note and run.script in note and "012345678901" in note
    assert "assets/records/first/seed-0/record.json" in page.assets


def test_the_script_is_linked_at_its_commit_where_the_repository_has_an_address(small_report: Path) -> None:
    file = small_report / "mkdocs.yml"
    file.write_text(file.read_text(encoding="utf-8") + "\nrepo_url: https://example.org/me/report/\n", encoding="utf-8")
    run = record("first")
    page = rendered(small_report, "{{ first.reproduced.test.accuracy.mean }}\n{{ provenance('first') }}\n", run)
    commit = run.environment.git_commit
    assert page.markdown.count(f'href="https://example.org/me/report/blob/{commit}/{run.script}"') == 2


def test_the_script_of_a_report_in_a_folder_of_its_repository_is_linked_where_it_stands_there(
    small_report: Path,
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=small_report.parent, check=True)
    root = small_report.rename(small_report.with_name("my report"))
    file = root / "mkdocs.yml"
    file.write_text(file.read_text(encoding="utf-8") + "\nrepo_url: https://example.org/me/all\n", encoding="utf-8")
    run = record("first")
    page = rendered(root, "{{ first.reproduced.test.accuracy.mean }}\n", run)
    commit = run.environment.git_commit
    assert f'href="https://example.org/me/all/blob/{commit}/my%20report/{run.script}"' in page.markdown


def test_a_difference_leads_to_both_of_its_sources(small_report: Path) -> None:
    page = rendered(
        small_report, "{{ first.reproduced.test.accuracy - first.published.test.accuracy }}\n", record("first")
    )
    assert {'id="source-first-published"', 'id="source-first-reproduced"'} <= set(
        re.findall(r'id="[^"]*"', page.markdown)
    )


def test_a_variant_s_number_in_prose_leads_to_its_own_records_and_says_that_it_reproduces_nothing(
    small_report: Path,
) -> None:
    runs = record("first", right=60), record("first", right=40, variant="ours")
    text = '{{ variant("first/ours").reproduced.test.accuracy }} {{ variant("first/none").reproduced.test.accuracy }}'
    found = rendered(small_report, text, *runs).markdown
    assert '<a class="rg-fact" href="#source-first-ours-reproduced">40.00%</a> not run yet' in found
    assert "Variant, no reproduction" in found and "60.00%" not in found
    assert "first/ours/seed-0/record.json" in found


def test_what_does_not_exist_has_a_word_and_no_source(small_report: Path) -> None:
    page = rendered(small_report, "{{ first.reproduced.test.accuracy }}, {{ first.published.train.accuracy }}\n")
    assert page.markdown == "not reproduced yet, not printed in the study\n"


def test_a_number_in_code_stays_code_and_leads_to_its_source(small_report: Path) -> None:
    page = rendered(small_report, "`{{ setting('first', 'learning_rate') }}`\n", record("first"))
    assert page.markdown.startswith('<a class="rg-fact" href="#source-first-reproduced"><code>0.001</code></a>')


FACT = "{{ first.published.test.accuracy }}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"`lr={FACT} x` and ``a`{FACT}``", "`lr=62.56% x` and ``a`62.56%``"),
        (f"```sh\nrun --to {FACT}\n```", "```sh\nrun --to 62.56%\n```"),
        (f"!!! note\n\n    ```sh\n    to {FACT}\n    ```", "!!! note\n\n    ```sh\n    to 62.56%\n    ```"),
        (f"[{FACT} right](index.md)", "[62.56% right](index.md)"),
        (f'![{FACT}](a.svg "{FACT}")', '![62.56%](a.svg "62.56%")'),
        (f'<span title="reaches {FACT}">hover</span>', '<span title="reaches 62.56%">hover</span>'),
        (f"A\n\n    to = {FACT}\n\n    `{FACT}`\n\nB", "A\n\n    to = 62.56%\n\n    `62.56%`\n\nB"),
        (f"Let $x = {FACT}$", r"Let $x = 62.56\%$"),
        (f"$$\nx = {FACT}\n$$\n\n", "$$\nx = 62.56\\%\n$$\n\n"),
        (f'[a]: https://e.org "to {FACT}"\n\n', '[a]: https://e.org "to 62.56%"\n\n'),
    ],
)
def test_a_fact_where_no_link_can_stand_is_bare_text(small_report: Path, text: str, shown: str) -> None:
    page = rendered(small_report, f"{text} or {FACT}\n" if "```" not in text else f"{text}\n\nor {FACT}\n")
    assert page.markdown.startswith(shown)
    assert page.markdown.count('<a class="rg-fact" href="#source-first-published">62.56%</a>') == 1
    assert not re.search("[\ue000-\ue002]", page.markdown)


@pytest.mark.parametrize(
    "text",
    [
        f"- item\n\n    {FACT}\n",
        f"!!! note\n\n    {FACT}\n",
        f"Note[^1].\n\n[^1]: {FACT}\n",
        f"It costs $5 to reach {FACT} and $6 for more.\n",
    ],
)
def test_a_fact_in_what_only_looks_like_code_or_a_formula_is_a_link(small_report: Path, text: str) -> None:
    page = rendered(small_report, text)
    assert '<a class="rg-fact" href="#source-first-published">62.56%</a>' in page.markdown


def test_a_comma_within_a_number_is_no_punctuation_in_a_formula(small_report: Path) -> None:
    fact = "{{ first.reproduced.parameters.total }}"
    page = rendered(small_report, f"$$ n = {fact} $$ and {fact}\n", record("first"))
    assert re.match(r"\$\$ n = \d+\{,\}\d{3} \$\$ and <a [^>]*>\d+,\d{3}<", page.markdown)


def test_a_claim_over_an_empty_line_is_refused_by_line(small_report: Path) -> None:
    text = '# A\n\n{% claim "high" %}One.\n\nTwo.{% endclaim %}\n'
    with pytest.raises(ReportError, match=r"index\.md, line 3: the claim high goes over an empty line"):
        rendered(small_report, text, high=HIGH)


SAID = '{% claim "high" %}It is {{ first.published.test.accuracy }}{% endclaim %}'


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        (f"Run `{SAID}`.", "`It is 62.56%`"),
        (f"```sh\n{SAID}\n```", "```sh It is 62.56% ```"),
        (f"[so {SAID}](index.md)", r"[so It is 62.56%](index.md)"),
        (f"![{SAID}](a.svg)", "![It is 62.56%](a.svg)"),
        (f'[a](index.md "{SAID}")', '[a](index.md "It is 62.56%")'),
        (f"<img alt='{SAID}' src='a.svg'>", "<img alt='It is 62.56%' src='a.svg'>"),
        (f"<a href='index.md'>{SAID}</a>", "<a href='index.md'>It is 62.56%</a>"),
        (f"*[SGD]: {SAID}", "*[SGD]: It is 62.56%"),
        (f"Let $x = {SAID}$", "$x = It is 62.56%$"),
        (f"A\n\n    {SAID}\n\nB", "It is 62.56%"),
    ],
)
def test_a_claim_where_nobody_could_open_its_evidence_is_refused(small_report: Path, text: str, piece: str) -> None:
    with pytest.raises(ReportError) as refused:
        rendered(small_report, f"{text}\n", high=HIGH)
    assert str(refused.value).startswith(f"docs/en/index.md: the claim high stands in {piece}, where nobody could open")


@pytest.mark.parametrize(
    "text",
    [
        '{% claim "high" %}It is `so` in [the code](index.md), <b title="a">and</b> ![a](a.svg) for $x${% endclaim %}.',
        f"## {SAID}",
        f"- {SAID}\n- or not",
        f"| a |\n|---|\n| {SAID} |",
        f"> {SAID}",
        f'!!! note "{SAID}"\n\n    {SAID}',
        f"A note[^1].\n\n[^1]: {SAID}",
        f"- one\n\n    {SAID}",
        f"<p>{SAID}</p>",
    ],
)
def test_a_claim_in_running_text_has_its_mark_whatever_is_said_in_it(small_report: Path, text: str) -> None:
    page = rendered(small_report, f"{text}\n", high=HIGH).markdown
    assert page.count('<span class="rg-claim"') == page.count('<a class="rg-mark"') == text.count("endclaim")
    assert not re.search("[\ue000-\ue007]", page)


@pytest.mark.parametrize("begin", ["## ", "- ", "1. ", "| a | b |\n|---|---|\n| ", "> ", "!!! note\n    "])
def test_a_claim_around_more_than_running_text_is_refused_by_line(small_report: Path, begin: str) -> None:
    text = f'# A\n\n{{% claim "high" %}}\n{begin}So.\n{{% endclaim %}}\n'
    mark = begin.split()[0]
    with pytest.raises(ReportError, match=rf"index\.md, line 3: the claim high begins with '{re.escape(mark)}'"):
        rendered(small_report, text, high=HIGH)


@pytest.mark.parametrize(
    ("expression", "english", "spanish"),
    [
        ("given(8192)", "8,192", "8.192"),
        ("given(0.25, 'percent')", "25%", "25 %"),
        ("given(0.125, 'percent')", "12.50%", "12,50 %"),
        ("given(1, 'percent')", "100%", "100 %"),
        ("given(0.05, 'nats')", "0.05", "0,05"),
        ("given(0.00125, 'percent')", "0.125%", "0,125 %"),
        ("given(2.59, 'seconds')", "2.59 s", "2,59 s"),
        ("given(90, 'seconds')", "1 min 30 s", "1 min 30 s"),
        ("given(0.0001, 'decimal')", "0.0001", "0,0001"),
    ],
)
def test_a_constant_is_written_as_the_language_writes_it(
    small_report: Path, expression: str, english: str, spanish: str
) -> None:
    for code, expected in [("en", english), ("es", spanish)]:
        page = rendered(small_report, f"{{{{ {expression} }}}}\n", code=code)
        assert page.markdown.replace("\u00a0", " ") == f"{expected}\n"


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("first.published.test", "no single number but a Measured; go on with one of its parts: .accuracy, .cross_ent"),
        ("first", "no single number but a ProjectFacts; go on with one of its parts: .identifier, .published"),
        ("title", "title is called with brackets"),
        ("first.published.test.accuracy | int", "a Fact cannot become part of a text or a bare number"),
        ("first.published.test.accuracy | float | round", "a Fact cannot become"),
        ("'of ' ~ first.published.test.accuracy", "a Fact cannot become"),
        ("[first.reproduced.test.accuracy] | join", "a Summary cannot become"),
        ("'%s' | format(first.reproduced.test.accuracy.interval)", "a Fact cannot become"),
        ("first.published.test | string", "a Measured cannot become"),
        ("first.published.test.accuracy.value", "0.6256 is a number of no known origin"),
        ("first.published.test.accuracy.value", "what was measured is written as its fact, such as .* in results"),
        ("given(0.001)", r"0.001 is no whole number; \{\{ given\(0.001, \"decimal\"\) \}\} writes its decimals"),
        ("given('8192')", "'8192' is no number"),
        ("given(90.5, 'seconds')", r"90\.5 s would be rounded; give whole seconds"),
        ("given(95, 'percent')", "95 would be 9500%, for the whole is 1"),
    ],
)
def test_what_a_reader_would_see_in_python_s_words_is_refused_by_page_and_line(
    small_report: Path, expression: str, complaint: str
) -> None:
    with pytest.raises(ReportError, match=f"docs/en/index.md, line 1: .*{complaint}"):
        rendered(small_report, f"{{{{ {expression} }}}}\n")


def test_a_constant_of_an_unknown_kind_is_refused(small_report: Path) -> None:
    with pytest.raises(
        ReportError, match="'metres' is not a kind of number that can be given: count, decimal, percent"
    ):
        rendered(small_report, "{{ given(3, 'metres') }}\n")


def test_a_general_truth_is_shown_as_it_is_written(small_report: Path) -> None:
    page = rendered(small_report, "{% general %}Small batches are noisier.{% endgeneral %}\n")
    assert page.markdown == "Small batches are noisier.\n"


def test_findings_are_the_claims_that_divide_study_and_runs(small_report: Path) -> None:
    none = rendered(small_report, "{{ findings() }}\n", record("first", right=65), high=HIGH)
    assert none.markdown == "*No claim that is decided on both sides divides them.*\n"
    some = rendered(small_report, SENTENCE + "\n{{ findings() }}\n", record("first", right=50), high=HIGH)
    table = some.markdown.partition("<table")[2].partition("</table>")[0]
    assert "In test accuracy, 1 is above 60%." in table and "contradicted" in table and "one run" in table


def test_the_table_of_claims_leads_to_the_page_that_makes_each(small_report: Path) -> None:
    page = rendered(small_report, SENTENCE + "\n{{ claims_table() }}\n", high=HIGH)
    assert 'href="#claim-high">In test accuracy' in page.markdown


PAIR = {"metric": "test.accuracy", "of": "first", "than": "second"}
SAID = "In test accuracy, 1 "


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({**PAIR, "kind": "better"}, f"{SAID}does better than second."),
        ({**PAIR, "kind": "better", "margin": "2.5 pp"}, f"{SAID}does better than second by more than 2.5 pp."),
        ({**PAIR, "kind": "worse"}, f"{SAID}does worse than second."),
        ({**PAIR, "kind": "worse", "margin": "1 pp"}, f"{SAID}does worse than second by more than 1 pp."),
        ({**PAIR, "kind": "higher"}, f"{SAID}is above second."),
        ({**PAIR, "kind": "higher", "margin": "1 pp"}, f"{SAID}is above second by more than 1 pp."),
        ({**PAIR, "kind": "higher", "times": 1.5}, f"{SAID}is more than 1.5 times second."),
        ({**PAIR, "kind": "lower"}, f"{SAID}is below second."),
        ({**PAIR, "kind": "lower", "margin": "0 pp"}, f"{SAID}is below second by more than 0 pp."),
        ({**PAIR, "kind": "lower", "times": 2}, "In test accuracy, 2 times 1 is still less than second."),
        ({**PAIR, "kind": "similar", "margin": "1 pp"}, f"{SAID}and second differ by at most 1 pp."),
        ({**PAIR, "kind": "similar", "margin": "0 pp"}, f"{SAID}is equal to second."),
        ({**PAIR, "kind": "better", "than": ["second", "third"]}, f"{SAID}does better than second and third."),
        (
            {**PAIR, "kind": "better", "metric": ["test.accuracy", "test.cross_entropy"]},
            "In test accuracy and test cross-entropy, 1 does better than second.",
        ),
        (
            {"kind": "best", "metric": "test.accuracy", "of": "first", "among": ["first", "second", "third"]},
            f"{SAID}does best; it was compared with second and third.",
        ),
        (
            {"kind": "worst", "metric": "test.accuracy", "of": "first", "among": ["second"]},
            f"{SAID}does worst; it was compared with second.",
        ),
        (
            {"kind": "ranked", "metric": "test.accuracy", "order": ["third", "first", "second"]},
            "In test accuracy, from best to worst: third, 1, second.",
        ),
        ({**HIGH, "kind": "below", "value": "62.5 %"}, f"{SAID}is below 62.50%."),
        (
            {"kind": "overfits", "of": "first", "margin": "5 pp"},
            "1 recognises its training images better than its test images, by more than 5 pp.",
        ),
    ],
    ids=str,
)
def test_each_kind_of_claim_is_said_in_words_of_its_own(
    small_report: Path, statement: dict[str, Any], said: str
) -> None:
    runs = [record(name) for name in ("first", "second", "third")]
    claim = {**statement, "expect": {"study": "undecided", "reproduction": "undecided"}}
    page = rendered(small_report, SENTENCE, *runs, high=claim).markdown.replace("\u00a0", " ")
    assert f"<b>Claim.</b> {said}" in page


def test_without_a_study_a_mark_has_one_verdict(small_report: Path) -> None:
    alone(small_report)
    text = '{% claim "high" %}So{% endclaim %}.\n'
    page = rendered(small_report, text, record("first", right=70), high=HIGH).markdown
    mark = page.partition('class="rg-mark"')[2].partition("</a>")[0]
    assert re.findall(r"rg-(\w+)\">(.)<", mark) == [("holds", "✓")] and 'aria-label="Evidence: holds"' in mark


@pytest.mark.parametrize(
    ("expression", "shown"), [("given(60, 'seconds')", "1 min 0 s"), ("given(-0.5, 'seconds')", "−0.5 s")]
)
def test_a_minute_is_no_sixty_seconds(small_report: Path, expression: str, shown: str) -> None:
    assert rendered(small_report, f"{{{{ {expression} }}}}\n").markdown.replace("\u00a0", " ") == f"{shown}\n"


@pytest.mark.parametrize("value", ["true", "1 > 0"])
def test_what_is_true_is_no_number_to_be_given(small_report: Path, value: str) -> None:
    with pytest.raises(ReportError, match=r"docs/en/index.md, line 1: True is no number"):
        rendered(small_report, f"{{{{ given({value}) }}}}\n")


def test_a_claim_that_one_side_leaves_undecided_divides_nobody(small_report: Path) -> None:
    """None of its runs is there."""
    page = rendered(small_report, "{{ findings() }}\n", high=HIGH)
    assert page.markdown == "*No claim that is decided on both sides divides them.*\n"


def test_the_table_of_claims_leads_to_the_first_page_that_makes_one(small_report: Path) -> None:
    for code in ("en", "es"):
        (small_report / "docs" / code / "further.md").write_text(SENTENCE, encoding="utf-8")
    page = rendered(small_report, SENTENCE + "\n{{ claims_table() }}\n", high=HIGH)
    (link,) = re.findall(r'href="([^"]*#claim-high)">In test', page.markdown)
    assert link == "further/#claim-high"


def rows(page: str) -> list[list[str]]:
    table = page.partition('id="claim-high"')[2].partition("<table")[2].partition("</table>")[0]
    return [
        [
            re.sub(r"<[^>]*>", "", cell).replace("\u00a0", " ").strip()
            for cell in re.findall(r"<t[hd]\b.*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    ]


def test_a_difference_stands_in_the_evidence_of_two_projects_alone_and_not_of_a_factor(small_report: Path) -> None:
    runs = [
        record(name, seed, right=right + seed) for name, right in (("first", 60), ("second", 40)) for seed in (0, 2)
    ]
    better = {**PAIR, "kind": "better", "expect": HIGH["expect"]}
    text = '{% claim "high" %}So{% endclaim %}.\n'
    found = rows(rendered(small_report, text, *runs, high=better).markdown)
    (difference,) = [row for row in found if row[0] == "Difference"]
    assert difference[1] == "not part of the study" and difference[2].startswith("+20.00 pp")
    for other in ({"kind": "higher", "times": 1.2, "of": "first", "than": "second"}, {"than": ["second", "third"]}):
        page = rendered(small_report, text, *runs, record("third"), high={**better, **other}).markdown
        assert not [row for row in rows(page) if row[0] == "Difference"] and "95% interval" not in page


def test_the_evidence_of_each_metric_is_of_that_metric(small_report: Path) -> None:
    metrics = ["test.accuracy", "test.cross_entropy"]
    better = {"kind": "better", "metric": metrics, "of": "second", "than": "first", "expect": HIGH["expect"]}
    runs = record("first"), record("second", right=70, test={"accuracy": 0.7, "cross_entropy": 0.9})
    found = rows(rendered(small_report, '{% claim "high" %}So{% endclaim %}.\n', *runs, high=better).markdown)
    assert len([row for row in found if row[0] == "Difference"]) == 2


def test_what_a_page_calls_and_takes_in_is_told_by_page_once(small_report: Path) -> None:
    report = reports.load(small_report)
    pages = {
        "index.md": '{{ results("first") }} {{ results("first") }} {{ results(x) }}{% include "part.txt" %}',
        "further.md": '{{ results("first") }} {{ layers("second") }}',
        "broken.md": "{{ results(",
    }
    for name, text in pages.items():
        (small_report / "docs" / "en" / name).write_text(text, encoding="utf-8")
    assert uses(report, "en", tuple(pages), "results", "layers") == [
        {"first": ("index.md", "further.md")},
        {"second": ("further.md",)},
    ]
    assert included(report, "en", tuple(pages)) == {small_report / "docs" / "en" / "part.txt"}


def test_a_source_of_a_project_has_its_own_records_and_not_those_of_its_variants(small_report: Path) -> None:
    runs = record("first"), record("first", 1, variant="ours")
    page = rendered(small_report, "{{ first.reproduced.test.accuracy }}\n", *runs)
    assert re.findall(r"assets/records/([^\"]*)/record.json", page.markdown) == ["first/seed-0"]
