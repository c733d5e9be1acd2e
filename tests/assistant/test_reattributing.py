"""A manager decides on her phone whose an order is, looks before, and takes it back."""

import datetime as dt
from typing import Any

import pytest

from core.actor import Actor
from sales import services as sale_services
from sales.models import Attribution, AttributionRule, Sale
from tests.cast import Cast
from tests.sales.kit import assert_totals_agree, key_of, ledger, line, order, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
HX = {"HX-Request": "true"}


def decide(client: Any, public_id: str, **form: str) -> Any:
    page = client.get(f"/a/performance/orders/{public_id}/decide/", headers=HX).context["page"]
    values = {
        "request_key": page.request_key, "replaces": str(page.live_id), "first": "T001", "second": "",
        "percent": "100", "reason": "系统记错导购", "words": "",
    }  # fmt: skip
    return client.post(f"/a/performance/orders/{public_id}/decide/", values | form, headers=HX)


def test_a_manager_decides_looks_before_and_takes_it_back(sold: Cast, log_in: Any) -> None:
    client = log_in(sold.zhaoqiang)
    public_id = Sale.objects.get(order_no="A2").public_id
    form = {"first": "T001", "second": "T002", "percent": "60"}
    preview = client.post(f"/a/performance/orders/{public_id}/preview/", form, headers=HX).context["page"]
    assert [(one.who, one.share, one.amount) for one in preview.then] == [
        ("李娜", "60%", "¥192.30"),
        ("王芳", "40%", "¥128.20"),
    ]
    assert Attribution.objects.count() == 5
    assert decide(client, public_id, **form)["HX-Redirect"] == f"/a/performance/orders/{public_id}/"
    page = client.get(f"/a/performance/orders/{public_id}/").context["page"]
    assert page.words == "人工指定（系统记错导购）：接待导购李娜 60%，接待导购王芳 40%"
    assert [one.value for one in page.entries] == ["+¥320.50", "-¥320.50", "+¥192.30", "+¥128.20"]
    undo = {"request_key": page.request_key, "undoes": str(page.undo_id)}
    for _twice in range(2):
        assert client.post(f"/a/performance/orders/{public_id}/undo/", undo, headers=HX).status_code == 204
    page = client.get(f"/a/performance/orders/{public_id}/").context["page"]
    assert page.words == "人工指定（撤销：系统记错导购）：接待导购王芳 100%"
    assert page.entries_total == "¥320.50"


def test_a_decision_on_what_somebody_changed_meanwhile_is_refused(sold: Cast, log_in: Any) -> None:
    client = log_in(sold.zhaoqiang)
    public_id = Sale.objects.get(order_no="A2").public_id
    old = str(Attribution.objects.get(sale__order_no="A2").pk)
    assert decide(client, public_id).status_code == 204
    late = decide(client, public_id, replaces=old, first="T003")
    assert (late.status_code, late["X-Refusal"]) == (409, "sales.attribution_changed")
    for form, refusal in (
        ({"first": "T004"}, "invalid_input"),
        ({"first": "T999"}, "invalid_input"),
        ({"percent": "x"}, "invalid_input"),
        ({"reason": "", "words": " "}, "sales.reason_missing"),
        ({"request_key": ""}, "invalid_input"),
    ):
        answer = decide(client, public_id, **form)
        assert 400 <= answer.status_code < 500, form
        assert refusal in answer["X-Refusal"], form
    assert Attribution.objects.filter(sale__order_no="A2").count() == 2


def test_a_part_of_the_store_and_a_helper_from_elsewhere_stand_in_the_form(sold: Cast, log_in: Any) -> None:
    AttributionRule.objects.create(
        position=1, name="线上", channels=["mini"], exclusive_bp=7_000, store_bp=3_000
    )
    tell(order("S1", line(amount_fen=10_000), channel="mini", member=key_of(sold.xiaomei), serving_guide=""))
    tell(order("S2", line(amount_fen=10_000), serving_guide="T004"))
    client = log_in(sold.zhaoqiang)
    shared, helped = (Sale.objects.get(order_no=number).public_id for number in ("S1", "S2"))
    sheet = client.get(f"/a/performance/orders/{shared}/decide/", headers=HX).context["page"]
    assert sheet.preview.is_same
    assert (sheet.share, [one.label for one in sheet.second if one.is_on]) == ("70", ["门店"])
    form = {"first": "T001", "second": "@store", "percent": "60"}
    assert decide(client, shared, **form).status_code == 204
    words = client.get(f"/a/performance/orders/{shared}/").context["page"].words
    assert words == "人工指定（系统记错导购）：专属导购李娜 60%，门店南京东路店 40%"
    sheet = client.get(f"/a/performance/orders/{helped}/decide/", headers=HX).context["page"]
    assert sheet.preview.is_same
    assert [one.label for one in sheet.first if one.is_on] == ["陈静"]
    assert decide(client, helped, first="T002", second="T004", percent="50").status_code == 204
    assert ledger(guide_id=sold.chenjing.id, store_id=sold.store.id, metric="sales_fen") == {
        "sales_fen": 5_000
    }
    assert decide(client, helped, first="@store").status_code == 400
    assert_totals_agree()


def test_what_counts_later_says_why(sold: Cast, log_in: Any) -> None:
    tell(order("F1", line(amount_fen=7_000), sold_at=dt.datetime(2026, 2, 20, 4, tzinfo=dt.UTC)))
    sale_services.close_month(month_on=dt.date(2026, 2, 1), actor=Actor.system("boss"))
    public_id = Sale.objects.get(order_no="F1").public_id
    client = log_in(sold.zhaoqiang)
    sheet = client.get(f"/a/performance/orders/{public_id}/decide/", headers=HX).context["page"]
    assert "2月已关账" in sheet.preview.hint
    assert decide(client, public_id, first="T002").status_code == 204
    page = client.get(f"/a/performance/orders/{public_id}/").context["page"]
    assert [one.foot for one in page.entries] == [
        "计入 2月20日",
        "2月20日 已关账，计入 3月1日",
        "2月20日 已关账，计入 3月1日",
    ]
