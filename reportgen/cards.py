"""Social cards: the picture that stands for a page where its address is shared. Drawn here, with letters that ship with
matplotlib, and kept by their content.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import textwrap
from functools import cache, partial
from pathlib import Path, PurePosixPath

from PIL import Image, ImageColor, ImageDraw, ImageFont

from reportgen.cache import code, kept
from reportgen.edition import Edition
from reportgen.source import FRONT_MATTER

SIZE = (1200, 630)
"""Width and height in pixels, as the networks ask for."""
NIGHT, PAPER, QUIET, SKY, ORANGE = "#0b2b40", "#ffffff", "#a9c1d1", "#56b4e9", "#e69f00"
MARGIN = 80


def place(page: str) -> str:
    """Where the card of a page stands, within its language's folder."""
    return f"assets/cards/{PurePosixPath(page).with_suffix('.png')}"


def title(markdown: str) -> str:
    """A page's first heading, as plain words; empty where it has none."""
    found = re.search(r"^# +(.*?)(?: *\{[^}]*\})?$", FRONT_MATTER.sub("", markdown), re.MULTILINE)
    # An underscore within a word is of the word.
    return html.unescape(re.sub(r"<[^>]*>|[*`]|\b_+|_+\b", "", found[1])).strip() if found else ""


def draw(edition: Edition, heading: str) -> Path:
    """The card of a page: its heading, the site's name, and the results of all projects as a line of dots."""
    reproduces = edition.material.reproduces
    every = (
        known.published.test.accuracy if reproduces else known.reproduced.test.accuracy.mean
        for known in edition.material.facts.values()
    )
    steps = tuple(fact.value for fact in every if fact.value is not None)
    site = edition.catalogue.site_name
    drawn_by = code(("cards.py",), ("pillow", "matplotlib"))  # the one draws, the other brings the letters
    content = hashlib.sha256(f"{drawn_by}\0{heading}\0{site}\0{steps}".encode()).hexdigest()
    file = edition.material.report.root / "build" / "cards" / f"{content}.png"
    return kept(file, partial(_png, heading or site, site, steps))


def _png(heading: str, site: str, steps: tuple[float, ...]) -> bytes:
    card = Image.new("RGB", SIZE, NIGHT)
    pen = ImageDraw.Draw(card)
    pen.text((MARGIN, 64), site if heading != site else "", font=_letters(30), fill=QUIET)
    size, lines = next(
        (size, lines) for size, most in ((72, 3), (56, 4), (44, 99)) if len(lines := _lines(heading, size)) <= most
    )
    pen.multiline_text((MARGIN, 130), "\n".join(lines[:5]), font=_letters(size, "-Bold"), fill=PAPER, spacing=14)
    if steps:
        card.paste(_ladder(steps), (0, SIZE[1] - 210))
    stream = io.BytesIO()
    card.quantize(palette=_palette(), dither=Image.Dither.NONE).save(stream, "PNG", compress_level=4)
    return stream.getvalue()


def _lines(heading: str, size: int) -> list[str]:
    """A heading in lines that fit between the margins, as many characters in each as all of them bear."""
    letters = _letters(size, "-Bold")
    wrapped = (textwrap.wrap(heading, width, break_on_hyphens=False) for width in range(60, 0, -1))
    return next(lines for lines in wrapped if all(letters.getlength(line) <= SIZE[0] - 2 * MARGIN for line in lines))


@cache
def _palette() -> Image.Image:
    """An image of the colours of a card: each of ours, and sixteen steps from the night towards it for smooth edges.

    Fixed, because looking for the best colours of every card anew takes longer than drawing it.
    """
    night = ImageColor.getrgb(NIGHT)
    steps = [
        round(dark + (light - dark) * step / 16)
        for colour in (PAPER, QUIET, SKY, ORANGE)
        for step in range(1, 17)
        for dark, light in zip(night, ImageColor.getrgb(colour), strict=True)
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*night, *steps])
    return palette


@cache
def _ladder(steps: tuple[float, ...]) -> Image.Image:
    """The results one after the other, the higher the better; drawn larger and shrunk, for smooth edges."""
    width, height = SIZE[0], 190
    strip = Image.new("RGB", (2 * width, 2 * height), NIGHT)
    pen = ImageDraw.Draw(strip)
    low, high = min(steps), max(steps)
    across = 2 * (width - 2 * MARGIN) / max(len(steps) - 1, 1)
    places = [
        (2 * MARGIN + k * across, 2 * (height - 34) - 2 * (height - 68) * (step - low) / ((high - low) or 1))
        for k, step in enumerate(steps)
    ]
    if len(places) > 1:
        pen.line(places, fill=SKY, width=8, joint="curve")
    for (x, y), step in zip(places, steps, strict=True):
        size = 22 if step == high else 14
        pen.ellipse((x - size, y - size, x + size, y + size), fill=ORANGE if step == high else PAPER)
    return strip.resize((width, height), Image.Resampling.LANCZOS)


@cache
def _letters(size: int, weight: str = "") -> ImageFont.FreeTypeFont:
    import matplotlib  # slow to import, and cards are seldom drawn

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans{weight}.ttf", size)
