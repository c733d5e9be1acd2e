"""Staff's pages of `campaigns`."""

from campaigns.admin import policy, reaches, words

__all__ = ["policy", "reaches", "words"]
