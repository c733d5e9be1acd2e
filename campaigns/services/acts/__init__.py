"""Acts performed: for many members at once, once for each key."""

from campaigns.services.acts.performing import perform

__all__ = ["perform"]
