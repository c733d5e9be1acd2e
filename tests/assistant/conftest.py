"""A browser that is logged in, and the stand-in for WeChat to log in through."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from core import clock
from guides.contracts import GuideCard
from tests.cast import Cast
from tests.fixtures_cast import cast  # noqa: F401
from tests.sales.kit import key_of, line, order, tell
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


@pytest.fixture
def sold(cast: Cast) -> Cast:  # noqa: F811
    """Today 李娜 ¥128, 王芳 ¥320.50, 赵强 ¥10 and 陈静 (south) ¥900; last week 李娜 ¥50."""
    tell(
        order("A1", line(amount_fen=12_800), member=key_of(cast.xiaomei)),
        order("A2", line(amount_fen=32_050), serving_guide="T002"),
        order("A3", line(amount_fen=1_000), serving_guide="T003"),
        order("A4", line(amount_fen=90_000), serving_guide="T004", store_code="T02"),
        order("A5", line(amount_fen=5_000), sold_at=dt.datetime(2026, 3, 4, 4, tzinfo=dt.UTC)),
    )
    return cast


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
