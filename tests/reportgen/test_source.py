"""A page's source tells its sections, what each says and what it shows, and on which line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reportgen import report as reports
from reportgen.errors import ReportError
from reportgen.source import HOLE, Section, claims, parse, read_all, read_catalogues
from tests.reportgen.test_check import rename

PAGE = """---
title: what MkDocs shows
---

# {{ title("first") }} { #project }

In **bold**, `code 90%` and a [link](other.md#results "a title") with {{ a.b.c }}
on two lines{% claim "deeper" %}, it is
better{% endclaim %} than \\* that.

## Two { #two .big }

{{ curves('first',   since = "x") }}

| a | b |
| - | - |
| c | {{ d - e }} |

```sh
nox -s docs   # 90 % {{ f }}
```

<p class="x" markdown>In a *block* {{ g }}</p>

![The picture](assets/x.svg)

!!! warning "Careful"
    Said `here`

    and there.

### Three

{% general %}Smaller is better.{% endgeneral %} {# nobody
sees this 99 % #}Seen.
{% raw %}{{ shown }}{% endraw %}
"""


def sections(text: str) -> dict[str | None, Section]:
    return {section.identifier: section for section in parse(text)}


def words(section: Section) -> list[str]:
    return [" ".join(passage.text.split()) for passage in section.passages]


def items(section: Section) -> list[tuple[str, int, bool]]:
    return [(str(item), item.line, item.alone) for item in section.items]


def test_a_section_begins_at_its_heading_and_is_known_by_its_explicit_identifier() -> None:
    found = [(section.level, section.identifier, section.title, section.line) for section in parse(PAGE)]
    assert found == [(1, "project", HOLE, 5), (2, "two", "Two", 11), (3, None, "Three", 32)]


def test_prose_is_what_a_reader_reads_as_a_sentence() -> None:
    project, two, three = parse(PAGE)
    assert words(project) == [
        "what MkDocs shows",
        f"In bold, {HOLE} and a a title link with {HOLE} on two lines, it is better than * that.",
    ]
    assert words(two) == [
        "Two", "a", "b", "c", f"In a block {HOLE}", "The picture", f'"Careful" Said {HOLE}', "and there."
    ]  # fmt: skip
    assert words(three) == ["Three", "Smaller is better. Seen. {{ shown }}"]


@pytest.mark.parametrize(
    ("text", "prose"),
    [
        ("Loss<br>better, 72.<b>30</b> %", "Loss better, 72.30 %"),
        ("<table><tr><td>Accuracy</td><td>0.723</td></tr></table>", "Accuracy 0.723"),
        ("<p>one</p><p>bet<i>ter</i></p>", "one better"),
    ],
)
def test_tags_part_words_only_where_a_reader_sees_them_parted(text: str, prose: str) -> None:
    (section,) = parse(f"# A {{ #a }}\n\n{text}\n")
    assert words(section)[1:] == [prose]


def test_what_a_page_shows_and_claims_is_told_in_order_with_its_lines() -> None:
    project, two, three = parse(PAGE)
    assert items(project) == [
        ('{{ title("first") }}', 5, False),
        ("a link to other.md#results", 7, False),
        ("{{ a.b.c }}", 7, False),
        ("claim deeper", 8, False),
    ]
    assert items(two) == [
        ('{{ curves("first", since="x") }}', 13, True),
        ("a table of 2 rows and 2 columns", 15, True),
        ("{{ d - e }}", 17, True),
        ("a block of code (sh)", 19, True),
        ("{{ f }}", 20, False),
        ("{{ g }}", 23, False),
        ("picture assets/x.svg", 25, True),
    ]
    assert items(three) == []


def test_links_and_pictures_of_html_are_those_of_markdown() -> None:
    written = "[one](a.md) [two](https://two.org) ![A](a.svg)", '<a href="a.md">one</a> <img src="a.svg" alt="A">'
    markdown, html = (parse(f"# A {{ #a }}\n\n{text}\n")[0].items for text in written)
    assert markdown == html


@pytest.mark.parametrize(
    ("word", "line", "covered"),
    [("bold", 7, False), ("two lines", 8, False), ("it is", 8, True), ("better", 9, True), ("than", 9, False)],
)
def test_every_word_has_its_line_and_knows_whether_a_claim_covers_it(word: str, line: int, covered: bool) -> None:
    _, passage = parse(PAGE)[0].passages
    offset = passage.text.index(word)
    assert (passage.line(offset), passage.is_covered(offset)) == (line, covered)


def test_text_after_an_expression_of_several_lines_is_on_its_own_line() -> None:
    (section,) = parse("# A { #a }\n\n{{ b -\n c }}\n\nHere {% claim 'x' -%}\n\nit is{% endclaim %}.\n")
    (_, passage) = section.passages
    assert passage.line(passage.text.index("Here")) == 6
    assert items(section) == [("{{ b - c }}", 3, True), ("claim x", 6, False)]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("  it", "it"), True),
        (("**bold**", "bold"), True),
        (("{{ a.b.c }}", "{{a.b.c}}"), True),
        (("{{ a.b.c }}", "{{ a.b.d }}"), False),
        (('{% claim "deeper" %}', '{% claim "wider" %}'), False),
        (("other.md#results", "other.md#network"), False),
        (("\n\n\n", "\n\n"), True),
        (("two lines", "three lines"), False),
        (("code 90%", "code 91%"), False),
        (("than \\* that.", "than \\* that. And more."), False),
    ],
)
def test_the_fingerprint_is_of_the_words_and_what_they_are_written_around(change: tuple[str, str], same: bool) -> None:
    before, after = parse(PAGE)[0], parse(PAGE.replace(*change))[0]
    assert (before.fingerprint == after.fingerprint) is same


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("From {{ a }} to {{ b }}.", "From {{ b }} to {{ a }}."),
        ('{% claim "a" %}One{% endclaim %}, {% claim "b" %}two{% endclaim %}.', None),
        ("[one](a.md) and [two](b.md)", "[one](b.md) and [two](a.md)"),
        ('<a href="https://one.org">one</a>', '<a href="https://two.org">one</a>'),
        ("```sh\nnox -s docs\n```", "```sh\nnox -s tests\n```"),
        ("- One {{ a }}\n- two", "- One\n- two {{ a }}"),
        ("| one | two |\n|---|---|\n| {{ a }} | |", "| one | two |\n|---|---|\n| | {{ a }} |"),
        ("<table><td>{{ a }}</td><td></td></table>", "<table><td></td><td>{{ a }}</td></table>"),
        ('{% claim "a" %}One{% endclaim %}, two.', '{% claim "a" %}One, two{% endclaim %}.'),
        ("One {{ a }} two", "One two {{ a }}"),
        ("One `{{ a }}` two", "`{{ a }}` One two"),
        ("[one](a.md) two.", "one [two](a.md)."),
    ],
)
def test_what_changes_places_between_the_words_changes_the_fingerprint(before: str, after: str | None) -> None:
    after = after or before.replace('"a"', '"x"').replace('"b"', '"a"').replace('"x"', '"b"')
    (one,), (other,) = parse(f"# A {{ #a }}\n\n{before}\n"), parse(f"# A {{ #a }}\n\n{after}\n")
    assert one.text == other.text and one.fingerprint != other.fingerprint


def test_what_stands_above_the_first_heading_is_a_section_of_its_own() -> None:
    assert [(section.level, section.identifier) for section in parse("Text.\n\n# A { #a }\n")] == [(0, "top"), (1, "a")]
    assert [section.identifier for section in parse("\n\n# A { #a }\n")] == ["a"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# A\n\n{{ a", "the page, line 3: unexpected end of template"),
        ("# A\n\n{{ a. }}", "the page, line 3: expected name or number"),
        ('# A\n\n{% claim "x" %}never ended', "the page, line 3: .*Unexpected end of template.*'endclaim'"),
        ("# A\n\n{% endclaim %}", "the page, line 3: .*unknown tag 'endclaim'"),
        ("A\n\n{{ title(“first”) }}", "the page, line 3: unexpected char '“' at .*; quotes within braces are straight"),
        ("A\n\n{{ title(«first») }}", "the page, line 3: .*; quotes within braces are straight"),
        ("A\n\n{{ a.b − a.c }}", "the page, line 3: unexpected char '−' at .*; a minus within braces is a hyphen"),
        ("A\n\n{{ a }", "the page, line 3: unexpected '}'; an expression ends with }}, a tag with %}"),
        ("A\n\n{% if a }", "the page, line 3: unexpected '}'; an expression ends with }}, a tag with %}"),
        ('```json\n{{"a": 1}}\n```', "the page, line 2: .*; braces that a reader is to see stand between {% raw %}"),
        ("{% include 'a': %}", "the page, line 1: expected token 'end of statement block', got ':'$"),
        ("{{ title('a' }}", r"the page, line 1: unexpected '}', expected '\)'$"),
    ],
)
def test_broken_jinja_is_named_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ReportError, match=complaint):
        parse(text)


PIECES = st.sampled_from(
    ["# A { #a }\n", "\n", "word ", "{{ a.b }}", "**", "`", "| a |\n| - |\n", "> ", "- ", "<b>", "90 %", "\\", "[x](y)",
     '{% claim "c" %}', "{% endclaim %}", "{# no #}", "    ", "```\n", "é", "![", "&amp;", "{", "}"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_page_is_read_or_refused_with_a_sentence_and_every_line_exists(text: str) -> None:
    try:
        found = parse(text)
    except ReportError:
        return
    last = text.count("\n") + 1
    for section in found:
        lines: list[Any] = [section.line, *(item.line for item in section.items)]
        lines += [line for passage in section.passages for _, line in passage.lines]
        assert all(1 <= line <= last for line in lines)


@given(st.lists(PIECES, max_size=30).map("".join))
@example("```{{ a.b }}")
@example("{# A { #a }\n{{ a.b }}{# no #}")
def test_every_expression_of_a_page_outside_of_comments_is_told_exactly_once(text: str) -> None:
    try:
        found = parse(text)
    except ReportError:
        return
    uncommented = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
    told = sum(str(item) == "{{ a.b }}" for section in found for item in section.items)
    assert told == uncommented.count("{{ a.b }}")


def test_the_words_of_a_footnote_are_prose_and_those_in_code_are_none() -> None:
    (section,) = parse("# A { #a }\n\nNote[^2].\n\n[^2]: It is 62.56% there.\n\n```md\n[^3]: 9%\n```\n\n    more: 9%\n")
    assert [(passage.text, passage.line(0)) for passage in section.passages][1:] == [
        ("Note[^2].", 3),
        ("It is 62.56% there.", 5),
        ("more: 9%", 11),
    ]


def of(text: str) -> Section:
    """A section of that text."""
    return parse(f"# A {{ #a }}\n\n{text}\n")[0]


def test_what_stands_right_behind_a_claim_is_not_covered_by_it() -> None:
    passage = of('{% claim "a" %}One{% endclaim %}, better.').passages[1]
    assert passage.is_covered(2) and not passage.is_covered(3)


def test_a_claim_within_a_general_remark_leaves_what_follows_it_covered() -> None:
    passage = of('{% general %}One {% claim "a" %}two{% endclaim %} more{% endgeneral %} less.').passages[1]
    assert passage.is_covered(passage.text.index("more")) and not passage.is_covered(passage.text.index("less"))


def test_every_place_that_makes_a_claim_is_told(small_report: Path) -> None:
    for code in ("en", "es"):
        for name in ("index.md", "further.md"):
            text = '# A { #a }\n\n{% claim "a" %}One{% endclaim %}.\n\n{% claim "a" %}Two{% endclaim %}.\n'
            (small_report / "docs" / code / name).write_text(text, encoding="utf-8")
    found = claims(read_all(reports.load(small_report), ["index.md", "further.md"]))
    assert len(found["a"]) == 8 and found["a"][:2] == ["docs/en/index.md, line 3", "docs/en/index.md, line 5"]


def test_an_expression_that_is_a_whole_heading_is_no_block() -> None:
    assert items(parse('# {{ title("a") }}\n')[0]) == [('{{ title("a") }}', 1, False)]


def test_code_within_a_sentence_is_among_its_words_and_told_with_its_line() -> None:
    section = of("It is `90 %`\nor `{{ x }} to`.")
    assert section.text == "A It is 90 % or to." and section.code == (("90 %", 3), (f"{HOLE} to", 4))


def test_titles_of_pictures_and_of_links_and_what_is_read_aloud_are_prose() -> None:
    section = of(
        '![one](a.svg "two") [three](b.md "four")\n\n'
        '<div aria-label="five" title="six" summary="seven"></div>\n\n<img src="c.svg" alt="eight">'
    )
    assert " ".join(words(section)).split() == ["A", "one", "two", "four", "three", "five", "six", "seven", "eight"]


def test_what_a_script_or_a_style_says_is_no_prose() -> None:
    section = of("<script>better = 90</script>\n\n<style>a { width: 72% }</style>\n\n<p>Seen.</p>")
    assert words(section)[1:] == ["Seen."]


@pytest.mark.parametrize(
    "text",
    [
        "[a]({{ x }}.md)",
        "![a]({{ x }}.svg)",
        '<a href="{{ x }}.md">a</a>',
        '<img src="{{ x }}.svg" alt="a">',
        '<div data-x="{{ x }}">a</div>',
        "`{{ x }}`",
        "```{{ x }}\na\n```",
    ],
)
def test_an_expression_is_told_wherever_it_stands(text: str) -> None:
    section = of(text)
    assert [str(item) for item in section.items if item.kind == "expression"] == ["{{ x }}"]
    assert not [item for item in section.items if item.kind == "link"], "which may lead anywhere"


def test_a_letter_is_the_same_however_it_is_composed() -> None:
    assert of("a\u0301").fingerprint == of("\u00e1").fingerprint


def test_lists_of_words_are_no_text_to_be_translated_and_names_may_stand_in_any_order(small_report: Path) -> None:
    before = read_catalogues(reports.load(small_report))["en"]
    assert "comparing" not in {section.identifier for section in before.sections}
    rename(small_report, "en", classes={"b": "B", "a": "A"})
    one = read_catalogues(reports.load(small_report))["en"].section("classes")
    file = small_report / "docs" / "en" / "catalogue.yml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**content, "classes": {"b": "B", "a": "A"}}, sort_keys=False), encoding="utf-8")
    other = read_catalogues(reports.load(small_report))["en"].section("classes")
    assert one and other and one.fingerprint == other.fingerprint


def test_an_end_of_a_tag_is_no_tag_of_its_own() -> None:
    section = of("{% if x %}\n\nA\n\n{% endif %}")
    assert [str(item) for item in section.items] == ["{% if x %}"]


def test_a_claim_is_told_from_a_general_remark_around_the_same_words() -> None:
    assert of('{% claim "a" %}One{% endclaim %}.').fingerprint != of("{% general %}One{% endgeneral %}.").fingerprint
