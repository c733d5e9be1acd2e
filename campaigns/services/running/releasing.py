"""Runs are released: batch after batch, while their campaign runs, in its hours, within its budget."""

import dataclasses
import datetime as dt
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from psycopg.errors import DeadlockDetected

from campaigns.contracts.runs import BUDGET
from campaigns.models import (
    Campaign,
    CampaignMember,
    CampaignMemberState,
    CampaignRun,
    CampaignState,
    RunState,
)
from campaigns.services.campaign_steps import move_campaign
from campaigns.services.running.batches import (
    BATCH,
    Place,
    acts_of_letter,
    do_acts,
    lock_places,
    next_waiting,
    write_places,
)
from campaigns.services.running.budget import Cost, affordable, cost_of, settle_texts
from campaigns.services.running.lead import room_for
from campaigns.services.running.stopping import stop_runs
from campaigns.services.running.words import LATE, RELEASER
from core import clock
from core.errors import Conflict

# A run of the job ends by itself; the timetable begins the next.
_RUN_S: Final = 25.0
_WAIT_FOR_ROOM_S: Final = 0.5
# The rate is that of the last minutes, from one note in some seconds.
_PACE_EVERY: Final = dt.timedelta(seconds=15)
_PACES: Final = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """How many had their turn, and whether only messages under way keep the next ones waiting."""

    count: int = 0
    is_full: bool = False


_NOTHING: Final = Batch()
_MOST_IDLE: Final = "15s"


def release_campaigns() -> int:
    """Members of campaigns that run get what is theirs, one batch of each campaign in turn, as long as there are any and
    this run lasts; how many had their turn. Safe to run many times at once, and to be killed anywhere."""
    end, released = time.monotonic() + _RUN_S, 0
    while time.monotonic() < end:
        batches = []
        for pk, has_held in _open_campaigns():
            if has_held:
                settle_texts(campaign_id=pk)
            batches.append(release_batch(campaign_id=pk))
        released += sum(batch.count for batch in batches)
        if any(batch.count for batch in batches):
            continue
        if not any(batch.is_full for batch in batches):
            break
        time.sleep(_WAIT_FOR_ROOM_S)
    return released


def _open_campaigns() -> list[tuple[int, bool]]:
    """Those with a run under way that run, or whose time is over; and whether anything is put by for their messages."""
    may = Q(state=CampaignState.RUNNING) | Q(state=CampaignState.PAUSED, ends_at__lte=clock.now())
    releasing = CampaignRun.objects.filter(state=RunState.RELEASING).values("campaign_id")
    rows = Campaign.objects.filter(may, pk__in=releasing).order_by("pk")
    return [(pk, held > 0) for pk, held in rows.values_list("pk", "held_hundredths")]


def release_batch(*, campaign_id: int, at: dt.datetime | None = None) -> Batch:
    """The next members of the campaign's oldest run get what is theirs; nothing happens when somebody else is at it, it does
    not run, or it is not its hour. One whose time is over is closed, and one whose budget is used up stands still and says so."""
    at = at or clock.now()
    try:
        with transaction.atomic():
            return _release(campaign_id, at)
    except Conflict:
        return _NOTHING  # her merge goes on and on: another time
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        return _NOTHING


def _release(campaign_id: int, at: dt.datetime) -> Batch:
    # A worker that is frozen here holds the campaign's lock: the database ends its session soon, and nothing is lost.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [_MOST_IDLE])
    states = [CampaignState.RUNNING, CampaignState.PAUSED]
    campaigns = Campaign.objects.filter(pk=campaign_id, state__in=states).claim(1)
    if not campaigns:
        return _NOTHING
    [campaign] = campaigns
    if campaign.ends_at is not None and campaign.ends_at <= at:
        stop_runs(campaign, code=LATE, at=at)
        return _NOTHING
    run = CampaignRun.objects.filter(campaign=campaign, state=RunState.RELEASING).order_by("pk").first()
    if run is None or campaign.state != CampaignState.RUNNING or not is_hour(campaign=campaign, at=at):
        return _NOTHING
    return _release_run(campaign, run, at)


def is_hour(*, campaign: Campaign, at: dt.datetime) -> bool:
    """Whether anything of it may go out at that moment of the day in Shanghai."""
    return campaign.send_from <= at.astimezone(clock.SHANGHAI).time() < campaign.send_until


def _release_run(campaign: Campaign, run: CampaignRun, at: dt.datetime) -> Batch:
    letter, wanted = next_waiting(run, limit=BATCH, at=at)
    if not wanted:
        _close_when_over(campaign, run, at)
        return _NOTHING
    acts = acts_of_letter(campaign=campaign, letter=letter)
    if any(act.kind == "reach" for act in acts):
        room = room_for(run.pk)
        if not room:
            return Batch(is_full=True)
        wanted = dict(list(wanted.items())[:room])
    cost = cost_of(acts)
    places, living = lock_places(wanted=wanted, at=at)
    fit = affordable(campaign=campaign, places=places, cost=cost)
    if places and not fit and campaign.held_hundredths:
        return Batch(is_full=True)  # messages under way give most of it back
    if places and not fit:
        move_campaign(
            campaign=campaign,
            to=CampaignState.PAUSED,
            deed="campaigns.campaign_paused",
            actor=RELEASER,
            at=at,
            code=BUDGET,
        )
        return _NOTHING
    if fit:
        do_acts(
            campaign=campaign,
            run=run,
            acts=acts,
            places=fit,
            living=living,
            at=at,
        )
        write_places(places=fit, at=at)
        _add_up(campaign, run, fit, cost, at)
    return Batch(len(fit))


def _add_up(
    campaign: Campaign, run: CampaignRun, places: Sequence[Place], cost: Cost, at: dt.datetime
) -> None:
    """The run's and the campaign's numbers have these in them."""
    states = Counter(place.state for place in places)
    new_coupons = sum(place.coupon_id is None and "coupon_id" in place.refs for place in places)
    held = sum(
        place.text_hundredths for place in places if place.reach_id is None and "reach_id" in place.refs
    )
    row = CampaignRun.objects.lock(run.pk)
    row.done_count += states[CampaignMemberState.DONE]
    row.refused_count += states[CampaignMemberState.REFUSED]
    row.spent_fen += new_coupons * cost.coupon_fen
    row.paces = _with_pace(row.paces, row.done_count + row.refused_count, at)
    row.save(update_fields=["done_count", "refused_count", "spent_fen", "paces"])
    spent_fen = new_coupons * cost.coupon_fen
    if spent_fen or held:
        Campaign.objects.filter(pk=campaign.pk).update(
            spent_fen=F("spent_fen") + spent_fen, held_hundredths=F("held_hundredths") + held
        )


def _with_pace(paces: list[Any], count: int, at: dt.datetime) -> list[Any]:
    # What was noted before the clock was set back says nothing of now.
    known = [one for one in paces if dt.datetime.fromisoformat(one[0]) <= at]
    if known and dt.datetime.fromisoformat(known[-1][0]) > at - _PACE_EVERY:
        return known
    return [*known, [at.isoformat(), count]][-_PACES:]


def _close_when_over(campaign: Campaign, run: CampaignRun, at: dt.datetime) -> None:
    """Everybody had her turn: purchases count from now for the days of the window."""
    if CampaignMember.objects.filter(run=run, state=CampaignMemberState.WAITING).exists():
        return
    row = CampaignRun.objects.lock(run.pk)
    row.state, row.released_at = RunState.RELEASED, at
    row.window_ends_at = at + dt.timedelta(days=campaign.window_days)
    row.save(update_fields=["state", "released_at", "window_ends_at"])
