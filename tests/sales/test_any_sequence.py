"""Orders, corrections, returns, decisions, a merge and closes, one after the other in any sequence: after every step the ledger
is what a few lines of plain Python count from the documents, totals are the ledger, closed months stand, and what stood at any
earlier step can still be told."""

import dataclasses
import datetime as dt
import itertools
from collections import defaultdict
from typing import Any, Final

import pytest
import time_machine
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from guides import services as guide_services
from members import services as member_services
from members.contracts import MemberCard
from sales import services
from sales.contracts import Board, BoardScope, OrderDocument, ReturnDocument, ReturnLine, Share
from sales.models import AttributionRule, EntryReason, HeldDocument, PerformanceEntry, Sale
from sales.selectors import get_board, span_of
from sales.selectors.ledger import numbers_then
from sales.selectors.spans import add_months
from sales.services.reconciling import reconcile_sales
from tests.cast import Cast, make_cast, make_follower
from tests.sales.kit import TILL, assert_totals_agree, by_guide, forget_books, key_of, line, order, tell

BEGIN: Final = dt.datetime(
    2027, 12, 27, 4, tzinfo=dt.UTC
)  # the last Monday of a year; two months on is 29 February
GUIDES: Final = ("T001", "T002", "T004", "")
STORES: Final = ("T01", "T02")
WHOLE: Final = (
    10_000  # fen, and basis points: of whole hundreds every part is whole fen, and the oracle rounds nothing
)
Key = tuple[int | None, int, str, dt.date]  # guide, store, metric, the document's day
_ALSO: Final = (
    "sales_placetotal", "sales_totalmove", "sales_boardfreeze", "sales_frozenplace", "sales_periodclose",
    "members_activityentry",
)  # fmt: skip
_which = st.integers(0, 5)
STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 2), _which, st.integers(1, 3), st.integers(1, 9), st.booleans()),
        st.tuples(st.just("hurry"), st.integers(0, 2), _which, st.integers(1, 3), st.integers(1, 9), st.booleans()),
        st.tuples(st.just("back"), _which, st.integers(1, 3)),
        st.tuples(st.just("correct"), _which, st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("move"), _which, st.integers(1, 99)),
        st.tuples(st.just("again"), _which),
        st.tuples(st.just("stale"), _which),
        st.tuples(st.just("wait"), st.integers(1, 25)),
        st.tuples(st.just("close")),
        st.tuples(st.just("reopen")),
        st.tuples(st.just("merge")),
    ),
    min_size=3,
    max_size=18,
)  # fmt: skip


@dataclasses.dataclass
class Bought:
    """What plain Python knows of one order: the newest content, who owns it, its parts and what came back."""

    document: OrderDocument
    owner: int | None
    shares: list[tuple[int | None, int, int]]  # guide, store, basis points
    is_decided: bool = False  # by a person: corrections keep it
    back: list[ReturnDocument] = dataclasses.field(default_factory=list)

    @property
    def units(self) -> int:
        return self.document.lines[0].quantity

    @property
    def left(self) -> int:
        return self.units - sum(given.lines[0].quantity for given in self.back)


class Chain:
    """A chain in which things happen, and what should stand in its books."""

    _numbers = itertools.count(1)

    def __init__(self, cast: Cast, traveller: Any) -> None:
        self.cast, self.traveller = cast, traveller
        self.people = [self._somebody(cast.lina.id), self._somebody(None)]
        self.is_merged = False
        self.orders: list[Bought] = []
        self.closed: dict[dt.date, dict[Any, int]] = {}
        self.past: list[tuple[dt.datetime, dict[str, int]]] = []
        self.guides = {"T001": cast.lina.id, "T002": cast.wangfang.id, "T004": cast.chenjing.id}
        self.stores = {"T01": cast.store.id, "T02": cast.other_store.id}

    def _somebody(self, guide_id: int | None) -> MemberCard:
        her = make_follower("会员", f"oany{next(self._numbers):024d}")
        if guide_id is not None:
            guide_services.bind_member(member_id=her.id, guide_id=guide_id, source="scan", actor=TILL)
        return her

    # What happens.

    def step(self, what: tuple[Any, ...]) -> None:
        self.traveller.shift(dt.timedelta(minutes=7))
        getattr(self, f"_{what[0]}")(*what[1:])
        self.check()
        self.past.append((clock.now(), _sums(PerformanceEntry.objects.all())))

    def _order(self, who: int, guide: int, units: int, hundreds: int, is_late: bool) -> None:
        tell(self._new(who, guide, units, hundreds, is_late))

    def _hurry(self, who: int, guide: int, units: int, hundreds: int, is_late: bool) -> None:
        """A unit of it is back before anybody told the order."""
        document = self._new(who, guide, units, hundreds, is_late)
        given = self._give_back(self.orders[-1], 1)
        assert [one.outcome for one in tell(given)] == ["held"]
        assert HeldDocument.objects.waiting().count() == 1
        tell(document)

    def _new(self, who: int, guide: int, units: int, hundreds: int, is_late: bool) -> OrderDocument:
        number = next(self._numbers)
        fen = units * hundreds * WHOLE
        # The shop's own clock, not later than ours; equal instants are decided by the number, so there are none.
        sold_at = clock.now() - dt.timedelta(days=9 if is_late else 0, seconds=number % 400)
        document = order(
            f"O{number:08d}", line("A1", fen, quantity=units, list_fen=fen), sold_at=max(sold_at, BEGIN),
            store_code=STORES[guide % 2], serving_guide=GUIDES[guide % 4],
            member=key_of(self.people[who]) if who < 2 else None,
        )  # fmt: skip
        self.orders.append(Bought(document, self._owner(who), self._by_rule(document, who)))
        return document

    def _owner(self, who: int) -> int | None:
        return None if who == 2 else self.people[0 if self.is_merged else who].id

    def _by_rule(self, document: OrderDocument, who: int) -> list[tuple[int | None, int, int]]:
        """Seven parts of ten to 李娜 where she is the member's own guide; else all to who served, or to the store."""
        store = self.stores[document.store_code]
        if who == 0 or (who == 1 and self.is_merged):
            return [(self.cast.lina.id, self.cast.store.id, 7_000), (None, store, 3_000)]
        return [(self.guides.get(document.serving_guide), store, WHOLE)]

    def _pick(self, which: int) -> Bought | None:
        return self.orders[which % len(self.orders)] if self.orders else None

    def _back(self, which: int, units: int) -> None:
        one = self._pick(which)
        if one is not None and one.left:
            told = tell(self._give_back(one, min(units, one.left)))
            assert [answer.outcome for answer in told] == ["booked"]

    def _give_back(self, one: Bought, units: int) -> ReturnDocument:
        fen = units * one.document.amount_fen // one.units
        given = ReturnDocument(
            source="pos", return_no=f"R{next(self._numbers)}", order_no=one.document.order_no, store_code="T02",
            returned_at=clock.now(), amount_fen=fen,
            lines=(ReturnLine(product_code="A1", quantity=units, amount_fen=fen, line_number=1),),
        )  # fmt: skip
        one.back.append(given)
        return given

    def _correct(self, which: int, guide: int, who: int, more: int) -> None:
        """Another guide, another member, more units at the price of one."""
        one = self._pick(which)
        if one is None:
            return
        old, price = one.document, one.document.amount_fen // one.units
        units = one.units + more
        one.document = dataclasses.replace(
            old, revision=old.revision + 1, serving_guide=GUIDES[guide], amount_fen=price * units,
            member=key_of(self.people[who]) if who < 2 else None,
            lines=(dataclasses.replace(old.lines[0], quantity=units, amount_fen=price * units, list_fen=price * units),),
        )  # fmt: skip
        one.owner = self._owner(who)
        if not one.is_decided:
            one.shares = self._by_rule(one.document, who)
        assert [told.outcome for told in tell(one.document)] == ["corrected"]

    def _move(self, which: int, percent: int) -> None:
        one = self._pick(which)
        if one is None:
            return
        one.is_decided = True
        one.shares = [
            (self.cast.chenjing.id, self.cast.other_store.id, percent * 100),
            (self.cast.wangfang.id, self.cast.store.id, WHOLE - percent * 100),
        ]
        services.reattribute_sale(
            sale_id=Sale.objects.current().get(order_no=one.document.order_no).pk, reason="补登",
            shares=[Share("serving", *share) for share in one.shares], request_key=f"k{next(self._numbers)}", actor=TILL,
        )  # fmt: skip

    def _again(self, which: int) -> None:
        """A till that lost our answer tells all of it once more."""
        one = self._pick(which)
        if one is not None:
            assert {told.outcome for told in tell(one.document, *one.back)} == {"repeated"}

    def _stale(self, which: int) -> None:
        """A lower revision comes after a higher one; another content under a number that is known waits for a person."""
        one = self._pick(which)
        if one is None:
            return
        if one.document.revision:
            told = tell(dataclasses.replace(one.document, revision=one.document.revision - 1, channel="mini"))
            assert [answer.outcome for answer in told] == ["superseded"]
            return
        told = tell(dataclasses.replace(one.document, channel="mini"))
        assert [(answer.outcome, answer.reason) for answer in told] == [("held", "sales.document_conflict")]
        services.keep_booked(public_id=HeldDocument.objects.waiting().get().public_id, actor=TILL)

    def _wait(self, days: int) -> None:
        self.traveller.shift(dt.timedelta(days=days))

    def _close(self) -> None:
        month = BEGIN.date().replace(day=1)
        while month in self.closed:
            month = add_months(month, 1)
        if add_months(month, 1) <= clock.today():
            services.close_month(month_on=month, actor=TILL)
            services.freeze_closed_boards()
            self.closed[month] = _of_month(month)

    def _reopen(self) -> None:
        if self.closed:
            month = max(self.closed)
            services.reopen_month(month_on=month, reason="漏传订单", actor=TILL)
            del self.closed[month]

    def _merge(self) -> None:
        if self.is_merged:
            return
        first, second = self.people
        member_services.merge_members(
            first_id=first.id, second_id=second.id, survivor_id=first.id, actor=TILL
        )
        self.is_merged = True
        for one in self.orders:
            one.owner = first.id if one.owner == second.id else one.owner

    # What should stand.

    def wanted(self) -> dict[Key, int]:
        """The books, counted from the orders alone, one after the other."""
        books: dict[Key, int] = defaultdict(int)
        firsts: dict[int, Bought] = {}
        for one in sorted(self.orders, key=lambda one: (one.document.sold_at, one.document.order_no)):
            if one.owner is not None:
                firsts.setdefault(one.owner, one)
        for one in self.orders:
            is_first = one.owner is not None and firsts[one.owner] is one
            _count(books, one, is_first=is_first, repeats=one.owner is not None and not is_first)
        return {key: value for key, value in books.items() if value}

    def check(self) -> None:
        rows = PerformanceEntry.objects.values("guide_id", "store_id", "metric", "due_on").annotate(
            sum=Sum("value")
        )
        stood = {
            (row["guide_id"], row["store_id"], row["metric"], row["due_on"]): row["sum"]
            for row in rows.order_by()
        }
        assert {key: value for key, value in stood.items() if value} == self.wanted()
        for month, then in self.closed.items():
            assert _of_month(month) == then, f"{month} is closed"
        assert not HeldDocument.objects.waiting().exists()

    def check_totals(self) -> None:
        """Roll-ups are the ledger, boards are the ledger, and each past step is told as it was."""
        assert_totals_agree()
        with transaction.atomic():  # everything recomputed writes nothing
            ids = Sale.objects.current().values_list("pk", flat=True)
            assert reconcile_sales(ids, reason=EntryReason.CORRECTED, at=clock.now()) == 0
        for name in ("day", "week", "month", "quarter", "year"):
            span = span_of(name, clock.today())
            rows = PerformanceEntry.objects.filter(
                metric="sales_fen",
                guide__isnull=False,
                booked_on__gte=span.starts_on,
                booked_on__lt=span.ends_on,
            )
            sums = dict(rows.values_list("guide_id").annotate(sum=Sum("value")).order_by())
            board: Board = get_board(metric="sales_fen", span=span, scope=BoardScope())
            assert {one.subject_id: one.value for one in board.lines if one.value} == {
                guide: value for guide, value in sums.items() if value
            }
        for at, sums in self.past:
            told = numbers_then(
                entries=PerformanceEntry.objects.all(),
                since=dt.date(2027, 1, 1),
                until=dt.date(2031, 1, 1),
                at=at,
            )
            assert {one.metric: one.then for one in told if one.then} == sums


def _count(books: dict[Key, int], one: Bought, *, is_first: bool, repeats: bool) -> None:
    main = max(one.shares, key=lambda share: share[2])[:2]
    sold_on = _day(one.document.sold_at)

    def money(fen: int, on: dt.date, *metrics: str) -> None:
        for guide, store, share in one.shares:
            for metric in metrics:
                books[guide, store, metric, on] += fen * share // WHOLE

    def whole(metric: str, value: int, on: dt.date) -> None:
        books[(*main, metric, on)] += value

    money(one.document.amount_fen, sold_on, "sales_fen", *(["repurchase_fen"] if repeats else []))
    whole("order_count", 1, sold_on)
    whole("unit_count", one.units, sold_on)
    whole("first_purchase_count", int(is_first), sold_on)
    left = one.units
    for taken in sorted(one.back, key=lambda back: (back.returned_at, back.return_no)):
        on, units = _day(taken.returned_at), taken.lines[0].quantity
        left -= units
        money(-taken.amount_fen, on, "sales_fen", *(["repurchase_fen"] if repeats else []))
        money(taken.amount_fen, on, "return_fen")
        whole("unit_count", -units, on)
        whole("return_count", 1, on)
        whole("order_count", 0 if left else -1, on)


def _day(moment: dt.datetime) -> dt.date:
    """The day in Shanghai, which knows no summer time."""
    return (moment + dt.timedelta(hours=8)).date()


def _of_month(month: dt.date) -> dict[Any, int]:
    return {key: value for key, value in by_guide().items() if key[3] == f"{month:%Y-%m}"}


def _sums(entries: Any) -> dict[str, int]:
    rows = entries.values_list("metric").annotate(sum=Sum("value")).order_by()
    return {metric: value for metric, value in rows if value}


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_in_whatever_sequence_the_books_are_what_the_documents_say() -> None:
    with time_machine.travel(BEGIN - dt.timedelta(days=1), tick=False):
        cast = make_cast()
        AttributionRule.objects.create(
            position=1, name="专属七成", exclusive_bp=7_000, store_bp=3_000, crosses_owners=True
        )

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def tell_a_story(steps: list[tuple[Any, ...]]) -> None:
        forget_books(*_ALSO)
        with time_machine.travel(BEGIN, tick=False) as traveller:
            chain = Chain(cast, traveller)
            for what in steps:
                chain.step(what)
            chain.check_totals()

    tell_a_story()


@pytest.mark.django_db(transaction=True)
def test_a_story_with_something_of_everything() -> None:
    """The same by hand, so that no luck decides whether a merge meets a closed leap February."""
    with time_machine.travel(BEGIN - dt.timedelta(days=1), tick=False):
        cast = make_cast()
        AttributionRule.objects.create(
            position=1, name="专属七成", exclusive_bp=7_000, store_bp=3_000, crosses_owners=True
        )
    with time_machine.travel(BEGIN, tick=False) as traveller:
        chain = Chain(cast, traveller)
        for what in (
            ("order", 0, 1, 3, 5, False), ("order", 1, 0, 2, 4, False), ("hurry", 1, 2, 2, 9, False), ("wait", 7),
            ("close",), ("back", 0, 1), ("order", 0, 3, 1, 7, True), ("move", 0, 33), ("correct", 1, 2, 0, 2), ("wait", 25),
            ("wait", 25), ("merge",), ("close",), ("back", 1, 2), ("wait", 8), ("order", 1, 1, 1, 3, True), ("close",),
            ("correct", 0, 0, 1, 1), ("back", 0, 3), ("again", 0), ("stale", 0), ("stale", 2), ("reopen",), ("back", 2, 3),
        ):  # fmt: skip
            chain.step(what)
        chain.check_totals()
        assert list(chain.closed) == [dt.date(2027, 12, 1), dt.date(2028, 1, 1)]
