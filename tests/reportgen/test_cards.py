"""The picture that stands for a page where its address is shared."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageColor

from reportgen import cache, cards
from reportgen import record as records
from reportgen import report as reports
from reportgen.edition import Edition
from reportgen.material import gather
from tests.reportgen.test_render import alone
from tests.synthetic import record


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# A title { #top }\n\ntext", "A title"),
        ("# A title  \n", "A title"),
        ("---\nhide: [toc]\n---\n\n# `Code` and *weight* <b>x</b>\n", "Code and weight x"),
        ("# 1: a&#124;b &#60;tiny&#62; { #top }\n", "1: a|b <tiny>"),
        ("---\n# No table of contents here.\nhide: [toc]\n---\n\n# A title\n", "A title"),
        ("# _Why_ `val_loss` is p00_base's __own__\n", "Why val_loss is p00_base's own"),
        ("## Only a section\n", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_in_plain_words(markdown: str, expected: str) -> None:
    assert cards.title(markdown) == expected


def test_a_page_has_its_card_at_a_place_of_its_own() -> None:
    assert cards.place("projects/00.md") == "assets/cards/projects/00.png"


@pytest.mark.parametrize("title", ["Short", "A long title " * 30, "", "Über ñ — × <b>"])
def test_a_card_has_the_size_that_networks_ask_for_whatever_the_title(small_report: Path, title: str) -> None:
    report = reports.load(small_report)
    file = cards.draw(Edition(gather(report), "es"), title)
    with Image.open(file) as picture:
        assert picture.size == (1200, 630)
    assert file.stat().st_size < 60_000


def test_the_same_card_is_drawn_once_and_another_title_is_another_card(small_report: Path) -> None:
    report = reports.load(small_report)
    edition = Edition(gather(report), "en")
    first = cards.draw(edition, "One")
    before = first.read_bytes()
    first.unlink()
    assert cards.draw(edition, "One").read_bytes() == before
    assert cards.draw(edition, "Two") != first


def test_a_card_is_drawn_in_our_colours_alone_smooth_at_its_edges_and_without_grain(small_report: Path) -> None:
    report = reports.load(small_report)
    file = cards.draw(Edition(gather(report), "en"), "")
    with Image.open(file) as picture:
        counts = picture.convert("RGB").getcolors()
    assert counts, "few enough colours to be counted"
    shares = {colour: count / (1200 * 630) for count, colour in counts}
    assert max(shares, key=lambda colour: shares[colour]) == ImageColor.getrgb(cards.NIGHT)
    assert {ImageColor.getrgb(colour) for colour in (cards.PAPER, cards.ORANGE)} < shares.keys()
    assert len(shares) > 16, "smooth at its edges"


def test_without_a_study_a_card_has_the_results_of_the_runs(small_report: Path) -> None:
    alone(small_report)
    report = reports.load(small_report)
    before = cards.draw(Edition(gather(report), "en"), "One")
    records.write(record("first"), report.results)
    file = cards.draw(Edition(gather(report), "en"), "One")
    assert file != before
    with Image.open(file) as picture:
        assert ImageColor.getrgb(cards.ORANGE) in {colour for _, colour in picture.convert("RGB").getcolors() or ()}


def test_what_a_power_cut_left_empty_is_drawn_again(small_report: Path) -> None:
    report = reports.load(small_report)
    edition = Edition(gather(report), "en")
    file = cards.draw(edition, "One")
    whole = file.read_bytes()
    file.write_bytes(b"")
    assert cards.draw(edition, "One").read_bytes() == whole


def edition(root: Path) -> Edition:
    return Edition(gather(reports.load(root)), "en")


def test_another_name_of_the_site_and_another_program_are_another_card(
    small_report: Path, code_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "kept", lambda file, make: file)
    files = [cards.draw(edition(small_report), "One")]
    catalogue = small_report / "docs" / "en" / "catalogue.yml"
    catalogue.write_text(catalogue.read_text("utf-8").replace("A small report", "Another"), encoding="utf-8")
    files.append(cards.draw(edition(small_report), "One"))
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: b"new" if file.name == "cards.py" else read(file))
    cache.code.cache_clear()
    files.append(cards.draw(edition(small_report), "One"))
    for library in ("pillow", "matplotlib"):
        monkeypatch.setattr(cache, "version", lambda name, new=library: "another" if name == new else version(name))
        cache.code.cache_clear()
        files.append(cards.draw(edition(small_report), "One"))
    assert len({*files}) == 5


def test_a_card_has_every_result_that_is_known_nought_as_well(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone(small_report)
    for project, right in (("first", 60), ("second", 0)):
        records.write(record(project, right=right), small_report / "results")
    records.write(record("third", variant="ours"), small_report / "results")
    drawn: list[Any] = []
    monkeypatch.setattr(cards, "kept", lambda file, make: drawn.append(make.args))
    for heading in ("One", ""):
        cards.draw(edition(small_report), heading)
    assert drawn == [(heading, "A small report", (0.6, 0.0)) for heading in ("One", "A small report")]


def spot(picture: Image.Image, colour: str) -> tuple[float, float, int]:
    """Where what has a colour lies on average, across and down, and how many pixels have it."""
    down, across = np.nonzero((np.asarray(picture) == ImageColor.getrgb(colour)).all(axis=2))
    return float(across.mean()), float(down.mean()), across.size


def test_of_the_results_the_best_alone_is_orange_and_stands_above_the_others() -> None:
    strip = cards._ladder((0.5, 0.9, 0.5)).crop((400, 0, 1200, 190))
    (x, y, size), (other_x, other_y, other_size) = spot(strip, cards.ORANGE), spot(strip, cards.PAPER)
    assert abs(x + 400 - 600) < 2 and other_x > 700 and y < other_y - 100 and size > 1.5 * other_size


def test_a_title_without_end_leaves_the_foot_of_a_card_free(small_report: Path) -> None:
    alone(small_report)
    with Image.open(cards.draw(edition(small_report), "A long title " * 60)) as picture:
        foot = picture.convert("RGB").crop((0, 430, *cards.SIZE))
    assert foot.getcolors() == [(foot.width * foot.height, ImageColor.getrgb(cards.NIGHT))]


def colours(root: Path, heading: str) -> set[str]:
    """Which of ours a card has."""
    with Image.open(cards.draw(edition(root), heading)) as picture:
        found = {colour for _, colour in picture.convert("RGB").getcolors() or ()}
    ours = {name: getattr(cards, name) for name in ("NIGHT", "PAPER", "QUIET", "SKY", "ORANGE")}
    return {name for name, code in ours.items() if ImageColor.getrgb(code) in found}


def test_a_line_goes_through_the_results_and_the_site_s_name_stands_above_every_title_but_itself(
    small_report: Path,
) -> None:
    alone(small_report)
    assert colours(small_report, "A small report") == {"NIGHT", "PAPER"}
    assert colours(small_report, "One") == {"NIGHT", "PAPER", "QUIET"}
    for project, right in (("first", 60), ("second", 50)):
        records.write(record(project, right=right), small_report / "results")
    assert colours(small_report, "One") == {"NIGHT", "PAPER", "QUIET", "SKY", "ORANGE"}


@pytest.mark.parametrize("title", ["Redes profundas y memoria", "WWW " * 12, "m" * 60, "i" * 90])
def test_a_title_ends_before_the_margin_however_broad_its_letters_are(small_report: Path, title: str) -> None:
    alone(small_report)
    with Image.open(cards.draw(edition(small_report), title)) as picture:
        shown = np.asarray(picture.convert("RGB"))
    written = np.nonzero((shown[120:] != ImageColor.getrgb(cards.NIGHT)).any(axis=(0, 2)))[0]
    assert written.min() >= cards.MARGIN and cards.SIZE[0] / 2 < written.max() <= cards.SIZE[0] - cards.MARGIN


def test_a_word_with_a_hyphen_stays_in_one_line() -> None:
    lines = cards._lines("Project 10: VGG16 fine-tuned at 64 × 64 pixels", 72)
    assert len(lines) == 3 and "fine-tuned" in "\n".join(lines)
