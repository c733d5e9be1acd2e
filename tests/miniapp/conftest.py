"""The sandbox in WeChat's and the text provider's place, and one logged-in phone."""

from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

from rest import throttles
from tests.miniapp.kit import Mini, Phone
from tests.sandbox_process import running_sandbox
from tests.sms.kit import CODE_TEMPLATE, add_sign, add_template, use_provider
from tests.wechat.scripted_server import hosts_at
from wechat.client import transport


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture(autouse=True)
def _fresh_counters(settings: Settings) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    throttles._Breaker.until = 0.0


@pytest.fixture
def mini(sandbox_url: str, settings: Settings, transactional_db: None) -> Iterator[Mini]:
    world = Mini(sandbox_url)
    settings.WECHAT_HOSTS = hosts_at(sandbox_url)
    settings.WECHAT_TIMEOUT_S = 2
    use_provider(settings, world.sms)
    settings.SMS_TIMEOUT_S = 2
    add_sign()
    add_template(**CODE_TEMPLATE)
    world.set_up()
    yield world
    world.script("DELETE", "/faults")
    transport.connections().close()


@pytest.fixture
def phone(mini: Mini) -> Phone:
    """小美's phone, logged in."""
    one = mini.phone_of()
    assert one.log_in().status_code == 200
    return one
