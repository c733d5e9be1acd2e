"""What follows a purchase: its member hears of it, is asked what she thinks of it, and has the coupons it earned.

The events of single orders make it quick; a cursor over the rows finds everything else, a file's million orders as
well as what a lost event left. Each effect has a key of its own in the database, so that both may look at one order.
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from core import clock
from core.actor import Actor
from core.horizons import complete_until
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from sales.models import CareCursor, PurchaseCare, Sale, SaleReturn
from sales.models.documents import SaleQuerySet
from sales.services.bought import bought_facts
from sales.services.care_notices import tell_of_purchases, tell_of_returns
from sales.services.reviews import plan_reviews

SLICE: Final = 2_000
_PATIENCE: Final = dt.timedelta(seconds=2)
_PURCHASE: Final = ("purchase",)
# So many are given theirs one by one, each by herself.
_FEW: Final = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Cared:
    """The rows that were cared for, and the members to whom rules owe something for them now."""

    ids: Sequence[int] = ()
    owed: set[int] = dataclasses.field(default_factory=set)


def care_for_sales(*, sale_ids: Sequence[int], actor: Actor, at: dt.datetime | None = None) -> int:
    """These orders have what follows them, as far as they are news and nobody holds them just now; how many. The same
    again finds its keys and changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        cared = _care_for_sales(list(sale_ids), at)
    _give(cared.owed, actor, at)
    return len(cared.ids)


def care_for_returns(*, return_ids: Sequence[int], at: dt.datetime | None = None) -> int:
    """The members of these returns are told of them, as far as they are news; how many were looked at."""
    at = at or clock.now()
    with transaction.atomic():
        return len(_care_for_returns(list(return_ids), at).ids)


def work_purchase_care(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Every order and return in the books has what follows it; how many were cared for now. Two at once share the
    work, and a killed run goes on where its last slice ended."""
    at = at or clock.now()
    return _work("sale", Sale, _care_for_sales, actor, at) + _work(
        "return", SaleReturn, _care_for_returns, actor, at
    )


def get_care() -> PurchaseCare:
    """What the chain decided, or the defaults."""
    return PurchaseCare.objects.filter(pk=1).first() or PurchaseCare(pk=1)


def _work(
    kind: str, model: Any, care: Callable[[list[int], dt.datetime], Cared], actor: Actor, at: dt.datetime
) -> int:
    horizon = complete_until(model._meta.db_table, patience=_PATIENCE)
    if horizon is None:
        return 0
    CareCursor.objects.get_or_create(kind=kind)
    count, owed = 0, set[int]()
    while True:
        with transaction.atomic():
            cursor = next(iter(CareCursor.objects.filter(kind=kind).claim(1)), None)
            if cursor is None:
                break
            rows = model.objects.filter(pk__gt=cursor.done_id, pk__lte=horizon[0]).order_by("pk")
            ids = list(rows.values_list("pk", flat=True)[:SLICE])
            cared = care(ids, at) if ids else Cared()
            owed |= cared.owed
            done_id = _done_until(kind, ids, cared.ids, at)
            if done_id is None:
                break
            cursor.done_id = done_id
            cursor.save(update_fields=["done_id"])
        count += len(cared.ids)
    _give(owed, actor, at)
    return count


def _give(owed: Collection[int], actor: Actor, at: dt.datetime) -> None:
    """Whoever was noted has her coupon now; what is lost here, the job of the standing rules gives."""
    if len(owed) > _FEW:
        coupon_services.meet_occasions(occasions=_PURCHASE, actor=actor, at=at)
        return
    for member_id in sorted(owed):
        coupon_services.meet_occasions(occasions=_PURCHASE, member_id=member_id, actor=actor, at=at)


def _done_until(kind: str, ids: Sequence[int], cared: Sequence[int], at: dt.datetime) -> int | None:
    """How far the cursor may go: not beyond an order that somebody else holds just now."""
    if not ids:
        return None
    missed = (
        set(_news_of_sales(ids, at).values_list("pk", flat=True)) - set(cared) if kind == "sale" else set()
    )
    if not missed:
        return ids[-1]
    before = [one for one in ids if one < min(missed)]
    return before[-1] if before else None


def _news_of_sales(ids: Sequence[int], at: dt.datetime) -> SaleQuerySet:
    since = at - dt.timedelta(hours=get_care().news_hours)
    return Sale.objects.current().filter(
        pk__in=ids, member__isnull=False, sold_at__gt=since, returned_unit_count__lt=F("unit_count")
    )


def _care_for_sales(ids: list[int], at: dt.datetime) -> Cared:
    """Of these orders the news, each held: a return that comes meanwhile waits, and then finds the gift it takes back.
    Orders that a return or a correction holds are left to the next run."""
    sales = _news_of_sales(ids, at).claim(SLICE)
    if not sales:
        return Cared()
    care = get_care()
    if care.is_notice_on:
        tell_of_purchases(sales, at=at)
    if care.is_review_on:
        plan_reviews(sales=sales, care=care, at=at)
    owed: set[int] = set()
    if coupon_selectors.has_purchase_rules(at):
        owed = coupon_services.note_purchases(bought=bought_facts(sales), at=at)
    return Cared([sale.pk for sale in sales], owed)


def _care_for_returns(ids: list[int], at: dt.datetime) -> Cared:
    care = get_care()
    since = at - dt.timedelta(hours=care.news_hours)
    if not care.is_return_notice_on:
        return Cared()
    rows = SaleReturn.objects.filter(pk__in=ids, member__isnull=False, returned_at__gt=since)
    returns = list(rows.select_related("sale").order_by("pk"))
    if returns:
        tell_of_returns(returns, at=at)
    return Cared([given.pk for given in returns])
