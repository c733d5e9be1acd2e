"""Around the runner: staff let somebody out or have a step tried again, ended journeys let everybody out, numbers are
folded, what is old is deleted."""

import datetime as dt
import time
from collections import Counter
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from campaigns.errors import EnrolmentNotParked, EnrolmentOver
from campaigns.models import Enrolment, EnrolmentState, EnrolmentStep, Journey, JourneyState
from campaigns.services.journeys.rows import tally
from core import audit, clock
from core.actor import Actor
from core.slots import slot

BY_STAFF: Final = "staff"
ENDED: Final = "journey_ended"
_AT_ONCE: Final = 5_000
# First half of the advisory lock's key; the second is the slot's number. Nothing else uses it.
KEEPER_SLOT: Final = 7_316_006
_RUN_S: Final = 50.0
_RETRY_S: Final = 10.0  # somebody waits for the page
# Two who fold take turns: rows of one version in different orders would make them wait for each other.
_TURN: Final = "SELECT pg_advisory_xact_lock(7316003, 0)"
_FOLD: Final = """
WITH taken AS (DELETE FROM campaigns_journeytally RETURNING version_id, step, way, count)
INSERT INTO campaigns_journeycount AS mine (version_id, step, way, count)
SELECT version_id, step, way, sum(count) FROM taken GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (version_id, step, way) DO UPDATE SET count = mine.count + excluded.count
"""


def exit_enrolment(
    *,
    enrolment_id: int,
    actor: Actor,
    code: str = BY_STAFF,
    reason: str = "",
    at: dt.datetime | None = None,
) -> None:
    """She is out, at once: nothing more is done for her there. Refuses who is out already (EnrolmentOver)."""
    at = at or clock.now()
    with transaction.atomic():
        if not _let_out([enrolment_id], code, at):
            raise EnrolmentOver
        row = Enrolment.objects.get(pk=enrolment_id)
        audit.record(action="campaigns.enrolment_exited", subject=row, actor=actor, at=at, reason=reason)


def retry_enrolment(*, enrolment_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Who was parked tries her step again now. Refuses others (EnrolmentNotParked)."""
    at = at or clock.now()
    with transaction.atomic():
        row = Enrolment.objects.lock(enrolment_id)
        if row.state != EnrolmentState.FAILED:
            raise EnrolmentNotParked
        _wake([row], at)
        audit.record(action="campaigns.enrolment_retried", subject=row, actor=actor, at=at)


def retry_parked(*, journey_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """Everybody who was parked in the journey tries again now; how many. Of a crowd as many as some seconds allow: the journey's
    page says how many are left."""
    at, total, end = at or clock.now(), 0, time.monotonic() + _RETRY_S
    parked = Enrolment.objects.filter(journey_id=journey_id, state=EnrolmentState.FAILED)
    while True:
        with transaction.atomic():
            rows = parked.claim(_AT_ONCE)
            _wake(rows, at)
        total += len(rows)
        if len(rows) < _AT_ONCE or time.monotonic() >= end:
            break
    if total:
        audit.record(
            action="campaigns.journey_retried",
            subject=Journey(pk=journey_id),
            actor=actor,
            at=at,
            members=total,
        )
    return total


def finish_ended_journeys(*, at: dt.datetime | None = None) -> int:
    """Everybody still in a journey that is over is let out; how many. In slices, each a transaction, by one process at a time:
    a million would keep every process of a worker waiting for the first. A run ends after a while; the timetable begins the
    next."""
    at, total, end = at or clock.now(), 0, time.monotonic() + _RUN_S
    with slot(kind=KEEPER_SLOT, count=1) as is_free:
        while is_free and time.monotonic() < end:
            with transaction.atomic():
                # By the index of who is under way.
                left = Enrolment.objects.live().filter(journey__state=JourneyState.ENDED)
                ids = list(left.order_by("journey_id", "member_id").values_list("pk", flat=True)[:_AT_ONCE])
                total += _let_out(ids, ENDED, at)
            if len(ids) < _AT_ONCE:
                break
    return total


def fold_journey_counts() -> None:
    """What was tallied is in the counts."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TURN)
        cursor.execute(_FOLD)


def prune_journey_steps(*, at: dt.datetime | None = None) -> int:
    """What happened to whom is forgotten so long after it happened; how many rows. Counts stay."""
    since = (at or clock.now()) - dt.timedelta(days=settings.JOURNEY_KEEP_DAYS)
    total = 0
    for _round in range(40):
        old = EnrolmentStep.objects.order_by("pk").values_list("pk", "at")[:_AT_ONCE]
        ids = [pk for pk, happened_at in old if happened_at < since]
        total += EnrolmentStep.objects.filter(pk__in=ids).delete()[0]
        if len(ids) < _AT_ONCE:
            break
    return total


def _let_out(ids: list[int], code: str, at: dt.datetime) -> int:
    rows = Enrolment.objects.live().filter(pk__in=ids).lock_rows()
    Enrolment.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=EnrolmentState.EXITED, code=code, ended_at=at, lease_holder="", leased_until=None
    )
    EnrolmentStep.objects.bulk_create(
        [EnrolmentStep(enrolment_id=row.pk, step=row.step, at=at, way="exited", code=code) for row in rows]
    )
    counts: Counter[tuple[int, str, str]] = Counter()
    for row in rows:
        counts[row.version_id, row.step, "exited"] += 1
        counts[row.version_id, "", "exited"] += 1
    tally(counts=counts)
    return len(rows)


def _wake(rows: list[Enrolment], at: dt.datetime) -> None:
    Enrolment.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=EnrolmentState.WAITING, due_at=at, attempt_count=0, code=""
    )
    counts: Counter[tuple[int, str, str]] = Counter((row.version_id, "", "failed") for row in rows)
    tally(counts={key: -count for key, count in counts.items()})
