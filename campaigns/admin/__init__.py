"""Staff's pages of `campaigns`."""

from campaigns.admin import mapping, policy, reaches, words

__all__ = ["mapping", "policy", "reaches", "words"]
