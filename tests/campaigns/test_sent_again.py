"""A message of a campaign that staff sends again by hand is the run's: held, taken back, paid for and reported with it."""

import datetime as dt
import itertools
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from campaigns import services
from campaigns.errors import ReachNotResendable, ReachOfPastRun, ReachOverBudget
from campaigns.models import Campaign, CampaignMember, CampaignOutcome, CampaignRun, Reach, TopicRule
from campaigns.selectors.proof import get_proof
from campaigns.selectors.runs import count_queued_messages, run_card
from campaigns.services import texting
from campaigns.services.planning import Way
from campaigns.services.running import follow_campaign, follow_campaigns, settle_campaigns
from core import clock
from core.actor import Actor
from members import services as member_services
from members.models import MemberMerge
from tests.campaigns import outcome_kit
from tests.campaigns.budget_kit import PRICE, crowd, launched, release, stand
from tests.campaigns.text_kit import Desk
from tests.cast import DIRECTOR
from tests.stack import wait_until

STAFF = Actor.staff(1, "总部")
# Nobody's window is open, and there is nothing else to try.
LOST: dict[str, Any] = {
    "do": "reach",
    "with": {"title": "秋装上新", "text": "来看看", "channels": ["service_message"]},
}
TEXT_ALONE: dict[str, Any] = {
    "do": "reach",
    "with": {"title": "秋装上新", "text": "来看看", "channels": ["sms"]},
}
# Each look at a report is an hour later than the one before: by then everything is counted anew.
_hours = itertools.count(1)


@pytest.fixture(autouse=True)
def told_by_text(texted: Desk) -> Desk:
    """What is sent again goes by the topic's rule of now."""
    TopicRule.objects.create(topic="marketing", importance="marketing", channels="sms,inbox")
    return texted


def lost(count: int, **values: Any) -> Campaign:
    """A campaign all of whose messages went over no channel."""
    campaign = launched(crowd(count), LOST, **values)
    assert release(campaign).count == count
    services.send_due_reaches()
    assert set(Reach.objects.values_list("state", flat=True)) == {"failed"}
    return campaign


def again(reach: Reach) -> Reach:
    return Reach.objects.get(pk=services.resend_reach(reach_id=reach.pk, actor=STAFF))


def first() -> Reach:
    """The first that failed and was not sent again."""
    rows = Reach.objects.filter(state="failed").order_by("pk")
    known = set(Reach.objects.filter(reason_key__contains=":again:").values_list("reason_key", flat=True))
    return next(row for row in rows if not any(key.endswith(f":again:{row.pk}") for key in known))


def reported(campaign: Campaign) -> tuple[int, int, int]:
    """Members treated, those told, and what texts cost, as the report says it; the cost is the runs'."""
    settle_campaigns()
    outcome_kit.work(at=clock.now() + next(_hours) * dt.timedelta(hours=1))
    numbers = get_proof(campaign.pk).treated
    runs = CampaignRun.objects.filter(campaign=campaign).values_list("text_hundredths", flat=True)
    assert numbers.cost_hundredths == sum(runs)
    return numbers.member_count, numbers.sent_count, numbers.cost_hundredths


def test_its_text_is_put_by_then_spent_and_in_the_report(texted: Desk) -> None:
    campaign = lost(3, budget_fen=4_000)
    assert stand(campaign)[2:] == (0, 0)
    sent = again(first())
    assert sent.reason_key.startswith(Reach.objects.order_by("pk")[0].reason_key)
    assert stand(campaign)[2:] == (0, PRICE)
    assert again(Reach.objects.order_by("pk")[0]).pk == sent.pk, "a repeat is the same message"
    services.send_due_reaches()
    settle_campaigns()
    assert stand(campaign)[2:] == (PRICE, 0)
    assert reported(campaign) == (3, 1, PRICE)
    [run] = CampaignRun.objects.all()
    assert run_card(run, with_reaches=True).reaches == {"failed": 3, "sent": 1}


def test_what_the_first_text_cost_is_spent_besides(texted: Desk) -> None:
    """It was paid for and did not arrive; the second is paid for too, and she is one who was told."""
    campaign = launched(crowd(1), TEXT_ALONE, budget_fen=4_000)
    release(campaign)
    services.send_due_reaches()
    [text] = Reach.objects.all()
    texted.report([texted.receipt(text.message_id, is_delivered=False)])
    texted.again(text.reason_key)
    text.refresh_from_db()
    assert (text.state, text.cost_hundredths) == ("failed", PRICE)
    assert reported(campaign) == (1, 0, PRICE)
    again(text)
    services.send_due_reaches()
    assert reported(campaign) == (1, 1, 2 * PRICE)


def test_one_that_fails_again_is_the_runs_the_third_time_too(texted: Desk) -> None:
    campaign = lost(1, budget_fen=4_000)
    second = again(first())
    Reach.objects.filter(pk=second.pk).update(state="failed", finished_at=clock.now())
    settle_campaigns()
    third = again(second)
    assert third.reason_key.count(":again:") == 1
    assert stand(campaign)[2:] == (0, PRICE)
    services.send_due_reaches()
    assert reported(campaign) == (1, 1, PRICE)
    assert CampaignMember.objects.get().other_reach_ids == [second.pk, third.pk]


def test_a_budget_that_is_used_up_pays_for_none_and_nothing_of_it_happens(texted: Desk) -> None:
    campaign = lost(2, budget_fen=PRICE // 100)
    one, other = Reach.objects.order_by("pk")
    again(one)
    with pytest.raises(ReachOverBudget):
        again(other)
    services.send_due_reaches()
    settle_campaigns()
    with pytest.raises(ReachOverBudget):
        again(other)
    assert stand(campaign)[2:] == (PRICE, 0)
    assert Reach.objects.count() == 3
    Campaign.objects.update(budget_fen=2 * PRICE // 100)
    again(other)
    assert stand(campaign)[2:] == (PRICE, PRICE)


def test_who_has_no_number_costs_nothing(texted: Desk) -> None:
    campaign = launched(crowd(1, phoned=0), LOST, budget_fen=1)
    release(campaign)
    services.send_due_reaches()
    again(first())
    services.send_due_reaches()
    assert stand(campaign)[2:] == (0, 0)
    assert reported(campaign) == (1, 0, 0)


def test_a_pause_holds_it_whichever_came_first(texted: Desk) -> None:
    campaign = lost(2, budget_fen=4_000)
    before = again(first())
    Campaign.objects.update(state="paused")
    follow_campaign(campaign_id=campaign.pk)
    after = again(first())
    assert count_queued_messages(campaign.pk) == 2
    services.send_due_reaches()
    held = Reach.objects.filter(pk__in=[before.pk, after.pk])
    assert set(held.values_list("state", flat=True)) == {"queued"}
    assert run_card(CampaignRun.objects.get(), with_reaches=True).held_count == 2
    Campaign.objects.update(state="running")
    follow_campaign(campaign_id=campaign.pk)
    services.send_due_reaches()
    assert set(held.values_list("state", "channel")) == {("sent", "sms")}
    assert reported(campaign) == (2, 2, 2 * PRICE)


def test_a_stop_takes_it_back_and_after_it_none_is_sent_again(texted: Desk) -> None:
    campaign = lost(2, budget_fen=4_000)
    queued = again(first())
    other = first()
    release(campaign)  # the run has nobody left to serve
    assert CampaignRun.objects.get().state == "released"
    Campaign.objects.update(state="ended", ended_at=clock.now())
    follow_campaigns()
    queued.refresh_from_db()
    assert (queued.state, queued.code) == ("skipped", "taken_back")
    settle_campaigns()
    assert stand(campaign)[2:] == (0, 0)
    with pytest.raises(ReachOfPastRun):
        again(other)
    with pytest.raises(ReachNotResendable):
        again(queued)
    services.send_due_reaches()
    assert reported(campaign) == (2, 0, 0)


def test_who_sends_again_while_it_is_stopped_is_too_late(texted: Desk) -> None:
    campaign = lost(1, budget_fen=4_000)
    reach = first()
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(again(reach))
        except ReachOfPastRun as refusal:
            answers.append(refusal)
        finally:
            connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            return bool(cursor.fetchone()[0])

    sender = threading.Thread(target=send)
    with transaction.atomic():
        Campaign.objects.lock(campaign.pk)
        sender.start()
        wait_until(waits, what="the sender's wait for the campaign")
        Campaign.objects.update(state="ended", ended_at=clock.now())
    sender.join(timeout=30)
    [answer] = answers
    assert isinstance(answer, ReachOfPastRun)
    assert Reach.objects.count() == 1


LONG_AGO = dt.timedelta(days=32)


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("run", {"state": "stopped", "released_at": dt.timedelta()}),
        ("run", {"state": "released", "released_at": LONG_AGO}),
        ("run", {"state": "released", "released_at": dt.timedelta(days=2), "window_ends_at": dt.timedelta()}),
        ("campaign", {"ends_at": dt.timedelta()}),
    ],
)
def test_what_is_past_is_not_sent_again(texted: Desk, row: str, values: dict[str, Any]) -> None:
    lost(1)
    now = clock.now()
    model: Any = CampaignRun if row == "run" else Campaign
    model.objects.update(
        **{name: now - value if isinstance(value, dt.timedelta) else value for name, value in values.items()}
    )
    with pytest.raises(ReachOfPastRun):
        again(first())
    assert Reach.objects.count() == 1


def test_two_who_turn_out_to_be_one_are_counted_once_with_what_both_messages_cost(texted: Desk) -> None:
    members = crowd(3)
    campaign = launched(members, TEXT_ALONE, budget_fen=4_000)
    release(campaign)
    services.send_due_reaches()
    assert reported(campaign) == (3, 3, 3 * PRICE)
    member_services.merge_members(
        first_id=members[0], second_id=members[1], survivor_id=members[1], actor=DIRECTOR
    )
    assert reported(campaign) == (2, 2, 3 * PRICE)
    card = run_card(CampaignRun.objects.get(), with_reaches=True)
    assert (card.member_count, card.reaches) == (2, {"sent": 3})
    member_services.undo_merge(merge_id=MemberMerge.objects.live().get().pk, actor=DIRECTOR)
    assert reported(campaign) == (3, 3, 3 * PRICE)
    assert set(CampaignMember.objects.values_list("other_reach_ids", flat=True)) == {None}


def test_one_who_was_told_lives_on_as_one_who_was_refused(texted: Desk) -> None:
    """The place that stays had no message of its own."""
    members = crowd(2)
    campaign = launched(members, TEXT_ALONE, budget_fen=4_000)
    release(campaign)
    services.send_due_reaches()
    CampaignMember.objects.filter(member_id=members[1]).update(state="refused", reach_id=None)
    Reach.objects.filter(member_id=members[1]).delete()
    CampaignRun.objects.update(done_count=1, refused_count=1)
    settle_campaigns()
    member_services.merge_members(
        first_id=members[0], second_id=members[1], survivor_id=members[1], actor=DIRECTOR
    )
    assert reported(campaign) == (1, 1, PRICE)


def test_who_is_erased_before_anybody_read_what_her_text_cost_leaves_it_in_the_report(texted: Desk) -> None:
    members = crowd(2)
    campaign = launched(members, TEXT_ALONE, budget_fen=4_000)
    release(campaign)
    assert reported(campaign) == (2, 0, 0)
    services.send_due_reaches()
    member_services.erase_member(member_id=members[0], reason="own_wish", actor=DIRECTOR)
    assert reported(campaign) == (2, 2, 2 * PRICE)


@pytest.mark.parametrize("is_counted_before", [True, False])
def test_who_is_erased_while_her_text_is_under_way_leaves_in_the_report_what_it_cost(
    texted: Desk, monkeypatch: pytest.MonkeyPatch, is_counted_before: bool
) -> None:
    """The provider has it and its answer is not written down yet: nobody's place in the run knows of it any more."""
    members = crowd(2)
    campaign = launched(members, TEXT_ALONE, budget_fen=4_000)
    release(campaign)
    if is_counted_before:
        assert reported(campaign) == (2, 0, 0)
    send = texting.send_by_text

    def send_and_erase(way: Way) -> texting.TextOutcome:
        told = send(way)
        if way.member_id == members[0]:
            assert Reach.objects.get(pk=way.held.id).state == "sending"
            member_services.erase_member(member_id=members[0], reason="own_wish", actor=DIRECTOR)
        return told

    monkeypatch.setattr("campaigns.services.fleet.send_by_text", send_and_erase)
    services.send_due_reaches()
    assert reported(campaign) == (2, 2, 2 * PRICE)
    assert not CampaignMember.objects.filter(member_id=members[0]).exists()
    assert set(CampaignOutcome.objects.values_list("left_reach_ids", flat=True)) == {None}
    assert reported(campaign) == (2, 2, 2 * PRICE)


def test_a_text_whose_sender_died_and_whose_member_was_erased_is_reported_when_it_is_given_up(
    texted: Desk,
) -> None:
    members = crowd(1)
    campaign = launched(members, TEXT_ALONE, budget_fen=4_000)
    release(campaign)
    Reach.objects.update(
        state="sending",
        channel="sms",
        sent_at=clock.now(),
        leased_until=clock.now() + dt.timedelta(minutes=5),
    )
    member_services.erase_member(member_id=members[0], reason="own_wish", actor=DIRECTOR)
    assert reported(campaign) == (1, 0, 0)
    Reach.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    services.send_due_reaches()
    assert reported(campaign) == (1, 0, PRICE)
