"""Whatever one language's version of a page has and the other lacks is named with its line and its side."""

from __future__ import annotations

import pytest

from reportgen.parity import check
from reportgen.source import Source, parse

PAGE = """# A { #a }

A sentence with {{ p.x }} and {% claim "c" %}a claim{% endclaim %}, {{ p.y }}.

{{ curves("p") }}

{{ results("p") }}

## B { #b }

```sh
nox
```

## C { #c }

| a |
| - |
"""


def findings(ours: str, theirs: str) -> list[str]:
    """What is found, as a user reads it, with short names for the two versions."""
    page = {"en": Source("en.md", parse(ours)), "es": Source("es.md", parse(theirs))}
    return [str(finding) for finding in check(page)]


def test_two_versions_with_the_same_parts_have_the_same_parts() -> None:
    other = PAGE.replace("A sentence with", "Una frase con").replace("a claim", "una afirmación")
    assert findings(PAGE, other) == []


def test_the_order_within_a_sentence_belongs_to_the_language() -> None:
    other = PAGE.replace('{{ p.x }} and {% claim "c" %}a claim{% endclaim %}', '{% claim "c" %}b{% endclaim %} {{p.x}}')
    assert findings(PAGE, other) == []


@pytest.mark.parametrize(
    ("part", "now", "found"),
    [
        ("{{ p.x }}", "", "es.md, line 1: section a lacks {{ p.x }}, which en.md, line 3, has."),
        ('{% claim "c" %}a claim{% endclaim %}', "",
         "es.md, line 1: section a lacks claim c, which en.md, line 3, has."),
        ('{{ curves("p") }}', "", 'es.md, line 1: section a lacks {{ curves("p") }}, which en.md, line 5, has.'),
        ("```sh\nnox\n```", "", "es.md, line 9: section b lacks a block of code (sh), which en.md, line 11, has."),
        ("| a |\n| - |", "",
         "es.md, line 15: section c lacks a table of 1 rows and 1 columns, which en.md, line 17, has."),
        ("## B { #b }", "### B { #b }",
         "es.md, line 9: section b is a heading of level 3, but of level 2 in en.md, line 9."),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_the_side_that_lacks_it(part: str, now: str, found: str) -> None:
    changed = PAGE.replace(part, now + "\n" * (part.count("\n") - now.count("\n")))
    assert findings(PAGE, changed) == [found]
    if "lacks" in found:
        turned = found.replace("en.md", "?").replace("es.md", "en.md").replace("?", "es.md")
        assert findings(changed, PAGE) == [turned]


def test_a_missing_section_is_named_once_and_not_part_by_part() -> None:
    assert findings(PAGE, PAGE[: PAGE.index("## C")]) == ["es.md: section c is missing, which en.md, line 15, has."]


def test_the_same_fact_used_twice_is_needed_twice() -> None:
    assert findings(PAGE.replace("a claim", "{{ p.y }}"), PAGE) == [
        "es.md, line 1: section a lacks {{ p.y }}, which en.md, line 3, has."
    ]


def test_blocks_stand_in_the_same_order() -> None:
    turned = PAGE.replace("curves", "?").replace("results", "curves").replace("?", "results")
    assert findings(PAGE, turned) == [
        'es.md, line 5: section a has {{ results("p") }} where en.md, line 5, has {{ curves("p") }}.'
    ]


def test_sections_stand_in_the_same_order() -> None:
    turned = PAGE.replace("{ #b }", "?").replace("{ #c }", "{ #b }").replace("?", "{ #c }")
    assert findings(PAGE, turned)[0] == "es.md, line 9: section c stands where en.md, line 9, has b."


def test_a_heading_without_an_identifier_is_named_in_each_version() -> None:
    other = PAGE.replace("## B { #b }", "## B")
    assert findings(other, other) == [
        f"{file}, line 9: heading 'B' has no explicit identifier. "
        "Mend it with: ## B { #… }, the same in every language"
        for file in ("en.md", "es.md")
    ]


def test_two_headings_with_one_identifier_are_named() -> None:
    twice = PAGE.replace("{ #c }", "{ #b }")
    assert findings(twice, twice)[0].startswith("en.md, line 15: section b has the identifier of the one in line 9.")


def test_a_heading_whose_identifier_holds_a_space_is_named() -> None:
    spaced = PAGE.replace("{ #b }", "{ .x #be it  so .y }").replace("{ #c }", '{ #c .x title="a b" data-a=1 }')
    assert findings(spaced, spaced) == [
        f"{file}, line 9: section 'be it  so' has a space in its identifier, and MkDocs cannot read it. "
        "Mend it with: { #be-it-so }, the same in every language"
        for file in ("en.md", "es.md")
    ]


def test_a_heading_with_the_identifier_of_the_notes_below_is_named() -> None:
    taken = PAGE.replace("{ #c }", "{ #evidence }")
    assert findings(taken, taken)[0].startswith("en.md, line 15: section evidence has the identifier of the notes")


def test_a_third_language_is_compared_too() -> None:
    lacking = PAGE.replace("{{ p.x }}", "").replace("## B { #b }", "### B { #b }")
    page = {code: Source(f"{code}.md", parse(text)) for code, text in (("en", PAGE), ("es", PAGE), ("fr", lacking))}
    assert [str(finding) for finding in check(page)] == [
        "fr.md, line 9: section b is a heading of level 3, but of level 2 in en.md, line 9.",
        "fr.md, line 1: section a lacks {{ p.x }}, which en.md, line 3, has.",
    ]


def test_a_section_that_a_third_language_alone_lacks_or_has_is_named() -> None:
    more = PAGE + "\n## D { #d }\n"
    for texts, found in (
        (
            (PAGE, PAGE, PAGE[: PAGE.index("## C")]),
            {
                "fr.md: section c is missing, which en.md, line 15, has.",
                "fr.md: section c is missing, which es.md, line 15, has.",
            },
        ),
        ((PAGE, PAGE, more), {f"{code}.md: section d is missing, which fr.md, line 20, has." for code in ("en", "es")}),
    ):
        page = {code: Source(f"{code}.md", parse(text)) for code, text in zip(("en", "es", "fr"), texts, strict=True)}
        assert {str(finding) for finding in check(page)} == found


def test_a_heading_of_which_one_version_has_no_identifier_is_no_missing_section_besides() -> None:
    bare = PAGE.replace("## B { #b }", "## B")
    assert [line.partition(".md")[2] for line in findings(PAGE, bare)] == [
        ", line 9: heading 'B' has no explicit identifier. Mend it with: ## B { #… }, the same in every language",
        ": section b is missing, which en.md, line 9, has.",
    ]
    assert not [line for line in findings(PAGE, bare) if "None" in line]


def test_a_heading_of_a_higher_level_is_named_like_one_of_a_lower() -> None:
    assert findings(PAGE.replace("## B", "### B"), PAGE) == [
        "es.md, line 9: section b is a heading of level 2, but of level 3 in en.md, line 9."
    ]


def test_only_the_first_section_out_of_order_is_named() -> None:
    turned = PAGE.replace("{ #b }", "?").replace("{ #c }", "{ #b }").replace("?", "{ #c }")
    assert sum(" stands where " in line for line in findings(PAGE, turned)) == 1


def test_a_block_that_is_lacking_is_not_told_of_a_second_time_as_another_in_its_place() -> None:
    other = PAGE.replace('{{ curves("p") }}', '{{ layers("p") }}')
    assert not [line for line in findings(PAGE, other) if " where " in line]
