"""The guide's poster: 1080 × 1920, her name, her store, her code, in the chain's colour.

`draw_poster` is pure: equal texts give equal pictures, so a finished one is kept and its fingerprint is its
ETag. Long names shrink, then wrap, then end in an ellipsis; nothing ever leaves the canvas.
"""

import dataclasses
import functools
import hashlib
import io
import logging
from pathlib import Path
from typing import Final, Literal

from django.conf import settings
from PIL import Image, ImageColor, ImageDraw, ImageFont

from assistant import qr

logger = logging.getLogger(__name__)

WIDTH: Final = 1080
HEIGHT: Final = 1920
_MARGIN: Final = 96
_CARD: Final = (96, 630, WIDTH - 96, 1510)
_QR_SIZE: Final = 640
_LAYOUT: Final = "2"  # part of the fingerprint: raise it when the drawing changes
_INK: Final = (32, 36, 34)
_QUIET_INK: Final = (98, 104, 100)
_PAPER: Final = (250, 248, 244)
_FILES: Final = {
    "regular": "400Regular/NotoSansSC_400Regular.ttf",
    "medium": "500Medium/NotoSansSC_500Medium.ttf",
    "bold": "700Bold/NotoSansSC_700Bold.ttf",
}

Weight = Literal["regular", "medium", "bold"]
Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class PosterTexts:
    """All that a poster says; empty lines are left out."""

    brand: str
    colour: str  # "#rrggbb"
    logo_path: str
    heading: str
    guide_name: str
    store_name: str
    address: str
    phone: str
    invitation: str
    hint: str
    qr_content: str

    @property
    def fingerprint(self) -> str:
        parts = "\0".join((_LAYOUT, *dataclasses.astuple(self)))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]


@dataclasses.dataclass(frozen=True, slots=True)
class Poster:
    """The finished picture and where each text stands in it."""

    png: bytes
    text_boxes: tuple[tuple[str, Box], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Style:
    weight: Weight
    size: int
    smallest: int
    colour: Colour
    lines: int = 1
    spacing: float = 1.36


@functools.lru_cache(maxsize=64)
def _font(directory: str, weight: Weight, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(directory) / _FILES[weight]), size)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def readable_on_white(colour: Colour) -> Colour:
    """The brand colour, darkened until white text on it is easy to read (contrast 4.5)."""
    while _luminance(colour) > 0.18 and colour != (0, 0, 0):
        colour = mix(colour, (0, 0, 0), 0.08)
    return colour


def _luminance(colour: Colour) -> float:
    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(value) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def wrap_text(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines no wider than `width`: broken at a late enough blank, else between characters."""
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest:
        count = len(rest)
        while count > 1 and font.getlength(rest[:count]) > width:
            count -= 1
        if count < len(rest) and (blank := rest.rfind(" ", count // 2, count + 1)) > 0:
            count = blank
        lines.append(rest[:count].strip())
        rest = rest[count:].strip()
    return lines


def fit_text(text: str, style: Style, width: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The text in at most `style.lines` lines: full size first, smaller next, an ellipsis last."""
    directory = str(settings.FONT_DIR)
    for size in range(style.size, style.smallest - 1, -2):
        font = _font(directory, style.weight, size)
        lines = wrap_text(text, font, width)
        if len(lines) <= style.lines:
            return lines, font
    font = _font(directory, style.weight, style.smallest)
    lines = wrap_text(text, font, width)[: style.lines]
    last = lines[-1]
    while last and font.getlength(f"{last}…") > width:
        last = last[:-1]
    return [*lines[:-1], f"{last}…"], font


class Canvas:
    """The picture in the making; remembers where each text was put."""

    def __init__(self, ground: Colour) -> None:
        self.image = Image.new("RGB", (WIDTH, HEIGHT), ground)
        self.draw = ImageDraw.Draw(self.image)
        self.boxes: list[tuple[str, Box]] = []

    def write(self, text: str, style: Style, *, top: int, width: int, centre: int = WIDTH // 2) -> int:
        """Centred lines from `top` down; returns where the next thing may start."""
        if not text.strip():
            return top
        lines, font = fit_text(text, style, width)
        step = round(font.size * style.spacing)
        for line in lines:
            left = round(centre - font.getlength(line) / 2)
            self.draw.text(
                (left, top + (step - font.size) // 2), line, font=font, fill=style.colour, anchor="lt"
            )
            box = self.draw.textbbox((left, top + (step - font.size) // 2), line, font=font, anchor="lt")
            self.boxes.append((line, (round(box[0]), round(box[1]), round(box[2]), round(box[3]))))
            top += step
        return top

    def rounded(self, box: Box, radius: int, fill: Colour) -> None:
        """A rounded rectangle with soft edges (drawn at four times the size)."""
        width, height = box[2] - box[0], box[3] - box[1]
        mask = Image.new("L", (width * 2, height * 2), 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, width * 2 - 1, height * 2 - 1), radius * 2, fill=255)
        self.image.paste(Image.new("RGB", (width, height), fill), box[:2], mask.resize((width, height)))

    def disc(self, centre: tuple[int, int], radius: int, fill: Colour) -> None:
        mask = Image.new("L", (radius * 4, radius * 4), 0)
        ImageDraw.Draw(mask).ellipse((0, 0, radius * 4 - 1, radius * 4 - 1), fill=255)
        disc = Image.new("RGB", (radius * 2, radius * 2), fill)
        self.image.paste(
            disc, (centre[0] - radius, centre[1] - radius), mask.resize((radius * 2, radius * 2))
        )


@functools.lru_cache(maxsize=32)
def draw_poster(texts: PosterTexts) -> Poster:
    """The finished poster. Raises OSError when the fonts (npm packages) are not installed."""
    parsed = ImageColor.getrgb(texts.colour)
    brand = readable_on_white((parsed[0], parsed[1], parsed[2]))
    canvas = Canvas(_PAPER)
    _draw_ground(canvas, brand)
    _draw_head(canvas, texts, brand)
    _draw_card(canvas, texts, brand)
    _draw_foot(canvas, texts, brand)
    out = io.BytesIO()
    canvas.image.quantize(255, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return Poster(out.getvalue(), tuple(canvas.boxes))


def _draw_ground(canvas: Canvas, brand: Colour) -> None:
    """The upper half in the brand colour with two quiet circles, ending in a slow curve."""
    canvas.draw.rectangle((0, 0, WIDTH, 1000), fill=brand)
    canvas.disc((WIDTH - 60, 120), 380, mix(brand, (255, 255, 255), 0.05))
    canvas.disc((30, 760), 300, mix(brand, (0, 0, 0), 0.07))
    canvas.draw.rectangle((0, 1000, WIDTH, HEIGHT), fill=_PAPER)
    curve = Image.new("L", (WIDTH * 2, 400), 255)
    ImageDraw.Draw(curve).ellipse((-1500, -3800, WIDTH * 2 + 1500, 398), fill=0)
    canvas.image.paste(Image.new("RGB", (WIDTH, 200), _PAPER), (0, 800), curve.resize((WIDTH, 200)))


def _draw_head(canvas: Canvas, texts: PosterTexts, brand: Colour) -> None:
    soft = mix(brand, (255, 255, 255), 0.78)
    top = 128
    logo = _open_logo(texts.logo_path)
    if logo is not None:
        canvas.image.paste(logo, ((WIDTH - logo.width) // 2, 84), logo)
        top = 84 + logo.height + 8
    top = canvas.write(
        texts.brand, Style("medium", 46, 30, (255, 255, 255)), top=top, width=WIDTH - 2 * _MARGIN
    )
    canvas.draw.rectangle((WIDTH // 2 - 28, top + 26, WIDTH // 2 + 28, top + 29), fill=soft)
    top = canvas.write(texts.heading, Style("regular", 38, 28, soft), top=top + 74, width=WIDTH - 2 * _MARGIN)
    name = Style("bold", 124, 56, (255, 255, 255), lines=2, spacing=1.25)
    canvas.write(texts.guide_name, name, top=top + 14, width=WIDTH - 2 * _MARGIN)


def _open_logo(path: str) -> Image.Image | None:
    if not path:
        return None
    try:
        with Image.open(path) as picture:
            logo = picture.convert("RGBA")
    except OSError:
        # A moved file must not take the posters away; the brand's name stands there anyway.
        logger.warning("assistant.logo_unreadable")
        return None
    logo.thumbnail((120, 120), Image.Resampling.LANCZOS)
    return logo


def _draw_card(canvas: Canvas, texts: PosterTexts, brand: Colour) -> None:
    left, top, right, bottom = _CARD
    for spread, share in ((18, 0.03), (10, 0.05), (4, 0.08)):
        ground = mix(_PAPER, (0, 0, 0), share)
        canvas.rounded((left + 8, bottom - 120, right - 8, bottom + spread), 48, ground)
    canvas.rounded(_CARD, 48, (255, 255, 255))
    code = qr.draw_image(texts.qr_content, size=_QR_SIZE)
    canvas.image.paste(code, ((WIDTH - code.width) // 2, top + 48 + (_QR_SIZE - code.width) // 2))
    line = canvas.write(
        texts.hint, Style("bold", 44, 30, brand), top=top + 48 + _QR_SIZE + 14, width=right - left - 96
    )
    invitation = Style("regular", 32, 26, _QUIET_INK, lines=2)
    canvas.write(texts.invitation, invitation, top=line + 6, width=right - left - 120)


def _draw_foot(canvas: Canvas, texts: PosterTexts, brand: Colour) -> None:
    width = WIDTH - 2 * _MARGIN
    top = canvas.write(texts.store_name, Style("bold", 52, 34, _INK, lines=2), top=1572, width=width)
    top = canvas.write(texts.address, Style("regular", 34, 28, _QUIET_INK, lines=2), top=top + 8, width=width)
    canvas.write(texts.phone, Style("regular", 34, 28, _QUIET_INK), top=top + 4, width=width)
    canvas.draw.rectangle((0, HEIGHT - 14, WIDTH, HEIGHT), fill=brand)
