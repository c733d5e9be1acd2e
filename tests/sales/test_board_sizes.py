"""How many have a place on a board is known without counting them, whatever happens at once."""

import datetime as dt
import functools
import threading

import pytest
from django.db.models import Sum

from core.actor import Actor
from sales import selectors, services
from sales.contracts import Board, BoardScope
from sales.models import BoardSize
from sales.services import sizes
from tests.cast import Cast, make_guide
from tests.sales.kit import assert_totals_agree, back, line, order, tell
from tests.threads import at_once

BOSS = Actor.system("boss")
NOON = dt.datetime(2026, 11, 18, 4, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 18)


def sell(no: str, guide: str, fen: int = 500, store: str = "T01") -> None:
    tell(order(no, line(amount_fen=fen), serving_guide=guide, store_code=store, sold_at=NOON))


def board(**other: object) -> Board:
    return selectors.get_board(metric="sales_fen", span=selectors.span_of("day", DAY), limit=100, **other)  # type: ignore[arg-type]


def test_only_a_first_total_makes_a_board_longer_and_folding_changes_nothing(cast: Cast) -> None:
    rows = BoardSize.objects.filter(metric="sales_fen", period="day", place=0)
    sell("S1", "T001")
    sell("S2", "T001")
    sell("S3", "T002")
    tell(back("R1", order_no="S3", returned_at=NOON))  # her total is nothing now, and still a place
    assert [row.added for row in rows.order_by("pk")] == [1, 1]
    assert board().ranked_count == len(board().lines) == 2
    assert services.fold_board_sizes() > 0
    assert [row.added for row in rows.all()] == [2]
    sell("S4", "T003")
    assert board().ranked_count == 3
    assert services.fold_board_sizes() > 0
    assert [row.added for row in rows.all()] == [3]
    assert services.fold_board_sizes() == 0
    assert_totals_agree()


def test_a_long_board_is_counted_from_the_nearer_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "_LONG", 3)
    for number, guide in enumerate(("T001", "T002", "T003")):
        sell(f"L{number}", guide, fen=100 * (number + 1))
    sell("L9", "T004", fen=900, store="T02")
    services.fold_board_sizes()
    size = BoardSize.objects.get(metric="sales_fen", period="day", place=0)
    assert (size.added, size.middle) == (4, 200)
    ranks = {one.id: board(own_id=one.id).own for one in (cast.lina, cast.wangfang, cast.zhaoqiang)}
    assert {key: own and own.rank for key, own in ranks.items()} == {
        cast.lina.id: 4,
        cast.wangfang.id: 3,
        cast.zhaoqiang.id: 2,
    }


def test_the_nightly_proof_mends_a_size_too(cast: Cast) -> None:
    sell("S1", "T001")
    BoardSize.objects.filter(metric="sales_fen", period="week", place=0).update(added=9)
    found = services.prove_totals(since=DAY, until=DAY + dt.timedelta(days=1), actor=BOSS)
    assert [(one.period, one.place, one.guide_id, one.said, one.stood) for one in found] == [
        ("week", 0, None, 1, 9)
    ]
    assert_totals_agree()


@pytest.mark.django_db(transaction=True)
def test_sizes_hold_while_guides_sell_for_the_first_time_and_a_job_folds() -> None:
    from tests.cast import make_cast

    cast = make_cast()
    numbers = [f"N{number:02}" for number in range(12)]
    for number in numbers:
        make_guide(number, number, cast.store.id)
    stop = threading.Event()

    def book(mine: list[str]) -> None:
        for number in mine:
            sell(f"O{number}", number)

    def fold() -> None:
        while not stop.is_set():
            services.fold_board_sizes()

    def look() -> list[Board]:
        seen = []
        while not stop.is_set():
            seen.append(board(scope=BoardScope(), own_id=cast.lina.id))
        return seen

    def finish() -> None:
        at_once([functools.partial(book, numbers[:6]), functools.partial(book, numbers[6:])])
        stop.set()

    told = at_once([finish, fold, fold, look])
    assert not [one for one in told if isinstance(one, BaseException)]
    for found in told[3]:
        assert found.ranked_count == len(found.lines)
    assert board().ranked_count == 12
    assert services.fold_board_sizes() >= 0
    whole = BoardSize.objects.filter(metric="sales_fen", period="day", place=0)
    assert (whole.count(), whole.aggregate(sum=Sum("added"))["sum"]) == (1, 12)
    assert_totals_agree()
