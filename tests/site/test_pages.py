"""Every page, in both languages, light and dark: it opens, it is accessible and light, and its links lead somewhere."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from playwright.sync_api import Browser, expect

from reportgen.measure import PAINT, SHIFT, TELEPHONE, WEIGHT, Visit

pytestmark = pytest.mark.study

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def test_no_page_complains_fails_to_load_something_or_asks_another_host(seen: Visit) -> None:
    assert seen.complaints == []


def test_no_page_violates_wcag_2_2_at_levels_a_and_aa(seen: Visit) -> None:
    assert seen.violations == []


def test_every_internal_link_leads_to_a_page_and_every_anchor_to_a_part_of_it(
    seen: Visit, address: str, browser: Browser
) -> None:
    assert seen.broken() == []
    targets = {link.partition("#")[0] for links in seen.links.values() for link in links}
    page = browser.new_page()
    lost = [target for target in sorted(targets - set(seen.anchors)) if not page.request.head(address + target).ok]
    page.close()
    assert lost == []


def test_no_page_is_heavy_and_none_moves_while_it_loads(seen: Visit) -> None:
    assert {path: weight for path, weight in seen.weights.items() if weight > WEIGHT} == {}
    assert {path: shift for path, shift in seen.shifts.items() if shift > SHIFT} == {}
    # Other work on this machine delays a single page; the middle of them all it does not.
    assert sorted(seen.paints.values())[len(seen.paints) // 2] < PAINT


def test_every_page_says_which_it_is_and_names_itself_in_both_languages(
    address: str, pages: list[str], browser: Browser
) -> None:
    page = browser.new_page()
    for path in pages:
        text = page.request.get(address + path).text()
        assert f'<link rel="canonical" href="{address}{path}">' in text
        assert f'<meta property="og:url" content="{address}{path}">' in text
        card = re.search(r'<meta property="og:image" content="([^"]*)">', text)
        assert card and page.request.head(card[1]).ok
    listed = {}
    for code in ("en", "es"):
        tree = ElementTree.fromstring(page.request.get(f"{address}{code}/sitemap.xml").text())
        for url in tree.iter(f"{SITEMAP}url"):
            links = {link.get("hreflang"): link.get("href") for link in url.iter(f"{XHTML}link")}
            listed[url.findtext(f"{SITEMAP}loc")] = links
    page.close()
    assert set(listed) == {address + path for path in pages}
    for place, links in listed.items():
        assert place and set(links) == {"en", "es", "x-default"}
        rest = place.removeprefix(address)[3:]
        assert (links["en"], links["es"]) == (f"{address}en/{rest}", f"{address}es/{rest}")


def test_no_page_scrolls_sideways_on_a_telephone(seen: Visit) -> None:
    assert {path: width for path, width in seen.widths.items() if width > TELEPHONE} == {}


def test_without_scripts_a_chapter_shows_its_charts_numbers_and_notes(address: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}en/projects/01/")
    chart = page.locator("figure#curves-p01_deeper")
    expect(chart.locator(".rg-chart > svg")).to_be_visible()
    chart.locator("summary").click()
    expect(chart.locator("table")).to_be_visible()
    mark = page.locator("a.rg-mark").first
    assert page.locator(f"[id='{(mark.get_attribute('href') or '').removeprefix('#')}']").count() == 1
    number = page.locator("a.rg-fact").first
    source = page.locator(f"[id='{(number.get_attribute('href') or '').removeprefix('#')}']")
    expect(source).to_be_hidden()
    number.click()
    expect(source).to_be_visible()
    context.close()


def test_the_mark_of_a_claim_opens_its_evidence_where_the_eye_is(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{address}es/projects/01/")
    mark = page.locator("a.rg-mark").first
    mark.focus()
    expect(page.locator(".rg-popover")).to_be_visible()
    expect(page.locator(".rg-popover")).to_contain_text("Estudio")
    sentence = page.locator(".rg-popover p", has_text="Afirmación.").bounding_box()
    assert sentence and sentence["width"] > 200
    beyond = "table => table.scrollWidth - table.parentElement.clientWidth"
    assert page.locator(".rg-popover table").evaluate(beyond) == 0
    page.keyboard.press("Escape")
    expect(page.locator(".rg-popover")).to_be_hidden()
    page.close()


def test_a_note_that_was_clicked_open_stays_while_a_command_is_selected_in_it_and_the_page_gets_narrower(
    address: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 900, "height": 740})
    page.goto(f"{address}en/projects/01/")
    number = page.locator("a.rg-fact[href*=reproduced]").first
    number.click()
    note = page.locator(".rg-popover")
    note.locator("p").first.click()
    command = note.locator("code", has_text="python -m experiments").first.bounding_box()
    frame = note.bounding_box()
    assert command and frame
    page.mouse.move(command["x"] + 1, command["y"] + 5)
    page.mouse.down()
    page.mouse.move(frame["x"] + frame["width"] + 40, command["y"] + command["height"] - 5)
    page.mouse.up()
    assert "python -m experiments" in page.evaluate("getSelection().toString()")
    page.wait_for_timeout(400)  # longer than a note stays that was not asked for
    expect(note).to_be_visible()
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(number).to_be_focused()
    number.click()
    expect(note).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_function("document.scrollingElement.scrollWidth === 360")
    expect(note).to_be_visible()
    page.locator("h1").click()
    expect(note).to_be_hidden()
    page.close()


def test_enter_follows_a_mark_to_its_note_and_a_click_with_a_key_opens_a_tab(address: str, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}en/projects/01/")
    mark = page.locator("a.rg-mark").first
    target = mark.get_attribute("href") or ""
    mark.press("Enter")
    page.wait_for_url(f"**/{target}")
    expect(page.locator(f"[id='{target[1:]}']")).to_be_in_viewport()
    expect(page.locator(".rg-popover")).to_be_hidden()
    page.keyboard.press("Tab")
    assert page.evaluate("id => document.getElementById(id).contains(document.activeElement)", target[1:])
    with context.expect_page() as opened:
        mark.click(modifiers=["ControlOrMeta"])
    assert opened.value.url.endswith(target)
    context.close()


def test_the_switch_of_languages_keeps_the_place_within_the_page(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}en/projects/01/#results")
    page.locator(".md-header .md-select").hover()
    page.locator(".md-header a[hreflang=es]").click()
    page.wait_for_url(f"{address}es/projects/01/#results")
    page.close()
