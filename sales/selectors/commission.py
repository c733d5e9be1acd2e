"""Statements as they are shown: stored ones of months that are prepared or closed, computed ones of open months."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from django.db.models import QuerySet, Sum

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
from sales.selectors.commission_groups import count_due
from sales.selectors.commission_months import state_of
from sales.selectors.commission_sources import list_terms, reach_of
from sales.selectors.commission_sums import StatementSums, sum_statements
from sales.selectors.commission_terms import CommissionTerms
from sales.selectors.commission_whose import PaidGuide, list_paid_guides, paid_guides

SUMS: Final = (
    "sales_fen", "earned_fen", "bonus_fen", "clawed_back_fen", "carried_in_fen", "payable_fen", "carried_out_fen",
)  # fmt: skip


def get_commission(guide_id: int, month_on: dt.date) -> CommissionCard:
    """A guide's statement of a month, with noughts where there is nothing. Raises NotFound for an unknown guide."""
    month_on = month_on.replace(day=1)
    state = state_of(month_on)
    row = CommissionStatement.objects.filter(
        month__month_on=month_on, guide_id=guide_id, is_live=True
    ).first()
    if row is not None:
        return commission_card_of(row)
    draft = None
    if state not in {"prepared", "closed"}:
        draft = next(iter(draft_statements(month_on, [guide_id])), None)
    if draft is None:
        draft = StatementDraft(guide_id, guide_selectors.get_guide_card(guide_id).store.id, 0, [])
    return _card(draft, month_on, state, line_cards(draft.lines))


def commission_card_of(row: CommissionStatement) -> CommissionCard:
    """A stored statement."""
    month = CommissionMonth.objects.get(pk=row.month_id)
    lines = list(CommissionLine.objects.filter(statement=row).order_by("number"))
    return _card(row, month.month_on, month.state, line_cards(lines))


def _card(
    row: CommissionStatement | StatementDraft,
    month_on: dt.date,
    state: str,
    lines: tuple[CommissionLineCard, ...],
) -> CommissionCard:
    paid = paid_guides({row.guide_id: row.store_id})[0]
    return CommissionCard(_summary(row, month_on, state, paid), lines)


def list_commissions(
    month_on: dt.date, guides: Sequence[PaidGuide] | None = None
) -> tuple[CommissionSummary, ...]:
    """The statements of these guides (None: everybody) in their order, without lines. Of a month that is open they are
    added up for these guides alone; who has nothing has none."""
    month_on = month_on.replace(day=1)
    state = state_of(month_on)
    wanted = list_paid_guides(month_on) if guides is None else guides
    ids = [one.guide_id for one in wanted]
    rows: Iterable[CommissionStatement | StatementSums]
    if state == "open":
        rows = sum_statements(month_on, [list_terms()], None if guides is None else ids)[0]
    else:
        rows = CommissionStatement.objects.filter(
            month__month_on=month_on, is_live=True, guide_id__any_of=ids
        )
    found = {row.guide_id: row for row in rows}
    kept = [(found[one.guide_id], one) for one in wanted if one.guide_id in found]
    return tuple(_summary(row, month_on, state, paid) for row, paid in kept)


def sum_commissions(month_on: dt.date, guides: Sequence[PaidGuide]) -> dict[str, int]:
    """What the statements of these guides come to, by the names of CommissionSummary."""
    month_on = month_on.replace(day=1)
    if state_of(month_on) == "open":
        found = list_commissions(month_on, guides)
        return {name: sum(getattr(one, name) for one in found) for name in SUMS}
    rows = CommissionStatement.objects.filter(
        month__month_on=month_on, is_live=True, guide_id__any_of=[one.guide_id for one in guides]
    )
    return _sums_of(rows)


def count_commissions(month_on: dt.date) -> tuple[int, dict[str, int]]:
    """How many statements of a month are written, and what they come to."""
    rows = CommissionStatement.objects.filter(month__month_on=month_on, is_live=True)
    return rows.count(), _sums_of(rows)


def try_commissions(
    month_on: dt.date, term_sets: Sequence[Sequence[CommissionTerms]]
) -> list[tuple[CommissionSummary, ...]]:
    """Everybody's statement of an open month under each of these sets of rules, by store and number."""
    found = sum_statements(month_on.replace(day=1), term_sets)
    stores = {row.guide_id: row.store_id for rows in found for row in rows}
    paid = {one.guide_id: one for one in paid_guides(stores)}
    return [
        tuple(
            sorted(
                (_summary(row, month_on, CommissionState.OPEN, paid[row.guide_id]) for row in rows),
                key=lambda one: (one.store_name, one.guide_number),
            )
        )
        for rows in found
    ]


def list_draft_lines(
    month_on: dt.date, guides: Sequence[PaidGuide]
) -> Iterator[tuple[PaidGuide, CommissionLineCard]]:
    """Every line of these guides' statements of an open month, guide by guide, computed as they are asked for."""
    paid = {one.guide_id: one for one in guides}
    for draft in draft_statements(month_on, list(paid)):
        for line in line_cards(draft.lines):
            yield paid[draft.guide_id], line


def count_draft_entries(month_on: dt.date, guides: Sequence[PaidGuide]) -> int:
    """About how many lines that would be: an entry has one, or one for each category."""
    return count_due(reach_of(month_on), [one.guide_id for one in guides])


def _sums_of(rows: QuerySet[CommissionStatement]) -> dict[str, int]:
    told = rows.aggregate(**{f"all_{name}": Sum(name, default=0) for name in SUMS})
    return {name: told[f"all_{name}"] for name in SUMS}


def _summary(
    row: CommissionStatement | StatementDraft | StatementSums, month_on: dt.date, state: str, paid: PaidGuide
) -> CommissionSummary:
    return CommissionSummary(
        id=row.pk if isinstance(row, CommissionStatement) else None,
        month_on=month_on,
        state=state,  # type: ignore[arg-type]
        guide_id=paid.guide_id,
        guide_number=paid.guide_number,
        guide_name=paid.guide_name,
        store_id=paid.store_id,
        store_name=paid.store_name,
        **{name: getattr(row, name) for name in SUMS},
    )


def line_cards(lines: Sequence[CommissionLine | LineDraft]) -> tuple[CommissionLineCard, ...]:
    """Lines as they are shown."""
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
            sale_id=line.sale_ref,
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
