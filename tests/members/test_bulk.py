"""Points and activity of many at once leave the books that one by one leaves them."""

import contextlib
import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core import clock
from core.models import AuditEntry
from members import selectors, services
from members.contracts import EarningLine, Purchase, PurchaseBack
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
    fen: int
    days: int
    category: str


stories = st.lists(
    st.builds(
        Story,
        st.sampled_from(KINDS),
        st.integers(1, 600_000),
        st.integers(0, 20),
        st.sampled_from(["", "shoes"]),
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
        # Recorded now: the day may be today's, and a day ahead of its record is refused.
        act(member_id, told, at, day=clock.business_day(at) - dt.timedelta(days=told.days))
        # The tier she has by it multiplies what she is quoted now.
        if points := quoted(member_id, told, at):
            credit(member_id, points, "new", at=at - dt.timedelta(days=1))
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


def lines_of(told: Story) -> list[EarningLine]:
    return [EarningLine(told.category, told.fen)]


def quoted(member_id: int, told: Story, at: dt.datetime) -> int:
    """What her purchase earns by itself."""
    sold_at = at - dt.timedelta(days=told.days)
    return selectors.quote_member_points(member_id, lines=lines_of(told), at=sold_at).points


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """Nothing of the block is left."""
    save = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(save)


def make_earning() -> None:
    EarningRule.objects.create(name="全部", fen_per_point=100)
    EarningRule.objects.create(name="鞋", category="shoes", fen_per_point=50, priority=1)


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
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=stories, policy=st.sampled_from(["forgive", "debt"]), is_told=st.booleans())
def test_many_at_once_leave_the_books_of_one_by_one(told: list[Story], policy: str, is_told: bool) -> None:
    at = clock.now()
    day = clock.business_day(at)
    left = []
    for path in ("one by one", "in bulk"):
        with undone():
            make_ladder()
            make_earning()
            decide(shortage_policy=policy)
            ids = [make_follower("小美", openid_of(f"bulk{place}"), at=at).id for place in range(len(told))]
            for member_id, one in zip(ids, told, strict=True):
                prepare(member_id, one, at)
            before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            if path == "in bulk":
                services.lock_living(ids)
                purchases = [
                    Purchase(
                        member_id, lines_of(one), at - dt.timedelta(days=one.days), day - dt.timedelta(days=one.days),
                        one.fen, "new", "new",
                    )
                    for member_id, one in zip(ids, told, strict=True)
                ]  # fmt: skip
                earned = services.reward_purchases(
                    given=purchases, reason="购物", is_told=is_told, actor=TILL, at=at
                )
            else:
                earned = [quoted(member_id, one, at) for member_id, one in zip(ids, told, strict=True)]
                for member_id, one, points in zip(ids, told, earned, strict=True):
                    if points:
                        credit(member_id, points, "new", reason="购物", at=at)
                    act(member_id, one, at, day=day - dt.timedelta(days=one.days))
            check_sums(*ids)
            noted = Counter(AuditEntry.objects.filter(pk__gt=before).values_list("action", flat=True))
            left.append((earned, books(ids), noted if is_told else None))
    assert left[0] == left[1]


@pytest.mark.django_db
def test_what_many_sales_earn_is_what_each_is_quoted() -> None:
    at = clock.now()
    tiers = make_ladder()
    make_earning()
    MultiplierRule.objects.create(name="生日", kind="birthday_month", multiplier_bp=13_000)
    ids = [make_follower("小美", openid_of(f"quote{place}"), at=at).id for place in range(4)]
    Member.objects.filter(pk=ids[1]).update(birthday=clock.business_day(at).replace(year=1990, day=1))
    Member.objects.filter(pk=ids[3]).update(stage="member")
    day = clock.business_day(at)
    MemberTier.objects.create(
        member_id=ids[2], since=day, tier_id=tiers[2].id, manual_tier_id=tiers[2].id, manual_until=day
    )
    lines = [EarningLine("shoes", 9_999), EarningLine("", 12_345)]
    said: set[int] = set()
    for moment in (at, at - dt.timedelta(days=40)):
        one_by_one = [selectors.quote_member_points(pk, lines=lines, at=moment).points for pk in ids]
        assert earned_at_once(ids, lines, moment, at) == one_by_one
        said.update(one_by_one)
    assert len(said) > 2


def earned_at_once(
    ids: list[int], lines: list[EarningLine], moment: dt.datetime, at: dt.datetime
) -> list[int]:
    """What reward_purchases says, and nothing is left of it."""
    services.lock_living(ids)
    purchases = [
        Purchase(pk, lines, moment, clock.business_day(moment), 1, f"k{moment:%d}", f"k{moment:%d}")
        for pk in ids
    ]
    with undone():
        return services.reward_purchases(given=purchases, reason="", is_told=False, actor=TILL, at=at)


BETWEEN = ("nothing", "spent", "expired", "waits", "granted", "risen", "no points", "debt")


def happen(member_id: int, deed: str, at: dt.datetime) -> None:
    """What lies between her purchase and the day on which it comes back."""
    # What she can spend: points past their day still stand in her balance until the night takes them.
    points = selectors.list_points_balances([member_id], at)[member_id]
    if deed == "spent" and points > 0:
        debit(member_id, 1, "between", at=at)
    if deed == "debt" and points > 0:
        debit(member_id, points, "between", at=at)
    if deed == "expired":
        PointsLot.objects.filter(account__member_id=member_id).update(expires_at=at)
    if deed == "waits":
        reverse(member_id, "unheard-of", "waits", at=at)
    row = MemberTier.objects.get(member_id=member_id)
    if deed == "granted" and row.earned_tier_id is not None:
        row.manual_tier_id, row.manual_until = row.earned_tier_id, clock.business_day(at)
        row.save()
    if deed == "risen":
        # She has done enough for a tier she was never given, as after the ladder was changed.
        MemberTier.objects.filter(member_id=member_id, manual_tier__isnull=True).update(
            tier=None, earned_tier=None, valid_until=None, grace_until=None
        )


def come_back(
    member_id: int, told: Story, day: dt.date, sold_at: dt.datetime, *, points: int, percent: int
) -> PurchaseBack:
    """So many percent of it are left."""
    left = told.fen * percent // 100
    return PurchaseBack(
        member_id=member_id, points=points, reversed_key="new" if points else "", points_key="new-back", day=day,
        spend_fen=left - told.fen, order_count=-1 if percent == 0 else 0, activity_key="new-back",
        lines=[EarningLine(told.category, left)], sold_at=sold_at, again_key="new-again",
    )  # fmt: skip


def take_back_one(one: PurchaseBack, at: dt.datetime) -> int:
    """The verbs for one, as an order that changed calls them; what she has of it now."""
    assert one.sold_at is not None
    points = selectors.quote_member_points(one.member_id, lines=one.lines, at=one.sold_at).points
    if points != one.points and one.reversed_key:
        reverse(one.member_id, "new", "new-back", reason="退货", at=at)
    if points != one.points and points:
        services.credit_points(
            member_id=one.member_id, points=points, source_key="new-again", reason="购物", actor=TILL, at=at
        )
    if one.spend_fen or one.order_count:
        services.record_activity(
            member_id=one.member_id, day=one.day, spend_fen=one.spend_fen, order_count=one.order_count, growth=0,
            source_key="new-back", actor=TILL, at=at,
        )  # fmt: skip
    return points


@pytest.mark.django_db
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    told=st.lists(
        st.tuples(
            st.builds(
                Story,
                st.sampled_from(("new", "known", "debtor", "overdue", "granted", "graced", "silver")),
                st.integers(1, 600_000),
                st.integers(0, 20),
                st.sampled_from(["", "shoes"]),
            ),
            st.sampled_from(BETWEEN),
            st.sampled_from([0, 0, 1, 50, 99, 100]),
        ),
        min_size=1,
        max_size=6,
    ),
    policy=st.sampled_from(["forgive", "debt"]),
)
@example(
    told=[(Story("new", 1, 0, ""), "nothing", 0), (Story("overdue", 1, 0, ""), "spent", 0)], policy="forgive"
)
@example(
    told=[
        (Story("new", 90_000, 0, ""), "nothing", 50),
        (Story("known", 90_000, 1, "shoes"), "nothing", 99),
        (Story("silver", 90_000, 2, ""), "spent", 50),
        (Story("debtor", 90_000, 2, ""), "no points", 50),
        (Story("known", 90_000, 2, ""), "nothing", 100),
    ],
    policy="debt",
)
def test_many_that_come_back_leave_the_books_of_one_by_one(
    told: list[tuple[Story, str, int]], policy: str
) -> None:
    """Of each purchase so many percent are left."""
    at = clock.now()
    bought_at = at - dt.timedelta(hours=1)
    left = []
    for path in ("one by one", "in bulk"):
        with undone():
            make_ladder()
            make_earning()
            decide(shortage_policy=policy)
            ids = [
                make_follower("小美", openid_of(f"back{place}"), at=bought_at).id
                for place in range(len(told))
            ]
            days = [clock.business_day(bought_at) - dt.timedelta(days=one.days) for one, _deed, _left in told]
            for member_id, (one, _deed, _left) in zip(ids, told, strict=True):
                prepare(member_id, one, bought_at)
            services.lock_living(ids)
            earned = services.reward_purchases(
                given=[
                    Purchase(member_id, lines_of(one), bought_at, day, one.fen, "new", "new")
                    for member_id, day, (one, _deed, _left) in zip(ids, days, told, strict=True)
                ],
                reason="购物", is_told=False, actor=TILL, at=bought_at,
            )  # fmt: skip
            for member_id, (_one, deed, _left) in zip(ids, told, strict=True):
                happen(member_id, deed, at - dt.timedelta(minutes=1))
            before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            back = [
                come_back(
                    member_id,
                    one,
                    day,
                    bought_at,
                    points=0 if deed == "no points" else points,
                    percent=percent,
                )
                for member_id, day, points, (one, deed, percent) in zip(ids, days, earned, told, strict=True)
            ]
            if path == "in bulk":
                points_now = services.take_back_purchases(
                    given=back, reason="退货", again_reason="购物", actor=TILL, at=at
                )
            else:
                points_now = [take_back_one(one, at) for one in back]
            check_sums(*ids)
            noted = Counter(AuditEntry.objects.filter(pk__gt=before).values_list("action", flat=True))
            left.append((books(ids), noted, points_now))
    assert left[0] == left[1]
