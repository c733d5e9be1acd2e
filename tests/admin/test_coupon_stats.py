"""券数据 and 跨店结算 at the desk: what the pages show, to whom, and what the workbooks hold."""

import datetime as dt
import io
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.workbooks import Sheet, write_workbook
from coupons import services
from coupons.contracts import PolicyTerms
from coupons.models import SettlementLine, SettlementMonth, SettlementPolicy
from guides import services as guide_services
from tests.cast import Cast, make_guide, make_store
from tests.coupons.kit import BOSS, claim, key, make_batch, make_members, make_template
from tests.coupons.stats_kit import at_shanghai, fold, redeem
from tests.coupons.stats_kit import reverse as take_back

STATS = reverse("admin:coupons_couponday_changelist")
ROWS, EXPORT = reverse("admin:coupons_stats_rows"), reverse("admin:coupons_stats_export")


@pytest.fixture
def trade(cast: Cast) -> dict[str, Any]:
    """A dealer's store in the south; coupons of the east used there and the other way round, one brought back."""
    dealer = guide_services.open_dealer(code="D1", name="=锦绣商贸", actor=BOSS)
    shop = make_store("D01", "加盟店", cast.south.id, dealer_id=dealer.id)
    guide = make_guide("D9", "周敏", shop.id)
    batch = make_batch(template_id=make_template(title="满减券"), name="双旦满减")

    def issue(who: Any) -> str:
        return services.issue_coupon(
            batch_id=batch, member_id=make_members(1)[0], request_key=key(), door="guide", guide_id=who.id,
            store_id=who.store.id, actor=BOSS,
        ).code  # fmt: skip

    for _number in range(3):
        redeem(issue(cast.lina), shop.id, order_no="EAST")
    back = redeem(issue(guide), cast.store.id, order_no="SOUTH")
    take_back(back.request_id)
    redeem(claim(batch, make_members(1)[0]).code, shop.id, order_no="CHAIN", guide_id=guide.id)
    services.decide_policy(terms=PolicyTerms(10_000, 0, 0), actor=BOSS)
    fold()
    services.settle_redemptions(actor=BOSS)
    return {"batch": batch, "shop": shop.id, "dealer": dealer.id, "guide": guide.id}


@pytest.fixture
def east(cast: Cast) -> Client:
    cast.regional.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label__in=["coupons", "guides"], codename__startswith="view_"
        )
    )
    client = Client()
    client.force_login(cast.regional)
    return client


def sheets_of(answer: Any) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def tiles_of(answer: Any) -> dict[str, str]:
    return {str(title): number for title, number, _note in answer.context["tiles"]}


def lines_of(answer: Any) -> dict[str, tuple[str, ...]]:
    return {line["label"]: line["cells"] for line in answer.context["lines"]}


def test_the_page_shows_the_sums_the_table_and_the_days(desk: Client, trade: dict[str, Any]) -> None:
    answer = desk.get(STATS)
    assert answer.status_code == 200
    tiles = tiles_of(answer)
    assert (tiles["发放"], tiles["核销"], tiles["核销率"], tiles["费率"]) == ("5", "4", "80.0%", "15.0%")
    assert (tiles["优惠金额"], tiles["带动销售"]) == ("¥120.00", "¥800.00")
    assert lines_of(answer)["双旦满减"][:3] == ("5", "1", "4")
    assert [day["redeemed"] for day in answer.context["days"]] == [4]
    html = answer.content.decode()
    assert "vendor/echarts" in html
    assert "数据更新到" in html
    assert html.count('data-placeholder="全部"') == 6


@pytest.mark.parametrize("by", ["template", "batch", "door", "region", "dealer", "store", "guide", "day"])
@pytest.mark.parametrize("side", ["issued", "redeemed"])
def test_every_dimension_opens_sorts_and_leads_to_its_rows(
    desk: Client, trade: dict[str, Any], by: str, side: str
) -> None:
    answer = desk.get(STATS, {"by": by, "side": side, "sort": "-discount_fen"})
    assert answer.status_code == 200
    place = [str(head["words"]) for head in answer.context["heads"]].index("优惠金额")
    discounts = [float(line["cells"][place].replace(",", "")) for line in answer.context["lines"]]
    assert discounts == sorted(discounts, reverse=True)
    assert sum(discounts) == 120
    linked = [line for line in answer.context["lines"] if line["rows_url"]]
    assert linked
    for line in linked:
        rows = desk.get(line["rows_url"])
        assert sum(float(row["discount"].replace(",", "")) for row in rows.context["rows"]) == float(
            line["cells"][place]
        )


def test_a_stores_till_and_a_dealers_coupons_are_told_apart(desk: Client, trade: dict[str, Any]) -> None:
    till = desk.get(STATS, {"side": "redeemed", "store": trade["shop"], "by": "store"})
    assert lines_of(till)["加盟店"] == ("4", "0", "120.00", "800.00", "15.0%", "6.7 倍")
    issuer = desk.get(STATS, {"side": "issued", "dealer": trade["dealer"], "by": "guide"})
    assert lines_of(issuer) == {
        "周敏（D9）": ("1", "0", "0", "0.0%", "1", "0", "0", "1", "0.00", "0.00", "—", "—")
    }


def test_the_rows_name_the_day_of_the_first_redemption_and_no_whole_code(
    desk: Client, trade: dict[str, Any]
) -> None:
    rows = desk.get(ROWS, {"batch": trade["batch"]}).context["rows"]
    assert [row["what"] for row in rows] == [
        "redeemed",
        "reversed",
        "redeemed",
        "redeemed",
        "redeemed",
        "redeemed",
    ]
    assert {len(row["cells"][0]) for row in rows} == {5}
    issued = desk.get(ROWS, {"batch": trade["batch"], "what": "issued"})
    assert len(issued.context["rows"]) == 5
    assert desk.get(issued.context["rows"][0]["url"]).status_code == 200
    assert desk.get(rows[0]["url"]).status_code == 200


def test_a_region_sees_its_part_only(east: Client, cast: Cast, trade: dict[str, Any]) -> None:
    answer = east.get(STATS, {"by": "store"})
    assert lines_of(answer).keys() == {"南京东路店"}
    assert tiles_of(answer)["发放"] == "3"
    assert lines_of(east.get(STATS, {"by": "store", "side": "redeemed"})).keys() == {"南京东路店"}
    for foreign in ({"store": trade["shop"]}, {"guide": trade["guide"]}):
        refused = east.get(STATS, foreign)
        assert not refused.context["is_valid"]
        assert "tiles" not in refused.context
        assert "加盟店" not in refused.content.decode()
    # A dealer's name is no secret; of his numbers only what lies in her part is shown.
    assert east.get(STATS, {"dealer": trade["dealer"], "by": "guide"}).context["lines"] == []
    rows = east.get(ROWS, {"side": "issued"}).context["rows"]
    assert {row["cells"][4] for row in rows} == {"EAST"}
    assert {row["url"] for row in rows} == {""}


def test_pages_need_their_right_and_a_scope(cast: Cast, trade: dict[str, Any]) -> None:
    client = Client()
    client.force_login(cast.regional)
    for url in (STATS, ROWS, EXPORT, reverse("admin:coupons_stats_rows_export")):
        assert client.get(url).status_code == 403


def test_panels_show_a_batch_its_numbers_and_lead_on(desk: Client, trade: dict[str, Any]) -> None:
    page = desk.get(reverse("admin:coupons_couponbatch_change", args=[trade["batch"]])).content.decode()
    assert "数据（全部日期）" in page
    assert f"?ever=1&amp;batch={trade['batch']}&amp;by=day" in page
    assert desk.get(STATS, {"ever": "1", "batch": trade["batch"], "by": "day"}).context["lines"]


def test_wrong_filters_are_told_at_their_field_and_show_no_numbers(
    desk: Client, trade: dict[str, Any]
) -> None:
    for values in (
        {"since": "2026-12-01", "until": "2026-11-01"}, {"since": "yesterday"}, {"batch": "x"}, {"store": "9" * 30},
        {"door": "none"}, {"by": "member"},
    ):  # fmt: skip
        answer = desk.get(STATS, values)
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert "tiles" not in answer.context
        assert desk.get(ROWS, values).context["rows"] == []
    assert desk.get(STATS, {"page": "x", "sort": "-secret"}).status_code == 200
    assert desk.get(ROWS, {"page": "-1"}).status_code == 200


def test_an_empty_page_says_what_to_do(desk: Client) -> None:
    answer = desk.get(STATS)
    assert "这段时间没有发券" in answer.content.decode()
    assert "vendor/echarts" not in answer.content.decode()


def test_the_workbook_has_real_dates_and_numbers(desk: Client, trade: dict[str, Any]) -> None:
    answer = desk.get(EXPORT, {"by": "dealer", "since": "2026-01-01", "until": clock.today().isoformat()})
    name = unquote(answer.headers["Content-Disposition"])
    assert f"券数据_按经销商_2026-01-01至{clock.today().isoformat()}.xlsx" in name
    sheets = sheets_of(answer)
    assert list(sheets) == ["按经销商", "每天", "说明"]
    by_label = {row[0]: row[1:] for row in sheets["按经销商"][1:]}
    assert by_label["直营"][:4] == (3, 0, 3, 1)
    assert by_label["直营"][8:10] == (90, 600)
    assert "=锦绣商贸" in by_label
    day = sheets["每天"][1]
    assert day[0] == dt.datetime.combine(clock.today(), dt.time())
    assert sheets["说明"][1] == (f"2026-01-01至{clock.today().isoformat()}",)
    rows = sheets_of(desk.get(reverse("admin:coupons_stats_rows_export"), {"batch": trade["batch"]}))[
        "核销明细"
    ]
    assert sum(row[9] for row in rows[1:]) == 120


def test_workbooks_freeze_the_head_and_read_no_name_as_a_formula() -> None:
    stream = io.BytesIO()
    moment = at_shanghai("2026-11-01 00:30")
    rows: list[Any] = [
        ["=1+1", 1, 150, 2_500, dt.date(2026, 11, 1), moment],
        [None, None, None, None, None, None],
    ]
    heads: Any = [
        ("名", "text"),
        ("数", "count"),
        ("元", "fen"),
        ("率", "share"),
        ("日", "day"),
        ("时", "moment"),
    ]
    write_workbook(stream=stream, sheets=[Sheet("按[门店]/汇总", heads, rows)])
    stream.seek(0)
    sheet = openpyxl.load_workbook(stream).worksheets[0]
    assert (sheet.title, sheet.freeze_panes) == ("按-门店--汇总", "A2")
    first = sheet[2]
    assert (first[0].value, first[0].data_type) == ("=1+1", "s")
    assert [cell.value for cell in first[1:4]] == [1, 1.5, 0.25]
    assert first[2].number_format == "#,##0.00"
    assert (first[4].is_date, first[5].value) == (True, dt.datetime(2026, 11, 1, 0, 30))


def test_the_page_costs_few_queries_whatever_it_shows(
    desk: Client, cast: Cast, trade: dict[str, Any]
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(STATS, {"by": "guide"}).status_code == 200
        return len(queries)

    desk.get(STATS)
    before = cost()
    for number in range(20):
        guide = make_guide(f"X{number}", f"导购{number}", cast.store.id)
        services.issue_coupon(
            batch_id=trade["batch"], member_id=cast.xiaomei.id, request_key=key(), door="guide", guide_id=guide.id,
            store_id=cast.store.id, actor=BOSS,
        )  # fmt: skip
    fold()
    assert cost() == before <= 15


def month() -> SettlementMonth:
    return SettlementMonth.objects.get(month=clock.today().replace(day=1))


def test_a_month_says_who_owes_whom_and_goes_out_as_a_workbook(desk: Client, trade: dict[str, Any]) -> None:
    url = reverse("admin:coupons_settlementmonth_change", args=[month().pk])
    owners, stores = (panel.context["lines"] for panel in desk.get(url).context["panels"][:2])
    assert [(line["debtor"], line["creditor"], line["owed"], line["net"]) for line in owners] == [
        ("总部（直营）", "=锦绣商贸", "120.00", "120.00"), ("=锦绣商贸", "总部（直营）", "0.00", "0.00"),
    ]  # fmt: skip
    assert {line["store"]: (line["discount"], line["due"]) for line in stores} == {
        "南京东路店": ("0.00", "0.00"), "加盟店": ("120.00", "120.00"),
    }  # fmt: skip
    answer = desk.get(reverse("admin:coupons_settlementmonth_export", args=[month().pk]))
    assert f"跨店结算_{clock.today():%Y-%m}_未关账.xlsx" in unquote(answer.headers["Content-Disposition"])
    sheets = sheets_of(answer)
    assert sheets["往来汇总"][1] == ("总部（直营）", "=锦绣商贸", 4, 120, 0, 120)
    assert (len(sheets["明细"]), sum(row[10] for row in sheets["明细"][1:])) == (7, 120)


def test_a_region_sees_its_lines_and_closes_nothing(east: Client, cast: Cast, trade: dict[str, Any]) -> None:
    change = reverse("admin:coupons_settlementmonth_change", args=[month().pk])
    owners = east.get(change).context["panels"][0].context["lines"]
    assert [line["owed"] for line in owners] == ["90.00", "0.00"]
    sheets = sheets_of(east.get(reverse("admin:coupons_settlementmonth_export", args=[month().pk])))
    assert {row[3] for row in sheets["明细"][1:]} == {"EAST", "SOUTH"}
    listed = east.get(reverse("admin:coupons_settlementline_changelist")).context["cl"].result_list
    assert len(listed) == 5
    foreign = SettlementLine.objects.get(entry__redemption__order_no="CHAIN")
    assert east.get(reverse("admin:coupons_settlementline_change", args=[foreign.pk])).status_code == 302
    cast.regional.user_permissions.add(Permission.objects.get(codename="close_settlement"))
    for button in ("close_it", "reopen", "recompute"):
        url = reverse(f"admin:coupons_settlementmonth_{button}", args=[month().pk])
        assert east.post(url, {"_confirmed": "1", "reason": "x"}).status_code == 403
    assert month().state == "open"


def test_head_office_closes_reopens_and_recomputes(desk: Client, cast: Cast, trade: dict[str, Any]) -> None:
    at = at_shanghai("2026-01-08 12:00")
    redeem(claim(make_batch(at=at), make_members(1)[0], at=at).code, trade["shop"], at=at)
    services.settle_redemptions(actor=BOSS)
    old = SettlementMonth.objects.get(month=dt.date(2026, 1, 1))

    def press(button: str, row: SettlementMonth, **values: str) -> Any:
        return desk.post(
            reverse(f"admin:coupons_settlementmonth_{button}", args=[row.pk]), {"_confirmed": "1", **values}
        )

    assert "还没有结束" in press("close_it", month()).content.decode()
    assert press("close_it", old).status_code == 302
    page = desk.get(reverse("admin:coupons_settlementmonth_change", args=[old.pk]))
    assert page.context["panels"][0].context["is_same"] is True
    assert press("reopen", old, reason=" ").status_code == 200
    assert press("reopen", old, reason="规则填错").status_code == 302
    policy = SettlementPolicy.objects.get()
    form = {"issuer_bp": "0", "redeemer_bp": "60.5", "chain_bp": "39.5"}
    change = reverse("admin:coupons_settlementpolicy_change", args=[policy.pk])
    assert desk.post(change, form | {"chain_bp": "30"}).status_code == 200
    assert desk.post(change, form).status_code == 302
    assert press("recompute", old).status_code == 302
    line = SettlementLine.objects.get(month=old.month)
    assert (line.issuer_fen, line.redeemer_fen, line.chain_fen) == (0, 1_815, 1_185)
    assert (
        desk.post(
            reverse("admin:coupons_settlementpolicy_drop", args=[policy.pk]), {"_confirmed": "1"}
        ).status_code
        == 302
    )
    assert not SettlementPolicy.objects.exists()
