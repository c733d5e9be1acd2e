"""A document that conflicts is shown beside what is booked: a person sees what differs before she decides."""

import dataclasses
import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from core import clock
from sales.contracts import MemberKey, OrderPayment, ReturnLine
from sales.models import Sale
from tests.admin.sales_desk_kit import CONFIRM, held, page_text, url
from tests.cast import Cast
from tests.sales.kit import back, key_of, line, order, tell

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


def differing(desk: Client, number: str = "O1") -> dict[str, tuple[str, str]]:
    """What the page says of a waiting document that differs from what is booked: told and booked, by title."""
    html = page_text(desk.get(url("sales_helddocument_change", held(number).pk)))
    row = r'class="xe-differs"><th scope="row">(.*?)</th><td class="xe-plain">(.*?)</td><td class="xe-plain">(.*?)</td>'
    return {title: (told, booked) for title, told, booked in re.findall(row, html, re.DOTALL)}


def test_a_conflict_says_what_differs_and_nothing_else(desk: Client, cast: Cast) -> None:
    first = order("O1", member=key_of(cast.xiaomei))
    more: dict[str, Any] = {
        "payments": (OrderPayment("wechat", 10_000),),
        "points_spent": 7,
        "sold_at": first.sold_at + SECOND,
    }
    tell(first)
    tell(dataclasses.replace(first, serving_guide="T002", member=None, channel="mini", **more))
    found = differing(desk)
    assert found.keys() == {"成交时间", "渠道", "会员", "接待导购", "支付", "使用积分"}
    assert found["接待导购"] == ("王芳（T002）", "李娜（T001）")
    assert found["会员"] == ("散客", cast.xiaomei.display_name)
    assert found["支付"] == ("微信 100.00", "—")
    assert found["使用积分"] == ("7", "0")
    told, booked = found["成交时间"]
    assert dt.datetime.fromisoformat(told) - dt.datetime.fromisoformat(booked) == SECOND
    # What waits for a decision is not tried again from above the list.
    listed = page_text(desk.get(url("sales_helddocument_changelist")))
    assert "同一单号内容不同" in listed
    assert "全部再试" not in listed


def test_times_have_more_than_seconds_only_where_that_tells_them_apart(desk: Client, cast: Cast) -> None:
    at = (clock.now() - dt.timedelta(hours=1)).replace(microsecond=120_000)
    first = order("O1", sold_at=at)
    tell(first)
    tell(dataclasses.replace(first, sold_at=at.replace(microsecond=130_000)))
    assert [words[-7:] for words in differing(desk)["成交时间"]] == [".130000", ".120000"]


def test_a_member_who_is_named_in_another_way_is_no_difference(desk: Client, cast: Cast) -> None:
    first = order("O1", member=key_of(cast.xiaomei))
    tell(first)
    tell(dataclasses.replace(first, member=MemberKey("openid", cast.xiaomei_openid, cast.app_id)))
    html = page_text(desk.get(url("sales_helddocument_change", held().pk)))
    assert "看得到的内容都一样" in html
    assert differing(desk) == {}
    desk.post(url("sales_helddocument_keep", held().pk), CONFIRM)
    settled = page_text(desk.get(url("sales_helddocument_change", held().pk)))
    assert "当时：同一单号内容不同" in settled
    assert "对照" not in settled


def test_a_return_with_another_content_is_compared_too(desk: Client, cast: Cast) -> None:
    tell(order("O1", line(quantity=2, list_fen=10_000)))
    five = ReturnLine(product_code="A1", quantity=1, amount_fen=5_000, line_number=1)
    given = back("R1", five)
    tell(given)
    tell(dataclasses.replace(given, amount_fen=4_000, lines=(dataclasses.replace(five, amount_fen=4_000),)))
    assert differing(desk, "R1") == {
        "退款金额（元）": ("40.00", "50.00"),
        "商品": ("针织衫（A1） × 1  40.00", "针织衫（A1） × 1  50.00"),
    }
    html = page_text(desk.get(url("sales_helddocument_change", held("R1").pk)))
    assert "换个单号重发" in html


def test_what_was_booked_after_all_leads_to_its_order(desk: Client, cast: Cast) -> None:
    tell(order("O1", serving_guide="X9"))
    desk.post(url("sales_helddocument_explain", held().pk), CONFIRM | {"target": cast.lina.id})
    html = page_text(desk.get(url("sales_helddocument_change", held().pk)))
    assert url("sales_sale_change", Sale.objects.get().pk) in html
