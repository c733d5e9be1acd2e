"""九宫格 of a manager's store on her phone."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from tests.cast import Cast
from tests.sales.kit import back, key_of, line, order, tell
from tests.sales.nine_kit import fold

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
NINE = "/a/performance/nine/"


@pytest.fixture
def came(cast: Cast) -> Cast:
    """Last month 小美 bought for ¥100, this month she and 小丽, who gave hers back."""
    now = clock.now()
    tell(
        order(
            "A1", line(amount_fen=10_000), member=key_of(cast.xiaomei), sold_at=now - dt.timedelta(days=28)
        ),
        order("A2", line(amount_fen=12_000), member=key_of(cast.xiaomei)),
        order("A3", line(amount_fen=10_000), member=key_of(cast.xiaoli)),
        back("R1", order_no="A3"),
    )
    fold()
    return cast


def cells(page: Any) -> dict[str, list[tuple[str, str]]]:
    return {row.label: [(cell.value, cell.change) for cell in row.cells] for row in page.rows}


def test_a_manager_sees_who_came_to_her_store(
    came: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    client = log_in(came.zhaoqiang)
    assert "九宫格" in client.get("/a/performance/store/").content.decode()
    with django_assert_max_num_queries(8):
        page = client.get(NINE).context["page"]
    assert cells(page) == {
        "新客": [("1", ""), ("0.0%", "-100.0点"), ("—", "")],
        "老客": [("1", ""), ("100.0%", ""), ("¥120", "")],
        "沉睡客": [("0", ""), ("—", ""), ("—", "")],
        "合计": [("2", "+100%"), ("50.0%", "-50.0点"), ("¥120", "+20%")],
    }
    assert page.chart.bars[-1].label.endswith(" 2")
    shown = client.get(f"{NINE}?show=basket&period=quarter").context["page"]
    assert shown.chart.title == "客单价，最近 12 个季度"


def test_nonsense_is_the_usual_and_a_guide_finds_nothing(came: Cast, log_in: Any) -> None:
    page = log_in(came.zhaoqiang).get(f"{NINE}?period=century&show=;drop").context["page"]
    assert [link.label for link in (*page.periods, *page.shows) if link.is_on] == ["本月", "客流"]
    assert log_in(came.lina).get(NINE).status_code == 404


def test_a_store_where_nobody_came_says_what_brings_numbers(cast: Cast, log_in: Any) -> None:
    client = log_in(cast.zhaoqiang)
    assert "正在第一次汇总" in client.get(NINE).content.decode()
    fold()
    assert "最近还没有会员来过" in client.get(NINE).content.decode()
