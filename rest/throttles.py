"""Counters in Redis: how often somebody may ask. Redis may be flushed or away; then nobody is held back.

What costs money or guards a secret has a second limit in PostgreSQL (text messages, tries of a code, single use
of WeChat's codes), so that nothing hangs on these counters alone.
"""

import dataclasses
import functools
import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import Final, Literal

import redis
from django.conf import settings

from core import crypto

logger = logging.getLogger(__name__)

By = Literal["ip", "caller", "member", "phone"]
_TIMEOUT_S: Final = 0.25
# After Redis failed, requests do not wait for it for so long.
_REST_S: Final = 2.0


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` requests in each span of `span_s` seconds, for one address, caller or phone.

    `caller` is whoever the API knows by her token or key; the mini-program's API says `member`.
    """

    by: By
    most: int
    span_s: int


class _Breaker:
    """Until when Redis is left alone."""

    until: float = 0.0


@functools.cache
def _made_client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
    )


class _Making:
    lock = threading.Lock()


def client() -> redis.Redis:
    """This process's client. Made by one thread: the cache alone lets two make one each, and the one that is not kept
    closes its connections when it is dropped, under the very request that goes through it."""
    with _Making.lock:
        return _made_client()


def forget_client() -> None:
    """The next request makes a client of its own, as in a child of this process."""
    _Making.lock = threading.Lock()
    _made_client.cache_clear()


os.register_at_fork(after_in_child=forget_client)


def find_wait(scope: str, limits: Iterable[tuple[Limit, str]]) -> int | None:
    """Count one request of this scope; the seconds to wait when a limit is passed, None while all hold.

    Each limit comes with whom it is about; names are fingerprinted before they leave this process.
    """
    now = time.time()
    if now < _Breaker.until:
        return None
    asked = list(limits)
    try:
        pipe = client().pipeline(transaction=False)
        for limit, name in asked:
            key = _key(scope, limit, name, now)
            pipe.incr(key)
            pipe.expire(key, limit.span_s + 1)
        counts = pipe.execute()[::2]
    except redis.RedisError:
        _Breaker.until = now + _REST_S
        logger.warning("rest.throttle_away")
        return None
    waits = [
        limit.span_s - int(now) % limit.span_s
        for (limit, _name), count in zip(asked, counts, strict=True)
        if count > limit.most
    ]
    return max(waits, default=None)


def _key(scope: str, limit: Limit, name: str, now: float) -> str:
    mark = crypto.blind_index(name, context="rest.throttle")[:24]
    return f"rest:{scope}:{limit.by}:{limit.span_s}:{int(now) // limit.span_s}:{mark}"
