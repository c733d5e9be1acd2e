"""Losing and keeping tiers: ends, grace, warnings, the nightly job, and reassessing everybody."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from core import clock, events
from core.errors import Refusal
from core.models import AuditEntry
from members import events as member_events
from members import selectors, services
from members.contracts import TierTerms
from members.models import Member, MemberTier, Tier, TierChange, TierReassessment
from members.services import tiers_batches
from tests.killed_job import killed_while_waiting
from tests.members.tiers_kit import (
    MARKETING,
    TILL,
    buy,
    check_rows,
    decide,
    make_ladder,
    make_member,
    make_staff,
    make_tier,
    night,
    noon,
    tier_name,
    until_of,
)
from tests.threads import at_once, end_while_waiting


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is announced, heard by a real handler's place in the table."""
    heard: list[Any] = []
    kinds = (member_events.TierChanged, member_events.TierAtRisk)
    monkeypatch.setattr(events, "_routes", dict.fromkeys(kinds, ("here",)))
    monkeypatch.setattr(events, "_dispatcher", lambda _path, event: heard.append(event))
    return heard


def _reassess(may_fall: bool, day: str = "2026-06-01") -> Any:
    staff = make_staff(f"staff-{may_fall}-{day}")
    services.request_reassessment(may_fall=may_fall, actor=staff, at=noon(day))
    services.run_reassessments(actor=TILL, at=noon(day))
    return selectors.find_last_reassessment()


def _kill_while_waiting_for(member_id: int, job: Callable[[], object]) -> None:
    """The server ends the job's statement while it waits for a member whom somebody else holds."""
    end_while_waiting(partial(Member.objects.lock, member_id), job)


@pytest.mark.django_db
def test_a_tier_holds_to_the_last_day_of_its_period_and_falls_on_the_next() -> None:
    make_ladder()
    member = make_member()
    buy(member, 5_000, "2025-03-05")
    assert night("2026-03-04").fallen_count == 0
    assert tier_name(member, "2026-03-04") == "金卡"
    run = night("2026-03-05")
    assert (run.kept_count, run.graced_count, run.fallen_count) == (0, 0, 1)
    assert tier_name(member, "2026-03-05") == ""
    change = TierChange.objects.order_by("-pk")[0]
    assert (change.cause, change.is_upgrade, change.spend_fen) == ("lapsed", False, 0)
    check_rows()


@pytest.mark.django_db
def test_who_did_enough_in_the_period_keeps_her_tier_for_another() -> None:
    make_ladder()
    member = make_member()
    buy(member, 5_000, "2025-03-05", "a")
    buy(member, 5_000, "2025-08-01", "b")
    assert night("2026-03-05").kept_count == 1
    assert until_of(member, "2026-03-05") == "2027-03-05"
    assert TierChange.objects.count() == 1


@pytest.mark.django_db
def test_a_return_counts_at_the_end_of_the_period() -> None:
    decide(period="year")
    make_ladder()
    kept, lost = make_member("kept"), make_member("lost")
    for member in (kept, lost):
        buy(member, 5_000, "2026-03-05", "s")
    buy(lost, -1, "2026-03-05", "r", on="2026-03-20")
    night("2027-01-01")
    assert (tier_name(kept, "2027-01-01"), tier_name(lost, "2027-01-01")) == ("金卡", "银卡")
    check_rows()


@pytest.mark.parametrize(("descent", "name"), [("straight", ""), ("one_step", "银卡")])
@pytest.mark.django_db
def test_how_far_she_falls_is_the_chains_decision(descent: str, name: str) -> None:
    decide(descent=descent)
    make_ladder()
    member = make_member()
    buy(member, 5_000, "2025-03-05")
    night("2026-03-05")
    assert tier_name(member, "2026-03-05") == name
    if name:
        assert until_of(member, "2026-03-05") == "2027-03-05"


@pytest.mark.django_db
def test_the_grace_holds_her_tier_and_what_she_does_in_it_keeps_it() -> None:
    decide(period="year", grace_days=30)
    make_ladder()
    saved, lost = make_member("saved"), make_member("lost")
    for member in (saved, lost):
        buy(member, 5_000, "2025-03-05", "a")
        buy(member, 4_000, "2026-05-05", "b")
    night("2026-01-01")
    run = night("2027-01-01")
    assert (run.graced_count, run.fallen_count) == (2, 0)
    assert (tier_name(lost, "2027-01-20"), until_of(lost, "2027-01-20")) == ("金卡", "2027-01-31")
    buy(saved, 1_000, "2027-01-30", "c")
    assert until_of(saved, "2027-01-30") == "2028-01-01"
    assert night("2027-01-30").fallen_count == 0
    assert night("2027-01-31").fallen_count == 1
    assert (tier_name(saved, "2027-01-31"), tier_name(lost, "2027-01-31")) == ("金卡", "银卡")
    check_rows()


@pytest.mark.django_db
def test_in_a_sliding_period_the_grace_counts_the_twelve_months_up_to_the_sale() -> None:
    decide(grace_days=30)
    make_ladder()
    saved, late = make_member("saved"), make_member("late")
    for member in (saved, late):
        buy(member, 5_000, "2025-03-05", "a")
        buy(member, 4_000, "2025-03-21", "b")
    assert night("2026-03-05").graced_count == 2
    buy(saved, 1_000, "2026-03-20", "c")
    buy(late, 1_000, "2026-03-21", "c")
    assert [until_of(member, "2026-03-21") for member in (saved, late)] == ["2027-03-20", "2026-04-04"]
    night("2026-04-04")
    assert [tier_name(member, "2026-04-04") for member in (saved, late)] == ["金卡", "银卡"]
    check_rows()


@pytest.mark.django_db
def test_a_job_that_comes_late_judges_as_on_the_day() -> None:
    """Down from the 4th to the 20th: what counts is the year up to the 5th."""
    make_ladder()
    member = make_member()
    buy(member, 5_000, "2025-03-05", "a")
    buy(member, 5_000, "2025-03-10", "b")
    assert night("2026-03-20").kept_count == 1
    assert until_of(member, "2026-03-20") == "2027-03-05"


@pytest.mark.django_db
def test_a_second_run_finds_nothing_to_do() -> None:
    make_ladder()
    member = make_member()
    buy(member, 5_000, "2025-03-05")
    night("2026-03-05")
    run = night("2026-03-05")
    assert (run.ended_count, run.kept_count, run.graced_count, run.fallen_count) == (0, 0, 0, 0)
    assert AuditEntry.objects.filter(action="members.tiers_reassessed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_killed_between_slices_has_done_whole_slices_and_the_next_does_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiers_batches, "SLICE", 2)
    make_ladder()
    members = [make_member(f"m{number}") for number in range(5)]
    for member in members:
        buy(member, 5_000, "2025-03-05")
    _kill_while_waiting_for(members[-1], partial(night, "2026-03-05"))
    assert [tier_name(member, "2026-03-05") for member in members] == ["", "", "", "", "金卡"]
    assert night("2026-03-05").fallen_count == 1
    assert TierChange.objects.filter(cause="lapsed").count() == 5
    check_rows()


@pytest.mark.django_db(transaction=True)
def test_three_jobs_and_sales_at_once_lose_and_double_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers_batches, "SLICE", 3)
    make_ladder()
    members = [make_member(f"m{number}") for number in range(8)]
    for member in members:
        buy(member, 5_000, "2025-03-05", "a")
    at_once(
        [
            *[partial(night, "2026-03-05")] * 3,
            *[partial(buy, member, 1_000, "2026-03-05", "b") for member in members],
        ]
    )
    night("2026-03-05")
    assert {tier_name(member, "2026-03-05") for member in members} == {"银卡"}
    check_rows()


@pytest.mark.django_db(transaction=True)
def test_each_slice_announces_its_range_of_changes(told: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers_batches, "SLICE", 2)
    make_ladder()
    for number in range(3):
        buy(make_member(f"m{number}"), 1_000, "2025-03-05")
    assert [
        line.to_tier.upgrade_gift if line.to_tier else ""
        for event in told
        for line in selectors.list_tier_changes(event.first_change_id, event.last_change_id)
    ] == ["silver"] * 3
    told.clear()
    night("2026-03-05")
    ranges = [(event.first_change_id, event.last_change_id) for event in told]
    assert len(ranges) == 2
    changes = TierChange.objects.filter(cause="lapsed")
    assert sum(changes.filter(pk__range=pair).count() for pair in ranges) == changes.count() == 3


@pytest.mark.django_db(transaction=True)
def test_who_will_lose_her_tier_is_told_once_for_each_end_and_what_is_missing(told: list[Any]) -> None:
    decide(notice_days=10)
    silver = make_ladder()[1]
    member, safe = make_member("member"), make_member("safe")
    buy(member, 1_000, "2025-03-05", "a")
    buy(member, 300, "2025-09-05", "b")
    buy(safe, 1_000, "2025-03-05", "a")
    buy(safe, 1_000, "2025-09-05", "b")
    told.clear()
    announce = partial(services.announce_tiers_at_risk, actor=TILL)
    assert announce(at=noon("2026-02-22")) == 0
    assert announce(at=noon("2026-02-23")) == 1
    assert announce(at=noon("2026-02-24")) == 0
    expected = member_events.TierAtRisk(member, silver.id, "2026-03-05", 70_000, 2, None)
    assert told == [expected]
    buy(member, 700, "2026-03-01", "c")
    night("2026-03-05")
    assert tier_name(member, "2026-03-05") == "银卡"
    assert announce(at=noon("2027-02-28")) == 2


@pytest.mark.django_db(transaction=True)
def test_two_warning_jobs_at_once_warn_once(told: list[Any]) -> None:
    make_ladder()
    buy(make_member(), 1_000, "2025-03-05")
    told.clear()
    counts = at_once([partial(services.announce_tiers_at_risk, actor=TILL, at=noon("2026-03-01"))] * 3)
    assert sum(counts) == len(told) == 1


@pytest.mark.django_db
def test_no_notice_days_mean_no_warning() -> None:
    decide(notice_days=0)
    make_ladder()
    buy(make_member(), 1_000, "2025-03-05")
    assert services.announce_tiers_at_risk(actor=TILL, at=noon("2026-03-04")) == 0


@pytest.mark.django_db
def test_the_preview_says_what_the_reassessment_then_does() -> None:
    silver, gold = make_tier(1, "银卡", spend_fen=100_000), make_tier(2, "金卡", spend_fen=500_000)
    spent = {"riser": 900, "faller": 1_000, "golden": 6_000, "idle": 10}
    people = {key: make_member(key) for key in spent}
    for key, yuan in spent.items():
        buy(people[key], yuan, "2026-03-05")
    terms = TierTerms(rank=1, name="银卡", spend_fen=80_000)
    services.change_tier(tier_id=silver.id, terms=terms, actor=MARKETING)
    terms = TierTerms(rank=2, name="金卡", spend_fen=700_000)
    services.change_tier(tier_id=gold.id, terms=terms, actor=MARKETING)
    assert selectors.needs_reassessment()
    at = noon("2026-06-01")
    gentle = selectors.preview_reassessment(may_fall=False, at=at)
    strict = selectors.preview_reassessment(may_fall=True, at=at)
    assert (gentle.seen_count, gentle.risen_count, gentle.fallen_count, gentle.same_count) == (4, 1, 0, 3)
    assert (strict.risen_count, strict.fallen_count) == (1, 1)
    card = _reassess(may_fall=False)
    assert (card.is_done, card.seen_count, card.risen_count, card.fallen_count) == (True, 4, 1, 0)
    assert tier_name(people["golden"], "2026-06-01") == "金卡"
    card = _reassess(may_fall=True, day="2026-06-02")
    assert (card.risen_count, card.fallen_count) == (0, 1)
    assert {key: tier_name(member, "2026-06-02") for key, member in people.items()} == {
        "riser": "银卡",
        "faller": "银卡",
        "golden": "银卡",
        "idle": "",
    }
    assert until_of(people["faller"], "2026-06-02") == "2027-03-05"
    assert selectors.preview_reassessment(may_fall=True, at=at).risen_count == 0
    check_rows()


@pytest.mark.django_db
def test_who_reached_it_in_the_last_calendar_year_keeps_it_in_a_reassessment() -> None:
    decide(period="year")
    make_ladder()
    member = make_member()
    buy(member, 1_000, "2026-12-20")
    night("2027-01-01")
    assert selectors.preview_reassessment(may_fall=True, at=noon("2027-01-05")).fallen_count == 0


@pytest.mark.django_db(transaction=True)
def test_a_reassessment_killed_between_slices_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers_batches, "SLICE", 2)
    members = [make_member(f"m{number}") for number in range(5)]
    for member in members:
        buy(member, 5_000, "2026-03-05")
    make_ladder()
    services.request_reassessment(may_fall=True, actor=make_staff(), at=noon("2026-03-06"))
    run = partial(services.run_reassessments, actor=TILL, at=noon("2026-03-06"))
    _kill_while_waiting_for(members[3], run)
    row = TierReassessment.objects.get()
    assert (row.state, row.cursor, row.risen_count) == ("waiting", members[1], 2)
    at_once([run, run])
    row.refresh_from_db()
    assert (row.state, row.seen_count, row.risen_count, row.fallen_count) == ("done", 5, 5, 0)
    assert TierChange.objects.filter(cause="rules", is_upgrade=True).count() == 5
    check_rows()


@pytest.mark.django_db(transaction=True)
def test_what_a_reassessment_killed_by_the_kernel_left_undone_the_next_run_does() -> None:
    members = [make_member(f"m{number}") for number in range(3)]
    for member in members:
        buy(member, 5_000, "2026-03-05")
    make_ladder()
    services.request_reassessment(may_fall=True, actor=make_staff(), at=noon("2026-03-06"))
    job = (
        "from core.actor import Actor; from members import services; "
        "from members.services import tiers_batches; tiers_batches.SLICE = 1; "
        "services.run_reassessments(actor=Actor.system('job'))"
    )
    lock = "SELECT 1 FROM members_member WHERE id = %(id)s FOR UPDATE"
    with killed_while_waiting(job, lock=lock, values={"id": members[1]}):
        assert TierReassessment.objects.get().cursor == members[0]
        assert TierChange.objects.count() == 1
    assert services.run_reassessments(actor=TILL, at=noon("2026-03-06")) == 2
    assert TierChange.objects.count() == 3
    assert TierReassessment.objects.get().risen_count == 3
    check_rows()


@pytest.mark.django_db
def test_one_reassessment_at_a_time_and_by_staff_only() -> None:
    staff = make_staff()
    with pytest.raises(Refusal) as refusal:
        services.request_reassessment(may_fall=False, actor=TILL)
    assert refusal.value.code == "members.staff_only"
    services.request_reassessment(may_fall=False, actor=staff)
    with pytest.raises(Refusal) as refusal:
        services.request_reassessment(may_fall=True, actor=staff)
    assert refusal.value.code == "members.reassessment_under_way"
    services.run_reassessments(actor=TILL)
    services.request_reassessment(may_fall=True, actor=staff)


@pytest.mark.django_db
def test_a_tier_retired_in_the_moment_it_was_reached_is_left_by_the_job() -> None:
    _floor, _silver, gold = make_ladder()
    member = make_member()
    buy(member, 5_000, "2026-03-05")
    Tier.objects.filter(pk=gold.id).update(is_active=False)  # past the service: what a race would leave
    night("2026-03-06")
    assert tier_name(member, "2026-03-06") == "银卡"
    check_rows()


@pytest.mark.django_db
def test_merged_rows_are_left_alone_and_the_job_ends() -> None:
    make_ladder()
    one, other = make_member("one"), make_member("other")
    buy(other, 1_000, "2025-03-05")
    Member.objects.filter(pk=other).update(merged_into=one)
    assert night("2026-03-05").fallen_count == 0
    assert MemberTier.objects.get(member_id=other).tier is not None


@pytest.mark.django_db
def test_the_day_changes_at_shanghai_midnight() -> None:
    make_ladder()
    buy(make_member(), 1_000, "2025-03-05")
    midnight = clock.day_bounds(dt.date(2026, 3, 5))[0]
    before = services.reassess_tiers(actor=TILL, at=midnight - dt.timedelta(seconds=1))
    assert (before.fallen_count, services.reassess_tiers(actor=TILL, at=midnight).fallen_count) == (0, 1)
