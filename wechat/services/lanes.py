"""Permits to send: one rate per account and channel for all workers, a back-off they share, and a halt.

Workers take permits in handfuls before they send, and report what WeChat said of the whole channel after it. Every step
is one guarded statement on the lane's row.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Any, Final, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from core import audit, clock
from core.actor import Actor
from core.errors import InvalidInput
from wechat.contracts import Channel, LaneCard, Permits
from wechat.errors import NotHalted
from wechat.models import SendLane
from wechat.services.verdicts import Trouble

logger = logging.getLogger(__name__)

# So much of unused rate may be made up for: the most that leaves at once, as a share of a second.
BURST_S: Final = 0.25
LONGEST_BACKOFF_S: Final = 60
# A back-off that ended longer ago than this is forgotten: the next one begins small again.
FORGOTTEN_AFTER: Final = dt.timedelta(minutes=2)
# No permit is ever given ahead of time; a row that says so was written by a clock that went wrong.
_SKEW: Final = dt.timedelta(seconds=5)
_LONGEST_BELIEVED: Final = dt.timedelta(minutes=5)
FASTEST: Final = 5_000

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
    UPDATE wechat_sendlane
    SET taken_count = {_COUNT}, next_at = {_BASE} + {_COUNT} * interval '1 second' / rate_per_s
    WHERE account_id = %(account_id)s AND channel = %(channel)s
    RETURNING taken_count, next_at, rate_per_s, backoff_until, {_IS_HALTED}, halted_until, halt_code
"""  # noqa: S608  (constants of this module)


def take_permits(*, account_id: int, channel: Channel, wanted: int, at: dt.datetime | None = None) -> Permits:
    """Leave for up to `wanted` messages at once, out of the rate that all workers of the account share.

    Takes what has come due since the last taking, at most a quarter of a second's worth; so a worker that is behind
    catches up, and one that slept long does not flood. None during a back-off and a halt. The instants are the
    worker's: a clock that is behind waits, one that was wrong by more than seconds is not believed.
    """
    now = at or clock.now()
    values: dict[str, Any] = {
        "account_id": account_id,
        "channel": channel,
        "wanted": wanted,
        "at": now,
        "burst": dt.timedelta(seconds=BURST_S),
        "skew": _SKEW,
        "believed": _LONGEST_BELIEVED,
    }
    row = _take(values)
    if row is None:
        open_lane(account_id=account_id, channel=channel, at=now)
        row = _take(values)
    if row is None:
        raise RuntimeError("the lane is gone")
    count, next_at, rate, backoff_until, is_halted, halted_until, halt_code = row
    if is_halted:
        return Permits(0, halted_until, halt_code)
    if count:
        return Permits(count)
    if backoff_until is not None and now < backoff_until < now + _LONGEST_BELIEVED:
        return Permits(0, backoff_until)
    handful = max(1, min(wanted, int(rate * BURST_S)))
    return Permits(0, next_at + dt.timedelta(seconds=handful / rate))


def _take(values: dict[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def open_lane(*, account_id: int, channel: Channel, at: dt.datetime) -> None:
    """The account has a row for the channel, with the rate of the settings when it is new."""
    lane = SendLane(
        account_id=account_id, channel=channel, rate_per_s=settings.WECHAT_SEND_RATE_PER_S, next_at=at
    )
    lane.next_at -= dt.timedelta(seconds=max(BURST_S, 1 / lane.rate_per_s))
    SendLane.objects.bulk_create([lane], ignore_conflicts=True)


def note_trouble(*, account_id: int, channel: Channel, trouble: Trouble, at: dt.datetime) -> None:
    """All workers of the channel slow down, or stop, from now on."""
    open_lane(account_id=account_id, channel=channel, at=at)
    if trouble.kind == "slow_down":
        _slow_down(account_id, channel, trouble, at)
    else:
        _halt(account_id, channel, trouble, at)


_NEXT_COUNT: Final = """CASE
    WHEN backoff_until > %(at)s THEN backoff_count
    WHEN backoff_until > %(at)s - %(forgotten)s THEN LEAST(backoff_count + 1, 10)
    ELSE 1
END"""
_SLOW_DOWN: Final = f"""
    UPDATE wechat_sendlane SET
        backoff_count = {_NEXT_COUNT},
        backoff_until = GREATEST(
            backoff_until,
            %(at)s + COALESCE(%(pause_s)s::int, LEAST(%(longest_s)s, 2 ^ ({_NEXT_COUNT} - 1))) * interval '1 second'
        )
    WHERE account_id = %(account_id)s AND channel = %(channel)s
"""  # noqa: S608  (constants of this module)


def _slow_down(account_id: int, channel: Channel, trouble: Trouble, at: dt.datetime) -> None:
    """The pause doubles with each back-off that follows another; the many sends that were under way together and failed
    for one reason count as one."""
    values: dict[str, Any] = {
        "account_id": account_id,
        "channel": channel,
        "at": at,
        "pause_s": trouble.pause_s,
        "longest_s": LONGEST_BACKOFF_S,
        "forgotten": FORGOTTEN_AFTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SLOW_DOWN, values)
    logger.info(
        "wechat.lane_slowed", extra={"account_id": account_id, "channel": channel, "reason": trouble.code}
    )


def _halt(account_id: int, channel: Channel, trouble: Trouble, at: dt.datetime) -> None:
    """Stopped once, with one alarm; a halt that waits for a person is not shortened by one that ends by itself."""
    is_open = Q(halted_at=None) | Q(halted_until__lte=at)
    if trouble.until is None:
        is_open |= Q(halted_until__isnull=False)
    halted = SendLane.objects.filter(is_open, account_id=account_id, channel=channel).update(
        halted_at=at, halted_until=trouble.until, halt_code=trouble.code, halt_errcode=trouble.errcode
    )
    if halted:
        logger.error(
            "wechat.lane_halted",
            extra={
                "account_id": account_id,
                "channel": channel,
                "reason": trouble.code,
                "errcode": trouble.errcode,
            },
        )


def find_halt(*, account_id: int, channel: Channel, at: dt.datetime) -> LaneCard | None:
    """The halt of the channel, if it is stopped at that instant."""
    found = [lane for lane in list_lanes() if lane.account_id == account_id and lane.channel == channel]
    return found[0] if found and is_halted(found[0], at) else None


def is_halted(lane: LaneCard, at: dt.datetime) -> bool:
    """Whether nothing may be sent over it at that instant."""
    return lane.halted_at is not None and (lane.halted_until is None or lane.halted_until > at)


def list_lanes() -> Sequence[LaneCard]:
    """Every channel that was ever used or set, by account."""
    rows = SendLane.objects.select_related("account").order_by("account_id", "channel")
    return [
        LaneCard(
            id=row.pk,
            account_id=row.account_id,
            account_name=row.account.name,
            channel=cast(Channel, row.channel),
            rate_per_s=row.rate_per_s,
            backoff_until=row.backoff_until,
            halted_at=row.halted_at,
            halted_until=row.halted_until,
            halt_code=row.halt_code,
            halt_errcode=row.halt_errcode,
        )
        for row in rows
    ]


def count_halts(*, at: dt.datetime) -> int:
    """How many channels are stopped at that instant."""
    stopped = Q(halted_until=None) | Q(halted_until__gt=at)
    return SendLane.objects.filter(stopped, halted_at__isnull=False).count()


def lift_halt(*, account_id: int, channel: Channel, actor: Actor, at: dt.datetime | None = None) -> None:
    """The channel sends again; what made WeChat refuse is somebody's to have mended. Refuses (NotHalted) one that is
    not stopped."""
    now = at or clock.now()
    with transaction.atomic():
        rows = SendLane.objects.filter(
            account_id=account_id, channel=channel, halted_at__isnull=False
        ).lock_rows()
        if not rows:
            raise NotHalted
        lane = rows[0]
        audit.record(action="wechat.lane.lift", subject=lane, actor=actor, at=now, halt_code=lane.halt_code)
        SendLane.objects.filter(pk=lane.pk).update(
            halted_at=None,
            halted_until=None,
            halt_code="",
            halt_errcode=None,
            backoff_until=None,
            backoff_count=0,
        )


def set_rate(
    *, account_id: int, channel: Channel, rate_per_s: int, actor: Actor, at: dt.datetime | None = None
) -> None:
    """The channel sends at most so many a second, all workers together. Refuses (InvalidInput) less than 1 and more
    than 5,000."""
    if not 1 <= rate_per_s <= FASTEST:
        raise InvalidInput(field="rate_per_s")
    now = at or clock.now()
    open_lane(account_id=account_id, channel=channel, at=now)
    with transaction.atomic():
        lane = SendLane.objects.filter(account_id=account_id, channel=channel).lock_rows()[0]
        audit.record(
            action="wechat.lane.rate",
            subject=lane,
            actor=actor,
            at=now,
            was_count=lane.rate_per_s,
            rate_count=rate_per_s,
        )
        SendLane.objects.filter(pk=lane.pk).update(rate_per_s=rate_per_s)
