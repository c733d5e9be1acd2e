"""Rows of orders and of whose they are, written by COPY: the same for one order and for a nightly file."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from core.codes import new_public_ids
from sales.contracts import OrderDocument
from sales.models import Attribution, AttributionShare, Sale, SaleCoupon, SaleLine, SalePayment
from sales.services.attributing import Decision
from sales.services.copying import copy_rows, draw_ids
from sales.services.references import References, day_of
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
    """An order that becomes a row. `rewards` are the values of REWARD_COLUMNS."""

    order: OrderDocument
    digest: bytes
    is_first: bool = False
    rewards: tuple[object, ...] = NO_REWARDS


def write_sales(*, sales: Sequence[NewSale], references: References, at: dt.datetime) -> list[int]:
    """The rows of these orders with their lines, payments and coupons; the ids of the sales, in order.

    They go in by their numbers: two who write the same orders at once wait for each other in one order.
    """
    sale_ids = draw_ids(model=Sale, count=len(sales))
    public_ids = new_public_ids(len(sales))
    numbered = [(sale_id, sale.order) for sale_id, sale in zip(sale_ids, sales, strict=True)]
    copy_rows(
        model=Sale,
        names=_SALE,
        rows=(
            _sale_row(sale_id, public_id, sale, references, at)
            for sale_id, public_id, sale in sorted(
                zip(sale_ids, public_ids, sales, strict=True),
                key=lambda one: (one[2].order.source, one[2].order.order_no),
            )
        ),
    )
    copy_rows(model=SaleLine, names=_LINE, rows=(
            (sale_id, number, references.product(line.product_code), line.category_code, line.quantity,
             line.list_fen, line.amount_fen, 0, 0)
            for sale_id, order in numbered
            for number, line in enumerate(order.lines, 1)
        ),
    )  # fmt: skip
    copy_rows(
        model=SalePayment,
        names=("sale", "method", "amount_fen"),
        rows=(
            (sale_id, paid.method, paid.amount_fen) for sale_id, order in numbered for paid in order.payments
        ),
    )
    copy_rows(
        model=SaleCoupon,
        names=("sale", "code", "discount_fen", "amount_fen", "outcome"),
        rows=(
            (sale_id, coupon.code, coupon.discount_fen, coupon.amount_fen, "pending")
            for sale_id, order in numbered
            for coupon in order.coupons
        ),
    )
    return sale_ids


def write_decisions(*, sale_ids: Sequence[int], decisions: Sequence[Decision], at: dt.datetime) -> None:
    """Whose each of these sales is, with its shares."""
    ids = draw_ids(model=Attribution, count=len(sale_ids))
    copy_rows(
        model=Attribution,
        names=_ATTRIBUTION,
        rows=(
            (attribution_id, sale_id, decision.rule_id, decision.rule_words, at, "", "", "", None)
            for attribution_id, sale_id, decision in zip(ids, sale_ids, decisions, strict=True)
        ),
    )
    copy_rows(
        model=AttributionShare,
        names=_SHARE,
        rows=(
            (attribution_id, place, share.role, share.guide_id, share.store_id, share.share_bp)
            for attribution_id, decision in zip(ids, decisions, strict=True)
            for place, share in enumerate(decision.shares)
        ),
    )


def _sale_row(
    sale_id: int, public_id: str, sale: NewSale, references: References, at: dt.datetime
) -> tuple[object, ...]:
    order = sale.order
    serving, sharing = (
        references.guide(order, number) for number in (order.serving_guide, order.sharing_guide)
    )
    return (
        sale_id, public_id, order.source, order.order_no, order.revision, True, sale.digest,
        references.member(order), references.store(order).store_id,
        None if serving is None else serving.guide_id, None if sharing is None else sharing.guide_id,
        order.channel, order.sold_at, day_of(min(order.sold_at, at)), sum(line.list_fen for line in order.lines),
        order.amount_fen, sum(line.quantity for line in order.lines), order.points_spent, 0, 0, sale.is_first,
        *sale.rewards, at,
    )  # fmt: skip
