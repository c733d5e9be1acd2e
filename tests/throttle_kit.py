"""The counters of the APIs, so that neither a slow machine nor the turn of a minute decides what is held back."""

import datetime as dt
import types
from typing import Final

import pytest
import redis
from pytest_django import Settings

from rest import throttles

# In the middle of its minute, hour and day: no span ends while a test counts.
_STANDS_AT: Final = dt.datetime(2026, 11, 11, 12, 30, 30, tzinfo=dt.UTC).timestamp()


def fresh_counters(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has asked yet, the counters' clock stands, and Redis may take its time."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    monkeypatch.setattr(throttles, "_TIMEOUT_S", 30)
    monkeypatch.setattr(throttles, "time", types.SimpleNamespace(time=lambda: _STANDS_AT))
    throttles.forget_client()
    throttles._Breaker.until = 0.0
