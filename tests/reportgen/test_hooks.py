"""MkDocs makes the same pages with what holds finished HTML back as without it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from reportgen import hooks
from reportgen import record as records
from reportgen import report as reports
from reportgen.build import build
from tests.synthetic import record

ROOT = Path(__file__).resolve().parents[2]
PIECES = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(PIECES, PIECES)), PIECES)
def test_what_is_held_out_comes_back_as_it_was(pieces: list[tuple[str, str]], end: str) -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="page.md"))
    text = "".join(f'{before}<!--held--><b id="{k}">{held}</b><!--/held-->' for k, (before, held) in enumerate(pieces))
    text += end
    left = hooks.on_page_markdown(text, page=page)
    assert "<b" not in left
    assert all(f'id="{k}"' in left for k in range(len(pieces)))
    assert hooks.on_post_page(left, page=page) == text.replace("<!--held-->", "").replace("<!--/held-->", "")


@pytest.mark.parametrize(("searched", "times"), [(["es"], 1), (["en"], 0), (["en", "es"], 1), (None, 0)])
def test_what_folds_accents_stands_once_behind_what_the_theme_has_for_the_language(
    tmp_path: Path, searched: list[str] | None, times: int
) -> None:
    """For what the theme searches in, which is `pt` where its words are those of `pt-BR`."""
    if searched is not None:
        (tmp_path / "search").mkdir()
        index = json.dumps({"config": {"lang": searched}, "docs": []})
        (tmp_path / "search" / "search_index.json").write_text(index, encoding="utf-8")
    folder = tmp_path / "assets" / "javascripts" / "lunr" / "min"
    folder.mkdir(parents=True)
    (folder / "lunr.es.min.js").write_text("lunr.es = 1;", encoding="utf-8")
    for _ in range(2):
        hooks.on_post_build(SimpleNamespace(site_dir=str(tmp_path)))
    text = (folder / "lunr.es.min.js").read_text(encoding="utf-8")
    assert text.startswith("lunr.es = 1;") and text.count('lunr["es"] = Object.assign') == times


@pytest.mark.parametrize(
    ("title", "read"), [("p00&#95;mine", "p00_mine"), ("a &#60;b&#62; &amp; &#38;", "a &#60;b&#62; &amp; &#38;")]
)
def test_a_name_is_spoken_as_it_is_read_and_stays_no_markup(title: str, read: str) -> None:
    page = SimpleNamespace(title=title)
    assert hooks.on_page_content("<p>", page=page) == "<p>"
    assert page.title == read


@pytest.fixture
def told(small_report: Path) -> Path:
    """A report with a chart and a note in both languages."""
    for code in ("en", "es"):
        file = small_report / "docs" / code / "index.md"
        page = file.read_text(encoding="utf-8")
        file.write_text(
            f"{page}\n{{{{ curves('first') }}}}\n\nSo: {{{{ first.reproduced.test.accuracy }}}}.\n", "utf-8"
        )
    records.write(record("first"), small_report / "results")
    return small_report


def built(root: Path) -> Path:
    build(reports.load(root), root / "site")
    return root / "site"


def words(page: str) -> list[str]:
    """A page without its white space, of which Markdown leaves a little more or less between blocks."""
    return page.replace("<", " <").replace(">", "> ").split()


def test_mkdocs_alone_makes_the_same_pages(told: Path) -> None:
    site = built(told)
    settings = yaml.safe_load((told / "build" / "mkdocs.en.yml").read_text(encoding="utf-8"))
    del settings["hooks"]
    (told / "build" / "alone.yml").write_text(yaml.safe_dump(settings | {"site_dir": str(told / "alone")}), "utf-8")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", "build/alone.yml"],
        cwd=told,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    for page in ("index.html", "further/index.html"):
        alone = (told / "alone" / page).read_text(encoding="utf-8")
        assert ("<!--held-->" in alone) == (page == "index.html")
        assert words(re.sub(r"<!--/?held-->", " ", alone)) == words((site / "en" / page).read_text(encoding="utf-8"))


def test_a_figure_that_is_commented_out_takes_nothing_else_with_it(told: Path) -> None:
    file = told / "docs" / "en" / "index.md"
    text = file.read_text(encoding="utf-8").replace(
        "{{ curves('first') }}", "<!-- not yet:\n\n{{ curves('first') }}\n\n-->"
    )
    file.write_text(text + "\nAfter it.\n", encoding="utf-8")
    page = (built(told) / "en" / "index.html").read_text(encoding="utf-8")
    assert "After it." in page and "not yet:" not in page and "rg-figure" not in page


def test_the_search_knows_the_prose_and_no_number_of_a_chart_or_a_note(told: Path) -> None:
    site = built(told)
    index = (site / "en" / "search" / "search_index.json").read_text(encoding="utf-8")
    assert "So: " in index
    assert "Learning curves" in index
    assert "Cross-entropy" not in index
    assert "python -m" not in index
    assert "record.json" not in index


def test_the_theme_is_compiled_once(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = (built(told) / "en" / "index.html").read_bytes()
    assert [*told.rglob("jinja")] == [told / "build" / "jinja"], "where everything is that a build leaves"
    compile_ = Environment.compile

    def refuse(environment: Environment, source: str, name: str | None = None, *rest: object, **more: object) -> object:
        # The theme's words are read by its search before anything can be said about its environment.
        assert name is not None and name.startswith("partials/language"), name
        return compile_(environment, source, name, *rest, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Environment, "compile", refuse)
    assert (built(told) / "en" / "index.html").read_bytes() == first


def test_every_anchor_of_what_is_held_out_stays_a_place_for_links() -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="page.md"))
    held = '<!--held--><b id="one">1</b><b id="two">2</b><!--/held-->'
    assert [f'<div id="{name}"></div>' in hooks.on_page_markdown(held, page=page) for name in ("one", "two")] == [
        True
    ] * 2


@pytest.mark.parametrize("title", ["a &#34;b&#34; &#39;c&#39;", "&#99999999;"])
def test_what_would_end_an_attribute_or_is_no_character_stays_as_it_is_in_a_name(title: str) -> None:
    page = SimpleNamespace(title=title)
    hooks.on_page_content("<p>", page=page)
    assert page.title == title
