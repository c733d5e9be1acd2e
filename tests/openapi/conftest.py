"""Fresh counters, one store with its till, and another."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.coupons.kit import make_shop
from tests.openapi.kit import Till, make_till
from tests.throttle_kit import fresh_counters


@pytest.fixture(autouse=True)
def _fresh_counters(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_counters(settings, monkeypatch)


@pytest.fixture
def shop(transactional_db: Any) -> int:
    """A store; its id."""
    return make_shop()


@pytest.fixture
def till(shop: int) -> Till:
    """The till of `shop`."""
    return make_till(shop)
