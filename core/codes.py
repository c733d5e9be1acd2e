"""Short random codes that people read aloud and scanners read fast.

The alphabet has no 0 O 1 I L U (nothing to confuse, no rude words by accident). The last character is a
check character: a weighted sum over the alphabet's prime-sized ring catches every single wrong character
and every swap of neighbours in the body.
"""

import itertools
import operator
import secrets
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXY"
_RING: Final = len(ALPHABET)  # 29, a prime: every weight below it is invertible
_PLACES: Final = {character: place for place, character in enumerate(ALPHABET)}
# A random byte as a character; the last bytes, which would make some characters likelier, are left out.
_LETTERS: Final = bytes(ord(ALPHABET[byte % _RING]) for byte in range(256))
_UNEVEN: Final = bytes(range(256 - 256 % _RING, 256))


def check_character(body: str) -> str:
    """The check character of a body. Raises ValueError for a foreign character or more than 27."""
    if len(body) > _RING - 2:
        raise ValueError("too long for one check character")
    try:
        total = sum(map(operator.mul, map(_PLACES.__getitem__, body), itertools.count(2)))
    except KeyError:
        raise ValueError("a foreign character") from None
    return ALPHABET[total % _RING]


def new_code(length: int) -> str:
    """A random code of `length` characters, the last of which checks the others."""
    return new_codes(1, length)[0]


def new_codes(count: int, length: int) -> list[str]:
    """So many codes, for lists of people."""
    return [body + check_character(body) for body in _random_texts(count, length - 1)]


def new_public_ids(count: int) -> list[str]:
    """So many ids as of `new_public_id`."""
    return _random_texts(count, 16)


def _random_texts(count: int, length: int) -> list[str]:
    text = _random_text(count * length)
    return [text[start : start + length] for start in range(0, count * length, length)]


def _random_text(length: int) -> str:
    """Characters of the alphabet, all equally likely; many at once, for a million rows need theirs."""
    text = ""
    while len(text) < length:
        text += secrets.token_bytes(length + 8).translate(_LETTERS, _UNEVEN).decode()
    return text[:length]


def normalize(text: str) -> str:
    """What a person typed: blanks and dashes gone, upper case."""
    return text.replace(" ", "").replace("-", "").upper()


def is_code(text: str, length: int) -> bool:
    """Whether the text is a well-formed code of that length; says nothing about whether it exists."""
    if len(text) != length or any(character not in ALPHABET for character in text):
        return False
    return check_character(text[:-1]) == text[-1]


def new_public_id() -> str:
    """The id of a row as seen from outside: 16 random characters, about 77 bits."""
    return _random_text(16)


def new_code_12() -> str:
    """A code of 12 characters, as a column default (migrations may import `core` only)."""
    return new_code(12)


def new_code_14() -> str:
    """A code of 14 characters, as a column default."""
    return new_code(14)
