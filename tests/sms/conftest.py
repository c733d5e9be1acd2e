"""The sandbox as the provider of text messages, with a key of its own for each test."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.sandbox_process import running_sandbox
from tests.sms.kit import CODE_TEMPLATE, Provider, add_sign, add_template, use_provider


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture
def provider(provider_url: str, settings: Settings, transactional_db: None) -> Iterator[Provider]:
    one = Provider(provider_url)
    one.set_up()
    use_provider(settings, one)
    add_sign()
    add_template(**CODE_TEMPLATE)
    yield one
    one.script("DELETE", "/faults")
