"""Campaigns as a guide sees them: those that run now with members of hers in them, and what came of it for each.

Who is in the control group is not told: a guide who knew would make up for it, and nobody could tell any more what the
campaign brought.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db.models import Count, Q, QuerySet

from campaigns.errors import NoSuchCampaignPage
from campaigns.models import (
    Campaign,
    CampaignMember,
    CampaignMemberState,
    CampaignOutcome,
    CampaignRun,
    CampaignState,
)
from core import clock
from guides import selectors as guide_selectors
from members.contracts import MemberCard

# What is over is shown while one may still act on it.
_SHOWN_FOR: Final = dt.timedelta(days=14)
_MOST: Final = 30


@dataclasses.dataclass(frozen=True, slots=True)
class GuideCampaign:
    """One campaign with the numbers of her members."""

    public_id: str
    name: str
    note: str
    is_running: bool
    ends_at: dt.datetime | None
    member_count: int
    done_count: int
    coupon_count: int
    clicked_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class GuideCampaignMember:
    """One of hers in a campaign. `follow_up_id`: what she is to do for her, 0 when nothing."""

    member: MemberCard
    state: str
    has_coupon: bool
    has_bought: bool
    clicked_at: dt.datetime | None
    released_at: dt.datetime | None
    follow_up_id: int
    place_id: int


def list_guide_campaigns(guide_id: int, *, at: dt.datetime | None = None) -> tuple[GuideCampaign, ...]:
    """Those of the last runs that have members of hers, the newest first."""
    at = at or clock.now()
    rows = _of_guide(guide_id).filter(run__in=_newest_runs(at))
    counted = (
        rows.order_by()
        .values("run__campaign_id")
        .annotate(
            whole=Count("pk"),
            done=Count("pk", filter=Q(state=CampaignMemberState.DONE)),
            coupons=Count("pk", filter=Q(coupon_id__isnull=False)),
            clicked=Count("pk", filter=Q(clicked_at__isnull=False)),
        )
    )
    numbers = {row["run__campaign_id"]: row for row in counted}
    campaigns = Campaign.objects.filter(pk__in=numbers).order_by("-starts_at", "-pk")[:_MOST]
    return tuple(
        _shown(
            campaign,
            member_count=numbers[campaign.pk]["whole"],
            done_count=numbers[campaign.pk]["done"],
            coupon_count=numbers[campaign.pk]["coupons"],
            clicked_count=numbers[campaign.pk]["clicked"],
        )
        for campaign in campaigns
    )


def list_guide_campaign_members(
    guide_id: int, public_id: str, *, after_id: int = 0, limit: int = 20, at: dt.datetime | None = None
) -> tuple[GuideCampaign, tuple[GuideCampaignMember, ...]]:
    """Her members in the newest run, from the one after that place, at most so many and one more. Raises NoSuchCampaignPage
    when none of hers is in it, and when there is no such campaign."""
    at = at or clock.now()
    named = public_id.replace("\0", "")[:17]
    runs = _newest_runs(at).filter(campaign__public_id=named)
    rows = _of_guide(guide_id).filter(run__in=runs)
    numbers = rows.aggregate(
        member_count=Count("pk"),
        done_count=Count("pk", filter=Q(state=CampaignMemberState.DONE)),
        coupon_count=Count("pk", filter=Q(coupon_id__isnull=False)),
        clicked_count=Count("pk", filter=Q(clicked_at__isnull=False)),
    )
    if not numbers["member_count"]:
        raise NoSuchCampaignPage
    found = list(rows.filter(pk__gt=after_id).order_by("pk")[: limit + 1])
    cards = guide_selectors.list_cards_for(guide_id, [row.member_id for row in found])
    bought = _buyers(found)
    shown = tuple(
        _line(row, cards[row.member_id], row.member_id in bought) for row in found if row.member_id in cards
    )
    return _shown(Campaign.objects.get(public_id=named), **numbers), shown


def _of_guide(guide_id: int) -> QuerySet[CampaignMember]:
    """Places of whoever is hers today; nobody's of the control group."""
    hers = CampaignMember.objects.filter(member_id__in=guide_selectors.bound_member_ids(guide_id))
    return hers.exclude(state=CampaignMemberState.CONTROL)


def _newest_runs(at: dt.datetime) -> QuerySet[CampaignRun]:
    """The last run of each campaign that runs, or ended of late."""
    recent = Q(campaign__state__in=[CampaignState.RUNNING, CampaignState.PAUSED])
    recent |= Q(campaign__state=CampaignState.ENDED, campaign__ended_at__gt=at - _SHOWN_FOR)
    rows = CampaignRun.objects.filter(recent, launched_at__isnull=False)
    newest = rows.order_by("campaign_id", "-number").distinct("campaign_id")
    return CampaignRun.objects.filter(pk__in=newest.values("pk"))


def _shown(campaign: Campaign, **numbers: int) -> GuideCampaign:
    return GuideCampaign(
        public_id=campaign.public_id,
        name=campaign.name,
        note=campaign.note,
        is_running=campaign.state == CampaignState.RUNNING,
        ends_at=campaign.ends_at,
        **numbers,
    )


def _buyers(rows: Sequence[CampaignMember]) -> set[int]:
    """Whose purchases in the window the campaign counts."""
    outcomes = CampaignOutcome.objects.filter(
        run_id__in={row.run_id for row in rows},
        member_id__in=[row.member_id for row in rows],
        order_count__gt=0,
    )
    return {pk for pk in outcomes.values_list("member_id", flat=True) if pk is not None}


def _line(row: CampaignMember, card: MemberCard, has_bought: bool) -> GuideCampaignMember:
    return GuideCampaignMember(
        member=card,
        state=row.state,
        has_coupon=row.coupon_id is not None,
        has_bought=has_bought,
        clicked_at=row.clicked_at,
        released_at=row.released_at,
        follow_up_id=row.follow_up_id or 0,
        place_id=row.pk,
    )
