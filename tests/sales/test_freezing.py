"""A closed month's boards stand still; opening it again lets them move, and keeps what stood."""

import datetime as dt
import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from core.actor import Actor
from sales import selectors, services
from sales.contracts import Board, BoardScope
from sales.models import BoardFreeze, FrozenPlace, GuideTotal, PeriodClose
from sales.services import freezing
from sales.services.freezing import whole_spans
from tests.cast import Cast
from tests.sales.kit import back, line, order, tell
from tests.threads import at_once, wait_until_somebody_waits

BOSS = Actor.system("boss")
MONTH = selectors.span_of("month", dt.date(2026, 9, 1))
LAST_EVENING = dt.datetime(2026, 9, 30, 15, 59, tzinfo=dt.UTC)  # 23:59 in Shanghai
NOW = dt.datetime(2026, 10, 8, 4, tzinfo=dt.UTC)


@pytest.fixture
def october() -> object:
    with time_machine.travel(NOW) as traveller:
        yield traveller


def close(month: dt.date = MONTH.starts_on) -> int:
    close_id = services.close_month(month_on=month, actor=BOSS)
    services.freeze_boards(close_id=close_id)
    return close_id


def sell(no: str, guide: str, fen: int, at: dt.datetime = LAST_EVENING, store: str = "T01") -> None:
    tell(order(no, line(amount_fen=fen), serving_guide=guide, sold_at=at, store_code=store))


def board(span: object = MONTH, **other: object) -> Board:
    return selectors.get_board(metric="sales_fen", span=span, **other)  # type: ignore[arg-type]


def values(found: Board) -> list[tuple[int, int, int]]:
    return [(one.rank, one.subject_id, one.value) for one in found.lines]


def test_a_frozen_board_is_the_board_of_its_last_moment_everywhere(october: object, cast: Cast) -> None:
    sell("F1", "T001", 500)
    sell("F2", "T002", 500)
    sell("F3", "T004", 900, store="T02")
    sell("F4", "T001", 100, at=LAST_EVENING - dt.timedelta(days=31))
    scopes: list[dict[str, Any]] = [
        {"scope": BoardScope()},
        {"scope": BoardScope((cast.store.id,))},
        {"scope": BoardScope(region_id=cast.east.id)},
        {"scope": BoardScope(region_id=cast.root.id)},
        {"scope": BoardScope((cast.store.id, cast.other_store.id))},
        {"scope": BoardScope((cast.store.id, cast.other_store.id)), "subject": "store"},
        {"scope": BoardScope(region_id=cast.east.id), "subject": "store"},
        {"subject": "store"},
        {"subject": "region"},
        {"subject": "dealer"},
    ]
    stood = [board(own_id=cast.wangfang.id, **scope) for scope in scopes]
    assert all(found.frozen_at is None for found in stood)
    close()
    for before, scope in zip(stood, scopes, strict=True):
        after = board(own_id=cast.wangfang.id, **scope)
        assert after.frozen_at is not None
        assert (after.lines, after.own, after.gap, after.neighbours, after.ranked_count) == (
            before.lines, before.own, before.gap, before.neighbours, before.ranked_count,
        )  # fmt: skip
    ranks = FrozenPlace.objects.filter(
        freeze__subject="guide", freeze__period="month", metric="sales_fen", scope="chain"
    )
    assert sorted(ranks.values_list("subject_ref", "rank", "value")) == [
        (cast.lina.id, 2, 500),
        (cast.wangfang.id, 2, 500),
        (cast.chenjing.id, 1, 900),
    ]


def test_a_return_after_the_close_counts_in_the_next_month_and_reopening_keeps_both(
    october: object, cast: Cast
) -> None:
    sell("F1", "T001", 10_000)
    sell("F2", "T002", 9_000)
    first = close()
    tell(back("R1", order_no="F1", returned_at=LAST_EVENING + dt.timedelta(seconds=20)))
    assert values(board()) == [(1, cast.lina.id, 10_000), (2, cast.wangfang.id, 9_000)]
    october_board = board(selectors.span_of("month", NOW.date()))
    assert values(october_board) == [(1, cast.lina.id, -10_000)]
    services.reopen_month(month_on=MONTH.starts_on, reason="漏传订单", actor=BOSS)
    assert board().frozen_at is None
    sell("F3", "T002", 2_000)
    assert values(board())[0] == (1, cast.wangfang.id, 11_000)
    second = close()
    assert values(board())[0] == (1, cast.wangfang.id, 11_000)
    assert board().frozen_at is not None
    kept = BoardFreeze.objects.filter(subject="guide", period="month").order_by("pk")
    assert [(one.close_id, one.thawed_at is None) for one in kept] == [(first, False), (second, True)]
    old = FrozenPlace.objects.get(freeze=kept[0], metric="sales_fen", scope="chain", rank=1)
    assert (old.subject_ref, old.value) == (cast.lina.id, 10_000)
    # A total that is tampered with does not reach what is frozen.
    GuideTotal.objects.update(value=1)
    assert values(board())[0] == (1, cast.wangfang.id, 11_000)


def test_freezing_is_made_up_for_and_never_done_twice(october: object, cast: Cast) -> None:
    sell("F1", "T001", 500)
    services.close_month(month_on=MONTH.starts_on, actor=BOSS)
    assert board().frozen_at is None  # the worker was away
    assert services.freeze_closed_boards() > 0
    assert services.freeze_closed_boards() == 0
    close_id = PeriodClose.objects.get().pk
    assert services.freeze_boards(close_id=close_id) == 0
    services.reopen_month(month_on=MONTH.starts_on, reason="再看看", actor=BOSS)
    assert services.freeze_boards(close_id=close_id) == 0  # an event that comes late


@pytest.mark.parametrize(
    ("month", "closed", "wanted"),
    [
        (dt.date(2026, 9, 1), [9], ["month 2026-09-01", "week 2026-09-07", "week 2026-09-14", "week 2026-09-21"]),
        (
            dt.date(2026, 9, 1),
            [7, 8, 9],
            [
                "month 2026-09-01", "quarter 2026-07-01", "week 2026-08-31", "week 2026-09-07", "week 2026-09-14",
                "week 2026-09-21",
            ],
        ),
        (dt.date(2026, 12, 1), range(1, 13), [
            "month 2026-12-01", "quarter 2026-10-01", "year 2026-01-01", "week 2026-11-30", "week 2026-12-07",
            "week 2026-12-14", "week 2026-12-21",
        ]),
        (dt.date(2028, 2, 1), [1, 2], [
            "month 2028-02-01", "week 2028-01-31", "week 2028-02-07", "week 2028-02-14", "week 2028-02-21",
        ]),
    ],
)  # fmt: skip
def test_what_a_close_completes(month: dt.date, closed: list[int], wanted: list[str]) -> None:
    months = frozenset(dt.date(month.year, number, 1) for number in closed)
    spans = whole_spans(month_on=month, closed=months)
    assert [f"{span.name} {span.starts_on}" for span in spans] == wanted


@pytest.mark.django_db(transaction=True)
def test_boards_hold_together_while_a_month_is_closed() -> None:
    """Tills book into the month, somebody closes and freezes it, guides look: every answer is of one moment, and
    once the month is frozen nothing moves."""
    from tests.cast import make_cast

    with time_machine.travel(NOW):
        cast = make_cast()
        sell("C0", "T001", 1_000)
        stop = threading.Event()

        def book(guide: str) -> None:
            for number in range(12):
                sell(f"C{guide}{number}", guide, 700 + number)

        def look() -> list[Board]:
            seen = []
            while not stop.is_set():
                seen.append(board(own_id=cast.lina.id))
            return [*seen, board(own_id=cast.lina.id)]

        def finish() -> None:
            close()
            stop.set()

        told = at_once(
            [functools.partial(book, "T001"), functools.partial(book, "T002"), finish, look, look, look]
        )
        assert not [one for one in told if isinstance(one, BaseException)]
        final = values(board())
        for seen in told[3:]:
            for found in seen:
                mine = found.own
                assert mine is not None
                assert mine.value in [one.value for one in found.lines if one.subject_id == cast.lina.id]
                assert mine.rank == 1 + sum(one.value > mine.value for one in found.lines)
                if found.frozen_at is not None:
                    assert values(found) == final
        closed_month = {one.guide_id: one.value for one in GuideTotal.objects.filter(
            period="month", starts_on=MONTH.starts_on, metric="sales_fen"
        )}  # fmt: skip
        assert {subject: value for _rank, subject, value in final} == closed_month


@pytest.mark.django_db(transaction=True)
def test_a_board_is_live_until_the_close_is_whole_and_a_till_is_never_between_two_months(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The close stops twice, before its commit and between two boards that it freezes: who looks sees the board as it
    stands without waiting; who sells waits for the first and is booked after the close."""
    from tests.cast import make_cast

    with time_machine.travel(NOW):
        cast = make_cast()
        sell("K0", "T001", 1_000)
        stood = [(1, cast.lina.id, 1_000)]
        selling = threading.Thread(target=_and_close(functools.partial(sell, "K1", "T002", 5_000)))
        with transaction.atomic():
            close_id = services.close_month(month_on=MONTH.starts_on, actor=BOSS)
            selling.start()
            wait_until_somebody_waits()
            [seen] = at_once([board])
            assert (seen.frozen_at, values(seen)) == (None, stood)
        selling.join(30)

        between, go_on = threading.Event(), threading.Event()
        freeze = freezing._freeze

        def stop_after_the_first(*given: Any) -> None:
            freeze(*given)
            between.set()
            assert go_on.wait(30)

        monkeypatch.setattr(freezing, "_freeze", stop_after_the_first)
        freezes = threading.Thread(
            target=_and_close(functools.partial(services.freeze_boards, close_id=close_id))
        )
        freezes.start()
        assert between.wait(30)
        sell("K2", "T001", 7_000)
        seen = board()
        go_on.set()
        assert (seen.frozen_at, values(seen)) == (None, stood)
        freezes.join(30)
        final = board()
        assert (final.frozen_at is None, values(final)) == (False, stood)
        assert values(board(selectors.span_of("month", NOW.date()))) == [
            (1, cast.lina.id, 7_000),
            (2, cast.wangfang.id, 5_000),
        ]


def _and_close(call: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    return run
