"""Reaching tiers: thresholds, windows, keys, threads, and what points make of it."""

import datetime as dt
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import Refusal
from members import selectors, services
from members.contracts import EarningLine, TierCard, TierDecisions, TierSums
from members.models import ActivityEntry, EarningRule, Member, MemberTier, TierChange
from members.selectors import tier_rules
from tests.members.tiers_kit import (
    TILL,
    buy,
    check_rows,
    decide,
    make_ladder,
    make_member,
    make_tier,
    noon,
    tier_name,
    until_of,
)
from tests.threads import at_once


@pytest.mark.django_db
def test_exactly_the_threshold_reaches_and_one_fen_less_does_not() -> None:
    make_ladder()
    member = make_member()
    common: dict[str, Any] = {"order_count": 1, "growth": 0, "actor": TILL, "at": noon("2026-03-05")}
    day = dt.date(2026, 3, 5)
    first = services.record_activity(member_id=member, day=day, spend_fen=99_999, source_key="a", **common)
    assert (first.tier, first.is_upgraded) == (None, False)
    second = services.record_activity(member_id=member, day=day, spend_fen=1, source_key="b", **common)
    assert second.is_upgraded
    assert second.tier is not None
    assert second.tier.name == "银卡"
    change = TierChange.objects.get()
    assert (change.from_tier_id, change.spend_fen, change.order_count) == (None, 100_000, 2)
    assert (change.window_from, change.window_until) == (dt.date(2025, 3, 6), dt.date(2026, 3, 6))
    check_rows()


@pytest.mark.django_db
def test_any_of_several_measures_is_enough_and_all_of_them_is_asked_for_where_it_says_so() -> None:
    make_tier(1, "银卡", spend_fen=100_000, order_count=3, growth=50)
    make_tier(2, "金卡", mode="all", spend_fen=200_000, order_count=4)
    member = make_member()
    for number in range(3):
        outcome = buy(member, 10, "2026-03-05", f"s{number}")
    assert outcome.is_upgraded
    assert not buy(member, 3_000, "2026-03-06", "rich", order_count=0).is_upgraded
    assert buy(member, 1, "2026-03-07", "fourth").is_upgraded
    assert tier_name(member, "2026-03-07") == "金卡"
    grower = make_member("grower")
    assert buy(grower, 0, "2026-03-05", "visit", order_count=0, growth=50).is_upgraded


@pytest.mark.django_db
def test_several_rungs_are_climbed_at_once() -> None:
    make_ladder()
    member = make_member()
    outcome = buy(member, 5_000, "2026-03-05")
    assert outcome.tier is not None
    assert outcome.tier.name == "金卡"
    assert TierChange.objects.count() == 1


@pytest.mark.django_db
def test_a_sliding_window_forgets_a_day_after_its_months() -> None:
    """From 6 March 2025 to 5 March 2026 are twelve months; the 5th of 2025 is out."""
    make_ladder()
    early, late = make_member("early"), make_member("late")
    buy(early, 600, "2025-03-05", order_count=0)
    assert not buy(early, 400, "2026-03-05", order_count=0).is_upgraded
    buy(late, 600, "2025-03-06", order_count=0)
    assert buy(late, 400, "2026-03-05", order_count=0).is_upgraded


@pytest.mark.django_db
def test_a_day_is_a_shanghai_day() -> None:
    """16:00 UTC is midnight in Shanghai: the first instant of the day on which a window may end."""
    make_ladder()
    member = make_member()
    midnight = dt.datetime(2026, 3, 5, 16, tzinfo=dt.UTC)
    common: dict[str, Any] = {"spend_fen": 100_000, "order_count": 1, "growth": 0, "actor": TILL}
    tomorrow = dt.date(2026, 3, 6)
    with pytest.raises(Refusal) as refusal:
        services.record_activity(
            member_id=member, day=tomorrow, source_key="a", at=midnight - dt.timedelta(seconds=1), **common
        )
    assert refusal.value.code == "members.activity_day_unusable"
    services.record_activity(member_id=member, day=tomorrow, source_key="a", at=midnight, **common)
    assert MemberTier.objects.get().since == tomorrow


@pytest.mark.django_db
def test_a_calendar_year_begins_anew_but_an_order_told_of_late_still_counts_in_its_year() -> None:
    decide(period="year")
    make_ladder()
    one, other = make_member("one"), make_member("other")
    buy(one, 600, "2025-12-31", order_count=0)
    assert not buy(one, 600, "2026-01-01", order_count=0).is_upgraded
    buy(other, 600, "2025-12-30", order_count=0)
    assert buy(other, 400, "2025-12-31", on="2026-01-02", order_count=0).is_upgraded
    assert until_of(other, "2026-01-02") == "2027-01-01"


@pytest.mark.parametrize(
    ("values", "day", "until"),
    [
        ({"period": "sliding", "period_months": 12}, "2026-03-05", "2027-03-05"),
        ({"period": "sliding", "period_months": 1}, "2026-01-31", "2026-02-28"),
        ({"period": "sliding", "period_months": 6, "keeping": "next_period"}, "2026-03-05", "2027-03-05"),
        ({"period": "year"}, "2026-03-05", "2027-01-01"),
        ({"period": "year", "keeping": "next_period"}, "2026-12-31", "2028-01-01"),
        ({"period": "quarter"}, "2026-03-31", "2026-04-01"),
        ({"period": "quarter", "keeping": "next_period"}, "2026-04-01", "2026-10-01"),
    ],
)
@pytest.mark.django_db
def test_a_tier_is_kept_to_the_end_of_its_period(values: dict[str, object], day: str, until: str) -> None:
    decide(**values)
    make_ladder()
    member = make_member()
    buy(member, 1_000, day)
    assert until_of(member, day) == until


@pytest.mark.django_db
def test_the_same_key_counts_once_and_other_numbers_under_it_are_refused() -> None:
    make_ladder()
    member = make_member()
    assert buy(member, 1_000, "2026-03-05", "s").is_upgraded
    again = buy(member, 1_000, "2026-03-05", "s")
    assert (again.is_upgraded, again.tier is not None) == (False, True)
    with pytest.raises(Refusal) as refusal:
        buy(member, 2_000, "2026-03-05", "s")
    assert refusal.value.code == "members.source_key_taken"
    assert ActivityEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"spend_fen": 0, "order_count": 0}, "members.activity_unusable"),
        ({"spend_fen": 10**13}, "members.activity_unusable"),
        ({"growth": 10**10}, "members.activity_unusable"),
        ({"spend_fen": 1.5}, "members.activity_unusable"),
        ({"spend_fen": True}, "members.activity_unusable"),
        ({"day": dt.date(1999, 12, 31)}, "members.activity_day_unusable"),
        ({"day": dt.date(2026, 3, 6)}, "members.activity_day_unusable"),
        ({"source_key": "a@b"}, "members.source_key_unusable"),
        ({"source_key": ""}, "members.source_key_unusable"),
        ({"member_id": 987_654}, "members.no_such_member"),
    ],
)
@pytest.mark.django_db
def test_unusable_activity_is_refused(change: dict[str, object], code: str) -> None:
    asked: dict[str, object] = {
        "member_id": make_member(),
        "day": dt.date(2026, 3, 5),
        "spend_fen": 100,
        "order_count": 1,
        "growth": 0,
        "source_key": "s",
    }
    with pytest.raises(Refusal) as refusal:
        services.record_activity(**{**asked, **change}, actor=TILL, at=noon("2026-03-05"))  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert not ActivityEntry.objects.exists()


@pytest.mark.django_db
def test_a_return_lowers_nobody_at_once_and_a_new_sale_after_it_counts_from_there() -> None:
    make_ladder()
    member = make_member()
    buy(member, 5_000, "2026-03-05", "s")
    buy(member, -5_000, "2026-03-05", "r", on="2026-03-20")
    assert tier_name(member, "2026-03-20") == "金卡"
    assert TierChange.objects.count() == 1


@pytest.mark.django_db
def test_a_return_that_comes_before_its_sale_ends_in_the_same_sums() -> None:
    make_ladder()
    member = make_member()
    buy(member, -1_000, "2026-03-05", "r")
    assert not buy(member, 1_000, "2026-03-05", "s").is_upgraded
    assert tier_name(member, "2026-03-05") == ""


@pytest.mark.django_db(transaction=True)
def test_two_tills_at_once_raise_her_once() -> None:
    make_ladder()
    member = make_member()
    outcomes = at_once([partial(buy, member, 500, "2026-03-05", f"s{number}") for number in range(4)])
    assert [outcome.is_upgraded for outcome in outcomes].count(True) == 1
    assert TierChange.objects.count() == 1
    assert ActivityEntry.objects.count() == 4
    check_rows()


@pytest.mark.django_db(transaction=True)
def test_one_order_told_of_twice_at_once_counts_once() -> None:
    make_ladder()
    member = make_member()
    at_once([partial(buy, member, 600, "2026-03-05", "s")] * 4)
    assert ActivityEntry.objects.count() == 1
    assert not TierChange.objects.exists()


@pytest.mark.django_db
def test_without_tiers_activity_is_kept_and_nobody_has_any() -> None:
    member = make_member()
    assert buy(member, 9_000, "2026-03-05").tier is None
    standing = selectors.get_tier_standing(member, noon("2026-03-05"))
    assert (standing.tier, standing.progress, standing.benefits) == (None, (), ())
    assert selectors.tier_multiplier_bp(member) == 10_000
    assert (selectors.list_tiers(), selectors.count_by_tier()) == ((), {})
    assert services.reassess_tiers(actor=TILL).kept_count == 0
    assert services.announce_tiers_at_risk(actor=TILL) == 0


@pytest.mark.django_db
def test_everybodys_tier_is_that_of_members_with_a_phone_and_not_of_prospects() -> None:
    floor, silver, _gold = make_ladder()
    prospect = make_member()
    joined = services.register_member(name="王梅", phone="13912345678", source="pos", actor=TILL).id
    assert selectors.get_tier_standing(prospect).tier is None
    assert selectors.get_tier_standing(joined).tier == floor
    buy(prospect, 1_000, "2026-03-05")
    assert selectors.count_by_tier() == {floor.id: 1, silver.id: 1}
    assert list(selectors.tier_member_ids(floor.id)) == [joined]
    assert list(selectors.tier_member_ids(silver.id)) == [prospect]
    assert {key: tier.name for key, tier in selectors.list_member_tiers([prospect, joined]).items()} == {
        prospect: "银卡",
        joined: "普通",
    }


@pytest.mark.django_db
def test_the_standing_says_what_the_next_tier_needs() -> None:
    make_ladder()
    member = make_member()
    buy(member, 250, "2026-03-05")
    goals = selectors.get_tier_standing(member, noon("2026-03-05")).progress
    assert [(goal.next_tier.name, goal.measure, goal.have, goal.need) for goal in goals] == [
        ("银卡", "spend", 25_000, 100_000),
        ("银卡", "orders", 1, 3),
    ]
    buy(member, 5_000, "2026-03-06")
    assert selectors.get_tier_standing(member, noon("2026-03-06")).progress == ()
    assert selectors.get_tier_standing(member, noon("2026-03-06")).since == dt.date(2026, 3, 6)


@pytest.mark.django_db
def test_an_unknown_member_has_no_standing() -> None:
    with pytest.raises(Refusal) as refusal:
        selectors.get_tier_standing(987_654)
    assert refusal.value.code == "core.not_found"


@pytest.mark.django_db
def test_points_count_more_in_a_higher_tier() -> None:
    make_ladder()
    member = make_member()
    EarningRule.objects.create(name="消费积分", fen_per_point=100)
    lines = [EarningLine("鞋", 10_000)]
    at = noon("2026-03-05")
    assert selectors.quote_member_points(member, lines=lines, at=at).points == 100
    buy(member, 1_000, "2026-03-05")
    quoted = selectors.quote_member_points(member, lines=lines, at=at)
    assert (quoted.points, quoted.multiplier_bp) == (120, 12_000)
    assert selectors.tier_multiplier_bp(member, at) == 12_000


@pytest.mark.django_db
def test_a_merged_row_leads_to_the_one_she_lives_on_in() -> None:
    make_ladder()
    one, other = make_member("one"), make_member("other")
    buy(one, 1_000, "2026-03-05")
    Member.objects.filter(pk=other).update(merged_into=one)
    assert tier_name(other, "2026-03-05") == "银卡"
    assert selectors.tier_multiplier_bp(other) == 12_000
    assert len(selectors.list_tier_history(other)) == 1
    assert buy(other, 4_000, "2026-03-06").member_id == one
    assert tier_name(one, "2026-03-06") == "金卡"


@pytest.mark.django_db
def test_activity_inside_a_callers_transaction_goes_with_it() -> None:
    from django.db import transaction

    make_ladder()
    member = make_member()
    with transaction.atomic():
        buy(member, 1_000, "2026-03-05")
        transaction.set_rollback(True)
    assert not ActivityEntry.objects.exists()
    assert not TierChange.objects.exists()


def _card(rank: int, mode: str, needs: tuple[int | None, int | None, int | None]) -> TierCard:
    return TierCard(rank, rank, str(rank), "#000000", mode, *needs, 10_000, (), "", "", True)  # type: ignore[arg-type]


_needs = st.tuples(*[st.none() | st.integers(1, 5)] * 3).filter(lambda needs: any(needs))


@given(
    rungs=st.lists(st.tuples(st.sampled_from(["any", "all"]), _needs), min_size=1, max_size=4),
    sums=st.tuples(*[st.integers(-1, 6)] * 3),
)
@pytest.mark.django_db
def test_the_database_and_the_program_judge_alike(
    rungs: list[tuple[str, tuple[int | None, int | None, int | None]]], sums: tuple[int, int, int]
) -> None:
    from django.db import connection

    from members.selectors.tier_sql import reach_case

    cards = [_card(rank, mode, needs) for rank, (mode, needs) in enumerate(rungs, 1)]
    with connection.cursor() as cursor:
        text = f"SELECT {reach_case(cards)} FROM (VALUES (%s, %s, %s)) sums (spend, orders, growth)"
        cursor.execute(text, sums)
        found = cursor.fetchone()[0]
    assert found == tier_rules.position_reached(cards, TierSums(*sums))


@given(day=st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31)), months=st.integers(1, 36))
def test_a_sliding_period_ends_with_its_day_and_what_was_reached_on_a_day_is_out_of_it_at_the_end(
    day: dt.date, months: int
) -> None:
    decisions = TierDecisions(period="sliding", period_months=months)
    start, end = tier_rules.running_window(decisions, day)
    assert start <= day < end == day + dt.timedelta(days=1)
    until = tier_rules.kept_until(decisions, day)
    assert until > day
    assert tier_rules.keeping_window(decisions, until, until)[0] > day


@given(day=st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31)), period=st.sampled_from(["year", "quarter"]))
def test_calendar_periods_follow_each_other_without_gap(day: dt.date, period: str) -> None:
    decisions = TierDecisions(period=period)  # type: ignore[arg-type]
    before, running = tier_rules.assessed_windows(decisions, day)
    assert before[0] < before[1] == running[0] <= day < running[1]
    until = tier_rules.kept_until(decisions, day)
    assert tier_rules.keeping_window(decisions, until, until) == (running[0], until)
    assert clock.business_day(clock.day_bounds(until)[0]) == until


@pytest.mark.django_db
def test_who_does_it_is_kept_in_the_history() -> None:
    make_ladder()
    member = make_member()
    buy(member, 1_000, "2026-03-05")
    line = selectors.list_tier_history(member)[0]
    assert (line.actor, line.cause, line.is_upgrade) == ("系统", "reached", True)
    assert line.sums == TierSums(100_000, 1, 0)
