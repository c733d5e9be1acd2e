"""What a worker does with a month of commission, slice by slice: each slice is a transaction of its own.

Statements are written, sent back or retired so; a killed worker's slice is done again, and two take turns.
"""

import datetime as dt
from collections.abc import Callable
from typing import Final

from django.db import transaction

from core import clock
from core.actor import Actor
from sales.models import CommissionMonth, CommissionState, CommissionStatement
from sales.services.commission import (
    begin_discard,
    begin_reopen,
    discard_statements,
    finish_taking_back,
    retire_statements,
)
from sales.services.commission_preparing import begin_commission, finish_preparing, write_statements

_SLICE: Final = 200
_STEPS: Final[dict[str, Callable[..., None]]] = {
    CommissionState.PREPARING: write_statements,
    CommissionState.DISCARDING: discard_statements,
    CommissionState.REOPENING: retire_statements,
}


def work_commission(*, month_id: int, slices: int | None = None, at: dt.datetime | None = None) -> bool:
    """What was begun goes on from where it stopped, to the end or for so many slices; whether none is left. Two workers
    take turns; what a killed one did not commit is done again."""
    done = 0
    while slices is None or done < slices:
        with transaction.atomic():
            # Not SKIP LOCKED: who is refused to begin holds the row for a moment, and that must not end this.
            rows = CommissionMonth.objects.lock_all([month_id])
            if not rows or rows[0].state not in _STEPS:
                return True
            month = rows[0]
            wanted = month.guide_refs[month.done_count : month.done_count + _SLICE]
            _STEPS[month.state](month=month, guide_ids=wanted)
            month.done_count += len(wanted)
            if month.done_count >= len(month.guide_refs):
                is_written = month.state == CommissionState.PREPARING
                (finish_preparing if is_written else finish_taking_back)(month, at=at or clock.now())
                return True
            month.save(update_fields=["done_count"])
        done += 1
    return False


def work_commissions() -> int:
    """Goes on with every month whose worker died or whose event was lost; how many there were."""
    ids = list(CommissionMonth.objects.being_worked_at().values_list("pk", flat=True))
    for month_id in ids:
        work_commission(month_id=month_id)
    return len(ids)


def prepare_commission(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> int:
    """The month's statements are written, to be looked at, without a worker; how many. Refuses as `begin_commission`
    does."""
    month_id = begin_commission(month_on=month_on, actor=actor, at=at)
    work_commission(month_id=month_id, at=at)
    return CommissionStatement.objects.filter(month_id=month_id, is_live=True).count()


def discard_commission(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> None:
    """What was prepared is gone and the month open, without a worker. Refuses as `begin_discard` does."""
    work_commission(month_id=begin_discard(month_on=month_on, actor=actor, at=at), at=at)


def reopen_commission(*, month_on: dt.date, reason: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """The newest closed month is open again, without a worker. Refuses as `begin_reopen` does."""
    work_commission(month_id=begin_reopen(month_on=month_on, reason=reason, actor=actor, at=at), at=at)
