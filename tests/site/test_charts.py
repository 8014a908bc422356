"""Charts answer: to a pointer, to the keyboard, to switches; and where no script runs or on paper the drawing stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

pytestmark = pytest.mark.study


@pytest.fixture(scope="module")
def reading(browser: Browser) -> Iterator[Page]:
    """A tab with room for a chart."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    yield page
    page.close()


def lively(page: Page, address: str, path: str, identifier: str) -> Locator:
    """A chart of a page, once its script has taken over."""
    if not page.url.startswith(address + path):
        page.goto(address + path)
    chart = page.locator(f"figure#{identifier}")
    height = chart.evaluate("figure => figure.getBoundingClientRect().height")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("canvas").first).to_be_visible(timeout=15_000)
    assert chart.evaluate("figure => figure.getBoundingClientRect().height") == pytest.approx(height, abs=1)
    return chart


@pytest.mark.parametrize(
    ("path", "identifier", "words"),
    [
        ("en/comparison/", "ladder-chart", ["Project 0", "%"]),
        ("en/comparison/", "accuracy-parameters", ["Project", "%"]),
        ("en/comparison/", "class-chart", ["Class: ", "Project: ", "%"]),
        ("es/projects/01/", "curves-p01_deeper", ["Época 1", "Exactitud", "entrenamiento", " %"]),
        ("es/projects/01/", "confusion-p01_deeper", ["Etiqueta: avión", "Predicción: avión"]),
    ],
)
def test_the_arrow_keys_say_value_after_value(
    address: str, reading: Page, path: str, identifier: str, words: list[str]
) -> None:
    chart = lively(reading, address, path, identifier)
    values = chart.locator(".rg-canvases")
    values.focus()
    values.press("ArrowRight")
    said = chart.locator(".rg-said")
    for word in words:
        assert word in (said.text_content() or "").replace("\u00a0", " ")
    first = said.text_content()
    values.press("ArrowRight")
    assert said.text_content() != first
    values.press("Home")
    assert said.text_content() == first
    values.press("Escape")
    assert said.text_content() == ""


def test_a_pointer_shows_the_values_of_an_epoch(address: str, reading: Page) -> None:
    chart = lively(reading, address, "en/projects/01/", "curves-p01_deeper")
    canvas = chart.locator("canvas").first
    canvas.hover()
    reading.wait_for_function(
        "canvas => Chart.getChart(canvas).tooltip.opacity > 0 && Chart.getChart(canvas).tooltip.body.length > 0",
        arg=canvas.element_handle(),
    )


def test_lines_seeds_and_projects_are_switched_off_and_another_project_is_laid_over(
    address: str, reading: Page
) -> None:
    chart = lively(reading, address, "en/projects/01/", "curves-p01_deeper")
    canvas = chart.locator("canvas").first

    def shown() -> int:
        return int(canvas.evaluate("canvas => Chart.getChart(canvas).data.datasets.filter(one => !one.band).length"))

    every = shown()
    chart.get_by_role("checkbox", name="training", exact=True).uncheck()
    assert shown() == every / 2
    chart.get_by_role("checkbox", name="training", exact=True).check()
    chart.locator("summary", has_text="Seeds").click()
    chart.get_by_role("checkbox", name="Seed 0", exact=True).uncheck()
    assert shown() == every - 2
    chart.get_by_role("checkbox", name="Seed 0", exact=True).check()
    chart.get_by_role("checkbox", name="Seed 0", exact=True).press("Escape")
    expect(chart.get_by_role("checkbox", name="Seed 0", exact=True)).to_be_hidden()
    expect(chart.locator("summary", has_text="Seeds")).to_be_focused()
    chart.locator("select").select_option("Project 0")
    reading.wait_for_function(
        "canvas => Chart.getChart(canvas).data.datasets.some(one => one.label?.startsWith('Project 0'))",
        arg=canvas.element_handle(),
    )
    chart.locator("select").select_option("nothing")
    ladder = lively(reading, address, "en/comparison/", "ladder-chart")
    count = "canvas => Chart.getChart(canvas).data.datasets.reduce((sum, one) => sum + one.data.length, 0)"
    before = ladder.locator("canvas").evaluate(count)
    ladder.locator("summary", has_text="Project").first.click()
    ladder.get_by_role("checkbox", name="Project 10", exact=True).uncheck()
    assert ladder.locator("canvas").evaluate(count) < before


def test_of_two_projects_laid_over_in_haste_the_last_one_stays(address: str, reading: Page) -> None:
    chart = lively(reading, address, "en/projects/01/", "curves-p01_deeper")
    slow: list[Route] = []
    reading.route("**/curves-p00_base.json", lambda route: slow.append(route))
    chart.locator("select").select_option("Project 0")
    while not slow:
        reading.wait_for_timeout(10)
    chart.locator("select").select_option("nothing")
    with reading.expect_response("**/curves-p00_base.json") as answer:
        slow[0].continue_()
    answer.value.finished()
    reading.wait_for_timeout(300)  # for the page to read it, and to draw what it must not
    names = "canvas => Chart.getChart(canvas).data.datasets.map(one => one.label)"
    assert not [name for name in chart.locator("canvas").first.evaluate(names) if name and "Project 0" in name]
    reading.unroute("**/curves-p00_base.json")


def test_a_series_that_was_switched_off_stays_off_while_projects_and_colours_change(
    address: str, reading: Page
) -> None:
    ladder = lively(reading, address, "en/comparison/", "ladder-chart")
    shown = "canvas => Chart.getChart(canvas).getSortedVisibleDatasetMetas().map(meta => meta.label)"
    ladder.get_by_role("checkbox", name="Study", exact=True).uncheck()
    rest = ladder.locator("canvas").evaluate(shown)
    assert "Reproduction" in rest and "Study" not in rest
    ladder.locator("summary", has_text="Project").first.click()
    ladder.get_by_role("checkbox", name="Project 3", exact=True).uncheck()
    assert ladder.locator("canvas").evaluate(shown) == rest
    reading.get_by_title("Switch to dark colours").click()
    assert ladder.locator("canvas").evaluate(shown) == rest
    ladder.get_by_role("checkbox", name="Study", exact=True).check()
    assert "Study" in ladder.locator("canvas").evaluate(shown)
    reading.get_by_title("Switch to light colours").click()


def test_the_keys_of_the_browser_remain_its_own(address: str, reading: Page) -> None:
    values = lively(reading, address, "en/comparison/", "ladder-chart").locator(".rg-canvases")
    press = "(group, keys) => group.dispatchEvent(new KeyboardEvent('keydown', {...keys, cancelable: true}))"
    assert not values.evaluate(press, {"key": "ArrowLeft"})
    assert values.evaluate(press, {"key": "ArrowLeft", "altKey": True})  # back to the page before


@pytest.mark.parametrize(
    ("theme", "region", "values"),
    [
        ("pt-BR", "pt-BR", ("62,56%", "+8,78\u00a0p.p.")),
        ("es", "es-MX", ("62.56%", "+8.78\u00a0p.p.")),  # which the theme does not know
    ],
)
def test_numbers_are_written_as_a_region_writes_them_and_their_unit_as_the_page_does(
    address: str, browser: Browser, theme: str, region: str, values: tuple[str, ...]
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})

    def elsewhere(route: Route) -> None:
        text = route.fetch().text().replace('lang="en"', f'lang="{theme}"', 1)
        text = text.replace('"language":"en"', f'"language":"{region}"').replace('"points":"pp"', '"points":"p.p."')
        route.fulfill(body=text, content_type="text/html")

    page.route("**/en/comparison/", elsewhere)
    for identifier, value in zip(("ladder-chart", "gap-chart"), values, strict=True):
        chart = lively(page, address, "en/comparison/", identifier)
        chart.locator(".rg-canvases").press("ArrowRight")
        assert value in (chart.locator(".rg-said").text_content() or "")
    page.close()


def test_on_paper_the_drawing_takes_the_place_of_what_answers(address: str, reading: Page) -> None:
    chart = lively(reading, address, "en/projects/01/", "curves-p01_deeper")
    reading.emulate_media(media="print")
    expect(chart.locator(".rg-chart > svg")).to_be_visible()
    expect(chart.locator(".rg-live")).to_be_hidden()
    reading.emulate_media(media="screen")


def test_a_page_without_charts_does_without_the_library(address: str, reading: Page) -> None:
    asked: list[str] = []
    reading.on("request", lambda request: asked.append(request.url))
    reading.goto(f"{address}en/cite/", wait_until="networkidle")
    assert not [url for url in asked if "/vendor/" in url]
