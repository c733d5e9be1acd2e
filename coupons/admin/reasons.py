"""Codes of refusals as the sentences they stand for."""

from core import file_errors
from core.errors import sentences_in
from coupons import errors

_SENTENCES = sentences_in(errors, file_errors)


def reason_words(code: str) -> str:
    """The sentence of one of our refusals; a foreign code as it is."""
    return str(_SENTENCES.get(code, code))
