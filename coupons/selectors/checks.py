"""Why a coupon cannot be used: all reasons at once, for the till's screen; the first of them is the refusal."""

import datetime as dt
from collections.abc import Iterator, Sequence

from core import clock
from core.errors import Refusal
from coupons import errors
from coupons.contracts import CouponStateName, RedemptionContext, TemplateTerms, WhyNot
from coupons.models import Coupon, CouponState
from coupons.selectors.templates import terms_of
from guides import selectors as guide_selectors

_DAY_MINUTES = 24 * 60


def state_at(coupon: Coupon, at: dt.datetime) -> CouponStateName:
    """What the row counts for: a lock that is over is none, and the last day counts before the job comes by."""
    state = coupon.state
    if state == CouponState.LOCKED and coupon.locked_until is not None and coupon.locked_until <= at:
        state = CouponState.ISSUED
    if state in {CouponState.ISSUED, CouponState.GIFTING} and coupon.valid_until <= at:
        state = CouponState.EXPIRED
    return state  # type: ignore[return-value]


def refusals_of(coupon: Coupon, context: RedemptionContext) -> tuple[type[Refusal], ...]:
    """Every reason against using the coupon (fetched with batch and template) there and then, the gravest first."""
    return tuple(_refusals(coupon, terms_of(coupon.batch.template), context))


def find_refusal(coupon: Coupon, context: RedemptionContext) -> type[Refusal] | None:
    """The gravest reason alone: where the coupon's state speaks against it, nothing else is asked."""
    return next(_refusals(coupon, terms_of(coupon.batch.template), context), None)


def reasons_of(coupon: Coupon, context: RedemptionContext) -> tuple[WhyNot, ...]:
    """The same in words."""
    return tuple(WhyNot(refusal.code, str(refusal.sentence)) for refusal in refusals_of(coupon, context))


def _refusals(coupon: Coupon, terms: TemplateTerms, context: RedemptionContext) -> Iterator[type[Refusal]]:
    if context.member_id is not None and coupon.member_id != context.member_id:
        yield errors.NoSuchCoupon
        return
    yield from _state_refusals(coupon, context)
    if coupon.batch.has_partner_codes:
        yield errors.PartnerCoupon
    if context.store_id is not None and not fits_store(terms, context.store_id):
        yield errors.WrongStore
    if context.channel is not None and terms.channels and context.channel not in terms.channels:
        yield errors.WrongChannel
    if context.tier_id is not None and terms.tier_ids and context.tier_id not in terms.tier_ids:
        yield errors.WrongTier
    if not fits_time(terms.weekdays, terms.hours, context.at):
        yield errors.WrongTime
    if context.amount_fen is not None and context.amount_fen < terms.min_spend_fen:
        yield errors.BelowMinimumSpend
    if context.quantity is not None and context.quantity < terms.min_quantity:
        yield errors.BelowMinimumQuantity


def _state_refusals(coupon: Coupon, context: RedemptionContext) -> Iterator[type[Refusal]]:
    state = state_at(coupon, context.at)
    if state == "locked":
        if coupon.lock_key != context.lock_key:
            yield errors.CouponLocked
    elif state != "issued":
        yield {
            CouponState.REDEEMED.value: errors.CouponRedeemed,
            CouponState.EXPIRED.value: errors.CouponExpired,
            CouponState.VOIDED.value: errors.CouponVoided,
            CouponState.GIFTING.value: errors.CouponGifting,
        }[state]
    if context.at < coupon.valid_from:
        yield errors.NotYetValid


def fits_store(terms: TemplateTerms, store_id: int) -> bool:
    """Whether the store is named, lies in a named region or below, or is a named dealer's. Raises NotFound."""
    place = guide_selectors.get_store_place(store_id)
    if not (terms.store_ids or terms.region_ids or terms.dealer_ids):
        return True
    return (
        store_id in terms.store_ids
        or not set(place.region_ids).isdisjoint(terms.region_ids)
        or place.dealer_id in terms.dealer_ids
    )


def fits_time(weekdays: Sequence[int], hours: Sequence[str], at: dt.datetime) -> bool:
    """Whether a Shanghai moment lies in the windows. A span across midnight belongs to the day it starts on."""
    local = at.astimezone(clock.SHANGHAI)
    minute = local.hour * 60 + local.minute
    today, yesterday = local.weekday(), (local.weekday() - 1) % 7
    days = set(weekdays) or set(range(7))
    if not hours:
        return today in days
    for span in hours:
        start, end = (int(clock_text[:2]) * 60 + int(clock_text[3:]) for clock_text in span.split("-"))
        end = end if end > start else end + _DAY_MINUTES
        if (today in days and start <= minute < end) or (
            yesterday in days and start <= minute + _DAY_MINUTES < end
        ):
            return True
    return False
