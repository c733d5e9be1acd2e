"""Documents as tills tell them, and the ledger as tests read it."""

import datetime as dt
from typing import Any

from django.db.models import Sum

from core import clock
from core.actor import Actor
from sales import services
from sales.contracts import (
    DocumentOutcome,
    MemberKey,
    OrderDocument,
    OrderLine,
    ReturnDocument,
    ReturnLine,
)
from sales.models import GuideStoreTotal, GuideTotal, PerformanceEntry, StoreTotal
from tests.emptying import forget

TILL = Actor.system("till")
_BOOKS = (
    "sales_performanceentry", "sales_guidetotal", "sales_guidestoretotal", "sales_storetotal", "sales_boardsize",
    "sales_boardmove", "sales_attributionshare", "sales_attribution", "sales_salereturnline", "sales_salereturn",
    "sales_saleline", "sales_salepayment", "sales_salecoupon", "sales_sale", "sales_helddocument",
)  # fmt: skip


def forget_books(*others: str) -> None:
    """As before the first document, and these tables are empty too; the chain and its people stay. For tests that commit."""
    forget(*_BOOKS, *others)


def line(code: str = "A1", amount_fen: int = 10_000, **other: Any) -> OrderLine:
    """One unit at its list price."""
    values: dict[str, Any] = {
        "quantity": 1,
        "list_fen": amount_fen,
        "category_code": "tops",
        "product_name": "针织衫",
    } | other
    return OrderLine(product_code=code, amount_fen=amount_fen, **values)


def earlier_today(minutes: int) -> dt.datetime:
    """So many minutes ago, and not yesterday when a test runs just after midnight."""
    now = clock.now()
    return max(now - dt.timedelta(minutes=minutes), clock.day_bounds(clock.business_day(now))[0])


def order(order_no: str = "O1", *lines: OrderLine, **other: Any) -> OrderDocument:
    """An order of store T01, served by 李娜 (T001), of nobody."""
    lines = lines or (line(),)
    values: dict[str, Any] = {
        "source": "pos",
        "sold_at": earlier_today(10),
        "store_code": "T01",
        "channel": "store",
        "serving_guide": "T001",
        "amount_fen": sum(one.amount_fen for one in lines),
    } | other
    return OrderDocument(order_no=order_no, lines=lines, **values)


def back(return_no: str = "R1", *lines: ReturnLine, order_no: str = "O1", **other: Any) -> ReturnDocument:
    """A return of the first line of O1 in store T01."""
    lines = lines or (ReturnLine(product_code="A1", quantity=1, amount_fen=10_000, line_number=1),)
    values: dict[str, Any] = {
        "source": "pos",
        "returned_at": earlier_today(1),
        "store_code": "T01",
        "amount_fen": sum(one.amount_fen for one in lines),
    } | other
    return ReturnDocument(return_no=return_no, order_no=order_no, lines=lines, **values)


def key_of(member: Any) -> MemberKey:
    """How a till names a member of the cast: by her code."""
    return MemberKey("member_code", member.code)


def tell(*documents: OrderDocument | ReturnDocument, at: dt.datetime | None = None) -> list[DocumentOutcome]:
    """All of them in one batch."""
    return list(services.record_documents(documents=documents, actor=TILL, at=at))


def ledger(**where: Any) -> dict[str, int]:
    """The sum of each metric over the entries that fit; those that add up to nothing are missing."""
    rows = PerformanceEntry.objects.filter(**where).values("metric").annotate(total=Sum("value"))
    return {row["metric"]: row["total"] for row in rows if row["total"]}


def by_guide() -> dict[tuple[int | None, int, str, str], int]:
    """Entries summed by guide, store, metric and month: what every total must agree with."""
    rows = PerformanceEntry.objects.values("guide_id", "store_id", "metric", "booked_on", "value")
    sums: dict[tuple[int | None, int, str, str], int] = {}
    for row in rows:
        key = (row["guide_id"], row["store_id"], row["metric"], f"{row['booked_on']:%Y-%m}")
        sums[key] = sums.get(key, 0) + row["value"]
    return {key: value for key, value in sums.items() if value}


def assert_totals_agree() -> None:
    """Totals of guides and stores are what the entries add up to, in every period; the job finds nothing to mend."""
    days = PerformanceEntry.objects.values_list("booked_on", flat=True)
    if not days:
        assert not GuideTotal.objects.exclude(value=0).exists()
        assert not GuideStoreTotal.objects.exclude(value=0).exists()
        return
    told = services.prove_totals(since=min(days), until=max(days) + dt.timedelta(days=1), actor=TILL)
    assert told == ()
    months = GuideStoreTotal.objects.filter(period="month").exclude(value=0)
    assert {
        (row.guide_id, row.store_id, row.metric, f"{row.starts_on:%Y-%m}"): row.value for row in months
    } == {key: value for key, value in by_guide().items() if key[0] is not None}
    stores: dict[tuple[int, str, str], int] = {}
    for (_guide, store, metric, month), value in by_guide().items():
        stores[(store, metric, month)] = stores.get((store, metric, month), 0) + value
    rows = StoreTotal.objects.filter(period="month").exclude(value=0)
    assert {(row.store_id, row.metric, f"{row.starts_on:%Y-%m}"): row.value for row in rows} == {
        key: value for key, value in stores.items() if value
    }
