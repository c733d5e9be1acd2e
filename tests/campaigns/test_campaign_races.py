"""Approvals at the same moment: the month's budget is given once; and the way that would give it twice."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction

from campaigns import services
from campaigns.models import Campaign, CampaignState
from core.errors import Refusal
from tests.campaigns.campaign_kit import NOW, Desk, make_desk, set_policy
from tests.cast import Cast
from tests.threads import at_once, wait_until_somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)
MONTH_FEN = 25_000


@pytest.fixture
def desk(cast: Cast) -> Desk:
    set_policy(month_budget_fen=MONTH_FEN)
    return make_desk(cast)


def two(desk: Desk) -> list[Campaign]:
    """Two of one store for the same month, of which the budget fits either and not both."""
    store = desk.cast.store.id
    return [desk.submitted(store_id=store, budget_fen=15_000, name=name) for name in ("甲", "乙")]


def approve(desk: Desk, row: Campaign) -> None:
    services.approve_campaign(campaign_id=row.pk, revision=1, actor=desk.approver, at=NOW)


def approved_fen() -> int:
    return sum(row.budget_fen or 0 for row in Campaign.objects.filter(state="approved"))


def test_of_two_approvals_at_once_one_finds_the_months_budget_spent(desk: Desk) -> None:
    for _again in range(4):
        Campaign.objects.update(state="ended", ended_at=NOW, spent_fen=0)
        calls: list[Callable[[], None]] = [partial(approve, desk, row) for row in two(desk)]
        answers = at_once(calls)
        refusals = [answer for answer in answers if answer is not None]
        assert [refusal.code for refusal in refusals] == ["campaigns.campaign_over_month_budget"], answers
        assert refusals[0].details["left_fen"] == 10_000
        assert approved_fen() == 15_000


def test_whoever_waits_for_her_turn_sees_what_the_other_was_given(desk: Desk) -> None:
    """The second stands at the lock while the first has approved and not committed."""
    first, second = two(desk)
    approved = threading.Event()

    def begin() -> None:
        with transaction.atomic():
            approve(desk, first)
            approved.set()
            wait_until_somebody_waits()

    def follow() -> None:
        assert approved.wait(timeout=30)
        approve(desk, second)

    answers = at_once([begin, follow])
    assert answers[0] is None
    assert isinstance(answers[1], Refusal)
    assert (answers[1].code, approved_fen()) == ("campaigns.campaign_over_month_budget", 15_000)


def test_without_the_lock_both_find_room_in_the_same_budget(desk: Desk) -> None:
    """The twin: two rows are two locks, and neither sees what the other is about to write."""
    looked = threading.Barrier(2)

    def look_and_approve(row: Campaign) -> None:
        with transaction.atomic():
            [locked] = Campaign.objects.lock_all([row.pk])
            assert approved_fen() + (locked.budget_fen or 0) <= MONTH_FEN
            looked.wait(timeout=30)
            services.move_campaign(
                campaign=locked,
                to=CampaignState.APPROVED,
                deed="campaigns.campaign_approved",
                actor=desk.approver,
                at=NOW,
            )

    assert at_once([partial(look_and_approve, row) for row in two(desk)]) == [None, None]
    assert approved_fen() == 30_000 > MONTH_FEN
