"""Head office's desks for sales: rights, parts of the chain, what is shown and what is done."""

import datetime as dt
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from core import clock
from core.actor import Actor
from core.admin import when
from core.models import AuditEntry
from sales import selectors, services
from sales.contracts import MemberKey
from sales.models import (
    AttributionRule,
    Category,
    DeskJob,
    HeldDocument,
    PerformanceEntry,
    PeriodClose,
    Product,
    Sale,
)
from tests.admin.sales_desk_kit import CONFIRM, LAST_MONTH, held, page_text, staff_with, url
from tests.cast import Cast
from tests.sales.kit import back, key_of, ledger, line, order, tell

BOSS = Actor.staff(1, "总部")


def test_the_desk_counts_what_waits_and_books_it_when_its_code_is_explained(desk: Client, cast: Cast) -> None:
    tell(order("O1", store_code="S013"), order("O2", store_code="S013"), order("O3", serving_guide="X9"))
    html = page_text(desk.get(url("sales_helddocument_changelist")))
    assert "门店编号 S013 不存在" in html
    assert "导购工号 X9 不存在" in html
    page = page_text(desk.get(url("sales_helddocument_change", held().pk)))
    assert "对应编号" in page
    asked = desk.get(url("sales_helddocument_explain", held().pk))
    assert "现在有 2 张单据在等它" in page_text(asked)
    desk.post(url("sales_helddocument_explain", held().pk), CONFIRM | {"target": cast.store.id})
    assert HeldDocument.objects.waiting().count() == 1
    assert Sale.objects.count() == 2
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"sales.code_explained", "sales.retry_started"} <= actions
    desk.post(url("sales_held_retry"), {"reason": "sales.unknown_guide", "value": "X9"})
    assert held("O3").tries == 1


def test_the_desk_says_when_a_document_is_tried_again(desk: Client, cast: Cast) -> None:
    tell(order("O1", store_code="S013"))
    row = held("O1")
    name = url("sales_helddocument_change", row.pk)
    assert "<dt>下次自动重试</dt><dd>十分钟内</dd>" in page_text(desk.get(name))
    HeldDocument.objects.update(tries=1_000)
    said = when(row.tried_at + dt.timedelta(hours=6))
    assert f"<dt>下次自动重试</dt><dd>{said}</dd>" in page_text(desk.get(name))
    services.discard_document(public_id=row.public_id, reason="重复", actor=BOSS)
    assert "下次自动重试" not in page_text(desk.get(name))


def test_a_phone_on_a_waiting_document_is_masked_and_its_member_is_named(desk: Client, cast: Cast) -> None:
    tell(order("O1", member=MemberKey("phone", "13912349999")))
    html = page_text(desk.get(url("sales_helddocument_change", held().pk)))
    assert "139 **** 9999" in html
    assert "13912349999" not in html
    name = url("sales_helddocument_member", held().pk)
    assert "没有找到这位会员" in page_text(desk.post(name, CONFIRM | {"who": "查无此人"}))
    assert "请写明会员" in page_text(desk.post(name, CONFIRM))
    desk.post(name, CONFIRM | {"who": cast.xiaomei.code})
    assert Sale.objects.get().member_id == cast.xiaomei.id


def test_a_conflict_is_shown_beside_what_is_booked_and_decided(desk: Client, cast: Cast) -> None:
    tell(order("O1", line(amount_fen=10_000)))
    tell(order("O1", line("B7", 8_000)))
    html = page_text(desk.get(url("sales_helddocument_change", held().pk)))
    assert "已入账的" in html
    assert "80.00" in html
    assert "100.00" in html
    desk.post(url("sales_helddocument_accept", held().pk), CONFIRM)
    sale = Sale.objects.current().get()
    assert sale.amount_fen == 8_000
    page = page_text(desk.get(url("sales_sale_change", sale.pk)))
    assert "版本对照" in page
    assert "第 1 版" in page


def test_discarding_needs_a_reason_and_can_be_undone(desk: Client, cast: Cast) -> None:
    tell(order("O1", store_code="S013"))
    discard = url("sales_helddocument_discard", held().pk)
    desk.post(discard, CONFIRM)
    assert held().state == "waiting"
    desk.post(discard, CONFIRM | {"reason": "收银机测试单"})
    assert (held().state, held().note) == ("discarded", "收银机测试单")
    desk.post(url("sales_helddocument_restore", held().pk), CONFIRM)
    assert held().state == "waiting"
    chosen = {"action": "discard_selected", "_selected_action": [held().pk]}
    desk.post(url("sales_helddocument_changelist"), chosen | CONFIRM | {"reason": "重复"})
    assert held().state == "discarded"


def test_many_are_tried_by_a_worker_with_progress(
    desk: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sales.admin.held._AT_ONCE", 1)
    tell(order("O1", store_code="S013"), order("O2", store_code="S013"))
    answer = desk.post(url("sales_held_retry"), {"reason": "sales.unknown_store", "value": "S013"})
    job = DeskJob.objects.get()
    assert answer["Location"] == url("sales_deskjob_change", job.pk)
    assert "已处理 0 / 2" in page_text(desk.get(url("sales_desk_job_progress", job.pk)))
    services.work_desk_job(job_id=job.pk, actor=BOSS)
    assert "还不能入账 2 张" in page_text(desk.get(url("sales_desk_job_progress", job.pk)))


def test_a_region_sees_its_own_documents_and_without_rights_nothing(cast: Cast) -> None:
    tell(
        order("E1"),
        order("S1", store_code="T02", serving_guide="T004"),
        order("E2", serving_guide="X9"),
        order("S2", store_code="T02", serving_guide="X9"),
        order("N1", store_code="S013"),
    )
    client = staff_with(
        cast, "view_sale", "view_helddocument", "change_helddocument", "view_performanceentry"
    )
    east = Sale.objects.get(order_no="E1")
    south = Sale.objects.get(order_no="S1")
    rows = client.get(url("sales_sale_changelist")).context["cl"].result_list
    assert [row.order_no for row in rows] == ["E1"]
    waiting = client.get(url("sales_helddocument_changelist"))
    assert [row.number for row in waiting.context["cl"].result_list] == ["E2"]
    assert "S013" not in page_text(waiting)
    stores = {
        row.store_id for row in client.get(url("sales_performanceentry_changelist")).context["cl"].result_list
    }
    assert stores == {cast.store.id}
    assert client.get(url("sales_sale_change", east.pk)).status_code == 200
    assert client.get(url("sales_sale_change", south.pk)).status_code == 302
    foreign = client.post(url("sales_helddocument_discard", held("S2").pk), CONFIRM | {"reason": "x"})
    assert foreign.status_code == 302
    assert held("S2").state == "waiting"
    client.post(url("sales_held_retry"), {"reason": ""})
    assert (held("E2").tries, held("S2").tries) == (1, 0)
    # Rights of their own: she may neither move sales nor close months nor write rules.
    for name, args in (
        ("sales_sale_reattribute", (east.pk,)),
        ("sales_sale_export", ()),
        ("sales_month_close", ("2026-01",)),
        ("sales_attributionrule_changelist", ()),
        ("sales_periodclose_changelist", ()),
        ("sales_product_changelist", ()),
    ):
        assert client.get(url(name, *args)).status_code == 403, name
    bare = staff_with(cast)
    for name in ("sales_sale_changelist", "sales_helddocument_changelist", "sales_numbers_then"):
        assert bare.get(url(name)).status_code == 403


def parts(*rows: tuple[str, Any, str], **other: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"request_key": "r1"} | other
    for place, (role, guide, percent) in enumerate(rows):
        values |= {f"role_{place}": role, f"guide_{place}": guide or "", f"percent_{place}": percent}
    return values


def test_a_sale_is_given_to_others_after_a_look_at_what_moves(desk: Client, cast: Cast) -> None:
    tell(order("O1"))
    sale = Sale.objects.get()
    page = url("sales_sale_reattribute", sale.pk)
    card = selectors.get_attribution(sale.pk)
    assert card is not None
    split = parts(
        ("serving", cast.wangfang.id, "60"), ("store", None, "40"), seen=card.id, reason="顾客说是王芳接待的"
    )
    looked = page_text(desk.post(page, split))
    assert "会写入的流水" in looked
    assert "+60.00" in looked
    assert "-100.00" in looked
    assert ledger(guide_id=cast.wangfang.id) == {}
    assert "要正好 100%" in page_text(desk.post(page, parts(("serving", cast.wangfang.id, "60"))))
    assert "请选择导购" in page_text(desk.post(page, parts(("serving", None, "100"))))
    desk.post(page, split | CONFIRM)
    assert ledger(metric="sales_fen", guide_id=cast.wangfang.id) == {"sales_fen": 6_000}
    html = page_text(desk.get(url("sales_sale_change", sale.pk)))
    assert "人工指定（顾客说是王芳接待的）" in html
    assert "以前的归属" in html
    # Another manager who looked before sees that somebody was faster.
    late = parts(("store", None, "100"), seen=card.id, reason="归门店", request_key="r2")
    told = page_text(desk.post(page, late | CONFIRM))
    assert "人工指定（顾客说是王芳接待的）" in told
    assert ledger(metric="sales_fen", guide_id=cast.wangfang.id) == {"sales_fen": 6_000}


def test_sales_are_found_by_number_member_and_guide_and_exported(desk: Client, cast: Cast) -> None:
    tell(
        order("O1", member=key_of(cast.xiaomei), serving_guide="T002"),
        order("O2", serving_guide="T001"),
        order("O3", line(amount_fen=700), serving_guide=""),
    )
    tell(back("R1", order_no="O2"))

    def found(**asked: str) -> list[str]:
        rows = desk.get(url("sales_sale_changelist"), asked).context["cl"].result_list
        return sorted(row.order_no for row in rows)

    assert found(q="O1") == ["O1"]
    assert found(q=cast.xiaomei.code) == ["O1"]
    assert found(q="T001") == ["O2"]
    assert found(returned="all") == ["O2"]
    assert found(first="1") == ["O1"]
    assert found(q="O' OR 1=1 --") == []
    sent: Any = desk.get(url("sales_sale_export"), {"first": "none"})
    book: Any = load_workbook(io.BytesIO(b"".join(sent.streaming_content)))
    rows = list(book.active.values)
    assert {row[1] for row in rows[1:]} == {"O2", "O3"}
    assert AuditEntry.objects.filter(action="sales.sale_exported").get().details == {"row_count": 2}


def test_the_ledger_sums_what_is_asked_and_knows_the_past(desk: Client, cast: Cast) -> None:
    tell(order("O1"))
    before = clock.now()
    tell(order("O2", line(amount_fen=5_000)), back("R1"))
    PerformanceEntry.objects.filter(
        sale_ref=Sale.objects.get(order_no="O1").pk, return_ref__isnull=True
    ).update(at=before - dt.timedelta(hours=1))
    PerformanceEntry.objects.exclude(
        sale_ref=Sale.objects.get(order_no="O1").pk, return_ref__isnull=True
    ).update(at=before + dt.timedelta(minutes=2))
    listed = page_text(desk.get(url("sales_performanceentry_changelist"), {"guide__id__exact": cast.lina.id}))
    assert "50.00" in listed
    assert "选日期、导购或门店" in page_text(desk.get(url("sales_performanceentry_changelist")))
    rows = desk.get(url("sales_performanceentry_changelist"), {"q": "R1"}).context["cl"].result_list
    assert {row.reason for row in rows} == {"return"}
    today = clock.today().isoformat()
    asked: dict[str, Any] = {
        "since": today, "until": today, "at": f"{before.astimezone(clock.SHANGHAI):%Y-%m-%dT%H:%M}",
        "guide": cast.lina.id,
    }  # fmt: skip
    lines = desk.get(url("sales_numbers_then"), asked).context["lines"]
    assert ("销售额", "100.00", "50.00", "-50.00") in lines
    assert "请选择导购或门店" in page_text(desk.get(url("sales_numbers_then"), asked | {"guide": ""}))
    broken = desk.get(url("sales_numbers_then"), {"since": "x", "until": today, "at": "", "guide": "9" * 30})
    assert broken.status_code == 200


def test_a_month_is_closed_with_what_waits_in_sight_and_reopened(desk: Client, cast: Cast) -> None:
    moment = dt.datetime.combine(LAST_MONTH, dt.time(12), tzinfo=clock.SHANGHAI)
    tell(order("O1", sold_at=moment), order("O2", store_code="S013", sold_at=moment))
    slug = f"{LAST_MONTH:%Y-%m}"
    asked = page_text(desk.get(url("sales_month_close", slug)))
    assert "还有 1 张待处理单据属于这个月" in asked
    assert "100.00" in asked
    desk.post(url("sales_month_close", slug), CONFIRM)
    close = PeriodClose.objects.get()
    tell(order("O3", line(amount_fen=700), sold_at=moment))
    assert "7.00" in page_text(desk.get(url("sales_periodclose_change", close.pk)))
    assert "已关账" in page_text(desk.get(url("sales_periodclose_changelist")))
    desk.post(url("sales_month_reopen", slug), CONFIRM)
    assert PeriodClose.objects.standing().exists()
    desk.post(url("sales_month_reopen", slug), CONFIRM | {"reason": "漏传订单"})
    assert not PeriodClose.objects.standing().exists()
    assert desk.get(url("sales_month_close", "2026-13")).status_code == 404
    this_month = f"{clock.today():%Y-%m}"
    assert "还没有结束" in page_text(desk.post(url("sales_month_close", this_month), CONFIRM))


def test_rules_are_written_in_percent_put_in_order_and_tried(desk: Client, cast: Cast) -> None:
    fields = {"name": "线上", "exclusive_bp": "66.67", "store_bp": "33.33", "channels": "mini，shop"}
    assert "要正好 100%" in page_text(
        desk.post(url("sales_attributionrule_add"), CONFIRM | fields | {"store_bp": "30"})
    )
    desk.post(url("sales_attributionrule_add"), CONFIRM | fields | {"region_ids": [cast.east.id]})
    rule = AttributionRule.objects.get()
    assert (rule.exclusive_bp, rule.store_bp, rule.channels, rule.region_ids, rule.is_active) == (
        6_667, 3_333, ["mini", "shop"], [cast.east.id], False,
    )  # fmt: skip
    services.create_rule(draft=_draft("门店"), actor=BOSS)
    desk.post(url("sales_rule_do", rule.pk, "down"))
    desk.post(url("sales_rule_do", rule.pk, "on"))
    rule.refresh_from_db()
    assert (rule.position, rule.is_active) == (2, True)
    assert desk.get(url("sales_rule_do", rule.pk, "up")).status_code == 403
    assert desk.post(url("sales_rule_do", rule.pk, "sideways")).status_code == 403
    html = page_text(desk.get(url("sales_attributionrule_changelist")))
    assert "专属导购 66.67%，门店 33.33%" in html
    moment = dt.datetime.combine(LAST_MONTH, dt.time(12), tzinfo=clock.SHANGHAI)
    tell(order("O1", sold_at=moment))
    other = AttributionRule.objects.get(name="门店")
    answer = desk.post(url("sales_rules_try"), {"rule": other.pk})
    job = DeskJob.objects.get()
    services.work_desk_job(job_id=job.pk, actor=BOSS)
    told = page_text(desk.get(answer["Location"]))
    assert "李娜（T001）" in told
    assert "南京东路店（门店自身）" in told
    assert "100.00" in told


def _draft(name: str) -> Any:
    from sales.contracts import RuleDraft

    return RuleDraft(name=name, store_bp=10_000)


def test_products_are_named_by_hand_and_from_a_file(desk: Client, cast: Cast) -> None:
    tell(order("O1", line("A1", product_name="", category_code="tops")))
    product = Product.objects.get()
    text = (
        "商品编码,商品名称,类目编码,类目名称,品牌\nA1,羊绒衫,knit,针织,甲\nB2,风衣,coat,外套\n,没有编码,,\n"
    )

    def upload(**more: str) -> str:
        file = SimpleUploadedFile("goods.csv", text.encode("gbk"))
        return page_text(desk.post(url("sales_product_import_file"), CONFIRM | {"file": file} | more))

    assert "试算完成" in upload(is_trial="on")
    assert not Product.objects.filter(code="B2").exists()
    told = upload()
    assert "没有商品编码" in told
    product.refresh_from_db()
    assert (product.name, product.brand, product.category.code if product.category else "") == (
        "羊绒衫",
        "甲",
        "knit",
    )
    assert Category.objects.get(code="coat").name == "外套"
    change = {"name": "山羊绒衫", "brand": "乙", "category": Category.objects.get(code="tops").pk}
    desk.post(url("sales_product_change", product.pk), change)
    product.refresh_from_db()
    assert (product.name, product.brand) == ("山羊绒衫", "乙")
    broken = SimpleUploadedFile("x.csv", "名称\n羊绒衫\n".encode())
    answer = desk.post(url("sales_product_import_file"), CONFIRM | {"file": broken})
    assert "商品编码" in page_text(answer)
    assert {"sales.products_imported", "sales.product_changed"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )
