"""A colleague gets a version's message as a member would, before anybody else does."""

import datetime as dt
from typing import Final

from django.db import transaction

from campaigns.contracts.acts import Act, ActTarget
from campaigns.errors import (
    CampaignHasNoMessage,
    CampaignNotInState,
    CampaignTriedTooOften,
    CampaignTryRefused,
)
from campaigns.models import Campaign, CampaignState
from campaigns.selectors.acts import act_of
from campaigns.services.acts import perform
from campaigns.services.campaign_steps import lock_campaign, staff_of
from core import audit, clock
from core.actor import Actor

MOST_AN_HOUR: Final = 10
_DEED: Final = "campaigns.campaign_tried"
_HOUR: Final = dt.timedelta(hours=1)


def try_campaign(
    *, campaign_id: int, letter: str, member_id: int, actor: Actor, at: dt.datetime | None = None
) -> None:
    """The version's message goes to this member now, over the channels that take it; she gets no coupon, no points and no
    task, and is in no run. Consent, caps and quiet hours hold for her as for anybody.

    Refuses (CampaignHasNoMessage) a version without one, (CampaignTriedTooOften) the eleventh of a campaign in an hour,
    (CampaignTryRefused) a member who does not want news, (CampaignNotInState) what is over, and what the account does not
    see (NoSuchCampaign). Whether she may be written to by this account is the page's to ask.
    """
    now = at or clock.now()
    staff = staff_of(actor, "change", "approve")
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        if campaign.state == CampaignState.ENDED:
            raise CampaignNotInState(state=campaign.state)
        act = _message_of(campaign, letter)
        tries = audit.entries_about(subject=campaign).filter(action=_DEED)
        if tries.filter(at__gt=now - _HOUR).count() >= MOST_AN_HOUR:
            raise CampaignTriedTooOften
        key = f"try:{campaign.pk}:{tries.count() + 1}"
        values = {"campaign": campaign.name}
        [outcome] = perform(act=act, targets=[ActTarget(member_id, key, values)], actor=actor, at=now)
        if outcome.state != "done":
            raise CampaignTryRefused
        audit.record(
            action="campaigns.campaign_tried",
            subject=campaign,
            actor=actor,
            at=now,
            letter=letter,
            version=campaign.revision,
        )


def _message_of(campaign: Campaign, letter: str) -> Act:
    row = campaign.variants.filter(letter=letter).first()
    acts = [] if row is None else [act_of(act) for act in row.acts]
    message = next((act for act in acts if act.kind == "reach"), None)
    if message is None:
        raise CampaignHasNoMessage
    return message
