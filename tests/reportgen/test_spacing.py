"""Lines break between words, and not between a number and what it counts, names or multiplies."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown import Markdown, markdown

from reportgen.spacing import bound, bound_html
from tests.conftest import unbound

EXTENSIONS = ["reportgen.spacing", "tables", "toc"]


@pytest.mark.parametrize(
    "text",
    [
        "In_2023, Project_4 and Projects_0 to 6 saw them",
        "El Proyecto_11 y VGG_16 usan 3_×_3 posiciones, de 32_×_32",
        "It took 2.5_s, 64_MiB, 3_px and 95_%",
        "It saw 3 sheep in 4 hours",
        "Tasas de 0,001 a 1",
    ],
)
def test_numbers_stay_with_their_words_and_nothing_else_does(text: str) -> None:
    assert bound(text.replace("_", " ")) == text.replace("_", "\u00a0")


@given(st.text(st.sampled_from("A1é ×%sk\u00a0.,-")))
def test_only_spaces_change_and_a_second_time_nothing_does(text: str) -> None:
    once = bound(text)
    assert once.replace("\u00a0", " ") == text.replace("\u00a0", " ")
    assert bound(once) == once


def test_a_page_is_bound_wherever_its_words_stand_but_not_in_code() -> None:
    page = markdown(
        "## Project 4\n\nSee **Project 5** of <b>Project 6</b>, `Project 7` and 8 × `9`.\n\n"
        "    Project 10\n\n- Project 11\n\n| Project 12 |\n| --- |\n| 1 × 2 |\n",
        extensions=EXTENSIONS,
    )
    found = {number for number in range(4, 13) if f"Project\u00a0{number}" in page}
    assert found == {4, 5, 6, 11, 12}
    assert "<code>Project 7</code> and 8\u00a0×\u00a0<code>9</code>" in page
    assert "<code>Project 10\n</code>" in page
    assert "1\u00a0×\u00a02" in page


@pytest.mark.parametrize("text", ["It took 3_ms, 5_min and 2_h, of 9_pp", "Los Ángeles_2 y Écija_3"])
def test_every_unit_is_bound_and_every_name_that_has_a_number(text: str) -> None:
    assert bound(text.replace("_", " ")) == text.replace("_", "\u00a0")


def test_the_table_of_contents_has_a_heading_as_it_was_written() -> None:
    converter = Markdown(extensions=EXTENSIONS)
    assert converter.convert("# Project 4") == '<h1 id="project-4">Project\u00a04</h1>'
    assert [token["name"] for token in converter.toc_tokens] == ["Project 4"]  # type: ignore[attr-defined]
    assert [token["html"] for token in converter.toc_tokens] == ["Project 4"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("tag", ["kbd", "samp", "script", "style"])
def test_what_stands_as_it_is_keeps_its_spaces(tag: str) -> None:
    assert bound_html(f"<p>Project 4<{tag}>Project 5</{tag}>Project 6</p>") == (
        f"<p>Project\u00a04<{tag}>Project 5</{tag}>Project\u00a06</p>"
    )


def test_html_of_a_template_is_bound_as_a_page_is_and_what_is_verbatim_or_a_name_stays() -> None:
    verbatim = '<pre>Project 4 --seed</pre><svg><text>Project 4</text></svg><script>"Project 4"</script>'
    assert bound_html(f'<td title="Project 4">Project 4, 2 × 2</td>{verbatim}<b>5 s</b>') == (
        f'<td title="Project 4">Project\u00a04, 2\u00a0×\u00a02</td>{verbatim}<b>5\u00a0s</b>'
    )


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("nox -s experiments -- 0 --seed 1", ["-s", "--", "--seed"]),
        ("(--jobs)", ["--jobs"]),
        ("--vgg16-weights", ["--vgg16-weights"]),
        ("well-known a--b 1 - 2 x--", []),
        (f"--{'very-' * 6}long", []),
    ],
)
def test_an_option_in_code_stands_on_one_line_in_a_page_as_in_what_a_template_makes(
    said: str, whole: list[str]
) -> None:
    page, made = markdown(f"Ask `{said}`.", extensions=EXTENSIONS), bound_html(f"<p>Ask <code>{said}</code>.</p>")
    assert page == made
    assert re.findall('<span class="rg-whole">(.*?)</span>', page) == whole
    assert re.sub("</?span.*?>", "", page) == f"<p>Ask <code>{said}</code>.</p>"


@given(
    st.lists(st.sampled_from(["Project 4", " × ", "<b>", "</b>", "<code>", "</code>", "--seed", " ", "5 s", "&lt;"]))
)
def test_nothing_is_lost_or_added_but_where_a_line_may_end(pieces: list[str]) -> None:
    html = "".join(pieces)
    assert unbound(bound_html(html)) == html
