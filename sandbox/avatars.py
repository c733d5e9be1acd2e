"""Pictures for invented people: the last characters of the name on a colour of their own."""

import re
from html import escape
from zlib import crc32

COLOURS = ("#5b8def", "#e2725b", "#3fa796", "#b07cc6", "#d99a2b", "#5c9e4a", "#d4668f", "#4f8a9e")


def draw_avatar(name: str, seed: str) -> str:
    """Return an SVG, the same for the same name and seed."""
    colour = COLOURS[crc32(seed.encode()) % len(COLOURS)]
    plain = re.split(r"[（(]", name)[0].strip() or name
    text = escape(plain[:2].upper() if plain.isascii() else plain[-2:])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 96 96">'
        f'<rect width="96" height="96" rx="12" fill="{colour}"/>'
        '<text x="48" y="49" fill="#fff" font-size="34" text-anchor="middle" dominant-baseline="central" '
        f'font-family="PingFang SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif">{text}</text></svg>'
    )
