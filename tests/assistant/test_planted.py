"""Fault 12 in the assistant: no page, no refusal and no log line has a phone or an openid that somebody planted."""

import logging
from typing import Any

import pytest

from core.logs import JsonFormatter
from members import selectors
from tests.assistant.conftest import LogIn
from tests.cast import Cast
from tests.members import privacy_kit as kit

pytestmark = pytest.mark.django_db

HIDDEN = (kit.PHONE, "139 1234 5678", kit.STREET, kit.OPENID, kit.UNIONID, kit.MINI_OPENID)
PARTS = ("portrait", "sales", "coupons", "points", "dealings", "notes")


def test_a_guide_who_may_read_all_of_a_member_reads_no_number_and_no_openid(
    cast: Cast, log_in: LogIn
) -> None:
    member_id = kit.plant(cast)
    guide = log_in(cast.lina)
    public_id = selectors.get_member_card(member_id).public_id
    page = f"/a/members/{public_id}/"
    paths = [f"{page}?tab={part}" for part in PARTS]
    paths += ["/a/", "/a/members/", f"/a/members/?q={kit.PHONE}", f"/a/members/rows/?q={kit.PHONE[-4:]}"]
    paths += [
        f"{page}points/rows/",
        f"{page}coupons/",
        f"{page}phone/",
        f"{page}tags/",
        "/a/requests/",
        "/healthz",
    ]
    paths += ["/a/pulse/?view=today&since=0", "/a/me/", "/a/coupons/"]
    told = {path: guide.get(path) for path in paths}
    assert {answer.status_code for answer in told.values()} <= {200, 204}
    assert kit.NAME in told["/a/members/"].content.decode()
    assert kit.NAME in told[f"/a/members/?q={kit.PHONE}"].content.decode()  # found by it
    for path, answer in told.items():
        text = answer.content.decode().replace(
            f'value="{kit.PHONE}"', ""
        )  # what she typed stays in the field
        text = text.replace(f"q={kit.PHONE}", "")  # and in the address that shows the list again
        assert [word for word in HIDDEN if word in text] == [], path


def test_what_a_guide_looks_for_is_in_no_log_when_the_page_breaks(
    cast: Cast, log_in: LogIn, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit.plant(cast)

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError(f"no room for {kit.PHONE} of {kit.OPENID}")

    monkeypatch.setattr("guides.selectors.list_bound_members", broken)
    caplog.set_level(logging.DEBUG)
    guide = log_in(cast.lina)
    guide.raise_request_exception = False
    answer = guide.get(f"/a/members/?q={kit.PHONE}")
    assert answer.status_code == 500
    assert kit.PHONE not in answer.content.decode()
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert any("RuntimeError" in line for line in lines)
    assert [line for line in lines if any(word in line for word in HIDDEN)] == []
