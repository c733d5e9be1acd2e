"""A till's basket priced with coupons as they are on rows: what pricing is asked with, and who may not take part."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from core import clock, codes
from core.errors import Refusal
from coupons import errors
from coupons.contracts import BarredCoupon, PointsTerms, PricedOrder, Purchase, RedemptionContext, WhyNot
from coupons.models import Coupon, CouponState
from coupons.selectors.checks import find_refusal, reasons_of
from coupons.selectors.coupons import CODE_LENGTH, fetched
from coupons.selectors.orders import find_points_terms, holder_tiers, pricing_terms_of
from coupons.selectors.templates import template_card_of
from coupons.services.pricing import price_basket
from coupons.services.pricing_input import MOST_COUPONS
from members import selectors as member_selectors
from members.errors import NoSuchMember

_UNKNOWN: Final = WhyNot(errors.NoSuchCoupon.code, str(errors.NoSuchCoupon.sentence))


def price_order(
    *,
    purchase: Purchase,
    codes_given: Sequence[str] = (),
    chosen: Sequence[str] | None = None,
    lock_key: str = "",
    at: dt.datetime | None = None,
) -> PricedOrder:
    """The best price of this purchase with these coupons, or with those chosen of them. Reads only.

    Candidates are the given codes, or without any the member's own usable coupons, at most fifty, those that expire
    first. A candidate that cannot be used here and now is told with its reasons; of a choice it is a refusal that
    names it. Points are priced when the member is known and the chain takes points.
    """
    at = at or clock.now()
    purchase = living(purchase=purchase)
    wanted = [usable_code(code=code) for code in (*codes_given, *(chosen or ()))]
    wanted = list(dict.fromkeys(wanted))
    if len(wanted) > MOST_COUPONS:
        raise errors.TooManyCoupons(most=MOST_COUPONS)
    rows = _candidates(purchase, wanted, at)
    tiers = holder_tiers(rows)
    open_rows, barred = [], []
    for row in rows:
        context = context_of(purchase=purchase, coupon=row, tiers=tiers, at=at, lock_key=lock_key)
        if chosen is not None:
            refuse_barred(coupon=row, context=context)
        if reasons := reasons_of(row, context):
            is_hers = purchase.member_id in {None, row.member_id}
            card = template_card_of(row.batch.template) if is_hers else None
            barred.append(BarredCoupon(row.code, card, reasons))
        else:
            open_rows.append(row)
    found = {row.code for row in rows}
    unknown = [code for code in wanted if code not in found]
    if chosen is not None and unknown:
        raise errors.NoSuchCoupon(coupon=unknown[0])
    basket = price_basket(
        lines=purchase.lines,
        coupons=[pricing_terms_of(row) for row in open_rows],
        points=points_of(purchase=purchase),
        chosen=None if chosen is None else [usable_code(code=code) for code in chosen],
        use_points=purchase.use_points,
    )
    return PricedOrder(basket, (*barred, *(BarredCoupon(code, None, (_UNKNOWN,)) for code in unknown)))


def living(*, purchase: Purchase) -> Purchase:
    """The purchase of the row in which its member lives on since a merge. Raises NoSuchMember for nobody's."""
    if purchase.member_id is None:
        return purchase
    target = member_selectors.list_merge_targets([purchase.member_id]).get(purchase.member_id)
    if target is None:
        raise NoSuchMember
    values = {name: getattr(purchase, name) for name in Purchase.__slots__}
    return Purchase(**(values | {"member_id": target}))


def usable_code(*, code: str) -> str:
    """The code as it stands on its row; what cannot be one stays as it came and is found nowhere."""
    return codes.normalize(code[:40])


def points_of(*, purchase: Purchase) -> PointsTerms | None:
    """What points may pay of this purchase. Refuses points of nobody, and where the chain takes none."""
    if purchase.member_id is None:
        if purchase.use_points:
            raise errors.MemberMissing(field="use_points")
        return None
    terms = find_points_terms(purchase.member_id)
    if terms is None and purchase.use_points:
        raise errors.PointsClosed
    return terms


def context_of(
    *,
    purchase: Purchase,
    coupon: Coupon,
    tiers: Mapping[int, int],
    at: dt.datetime,
    lock_key: str = "",
    amount_fen: int | None = None,
) -> RedemptionContext:
    """Where and when the coupon is to be used. Thresholds of goods are pricing's, but where only a sum is known."""
    wants_tier = bool(coupon.batch.template.tier_ids)
    return RedemptionContext(
        at=at,
        store_id=purchase.store_id,
        channel=purchase.channel,
        tier_id=tiers.get(coupon.member_id, 0) if wants_tier else None,
        member_id=purchase.member_id,
        amount_fen=amount_fen,
        lock_key=lock_key,
    )


def refuse_barred(*, coupon: Coupon, context: RedemptionContext) -> None:
    """Raise the gravest reason against using the coupon; its details name the coupon."""
    if (refusal := find_refusal(coupon, context)) is not None:
        raise _named(refusal, coupon)


def _named(refusal: type[Refusal], coupon: Coupon) -> Refusal:
    return refusal(coupon=coupon.code)


def _candidates(purchase: Purchase, wanted: Sequence[str], at: dt.datetime) -> list[Coupon]:
    if wanted:
        usable = [code for code in wanted if codes.is_code(code, CODE_LENGTH)]
        return list(fetched().filter(code__in=usable).order_by("pk"))
    if purchase.member_id is None:
        return []
    hers = fetched().filter(member_id=purchase.member_id).exclude(state=CouponState.GIFTING)
    return list(hers.redeemable(at).order_by("valid_until", "pk")[:MOST_COUPONS])
