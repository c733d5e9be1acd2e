"""Coupons of one order are priced and used together: shares on lines, rules of an order, repeats, points, races."""

from functools import partial
from typing import Any

import pytest

from core import clock
from core.errors import Refusal
from coupons import selectors, services
from coupons.contracts import BasketLine, Purchase, ToldCoupon
from coupons.models import Coupon, CouponOrder, CouponState, PointsPayment, Redemption, RedemptionShare
from coupons.services.locks import LONGEST_LOCK
from members import services as member_services
from tests.coupons.kit import (
    BOSS,
    check_counters,
    claim,
    key,
    later,
    make_batch,
    make_members,
    make_shop,
    make_template,
    order,
)  # fmt: skip
from tests.coupons.test_races import outcomes
from tests.refusals import refused
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SHIRT = BasketLine("1", "shirt", ("clothes", "shirts"), 20_000, 2)
SHOES = BasketLine("2", "shoes", ("shoes",), 10_001)
BASKET = (SHIRT, SHOES)


def purchase(
    store_id: int, order_no: str = "S1", lines: tuple[BasketLine, ...] = BASKET, **values: Any
) -> Purchase:
    return Purchase(store_id=store_id, order_no=order_no, lines=lines, **values)


def coupon_of(member: int, **template: Any) -> Any:
    return claim(make_batch(template_id=make_template(**template)), member)


def two_coupons() -> tuple[int, list[Any]]:
    """30 off everything, and 9 折 on shirts, which go together; in one member's hands."""
    member = make_members(1)[0]
    shirts = {"kind": "percent", "off_fen": None, "rate_bp": 9_000, "include_categories": ("shirts",)}
    return member, [coupon_of(member), coupon_of(member, stacking_group="b", **shirts)]


def redeem(
    store_id: int,
    coupons: list[Any],
    *,
    request_id: str = "",
    lock_key: str = "",
    at: Any = None,
    **values: Any,
) -> Any:
    return services.redeem_order(
        purchase=purchase(store_id, **values),
        codes=[one.code for one in coupons],
        request_id=request_id or key(),
        lock_key=lock_key,
        actor=BOSS,
        at=at,
    )


def test_two_coupons_of_one_order_are_used_with_every_fen_on_a_line() -> None:
    member, coupons = two_coupons()
    shop = make_shop()
    priced = services.price_order(purchase=purchase(shop, member_id=member))
    assert set(priced.basket.used_keys) == {one.code for one in coupons}
    card = redeem(shop, coupons, request_id="r1", payable_fen=priced.basket.payable_fen)
    assert (card.amount_fen, card.payable_fen) == (30_001, priced.basket.payable_fen)
    assert card.lines == priced.basket.lines
    assert {one.state for one in card.coupons} == {"redeemed"}
    assert sum(one.discount_fen for one in card.coupons) == card.discount_fen
    # The coupon for shirts counted for them alone, the other for everything.
    assert sorted(Redemption.objects.values_list("amount_fen", flat=True)) == [20_000, 30_001]
    assert RedemptionShare.objects.count() == 3
    assert redeem(shop, coupons, request_id="r1", payable_fen=1) == card
    assert refused(redeem, shop, coupons, request_id="r1", order_no="S2") == "coupons.request_reused"
    for row in Coupon.objects.all():
        check_counters(row.batch_id)


def test_a_gift_coupon_is_used_and_names_its_gift() -> None:
    gift = coupon_of(make_members(1)[0], kind="gift", off_fen=None, gift_name="帆布包", gift_value_fen=2_900)
    card = redeem(make_shop(), [gift])
    assert (card.coupons[0].gift_name, card.discount_fen, card.payable_fen) == ("帆布包", 0, 30_001)


def test_what_the_till_expects_to_be_paid_is_held_against_the_price() -> None:
    _member, coupons = two_coupons()
    with pytest.raises(Refusal) as caught:
        redeem(make_shop(), coupons, payable_fen=1)
    assert caught.value.code == "coupons.price_changed"
    assert caught.value.details["payable_fen"] == 25_201
    assert not CouponOrder.objects.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_no": " "}, "coupons.order_unusable"),
        ({"order_no": "x" * 65}, "coupons.order_unusable"),
        ({"till": "\0"}, "coupons.order_unusable"),
        ({"request_id": "券"}, "coupons.request_key_unusable"),
        ({"lines": ()}, "coupons.basket_empty"),
        ({"lines": (BasketLine("1", "p", (), 0),)}, "coupons.no_value_left"),
        ({"lines": (BasketLine("1", "p", (), -1),)}, "coupons.basket_amount_unusable"),
        ({"lines": (BasketLine("1", "p", (), 10**12),)}, "coupons.basket_amount_unusable"),
        ({"lines": (BasketLine("1", "p", (), 100, 0),)}, "coupons.quantity_unusable"),
        ({"lines": (SHIRT, SHIRT)}, "coupons.duplicate_line"),
        ({"lines": tuple(BasketLine(str(n), "p", (), 100) for n in range(201))}, "coupons.too_many_lines"),
        ({"use_points": True}, "coupons.member_missing"),
        ({"redeemed_at": later(days=-3)}, "coupons.redeemed_at_unusable"),
    ],
)
def test_a_bad_order_is_refused_and_leaves_nothing(change: dict[str, Any], code: str) -> None:
    coupon = coupon_of(make_members(1)[0])
    assert refused(redeem, make_shop(), [coupon], **change) == code
    assert not CouponOrder.objects.exists()
    assert Coupon.objects.get().state == "issued"


def test_an_order_is_all_or_nothing_and_the_refusal_names_its_coupon() -> None:
    _member, coupons = two_coupons()
    shop = make_shop()
    services.void_coupon(coupon_id=coupons[1].id, reason="x", actor=BOSS)
    with pytest.raises(Refusal) as caught:
        redeem(shop, coupons)
    assert caught.value.code == "coupons.coupon_voided"
    assert caught.value.details == {"coupon": coupons[1].code}
    assert Coupon.objects.get(pk=coupons[0].id).state == "issued"
    assert refused(redeem, shop, []) == "coupons.nothing_to_redeem"
    assert refused(redeem, shop, [coupons[0], coupons[0]]) == "coupons.duplicate_coupon"
    other = make_members(1)[0]
    assert refused(redeem, shop, [coupons[0]], member_id=other) == "coupons.no_such_coupon"


def test_coupons_of_an_order_keep_its_rules_and_an_order_number_is_used_once() -> None:
    member, shop = make_members(1)[0], make_shop()
    first, second = coupon_of(member), coupon_of(member)
    assert refused(redeem, shop, [first, second]) == "coupons.group_taken"
    redeem(shop, [first])
    # One after the other would pass the same rules.
    assert refused(redeem, shop, [second]) == "coupons.order_number_taken"
    assert redeem(make_shop(), [second]).order_no == "S1"


def test_a_till_that_took_coupons_off_by_itself_is_believed_up_to_what_they_give() -> None:
    _member, coupons = two_coupons()
    shop = make_shop()

    def told(*fen: int, amount_fen: int = 20_000, **values: Any) -> Any:
        return services.redeem_told_order(
            purchase=purchase(shop, lines=(), **values),
            amount_fen=amount_fen,
            told=[ToldCoupon(one.code, off) for one, off in zip(coupons, fen, strict=False)],
            request_id="t1",
            actor=BOSS,
        )

    assert refused(told, 3_001) == "coupons.amount_unusable"
    assert refused(told, -1) == "coupons.amount_unusable"
    assert refused(told, 3_000, 2_000, amount_fen=4_000) == "coupons.amount_unusable"
    card = told(3_000, 2_000)
    assert (card.amount_fen, card.discount_fen, card.payable_fen) == (20_000, 5_000, 15_000)
    assert [line.key for line in card.lines] == ["all"]
    assert told(3_000, 2_000) == card
    assert refused(told, 2_999, 2_000) == "coupons.request_reused"


def test_points_pay_when_the_chain_takes_them() -> None:
    member, shop = make_members(1)[0], make_shop()
    coupon = coupon_of(member)
    member_services.credit_points(member_id=member, points=1_050, source_key="s", actor=BOSS)
    assert refused(redeem, shop, [coupon], member_id=member, use_points=True) == "coupons.points_closed"
    PointsPayment.objects.create(pk=1, is_active=True, step=100, fen_per_step=100, max_share_bp=10_000)
    priced = services.price_order(purchase=purchase(shop, member_id=member))
    assert (priced.basket.points.points, priced.basket.points.most_points) == (0, 1_000)
    card = redeem(shop, [coupon], member_id=member, use_points=True, request_id="p")
    assert (card.points, card.points_fen, card.payable_fen) == (1_000, 1_000, 26_001)
    assert redeem(shop, [coupon], member_id=member, use_points=True, request_id="p") == card
    from members import selectors as member_selectors

    assert member_selectors.get_points_summary(member).balance == 50
    only_points = redeem(shop, [], order_no="S2", member_id=member, use_points=True)
    assert only_points.points == 0  # 50 are no whole step


def test_candidates_that_cannot_be_used_are_told_with_their_reasons() -> None:
    member, coupons = two_coupons()
    shop, other = make_shop(), make_shop()
    far = coupon_of(member, store_ids=(other,))
    price = partial(services.price_order, purchase=purchase(shop))
    priced = price(codes_given=[*(one.code for one in coupons), far.code, "nonsense"])
    assert set(priced.basket.used_keys) == {one.code for one in coupons}
    assert [(one.code, [why.code for why in one.reasons]) for one in priced.barred] == [
        (far.code, ["coupons.wrong_store"]),
        ("NONSENSE", ["coupons.no_such_coupon"]),
    ]
    assert refused(price, chosen=[far.code]) == "coupons.wrong_store"
    assert refused(price, chosen=["nonsense"]) == "coupons.no_such_coupon"
    assert price(chosen=[coupons[0].code]).basket.discount_fen == 3_000
    assert price().basket.discount_fen == 0
    services.lock_coupon(code=coupons[0].code, lock_key="o", actor=BOSS)
    assert price(codes_given=[coupons[0].code]).barred[0].reasons[0].code == "coupons.coupon_locked"
    assert price(codes_given=[coupons[0].code], lock_key="o").barred == ()


def test_two_hundred_lines_with_twenty_coupons_are_priced_and_used() -> None:
    member, shop = make_members(1)[0], make_shop()
    coupons = [coupon_of(member, stacking_group=f"g{number}", off_fen=100 + number) for number in range(20)]
    lines = tuple(
        BasketLine(str(n), f"p{n % 7}", ("all", f"c{n % 5}"), 997 + n, 1 + n % 3) for n in range(200)
    )
    card = redeem(shop, coupons, lines=lines)
    assert card.discount_fen == sum(100 + number for number in range(20))
    assert sum(line.payable_fen for line in card.lines) == card.payable_fen
    assert RedemptionShare.objects.count() == 4_000


def test_coupons_of_an_order_are_locked_together_or_not_at_all() -> None:
    _member, coupons = two_coupons()
    shop = make_shop()
    codes = [one.code for one in coupons]
    lock = partial(services.lock_coupons, codes=codes, purchase=purchase(shop), actor=BOSS)
    services.lock_coupon(code=codes[1], lock_key="other", actor=BOSS)
    with pytest.raises(Refusal) as caught:
        lock(lock_key="o1")
    assert (caught.value.code, caught.value.details) == ("coupons.coupon_locked", {"coupon": codes[1]})
    assert selectors.get_coupon(coupons[0].id).state == "issued"
    services.unlock_coupons(codes=[codes[1]], lock_key="other", actor=BOSS)
    assert {card.state for card in lock(lock_key="o1")} == {"locked"}
    assert refused(redeem, shop, coupons) == "coupons.coupon_locked"
    assert refused(services.unlock_coupons, codes=codes, lock_key="o2", actor=BOSS) == "coupons.coupon_locked"
    assert refused(lock, codes=["x"], lock_key="o1") == "coupons.no_such_coupon"
    redeem(shop, coupons, lock_key="o1")


def test_two_tills_at_once_redeem_an_order_once() -> None:
    _member, coupons = two_coupons()
    shops = [make_shop() for _ in range(6)]
    # In opposite orders: whoever does not lock in pk order deadlocks here.
    calls = [partial(redeem, shop, coupons[:: (-1) ** number]) for number, shop in enumerate(shops)]
    assert outcomes(at_once(calls)) == {"coupons.coupon_redeemed": 5, "ok": 1}
    assert CouponOrder.objects.count() == 1
    for row in Coupon.objects.all():
        check_counters(row.batch_id)


def test_without_the_lock_two_tills_both_see_it_unused() -> None:
    """What the rows' lock and the constraint are for: looked at first, written later, by both."""
    import threading

    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    looked = threading.Barrier(2)

    def careless(number: int) -> None:
        assert Coupon.objects.get(pk=coupon.id).state == CouponState.ISSUED
        looked.wait(timeout=30)
        Redemption.objects.create(
            coupon_id=coupon.id, request_id=f"careless-{number}", store_id=shop, channel="store", order_no="S",
            amount_fen=1, discount_fen=1, redeemed_at=clock.now(), recorded_at=clock.now(),
        )  # fmt: skip

    assert outcomes(at_once([partial(careless, 1), partial(careless, 2)])) == {"IntegrityError": 1, "ok": 1}


def test_the_same_request_twenty_times_at_once_is_one_order_with_one_answer() -> None:
    _member, coupons = two_coupons()
    shop = make_shop()
    answers = at_once([partial(redeem, shop, coupons, request_id="once")] * 20)
    assert len({answer.public_id for answer in answers}) == 1
    assert answers[0] == answers[-1]


def test_a_lock_that_runs_out_while_an_order_is_redeemed_ends_one_way() -> None:
    coupon, shop = coupon_of(make_members(1)[0]), make_shop()
    now = clock.now()
    services.lock_coupon(code=coupon.code, lock_key="o1", lasts=LONGEST_LOCK, actor=BOSS, at=now)
    over = now + LONGEST_LOCK
    answers = at_once(
        [
            partial(redeem, shop, [coupon], lock_key="o1", at=over),
            partial(redeem, shop, [coupon], order_no="S2", at=over),
            partial(services.release_lapsed_locks, actor=BOSS, at=over),
        ]
    )
    assert outcomes(answers[:2]) == {"coupons.coupon_redeemed": 1, "ok": 1}
    assert Coupon.objects.get().state == "redeemed"


def test_the_first_answer_is_what_is_stored_and_more_coupons_cost_no_more_queries(
    django_assert_num_queries: Any,
) -> None:
    member, coupons = two_coupons()
    shop = make_shop()
    # begin, member, locks, place for each coupon, points, all that is written, audit, commit
    with django_assert_num_queries(9):
        card = redeem(shop, coupons, request_id="r", member_id=member)
    assert card == selectors.get_order(store_id=shop, order_no="S1")
    assert card == redeem(shop, coupons, request_id="r", member_id=member)
    single = coupon_of(make_members(1)[0])
    with django_assert_num_queries(6):  # begin, lock, place, use, audit, commit
        services.redeem_coupon(code=single.code, order=order(shop), request_id="one", actor=BOSS)


def test_a_repeat_whose_coupon_is_free_again_still_gets_the_first_answer() -> None:
    [member], shop = make_members(1), make_shop()
    single, ordered = coupon_of(member), coupon_of(member)
    use = {"code": single.code, "order": order(shop), "request_id": "one", "actor": BOSS}
    first = services.redeem_coupon(**use)
    services.reverse_redemption(request_id="one", reversal_key="back", reason="退货", actor=BOSS)
    again = services.redeem_coupon(**use)
    assert (again.id, again.coupon_state) == (first.id, "issued")
    assert refused(services.redeem_coupon, **{**use, "code": ordered.code}) == "coupons.request_reused"
    card = redeem(shop, [ordered], request_id="two")
    services.reverse_order(store_id=shop, order_no="S1", reversal_key="b", reason="退货", actor=BOSS)
    assert redeem(shop, [ordered], request_id="two").id == card.id
    assert Coupon.objects.filter(state="issued").count() == 2
