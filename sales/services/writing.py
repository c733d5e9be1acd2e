"""Rows of orders and of whose they are: the same for one order and for a nightly file."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from core.codes import new_public_ids
from sales.contracts import OrderDocument
from sales.models import Attribution, AttributionShare, Sale, SaleCoupon, SaleLine, SalePayment
from sales.services.attributing import Decision
from sales.services.copying import NULL, Rows, Words, copy_word, draw_ids, write_rows
from sales.services.references import References
from sales.services.rewards import NO_REWARDS, REWARD_COLUMNS

_SALE: Final = (
    "id", "public_id", "source", "order_no", "revision", "is_current", "digest", "member", "store", "serving_guide",
    "sharing_guide", "channel", "sold_at", "business_on", "list_fen", "amount_fen", "unit_count", "points_spent",
    "returned_fen", "returned_unit_count", "is_first", *REWARD_COLUMNS, "recorded_at",
)  # fmt: skip
_LINE: Final = (
    "sale", "number", "product", "category_code", "quantity", "list_fen", "amount_fen", "returned_quantity",
    "returned_fen",
)  # fmt: skip
_ATTRIBUTION: Final = (
    "id", "sale", "rule", "rule_words", "made_at", "made_by", "reason", "request_key", "ended_at",
)  # fmt: skip
_SHARE: Final = ("attribution", "place", "role", "guide", "store", "share_bp")


@dataclasses.dataclass(frozen=True, slots=True)
class NewSale:
    """An order that becomes a row, whose it is and on which business day. `rewards` are the values of REWARD_COLUMNS."""

    order: OrderDocument
    digest: bytes
    member_id: int | None
    business_on: dt.date
    is_first: bool = False
    rewards: tuple[object, ...] = NO_REWARDS


def write_sales(*, sales: Sequence[NewSale], references: References, at: dt.datetime) -> list[int]:
    """The rows of these orders with their lines, payments and coupons; the ids of the sales, in order."""
    sale_ids = draw_ids(model=Sale, count=len(sales))
    write_rows(*rows_of_sales(sale_ids=sale_ids, sales=sales, references=references, at=at))
    return sale_ids


def rows_of_sales(
    *, sale_ids: Sequence[int], sales: Sequence[NewSale], references: References, at: dt.datetime
) -> list[Rows]:
    """What is written of these orders. They go in by their numbers: two who write the same orders at once wait for each
    other in one order."""
    numbered = [(sale_id, sale.order) for sale_id, sale in zip(sale_ids, sales, strict=True)]
    by_number = sorted(
        zip(sale_ids, new_public_ids(len(sales)), sales, strict=True),
        key=lambda one: (one[2].order.source, one[2].order.order_no),
    )
    moments, texts = Words(), _Texts()
    lines = (
        f"{sale_id}\t{number}\t{references.product(line.product_code)}\t{texts[line.category_code]}\t{line.quantity}\t"
        f"{line.list_fen}\t{line.amount_fen}\t0\t0"
        for sale_id, order in numbered
        for number, line in enumerate(order.lines, 1)
    )
    payments = (
        f"{sale_id}\t{copy_word(paid.method)}\t{paid.amount_fen}"
        for sale_id, order in numbered
        for paid in order.payments
    )
    coupons = (
        f"{sale_id}\t{copy_word(coupon.code)}\t{coupon.discount_fen}\t{coupon.amount_fen}\tpending"
        for sale_id, order in numbered
        for coupon in order.coupons
    )
    return [
        Rows(Sale, _SALE, (_sale_line(*one, references, moments[at], moments, texts) for one in by_number)),
        Rows(SaleLine, _LINE, lines),
        Rows(SalePayment, ("sale", "method", "amount_fen"), payments),
        Rows(SaleCoupon, ("sale", "code", "discount_fen", "amount_fen", "outcome"), coupons),
    ]


def write_decisions(*, sale_ids: Sequence[int], decisions: Sequence[Decision], at: dt.datetime) -> None:
    """Whose each of these sales is, with its shares."""
    ids = draw_ids(model=Attribution, count=len(sale_ids))
    write_rows(*rows_of_decisions(ids=ids, sale_ids=sale_ids, decisions=decisions, at=at))


def rows_of_decisions(
    *, ids: Sequence[int], sale_ids: Sequence[int], decisions: Sequence[Decision], at: dt.datetime
) -> list[Rows]:
    """What is written of them."""
    made_at = str(at)
    made = (
        f"{attribution_id}\t{sale_id}\t{NULL if decision.rule_id is None else decision.rule_id}\t"
        f"{copy_word(decision.rule_words)}\t{made_at}\t\t\t\t{NULL}"
        for attribution_id, sale_id, decision in zip(ids, sale_ids, decisions, strict=True)
    )
    shares = (
        f"{attribution_id}\t{place}\t{share.role}\t{NULL if share.guide_id is None else share.guide_id}\t{share.store_id}\t"
        f"{share.share_bp}"
        for attribution_id, decision in zip(ids, decisions, strict=True)
        for place, share in enumerate(decision.shares)
    )
    return [Rows(Attribution, _ATTRIBUTION, made), Rows(AttributionShare, _SHARE, shares)]


class _Texts(dict[str, str]):
    """Texts that come again and again as values of COPY, each worked out once."""

    def __missing__(self, text: str) -> str:
        self[text] = word = copy_word(text)
        return word


def _sale_line(
    sale_id: int,
    public_id: str,
    sale: NewSale,
    references: References,
    recorded_at: str,
    days: Words,
    texts: _Texts,
) -> str:
    order, member_id = sale.order, sale.member_id
    serving, sharing = references.guides(order)
    list_fen = units = 0
    for line in order.lines:
        list_fen += line.list_fen
        units += line.quantity
    points_round, spent_round, activity_round, earned, counted_fen, counted_orders, taken, outcome = (
        sale.rewards
    )
    return (
        f"{sale_id}\t{public_id}\t{texts[order.source]}\t{copy_word(order.order_no)}\t{order.revision}\tt\t"
        f"\\\\x{sale.digest.hex()}\t{NULL if member_id is None else member_id}\t{references.store(order).store_id}\t"
        f"{NULL if serving is None else serving.guide_id}\t{NULL if sharing is None else sharing.guide_id}\t"
        f"{texts[order.channel]}\t{order.sold_at}\t{days[sale.business_on]}\t{list_fen}\t{order.amount_fen}\t{units}\t"
        f"{order.points_spent}\t0\t0\t{'t' if sale.is_first else 'f'}\t{points_round}\t{spent_round}\t{activity_round}\t"
        f"{earned}\t{counted_fen}\t{counted_orders}\t{taken}\t{texts[str(outcome)]}\t{recorded_at}"
    )
