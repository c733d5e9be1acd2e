"""A campaign that stood still goes on."""

import datetime as dt

from django.db import transaction

from campaigns.errors import CampaignNotInState
from campaigns.models import Campaign, CampaignState
from campaigns.selectors.campaigns import get_campaign_policy, next_run_of, time_faults
from campaigns.services.campaign_steps import lock_campaign, move_campaign, staff_of
from campaigns.services.campaigns import campaign_unfit
from core import clock
from core.actor import Actor


def resume_campaign(*, campaign_id: int, note: str = "", actor: Actor, at: dt.datetime | None = None) -> None:
    """It goes on where it stood; runs of a calendar rule whose moment passed meanwhile are left out. Refuses what is not
    paused (CampaignNotInState), and one whose time is over (CampaignUnfit)."""
    staff = staff_of(actor, "change", "approve")
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        if campaign.state != CampaignState.PAUSED:
            raise CampaignNotInState(state=campaign.state)
        go_on(campaign=campaign, note=note, actor=actor, at=at or clock.now())


def go_on(*, campaign: Campaign, note: str, actor: Actor, at: dt.datetime) -> None:
    """The paused campaign, whose row the caller has locked, runs again. Refuses one whose time is over (CampaignUnfit)."""
    policy = get_campaign_policy()
    faults = [one for one in time_faults(campaign, policy, at) if one.code == "in_the_past"]
    if faults:
        raise campaign_unfit(faults)
    if campaign.recurrence and campaign.next_run_at is not None and campaign.next_run_at < at:
        campaign.next_run_at = next_run_of(campaign, policy, after=at)
        campaign.save(update_fields=["next_run_at"])
    move_campaign(
        campaign=campaign,
        to=CampaignState.RUNNING,
        deed="campaigns.campaign_resumed",
        actor=actor,
        at=at,
        note=note,
    )
