"""What becomes of a campaign that is written: submitted, approved or sent back, paused, resumed, stopped, over."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import Case, F, Q, Sum, When

from campaigns.contracts.campaigns import CampaignEstimate
from campaigns.errors import (
    CampaignByItsAuthor,
    CampaignChangedMeanwhile,
    CampaignForHeadOffice,
    CampaignNeedsReason,
    CampaignNotInState,
    CampaignOverMonthBudget,
    CampaignTooSlow,
    NoSuchCampaign,
)
from campaigns.models import Campaign, CampaignPolicy, CampaignRun, CampaignState
from campaigns.selectors.campaigns import (
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
from campaigns.services.campaign_steps import (
    LONGEST_NOTE,
    lock_campaign,
    move_campaign,
    staff_of,
    without_open_runs,
)
from campaigns.services.campaigns import DROPPED, campaign_unfit
from campaigns.services.segments import one_rule_at_a_time
from core import clock
from core.actor import Actor
from core.models import StaffAccount

# One approval at a time: two of them could each find room in the same month's budget.
_APPROVALS: Final = 7_320_003
MISSED: Final = "missed"
_SYSTEM: Final = Actor.system("campaigns")
_UNDER_WAY: Final = (CampaignState.APPROVED, CampaignState.RUNNING, CampaignState.PAUSED)


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
        _one_at_a_time()
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        _stands(campaign, CampaignState.SUBMITTED, revision)
        if staff.pk in campaign.writers:
            raise CampaignByItsAuthor
        policy = get_campaign_policy()
        _refuse_approver(campaign, policy, estimate, staff)
        _refuse_unready(campaign, policy, estimate, None, now)
        _refuse_month(campaign, policy)
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
    reason = _reason(note)
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
        _reason(note),
        actor,
        at,
    )


def resume_campaign(*, campaign_id: int, note: str = "", actor: Actor, at: dt.datetime | None = None) -> None:
    """It goes on where it stood; runs of a calendar rule whose moment passed meanwhile are left out. Refuses what is not
    paused (CampaignNotInState), and one whose time is over (CampaignUnfit)."""
    now = at or clock.now()
    staff = staff_of(actor, "change", "approve")
    with transaction.atomic():
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        if campaign.state != CampaignState.PAUSED:
            raise CampaignNotInState(state=campaign.state)
        faults = [
            one for one in time_faults(campaign, get_campaign_policy(), now) if one.code == "in_the_past"
        ]
        if faults:
            raise campaign_unfit(faults)
        if campaign.recurrence and campaign.next_run_at is not None and campaign.next_run_at < now:
            campaign.next_run_at = next_run_of(campaign, get_campaign_policy(), after=now)
            campaign.save(update_fields=["next_run_at"])
        move_campaign(
            campaign=campaign,
            to=CampaignState.RUNNING,
            deed="campaigns.campaign_resumed",
            actor=actor,
            at=now,
            note=note,
        )


def stop_campaign(*, campaign_id: int, note: str, actor: Actor, at: dt.datetime | None = None) -> None:
    """It is over: nothing more of it goes out, for good; what went out is counted on. Refuses a draft, which is dropped
    (CampaignNotInState), and no reason (CampaignNeedsReason)."""
    _step(
        campaign_id,
        (CampaignState.SUBMITTED, *_UNDER_WAY),
        CampaignState.ENDED,
        "campaigns.campaign_stopped",
        _reason(note),
        actor,
        at,
    )


def end_over_campaigns(*, at: dt.datetime | None = None) -> int:
    """Campaigns whose time is over, of which nothing is under way and nothing counted any more, are ended; how many. What
    was approved and never ran is ended as missed."""
    now = at or clock.now()
    over = Campaign.objects.filter(without_open_runs(now), state__in=_UNDER_WAY, ends_at__lte=now)
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


def _refuse_month(campaign: Campaign, policy: CampaignPolicy) -> None:
    """What a region's or store's campaigns that begin in the same month may cost: their budgets, of those that are over
    what they did cost."""
    if campaign.is_of_chain or policy.month_budget_fen is None or campaign.budget_fen is None:
        return
    assert campaign.starts_at is not None  # it is ready
    first = clock.business_day(campaign.starts_at).replace(day=1)
    begins, _end = clock.day_bounds(first)
    ends, _end = clock.day_bounds((first + dt.timedelta(days=32)).replace(day=1))
    own = {"region": campaign.region} if campaign.store is None else {"store": campaign.store}
    others = Campaign.objects.filter(
        Q(state__in=_UNDER_WAY) | Q(state=CampaignState.ENDED) & ~Q(code=DROPPED),
        starts_at__gte=begins,
        starts_at__lt=ends,
        **own,
    ).exclude(pk=campaign.pk)
    cost = Case(When(state=CampaignState.ENDED, then=F("spent_fen")), default=F("budget_fen"))
    left = policy.month_budget_fen - (others.aggregate(n=Sum(cost))["n"] or 0)
    if campaign.budget_fen > left:
        raise CampaignOverMonthBudget(left_fen=max(0, left))


def _reason(note: str) -> str:
    words = " ".join(note.split())
    if not 0 < len(words) <= LONGEST_NOTE or not words.isprintable():
        raise CampaignNeedsReason(field="note")
    return words


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_APPROVALS])
