"""When campaigns run: `{"every": "week", "days": [1, 5], "at": "10:00"}` and the moments that it comes to, Shanghai time.

`every`: day; week with weekdays (1 is Monday); month with days of the month; members_day, the chain's 会员日. A day that a
month does not have is its last one: who writes 31 means the month's end.
"""

import calendar
import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts.campaigns import MOST_DAYS
from campaigns.contracts.faults import Fault, pointer_part
from core.clock import SHANGHAI

_AT: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
# `every` → what its days may be; None: it has none.
_DAYS: Final[Mapping[str, tuple[int, int] | None]] = {
    "day": None,
    "week": (1, 7),
    "month": (1, 31),
    "members_day": None,
}
EVERY_WORDS: Final[Mapping[str, str | Promise]] = {
    "day": _("每天"),
    "week": _("每周几"),
    "month": _("每月几号"),
    "members_day": _("会员日"),
}
WEEKDAYS: Final = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))


@dataclasses.dataclass(frozen=True, slots=True)
class MembersDays:
    """The chain's members' days: days of the month and weekdays (1 is Monday)."""

    month_days: frozenset[int] = frozenset()
    week_days: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.month_days or self.week_days)

    def has(self, day: dt.date) -> bool:
        return day.isoweekday() in self.week_days or _in_month(day, self.month_days)


@dataclasses.dataclass(frozen=True, slots=True)
class Recurrence:
    """One calendar rule."""

    every: str
    at: dt.time
    days: frozenset[int] = frozenset()

    def has(self, day: dt.date, members_days: MembersDays) -> bool:
        """Whether it runs on this Shanghai day."""
        return _HAS[self.every](self, day, members_days)

    def words(self) -> str:
        """ "每周一、周五 10:00"."""
        days = sorted(self.days)
        told = str(EVERY_WORDS[self.every])
        if self.every == "week":
            told = _now("每%(days)s") % {"days": _now("、").join(str(WEEKDAYS[day - 1]) for day in days)}
        elif self.every == "month":
            told = _now("每月 %(days)s 日") % {"days": _now("、").join(map(str, days))}
        return f"{told} {self.at:%H:%M}"


_HAS: Final[Mapping[str, Callable[[Recurrence, dt.date, MembersDays], bool]]] = {
    "day": lambda _rule, _day, _members_days: True,
    "week": lambda rule, day, _members_days: day.isoweekday() in rule.days,
    "month": lambda rule, day, _members_days: _in_month(day, rule.days),
    "members_day": lambda _rule, day, members_days: members_days.has(day),
}


def _in_month(day: dt.date, days: frozenset[int]) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    return day.day in days or (day.day == last and any(one > last for one in days))


def read_recurrence(value: Any, path: str = "") -> tuple[Recurrence | None, list[Fault]]:
    """The rule, None for an empty one, and everything that is wrong with it."""
    if value == {}:
        return None, []
    if not isinstance(value, dict):
        return None, [Fault(path, "not_an_object")]
    faults = [
        Fault(f"{path}/{pointer_part(name)}", "unknown_field")
        for name in value
        if name not in {"every", "days", "at"}
    ]
    every = value.get("every")
    if "every" not in value:
        faults.append(Fault(f"{path}/every", "missing_field"))
    elif not isinstance(every, str) or every not in _DAYS:
        faults.append(Fault(f"{path}/every", "unknown_choice"))
    else:
        faults += _day_faults(value, _DAYS[every], path)
    at = value.get("at")
    if "at" not in value:
        faults.append(Fault(f"{path}/at", "missing_field"))
    elif not isinstance(at, str) or not _AT.fullmatch(at):
        faults.append(Fault(f"{path}/at", "not_a_time"))
    if faults:
        return None, faults
    return recurrence_of(value), []


def _day_faults(value: Mapping[str, Any], span: tuple[int, int] | None, path: str) -> list[Fault]:
    place = f"{path}/days"
    if span is None:
        return [Fault(place, "unknown_field")] if "days" in value else []
    days = value.get("days")
    if "days" not in value:
        return [Fault(place, "missing_field")]
    if not isinstance(days, list):
        return [Fault(place, "not_a_list")]
    if not days:
        return [Fault(place, "empty_list")]
    least, most = span
    if len(days) > most:
        return [Fault(place, "too_many", {"most": most})]
    faults = []
    for index, day in enumerate(days):
        if isinstance(day, bool) or not isinstance(day, int):
            faults.append(Fault(f"{place}/{index}", "not_a_number"))
        elif not least <= day <= most:
            faults.append(Fault(f"{place}/{index}", "out_of_range", {"least": least, "most": most}))
    return faults


def recurrence_of(kept: Mapping[str, Any]) -> Recurrence | None:
    """The rule that a row keeps, which was read once; None: once."""
    if not kept:
        return None
    at = dt.time.fromisoformat(kept["at"])
    return Recurrence(kept["every"], at, frozenset(kept.get("days", ())))


def write_recurrence(rule: Recurrence | None) -> dict[str, Any]:
    """The JSON that `read_recurrence` reads back to the same rule."""
    if rule is None:
        return {}
    kept: dict[str, Any] = {"every": rule.every, "at": f"{rule.at:%H:%M}"}
    return kept | {"days": sorted(rule.days)} if rule.days else kept


def moments(
    rule: Recurrence | None, *, starts_at: dt.datetime, ends_at: dt.datetime, members_days: MembersDays
) -> Iterator[dt.datetime]:
    """Every moment at which a run begins, in order, from `starts_at` to before `ends_at`, as UTC; at most 400 days of them."""
    if rule is None:
        if starts_at < ends_at:
            yield starts_at.astimezone(dt.UTC)
        return
    day = starts_at.astimezone(SHANGHAI).date()
    for _number in range(MOST_DAYS + 1):
        moment = dt.datetime.combine(day, rule.at, SHANGHAI).astimezone(dt.UTC)
        if moment >= ends_at:
            return
        if moment >= starts_at and rule.has(day, members_days):
            yield moment
        day += dt.timedelta(days=1)


def next_moment(
    rule: Recurrence | None,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    members_days: MembersDays,
    after: dt.datetime | None = None,
) -> dt.datetime | None:
    """The first of them that is later than `after`; None when there is none any more."""
    for moment in moments(rule, starts_at=starts_at, ends_at=ends_at, members_days=members_days):
        if after is None or moment > after:
            return moment
    return None


def sending_spans(
    *, starts_at: dt.datetime, ends_at: dt.datetime, send_from: dt.time, send_until: dt.time
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """When something may go out: the hours of each Shanghai day that lie between the two moments, as UTC."""
    day = starts_at.astimezone(SHANGHAI).date()
    for _number in range(MOST_DAYS + 2):
        begins = dt.datetime.combine(day, send_from, SHANGHAI).astimezone(dt.UTC)
        if begins >= ends_at:
            return
        ends = dt.datetime.combine(day, send_until, SHANGHAI).astimezone(dt.UTC)
        if max(begins, starts_at) < min(ends, ends_at):
            yield max(begins, starts_at), min(ends, ends_at)
        day += dt.timedelta(days=1)


def days_words(days: Sequence[int]) -> str:
    """Weekdays by name."""
    return _now("、").join(str(WEEKDAYS[day - 1]) for day in days)
