"""The page that explains how to write with facts and claims shows what it says: beside each example, what it makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reportgen.claims import KINDS
from reportgen.evidence import GIVEN, Evidence
from reportgen.render import TOOLS
from reportgen.tools import PageTools

pytestmark = pytest.mark.study

DOCS = Path(__file__).parent.parent / "docs"
LANGUAGES = sorted(folder.name for folder in DOCS.iterdir() if (folder / "writing.md").is_file())
EXAMPLE = re.compile(r"\{% raw %\}\s*(?:```jinja\n)?(.*?)\s*(?:```\s*)?\{% endraw %\}", re.DOTALL)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_example_stands_a_second_time_where_it_is_evaluated(code: str) -> None:
    text = (DOCS / code / "writing.md").read_text(encoding="utf-8")
    examples = EXAMPLE.findall(text)
    live = EXAMPLE.sub("", text)
    assert len(examples) > 15
    assert [example for example in examples if example not in live] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_kind_of_claim_and_nothing_that_a_page_may_call_is_left_out(code: str) -> None:
    text = (DOCS / code / "writing.md").read_text(encoding="utf-8")
    # A count is what `given` makes when no kind is named.
    tools: tuple[type[PageTools], ...] = (Evidence, *TOOLS)
    names = {*KINDS, *GIVEN, *(name for kind in tools for name in kind.NAMES)} - {"count"}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []


def test_there_is_such_a_page_in_every_language() -> None:
    assert sorted(folder.parent.name for folder in DOCS.glob("*/catalogue.yml")) == LANGUAGES
