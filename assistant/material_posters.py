"""A material's poster: its first picture, its title, and the QR of the guide's own link. 1080 × 1920."""

import dataclasses
import functools
import hashlib
import io
import logging
from typing import Final

from django.core.files.storage import default_storage
from PIL import Image, ImageColor, ImageOps

from assistant import qr
from assistant.posters import HEIGHT, WIDTH, Canvas, Colour, Style, mix, readable_on_white

logger = logging.getLogger(__name__)

_LAYOUT: Final = "1"  # part of the fingerprint: raise it when the drawing changes
_PICTURE: Final = 1_180  # how far down it goes
_QR_SIZE: Final = 360
_MARGIN: Final = 72
_INK: Final = (32, 36, 34)
_QUIET_INK: Final = (98, 104, 100)
_PAPER: Final = (250, 248, 244)


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialPosterTexts:
    """All that it says. `picture`: its name in the storage; empty for a material of words only."""

    brand: str
    colour: str  # "#rrggbb"
    picture: str
    title: str
    brief: str
    guide_name: str
    store_name: str
    hint: str
    link: str

    @property
    def fingerprint(self) -> str:
        parts = "\0".join((_LAYOUT, *dataclasses.astuple(self)))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]


@functools.lru_cache(maxsize=32)
def draw_material_poster(texts: MaterialPosterTexts) -> bytes:
    """The finished poster as JPEG. Raises OSError when the fonts (npm packages) are not installed."""
    parsed = ImageColor.getrgb(texts.colour)
    brand = readable_on_white((parsed[0], parsed[1], parsed[2]))
    canvas = Canvas(_PAPER)
    _draw_picture(canvas, texts, brand)
    _draw_title(canvas, texts)
    _draw_foot(canvas, texts, brand)
    out = io.BytesIO()
    canvas.image.save(out, "JPEG", quality=90, optimize=True)
    return out.getvalue()


def _draw_picture(canvas: Canvas, texts: MaterialPosterTexts, brand: Colour) -> None:
    """The picture from edge to edge, or a ground in the brand's colour where there is none."""
    picture = _open(texts.picture)
    if picture is None:
        canvas.draw.rectangle((0, 0, WIDTH, _PICTURE), fill=brand)
        canvas.disc((WIDTH - 60, 160), 400, mix(brand, (255, 255, 255), 0.06))
        canvas.disc((60, 980), 320, mix(brand, (0, 0, 0), 0.07))
        style = Style("bold", 92, 56, (255, 255, 255), lines=4, spacing=1.4)
        canvas.write(texts.title, style, top=380, width=WIDTH - 4 * _MARGIN)
    else:
        canvas.image.paste(
            ImageOps.fit(picture, (WIDTH, _PICTURE), Image.Resampling.LANCZOS, centering=(0.5, 0.35))
        )
    pill = (_MARGIN, 64, _MARGIN + 300, 64 + 72)
    canvas.rounded(pill, 36, (255, 255, 255))
    words = Style("medium", 32, 22, brand)
    canvas.write(texts.brand, words, top=64 + 14, width=260, centre=_MARGIN + 150)


def _open(name: str) -> Image.Image | None:
    if not name:
        return None
    try:
        with default_storage.open(name) as file, Image.open(file) as picture:
            return picture.convert("RGB")
    except OSError:
        # A moved file must not take the poster away; its title stands there anyway.
        logger.warning("assistant.material_picture_unreadable")
        return None


def _draw_title(canvas: Canvas, texts: MaterialPosterTexts) -> None:
    width = WIDTH - 2 * _MARGIN
    top = canvas.write(
        texts.title, Style("bold", 62, 44, _INK, lines=2, spacing=1.3), top=_PICTURE + 44, width=width
    )
    canvas.write(texts.brief, Style("regular", 36, 30, _QUIET_INK, lines=2), top=top + 8, width=width)


def _draw_foot(canvas: Canvas, texts: MaterialPosterTexts, brand: Colour) -> None:
    """The code at the left, whose it is at the right."""
    top = HEIGHT - _QR_SIZE - 56
    box = (_MARGIN - 12, top - 12, _MARGIN + _QR_SIZE + 12, top + _QR_SIZE + 12)
    canvas.rounded(box, 28, (255, 255, 255))
    code = qr.draw_image(texts.link, size=_QR_SIZE)
    inset = (_QR_SIZE - code.width) // 2
    canvas.image.paste(code, (_MARGIN + inset, top + inset))
    left = _MARGIN + _QR_SIZE + 48
    width, centre = WIDTH - left - _MARGIN, (left + WIDTH - _MARGIN) // 2
    line = canvas.write(
        texts.guide_name, Style("bold", 60, 40, _INK), top=top + 44, width=width, centre=centre
    )
    line = canvas.write(
        texts.store_name,
        Style("regular", 36, 28, _QUIET_INK, lines=2),
        top=line + 4,
        width=width,
        centre=centre,
    )
    canvas.write(texts.hint, Style("medium", 38, 28, brand), top=line + 24, width=width, centre=centre)
    canvas.draw.rectangle((0, HEIGHT - 14, WIDTH, HEIGHT), fill=brand)
