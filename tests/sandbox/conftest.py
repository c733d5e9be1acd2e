"""One sandbox for the session, emptied before each test; a fresh callback for each test."""

from collections.abc import Iterator

import pytest

from tests.sandbox.callback import APP, Callback
from tests.sandbox.front_end import FrontEnd
from tests.sandbox.world import Driver
from tests.sandbox_process import running_sandbox


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture
def callback() -> Iterator[Callback]:
    server = Callback()
    yield server
    server.close()


@pytest.fixture
def driver(sandbox_url: str, callback: Callback) -> Iterator[Driver]:
    """An empty world with one account in safe mode, quick retries and much patience."""
    one = Driver(sandbox_url, callback)
    one.script("POST", "/reset")
    one.script("PATCH", "/settings", {"push_retry_delays": [0.02, 0.02, 0.02], "push_timeout_s": 30})
    one.account()
    yield one
    one.script("POST", "/reset")
    one.http.close()


@pytest.fixture
def openid(driver: Driver) -> str:
    """The openid of 小美, who follows the account."""
    person = driver.person(key="xiaomei")
    driver.act(person, "follow")
    return str(person["openids"][APP])


@pytest.fixture
def front_end() -> Iterator[FrontEnd]:
    """The server of a mini-program."""
    one = FrontEnd()
    yield one
    one.close()
