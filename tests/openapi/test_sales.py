"""Tills tell sales and returns: once, each for its own store, with a code for all that is wrong."""

import datetime as dt
from functools import partial
from typing import Any

import pytest

from core import clock
from members import services as member_services
from members.models import ActivityEntry, EarningRule, PointsEntry
from openapi.models import ApiCall
from sales import services as sale_services
from sales.models import Category, HeldDocument, PerformanceEntry, Product, Sale, SaleReturn
from tests.cast import Cast
from tests.openapi.kit import BOSS, Till, codes, make_till, new_key
from tests.openapi.sales_kit import goods, moment, told_order, told_return
from tests.sales.kit import assert_totals_agree, ledger
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def till(cast: Cast) -> Till:
    """The till of 南京东路店."""
    return make_till(cast.store.id)


@pytest.fixture
def chain(cast: Cast) -> Till:
    """The ERP of the whole chain."""
    return make_till(source="erp")


def outcome(answer: Any) -> tuple[int, str, str, str]:
    return answer.status_code, answer.data["outcome"], answer.data["code"], answer.data["field"]


def test_an_order_is_booked_and_read_back_with_whose_it_is(till: Till, cast: Cast) -> None:
    member = {"kind": "member_code", "value": cast.xiaomei.code}
    order = told_order("O1", goods("A1", 9_000, list_fen=10_000, name="衬衫"), member=member, guide="T001")
    assert outcome(till.post("/sales/orders", order)) == (200, "booked", "", "")
    told = till.get("/sales/orders?order_no=O1").data
    assert (told["amount_fen"], told["is_first"], told["revision"]) == (9_000, True, 0)
    assert [line["name"] for line in told["lines"]] == ["衬衫"]
    assert told["attribution"]["shares"] == [
        {"role": "serving", "guide": "李娜", "store": "南京东路店", "share_bp": 10_000, "amount_fen": 9_000}
    ]
    assert "李娜" in told["attribution"]["words"]
    assert ledger(guide_id=cast.lina.id)["sales_fen"] == 9_000


def test_the_same_order_fifty_times_at_once_is_one_sale_and_every_answer_is_200(
    till: Till, cast: Cast
) -> None:
    order, key = told_order("O1", member={"kind": "member_code", "value": cast.xiaomei.code}), new_key()
    same_key = [partial(till.post, "/sales/orders", order, key=key)] * 25
    answers = at_once([*same_key, *[partial(till.post, "/sales/orders", order)] * 25])
    assert {answer.status_code for answer in answers} == {200}
    assert sorted({answer.data["outcome"] for answer in answers}) == ["booked", "repeated"]
    assert len({str(answer.data) for answer in answers[:25]}) == 1
    assert Sale.objects.count() == 1
    assert ledger() == {"sales_fen": 10_000, "order_count": 1, "unit_count": 1, "first_purchase_count": 1}
    assert_totals_agree()


def test_a_till_tells_nothing_for_another_store_and_learns_nothing_of_it(
    till: Till, chain: Till, cast: Cast
) -> None:
    foreign = told_order("O1", store="T02")
    assert codes(till.post("/sales/orders", foreign)) == (404, "openapi.no_such_store")
    assert codes(till.post("/sales/orders", told_order(store="NONE"))) == (404, "openapi.no_such_store")
    assert codes(till.post("/sales/returns", told_return(store="T02"))) == (404, "openapi.no_such_store")
    other = make_till(cast.other_store.id)
    assert outcome(other.post("/sales/orders", told_order("O2")))[1] == "booked"
    assert codes(till.get("/sales/orders?order_no=O2")) == (404, "sales.no_such_sale")
    correction = told_order("O2", revision=1)
    assert codes(till.post("/sales/orders", correction)) == (404, "sales.no_such_sale")
    assert outcome(other.post("/sales/orders", correction))[1] == "corrected"
    assert codes(chain.post("/sales/orders", told_order("O3"))) == (400, "openapi.store_missing")
    assert codes(chain.get("/sales/orders?order_no=O2")) == (404, "sales.no_such_sale")  # another source
    batch = {"documents": [{"kind": "order", **foreign}, {"kind": "order", **told_order("O4")}]}
    told = till.post("/sales/documents", batch).data["results"]
    assert [(one["outcome"], one["code"]) for one in told] == [
        ("refused", "openapi.no_such_store"),
        ("booked", ""),
    ]


@pytest.mark.parametrize(
    ("scopes", "missing"), [(("sales:read",), "sales:write"), (("redeem",), "sales:write")]
)
def test_a_key_without_the_scope_writes_nothing(cast: Cast, scopes: tuple[str, ...], missing: str) -> None:
    poor = make_till(cast.store.id, scopes=scopes)
    for path in ("/sales/orders", "/sales/returns", "/sales/documents", "/sales/products"):
        answer = poor.post(path, {})
        assert codes(answer) == (403, "openapi.scope_missing")
        assert answer.data["details"]["scope"] == missing
    writer = make_till(cast.store.id, scopes=("sales:write",))
    assert codes(writer.get("/sales/orders?order_no=x")) == (403, "openapi.scope_missing")


UNREADABLE: list[tuple[dict[str, Any], str, str]] = [
    ({"sold_at": moment(minutes=-20)}, "sales.from_the_future", "sold_at"),
    ({"amount_fen": 9_999}, "sales.amounts_disagree", "amount_fen"),
    ({"payments": [{"method": "cash", "amount_fen": 1}]}, "sales.amounts_disagree", "payments"),
    ({"lines": [goods() | {"list_fen": 1}]}, "sales.amounts_disagree", "list_fen"),
    ({"lines": []}, "sales.document_unusable", "lines"),
    ({"lines": [goods() | {"quantity": 0}]}, "sales.document_unusable", "lines.1.quantity"),
    ({"lines": [goods() | {"quantity": "1"}]}, "sales.document_unusable", "lines.1.quantity"),
    ({"lines": [goods() | {"colour": "red"}]}, "sales.document_unusable", "lines.1.colour"),
    ({"sold_at": "2026-11-21T18:05:00"}, "sales.document_unusable", "sold_at"),
    ({"sold_at": 1}, "sales.document_unusable", "sold_at"),
    ({"order_no": "x" * 65}, "sales.document_unusable", "order_no"),
    ({"member": {"kind": "name", "value": "x"}}, "sales.document_unusable", "member.kind"),
    ({"surprise": 1}, "sales.document_unusable", "surprise"),
    ({"amount_fen": True}, "sales.document_unusable", "amount_fen"),
    ({"visit": "nonsense"}, "openapi.visit_over", ""),
]


def test_what_cannot_be_read_is_refused_with_its_field_and_its_key_stays_free(till: Till) -> None:
    key = new_key()
    for change, code, field in UNREADABLE:
        order = told_order() | change
        answer = till.post("/sales/orders", order, key=key)
        assert (answer.data["code"], answer.data["details"].get("field", "")) == (code, field)
        assert answer.status_code in {400, 403}
        told = till.post("/sales/documents", {"documents": [{"kind": "order", **order}]}).data["results"]
        assert [(one["outcome"], one["code"], one["field"]) for one in told] == [("refused", code, field)]
    assert not Sale.objects.exists()
    assert not HeldDocument.objects.exists()
    assert not ApiCall.objects.exists()
    assert outcome(till.post("/sales/orders", told_order(), key=key))[1] == "booked"


def test_what_somebody_may_mend_is_held_and_booked_when_it_is(chain: Till, cast: Cast) -> None:
    unknown = [
        (told_order("H1", store="T99"), "sales.unknown_store", "store_code"),
        (told_order("H2", store="T01", guide="T999"), "sales.unknown_guide", "serving_guide"),
        (told_order("H3", store="T01", sharing_guide="T999"), "sales.unknown_guide", "sharing_guide"),
        (
            told_order("H4", store="T01", member={"kind": "pos_card", "value": "nobody"}),
            "sales.unknown_member",
            "member",
        ),
    ]
    for order, code, field in unknown:
        answer = chain.post("/sales/orders", order)
        assert outcome(answer) == (200, "held", code, field)
        assert answer.data["message"]
    waiting = chain.get("/sales/orders?order_no=H1")
    assert codes(waiting) == (404, "sales.no_such_sale")
    assert waiting.data["details"] == {"held_for": "sales.unknown_store"}
    assert chain.post("/sales/orders", told_order("H5", store="T01", product="x")).status_code == 400
    assert HeldDocument.objects.waiting().count() == 4
    product = told_order("H6", goods("BRAND-NEW"), store="T01")
    assert outcome(chain.post("/sales/orders", product))[1] == "booked"
    assert Product.objects.filter(code="BRAND-NEW").exists()


def test_a_guide_of_another_store_served_and_the_sale_counts_where_it_was_sold(
    till: Till, cast: Cast
) -> None:
    guide = cast.chenjing
    assert outcome(till.post("/sales/orders", told_order(guide=guide.number)))[1] == "booked"
    assert ledger(guide_id=guide.id, store_id=cast.store.id)["sales_fen"] == 10_000


def test_another_content_under_a_number_waits_for_a_person(till: Till) -> None:
    assert outcome(till.post("/sales/orders", told_order()))[1] == "booked"
    other = till.post("/sales/orders", told_order("O1", goods("A1", 9_000)))
    assert outcome(other) == (200, "held", "sales.document_conflict", "")
    assert ledger()["sales_fen"] == 10_000


def test_a_return_before_its_order_waits_and_more_than_was_bought_is_held(till: Till) -> None:
    early = told_return()
    assert outcome(till.post("/sales/returns", early)) == (200, "held", "sales.unknown_order", "order_no")
    assert outcome(till.post("/sales/orders", told_order(sold_at=moment(days=1))))[1] == "booked"
    assert SaleReturn.objects.count() == 1
    assert outcome(till.post("/sales/returns", early))[1] == "repeated"
    more = till.post("/sales/returns", told_return("R2"))
    assert outcome(more) == (200, "held", "sales.return_too_large", "lines")
    no_such_line = told_return("R3")
    no_such_line["lines"][0]["line"] = 7
    assert outcome(till.post("/sales/returns", no_such_line))[2] == "sales.return_too_large"
    assert "sales_fen" not in ledger()
    assert till.get("/sales/orders?order_no=O1").data["returns"][0]["return_no"] == "R1"


def test_a_document_of_a_closed_month_counts_in_the_first_that_is_open(till: Till) -> None:
    month = clock.today().replace(day=1)
    before = month - dt.timedelta(days=3)
    sale_services.close_month(month_on=before, actor=BOSS)
    sold_at = dt.datetime.combine(before, dt.time(12), clock.SHANGHAI).isoformat()
    assert outcome(till.post("/sales/orders", told_order(sold_at=sold_at)))[1] == "booked"
    assert set(PerformanceEntry.objects.values_list("due_on", "booked_on")) == {(before, month)}


def test_points_come_once_go_back_exactly_and_her_tier_hears_of_it(till: Till, cast: Cast) -> None:
    EarningRule.objects.create(name="每 1 元 1 分", fen_per_point=100)
    member = {"kind": "member_code", "value": cast.xiaomei.code}
    member_services.credit_points(
        member_id=cast.xiaomei.id, points=500, source_key="gift", reason="礼", actor=BOSS
    )
    order = told_order("O1", goods(quantity=2), goods("B2", 5_050), member=member, points=300)
    for _time in range(3):
        assert till.post("/sales/orders", order).status_code == 200
    told = till.get("/sales/orders?order_no=O1").data
    assert (told["points_earned"], told["points_taken"], told["points_code"]) == (150, 300, "")
    assert balance(cast) == 500 + 150 - 300
    part = told_return("R1", "O1", 5_050)
    part["lines"][0] |= {"line": 2, "product": "B2"}
    assert outcome(till.post("/sales/returns", part))[1] == "booked"
    assert balance(cast) == 500 + 100 - 300
    rest = told_return("R2", "O1", 10_000)
    rest["lines"][0] |= {"quantity": 2}
    for _time in range(2):
        assert till.post("/sales/returns", rest).status_code == 200
    assert balance(cast) == 500
    spent = ActivityEntry.objects.filter(member_id=cast.xiaomei.id)
    assert sum(spent.values_list("spend_fen", flat=True)) == 0
    assert sum(spent.values_list("order_count", flat=True)) == 0


def balance(cast: Cast) -> int:
    """Her points, added up."""
    return sum(PointsEntry.objects.filter(account__member_id=cast.xiaomei.id).values_list("delta", flat=True))


def test_points_she_does_not_have_are_noted_and_the_goods_are_sold(till: Till, cast: Cast) -> None:
    member = {"kind": "member_code", "value": cast.xiaomei.code}
    assert outcome(till.post("/sales/orders", told_order(member=member, points=10)))[1] == "booked"
    assert till.get("/sales/orders?order_no=O1").data["points_code"] == "members.not_enough_points"


def test_she_is_named_by_the_visit_of_her_code(till: Till, cast: Cast) -> None:
    code = member_services.issue_member_code(member_id=cast.xiaomei.id, actor=BOSS).text
    visit = till.post("/members/read", {"code": code}).data["visit"]
    assert outcome(till.post("/sales/orders", told_order(visit=visit)))[1] == "booked"
    assert Sale.objects.get().member_id == cast.xiaomei.id
    again = told_order(visit=visit, member={"kind": "member_code", "value": cast.xiaomei.code})
    assert codes(till.post("/sales/orders", again)) == (400, "sales.document_unusable")


def test_a_plain_order_asks_few_statements_with_its_request_and_its_transaction(
    till: Till, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    """A member's order of a guide: signature, key, order, points, tier, ledger, totals, numbers, answer and log."""
    EarningRule.objects.create(name="全部", fen_per_point=100)
    member = {"kind": "member_code", "value": cast.xiaomei.code}
    till.post("/sales/orders", told_order("O0", member=member, guide="T001"))
    with django_assert_max_num_queries(25):
        answer = till.post("/sales/orders", told_order("O1", member=member, guide="T001"))
    assert outcome(answer) == (200, "booked", "", "")
    assert balance(cast) == 200


def test_a_batch_answers_for_each_document_in_its_order(till: Till) -> None:
    orders = [{"kind": "order", **told_order(f"B{number}", sold_at=moment(hours=2))} for number in range(300)]
    back = {"kind": "return", **told_return("BR", "B7")}
    documents = [back, *orders, orders[0], {"kind": "order"}, "x", {"kind": "gift"}]
    answer = till.post("/sales/documents", {"documents": documents}, key=None)
    results = answer.data["results"]
    assert [one["outcome"] for one in results] == ["booked"] * 301 + ["repeated"] + ["refused"] * 3
    assert [one["number"] for one in results[:3]] == ["BR", "B0", "B1"]
    assert (answer.data["booked_count"], answer.data["held_count"], answer.data["refused_count"]) == (
        301,
        0,
        3,
    )
    again = till.post("/sales/documents", {"documents": documents}, key=None).data
    assert {one["outcome"] for one in again["results"][:302]} == {"repeated"}
    assert ledger()["order_count"] == 299
    assert_totals_agree()


def test_a_batch_has_its_limits(till: Till) -> None:
    too_many = [{"kind": "order"}] * 1_001
    assert codes(till.post("/sales/documents", {"documents": too_many})) == (400, "core.invalid_input")
    assert codes(till.post("/sales/documents", {"documents": []})) == (400, "core.invalid_input")
    assert codes(till.post("/sales/documents", {"documents": [], "x": 1})) == (400, "core.invalid_input")
    fat = {"documents": [{"kind": "order", "note": "x" * 4 * 1024 * 1024}]}
    assert codes(till.post("/sales/documents", fat)) == (400, "openapi.body_too_large")
    single = told_order() | {"note": "x" * 300_000}
    assert codes(till.post("/sales/orders", single)) == (400, "openapi.body_too_large")


def test_products_and_categories_are_told_once_by_keys_of_the_chain(chain: Till, till: Till) -> None:
    shirts = {"categories": [{"code": "shirts", "name": "衬衫"}, {"code": "bags", "name": "包"}]}
    assert chain.post("/sales/categories", shirts).data == {
        "created_count": 2, "changed_count": 0, "same_count": 0,
    }  # fmt: skip
    shirts["categories"][1]["name"] = "包袋"
    assert chain.post("/sales/categories", shirts).data["changed_count"] == 1
    told = {
        "products": [
            {"code": "S1", "name": "真丝衬衫", "category": "shirts"},
            {"code": "N1", "name": "新", "category": "new"},
        ]
    }
    assert chain.post("/sales/products", told).data["created_count"] == 2
    assert chain.post("/sales/products", told).data == {
        "created_count": 0,
        "changed_count": 0,
        "same_count": 2,
    }
    assert Product.objects.get(code="N1").category == Category.objects.get(code="new", name="")
    twice = {"products": [{"code": "S1", "name": "a"}, {"code": "S1", "name": "b"}]}
    assert codes(chain.post("/sales/products", twice)) == (400, "sales.document_unusable")
    assert codes(chain.post("/sales/products", {"products": []})) == (400, "core.invalid_input")
    assert codes(till.post("/sales/products", told)) == (403, "openapi.chain_only")
