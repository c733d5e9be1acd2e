"""我的提成: her own statement, line by line, and nobody else's."""

import datetime as dt

from django.test import Client
from django.urls import reverse

from core import clock
from sales import selectors
from sales.models import Sale
from tests.assistant.conftest import LogIn
from tests.cast import Cast
from tests.sales.commission_kit import close, rule
from tests.sales.kit import line, order, tell

URL = reverse("assistant:commission")


def sell(no: str, fen: int, at: dt.datetime, guide: str = "T001") -> None:
    tell(order(no, line(amount_fen=fen), serving_guide=guide, sold_at=at))


def page(client: Client, **query: str) -> str:
    answer = client.get(URL, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_she_sees_each_line_with_how_it_was_worked_out(cast: Cast, log_in: LogIn) -> None:
    rule()
    sell("C0001", 123_450, clock.now())
    sell("C0002", 999_900, clock.now(), "T002")
    mine = page(log_in(cast.lina))
    assert "计提 ¥1,234.50 × 3% · 销售提成" in mine
    assert "¥37.04" in mine  # 37.035, half up
    assert "C0001" in mine
    assert "还在变动" in mine
    assert "C0002" not in mine
    others = page(log_in(cast.wangfang))
    assert "C0002" in others
    assert "C0001" not in others


def test_a_line_of_an_order_opens_why_the_order_is_hers(cast: Cast, log_in: LogIn) -> None:
    rule()
    month = selectors.add_months(clock.today().replace(day=1), -2)
    at = dt.datetime.combine(month, dt.time(4), dt.UTC)
    corrected = [order("C0001", line(amount_fen=fen), sold_at=at, revision=fen) for fen in (10_000, 20_000)]
    tell(corrected[0])
    close(month)
    tell(corrected[1], order("C0002", line(amount_fen=10_000), sold_at=clock.now()))
    client = log_in(cast.lina)
    for number, shown in (("C0001", month), ("C0002", clock.today())):
        address = reverse(
            "assistant:performance-order", args=[Sale.objects.current().get(order_no=number).public_id]
        )
        assert f'<a class="entry" href="{address}">' in page(client, month=f"{shown:%Y-%m}")
        assert "这单算谁的" in client.get(address).content.decode()


def test_a_line_whose_order_is_no_longer_hers_to_open_has_no_link(cast: Cast, log_in: LogIn) -> None:
    rule()
    month = selectors.add_months(clock.today().replace(day=1), -2)
    at = dt.datetime.combine(month, dt.time(4), dt.UTC)
    tell(order("C0001", line(amount_fen=10_000), sold_at=at))
    close(month)
    tell(order("C0001", line(amount_fen=10_000), sold_at=at, revision=1, serving_guide="T002"))
    shown = page(log_in(cast.lina), month=f"{month:%Y-%m}")
    assert '<div class="entry">' in shown
    assert '<a class="entry"' not in shown


def test_a_closed_month_stands_and_says_so(cast: Cast, log_in: LogIn) -> None:
    rule()
    month = selectors.add_months(clock.today().replace(day=1), -2)
    sell("C0001", 10_000, dt.datetime.combine(month, dt.time(4), dt.UTC))
    close(month)
    closed = page(log_in(cast.lina), month=f"{month:%Y-%m}")
    assert "已结算" in closed
    assert "¥3" in closed
    following = selectors.add_months(month, 1)
    assert f"{following.month}月" in closed


def test_nothing_earned_is_no_empty_page(cast: Cast, log_in: LogIn) -> None:
    assert "这个月还没有提成" in page(log_in(cast.zhaoqiang))


def test_strange_months_show_this_one(cast: Cast, log_in: LogIn) -> None:
    client = log_in(cast.lina)
    today = clock.today()
    for month in ("2019-01", "2099-12", "x", "2026-13", "'"):
        assert f"{today.year}年{today.month}月提成" in page(client, month=month)


def test_long_statements_come_in_parts(cast: Cast, log_in: LogIn) -> None:
    rule()
    now = clock.now()
    tell(*(order(f"L{number:04}", line(amount_fen=1_000), sold_at=now) for number in range(65)))
    client = log_in(cast.lina)
    assert "更早的" in page(client)
    last = page(client, page="2")
    assert "已经到底了" in last
    assert last.count('class="entry"') == 5


def test_only_a_guide_who_is_logged_in_sees_any(cast: Cast) -> None:
    assert Client().get(URL).status_code == 302


def test_one_page_asks_few_questions(
    cast: Cast, log_in: LogIn, django_assert_max_num_queries: object
) -> None:
    rule()
    for number in range(8):
        sell(f"Q{number}", 1_000, clock.now())
    client = log_in(cast.lina)
    page(client)
    with django_assert_max_num_queries(34):  # type: ignore[operator]
        page(client)
