"""Journeys that begin on a date: once a Shanghai day everybody is looked at whose day it is.

The day is noted in the transaction that lets them in, so a day is looked at once, by whoever comes first after its time; and
days that were missed, up to three, are made up for.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.db import transaction

from campaigns.contracts.journeys import Trigger
from campaigns.contracts.segments import Group, Leaf, Node
from campaigns.models import Journey, JourneyState
from campaigns.selectors.journeys import TRIGGER_KINDS, definition_of
from campaigns.selectors.segments import found_of, node_of, select_members
from campaigns.services.journeys.entering import Entry, let_in, whom
from core import clock

_MOST_MISSED: Final = 3
_YEARS: Final = 20


class _Asked(NamedTuple):
    """Whom to look for: a rule, the day on which it is read, the reason, and the day that texts say."""

    node: Node
    day: dt.date
    key: str
    told: dt.date


def look_for_dates(*, at: dt.datetime | None = None) -> int:
    """Whoever's day it is has entered the running journeys that begin so; how many did."""
    at = at or clock.now()
    daily = [kind.code for kind in TRIGGER_KINDS.values() if kind.is_daily]
    journeys = Journey.objects.filter(state=JourneyState.RUNNING, version__definition__trigger__on__in=daily)
    return sum(_look(pk, at) for pk in list(journeys.order_by("pk").values_list("pk", flat=True)))


def last_looked(*, trigger: Trigger, at: dt.datetime) -> dt.date | None:
    """The day that a journey which begins to run now need not look at any more."""
    if not TRIGGER_KINDS[trigger.kind].is_daily:
        return None
    today = clock.business_day(at)
    return today if at > _moment(trigger, today) else today - dt.timedelta(days=1)


def _look(journey_id: int, at: dt.datetime) -> int:
    with transaction.atomic():
        # Locked by whoever looks: another finds it held and leaves it.
        rows = Journey.objects.filter(pk=journey_id, state=JourneyState.RUNNING).claim(1)
        if not rows or rows[0].version is None:
            return 0
        journey, version = rows[0], rows[0].version
        trigger = definition_of(version.definition).trigger
        entered = 0
        for day in _days(journey, trigger, at):
            for asked in _asked(trigger, day):
                ids = whom(sql=select_members(found_of(asked.node, asked.day)))
                values = {"day": f"{asked.told.month}月{asked.told.day}日"}
                entries = [Entry(member_id, asked.key, values) for member_id in sorted(ids)]
                entered += len(let_in(version=version, entries=entries, at=at))
            journey.looked_on = day
            journey.save(update_fields=["looked_on"])
        return entered


def _days(journey: Journey, trigger: Trigger, at: dt.datetime) -> Iterator[dt.date]:
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
    """Whoever came on that day of an earlier year."""
    for ago in range(1, _YEARS + 1):
        try:
            then = day.replace(year=day.year - ago).isoformat()
        except ValueError:  # the 29th of February
            continue
        yield _leaf("members.joined", when={"from": then, "until": then})


def _leaf(code: str, **values: Any) -> Leaf:
    return Leaf(code, values)
