"""A browser that is logged in, and the stand-in for WeChat to log in through."""

from collections.abc import Callable

import pytest
from django.test import Client

from guides.contracts import GuideCard
from tests.fixtures_cast import cast  # noqa: F401
from tests.wechat.gateway_out import sandbox, sandbox_url  # noqa: F401

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
