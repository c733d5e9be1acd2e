"""Campaigns whose messages may go as texts, members with numbers, and how their budgets stand."""

from typing import Any

from django.db.models import Sum

from campaigns.models import Campaign, CampaignRun, Reach
from campaigns.services.running import launch_due_campaigns, release_batch, settle_texts
from core.actor import Actor
from members import services as member_services
from tests.campaigns.run_kit import listed, make_campaign
from tests.coupons.kit import make_members
from tests.sms.kit import new_phone

PRICE = 500  # of one text, in hundredths of a fen
TEXT: dict[str, Any] = {
    "do": "reach",
    "with": {"title": "秋装上新", "text": "来看看", "channels": ["sms", "inbox"]},
}


def crowd(count: int, *, phoned: int | None = None) -> list[int]:
    """So many who agreed to marketing; the first `phoned` of them have a number (None: all)."""
    members = make_members(count)
    for place, pk in enumerate(members):
        if phoned is None or place < phoned:
            member_services.verify_phone(
                member_id=pk, phone=new_phone(), how="sms", actor=Actor.system("test")
            )
        member_services.agree_consent(
            member_id=pk, kind="marketing", version=1, door="mini_program", actor=Actor.member(pk)
        )
    return members


def launched(members: list[int], act: dict[str, Any] = TEXT, **values: Any) -> Campaign:
    campaign = make_campaign(listed(members), [[act]], **values)
    launch_due_campaigns()
    return campaign


def release(campaign: Campaign) -> Any:
    settle_texts(campaign_id=campaign.pk)
    return release_batch(campaign_id=campaign.pk)


def stand(campaign: Campaign) -> tuple[str, str, int, int]:
    """State, reason, what texts did cost, what is put by; which must be what the messages have."""
    campaign.refresh_from_db()
    held = Reach.objects.filter(held_hundredths__gt=0).aggregate(n=Sum("held_hundredths"))["n"]
    assert campaign.held_hundredths == (held or 0)
    assert campaign.text_hundredths == sum(
        CampaignRun.objects.filter(campaign=campaign).values_list("text_hundredths", flat=True)
    )
    return campaign.state, campaign.code, campaign.text_hundredths, campaign.held_hundredths
