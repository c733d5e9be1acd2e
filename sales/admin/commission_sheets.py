"""Commission as workbooks: one table for payroll, one statement for a guide."""

import datetime as dt
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from django.utils.translation import gettext as _

from core.admin import Column
from core.workbooks import Kind, Sheet
from sales.contracts import CommissionCard, CommissionLineCard, CommissionSummary
from sales.selectors import PaidGuide


def month_sheet(found: Sequence[CommissionSummary]) -> Sheet:
    """One row a guide."""
    return Sheet(_("应发"), _summary_heads(), map(_summary_row, found))


def statement_sheets(card: CommissionCard) -> list[Sheet]:
    """The sums, and every line."""
    return [
        Sheet(_("提成单"), _summary_heads(), [_summary_row(card.summary)]),
        Sheet(_("明细"), _line_heads(), map(_line_row, card.lines)),
    ]


def draft_columns() -> list[Column]:
    """Of rows that `draft_row` makes."""
    heads: list[tuple[str, Kind]] = [
        (_("月份"), "text"), (_("计薪门店"), "text"), (_("工号"), "text"), (_("姓名"), "text"), *_line_heads(),
    ]  # fmt: skip
    return [Column(title, itemgetter(place), kind) for place, (title, kind) in enumerate(heads)]


def draft_row(month_on: dt.date, guide: PaidGuide, line: CommissionLineCard) -> Sequence[Any]:
    """A line of an open month, and whose it is."""
    return [f"{month_on:%Y-%m}", guide.store_name, guide.guide_number, guide.guide_name, *_line_row(line)]


def _summary_heads() -> list[tuple[str, Kind]]:
    return [
        (_("月份"), "text"), (_("门店"), "text"), (_("工号"), "text"), (_("姓名"), "text"), (_("计提业绩"), "fen"),
        (_("销售提成"), "fen"), (_("奖励"), "fen"), (_("追回和更正"), "fen"), (_("上月结转"), "fen"),
        (_("应发"), "fen"), (_("结转下月"), "fen"),
    ]  # fmt: skip


def _summary_row(one: CommissionSummary) -> Sequence[Any]:
    return [
        f"{one.month_on:%Y-%m}", one.store_name, one.guide_number, one.guide_name, one.sales_fen, one.earned_fen,
        one.bonus_fen, one.clawed_back_fen, one.carried_in_fen, one.payable_fen, one.carried_out_fen,
    ]  # fmt: skip


def _line_heads() -> list[tuple[str, Kind]]:
    return [
        (_("日期"), "day"), (_("事项"), "text"), (_("单号"), "text"), (_("成交门店"), "text"), (_("类目"), "text"),
        (_("归属占比"), "share"), (_("计提基数"), "fen"), (_("人数"), "count"), (_("比例"), "share"), (_("提成"), "fen"),
        (_("依据"), "text"), (_("追回哪个月"), "text"),
    ]  # fmt: skip


def _line_row(line: CommissionLineCard) -> Sequence[Any]:
    original = f"{line.original_month_on:%Y-%m}" if line.original_month_on else ""
    row: list[Any] = [
        line.day_on, line.kind_label, line.document_no, line.store_name, line.category_name, line.share_bp,
        line.base_fen, line.unit_count, line.rate_bp, line.fen, line.rule_words, original,
    ]  # fmt: skip
    return row
