"""From money to points: rules as data, rounding down once, the greatest multiplier alone."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound, Refusal
from members import selectors
from members.contracts import EarningLine, EarningRuleCard, MultiplierCard
from members.models import EarningRule, Member, MultiplierRule
from members.selectors import quote_earned_points
from tests.members.points_kit import make_member

DAY = dt.date(2026, 11, 11)
ALL = EarningRuleCard(1, "消费积分", "", 100, 10_000, 0)


def rule(
    number: int, category: str = "", fen: int = 100, bp: int = 10_000, priority: int = 0
) -> EarningRuleCard:
    return EarningRuleCard(number, f"规则{number}", category, fen, bp, priority)


def quote(*lines: tuple[str, int], **values: Any) -> Any:
    return quote_earned_points(
        lines=[EarningLine(*line) for line in lines],
        **{"rules": [ALL], "multipliers": [], "on": DAY, **values},
    )


def test_small_lines_of_one_rule_are_added_before_rounding_down() -> None:
    assert quote(*[("鞋", 50)] * 10).points == 5
    assert quote(("鞋", 199)).points == 1


def test_the_highest_priority_then_the_category_then_the_newer_rule_applies() -> None:
    rules = [ALL, rule(2, "鞋", 50), rule(3, "鞋", 25), rule(4, "包", 10), rule(5, "", 1000, priority=9)]
    assert quote(("鞋", 1000), rules=rules[:3]).points == 40
    assert quote(("包", 1000), ("鞋", 1000), ("衣", 1000), rules=rules[:4]).points == 100 + 40 + 10
    assert quote(("包", 1000), ("鞋", 1000), rules=rules).points == 2


def test_what_no_rule_covers_earns_nothing_and_is_said() -> None:
    quoted = quote(("鞋", 1000), ("包", 300), rules=[rule(1, "鞋")])
    assert (quoted.points, quoted.unearning_fen) == (10, 300)
    assert quote(("鞋", 1000), rules=[]).parts == ()


def test_of_all_multipliers_the_greatest_applies_alone() -> None:
    multipliers = [
        MultiplierCard("双十一", "dated", 20_000),
        MultiplierCard("生日", "birthday", 30_000),
        MultiplierCard("生日月", "birthday_month", 15_000),
    ]
    asked = {"multipliers": multipliers, "tier_multiplier_bp": 12_000}
    assert quote(("鞋", 1000), **asked).points == 20
    assert quote(("鞋", 1000), birthday=dt.date(1990, 11, 11), **asked).multiplier_name == "生日"
    assert quote(("鞋", 1000), birthday=dt.date(1990, 11, 11), **asked).points == 30
    assert quote(("鞋", 1000), tier_multiplier_bp=12_000).points == 12
    assert quote(("鞋", 1000), tier_multiplier_bp=5_000).points == 10
    month = quote(("鞋", 1000), multipliers=multipliers[2:], birthday=dt.date(1990, 11, 30))
    assert month.points == 15


@pytest.mark.parametrize(
    ("on", "is_hers"),
    [
        (dt.date(2027, 2, 28), True),
        (dt.date(2028, 2, 28), False),
        (dt.date(2028, 2, 29), True),
        (dt.date(2027, 3, 1), False),
    ],
)
def test_who_was_born_on_29_february_has_a_birthday_every_year(on: dt.date, is_hers: bool) -> None:
    quoted = quote(
        ("鞋", 1000),
        on=on,
        birthday=dt.date(2000, 2, 29),
        multipliers=[MultiplierCard("生日", "birthday", 20_000)],
    )
    assert quoted.points == (20 if is_hers else 10)


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        quote(("鞋", -1))
    assert refusal.value.code == "members.amounts_unusable"


@given(st.lists(st.integers(0, 10**9), max_size=8), st.integers(1, 10_000), st.integers(10_000, 90_000))
def test_never_more_points_than_the_exact_fraction_and_never_one_less(
    amounts: list[int], fen: int, factor: int
) -> None:
    quoted = quote(
        *[("鞋", amount) for amount in amounts], rules=[rule(1, fen=fen)], tier_multiplier_bp=factor
    )
    exact = sum(amounts) * factor / (fen * 10_000)
    assert exact - 1 - 1e-3 <= quoted.points <= exact + 1e-3


@pytest.mark.django_db
def test_the_rules_of_the_day_count_from_and_until_shanghai_midnight() -> None:
    member = make_member()
    Member.objects.filter(pk=member).update(birthday=dt.date(1990, 11, 12))
    EarningRule.objects.create(name="平时", fen_per_point=100)
    EarningRule.objects.create(name="停用", fen_per_point=1, is_active=False, priority=9)
    EarningRule.objects.create(
        name="双十一", fen_per_point=50, valid_from=DAY, valid_until=DAY + dt.timedelta(days=1), priority=5
    )
    MultiplierRule.objects.create(name="生日", kind="birthday", multiplier_bp=30_000)

    def points(at: dt.datetime) -> int:
        lines = [EarningLine("鞋", 1000)]
        return selectors.quote_member_points(member, lines=lines, at=at).points

    midnight = dt.datetime(2026, 11, 10, 16, tzinfo=dt.UTC)
    second = dt.timedelta(seconds=1)
    assert [points(midnight - second), points(midnight)] == [10, 20]
    assert [points(midnight + dt.timedelta(days=1) - second), points(midnight + dt.timedelta(days=1))] == [
        20,
        30,
    ]
    with pytest.raises(NotFound):
        selectors.quote_member_points(987_654, lines=[], at=midnight)
