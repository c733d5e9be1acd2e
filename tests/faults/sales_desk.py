"""What a clerk does with orders."""

import datetime as dt
import os
import signal
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import Count

from core import clock
from guides.models import Store
from guides.services import hire_guide
from members.models import EarningRule, Member, PointsEntry
from sales import services
from sales.contracts import OrderDocument, OrderLine
from sales.models import PerformanceEntry, Sale, TotalMove
from sales.services.bulk import book_in_bulk
from sales.services.folding import fold_some
from sales.services.reading import digest_of_order, usable_order
from sales.services.reconciling import share_close_lock
from tests.members.points_kit import check_sums, make_member
from tests.sales.kit import TILL, assert_totals_agree, key_of, order

_GUIDES = 40


def make() -> str:
    """A buyer, and a point for every yuan; store and guide are the stack's. The moment at which all is sold."""
    EarningRule.objects.create(name="每元一分", fen_per_point=100)
    make_member("buyer")
    return (clock.now() - dt.timedelta(minutes=10)).isoformat()


@lru_cache(maxsize=1)
def _buyer() -> Member:
    return Member.objects.get()


def _order(order_no: str, *lines: OrderLine, **other: Any) -> OrderDocument:
    return order(order_no, *lines, **{"store_code": "S1", "serving_guide": "G1", **other})


def tell(*, order_no: str, sold_at: str, dies: bool = False) -> str:
    """What became of an order of 100 yuan by a member; `dies` ends the process when it is committed and nobody was
    told."""
    told = services.record_sale(
        order=_order(order_no, member=key_of(_buyer()), sold_at=dt.datetime.fromisoformat(sold_at)),
        actor=TILL,
    )
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return told.outcome


def pile(*, count: int) -> None:
    """So many orders of as many days, booked as a file's are: their totals wait. Of many guides, for what waits for one of
    them is folded together."""
    at = clock.now()
    store_id = Store.objects.get(code="S1").pk
    for number in range(_GUIDES):
        hire_guide(number=f"P{number}", name=f"导购{number}", store_id=store_id, actor=TILL)
    orders = [
        usable_order(
            _order(
                f"P{number}", sold_at=at - dt.timedelta(days=number), serving_guide=f"P{number % _GUIDES}"
            ),
            at=at,
        )
        for number in range(count)
    ]
    with transaction.atomic():
        told = book_in_bulk(
            orders=orders, digests=[digest_of_order(one) for one in orders], actor=TILL, at=at
        )
    assert len(told.booked) == count


def fold(*, size: int) -> int:
    """What waits, so many moves at a time, is in the totals; how many were folded here."""
    folded = 0
    while True:
        with transaction.atomic():
            share_close_lock()
            count = fold_some(size)
        if not count:
            return folded
        folded += count


def check(*, earned: int | None = None) -> None:
    """Each order is booked once, totals are what was booked, so many orders have earned points, and nothing waits."""
    assert not TotalMove.objects.exists()
    doubled = (
        PerformanceEntry.objects.filter(metric="sales_fen")
        .values("sale_ref")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
    )
    assert not doubled.exists()
    assert PerformanceEntry.objects.filter(metric="sales_fen").count() == Sale.objects.count()
    assert_totals_agree()
    check_sums()
    if earned is not None:
        # How many points an order brings is her tier's as well, which other tests of the stack may have left.
        entries = PointsEntry.objects.filter(kind="earn", source_key__startswith="sale:")
        assert entries.count() == earned, list(entries.values_list("source_key", "delta"))
