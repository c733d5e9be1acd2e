"""Threads that ask WeChat, or the provider of texts, for many messages at once, and the couriers they share."""

import contextlib
import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from django.conf import settings
from django.db import connections

from campaigns.contracts import topics as names
from campaigns.services.planning import Way
from campaigns.services.texting import send_by_text
from wechat.contracts import SendOutcome
from wechat.services.contents import TEXT_BYTES
from wechat.services.direct import Courier

logger = logging.getLogger(__name__)

_CLOSING_S: Final = 30


class Flight:
    """Messages on the wire, and what came of each."""

    def __init__(self, ways: Sequence[Way], thread_count: int) -> None:
        self._ways = ways
        # When so many are left there is just time to make the next flight ready.
        self._near_end = max(0, len(ways) - 2 * thread_count)
        self._outcomes = [SendOutcome("uncertain", "wechat.no_answer")] * len(ways)
        self._places = itertools.count()
        self._is_near_end = threading.Event()
        self._threads: list[Future[None]] = []

    def carry(self, send: Callable[[Way], SendOutcome]) -> None:
        """Sends one after the other of those that nobody has begun; as many threads as there are do so at once."""
        while (place := next(self._places)) < len(self._ways):
            if place == self._near_end:
                self._is_near_end.set()
            self._outcomes[place] = send(self._ways[place])

    def take_off(self, threads: Sequence["Future[None]"]) -> None:
        self._threads += threads

    def wait_for_end(self) -> None:
        """Until so few are left to begin that the next flight may follow."""
        self._is_near_end.wait()

    def land(self) -> list[tuple[Way, SendOutcome]]:
        """What came of each, in order, when all are answered."""
        for thread in self._threads:
            thread.result()
        return list(zip(self._ways, self._outcomes, strict=True))


class Fleet:
    """Sends what it is given while its owner does other things. Threads start with the first flight of several."""

    def __init__(self) -> None:
        self._couriers: dict[int, Courier] = {}
        self._pool: ThreadPoolExecutor | None = None

    def launch(self, ways: Sequence[Way]) -> Flight:
        """They are on their way; never raises for what happens to one of them."""
        for account_id in {way.account_id for way in ways if way.account_id} - self._couriers.keys():
            self._couriers[account_id] = Courier(account_id)
        thread_count = min(settings.REACH_THREADS, len(ways))
        flight = Flight(ways, thread_count)
        if len(ways) == 1:
            flight.carry(self._send)
        else:
            flight.take_off(self._start(lambda: flight.carry(self._send), thread_count))
        return flight

    def close(self) -> None:
        """The call log is written, every thread's connection closed."""
        for courier in self._couriers.values():
            courier.flush()
        if self._pool is not None:
            # Each thread is kept until all have closed theirs, so that none does it twice and another never.
            gate = threading.Barrier(settings.REACH_THREADS)

            def end() -> None:
                connections.close_all()
                with contextlib.suppress(threading.BrokenBarrierError):
                    gate.wait(_CLOSING_S)

            for thread in self._start(end, settings.REACH_THREADS):
                thread.result()
            self._pool.shutdown()
            self._pool = None

    def _start(self, work: Callable[[], None], thread_count: int) -> list["Future[None]"]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(settings.REACH_THREADS, thread_name_prefix="reach")
        return [self._pool.submit(work) for _one in range(thread_count)]

    def _send(self, way: Way) -> SendOutcome:
        try:
            if way.channel == names.SMS:
                return send_by_text(way)
            courier = self._couriers[way.account_id]
            if way.channel == names.SUBSCRIPTION:
                return courier.send_subscription(
                    openid=way.openid, template_id=way.template_id, fields=way.fields, page=way.page
                )
            if way.channel == names.TEMPLATE:
                return courier.send_template(
                    openid=way.openid,
                    template_id=way.template_id,
                    fields=way.fields,
                    client_msg_id=way.client_msg_id,
                    mini_app_id=way.mini_app_id if way.page else "",
                    mini_page=way.page,
                )
            return courier.send_service_message(
                openid=way.openid, kind="text", payload={"text": _bubble(way.held.content)}
            )
        except Exception:
            # Whether it had left by then is not known.
            logger.exception("campaigns.send_failed", extra={"reach_id": way.held.id})
            return SendOutcome("uncertain", "wechat.no_answer", is_repeatable=way.channel == names.TEMPLATE)


@contextlib.contextmanager
def fleet() -> Iterator[Fleet]:
    """A fleet for one run."""
    sailing = Fleet()
    try:
        yield sailing
    finally:
        sailing.close()


def _bubble(content: dict[str, str]) -> str:
    text = content["text"]
    return text.encode()[:TEXT_BYTES].decode(errors="ignore")
