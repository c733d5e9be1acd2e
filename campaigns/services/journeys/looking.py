"""Journeys that begin on a date: once a Shanghai day everybody is looked at whose day it is.

One process looks at a journey at a time, by whoever comes first after its time; the day is noted when all have entered, and who
entered for a day does not enter for it again. Days that were missed, up to three, are made up for.
"""

import calendar
import contextlib
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from campaigns.contracts.journeys import Trigger
from campaigns.contracts.segments import Group, Leaf, Node
from campaigns.models import Journey, JourneyState, JourneyVersion
from campaigns.selectors.journeys import TRIGGER_KINDS, definition_of
from campaigns.selectors.segments import Sql, found_of, node_of, select_members
from campaigns.services.journeys.entering import AT_ONCE, Entry, let_in
from campaigns.services.journeys.trying import fault_of
from core import clock
from core.slots import slot

logger = logging.getLogger(__name__)

# First half of the advisory lock's key; the second is the journey's id. Nothing else uses it.
LOOKING_SLOT: Final = 7_316_005
# What one look may take, and when one that went wrong is tried again.
_LONGEST_MS: Final = 10 * 60_000
_RETRY: Final = dt.timedelta(minutes=10)
_DECLARE: Final = "DECLARE {name} CURSOR WITH HOLD FOR SELECT id FROM ({wanted}) found (id) ORDER BY id"
_MOST_MISSED: Final = 3
_YEARS: Final = 20


class _Asked(NamedTuple):
    """Whom to look for: a rule, the day on which it is read, the reason, and the day that texts say."""

    node: Node
    day: dt.date
    key: str
    told: dt.date


def look_for_dates(*, at: dt.datetime | None = None) -> int:
    """Whoever's day it is has entered the running journeys that begin so; how many did. One that goes wrong says so and is looked
    at again later; the others are not kept waiting."""
    at = at or clock.now()
    daily = [kind.code for kind in TRIGGER_KINDS.values() if kind.is_daily]
    journeys = Journey.objects.filter(
        Q(look_after=None) | Q(look_after__lte=at) | Q(look_after__gt=at + 2 * _RETRY),
        state=JourneyState.RUNNING,
        version__definition__trigger__on__in=daily,
    )
    return sum(
        _look(row.pk, at)
        for row in journeys.select_related("version").order_by("pk")
        if next(_open_days(row, at), None)
    )


def last_looked(*, trigger: Trigger, at: dt.datetime) -> dt.date | None:
    """The day that a journey which begins to run now need not look at any more."""
    if not TRIGGER_KINDS[trigger.kind].is_daily:
        return None
    today = clock.business_day(at)
    return today if at > _moment(trigger, today) else today - dt.timedelta(days=1)


def _look(journey_id: int, at: dt.datetime) -> int:
    with slot(kind=LOOKING_SLOT, count=1, first=journey_id) as is_free:
        try:
            entered = _look_once(journey_id, at) if is_free else 0
        except Exception as error:
            if not connection.is_usable():
                raise
            logger.exception("journeys.look_failed", extra={"journey": journey_id})
            Journey.objects.filter(pk=journey_id).update(fault=fault_of(error), look_after=at + _RETRY)
            return 0
    return entered


def _look_once(journey_id: int, at: dt.datetime) -> int:
    row = Journey.objects.select_related("version").filter(pk=journey_id, state=JourneyState.RUNNING).first()
    if row is None or row.version is None:
        return 0
    trigger, entered = definition_of(row.version.definition).trigger, 0
    for day in _open_days(row, at):
        for asked in _asked(trigger, day):
            entered += _let_all_in(row, row.version, asked, at)
        running = Journey.objects.filter(pk=journey_id, state=JourneyState.RUNNING)
        running.filter(Q(looked_on=None) | Q(looked_on__lt=day)).update(looked_on=day)
    if row.fault:
        Journey.objects.filter(pk=journey_id).update(fault="", look_after=None)
    return entered


def _let_all_in(journey: Journey, version: JourneyVersion, asked: _Asked, at: dt.datetime) -> int:
    """In slices, each a transaction: a million neither fill the memory nor hold anything for long. Whoever begins again after a
    kill finds that the first have entered for this reason."""
    values = {"day": f"{asked.told.month}月{asked.told.day}日"}
    running = Journey.objects.filter(pk=journey.pk, state=JourneyState.RUNNING)
    entered = 0
    with _found(f"journey_{journey.pk}", select_members(found_of(asked.node, asked.day))) as slices:
        for ids in slices:
            if not running.exists():
                break
            entries = [Entry(member_id, asked.key, values) for member_id in ids]
            entered += len(let_in(version=version, entries=entries, at=at))
    return entered


@contextlib.contextmanager
def _found(name: str, sql: Sql) -> Iterator[Iterator[list[int]]]:
    """The ids that a compiled rule yields, worked out once and kept by the database, a few thousand at a time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_LONGEST_MS)])
        cursor.execute(_DECLARE.format(name=name, wanted=sql.text), sql.params)

    def slices() -> Iterator[list[int]]:
        while True:
            with connection.cursor() as cursor:
                cursor.execute(f"FETCH {AT_ONCE} FROM {name}")
                ids = [member_id for (member_id,) in cursor.fetchall()]
            if not ids:
                return
            yield ids

    try:
        yield slices()
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(f"CLOSE {name}")


def _open_days(journey: Journey, at: dt.datetime) -> Iterator[dt.date]:
    """Days whose time has come and that were not looked at."""
    assert journey.version is not None
    trigger = definition_of(journey.version.definition).trigger
    today = clock.business_day(at)
    last = today if at >= _moment(trigger, today) else today - dt.timedelta(days=1)
    first = last if journey.looked_on is None else journey.looked_on + dt.timedelta(days=1)
    first = max(first, last - dt.timedelta(days=_MOST_MISSED - 1))
    for ahead in range((last - first).days + 1):
        yield first + dt.timedelta(days=ahead)


def _moment(trigger: Trigger, day: dt.date) -> dt.datetime:
    hours, minutes = map(int, trigger.values["at"].split(":"))
    return dt.datetime.combine(day, dt.time(hours, minutes), clock.SHANGHAI).astimezone(dt.UTC)


def _asked(trigger: Trigger, day: dt.date) -> Iterator[_Asked]:
    """Conditions are read as they stand on the day that is meant: a birthday in three days is one of today then."""
    kind, values = trigger.kind, trigger.values
    if kind == "daily":
        yield _Asked(node_of(values["rule"]), day, f"day:{day}", day)
        return
    if kind == "asleep":
        last = day - dt.timedelta(days=values["days"])
        when = {"from": last.isoformat(), "until": last.isoformat()}
        yield _Asked(_leaf("sales.last", when=when), day, f"asleep:{last}", last)
        return
    meant = day + dt.timedelta(days=values["days"])
    if kind == "birthday":
        yield _Asked(_leaf("members.birthday_ahead", days=0), meant, f"birthday:{meant.year}", meant)
    elif kind == "joined_anniversary":
        years = tuple(_joined(meant))
        yield _Asked(Group("any", years), meant, f"joined:{meant.year}", meant)
    elif kind == "coupon_expiring":
        yield _Asked(_leaf("coupons.expiring", days=0), meant, f"coupon-end:{meant}", meant)
    elif kind == "points_expiring":
        leaf = _leaf("members.points_expiring", days=0, at_least=values["at_least"])
        yield _Asked(leaf, meant, f"points-end:{meant}", meant)


def _joined(day: dt.date) -> Iterator[Leaf]:
    """Whoever came on that day of an earlier year; on the 28th of February also who came on the 29th, where there is none now."""
    is_last = (day.month, day.day) == (2, 28) and not calendar.isleap(day.year)
    for ago in range(1, _YEARS + 1):
        year = day.year - ago
        if (day.month, day.day) == (2, 29) and not calendar.isleap(year):
            continue
        first = day.replace(year=year)
        last = first + dt.timedelta(days=1) if is_last and calendar.isleap(year) else first
        yield _leaf("members.joined", when={"from": first.isoformat(), "until": last.isoformat()})


def _leaf(code: str, **values: Any) -> Leaf:
    return Leaf(code, values)
