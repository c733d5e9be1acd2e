"""The proof that totals are what the entries add up to, and their repair."""

import dataclasses
import datetime as dt
import logging
import time
from typing import Final

from django.db import connection, transaction

from core import audit, clock
from core.actor import Actor
from sales.models import Period, TotalsProof
from sales.services.folding import fold_all
from sales.services.places import find_place_differences, mend_places
from sales.services.reconciling import take_close_lock
from sales.services.sizes import find_size_differences, recount_period_sizes

logger = logging.getLogger(__name__)

# One period at a time: what the entries say, beside what stands, both ways round.
_DIFFERENCES: Final = """
WITH said AS (
    SELECT metric, guide_id, store_id, sum(value)::bigint AS value FROM sales_performanceentry
    WHERE booked_on >= %(start)s AND booked_on < %(end)s GROUP BY metric, guide_id, store_id),
sellers AS (SELECT metric, guide_id, store_id, value FROM said WHERE guide_id IS NOT NULL),
guides AS (SELECT metric, guide_id, sum(value)::bigint AS value FROM sellers GROUP BY metric, guide_id),
stores AS (SELECT metric, store_id, sum(value)::bigint AS value FROM said GROUP BY metric, store_id)
SELECT coalesce(said.metric, stood.metric), coalesce(said.guide_id, stood.guide_id), NULL::bigint,
       coalesce(said.value, 0), coalesce(stood.value, 0)
FROM guides said FULL JOIN (
    SELECT * FROM sales_guidetotal WHERE period = %(period)s AND starts_on = %(start)s) stood
    ON stood.metric = said.metric AND stood.guide_id = said.guide_id
WHERE coalesce(said.value, 0) <> coalesce(stood.value, 0)
UNION ALL
SELECT coalesce(said.metric, stood.metric), coalesce(said.guide_id, stood.guide_id),
       coalesce(said.store_id, stood.store_id), coalesce(said.value, 0), coalesce(stood.value, 0)
FROM sellers said FULL JOIN (
    SELECT * FROM sales_guidestoretotal WHERE period = %(period)s AND starts_on = %(start)s) stood
    ON stood.metric = said.metric AND stood.guide_id = said.guide_id AND stood.store_id = said.store_id
WHERE coalesce(said.value, 0) <> coalesce(stood.value, 0)
UNION ALL
SELECT coalesce(said.metric, stood.metric), NULL, coalesce(said.store_id, stood.store_id),
       coalesce(said.value, 0), coalesce(stood.value, 0)
FROM stores said FULL JOIN (
    SELECT * FROM sales_storetotal WHERE period = %(period)s AND starts_on = %(start)s) stood
    ON stood.metric = said.metric AND stood.store_id = said.store_id
WHERE coalesce(said.value, 0) <> coalesce(stood.value, 0)
"""
_MEND_GUIDE: Final = """
INSERT INTO sales_guidetotal (period, starts_on, metric, guide_id, value) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (period, starts_on, metric, guide_id) DO UPDATE SET value = excluded.value
"""
_MEND_SELLER: Final = """
INSERT INTO sales_guidestoretotal (period, starts_on, metric, guide_id, store_id, value) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (period, starts_on, store_id, metric, guide_id) DO UPDATE SET value = excluded.value
"""
_MEND_STORE: Final = """
INSERT INTO sales_storetotal (period, starts_on, metric, store_id, value) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (period, starts_on, metric, store_id) DO UPDATE SET value = excluded.value
"""
_MOST_TOLD: Final = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A total that was not what its entries add up to."""

    period: str
    starts_on: dt.date
    metric: str
    guide_id: int | None
    store_id: int | None
    said: int  # by the entries
    stood: int  # in the total
    # Of a total within a region or a dealer; without a guide: how many stand on a board (0: the chain's).
    place: int | None = None


def prove_totals(
    *, since: dt.date, until: dt.date, actor: Actor, at: dt.datetime | None = None
) -> tuple[Difference, ...]:
    """Every total of the days, weeks and months that touch this span (half-open) is what its entries add up to;
    what differed is answered, mended and kept in a TotalsProof.

    Entries and their totals are written in one transaction, and one statement sees both of one moment: bookings go on
    while a period is looked at, and wait only where there is something to mend.
    """
    at = at or clock.now()
    began = time.monotonic()
    found: list[Difference] = []
    periods = _periods(since, until)
    for period, starts_on, ends_on in periods:
        if (
            _differences(period, starts_on, ends_on)
            or find_place_differences(period=period, starts_on=starts_on)
            or find_size_differences(period=period, starts_on=starts_on)
        ):
            found += _mend(period, starts_on, ends_on)
    if not periods:
        return ()
    with transaction.atomic():
        report = TotalsProof.objects.create(
            since=since,
            until=until,
            ran_at=at,
            seconds=round(time.monotonic() - began, 3),
            period_count=len(periods),
            wrong_count=len(found),
            wrong_rows=[
                dataclasses.asdict(one) | {"starts_on": str(one.starts_on)} for one in found[:_MOST_TOLD]
            ],
        )
        if found:
            logger.error("sales.totals_differed", extra={"count": len(found)})
            audit.record(action="sales.totals_mended", subject=report, actor=actor, at=at, count=len(found))
    return tuple(found)


def _differences(period: str, starts_on: dt.date, ends_on: dt.date) -> list[Difference]:
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCES, {"period": period, "start": starts_on, "end": ends_on})
        return [Difference(period, starts_on, *row) for row in cursor.fetchall()]


def _mend(period: str, starts_on: dt.date, ends_on: dt.date) -> list[Difference]:
    """Looked at again while nobody books, and written as the entries say."""
    with transaction.atomic():
        take_close_lock()
        fold_all()
        found = _differences(period, starts_on, ends_on)
        with connection.cursor() as cursor:
            for one in found:
                place = (period, starts_on, one.metric)
                if one.guide_id is None:
                    cursor.execute(_MEND_STORE, [*place, one.store_id, one.said])
                elif one.store_id is None:
                    cursor.execute(_MEND_GUIDE, [*place, one.guide_id, one.said])
                else:
                    cursor.execute(_MEND_SELLER, [*place, one.guide_id, one.store_id, one.said])
        found += [
            Difference(period, starts_on, metric, guide_id, None, said, stood, place_id)
            for metric, guide_id, place_id, said, stood in mend_places(period=period, starts_on=starts_on)
        ]
        # Last: a total that was missing makes its board longer.
        sizes = find_size_differences(period=period, starts_on=starts_on)
        if sizes:
            recount_period_sizes(period=period, starts_on=starts_on)
        found += [
            Difference(period, starts_on, metric, None, None, said, stood, place_id)
            for metric, place_id, said, stood in sizes
        ]
    return found


def _periods(since: dt.date, until: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    spans: set[tuple[str, dt.date, dt.date]] = set()
    day = since
    while day < until:
        monday = day - dt.timedelta(days=day.weekday())
        month = day.replace(day=1)
        spans.add((str(Period.DAY), day, day + dt.timedelta(days=1)))
        spans.add((str(Period.WEEK), monday, monday + dt.timedelta(days=7)))
        spans.add((str(Period.MONTH), month, (month + dt.timedelta(days=32)).replace(day=1)))
        day += dt.timedelta(days=1)
    return sorted(spans)
