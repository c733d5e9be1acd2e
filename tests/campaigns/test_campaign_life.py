"""The life of a campaign: who may take which step, and what is refused."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from campaigns import services
from campaigns.contracts.campaigns import VariantDraft
from campaigns.models import Campaign, CampaignMove, CampaignRun, CampaignState, Reach
from core import audit
from core.actor import Actor
from coupons.models import Coupon
from guides import services as guide_services
from tests.campaigns.campaign_kit import (
    NOW,
    REACH,
    Desk,
    coupon_act,
    faults_of,
    make_desk,
    make_staff,
    of,
    set_policy,
)
from tests.cast import DIRECTOR, Cast
from tests.refusals import refused

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return make_desk(cast)


def state_of(row: Campaign) -> str:
    row.refresh_from_db()
    return row.state


def moves_of(row: Campaign) -> list[tuple[str, str]]:
    return list(
        CampaignMove.objects.filter(campaign=row).order_by("pk").values_list("from_state", "to_state")
    )


def run(row: Campaign) -> None:
    """It has begun, as whoever launches campaigns says."""
    with transaction.atomic():
        [locked] = Campaign.objects.lock_all([row.pk])
        services.move_campaign(
            campaign=locked,
            to=CampaignState.RUNNING,
            deed="campaigns.campaign_resumed",
            actor=Actor.system("test"),
            at=NOW,
        )


def test_a_campaign_is_written_submitted_and_approved_by_somebody_else(desk: Desk) -> None:
    row = desk.submitted()
    at = services.approve_campaign(campaign_id=row.pk, revision=1, note="好", actor=desk.approver, at=NOW)
    assert state_of(row) == "approved"
    assert at == row.next_run_at == row.starts_at
    assert (row.expected_count, row.expected_fen) == (2, 0)
    assert moves_of(row) == [("", "draft"), ("draft", "submitted"), ("submitted", "approved")]
    told = CampaignMove.objects.get(campaign=row, to_state="approved")
    assert (told.actor, told.note, told.revision) == ("approver", "好", 1)
    assert told.content is not None
    assert told.content["segment"] == desk.segment
    assert [one.action for one in audit.list_entries(subject=row)] == [
        "campaigns.campaign_approved",
        "campaigns.campaign_submitted",
        "campaigns.campaign_created",
    ]


def test_nobody_approves_what_she_wrote_not_even_a_part_of_it(desk: Desk) -> None:
    row = desk.submitted()
    call = services.approve_campaign
    assert refused(call, campaign_id=row.pk, revision=1, actor=desk.writer, at=NOW) == (
        "campaigns.campaign_by_its_author"
    )
    services.recall_campaign(campaign_id=row.pk, actor=desk.writer, at=NOW)
    services.change_campaign(
        campaign_id=row.pk, revision=1, draft=desk.draft(name="改过"), actor=desk.approver, at=NOW
    )
    services.submit_campaign(campaign_id=row.pk, revision=2, actor=desk.writer, at=NOW)
    assert refused(call, campaign_id=row.pk, revision=2, actor=desk.approver, at=NOW) == (
        "campaigns.campaign_by_its_author"
    )
    assert state_of(row) == "submitted"


def test_a_stale_revision_is_neither_changed_submitted_nor_approved(desk: Desk) -> None:
    row = desk.made()
    services.change_campaign(campaign_id=row.pk, revision=1, draft=desk.draft(), actor=desk.writer, at=NOW)
    stale = "campaigns.campaign_changed_meanwhile"
    values: dict[str, Any] = {"campaign_id": row.pk, "revision": 1, "at": NOW}
    assert refused(services.change_campaign, **values, draft=desk.draft(), actor=desk.writer) == stale
    assert refused(services.submit_campaign, **values, actor=desk.writer) == stale
    services.submit_campaign(campaign_id=row.pk, revision=2, actor=desk.writer, at=NOW)
    assert refused(services.approve_campaign, **values, actor=desk.approver) == stale
    assert refused(services.return_campaign, **values, note="看过的不是这一版", actor=desk.approver) == stale


def test_what_is_submitted_changes_no_more(desk: Desk) -> None:
    row = desk.submitted()
    assert (
        refused(
            services.change_campaign,
            campaign_id=row.pk,
            revision=1,
            draft=desk.draft(name="偷换"),
            actor=desk.writer,
            at=NOW,
        )
        == "campaigns.campaign_not_in_state"
    )


def test_it_is_sent_back_with_a_reason_and_submitted_anew(desk: Desk) -> None:
    row = desk.submitted()
    call = services.return_campaign
    for nothing in ("", "   ", "长" * 201, "a\0b"):
        assert refused(call, campaign_id=row.pk, revision=1, note=nothing, actor=desk.approver, at=NOW) == (
            "campaigns.campaign_needs_reason"
        )
    call(campaign_id=row.pk, revision=1, note="人群太大", actor=desk.approver, at=NOW)
    assert state_of(row) == "draft"
    assert CampaignMove.objects.filter(campaign=row).latest("pk").note == "人群太大"
    services.submit_campaign(campaign_id=row.pk, revision=1, actor=desk.writer, at=NOW)
    assert state_of(row) == "submitted"


def test_an_approved_one_that_has_not_begun_can_be_taken_back(desk: Desk) -> None:
    row = desk.approved()
    services.recall_campaign(campaign_id=row.pk, actor=desk.writer, at=NOW)
    assert state_of(row) == "draft"
    assert row.next_run_at is None


def test_a_running_one_pauses_goes_on_and_stops_each_with_its_reason(desk: Desk) -> None:
    row = desk.approved()
    run(row)
    refusals: list[Callable[..., Any]] = [services.pause_campaign, services.stop_campaign]
    for call in refusals:
        assert refused(call, campaign_id=row.pk, note=" ", actor=desk.writer, at=NOW) == (
            "campaigns.campaign_needs_reason"
        )
    services.pause_campaign(campaign_id=row.pk, note="券码错了", actor=desk.writer, at=NOW)
    assert state_of(row) == "paused"
    services.resume_campaign(campaign_id=row.pk, actor=desk.approver, at=NOW)
    assert state_of(row) == "running"
    services.stop_campaign(campaign_id=row.pk, note="停售", actor=desk.approver, at=NOW)
    assert state_of(row) == "ended"
    assert (row.ended_at, row.next_run_at) == (NOW, None)


@pytest.mark.parametrize(
    ("state", "call", "values"),
    [
        ("draft", services.pause_campaign, {"note": "停"}),
        ("draft", services.stop_campaign, {"note": "停"}),
        ("draft", services.resume_campaign, {}),
        ("draft", services.recall_campaign, {}),
        ("submitted", services.drop_campaign, {}),
        ("submitted", services.pause_campaign, {"note": "停"}),
        ("approved", services.resume_campaign, {}),
        ("approved", services.drop_campaign, {}),
        ("approved", services.pause_campaign, {"note": "停"}),
        ("running", services.recall_campaign, {}),
        ("running", services.resume_campaign, {}),
        ("paused", services.pause_campaign, {"note": "停"}),
        ("ended", services.stop_campaign, {"note": "停"}),
        ("ended", services.resume_campaign, {}),
        ("ended", services.recall_campaign, {}),
    ],
)
def test_steps_that_its_life_does_not_have_are_refused(
    desk: Desk, state: str, call: Callable[..., Any], values: dict[str, str]
) -> None:
    row = desk.made()
    ended_at = NOW if state == "ended" else None
    Campaign.objects.filter(pk=row.pk).update(state=state, ended_at=ended_at)
    assert refused(call, campaign_id=row.pk, actor=desk.writer, at=NOW, **values) == (
        "campaigns.campaign_not_in_state"
    )
    assert state_of(row) == state


def test_a_dropped_draft_is_over(desk: Desk) -> None:
    row = desk.made()
    services.drop_campaign(campaign_id=row.pk, actor=desk.writer, at=NOW)
    assert (state_of(row), row.code) == ("ended", "dropped")


def test_only_staff_with_the_right_do_anything(desk: Desk) -> None:
    row = desk.submitted(store_id=desk.cast.store.id)
    nobody = make_staff("nobody", "view", store_id=desk.cast.store.id)
    writer = make_staff("storewriter", "add", "change", store_id=desk.cast.store.id)
    denied = "campaigns.campaign_not_permitted"
    for actor in (
        nobody,
        Actor.system("x"),
        Actor.guide(1, "李娜"),
        Actor("staff", None),
        Actor.staff(9**9, "x"),
    ):
        assert refused(services.create_campaign, draft=desk.store_draft(), actor=actor, at=NOW) == denied
        assert refused(services.stop_campaign, campaign_id=row.pk, note="停", actor=actor, at=NOW) == denied
    assert refused(services.approve_campaign, campaign_id=row.pk, revision=1, actor=writer, at=NOW) == denied


def test_another_parts_campaign_is_as_good_as_none(desk: Desk) -> None:
    other = make_staff("south", "add", "change", "approve", store_id=desk.cast.other_store.id)
    chain, mine = desk.submitted(), desk.submitted(store_id=desk.cast.store.id)
    gone = "campaigns.no_such_campaign"
    for pk in (chain.pk, mine.pk, 9**9):
        values: dict[str, Any] = {"campaign_id": pk, "actor": other, "at": NOW}
        assert refused(services.approve_campaign, revision=1, **values) == gone
        assert refused(services.return_campaign, revision=1, note="不", **values) == gone
        assert refused(services.submit_campaign, revision=1, **values) == gone
        assert refused(services.change_campaign, revision=1, draft=desk.store_draft(), **values) == gone
        for call in (services.recall_campaign, services.resume_campaign, services.drop_campaign):
            assert refused(call, **values) == gone
        for brake in (services.pause_campaign, services.stop_campaign):
            assert refused(brake, note="停", **values) == gone
        assert refused(services.copy_campaign, **values) == gone


def test_staff_write_for_their_own_part_only(desk: Desk) -> None:
    writer = make_staff("eaststore", "add", "change", store_id=desk.cast.store.id)
    call, cast = services.create_campaign, desk.cast
    assert faults_of(call, draft=desk.draft(), actor=writer, at=NOW) == {"/region": "missing_field"}
    for part in ({"store_id": cast.other_store.id}, {"store_id": 9**9}):
        assert faults_of(call, draft=desk.draft(**part), actor=writer, at=NOW) == {"/store": "unknown_row"}
    assert faults_of(call, draft=desk.draft(region_id=cast.east.id), actor=writer, at=NOW) == {
        "/region": "unknown_row"
    }
    assert call(draft=desk.store_draft(), actor=writer, at=NOW)


def test_regions_approve_only_where_head_office_lets_them(desk: Desk) -> None:
    cast = desk.cast
    rows = [desk.submitted(store_id=cast.store.id), desk.submitted(region_id=cast.east.id)]
    call = services.approve_campaign
    for row in rows:
        assert refused(call, campaign_id=row.pk, revision=1, actor=desk.head, at=NOW) == (
            "campaigns.campaign_for_head_office"
        )
    set_policy(approvers="regions", most_recipients=1)
    # 小美 alone has a guide there.
    for row in rows:
        call(campaign_id=row.pk, revision=1, actor=desk.head, at=NOW)
        assert state_of(row) == "approved"
    store_only = make_staff("storehead", "approve", store_id=cast.store.id)
    row = desk.submitted(store_id=cast.store.id)
    assert refused(call, campaign_id=row.pk, revision=1, actor=store_only, at=NOW) == (
        "campaigns.campaign_for_head_office"
    )


def test_too_many_people_are_head_offices_to_approve(desk: Desk) -> None:
    guide_services.bind_member(
        member_id=desk.cast.xiaoli.id, guide_id=desk.cast.wangfang.id, source="scan", actor=Actor.wechat()
    )
    set_policy(approvers="regions", most_recipients=1)
    row = desk.submitted(region_id=desk.cast.east.id)
    assert row.pk
    assert refused(services.approve_campaign, campaign_id=row.pk, revision=1, actor=desk.head, at=NOW) == (
        "campaigns.campaign_for_head_office"
    )
    services.approve_campaign(campaign_id=row.pk, revision=1, actor=desk.approver, at=NOW)
    assert state_of(row) == "approved"


def test_a_months_budget_of_a_store_is_not_overdrawn(desk: Desk) -> None:
    store = desk.cast.store.id
    set_policy(month_budget_fen=25_000)
    first = desk.approved(store_id=store, budget_fen=15_000)
    second = desk.submitted(store_id=store, budget_fen=15_000)
    call = services.approve_campaign
    assert refused(call, campaign_id=second.pk, revision=1, actor=desk.approver, at=NOW) == (
        "campaigns.campaign_over_month_budget"
    )
    other_month = desk.submitted(
        store_id=store, budget_fen=15_000, starts_at=NOW + 40 * DAY, ends_at=NOW + 41 * DAY
    )
    there = guide_services.hire_guide(
        number="G2099", name="周敏", store_id=desk.cast.other_store.id, actor=DIRECTOR, at=NOW
    )
    guide_services.bind_member(
        member_id=desk.cast.xiaoli.id, guide_id=there.id, source="scan", actor=DIRECTOR, at=NOW
    )
    other_store = desk.submitted(store_id=desk.cast.other_store.id, budget_fen=15_000)
    for row in (other_month, other_store):
        call(campaign_id=row.pk, revision=1, actor=desk.approver, at=NOW)
    # What is over counts with what it cost: nothing.
    services.stop_campaign(campaign_id=first.pk, note="不做了", actor=desk.approver, at=NOW)
    call(campaign_id=second.pk, revision=1, actor=desk.approver, at=NOW)


def test_what_no_longer_stands_is_not_approved(desk: Desk) -> None:
    late, limited = desk.submitted(), desk.submitted()
    call = services.approve_campaign
    assert faults_of(call, campaign_id=late.pk, revision=1, actor=desk.approver, at=NOW + 4 * DAY) == {
        "/ends_at": "in_the_past"
    }
    set_policy(least_holdout_bp=2_000)
    assert faults_of(call, campaign_id=limited.pk, revision=1, actor=desk.approver, at=NOW) == {
        "/holdout_bp": "out_of_range"
    }


def test_head_offices_limits_hold_when_a_store_submits(desk: Desk) -> None:
    set_policy(
        may_stores=False,
        acts=["follow_up"],
        channels=["inbox"],
        campaign_budget_fen=5_000,
        earliest=dt.time(11),
        latest=dt.time(19),
    )
    reach = {"do": "reach", "with": {"title": "新品", "text": "到店看看", "channels": ["sms", "inbox"]}}
    row = desk.made(store_id=desk.cast.store.id, budget_fen=6_000, variants=(VariantDraft(1, [reach]),))
    call = services.submit_campaign
    assert faults_of(call, campaign_id=row.pk, revision=1, actor=desk.writer, at=NOW) == {
        "/send_from": "outside_hours",
        "/send_until": "outside_hours",
        "/store": "no_own_campaigns",
        "/variants/0/acts/0/do": "not_for_parts",
        "/budget_fen": "over_budget_limit",
    }
    set_policy(
        acts=["reach"], may_stores=True, campaign_budget_fen=None, earliest=dt.time(9), latest=dt.time(21)
    )
    assert faults_of(call, campaign_id=row.pk, revision=1, actor=desk.writer, at=NOW) == {
        "/variants/0/acts/0/with/channels": "not_for_parts"
    }


def test_a_part_with_a_limit_names_its_budget_before_it_gives_coupons(desk: Desk) -> None:
    set_policy(month_budget_fen=100_000)
    acts = [coupon_act(desk.batch)]
    row = desk.made(store_id=desk.cast.store.id, kind="coupon", variants=(VariantDraft(1, acts),))
    assert faults_of(services.submit_campaign, campaign_id=row.pk, revision=1, actor=desk.writer, at=NOW) == {
        "/budget_fen": "needs_budget"
    }


def test_a_copy_begins_on_another_day_and_lasts_as_long(desk: Desk) -> None:
    acts = [coupon_act(desk.batch)]
    row = desk.approved(
        name="名" * 40, kind="coupon", variants=(VariantDraft(2, acts), VariantDraft(3, acts))
    )
    assert row.starts_at is not None
    assert row.ends_at is not None
    day = dt.date(2027, 2, 6)
    pk = services.copy_campaign(campaign_id=row.pk, starts_on=day, actor=desk.approver, at=NOW)
    copy = Campaign.objects.get(pk=pk)
    assert copy.starts_at is not None
    assert copy.ends_at is not None
    assert copy.state == "draft"
    assert copy.revision == 1
    assert copy.name.endswith("（副本）")
    assert copy.ends_at - copy.starts_at == row.ends_at - row.starts_at
    assert copy.starts_at == dt.datetime.combine(day, dt.time(10), NOW.tzinfo)
    assert copy.writers == [desk.approver.id]
    assert copy.seed != row.seed
    assert [one.weight for one in copy.variants.order_by("letter")] == [2, 3]
    again = services.copy_campaign(campaign_id=pk, actor=desk.approver, at=NOW)
    assert Campaign.objects.get(pk=again).name == copy.name


def test_it_ends_by_itself_when_nothing_is_under_way_or_counted(desk: Desk) -> None:
    row, missed = desk.approved(), desk.approved()
    run(row)
    over = NOW + 4 * DAY
    one = CampaignRun.objects.create(campaign=row, number=1, due_at=NOW, state="releasing")
    assert services.end_over_campaigns(at=NOW + DAY) == 0
    assert services.end_over_campaigns(at=over) == 1
    assert (state_of(missed), missed.code) == ("ended", "missed")
    CampaignRun.objects.filter(pk=one.pk).update(state="released", released_at=NOW, window_ends_at=over + DAY)
    assert services.end_over_campaigns(at=over) == 0
    assert state_of(row) == "running"
    assert services.end_over_campaigns(at=over + DAY) == 1
    assert (state_of(row), row.code) == ("ended", "")
    assert services.end_over_campaigns(at=over + DAY) == 0


def test_after_a_pause_a_calendar_rule_goes_on_with_the_next_day(desk: Desk) -> None:
    row = desk.approved(recurrence={"every": "day", "at": "10:30"}, ends_at=NOW + 30 * DAY)
    assert row.next_run_at == NOW + DAY + dt.timedelta(minutes=30)
    run(row)
    services.pause_campaign(campaign_id=row.pk, note="等新券", actor=desk.writer, at=NOW)
    services.resume_campaign(campaign_id=row.pk, actor=desk.writer, at=NOW + 5 * DAY)
    row.refresh_from_db()
    assert row.next_run_at == NOW + 5 * DAY + dt.timedelta(minutes=30)
    services.pause_campaign(campaign_id=row.pk, note="等新券", actor=desk.writer, at=NOW + 5 * DAY)
    assert faults_of(services.resume_campaign, campaign_id=row.pk, actor=desk.writer, at=NOW + 31 * DAY) == {
        "/ends_at": "in_the_past"
    }


def test_an_account_that_was_switched_off_does_nothing(desk: Desk) -> None:
    row = desk.submitted()
    staff = desk.cast.head_office
    staff.is_active = False
    staff.save()
    assert refused(services.approve_campaign, campaign_id=row.pk, revision=1, actor=of(staff), at=NOW) == (
        "campaigns.campaign_not_permitted"
    )


def test_a_colleague_gets_a_versions_message_and_nothing_else(desk: Desk) -> None:
    acts = [coupon_act(desk.batch), REACH]
    row = desk.made(
        kind="coupon", variants=(VariantDraft(1, acts), VariantDraft(1, [coupon_act(desk.batch)]))
    )
    xiaomei = desk.cast.xiaomei.id
    values: dict[str, Any] = {"campaign_id": row.pk, "member_id": xiaomei, "actor": desk.writer}
    call = services.try_campaign
    for number in range(10):
        call(letter="A", at=NOW + number * dt.timedelta(minutes=1), **values)
    reaches = Reach.objects.filter(member_id=xiaomei, topic="marketing")
    assert reaches.count() == 10
    assert not Coupon.objects.filter(member_id=xiaomei).exists()
    assert not CampaignRun.objects.exists()
    assert refused(call, letter="A", at=NOW + dt.timedelta(minutes=11), **values) == (
        "campaigns.campaign_tried_too_often"
    )
    call(letter="A", at=NOW + dt.timedelta(hours=2), **values)
    for letter in ("B", "C", ""):
        assert refused(call, letter=letter, at=NOW + DAY, **values) == "campaigns.campaign_has_no_message"
    assert refused(call, letter="A", at=NOW + DAY, **values | {"member_id": 9**9}) == (
        "campaigns.campaign_try_refused"
    )
    services.drop_campaign(campaign_id=row.pk, actor=desk.writer, at=NOW)
    assert refused(call, letter="A", at=NOW + DAY, **values) == "campaigns.campaign_not_in_state"
