"""Whatever is wrong with a YAML file is a sentence with the line, whoever reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from reportgen import claims, document
from reportgen import report as reports
from reportgen.errors import ReportError

WRONG = [
    ("a: 1\nb: [1, 2\n", "line 3: not valid YAML .*while parsing a flow sequence, expected ',' or ']'"),
    ("a: 1\nb: 'x\n", "not valid YAML .*unexpected end of stream"),
    (
        "a: 1\nb: c: d\n",
        r"line 2: not valid YAML .*mapping values are not allowed here\)\. A text that holds a colon .* in quotes\.",
    ),
    ("a: 1\nb: \x07\n", "line 2: not valid YAML .*special characters are not allowed"),
    ("a: 1\n---\nb: 1\n", "line 2: not valid YAML .*but found another document"),
    ("a: 1\nb: !!bool x\n", "line 2: not valid YAML .*'x' is no bool"),
    ("a: 1\nb: !!timestamp x\n", "line 2: not valid YAML .*'x' is no timestamp"),
]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        *WRONG,
        ("a: 1\nb: !x first\n", "line 2: not valid YAML .*'!x'"),
        ("a: 1\nb: 2020-13-45\n", "line 2: not valid YAML .*'2020-13-45' is no timestamp"),
    ],
)
def test_what_is_no_yaml_or_holds_no_value_is_a_sentence_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ReportError, match=rf"^it\.yml, .*{complaint}"):
        node = document.compose(text, "it.yml")
        document.construct(node, "it.yml") if node else None


@pytest.mark.parametrize(("text", "complaint"), WRONG)
def test_every_file_of_a_report_is_read_so(small_report: Path, text: str, complaint: str) -> None:
    report = reports.load(small_report)
    (small_report / "mkdocs.yml").write_text(text, encoding="utf-8")
    report.claims.write_text(re.sub("^(a|b): ", r"\1: \n  of: ", text, flags=re.MULTILINE), encoding="utf-8")
    (report.docs / "es" / "catalogue.yml").write_text(text, encoding="utf-8")
    for shown, read in (
        ("mkdocs.yml", report.shared),
        ("docs/claims.yml", lambda: claims.read(report.claims, "docs/claims.yml", ("first",))),
        ("docs/es/catalogue.yml", lambda: report.catalogue("es")),
    ):
        with pytest.raises(ReportError, match=rf"(?m)^{shown}, line \d+.*not valid YAML"):
            read()


def test_the_settings_of_mkdocs_have_tags_that_it_alone_obeys(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SITE", "https://host.example")
    (small_report / "mkdocs.yml").write_text(
        "site_name: A\nsite_url: !ENV MY_SITE\nrepo_name: !ENV [NOBODY, mine]\n"
        "markdown_extensions:\n  pymdownx.emoji:\n"
        "    emoji_index: !!python/name:material.extensions.emoji.twemoji\n"
        "  pymdownx.snippets:\n    base_path: !relative $config_dir\n",
        encoding="utf-8",
    )
    shared = reports.load(small_report).shared()
    assert (shared["site_url"], shared["repo_name"]) == ("https://host.example", "mine")
    assert shared["markdown_extensions"]["pymdownx.emoji"] == {"emoji_index": None}


def test_a_name_that_stands_twice_within_a_list_is_told_with_both_lines() -> None:
    node = document.compose("a:\n- b: 1\n- c: 1\n  d: 2\n  c: 3\n", "it.yml")
    with pytest.raises(ReportError, match=r"^it\.yml, line 5: 'c' stands in line 3 already\.$"):
        document.refuse_repeated(node, "it.yml")


def test_of_texts_nothing_at_all_is_none_and_not_an_empty_one() -> None:
    node = document.compose("a:\nb: ''\nc: !!float 5\nd: 5\n", "it.yml")
    assert node
    assert document.construct(node, "it.yml", document.Texts) == {"a": None, "b": "", "c": 5.0, "d": "5"}


def test_the_line_of_a_place_is_that_of_the_last_part_of_it_that_is_there() -> None:
    node = document.compose("# above\na:\n  b:\n  - 1\n  - c: 2\n", "it.yml")
    paths: list[tuple[str | int, ...]] = [("a",), ("a", "b", 1, "c"), ("a", "gone"), ("gone",), ("a", "gone", "b")]
    assert [document.line(node, *path) for path in paths] == [2, 5, 2, 2, 2]
    assert document.line(None, "a") == 1


def test_the_nodes_of_a_document_come_in_its_order_without_its_names_and_what_is_left_out() -> None:
    node = document.compose("a:\n- 1\n- {b: 2, c: [3]}\nd: 4\nc: 5\n", "it.yml")
    assert node
    values = [one.value for one in document.nodes(node) if isinstance(one, yaml.ScalarNode)]
    assert values == ["1", "2", "3", "4", "5"]
    kept = [one.value for one in document.nodes(node, leaving_out={"c"}) if isinstance(one, yaml.ScalarNode)]
    assert kept == ["1", "2", "4"]
    assert len([one for one in document.nodes(node) if isinstance(one, yaml.SequenceNode)]) == 2
