"""A month's statements are written: begun by a person, written a slice at a time by `commission_work`."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction

from core import audit, clock, events
from core.actor import Actor
from core.horizons import complete_until
from sales.errors import CommissionNotOpen, CommissionOutOfOrder, MonthNotOver
from sales.events import CommissionBegun
from sales.models import CommissionLine, CommissionMonth, CommissionState, CommissionStatement
from sales.selectors import add_months
from sales.selectors.commission_drafts import LineDraft, draft_statements
from sales.selectors.commission_sources import guides_with_entries, reach_of
from sales.services.copying import copy_rows, draw_ids

_LOCK: Final = 7_302_003  # one at a time: months rest on each other, and all of one on the same rules
_PATIENCE: Final = dt.timedelta(seconds=5)
_TABLE: Final = "sales_performanceentry"
_LINE: Final = tuple(field.name for field in dataclasses.fields(LineDraft))
_NAMES: Final = tuple(name.removesuffix("_id") for name in _LINE)
_SUMS: Final = (
    "sales_fen", "earned_fen", "bonus_fen", "clawed_back_fen", "carried_in_fen", "payable_fen", "carried_out_fen",
)  # fmt: skip


def begin_commission(*, month_on: dt.date, actor: Actor, at: dt.datetime | None = None) -> int:
    """A worker will write the month's statements, by the rules as they are now: until that is done or sent back no rule
    can be changed. The month's id. Refuses a month that is not over, one that is not open, and one out of turn.

    Entries that are booked after this moment belong to the next month's statements.
    """
    at, month_on = at or clock.now(), month_on.replace(day=1)
    if clock.business_day(at) < add_months(month_on, 1):
        raise MonthNotOver(field="month_on")
    complete = complete_until(_TABLE, patience=_PATIENCE)
    with transaction.atomic():
        month = lock_month(month_on)
        if month.state != CommissionState.OPEN:
            raise CommissionNotOpen
        horizon = _settle_order(month)
        month.state, month.begun_at, month.prepared_by = CommissionState.PREPARING, at, actor_name(actor)
        # While writers did not end in time, the next month looks at everything that came since the month before.
        month.entry_horizon = horizon if complete is None else complete[0]
        month.guide_refs, month.done_count = guides_with_entries(reach_of(month_on)), 0
        month.save(
            update_fields=["state", "begun_at", "prepared_by", "entry_horizon", "guide_refs", "done_count"]
        )
        audit.record(action="sales.commission_begun", subject=month, actor=actor, at=at, month=str(month))
        events.publish(CommissionBegun(month.pk))
    return month.pk


def lock_month(month_on: dt.date) -> CommissionMonth:
    """The month's row, made if there was none, with everything that months rest on held still."""
    hold_commission()
    row, _is_new = CommissionMonth.objects.get_or_create(month_on=month_on)
    return CommissionMonth.objects.lock(row.pk)


def hold_commission() -> None:
    """Until this transaction ends no month changes its state, and no rule is written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def actor_name(actor: Actor) -> str:
    """Who did it, as the month remembers her."""
    return actor.label[:90] or actor.kind


def finish_preparing(month: CommissionMonth, *, at: dt.datetime) -> None:
    """All are written: they are to be looked at."""
    count = CommissionStatement.objects.filter(month=month, is_live=True).count()
    month.state, month.prepared_at, month.guide_refs = CommissionState.PREPARED, at, []
    month.save(update_fields=["state", "prepared_at", "guide_refs", "done_count"])
    audit.record(
        action="sales.commission_prepared",
        subject=month,
        actor=Actor.system("work_commissions"),
        at=at,
        month=str(month),
        count=count,
    )


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


def write_statements(*, month: CommissionMonth, guide_ids: Sequence[int]) -> None:
    """What these guides have to settle. In bulk: a chain's month has a million lines."""
    drafts = list(draft_statements(month.month_on, guide_ids))
    ids = draw_ids(model=CommissionStatement, count=len(drafts))
    copy_rows(
        model=CommissionStatement,
        names=("id", "month", "guide", "store", "is_live", *_SUMS),
        rows=(
            (pk, month.pk, one.guide_id, one.store_id, True, *(getattr(one, name) for name in _SUMS))
            for pk, one in zip(ids, drafts, strict=True)
        ),
    )
    copy_rows(
        model=CommissionLine,
        names=("statement", "number", "is_live", *_NAMES),
        rows=(
            (pk, number, True, *(getattr(line, name) for name in _LINE))
            for pk, one in zip(ids, drafts, strict=True)
            for number, line in enumerate(one.lines, 1)
        ),
    )
