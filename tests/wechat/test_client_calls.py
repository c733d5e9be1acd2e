"""The client's own transport: hosts, bodies, answers, repeats."""

import io
import json
import logging
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from pytest_django import Settings

from tests.wechat.gateway_out import OPENID, PHONE, SECRET, at_once
from tests.wechat.scripted_server import (
    DROP,
    EMPTY,
    FINE,
    HTML,
    Reply,
    ScriptedServer,
    error,
    ok,
    token_reply,
)
from wechat.client import transport
from wechat.client.errors import (
    ApiError,
    TokenBusy,
    TransportError,
    UnknownHost,
    UnreadableAnswer,
    WeChatError,
)
from wechat.client.gateway import GatewayClient
from wechat.models import Account, OutboundCall
from wechat.services.clients import client_for

SEND = "/cgi-bin/message/custom/send"
INFO = "/cgi-bin/user/info"
BATCH = "/cgi-bin/user/info/batchget"
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 96


def failure_of(work: Callable[[], Any]) -> WeChatError:
    with pytest.raises(WeChatError) as caught:
        work()
    return caught.value


# Where calls go and what they carry -----------------------------------------------------------------------


def test_relative_absolute_and_own_base_addresses_all_go_to_the_mapped_host(
    account: Account, server: ScriptedServer
) -> None:
    for path in (
        "/cgi-bin/user/get",
        "/customservice/kfsession/getwaitcase",
        "/wxa/get_page",
        "/scan/merchantinfo/get",
    ):
        server.script(path, ok(page_list=[], total=0))
    client = client_for(account.pk)
    client.user.get_followers()
    client.customservice.get_wait_case()
    client.wxa.get_page()
    client.scan.get_merchant_info()
    called = [seen.path for seen in server.seen if seen.path != "/cgi-bin/stable_token"]
    assert called == [
        "/cgi-bin/user/get",
        "/customservice/kfsession/getwaitcase",
        "/wxa/get_page",
        "/scan/merchantinfo/get",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/cgi-bin/x",
        "https://api.weixin.qq.com.evil.example/x",
        "https://api.weixin.qq.com@evil.example/x",
        "https://evil.example\\@api.weixin.qq.com/x",
        "https://api.weixin.qq.com:8443/x",
        "http://127.0.0.1/x",
    ],
)
def test_no_call_leaves_for_a_host_outside_the_map(
    account: Account, server: ScriptedServer, url: str
) -> None:
    problem = failure_of(lambda: client_for(account.pk).get(url))
    assert isinstance(problem, UnknownHost)
    assert problem.reached == "no"
    assert problem.permanent
    assert server.seen == []


def test_a_redirect_is_not_followed(account: Account, server: ScriptedServer) -> None:
    server.script(INFO, Reply(status=302, location=f"{server.base_url}/api/elsewhere"))
    problem = failure_of(lambda: client_for(account.pk).user.get(OPENID))
    assert isinstance(problem, TransportError)
    assert problem.status == 302
    assert server.calls("/elsewhere") == []


def test_json_bodies_are_raw_utf8_and_say_so(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, FINE)
    client_for(account.pk).message.send_text(OPENID, "您好，欢迎光临 🎉")
    seen = server.calls(SEND)[0]
    assert seen.content_type == "application/json; charset=utf-8"
    assert "您好，欢迎光临 🎉".encode() in seen.body
    assert b"\\u" not in seen.body


def test_half_a_surrogate_pair_is_replaced_instead_of_raising_with_the_whole_text(
    account: Account, server: ScriptedServer
) -> None:
    server.script(SEND, FINE)
    client_for(account.pk).message.send_text(OPENID, "half \ud83c")
    assert server.calls(SEND)[0].json()["text"]["content"] == "half ?"


def test_parameters_that_are_none_are_left_out(account: Account, server: ScriptedServer) -> None:
    server.script(INFO, ok(openid=OPENID))
    client_for(account.pk).get("user/info", params={"openid": OPENID, "lang": None})
    assert set(server.calls(INFO)[0].query) == {"openid", "access_token"}


def test_calls_share_one_kept_alive_connection(account: Account, server: ScriptedServer) -> None:
    server.script(INFO, ok(openid=OPENID))
    for _ in range(5):
        client_for(account.pk).user.get(OPENID)
    assert len({seen.port for seen in server.seen}) == 1


def test_a_connection_that_rested_long_is_not_trusted(
    account: Account, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(INFO, ok(openid=OPENID))
    client = client_for(account.pk)
    client.user.get(OPENID)
    monkeypatch.setattr(transport, "LONGEST_REST_S", 0.05)
    time.sleep(0.1)
    client.user.get(OPENID)
    first, second = server.calls(INFO)
    assert first.port != second.port


def test_a_forked_worker_does_not_share_its_parents_connections() -> None:
    parents = transport.connections()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"own" if transport.connections.cache_info().currsize == 0 else b"shared")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"own"
    os.close(reader)
    os.close(writer)
    assert transport.connections() is parents


def test_a_login_code_is_exchanged_without_fetching_a_token(account: Account, server: ScriptedServer) -> None:
    server.script("/sns/jscode2session", ok(openid=OPENID, session_key="k"))
    client_for(account.pk).wxa.code_to_session("js-code")
    assert "access_token" not in server.calls("/sns/jscode2session")[0].query
    assert server.calls("/cgi-bin/stable_token") == []


# What answers mean ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply", [HTML, EMPTY, Reply(b"[]"), Reply(b"{broken"), Reply(b'{"errcode": "x"}'), Reply(JPEG)]
)
def test_http_200_without_the_promised_form_is_unreadable(
    account: Account, server: ScriptedServer, reply: Reply
) -> None:
    server.script(INFO, reply)
    problem = failure_of(lambda: client_for(account.pk).user.get(OPENID))
    assert isinstance(problem, UnreadableAnswer)
    assert problem.reached == "unknown"
    assert OutboundCall.objects.get(path=INFO).outcome == "unreadable"


def test_an_answer_without_an_expected_field_is_unreadable(account: Account, server: ScriptedServer) -> None:
    server.script(BATCH, ok(errcode=0))
    assert isinstance(failure_of(lambda: client_for(account.pk).user.get_batch([OPENID])), UnreadableAnswer)


def test_deeply_nested_json_is_unreadable_and_does_not_break_the_process(
    account: Account, server: ScriptedServer
) -> None:
    server.script(INFO, Reply(b'{"a":' * 100_000))
    assert isinstance(failure_of(lambda: client_for(account.pk).user.get(OPENID)), UnreadableAnswer)


def test_errcode_as_a_string_is_read_as_a_number(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, error("45015"), error("0"))
    client = client_for(account.pk)
    assert failure_of(lambda: client.message.send_text(OPENID, "hi")).errcode == 45015
    assert client.message.send_text(OPENID, "hi")["errcode"] == 0


def test_a_picture_is_told_from_an_error_by_its_first_bytes(account: Account, server: ScriptedServer) -> None:
    client = client_for(account.pk)
    server.script("/cgi-bin/media/get", Reply(JPEG, content_type="image/jpeg"), error(40007), HTML)
    assert client.media.download("m").content == JPEG
    assert failure_of(lambda: client.media.download("m")).errcode == 40007
    assert isinstance(failure_of(lambda: client.media.download("m")), UnreadableAnswer)


def test_the_request_id_is_kept_apart_from_the_text(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, error(45015, "response out of time limit, rid: 65f0-aa11-bb22"))
    problem = failure_of(lambda: client_for(account.pk).message.send_text(OPENID, "hi"))
    assert problem.rid == "65f0-aa11-bb22"
    assert problem.errmsg == "response out of time limit"


@pytest.mark.parametrize(
    ("errcode", "permanent", "retry_after_s"),
    [
        (-1, False, 1),
        (40001, False, None),
        (45011, False, 60),
        (40003, True, None),
        (40125, True, None),
        (99999, True, None),
    ],
)
def test_each_code_says_whether_it_lasts(errcode: int, permanent: bool, retry_after_s: int | None) -> None:
    problem = ApiError.of_answer("/x", errcode, "")
    assert (problem.permanent, problem.retry_after_s) == (permanent, retry_after_s)


def test_a_spent_daily_quota_asks_to_wait_until_midnight_in_beijing() -> None:
    problem = ApiError.of_answer(SEND, 45009, "")
    assert problem.retry_after_s is not None
    assert 0 < problem.retry_after_s <= 24 * 3600 + 1
    assert ApiError.of_answer("/wxa/getwxacodeunlimit", 45009, "").retry_after_s == 60


# Whether WeChat may have acted ----------------------------------------------------------------------------


def test_a_refused_connection_surely_did_not_reach_wechat(account: Account, settings: Settings) -> None:
    settings.WECHAT_HOSTS = dict.fromkeys(settings.WECHAT_HOSTS, "http://127.0.0.1:9")
    problem = failure_of(lambda: GatewayClient("wx", SECRET).stable_token.fetch())
    assert isinstance(problem, TransportError)
    assert (problem.how, problem.reached, problem.permanent) == ("connection", "no", False)


@pytest.mark.parametrize("reply", [DROP, Reply(b'{"errcode":0', is_cut=True)])
def test_a_broken_connection_leaves_it_open(account: Account, server: ScriptedServer, reply: Reply) -> None:
    server.script(SEND, reply)
    problem = failure_of(lambda: client_for(account.pk).message.send_text(OPENID, "hi"))
    assert isinstance(problem, TransportError)
    assert (problem.how, problem.reached) == ("connection", "unknown")
    assert len(server.calls(SEND)) == 1


def test_a_slow_answer_times_out_and_leaves_it_open(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, Reply(FINE.body, delay_s=60))
    started = time.monotonic()
    problem = failure_of(lambda: client_for(account.pk).message.send_text(OPENID, "hi"))
    assert isinstance(problem, TransportError)
    assert (problem.how, problem.reached) == ("timeout", "unknown")
    assert time.monotonic() - started < 30  # it did not wait for the answer


@pytest.mark.parametrize(
    ("status", "permanent", "reached"),
    [(500, False, "yes"), (503, False, "yes"), (504, False, "unknown"), (404, True, "yes")],
)
def test_http_errors_are_turned_away_except_a_gateway_time_out(
    account: Account, server: ScriptedServer, status: int, permanent: bool, reached: str
) -> None:
    server.script(SEND, Reply(b"no", status, "text/html"))
    problem = failure_of(lambda: client_for(account.pk).message.send_text(OPENID, "hi"))
    assert (problem.outcome, problem.permanent, problem.reached) == ("http", permanent, reached)


# Repeats --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_dead_token_is_renewed_and_the_call_repeated_once(
    account: Account, server: ScriptedServer, errcode: int
) -> None:
    server.script("/cgi-bin/stable_token", token_reply("token-1"), token_reply("token-2"))
    server.script(SEND, error(errcode), FINE)
    client_for(account.pk).message.send_text(OPENID, "hi")
    assert [seen.query["access_token"] for seen in server.calls(SEND)] == ["token-1", "token-2"]


def test_a_token_that_stays_dead_is_given_up_after_one_repeat(
    account: Account, server: ScriptedServer
) -> None:
    server.script(SEND, error(40001))
    problem = failure_of(lambda: client_for(account.pk).message.send_text(OPENID, "hi"))
    assert problem.errcode == 40001
    assert len(server.calls(SEND)) == 2


def test_a_repeated_upload_sends_the_whole_file_again(account: Account, server: ScriptedServer) -> None:
    server.script("/cgi-bin/stable_token", token_reply("token-1"), token_reply("token-2"))
    server.script("/cgi-bin/media/upload", error(40001), ok(media_id="m1"))
    client_for(account.pk).media.upload("image", io.BytesIO(JPEG))
    first, second = server.calls("/cgi-bin/media/upload")
    assert JPEG in first.body
    assert JPEG in second.body
    assert first.content_type.startswith("multipart/form-data; boundary=")


def test_a_repeat_with_ready_made_query_text_carries_the_new_token(
    account: Account, server: ScriptedServer
) -> None:
    server.script("/cgi-bin/stable_token", token_reply("token-1"), token_reply("token-2"))
    server.script("/customservice/kfaccount/del", error(40001), FINE)
    client_for(account.pk).customservice.delete_account("li@main")
    first, second = server.calls("/customservice/kfaccount/del")
    assert first.query == {"kf_account": "li@main", "access_token": "token-1"}
    assert second.query == {"kf_account": "li@main", "access_token": "token-2"}


def test_system_busy_is_repeated_with_growing_pauses_where_that_is_safe(
    account: Account, server: ScriptedServer
) -> None:
    paused: list[float] = []
    server.script(BATCH, error(-1), error(-1), error(-1), ok(user_info_list=[]))
    client = GatewayClient(account.app_id, SECRET, tokens=client_for(account.pk).tokens, sleep=paused.append)
    client.user.get_batch([OPENID])
    assert paused == [1, 2, 4]


def test_system_busy_is_given_up_within_a_bounded_time(account: Account, server: ScriptedServer) -> None:
    paused: list[float] = []
    server.script(INFO, error(-1))
    client = GatewayClient(
        account.app_id, SECRET, tokens=client_for(account.pk).tokens, sleep=paused.append, busy_patience_s=60
    )
    assert failure_of(lambda: client.user.get(OPENID)).errcode == -1
    assert paused == [1, 2, 4, 8, 16]


def test_a_message_is_never_repeated_on_system_busy(account: Account, server: ScriptedServer) -> None:
    server.script(SEND, error(-1))
    assert failure_of(lambda: client_for(account.pk).message.send_text(OPENID, "hi")).errcode == -1
    assert len(server.calls(SEND)) == 1


# Rules of the house ---------------------------------------------------------------------------------------


def test_no_call_runs_inside_a_transaction(account: Account, server: ScriptedServer) -> None:
    client = client_for(account.pk)
    with transaction.atomic(), pytest.raises(RuntimeError):
        client.user.get(OPENID)
    assert server.seen == []


def test_every_attempt_leaves_one_row_without_its_parameters(
    account: Account, server: ScriptedServer
) -> None:
    server.script("/cgi-bin/stable_token", token_reply("token-1"), token_reply("token-2"))
    server.script(INFO, error(40001, "invalid credential rid: r-1"), ok(openid=OPENID))
    client_for(account.pk).user.get(OPENID)
    rows = OutboundCall.objects.order_by("pk").values_list("path", "outcome", "errcode", "rid")
    assert list(rows) == [
        ("/cgi-bin/stable_token", "ok", None, ""),
        (INFO, "refused", 40001, "r-1"),
        ("/cgi-bin/stable_token", "ok", None, ""),
        (INFO, "ok", None, ""),
    ]


def test_a_call_log_that_cannot_be_written_does_not_fail_the_call(
    account: Account, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_fields: Any) -> None:
        raise DatabaseError("disk full")

    server.script(INFO, ok(openid=OPENID))
    monkeypatch.setattr(OutboundCall.objects, "create", broken)
    assert client_for(account.pk).user.get(OPENID)["openid"] == OPENID


def test_threads_may_share_a_client(account: Account, server: ScriptedServer) -> None:
    server.script(INFO, lambda seen: ok(openid=seen.query["openid"]))
    client = client_for(account.pk)
    results = at_once(8, lambda number: client.user.get(f"openid-{number}")["openid"])
    assert results == [f"openid-{number}" for number in range(8)]


# Nothing private in what fails ----------------------------------------------------------------------------


def _failures(account: Account, server: ScriptedServer) -> list[WeChatError]:
    planted = f"bad {OPENID} {SECRET} token-1 {PHONE} rid: r-1"
    problems = []
    client = client_for(account.pk)
    for reply in (
        error(40003, planted),
        HTML,
        DROP,
        Reply(b"", 500),
        Reply(b"", delay_s=1.2),
        error(40001, planted),
    ):
        server.script(INFO, reply)
        problems.append(failure_of(lambda: client.user.get(OPENID)))
    server.script("/sns/oauth2/access_token", error(40029, f"{SECRET} code-planted-123456 {PHONE}"))
    problems.append(failure_of(lambda: client.oauth.exchange_code("code-planted-123456")))
    problems.append(TokenBusy("/cgi-bin/stable_token"))
    return problems


def test_failures_hold_no_secret_token_code_openid_or_phone(
    account: Account, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    planted = [SECRET, "token-1", OPENID, PHONE, "code-planted-123456"]
    for problem in _failures(account, server):
        sealed = pickle.dumps(problem)
        again = pickle.loads(sealed)
        assert (type(again), again.state(), str(again)) == (type(problem), problem.state(), str(problem))
        texts = [str(problem), repr(problem), json.dumps(problem.state()), repr(vars(problem))]
        for value in planted:
            assert value.encode() not in sealed
            assert all(value not in text for text in texts)
        assert problem.__cause__ is None
        assert problem.__context__ is None
    records = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert [value for value in planted if value in records] == []
    assert "access_token=" not in records


def test_a_client_is_not_pickled_and_does_not_show_its_secret(account: Account) -> None:
    client = client_for(account.pk)
    with pytest.raises(TypeError):
        pickle.dumps(client)
    assert SECRET not in repr(client)


def test_urllib3_may_not_log_addresses() -> None:
    """Its warning about odd headers prints the URL, and the URL carries secret and token."""
    assert logging.getLogger("urllib3.connection").getEffectiveLevel() >= logging.ERROR
    assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() >= logging.WARNING


def test_the_transport_does_not_know_requests() -> None:
    for module in Path(transport.__file__).parent.glob("*.py"):
        assert "import requests" not in module.read_text()
