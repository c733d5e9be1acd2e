"""A month of commission whose statements are written: it is sent back, closed, or opened again for a reason."""

import dataclasses
import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.db.models import Sum

from core import audit, clock
from core.actor import Actor
from sales.errors import (
    CommissionChanged,
    CommissionNotClosed,
    CommissionNotPrepared,
    CommissionOutOfOrder,
    ReasonMissing,
)
from sales.models import (
    CommissionLine,
    CommissionMonth,
    CommissionState,
    CommissionStatement,
)
from sales.services.commission_preparing import actor_name, lock_month

_DISCARD: Final = (
    "DELETE FROM sales_commissionline line USING sales_commissionstatement statement"
    " WHERE statement.id = line.statement_id AND statement.month_id = %s AND statement.is_live",
    "DELETE FROM sales_commissionstatement WHERE month_id = %s AND is_live",
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


def discard_commission(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> None:
    """What was prepared, or is being prepared, is gone, and the month is open. Refuses another month."""
    with transaction.atomic():
        month = lock_month(month_on.replace(day=1))
        if month.state not in {CommissionState.PREPARED, CommissionState.PREPARING}:
            raise CommissionNotPrepared
        month.state, month.guide_refs, month.done_count = CommissionState.OPEN, [], 0
        month.save(update_fields=["state", "guide_refs", "done_count"])
        with connection.cursor() as cursor:
            # A million lines: nothing is read for them, and no line that was never live rests on one.
            for statement in _DISCARD:
                cursor.execute(statement, [month.pk])
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


def reopen_commission(*, month_on: dt.date, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The newest closed month is open again, for a reason; its statements are kept and count no more. Refuses another
    month: what came after it rests on it."""
    reason = " ".join(reason.split())
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
    with connection.cursor() as cursor:
        cursor.execute(_PROOF, [month_on.replace(day=1)])
        return tuple(CommissionDifference(*row) for row in cursor.fetchall())
