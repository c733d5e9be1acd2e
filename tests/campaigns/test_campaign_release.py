"""Release: each member of a run gets what is hers once, within hours and budget, and what came of it is written down."""

import base64
import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from campaigns import services
from campaigns.models import Campaign, CampaignMember, CampaignRun, Reach
from campaigns.selectors.campaign_clicks import click_token, find_place_id
from campaigns.selectors.runs import run_card
from campaigns.services import running
from campaigns.services.running import lead, release_batch, release_campaigns
from core import clock
from core.clock import SHANGHAI
from coupons import services as coupon_services
from coupons.models import Coupon, CouponBatch
from guides.models import FollowUp
from members import services as member_services
from members.models import Member, PointsEntry
from tests.campaigns.run_kit import REACH, assert_adds_up, launch, listed, make_campaign, states, work
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_batch, make_members
from tests.threads import at_once

FOLLOW_UP = {"do": "follow_up", "with": {"title": "老客回访", "script": "问候一下", "days": 3}}
POINTS = {"do": "points", "with": {"points": 5, "reason": "活动赠送"}}


def coupon_act(batch_id: int) -> dict[str, Any]:
    return {"do": "coupon", "with": {"batch": CouponBatch.objects.get(pk=batch_id).public_id}}


@pytest.mark.django_db
def test_she_gets_all_of_her_variant_once_and_the_row_says_what(cast: Cast) -> None:
    batch = make_batch(10)
    campaign = make_campaign(listed([cast.xiaomei.id]), [[coupon_act(batch), REACH, FOLLOW_UP]])
    run = work(campaign)
    row = CampaignMember.objects.get()
    assert (row.state, row.code) == ("done", "")
    assert row.coupon_id == Coupon.objects.get().pk
    assert row.follow_up_id == FollowUp.objects.get().pk
    reach = Reach.objects.get()
    assert row.reach_id == reach.pk
    assert (reach.member_id, reach.topic, reach.importance) == (cast.xiaomei.id, "marketing", "marketing")
    assert_adds_up(run)
    assert (run.state, run.spent_fen) == ("released", 3_000)
    assert Campaign.objects.get().spent_fen == 3_000
    work(campaign)
    assert (Coupon.objects.count(), Reach.objects.count(), FollowUp.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_who_is_refused_an_act_gets_none_of_the_following_and_others_go_on(cast: Cast) -> None:
    """小丽 has no guide: her follow-up is refused, and the message after it does not go."""
    campaign = make_campaign(listed([cast.xiaomei.id, cast.xiaoli.id]), [[FOLLOW_UP, REACH]])
    run = work(campaign)
    rows = {row.member_id: row for row in CampaignMember.objects.all()}
    assert (rows[cast.xiaomei.id].state, rows[cast.xiaoli.id].state) == ("done", "refused")
    assert rows[cast.xiaoli.id].code.startswith("campaigns.")
    assert Reach.objects.count() == 1
    assert_adds_up(run)


@pytest.mark.django_db
def test_control_group_and_everybody_in_a_run_without_acts_for_them_get_nothing() -> None:
    campaign = make_campaign(listed(make_members(400)), holdout_bp=5_000)
    run = work(campaign)
    assert states(run) == {"control": run.control_count, "done": 400 - run.control_count}
    assert Reach.objects.count() == 400 - run.control_count
    assert not Reach.objects.filter(
        member_id__in=CampaignMember.objects.filter(state="control").values("member_id")
    ).exists()


@pytest.mark.django_db
def test_budget_reached_in_mid_run_stands_still_and_more_budget_goes_on() -> None:
    batch = make_batch(1_000)
    campaign = make_campaign(listed(make_members(40)), [[coupon_act(batch)]], budget_fen=3_000 * 25 + 2_999)
    run = work(campaign)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.code, campaign.spent_fen) == ("paused", "budget", 75_000)
    assert states(run) == {"done": 25, "waiting": 15}
    assert run.spent_fen == 75_000
    Campaign.objects.update(budget_fen=3_000 * 40, state="running", code="")
    run = work(campaign)
    campaign.refresh_from_db()
    assert (run.state, campaign.spent_fen, Coupon.objects.count()) == ("released", 120_000, 40)


@pytest.mark.django_db
def test_what_a_refused_coupon_would_have_cost_is_not_spent() -> None:
    """Ten of them have had their coupon of the batch already, of which one is allowed."""
    members = make_members(30)
    batch = make_batch(1_000, member_limit=1)
    first = make_campaign(listed(members[:10]), [[coupon_act(batch)]])
    work(first)
    campaign = make_campaign(listed(members), [[coupon_act(batch)]], budget_fen=3_000 * 20)
    run = work(campaign)
    campaign.refresh_from_db()
    assert (states(run), campaign.spent_fen) == ({"done": 20, "refused": 10}, 60_000)
    assert run.state == "released"


@pytest.mark.django_db
def test_what_comes_later_is_tried_again_with_growing_pauses_and_costs_once() -> None:
    batch = make_batch(1_000)
    coupon_services.pause_batch(batch_id=batch, actor=DIRECTOR)
    campaign = make_campaign(listed(make_members(3)), [[POINTS, coupon_act(batch)]])
    run = work(campaign)
    assert states(run) == {"waiting": 3}
    row = CampaignMember.objects.first()
    assert row is not None
    assert row.not_before is not None
    assert (row.try_count, row.not_before > clock.now()) == (1, True)
    work(campaign)
    assert PointsEntry.objects.count() == 3
    coupon_services.open_batch(batch_id=batch, actor=DIRECTOR)
    CampaignMember.objects.update(not_before=clock.now())
    run = work(campaign)
    assert (states(run), PointsEntry.objects.count(), run.spent_fen) == ({"done": 3}, 3, 9_000)
    assert run.state == "released"


@pytest.mark.django_db
def test_nothing_goes_out_outside_of_its_hours_or_after_its_end() -> None:
    day = clock.today()
    campaign = make_campaign(listed(make_members(3)), send_from=dt.time(10), send_until=dt.time(20))
    launch(campaign)
    for hour, expected in ((9, 0), (20, 0), (10, 3)):
        at = dt.datetime.combine(day, dt.time(hour), SHANGHAI)
        assert release_batch(campaign_id=campaign.pk, at=at).count == expected
    late = make_campaign(listed(make_members(3)))
    run = launch(late)
    assert late.ends_at is not None
    release_batch(campaign_id=late.pk, at=late.ends_at)
    running.sweep_stopped()
    run.refresh_from_db()
    assert (run.state, run.code, states(run)) == ("stopped", "late", {"stopped": 3})


@pytest.mark.django_db
def test_only_a_few_thousand_messages_of_a_run_lie_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lead, "MOST_QUEUED", 30)
    campaign = make_campaign(listed(make_members(70)))
    run = launch(campaign)
    assert release_batch(campaign_id=campaign.pk).count == 30
    assert release_batch(campaign_id=campaign.pk).is_full
    Reach.objects.filter(pk__in=Reach.objects.values("pk")[:10]).update(
        state="sent", sent_at=clock.now(), finished_at=clock.now(), channel="inbox"
    )
    assert release_batch(campaign_id=campaign.pk).count == 10
    assert_adds_up(run)


@pytest.mark.django_db
def test_pause_holds_the_queue_resume_lets_it_go_and_stop_takes_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lead, "MOST_QUEUED", 20)
    campaign = make_campaign(listed(make_members(50)))
    run = launch(campaign)
    release_batch(campaign_id=campaign.pk)
    now = clock.now()
    Reach.objects.update(lease_holder="sender", leased_until=now + dt.timedelta(minutes=2))
    Campaign.objects.update(state="paused")
    running.follow_campaign(campaign_id=campaign.pk)
    assert release_campaigns() == 0
    # Out of the sender's hands, and not due.
    assert not Reach.objects.due(now + dt.timedelta(minutes=10)).exists()
    assert not Reach.objects.filter(lease_holder="sender").exists()
    Campaign.objects.update(state="running")
    running.follow_campaign(campaign_id=campaign.pk)
    assert Reach.objects.due(clock.now()).count() == 20
    Campaign.objects.update(state="ended", ended_at=now)
    running.follow_campaigns()
    run.refresh_from_db()
    assert (run.state, states(run)) == ("stopped", {"done": 20, "stopped": 30})
    assert set(Reach.objects.values_list("state", "code")) == {("skipped", "taken_back")}
    assert release_campaigns() == 0
    assert_adds_up(run)


@pytest.mark.django_db
def test_members_merged_and_erased_between_freeze_and_release_get_it_once_or_not_at_all() -> None:
    kept, merged, into, erased, twice, other = make_members(6)
    campaign = make_campaign(listed([kept, merged, erased, twice, other]), [[POINTS]])
    run = launch(campaign)
    member_services.merge_members(first_id=merged, second_id=into, survivor_id=into, actor=DIRECTOR)
    member_services.merge_members(first_id=twice, second_id=other, survivor_id=other, actor=DIRECTOR)
    member_services.erase_member(member_id=erased, reason="own_wish", actor=DIRECTOR)
    run = work(campaign)
    done = CampaignMember.objects.filter(run=run, state="done").values_list("member_id", flat=True)
    assert set(done) == {kept, into, other}
    assert PointsEntry.objects.count() == 3
    assert (run.state, run.member_count) == ("released", 3)
    assert_adds_up(run)


@pytest.mark.django_db
def test_who_is_merged_while_she_is_to_be_tried_again_keeps_what_she_had(cast: Cast) -> None:
    """She has her points and waits for a coupon of a batch that is paused; her row goes to whom she lives on as."""
    merged, into = make_members(2)
    batch = make_batch(10)
    coupon_services.pause_batch(batch_id=batch, actor=DIRECTOR)
    campaign = make_campaign(listed([merged]), [[POINTS, REACH, coupon_act(batch)]])
    run = work(campaign)
    assert states(run) == {"waiting": 1}
    member_services.merge_members(first_id=merged, second_id=into, survivor_id=into, actor=DIRECTOR)
    coupon_services.open_batch(batch_id=batch, actor=DIRECTOR)
    CampaignMember.objects.update(not_before=clock.now())
    run = work(campaign)
    assert states(run) == {"done": 1}
    assert PointsEntry.objects.filter(kind="earn").count() == 1
    assert list(Reach.objects.values_list("member_id", flat=True)) == [into]
    assert list(Coupon.objects.values_list("member_id", flat=True)) == [into]


@pytest.mark.django_db
def test_who_joins_or_leaves_the_segment_after_the_launch_changes_nothing() -> None:
    stays, leaves, comes = make_members(3)
    segment = listed([stays, leaves])
    campaign = make_campaign(segment, [[POINTS]])
    launch(campaign)
    services.change_list(public_id=segment.public_id, added=[comes], removed=[leaves], actor=DIRECTOR)
    run = work(campaign)
    assert (run.member_count, states(run)) == (2, {"done": 2})
    given = set(PointsEntry.objects.values_list("account__member_id", flat=True))
    assert given == {stays, leaves}


@pytest.mark.django_db
def test_who_is_merged_or_erased_after_her_turn_keeps_the_runs_numbers_right() -> None:
    one, two, erased = make_members(3)
    campaign = make_campaign(listed([one, two, erased]), [[POINTS, REACH]])
    run = work(campaign)
    assert run.state == "released"
    member_services.merge_members(first_id=one, second_id=two, survivor_id=two, actor=DIRECTOR)
    member_services.erase_member(member_id=erased, reason="own_wish", actor=DIRECTOR)
    run = work(campaign)
    # Both rows were sent to: one person is in the run once, and what was done for whom is gone stays counted.
    assert states(run) == {"done": 1}
    assert (run.member_count, run.done_count) == (2, 2)
    assert set(Reach.objects.filter(state="queued").values_list("member_id", flat=True)) == {two}


@pytest.mark.django_db
def test_a_row_left_at_a_merged_or_erased_member_gives_her_nothing() -> None:
    """The launch and the merge ran at the same time: the sweep for latecomers has not come yet."""
    merged, into, erased = make_members(3)
    campaign = make_campaign(listed([merged, into, erased]), [[POINTS]])
    run = launch(campaign)
    Member.objects.filter(pk=merged).update(merged_into_id=into)
    Member.objects.filter(pk=erased).update(stage="erased", erased_at=clock.now())
    run = work(campaign)
    rows = {row.member_id: (row.state, row.code) for row in CampaignMember.objects.filter(run=run)}
    assert rows == {merged: ("waiting", ""), into: ("done", ""), erased: ("refused", "member_gone")}
    assert PointsEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_release_each_member_once() -> None:
    batch = make_batch(5_000)
    campaign = make_campaign(
        listed(make_members(1_200)),
        [[coupon_act(batch), POINTS], [POINTS]],
        holdout_bp=1_000,
        budget_fen=10**9,
    )
    run = launch(campaign)
    at_once([release_campaigns] * 5)
    release_campaigns()
    run.refresh_from_db()
    treated = run.member_count - run.control_count
    assert (run.state, run.done_count, PointsEntry.objects.count()) == ("released", treated, treated)
    assert Campaign.objects.get().spent_fen == run.spent_fen == 3_000 * Coupon.objects.count()
    assert_adds_up(run)


@pytest.mark.django_db(transaction=True)
def test_a_release_and_a_merge_of_its_members_do_not_wait_for_each_other_in_a_ring() -> None:
    members = make_members(60)
    campaign = make_campaign(listed(members), [[POINTS]])
    run = launch(campaign)

    def merge() -> None:
        for first, second in zip(members[:10], reversed(members[50:]), strict=True):
            member_services.merge_members(
                first_id=first, second_id=second, survivor_id=second, actor=DIRECTOR
            )

    answers = at_once([merge, release_campaigns, release_campaigns])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    release_campaigns()
    CampaignMember.objects.filter(not_before__isnull=False).update(not_before=clock.now())
    release_campaigns()
    run.refresh_from_db()
    assert run.member_count == 50
    assert_adds_up(run)
    # Who had hers before the merge has it once all the same.
    assert PointsEntry.objects.filter(kind="earn").count() <= 60
    assert CampaignRun.objects.get().state == "released"


@pytest.mark.django_db(transaction=True)
def test_budget_is_held_by_the_database_whatever_the_code_does() -> None:
    campaign = make_campaign(listed(make_members(1)), budget_fen=100)
    with pytest.raises(IntegrityError, match="campaign_within_budget"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(spent_fen=101)


@pytest.mark.django_db
def test_a_clock_that_is_set_back_releases_nobody_twice_and_makes_no_rate_up() -> None:
    campaign = make_campaign(listed(make_members(1_100)), [[POINTS]])
    run = launch(campaign)
    now = clock.now()
    hour = dt.timedelta(hours=1)
    assert release_batch(campaign_id=campaign.pk, at=now).count == 500
    assert release_batch(campaign_id=campaign.pk, at=now - hour).count == 500
    run.refresh_from_db()
    assert [count for _at, count in run.paces] == [1_000], "what was noted later than now says nothing"
    assert run_card(run, at=now - 2 * hour).rate_per_min is None
    assert release_batch(campaign_id=campaign.pk, at=now - hour).count == 100
    release_batch(campaign_id=campaign.pk, at=now - hour)
    assert_adds_up(run)
    assert (run.state, PointsEntry.objects.count()) == ("released", 1_100)


def test_a_token_is_signed_as_djangos_salted_hmac_signs() -> None:
    """The key is worked out once; links that members have stay good."""
    head = (12_345).to_bytes(6, "big")
    sign = salted_hmac("campaigns.click", head, algorithm="sha256").digest()[:9]
    assert click_token(12_345) == base64.urlsafe_b64encode(head + sign).decode()
    assert find_place_id(click_token(12_345)) == 12_345
