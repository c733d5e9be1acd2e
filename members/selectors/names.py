"""Finding sealed names by what people type: part of the name, its pinyin, its initials."""

import functools
import re
from typing import Final

from pypinyin import Style, lazy_pinyin

from core import crypto

_CONTEXT: Final = "members.names"
_UNITS: Final = re.compile(r"[㐀-\U0003fffd]|[^\s㐀-\U0003fffd]+")
_LONGEST: Final = 12  # units of one name that are searchable; the rest of a very long one is not


def name_tokens(name: str) -> list[int]:
    """Keyed hashes of every beginning and every end of the name, in its own letters, in pinyin and in initials.

    小美 is found by 小, 美, 小美, "xiao", "mei", "xiaomei" and "xm". What is stored tells nobody without the key
    more than that two names share a part.
    """
    return crypto.blind_tokens(_words_of(name), context=_CONTEXT)


@functools.lru_cache(maxsize=65_536)
def _words_of(name: str) -> frozenset[str]:
    units = _UNITS.findall(name.lower())[:_LONGEST]
    sounds = [_sound(unit) for unit in units]
    pinyin = [sound for sound, _initial in sounds]
    initials = [initial for _pinyin, initial in sounds]
    return frozenset(_ends(units) | _ends(pinyin) | {word for word in _ends(initials) if len(word) > 1})


@functools.lru_cache(maxsize=16_384)
def _sound(unit: str) -> tuple[str, str]:
    """The pinyin of a unit and its first letter. Units are looked up one by one, so a reading is always the same."""
    initial = lazy_pinyin(unit, style=Style.FIRST_LETTER)[0][:1].lower()
    return lazy_pinyin(unit)[0].lower() if _is_han(unit) else unit, initial


def typed_tokens(query: str) -> list[int]:
    """The hashes of what somebody typed, one for each index key; a name with any of them in `name_tokens` is meant."""
    return crypto.every_blind_token("".join(query.lower().split()), context=_CONTEXT)


def pinyin_of(name: str) -> str:
    """小美 → "xm xiaomei": initials, a blank, the whole in one word; lower case, at most 200 characters.

    For words that are not personal (tags, goods): a name's pinyin is the name.
    """
    if not name:
        return ""
    initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
    return f"{initials} {''.join(lazy_pinyin(name))}".replace("\0", "").lower()[:200]


def _is_han(unit: str) -> bool:
    return unit[0] >= "㐀"


def _ends(parts: list[str]) -> set[str]:
    whole, cut = "".join(parts), 0
    ends = {whole} if parts else set()
    for part in parts[:-1]:
        cut += len(part)
        ends |= {whole[:cut], whole[cut:]}
    return ends
