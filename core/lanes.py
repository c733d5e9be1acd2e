"""Permits to send: one rate for all workers of a lane, a back-off they share, and a halt.

A gateway has a table of lanes, made of `Lane` and a unique key of its own. Workers take permits in handfuls before they
send, and report what the other side said of the whole lane after it. Every step is one guarded statement on the lane's row.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

# So much of unused rate may be made up for: the most that leaves at once, as a share of a second.
BURST_S: Final = 0.25
LONGEST_BACKOFF_S: Final = 60
# A back-off that ended longer ago than this is forgotten: the next one begins small again.
FORGOTTEN_AFTER: Final = dt.timedelta(minutes=2)
# No permit is ever given ahead of time; a row that says so was written by a clock that went wrong.
_SKEW: Final = dt.timedelta(seconds=5)
_LONGEST_BELIEVED: Final = dt.timedelta(minutes=5)
FASTEST: Final = 5_000


class Lane(models.Model):
    """How fast something may be sent, and whether at all, for every worker.

    It lives in PostgreSQL, not Redis: a flushed Redis must neither let the workers loose nor stop them.
    `next_at` is the moment of the next permit (GCRA); it is never written ahead of the writer's clock.
    """

    rate_per_s = models.PositiveIntegerField(
        _("每秒最多"), default=200, validators=[MinValueValidator(1), MaxValueValidator(FASTEST)]
    )
    next_at = models.DateTimeField()
    # What the last taking got: an UPDATE can return the new row only.
    taken_count = models.PositiveIntegerField(default=0)
    backoff_until = models.DateTimeField(_("放慢到"), null=True)
    backoff_count = models.PositiveSmallIntegerField(default=0)
    halted_at = models.DateTimeField(_("停发时间"), null=True)
    halted_until = models.DateTimeField(_("停发到"), null=True)  # NULL: until a person lifts it
    halt_code = models.CharField(max_length=60, blank=True)

    class Meta:
        abstract = True


@dataclasses.dataclass(frozen=True, slots=True)
class Permits:
    """Leave to send `count` messages now. With none, `wait_until` says when to ask again; `halt_code` is set while the
    lane is stopped, and then `wait_until` is None when only a person can lift that."""

    count: int
    wait_until: dt.datetime | None = None
    halt_code: str = ""


# What a lifted halt leaves of it.
LIFTED: Final[Mapping[str, Any]] = {
    "halted_at": None,
    "halted_until": None,
    "halt_code": "",
    "backoff_until": None,
    "backoff_count": 0,
}

# One UPDATE on one row: a worker that had to wait for another's sees the row as that one left it.
_BASE: Final = """CASE
    WHEN next_at > %(at)s + %(skew)s THEN %(at)s
    ELSE GREATEST(next_at, %(at)s - GREATEST(%(burst)s, interval '1 second' / rate_per_s))
END"""
_IS_HALTED: Final = "halted_at IS NOT NULL AND (halted_until IS NULL OR halted_until > %(at)s)"
_COUNT: Final = f"""CASE
    WHEN {_IS_HALTED} THEN 0
    WHEN backoff_until > %(at)s AND backoff_until < %(at)s + %(believed)s THEN 0
    ELSE GREATEST(0, LEAST(%(wanted)s::int, floor(extract(epoch FROM %(at)s - {_BASE}) * rate_per_s)::int))
END"""
_TAKE: Final = f"""
    UPDATE {{table}}
    SET taken_count = {_COUNT}, next_at = {_BASE} + {_COUNT} * interval '1 second' / rate_per_s
    WHERE {{key}}
    RETURNING taken_count, next_at, rate_per_s, backoff_until, {_IS_HALTED}, halted_until, halt_code
"""  # noqa: S608  (constants of this module)
_NEXT_COUNT: Final = """CASE
    WHEN backoff_until > %(at)s THEN backoff_count
    WHEN backoff_until > %(at)s - %(forgotten)s THEN LEAST(backoff_count + 1, 10)
    ELSE 1
END"""
_SLOW_DOWN: Final = f"""
    UPDATE {{table}} SET
        backoff_count = {_NEXT_COUNT},
        backoff_until = GREATEST(
            backoff_until,
            %(at)s + COALESCE(%(pause_s)s::int, LEAST(%(longest_s)s, 2 ^ ({_NEXT_COUNT} - 1))) * interval '1 second'
        )
    WHERE {{key}}
"""  # noqa: S608  (constants of this module)


def first_moment(rate_per_s: int, at: dt.datetime) -> dt.datetime:
    """The `next_at` of a lane that opens now: it may send at once."""
    return at - dt.timedelta(seconds=max(BURST_S, 1 / rate_per_s))


def take_permits(
    model: type[Lane], key: Mapping[str, Any], *, wanted: int, at: dt.datetime
) -> Permits | None:
    """Leave for up to `wanted` messages at once, out of the rate that all workers share; None when there is no such lane.

    Takes what has come due since the last taking, at most a quarter of a second's worth; so a worker that is behind
    catches up, and one that slept long does not flood. None during a back-off and a halt. The instants are the
    worker's: a clock that is behind waits, one that was wrong by more than seconds is not believed.
    """
    values: dict[str, Any] = {
        **key,
        "wanted": wanted,
        "at": at,
        "burst": dt.timedelta(seconds=BURST_S),
        "skew": _SKEW,
        "believed": _LONGEST_BELIEVED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_of(model, key, _TAKE), values)
        row = cursor.fetchone()
    if row is None:
        return None
    count, next_at, rate, backoff_until, is_stopped, halted_until, halt_code = row
    if is_stopped:
        return Permits(0, halted_until, halt_code)
    if count:
        return Permits(count)
    if backoff_until is not None and at < backoff_until < at + _LONGEST_BELIEVED:
        return Permits(0, backoff_until)
    handful = max(1, min(wanted, int(rate * BURST_S)))
    return Permits(0, next_at + dt.timedelta(seconds=handful / rate))


def slow_down(model: type[Lane], key: Mapping[str, Any], *, pause_s: int | None, at: dt.datetime) -> None:
    """All workers pause: `pause_s` seconds, or by default longer with each back-off that follows another. The many sends
    that were under way together and failed for one reason count as one."""
    values: dict[str, Any] = {
        **key,
        "at": at,
        "pause_s": pause_s,
        "longest_s": LONGEST_BACKOFF_S,
        "forgotten": FORGOTTEN_AFTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_of(model, key, _SLOW_DOWN), values)


def may_halt(*, until: dt.datetime | None, at: dt.datetime) -> Q:
    """Lanes that a halt until then may be written on: one that waits for a person is not shortened by one that ends by
    itself."""
    is_open = Q(halted_at=None) | Q(halted_until__lte=at)
    return is_open if until is not None else is_open | Q(halted_until__isnull=False)


def is_stopped(at: dt.datetime) -> Q:
    """Lanes over which nothing may be sent at that instant."""
    return Q(halted_at__isnull=False) & (Q(halted_until=None) | Q(halted_until__gt=at))


def _of(model: type[Lane], key: Mapping[str, Any], statement: str) -> str:
    """The statement for one lane; table and names are the models', values are bound."""
    where = " AND ".join(f"{connection.ops.quote_name(name)} = %({name})s" for name in key)
    return statement.format(table=connection.ops.quote_name(model._meta.db_table), key=where)
