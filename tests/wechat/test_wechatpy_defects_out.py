"""What wechatpy 1.8.18 does wrong on the way out: each defect shown on plain wechatpy, and closed on ours.

When an upgrade of wechatpy makes the first half of such a test fail, the second half may lose its reason.
"""

import contextlib
import io
import json
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pytest_django import Settings
from requests.adapters import HTTPAdapter
from wechatpy import WeChatOAuth
from wechatpy.client import WeChatClient
from wechatpy.exceptions import APILimitedException, WeChatClientException, WeChatOAuthException
from wechatpy.session.memorystorage import MemoryStorage

from core import clock
from tests.wechat.gateway_out import APP_ID, OPENID, SECRET, at_once
from tests.wechat.scripted_server import EMPTY, FINE, HTML, Reply, ScriptedServer, error, ok, token_reply
from wechat.client.errors import (
    ApiError,
    NotOffered,
    TransportError,
    UnknownHost,
    UnreadableAnswer,
    WeChatError,
)
from wechat.client.gateway import GatewayClient
from wechat.errors import LoginCodeUnusable
from wechat.models import AccessToken, Account
from wechat.models.account import TokenKind
from wechat.services import oauth, tokens
from wechat.services.clients import client_for

CLASSIC = "/cgi-bin/token"
STABLE = "/cgi-bin/stable_token"
INFO = "/cgi-bin/user/info"
SEND = "/cgi-bin/message/custom/send"
UPLOAD = "/cgi-bin/media/upload"
TICKET = "/cgi-bin/ticket/getticket"
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 96
EXCHANGE = "/sns/oauth2/access_token"


class ToServer(HTTPAdapter):
    """Lets plain wechatpy, which names its hosts in the code, reach the scripted server; notes the hosts."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url
        self.hosts: list[str] = []
        self.timeouts: list[object] = []

    def send(self, request: Any, *arguments: Any, **options: Any) -> Any:
        parts = urlsplit(request.url)
        self.hosts.append(parts.netloc)
        self.timeouts.append(options.get("timeout"))
        query = f"?{parts.query}" if parts.query else ""
        request.url = f"{self.base_url}/api{parts.path}{query}"
        return super().send(request, *arguments, **options)


@pytest.fixture
def adapter(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ToServer]:
    """Every requests session, also those that wechatpy opens in passing, goes through here."""
    to_server = ToServer(server.base_url)
    monkeypatch.setattr(requests.Session, "get_adapter", lambda _self, url: to_server)
    server.script(CLASSIC, token_reply())
    yield to_server
    to_server.close()


Plain = Callable[..., Any]


@pytest.fixture
def plain(adapter: ToServer) -> Plain:
    def make(**options: Any) -> Any:
        return WeChatClient(APP_ID, SECRET, **options)

    return make


def numbered_tokens(seen: Any, counter: list[int]) -> Reply:
    counter.append(1)
    return token_reply(f"token-{len(counter)}")


# Tokens and repeats ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def shallow_stack(frames: int) -> Iterator[None]:
    """Leave room for so many frames only: reaching Python's own limit takes a minute of HTTP calls."""
    used, frame = 0, sys._getframe()
    while frame.f_back is not None:
        used, frame = used + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(used + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def test_a_token_that_stays_dead(account: Account, server: ScriptedServer, plain: Plain) -> None:
    server.script(INFO, error(40001))
    client = plain()
    with shallow_stack(150), pytest.raises(RecursionError):
        client.user.get(OPENID)
    assert len(server.calls(CLASSIC)) > 20

    server.seen.clear()
    with pytest.raises(ApiError):
        client_for(account.pk).user.get(OPENID)
    assert len(server.calls(INFO)) == 2


def test_twenty_threads_without_a_token(account: Account, server: ScriptedServer, plain: Plain) -> None:
    all_ask = threading.Barrier(20)

    def when_all_have_asked(_seen: Any) -> Reply:
        all_ask.wait(timeout=30)
        return token_reply()

    server.script(CLASSIC, when_all_have_asked)
    server.script(STABLE, Reply(token_reply().body, delay_s=0.2))
    shared = plain()
    at_once(20, lambda _: shared.access_token)
    assert len(server.calls(CLASSIC)) == 20

    at_once(20, lambda _: client_for(account.pk).access_token)
    assert len(server.calls(STABLE)) == 1


def test_a_second_process_uses_the_token_the_first_has_stored(
    account: Account, server: ScriptedServer, plain: Plain
) -> None:
    counter: list[int] = []
    server.script(CLASSIC, lambda seen: numbered_tokens(seen, counter))
    store = MemoryStorage()
    first, second = plain(session=store), plain(session=store)
    second.fetch_access_token()
    second.expires_at = int(time.time()) - 1  # what it remembers of the token it fetched two hours ago
    first.fetch_access_token()
    assert second.access_token == "token-3"

    tokens.get_token(account_id=account.pk)
    assert client_for(account.pk).access_token == client_for(account.pk).access_token
    assert len(server.calls(STABLE)) == 1


def test_an_expired_token_in_the_store(account: Account, server: ScriptedServer, plain: Plain) -> None:
    store = MemoryStorage()
    store.set(f"{APP_ID}_access_token", "expired", 1)
    time.sleep(1.1)
    assert plain(session=store).access_token == "expired"

    AccessToken.objects.create(
        account=account, kind=TokenKind.ACCESS, value="expired", expires_at=clock.now()
    )
    assert client_for(account.pk).access_token == "token-1"


def test_a_token_in_its_last_minutes(account: Account, server: ScriptedServer, plain: Plain) -> None:
    old = plain()
    old.session.set(old.access_token_key, "last-minutes")
    old.expires_at = int(time.time()) + 100
    assert old.access_token == "last-minutes"

    expires_at = clock.from_unix(int(time.time()) + 100)
    AccessToken.objects.create(
        account=account, kind=TokenKind.ACCESS, value="last-minutes", expires_at=expires_at
    )
    assert client_for(account.pk).access_token == "token-1"


def test_a_slow_token_endpoint(
    account: Account, server: ScriptedServer, plain: Plain, adapter: ToServer
) -> None:
    plain(timeout=0.2).fetch_access_token()
    assert adapter.timeouts == [None]

    server.script(STABLE, Reply(token_reply().body, delay_s=60))
    started = time.monotonic()
    with pytest.raises(TransportError):
        client_for(account.pk).user.get(OPENID)
    assert time.monotonic() - started < 30  # it did not wait for the answer


def test_a_token_endpoint_that_answers_with_a_page(
    account: Account, server: ScriptedServer, plain: Plain
) -> None:
    server.script(CLASSIC, HTML)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        plain().user.get(OPENID)

    server.script(STABLE, HTML)
    with pytest.raises(UnreadableAnswer):
        client_for(account.pk).user.get(OPENID)


def test_system_busy(account: Account, server: ScriptedServer, plain: Plain) -> None:
    server.script(INFO, error(-1), ok(openid=OPENID))
    with pytest.raises(WeChatClientException):
        plain().user.get(OPENID)

    server.script(INFO, error(-1), ok(openid=OPENID))
    client = GatewayClient(APP_ID, SECRET, tokens=tokens.AccountTokens(account.pk), sleep=lambda _: None)
    assert client.user.get(OPENID)["openid"] == OPENID


def test_quota_and_http_errors_say_what_they_are(
    account: Account, server: ScriptedServer, plain: Plain
) -> None:
    server.script(INFO, Reply(b"", 502))
    with pytest.raises(WeChatClientException) as bare:
        plain().user.get(OPENID)
    assert bare.value.errcode is None
    server.script(INFO, error(45009))
    with pytest.raises(APILimitedException):
        plain().user.get(OPENID)

    with pytest.raises(ApiError) as quota:
        client_for(account.pk).user.get(OPENID)
    assert (quota.value.permanent, quota.value.retry_after_s is not None) == (False, True)
    server.script(INFO, Reply(b"", 502))
    with pytest.raises(TransportError) as away:
        client_for(account.pk).user.get(OPENID)
    assert (away.value.status, away.value.permanent) == (502, False)


@pytest.mark.parametrize("reply", [HTML, EMPTY])
def test_a_page_or_nothing_instead_of_json(
    account: Account, server: ScriptedServer, plain: Plain, reply: Reply
) -> None:
    server.script(INFO, reply)
    assert isinstance(plain().user.get(OPENID), requests.Response)

    with pytest.raises(UnreadableAnswer):
        client_for(account.pk).user.get(OPENID)


def test_an_upload_repeated_after_a_dead_token(
    account: Account, server: ScriptedServer, plain: Plain
) -> None:
    server.script(UPLOAD, error(40001), ok(media_id="m"))
    plain().media.upload("image", ("a.jpg", io.BytesIO(JPEG)))
    assert [JPEG in seen.body for seen in server.calls(UPLOAD)] == [True, False]

    server.seen.clear()
    server.script(UPLOAD, error(40001), ok(media_id="m"))
    client_for(account.pk).media.upload("image", ("a.jpg", io.BytesIO(JPEG)))
    assert [JPEG in seen.body for seen in server.calls(UPLOAD)] == [True, True]


def test_a_repeat_of_a_call_with_ready_made_query(
    account: Account, server: ScriptedServer, plain: Plain
) -> None:
    path = "/customservice/kfaccount/del"
    server.script(path, error(40001), FINE)
    with pytest.raises(TypeError):
        plain().customservice.delete_account("li@main")

    server.script(path, error(40001), FINE)
    assert client_for(account.pk).customservice.delete_account("li@main")["errcode"] == 0


def test_properties_are_not_run_before_the_client_is_set_up(account: Account, server: ScriptedServer) -> None:
    touched: list[str] = []

    def peek(self: Any) -> str:
        touched.append("run")
        return "x"

    type("Plain", (WeChatClient,), {"probe": property(peek)})(APP_ID, SECRET)._http.close()
    assert touched == ["run"]

    touched.clear()
    ours = type("Ours", (GatewayClient,), {"probe": property(peek)})(APP_ID, SECRET)
    assert touched == []
    assert ours.user._client is ours
    assert server.seen == []


def test_json_says_that_it_is_json(account: Account, server: ScriptedServer, plain: Plain) -> None:
    server.script(SEND, FINE)
    plain().message.send_text(OPENID, "您好")
    client_for(account.pk).message.send_text(OPENID, "您好")
    types = [seen.content_type for seen in server.calls(SEND)]
    assert types == ["", "application/json; charset=utf-8"]
    assert all("您好".encode() in seen.body for seen in server.calls(SEND))


# Hosts ----------------------------------------------------------------------------------------------------

REAL = {"api.weixin.qq.com", "mp.weixin.qq.com"}
STUBBORN: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("own base", "/sns/jscode2session", lambda client: client.wxa.code_to_session("code")),
    (
        "absolute",
        "/customservice/kfaccount/add",
        lambda client: client.customservice.add_account("a@b", "n", "p"),
    ),
    ("absolute", "/semantic/semproxy/search", lambda client: client.semantic.search("q", "flight")),
    ("bare get", "/cgi-bin/showqrcode", lambda client: client.qrcode.show("ticket")),
]


@pytest.mark.parametrize(("kind", "path", "call"), STUBBORN)
def test_calls_that_ignore_the_base_address(
    account: Account,
    server: ScriptedServer,
    adapter: ToServer,
    kind: str,
    path: str,
    call: Callable[[Any], Any],
) -> None:
    reply = Reply(JPEG) if kind == "bare get" else FINE
    server.script(path, reply)
    moved = type("Moved", (WeChatClient,), {"API_BASE_URL": f"{server.base_url}/api/cgi-bin/"})
    call(moved(APP_ID, SECRET, access_token="t"))
    assert REAL & set(adapter.hosts)

    adapter.hosts.clear()
    server.seen.clear()
    call(client_for(account.pk))
    assert adapter.hosts == []  # requests took no part
    assert len(server.calls(path)) == 1


def test_the_token_call_ignores_the_base_address(server: ScriptedServer, adapter: ToServer) -> None:
    moved = type("Moved", (WeChatClient,), {"API_BASE_URL": f"{server.base_url}/api/cgi-bin/"})
    moved(APP_ID, SECRET).fetch_access_token()
    assert adapter.hosts == ["api.weixin.qq.com"]


def test_a_picture_of_a_code(
    account: Account, server: ScriptedServer, plain: Plain, adapter: ToServer
) -> None:
    """Plain: no time limit, and an error page is handed over as if it were the picture."""
    server.script("/cgi-bin/showqrcode", Reply(b"<html>", 404, "text/html"))
    assert plain().qrcode.show("ticket").content == b"<html>"
    assert adapter.timeouts == [None]

    with pytest.raises(TransportError):
        client_for(account.pk).qrcode.show("ticket")


def test_a_file_for_a_host_that_an_answer_names(
    account: Account, server: ScriptedServer, plain: Plain, adapter: ToServer, tmp_path: Any
) -> None:
    path = tmp_path / "members.csv"
    path.write_text("planted")
    named = {"url": "https://cos.evil.test/take", "authorization": "a", "token": "t", "cos_file_id": "c"}
    server.script("/tcb/uploadfile", ok(**named))
    server.script("/take", FINE)
    plain().cloud.upload_file("env", str(path))
    assert "cos.evil.test" in adapter.hosts

    server.seen.clear()
    with pytest.raises(NotOffered):
        client_for(account.pk).cloud.upload_file("env", str(path))
    with pytest.raises(UnknownHost):
        client_for(account.pk).post("https://cos.evil.test/take", data=b"planted")
    assert server.seen == []


# Storage, OAuth, secrets ----------------------------------------------------------------------------------


def test_a_ticket_in_its_last_second(account: Account, server: ScriptedServer, plain: Plain) -> None:
    server.script(TICKET, ok(errcode=0, ticket="fresh", expires_in=7200))
    old = plain()
    old.session.set(f"{APP_ID}_jsapi_ticket", "last-second")
    old.session.set(f"{APP_ID}_jsapi_ticket_expires_at", int(time.time()) + 1)
    assert old.jsapi.get_jsapi_ticket() == "last-second"

    expires_at = clock.from_unix(int(time.time()) + 1)
    AccessToken.objects.create(
        account=account, kind=TokenKind.JSAPI, value="last-second", expires_at=expires_at
    )
    assert client_for(account.pk).jsapi.get_jsapi_ticket() == "fresh"


def test_wechatpys_own_storage_is_not_used(account: Account, server: ScriptedServer, plain: Plain) -> None:
    store = MemoryStorage()
    store.set("key", "value")
    assert store["key"] is None  # its subscription forgets to return

    client = client_for(account.pk)
    assert not hasattr(client, "session")
    assert not hasattr(client, "_http")
    assert client.auto_retry is False
    with pytest.raises(NotOffered):
        client.fetch_access_token()


def test_a_state_with_special_characters(account: Account, settings: Settings) -> None:
    state = "a&scope=snsapi_userinfo#x"
    assert (
        f"&state={state}#wechat_redirect"
        in WeChatOAuth(APP_ID, SECRET, "https://x", state=state).authorize_url
    )

    ours = oauth.authorize_url(account_id=account.pk, redirect_uri="https://x", state=state)
    assert "state=a%26scope%3Dsnsapi_userinfo%23x#wechat_redirect" in ours


def test_a_login_error_without_text(
    account: Account, server: ScriptedServer, plain: Plain, adapter: ToServer
) -> None:
    server.script(EXCHANGE, ok(errcode=40029))
    with pytest.raises(KeyError):
        WeChatOAuth(APP_ID, SECRET, "https://x").fetch_access_token("code")
    assert adapter.timeouts == [None]
    server.script("/sns/auth", error(40003))
    with pytest.raises(WeChatOAuthException):  # documented to return False
        WeChatOAuth(APP_ID, SECRET, "https://x").check_access_token(OPENID, "token")

    with pytest.raises(LoginCodeUnusable):
        oauth.exchange_code(account_id=account.pk, code="code")


def test_a_mini_program_login_needs_no_token(account: Account, server: ScriptedServer, plain: Plain) -> None:
    path = "/sns/jscode2session"
    server.script(path, ok(openid=OPENID, session_key="k"))
    plain().wxa.code_to_session("code")
    assert len(server.calls(CLASSIC)) == 1
    assert "access_token" in server.calls(path)[0].query

    server.seen.clear()
    client_for(account.pk).wxa.code_to_session("code")
    assert [seen.path for seen in server.seen] == [path]
    assert "access_token" not in server.calls(path)[0].query


def caught(call: Callable[[], Any]) -> Exception:
    try:
        call()
    except Exception as problem:
        return problem
    raise AssertionError("the call did not fail")


def test_an_exception_in_a_workers_pickle(account: Account, server: ScriptedServer, plain: Plain) -> None:
    server.script(INFO, error(40003))
    assert SECRET.encode() in pickle.dumps(caught(lambda: plain().user.get(OPENID)))

    sealed = pickle.dumps(caught(lambda: client_for(account.pk).user.get(OPENID)))
    assert not [value for value in (SECRET, OPENID, "token-1") if value.encode() in sealed]


def test_a_refused_connection_does_not_print_the_secret(account: Account, settings: Settings) -> None:
    settings.WECHAT_HOSTS = dict.fromkeys(settings.WECHAT_HOSTS, "http://127.0.0.1:9")
    unreachable = type("Unreachable", (WeChatOAuth,), {"API_BASE_URL": "http://127.0.0.1:9/"})
    problem = caught(lambda: unreachable(APP_ID, SECRET, "https://x").fetch_access_token("code"))
    assert f"secret={SECRET}" in str(problem)

    ours = caught(lambda: client_for(account.pk).oauth.exchange_code("code"))
    assert isinstance(ours, WeChatError)
    assert SECRET not in f"{ours!s} {ours!r} {vars(ours)}"
    assert ours.__cause__ is None
    assert ours.__context__ is None


def test_a_file_that_happens_to_be_json(account: Account, server: ScriptedServer, plain: Plain) -> None:
    server.script("/cgi-bin/media/get", Reply(b"12345", content_type="image/jpeg"))
    assert plain().media.download("m") == 12345
    with pytest.raises(UnreadableAnswer):
        client_for(account.pk).media.download("m")

    server.script("/cgi-bin/media/get", Reply(JPEG, content_type="image/jpeg"))
    assert isinstance(plain().media.download("m"), requests.Response)
    assert client_for(account.pk).media.download("m").content == JPEG


def test_the_stable_token_is_unknown_to_plain_wechatpy(server: ScriptedServer, plain: Plain) -> None:
    assert not hasattr(plain(), "stable_token")
    assert GatewayClient(APP_ID, SECRET).stable_token.fetch()["access_token"] == "token-1"
    assert json.loads(server.calls(STABLE)[0].body)["force_refresh"] is False


def test_more_than_one_article_is_not_possible(
    account: Account, server: ScriptedServer, plain: Plain
) -> None:
    server.script(SEND, FINE)
    article = {"title": "t", "description": "d", "url": "u", "image": "i"}
    plain().message.send_articles(OPENID, [article] * 2)
    assert len(server.calls(SEND)[0].json()["news"]["articles"]) == 2

    client_for(account.pk).message.send_article(OPENID, title="t", description="d", url="u", picture_url="i")
    assert len(server.calls(SEND)[1].json()["news"]["articles"]) == 1
