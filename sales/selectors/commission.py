"""Statements as they are shown: stored ones of months that are prepared or closed, computed ones of open months."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal

from core import clock
from guides import selectors as guide_selectors
from sales.contracts import CommissionCard, CommissionLineCard, CommissionSummary
from sales.models import (
    Category,
    CommissionLine,
    CommissionMonth,
    CommissionState,
    CommissionStatement,
    LineKind,
)
from sales.selectors.commission_drafts import LineDraft, StatementDraft, draft_statements
from sales.selectors.commission_sources import list_terms
from sales.selectors.commission_sums import StatementSums, sum_statements
from sales.selectors.commission_terms import CommissionTerms
from sales.selectors.spans import add_months

_MONTHS: Final = 12
_SUMS: Final = (
    "sales_fen", "earned_fen", "bonus_fen", "clawed_back_fen", "carried_in_fen", "payable_fen", "carried_out_fen",
)  # fmt: skip
State = Literal["open", "preparing", "prepared", "closed"]


def get_commission(guide_id: int, month_on: dt.date) -> CommissionCard:
    """A guide's statement of a month, with noughts where there is nothing. Raises NotFound for an unknown guide."""
    month_on = month_on.replace(day=1)
    state = state_of(month_on)
    row = CommissionStatement.objects.filter(
        month__month_on=month_on, guide_id=guide_id, is_live=True
    ).first()
    if row is not None:
        return commission_card_of(row)
    if state in {"open", "preparing"}:
        draft = next(iter(draft_statements(month_on, [guide_id])), None)
        if draft is None:
            store = guide_selectors.get_guide_card(guide_id).store
            draft = StatementDraft(guide_id, store.id, 0, [])
        return CommissionCard(_summaries([draft], month_on, state)[0], _line_cards(draft.lines))
    store = guide_selectors.get_guide_card(guide_id).store
    return CommissionCard(_summaries([StatementDraft(guide_id, store.id, 0, [])], month_on, state)[0], ())


def commission_card_of(row: CommissionStatement) -> CommissionCard:
    """A stored statement."""
    month = CommissionMonth.objects.get(pk=row.month_id)
    lines = list(CommissionLine.objects.filter(statement=row).order_by("number"))
    return CommissionCard(_summaries([row], month.month_on, month.state)[0], _line_cards(lines))


def list_commissions(
    month_on: dt.date, *, store_ids: Collection[int] | None = None
) -> tuple[CommissionSummary, ...]:
    """Everybody's statement of a month whom one of these stores pays (None: everybody), by store and number; while
    statements are being written, of those who have one."""
    month_on = month_on.replace(day=1)
    state = state_of(month_on)
    rows: Iterable[CommissionStatement | StatementSums]
    if state == "open":
        rows = sum_statements(month_on, [list_terms()])[0]
    else:
        rows = CommissionStatement.objects.filter(month__month_on=month_on, is_live=True)
    kept = [row for row in rows if store_ids is None or row.store_id in store_ids]
    return _in_order(_summaries(kept, month_on, state))


def try_commissions(
    month_on: dt.date, term_sets: Sequence[Sequence[CommissionTerms]]
) -> list[tuple[CommissionSummary, ...]]:
    """Everybody's statement of an open month under each of these sets of rules."""
    found = sum_statements(month_on.replace(day=1), term_sets)
    return [_in_order(_summaries(rows, month_on, CommissionState.OPEN)) for rows in found]


def _in_order(found: Iterable[CommissionSummary]) -> tuple[CommissionSummary, ...]:
    return tuple(sorted(found, key=lambda one: (one.store_name, one.guide_number)))


def state_of(month_on: dt.date) -> State:
    """How far a month is."""
    found = CommissionMonth.objects.filter(month_on=month_on).values_list("state", flat=True).first()
    return found or CommissionState.OPEN.value  # type: ignore[return-value]


def list_commission_months(at: dt.datetime | None = None) -> tuple[tuple[dt.date, State], ...]:
    """This month and those before it, a year, each with how far it is; none from before commission began."""
    this = clock.business_day(at or clock.now()).replace(day=1)
    states: dict[dt.date, State] = dict(CommissionMonth.objects.values_list("month_on", "state"))  # type: ignore[arg-type]
    first = min(states, default=add_months(this, -1))
    months = [add_months(this, -back) for back in range(_MONTHS)]
    return tuple((month, states.get(month, "open")) for month in months if month >= first)


def next_commission_month() -> dt.date | None:
    """The month after the newest that is closed: the only one that may be prepared. None: any may be the first."""
    newest = CommissionMonth.objects.filter(state=CommissionState.CLOSED).order_by("-month_on").first()
    return None if newest is None else add_months(newest.month_on, 1)


def _summaries(
    rows: Sequence[CommissionStatement | StatementDraft | StatementSums], month_on: dt.date, state: str
) -> list[CommissionSummary]:
    guides = guide_selectors.list_guide_tags([row.guide_id for row in rows])
    stores = guide_selectors.list_store_names({row.store_id for row in rows})
    return [
        CommissionSummary(
            id=row.pk if isinstance(row, CommissionStatement) else None,
            month_on=month_on,
            state=state,  # type: ignore[arg-type]
            guide_id=row.guide_id,
            guide_number=guides[row.guide_id][0],
            guide_name=guides[row.guide_id][1],
            store_id=row.store_id,
            store_name=stores.get(row.store_id, ""),
            **{name: getattr(row, name) for name in _SUMS},
        )
        for row in rows
    ]


def _line_cards(lines: Sequence[CommissionLine | LineDraft]) -> tuple[CommissionLineCard, ...]:
    stores = guide_selectors.list_store_names({line.store_id for line in lines})
    codes = {line.category_code for line in lines if line.category_code}
    categories: Mapping[str, str] = dict(Category.objects.filter(code__in=codes).values_list("code", "name"))
    originals = dict(
        CommissionLine.objects.filter(
            pk__in={line.original_id for line in lines if line.original_id}
        ).values_list("pk", "statement__month__month_on")
    )
    labels = dict(LineKind.choices)
    return tuple(
        CommissionLineCard(
            kind=str(line.kind),  # type: ignore[arg-type]
            kind_label=str(labels[LineKind(line.kind)]),
            day_on=line.day_on,
            document_no=line.document_no,
            store_name=stores.get(line.store_id, ""),
            category_name=categories.get(line.category_code, line.category_code),
            share_bp=line.share_bp,
            base_fen=line.base_fen,
            unit_count=line.unit_count,
            rate_bp=line.rate_bp,
            fen=line.fen,
            rule_words=line.rule_words,
            original_month_on=originals.get(line.original_id or 0),
        )
        for line in lines
    )
