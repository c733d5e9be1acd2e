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

from campaigns.contracts.acts import Act
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
from campaigns.services.running.lead import room_for
from campaigns.services.running.stopping import stop_runs
from campaigns.services.running.words import BUDGET, LATE, RELEASER
from core import clock
from core.errors import Conflict
from coupons import selectors as coupon_selectors

# A run of the job ends by itself; the timetable begins the next.
_RUN_S: Final = 25.0
_WAIT_FOR_ROOM_S: Final = 0.5
# The rate is that of the last minutes, from one note in some seconds.
_PACE_EVERY: Final = dt.timedelta(seconds=15)
_PACES: Final = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """How many had their turn, and whether only the queue of reaches keeps the next ones waiting."""

    count: int = 0
    is_full: bool = False


_NOTHING: Final = Batch()
_MOST_IDLE: Final = "15s"


def release_campaigns() -> int:
    """Members of campaigns that run get what is theirs, one batch of each campaign in turn, as long as there are any and
    this run lasts; how many had their turn. Safe to run many times at once, and to be killed anywhere."""
    end, released = time.monotonic() + _RUN_S, 0
    while time.monotonic() < end:
        batches = [release_batch(campaign_id=pk) for pk in _open_campaigns()]
        released += sum(batch.count for batch in batches)
        if any(batch.count for batch in batches):
            continue
        if not any(batch.is_full for batch in batches):
            break
        time.sleep(_WAIT_FOR_ROOM_S)
    return released


def _open_campaigns() -> list[int]:
    """Those with a run under way that run, or whose time is over."""
    may = Q(state=CampaignState.RUNNING) | Q(state=CampaignState.PAUSED, ends_at__lte=clock.now())
    releasing = CampaignRun.objects.filter(state=RunState.RELEASING).values("campaign_id")
    return list(Campaign.objects.filter(may, pk__in=releasing).order_by("pk").values_list("pk", flat=True))


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
    cost_fen = _cost_of(acts)
    places = lock_places(wanted=wanted, at=at)
    fit = _affordable(campaign, places, cost_fen)
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
        do_acts(campaign=campaign, run=run, acts=acts, places=fit, at=at)
        write_places(places=fit, at=at)
        _add_up(campaign, run, fit, cost_fen, at)
    return Batch(len(fit))


def _cost_of(acts: Sequence[Act]) -> int:
    """What one member's coupon costs at most, in fen."""
    batches = {act.values["batch"] for act in acts if act.kind == "coupon"}
    return sum(coupon_selectors.list_batch_costs(batches).values())


def _affordable(campaign: Campaign, places: Sequence[Place], cost_fen: int) -> list[Place]:
    """The first of them whose coupons the budget pays for, if each gets one. Nobody else spends meanwhile: the campaign's row
    is locked, and the CHECK holds whatever happens."""
    if campaign.budget_fen is None or not cost_fen:
        return list(places)
    left = (campaign.budget_fen - campaign.spent_fen) // cost_fen
    fit: list[Place] = []
    for place in places:
        if _costs(place):
            if left <= 0:
                continue
            left -= 1
        fit.append(place)
    return fit


def _costs(place: Place) -> bool:
    """Whether her coupon would be a new one."""
    return place.state == CampaignMemberState.DONE and place.row.coupon_id is None


def _add_up(
    campaign: Campaign, run: CampaignRun, places: Sequence[Place], cost_fen: int, at: dt.datetime
) -> None:
    """The run's and the campaign's numbers have these in them."""
    states = Counter(place.state for place in places)
    new = sum(place.row.coupon_id is None and "coupon_id" in place.refs for place in places)
    row = CampaignRun.objects.lock(run.pk)
    row.done_count += states[CampaignMemberState.DONE]
    row.refused_count += states[CampaignMemberState.REFUSED]
    row.spent_fen += new * cost_fen
    row.paces = _with_pace(row.paces, row.done_count + row.refused_count, at)
    row.save(update_fields=["done_count", "refused_count", "spent_fen", "paces"])
    if new and cost_fen:
        Campaign.objects.filter(pk=campaign.pk).update(spent_fen=F("spent_fen") + new * cost_fen)


def _with_pace(paces: list[Any], count: int, at: dt.datetime) -> list[Any]:
    if paces and dt.datetime.fromisoformat(paces[-1][0]) > at - _PACE_EVERY:
        return paces
    return [*paces, [at.isoformat(), count]][-_PACES:]


def _close_when_over(campaign: Campaign, run: CampaignRun, at: dt.datetime) -> None:
    """Everybody had her turn: purchases count from now for the days of the window."""
    if CampaignMember.objects.filter(run=run, state=CampaignMemberState.WAITING).exists():
        return
    row = CampaignRun.objects.lock(run.pk)
    row.state, row.released_at = RunState.RELEASED, at
    row.window_ends_at = at + dt.timedelta(days=campaign.window_days)
    row.save(update_fields=["state", "released_at", "window_ends_at"])
