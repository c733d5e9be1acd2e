"""The sandbox in WeChat's and the text provider's place, and one logged-in phone."""

from collections.abc import Iterator

import pytest
import redis
from pytest_django import Settings

from rest import throttles
from tests.miniapp.kit import SMS_SECRET, Mini, Phone
from tests.sandbox_process import running_sandbox
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
    settings.SMS_GATEWAY = "sandbox"
    settings.SMS_URL = f"{sandbox_url}/sms/send"
    settings.SMS_KEY_ID = world.sms_key
    settings.SMS_KEY_SECRET = SMS_SECRET
    settings.SMS_SIGN = "素衣"
    settings.SMS_TEMPLATE_CODES = {"verification_code": "SMS_1001"}
    settings.SMS_TIMEOUT_S = 2
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
