"""Pictures of codes are read back by an independent reader."""

import random
import re

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from core.barcodes import code128_svg, modules_of, qr_svg, svg_uri

_STEP = re.compile(r"([MmHh])([-\d. ]*)")


def read(picture: Image.Image) -> tuple[str, str]:
    [found] = zxingcpp.read_barcodes(picture)
    return found.format.name, found.text


def rendered_bars(svg: str, scale: int = 3) -> Image.Image:
    """The bars of our own SVG as pixels."""
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert box is not None
    picture = Image.new("L", (int(box[1]) * scale, int(box[2]) * scale), 255)
    draw = ImageDraw.Draw(picture)
    bars = svg.rpartition('<path d="')[2]
    for left, width, height in re.findall(r"M(\d+) 0h(\d+)v(\d+)h-\d+z", bars):
        x, y = int(left) * scale, int(height) * scale
        draw.rectangle((x, 0, x + int(width) * scale - 1, y - 1), fill=0)
    return picture


def rendered_rows(svg: str, scale: int = 6) -> Image.Image:
    """A QR code of horizontal strokes, one module high, as pixels."""
    path = re.search(r'stroke="#000"[^>]*d="([^"]+)"|d="([^"]+)"[^>]*stroke="#000"', svg)
    line = path or re.search(r'class="qrline"[^>]*d="([^"]+)"', svg)
    assert line is not None, svg[:400]
    picture = Image.new("L", (60 * scale, 60 * scale), 255)
    draw = ImageDraw.Draw(picture)
    x = y = 0.0
    for step, numbers in _STEP.findall(next(group for group in line.groups() if group)):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if step == "M":
            x, y = values
        elif step == "m":
            x, y = x + values[0], y + values[1]
        else:
            top = (y - 0.5) * scale
            draw.rectangle((x * scale, top, (x + values[0]) * scale - 1, top + scale - 1), fill=0)
            x += values[0]
    return picture


@pytest.mark.parametrize(
    "text", ["81402816402816402816", "00", "12345", "Code-128 abc", "~ !", "7K2QH4TBNW9CAYM2", "9" * 40]
)
def test_code_128_is_read_back(text: str) -> None:
    assert read(rendered_bars(code128_svg(text))) == ("Code128", text)


def test_code_128_of_many_random_codes_is_read_back() -> None:
    chance = random.Random(128)
    for _ in range(30):
        text = f"81{chance.randrange(10**18):018d}"
        assert read(rendered_bars(code128_svg(text)))[1] == text


def test_twenty_digits_take_a_symbol_for_each_pair() -> None:
    # Start, ten pairs and the check are eleven modules each, the stop thirteen, ten of quiet on both sides.
    assert len(modules_of("81402816402816402816")) == 12 * 11 + 13 + 20


@pytest.mark.parametrize("text", ["", "券", "a\n", "\x7f"])
def test_what_it_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        modules_of(text)


def test_a_qr_code_is_read_back_and_fits_an_image_element() -> None:
    svg = qr_svg("81402816402816402816")
    assert read(rendered_rows(svg)) == ("QRCode", "81402816402816402816")
    assert svg.count("xmlns=") == 1
    assert svg_uri(svg).startswith("data:image/svg+xml;base64,")
