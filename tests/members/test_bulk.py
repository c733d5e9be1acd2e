"""Points and activity of many at once leave the books that one by one leaves them."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from members import selectors, services
from members.contracts import ActivityLine, EarningLine, PointsCredit
from members.models import (
    ActivityEntry,
    EarningRule,
    Member,
    MemberTier,
    MultiplierRule,
    PendingReversal,
    PointsAccount,
    PointsEntry,
    PointsLot,
    TierChange,
)
from tests.cast import make_follower, openid_of
from tests.members.points_kit import TILL, check_sums, credit, debit, decide, reverse
from tests.members.tiers_kit import make_ladder

KINDS = ("new", "known", "debtor", "overdue", "returned", "repeated", "granted", "graced", "silver")


@dataclasses.dataclass(frozen=True)
class Story:
    """What one member had before, and what she gets now."""

    kind: str
    points: int
    fen: int
    days: int


stories = st.lists(
    st.builds(
        Story, st.sampled_from(KINDS), st.integers(1, 900), st.integers(1, 600_000), st.integers(0, 20)
    ),
    min_size=1,
    max_size=6,
)


def prepare(member_id: int, told: Story, at: dt.datetime) -> None:
    """Her books before."""
    before = at - dt.timedelta(days=400)
    if told.kind in ("known", "debtor"):
        credit(member_id, 100, "first", at=at - dt.timedelta(days=3))
    if told.kind == "debtor":
        debit(member_id, 100, "spent", at=at - dt.timedelta(days=2))
        reverse(member_id, "first", "back", at=at - dt.timedelta(days=1))
    if told.kind == "overdue":
        credit(member_id, 50, "old", at=before)
    if told.kind == "returned":
        reverse(member_id, "new", "came-back", at=at - dt.timedelta(days=1))
    if told.kind == "repeated":
        credit(member_id, told.points, "new", at=at - dt.timedelta(days=1))
        # Recorded now: the day may be today's, and a day ahead of its record is refused.
        act(member_id, told, at, day=clock.business_day(at) - dt.timedelta(days=told.days))
    if told.kind in ("silver", "graced", "granted"):
        services.record_activity(
            member_id=member_id, day=clock.business_day(at) - dt.timedelta(days=30), spend_fen=120_000, order_count=1,
            growth=0, source_key="before", actor=TILL, at=at - dt.timedelta(days=1),
        )  # fmt: skip
    if told.kind == "graced":
        MemberTier.objects.filter(member_id=member_id).update(
            grace_until=clock.business_day(at) + dt.timedelta(9)
        )
    if told.kind == "granted":
        row = MemberTier.objects.get(member_id=member_id)
        row.manual_tier_id, row.manual_until = row.earned_tier_id, clock.business_day(at)
        row.save()


def act(member_id: int, told: Story, at: dt.datetime, *, day: dt.date) -> None:
    services.record_activity(
        member_id=member_id,
        day=day,
        spend_fen=told.fen,
        order_count=1,
        growth=0,
        source_key="new",
        actor=TILL,
        at=at,
    )


# All that is kept of points and tiers but row ids, of each member in the order in which it came.
BOOKS: dict[type[models.Model], tuple[str, ...]] = {
    PointsAccount: ("member_id", "balance", "frozen", "debt_allowed"),
    PointsEntry: (
        "account__member_id", "kind", "delta", "asked", "reason", "source_key", "reversed_entry__source_key", "at",
        "actor", "balance_after",
    ),
    PointsLot: ("account__member_id", "granted", "remaining", "expires_at"),
    PendingReversal: ("account__member_id", "reversed_key", "entry__delta"),
    ActivityEntry: ("member_id", "day", "spend_fen", "order_count", "source_key", "recorded_at"),
    MemberTier: (
        "member_id", "tier__name", "since", "earned_tier__name", "valid_until", "grace_until", "manual_tier__name",
        "manual_until",
    ),
    TierChange: (
        "member_id", "from_tier__name", "to_tier__name", "is_upgrade", "cause", "at", "actor", "note", "until",
        "window_from", "window_until", "spend_fen", "order_count", "growth",
    ),
}  # fmt: skip


def books(ids: list[int]) -> dict[str, list[Any]]:
    """The books, with members by their place: both paths make members of their own."""
    return {
        model.__name__: [
            (ids.index(row[0]), *row[1:])
            for row in model._default_manager.order_by(names[0], "pk").values_list(*names)
        ]
        for model, names in BOOKS.items()
    }


@pytest.mark.django_db
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=stories, policy=st.sampled_from(["forgive", "debt"]))
def test_many_at_once_leave_the_books_of_one_by_one(told: list[Story], policy: str) -> None:
    at = clock.now()
    day = clock.business_day(at)
    left = []
    for path in ("one by one", "in bulk"):
        save = transaction.savepoint()
        make_ladder()
        decide(shortage_policy=policy)
        ids = [make_follower("小美", openid_of(f"bulk{place}"), at=at).id for place in range(len(told))]
        for member_id, one in zip(ids, told, strict=True):
            prepare(member_id, one, at)
        lines = [
            ActivityLine(member_id, day - dt.timedelta(days=one.days), one.fen, 1, "new")
            for member_id, one in zip(ids, told, strict=True)
        ]
        earned = [
            PointsCredit(member_id, one.points, "new") for member_id, one in zip(ids, told, strict=True)
        ]
        if path == "in bulk":
            services.lock_members(ids)
            services.credit_points_in_bulk(given=earned, reason="购物", actor=TILL, at=at)
            services.record_activity_in_bulk(lines=lines, actor=TILL, at=at)
        else:
            for given_points, line in zip(earned, lines, strict=True):
                credit(given_points.member_id, given_points.points, "new", reason="购物", at=at)
                act(line.member_id, told[ids.index(line.member_id)], at, day=line.day)
        check_sums(*ids)
        left.append(books(ids))
        transaction.savepoint_rollback(save)
    assert left[0] == left[1]


@pytest.mark.django_db
def test_what_many_sales_earn_is_what_each_is_quoted() -> None:
    at = clock.now()
    tiers = make_ladder()
    EarningRule.objects.create(name="全部", fen_per_point=100)
    EarningRule.objects.create(name="鞋", category="shoes", fen_per_point=50, priority=1)
    MultiplierRule.objects.create(name="生日", kind="birthday_month", multiplier_bp=13_000)
    ids = [make_follower("小美", openid_of(f"quote{place}"), at=at).id for place in range(4)]
    Member.objects.filter(pk=ids[1]).update(birthday=clock.business_day(at).replace(year=1990, day=1))
    Member.objects.filter(pk=ids[3]).update(stage="member")
    day = clock.business_day(at)
    MemberTier.objects.create(
        member_id=ids[2], since=day, tier_id=tiers[2].id, manual_tier_id=tiers[2].id, manual_until=day
    )
    lines = [EarningLine("shoes", 9_999), EarningLine("", 12_345)]
    asked = [(pk, lines, moment) for pk in ids for moment in (at, at - dt.timedelta(days=40))]
    one_by_one = [selectors.quote_member_points(pk, lines=told, at=when).points for pk, told, when in asked]
    assert selectors.quote_points_in_bulk(asked) == one_by_one
    assert len(set(one_by_one)) > 2
