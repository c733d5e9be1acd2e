"""What follows from a step of a campaign's life: its queue is held, let go, or taken back. Done when the step is told, and
found again by the job when that was lost."""

import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Campaign, CampaignRun, CampaignState
from campaigns.services.running.lead import hold_reaches, let_go_reaches, take_back_reaches
from campaigns.services.running.stopping import stop_runs, sweep_stopped
from core import clock

# For so long it is looked whether an end was followed; a message of a campaign is no news any more after that.
_TOLD_AGAIN: Final = dt.timedelta(days=3)


def follow_campaign(*, campaign_id: int, at: dt.datetime | None = None) -> None:
    """Its queued messages and its runs are as its state asks for."""
    _follow(Campaign.objects.filter(pk=campaign_id), at or clock.now())


def follow_campaigns(*, at: dt.datetime | None = None) -> None:
    """The same of all, and who waited in stopped runs waits no more."""
    _follow(Campaign.objects.all(), at or clock.now())
    sweep_stopped()


def _follow(campaigns: QuerySet[Campaign], at: dt.datetime) -> None:
    launched = CampaignRun.objects.exclude(launched_at=None).values("campaign_id")
    known = dict(
        campaigns.filter(
            state__in=[CampaignState.RUNNING, CampaignState.PAUSED], pk__in=launched
        ).values_list("pk", "state")
    )
    # Between the look and the write somebody may have moved it: the step that is told, or the next run, puts it right.
    hold_reaches(campaign_ids=[pk for pk, state in known.items() if state == CampaignState.PAUSED], at=at)
    let_go_reaches(campaign_ids=[pk for pk, state in known.items() if state == CampaignState.RUNNING], at=at)
    ended = campaigns.filter(state=CampaignState.ENDED)
    open_runs = CampaignRun.objects.open().values("campaign_id")
    for pk in list(ended.filter(pk__in=open_runs).values_list("pk", flat=True)):
        with transaction.atomic():
            [campaign] = Campaign.objects.lock_all([pk])
            stop_runs(campaign, code=campaign.code, at=at)
    # Its last members may have had their turn already while messages lie in the queue still.
    take_back_reaches(
        campaign_ids=list(ended.filter(ended_at__gt=at - _TOLD_AGAIN).values_list("pk", flat=True)), at=at
    )
