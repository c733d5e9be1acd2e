"""Acts performed: for many members at once, once for each key."""

from campaigns.services.acts.performing import lock_targets, perform

__all__ = ["lock_targets", "perform"]
