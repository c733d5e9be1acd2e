"""Orders on which coupons were used, as tills and screens see them; and what pricing is asked with for a coupon."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping

from django.db.models import Prefetch

from coupons.contracts import (
    CouponShare,
    CouponTerms,
    OrderCard,
    OrderCoupon,
    PointsTerms,
    PricedBasket,
    PricedLine,
    PricedPoints,
    ReturnedPart,
    TemplateTerms,
)
from coupons.errors import NoSuchOrder
from coupons.models import (
    Coupon,
    CouponOrder,
    CouponOrderLine,
    CouponReturnPart,
    PointsPayment,
    Redemption,
    RedemptionShare,
)
from coupons.selectors.templates import terms_of
from members import selectors as member_selectors


def pricing_terms_of(coupon: Coupon) -> CouponTerms:
    """What pricing knows of a coupon fetched with its batch and template; its key is its code. Versions of one
    series count together in an order."""
    template = coupon.batch.template
    return pricing_terms(
        terms_of(template), key=coupon.code, template_key=template.series, valid_until=coupon.valid_until
    )


def pricing_terms(
    terms: TemplateTerms, *, key: str, template_key: str = "", valid_until: dt.datetime | None = None
) -> CouponTerms:
    """What pricing knows of a coupon with these terms."""
    return CouponTerms(
        key=key,
        name=terms.title,
        kind=terms.kind,
        off_fen=terms.off_fen or 0,
        per_fen=terms.per_fen or 0,
        rate_bp=10_000 if terms.rate_bp is None else terms.rate_bp,
        cap_fen=terms.cap_fen,
        units=terms.units or 0,
        price_fen=terms.price_fen or 0,
        gift_name=terms.gift_name,
        gift_value_fen=max(1, terms.gift_value_fen or 0),  # pricing knows no gift without worth
        min_spend_fen=terms.min_spend_fen,
        min_quantity=terms.min_quantity,
        include_products=frozenset(terms.include_products),
        include_categories=frozenset(terms.include_categories),
        exclude_products=frozenset(terms.exclude_products),
        exclude_categories=frozenset(terms.exclude_categories),
        stacking_group=terms.stacking_group,
        is_exclusive=terms.is_exclusive,
        template_key=template_key,
        max_per_order=min(terms.max_per_order or 1, 50),
        valid_until=valid_until,
    )


def holder_tiers(coupons: Iterable[Coupon]) -> Mapping[int, int]:
    """The tier of each holder who has one; asked only when a coupon among them is for tiers."""
    rows = list(coupons)
    if not any(row.batch.template.tier_ids for row in rows):
        return {}
    tiers = member_selectors.list_member_tiers({row.member_id for row in rows})
    return {member_id: tier.id for member_id, tier in tiers.items()}


def find_points_terms(member_id: int) -> PointsTerms | None:
    """What her points may pay; None while the chain takes none."""
    row = PointsPayment.objects.filter(pk=1, is_active=True).first()
    if row is None:
        return None
    balance = max(0, member_selectors.get_points_summary(member_id).balance)
    return PointsTerms(balance, row.step, row.fen_per_step, row.max_share_bp, row.max_points)


def list_order_lines(order_id: int) -> list[CouponOrderLine]:
    """The lines of an order in their order, with their shares and the coupons' codes, in two queries."""
    shares = RedemptionShare.objects.select_related("redemption__coupon").order_by("redemption_id")
    lines = CouponOrderLine.objects.filter(order_id=order_id).order_by("pk")
    return list(lines.prefetch_related(Prefetch("shares", shares)))


def priced_line_of(line: CouponOrderLine) -> PricedLine:
    """A line as it was priced, without the coupons that only counted."""
    return PricedLine(
        key=line.key,
        quantity=line.quantity,
        amount_fen=line.amount_fen,
        coupon_shares=tuple(
            CouponShare(share.redemption.coupon.code, share.discount_fen)
            for share in line.shares.all()
            if share.discount_fen
        ),
        points=line.points,
        points_fen=line.points_fen,
        payable_fen=line.payable_fen,
    )


def priced_basket_of(order: CouponOrder, lines: Iterable[CouponOrderLine]) -> PricedBasket:
    """The basket of an order for refunds: its lines and sums."""
    return PricedBasket(
        lines=tuple(map(priced_line_of, lines)),
        coupons=(),
        points=PricedPoints(order.points, order.points_fen, order.points, order.points_fen),
        original_fen=order.amount_fen,
        discount_fen=order.discount_fen,
        payable_fen=order.payable_fen,
        bound_fen=0,
    )


def list_returned_parts(order_id: int, *, before: int | None = None) -> list[ReturnedPart]:
    """What came back of an order so far, or before one of its returns."""
    rows = CouponReturnPart.objects.filter(part_of__order_id=order_id).select_related("line").order_by("pk")
    if before is not None:
        rows = rows.filter(part_of_id__lt=before)
    return [part_of(row) for row in rows]


def part_of(row: CouponReturnPart) -> ReturnedPart:
    """A stored part as pricing reads it; `row` fetched with its line."""
    return ReturnedPart(row.line.key, row.quantity, row.amount_fen)


def order_card_of(order: CouponOrder, lines: Iterable[CouponOrderLine] | None = None) -> OrderCard:
    """What a till gets for an answer."""
    shown = list_order_lines(order.pk) if lines is None else lines
    redemptions = Redemption.objects.filter(order=order).select_related("coupon__batch__template")
    return _card(order, map(priced_line_of, shown), redemptions.order_by("pk"))


def new_order_card(order: CouponOrder, basket: PricedBasket, redemptions: Iterable[Redemption]) -> OrderCard:
    """What `order_card_of` would read, of what was just written: `redemptions` in the order of their keys, with
    coupon, batch and template."""
    rows = list(redemptions)
    place = {row.coupon.code: number for number, row in enumerate(rows)}
    lines = (
        dataclasses.replace(
            line,
            coupon_shares=tuple(
                sorted(
                    (share for share in line.coupon_shares if share.discount_fen),
                    key=lambda share: place[share.coupon_key],
                )
            ),
        )
        for line in basket.lines
    )
    return _card(order, lines, rows)


def _card(order: CouponOrder, lines: Iterable[PricedLine], redemptions: Iterable[Redemption]) -> OrderCard:
    return OrderCard(
        id=order.pk,
        public_id=order.public_id,
        store_id=order.store_id,
        order_no=order.order_no,
        member_id=order.member_id,
        amount_fen=order.amount_fen,
        discount_fen=order.discount_fen,
        points=order.points,
        points_fen=order.points_fen,
        payable_fen=order.payable_fen,
        lines=tuple(lines),
        coupons=tuple(map(_coupon_of, redemptions)),
        redeemed_at=order.redeemed_at,
        ended_at=order.ended_at,
    )


def _coupon_of(row: Redemption) -> OrderCoupon:
    template = row.coupon.batch.template
    return OrderCoupon(
        code=row.coupon.code,
        name=template.title,
        discount_fen=row.discount_fen,
        gift_name=template.gift_name,
        returned_fen=row.discount_fen if row.reversed_at else row.returned_discount_fen,
        is_reversed=row.reversed_at is not None,
        state=row.coupon.state,  # type: ignore[arg-type]
    )


def readable_number(order_no: str) -> str:
    """The number as rows have it; one that no row can have is empty, and found nowhere."""
    number = order_no.strip()
    return "" if "\0" in number or len(number) > 64 else number


def list_coupon_orders(orders: Mapping[str, tuple[int, str]]) -> set[str]:
    """Those of these orders on which coupons were used or that brought some: the key their gifts are issued under, to store
    and number."""
    readable = {key: (store_id, readable_number(order_no)) for key, (store_id, order_no) in orders.items()}
    asked = {
        "store_id__in": {store_id for store_id, _number in readable.values()},
        "order_no__in": {number for _store_id, number in readable.values()},
    }
    used = set(CouponOrder.objects.filter(**asked).values_list("store_id", "order_no"))
    used |= set(Redemption.objects.filter(**asked).values_list("store_id", "order_no"))
    brought = Coupon.objects.filter(source_key__in=list(orders)).exclude(source_key="")
    return {key for key, place in readable.items() if place in used} | set(
        brought.values_list("source_key", flat=True)
    )


def find_order_id(*, store_id: int, order_no: str) -> int | None:
    """The live order of that number in that store, or the one that ended last."""
    rows = CouponOrder.objects.filter(store_id=store_id, order_no=readable_number(order_no))
    live = rows.filter(ended_at__isnull=True).values_list("pk", flat=True).first()
    return live if live is not None else rows.order_by("-pk").values_list("pk", flat=True).first()


def get_order(*, store_id: int, order_no: str) -> OrderCard:
    """Raises NoSuchOrder, also for another store's."""
    order_id = find_order_id(store_id=store_id, order_no=order_no)
    order = None if order_id is None else CouponOrder.objects.filter(pk=order_id).first()
    if order is None:
        raise NoSuchOrder
    return order_card_of(order)
