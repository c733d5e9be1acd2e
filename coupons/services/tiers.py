"""Whose tier a template asks for."""

import datetime as dt
from collections.abc import Sequence

from members import selectors as member_selectors


def find_asked_tier(*, tier_ids: Sequence[int], member_id: int, at: dt.datetime) -> int | None:
    """Her tier where the template is for tiers (`tier_ids`), else None without looking: most are for everybody."""
    if not tier_ids:
        return None
    tier = member_selectors.list_member_tiers([member_id], at).get(member_id)
    return None if tier is None else tier.id
