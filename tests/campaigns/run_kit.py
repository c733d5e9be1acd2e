"""Campaigns that are approved and due, for tests of what becomes of them."""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from campaigns import services
from campaigns.models import Campaign, CampaignMember, CampaignRun, CampaignVariant, Segment
from campaigns.services.running import follow_campaigns, launch_due_campaigns, release_campaigns
from core import clock
from core.actor import Actor
from core.models import StaffAccount

BOSS = Actor.system("test")
REACH: dict[str, Any] = {
    "do": "reach",
    "with": {"title": "秋装上新", "text": "{member}，来看看", "channels": ["inbox"]},
}
_numbers = itertools.count(1)


def listed(member_ids: Iterable[int]) -> Segment:
    """A list of these."""
    public_id = services.create_list(name=f"名单{next(_numbers)}", member_ids=member_ids, actor=BOSS)
    return Segment.objects.get(public_id=public_id)


def make_campaign(
    segment: Segment, variants: Sequence[Sequence[dict[str, Any]]] = ((REACH,),), **values: Any
) -> Campaign:
    """Approved, due since a minute, all day long."""
    now = clock.now()
    given: dict[str, Any] = {
        "name": "秋季上新",
        "kind": "reach",
        "segment": segment,
        "holdout_bp": 0,
        "state": "approved",
        "starts_at": now - dt.timedelta(minutes=1),
        "next_run_at": now - dt.timedelta(minutes=1),
        "ends_at": now + dt.timedelta(days=30),
        "send_from": dt.time(0),
        "send_until": dt.time(23, 59, 59, 999_999),
        "author": StaffAccount.objects.get_or_create(username="author")[0],
        "created_at": now,
        "changed_at": now,
    }
    weights = values.pop("weights", [1] * len(variants))
    campaign = Campaign.objects.create(**(given | values))
    for letter, weight, acts in zip("ABCDE", weights, variants, strict=False):
        CampaignVariant.objects.create(campaign=campaign, letter=letter, weight=weight, acts=list(acts))
    return campaign


def launch(campaign: Campaign) -> CampaignRun:
    """Its run, with the audience frozen."""
    launch_due_campaigns()
    return CampaignRun.objects.filter(campaign=campaign).latest("number")


def work(campaign: Campaign) -> CampaignRun:
    """Everything that can be done for it now is."""
    follow_campaigns()
    launch_due_campaigns()
    release_campaigns()
    return CampaignRun.objects.filter(campaign=campaign).latest("number")


def states(run: CampaignRun) -> Counter[str]:
    return Counter(CampaignMember.objects.filter(run=run).values_list("state", flat=True))


def assert_adds_up(run: CampaignRun) -> None:
    """The run's numbers are those of its rows."""
    run.refresh_from_db()
    found = states(run)
    assert (run.member_count, run.control_count) == (found.total(), found["control"])
    assert (run.done_count, run.refused_count) == (found["done"], found["refused"])
