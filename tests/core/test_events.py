"""Events: after commit, never lost to an exception of the broker, wake-ups merged."""

import dataclasses
import threading
import time

import pytest
from django.db import transaction

from core import events
from core.events import Event
from tests.stack import wait_until


@dataclasses.dataclass(frozen=True, slots=True)
class Rang(Event):
    number: int


heard: list[int] = []


def first(event: Rang) -> None:
    heard.append(event.number)


def second(event: Rang) -> None:
    heard.append(-event.number)


def failing(event: Rang) -> None:
    raise ValueError("no")


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Event]]:
    """A table of our own for the test; the dispatcher notes what would go to workers."""
    heard.clear()
    sent: list[tuple[str, Event]] = []
    monkeypatch.setattr(events, "_routes", {Rang: (f"{__name__}.first", f"{__name__}.second")})
    monkeypatch.setattr(events, "_names", {events.event_name(Rang): Rang})
    monkeypatch.setattr(events, "_dispatcher", lambda path, event: sent.append((path, event)))
    return sent


@pytest.mark.django_db(transaction=True)
def test_an_event_waits_for_the_commit(table: list[tuple[str, Event]]) -> None:
    with transaction.atomic():
        events.publish(Rang(1))
        assert table == []
    assert [event for _path, event in table] == [Rang(1), Rang(1)]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_event_never_happened(table: list[tuple[str, Event]]) -> None:
    with transaction.atomic():
        events.publish(Rang(1))
        transaction.set_rollback(True)
    assert table == []


@pytest.mark.django_db(transaction=True)
def test_a_missing_broker_does_not_undo_what_was_done(
    table: list[tuple[str, Event]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(path: str, event: Event) -> None:
        raise ConnectionError("redis://secret@host")

    monkeypatch.setattr(events, "_dispatcher", away)
    events.publish(Rang(1))
    assert [record.message for record in caplog.records] == ["event.not_dispatched"] * 2


def test_deliver_runs_the_handlers_in_order_and_passes_failures_on(
    table: list[tuple[str, Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    events.deliver(Rang(3))
    assert heard == [3, -3]
    monkeypatch.setattr(events, "_routes", {Rang: (f"{__name__}.failing", f"{__name__}.first")})
    with pytest.raises(ValueError, match="no"):
        events.deliver(Rang(4))
    assert 4 not in heard


def test_an_event_survives_packing(table: list[tuple[str, Event]]) -> None:
    assert events.unpack(events.pack(Rang(7))) == Rang(7)


def test_many_wake_ups_become_few_and_none_is_lost(
    table: list[tuple[str, Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[float] = []
    monkeypatch.setattr(events, "_routes", {Rang: ("one",)})
    monkeypatch.setattr(events, "_dispatcher", lambda path, event: sent.append(time.monotonic()))

    def ring() -> None:
        for _ in range(200):
            events.dispatch_soon(Rang(1))

    threads = [threading.Thread(target=ring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = time.monotonic()
    events.dispatch_soon(Rang(1))
    wait_until(lambda: sent and sent[-1] >= last, what="the dispatch of the last one")
    assert 1 <= len(sent) < 800
