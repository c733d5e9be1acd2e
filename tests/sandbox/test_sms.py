"""The provider of text messages that the sandbox plays."""

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from tests.sandbox.world import Driver

KEY, SECRET = "key-1", "sms-secret"
GOOD = {
    "phone": "13800138000",
    "sign": "素衣",
    "template": "T1",
    "params": {"code": "402816"},
    "out_id": "r1",
}


@pytest.fixture
def sms(driver: Driver) -> Driver:
    body = {"key_secret": SECRET, "signs": ["素衣"], "templates": {"T1": "验证码 ${code}"}}
    driver.script("PUT", f"/sms/{KEY}", body)
    return driver


def send(
    sms: Driver, body: Any = GOOD, *, secret: str = SECRET, stamp: int | None = None, key: str = KEY
) -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    moment = str(int(time.time()) if stamp is None else stamp)
    proof = hmac.new(secret.encode(), f"{moment}\n".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"X-Key-Id": key, "X-Timestamp": moment, "X-Signature": proof}
    answer = sms.http.post("/sms/send", content=raw, headers=headers)
    assert answer.status_code == 200
    return str(answer.json()["code"])


def test_a_text_arrives_on_the_phone_of_whoever_has_the_number(sms: Driver) -> None:
    person = sms.person(phone="13800138000")
    assert send(sms) == "OK"
    texts = sms.script("GET", f"/people/{person['id']}/texts")["texts"]
    assert [text["text"] for text in texts] == ["【素衣】验证码 402816"]
    assert sms.script("GET", "/texts?phone=13900139000") == {"texts": []}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"phone": "12345"}, "bad_phone"),
        ({"phone": 13800138000}, "bad_phone"),
        ({"sign": "别家"}, "bad_sign"),
        ({"template": "T2"}, "bad_template"),
        ({"params": {}}, "bad_template"),
        ({"params": {"code": "1", "more": "2"}}, "bad_template"),
        ({"params": {"code": "长" * 80}}, "too_long"),
    ],
)
def test_what_was_not_approved_is_refused(sms: Driver, changes: dict[str, Any], code: str) -> None:
    assert send(sms, {**GOOD, **changes}) == code
    assert sms.script("GET", "/texts")["texts"] == []


def test_only_signed_requests_of_a_known_key_count(sms: Driver) -> None:
    assert send(sms, secret="wrong") == "bad_signature"
    assert send(sms, key="nobody") == "bad_key"
    assert send(sms, stamp=int(time.time()) - 301) == "bad_timestamp"
    assert send(sms, b"[]") == send(sms, b"{") == "bad_request"


def test_faults_strike_here_too_and_calls_are_logged_without_content(sms: Driver) -> None:
    sms.script("POST", "/faults", {"target": "calls", "kind": "too_often", "path": "/sms/send", "times": 1})
    assert (send(sms), send(sms)) == ("throttled", "OK")
    calls = sms.script("GET", "/calls")["calls"]
    assert [(call["path"], call["errcode"], call["fault"]) for call in calls] == [
        ("/sms/send", 1, "too_often"),
        ("/sms/send", 0, ""),
    ]
    assert "402816" not in str(calls)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key_secret": "x", "signs": "素衣", "templates": {}},
        {"key_secret": "x", "signs": ["a"], "templates": {"T": 1}},
    ],
)
def test_a_key_that_cannot_be_is_refused(sms: Driver, body: dict[str, Any]) -> None:
    assert sms.script("PUT", "/sms/k", body, status=400)["error"] == "bad_field"
