"""Coupons for a purchase: whoever records sales tells what was bought, and what is left of it after returns.

The order's key is the occasion's key. Who tells of an order, or of goods that came back, holds the order's row: so a
coupon is either withdrawn by the return, or the return is seen before it is noted.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import clock
from core.actor import Actor
from coupons.contracts import BoughtFact
from coupons.errors import PurchaseReturned
from coupons.models import (
    Coupon,
    CouponState,
    IssueState,
    Occasion,
    StandingIssue,
    StandingRound,
    StandingRule,
    Withdrawal,
)
from coupons.selectors.standing import condition_sql
from coupons.services.closing import hold_counters, void_locked
from guides import selectors as guide_selectors

_UNUSED: Final = (CouponState.ISSUED, CouponState.LOCKED, CouponState.GIFTING)
_NOTE: Final = """
INSERT INTO coupons_standingissue (rule_id, member_id, occasion_key, state, reason, noted_at, withdrawal)
SELECT %s, found.member_id, found.occasion_key, 'waiting', '', %s, ''
FROM unnest(%s::bigint[], %s::text[]) found (member_id, occasion_key)
WHERE {conditions} ORDER BY 2, 3
ON CONFLICT (rule_id, member_id, occasion_key) DO NOTHING RETURNING member_id
"""


def note_purchases(*, bought: Sequence[BoughtFact], at: dt.datetime | None = None) -> set[int]:
    """Running rules for purchases owe their coupon to whoever bought these; the members of new occasions. They are
    given by `meet_occasions` or the job. The caller holds the orders' rows, inside its transaction."""
    at = at or clock.now()
    named = [fact for fact in bought if fact.member_id is not None]
    if not named:
        return set()
    return {member_id for rule in _running(at) for member_id in _note(rule, named, at)}


def withdraw_purchase_gifts(*, bought: Sequence[BoughtFact], actor: Actor, at: dt.datetime) -> int:
    """Goods came back, or an order was corrected: what rules gave for these orders is void where it is not earned any
    more and nobody has used it; what was used is left to her, and noted. How many were withdrawn.

    Inside the caller's transaction, which holds the members and the orders.
    """
    facts = {fact.key: fact for fact in bought}
    rows = [
        row
        for row in StandingIssue.objects.filter(
            occasion_key__in=facts, occasion_key__startswith="sale:", withdrawal=""
        )
        .exclude(state=IssueState.REFUSED)
        .select_related("rule")
        .lock_rows()
        if not _is_earned(row, facts[row.occasion_key])
    ]
    held = {row.coupon_id: row for row in rows if row.state == IssueState.GIVEN}
    for row in rows:
        if row.state == IssueState.WAITING:
            # In a round her coupon may be on its way: `settle_rounds` finds and voids it.
            row.state, row.reason, row.settled_at = IssueState.REFUSED, PurchaseReturned.code, at
            row.save(update_fields=["state", "reason", "settled_at"])
    unused = _void([pk for pk in held if pk is not None], actor, at)
    for coupon_id, row in held.items():
        row.withdrawal = Withdrawal.VOIDED if coupon_id in unused else Withdrawal.KEPT
        row.save(update_fields=["withdrawal"])
    return len(rows)


def void_round_withdrawals(*, round_id: int, actor: Actor, at: dt.datetime) -> int:
    """Of a round in which nobody waits any more: coupons of purchases that came back while they were being issued are
    void; how many."""
    row = StandingRound.objects.select_related("rule").get(pk=round_id)
    members = StandingIssue.objects.filter(
        round=row, state=IssueState.REFUSED, reason=PurchaseReturned.code
    ).values_list("member_id", flat=True)
    coupons = Coupon.objects.filter(
        batch_id=row.rule.batch_id,
        received_by__in=list(members),
        request_key__startswith=f"job:{row.job_id}:",
    )
    with transaction.atomic():
        return len(_void(list(coupons.values_list("pk", flat=True)), actor, at))


def _earns(rule: StandingRule, fact: BoughtFact) -> bool:
    """Whether what is left of the order is what the rule asks for."""
    left = fact.left_fen
    if rule.category_codes:
        left = sum(fact.left_by_category.get(code, 0) for code in set(rule.category_codes))
    return left > 0 and left >= rule.least_fen


def _running(at: dt.datetime) -> Iterable[StandingRule]:
    return StandingRule.objects.running(at).filter(occasion=Occasion.PURCHASE).order_by("pk")


def _note(rule: StandingRule, bought: Sequence[BoughtFact], at: dt.datetime) -> list[int]:
    # A till's clock tells whole seconds: what was sold in the second of the switch counts.
    since = max(one for one in (rule.switched_on_at, rule.starts_at) if one is not None).replace(
        microsecond=0
    )
    stores = _stores(rule)
    due = [
        (fact.member_id, fact.key)
        for fact in bought
        if fact.sold_at >= since
        and (rule.ends_at is None or fact.sold_at < rule.ends_at)
        and (fact.is_first or not rule.is_first_only)
        and (stores is None or fact.store_id in stores)
        and _earns(rule, fact)
    ]
    if not due:
        return []
    conditions, values = condition_sql(rule)
    asked: list[Any] = [rule.pk, at, [one[0] for one in due], [one[1] for one in due], *values]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE.format(conditions=conditions), asked)
        return [member_id for (member_id,) in cursor.fetchall()]


def _stores(rule: StandingRule) -> frozenset[int] | None:
    """The stores whose sales count; None: all."""
    if not rule.store_ids and not rule.region_ids:
        return None
    return guide_selectors.stores_within(store_ids=rule.store_ids, region_ids=rule.region_ids)


def _is_earned(row: StandingIssue, fact: BoughtFact) -> bool:
    """Who had the order and has it no more has earned nothing with it."""
    return row.member_id == fact.member_id and _earns(row.rule, fact)


def _void(coupon_ids: list[int], actor: Actor, at: dt.datetime) -> set[int]:
    """Those of these that nobody has used are void; which."""
    rows = Coupon.objects.filter(pk__in=coupon_ids).lock_rows()
    unused = [row.pk for row in rows if row.state in _UNUSED]
    if unused:
        hold_counters(coupon_ids=unused)
        void_locked(coupon_ids=unused, reason=_("赠券的订单已退货"), actor=actor, at=at)
    return {row.pk for row in rows if row.state in _UNUSED or row.state == CouponState.VOIDED}
