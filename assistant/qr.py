"""QR codes, drawn by us: error level Q (a quarter may be dirty or torn), quiet zone of four modules."""

import functools
import io
from typing import Final

import segno
from django.utils.safestring import SafeString, mark_safe
from PIL import Image

ERROR_LEVEL: Final = "q"
QUIET_ZONE: Final = 4  # modules, ISO/IEC 18004


def _make(content: str) -> segno.QRCode:
    return segno.make_qr(content, error=ERROR_LEVEL, boost_error=False)


@functools.lru_cache(maxsize=256)
def draw_svg(content: str, *, label: str) -> SafeString:
    """An `<svg>` for a page, black on white in dark mode too, as scanners expect; `label` is its title."""
    text = _make(content).svg_inline(
        border=QUIET_ZONE,
        omitsize=True,
        title=label,
        svgclass="qr",
        lineclass=None,
        dark="#000",
        light="#fff",
    )
    # segno escapes the title; the rest are numbers.
    return mark_safe(text)  # noqa: S308


def draw_image(content: str, *, size: int) -> Image.Image:
    """A square image of at most `size` pixels, quiet zone included, with whole pixels per module."""
    code = _make(content)
    modules = code.symbol_size(border=QUIET_ZONE)[0]
    out = io.BytesIO()
    code.save(out, kind="png", scale=max(1, size // modules), border=QUIET_ZONE)
    out.seek(0)
    return Image.open(out).convert("RGB")


def draw_png(content: str, *, size: int = 960) -> bytes:
    """The same as a PNG file, for download and print."""
    out = io.BytesIO()
    draw_image(content, size=size).convert("1").save(out, "PNG", optimize=True)
    return out.getvalue()
