"""Redeeming at the counter of a store: what was typed, what it takes off, once, and back on the same day."""

import datetime as dt
from typing import Any

import pytest

from core import clock, codes
from core.actor import Actor
from core.errors import Refusal
from coupons import selectors, services
from coupons.models import Coupon, Redemption
from coupons.selectors.typed_codes import possible_codes
from coupons.services.counter import discount_at_counter
from guides import services as guide_services
from members import services as member_services
from members.contracts import TierTerms
from tests.cast import Cast
from tests.coupons.kit import BOSS, check_counters, claim, key, make_batch, make_template, terms

pytestmark = pytest.mark.django_db

GUIDE = Actor.guide(1, "李娜")


def held(cast: Cast, **values: Any) -> str:
    """A coupon in 小美's hands; its code."""
    return claim(make_batch(template_id=make_template(**values)), cast.xiaomei.id).code


def redeem(cast: Cast, code: str, **values: Any) -> Any:
    given: dict[str, Any] = {
        "guide_id": cast.lina.id,
        "order_no": "A1",
        "amount_fen": 20_000,
        "discount_fen": None,
        "request_key": key(),
        "actor": GUIDE,
    }
    return services.redeem_at_counter(code=code, **(given | values))


def read(text: str, request_key: str = "") -> str:
    return services.read_counter_code(text=text, request_key=request_key or key(), actor=GUIDE)


def refusal_of(call: Any) -> str:
    with pytest.raises(Refusal) as refused:
        call()
    return refused.value.code


# What was typed --------------------------------------------------------------------------------------------


def test_a_typed_code_may_have_blanks_dashes_small_and_full_width_letters(cast: Cast) -> None:
    code = held(cast)
    grouped = " ".join(code[start : start + 4] for start in range(0, 16, 4))
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code)
    for text in (code, code.lower(), grouped, grouped.replace(" ", "-"), wide, f"  {code}\0"):
        assert read(text) == code, text


@pytest.mark.parametrize(
    ("wrong", "right"), [("U", "V"), ("Z", "2"), ("O", "Q"), ("0", "D"), ("1", "7"), ("I", "T")]
)
def test_signs_that_no_code_has_are_taken_for_what_they_look_like(wrong: str, right: str) -> None:
    code = _code_with(right)
    assert code in possible_codes(code.replace(right, wrong))


@pytest.mark.parametrize(("wrong", "right"), [("S", "5"), ("B", "8"), ("6", "G"), ("N", "M"), ("Y", "V")])
def test_one_sign_taken_for_another_is_found_by_the_check_character(wrong: str, right: str) -> None:
    code = _code_with(right, times=1)
    assert code in possible_codes(code.replace(right, wrong))


def _code_with(sign: str, times: int | None = None) -> str:
    while True:
        code = codes.new_code(16)
        if sign in code[:-1] and (times is None or code.count(sign) == times):
            return code


@pytest.mark.parametrize("text", ["", "   ", "券", "ABCD", "A" * 16, "A" * 500, "%", "\0"])
def test_what_is_no_code_finds_no_coupon(cast: Cast, text: str) -> None:
    held(cast)
    assert refusal_of(lambda: read(text)) == "coupons.no_such_coupon"


def test_a_screens_code_is_read_once_and_a_members_code_is_no_coupons(cast: Cast) -> None:
    code = held(cast)
    coupon = Coupon.objects.get(code=code)
    shown = services.show_coupon(coupon_id=coupon.pk, member_id=cast.xiaomei.id, actor=BOSS)
    grouped = " ".join(shown.text[start : start + 4] for start in range(0, 20, 4))
    assert read(grouped, "tap") == read(shown.text, "tap") == code
    assert refusal_of(lambda: read(shown.text, "other")) == "coupons.code_unusable"
    assert refusal_of(lambda: read("80" + "1" * 18)) == "coupons.member_code_shown"


# What it takes off -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "amount", "off"),
    [
        ({"off_fen": 3_000}, 20_000, 3_000),
        ({"off_fen": 3_000}, 2_000, 2_000),
        ({"off_fen": 3_000, "per_fen": 10_000, "cap_fen": 8_000}, 35_000, 8_000),
        ({"off_fen": 3_000, "per_fen": 10_000}, 9_999, 0),
        ({"kind": "percent", "rate_bp": 8_800, "off_fen": None}, 999, 119),  # what is payable is rounded up
        ({"kind": "percent", "rate_bp": 8_500, "cap_fen": 1_000, "off_fen": None}, 50_000, 1_000),
        ({"kind": "gift", "gift_name": "包", "gift_value_fen": 100, "off_fen": None}, 50_000, 0),
        ({"kind": "fixed_price", "price_fen": 9_900, "units": 1, "off_fen": None}, 50_000, None),
        ({"kind": "exchange", "units": 1, "off_fen": None}, 50_000, None),
        ({"off_fen": 3_000}, 0, 0),
    ],
)
def test_the_discount_is_what_the_terms_give(values: dict[str, Any], amount: int, off: int | None) -> None:
    assert discount_at_counter(terms=terms(**values), amount_fen=amount) == off


def test_the_computed_discount_is_taken_unless_the_guide_takes_off_less(cast: Cast) -> None:
    assert redeem(cast, held(cast)).discount_fen == 3_000
    assert redeem(cast, held(cast), discount_fen=1_000).discount_fen == 1_000
    assert refusal_of(lambda: redeem(cast, held(cast), discount_fen=3_001)) == "coupons.discount_too_high"
    assert refusal_of(lambda: redeem(cast, held(cast), discount_fen=0)) == "coupons.discount_missing"


def test_where_the_goods_decide_the_guide_says_how_much(cast: Cast) -> None:
    code = held(cast, kind="fixed_price", price_fen=9_900, units=1, off_fen=None)
    assert refusal_of(lambda: redeem(cast, code)) == "coupons.discount_missing"
    assert refusal_of(lambda: redeem(cast, code, discount_fen=20_001)) == "coupons.amount_unusable"
    assert redeem(cast, code, discount_fen=5_000).discount_fen == 5_000


def test_a_gift_needs_no_discount(cast: Cast) -> None:
    code = held(cast, kind="gift", gift_name="帆布包", gift_value_fen=3_900, off_fen=None)
    assert redeem(cast, code).discount_fen == 0


@pytest.mark.parametrize("amount", [0, -1, 1_000_000_001])
def test_an_order_of_nothing_or_of_too_much_is_refused(cast: Cast, amount: int) -> None:
    assert refusal_of(lambda: redeem(cast, held(cast), amount_fen=amount)) == "coupons.amount_unusable"


def test_thresholds_hold_and_pieces_are_asked_for(cast: Cast) -> None:
    code = held(cast, min_spend_fen=30_000)
    assert refusal_of(lambda: redeem(cast, code)) == "coupons.below_minimum_spend"
    pieces = held(cast, min_quantity=2)
    for quantity in (None, 0, 1):
        got = refusal_of(lambda quantity=quantity: redeem(cast, pieces, quantity=quantity))
        assert got == "coupons.below_minimum_quantity"
    assert redeem(cast, pieces, quantity=2).discount_fen == 3_000


# Where, whose, once ----------------------------------------------------------------------------------------


def test_it_counts_for_the_store_where_the_guide_works(cast: Cast) -> None:
    here, there = held(cast, store_ids=(cast.store.id,)), held(cast, store_ids=(cast.other_store.id,))
    assert redeem(cast, here).store_id == cast.store.id
    assert refusal_of(lambda: redeem(cast, there)) == "coupons.wrong_store"
    assert redeem(cast, there, guide_id=cast.chenjing.id).store_id == cast.other_store.id
    assert Redemption.objects.filter(redeemed_by_guide=cast.lina.id).count() == 1
    guide_services.leave_guide(guide_id=cast.lina.id, actor=BOSS)
    assert refusal_of(lambda: redeem(cast, held(cast))) == "coupons.wrong_store"


def test_a_coupon_for_tiers_is_not_for_who_has_none(cast: Cast) -> None:
    silver = member_services.create_tier(
        terms=TierTerms(name="银卡", rank=1, mode="any", spend_fen=1), actor=BOSS
    )
    code = held_for_tier(cast, silver.id)
    found = selectors.check_at_counter(code=code, store_id=cast.store.id)
    assert (found.tier_name, [reason.code for reason in found.check.reasons]) == ("", ["coupons.wrong_tier"])
    assert refusal_of(lambda: redeem(cast, code)) == "coupons.wrong_tier"


def held_for_tier(cast: Cast, tier_id: int) -> str:
    batch = make_batch(template_id=make_template(tier_ids=(tier_id,)))
    return claim(batch, cast.xiaomei.id, tier_id=tier_id).code


def test_all_reasons_are_told_at_once(cast: Cast) -> None:
    code = held(cast, store_ids=(cast.other_store.id,), min_spend_fen=30_000)
    redeem(cast, code, guide_id=cast.chenjing.id, amount_fen=40_000)
    found = selectors.check_at_counter(code=code, store_id=cast.store.id, amount_fen=20_000)
    assert [reason.code for reason in found.check.reasons] == [
        "coupons.coupon_redeemed",
        "coupons.wrong_store",
        "coupons.below_minimum_spend",
    ]
    assert found.owner.id == cast.xiaomei.id


def test_the_same_request_again_gets_the_first_answer(cast: Cast) -> None:
    code = held(cast)
    first = redeem(cast, code, request_key="tap")
    assert redeem(cast, code, request_key="tap") == first
    assert (
        refusal_of(lambda: redeem(cast, code, request_key="tap", order_no="A2")) == "coupons.request_reused"
    )
    assert refusal_of(lambda: redeem(cast, code)) == "coupons.coupon_redeemed"
    # Another guide's key is her own: she finds the coupon used, not an answer that was meant for 李娜.
    again = refusal_of(lambda: redeem(cast, code, request_key="tap", guide_id=cast.wangfang.id))
    assert again == "coupons.coupon_redeemed"
    check_counters(Coupon.objects.get(code=code).batch_id)


def undo(cast: Cast, redemption_id: int, **values: Any) -> Any:
    given: dict[str, Any] = {
        "guide_id": cast.wangfang.id,
        "reason": "填错了",
        "request_key": key(),
        "actor": GUIDE,
    }
    return services.undo_at_counter(redemption_id=redemption_id, **(given | values))


def test_a_colleague_takes_it_back_today_and_another_store_never(cast: Cast) -> None:
    code = held(cast)
    done = redeem(cast, code)
    foreign = refusal_of(lambda: undo(cast, done.id, guide_id=cast.chenjing.id))
    assert foreign == refusal_of(lambda: undo(cast, 0)) == "coupons.no_such_redemption"
    assert refusal_of(lambda: undo(cast, done.id, reason=" ")) == "coupons.reason_missing"
    tomorrow = clock.now() + dt.timedelta(days=1)
    assert refusal_of(lambda: undo(cast, done.id, at=tomorrow)) == "coupons.undo_too_late"
    first = undo(cast, done.id, request_key="tap")
    assert (first.coupon_state, undo(cast, done.id, request_key="tap")) == ("issued", first)
    assert refusal_of(lambda: undo(cast, done.id)) == "coupons.already_reversed"
    assert redeem(cast, code).coupon_state == "redeemed"


def test_the_day_of_a_store_is_listed_and_summed_without_what_was_taken_back(cast: Cast) -> None:
    mine, theirs = redeem(cast, held(cast)), redeem(cast, held(cast), guide_id=cast.wangfang.id)
    redeem(cast, held(cast), guide_id=cast.chenjing.id)
    undo(cast, theirs.id)
    day = clock.today()
    page = selectors.list_store_redemptions(cast.store.id, day=day)
    assert [(line.redemption.id, line.may_undo) for line in page.lines] == [
        (theirs.id, False),
        (mine.id, True),
    ]
    assert page.lines[0].reversal_reason == "填错了"
    only = selectors.list_store_redemptions(cast.store.id, day=day, guide_id=cast.lina.id)
    assert [line.redemption.id for line in only.lines] == [mine.id]
    summary = selectors.sum_store_day(cast.store.id, day=day)
    assert (summary.redeemed_count, summary.discount_fen, summary.sales_fen) == (1, 3_000, 20_000)
    assert selectors.list_store_redemptions(cast.store.id, day=day - dt.timedelta(days=1)).lines == ()


def test_an_offline_tills_hour_decides_the_order_and_no_stretch_loses_or_repeats_a_row(cast: Cast) -> None:
    start, _end = clock.day_bounds(clock.today())
    hours = [9, 12, 10, 12, 5]
    done = [redeem(cast, held(cast)).id for _ in hours]
    for row, hour in zip(done, hours, strict=True):
        Redemption.objects.filter(pk=row).update(redeemed_at=start + dt.timedelta(hours=hour))
    newest_first = [done[place] for place in (3, 1, 2, 0, 4)]
    for limit in range(1, 6):
        seen: list[int] = []
        cursor = None
        while cursor or not seen:
            page = selectors.list_store_redemptions(
                cast.store.id, day=clock.today(), limit=limit, cursor=cursor
            )
            seen += [line.redemption.id for line in page.lines]
            cursor = page.next_cursor
        assert seen == newest_first, limit
    foreign = selectors.list_store_redemptions(cast.other_store.id, day=clock.today(), cursor=done[0])
    assert (foreign.lines, foreign.next_cursor) == ((), None)


def test_what_ends_within_days_is_found_in_the_hands_of_a_guides_members(cast: Cast) -> None:
    soon, later = held(cast, valid_days=2), held(cast, valid_days=9)
    used = held(cast, valid_days=1)
    redeem(cast, used)
    stranger = claim(make_batch(template_id=make_template(valid_days=1)), cast.xiaoli.id)
    found = selectors.list_expiring_coupons(cast.lina.id, within=dt.timedelta(days=3))
    assert [card.code for card in found] == [soon]
    assert [card.code for card in selectors.list_usable_coupons(cast.xiaomei.id)] == [soon, later]
    assert stranger.code not in {card.code for card in found}
