"""A member's own purchases: current revisions of her orders, the newest first, and one of them whole."""

from typing import Any, Final

from core.compiled import ask
from guides import selectors as guide_selectors
from sales.contracts import (
    OwnCoupon,
    OwnGoods,
    OwnOrder,
    OwnOrderCard,
    OwnOrderPage,
    OwnPayment,
    OwnReturn,
)
from sales.errors import NoSuchSale

_GOODS_SHOWN: Final = 5
_TAIL: Final = 4
_COLUMNS: Final = """
sale.id, sale.public_id, sale.order_no, sale.channel, sale.sold_at, sale.store_id, sale.list_fen, sale.amount_fen,
sale.returned_fen, sale.unit_count, sale.returned_unit_count, sale.points_earned, sale.points_taken
"""
_NAME: Final = "coalesce(nullif(product.name, ''), product.code)"
_PAGE: Final = """
SELECT {columns}, array(
    SELECT {name} FROM sales_saleline line JOIN sales_product product ON product.id = line.product_id
    WHERE line.sale_id = sale.id ORDER BY line.number LIMIT {shown})
FROM sales_sale sale WHERE sale.member_id = %(member_id)s AND sale.is_current {after}
ORDER BY sale.sold_at DESC, sale.id DESC LIMIT %(limit)s
"""
_WORDS: Final = {"columns": _COLUMNS, "name": _NAME, "shown": _GOODS_SHOWN}
_FIRST_PAGE: Final = _PAGE.format(after="", **_WORDS)
# The order where the page before ended may have been corrected since: its row and its place are kept.
_NEXT_PAGE: Final = _PAGE.format(
    after="AND (sale.sold_at, sale.id) < (SELECT sold_at, id FROM sales_sale WHERE id = %(place)s)", **_WORDS
)
_ORDER: Final = """
SELECT #columns FROM sales_sale sale
WHERE sale.public_id = %(public_id)s AND sale.member_id = %(member_id)s AND sale.is_current
""".replace("#columns", _COLUMNS)
_LINES: Final = """
SELECT #name, product.code, line.quantity, line.list_fen, line.amount_fen, line.returned_quantity, line.returned_fen
FROM sales_saleline line JOIN sales_product product ON product.id = line.product_id
WHERE line.sale_id = %(sale_id)s ORDER BY line.number
""".replace("#name", _NAME)
# Corrections keep the returns of the revision they replace with it; a return stands with the newest.
_OTHERS: Final = """
SELECT 'payment', method, NULL, amount_fen, NULL::timestamptz, NULL::bigint, NULL::integer
FROM sales_salepayment WHERE sale_id = %(sale_id)s
UNION ALL
SELECT 'coupon', code, outcome, discount_fen, NULL, NULL, NULL FROM sales_salecoupon WHERE sale_id = %(sale_id)s
UNION ALL
SELECT 'return', return_no, NULL, amount_fen, returned_at, store_id, unit_count FROM sales_salereturn
WHERE sale_id = %(sale_id)s ORDER BY 1, 5, 2
"""
_COUNTING: Final = frozenset({"redeemed", "known"})


def list_own_orders(member_id: int, *, place: int | None = None, limit: int = 20) -> OwnOrderPage:
    """A page of her orders; `place` is the `next_place` of the page before."""
    values: dict[str, Any] = {"member_id": member_id, "limit": limit + 1}
    rows = ask(_FIRST_PAGE, values) if place is None else ask(_NEXT_PAGE, values | {"place": place})
    stores = guide_selectors.list_store_names({row[5] for row in rows})
    orders = tuple(_order(row, stores, goods=tuple(row[13])) for row in rows[:limit])
    return OwnOrderPage(orders, rows[limit - 1][0] if len(rows) > limit else None)


def access_own_order(member_id: int, public_id: str) -> OwnOrderCard:
    """One of her orders whole. Raises NoSuchSale for anybody else's, for a replaced revision and for none alike."""
    rows = ask(_ORDER, {"member_id": member_id, "public_id": public_id[:17]})
    if not rows:
        raise NoSuchSale
    sale_id = {"sale_id": rows[0][0]}
    lines = tuple(OwnGoods(*row) for row in ask(_LINES, sale_id))
    others = ask(_OTHERS, sale_id)
    returns = [row for row in others if row[0] == "return"]
    stores = guide_selectors.list_store_names({rows[0][5], *(row[5] for row in returns)})
    return OwnOrderCard(
        order=_order(rows[0], stores, goods=tuple(line.name for line in lines[:_GOODS_SHOWN])),
        lines=lines,
        payments=tuple(OwnPayment(row[1], row[3]) for row in others if row[0] == "payment"),
        coupons=tuple(
            OwnCoupon(row[1][-_TAIL:], row[3], row[2] in _COUNTING) for row in others if row[0] == "coupon"
        ),
        returns=tuple(OwnReturn(row[1], row[4], stores.get(row[5], ""), row[3], row[6]) for row in returns),
    )


def _order(row: tuple[Any, ...], stores: dict[int, str], *, goods: tuple[str, ...]) -> OwnOrder:
    return OwnOrder(
        public_id=row[1],
        order_no=row[2],
        channel=row[3],
        sold_at=row[4],
        store_id=row[5],
        store_name=stores.get(row[5], ""),
        list_fen=row[6],
        amount_fen=row[7],
        returned_fen=row[8],
        unit_count=row[9],
        returned_unit_count=row[10],
        points_earned=row[11],
        points_spent=row[12],
        goods=goods,
    )
