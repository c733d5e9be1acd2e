"""A guide redeems a coupon at the counter of her store, and takes it back on the same day."""

import datetime as dt
import re
from typing import Final

from core import clock
from core.actor import Actor
from coupons import errors
from coupons.contracts import BasketLine, CouponTerms, RedemptionCard, TemplateTerms
from coupons.selectors.counter import CHANNEL, access_store_redemption, check_at_counter, find_typed_code
from coupons.selectors.typed_codes import clean_code
from coupons.services.issuing import usable_request_key
from coupons.services.pricing import price_basket
from coupons.services.redeeming import MOST_FEN, Order, redeem_coupon, undo_redemption
from coupons.services.showing import PREFIX, read_shown_code
from guides import selectors as guide_selectors

_DIGITS: Final = re.compile(r"[0-9]{20}")
_MEMBER_PREFIX: Final = "80"
# What these take off depends on the goods, which the counter does not know: the guide says it.
_BY_GOODS: Final = frozenset({"exchange", "fixed_price"})


def read_counter_code(*, text: str, request_key: str, actor: Actor, at: dt.datetime | None = None) -> str:
    """The code of the coupon that was scanned or typed. A screen's code of 20 digits is read once; the same
    `request_key` again gets the same answer for ten minutes. A typed code may have blanks, dashes, small letters and
    signs that look alike.

    Refuses nothing at all, a member's code (it is no coupon's), a screen's code that is over, and a code that no
    coupon has.
    """
    typed = clean_code(text)
    if not typed:
        raise errors.NoSuchCoupon(field="code")
    if _DIGITS.fullmatch(typed):
        if typed.startswith(_MEMBER_PREFIX):
            raise errors.MemberCodeShown
        if typed.startswith(PREFIX):
            return read_shown_code(text=typed, request_key=request_key, actor=actor, at=at).code
    code = find_typed_code(text)
    if code is None:
        raise errors.NoSuchCoupon(field="code")
    return code


def discount_at_counter(*, terms: TemplateTerms, amount_fen: int) -> int | None:
    """What the coupon takes off goods in its scope that cost so much; None where it depends on which goods they are.
    Thresholds are not asked for: a check says whether they are reached. A pure function."""
    if terms.kind in _BY_GOODS:
        return None
    if amount_fen <= 0:
        return 0
    coupon = CouponTerms(
        key="coupon",
        name=terms.title,
        kind=terms.kind,
        off_fen=terms.off_fen or 0,
        per_fen=terms.per_fen or 0,
        rate_bp=10_000 if terms.rate_bp is None else terms.rate_bp,
        cap_fen=terms.cap_fen,
        gift_name=terms.gift_name,
        gift_value_fen=terms.gift_value_fen or 0,
    )
    line = BasketLine(key="all", product="", categories=(), amount_fen=amount_fen)
    return price_basket(lines=[line], coupons=[coupon]).discount_fen


def redeem_at_counter(
    *,
    code: str,
    guide_id: int,
    order_no: str,
    amount_fen: int,
    discount_fen: int | None,
    quantity: int | None = None,
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RedemptionCard:
    """The coupon is used for an order in the store where the guide works now. The same `request_key` again gets the
    first answer. With None the discount is what the terms say; the guide may take off less, never more.

    Refuses what `redeem_coupon` refuses, an order of nothing, a coupon used for no discount (but for a gift), and
    None where the discount depends on the goods.
    """
    at = at or clock.now()
    usable_request_key(key=request_key)
    guide = guide_selectors.get_guide_card(guide_id)
    if not guide.is_active:
        raise errors.WrongStore
    if not 0 < amount_fen <= MOST_FEN:
        raise errors.AmountUnusable(field="amount")
    found = check_at_counter(code=code, store_id=guide.store.id, at=at)
    terms = found.check.coupon.template.terms
    most_fen = discount_at_counter(terms=terms, amount_fen=amount_fen)
    if discount_fen is None:
        discount_fen = most_fen
    if discount_fen is None or (discount_fen <= 0 and terms.kind != "gift" and found.check.is_usable):
        raise errors.DiscountMissing(field="discount")
    if most_fen is not None and discount_fen > most_fen:
        raise errors.DiscountTooHigh(field="discount")
    return redeem_coupon(
        code=code,
        order=Order(
            store_id=guide.store.id,
            order_no=order_no,
            amount_fen=amount_fen,
            discount_fen=discount_fen,
            channel=CHANNEL,
            quantity=(quantity or 0) if terms.min_quantity else quantity,
            tier_id=found.tier_id,
            guide_id=guide.id,
        ),
        request_id=counter_request_id(guide_id=guide_id, request_key=request_key),
        actor=actor,
        at=at,
    )


def undo_at_counter(
    *,
    redemption_id: int,
    guide_id: int,
    reason: str,
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> RedemptionCard:
    """The redemption is taken back, on the day it was made and by a guide of the same store, whoever made it. The
    same `request_key` again gets the first answer. Refuses what `undo_redemption` refuses, and another store's
    redemption as an unknown one."""
    at = at or clock.now()
    usable_request_key(key=request_key)
    store_id = guide_selectors.get_guide_card(guide_id).store.id
    found = access_store_redemption(store_id=store_id, redemption_id=redemption_id, at=at)
    return undo_redemption(
        request_id=found.redemption.request_id,
        reversal_key=counter_request_id(guide_id=guide_id, request_key=request_key),
        reason=reason,
        store_id=store_id,
        actor=actor,
        at=at,
    )


def counter_request_id(*, guide_id: int, request_key: str) -> str:
    """A page's key among those of all tills: two guides' keys are two."""
    return f"guide:{guide_id}:{request_key}"
