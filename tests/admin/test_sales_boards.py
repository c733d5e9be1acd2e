"""排行榜 at the desk: any subject, period and part of the chain; frozen months; the workbook."""

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core import clock
from core.actor import Actor
from guides.models import Binding
from sales import services
from tests.cast import Cast
from tests.sales.kit import line, order, tell

BOARDS, EXPORT = reverse("admin:sales_boardfreeze_changelist"), reverse("admin:sales_boards_export")
BOSS = Actor.system("boss")


@pytest.fixture
def sold(cast: Cast) -> Any:
    """In February 李娜 sold for ¥100, today (11 March) 王芳 ¥300, 李娜 ¥200 and 陈静 in the south ¥900."""
    with time_machine.travel(dt.datetime(2026, 3, 11, 12, tzinfo=clock.SHANGHAI)):
        tell(
            order("A0", line(amount_fen=10_000), sold_at=dt.datetime(2026, 2, 10, 4, tzinfo=dt.UTC)),
            order("A1", line(amount_fen=20_000)),
            order("A2", line(amount_fen=30_000), serving_guide="T002"),
            order("A3", line(amount_fen=90_000), serving_guide="T004", store_code="T02"),
        )
        yield cast


@pytest.fixture
def office(sold: Cast) -> Client:
    client = Client()
    client.force_login(sold.head_office)
    return client


def rows(answer: Any) -> list[tuple[int, str, str, int | None]]:
    return [(row["rank"], row["name"], row["value"], row["moved"]) for row in answer.context["rows"]]


def test_a_number_opens_the_entries_that_make_it(office: Client, sold: Cast) -> None:
    asked: list[dict[str, Any]] = [
        {"period": "month"},
        {"period": "year", "metric": "order_count"},
        {"period": "month", "subject": "store"},
        {"period": "month", "store": sold.store.id},
    ]
    for query in asked:
        board = office.get(BOARDS, query).context["rows"]
        for row in board:
            entries = office.get(row["url"]).context["cl"].result_list
            is_money = query.get("metric") is None
            assert sum(entry.value for entry in entries) == float(row["value"]) * (100 if is_money else 1)
        assert board
    assert {row["url"] for row in office.get(BOARDS, {"subject": "region"}).context["rows"]} == {""}
    within = office.get(BOARDS, {"region": sold.east.id}).context["rows"]
    assert {row["url"] for row in within} == {""}


def test_head_office_sees_every_board(office: Client, sold: Cast) -> None:
    assert rows(office.get(BOARDS)) == [
        (1, "陈静（T004）", "900.00", None),
        (2, "王芳（T002）", "300.00", None),
        (3, "李娜（T001）", "200.00", -2),
    ]
    assert "<th>所在</th>" in office.get(BOARDS).content.decode()
    assert "<th>所在</th>" not in office.get(BOARDS, {"subject": "region"}).content.decode()
    day: dict[str, Any] = {"period": "day", "metric": "order_count", "region": sold.east.id}
    assert [row[:3] for row in rows(office.get(BOARDS, day))] == [
        (1, "李娜（T001）", "1"),
        (1, "王芳（T002）", "1"),
    ]
    assert [row[1] for row in rows(office.get(BOARDS, {"subject": "store", "period": "year"}))] == [
        "天河路店",
        "南京东路店",
    ]
    assert [row[1] for row in rows(office.get(BOARDS, {"subject": "region", "period": "quarter"}))] == [
        "华南大区",
        "华东大区",
    ]
    span: dict[str, Any] = {
        "period": "range",
        "day": "2026-02-01",
        "until": "2026-03-11",
        "store": sold.store.id,
    }
    assert [row[:3] for row in rows(office.get(BOARDS, span))] == [
        (1, "李娜（T001）", "300.00"),
        (1, "王芳（T002）", "300.00"),
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"period": "range", "day": "2026-03-11"},
        {"period": "range", "day": "2026-03-11", "until": "2026-03-01"},
        {"period": "range", "day": "1990-03-11", "until": "2026-03-01"},
        {"day": "2026-02-31"},
        {"subject": "cat"},
        {"metric": "'; --"},
        {"store": "x"},
        {"region": "999999999999999999999"},
        {"region": "1", "dealer": "1"},
    ],
)
def test_a_question_that_makes_no_sense_says_so_and_shows_no_board(
    office: Client, query: dict[str, str]
) -> None:
    for path in (BOARDS, EXPORT):
        answer = office.get(path, query)
        assert answer.status_code == 200
        assert not answer.context["is_valid"]
        assert "rows" not in answer.context


def test_regional_staff_see_their_stores_alone(sold: Cast) -> None:
    client = Client()
    client.force_login(sold.regional)
    assert client.get(BOARDS).status_code == 403
    sold.regional.user_permissions.add(Permission.objects.get(codename="view_boardfreeze"))
    assert [row[1] for row in rows(client.get(BOARDS))] == ["王芳（T002）", "李娜（T001）"]
    assert [row[1] for row in rows(client.get(BOARDS, {"subject": "region"}))] == ["华东大区"]
    places: list[dict[str, Any]] = [{"region": sold.south.id}, {"region": sold.root.id, "subject": "store"}]
    for place in places:
        names = [row[1] for row in rows(client.get(BOARDS, place))]
        assert not {"陈静（T004）", "天河路店"} & set(names)
    answer = client.get(BOARDS, {"store": sold.other_store.id})
    assert not answer.context["is_valid"]  # a store of theirs is no choice


def test_a_closed_month_is_named_and_stands_still(office: Client, sold: Cast) -> None:
    close_id = services.close_month(month_on=dt.date(2026, 2, 1), actor=BOSS)
    services.freeze_boards(close_id=close_id)
    february = {"period": "month", "day": "2026-02-15"}
    answer = office.get(BOARDS, february)
    assert "已关账" in answer.content.decode()
    assert rows(answer) == [(1, "李娜（T001）", "100.00", None)]
    services.reopen_month(month_on=dt.date(2026, 2, 1), reason="漏传", actor=BOSS)
    answer = office.get(BOARDS, february)
    assert answer.context["frozen"] == ""
    assert [(row["month"], row["reason"]) for row in answer.context["freezes"]] == [("2026 年 2 月", "漏传")]
    (then,) = answer.context["thens"]
    assert "（原因：漏传）" in answer.content.decode()
    tell(
        order(
            "LATE",
            line(amount_fen=5_000),
            serving_guide="T002",
            sold_at=dt.datetime(2026, 2, 10, 4, tzinfo=dt.UTC),
        )
    )
    beside = office.get(BOARDS + then["url"])
    assert beside.status_code == 200
    assert "还没有再关账" in beside.content.decode()
    assert [
        (row["name"], row["rank_then"], row["value_then"], row["rank_now"], row["value_now"], row["more"])
        for row in beside.context["compared"]
    ] == [("李娜（T001）", 1, "100.00", 1, "100.00", ""), ("王芳（T002）", None, "—", 2, "50.00", "+50.00")]
    services.freeze_boards(close_id=services.close_month(month_on=dt.date(2026, 2, 1), actor=BOSS))
    assert "再次定格的" in office.get(BOARDS + then["url"]).content.decode()
    # Another period's is not shown here.
    strange = office.get(BOARDS, {"period": "month", "day": "2026-03-01", "then": "1"})
    assert "compared" not in strange.context


def test_the_workbook_has_the_whole_board(office: Client, sold: Cast) -> None:
    answer = office.get(EXPORT, {"period": "month"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    table = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert table[0] == ["名次", "上期名次", "导购", "所在", "销售额"]
    assert table[1:] == [
        [1, None, "陈静（T004）", "天河路店", 900],
        [2, None, "王芳（T002）", "南京东路店", 300],
        [3, 1, "李娜（T001）", "南京东路店", 200],
    ]


def test_what_guides_do_besides_selling_is_ranked_and_says_whom_it_was_about(
    office: Client, sold: Cast
) -> None:
    services.reconcile_facts(kind="binding", refs=Binding.objects.values_list("pk", flat=True))
    board = office.get(BOARDS, {"metric": "new_binding_count"})
    assert rows(board) == [(1, "李娜（T001）", "1", None)]
    offered = dict(board.context["form"].fields["metric"].choices)
    assert {"new_member_count", "redemption_count", "share_count", "task_count"} <= offered.keys()
    assert office.get(BOARDS, {"metric": "share_count"}).context["is_valid"] is True
    ledger = office.get(reverse("admin:sales_performanceentry_changelist"), {"metric": "new_binding_count"})
    [entry] = ledger.context["cl"].result_list
    page = ledger.content.decode()
    assert str(entry.document_link).startswith("扫导购码 · <a")
    assert "小**" in str(entry.document_link)
    assert "素材分享数" in page
