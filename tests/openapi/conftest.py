"""Fresh counters, one store with its till, and another."""

from typing import Any

import pytest
import redis
from pytest_django import Settings

from rest import throttles
from tests.coupons.kit import make_shop
from tests.openapi.kit import Till, make_till


@pytest.fixture(autouse=True)
def _fresh_counters(settings: Settings) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    throttles._Breaker.until = 0.0


@pytest.fixture
def shop(transactional_db: Any) -> int:
    """A store; its id."""
    return make_shop()


@pytest.fixture
def till(shop: int) -> Till:
    """The till of `shop`."""
    return make_till(shop)
