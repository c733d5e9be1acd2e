"""The coupons an order names: redeemed with it, taken back when a correction drops them or all its goods come back.

Runs inside the transaction that changed the sale. The goods are sold, so what a coupon refuses is noted on the order.
"""

import datetime as dt
import itertools
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core.actor import Actor
from core.errors import Refusal
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.errors import CouponRedeemed
from coupons.services import Order
from sales.contracts import OrderDocument
from sales.models import Sale, SaleCoupon
from sales.services.order_keys import order_key

logger = logging.getLogger(__name__)

PENDING: Final = "pending"
_KNOWN: Final = "known"  # the till had redeemed it for this order
_REDEEMED: Final = "redeemed"
_REVERSED: Final = "reversed"
_STANDING: Final = (_KNOWN, _REDEEMED)


def hold_coupons_of(*, sale_ids: Iterable[int] = (), orders: Sequence[OrderDocument] = ()) -> None:
    """The coupons that these orders name, and those of these sales, are locked together, before the first is moved."""
    codes = {coupon.code for order in orders for coupon in order.coupons}
    if asked := list(sale_ids):
        codes |= set(SaleCoupon.objects.filter(sale_id__any_of=asked).values_list("code", flat=True))
    coupon_services.hold_rows(codes=codes)


def redeem_coupons_of(sale_ids: Sequence[int], *, actor: Actor, at: dt.datetime) -> None:
    """The coupons of these new orders, which are held, are redeemed in the order of the sales, or have the reason why not."""
    if not sale_ids:
        return
    rows = SaleCoupon.objects.filter(sale__in=sale_ids).select_related("sale").order_by("sale_id", "code")
    for sale, coupons in itertools.groupby(rows, key=lambda row: row.sale):
        redeem_coupons(sale=sale, coupons=list(coupons), actor=actor, at=at)


def redeem_coupons(*, sale: Sale, coupons: Sequence[SaleCoupon], actor: Actor, at: dt.datetime) -> None:
    """Each of these coupons of the order is redeemed, or has the reason why not."""
    for coupon in coupons:
        coupon.outcome = _redeem(sale, coupon, actor, at)
        coupon.save(update_fields=["outcome"])


def carry_coupons(*, old: Sale, sale_id: int, actor: Actor, at: dt.datetime) -> None:
    """A correction took the place of the order: coupons it names as before stand as they stood, those it drops or
    changes are taken back."""
    before = SaleCoupon.objects.filter(sale=old, outcome__in=(*_STANDING, _REVERSED)).order_by("code")
    now = {coupon.code: coupon for coupon in SaleCoupon.objects.filter(sale_id=sale_id)}
    for coupon in before:
        again = now.get(coupon.code)
        if again is not None and _told(again) == _told(coupon):
            again.outcome = coupon.outcome
            again.save(update_fields=["outcome"])
        elif coupon.outcome in _STANDING:
            _take_back(old, coupon, actor, at)


def return_coupons(sale: Sale, *, actor: Actor, at: dt.datetime) -> None:
    """Goods of the order are back: its coupons follow, and what it had earned is void when nothing is left of it."""
    is_whole = sale.returned_unit_count == sale.unit_count
    standing = SaleCoupon.objects.filter(sale=sale, outcome__in=_STANDING)
    if not is_whole and not standing.exists():
        return
    key = order_key(sale)
    try:
        with transaction.atomic():
            coupon_services.follow_return(
                store_id=sale.store_id,
                order_no=sale.order_no,
                back_fen=sale.returned_fen,
                sold_fen=sale.amount_fen,
                is_whole=is_whole,
                return_key=f"{key}:back:{sale.returned_unit_count}:{sale.returned_fen}",
                reason=_("退货"),
                source_keys=(key,),
                actor=actor,
                at=at,
            )
    except Refusal as refusal:
        # A till took goods of this order back by itself meanwhile; the coupon knows more than the sale.
        logger.info("sales.coupons_not_returned", extra={"sale": sale.pk, "refusal": refusal.code})
    if is_whole:
        for coupon in standing:
            if not coupon_selectors.is_redeemed_for(code=coupon.code, order_no=sale.order_no):
                coupon.outcome = _REVERSED
                coupon.save(update_fields=["outcome"])


def _redeem(sale: Sale, coupon: SaleCoupon, actor: Actor, at: dt.datetime) -> str:
    order = Order(
        store_id=sale.store_id, order_no=sale.order_no, amount_fen=coupon.amount_fen, discount_fen=coupon.discount_fen,
        channel=sale.channel, guide_id=sale.serving_guide_id,
    )  # fmt: skip
    try:
        with transaction.atomic():
            coupon_services.redeem_coupon(
                code=coupon.code,
                order=order,
                request_id=f"{order_key(sale)}:{coupon.code}:{sale.revision}",
                actor=actor,
                at=at,
            )
    except CouponRedeemed as refusal:
        is_ours = coupon_selectors.is_redeemed_for(code=coupon.code, order_no=sale.order_no)
        return _KNOWN if is_ours else refusal.code
    except Refusal as refusal:
        return refusal.code
    return _REDEEMED


def _take_back(old: Sale, coupon: SaleCoupon, actor: Actor, at: dt.datetime) -> None:
    request_id = coupon_selectors.find_live_redemption(code=coupon.code, order_no=old.order_no)
    if request_id is None:
        return
    try:
        with transaction.atomic():
            coupon_services.reverse_redemption(
                request_id=request_id,
                reversal_key=f"{order_key(old)}:{coupon.code}:{old.revision}",
                reason=_("单据更正"),
                actor=actor,
                at=at,
            )
    except Refusal as refusal:
        # One of several of an order that the till priced: the till takes them back together.
        logger.info("sales.coupon_not_reversed", extra={"sale": old.pk, "refusal": refusal.code})


def _told(coupon: SaleCoupon) -> tuple[str, int, int]:
    return coupon.code, coupon.discount_fen, coupon.amount_fen
