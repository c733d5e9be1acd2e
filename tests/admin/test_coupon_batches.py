"""Batches at head office's desk: two steps with a summary, buttons with numbers, codes from files, copies, links."""

import base64
import datetime as dt
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core import clock
from coupons import services
from coupons.contracts import BatchTerms
from coupons.models import Coupon, CouponBatch, PartnerCode
from tests.admin.coupon_desk_kit import errors_of, page, press, shown, staff_client
from tests.cast import Cast
from tests.coupons.kit import BOSS, claim, later, make_batch, make_template, terms

ADD = "couponbatch_add"


def form(**values: Any) -> dict[str, Any]:
    given = {
        "template": str(values.pop("template_id", None) or make_template()), "name": "开业", "quota": "10000",
        "doors": ["claim", "guide"], "member_limit": "1", "guide_quota_period": "whole",
    }  # fmt: skip
    return given | values


def test_a_batch_is_told_in_plain_words_before_it_is_made(desk: Client) -> None:
    opens = clock.today() + dt.timedelta(days=3)
    values = form(budget_fen="50000", opens_at_0=opens.isoformat(), guide_quota="20")
    told = desk.post(page(ADD), values)
    day = f"{opens.month} 月 {opens.day} 日"
    if opens.year != clock.today().year:
        day = f"{opens.year} 年 {day}"
    assert told.context["sentence"] == (
        f"一共 1 万张，每人 1 张，{day}起在领券中心和导购处发放，最多花 5 万元。"
    )
    assert told.context["notes"] == [
        "每位导购整个批次最多发 20 张",
        "按每张最多 30 元，预算只够 1,666 张，先到的是预算",
    ]
    assert not CouponBatch.objects.exists()
    sent: dict[str, list[str]] = {}
    for name, value in told.context["sent"]:
        sent.setdefault(name, []).append(value)
    assert errors_of(desk.post(page(ADD), sent | {"back": "1"})) == {}
    assert desk.post(page(ADD), sent | {"save": "open"}).status_code == 302
    batch = CouponBatch.objects.get()
    assert (batch.quota, batch.budget_fen, batch.cost_fen, batch.state) == (10_000, 5_000_000, 3_000, "open")
    assert batch.opens_at == clock.day_bounds(opens)[0]


def test_a_form_sent_twice_makes_one_batch(desk: Client) -> None:
    values = form(public_id=desk.get(page(ADD)).context["public_id"], save="open")
    for _ in range(2):
        assert desk.post(page(ADD), values).status_code == 302
    assert CouponBatch.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "values"),
    [("doors", {"doors": []}), ("quota", {"quota": "0"}), ("quota", {"quota": "x"}), ("name", {"name": ""}),
     ("member_limit", {"member_limit": "0"}), ("template", {"template": "987654"}),
     ("closes_at", {"opens_at_0": "2027-02-02", "closes_at_0": "2027-02-01"}), ("budget_fen", {"budget_fen": "-1"}),
     ("guide_quota_period", {"guide_quota_period": "hour"}), ("opens_at", {"opens_at_0": "soon"})],
)  # fmt: skip
def test_what_makes_no_sense_is_told_at_its_field(desk: Client, field: str, values: dict[str, Any]) -> None:
    assert field in errors_of(desk.post(page(ADD), form(**values)))
    assert not CouponBatch.objects.exists()


def test_all_faults_are_told_at_once_also_without_a_template(desk: Client) -> None:
    values = form(name="", quota="0") | {"template": ""}
    assert {"template", "name", "quota"} <= set(errors_of(desk.post(page(ADD), values)))


def test_a_budget_needs_a_cost_and_a_retired_template_makes_no_batch(desk: Client) -> None:
    loose = make_template(kind="percent", off_fen=None, rate_bp=8_000)
    assert "cost_fen" in errors_of(desk.post(page(ADD), form(template_id=loose, budget_fen="100")))
    retired = make_template()
    services.retire_template(template_id=retired, actor=BOSS)
    assert "template" in errors_of(desk.post(page(ADD), form(template_id=retired)))


def test_a_batch_is_opened_extended_paused_voided_and_ended(desk: Client, cast: Cast) -> None:
    pk = make_batch(10, budget_fen=30_000, is_open=False)
    assert "开始后模板的条款不能再改" in shown(desk.get(page("couponbatch_open", pk)))
    press(desk, "couponbatch_open", pk)
    for _ in range(3):
        claim(pk, cast.xiaomei.id)
    assert "已发 3 / 10 张，还剩 7 张" in shown(desk.get(page("couponbatch_extend", pk)))
    press(desk, "couponbatch_extend", pk, more="5")
    press(desk, "couponbatch_extend_money", pk, more_fen="150")
    batch = CouponBatch.objects.get()
    assert (batch.quota, batch.budget_fen, batch.state) == (15, 45_000, "open")
    assert "作废 3 张没用过的券，涉及 1 位会员" in shown(desk.get(page("couponbatch_void", pk)))
    assert press(desk, "couponbatch_void", pk, reason=" ", key="once").status_code == 200
    for _ in range(2):
        press(desk, "couponbatch_void", pk, reason="活动取消", key="once")
    assert "作废 0 / 3 张（0%）" in shown(desk.get(page("couponbatch_change", pk)))
    services.resume_void_jobs()
    assert "作废 3 / 3 张" in shown(desk.get(page("batch_voiding", pk)))
    assert set(Coupon.objects.values_list("state", flat=True)) == {"voided"}
    press(desk, "couponbatch_pause", pk)
    assert CouponBatch.objects.get().state == "paused"
    press(desk, "couponbatch_end", pk)
    assert CouponBatch.objects.get().state == "ended"
    assert press(desk, "couponbatch_open", pk).status_code == 200


def test_the_page_of_a_batch_says_how_it_stands(desk: Client, cast: Cast) -> None:
    pk = make_batch(2, doors=("claim", "guide"), guide_quota=5, budget_fen=6_000)
    services.issue_coupon(
        batch_id=pk, member_id=cast.xiaomei.id, request_key="k", door="guide", guide_id=cast.lina.id,
        store_id=cast.store.id, actor=BOSS,
    )  # fmt: skip
    seen = desk.get(page("couponbatch_change", pk))
    html = shown(seen)
    for words in (
        "李娜",
        "1 / 5",
        "领券中心、导购处",
        "预算 60 元，已预留 30 元",
        "pages/coupons/claim?batch=",
        "暂停",
    ):
        assert words in html, words
    assert "开始发放</a>" not in html
    claim(pk, cast.xiaoli.id)
    assert desk.get(page("couponbatch_change", pk)).context["standing"][1] == "已发完"


@pytest.mark.parametrize(
    ("values", "words"),
    [({"opens_at": later(days=1)}, "还没到发放时间"), ({"opens_at": None, "closes_at": later(days=-1)}, "已过发放时间"),
     ({"quota": 2, "budget_fen": 0}, "预算已用完"), ({}, "发放中")],
)  # fmt: skip
def test_an_open_batch_says_why_nobody_gets_one(desk: Client, values: dict[str, Any], words: str) -> None:
    pk = make_batch(**values)
    assert desk.get(page("couponbatch_change", pk)).context["standing"][1] == words
    assert words in shown(desk.get(page("couponbatch_changelist")))


def test_a_batch_is_edited_and_what_is_fixed_says_so(desk: Client) -> None:
    pk = make_batch(10, doors=("claim",))
    batch = CouponBatch.objects.get()
    values = form(name="改名", quota="10", member_limit="", cost_fen="30", doors=["claim", "share"])
    assert desk.post(page("couponbatch_change", pk), values).status_code == 302
    batch.refresh_from_db()
    assert (batch.name, batch.doors) == ("改名", ["claim", "share"])
    answer = desk.post(page("couponbatch_change", pk), values | {"quota": "11"})
    assert "已经开始发放" in str(errors_of(answer))
    assert "请用“追加”" in shown(desk.get(page("couponbatch_change", pk) + "?edit=1"))


def test_a_copy_takes_everything_but_the_dates(desk: Client) -> None:
    pk = make_batch(77, name="双旦", opens_at=later(days=1), closes_at=later(days=9), guide_quota=5)
    copy = desk.get(f"{page(ADD)}?copy={pk}").context["form"].initial
    assert (copy["name"], copy["quota"], copy["guide_quota"]) == ("双旦（副本）", 77, 5)
    assert (copy["opens_at"], copy["closes_at"]) == (None, None)
    assert desk.get(f"{page(ADD)}?copy=x%00&template=9").status_code == 200


def partner_batch() -> int:
    return services.create_batch(
        template_id=services.create_template(terms=terms(), actor=BOSS).id,
        terms=BatchTerms(name="合作", quota=0, doors=("claim",)),
        partner_name="咖啡店",
        actor=BOSS,
    ).id


def workbook(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [("codes.txt", "\ufeffAA-1\r\nAA-2\r\nb d\r\n".encode()), ("codes.csv", "券码,备注\nAA-1,好\nAA-2,\nb d,".encode("gbk")),
     ("codes.xlsx", workbook(["AA-1"], ["AA-2"], [None], ["b d"]))],
)  # fmt: skip
def test_a_partners_codes_come_from_a_file_and_bad_lines_go_back(
    desk: Client, name: str, content: bytes
) -> None:
    pk = partner_batch()
    told = press(desk, "couponbatch_import_codes", pk, file=SimpleUploadedFile(name, content))
    assert list(PartnerCode.objects.order_by("pk").values_list("code", flat=True)) == ["AA-1", "AA-2"]
    assert (told.context["done"].added_count, told.context["bad_count"]) == (2, 1)
    raw = base64.b64decode(told.context["bad_file"].partition("base64,")[2])
    rows = list(openpyxl.load_workbook(BytesIO(raw)).worksheets[0].iter_rows(values_only=True))
    assert [row[1:] for row in rows[1:]] == [("b d", "中间有空格或看不见的字符")]
    again = press(desk, "couponbatch_import_codes", pk, file=SimpleUploadedFile(name, content))
    assert (again.context["done"].added_count, again.context["done"].repeated_count) == (0, 2)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0old", b"\x89PNG\r\n" + b"\0" * 40]
)
def test_a_file_that_is_none_changes_nothing(desk: Client, content: bytes) -> None:
    answer = press(
        desk, "couponbatch_import_codes", partner_batch(), file=SimpleUploadedFile("a.xlsx", content)
    )
    assert errors_of(answer)
    assert not PartnerCode.objects.exists()


def test_a_formula_among_the_codes_goes_back_as_text(desk: Client) -> None:
    bad = SimpleUploadedFile("c.txt", b"OK1\n=1+ 1\n")
    told = press(desk, "couponbatch_import_codes", partner_batch(), file=bad)
    raw = base64.b64decode(told.context["bad_file"].partition("base64,")[2])
    cell = openpyxl.load_workbook(BytesIO(raw)).worksheets[0]["B2"]
    assert (cell.value, cell.data_type) == ("'=1+ 1", "s")


def test_without_a_mini_program_the_code_says_what_is_missing(desk: Client, cast: Cast) -> None:
    pk = make_batch()
    answer = desk.get(page("batch_code", pk), follow=True)
    assert answer.redirect_chain
    assert list(answer.context["messages"])


def test_rights(cast: Cast) -> None:
    pk = make_batch()
    viewer = staff_client(cast, "view_couponbatch")
    html = shown(viewer.get(page("couponbatch_change", pk)))
    assert page("couponbatch_pause", pk) not in html
    assert viewer.get(page(ADD)).status_code == 403
    assert press(viewer, "couponbatch_pause", pk).status_code == 403
    viewer.post(page("couponbatch_change", pk), form(name="x"))
    assert CouponBatch.objects.get().name == "批次"
    nobody = staff_client(cast, "view_coupon")
    for name in ("couponbatch_change", "batch_code", "couponbatch_import_codes"):
        assert nobody.get(page(name, pk)).status_code == 403, name


def test_guides_of_another_part_are_not_shown(cast: Cast) -> None:
    pk = make_batch(guide_quota=5)
    for guide, store in ((cast.lina, cast.store), (cast.chenjing, cast.other_store)):
        services.issue_coupon(
            batch_id=pk, member_id=cast.xiaomei.id, request_key=f"k{guide.id}", door="guide", guide_id=guide.id,
            store_id=store.id, actor=BOSS,
        )  # fmt: skip
    east = staff_client(cast)
    assert [one["name"] for one in east.get(page("couponbatch_change", pk)).context["guides"]] == ["李娜"]
