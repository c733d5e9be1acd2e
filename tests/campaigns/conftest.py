"""WeChat as a test tells it to answer, and a member whom every channel reaches."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from campaigns.models import TopicText
from tests.campaigns.kit import World, make_world
from tests.campaigns.text_kit import Desk
from tests.cast import Cast
from tests.members import privacy_kit
from tests.sandbox_process import running_sandbox
from tests.sms.kit import Provider, use_provider
from tests.wechat.scripted_server import ScriptedServer, in_wechats_place


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
