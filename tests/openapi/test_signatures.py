"""Who calls: signed, on time, once, with a living key and its scope; and nothing told to who does not."""

import datetime as dt
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from core import clock
from openapi import services
from openapi.errors import ClientRevoked
from openapi.models import ApiClient, ApiNonce, ApiRequest, ApiSecret
from openapi.services.signatures import NONCE_KEPT, WINDOW, canonical_text, sign
from tests.openapi.kit import API, BOSS, Till, codes, make_till
from tests.threads import at_once


def test_the_vector_of_the_manual() -> None:
    """docs/open-api.md prints these; a till's programmer checks her code with them."""
    text = canonical_text(
        method="POST",
        path="/openapi/v1/orders/redeem?x=1",
        key_id="Q7M2KXH4TBNW9CAY",
        timestamp="1795255500",
        nonce="bm9uY2Utbm9uY2Utbm9u",
        body=b'{"order_no":"20261121-0042"}',
    )
    digest = hashlib.sha256(b'{"order_no":"20261121-0042"}').hexdigest()
    assert text == (
        "XIAOER1-HMAC-SHA256\nPOST\n/openapi/v1/orders/redeem?x=1\nQ7M2KXH4TBNW9CAY\n1795255500\n"
        f"bm9uY2Utbm9uY2Utbm9u\n{digest}"
    )
    signature = sign(secret="xks_example", text=text)
    manual = Path(settings.BASE_DIR, "docs", "open-api.md").read_text("utf-8")
    assert signature in manual
    assert text in manual
    # The manual's own code makes the same.
    program: dict[str, Any] = {"__name__": "manual"}
    exec(manual.split("```python\n")[1].split("```")[0], program)
    made = program["signed_headers"](
        "Q7M2KXH4TBNW9CAY", "xks_example", "POST", "/openapi/v1/orders/redeem?x=1",
        b'{"order_no":"20261121-0042"}', at=1795255500, nonce="bm9uY2Utbm9uY2Utbm9u",
    )  # fmt: skip
    assert (
        made["X-Xiaoer-Signature"]
        == signature
        == hmac.new(b"xks_example", text.encode(), "sha256").hexdigest()
    )


def test_a_signed_request_is_answered_and_logged_without_its_content(till: Till) -> None:
    answer = till.get("/ping")
    assert answer.status_code == 200
    assert answer.data["key"] == till.key_id
    assert answer.data["scopes"] == [
        "behaviours",
        "journeys",
        "lock",
        "members",
        "price",
        "redeem",
        "return",
        "sales:read",
        "sales:write",
        "segments:read",
        "segments:write",
        "verify",
    ]
    assert till.post("/orders/return", {"order_no": "13800138000"}).status_code == 404
    rows = list(ApiRequest.objects.order_by("pk").values_list("method", "endpoint", "status", "code"))
    assert rows == [
        ("GET", "/ping", 200, ""),
        ("POST", "/orders/return", 404, "coupons.no_such_order"),
    ]
    assert ApiClient.objects.get().last_used_at is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signature": "0" * 64}, "openapi.signature_wrong"),
        ({"signature": "é"}, "openapi.signature_wrong"),
        ({"signature": ""}, "openapi.signature_missing"),
        ({"key_id": ""}, "openapi.signature_missing"),
        ({"key_id": "Q7M2KXH4TBNW9CAY"}, "openapi.signature_wrong"),
        ({"key_id": "' OR 1=1"}, "openapi.signature_wrong"),
        ({"timestamp": "soon"}, "openapi.signature_wrong"),
        ({"timestamp": "9" * 40}, "openapi.signature_wrong"),
        ({"timestamp": "-5"}, "openapi.signature_wrong"),
        ({"timestamp": "1"}, "openapi.clock_skewed"),
        ({"timestamp": "999999999999"}, "openapi.clock_skewed"),
        ({"nonce": "short"}, "openapi.signature_wrong"),
        ({"nonce": "n" * 65}, "openapi.signature_wrong"),
    ],
)
def test_a_bent_header_is_refused(till: Till, change: dict[str, str], code: str) -> None:
    assert codes(till.get("/ping", **change)) == (401, code)
    assert not ApiNonce.objects.exists()
    assert not ApiRequest.objects.exists()


def test_what_is_signed_cannot_be_changed(till: Till) -> None:
    path, body = f"{API}/orders/return", json.dumps({"order_no": "S1"}).encode()
    headers = till.headers("POST", path, body)
    other = json.dumps({"order_no": "S2"}).encode()
    assert codes(till.send("POST", path, other, headers)) == (401, "openapi.signature_wrong")
    assert codes(till.send("POST", f"{API}/orders/reverse", body, headers)) == (
        401,
        "openapi.signature_wrong",
    )
    assert codes(till.send("POST", f"{path}?a=1", body, headers)) == (401, "openapi.signature_wrong")
    assert codes(till.send("GET", f"{API}/ping", b"", headers)) == (401, "openapi.signature_wrong")
    headers |= {"X-Xiaoer-Time": str(int(time.time()) + 1)}
    assert codes(till.send("POST", path, body, headers)) == (401, "openapi.signature_wrong")


def test_a_replay_is_refused_whatever_redis_does(till: Till) -> None:
    headers = till.headers("GET", f"{API}/ping", b"")
    assert till.send("GET", f"{API}/ping", b"", headers).status_code == 200
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    assert codes(till.send("GET", f"{API}/ping", b"", headers)) == (401, "openapi.replayed")
    # Another client may use the same nonce.
    other = make_till()
    assert other.get("/ping", nonce=headers["X-Xiaoer-Nonce"]).status_code == 200


def test_of_twenty_copies_at_once_one_is_heard(till: Till) -> None:
    headers = till.headers("GET", f"{API}/ping", b"")
    answers = at_once([lambda: till.send("GET", f"{API}/ping", b"", headers)] * 20)
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 19]


@pytest.mark.parametrize(("skew_s", "status"), [(-290, 200), (290, 200), (-330, 401), (330, 401)])
def test_a_clock_may_be_five_minutes_off_and_is_told_the_time_beyond(
    till: Till, skew_s: int, status: int
) -> None:
    answer = Till(till.key_id, till.secret, skew_s=skew_s).get("/ping")
    assert answer.status_code == status
    if status == 401:
        assert answer.data["code"] == "openapi.clock_skewed"
        assert abs(answer.data["details"]["server_time"] - time.time()) < 60


def test_the_time_is_told_before_the_key_is_looked_at(shop: int) -> None:
    """Who has no key gets the same answers: nothing is learned about which keys there are."""
    nobody = Till("Q7M2KXH4TBNW9CAY", "xks_x", skew_s=900)
    assert codes(nobody.get("/ping")) == (401, "openapi.clock_skewed")
    nobody.skew_s = 0
    unknown, known = nobody.get("/ping"), Till(make_till(shop).key_id, "xks_x").get("/ping")
    assert unknown.data == known.data
    assert unknown["WWW-Authenticate"] == "Xiaoer"


def test_the_clock_asks_for_no_key(db: None) -> None:
    nobody = Till("", "")
    answer = nobody.send("GET", f"{API}/clock", b"", {})
    assert abs(answer.data["unix"] - time.time()) < 60


def test_two_secrets_overlap_and_a_third_ends_the_first(till: Till) -> None:
    client = ApiClient.objects.get()
    week = dt.timedelta(days=7)
    second = services.rotate_secret(client_id=client.pk, overlap=week, actor=BOSS)
    new = Till(till.key_id, second.secret)
    assert (till.get("/ping").status_code, new.get("/ping").status_code) == (200, 200)
    third = services.rotate_secret(client_id=client.pk, overlap=week, actor=BOSS)
    newest = Till(till.key_id, third.secret)
    assert [one.get("/ping").status_code for one in (till, new, newest)] == [401, 200, 200]
    services.rotate_secret(client_id=client.pk, overlap=dt.timedelta(0), actor=BOSS)
    assert newest.get("/ping").status_code == 401
    assert ApiSecret.objects.filter(ends_at__isnull=True).count() == 1


def test_a_secret_is_sealed_at_rest(till: Till) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM openapi_apisecret")
        (stored,) = cursor.fetchone()
    assert till.secret not in stored


def test_a_revoked_key_is_unknown_at_once_and_for_good(till: Till) -> None:
    client = ApiClient.objects.get()
    assert till.get("/ping").status_code == 200
    for _ in range(2):
        services.revoke_client(client_id=client.pk, actor=BOSS)
    assert codes(till.get("/ping")) == (401, "openapi.signature_wrong")
    with pytest.raises(ClientRevoked):
        services.rotate_secret(client_id=client.pk, overlap=dt.timedelta(0), actor=BOSS)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/coupons/verify", "verify"),
        ("POST", "/coupons/lock", "lock"),
        ("POST", "/coupons/unlock", "lock"),
        ("POST", "/members/read", "members"),
        ("GET", "/members/coupons?visit=x", "members"),
        ("POST", "/basket/price", "price"),
        ("POST", "/orders/redeem", "redeem"),
        ("POST", "/queue/redeem", "redeem"),
        ("GET", "/orders?order_no=S1", "redeem"),
        ("POST", "/orders/reverse", "return"),
        ("POST", "/orders/return", "return"),
    ],
)
def test_what_is_not_among_its_scopes_a_key_may_not(shop: int, method: str, path: str, scope: str) -> None:
    others = tuple(one for one in ("verify", "members", "price", "lock", "redeem", "return") if one != scope)
    answer = make_till(shop, scopes=others).ask(method, path)
    assert codes(answer) == (403, "openapi.scope_missing")
    assert answer.data["details"] == {"scope": scope}
    assert make_till(shop, scopes=(scope,)).ask(method, path).status_code != 403 or path.startswith(
        "/members/c"
    )


def test_each_key_has_its_limit_and_without_redis_nobody_is_held_back(
    shop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rest import throttles

    till, other = make_till(shop, per_minute=5), make_till(shop, per_minute=5)
    answers = [till.get("/ping") for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 7
    assert refused[-1].data["code"] == "openapi.too_many_requests"
    assert 1 <= int(refused[-1]["Retry-After"]) <= 60
    assert other.get("/ping").status_code == 200
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    throttles.forget_client()
    try:
        assert till.get("/ping").status_code == 200
    finally:
        throttles.forget_client()


def test_who_sends_nonsense_is_held_back(till: Till) -> None:
    bad = Till(till.key_id, "xks_wrong")
    answers = [bad.get("/ping").status_code for _ in range(250)]
    assert {401, 429} == set(answers)
    assert till.get("/ping").status_code == 200


def test_a_body_that_is_too_large_is_not_read(till: Till) -> None:
    assert codes(till.post("/basket/price", b" " * (256 * 1024 + 1))) == (400, "openapi.body_too_large")


def test_nonces_answers_and_the_log_are_pruned_in_time(till: Till) -> None:
    till.redeem("nonsense")
    assert ApiNonce.objects.count() == 1
    assert NONCE_KEPT > 2 * WINDOW
    assert services.prune_api(at=clock.now() + dt.timedelta(minutes=14)) == 0
    assert services.prune_api(at=clock.now() + dt.timedelta(minutes=16)) == 1
    assert services.prune_api(at=clock.now() + dt.timedelta(hours=25)) == 0
    assert services.prune_api(at=clock.now() + dt.timedelta(days=4)) == 1
    assert services.prune_api(at=clock.now() + dt.timedelta(days=31)) == 1
