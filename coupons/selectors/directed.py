"""What a guide gives by hand: a directed issue with its answers, and all she ever gave."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise

from core import clock
from core.compiled import Given, compiled
from core.errors import Refusal, Unavailable
from coupons import errors
from coupons.contracts import (
    DirectedIssueCard,
    DirectedLine,
    GivenCoupon,
    GivenPage,
    GivenSummary,
    IssuedCoupon,
    WhyNot,
)
from coupons.models import Coupon, CouponBatch, CouponState, DirectedIssue, Redemption
from coupons.selectors.batches import batch_card_of
from coupons.selectors.coupons import coupon_card_of, fetched, in_state, redemption_card_of
from coupons.selectors.templates import template_card_of
from members import selectors as member_selectors
from members.errors import NoSuchMember

_PAGE: Final = 100
_REFUSALS: Final[tuple[type[Refusal], ...]] = (*errors.OF_OUTCOME.values(), NoSuchMember, Unavailable)
_WORDS: Final[Mapping[str, str | Promise]] = {refusal.code: refusal.sentence for refusal in _REFUSALS}
# What head office may mend, the next period brings back, or was only the moment's trouble.
_PASSING: Final = frozenset(
    refusal.code
    for refusal in (
        errors.BatchPaused,
        errors.BatchNotStarted,
        errors.BatchSoldOut,
        errors.BudgetSpent,
        errors.GuideQuotaSpent,
        errors.OverDailyLimit,
        Unavailable,
    )
)


def directed_key(public_id: str) -> str:
    """The request key under which a directed issue asks for the coupons of its members."""
    return f"directed:{public_id}"


def directed_card_of(row: DirectedIssue) -> DirectedIssueCard:
    """The answer, member by member, from the coupons there are; `row` fetched with batch and template."""
    keys = {member_id: f"{member_id}:{directed_key(row.public_id)}" for member_id in row.member_ids}
    found = Coupon.objects.filter(batch_id=row.batch_id, request_key__in=keys.values())
    coupons = {coupon.request_key: coupon for coupon in found}
    return DirectedIssueCard(
        public_id=row.public_id,
        batch=batch_card_of(row.batch),
        template=template_card_of(row.batch.template),
        asked_at=row.asked_at,
        lines=tuple(
            _line(member_id, coupons.get(key), row.refused.get(str(member_id), ""))
            for member_id, key in keys.items()
        ),
    )


def _line(member_id: int, coupon: Coupon | None, reason: str) -> DirectedLine:
    if coupon is not None:
        issued = IssuedCoupon(coupon.pk, coupon.code, coupon.valid_from, coupon.valid_until, False)
        return DirectedLine(member_id, issued)
    why_not = WhyNot(reason, str(_WORDS.get(reason, Refusal.sentence)))
    return DirectedLine(member_id, None, why_not, reason in _PASSING)


def access_directed_issue(*, guide_id: int, public_id: str) -> DirectedIssueCard:
    """One of her own. Raises NoSuchJob for an unknown one and for another guide's alike."""
    rows = DirectedIssue.objects.select_related("batch__template").filter(guide_id=guide_id)
    row = rows.filter(public_id=public_id.replace("\0", "")[:17]).first()
    if row is None:
        raise errors.NoSuchJob
    return directed_card_of(row)


def foresee_directed_issue(
    *, batch_id: int, member_ids: Iterable[int], at: dt.datetime | None = None
) -> dict[int, WhyNot]:
    """Who of them would be refused a coupon of the batch now by her own limits or her tier, and why.

    Said before the guide confirms; `issue_directed` judges again, and holds quota and budget. Raises NoSuchBatch.
    """
    at, ids = at or clock.now(), list(member_ids)
    batch = CouponBatch.objects.select_related("template").filter(pk=batch_id).first()
    if batch is None:
        raise errors.NoSuchBatch
    today = clock.day_bounds(clock.business_day(at))[0]
    rows = Coupon.objects.filter(received_by__in=ids, batch_id=batch_id).values("received_by")
    had = {
        row["received_by"]: (row["total"], row["today"])
        for row in rows.annotate(total=Count("pk"), today=Count("pk", filter=Q(issued_at__gte=today)))
    }
    tiers = member_selectors.list_member_tiers(ids, at) if batch.template.tier_ids else {}
    found: dict[int, WhyNot] = {}
    for member_id in ids:
        tier = tiers.get(member_id)
        refusal = _foreseen(batch, *had.get(member_id, (0, 0)), None if tier is None else tier.id)
        if refusal is not None:
            found[member_id] = WhyNot(refusal.code, str(refusal.sentence))
    return found


def _foreseen(batch: CouponBatch, total: int, today: int, tier_id: int | None) -> type[Refusal] | None:
    if batch.template.tier_ids and tier_id not in batch.template.tier_ids:
        return errors.WrongTier
    if batch.member_limit is not None and total >= batch.member_limit:
        return errors.OverMemberLimit
    if batch.member_daily_limit is not None and today >= batch.member_daily_limit:
        return errors.OverDailyLimit
    return None


def list_given_coupons(
    guide_id: int,
    *,
    state: str = "",
    received_by: Sequence[QuerySet[Any, int]] = (),
    cursor: int | None = None,
    limit: int = 20,
    at: dt.datetime | None = None,
) -> GivenPage:
    """The coupons she gave, by hand or face to face, newest first. `state` as in `list_member_coupons`;
    `received_by` narrows to those in any of these to whom she gave them."""
    at = at or clock.now()
    limit = max(1, min(limit, _PAGE))
    rows = fetched().filter(in_state(state, at), issued_by_guide_id=guide_id).order_by("-pk")
    if received_by:
        rows = rows.filter(reduce(or_, (Q(received_by__in=ids) for ids in received_by)))
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor)
    found = list(rows[: limit + 1])
    shown = found[:limit]
    uses = {
        use.coupon_id: redemption_card_of(use)
        for use in Redemption.objects.select_related("coupon").filter(
            coupon__in=[row.pk for row in shown if row.state == CouponState.REDEEMED],
            reversed_at__isnull=True,
        )
    }
    lines = tuple(GivenCoupon(coupon_card_of(row, at), row.received_by, uses.get(row.pk)) for row in shown)
    return GivenPage(lines, lines[-1].coupon.id if len(found) > limit else None)


def sum_given_coupons(guide_id: int, *, since: dt.datetime) -> GivenSummary:
    """How many she gave since then, and how many of these were used."""
    return GivenSummary(*(_given.first(guide_id=guide_id, since=since) or (0, 0)))


@compiled
def _given(*, guide_id: Given, since: Given) -> QuerySet[Coupon, tuple[int, int]]:
    given = Coupon.objects.filter(issued_by_guide_id=guide_id, issued_at__gte=since)
    counted = (
        given.order_by()
        .values("issued_by_guide_id")
        .annotate(given=Count("pk"), used=Count("pk", filter=Q(state=CouponState.REDEEMED)))
    )
    return counted.values_list("given", "used")
