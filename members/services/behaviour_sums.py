"""How much is done on each day, counted by a job: a page that opens must not read millions of rows."""

import datetime as dt
from typing import Final

from django.db import connection, transaction

from core import clock
from members.models import BehaviourSum

# Servers tell what is thirty days old at most.
_DAYS: Final = 31
# Today, and yesterday, of which phones are still telling.
_FRESH: Final = 2
_COUNT: Final = """
INSERT INTO members_behavioursum ("on", kind, count, member_count, counted_at)
SELECT %(on)s, kind, count(*), count(DISTINCT member_id), %(at)s FROM members_behaviour
WHERE happened_at >= %(start)s AND happened_at < %(end)s GROUP BY kind
ON CONFLICT ("on", kind) DO UPDATE SET count = EXCLUDED.count, member_count = EXCLUDED.member_count,
    counted_at = EXCLUDED.counted_at
WHERE members_behavioursum.counted_at <= EXCLUDED.counted_at
"""


def sum_behaviour_days(*, at: dt.datetime | None = None) -> int:
    """Today and yesterday are counted anew, and once a Shanghai day the month before, of which late ones are told and
    withdrawn ones go; how many days. Each day is a transaction of its own; two runs at once count the same."""
    at = at or clock.now()
    today = clock.business_day(at)
    seen_at = clock.day_bounds(today)[0]
    known = set(BehaviourSum.objects.filter(counted_at__gte=seen_at).values_list("on", flat=True).distinct())
    days = [today - dt.timedelta(days=ago) for ago in range(_DAYS)]
    due = [*days[:_FRESH], *(day for day in days[_FRESH:] if day not in known)]
    for day in due:
        _count(day, at)
    return len(due)


def _count(day: dt.date, at: dt.datetime) -> None:
    start, end = clock.day_bounds(day)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"on": day, "at": at, "start": start, "end": end})
        BehaviourSum.objects.filter(on=day, counted_at__lt=at).delete()
