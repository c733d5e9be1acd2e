"""Targets: set, split down to the yuan, measured, forecast; effective guides."""

import calendar
import datetime as dt
import threading
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import NotFound
from core.models import AuditEntry
from guides import services as guide_services
from sales import errors, selectors, services
from sales.contracts import TargetEntry, TargetKey
from sales.models import Target, TargetChange
from sales.selectors.forecasting import (
    WEEK_WEIGHT,
    Pattern,
    expected_value,
    forecast_value,
    pattern_of,
    weight_between,
)
from sales.services.target_splitting import Child, deal
from tests.cast import DIRECTOR, Cast, make_guide
from tests.sales.kit import TILL, line, order, tell

NOON = dt.datetime(2026, 11, 18, 4, tzinfo=dt.UTC)  # a Wednesday
MONTH = dt.date(2026, 11, 1)
NUMBERS = iter(range(10**6))


@pytest.fixture(autouse=True)
def _in_that_month() -> Iterator[None]:
    """Guides who join today have a part in that month, whenever the tests run."""
    with time_machine.travel(NOON):
        yield


def sell(guide: str, fen: int, on: dt.date, store: str = "T01") -> None:
    at = dt.datetime.combine(on, dt.time(4), dt.UTC)
    tell(order(f"T{next(NUMBERS)}", line(amount_fen=fen), serving_guide=guide, store_code=store, sold_at=at))


def put(key: TargetKey, value: int | None, month: dt.date = MONTH) -> int:
    return services.set_targets(month_on=month, entries=[TargetEntry(key, value)], actor=TILL)


def store_of(cast: Cast) -> TargetKey:
    return TargetKey("store", cast.store.id)


def test_a_target_is_set_changed_and_taken_back_and_the_history_says_who(cast: Cast) -> None:
    key = store_of(cast)
    assert [put(key, 100_00), put(key, 120_00), put(key, 120_00), put(key, None)] == [1, 1, 0, 1]
    changes = selectors.list_target_changes(key, MONTH)
    assert [(one.from_value, one.to_value) for one in changes] == [
        (12_000, None),
        (10_000, 12_000),
        (None, 10_000),
    ]
    assert {one.made_by for one in changes} == {"till"}
    assert selectors.get_target_progress(key, MONTH, at=NOON).target_value is None
    assert AuditEntry.objects.filter(action="sales.targets_set").count() == 3


@pytest.mark.parametrize("value", [-1, 10**14 + 1])
def test_numbers_that_make_no_sense_change_nothing(cast: Cast, value: int) -> None:
    entries = [TargetEntry(store_of(cast), 100), TargetEntry(TargetKey("guide", cast.lina.id), value)]
    with pytest.raises(errors.TargetUnusable):
        services.set_targets(month_on=MONTH, entries=entries, actor=TILL)
    assert not Target.objects.exists()


def test_unknown_and_doubled_subjects_are_refused(cast: Cast) -> None:
    with pytest.raises(errors.NoSuchTargetSubject):
        put(TargetKey("guide", 10**9), 100)
    with pytest.raises(errors.TargetUnusable):
        services.set_targets(month_on=MONTH, entries=[TargetEntry(store_of(cast), 1)] * 2, actor=TILL)
    with pytest.raises(errors.TargetUnusable):
        services.set_targets(
            month_on=MONTH, entries=[TargetEntry(store_of(cast), 1)], metric="return_fen", actor=TILL
        )


def test_a_region_is_split_by_last_year_and_a_store_among_its_guides(cast: Cast) -> None:
    last_year = dt.date(2025, 11, 10)
    for guide, fen, store in (("T001", 30_000, "T01"), ("T002", 10_000, "T01"), ("T004", 40_000, "T02")):
        sell(guide, 100, dt.date(2025, 10, 20), store)
        sell(guide, fen, last_year, store)
    root = TargetKey("region", cast.root.id)
    put(root, 100_000_00)
    plan = services.plan_split(key=root, month_on=MONTH)
    assert plan.shape == "last_year"
    parts = {one.key: one.value for one in plan.lines}
    assert parts[store_of(cast)] == parts[TargetKey("store", cast.other_store.id)] == 50_000_00
    # 王芳 sold a third of what 李娜 did; 赵强 nothing: he weighs what they do on average.
    assert [parts[TargetKey("guide", one.id)] for one in (cast.lina, cast.wangfang, cast.zhaoqiang)] == [
        25_000_00,
        8_333_00,
        16_667_00,
    ]
    assert not Target.objects.filter(guide__isnull=False).exists()
    assert services.save_split(key=root, month_on=MONTH, digest=plan.digest, actor=TILL) == 6
    assert (
        services.save_split(
            key=root, month_on=MONTH, digest=services.plan_split(key=root, month_on=MONTH).digest, actor=TILL
        )
        == 0
    )


def test_a_store_that_opened_in_last_years_month_is_weighed_by_what_it_sells_now(cast: Cast) -> None:
    sell("T001", 100, dt.date(2025, 10, 20))
    sell("T001", 60_000, dt.date(2025, 11, 10))
    sell("T004", 2_000, dt.date(2025, 11, 29), "T02")
    for guide, store in (("T001", "T01"), ("T004", "T02")):
        sell(guide, 50_000, dt.date(2026, 9, 10), store)
    root = TargetKey("region", cast.root.id)
    put(root, 80_000_00)
    plan = services.plan_split(key=root, month_on=MONTH)
    parts = {one.key: one.value for one in plan.lines}
    assert plan.shape == "last_year"
    assert parts[store_of(cast)] == parts[TargetKey("store", cast.other_store.id)] == 40_000_00


def test_what_a_hand_decided_stays_when_the_target_is_split_again(cast: Cast) -> None:
    store, lina = store_of(cast), TargetKey("guide", cast.lina.id)
    put(store, 90_000_00)
    plan = services.plan_split(key=store, month_on=MONTH)
    assert (plan.shape, [one.value for one in plan.lines]) == ("equal", [30_000_00] * 3)
    services.save_split(key=store, month_on=MONTH, digest=plan.digest, actor=TILL)
    put(lina, 50_000_00)
    with pytest.raises(errors.SplitChanged):
        services.save_split(key=store, month_on=MONTH, digest=plan.digest, actor=TILL)
    again = services.plan_split(key=store, month_on=MONTH)
    assert {one.key.subject_id: one.value for one in again.lines} == {
        cast.lina.id: 50_000_00,
        cast.wangfang.id: 20_000_00,
        cast.zhaoqiang.id: 20_000_00,
    }
    put(lina, 95_000_00)
    with pytest.raises(errors.FixedPartsDisagree):
        services.plan_split(key=store, month_on=MONTH)
    assert services.release_targets(month_on=MONTH, keys=[lina], actor=TILL) == 1
    assert {one.value for one in services.plan_split(key=store, month_on=MONTH).lines} == {30_000_00}


def test_who_left_or_closed_gets_no_part(cast: Cast) -> None:
    guide_services.leave_guide(guide_id=cast.wangfang.id, actor=DIRECTOR)
    month = dt.date(2026, 12, 1)
    put(store_of(cast), 10_000, month)
    plan = services.plan_split(key=store_of(cast), month_on=month)
    assert {one.key.subject_id for one in plan.lines} == {cast.lina.id, cast.zhaoqiang.id}
    with pytest.raises(errors.NothingToSplit):
        services.plan_split(key=TargetKey("store", cast.other_store.id), month_on=month)


def test_pieces_are_dealt_whole_and_measured_beside_the_money(cast: Cast) -> None:
    for guide, orders in (("T001", 3), ("T002", 1)):
        sell(guide, 1_000, dt.date(2025, 10, 12))
        for _one in range(orders):
            sell(guide, 1_000, dt.date(2025, 11, 12))
    sell("T001", 1_000, dt.date(2026, 11, 17))
    key = store_of(cast)
    put(key, 90_000)
    assert services.set_targets(
        month_on=MONTH, entries=[TargetEntry(key, 7)], metric="order_count", actor=TILL
    )
    plan = services.plan_split(key=key, month_on=MONTH, metric="order_count")
    assert sum(line.value for line in plan.lines) == 7
    assert [line.value for line in sorted(plan.lines, key=lambda one: one.key.subject_id)] == [4, 1, 2]
    services.save_split(key=key, month_on=MONTH, metric="order_count", digest=plan.digest, actor=TILL)
    told = selectors.get_target_progress(
        TargetKey("guide", cast.lina.id), MONTH, metric="order_count", at=NOON
    )
    assert (told.target_value, told.done_value, told.attainment_bp) == (4, 1, 2_500)
    assert selectors.list_targets_of(key, MONTH) == {"sales_fen": 90_000, "order_count": 7}
    for metric in ("redemption_count", "return_fen"):
        with pytest.raises(errors.TargetUnusable):
            services.set_targets(
                month_on=MONTH,
                entries=[TargetEntry(key, 7)],
                metric=metric,
                actor=TILL,
            )


@given(
    amount=st.integers(0, 10**12),
    children=st.lists(
        st.tuples(
            st.integers(-(10**6), 10**9), st.integers(-(10**6), 10**9), st.none() | st.integers(0, 10**6)
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_parts_add_up_to_the_whole_and_are_whole_yuan(
    amount: int, children: list[tuple[int, int, int | None]]
) -> None:
    known = [Child(*child) for child in children]
    fixed = sum(child.fixed_value or 0 for child in known)
    free = [place for place, child in enumerate(known) if child.fixed_value is None]
    if fixed > amount or (fixed != amount and not free):
        with pytest.raises(errors.FixedPartsDisagree):
            deal(amount=amount, children=known)
        return
    _shape, weights, parts = deal(amount=amount, children=known)
    assert sum(parts) == amount
    assert min(parts) >= 0
    assert min(weights) > 0
    assert all(parts[place] % 100 == 0 for place in free[1:])
    assert all(
        parts[place] == child.fixed_value
        for place, child in enumerate(known)
        if child.fixed_value is not None
    )


@given(
    month=st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)),
    sums=st.lists(st.integers(-(10**6), 10**9), min_size=7, max_size=7),
    done=st.integers(0, 10**12),
    target=st.integers(0, 10**13),
)
def test_a_forecast_ends_in_what_was_done_and_is_never_less(
    month: dt.date, sums: list[int], done: int, target: int
) -> None:
    month_on = month.replace(day=1)
    pattern = pattern_of(sums)
    assert sum(pattern.weights) == WEEK_WEIGHT
    assert min(pattern.weights) >= 0
    end = selectors.add_months(month_on, 1)
    days = calendar.monthrange(month_on.year, month_on.month)[1]
    assert weight_between(pattern, month_on, end) == sum(
        pattern.weights[(month_on + dt.timedelta(days=n)).weekday()] for n in range(days)
    )
    assert (
        forecast_value(month_on=month_on, today=end, done_value=done, done_today_value=0, pattern=pattern)
        == done
    )
    today = month
    told = forecast_value(
        month_on=month_on, today=today, done_value=done, done_today_value=done // 2, pattern=pattern
    )
    assert told >= done
    steps = [
        expected_value(
            target_value=target, month_on=month_on, today=month_on + dt.timedelta(days=n), pattern=pattern
        )
        for n in range(days + 3)
    ]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, target)


def test_the_forecast_follows_the_weekdays() -> None:
    # All is sold on Saturdays: on Wednesday the 18th two of four Saturdays are past.
    pattern = Pattern((0, 0, 0, 0, 0, WEEK_WEIGHT, 0))
    today = dt.date(2026, 11, 18)
    told = forecast_value(month_on=MONTH, today=today, done_value=20_000, done_today_value=0, pattern=pattern)
    assert told == 40_000
    assert expected_value(target_value=40_000, month_on=MONTH, today=today, pattern=pattern) == 20_000
    # On the first day nothing is known but a usual week.
    early = Pattern(pattern.weights, usual_week_value=5_000)
    assert (
        forecast_value(month_on=MONTH, today=MONTH, done_value=0, done_today_value=0, pattern=early) == 20_000
    )


def test_progress_of_a_guide_a_store_and_a_region(cast: Cast) -> None:
    for back in range(1, 29):
        sell("T001", 1_000, NOON.date() - dt.timedelta(days=back))
    sell("T001", 500, NOON.date())
    sell("T004", 7_000, NOON.date(), "T02")
    keys = [TargetKey("guide", cast.lina.id), store_of(cast), TargetKey("region", cast.root.id)]
    for key, value in zip(keys, (30_000, 60_000, 100_000), strict=True):
        put(key, value)
    guide, store, region = selectors.list_target_progress(keys, MONTH, at=NOON)
    assert (guide.done_value, store.done_value, region.done_value) == (17_500, 17_500, 24_500)
    assert (guide.attainment_bp, store.attainment_bp, region.attainment_bp) == (5_833, 2_916, 2_450)
    assert (guide.expected_value, guide.days_left, guide.gap_value) == (17_000, 13, 12_500)
    # Thirteen days at 1,000 each; 500 of today's are there already.
    assert guide.forecast_value == 30_000
    assert guide.daily_value == 17_500 // 18
    assert guide.needed_daily_value == 1_000
    over = selectors.get_target_progress(keys[0], MONTH, at=NOON + dt.timedelta(days=20))
    assert (over.forecast_value, over.days_left, over.needed_daily_value) == (17_500, 0, 0)
    assert over.expected_value == 30_000


def test_a_guide_without_a_past_borrows_the_weekdays_of_her_store(cast: Cast) -> None:
    fresh = make_guide("T009", "新来的", cast.store.id)
    for back in range(1, 57):
        day = NOON.date() - dt.timedelta(days=back)
        if day.weekday() >= 3:  # open from Thursday to Sunday
            sell("T001", 1_000, day)
    sell("T009", 3_000, NOON.date() - dt.timedelta(days=2))
    told = selectors.get_target_progress(TargetKey("guide", fresh.id), MONTH, at=NOON)
    # Nothing is expected of the closed Wednesday: without a pattern each day would bring something.
    closed = selectors.get_target_progress(
        TargetKey("guide", fresh.id), MONTH, at=NOON - dt.timedelta(days=1)
    )
    assert told.forecast_value == closed.forecast_value > 3_000


def test_nobody_is_no_subject(cast: Cast) -> None:
    with pytest.raises(NotFound):
        selectors.get_target_progress(TargetKey("guide", 10**9), MONTH, at=NOON)


def test_effective_guides_by_week_and_month(cast: Cast) -> None:
    now = clock.now()
    for number, guide in enumerate(("T001", "T001", "T001", "T002", "T002")):
        tell(order(f"E{number}", serving_guide=guide, sold_at=now))
    today = clock.business_day(now)
    week = selectors.list_effective_guides(selectors.span_of("week", today), store_ids=[cast.store.id])
    assert [(one.number, one.order_count, one.is_effective) for one in week.lines] == [
        ("T001", 3, True),
        ("T002", 2, False),
        ("T003", 0, False),
    ]
    assert (week.needed_count, week.effective_count, week.share_bp) == (3, 1, 3_333)
    month = selectors.list_effective_guides(selectors.span_of("month", today))
    assert (month.needed_count, month.effective_count, len(month.lines)) == (15, 0, 4)
    services.decide_effective(orders_a_week=2, orders_a_month=3, actor=TILL)
    assert selectors.list_effective_guides(selectors.span_of("week", today)).effective_count == 2
    with pytest.raises(errors.TargetUnusable):
        services.decide_effective(orders_a_week=0, orders_a_month=3, actor=TILL)


def test_a_list_asks_few_questions(cast: Cast, django_assert_max_num_queries: object) -> None:
    keys = [TargetKey("guide", one.id) for one in (cast.lina, cast.wangfang, cast.zhaoqiang, cast.chenjing)]
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        selectors.list_target_progress(keys, MONTH, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_two_who_save_one_split_at_once_write_it_once(cast: Cast) -> None:
    put(store_of(cast), 90_000_00)
    digest = services.plan_split(key=store_of(cast), month_on=MONTH).digest
    told: list[object] = []

    def save() -> None:
        try:
            told.append(services.save_split(key=store_of(cast), month_on=MONTH, digest=digest, actor=TILL))
        except errors.SplitChanged:
            told.append("changed")
        finally:
            connection.close()

    threads = [threading.Thread(target=save) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, told)) == ["3", "changed", "changed", "changed"]
    assert TargetChange.objects.filter(target__guide__isnull=False).count() == 3
