"""Staff set, split and import targets, and settle commission; each sees her part of the chain."""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from core import clock
from core.admin import exports
from core.admin.export_jobs import build_exports, path_of
from core.models import ExportJob
from sales import selectors, services
from sales.admin import commission as commission_desk
from sales.contracts import TargetEntry, TargetKey, TargetKind
from sales.models import Category, CommissionMonth, CommissionRule, Sale, Target
from tests.cast import Cast
from tests.sales.commission_kit import prepare, rule
from tests.sales.kit import TILL, line, order, tell

SEPTEMBER = dt.date(2026, 9, 1)
MONTH = "2026-12"
DECEMBER = dt.date(2026, 12, 1)


@pytest.fixture(autouse=True)
def _before_that_month() -> Iterator[None]:
    """Guides who join today have a part in that month, whenever the tests run."""
    with time_machine.travel(dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)):
        yield


def grant(client: Client, cast: Cast, *codenames: str) -> None:
    cast.regional.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    client.force_login(cast.regional)


def sell(no: str, fen: int, guide: str = "T001", store: str = "T01") -> None:
    at = dt.datetime(2026, 9, 5, 4, tzinfo=dt.UTC)
    tell(order(no, line(amount_fen=fen), serving_guide=guide, store_code=store, sold_at=at))


def target_of(kind: TargetKind, pk: int) -> int | None:
    return selectors.find_targets([TargetKey(kind, pk)], DECEMBER).get(TargetKey(kind, pk))


def upload(text: bytes | str, name: str = "目标.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())


def url(name: str, *args: Any, **query: Any) -> str:
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    return reverse(f"admin:{name}", args=args) + (f"?{asked}" if asked else "")


def test_targets_are_typed_into_the_grid(desk: Client, cast: Cast) -> None:
    page = desk.get(url("sales_target_changelist", month=MONTH)).content.decode()
    assert all(name in page for name in ("全国", "华东大区", "南京东路店", "天河路店"))
    fields = {f"store-{cast.store.id}": "12,345.60", f"region-{cast.root.id}": " ¥20000 "}
    answer = desk.post(url("sales_targets_set", month=MONTH), fields, follow=True).content.decode()
    assert "已保存，2 个目标有变化" in answer
    assert (target_of("store", cast.store.id), target_of("region", cast.root.id)) == (1_234_560, 2_000_000)
    answer = desk.post(
        url("sales_targets_set", month=MONTH), {f"store-{cast.store.id}": "很多"}, follow=True
    ).content.decode()
    assert "「很多」不是金额" in answer
    assert target_of("store", cast.store.id) == 1_234_560
    typed = {f"store-{cast.store.id}": "很多", f"store-{cast.other_store.id}": "3,000"}
    kept = desk.post(url("sales_targets_set", month=MONTH), typed)
    shown = {line["field"]: line for line in kept.context["lines"]}
    assert shown[f"store-{cast.store.id}"]["is_wrong"]
    assert shown[f"store-{cast.other_store.id}"]["value"] == "3,000"
    assert shown[f"region-{cast.root.id}"]["value"] == "20,000"
    assert f'href="{url("sales_target_changelist", month="2026-11")}' in kept.content.decode()
    desk.post(url("sales_targets_set", month=MONTH), {f"store-{cast.store.id}": ""})
    assert target_of("store", cast.store.id) is None


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1e99", "1.005", "1" * 40])
def test_the_grid_takes_amounts_only(desk: Client, cast: Cast, text: str) -> None:
    desk.post(url("sales_targets_set", month=MONTH), {f"store-{cast.store.id}": text})
    assert target_of("store", cast.store.id) is None


def test_a_target_is_split_as_it_was_looked_at(desk: Client, cast: Cast) -> None:
    services.set_targets(
        month_on=DECEMBER, entries=[TargetEntry(TargetKey("region", cast.root.id), 8_000_000)], actor=TILL
    )
    address = url("sales_targets_split", month=MONTH, of=f"region-{cast.root.id}")
    page = desk.get(address)
    assert "李娜（T001）" in page.content.decode()
    assert "平均分" in page.content.decode()
    digest = page.context["digest"]
    answer = desk.post(address, {"digest": digest}, follow=True).content.decode()
    assert "已分解" in answer
    assert target_of("store", cast.store.id) == 4_000_000
    services.set_targets(
        month_on=DECEMBER, entries=[TargetEntry(TargetKey("store", cast.store.id), 100)], actor=TILL
    )
    assert "请重新预览" in desk.post(address, {"digest": digest}, follow=True).content.decode()
    assert "手工定的，不动" in desk.get(address).content.decode()
    desk.post(address, {"release": "1"})
    assert "手工定的，不动" not in desk.get(address).content.decode()


def test_a_table_is_looked_at_taken_and_its_bad_rows_come_back(desk: Client, cast: Cast) -> None:
    text = (
        '编号,目标,备注\nT01,100000,\nT001,"30,000.50",\nT002,-5,\nX99,1,不认识\nT003,=A1*2,\nT004,三万,\nT001,1,又来\n'
        "华南大区,500000,\nT02,,\n"
    )
    address = url("sales_targets_import", month=MONTH)
    page = desk.post(address, {"file": upload(text.encode("gb18030")), "check": "1"}).content.decode()
    assert "可以导入 3 行，有问题 6 行" in page
    assert not Target.objects.filter(month_on=DECEMBER).exists()
    for reason in ("目标不能是负数", "没有这个编号", "是公式", "不是金额", "前面已经有一行了", "没有填目标"):
        assert reason in page
    bad = desk.post(address, {"file": upload(text), "bad": "1"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(bad)))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0] == ("编号", "目标", "备注", "行号", "原因")
    assert len(rows) == 7
    kept = desk.post(address, {"file": upload(text), "check": "1"}).context["kept"]
    spoiled = desk.post(address, {"kept": kept[:-2] + "xx", "save": "1"})
    assert "请再选一次文件" in spoiled.content.decode()
    assert not Target.objects.filter(month_on=DECEMBER).exists()
    answer = desk.post(address, {"kept": kept, "save": "1"}, follow=True).content.decode()
    assert "已导入，3 个目标有变化" in answer
    assert target_of("guide", cast.lina.id) == 3_000_050
    assert target_of("region", cast.south.id) == 50_000_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空"),
        (b"\x00\x01\x02\x03" * 500, "CSV"),
        ("姓名,金额\n李娜,1\n".encode(), "「编号」"),
        (b"PK\x03\x04 broken", "损坏"),
    ],
)
def test_files_that_are_no_table_are_refused_in_words(
    desk: Client, cast: Cast, content: bytes, words: str
) -> None:
    answer = desk.post(url("sales_targets_import", month=MONTH), {"file": upload(content), "save": "1"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert words in page
    assert not Target.objects.filter(month_on=DECEMBER).exists()


def test_what_is_exported_can_be_imported(desk: Client, cast: Cast) -> None:
    services.set_targets(
        month_on=DECEMBER, entries=[TargetEntry(TargetKey("store", cast.store.id), 1_000_000)], actor=TILL
    )
    answer = desk.get(url("sales_targets_export", month=MONTH))
    content = b"".join(answer)
    page = desk.post(
        url("sales_targets_import", month=MONTH), {"file": upload(content, "目标.xlsx"), "check": "1"}
    ).content.decode()
    assert "可以导入 1 行" in page


def test_targets_of_pieces_have_a_grid_and_a_table_of_their_own(desk: Client, cast: Cast) -> None:
    asked = {"month": MONTH, "metric": "new_member_count"}
    key = TargetKey("store", cast.store.id)
    assert "新增会员" in desk.get(url("sales_target_changelist", **asked)).content.decode()
    answer = desk.post(url("sales_targets_set", **asked), {f"store-{cast.store.id}": "2.5"}, follow=True)
    assert "「2.5」不是整数" in answer.content.decode()
    answer = desk.post(url("sales_targets_set", **asked), {f"store-{cast.store.id}": "20"}, follow=True)
    assert answer.redirect_chain[0][0].endswith("&metric=new_member_count")
    assert selectors.list_targets_of(key, DECEMBER) == {"new_member_count": 20}
    page = desk.get(url("sales_targets_split", of=f"store-{cast.store.id}", **asked))
    assert "¥" not in page.context["value"]
    desk.post(
        url("sales_targets_split", of=f"store-{cast.store.id}", **asked), {"digest": page.context["digest"]}
    )
    guide = TargetKey("guide", cast.lina.id)
    assert selectors.list_targets_of(guide, DECEMBER)["new_member_count"] in (6, 7)
    exported = b"".join(desk.get(url("sales_targets_export", **asked)))
    checked = desk.post(
        url("sales_targets_import", **asked), {"file": upload(exported, "目标.xlsx"), "check": "1"}
    ).content.decode()
    assert "可以导入 1 行" in checked  # the first sheet: regions and stores
    text = "编号,目标\nT001,9\nT002,1.5\n"
    desk.post(url("sales_targets_import", **asked), {"file": upload(text), "save": "1"})
    assert selectors.list_targets_of(guide, DECEMBER) == {"new_member_count": 9}


def test_a_region_sets_its_own_part_only(client: Client, cast: Cast) -> None:
    grant(client, cast, "view_target", "change_target", "view_commissionmonth")
    page = client.get(url("sales_target_changelist", month=MONTH)).content.decode()
    assert "南京东路店" in page
    assert "天河路店" not in page
    client.post(
        url("sales_targets_set", month=MONTH),
        {f"store-{cast.other_store.id}": "5", f"store-{cast.store.id}": "5"},
    )
    assert (target_of("store", cast.other_store.id), target_of("store", cast.store.id)) == (None, 500)
    for of in (f"store-{cast.other_store.id}", f"region-{cast.south.id}", "store-999999", "guide-1", "x"):
        assert client.get(url("sales_targets_split", month=MONTH, of=of)).status_code == 404
    assert client.get(url("sales_target_changelist", store=cast.other_store.id)).status_code == 404
    answer = client.post(
        url("sales_targets_import", month=MONTH), {"file": upload("编号,目标\nT02,1\nT004,1\n"), "check": "1"}
    ).content.decode()
    assert "可以导入 0 行，有问题 2 行" in answer
    rule()
    sell("C1", 10_000)
    sell("C2", 10_000, "T004", "T02")
    page = client.get(url("sales_commission_month", "2026-09")).content.decode()
    assert "李娜" in page
    assert "陈静" not in page
    assert client.get(url("sales_commission_guide", "2026-09", cast.chenjing.id)).status_code == 404
    assert client.get(url("sales_commission_guide", "2026-09", 999_999)).status_code == 404
    assert client.get(url("sales_commission_do", "2026-09", "prepare")).status_code == 403


def test_who_may_only_look_sets_nothing(client: Client, cast: Cast) -> None:
    grant(client, cast, "view_target")
    assert (
        client.post(url("sales_targets_set", month=MONTH), {f"store-{cast.store.id}": "5"}).status_code == 403
    )
    assert client.get(url("sales_targets_import", month=MONTH)).status_code == 403
    assert client.get(url("sales_commissionmonth_changelist")).status_code == 403


def test_a_month_is_prepared_looked_at_closed_and_opened_again(desk: Client, cast: Cast) -> None:
    rule()
    sell("NO-1", 10_000)
    address = url("sales_commission_month", "2026-09")
    assert "未结算" in desk.get(address).content.decode()
    ask = {"_confirmed": "1"}
    begun = desk.post(url("sales_commission_do", "2026-09", "prepare"), ask, follow=True).content.decode()
    assert "已算完 0 / 1 位导购" in begun
    assert "已算完 0 / 1 位导购" in desk.get(url("sales_commission_progress", "2026-09")).content.decode()
    assert services.work_commissions() == 1
    assert desk.get(url("sales_commission_progress", "2026-09"))["HX-Refresh"] == "true"
    question = desk.get(url("sales_commission_do", "2026-09", "close")).content.decode()
    assert "1 位导购，应发合计 ¥3" in question
    changed = desk.post(url("sales_commission_do", "2026-09", "close"), {**ask, "payable_fen": "1"})
    assert "请再核对一遍" in changed.content.decode()
    done = desk.post(
        url("sales_commission_do", "2026-09", "close"), {**ask, "payable_fen": "300"}, follow=True
    )
    assert "已关账" in done.content.decode()
    assert "逐人核对一致" in desk.get(address).content.decode()
    statement = desk.get(url("sales_commission_guide", "2026-09", cast.lina.id)).content.decode()
    sold = url("sales_sale_change", Sale.objects.get().pk)
    assert f'<a class="xe-link" href="{sold}">NO-1</a>' in statement
    assert desk.get(sold).status_code == 200
    for name in ("sales_commission_export", "sales_commission_guide_export"):
        args = ("2026-09",) if name.endswith("n_export") else ("2026-09", cast.lina.id)
        book = openpyxl.load_workbook(io.BytesIO(b"".join(desk.get(url(name, *args)))))
        sheet = book.worksheets[0]
        assert [cell.value for cell in sheet[1]][9] == "应发"
        assert float(sheet[2][9].value) == 3.0
    assert len(list(book.worksheets[1].rows)) == 2
    listed = url("sales_commissionline_changelist", month="2026-09")
    page = url("sales_sale_change", Sale.objects.get(order_no="NO-1").pk)
    assert f'<a class="xe-link" href="{page}">NO-1</a>' in desk.get(listed).content.decode()
    assert "NO-1" not in desk.get(url("sales_commissionline_changelist", q="NO-2")).content.decode()
    lines = desk.get(url("sales_commissionline_export", month="2026-09"))
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(lines))).worksheets[0]
    assert [cell.value for cell in sheet[2]][1:3] == ["T001", "李娜"]
    asked = desk.get(url("sales_commission_do", "2026-09", "reopen")).content.decode()
    assert "1 份提成单、应发合计 ¥3" in asked
    begun = desk.post(
        url("sales_commission_do", "2026-09", "reopen"), {**ask, "reason": "算错了"}, follow=True
    ).content.decode()
    assert "已留底 0 / 1 位导购的提成单" in begun
    assert "停止并退回" not in begun
    services.work_commissions()
    assert CommissionMonth.objects.get(month_on=SEPTEMBER).state == "open"
    assert desk.get(url("sales_commission_do", "2026-09", "burn")).status_code == 404
    assert desk.get(url("sales_commission_month", "2026-13")).status_code == 404


def test_a_line_opens_only_an_order_that_the_account_may_see(client: Client, cast: Cast) -> None:
    rule()
    sell("NO-2", 10_000, store="T02")
    sell("NO-1", 20_000)
    prepare(SEPTEMBER)
    grant(client, cast, "view_commissionline", "view_sale")
    page = client.get(url("sales_commissionline_changelist", month="2026-09")).content.decode()
    links = {
        no: url("sales_sale_change", Sale.objects.get(order_no=no).pk) in page for no in ("NO-1", "NO-2")
    }
    assert links == {"NO-1": True, "NO-2": False}
    assert "NO-2" in page
    cast.regional.user_permissions.remove(Permission.objects.get(codename="view_sale"))
    page = client.get(url("sales_commissionline_changelist", month="2026-09")).content.decode()
    assert "NO-1" in page
    assert "/sales/sale/" not in page.partition("result_list")[2]


def test_what_was_prepared_can_be_sent_back(desk: Client, cast: Cast) -> None:
    rule()
    sell("C1", 10_000)
    prepare(SEPTEMBER)
    discard = url("sales_commission_do", "2026-09", "discard")
    assert "作废已生成的 1 份提成单" in desk.get(discard).content.decode()
    begun = desk.post(discard, {"_confirmed": "1"}, follow=True).content.decode()
    assert "已退回 0 / 1 位导购的提成单" in begun
    assert services.work_commissions() == 1
    assert selectors.state_of(SEPTEMBER) == "open"
    assert desk.get(url("sales_commission_progress", "2026-09"))["HX-Refresh"] == "true"


def test_an_open_month_is_shown_by_pages_its_sums_come_after_and_its_lines_go_into_a_file(
    desk: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule()
    sell("C1", 10_000)
    sell("C2", 20_000, guide="T002")
    monkeypatch.setattr(commission_desk, "_AT_ONCE", 1)
    address = url("sales_commission_month", "2026-09")
    first = desk.get(address).content.decode()
    assert ("T001" in first, "T002" in first, "正在合计" in first) == (True, False, True)
    assert "T002" in desk.get(url("sales_commission_month", "2026-09", page="2")).content.decode()
    assert "¥9" in desk.get(url("sales_commission_sums", "2026-09")).content.decode()
    assert "¥6" in desk.get(url("sales_commission_sums", "2026-09", q="T002")).content.decode()
    assert "正在合计" not in desk.get(url("sales_commission_month", "2026-09", q="T002")).content.decode()
    address = url("sales_commissionline_export", month="2026-09")
    assert address in first
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(desk.get(address)))).worksheets[0]
    found = [[cell.value for cell in row] for row in sheet.rows]
    assert found[0][:4] == ["月份", "计薪门店", "工号", "姓名"]
    assert [(row[2], row[6], float(row[13])) for row in found[1:]] == [
        ("T001", "C1", 3.0),
        ("T002", "C2", 6.0),
    ]
    here = url("sales_commissionline_export", month="2026-09", store=str(cast.store.id))
    assert len(b"".join(desk.get(here))) > 1_000
    nowhere = desk.get(url("sales_commissionline_export", month="2026-09", store="0"))
    assert len(list(openpyxl.load_workbook(io.BytesIO(b"".join(nowhere))).worksheets[0].rows)) == 1


def test_many_lines_of_an_open_month_are_written_by_a_worker(
    desk: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.EXPORT_ROOT = tmp_path
    rule()
    sell("C1", 10_000)
    monkeypatch.setattr(exports, "AT_ONCE", 0)
    page = desk.get(url("sales_commissionline_export", month="2026-09"), follow=True).content.decode()
    assert "已写入 0 / 1 条" in page
    assert f"提成明细 #{ExportJob.objects.get().pk}" in page
    assert build_exports() == 1
    job = ExportJob.objects.get()
    assert (job.state, job.row_count) == ("done", 1)
    book = openpyxl.load_workbook(io.BytesIO(path_of(job.stored_as).read_bytes()))
    assert [cell.value for cell in book.worksheets[0][2]][2:4] == ["T001", "李娜"]


def rule_form(**other: Any) -> dict[str, Any]:
    return {
        "name": "销售提成", "position": "10", "is_active": "on", "kind": "sales", "mode": "progressive",
        "steps": "0 2%\n30000 3.5%", "bounty_metric": "", "bounty_fen": "", "category_codes": "", "role": "",
        "starts_on": "", "ends_on": "",
    } | other  # fmt: skip


def test_a_rule_is_written_in_words_of_a_shop_and_explained(desk: Client, cast: Cast) -> None:
    desk.post(
        url("sales_commissionrule_add"),
        rule_form(region_ids=[str(cast.east.id)], category_codes="tops, pants"),
    )
    made = CommissionRule.objects.get()
    assert made.steps == [[0, 200, 0], [3_000_000, 350, 0]]
    assert (made.region_ids, made.category_codes) == ([cast.east.id], ["tops", "pants"])
    Category.objects.create(code="tops", name="上装")
    assert "上装、pants" in desk.get(url("sales_commissionrule_changelist")).content.decode()
    assert "上装（tops）" in desk.get(url("sales_commissionrule_change", made.pk)).content.decode()
    assert "上装（tops）" in desk.get(url("sales_commissionrule_pick", category_codes="上")).content.decode()
    assert Client().get(url("sales_commissionrule_pick", category_codes="上")).status_code == 302
    page = desk.get(url("sales_commissionrule_change", made.pk)).content.decode()
    # 2 % of 30,000 and 3.5 % of 15,000.
    assert "一个月卖 ¥45,000：提成 ¥1,125" in page
    sell("C1", 10_000)
    trial = desk.get(url("sales_commissionrule_change", made.pk).replace("/change/", "/try/"))
    assert trial.status_code == 200
    assert "每位导购" in trial.content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": "100 2%"}, "第一档要从 0 元开始"),
        ({"steps": "0 2%\n500 3%\n300 4%"}, "每一档的起点要比上一档大"),
        ({"steps": "0 51%"}, "0% 到 50% 之间"),
        ({"steps": "0"}, "第 1 行要写两三个数"),
        ({"steps": "0 百分之二"}, "「百分之二」不是数字"),
        ({"steps": ""}, "至少写一档"),
        ({"steps": "0 2% 500"}, "固定奖金请写在目标奖里"),
        ({"kind": "bounty", "bounty_fen": "0"}, "请选择奖励什么"),
        (
            {"kind": "bounty", "bounty_metric": "first_purchase_count", "bounty_fen": "0"},
            "每人奖励要大于 0 元",
        ),
        ({"kind": "target", "steps": "0 1%"}, "目标奖的起点是完成率"),
        ({"starts_on": "2026-09-02", "ends_on": "2026-09-01"}, "结束日期要在开始日期之后"),
    ],
)
def test_a_rule_that_cannot_work_says_what_to_change(
    desk: Client, cast: Cast, changes: dict[str, str], words: str
) -> None:
    page = desk.post(url("sales_commissionrule_add"), rule_form(**changes)).content.decode()
    assert words in page
    assert not CommissionRule.objects.exists()


def test_effective_guides_and_their_measure(desk: Client, cast: Cast) -> None:
    for number in range(3):
        tell(order(f"E{number}", sold_at=clock.now()))
    page = desk.get(url("sales_targets_effective")).content.decode()
    assert "至少 3 单" in page
    desk.post(url("sales_targets_decide"), {"_confirmed": "1", "orders_a_week": "4", "orders_a_month": "20"})
    assert "至少 4 单" in desk.get(url("sales_targets_effective")).content.decode()


def test_effective_guides_are_filtered_by_week_and_month_and_taken_away(desk: Client, cast: Cast) -> None:
    for number in range(3):
        tell(order(f"E{number}", sold_at=clock.now()))

    def page(**asked: str) -> Any:
        return desk.get(url("sales_targets_effective", **asked)).context

    first = page()["rows"][0][1]
    assert (first.number, first.is_effective) == ("T001", True)
    assert (page()["needed"], page()["effective"]) == (3, 1)
    month = page(period="month")
    assert (month["needed"], month["effective"]) == (15, 0)
    assert [line.number for _store, line in page(state="yes")["rows"]] == ["T001"]
    assert "T001" not in [line.number for _store, line in page(state="no")["rows"]]
    assert [line.number for _store, line in page(q="t001")["rows"]] == ["T001"]
    assert {store for store, _line in page(store=str(cast.other_store.id))["rows"]} == {"天河路店"}
    stores = {row["name"]: (row["effective"], row["all"]) for row in page(by="store")["rows"]}
    assert stores["南京东路店"] == (1, 3)
    before = desk.get(url("sales_targets_effective") + page()["before_url"]).context
    assert (before["effective"], before["after_url"] != "") == (0, True)
    for nonsense in ({"day": "x"}, {"day": "0001-01-01"}, {"page": "x"}, {"store": "'"}, {"period": "age"}):
        assert desk.get(url("sales_targets_effective", **nonsense)).status_code == 200
    answer = desk.get(url("sales_targets_effective_export", state="yes"))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer)))
    assert [cell.value for cell in book.worksheets[0][2]] == ["南京东路店", "T001", "李娜", 3, "有效"]
    assert [cell.value for cell in book.worksheets[1][2]] == ["南京东路店", 1, 1, "100.0%"]


def test_a_region_sees_effective_guides_of_its_stores_only(client: Client, cast: Cast) -> None:
    grant(client, cast, "view_target")
    rows = client.get(url("sales_targets_effective")).context["rows"]
    assert {store for store, _line in rows} == {"南京东路店"}
    sheet = openpyxl.load_workbook(
        io.BytesIO(b"".join(client.get(url("sales_targets_effective_export"))))
    ).worksheets[0]
    assert "陈静" not in [cell.value for row in sheet.rows for cell in row]
