"""The sandbox in WeChat's and the text provider's place, and one logged-in phone."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.miniapp.kit import Mini, Phone
from tests.sandbox_process import running_sandbox
from tests.sms.kit import CODE_TEMPLATE, add_sign, add_template, use_provider
from tests.throttle_kit import fresh_counters
from tests.wechat.scripted_server import hosts_at
from wechat.client import transport


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture(autouse=True)
def _fresh_counters(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_counters(settings, monkeypatch)


@pytest.fixture
def mini(sandbox_url: str, settings: Settings, transactional_db: None) -> Iterator[Mini]:
    world = Mini(sandbox_url)
    settings.WECHAT_HOSTS = hosts_at(sandbox_url)
    settings.WECHAT_TIMEOUT_S = 30
    use_provider(settings, world.sms)
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
