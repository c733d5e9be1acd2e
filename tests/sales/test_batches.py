"""Large batches of documents: what they must not hold until their end, and what becomes of a ring of locks."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from core import clock
from members import services as member_services
from sales import services
from sales.contracts import MemberKey
from sales.models import Sale, TotalMove
from sales.services.bulk import book_in_bulk
from sales.services.reading import digest_of_order
from tests.cast import Cast
from tests.database_faults import set_session
from tests.sales.kit import TILL, assert_totals_agree, key_of, ledger, order, tell
from tests.threads import at_once, end_who_waits, wait_until_somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)


def told_meanwhile(order_no: str) -> list[Any]:
    """What a till of the same store hears that waits no longer than half a second."""
    heard: list[Any] = []

    def till() -> None:
        try:
            set_session("lock_timeout", "'500ms'")
            heard.extend(told.outcome for told in tell(order(order_no)))
        except DatabaseError as error:
            heard.append(getattr(error.__cause__, "sqlstate", None))
        finally:
            connection.close()

    thread = threading.Thread(target=till)
    thread.start()
    thread.join(30)
    return heard


@pytest.mark.parametrize(("moved_at_once", "heard"), [(100, ["booked"]), (1_000_000, ["55P03"])])
def test_a_till_sells_while_a_batch_of_its_store_is_booked_unless_that_moved_the_totals(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, moved_at_once: int, heard: list[str]
) -> None:
    monkeypatch.setattr("sales.services.totals._MOST_MOVED", moved_at_once)
    tell(order("O1"))  # the product is known from now on
    with transaction.atomic():
        tell(*[order(f"B{number}") for number in range(60)])
        assert told_meanwhile("O2") == heard
    services.fold_totals()
    assert not TotalMove.objects.exists()
    assert ledger()["order_count"] == Sale.objects.count() == 61 + heard.count("booked")
    assert_totals_agree()


def ring(cast: Cast, book: Callable[[], Any]) -> list[Any]:
    """What `book` answers, which locks both members, and a stranger who locks them the other way round and is not the one
    whom PostgreSQL ends."""
    first, second = sorted([cast.xiaomei.id, cast.xiaoli.id])
    holds = threading.Event()

    def stranger() -> str:
        set_session("deadlock_timeout", "'60s'")
        with transaction.atomic():
            member_services.lock_members([second])
            holds.set()
            wait_until_somebody_waits()
            member_services.lock_members([first])
        return "through"

    def booker() -> Any:
        assert holds.wait(30)
        return book()

    return at_once([booker, stranger])


def test_a_batch_that_postgresql_ended_in_a_ring_of_locks_is_booked_after_all(cast: Cast) -> None:
    orders = [order(f"O{n}", member=key_of(who)) for n, who in enumerate([cast.xiaomei, cast.xiaoli])]
    told, stranger = ring(cast, lambda: tell(*orders))
    assert ([one.outcome for one in told], stranger) == (["booked", "booked"], "through")
    assert Sale.objects.count() == 2
    assert_totals_agree()


def test_without_the_second_try_it_is_lost(cast: Cast) -> None:
    orders = [order(f"O{n}", member=key_of(who)) for n, who in enumerate([cast.xiaomei, cast.xiaoli])]

    def once() -> None:
        with transaction.atomic():
            digests = [digest_of_order(one) for one in orders]
            book_in_bulk(orders=orders, digests=digests, actor=TILL, at=clock.now())

    told, stranger = ring(cast, once)
    assert isinstance(told, OperationalError)
    assert stranger == "through"
    assert not Sale.objects.exists()


def test_a_part_that_is_booked_keeps_nobody_waiting_and_stays_when_the_next_one_fails(cast: Cast) -> None:
    """The first order is plain and its part goes first; the other one is ended while it waits for its member."""
    documents = [
        order("O1", member=key_of(cast.xiaomei)),
        order("O2", member=key_of(cast.xiaoli), points_spent=1),
        order("O3", member=MemberKey("member_code", "NOBODY")),
    ]
    is_locked, is_told = threading.Event(), threading.Event()

    def stranger() -> list[int]:
        with transaction.atomic():
            member_services.lock_members([cast.xiaoli.id])
            is_locked.set()
            wait_until_somebody_waits()
            set_session("lock_timeout", "'500ms'")
            free = member_services.lock_members([cast.xiaomei.id])
            end_who_waits()
            assert is_told.wait(30)
        return free

    def booker() -> Any:
        assert is_locked.wait(30)
        try:
            return tell(*documents)
        finally:
            is_told.set()

    failed, free = at_once([booker, stranger])
    assert getattr(failed.__cause__, "sqlstate", None) == "57014"
    assert free == [cast.xiaomei.id]
    assert [one.outcome for one in tell(*documents)] == ["repeated", "booked", "held"]
