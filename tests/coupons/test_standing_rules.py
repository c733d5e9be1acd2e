"""Coupons that come by themselves: once for an occasion, whatever is lost, merged, paused or killed on the way."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.apps import apps

from core import clock
from core.errors import Refusal
from coupons import handlers, selectors, services
from coupons.contracts import StandingTerms
from coupons.models import (
    Coupon,
    IssueJob,
    StandingIssue,
    StandingRound,
    StandingRule,
)
from coupons.selectors.standing import celebrated
from coupons.services import standing_issuing, standing_rounds
from coupons.services.bulk import run_issue_job
from coupons.services.holdings import CouponHoldings
from coupons.services.holdings_doors import StandingHoldings
from guides import services as guide_services
from guides.events import MemberBound
from guides.models import Binding
from members import services as member_services
from members.events import MemberJoined, MemberRegistered, ProfileCompleted
from members.models import Member
from tests.cast import Cast, make_follower, openid_of
from tests.coupons.kit import BOSS, check_counters, key, make_batch, make_members, make_template
from tests.members.tiers_kit import buy, make_ladder, noon
from tests.threads import at_once
from tests.told import told_texts

HOUR = dt.timedelta(hours=1)
LONG_AGO = noon("2025-01-01")


@pytest.fixture(autouse=True)
def bound_before(cast: Cast) -> None:
    """Whom the cast has bound was bound before any rule: a rule counts all of the second in which it is switched on."""
    Binding.objects.update(bound_at=clock.now() - 2 * HOUR)


def make_rule(
    occasion: str, *, batch: int = 0, is_on: bool = True, at: dt.datetime | None = None, **values: Any
) -> int:
    """A rule, switched on; its id."""
    terms: Any = {"name": "规则", "occasion": occasion, "batch_id": batch or make_batch(at=LONG_AGO)}
    rule = services.create_standing_rule(terms=StandingTerms(**(terms | values)), actor=BOSS)
    if is_on:
        services.switch_rule_on(rule_id=rule.id, actor=BOSS, at=at or clock.now() - HOUR)
    return rule.id


def work(at: dt.datetime | None = None) -> int:
    return services.work_standing_rules(actor=BOSS, at=at)


def born(day: str, count: int = 1) -> list[int]:
    members = make_members(count)
    Member.objects.filter(pk__in=members).update(birthday=day)
    return members


def log(rule: int) -> list[tuple[int, str, str, str]]:
    rows = StandingIssue.objects.filter(rule=rule).order_by("pk")
    return list(rows.values_list("member_id", "occasion_key", "state", "reason"))


def holders() -> set[int]:
    return set(Coupon.objects.values_list("member_id", flat=True))


def bind(member: int, guide: int, source: str = "scan", at: dt.datetime | None = None) -> int:
    return guide_services.rebind_member(
        member_id=member, guide_id=guide, source=source, reason="测试", actor=BOSS, at=at
    ).id


def messages() -> list[str]:
    return told_texts("coupon:", "expiring:")


@pytest.mark.django_db
def test_the_first_binding_brings_the_welcome_coupon_once(cast: Cast) -> None:
    rule = make_rule("first_bound")
    binding = bind(cast.xiaoli.id, cast.lina.id)
    for _twice in range(2):
        handlers.on_member_bound(MemberBound(binding, cast.xiaoli.id, cast.lina.id))
    bind(cast.xiaoli.id, cast.wangfang.id)
    bind(cast.xiaomei.id, cast.wangfang.id)  # she had a guide before
    assert work() == 0
    assert log(rule) == [(cast.xiaoli.id, "bound:first", "given", "")]
    assert Coupon.objects.get().door == "system"
    assert selectors.count_standing_issues([rule])[rule].given_count == 1


@pytest.mark.django_db
def test_every_new_binding_counts_where_the_rule_says_so_but_no_merge_and_no_import(cast: Cast) -> None:
    rule = make_rule("bound")
    keys = [f"bound:{bind(cast.xiaoli.id, cast.lina.id)}", f"bound:{bind(cast.xiaoli.id, cast.wangfang.id)}"]
    bind(cast.xiaomei.id, cast.wangfang.id, "import")
    assert (work(), work()) == (2, 0)
    assert sorted(row[1:3] for row in log(rule)) == sorted((one, "given") for one in keys)


@pytest.mark.django_db
def test_who_is_bound_in_the_second_of_the_switch_counts_and_a_second_before_does_not(cast: Cast) -> None:
    """A scan's moment is WeChat's, in whole seconds; the switch's is ours."""
    second = (clock.now() - HOUR).replace(microsecond=0)
    rule = make_rule("bound", at=second + dt.timedelta(milliseconds=600))
    bind(cast.xiaoli.id, cast.lina.id, at=second - dt.timedelta(seconds=1))
    counted = bind(cast.xiaoli.id, cast.wangfang.id, at=second)
    work()
    hers = [row[1:3] for row in log(rule) if row[0] == cast.xiaoli.id]
    assert hers == [(f"bound:{counted}", "given")]


@pytest.mark.django_db
def test_what_was_before_the_rule_or_outside_its_window_is_none_of_its_business(cast: Cast) -> None:
    now = clock.now()
    first = make_rule("first_bound", at=now)
    later = make_rule("first_bound", starts_at=now + HOUR)
    off = make_rule("first_bound", is_on=False)
    bind(cast.xiaoli.id, cast.lina.id, at=now - HOUR / 2)
    assert work() == 0
    assert log(first) == log(later) == log(off) == []
    services.switch_rule_off(rule_id=first, actor=BOSS)
    bind(make_members(1)[0], cast.lina.id)
    assert work() == 0
    before = StandingRule.objects.get(pk=later).switched_on_at
    services.switch_rule_on(rule_id=later, actor=BOSS)
    assert StandingRule.objects.get(pk=later).switched_on_at == before


@pytest.mark.django_db
def test_joining_and_a_complete_profile_are_found_also_when_the_event_is_lost(cast: Cast) -> None:
    joined, complete = make_rule("joined"), make_rule("profile_completed")
    member_services.verify_phone(member_id=cast.xiaoli.id, phone="13900000001", how="wechat", actor=BOSS)
    at_till = member_services.register_member(name="小新", phone="13900000002", source="pos", actor=BOSS)
    follower = make_follower("路人", openid_of("passer"))
    member_services.change_profile(
        member_id=cast.xiaoli.id, gender="female", birthday=dt.date(1990, 5, 1), actor=BOSS
    )
    assert work() == 3
    assert {row[0] for row in log(joined)} == {cast.xiaoli.id, at_till.id}
    assert log(complete) == [(cast.xiaoli.id, "profile", "given", "")]
    handlers.on_member_joined(MemberJoined(cast.xiaoli.id))
    handlers.on_member_registered(MemberRegistered(follower.id))
    handlers.on_profile_completed(ProfileCompleted(cast.xiaoli.id))
    assert Coupon.objects.count() == 3


@pytest.mark.django_db
def test_birthdays_come_at_nine_once_a_year_and_as_many_days_before_as_the_rule_says() -> None:
    rule = make_rule("birthday", at=noon("2026-03-01"), days_before=2)
    today, ahead, far = born("1990-03-05")[0], born("0004-03-07")[0], born("1990-03-08")[0]
    eight, nine = noon("2026-03-05") - 4 * HOUR, noon("2026-03-05") - 3 * HOUR
    assert work(eight) == 0
    assert (work(nine), work(nine + 2 * HOUR)) == (2, 0)
    assert [row[:3] for row in log(rule)] == [
        (today, "birthday:2026", "given"),
        (ahead, "birthday:2026", "given"),
    ]
    assert work(noon("2026-03-06")) == 1
    assert far in holders()
    assert work(noon("2027-03-05")) == 2
    assert Coupon.objects.filter(member_id=today).count() == 2


@pytest.mark.django_db
def test_a_birthday_on_leap_day_and_one_beyond_new_year_and_one_nobody_was_there_for() -> None:
    rule = StandingRule.objects.get(pk=make_rule("birthday", at=LONG_AGO, days_before=3))
    assert celebrated(rule, noon("2026-02-28"))[2026] >= {(2, 28), (2, 29), (2, 25), (3, 3)}
    assert (2, 29) in celebrated(rule, noon("2028-02-28"))[2028]
    assert (2, 29) not in celebrated(rule, noon("2028-02-24"))[2028]
    assert celebrated(rule, noon("2026-12-30"))[2027] == {(1, 1), (1, 2)}
    leap, new_year, missed = born("1992-02-29")[0], born("1990-01-01")[0], born("1990-06-01")[0]
    assert work(noon("2026-12-29")) == 1
    assert log(rule.pk) == [(new_year, "birthday:2027", "given", "")]
    assert work(noon("2027-02-27")) == 1
    assert leap in holders()
    assert work(noon("2027-03-01")) == 0
    assert work(noon("2027-06-04")) == 1  # nothing ran for three days
    assert missed in holders()
    assert work(noon("2028-02-29")) == 1
    assert Coupon.objects.filter(member_id=leap).count() == 2


@pytest.mark.django_db
def test_a_rule_switched_on_today_does_not_make_up_for_yesterday() -> None:
    rule = make_rule("birthday", at=noon("2026-03-05"))
    born("1990-03-04")
    assert work(noon("2026-03-05")) == 0
    assert log(rule) == []


@pytest.mark.django_db
def test_a_tier_brings_its_coupon_once_and_who_lost_it_gets_none(cast: Cast) -> None:
    _floor, silver, gold = make_ladder()
    batch = make_batch(at=LONG_AGO)
    rule = make_rule("tier_reached", tier_id=silver.id, batch=batch, at=noon("2026-03-01"))
    buy(cast.xiaoli.id, 2_000, "2026-03-05", "a")
    day = noon("2026-03-05") + HOUR
    assert (work(day), work(day)) == (1, 0)
    services.pause_batch(batch_id=batch, actor=BOSS)
    buy(cast.xiaomei.id, 2_000, "2026-03-05", "b")
    other = make_follower("小红", openid_of("red"))
    buy(other.id, 2_000, "2026-03-05", "c")
    assert work(day) == 0
    assert {row[2:] for row in log(rule)[1:]} == {("waiting", "coupons.batch_paused")}
    buy(cast.xiaomei.id, -2_000, "2026-03-05", "d")
    MemberTier = apps.get_model("members", "MemberTier")
    MemberTier.objects.filter(member_id=cast.xiaomei.id).update(tier=None, earned_tier=None, valid_until=None)
    buy(other.id, 6_000, "2026-03-05", "e")  # higher still
    services.open_batch(batch_id=batch, actor=BOSS)
    assert work(day) == 1
    assert {row[0]: row[2:] for row in log(rule)} == {
        cast.xiaoli.id: ("given", ""),
        cast.xiaomei.id: ("refused", "coupons.tier_lost"),
        other.id: ("given", ""),
    }
    assert gold.rank > silver.rank


@pytest.mark.django_db
def test_a_tiers_monthly_gift_comes_once_a_month_and_to_whom_has_the_coupons_tier(cast: Cast) -> None:
    floor, silver, _gold = make_ladder()
    rule = make_rule("tier_monthly", tier_id=floor.id, at=noon("2026-03-01"))
    narrow = make_batch(template_id=make_template(tier_ids=(silver.id,)), at=LONG_AGO)
    never = make_rule("tier_monthly", tier_id=floor.id, batch=narrow, at=noon("2026-03-01"))
    phone = partial(member_services.register_member, source="pos", actor=BOSS)
    one = phone(name="甲", phone="13900000003", at=LONG_AGO)
    assert work(noon("2026-03-01") - 4 * HOUR) == 0
    assert work(noon("2026-03-01")) == 1
    two = phone(name="乙", phone="13900000004", at=LONG_AGO)
    assert work(noon("2026-03-20")) == 1
    assert work(noon("2026-04-01")) == 2
    assert [row[1] for row in log(rule)] == [
        "month:2026-03",
        "month:2026-03",
        "month:2026-04",
        "month:2026-04",
    ]
    assert {row[0] for row in log(rule)} == {one.id, two.id}
    assert {row[2:] for row in log(never)} == {("refused", "coupons.wrong_tier")}


@pytest.mark.django_db
def test_conditions_are_place_tier_and_source_together(cast: Cast) -> None:
    _floor, silver, _gold = make_ladder()
    stranger, far, plain = (make_follower(name, openid_of(name)) for name in ("a", "b", "c"))
    for member in (stranger, far):
        buy(member.id, 2_000, clock.today().isoformat(), member.public_id)
    rule = make_rule(
        "first_bound",
        region_ids=(cast.east.id,),
        tier_ids=(silver.id,),
        sources=("follow",),
    )
    store = make_rule("first_bound", store_ids=(cast.other_store.id,))
    bind(stranger.id, cast.lina.id)
    bind(far.id, cast.chenjing.id)
    bind(plain.id, cast.lina.id)
    work()
    assert [row[0] for row in log(rule)] == [stranger.id]
    assert [row[0] for row in log(store)] == [far.id]


@pytest.mark.django_db
def test_sold_out_is_written_down_and_tried_again_when_staff_say_so() -> None:
    batch = make_batch(1, at=LONG_AGO)
    rule = make_rule("birthday", batch=batch, at=noon("2026-03-01"))
    born("1990-03-05", 3)
    assert work(noon("2026-03-05")) == 1
    counts = selectors.count_standing_issues([rule])[rule]
    assert (counts.given_count, counts.waiting_count, dict(counts.refused)) == (
        1, 0, {"coupons.batch_sold_out": 2},
    )  # fmt: skip
    services.extend_quota(batch_id=batch, more=5, actor=BOSS)
    assert work(noon("2026-03-05")) == 0
    assert services.retry_standing_issues(rule_id=rule, actor=BOSS) == 2
    assert (work(noon("2026-03-05")), services.retry_standing_issues(rule_id=rule, actor=BOSS)) == (2, 0)
    check_counters(batch)


@pytest.mark.django_db
def test_who_waits_for_a_batch_that_ends_is_told_so_in_the_log() -> None:
    batch = make_batch(at=LONG_AGO)
    rule = make_rule("birthday", batch=batch, at=noon("2026-03-01"))
    born("1990-03-05")
    services.pause_batch(batch_id=batch, actor=BOSS)
    assert work(noon("2026-03-05")) == 0
    services.end_batch(batch_id=batch, actor=BOSS)
    assert work(noon("2026-03-06")) == 0
    assert [row[2:] for row in log(rule)] == [("refused", "coupons.batch_ended")]


@pytest.mark.django_db
def test_many_go_by_bulk_issue_with_a_reason_for_each_who_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_issuing, "FEW", 3)
    monkeypatch.setattr(standing_issuing, "NOTED_AT_ONCE", 4)
    monkeypatch.setattr(standing_rounds, "ROUND", 5)
    batch = make_batch(8, member_limit=1, at=LONG_AGO)
    rule = make_rule("birthday", batch=batch, at=noon("2026-03-01"))
    members = born("1990-03-05", 11)
    services.issue_coupon(batch_id=batch, member_id=members[0], request_key=key(), actor=BOSS)
    at = noon("2026-03-05")
    assert (work(at), work(at)) == (7, 0)
    rows = {row[0]: row[2:] for row in log(rule)}
    assert rows[members[0]] == ("refused", "coupons.over_member_limit")
    assert sorted(state for state, _why in rows.values()) == ["given"] * 7 + ["refused"] * 4
    assert {why for state, why in rows.values() if state == "refused"} == {
        "coupons.over_member_limit", "coupons.batch_sold_out",
    }  # fmt: skip
    assert StandingRound.objects.filter(settled_at__isnull=True).count() == 0
    check_counters(batch)


@pytest.mark.django_db
def test_a_round_that_a_killed_process_left_goes_on_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_issuing, "FEW", 0)
    rule = make_rule("birthday", at=noon("2026-03-01"))
    born("1990-03-05", 3)
    at = noon("2026-03-05")
    standing_issuing._note(StandingRule.objects.select_related("batch__template").get(pk=rule), None, at)
    standing_rounds._freeze(rule, BOSS, at)  # killed here
    assert work(at) == 0  # its round is under way
    assert services.resume_issue_jobs(actor=BOSS, at=at) == 1
    assert work(at) == 3
    assert {row[2] for row in log(rule)} == {"given"}


@pytest.mark.django_db
def test_a_batch_paused_in_the_middle_of_a_round_loses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_issuing, "FEW", 0)
    batch = make_batch(at=LONG_AGO)
    rule = make_rule("birthday", batch=batch, at=noon("2026-03-01"))
    born("1990-03-05", 3)
    at = noon("2026-03-05")
    standing_issuing._note(StandingRule.objects.select_related("batch__template").get(pk=rule), None, at)
    standing_rounds._freeze(rule, BOSS, at)
    services.pause_batch(batch_id=batch, actor=BOSS)
    run_issue_job(job_id=IssueJob.objects.get().pk, actor=BOSS, at=at)
    assert (work(at), holders()) == (0, set())
    services.open_batch(batch_id=batch, actor=BOSS)
    services.resume_issue_jobs(actor=BOSS, at=at)
    assert work(at) == 3


@pytest.mark.django_db
def test_two_rows_that_turn_out_to_be_one_person_have_one_birthday(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merged after the round was frozen: the one in the audience had nothing yet, the other had hers."""
    monkeypatch.setattr(standing_issuing, "FEW", 0)
    rule = make_rule("birthday", at=noon("2026-03-01"), days_before=5)
    survivor, at = born("1990-03-05")[0], noon("2026-03-05")
    assert work(at) == 1
    [emptier, alone, lone_survivor] = [*born("1990-03-06", 2), *make_members(1)]
    row = StandingRule.objects.select_related("batch__template").get(pk=rule)
    standing_issuing._note(row, None, at)
    standing_rounds._freeze(rule, BOSS, at)
    holdings = StandingHoldings()
    for gone, stays in ((emptier, survivor), (alone, lone_survivor)):
        Member.objects.filter(pk=gone).update(merged_into_id=stays)
        holdings.move(emptier_id=gone, survivor_id=stays, actor=BOSS, at=at)
    services.resume_issue_jobs(actor=BOSS, at=at)
    assert work(at) == 1
    assert sorted(Coupon.objects.values_list("member_id", flat=True)) == sorted([survivor, lone_survivor])
    assert {row[0]: row[2:] for row in log(rule)} == {
        survivor: ("given", ""),
        emptier: ("refused", "coupons.had_before"),
        lone_survivor: ("given", ""),
    }


@pytest.mark.django_db
def test_a_merge_between_giving_and_settling_is_seen_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_issuing, "FEW", 0)
    rule = make_rule("birthday", at=noon("2026-03-01"))
    [emptier], [survivor], at = born("1990-03-05"), make_members(1), noon("2026-03-05")
    row = StandingRule.objects.select_related("batch__template").get(pk=rule)
    standing_issuing._note(row, None, at)
    standing_rounds._freeze(rule, BOSS, at)
    services.resume_issue_jobs(actor=BOSS, at=at)
    Member.objects.filter(pk=emptier).update(merged_into_id=survivor)
    for holdings in (CouponHoldings(), StandingHoldings()):
        holdings.move(emptier_id=emptier, survivor_id=survivor, actor=BOSS, at=at)
    assert work(at) == 1
    assert log(rule) == [(survivor, "birthday:2026", "given", "")]


@pytest.mark.django_db
def test_merging_parting_erasing_and_showing_what_a_rule_gave() -> None:
    batch = make_batch(at=LONG_AGO)
    rule = make_rule("birthday", batch=batch, at=noon("2026-03-01"))
    [emptier] = born("1990-03-05")
    assert work(noon("2026-03-05")) == 1
    [survivor] = born("1990-03-05")
    services.pause_batch(batch_id=batch, actor=BOSS)
    work(noon("2026-03-06"))
    holdings, at = StandingHoldings(), clock.now()
    snapshot = holdings.move(emptier_id=emptier, survivor_id=survivor, actor=BOSS, at=at)
    assert [row[2:] for row in log(rule)] == [("given", ""), ("refused", "coupons.had_before")]
    assert holdings.strays(Member.objects.filter(pk=emptier).values_list("pk", flat=True)) == set()
    holdings.restore(emptier_id=emptier, survivor_id=survivor, snapshot=snapshot, actor=BOSS, at=at)
    assert [row[2] for row in log(rule)] == ["given", "waiting"]
    assert holdings.strays(Member.objects.filter(pk=survivor).values_list("pk", flat=True)) == {survivor}
    [line] = holdings.export(emptier)["自动发券记录"]
    assert line["结果"] == "已发放"
    assert holdings.erase(member_id=survivor, actor=BOSS, at=at) == 1
    assert log(rule)[1][2:] == ("refused", "coupons.member_gone")
    services.open_batch(batch_id=batch, actor=BOSS)
    assert work(noon("2026-03-06")) == 0


@pytest.mark.django_db
def test_the_dry_run_counts_who_would_get_one_today_and_changes_nothing(cast: Cast) -> None:
    batch = make_batch(5, member_limit=1, at=LONG_AGO)
    rule = make_rule("birthday", batch=batch, is_on=False, days_before=1)
    born("1990-03-05", 2), born("1990-03-06"), born("1990-03-04")
    preview = selectors.preview_standing_rule(rule, at=noon("2026-03-05") - 8 * HOUR)
    assert (preview.member_count, preview.is_looking_back, preview.remaining_count) == (3, False, 5)
    assert (preview.is_once_only, preview.why_not) == (True, "")
    assert not StandingIssue.objects.exists()
    services.switch_rule_on(rule_id=rule, actor=BOSS, at=noon("2026-03-05") - 3 * HOUR)
    assert work(noon("2026-03-05")) == 3
    assert selectors.preview_standing_rule(rule, at=noon("2026-03-05")).member_count == 0
    waiting = make_rule("first_bound", is_on=False)
    bind(cast.xiaoli.id, cast.lina.id, at=clock.now() - 50 * HOUR)
    preview = selectors.preview_standing_rule(waiting)
    assert (preview.member_count, preview.is_looking_back) == (2, True)  # and 小美, an hour ago


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"occasion": "full_moon"}, "occasion"),
        ({"days_before": 3}, "days_before"),
        ({"occasion": "birthday", "days_before": 61}, "days_before"),
        ({"occasion": "tier_reached"}, "tier_id"),
        ({"occasion": "tier_monthly", "tier_id": 987_654}, "tier_id"),
        ({"tier_id": 1}, "tier_id"),
        ({"tier_ids": (987_654,)}, "tier_ids"),
        ({"store_ids": (987_654,)}, "store_ids"),
        ({"region_ids": (987_654,)}, "region_ids"),
        ({"sources": ("dream",)}, "sources"),
        ({"starts_at": LONG_AGO, "ends_at": LONG_AGO}, "ends_at"),
        ({"batch_id": 987_654}, "batch_id"),
    ],
)
def test_terms_that_make_no_sense_name_their_field(values: dict[str, Any], field: str) -> None:
    terms: Any = {"name": "规则", "occasion": "joined", "batch_id": make_batch()}
    with pytest.raises(Refusal) as caught:
        services.create_standing_rule(terms=StandingTerms(**(terms | values)), actor=BOSS)
    assert caught.value.details["field"] == field
    assert not StandingRule.objects.exists()


@pytest.mark.django_db
def test_what_a_running_rule_gives_does_not_change_and_a_closed_batch_is_not_switched_on() -> None:
    rule, other = make_rule("joined"), make_batch()
    terms = StandingTerms(name="新名", occasion="joined", batch_id=other)
    change = partial(services.change_standing_rule, rule_id=rule, terms=terms, actor=BOSS)
    with pytest.raises(Refusal) as caught:
        change()
    assert caught.value.code == "coupons.rule_switched_on"
    services.switch_rule_off(rule_id=rule, actor=BOSS)
    services.switch_rule_off(rule_id=rule, actor=BOSS)
    assert change().terms == terms
    ended = make_batch()
    services.end_batch(batch_id=ended, actor=BOSS)
    refused = {
        make_batch(doors=("claim",)): "coupons.wrong_door",
        make_batch(is_open=False): "coupons.batch_not_open",
        ended: "coupons.batch_ended",
    }
    for batch, code in refused.items():
        late = make_rule("joined", batch=batch, is_on=False)
        with pytest.raises(Refusal) as caught:
            services.switch_rule_on(rule_id=late, actor=BOSS)
        assert caught.value.code == code
    for call in (services.switch_rule_on, services.switch_rule_off, services.retry_standing_issues):
        with pytest.raises(Refusal) as caught:
            call(rule_id=987_654, actor=BOSS)
        assert caught.value.code == "coupons.no_such_rule"


@pytest.mark.django_db
def test_she_is_told_once_of_what_she_was_given(cast: Cast) -> None:
    batch = make_batch(template_id=make_template(title="欢迎券"))
    give: Any = {"batch_id": batch, "member_id": cast.xiaoli.id, "actor": BOSS}
    given = services.issue_coupon(**give, request_key=key())
    claimed = services.claim_coupon(**give, request_key=key())
    for coupon in (given, given, claimed):
        services.tell_of_coupon(coupon_id=coupon.id)
    [text] = messages()
    assert text.startswith("「欢迎券」已经放进您的券包。\n减 30 元\n20")
    nobody = services.issue_coupon(
        batch_id=batch, member_id=make_members(1)[0], request_key=key(), actor=BOSS
    )
    assert not services.tell_of_coupon(coupon_id=nobody.id)
    expiring = partial(
        services.tell_of_expiring, member_id=cast.xiaoli.id, expires_on=dt.date(2026, 3, 8), coupon_count=2
    )
    assert (expiring(), expiring()) == (True, False)
    assert messages()[1] == "您有 2 张券用到2026年3月8日为止，过期就用不了了，有空来店里看看。"


@pytest.mark.django_db
def test_a_guides_issue_to_many_tells_each_and_the_systems_tells_nobody(cast: Cast) -> None:
    batch = make_batch()
    many: Any = {"batch_id": batch, "member_ids": [cast.xiaoli.id, cast.xiaomei.id], "actor": BOSS}
    system = services.issue_coupons(**many, key=key())
    by_guide = services.issue_coupons(**many, key=key(), door="guide", guide_id=cast.lina.id)
    assert services.tell_of_guide_issue(job_id=system.job_id) == 0
    assert services.tell_of_guide_issue(job_id=by_guide.job_id) == 2
    assert services.tell_of_guide_issue(job_id=by_guide.job_id) == 0
    assert len(messages()) == 2


@pytest.mark.django_db(transaction=True)
def test_handler_and_job_at_once_give_one_coupon(cast: Cast) -> None:
    rule = make_rule("first_bound", at=clock.now())
    bind(cast.xiaoli.id, cast.lina.id)
    meet = partial(services.meet_occasions, occasions=("first_bound",), member_id=cast.xiaoli.id, actor=BOSS)
    answers = at_once([meet, work, meet, work])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert Coupon.objects.get().member_id == cast.xiaoli.id
    assert log(rule) == [(cast.xiaoli.id, "bound:first", "given", "")]


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_make_one_round_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_issuing, "FEW", 0)
    batch = make_batch(at=LONG_AGO)
    make_rule("birthday", batch=batch, at=noon("2026-03-01"))
    members = born("1990-03-05", 30)
    answers = at_once([partial(work, noon("2026-03-05"))] * 3)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert holders() == set(members)
    assert Coupon.objects.count() == 30
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_without_the_row_the_handler_and_the_job_would_each_give_one(cast: Cast) -> None:
    """Why the row of the occasion is there before the coupon."""
    batch = make_batch()
    looked = threading.Barrier(2)

    def careless(number: int) -> None:
        if not Coupon.objects.filter(batch_id=batch, member_id=cast.xiaoli.id).exists():
            looked.wait(timeout=30)
            services.issue_coupon(
                batch_id=batch, member_id=cast.xiaoli.id, request_key=f"welcome:{number}", actor=BOSS
            )

    at_once([partial(careless, 1), partial(careless, 2)])
    assert Coupon.objects.filter(batch_id=batch).count() == 2
