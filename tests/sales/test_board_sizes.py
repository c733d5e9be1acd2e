"""How many have a place on a board, and how many reach its marks, is known without counting them, whatever happens at once."""

import datetime as dt
import functools
import random
import threading

import pytest
from django.db import transaction
from django.db.models import Sum

from core.actor import Actor
from sales import selectors, services
from sales.contracts import Board, BoardScope, ReturnLine
from sales.models import BoardMove, BoardSize, GuideTotal
from sales.services import sizes
from sales.services.totals import move_totals
from tests.cast import Cast, make_guide
from tests.sales.kit import assert_totals_agree, back, line, order, tell
from tests.threads import at_once

BOSS = Actor.system("boss")
NOON = dt.datetime(2026, 11, 18, 4, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 18)
OF_DAY = {"metric": "sales_fen", "period": "day", "place": 0}


def sell(no: str, guide: str, fen: int = 500, store: str = "T01") -> None:
    tell(order(no, line(amount_fen=fen), serving_guide=guide, store_code=store, sold_at=NOON))


def bring_back(no: str, fen: int) -> None:
    returned = ReturnLine(product_code="A1", quantity=1, amount_fen=fen, line_number=1)
    tell(back(f"R{no}", returned, order_no=no, returned_at=NOON))


def board(**other: object) -> Board:
    return selectors.get_board(metric="sales_fen", span=selectors.span_of("day", DAY), limit=100, **other)  # type: ignore[arg-type]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three make a long board, with four marks at most, on the day of these tests."""
    monkeypatch.setattr(sizes, "_LONG", 3)
    monkeypatch.setattr(sizes, "_MARKS", 4)
    monkeypatch.setattr("core.clock.today", lambda: DAY)


def test_only_a_first_total_makes_a_board_longer_and_folding_changes_nothing(cast: Cast) -> None:
    rows = BoardSize.objects.filter(**OF_DAY)
    sell("S1", "T001")
    sell("S2", "T001")
    sell("S3", "T002")
    bring_back("S3", 500)  # her total is nothing now, and still a place
    moves = BoardMove.objects.filter(**OF_DAY).order_by("pk")
    assert [(move.befores, move.afters) for move in moves] == [([None], [500]), ([None], [500])]
    assert [one.value for one in board().lines] == [1_000, 0]
    assert board().ranked_count == 2
    assert services.fold_board_sizes() > 0
    assert [row.added for row in rows.all()] == [2]
    sell("S4", "T003")
    assert board().ranked_count == 3
    assert services.fold_board_sizes() > 0
    assert [row.added for row in rows.all()] == [3]
    assert services.fold_board_sizes() == 0
    assert_totals_agree()


def test_a_long_board_is_counted_up_to_the_next_mark(cast: Cast, short: None) -> None:
    for number, guide in enumerate(("T001", "T002", "T003")):
        sell(f"L{number}", guide, fen=100 * (number + 1))
    sell("L9", "T004", fen=900, store="T02")
    services.fold_board_sizes()
    size = BoardSize.objects.get(**OF_DAY)
    assert (size.added, size.moved, size.marks, size.reached) == (4, 0, [100, 200, 300, 900], [4, 3, 2, 1])

    sell("M1", "T001", fen=700)  # from the last to the second place
    bring_back("L9", 900)  # from the first to the last
    moves = BoardMove.objects.filter(**OF_DAY).order_by("pk")
    assert [(move.befores, move.afters) for move in moves] == [([100], [800]), ([900], [0])]
    expected = {cast.lina.id: 1, cast.zhaoqiang.id: 2, cast.wangfang.id: 3, cast.chenjing.id: 4}
    assert {guide_id: _rank(guide_id) for guide_id in expected} == expected
    assert_totals_agree()
    services.fold_board_sizes()
    assert {guide_id: _rank(guide_id) for guide_id in expected} == expected
    assert not BoardMove.objects.exists()
    assert_totals_agree()


def test_a_fold_of_thousands_writes_one_row_a_board(cast: Cast, short: None) -> None:
    guides = [make_guide(f"R{n:03}", f"导购{n}", cast.store.id).id for n in range(9)]
    move_totals([(DAY, guide, cast.store.id, "sales_fen", 100 + place) for place, guide in enumerate(guides)])
    services.fold_board_sizes()
    move_totals([(DAY, guide, cast.store.id, "sales_fen", 50) for guide in guides[:8]])
    [moved] = BoardMove.objects.filter(**OF_DAY)
    assert sorted(zip(moved.befores, moved.afters, strict=True)) == [(100 + n, 150 + n) for n in range(8)]
    assert [_rank(guide) for guide in guides] == [8, 7, 6, 5, 4, 3, 2, 1, 9]
    assert services.fold_board_sizes() == BoardSize.objects.count()
    assert [_rank(guide) for guide in guides] == [8, 7, 6, 5, 4, 3, 2, 1, 9]
    assert sizes.find_size_differences(period="day", starts_on=DAY) == []


def _rank(guide_id: int) -> int | None:
    own = board(own_id=guide_id).own
    return None if own is None else own.rank


@pytest.mark.parametrize("seed", range(4))
def test_ranks_are_right_whatever_moves_and_whenever_marks_are_chosen(
    cast: Cast, short: None, seed: int
) -> None:
    chance = random.Random(seed)
    guides = [make_guide(f"R{n:03}", f"导购{n}", cast.store.id).id for n in range(9)]
    for _step in range(60):
        deed = chance.randint(0, 9)
        if deed == 0:
            services.fold_board_sizes()
        elif deed == 1:
            BoardSize.objects.update(moved=100)  # so that the next fold chooses anew
        elif deed == 2:
            with transaction.atomic():
                sizes.recount_period_sizes(period="day", starts_on=DAY)
        else:
            moves = [
                (DAY, chance.choice(guides), cast.store.id, "sales_fen", chance.choice((-300, -100, 100, 200, 900)))
                for _move in range(chance.randint(1, 4))
            ]  # fmt: skip
            move_totals(moves)
        values = dict(
            GuideTotal.objects.filter(period="day", metric="sales_fen").values_list("guide", "value")
        )
        asker = chance.choice(guides)
        seen, mine = board(own_id=asker), values.get(asker, 0)
        assert seen.ranked_count == len(values)
        assert seen.own is not None
        assert seen.own.rank == 1 + sum(value > mine for value in values.values())
        assert sizes.find_size_differences(period="day", starts_on=DAY) == []
        assert sizes.find_size_differences(period="week", starts_on=dt.date(2026, 11, 16)) == []


def test_the_nightly_proof_mends_a_size_and_a_mark_too(cast: Cast, short: None) -> None:
    for number, guide in enumerate(("T001", "T002", "T003")):
        sell(f"L{number}", guide, fen=100 * (number + 1))
    services.fold_board_sizes()
    BoardSize.objects.filter(metric="sales_fen", period="week", place=0).update(added=9)
    BoardSize.objects.filter(**OF_DAY).update(reached=[3, 2, 2])
    found = services.prove_totals(since=DAY, until=DAY + dt.timedelta(days=1), actor=BOSS)
    assert [(one.period, one.place, one.guide_id, one.said, one.stood) for one in found] == [
        ("day", 0, None, 1, 2),
        ("week", 0, None, 3, 9),
    ]
    assert_totals_agree()
    assert _rank(cast.wangfang.id) == 2


@pytest.mark.django_db(transaction=True)
def test_a_board_gets_no_marks_while_somebody_books_who_did_not_see_that_it_is_watched(
    short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.cast import make_cast

    cast = make_cast()
    monkeypatch.setattr(sizes, "_PATIENCE", dt.timedelta(seconds=0.3))
    for number, guide in enumerate(("T001", "T002", "T003")):
        sell(f"L{number}", guide, fen=100 * (number + 1))
    booked, folded = threading.Event(), threading.Event()

    def book() -> None:
        with transaction.atomic():
            move_totals([(DAY, cast.lina.id, cast.store.id, "sales_fen", 900)])
            booked.set()
            folded.wait(20)

    def fold() -> list[int] | None:
        booked.wait(20)
        services.fold_board_sizes()
        marks = BoardSize.objects.get(**OF_DAY).marks
        folded.set()
        return marks

    assert at_once([book, fold])[1] == []  # watched, and not marked
    assert not BoardMove.objects.filter(afters__contains=[1_000], period="day").exists()
    services.fold_board_sizes()
    size = BoardSize.objects.get(**OF_DAY)
    assert (size.marks, size.reached) == ([200, 300, 1_000], [3, 2, 1])
    assert sizes.find_size_differences(period="day", starts_on=DAY) == []


@pytest.mark.django_db(transaction=True)
def test_boards_hold_while_guides_sell_and_a_job_folds(short: None) -> None:
    from tests.cast import make_cast

    cast = make_cast()
    numbers = [f"N{number:02}" for number in range(12)]
    ids = [make_guide(number, number, cast.store.id).id for number in numbers]
    stop = threading.Event()

    def book(mine: list[str]) -> None:
        for turn in range(2):
            for place, number in enumerate(mine):
                sell(f"O{turn}{number}", number, fen=500 + 100 * (place % 3))

    def fold() -> None:
        while not stop.is_set():
            services.fold_board_sizes()

    def look() -> list[Board]:
        seen = []
        while not stop.is_set():
            seen += [board(scope=BoardScope(), own_id=own_id) for own_id in ids]
        return seen

    def finish() -> None:
        at_once([functools.partial(book, numbers[:6]), functools.partial(book, numbers[6:])])
        stop.set()

    told = at_once([finish, fold, fold, look])
    assert not [one for one in told if isinstance(one, BaseException)]
    for found in told[3]:
        assert found.ranked_count == len(found.lines)
        assert found.own.rank == 1 + sum(line.value > found.own.value for line in found.lines)
    assert board().ranked_count == 12
    assert services.fold_board_sizes() >= 0
    whole = BoardSize.objects.filter(**OF_DAY)
    assert (whole.count(), whole.aggregate(sum=Sum("added"))["sum"]) == (1, 12)
    assert whole.get().marks
    assert_totals_agree()
