"""Mobile numbers of mainland China: 11 digits that begin with 13 to 19."""

import re
from typing import Final

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_WRITTEN: Final = re.compile(r"(?<![0-9])1[3-9](?:[\s\-]?[0-9]){9}(?![0-9])")
_COUNTRY: Final = re.compile(r"(?:\+|00)?86(?=1[3-9][0-9]{9}$)")


def digits_of(text: str) -> str:
    """The ASCII digits of what was typed, without blanks, dashes and a leading country code.

    Full-width digits count as digits. Anything else stays, so that a name never turns into a number.
    """
    plain = "".join(chr(ord(c) - 0xFEE0) if "０" <= c <= "９" else c for c in text)
    return _COUNTRY.sub("", re.sub(r"[\s\-()]", "", plain))


def is_mobile(digits: str) -> bool:
    """Whether the text is exactly one mobile number."""
    return _MOBILE.fullmatch(digits) is not None


def mask_within(text: str) -> str:
    """The text with every mobile number in it masked: for words that people type beside a choice."""
    return _WRITTEN.sub(lambda found: mask(re.sub(r"[\s\-]", "", found[0])), text)


def mask(digits: str) -> str:
    """138 **** 5678."""
    return f"{digits[:3]} **** {digits[-4:]}"
