"""A message of a run that staff sends again by hand is the run's still: its campaign's budget pays for it, a pause holds it, a
stop takes it back, and the report has what it came to.

Locks: Campaign → Reach → CampaignMember. Who pauses or stops the campaign comes before it or after it, never in between.
"""

import dataclasses
import datetime as dt

from django.db.models import F

from campaigns.errors import ReachOfPastRun, ReachOverBudget
from campaigns.models import Campaign, CampaignMember, CampaignRun, CampaignState, Reach, RunState
from campaigns.selectors.policy import list_topic_terms
from campaigns.selectors.tally import LONGEST_LIFE
from campaigns.selectors.text_standing import text_cost_at_most
from campaigns.services.running.lead import run_id_of
from members import selectors as member_selectors


@dataclasses.dataclass(frozen=True, slots=True)
class OfRun:
    """Whose the message is; the campaign's row is locked."""

    campaign: Campaign
    run: CampaignRun


def lock_of_run(*, reason_key: str) -> OfRun | None:
    """The run whose message has this reason, and its campaign under lock; None for what no campaign said."""
    run_id = run_id_of(reason_key)
    run = CampaignRun.objects.filter(pk=run_id).first() if run_id is not None else None
    if run is None:
        return None
    campaign = Campaign.objects.lock(run.campaign_id)
    run.refresh_from_db()
    return OfRun(campaign, run)


def put_by_again(of: OfRun, *, member_id: int, topic: str, at: dt.datetime) -> int:
    """The campaign has put by the most that the message can cost as a text, over the topic's channels of now; how much, in
    hundredths of a fen.

    Refuses (ReachOfPastRun) one of a run that was stopped, whose time or window is over, or whose last members had their turn
    over a month ago, and (ReachOverBudget) one for which the budget has too little left.
    """
    if _is_past(of, at):
        raise ReachOfPastRun
    campaign = of.campaign
    cost = text_cost_at_most(topic=topic, channels=list_topic_terms()[topic].channels)
    held = cost if cost and member_selectors.with_phone_ids([member_id]) else 0
    if campaign.budget_fen is not None and held > campaign.budget_fen * 100 - campaign.used_hundredths:
        raise ReachOverBudget
    if held:
        campaign.held_hundredths += held
        campaign.save(update_fields=["held_hundredths"])
    return held


def _is_past(of: OfRun, at: dt.datetime) -> bool:
    campaign, run = of.campaign, of.run
    is_under_way = campaign.state in (CampaignState.RUNNING, CampaignState.PAUSED)
    if not is_under_way or run.state == RunState.STOPPED:
        return True
    # Reaches of a run are known as its own for two such lives after its last ones were queued.
    is_old = run.released_at is not None and run.released_at <= at - LONGEST_LIFE
    return is_old or any(end is not None and end <= at for end in (campaign.ends_at, run.window_ends_at))


def note_again(of: OfRun, *, reach: Reach) -> None:
    """Her place in the run has this message too; while the campaign is paused it does not leave."""
    for place in CampaignMember.objects.filter(run=of.run, member_id=reach.member_id).lock_rows():
        place.other_reach_ids = [*(place.other_reach_ids or ()), reach.pk]
        place.save(update_fields=["other_reach_ids"])
    if of.campaign.state == CampaignState.PAUSED:
        Reach.objects.filter(pk=reach.pk).update(not_before=F("expires_at"))
