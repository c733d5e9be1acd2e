"""Staff's pages of `campaigns`."""

from campaigns.admin import mapping, mass, policy, reaches, texts, words

__all__ = ["mapping", "mass", "policy", "reaches", "texts", "words"]
