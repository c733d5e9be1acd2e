"""What a till does in a day: reads codes, verifies, prices, locks, redeems, takes back; and only its own store's."""

import datetime as dt
from functools import partial
from typing import Any

import pytest

from core import clock
from coupons import services as coupon_services
from coupons.models import Coupon, CouponOrder, CouponToken, PointsPayment
from guides import services as guide_services
from guides.models import Region, Store
from members import services as member_services
from members.models import MemberCodeToken
from tests.cast import make_store
from tests.coupons.kit import BOSS, make_members, make_shop
from tests.coupons.test_orders import coupon_of, two_coupons
from tests.coupons.test_races import outcomes
from tests.openapi.kit import LINES, Till, codes, make_till, new_key
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def reasons(answer: Any) -> list[str]:
    return [reason["code"] for reason in answer.data["reasons"]]


# Verifying -------------------------------------------------------------------------------------------------


def test_a_good_coupon_is_usable_and_shows_its_owner_masked(till: Till, cast: Any) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    answer = till.post("/coupons/verify", {"code": coupon.code.lower(), "amount_fen": 20_000})
    assert answer.status_code == 200
    assert (answer.data["is_usable"], answer.data["reasons"]) == (True, [])
    assert answer.data["coupon"]["code"] == coupon.code
    assert answer.data["owner"]["name"] == "小**"


def test_all_reasons_are_told_at_once(till: Till) -> None:
    far = make_shop()
    coupon = coupon_of(make_members(1)[0], store_ids=(far,), channels=("mini_program",), min_spend_fen=30_000)
    answer = till.post("/coupons/verify", {"code": coupon.code, "amount_fen": 100})
    assert reasons(answer) == ["coupons.wrong_store", "coupons.wrong_channel", "coupons.below_minimum_spend"]
    assert not answer.data["is_usable"]


def test_a_coupon_for_a_tier_asks_for_its_holders(till: Till) -> None:
    coupon = coupon_of(make_members(1)[0], store_ids=())
    Coupon.objects.get(pk=coupon.id).batch.template.__class__.objects.update(tier_ids=[987])
    assert reasons(till.post("/coupons/verify", {"code": coupon.code})) == ["coupons.wrong_tier"]
    assert codes(till.redeem(coupon.code)) == (403, "coupons.wrong_tier")


@pytest.mark.parametrize("code", ["nonsense", "2345678923456789", "81", "券"])
def test_a_code_nobody_has_is_not_found(till: Till, code: str) -> None:
    assert codes(till.post("/coupons/verify", {"code": code})) == (404, "coupons.no_such_coupon")


def test_a_screens_code_is_read_once_and_a_photograph_of_it_is_worth_nothing(till: Till) -> None:
    member = make_members(1)[0]
    coupon = coupon_of(member)
    shown = coupon_services.show_coupon(coupon_id=coupon.id, member_id=member, actor=BOSS).text
    key = new_key()
    first = till.post("/coupons/verify", {"code": shown}, key=key)
    assert first.data["coupon"]["code"] == coupon.code
    assert till.post("/coupons/verify", {"code": shown}, key=key).data == first.data
    assert codes(till.post("/coupons/verify", {"code": shown})) == (400, "coupons.code_unusable")
    old = coupon_services.show_coupon(coupon_id=coupon.id, member_id=member, actor=BOSS).text
    CouponToken.objects.update(expires_at=clock.now() - dt.timedelta(seconds=1))
    assert codes(till.post("/coupons/verify", {"code": old})) == (400, "coupons.code_unusable")
    assert codes(till.post("/coupons/verify", {"code": "81" + "0" * 18})) == (400, "coupons.code_unusable")


# Members ---------------------------------------------------------------------------------------------------


def test_a_members_code_gives_her_masked_with_points_and_coupons_once(till: Till, cast: Any) -> None:
    coupon = coupon_of(cast.xiaomei.id)
    member_services.credit_points(member_id=cast.xiaomei.id, points=120, source_key="s", actor=BOSS)
    code = member_services.issue_member_code(member_id=cast.xiaomei.id, actor=BOSS).text
    key = new_key()
    answer = till.post("/members/read", {"code": code}, key=key)
    assert answer.data["member"] == {
        "name": "小**", "masked_phone": "", "stage": "prospect", "tier": "", "points": 120,
    }  # fmt: skip
    assert (answer.data["coupon_count"], answer.data["coupons"][0]["code"]) == (1, coupon.code)
    assert till.post("/members/read", {"code": code}, key=key).data == answer.data
    assert codes(till.post("/members/read", {"code": code})) == (400, "members.member_code_unusable")
    MemberCodeToken.objects.all().delete()
    for bad in ("80" + "1" * 18, "1", ""):
        assert till.post("/members/read", {"code": bad}).status_code == 400
    listed = till.get(f"/members/coupons?visit={answer.data['visit']}")
    assert [one["code"] for one in listed.data["coupons"]] == [coupon.code]
    assert till.get(f"/members/coupons?visit={answer.data['visit']}&state=redeemed").data["coupons"] == []


def test_a_visit_is_good_for_its_key_and_for_two_hours(
    till: Till, shop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openapi.services import visits

    member = make_members(1)[0]
    for _ in range(3):
        coupon_of(member)
    code = member_services.issue_member_code(member_id=member, actor=BOSS).text
    visit = till.post("/members/read", {"code": code}).data["visit"]
    first = till.get(f"/members/coupons?visit={visit}&limit=2")
    rest = till.get(f"/members/coupons?visit={visit}&limit=2&cursor={first.data['next_cursor']}")
    assert (len(first.data["coupons"]), len(rest.data["coupons"]), rest.data["next_cursor"]) == (2, 1, None)
    other = make_till(shop)
    assert codes(other.get(f"/members/coupons?visit={visit}")) == (403, "openapi.visit_over")
    assert codes(till.get("/members/coupons?visit=forged")) == (403, "openapi.visit_over")
    assert codes(till.get("/members/coupons")) == (400, "core.invalid_input")
    assert codes(till.get(f"/members/coupons?visit={visit}&cursor=x")) == (400, "core.invalid_input")
    monkeypatch.setattr(visits, "VISIT_S", -1)
    assert codes(till.get(f"/members/coupons?visit={visit}")) == (403, "openapi.visit_over")


# Pricing ---------------------------------------------------------------------------------------------------


def test_a_basket_is_priced_and_redeemed_at_that_price(till: Till) -> None:
    _member, coupons = two_coupons()
    given = [one.code for one in coupons]
    price = till.post("/basket/price", {"lines": LINES, "coupons": [*given, "nonsense"]}, key=None)
    assert (price.data["amount_fen"], price.data["payable_fen"]) == (30_001, 25_201)
    assert all(one["is_used"] for one in price.data["coupons"])
    assert price.data["barred"] == [
        {
            "code": "NONSENSE",
            "name": "",
            "reasons": [{"code": "coupons.no_such_coupon", "words": "没有找到这张券，请核对券码"}],
        }
    ]
    only = till.post("/basket/price", {"lines": LINES, "coupons": given, "use": given[:1]}, key=None)
    assert only.data["payable_fen"] == 27_001
    assert codes(till.redeem(*given, payable_fen=25_200)) == (409, "coupons.price_changed")
    order = till.redeem(*given, payable_fen=25_201)
    assert (order.data["payable_fen"], order.data["lines"]) == (25_201, price.data["lines"])
    assert till.get("/orders?order_no=S1").data == order.data
    assert codes(till.get("/orders?order_no=S9")) == (404, "coupons.no_such_order")


def test_her_own_coupons_and_points_are_candidates_of_a_visit(till: Till) -> None:
    member, coupons = two_coupons()
    member_services.credit_points(member_id=member, points=500, source_key="s", actor=BOSS)
    PointsPayment.objects.create(pk=1, is_active=True)
    code = member_services.issue_member_code(member_id=member, actor=BOSS).text
    visit = till.post("/members/read", {"code": code}).data["visit"]
    price = till.post("/basket/price", {"lines": LINES, "visit": visit, "use_points": True}, key=None)
    assert {one["code"] for one in price.data["coupons"]} == {one.code for one in coupons}
    assert (price.data["points"], price.data["points_fen"]) == (500, 500)
    order = till.redeem(coupons[0].code, visit=visit, use_points=True)
    assert order.data["points"] == 500
    back = till.post("/orders/return", {"order_no": "S1"})
    assert back.data["points"] == 500
    assert codes(till.post("/basket/price", {"lines": LINES, "use_points": True})) == (
        400,
        "coupons.member_missing",
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"amount_fen": -1}, "core.invalid_input"),
        ({"amount_fen": 10**10 + 1}, "core.invalid_input"),
        ({"amount_fen": 1.5}, "core.invalid_input"),
        ({"amount_fen": True}, "core.invalid_input"),
        ({"amount_fen": None}, "core.invalid_input"),
        ({"quantity": 0}, "core.invalid_input"),
        ({"quantity": -1}, "core.invalid_input"),
        ({"quantity": 10**6}, "core.invalid_input"),
        ({"key": ""}, "core.invalid_input"),
        ({"key": "2"}, "coupons.duplicate_line"),
        ({"key": 1}, "core.invalid_input"),
        ({"product": "x" * 41}, "core.invalid_input"),
        ({"categories": "shirts"}, "core.invalid_input"),
        ({"surprise": 1}, "core.invalid_input"),
        ({"amount_fen": 2**60}, "openapi.number_too_large"),
        ({"product": "a\0"}, "openapi.not_text"),
    ],
)
def test_an_absurd_line_is_a_400_on_every_door(till: Till, line: dict[str, Any], code: str) -> None:
    coupon = coupon_of(make_members(1)[0])
    lines = [LINES[0] | line, LINES[1]]
    assert codes(till.post("/basket/price", {"lines": lines})) == (400, code)
    assert codes(till.redeem(coupon.code, lines=lines)) == (400, code)
    assert Coupon.objects.get().state == "issued"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"lines": [LINES[0], LINES[1] | {"quantity": 0}]}, {"lines.1.quantity": ["min_value"]}),
        (
            {"lines": [{"key": "1"}, LINES[1] | {"surprise": 1}]},
            {
                "lines.0.product": ["required"],
                "lines.0.amount_fen": ["required"],
                "lines.1.surprise": ["unknown"],
            },
        ),
        ({"lines": [LINES[0] | {"categories": ["a", 7]}]}, {"lines.0.categories.1": ["invalid"]}),
        ({"lines": "shirts"}, {"lines": ["not_a_list"]}),
        ({"lines": [7]}, {"lines.0": ["invalid"]}),
        ({"lines": LINES, "coupons": "K7"}, {"coupons": ["not_a_list"]}),
    ],
)
def test_a_bad_field_of_a_line_is_named_by_its_way(till: Till, body: Any, fields: Any) -> None:
    answer = till.post("/basket/price", body)
    assert codes(answer) == (400, "core.invalid_input")
    assert answer.data["details"]["fields"] == fields


def test_of_very_many_bad_lines_the_first_are_named(till: Till) -> None:
    answer = till.post("/basket/price", {"lines": [{"key": str(n)} for n in range(200)]})
    named = list(answer.data["details"]["fields"])
    assert (len(named), named[0], named[-1]) == (50, "lines.0.product", "lines.24.amount_fen")


def test_an_order_of_nothing_is_priced_and_a_coupon_is_not_wasted_on_it(till: Till) -> None:
    coupon = coupon_of(make_members(1)[0])
    free = [{"key": "1", "product": "p", "amount_fen": 0}]
    assert till.post("/basket/price", {"lines": free, "coupons": [coupon.code]}).data["payable_fen"] == 0
    assert codes(till.redeem(coupon.code, lines=free)) == (422, "coupons.no_value_left")


def test_two_hundred_lines_with_twenty_coupons(till: Till) -> None:
    member = make_members(1)[0]
    given = [coupon_of(member, stacking_group=f"g{n}", off_fen=100 + n).code for n in range(20)]
    lines = [
        {"key": str(n), "product": f"p{n % 7}", "categories": ["all", f"c{n % 5}"], "amount_fen": 997 + n}
        for n in range(200)
    ]
    price = till.post("/basket/price", {"lines": lines, "coupons": given})
    assert price.data["discount_fen"] == sum(100 + n for n in range(20))
    assert till.redeem(*given, lines=lines).data["payable_fen"] == price.data["payable_fen"]
    back = till.post("/orders/return", {"order_no": "S1"})
    assert back.data["refund_fen"] == price.data["payable_fen"]
    too_many = [*lines, {"key": "200", "product": "p", "amount_fen": 1}]
    assert codes(till.post("/basket/price", {"lines": too_many})) == (400, "coupons.too_many_lines")
    assert codes(till.post("/basket/price", {"lines": LINES, "coupons": ["x"] * 51}))[0] == 400


# Locks -----------------------------------------------------------------------------------------------------


def test_a_locked_coupon_is_its_orders(till: Till, shop: int) -> None:
    code = coupon_of(make_members(1)[0]).code
    locked = till.post("/coupons/lock", {"order_no": "S1", "coupons": [code], "seconds": 60})
    assert locked.data["coupons"][0]["state"] == "locked"
    other = make_till(shop)
    assert codes(other.redeem(code, order_no="S1")) == (409, "coupons.coupon_locked")
    assert codes(other.post("/coupons/unlock", {"order_no": "S1", "coupons": [code]}))[0] == 409
    assert till.post("/basket/price", {"lines": LINES, "coupons": [code]}).data["barred"] != []
    own = till.post("/basket/price", {"lines": LINES, "coupons": [code], "order_no": "S1"})
    assert own.data["barred"] == []
    assert till.redeem(code, order_no="S1").status_code == 200
    assert codes(till.post("/coupons/lock", {"order_no": "S2", "coupons": [code]})) == (
        409,
        "coupons.coupon_redeemed",
    )
    for seconds in (0, 29, 7201, -1, "soon"):
        body = {"order_no": "S1", "coupons": [code], "seconds": seconds}
        assert codes(till.post("/coupons/lock", body)) == (400, "core.invalid_input")


# Orders ----------------------------------------------------------------------------------------------------


def test_two_tills_at_once_redeem_a_coupon_once(till: Till, shop: int) -> None:
    code, tills = coupon_of(make_members(1)[0]).code, [till, *(make_till(shop) for _ in range(5))]
    calls = [partial(one.redeem, code, order_no=f"S{number}") for number, one in enumerate(tills)]
    answers = at_once(calls)
    assert outcomes([a for a in answers if isinstance(a, Exception)]) == {}
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert {answer.data["code"] for answer in answers if answer.status_code == 409} == {
        "coupons.coupon_redeemed"
    }


def test_a_return_in_parts_and_the_rest(till: Till) -> None:
    _member, coupons = two_coupons()
    order = till.redeem(*(one.code for one in coupons)).data
    first = till.post("/orders/return", {"order_no": "S1", "parts": [{"line": "1", "quantity": 1}]})
    assert first.data["lines"][0]["amount_fen"] == 10_000
    more = {"order_no": "S1", "parts": [{"line": "1", "quantity": 2}]}
    assert codes(till.post("/orders/return", more)) == (422, "coupons.returned_too_much")
    assert codes(till.post("/orders/reverse", {"order_no": "S1"})) == (409, "coupons.partly_returned")
    last = till.post("/orders/return", {"order_no": "S1", "reason": "不喜欢"})
    assert first.data["refund_fen"] + last.data["refund_fen"] == order["payable_fen"]
    assert sorted(last.data["usable"]) == sorted(one.code for one in coupons)
    assert codes(till.post("/orders/return", {"order_no": "S1"})) == (409, "coupons.already_returned")
    assert till.get("/orders?order_no=S1").data["ended_at"] is not None


@pytest.mark.parametrize(
    "parts", [[{}], [{"line": "1"}], [{"line": "1", "quantity": 0}], [{"line": "1", "amount_fen": -5}], "1", [],
              [{"line": "1", "quantity": 1, "amount_fen": 1}]]
)  # fmt: skip
def test_an_absurd_part_is_a_400(till: Till, parts: Any) -> None:
    till.redeem(coupon_of(make_members(1)[0]).code)
    assert till.post("/orders/return", {"order_no": "S1", "parts": parts}).status_code == 400


def test_an_order_that_was_not_concluded_is_undone(till: Till) -> None:
    code = coupon_of(make_members(1)[0]).code
    till.redeem(code)
    undone = till.post("/orders/reverse", {"order_no": "S1"})
    assert undone.data["usable"] == [code]
    assert till.redeem(code).status_code == 200


# Another's things look like none ---------------------------------------------------------------------------


def test_a_store_sees_and_does_its_own_things_only(till: Till) -> None:
    other = make_till(make_shop())
    store = Store.objects.order_by("pk").first()
    assert store is not None
    till.redeem(coupon_of(make_members(1)[0]).code)
    for ask in (
        lambda: other.get("/orders?order_no=S1"),
        lambda: other.post("/orders/reverse", {"order_no": "S1"}),
        lambda: other.post("/orders/return", {"order_no": "S1"}),
    ):
        assert codes(ask()) == (404, "coupons.no_such_order")
    unknown = other.post("/orders/return", {"order_no": "S1", "store": "nowhere"})
    foreign = other.post("/orders/return", {"order_no": "S1", "store": store.code})
    assert codes(foreign) == (404, "openapi.no_such_store")
    assert foreign.data == unknown.data
    assert CouponOrder.objects.get().ended_at is None


def test_keys_of_a_dealer_and_of_the_chain_name_the_store(shop: int) -> None:
    dealer = guide_services.open_dealer(code="D9", name="锦绣", actor=BOSS)
    region = Region.objects.first()
    assert region is not None
    owned = make_store("T09", "加盟店", region.pk, dealer_id=dealer.id)
    own = Store.objects.get(pk=shop).code
    of_dealer, of_chain = make_till(dealer_id=dealer.id), make_till()
    assert codes(of_dealer.redeem("x")) == (400, "openapi.store_missing")
    assert codes(of_dealer.redeem("x", store=own)) == (404, "openapi.no_such_store")
    code = coupon_of(make_members(1)[0]).code
    assert of_dealer.redeem(code, store="T09").status_code == 200
    assert CouponOrder.objects.get().store_id == owned.id
    assert codes(of_chain.redeem("x", store=own)) == (404, "coupons.no_such_coupon")
    assert of_chain.post("/orders/return", {"order_no": "S1", "store": "T09"}).status_code == 200
    assert of_chain.get("/ping").data["store"] == ""
