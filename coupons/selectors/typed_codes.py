"""What a person typed when she read a coupon's code: forgiving where the check character can tell what was meant."""

import itertools
import unicodedata
from collections.abc import Iterator
from typing import Final

from core import codes

CODE_LENGTH: Final = 16
_LONGEST: Final = 60
_MOST_READINGS: Final = 64
# Signs that no code has, and what they may have been.
_FOREIGN: Final = {"0": "DQ", "O": "DQ", "1": "7JT", "I": "7JT", "L": "7JT", "U": "V", "Z": "2"}
# Signs of codes that are taken for one another.
_ALIKE: Final = ("5S", "8B", "6G", "DQ", "VY", "MN", "EF", "PR", "CG", "7T")


def clean_code(text: str) -> str:
    """Letters and digits alone, upper case; full-width ones of a Chinese keyboard as well."""
    narrow = unicodedata.normalize("NFKC", text.replace("\0", "")[:_LONGEST]).upper()
    return "".join(character for character in narrow if character.isalnum())


def possible_codes(text: str) -> tuple[str, ...]:
    """The well-formed codes that may have been meant, the typed one alone when it is one. Which of them exists, the
    database says: that a wrong reading exists has a chance of one in 10^21."""
    typed = clean_code(text)
    if len(typed) != CODE_LENGTH:
        return ()
    if codes.is_code(typed, CODE_LENGTH):
        return (typed,)
    readings = _translated(typed) if any(sign in _FOREIGN for sign in typed) else _one_other(typed)
    return tuple(dict.fromkeys(code for code in readings if codes.is_code(code, CODE_LENGTH)))


def _translated(typed: str) -> Iterator[str]:
    choices = [_FOREIGN.get(sign, sign) for sign in typed]
    return map("".join, itertools.islice(itertools.product(*choices), _MOST_READINGS))


def _one_other(typed: str) -> Iterator[str]:
    for place, sign in enumerate(typed):
        for other in {other for pair in _ALIKE if sign in pair for other in pair if other != sign}:
            yield typed[:place] + other + typed[place + 1 :]
