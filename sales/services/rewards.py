"""What a sale means for its member: points, her tier's activity, the coupons she paid with.

Points and activity follow the sale by rounds: when what she should have differs from what she got, the entry of the
last round is reversed and one of the next round is made. Runs inside the transaction that changed the sale, with
the member locked; every step has a key, so that doing it again changes nothing.
"""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core.actor import Actor
from core.arrays import array_words
from core.compiled import ask
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
_KEPT: Final = ("points_round", "points_earned", "activity_round", "counted_fen", "counted_orders")
_KEEP: Final = (
    """
UPDATE sales_sale sale SET <kept>
FROM unnest(%(pk)s::bigint[], <columns>) AS now(id, <names>) WHERE sale.id = now.id
""".replace("<kept>", ", ".join(f"{name} = now.{name}" for name in _KEPT))
    .replace("<columns>", ", ".join(f"%({name})s::bigint[]" for name in _KEPT))
    .replace("<names>", ", ".join(_KEPT))
)
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
    lines: dict[int, list[SaleLine]] = defaultdict(list)
    of_members = [sale.pk for sale in sales if sale.member_id is not None]
    for line in SaleLine.objects.filter(sale_id__in=of_members).order_by("sale_id", "number"):
        lines[line.sale_id].append(line)
    for turn in _turns(sales):
        back = _plain_returns(turn, coupons)
        _take_back(back, lines, there, actor, at)
        done = {sale.pk for sale in back}
        for sale in turn:
            if sale.pk not in done:
                _follow(
                    sale,
                    coupons[sale.pk],
                    lines[sale.pk],
                    is_rewarded=sale.member_id in there,
                    actor=actor,
                    at=at,
                )


def _turns(sales: Sequence[Sale]) -> Iterator[list[Sale]]:
    """A member's orders keep their turn: in each she has one."""
    waiting: dict[int, list[Sale]] = defaultdict(list)
    for sale in sales:
        waiting[-sale.pk if sale.member_id is None else sale.member_id].append(sale)
    for turn in itertools.zip_longest(*waiting.values()):
        yield [sale for sale in turn if sale is not None]


def _follow(
    sale: Sale,
    coupons: Sequence[SaleCoupon],
    lines: Sequence[SaleLine],
    *,
    is_rewarded: bool,
    actor: Actor,
    at: dt.datetime,
) -> None:
    """The coupons of one order, and its points and activity where its member is there."""
    pending = [coupon for coupon in coupons if coupon.outcome == PENDING]
    redeem_coupons(sale=sale, coupons=pending, actor=actor, at=at)
    if sale.returned_unit_count:
        return_coupons(sale, actor=actor, at=at)
    if is_rewarded:
        _reward(sale, lines, actor, at)


def withdraw_rewards(sale: Sale, *, actor: Actor, at: dt.datetime) -> None:
    """Whoever had this order has nothing of it any more: a correction names somebody else. The sale is locked."""
    if sale.member_id in _people({sale.member_id}):
        _set_spent(sale, 0, actor, at)
        _set_earned(sale, 0, actor, at)
        _set_counted(sale, 0, 0, actor, at)
        sale.save(update_fields=list(REWARD_COLUMNS))


def _plain_returns(sales: Sequence[Sale], coupons: Mapping[int, Sequence[SaleCoupon]]) -> list[Sale]:
    """Orders of which goods came back and that have to do with neither coupons nor spent points: what follows is the same
    for each."""
    back = [sale for sale in sales if sale.returned_unit_count and not coupons.get(sale.pk)]
    parts = [
        sale
        for sale in back
        if sale.returned_unit_count < sale.unit_count
        and (sale.points_taken == sale.points_spent or sale.points_outcome)
    ]
    whole = {
        order_key(sale): sale
        for sale in back
        if (sale.returned_unit_count, sale.returned_fen) == (sale.unit_count, sale.amount_fen)
        and not sale.points_taken
    }
    used = coupon_selectors.list_coupon_orders(
        {key: (sale.store_id, sale.order_no) for key, sale in whole.items()}
    )
    return [*parts, *(sale for key, sale in whole.items() if key not in used)]


def _take_back(
    sales: Sequence[Sale],
    lines: Mapping[int, Sequence[SaleLine]],
    there: set[int | None],
    actor: Actor,
    at: dt.datetime,
) -> None:
    """Whoever bought them has of them what is left."""
    of_members = [sale for sale in sales if sale.member_id is not None and sale.member_id in there]
    if not of_members:
        return
    given = [_purchase_back(sale, lines[sale.pk]) for sale in of_members]
    points = member_services.take_back_purchases(
        given=given, reason=_("订单变动"), again_reason=_("购物获得"), actor=actor, at=at
    )
    for sale, one, earned in zip(of_members, given, points, strict=True):
        sale.points_round += bool(earned and earned != one.points)
        sale.points_earned = earned
        sale.activity_round += bool(one.spend_fen or one.order_count)
        sale.counted_fen += one.spend_fen
        sale.counted_orders += one.order_count
    ask(_KEEP, {name: array_words(getattr(sale, name) for sale in of_members) for name in ("pk", *_KEPT)})


def _purchase_back(sale: Sale, lines: Sequence[SaleLine]) -> PurchaseBack:
    key = order_key(sale)
    earned = f"{key}:earned:{sale.points_round}"
    is_left = sale.returned_unit_count < sale.unit_count
    return PurchaseBack(
        member_id=sale.member_id or 0,
        points=sale.points_earned,
        reversed_key=earned if sale.points_earned else "",
        points_key=f"{earned}:back",
        day=sale.business_on,
        spend_fen=sale.amount_fen - sale.returned_fen - sale.counted_fen,
        order_count=int(is_left) - sale.counted_orders,
        activity_key=f"{key}:counted:{sale.activity_round + 1}",
        lines=_left(lines),
        sold_at=sale.sold_at,
        again_key=f"{key}:earned:{sale.points_round + 1}",
    )


def _left(lines: Sequence[SaleLine]) -> list[EarningLine]:
    """What is left of an order's goods."""
    return [EarningLine(line.category_code, line.amount_fen - line.returned_fen) for line in lines]


def _people(member_ids: Iterable[int | None]) -> set[int | None]:
    """Of these those who are there: who was erased has no points and no tier, and her goods may still come back."""
    living = member_selectors.living_member_ids()
    return set(living.filter(pk__in=[member_id for member_id in member_ids if member_id is not None]))


def _reward(sale: Sale, lines: Sequence[SaleLine], actor: Actor, at: dt.datetime) -> None:
    assert sale.member_id is not None
    quoted = member_selectors.quote_member_points(sale.member_id, lines=_left(lines), at=sale.sold_at)
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
