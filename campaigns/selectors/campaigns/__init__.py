"""Campaigns: read as they are written, their times, their limits, whom they are for."""

from campaigns.selectors.campaigns.audience import (
    VariantActs,
    acts_of,
    audience_sql,
    channels_of,
    estimate_campaign,
    sight_audience,
)
from campaigns.selectors.campaigns.limits import (
    get_campaign_policy,
    may_approve_for,
    may_run_for,
    members_days_of,
    scope_campaign_rows,
    scope_campaigns,
    scope_run_rows,
)
from campaigns.selectors.campaigns.readiness import (
    audience_faults,
    draft_of,
    limit_faults,
    next_run_of,
    time_faults,
)
from campaigns.selectors.campaigns.reading import read_draft

__all__ = [
    "VariantActs",
    "acts_of",
    "audience_faults",
    "audience_sql",
    "channels_of",
    "draft_of",
    "estimate_campaign",
    "get_campaign_policy",
    "limit_faults",
    "may_approve_for",
    "may_run_for",
    "members_days_of",
    "next_run_of",
    "read_draft",
    "scope_campaign_rows",
    "scope_campaigns",
    "scope_run_rows",
    "sight_audience",
    "time_faults",
]
