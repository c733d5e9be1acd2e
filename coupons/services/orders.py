"""The coupons of one order are used together: priced, every fen on its line, in one transaction.

It joins an outer transaction, so that whoever records a sale redeems its coupons with it. The locks: the member (when
points pay), the coupons in pk order, then what is new; the counters' rows last.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock, events
from core.actor import Actor
from core.constraints import violated
from core.errors import Refusal
from coupons import errors
from coupons.contracts import (
    BasketLine,
    CouponShare,
    CouponTerms,
    OrderCard,
    PricedBasket,
    PricedLine,
    PricedPoints,
    Purchase,
    ToldCoupon,
)
from coupons.events import CouponRedeemed
from coupons.models import WHOLE_LINE, Coupon, CouponOrder, Redemption
from coupons.selectors.orders import holder_tiers, new_order_card, order_card_of, pricing_terms_of
from coupons.selectors.templates import most_off_fen, terms_of
from coupons.services.booking import book_order
from coupons.services.history import free_lapsed_lock, lock_by_codes
from coupons.services.issuing import usable_request_key
from coupons.services.order_pricing import context_of, living, points_of, refuse_barred, usable_code
from coupons.services.pricing import price_basket
from coupons.services.pricing_choice import check_choice
from coupons.services.pricing_input import MOST_COUPONS
from coupons.services.pricing_terms import lines_in_scope
from coupons.services.redeeming import MOST_FEN, check_amount, check_place, usable_moment
from members import services as member_services

_ONCE: Final = "couponorder_once_per_request"
_NUMBER: Final = "couponorder_one_live_per_number"
_Decided = tuple[PricedBasket, Mapping[str, tuple[str, ...]]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    """One request, with all that is written on its row."""

    purchase: Purchase
    request_id: str
    digest: str
    moment: dt.datetime
    at: dt.datetime
    actor: Actor


def redeem_order(
    *,
    purchase: Purchase,
    codes: Sequence[str],
    request_id: str,
    lock_key: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> OrderCard:
    """All these coupons are used for this purchase, priced together; points pay where the purchase says so. The same
    `request_id` again gets the first answer.

    Refuses, each with its own code and the coupon it is about: whatever `check_coupon` would list, a combination
    that is not allowed, a coupon that would take nothing off, a price that is not the one the till expects, an order
    number of this store that is in use, points that she has not, and a `request_id` that meant another redemption.
    """
    at = at or clock.now()
    purchase = living(purchase=purchase)
    wanted = _usable_codes(codes, may_be_none=purchase.use_points)
    asked = _guard(purchase, request_id, (*wanted, *map(repr, purchase.lines)), actor, at)

    def decide(coupons: Sequence[Coupon]) -> _Decided:
        _admit(asked, coupons, lock_key)
        terms = [pricing_terms_of(coupon) for coupon in coupons]
        basket = price_basket(
            lines=purchase.lines,
            coupons=terms,
            points=points_of(purchase=purchase),
            chosen=wanted,
            use_points=purchase.use_points,
        )
        if purchase.payable_fen not in {None, basket.payable_fen}:
            raise errors.PriceChanged(payable_fen=basket.payable_fen)
        return basket, _scopes(purchase.lines, terms)

    return _redeem(asked, wanted, decide)


def redeem_told_order(
    *,
    purchase: Purchase,
    amount_fen: int,
    told: Sequence[ToldCoupon],
    request_id: str,
    lock_key: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> OrderCard:
    """As `redeem_order`, for a till that took coupons off by itself and tells only the sum (`purchase.lines` are not
    read): the order has one line, `all`. What it took off is believed up to what each coupon can give."""
    at = at or clock.now()
    purchase = living(purchase=purchase)
    check_amount(field="amount_fen", fen=amount_fen, most=MOST_FEN)
    by_code = {usable_code(code=one.code): one.discount_fen for one in told}
    wanted = _usable_codes([one.code for one in told])
    for fen in by_code.values():
        check_amount(field="discount_fen", fen=fen, most=amount_fen)
    if sum(by_code.values()) > amount_fen:
        raise errors.AmountUnusable(field="discount_fen")
    parts = (str(amount_fen), *(f"{code}={by_code[code]}" for code in wanted))
    asked = _guard(purchase, request_id, parts, actor, at)

    def decide(coupons: Sequence[Coupon]) -> _Decided:
        _admit(asked, coupons, lock_key, amount_fen)
        check_choice(coupons=[pricing_terms_of(coupon) for coupon in coupons], bars={})
        for coupon in coupons:
            if by_code[coupon.code] > most_off_fen(terms_of(coupon.batch.template), amount_fen):
                raise errors.AmountUnusable(field="discount_fen", coupon=coupon.code)
        basket = one_line_basket(amount_fen=amount_fen, off_fen=by_code)
        return basket, dict.fromkeys(by_code, (WHOLE_LINE,))

    return _redeem(asked, wanted, decide)


def one_line_basket(*, amount_fen: int, off_fen: Mapping[str, int]) -> PricedBasket:
    """An order of which only the sum is known: one line, which all coupons worked on."""
    shares = tuple(CouponShare(code, fen) for code, fen in sorted(off_fen.items()) if fen)
    discount = sum(off_fen.values())
    payable = amount_fen - discount
    line = PricedLine(WHOLE_LINE, 1, amount_fen, shares, 0, 0, payable)
    return PricedBasket((line,), (), PricedPoints(), amount_fen, discount, payable, 0)


def _redeem(
    asked: _Asked, wanted: Sequence[str], decide: Callable[[Sequence[Coupon]], _Decided]
) -> OrderCard:
    """Lock, decide, write. Whether the request is a repeat is asked only where something is in the way: what it did
    the first time always is."""
    try:
        with transaction.atomic():
            coupons = _lock(asked.purchase, wanted)
            try:
                basket, scopes = decide(coupons)
            except Refusal:
                if (first := _first_answer(asked)) is not None:
                    return first
                raise
            return _write(asked, coupons, basket, scopes)
    except IntegrityError as error:
        # Two came at once, or the coupons are free again, or there were none. The other transaction has ended.
        name = violated(error)
        if name not in {_ONCE, _NUMBER, "redemption_once_per_request"}:
            raise
        if (first := _first_answer(asked)) is not None:
            return first
        raise (errors.OrderNumberTaken if name == _NUMBER else errors.RequestReused) from None


def _usable_codes(given: Sequence[str], *, may_be_none: bool = False) -> list[str]:
    wanted = [usable_code(code=code) for code in given]
    if not wanted and not may_be_none:
        raise errors.NothingToRedeem
    if len(wanted) > MOST_COUPONS:
        raise errors.TooManyCoupons(most=MOST_COUPONS)
    if len(set(wanted)) != len(wanted):
        raise errors.DuplicateCoupon
    return sorted(wanted)


def _guard(
    purchase: Purchase, request_id: str, parts: Sequence[str], actor: Actor, at: dt.datetime
) -> _Asked:
    usable_request_key(key=request_id)
    check_place(order_no=purchase.order_no, till=purchase.till, channel=purchase.channel)
    moment = usable_moment(redeemed_at=purchase.redeemed_at, at=at)
    names = (
        purchase.store_id, purchase.order_no.strip(), purchase.channel, purchase.member_id, purchase.use_points,
    )  # fmt: skip
    digest = hashlib.sha256("\n".join([*map(repr, names), *parts]).encode()).hexdigest()
    return _Asked(purchase, request_id, digest, moment, at, actor)


def _lock(purchase: Purchase, wanted: Sequence[str]) -> list[Coupon]:
    """The member when points pay, then the coupons; refuses a code that nobody has."""
    if purchase.use_points:
        if purchase.member_id is None:
            raise errors.MemberMissing(field="use_points")
        member_services.lock_member(purchase.member_id)
    coupons = lock_by_codes(codes=wanted)
    missing = sorted(set(wanted) - {coupon.code for coupon in coupons})
    if missing:
        raise errors.NoSuchCoupon(coupon=missing[0])
    return coupons


def _first_answer(asked: _Asked) -> OrderCard | None:
    """The answer to the same request. Raises RequestReused when its key came with another one."""
    order = CouponOrder.objects.filter(request_id=asked.request_id).first()
    if order is None:
        return None
    if order.request_digest != asked.digest:
        raise errors.RequestReused
    return order_card_of(order)


def _admit(asked: _Asked, coupons: Sequence[Coupon], lock_key: str, amount_fen: int | None = None) -> None:
    purchase = asked.purchase
    tiers = holder_tiers(coupons)
    for coupon in coupons:
        free_lapsed_lock(coupon=coupon, at=asked.at, actor=asked.actor)
        context = context_of(
            purchase=purchase,
            coupon=coupon,
            tiers=tiers,
            at=asked.moment,
            lock_key=lock_key,
            amount_fen=amount_fen,
        )
        refuse_barred(coupon=coupon, context=context)


def _scopes(lines: Sequence[BasketLine], terms: Sequence[CouponTerms]) -> dict[str, tuple[str, ...]]:
    return {one.key: tuple(line.key for line in lines_in_scope(coupon=one, lines=lines)) for one in terms}


def _write(
    asked: _Asked, coupons: Sequence[Coupon], basket: PricedBasket, scopes: Mapping[str, tuple[str, ...]]
) -> OrderCard:
    purchase, actor, at = asked.purchase, asked.actor, asked.at
    order = CouponOrder(
        request_id=asked.request_id,
        request_digest=asked.digest,
        store_id=purchase.store_id,
        member_id=purchase.member_id,
        order_no=purchase.order_no.strip(),
        amount_fen=basket.original_fen,
        discount_fen=basket.discount_fen,
        points=basket.points.points,
        points_fen=basket.points.off_fen,
        payable_fen=basket.payable_fen,
        redeemed_at=asked.moment,
    )
    rows = _book(asked, order, coupons, basket, scopes)
    if order.points:
        member_services.debit_points(
            member_id=order.member_id or 0,
            points=order.points,
            source_key=order.source_key,
            reason=_("订单 %(order)s 抵扣") % {"order": order.order_no},
            actor=actor,
            at=at,
        )
    return new_order_card(order, basket, rows)


def _book(
    asked: _Asked,
    order: CouponOrder,
    coupons: Sequence[Coupon],
    basket: PricedBasket,
    scopes: Mapping[str, Sequence[str]],
) -> list[Redemption]:
    """The order with its lines is stored, with a redemption of each coupon and its share of every line it counted for."""
    purchase = asked.purchase
    amounts = {line.key: line.amount_fen for line in basket.lines}
    shares = {coupon.code: shares_of(basket=basket, code=coupon.code) for coupon in coupons}
    rows = [
        Redemption(
            coupon=coupon,
            request_id=f"{order.public_id}-{number}",
            store_id=order.store_id,
            redeemed_by_guide_id=purchase.guide_id,
            till=purchase.till,
            channel=purchase.channel,
            order_no=order.order_no,
            amount_fen=sum(amounts[key] for key in scopes[coupon.code]),
            discount_fen=sum(shares[coupon.code].values()),
            redeemed_at=asked.moment,
            recorded_at=asked.at,
        )
        for number, coupon in enumerate(coupons)
    ]
    book_order(
        order=order,
        lines=basket.lines,
        products={one.key: one.product for one in purchase.lines},
        rows=rows,
        shares=[
            (coupon.pk, key, shares[coupon.code].get(key, 0))
            for coupon in coupons
            for key in scopes[coupon.code]
        ],
        actor=asked.actor,
    )
    audit.record_each(
        action="coupons.redeemed",
        subjects=[(row, {"coupon_id": row.coupon_id}) for row in rows],
        actor=asked.actor,
        at=asked.at,
    )
    for row in rows:
        events.publish(CouponRedeemed(row.coupon_id, row.pk))
    return rows


def shares_of(*, basket: PricedBasket, code: str) -> dict[str, int]:
    """What one coupon took off, by line."""
    return {
        line.key: share.discount_fen
        for line in basket.lines
        for share in line.coupon_shares
        if share.coupon_key == code
    }
