"""A month of commission whose statements are written: it is closed, or taken back: sent back, or opened again for a reason.

Taking back touches every line of the month, so `commission_work` does it a slice at a time.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import Sum

from core import audit, clock, events
from core.actor import Actor
from sales.errors import (
    CommissionChanged,
    CommissionNotClosed,
    CommissionNotPrepared,
    CommissionOutOfOrder,
    ReasonMissing,
)
from sales.events import CommissionBegun
from sales.models import (
    CommissionLine,
    CommissionMonth,
    CommissionState,
    CommissionStatement,
)
from sales.services.commission_preparing import actor_name, lock_month

_DISCARD: Final = (
    "DELETE FROM sales_commissionline line USING sales_commissionstatement statement"
    " WHERE statement.id = line.statement_id AND statement.month_id = %s AND statement.is_live"
    " AND statement.guide_id = ANY(%s::bigint[])",
    "DELETE FROM sales_commissionstatement WHERE month_id = %s AND is_live AND guide_id = ANY(%s::bigint[])",
)
_PROOF: Final = """
WITH said AS (
    SELECT statement.guide_id, line.entry_ref, sum(line.base_fen) AS base
    FROM sales_commissionline line
    JOIN sales_commissionstatement statement ON statement.id = line.statement_id
    JOIN sales_commissionmonth month ON month.id = statement.month_id
    WHERE month.month_on = %s AND line.is_live AND line.kind NOT IN ('bounty', 'target')
    GROUP BY 1, 2)
SELECT said.guide_id, sum(said.base)::bigint, coalesce(sum(entry.value), 0)::bigint
FROM said LEFT JOIN sales_performanceentry entry ON entry.id = said.entry_ref AND entry.metric = 'sales_fen'
GROUP BY 1 HAVING sum(said.base) <> coalesce(sum(entry.value), 0) ORDER BY 1
"""


@dataclasses.dataclass(frozen=True, slots=True)
class CommissionDifference:
    """A guide whose lines do not rest on what the ledger says."""

    guide_id: int
    lines_fen: int
    entries_fen: int


def begin_discard(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> int:
    """A worker will take away what was prepared, or is being prepared; then the month is open. Its id. Refuses another
    month."""
    at = at or clock.now()
    with transaction.atomic():
        month = lock_month(month_on.replace(day=1))
        if month.state not in {CommissionState.PREPARED, CommissionState.PREPARING}:
            raise CommissionNotPrepared
        _begin(month, CommissionState.DISCARDING, at=at)
        audit.record(action="sales.commission_discarded", subject=month, actor=actor, at=at, month=str(month))
    return month.pk


def discard_statements(*, month: CommissionMonth, guide_ids: Sequence[int]) -> None:
    """The live statements of these guides are gone."""
    with connection.cursor() as cursor:
        # Nothing is read for them, and no line that was never live rests on one.
        for statement in _DISCARD:
            cursor.execute(statement, [month.pk, list(guide_ids)])


def retire_statements(*, month: CommissionMonth, guide_ids: Sequence[int]) -> None:
    """The statements of these guides are kept and count no more."""
    live = CommissionStatement.objects.filter(month=month, is_live=True, guide_id__in=list(guide_ids))
    CommissionLine.objects.filter(statement__in=live, is_live=True).update(is_live=False)
    live.update(is_live=False)


def finish_taking_back(month: CommissionMonth, *, at: dt.datetime) -> None:
    """The month is open; one that was never closed is as if it had not been tried."""
    month.state, month.guide_refs, month.done_count = CommissionState.OPEN, [], 0
    month.save(update_fields=["state", "guide_refs", "done_count"])
    if not month.version:
        month.delete()  # commission begins with the first month there is: one tried by mistake is none


def close_commission(
    *, month_on: dt.date, payable_fen: int, actor: Actor, at: dt.datetime | None = None
) -> int:
    """The prepared statements stand for ever (the database holds it); how many there are. `payable_fen` is the sum
    that whoever confirms looked at: another one is refused."""
    at = at or clock.now()
    with transaction.atomic():
        month = lock_month(month_on.replace(day=1))
        if month.state != CommissionState.PREPARED:
            raise CommissionNotPrepared
        live = CommissionStatement.objects.filter(month=month, is_live=True)
        if (live.aggregate(total=Sum("payable_fen"))["total"] or 0) != payable_fen:
            raise CommissionChanged
        count = live.count()
        month.state, month.closed_at, month.closed_by = CommissionState.CLOSED, at, actor_name(actor)
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


def begin_reopen(*, month_on: dt.date, reason: str, actor: Actor, at: dt.datetime | None = None) -> int:
    """A worker will open the newest closed month again, for a reason; its statements are kept and count no more. Its
    id. Refuses another month: what came after it rests on it."""
    at, reason = at or clock.now(), " ".join(reason.split())
    if not 1 <= len(reason) <= 120:
        raise ReasonMissing(field="reason")
    with transaction.atomic():
        month = lock_month(month_on.replace(day=1))
        if month.state != CommissionState.CLOSED:
            raise CommissionNotClosed
        later = CommissionMonth.objects.filter(month_on__gt=month.month_on).exclude(
            state=CommissionState.OPEN
        )
        if later.exists():
            raise CommissionOutOfOrder
        month.reopen_reason = reason
        _begin(month, CommissionState.REOPENING, at=at)
        audit.record(
            action="sales.commission_reopened",
            subject=month,
            actor=actor,
            at=at,
            month=str(month),
            reason=reason,
        )
    return month.pk


def prove_commission(*, month_on: dt.date) -> tuple[CommissionDifference, ...]:
    """Guides whose lines of a prepared or closed month do not add up to the ledger's entries they rest on; none, if all
    is well."""
    with connection.cursor() as cursor:
        cursor.execute(_PROOF, [month_on.replace(day=1)])
        return tuple(CommissionDifference(*row) for row in cursor.fetchall())


def _begin(month: CommissionMonth, state: CommissionState, *, at: dt.datetime) -> None:
    live = CommissionStatement.objects.filter(month=month, is_live=True).order_by("guide_id")
    month.state, month.begun_at = state, at
    month.guide_refs, month.done_count = list(live.values_list("guide_id", flat=True)), 0
    month.save(update_fields=["state", "begun_at", "guide_refs", "done_count", "reopen_reason"])
    events.publish(CommissionBegun(month.pk))
