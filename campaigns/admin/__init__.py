"""Staff's pages of `campaigns`."""

from campaigns.admin import mapping, mass, policy, reaches, segments, texts, words

__all__ = ["mapping", "mass", "policy", "reaches", "segments", "texts", "words"]
