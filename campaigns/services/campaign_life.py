"""What becomes of a campaign that is written: submitted, approved or sent back, paused, stopped, over."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import transaction

from campaigns.contracts.campaigns import CampaignEstimate
from campaigns.errors import (
    CampaignByItsAuthor,
    CampaignChangedMeanwhile,
    CampaignForHeadOffice,
    CampaignNotInState,
    CampaignTooSlow,
    NoSuchCampaign,
)
from campaigns.models import Campaign, CampaignPolicy, CampaignRun, CampaignState
from campaigns.selectors.campaigns import (
    audience_faults,
    draft_of,
    estimate_campaign,
    get_campaign_policy,
    limit_faults,
    may_approve_for,
    next_run_of,
    read_draft,
    scope_campaigns,
    time_faults,
)
from campaigns.services.campaign_budgets import one_approval_at_a_time, refuse_over_month
from campaigns.services.campaign_steps import (
    UNDER_WAY,
    lock_campaign,
    move_campaign,
    reason_of,
    staff_of,
    without_open_runs,
)
from campaigns.services.campaigns import campaign_unfit
from campaigns.services.segments import one_rule_at_a_time
from core import clock
from core.actor import Actor
from core.models import StaffAccount

MISSED: Final = "missed"
_SYSTEM: Final = Actor.system("campaigns")


def submit_campaign(*, campaign_id: int, revision: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Somebody else is to approve it; it changes no more meanwhile.

    Refuses (CampaignUnfit) with everything that is missing, past or against head office's limits, another revision
    (CampaignChangedMeanwhile), what is no draft (CampaignNotInState), and what the account does not see (NoSuchCampaign).
    """
    now = at or clock.now()
    staff = staff_of(actor, "change")
    estimate = _estimate(campaign_id, staff, now)
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        _stands(campaign, CampaignState.DRAFT, revision)
        # Its segments are looked at below: whoever retires one meanwhile would not see that they are used.
        one_rule_at_a_time()
        _refuse_unready(campaign, get_campaign_policy(), estimate, staff, now)
        _expect(campaign, estimate)
        move_campaign(
            campaign=campaign,
            to=CampaignState.SUBMITTED,
            deed="campaigns.campaign_submitted",
            actor=actor,
            at=now,
        )


def approve_campaign(
    *, campaign_id: int, revision: int, note: str = "", actor: Actor, at: dt.datetime | None = None
) -> dt.datetime:
    """It runs when its time comes; the answer is when that is.

    Refuses who may not (CampaignNotPermitted), whoever wrote any of it (CampaignByItsAuthor), a region where head office
    must (CampaignForHeadOffice; CampaignTooSlow when nobody can tell), another revision than the one that was seen
    (CampaignChangedMeanwhile), what does not wait for approval (CampaignNotInState), what no longer stands
    (CampaignUnfit), and a budget over what the month has left (CampaignOverMonthBudget).
    """
    now = at or clock.now()
    staff = staff_of(actor, "approve")
    estimate = _estimate(campaign_id, staff, now)
    with transaction.atomic():
        one_approval_at_a_time()
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        _stands(campaign, CampaignState.SUBMITTED, revision)
        if staff.pk in campaign.writers:
            raise CampaignByItsAuthor
        policy = get_campaign_policy()
        _refuse_approver(campaign, policy, estimate, staff)
        _refuse_unready(campaign, policy, estimate, None, now)
        refuse_over_month(campaign=campaign, policy=policy)
        _expect(campaign, estimate)
        is_once = not campaign.recurrence
        campaign.next_run_at = next_run_of(campaign, policy, after=None if is_once else now)
        campaign.save(update_fields=["next_run_at"])
        move_campaign(
            campaign=campaign,
            to=CampaignState.APPROVED,
            deed="campaigns.campaign_approved",
            actor=actor,
            at=now,
            note=note,
        )
    assert campaign.next_run_at is not None  # `_refuse_unready` found one
    return campaign.next_run_at


def return_campaign(
    *, campaign_id: int, revision: int, note: str, actor: Actor, at: dt.datetime | None = None
) -> None:
    """It is a draft again, and its life says why. Refuses as `approve_campaign` does, and no reason
    (CampaignNeedsReason)."""
    now = at or clock.now()
    staff = staff_of(actor, "approve")
    reason = reason_of(note)
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        _stands(campaign, CampaignState.SUBMITTED, revision)
        if not may_approve_for(staff, get_campaign_policy(), campaign):
            raise CampaignForHeadOffice
        move_campaign(
            campaign=campaign,
            to=CampaignState.DRAFT,
            deed="campaigns.campaign_returned",
            actor=actor,
            at=now,
            note=reason,
        )


def recall_campaign(*, campaign_id: int, note: str = "", actor: Actor, at: dt.datetime | None = None) -> None:
    """What waits for approval, or was approved and has not begun, is a draft again and must be approved anew. Refuses what
    has begun (CampaignNotInState)."""
    _step(
        campaign_id,
        (CampaignState.SUBMITTED, CampaignState.APPROVED),
        CampaignState.DRAFT,
        "campaigns.campaign_recalled",
        note,
        actor,
        at,
    )


def pause_campaign(*, campaign_id: int, note: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """Nothing more of it goes out until it is resumed. Refuses what does not run (CampaignNotInState), and no reason
    (CampaignNeedsReason)."""
    _step(
        campaign_id,
        (CampaignState.RUNNING,),
        CampaignState.PAUSED,
        "campaigns.campaign_paused",
        reason_of(note),
        actor,
        at,
    )


def stop_campaign(*, campaign_id: int, note: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """It is over: nothing more of it goes out, for good; what went out is counted on. Refuses a draft, which is dropped
    (CampaignNotInState), and no reason (CampaignNeedsReason)."""
    _step(
        campaign_id,
        (CampaignState.SUBMITTED, *UNDER_WAY),
        CampaignState.ENDED,
        "campaigns.campaign_stopped",
        reason_of(note),
        actor,
        at,
    )


def end_over_campaigns(*, at: dt.datetime | None = None) -> int:
    """Campaigns whose time is over, of which nothing is under way and nothing counted any more, are ended; how many. What
    was approved and never ran is ended as missed."""
    now = at or clock.now()
    over = Campaign.objects.filter(without_open_runs(now), state__in=UNDER_WAY, ends_at__lte=now)
    ended = 0
    for campaign_id in list(over.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            # Looked at again under its lock: a run may have begun, or somebody stopped it.
            found = Campaign.objects.filter(pk=campaign_id).lock_rows()
            if not found or not over.filter(pk=campaign_id).exists():
                continue
            [campaign] = found
            has_run = CampaignRun.objects.filter(campaign=campaign).exists()
            move_campaign(
                campaign=campaign,
                to=CampaignState.ENDED,
                deed="campaigns.campaign_ended",
                actor=_SYSTEM,
                at=now,
                code="" if has_run else MISSED,
            )
            ended += 1
    return ended


def _step(
    campaign_id: int,
    allowed: Sequence[CampaignState],
    to: CampaignState,
    deed: str,
    note: str,
    actor: Actor,
    at: dt.datetime | None,
) -> None:
    staff = staff_of(actor, "change", "approve")
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        if campaign.state not in allowed:
            raise CampaignNotInState(state=campaign.state)
        move_campaign(campaign=campaign, to=to, deed=deed, actor=actor, at=at or clock.now(), note=note)


def _estimate(campaign_id: int, staff: StaffAccount, at: dt.datetime) -> CampaignEstimate:
    """Outside the transaction: counting a million members must not hold anybody up."""
    campaign = scope_campaigns(staff, Campaign.objects.filter(pk=campaign_id)).first()
    if campaign is None:
        raise NoSuchCampaign
    return estimate_campaign(campaign, at=at)


def _expect(campaign: Campaign, estimate: CampaignEstimate) -> None:
    campaign.expected_count = estimate.member_count
    campaign.expected_fen = None if estimate.member_count is None else estimate.cost_fen
    campaign.save(update_fields=["expected_count", "expected_fen"])


def _stands(campaign: Campaign, state: CampaignState, revision: int) -> None:
    if campaign.state != state:
        raise CampaignNotInState(state=campaign.state)
    if campaign.revision != revision:
        raise CampaignChangedMeanwhile


def _refuse_unready(
    campaign: Campaign,
    policy: CampaignPolicy,
    estimate: CampaignEstimate,
    staff: StaffAccount | None,
    at: dt.datetime,
) -> None:
    read = read_draft(draft_of(campaign), staff=staff)
    faults = [*read.faults, *read.gaps, *time_faults(campaign, policy, at)]
    if all(fault.path != "/segment" for fault in faults):  # else why it is for nobody is said already
        faults += audience_faults(campaign, estimate)
    faults += limit_faults(campaign, policy, estimate)
    if faults:
        raise campaign_unfit(faults)


def _refuse_approver(
    campaign: Campaign, policy: CampaignPolicy, estimate: CampaignEstimate, staff: StaffAccount
) -> None:
    if not may_approve_for(staff, policy, campaign):
        raise CampaignForHeadOffice
    if staff.is_superuser or policy.most_recipients is None:
        return
    if estimate.member_count is None:
        raise CampaignTooSlow
    if estimate.member_count > policy.most_recipients:
        raise CampaignForHeadOffice
