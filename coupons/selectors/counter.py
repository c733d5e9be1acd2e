"""Coupons on the counter of a store: whose is it, may it be used, and what was redeemed here."""

import datetime as dt
import functools
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum

from core import clock
from core.compiled import Compiled, Given, compiled
from coupons.contracts import (
    CounterCheck,
    CouponCheck,
    RedemptionContext,
    StoreDay,
    StoreRedemption,
    StoreRedemptionPage,
)
from coupons.errors import NoSuchCoupon, NoSuchRedemption
from coupons.models import Coupon, Redemption
from coupons.selectors.checks import reasons_of
from coupons.selectors.coupons import coupon_card_of, fetched, redemption_card_of
from coupons.selectors.templates import template_card_of
from coupons.selectors.typed_codes import possible_codes
from members import selectors as member_selectors

CHANNEL: Final = "store"
_PAGE: Final = 100


def find_typed_code(text: str) -> str | None:
    """The code of the coupon that was meant; None when there is none, or more than one."""
    readings = possible_codes(text)
    found = Coupon.objects.filter(code__in=readings).values_list("code", flat=True) if readings else ()
    known = list(found[:2])
    return known[0] if len(known) == 1 else None


def check_at_counter(
    *,
    code: str,
    store_id: int,
    amount_fen: int | None = None,
    quantity: int | None = None,
    at: dt.datetime | None = None,
) -> CounterCheck:
    """The coupon with all that stands against its use in this store now, and its owner, whom the screen masks.
    Amount and quantity are judged when they are known. Raises NoSuchCoupon."""
    at = at or clock.now()
    coupon = fetched().filter(code=code.replace("\0", "")[:17]).first()
    if coupon is None:
        raise NoSuchCoupon
    tier = member_selectors.list_member_tiers([coupon.member_id], at).get(coupon.member_id)
    context = RedemptionContext(
        at=at,
        store_id=store_id,
        channel=CHANNEL,
        tier_id=0 if tier is None else tier.id,
        amount_fen=amount_fen,
        quantity=quantity,
    )
    return CounterCheck(
        check=CouponCheck(coupon_card_of(coupon, at), reasons_of(coupon, context)),
        owner=member_selectors.get_member_card(coupon.member_id),
        tier_id=0 if tier is None else tier.id,
        tier_name="" if tier is None else tier.name,
    )


def list_store_redemptions(
    store_id: int,
    *,
    day: dt.date,
    guide_id: int | None = None,
    cursor: int | None = None,
    limit: int = 20,
    at: dt.datetime | None = None,
) -> StoreRedemptionPage:
    """What the store redeemed on a Shanghai day, by guides and tills alike, newest first; with `guide_id` what she
    redeemed there. A till that was offline tells later what it redeemed earlier: the hour of the till counts."""
    at = at or clock.now()
    limit = max(1, min(limit, _PAGE))
    rows = _on_day(store_id, day).select_related("coupon__batch__template")
    if guide_id is not None:
        rows = rows.filter(redeemed_by_guide_id=guide_id)
    if cursor is not None:
        rows = _after(rows, cursor)
    found = list(rows.order_by("-redeemed_at", "-pk")[: limit + 1])
    lines = tuple(_line(row, at) for row in found[:limit])
    return StoreRedemptionPage(lines, lines[-1].redemption.id if len(found) > limit else None)


def access_store_redemption(
    *, store_id: int, redemption_id: int, at: dt.datetime | None = None
) -> StoreRedemption:
    """One of this store. Raises NoSuchRedemption for an unknown one and for another store's alike."""
    rows = Redemption.objects.select_related("coupon__batch__template")
    row = rows.filter(pk=redemption_id, store_id=store_id).first()
    if row is None:
        raise NoSuchRedemption
    return _line(row, at or clock.now())


def sum_store_day(store_id: int, *, day: dt.date, guide_id: int | None = None) -> StoreDay:
    """The numbers of the day."""
    start, end = clock.day_bounds(day)
    sums = _sums(is_of_guide=guide_id is not None)
    found = sums.first(store_id=store_id, start=start, end=end, guide_id=guide_id)
    return StoreDay(*(found or (0, 0, 0)))


@functools.cache
def _sums(*, is_of_guide: bool) -> Compiled[tuple[int, int, int]]:
    def sums(
        *, store_id: Given, start: Given, end: Given, guide_id: Given
    ) -> QuerySet[Redemption, tuple[int, int, int]]:
        rows = _between(store_id, start, end).filter(reversed_at__isnull=True)
        if is_of_guide:
            rows = rows.filter(redeemed_by_guide_id=guide_id)
        summed = (
            rows.order_by()
            .values("store_id")
            .annotate(count=Count("pk"), discount=Sum("discount_fen"), sales=Sum("amount_fen"))
        )
        return summed.values_list("count", "discount", "sales")

    return compiled(sums)


def _on_day(store_id: int, day: dt.date) -> QuerySet[Redemption]:
    return _between(store_id, *clock.day_bounds(day))


def _between(store_id: Any, start: Any, end: Any) -> QuerySet[Redemption]:
    return Redemption.objects.filter(store_id=store_id, redeemed_at__gte=start, redeemed_at__lt=end)


def _after(rows: QuerySet[Redemption], cursor: int) -> QuerySet[Redemption]:
    """What is older than the row that the last stretch ended with; nothing when it is none of these."""
    at = rows.filter(pk=cursor).values_list("redeemed_at", flat=True).first()
    return (
        rows.none() if at is None else rows.filter(Q(redeemed_at__lt=at) | Q(redeemed_at=at, pk__lt=cursor))
    )


def _line(row: Redemption, at: dt.datetime) -> StoreRedemption:
    is_today = clock.business_day(row.recorded_at) == clock.business_day(at)
    return StoreRedemption(
        redemption=redemption_card_of(row),
        template=template_card_of(row.coupon.batch.template),
        member_id=row.coupon.member_id,
        guide_id=row.redeemed_by_guide_id,
        reversal_reason=row.reversal_reason,
        may_undo=row.reversed_at is None and is_today,
    )
