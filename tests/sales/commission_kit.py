"""Commission as tests read it."""

import datetime as dt
from typing import Any

from django.db.models import Sum

from sales import services
from sales.models import CommissionLine, CommissionRule, CommissionStatement, PerformanceEntry
from sales.selectors.commission_drafts import StatementDraft, draft_statements
from sales.selectors.commission_sources import list_terms
from sales.selectors.commission_sums import sum_statements
from sales.selectors.commission_whose import list_paid_guides
from sales.selectors.spans import add_months
from tests.sales.kit import TILL

_SUMS = (
    "sales_fen", "earned_fen", "bonus_fen", "clawed_back_fen", "carried_in_fen", "payable_fen", "carried_out_fen",
)  # fmt: skip


def rule(position: int = 1, **other: Any) -> CommissionRule:
    """Three percent of everything."""
    values: dict[str, Any] = {"name": "销售提成", "kind": "sales", "steps": [[0, 300, 0]]} | other
    return CommissionRule.objects.create(position=position, **values)


def prepare(month: dt.date) -> int:
    """The month's statements, looked at on the first day after it."""
    at = dt.datetime.combine(add_months(month, 1), dt.time(4), dt.UTC)
    return services.prepare_commission(month_on=month, actor=TILL, at=at)


def close(month: dt.date) -> None:
    """Prepared and confirmed."""
    prepare(month)
    confirm(month)


def confirm(month: dt.date) -> None:
    live = CommissionStatement.objects.filter(month__month_on=month, is_live=True)
    payable = live.aggregate(total=Sum("payable_fen"))["total"] or 0
    services.close_commission(month_on=month, payable_fen=payable, actor=TILL)


def draft(month: dt.date, guide_id: int) -> StatementDraft | None:
    """Her statement of an open month."""
    return next(iter(draft_statements(month, [guide_id])), None)


def assert_sums_are_the_lines(month: dt.date) -> None:
    """What the list of an open month says of everybody is what her lines add up to."""
    names = ("guide_id", "store_id", *_SUMS)
    drafts = [tuple(getattr(one, name) for name in names) for one in draft_statements(month)]
    summed = [tuple(getattr(one, name) for name in names) for one in sum_statements(month, [list_terms()])[0]]
    assert summed == drafts
    # A page of the list asks for some guides only.
    alone = [
        tuple(getattr(one, name) for name in names)
        for guide in drafts
        for one in sum_statements(month, [list_terms()], [guide[0]])[0]
    ]
    assert alone == drafts
    paid = {one.guide_id: one.store_id for one in list_paid_guides(month)}
    assert {guide[0]: guide[1] for guide in drafts}.items() <= paid.items()


def settled(guide_id: int) -> CommissionStatement:
    """Her newest statement."""
    return CommissionStatement.objects.filter(guide_id=guide_id, is_live=True).order_by("-pk")[0]


def lines(guide_id: int, month: dt.date) -> list[CommissionLine]:
    return list(
        CommissionLine.objects.filter(
            statement__guide_id=guide_id, statement__month__month_on=month, is_live=True
        ).order_by("number")
    )


def ledger_fen(guide_id: int) -> int:
    """What the ledger says she sold, ever."""
    rows = PerformanceEntry.objects.filter(guide_id=guide_id, metric="sales_fen")
    return rows.aggregate(total=Sum("value"))["total"] or 0
