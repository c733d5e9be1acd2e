"""What head office lets campaigns do, and which account may do what with whose."""

import datetime as dt
from typing import Any, Final

from django.db.models import Q, QuerySet

from campaigns.models import Approvers, Campaign, CampaignPolicy
from campaigns.selectors.campaigns.times import MembersDays
from core.models import StaffAccount
from coupons import selectors as coupon_selectors
from guides import selectors as guide_selectors

EARLIEST: Final = dt.time(9)
LATEST: Final = dt.time(21)


def get_campaign_policy() -> CampaignPolicy:
    """The chain's limits; the defaults until somebody has decided."""
    return CampaignPolicy.objects.filter(pk=1).first() or CampaignPolicy(earliest=EARLIEST, latest=LATEST)


def members_days_of(policy: CampaignPolicy) -> MembersDays:
    return MembersDays(frozenset(policy.month_days), frozenset(policy.week_days))


def scope_campaigns(staff: StaffAccount, campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """Head office sees all; others those of the regions they were given, with all below, and of their stores."""
    stores = coupon_selectors.visible_store_ids(staff)
    if stores is None:
        return campaigns
    regions = guide_selectors.visible_region_ids(staff) or frozenset()
    return campaigns.filter(Q(store_id__in=stores) | Q(region_id__in=regions))


def scope_campaign_rows(staff: StaffAccount, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with the key of such a campaign."""
    if staff.is_active and staff.is_superuser:
        return rows
    return rows.filter(campaign_id__in=scope_campaigns(staff, Campaign.objects.all()).values("pk"))


def scope_run_rows(staff: StaffAccount, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows with the key of a run of such a campaign."""
    if staff.is_active and staff.is_superuser:
        return rows
    return rows.filter(run__campaign_id__in=scope_campaigns(staff, Campaign.objects.all()).values("pk"))


def may_run_for(staff: StaffAccount, *, region_id: int | None, store_id: int | None) -> bool:
    """The account may write campaigns of this part; of the whole chain only head office may."""
    if staff.is_active and staff.is_superuser:
        return True
    if store_id is not None:
        return store_id in (coupon_selectors.visible_store_ids(staff) or ())
    return region_id is not None and region_id in (guide_selectors.visible_region_ids(staff) or ())


def may_approve_for(staff: StaffAccount, policy: CampaignPolicy, campaign: Campaign) -> bool:
    """Head office, or the head of the region where the chain lets them; a store or dealer approves nothing."""
    if staff.is_active and staff.is_superuser:
        return True
    if policy.approvers != Approvers.REGIONS or campaign.is_of_chain:
        return False
    regions = guide_selectors.visible_region_ids(staff) or frozenset()
    region_id = campaign.region_id if campaign.store is None else campaign.store.region_id
    return region_id in regions
