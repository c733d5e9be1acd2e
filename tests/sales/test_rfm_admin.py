"""RFM in the admin: whose part of the chain it shows, what it refuses, what is on record."""

import datetime as dt
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from core import clock
from core.models import AuditEntry
from sales import selectors, services
from sales.models import MemberMetrics, MetricsRun, RfmSettings
from tests.cast import Cast
from tests.sales.kit import TILL, key_of, line, order, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(cast: Cast) -> Cast:
    """小美 (李娜's) bought much and lately; 小丽, whom nobody serves, once and long ago."""
    now = clock.now()
    tell(
        *(order(f"O{n}", line("A1", 200_000), member=key_of(cast.xiaomei), sold_at=now - dt.timedelta(days=n * 20))
          for n in range(1, 6)),
        order("O9", line("A1", 20_000), member=key_of(cast.xiaoli), sold_at=now - dt.timedelta(days=300)),
    )  # fmt: skip
    return cast


@pytest.fixture
def head(bought: Cast, client: Client) -> Client:
    client.force_login(bought.head_office)
    return client


@pytest.fixture
def east(bought: Cast, client: Client) -> Client:
    bought.regional.user_permissions.add(
        *Permission.objects.filter(codename__in=("view_membermetrics", "view_rfmsettings", "view_member"))
    )
    client.force_login(bought.regional)
    return client


def form_of(**other: Any) -> dict[str, Any]:
    """The settings page as it is opened."""
    values: dict[str, Any] = {
        "mode": "cuts", "recency_cuts": "30、90、180、365", "frequency_cuts": "2 3 5 8", "money_cuts": "500,1000,3000,8000",
        "recency_high": 4, "frequency_high": 3, "money_high": 3, "price_cuts": "100、300", "new_days": 30,
        "stage_days": "30、90、180、365",
    }  # fmt: skip
    return values | {f"name_{n}": f"客群{n}" for n in range(8)} | other


def test_head_office_sees_the_whole_grid_and_who_is_behind_a_cell(head: Client, bought: Cast) -> None:
    page = head.get(reverse("admin:sales_membermetrics_changelist")).content.decode()
    assert "重要价值客户" in page
    assert "?r=5&amp;f=4" in page
    members = head.get(reverse("admin:sales_rfm_members") + "?r=5&f=4").content.decode()
    assert "小美" in members
    assert "小丽" not in members
    assert "小丽" in head.get(reverse("admin:sales_rfm_members")).content.decode()


def test_a_region_sees_its_own_members_only_on_every_page(east: Client, bought: Cast) -> None:
    for url in (reverse("admin:sales_rfm_members"), reverse("admin:sales_rfm_members") + "?group=0"):
        assert "小丽" not in east.get(url).content.decode()
    book = load_workbook(io.BytesIO(b"".join(east.get(reverse("admin:sales_rfm_export")).streaming_content)))  # type: ignore[attr-defined]
    codes = [row[0].value for row in book.worksheets[0].iter_rows(min_row=2)]
    assert codes == [bought.xiaomei.code]
    entry = AuditEntry.objects.get(action="sales.rfm_exported")
    assert entry.details["count"] == 1
    assert entry.actor_id == bought.regional.pk
    assert "小美" in east.get(reverse("admin:sales_rfm_members")).content.decode()


def test_without_the_right_there_is_nothing(bought: Cast, client: Client) -> None:
    client.force_login(bought.regional)
    for name in ("membermetrics_changelist", "rfm_members", "rfm_export", "rfmsettings_changelist"):
        assert client.get(reverse(f"admin:sales_{name}")).status_code in {302, 403}


@pytest.mark.parametrize(
    "query", ["r=9", "r=x", "group=99", "group=-1", "before=%00", "stage=zzz", "r=%F0%9D%9F%8E&page=zz", "page=99999999999"]
)  # fmt: skip
def test_filters_that_are_none_are_ignored(head: Client, query: str) -> None:
    answer = head.get(reverse("admin:sales_rfm_members") + f"?{query}")
    assert answer.status_code == 200
    assert "小美" in answer.content.decode()


def test_a_preview_counts_and_changes_nothing(head: Client) -> None:
    url = reverse("admin:sales_rfmsettings_changelist")
    page = head.post(url, form_of(frequency_high=5, _preview="1")).content.decode()
    assert "预览：还没有保存" in page
    assert "2 位消费过的会员里，<b>1</b> 位会换客群" in page
    assert not RfmSettings.objects.exists()
    assert selectors.get_rfm_rules().frequency_high == 3


def test_what_is_saved_holds_and_scores_everybody_anew(head: Client, bought: Cast) -> None:
    services.work_metrics_runs(actor=TILL)
    assert MemberMetrics.objects.get(pk=bought.xiaomei.id).rfm_group == 7
    answer = head.post(reverse("admin:sales_rfmsettings_changelist"), form_of(frequency_high=5, _save="1"))
    assert answer.status_code == 302
    report = services.work_metrics_runs(actor=TILL)
    assert report.slid_count == 1
    assert MetricsRun.objects.filter(kind="rules", finished_at__isnull=False).count() == 1
    assert MemberMetrics.objects.get(pk=bought.xiaomei.id).rfm_group == 5
    assert AuditEntry.objects.filter(action="sales.rfm_rules_changed").count() == 1
    assert services.work_metrics_runs(actor=TILL).member_count == 0
    # The night comes to the same.
    again = services.rebuild_member_metrics(actor=TILL)
    assert (again.slid_count, again.wrong_count) == (0, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recency_cuts", "30、90、180"), ("recency_cuts", "90、30、180、365"), ("frequency_cuts", "0、2、3、4"),
        ("money_cuts", "1、2、3、99999999999"), ("money_cuts", "一、二"), ("price_cuts", ""), ("recency_high", 1),
        ("money_high", 6), ("new_days", 0), ("stage_days", "1、1、2、3"), ("name_3", "客群4"), ("name_3", "  "),
        ("mode", "magic"), ("frequency_cuts", "1" * 40),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused_with_what_was_typed(
    head: Client, name: str, value: Any
) -> None:
    page = head.post(reverse("admin:sales_rfmsettings_changelist"), form_of(_save="1") | {name: value})
    assert page.status_code == 200
    assert "xe-bad" in page.content.decode()
    assert not RfmSettings.objects.exists()


def test_a_region_may_look_at_the_settings_and_not_change_them(east: Client) -> None:
    url = reverse("admin:sales_rfmsettings_changelist")
    assert "_save" not in east.get(url).content.decode()
    assert east.post(url, form_of(_save="1")).status_code == 403


def test_fifths_are_those_of_the_buyers(head: Client) -> None:
    head.post(reverse("admin:sales_rfmsettings_changelist"), form_of(mode="quantiles", _save="1"))
    rules = selectors.get_rfm_rules()
    assert rules.recency_cuts == (20, 20, 300, 300)
    assert rules.frequency_cuts == (2, 2, 6, 6)


def test_her_page_tells_her_numbers(head: Client, bought: Cast) -> None:
    page = head.get(reverse("admin:members_member_change", args=[bought.xiaomei.id])).content.decode()
    assert "消费画像" in page
    assert "重要价值客户（R5 F4 M5）" in page
    assert "¥1.0 万" in page.replace(",", "")
