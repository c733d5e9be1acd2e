"""Her own purchases in the mini-program: listed, shown whole, another's unknown."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from core import clock
from members.models import Member
from sales.contracts import OrderCoupon, OrderPayment, ReturnLine
from sales.models import Sale, SaleCoupon
from tests.miniapp.kit import Mini, Phone, codes
from tests.sales.kit import back, key_of, line, order, tell

UNKNOWN = "2222222222222222"


@pytest.fixture
def hers(phone: Phone, cast: Any) -> Member:
    """Three orders of 小美; of the newest one piece came back, and a coupon that nobody has was taken off."""
    member = Member.objects.get(public_id=phone.get("/profile").data["id"])
    now = clock.now()
    for number in (3, 2):
        tell(order(f"O{number}", member=key_of(member), sold_at=now - dt.timedelta(days=number)))
    tell(
        order(
            "O1",
            line("A1", 10_000, quantity=2, list_fen=13_000),
            line("B1", 5_000, product_name="长裤"),
            member=key_of(member),
            payments=(OrderPayment("wechat", 15_000),),
            coupons=(OrderCoupon("NOSUCHCODE99", 3_000, 13_000),),
            sold_at=now - dt.timedelta(hours=2),
        ),
        back("R1", ReturnLine(product_code="A1", quantity=1, amount_fen=5_000, line_number=1)),
    )
    return member


def test_she_sees_her_orders_page_by_page(phone: Phone, hers: Member) -> None:
    first = phone.get("/orders?limit=2").data
    assert [one["order_no"] for one in first["orders"]] == ["O1", "O2"]
    newest = first["orders"][0]
    assert (newest["amount_fen"], newest["returned_fen"], newest["unit_count"]) == (15_000, 5_000, 3)
    assert (newest["goods"], newest["store_name"]) == (["针织衫", "长裤"], "南京东路店")
    # What is booked meanwhile, older or newer, moves nothing.
    now = clock.now()
    tell(order("O0", member=key_of(hers), sold_at=now - dt.timedelta(minutes=1)))
    rest = phone.get(f"/orders?limit=2&cursor={first['next_cursor']}").data
    assert ([one["order_no"] for one in rest["orders"]], rest["next_cursor"]) == (["O3"], None)


def test_one_order_is_shown_whole(phone: Phone, hers: Member, django_assert_max_num_queries: Any) -> None:
    address = f"/orders/{phone.get('/orders').data['orders'][0]['id']}"
    with django_assert_max_num_queries(12):
        shown = phone.get(address).data
    assert [(one["name"], one["quantity"], one["returned_fen"]) for one in shown["lines"]] == [
        ("针织衫", 2, 5_000),
        ("长裤", 1, 0),
    ]
    assert (shown["discount_fen"], shown["coupon_discount_fen"]) == (3_000, 3_000)
    assert shown["coupons"] == [{"code_tail": "DE99", "discount_fen": 3_000, "counts": False}]
    assert shown["payments"] == [{"method": "wechat", "amount_fen": 15_000}]
    assert [(one["return_no"], one["amount_fen"], one["unit_count"]) for one in shown["returns"]] == [
        ("R1", 5_000, 1)
    ]
    SaleCoupon.objects.update(outcome="redeemed")
    assert phone.get(address).data["coupons"][0]["counts"] is True


def test_a_corrected_order_is_shown_as_it_is_now(phone: Phone, hers: Member) -> None:
    old = Sale.objects.get(order_no="O2")
    tell(
        dataclasses.replace(
            order("O2", line(amount_fen=8_000), member=key_of(hers), revision=1), sold_at=old.sold_at
        )
    )
    listed = phone.get("/orders").data["orders"]
    assert [(one["order_no"], one["amount_fen"]) for one in listed] == [
        ("O1", 15_000),
        ("O2", 8_000),
        ("O3", 10_000),
    ]
    assert codes(phone.get(f"/orders/{old.public_id}")) == (404, "sales.no_such_sale")


def test_anothers_orders_and_cursors_are_worth_nothing(mini: Mini, phone: Phone, hers: Member) -> None:
    first = phone.get("/orders?limit=1").data
    stranger = mini.phone_of("小丽")
    stranger.log_in()
    assert stranger.get("/orders").data == {"orders": [], "next_cursor": None}
    assert stranger.get(f"/orders?cursor={first['next_cursor']}").status_code == 400
    for one in (first["orders"][0]["id"], UNKNOWN):
        assert codes(stranger.get(f"/orders/{one}")) == (404, "sales.no_such_sale")
    for bad in ("limit=0", "limit=101", "cursor=x", "state=open"):
        assert phone.get(f"/orders?{bad}").status_code == 400
