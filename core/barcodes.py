"""Codes as pictures: QR for cameras, Code 128 (ISO/IEC 15417) for tills that read with a laser.

Code 128 is written out here, as far as we print it: ASCII text, digits in pairs as one symbol each (set C), all else in
set B. A reader needs ten modules of quiet on both sides, and gets them.
"""

import base64
import itertools
from typing import Final

import segno

# Widths of bar, space, bar, space, bar, space for the values 0 to 105, then the stop with its last bar.
_SYMBOLS: Final = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122"
    "123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323"
    "131123131321112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131"
    "213113213311213131311123311321331121312113312311332111314111221411431111111224111422121124121421141122"
    "141221112214112412122114122411142112142211241211221114413111241112134111111242121142121241114212124112"
    "124211411212421112421211212141214121412121111143111341131141114113114311411113411311113141114131311141"
    "411131211412211214211232"
)
_WIDTHS: Final = (*(_SYMBOLS[at : at + 6] for at in range(0, len(_SYMBOLS), 6)), "2331112")
_START_B: Final = 104
_START_C: Final = 105
_STOP: Final = 106
_QUIET: Final = 10


def modules_of(text: str) -> str:
    """The bars as a row of 1 (dark) and 0, with the quiet zones. Raises ValueError for what it cannot hold."""
    if not text or any(not " " <= sign <= "~" for sign in text):
        raise ValueError("Code 128 takes printable ASCII")
    if text.isdecimal() and len(text) % 2 == 0:
        values = [_START_C, *(int(text[at : at + 2]) for at in range(0, len(text), 2))]
    else:
        values = [_START_B, *(ord(sign) - 32 for sign in text)]
    check = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
    widths = "".join(_WIDTHS[value] for value in (*values, check, _STOP))
    bars = "".join(sign * int(width) for sign, width in zip(itertools.cycle("10"), widths, strict=False))
    return f"{'0' * _QUIET}{bars}{'0' * _QUIET}"


def code128_svg(text: str, *, height: int = 60) -> str:
    """The bars as an SVG, one unit a module, on white: a screen in dark mode is read as well."""
    modules = modules_of(text)
    bars, at = [], 0
    for sign, run in itertools.groupby(modules):
        width = len(list(run))
        if sign == "1":
            bars.append(f"M{at} 0h{width}v{height}h-{width}z")
        at += width
    size = f'viewBox="0 0 {len(modules)} {height}" width="{2 * len(modules)}" height="{2 * height}"'
    ground = f'<path fill="#fff" d="M0 0h{len(modules)}v{height}h-{len(modules)}z"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} shape-rendering="crispEdges">'
        f'{ground}<path d="{"".join(bars)}"/></svg>'
    )


def qr_svg(text: str) -> str:
    """The text as a QR code in SVG, dark on white, with its quiet zone."""
    made = segno.make(text, error="m", micro=False)
    picture: str = made.svg_inline(scale=8, border=4, light="#fff")
    return picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def svg_uri(svg: str) -> str:
    """The picture as a text that an image element takes as its source."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
