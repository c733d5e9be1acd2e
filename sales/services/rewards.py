"""What a sale means for its member: points, her tier's activity, the coupons she paid with.

Points and activity follow the sale by rounds: when what she should have differs from what she got, the entry of the
last round is reversed and one of the next round is made. Runs inside the transaction that changed the sale, with
the member locked; every step has a key, so that doing it again changes nothing.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core.actor import Actor
from core.errors import Refusal
from coupons import selectors as coupon_selectors
from members import selectors as member_selectors
from members import services as member_services
from members.contracts import EarningLine, PurchaseBack
from sales.models import Sale, SaleCoupon, SaleLine
from sales.services.bought import withdraw_gifts
from sales.services.order_coupons import PENDING, redeem_coupons, return_coupons
from sales.services.order_keys import order_key
from sales.services.reviews import drop_reviews

# Goes along to the next revision of an order.
REWARD_COLUMNS: Final = (
    "points_round", "spent_round", "activity_round", "points_earned", "counted_fen", "counted_orders",
    "points_taken", "points_outcome",
)  # fmt: skip
NO_REWARDS: Final = (0, 0, 0, 0, 0, 0, 0, "")


def reward_sales(sale_ids: Iterable[int], *, actor: Actor, at: dt.datetime) -> None:
    """Points, activity and coupons of these sales are what the sales say. A coupon or points that cannot be taken
    are noted on the order: the goods are sold."""
    sales = list(Sale.objects.filter(pk__in=list(sale_ids)).order_by("member_id", "pk"))
    # Gifts before the coupons the orders were paid with, and both before points: the order of their locks.
    changed = [sale for sale in sales if sale.returned_unit_count or sale.revision]
    withdraw_gifts(changed, actor=actor, at=at)
    drop_reviews(changed)
    there = _people({sale.member_id for sale in sales})
    coupons: dict[int, list[SaleCoupon]] = defaultdict(list)
    for coupon in SaleCoupon.objects.filter(sale__in=sales).order_by("code"):
        coupons[coupon.sale_id].append(coupon)
    back = _plain_returns(sales, coupons)
    _take_back(back, there, actor, at)
    done = {sale.pk for sale in back}
    sales = [sale for sale in sales if sale.pk not in done]
    lines: dict[int, list[SaleLine]] = defaultdict(list)
    of_members = [sale.pk for sale in sales if sale.member_id is not None]
    for line in SaleLine.objects.filter(sale_id__in=of_members).order_by("sale_id", "number"):
        lines[line.sale_id].append(line)
    for sale in sales:
        pending = [coupon for coupon in coupons[sale.pk] if coupon.outcome == PENDING]
        redeem_coupons(sale=sale, coupons=pending, actor=actor, at=at)
        if sale.returned_unit_count:
            return_coupons(sale, actor=actor, at=at)
        if sale.member_id in there:
            _reward(sale, lines[sale.pk], actor, at)


def withdraw_rewards(sale: Sale, *, actor: Actor, at: dt.datetime) -> None:
    """Whoever had this order has nothing of it any more: a correction names somebody else. The sale is locked."""
    if sale.member_id in _people({sale.member_id}):
        _set_spent(sale, 0, actor, at)
        _set_earned(sale, 0, actor, at)
        _set_counted(sale, 0, 0, actor, at)
        sale.save(update_fields=list(REWARD_COLUMNS))


def _plain_returns(sales: Sequence[Sale], coupons: Mapping[int, Sequence[SaleCoupon]]) -> list[Sale]:
    """Orders that came back whole and have to do with neither coupons nor spent points: what follows is the same for each.
    A member's orders keep their turn: of hers only the first."""
    first: dict[int, int] = {}
    for sale in sales:
        if sale.member_id is not None:
            first.setdefault(sale.member_id, sale.pk)
    whole = {
        order_key(sale): sale
        for sale in sales
        if sale.returned_unit_count
        and (sale.returned_unit_count, sale.returned_fen) == (sale.unit_count, sale.amount_fen)
        and not coupons.get(sale.pk)
        and not sale.points_taken
        and (sale.counted_fen or sale.counted_orders or sale.member_id is None)
        and first.get(sale.member_id or 0, sale.pk) == sale.pk
    }
    used = coupon_selectors.list_coupon_orders(
        {key: (sale.store_id, sale.order_no) for key, sale in whole.items()}
    )
    return [sale for key, sale in whole.items() if key not in used]


def _take_back(sales: Sequence[Sale], there: set[int | None], actor: Actor, at: dt.datetime) -> None:
    """Whoever bought them has nothing of them any more."""
    of_members = [sale for sale in sales if sale.member_id is not None and sale.member_id in there]
    if not of_members:
        return
    member_services.take_back_purchases(
        given=[_purchase_back(sale) for sale in of_members], reason=_("订单变动"), actor=actor, at=at
    )
    Sale.objects.filter(pk__in=[sale.pk for sale in of_members]).update(
        points_earned=0, counted_fen=0, counted_orders=0, activity_round=F("activity_round") + 1
    )


def _purchase_back(sale: Sale) -> PurchaseBack:
    key = order_key(sale)
    earned = f"{key}:earned:{sale.points_round}"
    return PurchaseBack(
        member_id=sale.member_id or 0,
        reversed_key=earned if sale.points_earned else "",
        points_key=f"{earned}:back",
        day=sale.business_on,
        spend_fen=-sale.counted_fen,
        order_count=-sale.counted_orders,
        activity_key=f"{key}:counted:{sale.activity_round + 1}",
    )


def _people(member_ids: Iterable[int | None]) -> set[int | None]:
    """Of these those who are there: who was erased has no points and no tier, and her goods may still come back."""
    living = member_selectors.living_member_ids()
    return set(living.filter(pk__in=[member_id for member_id in member_ids if member_id is not None]))


def _reward(sale: Sale, lines: Sequence[SaleLine], actor: Actor, at: dt.datetime) -> None:
    assert sale.member_id is not None
    left = [EarningLine(line.category_code, line.amount_fen - line.returned_fen) for line in lines]
    quoted = member_selectors.quote_member_points(sale.member_id, lines=left, at=sale.sold_at)
    is_left = sale.returned_unit_count < sale.unit_count
    _set_spent(sale, sale.points_spent if is_left else 0, actor, at)
    _set_earned(sale, quoted.points, actor, at)
    _set_counted(sale, sale.amount_fen - sale.returned_fen, int(is_left), actor, at)
    sale.save(update_fields=list(REWARD_COLUMNS))


def _set_earned(sale: Sale, points: int, actor: Actor, at: dt.datetime) -> None:
    """The entry of the last round is taken back and one of the next is made, unless it says the same already."""
    assert sale.member_id is not None
    if points == sale.points_earned:
        return
    key = f"{order_key(sale)}:earned"
    if sale.points_earned:
        told = f"{key}:{sale.points_round}"
        member_services.reverse_points_entry(
            member_id=sale.member_id, reversed_key=told, source_key=f"{told}:back", reason=_("订单变动"),
            actor=actor, at=at,
        )  # fmt: skip
    if points:
        sale.points_round += 1
        member_services.credit_points(
            member_id=sale.member_id, points=points, source_key=f"{key}:{sale.points_round}",
            reason=_("购物获得"), actor=actor, at=at,
        )  # fmt: skip
    sale.points_earned = points


def _set_spent(sale: Sale, points: int, actor: Actor, at: dt.datetime) -> None:
    """The same for the points it was paid with; a refusal is noted and asked again only when the number changes."""
    assert sale.member_id is not None
    if points == sale.points_taken or (points and sale.points_outcome):
        return
    key = f"{order_key(sale)}:spent"
    if sale.points_taken:
        told = f"{key}:{sale.spent_round}"
        member_services.reverse_points_entry(
            member_id=sale.member_id, reversed_key=told, source_key=f"{told}:back", reason=_("订单变动"),
            actor=actor, at=at,
        )  # fmt: skip
        sale.points_taken = 0
    if points:
        sale.spent_round += 1
        try:
            with transaction.atomic():
                member_services.debit_points(
                    member_id=sale.member_id, points=points, source_key=f"{key}:{sale.spent_round}",
                    reason=_("购物抵扣"), actor=actor, at=at,
                )  # fmt: skip
            sale.points_taken = points
        except Refusal as refusal:
            sale.points_outcome = refusal.code


def _set_counted(sale: Sale, fen: int, count: int, actor: Actor, at: dt.datetime) -> None:
    """Her tier's activity has moved by what this order is worth more or less than it was told last."""
    assert sale.member_id is not None
    more_fen, more_count = fen - sale.counted_fen, count - sale.counted_orders
    if more_fen or more_count:
        sale.activity_round += 1
        member_services.record_activity(
            member_id=sale.member_id, day=sale.business_on, spend_fen=more_fen, order_count=more_count, growth=0,
            source_key=f"{order_key(sale)}:counted:{sale.activity_round}", actor=actor, at=at,
        )  # fmt: skip
    sale.counted_fen, sale.counted_orders = fen, count
