"""Permits to send texts: a lane of `core.lanes` for each purpose."""

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
from sms.contracts import PurposeName, SmsLaneCard
from sms.errors import NotHalted
from sms.models import SmsLane

logger = logging.getLogger(__name__)

FASTEST: Final = core_lanes.FASTEST


def take_permits(*, purpose: PurposeName, wanted: int, at: dt.datetime) -> Permits:
    """Leave for up to `wanted` texts at once, out of the rate that all workers share; see `core.lanes.take_permits`."""
    permits = core_lanes.take_permits(SmsLane, {"purpose": purpose}, wanted=wanted, at=at)
    if permits is None:
        open_lane(purpose=purpose, at=at)
        permits = core_lanes.take_permits(SmsLane, {"purpose": purpose}, wanted=wanted, at=at)
    if permits is None:
        raise RuntimeError("the lane is gone")
    return permits


def open_lane(*, purpose: PurposeName, at: dt.datetime) -> None:
    """The purpose has a row, with the rate of the settings when it is new."""
    rate = settings.SMS_SEND_RATE_PER_S
    lane = SmsLane(purpose=purpose, rate_per_s=rate, next_at=core_lanes.first_moment(rate, at))
    SmsLane.objects.bulk_create([lane], ignore_conflicts=True)


def slow_down(*, purpose: PurposeName, code: str, pause_s: int | None, at: dt.datetime) -> None:
    """All workers of the purpose pause from now on."""
    open_lane(purpose=purpose, at=at)
    core_lanes.slow_down(SmsLane, {"purpose": purpose}, pause_s=pause_s, at=at)
    logger.info("sms.lane_slowed", extra={"purpose": purpose, "reason": code})


def halt(*, purpose: PurposeName, code: str, until: dt.datetime | None, at: dt.datetime) -> None:
    """Nothing of the purpose is sent, until then or until a person lifts it; one alarm however many ran into it."""
    open_lane(purpose=purpose, at=at)
    rows = SmsLane.objects.filter(core_lanes.may_halt(until=until, at=at), purpose=purpose)
    if rows.update(halted_at=at, halted_until=until, halt_code=code):
        logger.error("sms.lane_halted", extra={"purpose": purpose, "reason": code})


def is_halted(*, purpose: PurposeName, at: dt.datetime) -> bool:
    """Whether nothing of the purpose may be sent at that instant."""
    return SmsLane.objects.filter(core_lanes.is_stopped(at), purpose=purpose).exists()


def list_lanes() -> Sequence[SmsLaneCard]:
    """Every purpose that was ever used."""
    return [
        SmsLaneCard(
            id=row.pk,
            purpose=cast(PurposeName, row.purpose),
            rate_per_s=row.rate_per_s,
            backoff_until=row.backoff_until,
            halted_at=row.halted_at,
            halted_until=row.halted_until,
            halt_code=row.halt_code,
        )
        for row in SmsLane.objects.order_by("pk")
    ]


def lift_halt(*, purpose: PurposeName, actor: Actor, at: dt.datetime | None = None) -> None:
    """Texts of the purpose are sent again; what made the provider refuse is somebody's to have mended. Refuses
    (NotHalted) one that is not stopped."""
    now = at or clock.now()
    with transaction.atomic():
        rows = SmsLane.objects.filter(purpose=purpose, halted_at__isnull=False).lock_rows()
        if not rows:
            raise NotHalted
        audit.record(
            action="sms.lane.lift", subject=rows[0], actor=actor, at=now, halt_code=rows[0].halt_code
        )
        SmsLane.objects.filter(pk=rows[0].pk).update(**core_lanes.LIFTED)


def set_rate(*, purpose: PurposeName, rate_per_s: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """At most so many a second leave, all workers together. Refuses (InvalidInput) less than 1 and more than 5,000."""
    if not 1 <= rate_per_s <= FASTEST:
        raise InvalidInput(field="rate_per_s")
    now = at or clock.now()
    open_lane(purpose=purpose, at=now)
    with transaction.atomic():
        lane = SmsLane.objects.filter(purpose=purpose).lock_rows()[0]
        audit.record(
            action="sms.lane.rate",
            subject=lane,
            actor=actor,
            at=now,
            was_count=lane.rate_per_s,
            rate_count=rate_per_s,
        )
        SmsLane.objects.filter(pk=lane.pk).update(rate_per_s=rate_per_s)
