"""A month of commission: its statements are prepared, looked at, and closed; or opened again for a reason."""

import dataclasses
import datetime as dt
from collections import defaultdict
from typing import Final

from django.db import connection, transaction
from django.db.models import Sum

from core import audit, clock
from core.actor import Actor
from core.horizons import complete_until
from sales.errors import (
    CommissionChanged,
    CommissionNotClosed,
    CommissionNotOpen,
    CommissionNotPrepared,
    CommissionOutOfOrder,
    MonthNotOver,
    ReasonMissing,
)
from sales.models import (
    CommissionLine,
    CommissionMonth,
    CommissionState,
    CommissionStatement,
    LineKind,
    Metric,
    PerformanceEntry,
)
from sales.selectors import add_months
from sales.selectors.commission_drafts import StatementDraft, draft_statements

_LOCK: Final = 7_302_003  # one at a time: months rest on each other
_PATIENCE: Final = dt.timedelta(seconds=5)
_TABLE: Final = "sales_performanceentry"


@dataclasses.dataclass(frozen=True, slots=True)
class CommissionDifference:
    """A guide whose lines do not rest on what the ledger says."""

    guide_id: int
    lines_fen: int
    entries_fen: int


def prepare_commission(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> int:
    """The month's statements are written, to be looked at; how many. Refuses a month that is not over, one that is not
    open, and one out of turn.

    Entries that are booked while this runs, or after it, belong to the next month's statements.
    """
    at, month_on = at or clock.now(), month_on.replace(day=1)
    if clock.business_day(at) < add_months(month_on, 1):
        raise MonthNotOver(field="month_on")
    complete = complete_until(_TABLE, patience=_PATIENCE)
    with transaction.atomic():
        month = _lock_month(month_on)
        if month.state != CommissionState.OPEN:
            raise CommissionNotOpen
        horizon = _settle_order(month)
        count = 0
        for draft in draft_statements(month_on):
            _write(month, draft)
            count += 1
        month.state, month.prepared_at, month.prepared_by = CommissionState.PREPARED, at, _name(actor)
        # While writers did not end in time, the next month looks at everything that came since the month before.
        month.entry_horizon = horizon if complete is None else complete[0]
        month.save(update_fields=["state", "prepared_at", "prepared_by", "entry_horizon"])
        audit.record(
            action="sales.commission_prepared",
            subject=month,
            actor=actor,
            at=at,
            month=str(month),
            count=count,
        )
    return count


def discard_commission(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> None:
    """What was prepared is gone, and the month is open. Refuses a month that was not prepared."""
    with transaction.atomic():
        month = _lock_month(month_on.replace(day=1))
        if month.state != CommissionState.PREPARED:
            raise CommissionNotPrepared
        month.state = CommissionState.OPEN
        month.save(update_fields=["state"])
        live = CommissionStatement.objects.filter(month=month, is_live=True)
        CommissionLine.objects.filter(statement__in=live).delete()
        live.delete()
        audit.record(
            action="sales.commission_discarded",
            subject=month,
            actor=actor,
            at=at or clock.now(),
            month=str(month),
        )
        if not month.version:
            month.delete()  # commission begins with the first month there is: one tried by mistake is none


def close_commission(
    *, month_on: dt.date, payable_fen: int, actor: Actor, at: dt.datetime | None = None
) -> int:
    """The prepared statements stand for ever (the database holds it); how many there are. `payable_fen` is the sum
    that whoever confirms looked at: another one is refused."""
    at = at or clock.now()
    with transaction.atomic():
        month = _lock_month(month_on.replace(day=1))
        if month.state != CommissionState.PREPARED:
            raise CommissionNotPrepared
        live = CommissionStatement.objects.filter(month=month, is_live=True)
        if (live.aggregate(total=Sum("payable_fen"))["total"] or 0) != payable_fen:
            raise CommissionChanged
        count = live.count()
        month.state, month.closed_at, month.closed_by = CommissionState.CLOSED, at, _name(actor)
        month.version += 1
        month.save(update_fields=["state", "closed_at", "closed_by", "version"])
        audit.record(
            action="sales.commission_closed",
            subject=month,
            actor=actor,
            at=at,
            month=str(month),
            count=count,
            payable_fen=payable_fen,
        )
    return count


def reopen_commission(*, month_on: dt.date, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The newest closed month is open again, for a reason; its statements are kept and count no more. Refuses another
    month: what came after it rests on it."""
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    with transaction.atomic():
        month = _lock_month(month_on.replace(day=1))
        if month.state != CommissionState.CLOSED:
            raise CommissionNotClosed
        later = CommissionMonth.objects.filter(month_on__gt=month.month_on).exclude(
            state=CommissionState.OPEN
        )
        if later.exists():
            raise CommissionOutOfOrder
        month.state, month.reopen_reason = CommissionState.OPEN, reason
        month.save(update_fields=["state", "reopen_reason"])
        CommissionLine.objects.filter(statement__month=month, is_live=True).update(is_live=False)
        CommissionStatement.objects.filter(month=month, is_live=True).update(is_live=False)
        audit.record(
            action="sales.commission_reopened",
            subject=month,
            actor=actor,
            at=at or clock.now(),
            month=str(month),
            reason=reason,
        )


def prove_commission(*, month_on: dt.date) -> tuple[CommissionDifference, ...]:
    """Guides whose lines of a prepared or closed month do not add up to the ledger's entries they rest on; none, if all
    is well."""
    lines: dict[int, int] = defaultdict(int)
    entries: dict[int, set[int]] = defaultdict(set)
    rows = CommissionLine.objects.filter(
        statement__month__month_on=month_on.replace(day=1), is_live=True
    ).exclude(kind__in=[LineKind.BOUNTY, LineKind.TARGET])
    for guide_id, base, entry_ref in rows.values_list("statement__guide_id", "base_fen", "entry_ref"):
        lines[guide_id] += base
        entries[guide_id].add(entry_ref or 0)
    refs = set().union(*entries.values())
    sales = PerformanceEntry.objects.filter(pk__in=refs, metric=Metric.SALES_FEN)
    values = dict(sales.values_list("pk", "value"))
    said = {guide_id: sum(values.get(ref, 0) for ref in of_her) for guide_id, of_her in entries.items()}
    return tuple(
        CommissionDifference(guide_id, lines[guide_id], said[guide_id])
        for guide_id in sorted(lines)
        if lines[guide_id] != said[guide_id]
    )


def _lock_month(month_on: dt.date) -> CommissionMonth:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    row, _is_new = CommissionMonth.objects.get_or_create(month_on=month_on)
    return CommissionMonth.objects.lock(row.pk)


def _settle_order(month: CommissionMonth) -> int:
    """The month before is closed, and none after it is; the horizon to begin from."""
    others = CommissionMonth.objects.exclude(pk=month.pk)
    if others.filter(month_on__gt=month.month_on).exclude(state=CommissionState.OPEN).exists():
        raise CommissionOutOfOrder
    earlier = others.filter(month_on__lt=month.month_on).order_by("-month_on").first()
    if earlier is None:
        return 0
    if earlier.state != CommissionState.CLOSED or add_months(earlier.month_on, 1) != month.month_on:
        raise CommissionOutOfOrder
    return earlier.entry_horizon


def _write(month: CommissionMonth, draft: StatementDraft) -> None:
    statement = CommissionStatement.objects.create(
        month=month,
        guide_id=draft.guide_id,
        store_id=draft.store_id,
        sales_fen=draft.sales_fen,
        earned_fen=draft.earned_fen,
        bonus_fen=draft.bonus_fen,
        clawed_back_fen=draft.clawed_back_fen,
        carried_in_fen=draft.carried_in_fen,
        payable_fen=draft.payable_fen,
        carried_out_fen=draft.carried_out_fen,
    )
    CommissionLine.objects.bulk_create(
        [
            CommissionLine(statement=statement, number=number, **dataclasses.asdict(line))
            for number, line in enumerate(draft.lines, 1)
        ],
        batch_size=1_000,
    )


def _name(actor: Actor) -> str:
    return actor.label[:90] or actor.kind
