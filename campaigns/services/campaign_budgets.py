"""What campaigns of a part may cost in a month, and more money for one that is under way."""

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, F, Q, Sum, When

from campaigns.contracts.faults import Fault
from campaigns.contracts.runs import BUDGET
from campaigns.errors import (
    CampaignBudgetNotRaised,
    CampaignByItsAuthor,
    CampaignForHeadOffice,
    CampaignNotInState,
    CampaignOverMonthBudget,
)
from campaigns.models import Campaign, CampaignPolicy, CampaignState
from campaigns.selectors.campaigns import get_campaign_policy, may_approve_for
from campaigns.selectors.campaigns.reading import MOST_FEN
from campaigns.services.campaign_resuming import go_on
from campaigns.services.campaign_steps import UNDER_WAY, lock_campaign, note_move, reason_of, staff_of
from campaigns.services.campaigns import DROPPED, campaign_unfit
from core import audit, clock
from core.actor import Actor

# One approval at a time: two of them could each find room in the same month's budget.
_APPROVALS: Final = 7_320_003


def raise_budget(
    *, campaign_id: int, budget_fen: int, note: str, actor: Actor, at: dt.datetime | None = None
) -> bool:
    """The campaign may cost so much from now on, and its life says so; whether it goes on by that, because its budget was all
    that kept it. More money is decided on like the first.

    Refuses who may not approve (CampaignNotPermitted), whoever wrote any of it (CampaignByItsAuthor), a region where head
    office must (CampaignForHeadOffice), what has not begun to be under way or is over (CampaignNotInState), no reason
    (CampaignNeedsReason), what is not more than now (CampaignBudgetNotRaised), and what is more than head office lets a
    campaign (CampaignUnfit) or the month cost (CampaignOverMonthBudget).
    """
    now = at or clock.now()
    staff = staff_of(actor, "approve")
    reason = reason_of(note)
    with transaction.atomic():
        one_approval_at_a_time()
        campaign = lock_campaign(campaign_id=campaign_id, staff=staff)
        if campaign.state not in UNDER_WAY:
            raise CampaignNotInState(state=campaign.state)
        if staff.pk in campaign.writers:
            raise CampaignByItsAuthor
        policy = get_campaign_policy()
        if not may_approve_for(staff, policy, campaign):
            raise CampaignForHeadOffice
        was = campaign.budget_fen
        if was is None or not was < budget_fen <= MOST_FEN:
            raise CampaignBudgetNotRaised(field="budget")
        _refuse_over_policy(campaign, policy, budget_fen)
        campaign.budget_fen = budget_fen
        refuse_over_month(campaign=campaign, policy=policy)
        campaign.save(update_fields=["budget_fen"])
        said = f"¥{was / 100:,.2f} → ¥{budget_fen / 100:,.2f}：{reason}"
        audit.record(
            action="campaigns.budget_raised",
            subject=campaign,
            actor=actor,
            at=now,
            from_fen=was,
            to_fen=budget_fen,
        )
        if campaign.state == CampaignState.PAUSED and campaign.code == BUDGET:
            go_on(campaign=campaign, note=said, actor=actor, at=now)
            return True
        note_move(campaign=campaign, was=campaign.state, actor=actor, at=now, note=said)
    return False


def _refuse_over_policy(campaign: Campaign, policy: CampaignPolicy, budget_fen: int) -> None:
    most = policy.campaign_budget_fen
    if not campaign.is_of_chain and most is not None and budget_fen > most:
        raise campaign_unfit([Fault("/budget_fen", "over_budget_limit", {"most": f"{most / 100:,g}"})])


def refuse_over_month(*, campaign: Campaign, policy: CampaignPolicy) -> None:
    """Refuses (CampaignOverMonthBudget) a budget that is more than the month has left: of a region's or store's campaigns that
    begin in the same month their budgets count, of those that are over what they did cost."""
    if campaign.is_of_chain or policy.month_budget_fen is None or campaign.budget_fen is None:
        return
    assert campaign.starts_at is not None  # it is ready
    first = clock.business_day(campaign.starts_at).replace(day=1)
    begins, _end = clock.day_bounds(first)
    ends, _end = clock.day_bounds((first + dt.timedelta(days=32)).replace(day=1))
    own = {"region": campaign.region} if campaign.store is None else {"store": campaign.store}
    others = Campaign.objects.filter(
        Q(state__in=UNDER_WAY) | Q(state=CampaignState.ENDED) & ~Q(code=DROPPED),
        starts_at__gte=begins,
        starts_at__lt=ends,
        **own,
    ).exclude(pk=campaign.pk)
    of_texts = (F("text_hundredths") + F("held_hundredths") + 99) / 100
    cost = Case(
        When(state=CampaignState.ENDED, then=F("spent_fen") + of_texts),
        default=F("budget_fen"),
        output_field=BigIntegerField(),
    )
    left = policy.month_budget_fen - (others.aggregate(n=Sum(cost))["n"] or 0)
    if campaign.budget_fen > left:
        raise CampaignOverMonthBudget(left_fen=max(0, left))


def one_approval_at_a_time() -> None:
    """Whoever gives money to campaigns waits until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_APPROVALS])
