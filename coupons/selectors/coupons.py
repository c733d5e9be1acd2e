"""Coupons as members, guides and tills see them."""

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from core import clock, codes
from core.compiled import Compiled, Given, compiled, ids_of
from core.labels import labels_of
from coupons.contracts import (
    CouponCard,
    CouponCheck,
    CouponPage,
    RedemptionCard,
    RedemptionContext,
    TemplateCard,
)
from coupons.errors import NoSuchCoupon, NoSuchRedemption
from coupons.models import Coupon, CouponBatch, CouponState, Gifting, Redemption
from coupons.models.coupons import CouponQuerySet
from coupons.selectors.checks import reasons_of, state_at
from coupons.selectors.templates import template_card_of

CODE_LENGTH = 16
_PAGE = 100
_LAST_ID = 2**63 - 1


def coupon_card_of(coupon: Coupon, at: dt.datetime) -> CouponCard:
    """What may be shown of a coupon fetched with its batch and template."""
    return _cards([(coupon, template_card_of(coupon.batch.template))], at)[0]


def coupon_cards_of(coupons: Sequence[Coupon], at: dt.datetime) -> tuple[CouponCard, ...]:
    """The same of many that were fetched alone, in one query: they come from few batches, and a template is long.
    Of those that have their batch already, in none."""
    batch: Any = Coupon._meta.get_field("batch")
    if all(batch.is_cached(coupon) for coupon in coupons):
        return _cards([(coupon, template_card_of(coupon.batch.template)) for coupon in coupons], at)
    batches = {row.pk: row for row in _batches(ids=list({coupon.batch_id for coupon in coupons}))}
    rows = {row.template_id: row.template for row in batches.values()}
    templates = {row_id: template_card_of(row) for row_id, row in rows.items()}
    for coupon in coupons:
        batch.set_cached_value(coupon, batches[coupon.batch_id])
    return _cards([(coupon, templates[batches[coupon.batch_id].template_id]) for coupon in coupons], at)


@compiled
def _batches(*, ids: Given) -> QuerySet[CouponBatch]:
    return CouponBatch.objects.select_related("template").filter(pk__in=ids_of(ids))


def _cards(coupons: Iterable[tuple[Coupon, TemplateCard]], at: dt.datetime) -> tuple[CouponCard, ...]:
    states, doors = labels_of(Coupon, "state"), labels_of(Coupon, "door")
    cards = []
    for coupon, template in coupons:
        state = state_at(coupon, at)
        cards.append(
            CouponCard(
                id=coupon.pk,
                code=coupon.code,
                batch_id=coupon.batch_id,
                member_id=coupon.member_id,
                template=template,
                state=state,
                state_label=states[state],
                valid_from=coupon.valid_from,
                valid_until=coupon.valid_until,
                issued_at=coupon.issued_at,
                door=coupon.door,  # type: ignore[arg-type]
                door_label=doors.get(coupon.door) or coupon.door,
                issued_by_guide_id=coupon.issued_by_guide_id,
                issued_store_id=coupon.issued_store_id,
                partner_code=coupon.partner_code,
                locked_until=coupon.locked_until if state == "locked" else None,
                may_gift=state == "issued" and _may_hand_on(template.terms.gifting, coupon.gifted_count),
            )
        )
    return tuple(cards)


def may_gift(coupon: Coupon) -> bool:
    """Whether its terms let this holder hand it on."""
    return _may_hand_on(coupon.batch.template.gifting, coupon.gifted_count)


def _may_hand_on(gifting: str, gifted_count: int) -> bool:
    return gifting == Gifting.ANYONE or (gifting == Gifting.FIRST and gifted_count == 0)


def redemption_card_of(row: Redemption) -> RedemptionCard:
    """What a till gets for an answer; `row` fetched with its coupon."""
    return RedemptionCard(
        id=row.pk,
        coupon_id=row.coupon_id,
        code=row.coupon.code,
        request_id=row.request_id,
        store_id=row.store_id,
        till=row.till,
        order_no=row.order_no,
        amount_fen=row.amount_fen,
        discount_fen=row.discount_fen,
        redeemed_at=row.redeemed_at,
        reversed_at=row.reversed_at,
        coupon_state=row.coupon.state,  # type: ignore[arg-type]
    )


def fetched() -> CouponQuerySet:
    """Coupons with what a card needs, in one query."""
    return Coupon.objects.select_related("batch__template")


def list_member_coupons(
    member_id: int,
    *,
    state: str = "",
    cursor: int | None = None,
    limit: int = 20,
    at: dt.datetime | None = None,
) -> CouponPage:
    """Her coupons, newest first. `state`: `usable` (in her hands and not over), one state, or all."""
    at = at or clock.now()
    limit = max(1, min(limit, _PAGE))
    before = _LAST_ID if cursor is None else cursor
    found = _page(state, limit)(member_id=member_id, before=before, at=at)
    return page_of(coupon_cards_of(found, at), limit)


def page_of(cards: tuple[CouponCard, ...], limit: int) -> CouponPage:
    """A page of so many; one more card says that there is a next page."""
    shown = cards[:limit]
    return CouponPage(shown, shown[-1].id if len(cards) > limit else None)


@functools.lru_cache(maxsize=64)
def _page(state: str, limit: int) -> Compiled[Coupon]:
    """A page of hers in that state and one more, newest first."""

    def page(*, member_id: Given, before: Given, at: Given) -> QuerySet[Coupon]:
        return newest_in_state(state, member_id, at).filter(pk__lt=before)[: limit + 1]

    return compiled(page)


def newest_in_state(state: str, member_id: int | Given, at: dt.datetime | Given) -> CouponQuerySet:
    """Hers in that state, the newest first; unevaluated."""
    return Coupon.objects.filter(in_state(state, at), member_id=member_id).order_by("-pk")


def in_state(state: str, at: dt.datetime | Given) -> Q:
    """Rows that count for that state at that moment; `usable` is in her hands and not over, no state is all."""
    over = Q(valid_until__lte=at)
    lapsed = Q(state=CouponState.LOCKED, locked_until__lte=at)
    if state == "usable":
        return Q(state__in=[CouponState.ISSUED, CouponState.LOCKED, CouponState.GIFTING]) & ~over
    if state == CouponState.ISSUED:
        return (Q(state=CouponState.ISSUED) | lapsed) & ~over
    if state == CouponState.LOCKED:
        return Q(state=CouponState.LOCKED, locked_until__gt=at)
    if state == CouponState.GIFTING:
        return Q(state=CouponState.GIFTING) & ~over
    if state == CouponState.EXPIRED:
        unclosed = Q(state__in=[CouponState.ISSUED, CouponState.GIFTING]) | lapsed
        return Q(state=CouponState.EXPIRED) | unclosed & over
    return Q(state=state) if state in CouponState.values else Q()


def count_usable_coupons(member_id: int, at: dt.datetime | None = None) -> int:
    """How many she may use now or later."""
    return Coupon.objects.filter(in_state("usable", at or clock.now()), member_id=member_id).count()


def get_coupon(coupon_id: int, *, member_id: int | None = None, at: dt.datetime | None = None) -> CouponCard:
    """With `member_id`: only if it is hers. Raises NoSuchCoupon for another's and an unknown one alike."""
    rows = fetched().filter(pk=coupon_id)
    row = (rows if member_id is None else rows.filter(member_id=member_id)).first()
    if row is None:
        raise NoSuchCoupon
    return coupon_card_of(row, at or clock.now())


def find_by_code(text: str, *, at: dt.datetime | None = None) -> CouponCard | None:
    """The coupon of a typed or scanned code; blanks, dashes and lower case do not matter."""
    coupon_id = find_coupon_id(text)
    return None if coupon_id is None else get_coupon(coupon_id, at=at)


def find_coupon_id(text: str) -> int | None:
    """A code with a wrong check character is not even looked up."""
    code = codes.normalize(text[:40])
    if not codes.is_code(code, CODE_LENGTH):
        return None
    return Coupon.objects.filter(code=code).values_list("pk", flat=True).first()


def check_coupon(code: str, *, context: RedemptionContext) -> CouponCheck:
    """Whether the coupon may be used there and then, with all reasons against. Reads only.

    Raises NoSuchCoupon, also for a coupon that is not `context.member_id`'s.
    """
    coupon_id = find_coupon_id(code)
    coupon = None if coupon_id is None else fetched().filter(pk=coupon_id).first()
    if coupon is None or context.member_id not in {None, coupon.member_id}:
        raise NoSuchCoupon
    return CouponCheck(coupon_card_of(coupon, context.at), reasons_of(coupon, context))


def get_redemption(request_id: str) -> RedemptionCard:
    """Raises NoSuchRedemption."""
    row = Redemption.objects.select_related("coupon").filter(request_id=request_id).first()
    if row is None:
        raise NoSuchRedemption
    return redemption_card_of(row)


def is_redeemed_for(*, code: str, order_no: str) -> bool:
    """Whether the coupon stands redeemed for that order: a till redeemed it before the order was told to us."""
    return find_live_redemption(code=code, order_no=order_no) is not None


def find_live_redemption(*, code: str, order_no: str) -> str | None:
    """The request under which the coupon was redeemed for that order, while it stands."""
    coupon_id = find_coupon_id(code)
    if coupon_id is None:
        return None
    standing = Redemption.objects.filter(coupon_id=coupon_id, reversed_at__isnull=True)
    return standing.filter(order_no=order_no).values_list("request_id", flat=True).first()
