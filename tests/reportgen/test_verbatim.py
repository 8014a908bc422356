"""What stands in a comment is not rendered, what stands in code is shown, and every line stays where it is."""

from __future__ import annotations

import pytest

from reportgen.verbatim import for_jinja


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("A\n\n<!-- not yet:\n\n{{ x }}\n\n-->\n\nB\n", "A\n\n\n\n\n\n\n\nB\n"),
        ("A <!-- {% claim 'x' %} --> B", "A  B"),
        ("- item\n\n    <!-- {{ a }}\n\nb -->c\n", "- item\n\n    \n\nc\n"),
        ("1. item\n   more\n\n    deeper\n\n    <!-- {{ a }} -->b\n", "1. item\n   more\n\n    deeper\n\n    b\n"),
        ("<!-- `{{ x }} -->A`", "A`"),
    ],
)
def test_a_comment_with_jinja_within_it_leaves_its_empty_lines(text: str, left: str) -> None:
    assert for_jinja(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "<!-- more -->",
        "```html\n<!-- {{ x }} -->\n```",
        "- item\n\n    ```html\n\n    <!-- {{ x }} -->\n    ```\n",
        "`<!-- {{ x }} -->`",
        "A\n\n    <!-- {{ x }} -->\n\nB",
        "A\n  \n\t<!-- {{ x }} -->\n   \n    <!-- {{ x }} -->\n\nB",
        "<!-- { } -->",
        "- item\n\nA\n\n    <!-- {{ x }} -->\n\nB",
        "{% raw %}<!-- {{ x }} -->{% endraw %}",
        "{{ '<!--' }} {{ '-->' }}",
        "A <!-- {{ x }}",
        "~~~html\n<!-- {{ x }} -->\n~~~",
        "````md\n```\n<!-- {{ x }} -->\n```\n<!-- {{ x }} -->\n````",
        "``a ` <!-- {{ x }} -->``",
    ],
)
def test_a_comment_in_code_or_without_jinja_or_end_stays(text: str) -> None:
    assert for_jinja(text) == text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("## Results {#results}\n", "## Results { #results }\n"),
        ("## Más {#más .wide}\n\nText {# a note #}\n", "## Más { #más .wide }\n\nText {# a note #}\n"),
        ("`## A {#a}`", "`## A {% raw %}{#a}{% endraw %}`"),
        ("```\n{% raw %}{#a}{% endraw %} {#b}\n```", "```\n{% raw %}{#a}{% endraw %} {% raw %}{#b}{% endraw %}\n```"),
    ],
)
def test_an_identifier_may_stand_at_its_brace_and_jinja_takes_it_for_no_comment(text: str, read: str) -> None:
    assert for_jinja(text) == read
    assert for_jinja(read) == read
    for left in ("{# a note #}", "{#a note#}", "{{ '{#a}' }}", "{#- a -#}", "{% raw %}{#a}{% endraw %}", "{#a\n}"):
        assert for_jinja(left) == left


@pytest.mark.parametrize("above", ["[^1]: A note.", "??? note", '=== "A tab"', "<div markdown>", "1) one", "A\n: B"])
def test_what_belongs_to_a_note_a_tab_or_the_like_is_no_code(above: str) -> None:
    assert for_jinja(f"{above}\n\n    <!-- {{{{ a }}}} -->b\n") == f"{above}\n\n    b\n"
