"""One coupon each for some hundred members, each under a key of her own, in the caller's transaction.

The database function of single coupons is called for one member after the other by one statement, so that limits, quota and
budget are what they are everywhere. What is frozen first and may be a million goes through `coupons.services.bulk`.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from core.actor import Actor
from core.arrays import array_words
from core.codes import new_codes
from coupons.contracts import CouponAsked, CouponGiven
from coupons.errors import OF_OUTCOME, MemberGone
from coupons.models import CouponBatch
from coupons.selectors.coupons import CODE_LENGTH
from coupons.services.issuing import usable_request_key
from members import selectors as member_selectors

# Another bulk issue takes them in the same order; a claim holds one and waits for none.
_SHARDS: Final = "SELECT 1 FROM coupons_couponbatchshard WHERE batch_id = %s ORDER BY shard FOR NO KEY UPDATE"
_ISSUE: Final = """
SELECT given.place, issued.outcome, issued.coupon_id
FROM (
    SELECT * FROM unnest(%(members)s::bigint[], %(keys)s::text[], %(codes)s::text[], %(tiers)s::bigint[]) WITH ORDINALITY
        AS asked (member_id, request_key, code, tier_id, place)
    ORDER BY member_id, place
) given
CROSS JOIN LATERAL coupons_issue(
    %(batch)s, given.member_id, given.request_key, 'system', given.code, NULL::bigint, NULL::bigint, '', given.tier_id,
    %(at)s::timestamptz) issued
"""


def issue_each(
    *, batch_id: int, asked: Sequence[CouponAsked], actor: Actor, at: dt.datetime
) -> list[CouponGiven]:
    """Each of these living members, whom the caller's transaction has locked, has one coupon of the batch for her key, as far
    as limits, quota, budget and tiers allow; what became of each, in order. The same key again gets the first coupon. Nobody
    is told: whoever gives announces it. One batch a transaction, for the counters stay locked until it ends.
    """
    for one in asked:
        usable_request_key(key=one.request_key)
    row = CouponBatch.objects.select_related("template").filter(pk=batch_id).first()
    tiers = {}
    if row is not None and row.template.tier_ids:
        tiers = member_selectors.list_member_tiers({one.member_id for one in asked}, at)
    values: dict[str, Any] = {
        "batch": batch_id,
        "members": array_words(one.member_id for one in asked),
        "keys": array_words(one.request_key for one in asked),
        "codes": array_words(new_codes(len(asked), CODE_LENGTH)),
        "tiers": array_words(tiers[one.member_id].id if one.member_id in tiers else None for one in asked),
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SHARDS, [batch_id])
        cursor.execute(_ISSUE, values)
        told = {place - 1: (outcome, coupon_id) for place, outcome, coupon_id in cursor.fetchall()}
    return [_given(*told[place]) for place in range(len(asked))]


def _given(outcome: str, coupon_id: int | None) -> CouponGiven:
    if outcome in {"issued", "repeated"}:
        return CouponGiven(coupon_id)
    if outcome in {"no_member", "merged"}:
        return CouponGiven(None, MemberGone.code)
    return CouponGiven(None, OF_OUTCOME[outcome].code, outcome in {"paused", "draft", "not_started"})
