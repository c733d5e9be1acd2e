"""Texts as other people's machines count and show them."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

ELLIPSIS: Final = "…"
_UNSHOWN: Final = re.compile(r"[\x00-\x1f\x7f\u200b\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]+")
_JOINER: Final = "\u200d"


def clean(text: str) -> str:
    """One line, without characters that do not show."""
    return " ".join(_UNSHOWN.sub(" ", text).split())


def clusters(text: str) -> Iterator[str]:
    """The text in pieces that people see as one character: emoji with their joiners, tones and flags, letters with their
    marks."""
    piece = ""
    for char in text:
        if piece and not _continues(piece, char):
            yield piece
            piece = ""
        piece += char
    if piece:
        yield piece


def _continues(piece: str, char: str) -> bool:
    if char == _JOINER or piece[-1] == _JOINER or (_is_flag_half(char) and _is_odd_flag(piece)):
        return True
    code = ord(char)
    is_mark = unicodedata.category(char) in ("Mn", "Me", "Mc")  # variation selectors are Mn
    return is_mark or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F


def _is_flag_half(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _is_odd_flag(piece: str) -> bool:
    return len(piece) == 1 and _is_flag_half(piece)


def width(text: str) -> int:
    """Characters as the strictest reading of a limit counts them: UTF-16 units, an emoji is two or more."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int, *, ending: str = ELLIPSIS) -> str:
    """The text, or as much of it as fits the limit with the ending."""
    if width(text) <= limit:
        return text
    kept, room = "", limit - width(ending)
    for piece in clusters(text):
        if width(kept) + width(piece) > room:
            break
        kept += piece
    return kept.rstrip() + ending
