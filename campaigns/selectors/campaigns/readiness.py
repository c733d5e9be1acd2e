"""What keeps a draft that reads well from running: its times, and what head office does not let it do."""

import datetime as dt
from collections.abc import Iterator

from campaigns.contracts import CHANNEL_LABELS
from campaigns.contracts.acts import Act
from campaigns.contracts.campaigns import PART_ACTS, CampaignDraft, CampaignEstimate, VariantDraft
from campaigns.contracts.faults import Fault
from campaigns.models import Campaign, CampaignPolicy
from campaigns.selectors.acts import ACT_KINDS, act_of
from campaigns.selectors.campaigns.audience import TOPIC, acts_of
from campaigns.selectors.campaigns.limits import members_days_of
from campaigns.selectors.campaigns.times import next_moment, recurrence_of, sending_spans
from campaigns.selectors.policy import list_topic_terms


def draft_of(campaign: Campaign) -> CampaignDraft:
    """The campaign as somebody would write it."""
    return CampaignDraft(
        name=campaign.name,
        kind=campaign.kind,
        segment=campaign.segment.public_id,
        note=campaign.note,
        region_id=campaign.region_id,
        store_id=campaign.store_id,
        excluded_segment="" if campaign.excluded_segment is None else campaign.excluded_segment.public_id,
        goal=campaign.goal,
        measure=campaign.measure,
        window_days=campaign.window_days,
        holdout_bp=campaign.holdout_bp,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        recurrence=campaign.recurrence,
        send_from=campaign.send_from,
        send_until=campaign.send_until,
        budget_fen=campaign.budget_fen,
        variants=tuple(VariantDraft(row.weight, row.acts) for row in campaign.variants.order_by("letter")),
    )


def next_run_of(
    campaign: Campaign, policy: CampaignPolicy, *, after: dt.datetime | None = None
) -> dt.datetime | None:
    """The first moment after `after` at which it is to run; None when there is none any more."""
    if campaign.starts_at is None or campaign.ends_at is None:
        return None
    return next_moment(
        recurrence_of(campaign.recurrence),
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        members_days=members_days_of(policy),
        after=after,
    )


def time_faults(campaign: Campaign, policy: CampaignPolicy, at: dt.datetime) -> Iterator[Fault]:
    """Times that are past, or at which nothing could go out."""
    starts_at, ends_at = campaign.starts_at, campaign.ends_at
    if starts_at is None or ends_at is None:
        return
    if ends_at <= at:
        yield Fault("/ends_at", "in_the_past")
        return
    rule = recurrence_of(campaign.recurrence)
    if rule is not None and not campaign.send_from <= rule.at < campaign.send_until:
        hours = {"earliest": f"{campaign.send_from:%H:%M}", "latest": f"{campaign.send_until:%H:%M}"}
        yield Fault("/recurrence/at", "outside_hours", hours)
        return
    if rule is not None and rule.every == "members_day" and not members_days_of(policy):
        yield Fault("/recurrence/every", "no_members_days")
        return
    spans = sending_spans(
        starts_at=max(starts_at, at),
        ends_at=ends_at,
        send_from=campaign.send_from,
        send_until=campaign.send_until,
    )
    # A run that is overdue when it is approved begins at once.
    first = None if rule is None else at
    if next(spans, None) is None or next_run_of(campaign, policy, after=first) is None:
        yield Fault("/starts_at", "no_moment")


def audience_faults(campaign: Campaign, estimate: CampaignEstimate) -> Iterator[Fault]:
    """It would be for nobody. One of a calendar rule may be for somebody on another day."""
    if estimate.member_count == 0 and not campaign.recurrence:
        yield Fault("/segment", "nobody")


def limit_faults(campaign: Campaign, policy: CampaignPolicy, estimate: CampaignEstimate) -> Iterator[Fault]:
    """What head office does not let it do."""
    if not policy.least_holdout_bp <= campaign.holdout_bp <= policy.most_holdout_bp:
        span = {"least": f"{policy.least_holdout_bp / 100:g}%", "most": f"{policy.most_holdout_bp / 100:g}%"}
        yield Fault("/holdout_bp", "out_of_range", span)
    hours = {"earliest": f"{policy.earliest:%H:%M}", "latest": f"{policy.latest:%H:%M}"}
    if campaign.send_from < policy.earliest:
        yield Fault("/send_from", "outside_hours", hours)
    if campaign.send_until > policy.latest:
        yield Fault("/send_until", "outside_hours", hours)
    if campaign.is_of_chain:
        return
    is_store = campaign.store_id is not None
    if not (policy.may_stores if is_store else policy.may_regions):
        yield Fault("/store" if is_store else "/region", "no_own_campaigns")
    yield from _act_faults(campaign, policy)
    yield from _budget_faults(campaign, policy, estimate)


def _act_faults(campaign: Campaign, policy: CampaignPolicy) -> Iterator[Fault]:
    usual = list_topic_terms()[TOPIC].channels
    for variant, row in enumerate(campaign.variants.order_by("letter")):
        for place, kept in enumerate(row.acts):
            act = act_of(kept)
            path = f"/variants/{variant}/acts/{place}"
            if act.kind not in (policy.acts or PART_ACTS):
                yield Fault(f"{path}/do", "not_for_parts", {"name": ACT_KINDS[act.kind].label})
            elif act.kind == "reach":
                for channel in act.values.get("channels") or usual:
                    if policy.channels and channel not in policy.channels:
                        name = CHANNEL_LABELS[channel]
                        yield Fault(f"{path}/with/channels", "not_for_parts", {"name": name})


def _budget_faults(campaign: Campaign, policy: CampaignPolicy, estimate: CampaignEstimate) -> Iterator[Fault]:
    if campaign.budget_fen is None:
        is_limited = policy.campaign_budget_fen is not None or policy.month_budget_fen is not None
        if is_limited and (estimate.cost_fen or estimate.member_count is None or gives_coupons(campaign)):
            yield Fault("/budget_fen", "needs_budget")
    elif policy.campaign_budget_fen is not None and campaign.budget_fen > policy.campaign_budget_fen:
        yield Fault("/budget_fen", "over_budget_limit", {"most": f"{policy.campaign_budget_fen / 100:,g}"})


def gives_coupons(campaign: Campaign) -> bool:
    return any(_is_coupon(act) for _weight, acts in acts_of(campaign) for act in acts)


def _is_coupon(act: Act) -> bool:
    return act.kind == "coupon"
