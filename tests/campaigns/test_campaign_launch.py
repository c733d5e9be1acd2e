"""Launch: the audience is frozen once, whoever launches and wherever it is killed, and what is drawn by lot stays."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction

from campaigns import services
from campaigns.models import Campaign, CampaignMember, CampaignRun, Segment
from campaigns.selectors.campaigns import sight_audience
from campaigns.selectors.runs import run_words
from campaigns.services.running import freeze_audience, launch_due_campaigns
from core import clock
from members import services as member_services
from members.models import Member
from tests.campaigns.run_kit import BOSS, REACH, assert_adds_up, launch, listed, make_campaign, states
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_members
from tests.killed_job import killed_while_waiting
from tests.threads import at_once

KILLED = "from campaigns.services.running import launch_due_campaigns; launch_due_campaigns()"


def drawn_in(run: CampaignRun) -> dict[int, str]:
    """What each drew: a letter, or nothing."""
    return dict(CampaignMember.objects.filter(run=run).values_list("member_id", "letter"))


@pytest.mark.django_db
def test_she_is_frozen_as_she_stands_and_the_numbers_are_counted_with_her(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    run = launch(make_campaign(listed([she, other])))
    rows = {row.member_id: row for row in CampaignMember.objects.filter(run=run)}
    assert set(rows) == {she, other}
    assert (rows[she].guide_id, rows[she].store_id) == (cast.lina.id, cast.store.id)
    assert (rows[other].guide_id, rows[other].store_id) == (None, None)
    assert (run.state, run.member_count, run.control_count) == ("releasing", 2, 0)
    assert Campaign.objects.get().state == "running"
    assert run.window_ends_at is not None
    assert run.launched_at is not None
    assert (run.window_ends_at - run.launched_at).days == 14


@pytest.mark.django_db
def test_nobody_is_in_who_is_excluded_elsewhere_merged_or_erased(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    kept, excluded, gone, merged, into = make_members(5)
    segment = listed([she, other, kept, excluded, gone, merged])
    member_services.erase_member(member_id=gone, reason="own_wish", actor=DIRECTOR)
    member_services.merge_members(first_id=merged, second_id=into, survivor_id=into, actor=DIRECTOR)
    chain = launch(make_campaign(segment, excluded_segment=listed([excluded])))
    assert set(drawn_in(chain)) == {she, other, kept, into}
    store = launch(make_campaign(segment, store_id=cast.store.id))
    region = launch(make_campaign(segment, region_id=cast.root.id))
    elsewhere = launch(make_campaign(segment, region_id=cast.south.id))
    assert (set(drawn_in(store)), set(drawn_in(region)), drawn_in(elsewhere)) == ({she}, {she}, {})
    assert (elsewhere.state, elsewhere.member_count) == ("due", 0)


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", "everybody"])
def test_a_campaign_for_nobody_has_nobody_and_one_for_everybody_has_all(cast: Cast, who: str) -> None:
    follower: dict[str, Any] = {"is": "members.following"}
    nobody = {"all": [follower, {"none": [follower]}]}
    rule = nobody if who == "nobody" else {"none": [nobody]}
    public_id = services.create_segment(name=who, kind="living", rule=rule, actor=DIRECTOR)
    campaign = make_campaign(Segment.objects.get(public_id=public_id))
    wanted = set(Member.objects.living().values_list("pk", flat=True)) if who == "everybody" else set()
    assert sight_audience(campaign).member_count == len(wanted)
    run = launch(campaign)
    assert set(drawn_in(run)) == wanted
    assert_adds_up(run)
    assert run.state == ("due" if who == "nobody" else "releasing")
    # Whom everybody leaves out is nobody.
    rest = launch(make_campaign(listed([cast.xiaomei.id]), excluded_segment=campaign.segment))
    assert set(drawn_in(rest)) == {cast.xiaomei.id} - wanted


@pytest.mark.django_db
def test_draws_stay_from_run_to_run_hold_their_shares_and_have_nothing_to_do_with_each_other() -> None:
    size = 6_000
    segment = listed(make_members(size))
    acts = [[REACH], [REACH], [REACH]]
    campaign = make_campaign(segment, acts, weights=[2, 1, 1], holdout_bp=2_000)
    first = launch(campaign)
    Campaign.objects.update(next_run_at=clock.now())
    assert drawn_in(launch(campaign)) == drawn_in(first)
    assert_adds_up(first)
    # Five standard deviations.
    assert abs(first.control_count - size * 0.2) < 5 * (size * 0.2 * 0.8) ** 0.5
    treated = size - first.control_count
    shares = {letter: sum(drawn == letter for drawn in drawn_in(first).values()) for letter in "ABC"}
    for letter, share in {"A": 0.5, "B": 0.25, "C": 0.25}.items():
        assert abs(shares[letter] - treated * share) < 5 * (treated * share * (1 - share)) ** 0.5
    # Without a control group the same members draw the same letters: who was in it is spread over all of them.
    everybody = launch(make_campaign(segment, acts, weights=[2, 1, 1], seed=campaign.seed))
    control = [member_id for member_id, letter in drawn_in(first).items() if not letter]
    drawn = drawn_in(everybody)
    assert all(drawn[member_id] == letter for member_id, letter in drawn_in(first).items() if letter)
    in_a = sum(drawn[member_id] == "A" for member_id in control)
    assert abs(in_a - len(control) / 2) < 5 * (len(control) / 4) ** 0.5
    # Another campaign draws anew.
    other = launch(make_campaign(segment, acts, holdout_bp=2_000))
    both = sum(not letter and not drawn_in(first)[member_id] for member_id, letter in drawn_in(other).items())
    assert abs(both - size * 0.04) < 5 * (size * 0.04 * 0.96) ** 0.5


@pytest.mark.django_db
def test_what_was_missed_is_not_made_up_for_and_a_paused_campaign_does_not_begin() -> None:
    now = clock.now()
    rule = {"every": "day", "at": "12:00"}
    campaign = make_campaign(
        listed(make_members(1)),
        recurrence=rule,
        starts_at=now - dt.timedelta(days=9),
        next_run_at=now - dt.timedelta(days=3),
    )
    launch(campaign)
    campaign.refresh_from_db()
    assert CampaignRun.objects.count() == 1
    assert campaign.next_run_at is not None
    assert now < campaign.next_run_at <= now + dt.timedelta(days=1)
    Campaign.objects.update(state="paused", next_run_at=now)
    assert launch_due_campaigns() == 0
    late = make_campaign(listed(make_members(1)), ends_at=now - dt.timedelta(seconds=1))
    launch_due_campaigns()
    assert not CampaignRun.objects.filter(campaign=late).exists()


@pytest.mark.django_db(transaction=True)
def test_many_launchers_freeze_it_once() -> None:
    campaign = make_campaign(listed(make_members(300)), holdout_bp=1_000)
    at_once([launch_due_campaigns] * 6)
    run = launch(campaign)
    assert (CampaignRun.objects.count(), run.member_count) == (1, 300)
    assert_adds_up(run)
    assert not freeze_audience(run_id=run.pk)


@pytest.mark.django_db(transaction=True)
def test_a_launch_killed_in_the_middle_leaves_nothing_half_done() -> None:
    campaign = make_campaign(listed(make_members(200)))
    # It has written and counted its members, and waits to say so.
    block = "LOCK TABLE core_auditentry IN EXCLUSIVE MODE"
    launch_due_campaigns()
    CampaignMember.objects.all().delete()
    CampaignRun.objects.update(state="due", member_count=0, launched_at=None)
    with killed_while_waiting(KILLED, lock=block):
        assert not CampaignMember.objects.exists()
        assert CampaignRun.objects.get().state == "due"
    run = launch(campaign)
    assert (CampaignRun.objects.count(), run.member_count, states(run)["waiting"]) == (1, 200, 200)


@pytest.mark.django_db(transaction=True)
def test_a_segment_that_takes_too_long_pauses_the_campaign_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = make_campaign(listed(make_members(50)))
    # Somebody holds the table for longer than the launch may take.
    with transaction.atomic(), monkeypatch.context() as patch:
        patch.setattr("campaigns.services.running.launching._LONGEST_MS", 300)
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE members_membertier IN ACCESS EXCLUSIVE MODE")
        at_once([launch_due_campaigns])
    campaign.refresh_from_db()
    assert (campaign.state, campaign.code) == ("paused", "segment_too_slow")
    assert CampaignRun.objects.get().state == "due"
    Campaign.objects.update(state="running")
    assert launch(campaign).member_count == 50


@pytest.mark.django_db
def test_one_that_is_for_nobody_does_not_begin_and_says_what_to_do() -> None:
    empty = listed([])
    campaign = make_campaign(empty)
    run = launch(campaign)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.code, run.state, run.launched_at) == ("paused", "nobody", "due", None)
    assert "先改人群或名单" in run_words(campaign.code)
    # Nothing more happens by itself; when somebody is in the list and staff go on, she is in.
    assert launch(campaign).state == "due"
    [she] = make_members(1)
    services.change_list(public_id=empty.public_id, added=[she], actor=BOSS)
    Campaign.objects.update(state="running", code="")
    assert drawn_in(launch(campaign)) == {she: "A"}


@pytest.mark.django_db
def test_a_day_of_a_calendar_rule_may_be_for_nobody() -> None:
    rule = {"every": "day", "at": "12:00"}
    campaign = make_campaign(listed([]), recurrence=rule)
    run = launch(campaign)
    campaign.refresh_from_db()
    assert (campaign.state, run.state, run.code, run.member_count) == ("running", "released", "nobody", 0)
    assert campaign.next_run_at is not None
