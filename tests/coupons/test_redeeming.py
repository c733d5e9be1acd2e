"""Locks, redemptions and reversals at the counter: every reason why not, repeats, clocks, returns."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from coupons import selectors, services
from coupons.contracts import RedemptionContext
from coupons.models import Coupon, CouponEvent, Redemption
from coupons.services.redeeming import CLOCK_SKEW, OFFLINE_SPAN
from guides import services as guide_services
from tests.cast import Cast, make_store
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
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def issue(**template: Any) -> Any:
    return claim(make_batch(template_id=make_template(**template)), make_members(1)[0])


def redeem(
    code: str, shop: int, *, at: Any = None, request_id: str = "", lock_key: str = "", **values: Any
) -> Any:
    return services.redeem_coupon(
        code=code,
        order=order(shop, **values),
        request_id=request_id or key(),
        lock_key=lock_key,
        actor=BOSS,
        at=at,
    )


def test_a_redeemed_coupon_has_a_redemption_an_event_and_is_counted() -> None:
    issued, shop = issue(), make_shop()
    card = redeem(issued.code, shop, request_id="till-1", till="A3")
    assert (card.coupon_state, card.discount_fen, card.till) == ("redeemed", 3_000, "A3")
    assert redeem(issued.code, shop, request_id="till-1", till="A3") == card
    event = CouponEvent.objects.get()
    assert (event.from_state, event.to_state, event.what) == ("issued", "redeemed", "redeemed")
    check_counters(Coupon.objects.get().batch_id)


def test_a_request_id_that_meant_something_else_is_refused() -> None:
    issued, shop = issue(), make_shop()
    redeem(issued.code, shop, request_id="r")
    assert refused(redeem, issued.code, shop, request_id="r", amount_fen=1_0000) == "coupons.request_reused"
    assert refused(redeem, issue().code, shop, request_id="r") == "coupons.request_reused"


@pytest.mark.parametrize("typed", ["{}", " {} ", "{lower}", "{dashed}"])
def test_a_code_may_be_typed_as_people_type(typed: str) -> None:
    code = issue().code
    text = typed.format(code, lower=code.lower(), dashed="-".join((code[:4], code[4:8], code[8:])))
    found = selectors.find_by_code(text)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("text", ["", "x", "0" * 16, "2" * 16, "券" * 16, "A" * 400, "2345678923456\0"])
def test_a_code_nobody_has_is_not_found(text: str) -> None:
    assert selectors.find_by_code(text) is None
    assert refused(redeem, text, make_shop()) == "coupons.no_such_coupon"
    context = RedemptionContext(at=clock.now())
    assert refused(selectors.check_coupon, text, context=context) == "coupons.no_such_coupon"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount_fen": -1, "discount_fen": 0}, "coupons.amount_unusable"),
        ({"amount_fen": 10**10}, "coupons.amount_unusable"),
        ({"amount_fen": 1.5, "discount_fen": 1}, "coupons.amount_unusable"),
        ({"discount_fen": -1}, "coupons.amount_unusable"),
        ({"discount_fen": 20_001}, "coupons.amount_unusable"),
        ({"discount_fen": 3_001}, "coupons.amount_unusable"),
        ({"discount_fen": True}, "coupons.amount_unusable"),
        ({"order_no": " "}, "coupons.order_unusable"),
        ({"order_no": "x" * 65}, "coupons.order_unusable"),
        ({"order_no": "a\0"}, "coupons.order_unusable"),
        ({"till": "x" * 41}, "coupons.order_unusable"),
        ({"channel": ""}, "coupons.order_unusable"),
        ({"request_id": "x" * 81}, "coupons.request_key_unusable"),
    ],
)
def test_bad_orders_are_refused_and_leave_nothing(values: dict[str, Any], code: str) -> None:
    issued = issue()
    assert refused(redeem, issued.code, make_shop(), **values) == code
    assert not Redemption.objects.exists()
    assert Coupon.objects.get().state == "issued"


def test_an_unknown_store_is_not_found() -> None:
    assert refused(redeem, issue().code, 987_654) == "core.not_found"


def test_all_reasons_are_told_at_once_and_the_gravest_is_the_refusal(cast: Cast) -> None:
    friday = dt.datetime(2026, 11, 20, 4, tzinfo=dt.UTC)
    issued = claim(
        make_batch(
            template_id=make_template(
                store_ids=(cast.other_store.id,), channels=("mini_program",), tier_ids=(2,), weekdays=(0,),
                min_spend_fen=30_000, min_quantity=3,
            ),
            at=friday,
        ),
        cast.xiaomei.id, at=friday, tier_id=2,
    )  # fmt: skip
    context = RedemptionContext(
        at=friday, store_id=cast.store.id, channel="store", tier_id=1, amount_fen=20_000, quantity=1
    )
    check = selectors.check_coupon(issued.code, context=context)
    assert [reason.code for reason in check.reasons] == [
        "coupons.wrong_store", "coupons.wrong_channel", "coupons.wrong_tier", "coupons.wrong_time",
        "coupons.below_minimum_spend", "coupons.below_minimum_quantity",
    ]  # fmt: skip
    assert not check.is_usable
    assert refused(redeem, issued.code, cast.store.id, at=friday) == "coupons.wrong_store"
    hers = RedemptionContext(at=friday, member_id=cast.xiaoli.id)
    assert refused(selectors.check_coupon, issued.code, context=hers) == "coupons.no_such_coupon"
    assert refused(redeem, issued.code, cast.store.id, member_id=cast.xiaoli.id) == "coupons.no_such_coupon"


def test_a_place_fits_by_store_by_region_above_or_by_dealer(cast: Cast) -> None:
    dealer = guide_services.open_dealer(code="D9", name="锦绣", actor=BOSS)
    owned = make_store("T09", "加盟店", cast.south.id, dealer_id=dealer.id)
    cases: list[tuple[dict[str, Any], set[int]]] = [
        ({"store_ids": (cast.store.id,)}, {cast.store.id}),
        ({"region_ids": (cast.south.id,)}, {cast.other_store.id, owned.id}),
        ({"region_ids": (cast.root.id,)}, {cast.store.id, cast.other_store.id, owned.id}),
        ({"dealer_ids": (dealer.id,)}, {owned.id}),
        ({"dealer_ids": (dealer.id,), "store_ids": (cast.store.id,)}, {cast.store.id, owned.id}),
        ({}, {cast.store.id, cast.other_store.id, owned.id}),
    ]
    for scope, fitting in cases:
        code = issue(**scope).code
        for store_id in (cast.store.id, cast.other_store.id, owned.id):
            check = selectors.check_coupon(code, context=RedemptionContext(at=clock.now(), store_id=store_id))
            assert check.is_usable == (store_id in fitting), (scope, store_id)


@pytest.mark.parametrize(
    ("weekdays", "hours", "moment", "fits"),
    [
        ((), (), "2026-11-20T04:00Z", True),
        ((4,), (), "2026-11-20T15:59Z", True),  # Friday in Shanghai
        ((4,), (), "2026-11-20T16:00Z", False),  # Saturday there
        ((), ("10:00-14:00",), "2026-11-20T02:00Z", True),
        ((), ("10:00-14:00",), "2026-11-20T06:00Z", False),
        ((), ("10:00-14:00", "18:00-24:00"), "2026-11-20T15:59Z", True),
        ((4,), ("22:00-02:00",), "2026-11-20T17:30Z", True),  # Friday's night, after midnight
        ((5,), ("22:00-02:00",), "2026-11-20T17:30Z", False),
        ((5,), ("22:00-02:00",), "2026-11-21T14:30Z", True),
    ],
)
def test_windows_are_shanghais_and_a_night_belongs_to_the_day_it_began(
    weekdays: Any, hours: Any, moment: str, fits: bool
) -> None:
    at = dt.datetime.fromisoformat(moment)
    template = make_template(weekdays=weekdays, hours=hours)
    code = claim(make_batch(template_id=template), make_members(1)[0], at=at - dt.timedelta(hours=1)).code
    assert selectors.check_coupon(code, context=RedemptionContext(at=at)).is_usable == fits


def test_before_its_first_and_after_its_last_instant_it_is_not_usable() -> None:
    issued, shop = issue(validity="from_tomorrow", valid_days=1), make_shop()
    second = dt.timedelta(seconds=1)
    assert refused(redeem, issued.code, shop) == "coupons.not_yet_valid"
    assert refused(redeem, issued.code, shop, at=issued.valid_until) == "coupons.coupon_expired"
    assert selectors.get_coupon(issued.id, at=issued.valid_until).state == "expired"
    assert redeem(issued.code, shop, at=issued.valid_until - second).coupon_state == "redeemed"


def test_a_till_that_was_offline_tells_its_time_within_a_day_and_a_skewed_clock() -> None:
    issued, shop = issue(valid_days=1), make_shop()
    end, second = issued.valid_until, dt.timedelta(seconds=1)
    for told, at in [
        (end - second, end - second + OFFLINE_SPAN + second),
        (end - second + CLOCK_SKEW + second, end - second),
        (dt.datetime(2026, 1, 1), end),
    ]:
        assert refused(redeem, issued.code, shop, redeemed_at=told, at=at) == "coupons.redeemed_at_unusable"
    assert refused(redeem, issued.code, shop, redeemed_at=end, at=end + second) == "coupons.coupon_expired"
    services.expire_coupons(actor=BOSS, at=end + OFFLINE_SPAN - second)
    late = redeem(issued.code, shop, redeemed_at=end - second, at=end + OFFLINE_SPAN - second)
    assert (late.coupon_state, late.redeemed_at) == ("redeemed", end - second)
    fast = issue(), clock.now()
    assert redeem(fast[0].code, shop, redeemed_at=fast[1] + CLOCK_SKEW, at=fast[1]).redeemed_at == fast[1]


def test_a_locked_coupon_is_the_orders_until_the_lock_is_over() -> None:
    issued, shop = issue(), make_shop()
    lasts, now = dt.timedelta(minutes=5), clock.now()
    for _ in range(2):
        card = services.lock_coupon(code=issued.code, lock_key="o1", lasts=lasts, actor=BOSS, at=now)
        assert (card.state, card.locked_until) == ("locked", now + lasts)
    assert (
        refused(services.lock_coupon, code=issued.code, lock_key="o2", actor=BOSS) == "coupons.coupon_locked"
    )
    assert refused(redeem, issued.code, shop) == "coupons.coupon_locked"
    assert (
        refused(services.unlock_coupon, code=issued.code, lock_key="o2", actor=BOSS)
        == "coupons.coupon_locked"
    )
    assert services.lock_coupon(code=issued.code, lock_key="o2", actor=BOSS, at=now + lasts).state == "locked"
    assert refused(redeem, issued.code, shop, lock_key="o1", at=now + lasts) == "coupons.coupon_locked"
    for _ in range(2):
        card = services.unlock_coupon(code=issued.code, lock_key="o2", actor=BOSS, at=now + lasts)
        assert card.state == "issued"
    services.lock_coupon(code=issued.code, lock_key="o3", actor=BOSS)
    assert redeem(issued.code, shop, lock_key="o3").coupon_state == "redeemed"
    assert (
        refused(services.lock_coupon, code=issued.code, lock_key="o4", actor=BOSS)
        == "coupons.coupon_redeemed"
    )


def test_an_order_that_locked_before_midnight_may_pay_after_it_and_not_prolong() -> None:
    issued, shop, minute = issue(valid_days=1), make_shop(), dt.timedelta(minutes=1)
    end = issued.valid_until
    lock: dict[str, Any] = {"code": issued.code, "lock_key": "o", "actor": BOSS}
    services.lock_coupon(**lock, lasts=10 * minute, at=end - minute)
    assert refused(services.lock_coupon, **lock, at=end) == "coupons.coupon_expired"
    assert refused(redeem, issued.code, shop, at=end + 5 * minute) == "coupons.coupon_locked"
    assert refused(redeem, issued.code, shop, lock_key="o", at=end + 9 * minute) == "coupons.coupon_expired"
    assert redeem(issued.code, shop, lock_key="o", at=end + 8 * minute).coupon_state == "redeemed"


def test_a_lock_takes_the_reasons_of_a_redemption_and_a_usable_time() -> None:
    code = issue(min_spend_fen=30_000).code
    low = RedemptionContext(at=clock.now(), amount_fen=100)
    lock = services.lock_coupon
    assert refused(lock, code=code, lock_key="o", context=low, actor=BOSS) == "coupons.below_minimum_spend"
    for lasts in (dt.timedelta(0), dt.timedelta(hours=3)):
        assert refused(lock, code=code, lock_key="o", lasts=lasts, actor=BOSS) == "core.invalid_input"
    assert refused(lock, code=code, lock_key="", actor=BOSS) == "coupons.request_key_unusable"


def test_lapsed_locks_are_tidied_with_an_event() -> None:
    issued = issue()
    services.lock_coupon(code=issued.code, lock_key="o", actor=BOSS)
    assert services.release_lapsed_locks(actor=BOSS) == 0
    assert selectors.get_coupon(issued.id, at=later(hours=1)).state == "issued"
    assert services.release_lapsed_locks(actor=BOSS, at=later(hours=1)) == 1
    assert Coupon.objects.get().state == "issued"
    assert CouponEvent.objects.order_by("pk").last().what == "lock_lapsed"  # type: ignore[union-attr]


def test_a_reversed_redemption_gives_the_coupon_back_and_it_can_be_used_again() -> None:
    issued, shop = issue(), make_shop()
    redeem(issued.code, shop, request_id="r1")
    assert refused(redeem, issued.code, shop) == "coupons.coupon_redeemed"
    reverse = services.reverse_redemption
    back = reverse(request_id="r1", reversal_key="b1", reason="退货", actor=BOSS)
    assert (back.coupon_state, back.reversed_at is not None) == ("issued", True)
    assert reverse(request_id="r1", reversal_key="b1", reason="退货", actor=BOSS) == back
    again = refused(reverse, request_id="r1", reversal_key="b2", reason="退货", actor=BOSS)
    assert again == "coupons.already_reversed"
    redeem(issued.code, shop, request_id="r2")
    check_counters(Coupon.objects.get().batch_id)


def test_reversed_after_the_last_day_it_is_expired_and_its_reserve_is_free() -> None:
    batch = make_batch(5, budget_fen=15_000)
    issued, shop = claim(batch, make_members(1)[0]), make_shop()
    redeem(issued.code, shop, request_id="r1")
    back = services.reverse_redemption(
        request_id="r1", reversal_key="b", reason="退货", actor=BOSS, at=issued.valid_until
    )
    assert back.coupon_state == "expired"
    check_counters(batch)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 121])
def test_a_reversal_needs_a_reason(reason: str) -> None:
    redeem(issue().code, make_shop(), request_id="r1")
    code = refused(services.reverse_redemption, request_id="r1", reversal_key="b", reason=reason, actor=BOSS)
    assert code == "coupons.reason_missing"


def test_a_store_undoes_its_own_redemption_on_the_same_day() -> None:
    shop, other = make_shop(), make_shop()
    redeem(issue().code, shop, request_id="r1")
    undo = services.undo_redemption
    values: dict[str, Any] = {"request_id": "r1", "reversal_key": "b", "reason": "扫错了", "actor": BOSS}
    assert refused(undo, **values, store_id=other) == "coupons.no_such_redemption"
    assert refused(undo, **values | {"request_id": "r9"}, store_id=shop) == "coupons.no_such_redemption"
    assert refused(undo, **values, store_id=shop, at=later(days=1)) == "coupons.undo_too_late"
    assert undo(**values, store_id=shop).coupon_state == "issued"


def test_a_void_coupon_is_not_redeemed_and_a_used_one_not_voided() -> None:
    batch, shop = make_batch(), make_shop()
    used, void = (claim(batch, member) for member in make_members(2))
    redeem(used.code, shop)
    for _ in range(2):
        services.void_coupon(coupon_id=void.id, reason="发错了", actor=BOSS)
    assert refused(redeem, void.code, shop) == "coupons.coupon_voided"
    assert (
        refused(services.void_coupon, coupon_id=used.id, reason="x", actor=BOSS) == "coupons.coupon_redeemed"
    )
    assert (
        refused(services.void_coupon, coupon_id=987_654, reason="x", actor=BOSS) == "coupons.no_such_coupon"
    )
    assert (
        refused(services.void_coupon, coupon_id=void.id, reason=" ", actor=BOSS) == "coupons.reason_missing"
    )
    check_counters(batch)


def test_a_returned_purchase_takes_back_what_it_earned_and_nobody_used() -> None:
    batch, shop = make_batch(), make_shop()
    first, second, other = (
        services.issue_coupon(
            batch_id=batch, member_id=member, request_key=key(), source_key=source, actor=BOSS
        )
        for member, source in zip(make_members(3), ("sale:1", "sale:1", "sale:2"), strict=True)
    )
    redeem(first.code, shop)
    run = services.void_coupons_of_source(source_key="sale:1", reason="退货", actor=BOSS)
    assert (run.coupon_count, run.member_count) == (1, 1)
    states = [selectors.get_coupon(coupon.id).state for coupon in (first, second, other)]
    assert states == ["redeemed", "voided", "issued"]
    assert services.void_coupons_of_source(source_key="", reason="退货", actor=BOSS).coupon_count == 0
    check_counters(batch)
