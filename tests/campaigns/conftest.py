"""WeChat as a test tells it to answer, and a member whom every channel reaches."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from pytest_django import Settings

from campaigns.models import TopicText
from core import clock
from tests.campaigns.kit import World, make_world
from tests.campaigns.text_kit import Desk
from tests.cast import Cast
from tests.members import privacy_kit
from tests.sandbox_process import running_sandbox
from tests.sms.kit import Provider, use_provider
from tests.wechat.scripted_server import ScriptedServer, in_wechats_place


@pytest.fixture
def by_day() -> Iterator[None]:
    """Noon of today, going on: no day and no month ends while something is counted by it."""
    with time_machine.travel(clock.day_bounds(clock.today())[0] + dt.timedelta(hours=12), tick=True):
        yield


@pytest.fixture
def server(settings: Settings) -> Iterator[ScriptedServer]:
    settings.REACH_THREADS = 4
    with in_wechats_place(settings) as running:
        yield running


@pytest.fixture
def world(transactional_db: None, cast: Cast, server: ScriptedServer) -> World:
    return make_world(cast, server)


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture
def desk(world: World, provider_url: str, settings: Settings) -> Iterator[Desk]:
    provider = Provider(provider_url)
    provider.set_up()
    use_provider(settings, provider)
    yield Desk(world, provider)
    provider.script("DELETE", "/faults")


@pytest.fixture
def texted(desk: Desk) -> Desk:
    """Marketing is said by a text message of one part."""
    TopicText.objects.create(
        topic="marketing", template_id=desk.marketing.pk, fields={"1": {"value": "title"}}
    )
    privacy_kit.consent_texts()
    return desk
