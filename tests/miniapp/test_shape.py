"""Every answer has its shape: refusals, odd bodies, crashes, and the OpenAPI document that promises them."""

import json
import re
from typing import Any

import jsonschema
import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import URLPattern, path
from drf_spectacular.validation import validate_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.actor import Actor
from coupons import services as coupon_services
from coupons.contracts import ExchangeTerms, UnlockTerms
from guides import services as guide_services
from members.models import Member
from miniapp import urls
from miniapp.api import MiniView
from miniapp.schema import document
from rest.views import address_of
from tests.coupons.kit import make_batch, make_template
from tests.guides.requests_kit import make_kinds
from tests.members import privacy_kit, tiers_kit
from tests.miniapp.kit import API, Mini, Phone, codes


def is_refusal(answer: Any) -> bool:
    return set(answer.data) == {"code", "message", "details"} and bool(
        re.fullmatch(r"[a-z]+\.[a-z_]+", answer.data["code"])
    )


# Bodies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "core.invalid_input"),
        (b"{}", "core.invalid_input"),
        (b"{", "miniapp.not_json"),
        (b"[]", "miniapp.not_json"),
        (b'"text"', "miniapp.not_json"),
        (b"null", "miniapp.not_json"),
        (b"\xff\xfe", "miniapp.not_json"),
        (b'{"code": NaN}', "miniapp.not_json"),
        (b'{"code": Infinity}', "miniapp.not_json"),
        (b"[" * 5000, "miniapp.not_json"),
        (b'{"code": "a\\u0000b"}', "miniapp.not_text"),
        (b'{"code": "\\ud800"}', "miniapp.not_text"),
        (b'{"a\\u0000": "b"}', "miniapp.not_text"),
        (b'{"code": 1' + b"0" * 400 + b"}", "miniapp.number_too_large"),
        (b'{"code": 1' + b"0" * 9000 + b"}", "miniapp.not_json"),
        (b'{"code": 1e400}', "miniapp.number_too_large"),
        (b'{"code": {"a": [1e300]}}', "miniapp.number_too_large"),
        (b'{"code": "' + b"x" * 70_000 + b'"}', "miniapp.body_too_large"),
        (b'{"code": ["a"]}', "core.invalid_input"),
        (b'{"code": {"a": 1}}', "core.invalid_input"),
        (b'{"code": true}', "core.invalid_input"),
        (b'{"code": "x", "surprise": 1}', "core.invalid_input"),
    ],
)
def test_an_odd_body_is_a_400_with_its_code(db: None, body: bytes, code: str) -> None:
    answer = Client().generic("POST", f"{API}/login", body, content_type="application/json")
    answer.data = json.loads(answer.content)  # type: ignore[attr-defined]
    assert codes(answer) == (400, code)
    assert is_refusal(answer)


def test_bad_fields_are_named_without_what_was_typed(db: None) -> None:
    body = {"code": "x" * 300, "surprise": "planted"}
    answer = Client().post(f"{API}/login", json.dumps(body), content_type="application/json")
    assert answer.json()["details"] == {"fields": {"surprise": ["unknown"]}}
    answer = Client().post(f"{API}/login", json.dumps({"code": "x" * 300}), content_type="application/json")
    assert answer.json()["details"] == {"fields": {"code": ["max_length"]}}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_another_content_type_is_refused(db: None, kind: str) -> None:
    answer = Client().generic("POST", f"{API}/login", b'{"code": "x"}', content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (400, "miniapp.wrong_content_type")


def test_json_may_name_its_charset_and_any_accept_gets_json(db: None) -> None:
    answer = Client().generic(
        "POST",
        f"{API}/login",
        b"{}",
        content_type="application/json; charset=utf-8",
        headers={"accept": "text/html"},
    )
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["code"] == "core.invalid_input"


# Addresses and methods -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/nothing", "/login/", "/devices/short", "/stores/%00/guides", "/profile/extra", "/../login"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_a_404_in_the_same_shape(db: None, address: str, method: str) -> None:
    answer = Client().generic(method, f"{API}{address}", b"", content_type="application/json")
    assert answer.status_code == 404
    assert answer.json()["code"] == "miniapp.no_such_path"


def test_a_wrong_method_is_a_405_that_names_the_right_ones(db: None) -> None:
    answer = Client().get(f"{API}/login")
    assert (answer.status_code, answer.json()["code"]) == (405, "miniapp.method_not_allowed")
    assert "POST" in answer["Allow"]
    assert Client().options(f"{API}/login").status_code == 405


def test_nothing_is_stored_on_the_way(phone: Phone) -> None:
    assert phone.get("/profile")["Cache-Control"] == "no-store"


# Crashes ---------------------------------------------------------------------------------------------------


class Broken(MiniView):
    """A mistake, as any view may have one."""

    def get(self, request: Request) -> Response:
        raise RuntimeError("planted 13800138000")


class Away(MiniView):
    """The database does not answer."""

    def get(self, request: Request) -> Response:
        raise OperationalError("away")


urlpatterns = [path("broken", Broken.as_view()), path("away", Away.as_view())]


@pytest.mark.urls(__name__)
def test_a_crash_is_a_500_that_tells_nothing_and_is_logged(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Client(raise_request_exception=False).get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "miniapp.crashed")
    assert "planted" not in answer.content.decode()
    assert [record.message for record in caplog.records if record.name == "miniapp.api"] == [
        "miniapp.crashed"
    ]


@pytest.mark.urls(__name__)
def test_a_database_that_is_away_is_a_503(db: None) -> None:
    answer = Client().get("/away")
    assert (answer.status_code, answer.json()["code"]) == (503, "core.unavailable")


def test_the_callers_address_is_what_our_own_proxy_saw(settings: Any) -> None:
    from django.test import RequestFactory

    def seen(count: int, forwarded: str) -> str:
        settings.PROXY_COUNT = count
        request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded} if forwarded else {})
        return address_of(Request(request))

    assert seen(0, "9.9.9.9") == "127.0.0.1"
    assert seen(1, "9.9.9.9, 1.2.3.4") == "1.2.3.4"
    assert seen(2, "9.9.9.9, 1.2.3.4, 10.0.0.1") == "1.2.3.4"
    assert seen(2, "9.9.9.9") == "127.0.0.1"
    assert seen(1, "") == "127.0.0.1"


# The document ----------------------------------------------------------------------------------------------


def routes() -> dict[str, set[str]]:
    """Every address of the API with its methods."""
    found = {}
    for pattern in urls.urlpatterns:
        view = getattr(pattern.callback, "view_class", None)
        if isinstance(pattern, URLPattern) and view is not None and getattr(view, "schema", None) is not None:
            address = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
            found[address] = {name for name in view.http_method_names if hasattr(view, name)} - {
                "options",
                "head",
            }
    return found


def test_the_document_is_valid_and_has_every_endpoint() -> None:
    validate_schema(document())
    told = {
        address: {method for method in item if method in {"get", "post", "put", "patch", "delete"}}
        for address, item in document()["paths"].items()
    }
    assert told == routes()
    assert len(told) >= 47


def test_every_operation_lists_its_codes_and_an_example_that_fits_its_schema() -> None:
    for address, item in document()["paths"].items():
        for method in set(item) & {"get", "post", "put", "patch", "delete"}:
            operation = item[method]
            refused = [told for status, told in operation["responses"].items() if status >= "400"]
            assert refused, address
            assert all("`" in told["description"] for told in refused), address
            (status, done), *_ = [pair for pair in operation["responses"].items() if pair[0] < "300"]
            if status == "204":
                continue
            content = done["content"].get("application/json")
            if content is None:  # a file
                continue
            for example in content["examples"].values():
                check(example["value"], content["schema"])
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                for example in content["examples"].values():
                    check(example["value"], content["schema"])


def check(value: Any, schema: dict[str, Any]) -> None:
    """Does the value fit a schema of the document, with nothing it does not name?"""
    whole = json.loads(json.dumps(document()))
    for component in whole["components"]["schemas"].values():
        if component.get("type") == "object" and "properties" in component:
            component["additionalProperties"] = False
    jsonschema.validate(value, {**schema, "components": whole["components"]})


def coupon_answers(phone: Phone) -> dict[tuple[str, str], Any]:
    """What the endpoints of coupons answer to somebody who has some."""
    batch = make_batch(template_id=make_template(gifting="anyone"))
    terms = UnlockTerms(name="邀好友", batch_id=batch, friend_batch_id=batch)
    coupon_services.create_unlock_offer(terms=terms, actor=Actor.system("test"))
    words = ExchangeTerms(name="口令", kind="shared", phrase="开业大吉")
    coupon_services.create_exchange_set(batch_id=batch, terms=words, actor=Actor.system("test"))
    batches = phone.get("/coupon-batches")
    link = f"/coupon-batches/{batches.data['batches'][0]['id']}"
    claimed = phone.post(f"{link}/claim", {"request_key": "request-1"})
    coupon = f"/coupons/{claimed.data['coupon']['id']}"
    typed = {"code": "开业大吉", "request_key": "request-2"}
    gift = phone.post(f"{coupon}/gift", {"request_key": "request-3"})
    offers = phone.get("/unlocks")
    offer = f"/unlocks/{offers.data['offers'][0]['id']}"
    started = phone.post(f"{offer}/start")
    return {
        ("get", "/coupon-batches"): batches,
        ("get", "/coupon-batches/{batch_id}"): phone.get(link),
        ("post", "/coupon-batches/{batch_id}/claim"): claimed,
        ("post", "/coupons/exchange"): phone.post("/coupons/exchange", typed),
        ("get", "/coupons"): phone.get("/coupons"),
        ("get", "/coupons/{coupon_id}"): phone.get(f"{coupon}?latitude=31&longitude=121"),
        ("post", "/coupons/{coupon_id}/code"): phone.post(f"{coupon}/code", {"pictures": True}),
        ("post", "/coupons/{coupon_id}/gift"): gift,
        ("post", "/gifts/preview"): phone.post("/gifts/preview", {"token": gift.data["token"]}),
        ("post", "/coupons/{coupon_id}/gift/return"): phone.post(f"{coupon}/gift/return"),
        ("get", "/unlocks"): offers,
        ("post", "/unlocks/{offer_id}/start"): started,
        ("get", "/unlocks/{offer_id}"): phone.get(offer),
        ("get", "/unlock-shares/{share_id}"): phone.get(f"/unlock-shares/{started.data['share']['id']}"),
    }


def test_real_answers_fit_the_document(mini: Mini, phone: Phone, cast: Any) -> None:
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    phone.prove_phone()
    guide_services.bind_member(
        member_id=member.pk, guide_id=cast.lina.id, source="scan", actor=Actor.system("test")
    )
    store = phone.get("/stores?latitude=31&longitude=121").data["stores"][0]["id"]
    make_kinds()
    privacy_kit.consent_texts()
    tiers_kit.make_ladder()
    visit = {"kind": "repair", "words": "开线", "request_key": "request-1"}
    request = phone.post("/requests", visit)
    path = f"/requests/{request.data['id']}"
    detail = phone.get(path)
    data = phone.post("/data-requests", {"kind": "erase"})
    asked = {
        **coupon_answers(phone),
        ("get", "/tier"): phone.get("/tier"),
        ("get", "/tier/history"): phone.get("/tier/history"),
        ("get", "/requests/kinds"): phone.get("/requests/kinds"),
        ("post", "/requests"): request,
        ("get", "/requests"): phone.get("/requests"),
        ("get", "/requests/{request_id}"): detail,
        ("post", "/requests/{request_id}/read"): phone.post(
            f"{path}/read", {"read_mark": detail.data["read_mark"]}
        ),
        ("post", "/requests/{request_id}/cancel"): phone.post(f"{path}/cancel"),
        ("get", "/consents/texts"): phone.get("/consents/texts"),
        ("post", "/consents/agree"): phone.post("/consents/agree", {"kind": "privacy", "version": 1}),
        ("post", "/consents/withdraw"): phone.post("/consents/withdraw", {"kind": "privacy"}),
        ("get", "/consents"): phone.get("/consents"),
        ("post", "/data-requests"): data,
        ("get", "/data-requests"): phone.get("/data-requests"),
        ("post", "/data-requests/{request_id}/withdraw"): phone.post(
            f"/data-requests/{data.data['id']}/withdraw"
        ),
        ("put", "/profile/address"): phone.ask("PUT", "/profile/address", {"province": "上海市"}),
        ("get", "/profile/address"): phone.get("/profile/address"),
        ("get", "/profile"): phone.get("/profile"),
        ("patch", "/profile"): phone.ask("PATCH", "/profile", {"name": "小美", "birthday": "1995-05-20"}),
        ("get", "/devices"): phone.get("/devices"),
        ("post", "/member-code"): phone.post("/member-code"),
        ("get", "/points"): phone.get("/points"),
        ("get", "/points/entries"): phone.get("/points/entries"),
        ("get", "/guide"): phone.get("/guide"),
        ("get", "/guide/change-reasons"): phone.get("/guide/change-reasons"),
        ("get", "/stores"): phone.get("/stores?latitude=31&longitude=121"),
        ("get", "/stores/{store_id}/guides"): phone.get(f"/stores/{store}/guides"),
        ("post", "/phone/sms"): phone.post("/phone/sms", {"phone": "13800138000"}),
        ("post", "/refresh"): phone.post("/refresh", {"refresh_token": phone.refresh}),
        ("post", "/login"): phone.log_in(),
    }
    for (method, address), answer in asked.items():
        assert answer.status_code == 200, (address, answer.data)
        told = document()["paths"][address][method]["responses"]["200"]
        check(answer.data, told["content"]["application/json"]["schema"])


def test_the_document_is_served_and_the_page_shows_every_endpoint(db: None) -> None:
    served = Client().get(f"{API}/openapi.json")
    assert served.json()["openapi"].startswith("3.1")
    page = Client().get(f"{API}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert all(f" {address}</h2>" in text for address in routes())
    assert "<script" not in text
    assert "wechat.phone_code_unusable" in text
