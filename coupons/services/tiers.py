"""Whose tier a template asks for."""

import datetime as dt

from coupons.models import CouponBatch
from members import selectors as member_selectors


def find_asked_tier(*, batch_id: int, member_id: int, at: dt.datetime) -> int | None:
    """Her tier where the batch's template is for tiers, else None without looking: most templates are for everybody."""
    tiers = CouponBatch.objects.filter(pk=batch_id).values_list("template__tier_ids", flat=True).first()
    if not tiers:
        return None
    tier = member_selectors.list_member_tiers([member_id], at).get(member_id)
    return None if tier is None else tier.id
