"""Codes of refusals as the sentences they stand for."""

from coupons import errors

_SENTENCES = {
    refusal.code: refusal.sentence for refusal in vars(errors).values() if hasattr(refusal, "sentence")
}


def reason_words(code: str) -> str:
    """The sentence of one of our refusals; a foreign code as it is."""
    return str(_SENTENCES.get(code, code))
