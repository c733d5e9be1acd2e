"""Files of orders and returns: read, checked, booked, and what is wrong with them told line by line."""

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from openpyxl import Workbook

from core import clock
from core.errors import Refusal
from core.imports.reading import bad_rows
from core.uploads import error_workbook
from members.models import PointsEntry
from sales import services
from sales.models import (
    HeldDocument,
    IntakeDocument,
    IntakeJob,
    IntakeProblem,
    PerformanceEntry,
    Sale,
    SaleLine,
    SalePayment,
    SaleReturn,
    TotalMove,
)
from sales.services.import_files import reason_words
from sales.services.import_jobs import INTAKE_LIFE
from tests.cast import Cast, make_store
from tests.sales.import_kit import (
    BACK_HEADINGS,
    HEADINGS,
    STAFF,
    back_row,
    check,
    counts,
    expected,
    row,
    run,
    take,
    text_of,
    upload,
)
from tests.sales.kit import assert_totals_agree, ledger

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.IMPORT_ROOT = tmp_path


def problems(job: IntakeJob) -> dict[int, list[str]]:
    return dict(IntakeProblem.objects.filter(job=job).values_list("line", "reasons"))


def workbook(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    sheet: Any = book.active
    for cells in rows:
        sheet.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_rows_of_one_number_are_one_order_with_its_lines(cast: Cast) -> None:
    job = take(
        text_of(
            [
                row("O1", 会员码=cast.xiaomei.code, 支付方式="微信=150.00;现金=50", 订单金额="200"),
                row("O1", 商品编码="B2", 类目编码="shoes", 数量="2", 会员码=cast.xiaomei.code),
                row("O2", 导购工号="", 成交金额="¥1200.50", 吊牌金额=""),
            ]
        )
    )
    assert (job.state, counts(job), job.row_count) == ("finished", {"booked": 2}, 3)
    first = Sale.objects.get(order_no="O1")
    assert (first.amount_fen, first.unit_count, first.member_id, first.is_first) == (
        20_000,
        3,
        cast.xiaomei.id,
        True,
    )
    assert list(SaleLine.objects.filter(sale=first).values_list("number", "product__code", "list_fen")) == [
        (1, "A1", 12_900),
        (2, "B2", 12_900),
    ]
    assert list(SalePayment.objects.values_list("method", "amount_fen")) == [
        ("微信", 15_000),
        ("现金", 5_000),
    ]
    assert Sale.objects.get(order_no="O2").list_fen == 120_050
    assert ledger(store_id=cast.store.id)["sales_fen"] == 140_050
    assert not TotalMove.objects.exists()
    assert not IntakeDocument.objects.exists()
    assert_totals_agree()


def test_the_same_file_again_writes_nothing(cast: Cast) -> None:
    content = text_of([row(f"O{number}", 会员码=cast.xiaomei.code) for number in range(5)])
    take(content)
    before = (Sale.objects.count(), PerformanceEntry.objects.count(), PointsEntry.objects.count())
    job = check(upload(content))
    assert (expected(job).repeated, expected(job).booked) == (5, 0)
    assert counts(run(job.pk)) == {"repeated": 5}
    assert (Sale.objects.count(), PerformanceEntry.objects.count(), PointsEntry.objects.count()) == before


def test_a_check_counts_and_books_nothing(cast: Cast) -> None:
    job = check(
        upload(
            text_of([row("O1"), row("O2", 门店编号="T99"), row("O3", 会员码="NOBODY"), row("O4", 数量="x")])
        )
    )
    assert (job.state, job.total_count, job.bad_count) == ("checked", 3, 1)
    assert (expected(job).booked, expected(job).held) == (1, 2)
    assert not Sale.objects.exists()
    assert not HeldDocument.objects.exists()


def test_unknown_names_are_held_with_their_reason_and_booked_when_they_are_known(cast: Cast) -> None:
    rows = [row("O1", 门店编号="T99"), row("O2", 导购工号="T777"), row("O3", 会员码="NOBODY"), row("O4")]
    job = take(text_of(rows))
    assert counts(job) == {"booked": 1, "held": 3}
    held = HeldDocument.objects.order_by("number").values_list("number", "reason", "value")
    assert list(held) == [
        ("O1", "sales.unknown_store", "T99"),
        ("O2", "sales.unknown_guide", "T777"),
        ("O3", "sales.unknown_member", ""),
    ]
    make_store("T99", "新店", cast.east.id, 31.2, 121.4)
    assert counts(take(text_of(rows))) == {"booked": 1, "repeated": 1, "held": 2}
    assert not HeldDocument.objects.waiting().filter(number="O1").exists()
    assert_totals_agree()


BAD: list[tuple[dict[str, str], str]] = [
    ({"数量": "0"}, "quantity:count_unusable"), ({"数量": "1.5"}, "quantity:count_unusable"),
    ({"数量": "-1"}, "quantity:count_negative"), ({"数量": ""}, "quantity:missing"),
    ({"成交金额": "-5"}, "line_amount:money_negative"), ({"成交金额": "1.005"}, "line_amount:money_unusable"),
    ({"成交金额": "99999999"}, "line_amount:money_too_much"), ({"成交金额": "=…"}, "line_amount:money_unusable"),
    ({"成交金额": "200"}, "document:sales.amounts_disagree"), ({"订单金额": "99"}, "document:sales.amounts_disagree"),
    ({"支付方式": "现金=1"}, "document:sales.amounts_disagree"), ({"支付方式": "现金"}, "payments:payments_unusable"),
    ({"成交时间": "昨天"}, "sold_at:moment_unusable"), ({"成交时间": "2026-02-30 10:00"}, "sold_at:moment_unusable"),
    ({"成交时间": "2099-01-01"}, "document:sales.from_the_future"),
    ({"成交时间": "1999-01-01"}, "document:sales.document_unusable"),
    ({"商品编码": "6.9E+12"}, "product_code:number_scientific"), ({"商品编码": "=A1&B1"}, "product_code:formula"),
    ({"商品编码": "x" * 41}, "product_code:too_long"), ({"门店编号": ""}, "store_code:missing"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "reason"), BAD)
def test_a_bad_cell_comes_back_with_its_reason(cast: Cast, values: dict[str, str], reason: str) -> None:
    job = check(upload(text_of([row("O1", **values), row("O2")])))
    assert problems(job) == {2: [reason]}
    assert reason_words(reason=reason, kind="order") != reason
    assert counts(run(job.pk)) == {"booked": 1}


def test_one_bad_line_keeps_the_whole_order_out_and_all_its_lines_come_back(cast: Cast) -> None:
    rows = [row("O1"), row("O1", 数量="?", 门店编号="T02"), row("O2"), [*row("O3"), "滑出"], row("")]
    job = check(upload(text_of(rows)))
    assert problems(job) == {
        2: ["document:other_row"], 3: ["store_code:differs", "quantity:count_unusable"], 5: ["row:too_many_cells"],
        6: ["order_no:missing"],
    }  # fmt: skip
    told = list(bad_rows(INTAKE_LIFE.sort, job))
    assert told[0] == [*HEADINGS, "行号", "原因"]
    assert [line[-2] for line in told[1:]] == ["2", "3", "5", "6"]
    assert "整单没有导入" in told[1][-1]
    assert "数量" in told[2][-1]
    with error_workbook(bad_rows(INTAKE_LIFE.sort, job)) as stream:
        assert stream.read(2) == b"PK"
    assert counts(run(job.pk)) == {"booked": 1}


def test_one_number_in_two_places_of_a_file_is_nobodys_guess(cast: Cast) -> None:
    rows = [row("O1"), row("O2"), row("O1", 商品编码="B2"), row("O3"), row("O2")]
    job = check(upload(text_of(rows)))
    assert problems(job) == {2: ["document:scattered"], 4: ["document:scattered"]}
    assert (job.total_count, job.bad_count) == (3, 2)
    assert counts(run(job.pk)) == {"booked": 2, "repeated": 1}  # O2 twice says the same


def test_a_correction_and_a_conflict_go_their_ways(cast: Cast) -> None:
    headings = (*HEADINGS, "版本")
    take(text_of([[*row("O1"), "0"], [*row("O2"), "0"]], headings))
    rows = [[*row("O1", 成交金额="90.00"), "1"], [*row("O2", 成交金额="80.00"), "0"]]
    job = check(upload(text_of(rows, headings)))
    assert (expected(job).corrected, expected(job).held) == (1, 1)
    assert counts(run(job.pk)) == {"corrected": 1, "held": 1}
    assert ledger()["sales_fen"] == 19_000
    assert HeldDocument.objects.get().reason == "sales.document_conflict"


def test_returns_come_from_files_also_before_their_orders(cast: Cast) -> None:
    content = text_of(
        [back_row("R1", "O1"), back_row("R2", "O2"), back_row("R3", "", 原行号="")], BACK_HEADINGS
    )
    assert counts(take(content, kind="return")) == {"booked": 1, "held": 2}
    assert counts(take(text_of([row("O1")]))) == {"booked": 1}
    assert SaleReturn.objects.filter(order_no="O1").exists()
    assert counts(take(text_of([row("O2")]))) == {"booked": 1}
    assert counts(take(content, kind="return")) == {"repeated": 3}
    assert not HeldDocument.objects.waiting().exists()
    assert_totals_agree()


def test_what_is_dated_in_a_closed_month_counts_in_the_first_open_one(cast: Cast) -> None:
    last_month = clock.today().replace(day=1) - dt.timedelta(days=1)
    services.close_month(month_on=last_month, actor=STAFF)
    take(text_of([row("O1", 成交时间=f"{last_month} 12:00")]))
    entry = PerformanceEntry.objects.filter(metric="sales_fen").get()
    assert (entry.due_on, entry.booked_on) == (last_month, clock.today().replace(day=1))
    assert_totals_agree()


def test_a_workbook_with_dates_numbers_and_formulas(cast: Cast) -> None:
    cells: list[Any] = row("O1")
    cells[1], cells[9], cells[11] = dt.datetime(2026, 5, 1, 18, 30), 2, 100.5
    formula: list[Any] = row("O2")
    formula[11] = "=1+1"
    number: list[Any] = row("O3")
    number[0] = 12345678901234567890
    job = check(upload(workbook([list(HEADINGS), cells, formula, number]), name="订单.xlsx"))
    assert problems(job) == {3: ["line_amount:money_unusable"], 4: ["order_no:number_scientific"]}
    run(job.pk)
    sale = Sale.objects.get()
    assert (sale.amount_fen, sale.unit_count, sale.sold_at) == (
        10_050,
        2,
        dt.datetime(2026, 5, 1, 10, 30, tzinfo=dt.UTC),
    )


def test_mappings_are_guessed_checked_and_remembered(cast: Cast) -> None:
    headings = ("小票", "OrderTime", "Store", "SKU", "QTY", "Net Amount", "会员 手机号*")
    line = ["P1", "2026-05-01", "T01", "A1", "1", "10", ""]
    job_id = upload(text_of([line], headings))
    with pytest.raises(Refusal) as refusal:
        check(job_id)
    assert refusal.value.code == "sales.intake_mapping_unusable"
    assert "订单号" in refusal.value.message
    guessed = IntakeJob.objects.get(pk=job_id).mapping["columns"]
    job = check(job_id, columns={**guessed, "0": "order_no"}, channel="online")
    assert job.state == "checked"
    run(job.pk)
    assert Sale.objects.get().channel == "online"
    again = IntakeJob.objects.get(pk=upload(text_of([line], headings)))
    assert again.mapping == job.mapping
    with pytest.raises(Refusal):
        check(again.pk, columns={**job.mapping["columns"], "1": "order_no"})


def command(*arguments: Any, **options: Any) -> tuple[int, str, str]:
    """Exit status, standard output and error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_sales", *arguments, stdout=out, stderr=err, **options)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_the_command_checks_books_tells_and_ends_with_a_status(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "night.csv"
    path.write_text(text_of([row("O1"), row("O2")]), encoding="utf-8")
    status, out, err = command(str(path), source="pos", dry_run=True)
    assert (status, out.split(",")[0], Sale.objects.count()) == (0, "checked: 2 booked", 0)
    assert "checking 2 rows, 2 documents" in err
    assert command(str(path), source="pos")[1].startswith("finished: 2 booked")
    assert "2 repeated" in command(str(path), source="pos")[1]
    path.write_text(text_of([row("O3", 数量="?"), row("O4", 门店编号="T99")]), encoding="utf-8")
    errors = tmp_path / "bad.csv"
    status, out, _err = command(str(path), source="pos", errors=str(errors))
    assert (status, "1 held" in out, "1 bad rows" in out) == (1, True, True)
    assert "数量" in errors.read_text(encoding="utf-8-sig")
    assert command(str(tmp_path / "none.csv"), source="pos")[0] == 2
    assert command(str(path))[0] == command()[0] == 2
    assert command(str(path), source="没有这种")[0] == 2


def json_order(order_no: str, **other: Any) -> dict[str, Any]:
    """An order of two lines as the open API would be told it."""
    sold_at = clock.now().astimezone(clock.SHANGHAI) - dt.timedelta(minutes=30)
    lines = [
        {"product": "A1", "name": "针织衫", "category": "tops", "quantity": 1, "list_fen": 12_900, "amount_fen": 10_050},
        {"product": "B1", "quantity": 2, "list_fen": 6_000, "amount_fen": 5_000},
    ]  # fmt: skip
    return {
        "order_no": order_no, "sold_at": sold_at.isoformat(), "store": "T01", "guide": "T001", "lines": lines,
        "payments": [{"method": "wechat", "amount_fen": 15_050}], "amount_fen": 15_050,
    } | other  # fmt: skip


def test_the_command_takes_json_lines(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl"
    good = json_order("O1", member={"kind": "member_code", "value": cast.xiaomei.code})
    path.write_text("\n".join([json.dumps(good), "", json.dumps(json_order("O2"))]), encoding="utf-8")
    assert command(str(path), source="pos", dry_run=True)[:2][0] == 0
    assert Sale.objects.count() == 0
    assert command(str(path), source="pos")[1].startswith("finished: 2 booked")
    sale = Sale.objects.get(order_no="O1")
    assert (sale.member_id, sale.amount_fen, sale.list_fen) == (cast.xiaomei.id, 15_050, 18_900)
    told = sale.lines.order_by("number").values_list(
        "product__code", "quantity", "amount_fen", "category_code"
    )
    assert list(told) == [("A1", 1, 10_050, "tops"), ("B1", 2, 5_000, "")]
    assert [one.amount_fen for one in sale.payments.all()] == [15_050]
    # Told by the API, word for word the same order is the one of the file.
    assert "2 repeated" in command(str(path), source="pos")[1]
    back = {
        "return_no": "R1", "order_no": "O1", "store": "T01", "returned_at": clock.now().isoformat(),
        "amount_fen": 2_500, "lines": [{"product": "B1", "line": 2, "quantity": 1, "amount_fen": 2_500}],
    }  # fmt: skip
    path.write_text(json.dumps(back), encoding="utf-8")
    assert command(str(path), source="pos", returns=True)[1].startswith("finished: 1 booked")
    sale.refresh_from_db()
    assert sale.returned_fen == 2_500


BAD_LINES = (
    "{", "[]", '"x"', "{}", json.dumps({"order_no": "X"}), json.dumps({"order_no": "X", "lines": {}}),
    json.dumps({"order_no": "X", "lines": [1]}), "[" * 100_000,
)  # fmt: skip


def test_json_lines_that_are_no_documents_come_back_with_their_line(cast: Cast, tmp_path: Path) -> None:
    path, errors = tmp_path / "night.jsonl", tmp_path / "bad.csv"
    faulty = [
        json_order("B1", amount=15_050),
        json_order("B2", amount_fen=150.5),
        json_order("B3", payments=[{"method": "a=1;b", "amount_fen": 15_050}]),
        json_order("B4", member="138"),
        json_order("B5", amount_fen=1),
        json_order("B6", sold_at="yesterday"),
        json_order("B7", revision=True),
    ]
    lines = [json.dumps(json_order("O1")), *BAD_LINES, *map(json.dumps, faulty), json.dumps(json_order("O2"))]
    path.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    status, _out, _err = command(str(path), source="pos", errors=str(errors))
    assert (status, set(Sale.objects.values_list("order_no", flat=True))) == (1, {"O1", "O2"})
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {int(row["JSON 行号"]) for row in rows} == set(range(2, 2 + len(BAD_LINES) + len(faulty))) | {18}
    why = {int(row["JSON 行号"]): row["JSON 行不能用的原因"] for row in rows}
    assert (why[2], why[3], why[10]) == ("不是 JSON", "不是一张单据", "不认识的字段 amount")
    path.write_text("x" * 5_000_000, encoding="utf-8")
    assert command(str(path), source="pos")[0] == 2
