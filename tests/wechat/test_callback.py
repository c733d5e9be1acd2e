"""The callback: what is taken, what is refused, what is answered."""

import json
import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.wechat import push_kit
from tests.wechat.conftest import Push, make_account
from tests.wechat.reply_kit import make_rule
from wechat.models import Account, InboundEvent
from wechat.services.callback import Answer, answer

OPENID = "oTESTUSER_00000000000000001"


def stored() -> list[InboundEvent]:
    return list(InboundEvent.objects.order_by("pk"))


# URL verification ----------------------------------------------------------------------------------------


def test_url_verification_returns_the_plain_echo_even_in_safe_mode(safe_account: Account) -> None:
    query = push_kit.plain_query() | {"echostr": "4375120948345356249"}
    assert answer("safe", "GET", query, b"") == Answer(200, b"4375120948345356249")


def test_url_verification_with_a_wrong_signature_tells_nothing(safe_account: Account) -> None:
    query = push_kit.plain_query(token="Other1") | {"echostr": "1"}
    assert answer("safe", "GET", query, b"").status == 403


def test_unknown_and_inactive_accounts_look_like_a_bad_signature(safe_account: Account) -> None:
    make_account("off", app_id="wxoff", is_active=False)
    query = push_kit.plain_query() | {"echostr": "1"}
    bad = answer("safe", "GET", query | {"signature": "0" * 40}, b"")
    assert answer("nobody", "GET", query, b"") == bad
    assert answer("off", "GET", query, b"") == bad


# Taken ---------------------------------------------------------------------------------------------------


def test_a_safe_push_is_stored_decrypted_and_answered(push_safe: Push) -> None:
    assert push_safe(push_kit.event("subscribe", EventKey="qrscene_ABC")).body == b"success"
    (event,) = stored()
    assert (event.kind, event.openid, event.state) == ("event.subscribe", OPENID, "stored")
    assert "qrscene_ABC" in event.raw


def test_a_plain_push_is_stored(push_plain: Push) -> None:
    assert push_plain(push_kit.text_message("你好")).body == b"success"
    assert stored()[0].kind == "text"


def test_compatible_mode_trusts_only_the_encrypted_copy(db: None) -> None:
    make_account("both", "compatible")
    fields = push_kit.text_message("真的")
    encrypted = push_kit.encrypt(push_kit.xml(fields))
    body = push_kit.xml({**fields, "Content": "假的", "Encrypt": encrypted}).encode()
    assert answer("both", "POST", push_kit.sealed_query(encrypted), body).status == 200
    assert "真的" in stored()[0].raw
    assert "假的" not in stored()[0].raw


def test_a_json_push_of_a_mini_program_is_stored(db: None) -> None:
    make_account("mini", kind="mini_program")
    query, body = push_kit.sealed(json.dumps(push_kit.event("debug_demo", debug_str="hi")), as_json=True)
    assert answer("mini", "POST", query, body).body == b"success"
    assert stored()[0].kind == "event.debug_demo"


def test_event_names_are_compared_without_case(push_safe: Push) -> None:
    push_safe(push_kit.event("SCAN", EventKey="ABC"))
    assert stored()[0].kind == "event.scan"


def test_an_unknown_kind_is_stored_and_acknowledged(push_safe: Push) -> None:
    assert push_safe(push_kit.event("brand_new_event", Foo="bar")).body == b"success"
    assert stored()[0].kind == "event.brand_new_event"


def test_the_previous_key_is_accepted_and_used_for_the_reply(db: None) -> None:
    account = make_account("turn", previous_aes_key=push_kit.OLD_AES_KEY)
    make_rule(account.pk, "收到", trigger="default")
    query, body = push_kit.sealed(push_kit.xml(push_kit.text_message("在吗")), key=push_kit.OLD_AES_KEY)
    reply = answer("turn", "POST", query, body)
    encrypted = reply.body.decode().split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    text, app_id = push_kit.decrypt(encrypted, key=push_kit.OLD_AES_KEY)
    assert "收到" in text
    assert app_id == push_kit.APP_ID


# Stored once ---------------------------------------------------------------------------------------------


def test_a_retry_with_fresh_ciphertext_is_the_same_row(push_safe: Push) -> None:
    fields = push_kit.text_message("一次")
    assert {push_safe(fields).body for _ in range(3)} == {b"success"}
    assert len(stored()) == 1


def test_a_retry_gets_the_same_reply(push_safe: Push, safe_account: Account) -> None:
    make_rule(safe_account.pk, "收到", trigger="default")
    fields = push_kit.text_message("在吗")
    first, second = push_safe(fields), push_safe(fields)
    assert first.content_type == second.content_type == "application/xml; charset=utf-8"


def test_two_events_of_one_user_in_the_same_second_are_two(push_safe: Push) -> None:
    at = int(time.time())
    push_safe(push_kit.event("CLICK", EventKey="A", CreateTime=at))
    push_safe(push_kit.event("CLICK", EventKey="B", CreateTime=at))
    assert len(stored()) == 2


def test_revocations_of_two_users_from_one_system_sender_are_two(push_safe: Push) -> None:
    at = int(time.time())
    for user in ("oUSER_A", "oUSER_B"):
        push_safe(
            push_kit.event(
                "user_authorization_revoke",
                FromUserName="oPLATFORM",
                OpenID=user,
                RevokeInfo="205",
                CreateTime=at,
            )
        )
    assert len(stored()) == 2


def test_the_same_message_to_two_accounts_is_two(push_safe: Push) -> None:
    make_account("second", app_id="wxsecond")
    fields = push_kit.text_message("同样")
    push_safe(fields)
    query, body = push_kit.sealed(push_kit.xml(fields), app_id="wxsecond")
    assert answer("second", "POST", query, body).status == 200
    assert len(stored()) == 2


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_one_row_and_fifty_successes() -> None:
    make_account()
    fields = push_kit.event("subscribe", EventKey="qrscene_ABC")
    bodies: list[bytes] = []

    def push() -> None:
        try:
            query, body = push_kit.sealed(push_kit.xml(fields))
            bodies.append(answer("safe", "POST", query, body).body)
        finally:
            connection.close()

    threads = [threading.Thread(target=push) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [b"success"] * 50
    assert InboundEvent.objects.count() == 1


# Refused -------------------------------------------------------------------------------------------------


def _mutations() -> dict[str, tuple[dict[str, str], bytes]]:
    good_xml = push_kit.xml(push_kit.text_message("x"))
    query, body = push_kit.sealed(good_xml)
    encrypted = push_kit.encrypt(good_xml)
    twice = f"<xml><Encrypt>{encrypted}</Encrypt><Encrypt>{encrypted}</Encrypt></xml>".encode()
    stale = push_kit.sealed_query(encrypted)
    old = str(int(time.time()) - 90_000)
    stale |= {
        "timestamp": old,
        "msg_signature": push_kit.sign(push_kit.TOKEN, old, stale["nonce"], encrypted),
    }
    flipped = ("A" if encrypted[10] != "A" else "B").join([encrypted[:10], encrypted[11:]])
    deep = "<a>" * 8000
    return {
        "flipped byte": (push_kit.sealed_query(encrypted), push_kit.envelope(flipped)),
        "wrong token": (push_kit.sealed_query(encrypted, token="Other1"), push_kit.envelope(encrypted)),
        "no signature": ({k: v for k, v in query.items() if k != "msg_signature"}, body),
        "signature only": (push_kit.plain_query() | {"encrypt_type": "aes"}, body),
        "wrong appid": push_kit.sealed(good_xml, app_id="wxother"),
        "unknown key": push_kit.sealed(good_xml, key="x" * 42 + "A"),
        "pad 0": push_kit.sealed(good_xml, pad=0),
        "pad 33": push_kit.sealed(good_xml, pad=33),
        "no Encrypt": (push_kit.sealed_query(encrypted), b"<xml><ToUserName>gh</ToUserName></xml>"),
        "doubled Encrypt": (push_kit.sealed_query(encrypted), twice),
        "truncated": (query, body[: len(body) // 2]),
        "empty body": (query, b""),
        "not utf-8": (query, b"\xff\xfe<xml>"),
        "billion laughs": (query, b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>'),
        "deep": (query, f"<xml>{deep}".encode()),
        "deep json": (query, b'{"Encrypt":' + b"[" * 30_000),
        "stale": (stale, push_kit.envelope(encrypted)),
        "no timestamp": (query | {"timestamp": ""}, body),
        "timestamp words": (query | {"timestamp": "now"}, body),
        "downgrade": (push_kit.plain_query(), good_xml.encode()),
        "downgrade raw": (push_kit.plain_query() | {"encrypt_type": "raw"}, good_xml.encode()),
    }


@pytest.mark.parametrize("name", sorted(_mutations()))
def test_what_cannot_be_trusted_gets_one_refusal_and_leaves_nothing(name: str, safe_account: Account) -> None:
    query, body = _mutations()[name]
    assert answer("safe", "POST", query, body) == Answer(403, b"refused")
    assert stored() == []


def test_an_oversized_body_is_refused(safe_account: Account) -> None:
    assert answer("safe", "POST", push_kit.plain_query(), None) == Answer(403, b"refused")


def test_other_methods_are_refused(safe_account: Account) -> None:
    assert answer("safe", "PUT", push_kit.plain_query(), b"").status == 403


def test_an_account_with_an_empty_token_serves_nothing(db: None) -> None:
    make_account("bare", push_token="")
    blank = {"signature": push_kit.sign("", "", ""), "timestamp": "", "nonce": "", "echostr": "1"}
    assert answer("bare", "GET", blank, b"").status == 403


def test_one_plain_signature_cannot_carry_a_second_body(push_plain: Push) -> None:
    query = push_kit.plain_query()
    fields = push_kit.text_message("first")
    assert push_plain(fields, query).status == 200
    assert push_plain(fields, query).status == 200  # WeChat's own retry
    assert push_plain(push_kit.text_message("forged"), query).status == 403
    assert len(stored()) == 1


def test_the_reason_of_a_refusal_is_in_our_log_only(
    safe_account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    query, body = push_kit.sealed("<xml/>", app_id="wxother")
    assert b"app" not in answer("safe", "POST", query, body).body
    assert caplog.records[-1].__dict__["reason"] == "wrong_app_id"


# Unreadable but authentic --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "<xml><MsgType>text",
        "no markup at all",
        "<xml><MsgType>text</MsgType><MsgType>text</MsgType><CreateTime>1700000000</CreateTime></xml>",
        "<xml><ToUserName>gh</ToUserName></xml>",
        "<xml><MsgType>text</MsgType><CreateTime>soon</CreateTime></xml>",
        '{"MsgType": {"deep": 1}, "CreateTime": 1700000000}',
        "[1, 2]",
        '{"MsgType": "event", "CreateTime": 1700000000}',
        "",
    ],
)
def test_an_authentic_push_we_cannot_read_is_kept_with_its_text(safe_account: Account, body: str) -> None:
    query, request_body = push_kit.sealed(body)
    for _retry in range(2):
        assert answer("safe", "POST", query, request_body).body == b"success"
    (event,) = stored()
    assert (event.state, event.raw) == ("unreadable", body)


def test_nul_characters_do_not_break_the_insert(safe_account: Account) -> None:
    fields = json.dumps(push_kit.text_message("a\x00b"))
    query, body = push_kit.sealed(fields)
    assert answer("safe", "POST", query, body).body == b"success"


# Both mounts ---------------------------------------------------------------------------------------------


def _through_django(query: dict[str, str], body: bytes) -> tuple[int, bytes]:
    response = Client().post(f"/wechat/callback/safe/?{_encode(query)}", data=body, content_type="text/xml")
    return response.status_code, response.content


def _through_mount(query: dict[str, str], body: bytes) -> tuple[int, bytes]:
    import io

    from wechat.views import CallbackMount

    seen: list[Any] = []
    environ = {
        "PATH_INFO": "/wechat/callback/safe/",
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": _encode(query),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    chunks = CallbackMount(lambda e, s: [])(environ, lambda status, headers: seen.append(status))
    return int(seen[0].split()[0]), b"".join(chunks)


def _encode(query: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(query)


@pytest.mark.parametrize("through", [_through_django, _through_mount])
def test_both_mounts_take_and_refuse_the_same(safe_account: Account, through: Any) -> None:
    query, body = push_kit.sealed(push_kit.xml(push_kit.text_message("x")))
    assert through(query, body) == (200, b"success")
    assert through(query | {"msg_signature": "0" * 40}, body) == (403, b"refused")
    assert through(query, b"x" * 70_000) == (403, b"refused")


def test_a_body_longer_than_it_said_is_refused(safe_account: Account) -> None:
    import io

    from wechat.views import _read_body

    assert _read_body({"CONTENT_LENGTH": "", "wsgi.input": io.BytesIO(b"x" * 70_000)}) is None
    assert _read_body({"CONTENT_LENGTH": "abc", "wsgi.input": io.BytesIO(b"x" * 70_000)}) is None
