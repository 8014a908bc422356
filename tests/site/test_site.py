"""The site as a reader meets it: built from a fresh clone by the documented command, under a sub-path, in Chromium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from reportgen import report as reports
from reportgen.browser import served
from reportgen.build import build
from reportgen.evidence import GLYPHS

pytestmark = pytest.mark.study

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "es")
PAGES = ("", "method/", "projects/00/", "projects/01/", "projects/05/", "reproduce/")
NUMBERS = {"en": "62.56%", "es": "62,56 %"}
SEARCHES = {"en": "patience", "es": "paciencia"}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_in_its_language_has_one_title_and_shows_nothing_that_a_template_left_over(
    address: str, tab: Page, code: str, path: str
) -> None:
    tab.goto(f"{address}{code}/{path}")
    assert tab.locator("html").get_attribute("lang") == code
    assert tab.locator("article h1").count() == 1
    # The study has a notebook whose name ends in `weights=None`.
    text = tab.locator("article").inner_text().replace("weights=None.ipynb", "")
    assert not re.search(r"\bnan\b|\{\{|\}\}|\{%|Undefined|\bNone\b", text)


@pytest.mark.parametrize("path", PAGES)
def test_the_languages_have_the_same_headings_links_tables_and_pictures(address: str, tab: Page, path: str) -> None:
    def outline(code: str) -> list[object]:
        tab.goto(f"{address}{code}/{path}")
        return [
            tab.locator("article :is(h1, h2, h3)").evaluate_all("found => found.map(h => h.id)"),
            *(tab.locator(f"article {kind}").count() for kind in ("table", "tr", "figure svg", "img", "pre")),
        ]

    assert outline("en") == outline("es")


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_are_written_as_the_language_writes_them(address: str, tab: Page, code: str) -> None:
    tab.goto(f"{address}{code}/projects/00/")
    text = re.sub(r"\s", " ", tab.locator("article").inner_text())
    assert NUMBERS[code] in text
    assert {"en": "263,402", "es": "263.402"}[code] in text
    other = LANGUAGES[1 - LANGUAGES.index(code)]
    assert NUMBERS[other] not in text


@pytest.mark.parametrize(("locale", "code"), [("es-MX", "es"), ("en-GB", "en"), ("fr-FR", "en")])
def test_the_root_sends_a_reader_to_the_language_of_the_browser(
    address: str, browser: Browser, locale: str, code: str
) -> None:
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(address)
    page.wait_for_url(f"{address}{code}/")
    context.close()


def test_without_scripts_the_root_has_a_link_to_each_language(address: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for code in LANGUAGES:
        page.goto(address)
        page.locator(f"a[hreflang={code}]").click()
        assert page.url == f"{address}{code}/"
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_the_switch_lands_on_the_same_page_and_back(address: str, tab: Page, path: str) -> None:
    tab.goto(f"{address}en/{path}")
    for code in ("es", "en"):
        tab.locator(".md-header .md-select").hover()
        tab.locator(f".md-header a[hreflang={code}]").click()
        tab.wait_for_url(f"{address}{code}/{path}")
        assert tab.locator("html").get_attribute("lang") == code


def test_the_switch_works_where_nobody_has_said_where_the_site_will_stand(small_report: Path, tab: Page) -> None:
    build(reports.load(small_report), small_report / "site")
    with served(small_report / "site") as address:
        tab.goto(f"{address}es/further/#details", wait_until="networkidle")
        tab.locator(".md-header .md-select").hover()
        tab.locator(".md-header a[hreflang=en]").click()
        tab.wait_for_url(f"{address}en/further/#details")


def test_dark_colours_stay_dark_in_the_other_language(address: str, tab: Page) -> None:
    tab.goto(f"{address}es/method/", wait_until="networkidle")
    tab.get_by_title("Cambiar a colores oscuros").click()
    tab.goto(f"{address}en/method/")
    expect(tab.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    expect(tab.get_by_title("Switch to light colours")).to_be_visible()


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_search_of_a_language_finds_its_own_words_only(address: str, tab: Page, code: str) -> None:
    tab.goto(f"{address}{code}/", wait_until="networkidle")
    tab.locator("input[name=query]").click()
    tab.locator("input[name=query]").press_sequentially(SEARCHES[code], delay=20)
    found = tab.locator(".md-search-result__item a.md-search-result__link")
    expect(found.first).to_be_visible()
    targets = found.evaluate_all("links => links.map(link => link.href)")
    assert targets
    assert all(target.startswith(f"{address}{code}/") for target in targets)
    found.first.click()
    expect(tab.locator("article h1")).to_be_visible()


def test_the_search_finds_words_whose_accents_were_not_typed(address: str, tab: Page) -> None:
    tab.goto(f"{address}es/", wait_until="networkidle")
    tab.locator("input[name=query]").click()
    tab.locator("input[name=query]").press_sequentially("entropia", delay=20)
    expect(tab.locator(".md-search-result__item mark").first).to_have_text("entropía")


@pytest.mark.parametrize(
    ("query", "target"),
    [("matriz de confusión", "/projects/"), ("flattening", "/glossary/"), ("62,56", "/es/[?]h=62")],
)
def test_the_search_finds_what_a_reader_types_and_marks_it_whole(
    address: str, tab: Page, query: str, target: str
) -> None:
    """Words that every page has tell nothing; a word may stand behind a bracket; a number keeps its comma."""
    tab.goto(f"{address}es/", wait_until="networkidle")
    tab.locator("input[name=query]").click()
    tab.locator("input[name=query]").press_sequentially(query, delay=20)
    first = tab.locator(".md-search-result__item").first
    expect(first.locator("a.md-search-result__link").first).to_have_attribute("href", re.compile(target))
    expect(tab.locator(".md-search-result__terms")).to_have_count(0)
    assert ">" not in tab.locator(".md-search-result__list").inner_text()


def test_the_search_shows_a_claim_without_the_mark_behind_it(address: str, tab: Page) -> None:
    index = tab.request.get(f"{address}en/search/search_index.json").json()
    chapters = [place["text"] for place in index["docs"] if place["location"].startswith("projects/")]
    assert any("both test figures improved, and this time" in text for text in chapters)
    assert not set(GLYPHS.values()) - {"?"} & set("".join(chapters))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_take_their_colours_from_the_scheme_of_the_reader(address: str, tab: Page, scheme: Any) -> None:
    tab.emulate_media(color_scheme=scheme)
    tab.goto(f"{address}en/projects/00/")
    words = tab.locator("figure svg text").first
    ink = words.evaluate("text => getComputedStyle(text).fill")
    light = sum(map(int, re.findall(r"\d+", ink)[:3])) > 3 * 128
    assert light == (scheme == "dark"), ink


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_chapter_shows_the_network_the_code_the_curves_and_where_its_numbers_come_from(
    address: str, tab: Page, code: str
) -> None:
    tab.goto(f"{address}{code}/projects/01/")
    script = (ROOT / "experiments" / "projects" / "p01_deeper.py").read_text(encoding="utf-8")
    assert tab.locator("#script ~ .highlight pre").first.inner_text().strip() == script.strip()
    assert tab.locator("figure svg[role=img] title").count() >= 2
    gallery = tab.locator(".rg-gallery")
    assert gallery.locator("svg[role=img]").count() == gallery.locator("li").count() > 0
    sheet = gallery.locator("image").first.get_attribute("href")
    size = tab.evaluate(
        "sheet => new Promise(done => {const image = new Image(); image.onload = () => done(image.naturalWidth); "
        "image.src = sheet})",
        sheet,
    )
    assert size > 0
    panel = tab.locator(".rg-provenance").first
    panel.evaluate("block => block.open = true")
    assert "python -m experiments run p01_deeper" in panel.inner_text()
    with tab.expect_download() as download:
        panel.locator("a[download]").first.click()
    assert '"p01_deeper"' in Path(download.value.path()).read_text(encoding="utf-8")


def test_a_lost_reader_is_led_to_both_languages(address: str, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}404.html")
    for code in LANGUAGES:
        assert page.locator(f"a[hreflang={code}]").evaluate("link => link.href") == f"{address}{code}/"
    context.close()
