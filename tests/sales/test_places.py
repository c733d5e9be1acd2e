"""Boards within regions and dealers, and of them: any depth, and after the tree has changed."""

import dataclasses
import datetime as dt
import random

import pytest

from core.actor import Actor
from guides import services as guide_services
from guides.contracts import GuideCard, StoreCard
from sales import selectors, services
from sales.contracts import BoardScope, Span
from sales.models import PlaceStore, PlaceTotal
from sales.services import sizes
from tests.cast import Cast, make_guide, make_store
from tests.sales.kit import assert_totals_agree, line, order, tell

BOSS = Actor.system("boss")
NOON = dt.datetime(2026, 11, 18, 4, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 18)
WEEK = selectors.span_of("week", DAY)


@dataclasses.dataclass(frozen=True, slots=True)
class Chain:
    """The cast's chain with a city of two more stores below its eastern region; one of them and the southern store
    are a dealer's."""

    cast: Cast
    city: int
    dealer: int
    near: StoreCard
    far: StoreCard
    gu: GuideCard
    shen: GuideCard


def give_store(store: StoreCard, *, region_id: int, dealer_id: int | None) -> None:
    guide_services.change_store(
        store_id=store.id, name=store.name, region_id=region_id, dealer_id=dealer_id, address=store.address,
        latitude=None, longitude=None, phone=store.phone, opening_hours=store.opening_hours, actor=BOSS,
    )  # fmt: skip


@pytest.fixture
def chain(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Chain:
    monkeypatch.setattr(sizes, "_LONG", 2)  # two make a long board: ranks are counted up to marks
    monkeypatch.setattr(sizes, "_MARKS", 3)
    city = guide_services.open_region(name="上海", parent_id=cast.east.id, actor=BOSS).id
    dealer = guide_services.open_dealer(code="D1", name="锦绣商贸", actor=BOSS).id
    near = make_store("T11", "静安寺店", city)
    far = make_store("T12", "徐家汇店", city, dealer_id=dealer)
    give_store(cast.other_store, region_id=cast.south.id, dealer_id=dealer)
    return Chain(
        cast, city, dealer, near, far, make_guide("T011", "顾盼", near.id), make_guide("T012", "沈星", far.id)
    )


def sell(no: str, guide: str, store: str, fen: int, at: dt.datetime = NOON) -> None:
    tell(order(no, line(amount_fen=fen), serving_guide=guide, store_code=store, sold_at=at))


def places(scope: BoardScope, span: Span = WEEK, **other: object) -> list[tuple[int, int, int]]:
    board = selectors.get_board(metric="sales_fen", span=span, scope=scope, **other)  # type: ignore[arg-type]
    for one in board.lines:
        asked = other | {"own_id": one.subject_id}
        standing = selectors.get_standing(metric="sales_fen", span=span, scope=scope, **asked)  # type: ignore[arg-type]
        assert standing.own is not None
        assert (standing.own.rank, standing.own.value) == (one.rank, one.value)
    return [(one.rank, one.subject_id, one.value) for one in board.lines]


def sold(chain: Chain) -> None:
    sell("P1", "T001", "T01", 500)
    sell("P2", "T011", "T11", 300)
    services.fold_board_sizes()
    sell("P3", "T011", "T12", 250)  # she helps in the other store of the city
    sell("P4", "T012", "T12", 300)
    sell("P5", "T004", "T02", 900)


@pytest.mark.parametrize("is_synced_first", [True, False])
def test_a_region_ranks_all_below_it_at_any_depth(chain: Chain, is_synced_first: bool) -> None:
    if is_synced_first:
        assert services.sync_places() > 0
    sold(chain)
    before_sync = places(BoardScope(region_id=chain.cast.east.id))
    services.sync_places()
    assert services.sync_places() == 0
    lina, gu, shen = chain.cast.lina.id, chain.gu.id, chain.shen.id
    assert places(BoardScope(region_id=chain.cast.east.id)) == [(1, gu, 550), (2, lina, 500), (3, shen, 300)]
    assert before_sync == places(BoardScope(region_id=chain.cast.east.id))
    assert places(BoardScope(region_id=chain.city)) == [(1, gu, 550), (2, shen, 300)]
    # One store below it: its own totals; the root is the chain.
    assert places(BoardScope(region_id=chain.cast.south.id)) == [(1, chain.cast.chenjing.id, 900)]
    assert places(BoardScope(region_id=chain.cast.root.id)) == places(BoardScope())
    assert places(BoardScope(dealer_id=chain.dealer)) == [
        (1, chain.cast.chenjing.id, 900),
        (2, shen, 300),
        (3, gu, 250),
    ]
    assert places(BoardScope(region_id=999_999)) == []
    kept = set(PlaceStore.objects.values_list("place", flat=True))
    assert kept == {chain.cast.east.id, chain.city, -chain.dealer}
    assert_totals_agree()


def test_stores_regions_and_dealers_have_boards(chain: Chain) -> None:
    services.sync_places()
    sold(chain)
    east, south = chain.cast.east.id, chain.cast.south.id
    assert places(BoardScope(), subject="region") == [(1, east, 1_350), (2, south, 900)]
    assert places(BoardScope(region_id=east), subject="region") == [(1, chain.city, 850)]
    assert places(BoardScope(), subject="dealer") == [(1, chain.dealer, 1_450)]
    assert places(BoardScope(region_id=chain.city), subject="dealer") == [(1, chain.dealer, 550)]
    assert places(BoardScope(dealer_id=chain.dealer), subject="region") == [(1, south, 900), (2, east, 550)]
    assert places(BoardScope((chain.near.id, chain.far.id)), subject="region") == [(1, east, 850)]
    assert places(BoardScope((chain.near.id, chain.far.id)), subject="dealer") == [(1, chain.dealer, 550)]
    assert places(BoardScope(region_id=999_999), subject="region") == []
    assert places(BoardScope(region_id=999_999), subject="dealer") == []
    assert places(BoardScope(region_id=east), subject="store") == [
        (1, chain.far.id, 550),
        (2, chain.cast.store.id, 500),
        (3, chain.near.id, 300),
    ]
    assert places(BoardScope(dealer_id=chain.dealer), subject="store")[0] == (
        1,
        chain.cast.other_store.id,
        900,
    )
    board = selectors.get_board(metric="sales_fen", span=WEEK, subject="region", own_id=south)
    assert board.own is not None
    assert (board.own.rank, board.gap, board.ranked_count) == (2, 450, 2)


def test_a_store_that_changes_hands_takes_its_numbers_along_and_a_guide_who_moves_leaves_hers(
    chain: Chain,
) -> None:
    services.sync_places()
    sold(chain)
    give_store(chain.far, region_id=chain.cast.south.id, dealer_id=None)
    guide_services.move_guide(
        guide_id=chain.cast.lina.id, store_id=chain.cast.other_store.id, role="guide", actor=BOSS
    )
    assert services.sync_places() > 0
    gu, lina, shen = chain.gu.id, chain.cast.lina.id, chain.shen.id
    assert places(BoardScope(region_id=chain.cast.east.id)) == [(1, lina, 500), (2, gu, 300)]
    assert places(BoardScope(region_id=chain.cast.south.id)) == [
        (1, chain.cast.chenjing.id, 900),
        (2, shen, 300),
        (3, gu, 250),
    ]
    # The dealer has one store left, whose totals answer; nothing of hers is left behind.
    assert places(BoardScope(dealer_id=chain.dealer)) == [(1, chain.cast.chenjing.id, 900)]
    assert not PlaceTotal.objects.filter(place=-chain.dealer).exists()
    assert_totals_agree()
    guide_services.leave_guide(guide_id=lina, actor=BOSS)
    assert places(BoardScope(region_id=chain.cast.east.id))[0] == (1, lina, 500)


def test_the_nightly_proof_mends_a_place_too(chain: Chain) -> None:
    services.sync_places()
    sold(chain)
    PlaceTotal.objects.filter(place=chain.city, metric="sales_fen", period="day", guide=chain.gu.id).update(
        value=7
    )
    found = services.prove_totals(since=DAY, until=DAY + dt.timedelta(days=1), actor=BOSS)
    assert [(one.place, one.guide_id, one.said, one.stood) for one in found] == [
        (chain.city, chain.gu.id, 550, 7)
    ]
    assert_totals_agree()


def test_indexed_and_added_up_boards_say_the_same_of_random_sales(chain: Chain) -> None:
    services.sync_places()
    chance = random.Random(11)
    guides = ("T001", "T002", "T003", "T011", "T012")
    for number in range(40):
        sell(
            f"Q{number}", chance.choice(guides), chance.choice(("T01", "T11", "T12")),
            chance.choice((100, 200, 300)), NOON - dt.timedelta(days=chance.randrange(4)),
        )  # fmt: skip
    scope = BoardScope(region_id=chain.cast.east.id)
    summed = Span(WEEK.starts_on, WEEK.ends_on)  # a free range over the same days
    stores = BoardScope((chain.cast.store.id, chain.near.id, chain.far.id))
    for own in (chain.cast.lina, chain.cast.wangfang, chain.gu, chain.shen, chain.cast.chenjing):
        one = selectors.get_standing(metric="sales_fen", span=WEEK, scope=scope, own_id=own.id)
        other = selectors.get_standing(metric="sales_fen", span=summed, scope=stores, own_id=own.id)
        assert one == other
        assert one.own is not None
        assert one.own.rank == 1 + sum(line.value > one.own.value for line in one.lines)
