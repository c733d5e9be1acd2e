"""More money for a campaign under way: who decides on it, within what, and that it goes on by it."""

import pytest
import time_machine

from campaigns import services
from campaigns.errors import (
    CampaignBudgetNotRaised,
    CampaignByItsAuthor,
    CampaignForHeadOffice,
    CampaignNeedsReason,
    CampaignNotInState,
    CampaignNotPermitted,
    CampaignOverMonthBudget,
    NoSuchCampaign,
)
from campaigns.models import Campaign, CampaignMove
from core.actor import Actor
from core.errors import Refusal
from core.models import AuditEntry
from tests.campaigns.campaign_kit import NOW, Desk, faults_of, make_desk, make_staff, set_policy
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(cast: Cast) -> Desk:
    with time_machine.travel(NOW, tick=False):
        return make_desk(cast)


def running(desk: Desk, **values: object) -> Campaign:
    row = desk.approved(budget_fen=10_000, **values)
    Campaign.objects.filter(pk=row.pk).update(state="running")
    return row


def more(row: Campaign, fen: int, actor: Actor, note: str = "反响好") -> bool:
    return services.raise_budget(campaign_id=row.pk, budget_fen=fen, note=note, actor=actor, at=NOW)


def test_more_budget_is_written_down_and_lets_go_on_what_stood_still_for_it(desk: Desk) -> None:
    row = running(desk)
    assert not more(row, 12_000, desk.approver), "it ran all the time"
    Campaign.objects.update(state="paused", code="budget")
    assert more(row, 15_050, desk.approver)
    row.refresh_from_db()
    assert (row.state, row.code, row.budget_fen) == ("running", "", 15_050)
    moves = CampaignMove.objects.filter(campaign=row).order_by("-pk")
    assert [move.note for move in moves[:2]] == ["¥120.00 → ¥150.50：反响好", "¥100.00 → ¥120.00：反响好"]
    assert AuditEntry.objects.filter(action="campaigns.budget_raised").count() == 2
    # One that a person paused stays so.
    Campaign.objects.update(state="paused", code="")
    assert not more(row, 20_000, desk.approver)
    row.refresh_from_db()
    assert row.state == "paused"


def test_money_is_decided_on_by_who_may_approve_and_did_not_write_it(desk: Desk) -> None:
    row = running(desk, store_id=desk.cast.store.id)
    stranger = make_staff("stranger", "change", store_id=desk.cast.store.id)
    elsewhere = make_staff("elsewhere", "approve", store_id=desk.cast.other_store.id)
    for actor, refusal in (
        (desk.writer, CampaignByItsAuthor),
        (stranger, CampaignNotPermitted),
        (elsewhere, NoSuchCampaign),
        (desk.head, CampaignForHeadOffice),
        (Actor.system("test"), CampaignNotPermitted),
    ):
        with pytest.raises(refusal):
            more(row, 20_000, actor)
    set_policy(approvers="regions", may_stores=True)
    assert not more(row, 20_000, desk.head)


@pytest.mark.parametrize(
    ("fen", "note", "refusal"),
    [
        (10_000, "反响好", CampaignBudgetNotRaised),
        (9_999, "反响好", CampaignBudgetNotRaised),
        (-5, "反响好", CampaignBudgetNotRaised),
        (10**12 + 1, "反响好", CampaignBudgetNotRaised),
        (20_000, " ", CampaignNeedsReason),
        (20_000, "长" * 201, CampaignNeedsReason),
    ],
)
def test_no_more_than_now_too_much_and_no_reason_are_refused(
    desk: Desk, fen: int, note: str, refusal: type[Refusal]
) -> None:
    row = running(desk)
    with pytest.raises(refusal):
        more(row, fen, desk.approver, note)
    row.refresh_from_db()
    assert row.budget_fen == 10_000


def test_only_what_is_under_way_and_has_a_limit_gets_more(desk: Desk) -> None:
    draft = desk.made(budget_fen=10_000)
    with pytest.raises(CampaignNotInState):
        more(draft, 20_000, desk.approver)
    free = running(desk)
    Campaign.objects.filter(pk=free.pk).update(budget_fen=None)
    with pytest.raises(CampaignBudgetNotRaised):
        more(free, 20_000, desk.approver)
    Campaign.objects.filter(pk=free.pk).update(state="ended", ended_at=NOW, budget_fen=10_000)
    with pytest.raises(CampaignNotInState):
        more(free, 20_000, desk.approver)


def test_head_offices_limits_hold_for_more_money_too(desk: Desk) -> None:
    row = running(desk, store_id=desk.cast.store.id)
    set_policy(campaign_budget_fen=15_000)
    assert faults_of(more, row, 15_001, desk.approver) == {"/budget_fen": "over_budget_limit"}
    other = running(desk, store_id=desk.cast.store.id)
    set_policy(campaign_budget_fen=None, month_budget_fen=30_000)
    with pytest.raises(CampaignOverMonthBudget) as caught:
        more(row, 20_001, desk.approver)
    assert caught.value.details["left_fen"] == 20_000
    # What is over counts as what it did cost, texts among it.
    Campaign.objects.filter(pk=other.pk).update(
        state="ended", ended_at=NOW, spent_fen=5_000, text_hundredths=99_950, held_hundredths=0
    )
    with pytest.raises(CampaignOverMonthBudget) as caught:
        more(row, 24_001, desk.approver)
    assert caught.value.details["left_fen"] == 24_000
    assert not more(row, 24_000, desk.approver)
