"""A browser that is logged in, and the stand-in for WeChat to log in through."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from core import clock
from guides.contracts import GuideCard
from tests.fixtures_cast import cast  # noqa: F401
from tests.wechat.gateway_out import sandbox, sandbox_url  # noqa: F401


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """The cast has staff with passwords; a slow hash proves nothing here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def noon() -> Iterator[None]:
    """It is noon of an ordinary day in Shanghai: what is new today does not depend on when the tests run."""
    with time_machine.travel(dt.datetime(2026, 3, 11, 12, tzinfo=clock.SHANGHAI)):
        yield


LogIn = Callable[[GuideCard], Client]


@pytest.fixture
def log_in() -> LogIn:
    """A browser with the session of a guide, opened under her epoch of now."""

    def opened(guide: GuideCard) -> Client:
        client = Client()
        session = client.session
        session["assistant_guide"] = {"guide_id": guide.id, "epoch": guide.session_epoch}
        session.save()
        client.cookies["sessionid"] = session.session_key or ""
        return client

    return opened
