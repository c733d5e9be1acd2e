"""Login inside WeChat."""

import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import InvalidInput
from tests.wechat.gateway_out import APP_ID, OPENID, SECRET, Sandbox
from tests.wechat.scripted_server import DROP, HTML, Reply, ScriptedServer, error, ok
from wechat.errors import LoginCodeUnusable, SnapshotUser, WeChatAway, WeChatRefused
from wechat.models import AccessToken, Account
from wechat.services import oauth

EXCHANGE = "/sns/oauth2/access_token"
BACK = "https://shop.test/a/login/?next=/a/&x=1"


def test_the_address_has_wechats_order_quoting_and_fragment(account: Account, server: ScriptedServer) -> None:
    url = oauth.authorize_url(account_id=account.pk, redirect_uri=BACK, state="s1")
    assert url == (
        f"{server.base_url}/open/connect/oauth2/authorize?appid={APP_ID}"
        "&redirect_uri=https%3A%2F%2Fshop.test%2Fa%2Flogin%2F%3Fnext%3D%2Fa%2F%26x%3D1"
        "&response_type=code&scope=snsapi_base&state=s1#wechat_redirect"
    )


def test_a_state_cannot_break_out_of_its_parameter(account: Account) -> None:
    state = "a&scope=snsapi_userinfo#x 有"
    parts = urlsplit(oauth.authorize_url(account_id=account.pk, redirect_uri=BACK, state=state))
    assert parse_qs(parts.query)["state"] == [state]
    assert parse_qs(parts.query)["scope"] == ["snsapi_base"]
    assert parts.fragment == "wechat_redirect"


@pytest.mark.parametrize("bad", [{"scope": "snsapi_login"}, {"state": "x" * 129}])
def test_what_wechat_would_refuse_is_refused_here(account: Account, bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        oauth.authorize_url(account_id=account.pk, redirect_uri=BACK, **{"state": "s", **bad})


def test_a_code_becomes_an_identity_and_no_token_is_kept(account: Account, server: ScriptedServer) -> None:
    server.script(EXCHANGE, ok(access_token="user-token", refresh_token="r", openid=OPENID, unionid="u1"))
    found = oauth.exchange_code(account_id=account.pk, code="code-1")
    assert (found.app_id, found.openid, found.unionid) == (APP_ID, OPENID, "u1")
    assert server.calls(EXCHANGE)[0].query == {
        "appid": APP_ID,
        "secret": SECRET,
        "code": "code-1",
        "grant_type": "authorization_code",
    }
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("mark", [1, "1"])
def test_a_snapshot_user_is_refused(account: Account, server: ScriptedServer, mark: object) -> None:
    server.script(EXCHANGE, ok(openid=OPENID, is_snapshotuser=mark))
    with pytest.raises(SnapshotUser):
        oauth.exchange_code(account_id=account.pk, code="code-1")


@pytest.mark.parametrize("errcode", [40029, 40163, 42003, 41008])
def test_a_code_that_is_wrong_used_or_old_asks_for_a_new_one(
    account: Account, server: ScriptedServer, errcode: int
) -> None:
    server.script(EXCHANGE, error(errcode))
    with pytest.raises(LoginCodeUnusable):
        oauth.exchange_code(account_id=account.pk, code="code-1")
    assert len(server.calls(EXCHANGE)) == 1


def test_an_empty_code_is_not_even_asked_about(account: Account, server: ScriptedServer) -> None:
    with pytest.raises(LoginCodeUnusable):
        oauth.exchange_code(account_id=account.pk, code="")
    assert server.seen == []


@pytest.mark.parametrize("reply", [DROP, HTML, error(-1), Reply(b"", 500), ok(), Reply(b"{}", delay_s=1.3)])
def test_wechat_away_is_said_so(account: Account, server: ScriptedServer, reply: Reply) -> None:
    server.script(EXCHANGE, reply)
    with pytest.raises(WeChatAway):
        oauth.exchange_code(account_id=account.pk, code="code-1")
    assert len(server.calls(EXCHANGE)) == 1


@pytest.mark.parametrize("errcode", [40125, 40013, 48001])
def test_a_wrong_configuration_is_said_so(account: Account, server: ScriptedServer, errcode: int) -> None:
    server.script(EXCHANGE, error(errcode))
    with pytest.raises(WeChatRefused) as caught:
        oauth.exchange_code(account_id=account.pk, code="code-1")
    assert caught.value.details == {"errcode": errcode}


def sandbox_code(sandbox: Sandbox, url: str, person_id: str, **more: str) -> str:
    """What the sandbox's page gives the browser when this person agrees."""
    choice = "".join(f"&{name}={value}" for name, value in {"sandbox_person": person_id, **more}.items())

    class Stop(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_arguments: Any) -> None:
            return None

    address = url.replace("#wechat_redirect", choice)
    try:
        urllib.request.build_opener(Stop).open(address, timeout=30)
    except urllib.error.HTTPError as answer:
        with answer:
            return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    raise AssertionError("the sandbox did not send the browser back")


def test_the_sandbox_logs_a_person_in_once(sandbox: Sandbox, sandbox_account: Account) -> None:
    person_id, openid = sandbox.follower()
    url = oauth.authorize_url(account_id=sandbox_account.pk, redirect_uri="http://127.0.0.1/x", state="s")
    code = sandbox_code(sandbox, url, person_id)
    assert oauth.exchange_code(account_id=sandbox_account.pk, code=code).openid == openid
    with pytest.raises(LoginCodeUnusable):
        oauth.exchange_code(account_id=sandbox_account.pk, code=code)


def test_the_sandboxs_snapshot_page_binds_nobody(sandbox: Sandbox, sandbox_account: Account) -> None:
    person_id, _ = sandbox.follower()
    url = oauth.authorize_url(account_id=sandbox_account.pk, redirect_uri="http://127.0.0.1/x", state="s")
    code = sandbox_code(sandbox, url, person_id, sandbox_snapshot="1")
    with pytest.raises(SnapshotUser):
        oauth.exchange_code(account_id=sandbox_account.pk, code=code)
