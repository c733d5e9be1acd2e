"""Orders as guides and managers see them: whose they are and why, what came back, and what counts for whom."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db import connection

from guides import selectors as guide_selectors
from sales.contracts import (
    AttributionCard,
    EntryLine,
    GoodsLine,
    ReturnNote,
    SaleCard,
    SaleLines,
    SaleOfMine,
    Span,
)
from sales.errors import NoSuchSale
from sales.models import AttributionShare, PerformanceEntry, Sale, SaleLine, SaleReturn
from sales.selectors.attribution import cards_of_shares, list_live_attributions, with_decisions
from sales.selectors.reviews import rating_of, with_rating

# Orders with an entry in the span, the newest sale first, under their current revision.
_DOCUMENTS: Final = """
SELECT sale.id, of_mine.value FROM (
    SELECT said.source, said.order_no,
           coalesce(sum(entry.value) FILTER (WHERE entry.metric = 'sales_fen'), 0)::bigint AS value
    FROM sales_performanceentry entry JOIN sales_sale said ON said.id = entry.sale_ref
    WHERE entry.booked_on >= %(since)s AND entry.booked_on < %(until)s AND {whose}
    GROUP BY said.source, said.order_no
    HAVING sum(entry.value) FILTER (WHERE entry.metric = %(metric)s) <> 0
        OR %(metric)s = 'sales_fen' AND bool_or(entry.metric = 'sales_fen')) of_mine
JOIN sales_sale sale ON sale.source = of_mine.source AND sale.order_no = of_mine.order_no AND sale.is_current
ORDER BY sale.sold_at DESC, sale.id DESC LIMIT %(limit)s OFFSET %(offset)s
"""
_OF_GUIDE: Final = _DOCUMENTS.format(whose="entry.guide_id = %(ref)s")
_OF_STORE: Final = _DOCUMENTS.format(whose="entry.store_id = %(ref)s")
_OF_GUIDE_THERE: Final = _DOCUMENTS.format(whose="entry.store_id = %(ref)s AND entry.guide_id = %(guide)s")

# The page of an order is that of its current revision, and only for who has or had a part in that.
_PAGES: Final = """
SELECT said.id, sale.public_id FROM sales_sale said
JOIN sales_sale sale ON sale.source = said.source AND sale.order_no = said.order_no AND sale.is_current
WHERE said.id = ANY(%s) AND EXISTS (
    SELECT FROM sales_attribution given JOIN sales_attributionshare share ON share.attribution_id = given.id
    WHERE given.sale_id = sale.id AND share.guide_id = %s)
"""

_CURRENT: Final = """
SELECT said.id, sale.id FROM sales_sale said
JOIN sales_sale sale ON sale.source = said.source AND sale.order_no = said.order_no AND sale.is_current
WHERE said.id = ANY(%(asked)s::bigint[]) AND (%(is_whole)s OR sale.store_id = ANY(%(stores)s::bigint[]))
"""


def list_guide_sales(
    guide_id: int, span: Span, *, metric: str = "sales_fen", limit: int = 20, offset: int = 0
) -> SaleLines:
    """The orders behind a number of hers, the newest first."""
    return _sales(_OF_GUIDE, guide_id, span, metric, limit, offset)


def list_store_sales(
    store_id: int,
    span: Span,
    *,
    guide_id: int | None = None,
    metric: str = "sales_fen",
    limit: int = 20,
    offset: int = 0,
) -> SaleLines:
    """The orders behind a number of a store, or of one guide in it."""
    if guide_id is None:
        return _sales(_OF_STORE, store_id, span, metric, limit, offset)
    return _sales(_OF_GUIDE_THERE, store_id, span, metric, limit, offset, guide=guide_id)


def access_sale(*, public_id: str, guide_id: int, managed_store_id: int | None) -> SaleCard:
    """An order in which this guide has or had a part, or one of the store she manages; its entries are hers, or
    everybody's for the manager. Raises NoSuchSale for any other and for a replaced revision."""
    sale = with_rating(Sale.objects.current()).filter(public_id=public_id.replace("\0", "")[:17]).first()
    if sale is None:
        raise NoSuchSale
    shares = with_decisions(AttributionShare.objects.filter(attribution__sale=sale))
    is_managed = managed_store_id is not None and (
        sale.store_id == managed_store_id or any(share.store_id == managed_store_id for share in shares)
    )
    if not is_managed and all(share.guide_id != guide_id for share in shares):
        raise NoSuchSale
    return _card(sale, shares, guide_id=None if is_managed else guide_id)


def find_order_pages(sale_ids: Iterable[int], *, guide_id: int) -> dict[int, str]:
    """Under which public id this guide may open these orders, by the id of any of their revisions; those that
    `access_sale` would not show her are left out."""
    asked = list(set(sale_ids))
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_PAGES, [asked, guide_id])
        return dict(cursor.fetchall())


def find_current_sales(sale_ids: Iterable[int], *, store_ids: Collection[int] | None) -> dict[int, int]:
    """The row of the current revision of each of these orders, by the id of any of its revisions; only those that these
    stores sold (None: all)."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CURRENT,
            {
                "asked": list(set(sale_ids)),
                "is_whole": store_ids is None,
                "stores": list(store_ids or ()),
            },
        )
        return dict(cursor.fetchall())


def get_sale_card(sale_id: int) -> SaleCard:
    """An order with its lines, returns and decisions, and everybody's entries in money. Raises NoSuchSale."""
    sale = with_rating(Sale.objects.filter(pk=sale_id)).first()
    if sale is None:
        raise NoSuchSale
    return _card(sale, with_decisions(AttributionShare.objects.filter(attribution__sale=sale)), guide_id=None)


def _card(sale: Any, shares: Sequence[AttributionShare], *, guide_id: int | None) -> SaleCard:
    entries = _entries(sale, guide_id)
    people = {share.guide_id for share in shares} | {entry.guide_id for entry in entries}
    places = {share.store_id for share in shares} | {entry.store_id for entry in entries}
    guides = guide_selectors.list_guide_names(one for one in people if one is not None)
    stores = guide_selectors.list_store_names({sale.store_id} | places)
    lines = SaleLine.objects.filter(sale=sale).select_related("product").order_by("number")
    returns = SaleReturn.objects.filter(sale=sale).order_by("returned_at", "pk")
    return SaleCard(
        id=sale.pk,
        public_id=sale.public_id,
        order_no=sale.order_no,
        channel=sale.channel,
        member_id=sale.member_id,
        store_id=sale.store_id,
        store_name=stores.get(sale.store_id, ""),
        sold_at=sale.sold_at,
        amount_fen=sale.amount_fen,
        returned_fen=sale.returned_fen,
        is_first=sale.is_first,
        goods=tuple(
            GoodsLine(
                str(line.product), line.quantity, line.amount_fen, line.returned_quantity, line.returned_fen
            )
            for line in lines
        ),
        returns=tuple(ReturnNote(given.return_no, given.returned_at, given.amount_fen) for given in returns),
        attributions=tuple(cards_of_shares(shares, guides=guides, stores=stores)),
        entries=tuple(_entry_line(row, guides, stores) for row in entries),
        rating=rating_of(sale),
    )


def _sales(
    statement: str, ref: int, span: Span, metric: str, limit: int, offset: int, **more: int
) -> SaleLines:
    asked: dict[str, Any] = more | {
        "ref": ref,
        "since": span.starts_on,
        "until": span.ends_on,
        "metric": metric,
        "limit": limit + 1,
        "offset": offset,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        found: list[tuple[int, int]] = cursor.fetchall()
    parts = dict(found[:limit])
    sales = with_rating(Sale.objects.all()).in_bulk(parts)
    cards = list_live_attributions(list(parts))
    stores = guide_selectors.list_store_names({sale.store_id for sale in sales.values()})
    lines = tuple(
        _line_of(
            sales[sale_id],
            part,
            cards.get(sale_id),
            stores.get(sales[sale_id].store_id, ""),
        )
        for sale_id, part in parts.items()
    )
    return SaleLines(lines, offset + limit if len(found) > limit else None)


def _line_of(sale: Any, part: int, card: AttributionCard | None, store_name: str) -> SaleOfMine:
    return SaleOfMine(
        public_id=sale.public_id,
        order_no=sale.order_no,
        store_name=store_name,
        sold_at=sale.sold_at,
        amount_fen=sale.amount_fen,
        returned_fen=sale.returned_fen,
        part_fen=part,
        words="" if card is None else card.words,
        rating=rating_of(sale),
    )


def _entries(sale: Sale, guide_id: int | None) -> list[PerformanceEntry]:
    """In the order in which they were written, over all revisions of the order."""
    revisions = [sale.pk]
    if sale.revision:
        of_order = Sale.objects.filter(source=sale.source, order_no=sale.order_no)
        revisions = list(of_order.values_list("pk", flat=True))
    rows = PerformanceEntry.objects.filter(sale_ref__in=revisions, metric="sales_fen").order_by("pk")
    return list(rows if guide_id is None else rows.filter(guide_id=guide_id))


def _entry_line(row: PerformanceEntry, guides: Mapping[int, str], stores: Mapping[int, str]) -> EntryLine:
    return EntryLine(
        booked_on=row.booked_on,
        due_on=row.due_on,
        who=stores.get(row.store_id, "") if row.guide_id is None else guides.get(row.guide_id, ""),
        reason_label=str(row.get_reason_display()),
        is_reversal=row.reversed_entry_id is not None,
        value=row.value,
    )
