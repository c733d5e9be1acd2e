"""What a member hears after a purchase and a return: once, and never of old documents."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps

from core import clock
from coupons.models import Coupon
from members import services as member_services
from members.models import EarningRule
from sales import handlers, services
from sales.contracts import OrderCoupon, ReturnLine
from sales.events import ReturnRecorded, SaleRecorded
from sales.models import CareCursor, PurchaseCare, Sale, SaleReturn
from sales.services import care as care_module
from tests.cast import Cast
from tests.coupons.test_orders import coupon_of
from tests.members.privacy_kit import consent_texts
from tests.sales.kit import TILL, back, key_of, line, order, tell
from tests.sales.test_purchase_gifts import make_rule, work
from tests.threads import at_once
from tests.told import told_texts

DAYS = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


def texts(prefix: str = "purchase:") -> list[str]:
    return told_texts(prefix)


def buy(cast: Cast, order_no: str = "O1", *lines: Any, **other: Any) -> int:
    tell(order(order_no, *lines, **{"member": key_of(cast.xiaomei)} | other))
    return Sale.objects.current().get(order_no=order_no).pk


def test_she_hears_of_it_once_with_what_it_was(cast: Cast) -> None:
    EarningRule.objects.create(name="每元一分", fen_per_point=100)
    coupon = coupon_of(cast.xiaomei.id)
    used = (OrderCoupon(coupon.code, 3_000, 130_050),)
    sale_id = buy(cast, "O1", line("A1", 128_050), coupons=used)
    for _again in range(2):
        handlers.on_sale_recorded(SaleRecorded(sale_id, cast.xiaomei.id))
        work()
    [text] = texts()
    assert text == "您在南京东路店消费了 ¥1,280.50。\n用了 1 张优惠券。\n获得 1,280 积分。\n订单号 O1"
    buy(cast, "O1", line("A1", 120_000), coupons=used, revision=1)
    work()
    assert len(texts()) == 1


def test_of_a_return_she_hears_what_she_was_given_back(cast: Cast) -> None:
    EarningRule.objects.create(name="每元一分", fen_per_point=100)
    make_rule(least_fen=10_000)
    coupon = coupon_of(cast.xiaomei.id)
    buy(cast, "O1", line("A1", 7_000, quantity=2, list_fen=10_000), line("A2", 5_000),
        coupons=(OrderCoupon(coupon.code, 3_000, 10_000),))  # fmt: skip
    work()
    tell(back("R1", ReturnLine(product_code="A2", quantity=1, amount_fen=5_000, line_number=2)))
    given = SaleReturn.objects.get()
    for _again in range(2):
        handlers.on_return_recorded(ReturnRecorded(given.pk, given.sale_id or 0))
        work()
    assert texts("return:") == [
        "您在南京东路店的退货已办好，退款 ¥50。\n这笔订单还有 ¥70 的商品没有退。\n退货部分得到的积分已扣回，您现在有 70 积分。\n"
        "这笔订单送的 1 张券没有用过，已收回。\n订单号 O1"
    ]
    tell(back("R2", ReturnLine(product_code="A1", quantity=2, amount_fen=7_000, line_number=1)))
    work()
    assert texts("return:")[1] == (
        "您在南京东路店的退货已办好，退款 ¥70。\n这笔订单已全部退回。\n退货部分得到的积分已扣回，您现在有 0 积分。\n"
        "用过的 1 张券已退回券包，过期的除外。\n这笔订单送的 1 张券没有用过，已收回。\n订单号 O1"
    )
    assert Coupon.objects.get(pk=coupon.id).state == "issued"


def test_a_return_without_its_order_is_told_plainly(cast: Cast) -> None:
    tell(
        back(
            "R1",
            ReturnLine(product_code="A1", quantity=1, amount_fen=1_000),
            order_no="",
            member=key_of(cast.xiaomei),
        )
    )
    work()
    assert texts("return:") == ["您在南京东路店的退货已办好，退款 ¥10。"]


@pytest.mark.parametrize(
    "who", ["old", "unknown", "withdrawn", "erased", "switched off", "nobody", "all back"]
)
def test_who_does_not_hear(cast: Cast, who: str) -> None:
    other: dict[str, Any] = {}
    if who == "old":
        other["sold_at"] = clock.now() - 2 * DAYS
    elif who == "unknown":
        # In no app of ours: at a till only.
        apps.get_model("members", "MemberIdentity").objects.filter(member_id=cast.xiaomei.id).delete()
    elif who == "withdrawn":
        consent_texts()
        said: Any = {"member_id": cast.xiaomei.id, "kind": "marketing", "door": "mini_program", "actor": TILL}
        member_services.agree_consent(**said, version=1)
        member_services.withdraw_consent(**said)
    elif who == "switched off":
        PurchaseCare.objects.create(pk=1, is_notice_on=False, is_return_notice_on=False)
    elif who == "nobody":
        other["member"] = None
    buy(cast, **other)
    if who == "erased":
        member_services.erase_member(member_id=cast.xiaomei.id, reason="own_wish", actor=TILL)
    elif who == "all back":
        tell(back("R1", returned_at=clock.now() - 3 * DAYS))
    work()
    assert texts() == texts("return:") == []


def test_who_was_merged_since_is_told_as_who_she_lives_on_as(cast: Cast) -> None:
    tell(order("O1", member=key_of(cast.xiaoli)))
    member_services.merge_members(first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, actor=TILL)
    work()
    assert len(texts()) == 1


def test_a_file_of_last_year_tells_nobody_and_one_of_today_tells_in_slices(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(care_module, "SLICE", 15)
    year = [
        order(f"Y{number}", member=key_of(cast.xiaomei), sold_at=clock.now() - 365 * DAYS)
        for number in range(30)
    ]
    tell(*year)
    assert (work(), texts()) == (0, [])
    tell(*[order(f"T{number}", member=key_of(cast.xiaomei)) for number in range(30)])
    with django_assert_max_num_queries(60):  # of slices, not of orders
        assert work() == 30
    assert len(texts()) == 30
    assert {row.kind for row in CareCursor.objects.filter(done_id__gt=0)} == {"sale"}
    assert work() == 0


@pytest.mark.django_db(transaction=True)
def test_two_runs_and_the_event_at_once_tell_her_once(cast: Cast) -> None:
    sale_id = buy(cast)
    calls = [work, lambda: services.care_for_sales(sale_ids=[sale_id], actor=TILL)] * 3
    answers = at_once(calls)
    assert not [one for one in answers if isinstance(one, Exception)]
    work()
    assert len(texts()) == 1
