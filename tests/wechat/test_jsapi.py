"""Signing pages for the JS-SDK."""

import json
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.wechat.gateway_out import Sandbox
from tests.wechat.scripted_server import ScriptedServer, error, ok
from wechat.errors import ForeignPage, WeChatAway, WeChatRefused
from wechat.models import Account
from wechat.services import jsapi

VECTORS = json.loads((Path(__file__).parent.parent / "fixtures" / "wechat_vectors.json").read_text())
TICKET = "/cgi-bin/ticket/getticket"


@pytest.fixture(autouse=True)
def _own_host(settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "https://shop.test"


def test_the_signature_is_that_of_the_official_sample() -> None:
    vector = next(vector for vector in VECTORS if vector["id"] == "jssdk")
    made = jsapi.sign(
        ticket=vector["jsapi_ticket"],
        nonce_str=vector["noncestr"],
        timestamp=int(vector["timestamp"]),
        url=vector["url"],
    )
    assert made == vector["signature"]


def test_a_page_of_ours_is_signed_without_its_fragment(account: Account, server: ScriptedServer) -> None:
    server.script(TICKET, ok(ticket="ticket-1", expires_in=7200))
    url = "https://shop.test/a/?q=李娜&from=singlemessage"
    signed = jsapi.sign_page(account_id=account.pk, url=f"{url}#top")
    assert signed.app_id == account.app_id
    assert signed.signature == jsapi.sign(
        ticket="ticket-1", nonce_str=signed.nonce_str, timestamp=signed.timestamp, url=url
    )


def test_the_ticket_is_fetched_once_for_many_pages(account: Account, server: ScriptedServer) -> None:
    server.script(TICKET, ok(ticket="ticket-1", expires_in=7200))
    nonces = {jsapi.sign_page(account_id=account.pk, url="https://shop.test/a/").nonce_str for _ in range(5)}
    assert len(nonces) == 5
    assert len(server.calls(TICKET)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/",
        "https://shop.test.evil.test/",
        "https://shop.test@evil.test/",
        "https://evil.test\\@shop.test/",
        "https://user:word@shop.test/",
        "https://shop.test:8443/",
        "http://shop.test/",
        "javascript:alert(1)//shop.test",
        "//shop.test/",
        "https://shop.test:x/",
        "https://shop.test /",
        "",
    ],
)
def test_pages_of_others_are_not_signed(account: Account, server: ScriptedServer, url: str) -> None:
    with pytest.raises(ForeignPage):
        jsapi.sign_page(account_id=account.pk, url=url)
    assert server.seen == []


def test_without_a_ticket_the_reason_is_told(account: Account, server: ScriptedServer) -> None:
    server.script(TICKET, error(-1))
    with pytest.raises(WeChatAway):
        jsapi.sign_page(account_id=account.pk, url="https://shop.test/")
    server.script(TICKET, error(48001))
    with pytest.raises(WeChatRefused):
        jsapi.sign_page(account_id=account.pk, url="https://shop.test/")


def test_the_sandbox_gives_a_ticket(sandbox: Sandbox, sandbox_account: Account) -> None:
    assert jsapi.sign_page(account_id=sandbox_account.pk, url="https://shop.test/").signature
