"""Threads that ask WeChat for many messages at once, and the couriers they share."""

import contextlib
import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.conf import settings
from django.db import connections

from campaigns.contracts import topics as names
from campaigns.services.planning import Way
from wechat.contracts import SendOutcome
from wechat.services.contents import TEXT_BYTES
from wechat.services.direct import Courier

logger = logging.getLogger(__name__)

_CLOSING_S: Final = 30


class Fleet:
    """Sends what it is given and says what came of each, in order. Threads start with the first message."""

    def __init__(self) -> None:
        self._couriers: dict[int, Courier] = {}
        self._pool: ThreadPoolExecutor | None = None

    def send(self, ways: Sequence[Way]) -> list[SendOutcome]:
        """One outcome for each; never raises for what happens to one of them."""
        for account_id in {way.account_id for way in ways} - self._couriers.keys():
            self._couriers[account_id] = Courier(account_id)
        outcomes: list[SendOutcome] = [SendOutcome("uncertain", "wechat.no_answer")] * len(ways)
        if len(ways) == 1:
            outcomes[0] = self._send(ways[0])
            return outcomes
        places = itertools.count()

        def carry() -> None:
            while (place := next(places)) < len(ways):
                outcomes[place] = self._send(ways[place])

        self._run(carry, min(settings.REACH_THREADS, len(ways)))
        return outcomes

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

            self._run(end, settings.REACH_THREADS)
            self._pool.shutdown()
            self._pool = None

    def _run(self, work: Callable[[], None], thread_count: int) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(settings.REACH_THREADS, thread_name_prefix="reach")
        for future in [self._pool.submit(work) for _one in range(thread_count)]:
            future.result()

    def _send(self, way: Way) -> SendOutcome:
        courier = self._couriers[way.account_id]
        try:
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
