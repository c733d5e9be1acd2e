"""Permits to send: a lane of `core.lanes` for each account and channel."""

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Final, cast

from django.conf import settings
from django.db import transaction

from core import audit, clock
from core import lanes as core_lanes
from core.actor import Actor
from core.errors import InvalidInput
from core.lanes import Permits
from wechat.contracts import Channel, LaneCard
from wechat.errors import NotHalted
from wechat.models import SendLane
from wechat.services.verdicts import Trouble

logger = logging.getLogger(__name__)

FASTEST: Final = core_lanes.FASTEST


def take_permits(*, account_id: int, channel: Channel, wanted: int, at: dt.datetime | None = None) -> Permits:
    """Leave for up to `wanted` messages at once, out of the rate that all workers of the account share; see
    `core.lanes.take_permits`."""
    now = at or clock.now()
    key = {"account_id": account_id, "channel": channel}
    permits = core_lanes.take_permits(SendLane, key, wanted=wanted, at=now)
    if permits is None:
        open_lane(account_id=account_id, channel=channel, at=now)
        permits = core_lanes.take_permits(SendLane, key, wanted=wanted, at=now)
    if permits is None:
        raise RuntimeError("the lane is gone")
    return permits


def open_lane(*, account_id: int, channel: Channel, at: dt.datetime) -> None:
    """The account has a row for the channel, with the rate of the settings when it is new."""
    rate = settings.WECHAT_SEND_RATE_PER_S
    lane = SendLane(
        account_id=account_id,
        channel=channel,
        rate_per_s=rate,
        next_at=core_lanes.first_moment(rate, at),
    )
    SendLane.objects.bulk_create([lane], ignore_conflicts=True)


def note_trouble(*, account_id: int, channel: Channel, trouble: Trouble, at: dt.datetime) -> None:
    """All workers of the channel slow down, or stop, from now on."""
    open_lane(account_id=account_id, channel=channel, at=at)
    if trouble.kind == "slow_down":
        _slow_down(account_id, channel, trouble, at)
    else:
        _halt(account_id, channel, trouble, at)


def _slow_down(account_id: int, channel: Channel, trouble: Trouble, at: dt.datetime) -> None:
    key = {"account_id": account_id, "channel": channel}
    core_lanes.slow_down(SendLane, key, pause_s=trouble.pause_s, at=at)
    logger.info(
        "wechat.lane_slowed", extra={"account_id": account_id, "channel": channel, "reason": trouble.code}
    )


def _halt(account_id: int, channel: Channel, trouble: Trouble, at: dt.datetime) -> None:
    """Stopped once, with one alarm; a halt that waits for a person is not shortened by one that ends by itself."""
    is_open = core_lanes.may_halt(until=trouble.until, at=at)
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
        SendLane.objects.filter(pk=lane.pk).update(halt_errcode=None, **core_lanes.LIFTED)


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
