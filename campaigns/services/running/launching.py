"""Campaigns begin: what is due has a run, and the run's audience is frozen into rows by one statement."""

import datetime as dt
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import Max
from psycopg.errors import QueryCanceled

from campaigns.contracts.runs import NOBODY
from campaigns.events import CampaignDue
from campaigns.models import Campaign, CampaignRun, CampaignState, RunState
from campaigns.selectors.campaigns import audience_sql, get_campaign_policy, next_run_of
from campaigns.selectors.segments import Sql
from campaigns.services.campaign_steps import move_campaign
from campaigns.services.running.draws import control_sql, letter_sql
from campaigns.services.running.words import LAUNCHER, TOO_SLOW
from core import audit, clock
from core.events import publish
from guides import selectors as guide_selectors
from members import selectors as member_selectors

_LONGEST_MS: Final = 10 * 60_000

# Ordered by member: rows of a batch lie together, and its members are locked in the order of their keys.
_FREEZE: Final = """
WITH added AS (
    INSERT INTO campaigns_campaignmember
        (run_id, member_id, letter, state, code, guide_id, store_id, tier_id, try_count)
    SELECT %s, aimed.id, CASE WHEN aimed.is_control THEN '' ELSE aimed.letter END,
           CASE WHEN aimed.is_control THEN 'control' ELSE 'waiting' END, '',
           aimed.guide_id, aimed.store_id, aimed.tier_id, 0
    FROM (SELECT wanted.id, {control} AS is_control, {letter} AS letter, bound.guide_id, bound.store_id, tier.tier_id
          FROM ({wanted}) AS wanted (id)
          LEFT JOIN ({bound}) AS bound (member_id, guide_id, store_id) ON bound.member_id = wanted.id
          LEFT JOIN ({tiers}) AS tier (member_id, tier_id) ON tier.member_id = wanted.id) AS aimed
    ORDER BY aimed.id
    RETURNING state = 'control' AS is_control
)
UPDATE campaigns_campaignrun run
SET state = 'releasing', launched_at = %s, window_ends_at = %s, member_count = counted.whole, control_count = counted.control
FROM (SELECT count(*) AS whole, count(*) FILTER (WHERE is_control) AS control FROM added) AS counted
WHERE run.id = %s
RETURNING run.member_count, run.control_count
"""


class _ForNobody(Exception):
    """Nothing of the launch happens."""


def launch_due_campaigns(*, at: dt.datetime | None = None) -> int:
    """What is due has its run, and runs that have begun their audience; how many audiences were frozen. Safe to run many
    times at once, and to be killed anywhere: each step is one transaction under its campaign's lock."""
    at = at or clock.now()
    for pk in list(Campaign.objects.due(at).order_by("next_run_at", "pk").values_list("pk", flat=True)):
        _begin(pk, at)
    begun = CampaignRun.objects.filter(state=RunState.DUE, campaign__state=CampaignState.RUNNING)
    return sum(
        freeze_audience(run_id=pk, at=at) for pk in list(begun.order_by("pk").values_list("pk", flat=True))
    )


def _begin(pk: int, at: dt.datetime) -> None:
    """Its next run is there. What was missed meanwhile is not made up for: the one after is later than now."""
    with transaction.atomic():
        rows = Campaign.objects.due(at).filter(pk=pk).claim(1)
        if not rows:
            return
        [campaign] = rows
        due_at = campaign.next_run_at
        campaign.next_run_at = next_run_of(campaign, get_campaign_policy(), after=at)
        campaign.save(update_fields=["next_run_at"])
        if campaign.ends_at is not None and campaign.ends_at <= at:
            return  # too late for any of it: `end_over_campaigns` closes it
        assert due_at is not None  # it is due
        last = CampaignRun.objects.filter(campaign=campaign).aggregate(last=Max("number"))["last"] or 0
        CampaignRun.objects.create(campaign=campaign, number=last + 1, due_at=due_at)
        if campaign.state == CampaignState.APPROVED:
            move_campaign(
                campaign=campaign,
                to=CampaignState.RUNNING,
                deed="campaigns.campaign_begun",
                actor=LAUNCHER,
                at=at,
            )


def freeze_audience(*, run_id: int, at: dt.datetime | None = None) -> bool:
    """The run's members are those of its segment now, each with what she drew; whether this call did it. Nothing happens while
    somebody else has the campaign in hand, or it does not run. One whose segment takes too long is paused and says so, and one
    that was to run once and is for nobody; on a day of a calendar rule there may be nobody, and the next is waited for."""
    at = at or clock.now()
    try:
        with transaction.atomic():
            return _freeze(run_id, at)
    except _ForNobody:
        code = NOBODY
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        code = TOO_SLOW
    with transaction.atomic():
        for campaign in _running(run_id).claim(1):
            move_campaign(
                campaign=campaign,
                to=CampaignState.PAUSED,
                deed="campaigns.campaign_paused",
                actor=LAUNCHER,
                at=at,
                code=code,
            )
    return False


def _running(run_id: int) -> Any:
    runs = CampaignRun.objects.filter(pk=run_id, state=RunState.DUE)
    return Campaign.objects.filter(state=CampaignState.RUNNING, pk__in=runs.values("campaign_id"))


def _freeze(run_id: int, at: dt.datetime) -> bool:
    campaigns = _running(run_id).claim(1)
    if not campaigns or not CampaignRun.objects.filter(pk=run_id, state=RunState.DUE).claim(1):
        return False
    [campaign] = campaigns
    statement = freeze_sql(campaign=campaign, at=at)
    window_ends_at = at + dt.timedelta(days=campaign.window_days)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_LONGEST_MS)])
        cursor.execute(statement.text, [run_id, *statement.params, at, window_ends_at, run_id])
        member_count, control_count = cursor.fetchone()
    if not member_count and not campaign.recurrence:
        raise _ForNobody
    if member_count == control_count:
        code = "" if member_count else NOBODY
        CampaignRun.objects.filter(pk=run_id).update(state=RunState.RELEASED, released_at=at, code=code)
    audit.record(
        action="campaigns.run_launched",
        subject=campaign,
        actor=LAUNCHER,
        at=at,
        member_count=member_count,
        control_count=control_count,
    )
    publish(CampaignDue(campaign.pk))
    return True


def freeze_sql(*, campaign: Campaign, at: dt.datetime) -> Sql:
    """The statement that freezes its audience, without the run's id before and the instants and the id behind."""
    control, control_params = control_sql(seed=campaign.seed, holdout_bp=campaign.holdout_bp)
    letter, letter_params = letter_sql(seed=campaign.seed, variants=list(campaign.variants.all()))
    wanted = audience_sql(campaign, day=clock.business_day(at))
    bound, bound_params = guide_selectors.live_binding_rows().query.sql_with_params()
    tiers, tier_params = member_selectors.tier_rows().query.sql_with_params()
    text = _FREEZE.format(control=control, letter=letter, wanted=wanted.text, bound=bound, tiers=tiers)
    params = (*control_params, *letter_params, *wanted.params, *bound_params, *tier_params)
    return Sql(text, params)
