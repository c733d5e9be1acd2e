"""Goods of an order come back, in parts or whole; or the whole order is undone at the till.

Each part gives back exactly what its line's shares say (`refund_of`), so any sequence of parts adds up to the whole.
When all lines that a coupon counted for are back, its redemption is reversed; until then its discount and its sales
fall by what came back. The locks: the member (when points paid), coupons in pk order, the order, the counters.
"""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit, clock, events
from core.actor import Actor
from coupons import errors
from coupons.contracts import Refund, ReturnCard, ReturnedPart
from coupons.events import OrderReturned
from coupons.models import (
    Coupon,
    CouponOrder,
    CouponOrderLine,
    CouponReturn,
    CouponReturnPart,
    CouponState,
    Redemption,
    RedemptionShare,
)
from coupons.selectors.coupons import fetched
from coupons.selectors.orders import (
    find_order_id,
    list_order_lines,
    list_returned_parts,
    order_card_of,
    part_of,
    priced_basket_of,
    readable_number,
)
from coupons.services.closing import hold_counters, void_locked
from coupons.services.entries import note_return
from coupons.services.history import actor_words, usable_reason
from coupons.services.issuing import usable_request_key
from coupons.services.orders import one_line_basket
from coupons.services.pricing_refund import refund_of
from coupons.services.undoing import Counts, count_all, undo_use
from members import services as member_services
from members.errors import NoSuchMember

_MOST_KEYS: Final = 20
_UNUSED: Final = (CouponState.ISSUED, CouponState.LOCKED, CouponState.GIFTING)


@dataclasses.dataclass(frozen=True, slots=True)
class _Request:
    """One return as it was asked for; `parts` None: everything that is left."""

    parts: Sequence[ReturnedPart] | None
    key: str
    digest: str
    reason: str
    is_undo: bool
    source_keys: tuple[str, ...]
    actor: Actor
    at: dt.datetime


@dataclasses.dataclass(slots=True)
class _Held:
    """An order with everything of it locked."""

    order: CouponOrder
    lines: list[CouponOrderLine]
    coupons: dict[int, Coupon]
    gained: list[int]
    has_owner: bool


def return_order(
    *,
    store_id: int,
    order_no: str,
    parts: Sequence[ReturnedPart] | None = None,
    return_key: str,
    reason: str,
    source_keys: Sequence[str] = (),
    actor: Actor,
    at: dt.datetime | None = None,
) -> ReturnCard:
    """These parts of the order's lines came back (None: all that is left), with what each gives back. The same
    `return_key` again gets the first answer.

    A coupon whose goods are all back is good again until its last day, or expired when that is over. When nothing is
    left of the order, coupons that carry its source key (or one of `source_keys`, for whoever records sales) are void
    where nobody used them. Points that paid come back with their part.

    Refuses an order that has no redemption (yet) or is another store's, one that came back whole, a line it has not,
    more than was bought, and a key that meant another return.
    """
    request = _request(parts, return_key, reason, False, source_keys, actor, at)
    return _take_back(store_id, order_no, request)


def reverse_order(
    *,
    store_id: int,
    order_no: str,
    reversal_key: str,
    reason: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ReturnCard:
    """The order was not concluded: all its coupons and points are taken back. The same key again gets the first
    answer. Refuses what `return_order` refuses, and an order of which goods came back already."""
    return _take_back(store_id, order_no, _request(None, reversal_key, reason, True, (), actor, at))


def _request(
    parts: Sequence[ReturnedPart] | None,
    key: str,
    reason: str,
    is_undo: bool,
    source_keys: Sequence[str],
    actor: Actor,
    at: dt.datetime | None,
) -> _Request:
    usable_request_key(key=key)
    for source in source_keys:
        usable_request_key(key=source)
    told = "all" if parts is None else "\n".join(sorted(map(repr, parts)))
    digest = hashlib.sha256(f"{is_undo}\n{told}".encode()).hexdigest()
    if parts is not None and not parts:
        raise errors.ReturnUnusable
    return _Request(
        parts,
        key,
        digest,
        usable_reason(reason=reason),
        is_undo,
        tuple(source_keys[:_MOST_KEYS]),
        actor,
        at or clock.now(),
    )


def _take_back(store_id: int, order_no: str, request: _Request) -> ReturnCard:
    with transaction.atomic():
        order_id = find_order_id(store_id=store_id, order_no=order_no)
        if order_id is None:
            order_id = adopt_order(store_id=store_id, order_no=order_no)
        held = _hold(order_id, request)
        order = held.order
        first = CouponReturn.objects.filter(order=order, return_key=request.key).first()
        if first is not None:
            if first.request_digest != request.digest:
                raise errors.RequestReused
            return _card(first, held)
        if order.ended_at is not None:
            raise errors.AlreadyReturned
        earlier = list_returned_parts(order.pk)
        if request.is_undo and earlier:
            raise errors.PartlyReturned
        parts = _all_left(held.lines, earlier) if request.parts is None else list(request.parts)
        refund = refund_of(priced=priced_basket_of(order, held.lines), returned=parts, earlier=earlier)
        return _write(held, request, parts, [*earlier, *parts], refund)


def adopt_order(*, store_id: int, order_no: str) -> int:
    """Coupons that were redeemed one by one for an order become an order of one line, so that it can come back; its
    id. Inside a transaction. Raises NoSuchOrder."""
    number = readable_number(order_no)
    loose = Q(store_id=store_id, order_no=number, order__isnull=True, reversed_at__isnull=True)
    ids = list(Redemption.objects.filter(loose).values_list("coupon_id", flat=True))
    Coupon.objects.lock_all(ids)
    rows = list(Redemption.objects.filter(loose, coupon_id__in=ids).select_related("coupon").order_by("pk"))
    if not rows:
        # Another return may just have done it.
        found = find_order_id(store_id=store_id, order_no=order_no)
        if found is None:
            raise errors.NoSuchOrder
        return found
    off = {row.coupon.code: row.discount_fen for row in rows}
    amount = max(*(row.amount_fen for row in rows), sum(off.values()))
    basket = one_line_basket(amount_fen=amount, off_fen=off)
    order = CouponOrder.objects.create(
        request_id=f"loose-{rows[0].pk}",
        store_id=store_id,
        order_no=number,
        amount_fen=amount,
        discount_fen=basket.discount_fen,
        payable_fen=basket.payable_fen,
        redeemed_at=rows[0].redeemed_at,
    )
    [priced] = basket.lines
    line = CouponOrderLine.objects.create(
        order=order, key=priced.key, quantity=1, amount_fen=amount, payable_fen=priced.payable_fen
    )
    for row in rows:
        row.order = order
        row.save(update_fields=["order"])
    RedemptionShare.objects.bulk_create(
        RedemptionShare(redemption=row, line=line, discount_fen=row.discount_fen) for row in rows
    )
    return order.pk


def _hold(order_id: int, request: _Request) -> _Held:
    order = CouponOrder.objects.get(pk=order_id)
    has_owner = bool(order.points) and _lock_owner(order.member_id or 0)
    used = Redemption.objects.filter(order_id=order_id).values_list("coupon_id", flat=True)
    sources = [order.source_key, *request.source_keys]
    gained = Coupon.objects.filter(source_key__in=sources, state__in=_UNUSED).values_list("pk", flat=True)
    gained_ids = list(gained)
    rows = fetched().lock_all({*used, *gained_ids})
    order = CouponOrder.objects.lock(order_id)
    return _Held(order, list_order_lines(order_id), {row.pk: row for row in rows}, gained_ids, has_owner)


def _lock_owner(member_id: int) -> bool:
    """Whose points paid. Who has been erased gets none back."""
    try:
        member_services.lock_member(member_id)
    except NoSuchMember:
        return False
    return True


def _all_left(lines: Sequence[CouponOrderLine], earlier: Sequence[ReturnedPart]) -> list[ReturnedPart]:
    """One part for each line that is not back whole."""
    parts = []
    for line in lines:
        units, reached = _reached(line, earlier)
        if units < line.quantity:
            parts.append(ReturnedPart(line.key, quantity=line.quantity - units))
        elif reached < line.amount_fen:
            parts.append(ReturnedPart(line.key, amount_fen=line.amount_fen - reached))
    return parts


def _reached(line: CouponOrderLine, parts: Sequence[ReturnedPart]) -> tuple[int, int]:
    """Units and money of the line that are back, as `refund_of` counts them."""
    own = [part for part in parts if part.line_key == line.key]
    units, money = sum(part.quantity for part in own), sum(part.amount_fen for part in own)
    return units, min(line.amount_fen, line.amount_fen * units // line.quantity + money)


def _is_back(line: CouponOrderLine, parts: Sequence[ReturnedPart]) -> bool:
    """All its money is back; of a line that cost nothing, all its units."""
    units, reached = _reached(line, parts)
    return reached == line.amount_fen and (line.amount_fen > 0 or units == line.quantity)


def _write(
    held: _Held,
    request: _Request,
    parts: Sequence[ReturnedPart],
    all_parts: Sequence[ReturnedPart],
    refund: Refund,
) -> ReturnCard:
    order = held.order
    row = CouponReturn.objects.create(
        order=order,
        return_key=request.key,
        request_digest=request.digest,
        is_undo=request.is_undo,
        reason=request.reason,
        refund_fen=refund.refund_fen,
        discount_fen=sum(share.discount_fen for share in refund.coupon_shares),
        points=refund.points,
        returned_at=request.at,
        actor=actor_words(actor=request.actor),
    )
    by_key = {line.key: line for line in held.lines}
    CouponReturnPart.objects.bulk_create(
        CouponReturnPart(
            part_of=row, line=by_key[part.line_key], quantity=part.quantity, amount_fen=part.amount_fen
        )
        for part in parts
    )
    back = {line.key for line in held.lines if _is_back(line, all_parts)}
    is_whole = len(back) == len(held.lines)
    counts = _settle_coupons(held, row, refund, back, request)
    if refund.points and held.has_owner:
        _give_points_back(order, row, request, is_whole=is_whole)
    if is_whole:
        order.ended_at = request.at
        order.save(update_fields=["ended_at"])
        if held.gained:
            hold_counters(coupon_ids=list(held.coupons))
        row.voided_count = void_locked(
            coupon_ids=held.gained, reason=_("赠券的订单已退货"), actor=request.actor, at=request.at
        )
        row.save(update_fields=["voided_count"])
    audit.record(
        action="coupons.order_undone" if request.is_undo else "coupons.order_returned",
        subject=order,
        actor=request.actor,
        at=request.at,
        refund_fen=refund.refund_fen,
    )
    events.publish(OrderReturned(order.pk, row.pk, is_whole))
    count_all(counts=counts)
    return _card(row, held)


def _settle_coupons(
    held: _Held, row: CouponReturn, refund: Refund, back: set[str], request: _Request
) -> list[Counts]:
    """Redemptions whose goods are all back are reversed; of the others the sums fall."""
    returned = {line.line_key: line.amount_fen for line in refund.lines}
    off = {share.coupon_key: share.discount_fen for share in refund.coupon_shares}
    counts: list[Counts] = []
    live = Redemption.objects.filter(order=held.order, reversed_at__isnull=True).order_by("pk")
    for redemption in live.prefetch_related("shares__line"):
        coupon = held.coupons[redemption.coupon_id]
        keys = [share.line.key for share in redemption.shares.all()]
        if set(keys) <= back:
            counts.append(
                undo_use(
                    row=redemption,
                    coupon=coupon,
                    key=f"return:{row.public_id}",
                    reason=request.reason,
                    actor=request.actor,
                    at=request.at,
                )
            )
            continue
        fallen = {
            # Of a coupon that was redeemed by itself, the line may be dearer than what it counted for.
            "sales_fen": min(
                sum(returned.get(key, 0) for key in keys), redemption.amount_fen - redemption.returned_fen
            ),
            "discount_fen": off.get(coupon.code, 0),
        }
        if any(fallen.values()):
            redemption.returned_fen += fallen["sales_fen"]
            redemption.returned_discount_fen += fallen["discount_fen"]
            redemption.save(update_fields=["returned_fen", "returned_discount_fen"])
            note_return(redemption=redemption, **fallen, at=request.at)
            counts.append((coupon, {name: -fen for name, fen in fallen.items()}))
    return counts


def _give_points_back(order: CouponOrder, row: CouponReturn, request: _Request, *, is_whole: bool) -> None:
    """All at once: the same lots have their points again. A part is a credit of its own, for an entry is undone
    whole or not at all."""
    reason = _("订单 %(order)s 退货") % {"order": order.order_no}
    if is_whole and row.points == order.points:
        member_services.reverse_points_entry(
            member_id=order.member_id or 0,
            reversed_key=order.source_key,
            source_key=f"return:{row.public_id}",
            reason=reason,
            actor=request.actor,
            at=request.at,
        )
    else:
        member_services.credit_points(
            member_id=order.member_id or 0,
            points=row.points,
            source_key=f"return:{row.public_id}",
            reason=reason,
            actor=request.actor,
            at=request.at,
        )


def _card(row: CouponReturn, held: _Held) -> ReturnCard:
    """The same for the first answer and for a repeat: it follows from the rows."""
    parts = CouponReturnPart.objects.filter(part_of=row).select_related("line").order_by("pk")
    refund = refund_of(
        priced=priced_basket_of(held.order, held.lines),
        returned=[part_of(part) for part in parts],
        earlier=list_returned_parts(held.order.pk, before=row.pk),
    )
    undone = Redemption.objects.filter(order=held.order, reversal_key=f"return:{row.public_id}")
    coupons = [one.coupon for one in undone.select_related("coupon").order_by("pk")]
    over = {coupon.code for coupon in coupons if coupon.valid_until <= row.returned_at}
    return ReturnCard(
        public_id=row.public_id,
        order=order_card_of(held.order, held.lines),
        refund=refund,
        discount_fen=row.discount_fen,
        usable=tuple(coupon.code for coupon in coupons if coupon.code not in over),
        expired=tuple(sorted(over)),
        voided_count=row.voided_count,
        returned_at=row.returned_at,
    )
