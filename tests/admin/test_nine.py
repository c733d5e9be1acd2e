"""九宫格 at the desk: whose numbers an account sees, who is behind them, what it refuses, the workbooks."""

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from tests.cast import Cast
from tests.sales.kit import key_of, line, order, tell
from tests.sales.nine_kit import fold, noon, scan

BOARD, EXPORT = reverse("admin:sales_ninefold_changelist"), reverse("admin:sales_nine_export")
MEMBERS, TAKE = reverse("admin:sales_nine_members"), reverse("admin:sales_nine_members_export")
TODAY = dt.date(2026, 11, 28)


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(noon(TODAY), tick=False):
        yield


@pytest.fixture
def came(cast: Cast) -> Any:
    """In November 小美 bought twice in T01 for ¥500 and was new; 小丽, who bought in August, scanned a code in T02."""
    tell(
        order("O1", line("A1", 30_000), member=key_of(cast.xiaomei), sold_at=noon(TODAY - dt.timedelta(days=9))),
        order("O2", line("A1", 20_000), member=key_of(cast.xiaomei)),
        order("O3", line("A1", 10_000), member=key_of(cast.xiaoli), sold_at=noon(dt.date(2026, 8, 1)), store_code="T02",
              serving_guide=""),
    )  # fmt: skip
    scan(cast.xiaoli.id, cast.other_store.id, noon(TODAY), "s1")
    fold()
    return cast


@pytest.fixture
def office(came: Cast) -> Client:
    client = Client()
    client.force_login(came.head_office)
    return client


@pytest.fixture
def regional(came: Cast) -> Client:
    came.regional.user_permissions.add(Permission.objects.get(codename="view_ninefold"))
    client = Client()
    client.force_login(came.regional)
    return client


def book_of(answer: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def texts(answer: Any) -> dict[str, list[str]]:
    return {row["stood"]: [cell["text"] for cell in row["cells"]] for row in answer.context["rows"]}


def test_head_office_sees_the_chain_and_any_part_of_it(office: Client, came: Cast) -> None:
    answer = office.get(BOARD)
    assert texts(answer) == {
        "new": ["1", "100.0%", "¥250"], "returning": ["0", "—", "—"], "dormant": ["1", "0.0%", "—"],
        "whole": ["2", "50.0%", "¥250"],
    }  # fmt: skip
    assert "沉睡客" in answer.content.decode()
    south = office.get(BOARD, {"region": came.south.id})
    assert texts(south)["whole"] == ["1", "0.0%", "—"]
    quarter: dict[str, Any] = {"store": came.store.id, "period": "quarter"}
    assert texts(office.get(BOARD, quarter))["new"] == [
        "1",
        "100.0%",
        "¥250",
    ]
    # The guide's members, of the days on which she was theirs: since an hour ago.
    assert texts(office.get(BOARD, {"guide": came.lina.id}))["whole"] == ["1", "100.0%", "¥200"]
    assert texts(office.get(BOARD, {"period": "day"}))["returning"] == ["1", "100.0%", "¥200"]


def test_changes_are_told_against_the_period_before_and_the_year_before(office: Client, came: Cast) -> None:
    answer = office.get(BOARD, {"day": "2026-08-15"})
    [cell] = [row["cells"][0] for row in answer.context["rows"] if row["stood"] == "new"]
    assert (cell["text"], [words for _which, words, _sign in cell["changes"]]) == ("1", ["—", "—"])
    later = office.get(BOARD, {"day": "2027-08-15"}).context["rows"][0]["cells"][0]
    assert later["changes"][1] == ("同比", "-100.0%", -1)


def test_an_account_of_a_region_sees_its_region_and_no_more(regional: Client, came: Cast) -> None:
    own = regional.get(BOARD)
    assert own.context["where"] == str(apps.get_model("guides", "Region").objects.get(pk=came.east.id))
    assert texts(own)["whole"] == ["1", "100.0%", "¥250"]
    assert texts(regional.get(BOARD, {"store": came.store.id}))["whole"][0] == "1"
    for query in ({"region": came.south.id}, {"region": came.root.id}):
        answer = regional.get(BOARD, query)
        assert "rows" not in answer.context
        assert "不归您查看" in answer.content.decode()
    for query in ({"store": came.other_store.id}, {"guide": came.chenjing.id}):
        assert not regional.get(BOARD, query).context["is_valid"]
    assert "不归您查看" in regional.get(MEMBERS, {"region": came.root.id}).content.decode()


def test_an_account_without_a_part_or_a_right_sees_nothing(regional: Client, came: Cast) -> None:
    apps.get_model("guides", "StaffScope").objects.all().delete()
    assert "还没有可以查看的范围" in regional.get(BOARD).content.decode()
    came.regional.user_permissions.clear()
    assert regional.get(BOARD).status_code == 403
    assert regional.get(MEMBERS).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        {"period": "year"}, {"day": "2026-02-31"}, {"day": "0001-01-01"}, {"day": "9999-12-31"}, {"store": "x"},
        {"guide": "999999999999999999999"}, {"region": "1", "store": "2"}, {"period": "'; --"},
    ],
)  # fmt: skip
def test_an_address_that_asks_for_nonsense_is_told_so(office: Client, query: dict[str, str]) -> None:
    answer = office.get(BOARD, query)
    assert answer.status_code == 200
    assert not answer.context["is_valid"]
    assert office.get(MEMBERS, query).status_code == 200
    assert office.get(EXPORT, query).status_code == 200
    assert office.get(TAKE, query).status_code == 200


def test_who_is_behind_a_cell_is_listed_and_taken_by_who_may(
    office: Client, regional: Client, came: Cast
) -> None:
    answer = office.get(MEMBERS, {"stood": "dormant"})
    assert (answer.context["count"], [line["cells"][1] for line in answer.context["lines"]]) == (
        "1",
        ["扫码"],
    )
    assert office.get(MEMBERS, {"bought": "1"}).context["lines"][0]["cells"][3:5] == ("2", "¥500")
    # 小美 is a member of the region, and the store of 小丽 is none of its stores.
    assert regional.get(MEMBERS).context["count"] == "1"
    assert regional.get(MEMBERS).context["export_url"] == ""
    assert regional.get(TAKE).status_code == 403
    book = book_of(office.get(TAKE, {"stood": "new"}))
    rows = list(book["会员"].values)
    assert rows[1][1:3] == (2, "购买")
    entry = AuditEntry.objects.get(action="sales.nine_exported")
    assert entry.details["count"] == 1


def test_a_cell_and_its_list_become_a_segment_of_the_same_members(
    office: Client, regional: Client, came: Cast
) -> None:
    rows = {row["stood"]: row["cells"] for row in office.get(BOARD, {"region": came.east.id}).context["rows"]}
    assert [cell["keep_url"] for cell in rows["dormant"]] == ["", "", ""], "nobody to keep"
    builder = office.get(rows["new"][1]["keep_url"])
    assert builder.context["counted"].member_count == 1
    assert builder.context["values"]["name"].endswith("2026 年 11 月 新客 买了")
    sleepers: dict[str, Any] = {"stood": "dormant", "store": came.other_store.id}
    listed = office.get(MEMBERS, sleepers)
    assert came.xiaoli.code in office.get(listed.context["keep_url"]).content.decode()
    assert "存为人群" in listed.content.decode()
    # Whoever may not make segments is offered none.
    assert all(not cell["keep_url"] for row in regional.get(BOARD).context["rows"] for cell in row["cells"])


def test_the_workbook_has_twelve_periods_and_says_how(office: Client) -> None:
    book = book_of(office.get(EXPORT))
    rows = list(book["九宫格"].values)
    assert len(rows) == 1 + 13 * 4
    assert rows[1] == ("2026 年 11 月", "新客", 1, 1, 1, 2, 500, 250)
    assert any("转化率" in str(row[0]) for row in book["说明"].values)


def test_before_anybody_came_the_page_says_what_brings_numbers(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.head_office)
    assert "第一次汇总还没有做完" in client.get(BOARD).content.decode()
    fold()
    assert "都没有会员来过" in client.get(BOARD).content.decode()
