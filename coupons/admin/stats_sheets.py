"""The numbers and the rows behind them as sheets."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from core.workbooks import Kind, Sheet
from coupons.admin.stats_form import BY_WORDS, Asked
from coupons.admin.stats_words import columns_of, tail
from coupons.contracts import CouponNumbers, EntryLine, StatsLine
from guides import selectors as guide_selectors

_KINDS: Final[dict[str, Kind]] = {
    "redeemed_bp": "share",
    "cost_bp": "share",
    "discount_fen": "fen",
    "sales_fen": "fen",
    "return_hundredths": "times",
}


def stats_sheets(
    asked: Asked, lines: Sequence[StatsLine], days: Sequence[StatsLine], filters: Sequence[str]
) -> list[Sheet]:
    """The table as it is asked for, the days, and what was asked."""
    by = str(BY_WORDS[asked.by])
    asked_for = Sheet(_("说明"), [(_("查询条件"), "text")], [[word] for word in filters])
    of_days = columns_of(asked.query, "day")
    daily = Sheet(
        _("每天"),
        [(_("日期"), "day"), *_heads(of_days)],
        ([dt.date.fromisoformat(line.key), *_cells(line.numbers, of_days)] for line in days),
    )
    if asked.by == "day":
        return [daily, asked_for]
    columns = columns_of(asked.query, asked.by)
    table = Sheet(
        _("按%(by)s") % {"by": by},
        [(by, "text"), *_heads(columns)],
        ([line.label, *_cells(line.numbers, columns)] for line in lines),
    )
    return [table, daily, asked_for]


def entry_sheets(lines: Sequence[EntryLine]) -> list[Sheet]:
    """Redemptions, returns and reversals, one line each, with the day of the redemption they belong to."""
    names = {pk: label.name for pk, label in guide_selectors.list_store_labels().items()}
    heads: list[tuple[str, Kind]] = [
        (_("计入日期"), "day"), (_("事项"), "text"), (_("核销日期"), "day"), (_("券码尾号"), "text"), (_("批次"), "text"),
        (_("发券门店"), "text"), (_("核销门店"), "text"), (_("订单号"), "text"), (_("销售额"), "fen"), (_("优惠金额"), "fen"),
    ]  # fmt: skip
    rows = (
        [
            line.day, line.what_label, line.redeemed_on, tail(line.code), line.batch_name,
            names.get(line.issued_store_id or 0), names.get(line.store_id), line.order_no, line.sales_fen,
            line.discount_fen,
        ]
        for line in lines
    )  # fmt: skip
    return [Sheet(_("核销明细"), heads, rows)]


def _heads(columns: Sequence[tuple[str, Any]]) -> list[tuple[str, Kind]]:
    return [(str(words), _KINDS.get(name, "count")) for name, words in columns]


def _cells(numbers: CouponNumbers, columns: Sequence[tuple[str, Any]]) -> list[Any]:
    return [getattr(numbers, name) for name, _words in columns]
