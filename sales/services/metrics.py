"""Members' numbers follow their documents: with every booking, and in a job for batches that are too large for that."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction

from core import clock
from core.actor import Actor
from core.compiled import ask, ask_once
from members import services as member_services
from sales.models import MetricsTouch
from sales.selectors.metrics_sql import REFRESH, REFRESH_ONE, values_of
from sales.selectors.rfm_rules import get_rfm_rules

# Above this a batch only notes whom it touched: the same member is then counted once for many batches.
MOST_AT_ONCE: Final = 200
_SLICE: Final = 2_000
_TOUCH: Final = """
INSERT INTO sales_metricstouch (member_id, touched_at) SELECT unnest(%s::bigint[]), %s
ON CONFLICT (member_id) DO NOTHING
"""
_TAKE: Final = "DELETE FROM sales_metricstouch WHERE member_id = ANY(%s) RETURNING member_id"


def refresh_member_metrics(member_ids: Iterable[int | None], *, at: dt.datetime) -> None:
    """The rows of these members say what their documents say, at once or, for more than MOST_AT_ONCE, in seconds.

    Called inside the transaction that changed the documents, after the change. The members are locked: whoever
    writes a row while she is not, sees that by the row (`sales.selectors.metrics_sql`).
    """
    ids = sorted({member_id for member_id in member_ids if member_id is not None})
    if not ids:
        return
    if len(ids) > MOST_AT_ONCE:
        with connection.cursor() as cursor:
            cursor.execute(_TOUCH, [ids, at])
        return
    count_members(ids, at=at)


def count_members(ids: list[int], *, at: dt.datetime) -> None:
    """The rows of these locked members are written anew, however many they are."""
    values = values_of(rules=get_rfm_rules(), day=clock.business_day(at))
    if len(ids) == 1:
        ask(REFRESH_ONE, {**values, "id": ids[0]})
    else:
        ask_once(REFRESH, {**values, "ids": ids})


def fold_touched_members(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Whoever was touched by a large batch is counted; how many members were.

    In slices, the members locked first: a booking that is at one of them is waited for, and what it touches anew is
    there again afterwards. Two at once share the work: who deletes a touch counts its member.
    """
    at = at or clock.now()
    counted = 0
    while ids := list(MetricsTouch.objects.order_by("pk").values_list("pk", flat=True)[:_SLICE]):
        with transaction.atomic():
            member_services.lock_members(ids)
            with connection.cursor() as cursor:
                cursor.execute(_TAKE, [ids])
                taken = sorted(row[0] for row in cursor.fetchall())
            if taken:
                count_members(taken, at=at)
        counted += len(taken)
    return counted
