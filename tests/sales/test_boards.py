"""Boards: ranks with ties, movement, one's own place, any stretch of days, any part of the chain."""

import datetime as dt
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales import selectors, services
from sales.contracts import BoardScope, Span
from sales.models import GuideTotal, PerformanceEntry
from sales.services import sizes
from sales.services.totals import move_totals
from tests.cast import Cast, make_guide
from tests.sales.kit import line, order, tell

NOON = dt.datetime(2026, 11, 18, 4, tzinfo=dt.UTC)  # a Wednesday
DAY = dt.date(2026, 11, 18)


NUMBERS = itertools.count()


def sell(guide: str, fen: int, *, days: int = 0, store: str = "T01") -> None:
    at = NOON - dt.timedelta(days=days)
    tell(order(f"B{next(NUMBERS)}", line(amount_fen=fen), serving_guide=guide, store_code=store, sold_at=at))


@pytest.fixture
def sold(cast: Cast) -> Cast:
    """Today 李娜 500, 王芳 300, 赵强 300, 陈静 (south) 400; the day before 王芳 900, 李娜 100."""
    for guide, fen in (("T001", 500), ("T002", 300), ("T003", 300)):
        sell(guide, fen)
    sell("T004", 400, store="T02")
    sell("T002", 900, days=1)
    sell("T001", 100, days=1)
    return cast


def test_equal_values_share_a_rank_and_the_next_counts_both(sold: Cast) -> None:
    board = selectors.get_board(
        metric="sales_fen", span=selectors.span_of("day", DAY), own_id=sold.zhaoqiang.id
    )
    assert [(one.rank, one.subject_id, one.value) for one in board.lines] == [
        (1, sold.lina.id, 500),
        (2, sold.chenjing.id, 400),
        (3, sold.wangfang.id, 300),
        (3, sold.zhaoqiang.id, 300),
    ]
    assert [one.moved for one in board.lines] == [1, None, -2, None]
    assert board.own is not None
    assert (board.own.rank, board.own.value, board.gap, board.ranked_count) == (3, 300, 100, 4)
    assert [one.subject_id for one in board.neighbours] == [sold.chenjing.id, sold.wangfang.id]


def test_who_sold_nothing_stands_behind_all_and_knows_what_she_lacks(sold: Cast) -> None:
    fresh = make_guide("T009", "新来的", sold.store.id)
    board = selectors.get_board(
        metric="sales_fen",
        span=selectors.span_of("day", DAY),
        scope=BoardScope((sold.store.id,)),
        own_id=fresh.id,
    )
    assert [one.subject_id for one in board.lines] == [sold.lina.id, sold.wangfang.id, sold.zhaoqiang.id]
    assert board.own is not None
    assert (board.own.rank, board.own.value, board.gap, board.own.moved) == (4, 0, 300, None)


def test_an_empty_board_is_a_board(cast: Cast) -> None:
    board = selectors.get_board(metric="sales_fen", span=selectors.span_of("year", DAY), own_id=cast.lina.id)
    assert (board.lines, board.ranked_count, board.gap, board.neighbours) == ((), 0, None, ())
    assert board.own is not None
    assert board.own.rank == 1


def test_stores_and_parts_of_the_chain(sold: Cast) -> None:
    month = selectors.span_of("month", DAY)
    stores = selectors.get_board(metric="sales_fen", span=month, subject="store", own_id=sold.other_store.id)
    assert [(one.subject_id, one.value) for one in stores.lines] == [
        (sold.store.id, 2_100),
        (sold.other_store.id, 400),
    ]
    assert stores.gap == 1_700
    both = BoardScope((sold.store.id, sold.other_store.id))
    sell("T001", 50, store="T02")  # she helps in the other store: one place, both stores
    board = selectors.get_board(metric="sales_fen", span=month, scope=both, limit=1)
    assert [(one.subject_id, one.value) for one in board.lines] == [(sold.wangfang.id, 1_200)]
    alone = selectors.get_board(metric="sales_fen", span=month, scope=BoardScope((sold.other_store.id,)))
    assert [(one.subject_id, one.value) for one in alone.lines] == [
        (sold.chenjing.id, 400),
        (sold.lina.id, 50),
    ]


@pytest.mark.parametrize("name", ["week", "quarter", "year", "range"])
def test_every_stretch_is_what_the_entries_say(sold: Cast, name: str) -> None:
    chance = random.Random(7)
    for days in (3, 9, 20, 45, 80, 200):
        sell("T001", chance.randint(100, 999), days=days)
        sell("T002", chance.randint(100, 999), days=days)
    span = Span(DAY - dt.timedelta(days=47), DAY + dt.timedelta(days=1)) if name == "range" else None
    span = span or selectors.span_of(name, DAY)  # type: ignore[arg-type]
    board = selectors.get_board(metric="sales_fen", span=span)
    said: dict[int, int] = {}
    rows = PerformanceEntry.objects.filter(
        metric="sales_fen", booked_on__gte=span.starts_on, booked_on__lt=span.ends_on
    )
    for guide_id, value in rows.values_list("guide_id", "value"):
        said[guide_id or 0] = said.get(guide_id or 0, 0) + value
    assert {one.subject_id: one.value for one in board.lines} == said


@given(start=st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)), days=st.integers(1, 400))
def test_totals_cover_a_stretch_once_and_nothing_else(start: dt.date, days: int) -> None:
    span = Span(start, start + dt.timedelta(days=days))
    covered: list[dt.date] = []
    for name, first in selectors.cover(span):
        part = selectors.span_of(name, first)  # type: ignore[arg-type]
        assert part.starts_on == first
        covered += [first + dt.timedelta(days=n) for n in range((part.ends_on - first).days)]
    assert covered == [start + dt.timedelta(days=n) for n in range(days)]


def test_periods_know_the_one_before() -> None:
    assert selectors.span_before(selectors.span_of("quarter", dt.date(2027, 2, 3))) == Span(
        dt.date(2026, 10, 1), dt.date(2027, 1, 1), "quarter"
    )
    assert selectors.span_of("week", dt.date(2027, 1, 1)).starts_on == dt.date(2026, 12, 28)
    assert selectors.span_before(Span(dt.date(2028, 3, 1), dt.date(2028, 3, 3))).starts_on == dt.date(
        2028, 2, 28
    )


def ranked(values: dict[int, int]) -> list[tuple[int, int, int]]:
    """(rank, guide, value) as a board must have them, by plain counting."""
    return [
        (1 + sum(other > value for other in values.values()), guide_id, value)
        for guide_id, value in sorted(values.items(), key=lambda item: (-item[1], item[0]))
    ]


@pytest.mark.parametrize(
    ("name", "marks"), [("day", None), ("day", 2), ("day", 30), ("month", 4), ("range", None)]
)
def test_boards_of_random_values_are_what_counting_says(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str, marks: int | None
) -> None:
    """Many ties, some below nothing, some with no total in one of the two periods, and one who has none at all; counted
    from the top, and up to the next mark, with moves since the marks were chosen."""
    chance = random.Random(name)
    guides = [make_guide(f"R{n:03}", f"导购{n}", cast.store.id).id for n in range(24)]
    span = (
        Span(DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1))
        if name == "range"
        else selectors.span_of(name, DAY)  # type: ignore[arg-type]
    )
    standing: dict[dt.date, dict[int, int]] = {}
    for one in (span, selectors.span_before(span)):
        chosen = chance.sample(guides[1:], 20)
        standing[one.starts_on] = {guide_id: chance.randint(-2, 6) for guide_id in chosen}
        GuideTotal.objects.bulk_create(
            GuideTotal(
                metric="order_count", period="day" if name == "range" else name, starts_on=one.starts_on,
                guide_id=guide_id, value=value,
            )
            for guide_id, value in standing[one.starts_on].items()
        )  # fmt: skip
    if marks is not None:
        monkeypatch.setattr(sizes, "_LONG", 3)
        monkeypatch.setattr(sizes, "_MARKS", marks)
    services.recount_sizes()
    services.fold_board_sizes()
    if marks is not None:
        for start, values in standing.items():
            for guide_id in chance.sample(guides[1:], 9):
                moved = chance.choice((-4, -2, -1, 1, 3))
                values[guide_id] = values.get(guide_id, 0) + moved
                move_totals([(start, guide_id, cast.store.id, "order_count", moved)])
    now, before = (ranked(standing[one.starts_on]) for one in (span, selectors.span_before(span)))
    ranks_before = {guide_id: rank for rank, guide_id, _value in before}
    for limit in (0, 5, 50):
        for own_id in (*guides, None):
            board = selectors.get_board(metric="order_count", span=span, limit=limit, own_id=own_id)
            plain = selectors.get_standing(metric="order_count", span=span, limit=limit, own_id=own_id)
            told = [(one.rank, one.subject_id, one.value) for one in board.lines]
            assert told == now[:limit]
            assert [(one.rank, one.subject_id, one.value) for one in plain.lines] == told
            assert board.ranked_count == len(now)
            for shown in (*board.lines, *board.neighbours):
                was = ranks_before.get(shown.subject_id)
                assert shown.moved == (None if was is None else was - shown.rank)
            if own_id is None:
                assert (board.own, board.gap, board.neighbours) == (None, None, ())
                continue
            mine = standing[span.starts_on].get(own_id, 0)
            others = [place for place in now if place[1] != own_id]
            better = [place for place in others if (-place[2], place[1]) < (-mine, own_id)]
            around = [*better[-2:], *others[len(better) : len(better) + 2]]
            assert board.own is not None
            assert (board.own.value, board.own.rank) == (mine, 1 + sum(place[2] > mine for place in now))
            assert board.gap == min((place[2] - mine for place in now if place[2] > mine), default=None)
            assert [(one.rank, one.subject_id, one.value) for one in board.neighbours] == around
            assert (plain.own and plain.own.rank, plain.gap) == (board.own.rank, board.gap)


def test_a_board_of_a_month_asks_few_questions(sold: Cast, django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        selectors.get_board(metric="sales_fen", span=selectors.span_of("month", DAY), own_id=sold.lina.id)
    assert GuideTotal.objects.exists()
