"""The months of the table of behaviours: made ahead, dropped when their time is over."""

import datetime as dt
import logging
import re
from typing import Final

from django.db import OperationalError, connection, transaction

from core import clock
from members.models import KEPT_MONTHS, Behaviour, BehaviourPolicy, BehaviourVisitor
from members.selectors.tier_rules import add_months

logger = logging.getLogger(__name__)

_TABLE: Final = "members_behaviour"
_NAME: Final = re.compile(rf"{_TABLE}_y(\d{{4}})m(\d{{2}})")
_MONTHS_AHEAD: Final = 2
# Dropping takes the whole table for a moment; whoever reads it for long is let finish, and the next hour tries again.
_PATIENCE: Final = "2s"


def month_of(at: dt.datetime) -> dt.date:
    """The first day of the Shanghai month an instant falls in."""
    return clock.business_day(at).replace(day=1)


def make_partitions(*, months: list[dt.date]) -> int:
    """These months have their partition; how many had none. Two at once make one."""
    missing = sorted({month.replace(day=1) for month in months} - set(list_partitions()))
    if not missing:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_TABLE])
        still = [month for month in missing if month not in set(list_partitions())]
        for month in still:
            first, after = (clock.day_bounds(day)[0].isoformat() for day in (month, add_months(month, 1)))
            name = _name_of(month)
            # Made beside the table and attached: CREATE … PARTITION OF would keep every reader of it waiting.
            cursor.execute(f"CREATE TABLE {name} (LIKE {_TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
            cursor.execute(f"CREATE UNIQUE INDEX {name}_mark ON {name} (mark)")
            cursor.execute(
                f"ALTER TABLE {_TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{after}')"
            )
    return len(still)


def list_partitions() -> tuple[dt.date, ...]:
    """The months that have their partition, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
            "WHERE inhparent = to_regclass(%s)",
            [_TABLE],
        )
        names = [_NAME.fullmatch(name) for (name,) in cursor.fetchall()]
    return tuple(sorted(dt.date(int(name[1]), int(name[2]), 1) for name in names if name))


def lacks_next_partition(*, at: dt.datetime) -> bool:
    """Whether the month after this one should be made and is not: there are months before this one. A system whose first
    hour this is has none yet."""
    made, this = list_partitions(), month_of(at)
    return any(month < this for month in made) and add_months(this, 1) not in made


def behaviours_kept_on(*, at: dt.datetime) -> dt.date:
    """The first day of which behaviours are kept."""
    policy = BehaviourPolicy.objects.first()
    return add_months(month_of(at), -(KEPT_MONTHS if policy is None else policy.kept_months))


def keep_partitions(*, at: dt.datetime | None = None) -> int:
    """This month and the next two have their partition, months past the keeping time are gone with all that is in them; how
    many were made or dropped. A month that somebody reads for longer than two seconds is dropped by the next run."""
    at = at or clock.now()
    this = month_of(at)
    touched = make_partitions(months=[add_months(this, count) for count in range(_MONTHS_AHEAD + 1)])
    first = behaviours_kept_on(at=at)
    for month in list_partitions():
        if month < first:
            touched += _drop(month)
    forgotten = BehaviourVisitor.objects.filter(seen_at__lt=clock.day_bounds(first)[0])
    with transaction.atomic():
        gone = [row.pk for row in forgotten.lock_rows()]
        gone = sorted(
            set(gone) - set(Behaviour.objects.filter(visitor__in=gone).values_list("visitor", flat=True))
        )
        BehaviourVisitor.objects.filter(pk__in=gone).delete()
    return touched


def _drop(month: dt.date) -> int:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
            cursor.execute(f"DROP TABLE IF EXISTS {_name_of(month)}")
    except OperationalError:
        logger.warning("members.behaviour_month_in_use")
        return 0
    return 1


def _name_of(month: dt.date) -> str:
    return f"{_TABLE}_y{month:%Y}m{month:%m}"
