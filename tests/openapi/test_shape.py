"""Every answer has its shape: the document, the reference page, odd bodies, and what no log may hold."""

import json
import logging
import re
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.urls import URLPattern
from drf_spectacular.validation import validate_schema

from core.logs import JsonFormatter
from members import services as member_services
from openapi import urls
from openapi.models import ApiCall, ApiNonce, ApiRequest
from openapi.schema import document
from openapi.views import orders
from tests.campaigns.journey_kit import definition, points, start
from tests.cast import Cast
from tests.coupons.kit import BOSS
from tests.coupons.test_orders import coupon_of
from tests.openapi.kit import API, LINES, Till, codes, make_till
from tests.openapi.sales_kit import told_order, told_return
from tests.openapi.test_queue import entry, old_coupon

METHODS = {"get", "post", "put", "patch", "delete"}
Answers = dict[tuple[str, str], Any]  # of each endpoint, by method and address


def routes() -> dict[str, set[str]]:
    """Every address of the API with its methods."""
    found = {}
    for pattern in urls.urlpatterns:
        view = getattr(pattern.callback, "view_class", None)
        if isinstance(pattern, URLPattern) and view is not None and getattr(view, "schema", None) is not None:
            found[f"/{pattern.pattern}"] = {name for name in METHODS if hasattr(view, name)}
    return found


def check(value: Any, schema: dict[str, Any]) -> None:
    """Does the value fit a schema of the document, with nothing it does not name?"""
    whole = json.loads(json.dumps(document()))
    for component in whole["components"]["schemas"].values():
        if component.get("type") == "object" and "properties" in component:
            component["additionalProperties"] = False
    jsonschema.validate(value, {**schema, "components": whole["components"]})


def test_the_document_is_valid_and_has_every_endpoint_with_its_signature() -> None:
    validate_schema(document())
    told = {address: set(item) & METHODS for address, item in document()["paths"].items()}
    assert told == routes()
    assert len(told) >= 13
    assert document()["info"]["title"].startswith("Xiaoer open API")
    assert document()["servers"] == [{"url": "/openapi/v1"}]
    schemes = document()["components"]["securitySchemes"]
    assert {one["name"] for one in schemes.values()} == {
        "X-Xiaoer-Key", "X-Xiaoer-Time", "X-Xiaoer-Nonce", "X-Xiaoer-Signature",
    }  # fmt: skip
    for address, item in document()["paths"].items():
        for method in set(item) & METHODS:
            security = item[method].get("security", [{}])
            assert ({} in security) == (address == "/clock")
            writes = method == "post" and address not in {
                "/basket/price",
                "/queue/redeem",
                "/sales/documents",
                "/segments/count",
            }
            names = {one["name"] for one in item[method].get("parameters", [])}
            assert ("Idempotency-Key" in names) == writes, address


def test_every_operation_lists_its_codes_and_examples_that_fit() -> None:
    for address, item in document()["paths"].items():
        for method in set(item) & METHODS:
            operation = item[method]
            refused = [told for status, told in operation["responses"].items() if status >= "400"]
            assert refused, address
            assert all("`" in told["description"] for told in refused), address
            assert "rest." not in json.dumps(refused)
            contents = [operation["responses"]["200"]["content"]["application/json"]]
            if "requestBody" in operation:
                contents.append(operation["requestBody"]["content"]["application/json"])
            for content in contents:
                assert content["examples"], address
                for example in content["examples"].values():
                    check(example["value"], content["schema"])


def test_the_mini_programs_document_is_still_its_own() -> None:
    from miniapp.schema import document as members_document

    assert members_document()["servers"] == [{"url": "/api/mini/v1"}]
    assert "/orders/redeem" not in members_document()["paths"]


def _of_a_till(till: Till, cast: Cast) -> Answers:
    coupon = coupon_of(cast.xiaomei.id)
    code = member_services.issue_member_code(member_id=cast.xiaomei.id, actor=BOSS).text
    read = till.post("/members/read", {"code": code})
    visit = read.data["visit"]
    order = {"order_no": "S1", "coupons": [coupon.code]}
    answers = {
        ("get", "/clock"): till.get("/clock"),
        ("get", "/ping"): till.get("/ping"),
        ("post", "/members/read"): read,
        ("get", "/members/coupons"): till.get(f"/members/coupons?visit={visit}"),
        ("post", "/coupons/verify"): till.post("/coupons/verify", {"code": coupon.code}),
        ("post", "/coupons/lock"): till.post("/coupons/lock", order),
        ("post", "/coupons/unlock"): till.post("/coupons/unlock", order),
        ("post", "/basket/price"): till.post("/basket/price", {"lines": LINES, "visit": visit}),
        ("post", "/orders/redeem"): till.redeem(coupon.code),
        ("get", "/orders"): till.get("/orders?order_no=S1"),
        ("post", "/orders/return"): till.post(
            "/orders/return", {"order_no": "S1", "parts": [{"line": "1", "quantity": 1}]}
        ),
        ("post", "/queue/redeem"): till.post(
            "/queue/redeem", {"redemptions": [entry(old_coupon(), "Q1"), entry("nonsense", "Q2")]}
        ),
    }
    till.redeem(old_coupon(), order_no="S2")
    answers["post", "/orders/reverse"] = till.post("/orders/reverse", {"order_no": "S2"})
    return answers


def _of_sales(chain: Till, cast: Cast) -> Answers:
    order = told_order("F1", store="T01", member={"kind": "member_code", "value": cast.xiaomei.code})
    return {
        ("post", "/sales/orders"): chain.post("/sales/orders", order),
        ("get", "/sales/orders"): chain.get("/sales/orders?order_no=F1"),
        ("post", "/sales/returns"): chain.post("/sales/returns", told_return("F1R", "F1", store="T01")),
        ("post", "/sales/documents"): chain.post(
            "/sales/documents", {"documents": [{"kind": "order", **order}, {"kind": "return"}, 1]}
        ),
        ("post", "/sales/products"): chain.post(
            "/sales/products", {"products": [{"code": "P", "name": "衫"}]}
        ),
        ("post", "/behaviours"): chain.post("/behaviours", {"events": [{}]}),
        ("post", "/sales/categories"): chain.post(
            "/sales/categories", {"categories": [{"code": "c", "name": "上装"}]}
        ),
    }


def _of_segments(chain: Till, cast: Cast) -> Answers:
    named = {"kind": "member_code", "value": cast.xiaomei.code}
    made = chain.post("/segments", {"name": "名单", "kind": "listed", "members": [named]})
    listed = made.data["id"]
    answers = {
        ("get", "/segments/schema"): chain.get("/segments/schema"),
        ("post", "/segments/count"): chain.post("/segments/count", {"rule": {"is": "members.following"}}),
        ("post", "/segments"): made,
        ("get", "/segments"): chain.get("/segments"),
        ("post", "/segments/change"): chain.post(
            "/segments/change", {"id": listed, "version": 1, "name": "新名单"}
        ),
        ("get", "/segments/members"): chain.get(f"/segments/members?id={listed}"),
        ("post", "/segments/members"): chain.post(
            "/segments/members", {"id": listed, "remove": [named, {**named, "value": "x"}]}
        ),
        ("get", "/segments/sizes"): chain.get(f"/segments/sizes?id={listed}"),
    }
    answers["post", "/journeys/enrolments"] = chain.post(
        "/journeys/enrolments",
        {"id": start(definition({"a": points(1)})).public_id, "key": "1", "member": named},
    )
    return answers


def test_real_answers_fit_the_document(till: Till, cast: Cast) -> None:
    asked = _of_a_till(till, cast)
    chain = make_till()
    asked |= _of_sales(chain, cast)
    asked |= _of_segments(chain, cast)
    assert {(method, address) for address, methods in routes().items() for method in methods} == set(asked)
    for (method, address), answer in asked.items():
        assert answer.status_code == 200, (address, answer.data)
        told = document()["paths"][address][method]["responses"]["200"]
        check(answer.data, told["content"]["application/json"]["schema"])


def test_the_document_is_served_and_the_page_shows_every_endpoint(db: None) -> None:
    served = Client().get(f"{API}/openapi.json")
    assert served.json()["openapi"].startswith("3.1")
    text = Client().get(f"{API}/").content.decode()
    assert all(f" {address}</h2>" in text for address in routes())
    assert "<script" not in text
    assert "openapi.clock_skewed" in text
    assert "coupons.price_changed" in text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "core.invalid_input"),
        (b"{", "openapi.not_json"),
        (b"[]", "openapi.not_json"),
        (b"\xff\xfe", "openapi.not_json"),
        (b'{"code": NaN}', "openapi.not_json"),
        (b"[" * 5000, "openapi.not_json"),
        (b'{"code": "a\\u0000b"}', "openapi.not_text"),
        (b'{"code": 1e400}', "openapi.number_too_large"),
        (b'{"code": ["a"]}', "core.invalid_input"),
        (b'{"code": "x", "surprise": 1}', "core.invalid_input"),
    ],
)
def test_an_odd_body_is_a_400_in_this_apis_name(till: Till, body: bytes, code: str) -> None:
    answer = till.ask("POST", "/coupons/verify", body)
    assert codes(answer) == (400, code)
    assert set(answer.data) == {"code", "message", "details"}


@pytest.mark.parametrize("address", ["/nothing", "/ping/", "/orders/redeem/x", "/../ping"])
def test_an_unknown_address_is_a_404_in_the_same_shape(db: None, address: str) -> None:
    answer = Client().get(f"{API}{address}")
    assert (answer.status_code, answer.json()["code"]) == (404, "openapi.no_such_path")


def test_a_wrong_method_is_a_405(till: Till) -> None:
    answer = till.ask("PUT", "/orders/redeem")
    assert codes(answer) == (405, "openapi.method_not_allowed")
    assert "POST" in answer["Allow"]


def test_a_crash_is_a_500_that_tells_nothing(
    till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(card: Any) -> None:
        raise RuntimeError("planted 13800138000")

    monkeypatch.setattr(orders, "show_order", broken)
    answer = till.redeem(old_coupon())
    assert codes(answer) == (500, "openapi.crashed")
    assert "planted" not in answer.content.decode()
    assert [record.message for record in caplog.records if record.name == "openapi.api"] == [
        "openapi.crashed"
    ]
    assert ApiRequest.objects.get().code == "openapi.crashed"


def test_planted_phones_and_openids_are_in_no_log(
    till: Till, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a till writes where it does not belong: our logs, the key's log, stored answers and audit are clean."""
    phone, openid = "13912345678", "oPLANTED0123456789abcdefghij"
    caplog.set_level(logging.DEBUG)
    code = member_services.issue_member_code(member_id=cast.xiaomei.id, actor=BOSS).text
    read = till.post("/members/read", {"code": code})
    till.post("/coupons/verify", {"code": phone}, key=openid)
    till.post("/members/read", {"code": openid})
    till.post("/basket/price", {"lines": [LINES[0] | {"key": phone}], "coupons": [openid]})
    till.redeem(phone, order_no="S9")
    till.post("/orders/return", {"order_no": phone, "reason": openid})
    till.get(f"/orders?order_no={phone}")
    till.get(f"/{phone}")
    bad = Till(till.key_id, phone)
    bad.get("/ping")
    logs = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    kept = json.dumps([list(ApiRequest.objects.values_list("method", "endpoint", "code")), logs])
    assert phone not in kept
    assert openid not in kept
    assert till.secret not in logs
    answers = "\n".join(ApiCall.objects.values_list("answer", flat=True))
    assert openid not in answers
    assert not re.search(r"1[3-9]\d{9}", json.dumps(read.data["member"]))
    assert phone not in "\n".join(ApiNonce.objects.values_list("nonce", flat=True))
