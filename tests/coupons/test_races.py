"""Races on real threads, each beside a test that shows it without the guard."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from core import clock
from core.errors import Refusal
from coupons import services
from coupons.contracts import IssuedCoupon
from coupons.models import Coupon, CouponBatch, CouponBatchShard, CouponGift, CouponState, Redemption
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
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def outcomes(answers: list[Any]) -> dict[str, int]:
    """How often each: "ok", a refusal's code, or the name of what should not happen."""
    names = [
        answer.code
        if isinstance(answer, Refusal)
        else type(answer).__name__
        if isinstance(answer, Exception)
        else "ok"
        for answer in answers
    ]
    return {name: names.count(name) for name in sorted(set(names))}


def test_sixty_four_threads_get_exactly_the_last_five() -> None:
    members, batch = make_members(64), make_batch(5)
    answers = at_once([partial(claim, batch, member) for member in members])
    assert outcomes(answers) == {"coupons.batch_sold_out": 59, "ok": 5}
    check_counters(batch)


def test_the_last_five_also_sell_from_one_shard_that_all_wait_for() -> None:
    members, batch = make_members(24), make_batch(5)
    CouponBatchShard.objects.filter(batch_id=batch).update(quota=0)
    CouponBatchShard.objects.filter(batch_id=batch, shard=7).update(quota=5)
    answers = at_once([partial(claim, batch, member) for member in members])
    assert outcomes(answers) == {"coupons.batch_sold_out": 19, "ok": 5}


def test_without_the_guard_check_then_write_oversells() -> None:
    members, batch = make_members(8), make_batch(1)
    looked = threading.Barrier(8)

    def careless(member: int) -> None:
        if Coupon.objects.filter(batch_id=batch).count() < 1:
            looked.wait(timeout=30)
            Coupon.objects.create(
                code=f"C{member}", batch_id=batch, shard=0, member_id=member, received_by=member, ordinal=1,
                valid_from=clock.now(), valid_until=later(days=1), request_key=key(), door="claim", issued_at=clock.now(),
            )  # fmt: skip

    at_once([partial(careless, member) for member in members])
    assert Coupon.objects.filter(batch_id=batch).count() == 8


def test_the_same_request_twenty_times_is_one_coupon() -> None:
    member, batch = make_members(1)[0], make_batch(member_limit=1)
    answers = at_once([partial(claim, batch, member, "once")] * 20)
    assert {answer.id for answer in answers} == {Coupon.objects.get(batch_id=batch).pk}
    assert sum(answer.is_new for answer in answers) == 1
    check_counters(batch)


def test_two_devices_cannot_pass_her_limit() -> None:
    member, batch = make_members(1)[0], make_batch(member_limit=2)
    answers = at_once([partial(claim, batch, member, f"device-{number}") for number in range(12)])
    assert outcomes(answers) == {"coupons.over_member_limit": 10, "ok": 2}
    check_counters(batch)


def test_without_her_lock_the_ordinal_still_refuses_the_second_device() -> None:
    """The database holds the limit by itself: two first coupons of one member cannot both be there."""
    member, batch = make_members(1)[0], make_batch(member_limit=1)
    looked = threading.Barrier(2)

    def careless(number: int) -> None:
        had = Coupon.objects.filter(batch_id=batch, received_by=member).count()
        looked.wait(timeout=30)
        Coupon.objects.create(
            code=f"C{number}", batch_id=batch, shard=0, member_id=member, received_by=member, ordinal=had + 1,
            valid_from=clock.now(), valid_until=later(days=1), request_key=key(), door="claim", issued_at=clock.now(),
        )  # fmt: skip

    assert outcomes(at_once([partial(careless, 1), partial(careless, 2)])) == {"IntegrityError": 1, "ok": 1}


def test_a_guides_quota_holds_for_many_requests_at_once(cast: Any) -> None:
    members, batch = make_members(10), make_batch(guide_quota=3)

    def issue(member: int) -> IssuedCoupon:
        return services.issue_coupon(
            batch_id=batch,
            member_id=member,
            request_key=key(),
            door="guide",
            guide_id=cast.lina.id,
            actor=BOSS,
        )

    answers = at_once([partial(issue, member) for member in members])
    assert outcomes(answers) == {"coupons.guide_quota_spent": 7, "ok": 3}
    check_counters(batch)


def test_the_budget_holds_for_many_requests_at_once() -> None:
    members, batch = make_members(16), make_batch(100, budget_fen=5 * 3_000)
    answers = at_once([partial(claim, batch, member) for member in members])
    assert outcomes(answers) == {"coupons.budget_spent": 11, "ok": 5}
    check_counters(batch)


def test_a_claim_beside_more_quota_loses_nothing() -> None:
    members, batch = make_members(20), make_batch(5)
    extend = partial(services.extend_quota, batch_id=batch, more=5, actor=BOSS)
    at_once([extend, *(partial(claim, batch, member) for member in members), extend])
    for member in make_members(15):
        try:
            claim(batch, member)
        except Refusal:
            services.sold_out.forget_sold_out(batch)
    assert Coupon.objects.filter(batch_id=batch).count() == 15
    check_counters(batch)


def test_two_tills_redeem_one_coupon_once() -> None:
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    code = claim(batch, member).code
    answers = at_once([partial(redeem, code, shop) for _ in range(10)])
    assert outcomes(answers) == {"coupons.coupon_redeemed": 9, "ok": 1}
    check_counters(batch)


def test_one_till_that_repeats_its_request_gets_one_answer() -> None:
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    code = claim(batch, member).code
    answers = at_once([partial(redeem, code, shop, "till-1")] * 10)
    assert {answer.id for answer in answers} == {Redemption.objects.get().pk}
    check_counters(batch)


def test_without_the_lock_two_tills_both_see_it_unused_and_the_database_refuses_one() -> None:
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    coupon_id = claim(batch, member).id
    looked = threading.Barrier(2)

    def careless(number: int) -> None:
        assert Coupon.objects.get(pk=coupon_id).state == "issued"
        looked.wait(timeout=30)
        Redemption.objects.create(
            coupon_id=coupon_id, request_id=f"r{number}", store_id=shop, channel="store", order_no="1",
            amount_fen=1, discount_fen=0, redeemed_at=clock.now(), recorded_at=clock.now(),
        )  # fmt: skip

    assert outcomes(at_once([partial(careless, 1), partial(careless, 2)])) == {"IntegrityError": 1, "ok": 1}


def redeem(code: str, shop: int, request_id: str = "", **values: Any) -> Any:
    return services.redeem_coupon(
        code=code, order=order(shop), request_id=request_id or key(), actor=BOSS, **values
    )


def test_one_key_for_two_coupons_at_once_is_one_redemption() -> None:
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    codes = [claim(batch, member).code for _ in range(2)]
    answers = at_once([partial(redeem, code, shop, "same") for code in codes])
    assert outcomes(answers) == {"coupons.request_reused": 1, "ok": 1}
    check_counters(batch)


@pytest.mark.parametrize("_round", range(3))
def test_a_coupon_is_redeemed_or_expired_and_never_both(_round: int) -> None:
    """A till reports late what it did in time, while the job closes the coupon."""
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    issued = claim(batch, member)
    at = issued.valid_until + services.redeeming.OFFLINE_SPAN
    offline = order(shop, redeemed_at=issued.valid_until - (later(seconds=1) - clock.now()))

    def report() -> Any:
        return services.redeem_coupon(
            code=issued.code,
            order=offline,
            request_id=key(),
            actor=BOSS,
            at=at - (later(seconds=2) - clock.now()),
        )

    answers = at_once([report, partial(services.expire_coupons, actor=BOSS, at=at)])
    state = Coupon.objects.get(pk=issued.id).state
    assert state == ("expired" if isinstance(answers[0], Refusal) else "redeemed")
    check_counters(batch)


@pytest.mark.parametrize("_round", range(3))
def test_a_coupon_is_redeemed_or_given_away_and_never_both(_round: int) -> None:
    template = make_template(gifting="anyone")
    member, batch, shop = make_members(1)[0], make_batch(template_id=template), make_shop()
    issued = claim(batch, member)
    gift = partial(services.gift_coupon, coupon_id=issued.id, member_id=member, request_key=key(), actor=BOSS)
    answers = at_once([partial(redeem, issued.code, shop), gift])
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert (Redemption.objects.count(), CouponGift.objects.count()) in {(1, 0), (0, 1)}
    check_counters(batch)


def test_a_gift_link_opened_by_many_at_once_goes_to_one() -> None:
    giver, *friends = make_members(11)
    batch = make_batch(template_id=make_template(gifting="anyone"))
    issued = claim(batch, giver)
    offer = services.gift_coupon(coupon_id=issued.id, member_id=giver, request_key=key(), actor=BOSS)
    accept = partial(services.accept_gift, token=offer.token, actor=BOSS)
    answers = at_once([partial(accept, member_id=friend) for friend in friends])
    assert outcomes(answers) == {"coupons.gift_gone": 9, "ok": 1}
    winner = next(answer for answer in answers if not isinstance(answer, Exception))
    assert Coupon.objects.get(pk=issued.id).member_id == winner.member_id != giver


def test_taking_a_gift_back_and_taking_it_over_end_one_way() -> None:
    giver, friend = make_members(2)
    issued = claim(make_batch(template_id=make_template(gifting="anyone")), giver)
    offer = services.gift_coupon(coupon_id=issued.id, member_id=giver, request_key=key(), actor=BOSS)
    at_once(
        [
            partial(services.accept_gift, token=offer.token, member_id=friend, actor=BOSS),
            partial(services.return_gift, coupon_id=issued.id, member_id=giver, actor=BOSS),
            partial(services.return_untaken_gifts, actor=BOSS, at=later(days=2)),
        ]
    )
    coupon, gift = Coupon.objects.get(pk=issued.id), CouponGift.objects.get()
    assert coupon.state == "issued"
    assert (gift.state, coupon.member_id) in {("accepted", friend), ("returned", giver)}


@pytest.mark.parametrize("_round", range(3))
def test_a_reversal_beside_another_redemption_leaves_one_true_story(_round: int) -> None:
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    code = claim(batch, member).code
    first = redeem(code, shop)
    reverse = partial(
        services.reverse_redemption, request_id=first.request_id, reversal_key="r", reason="退货", actor=BOSS
    )
    at_once([reverse, partial(redeem, code, shop), reverse, partial(redeem, code, shop)])
    live = Redemption.objects.filter(reversed_at__isnull=True).count()
    assert Coupon.objects.get(code=code).state == ("redeemed" if live else "issued")
    assert live <= 1
    check_counters(batch)


def test_a_lock_that_lapses_while_two_orders_redeem_goes_to_one() -> None:
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    code = claim(batch, member).code
    services.lock_coupon(code=code, lock_key="order-1", actor=BOSS, lasts=later(minutes=10) - clock.now())
    after = later(minutes=11)
    answers = at_once(
        [
            partial(redeem, code, shop, lock_key="order-1", at=after),
            partial(redeem, code, shop, lock_key="order-2", at=after),
            partial(services.release_lapsed_locks, actor=BOSS, at=after),
        ]
    )
    assert outcomes(answers[:2]) == {"coupons.coupon_redeemed": 1, "ok": 1}
    check_counters(batch)


def test_voiding_a_batch_beside_tills_and_claims_ends_each_coupon_one_way() -> None:
    members, shop = make_members(12), make_shop()
    batch = make_batch(20, budget_fen=20 * 3_000)
    codes = [claim(batch, member).code for member in members[:6]]
    at_once(
        [
            partial(services.void_coupons, batch_id=batch, reason="活动取消", actor=BOSS),
            *(partial(redeem, code, shop) for code in codes),
            *(partial(claim, batch, member) for member in members[6:]),
        ]
    )
    check_counters(batch)
    assert CouponBatch.objects.get(pk=batch).quota == 20


def test_two_runs_of_the_closing_job_close_each_coupon_once() -> None:
    batch = make_batch()
    for member in make_members(8):
        claim(batch, member)
    at = later(days=30)
    runs = at_once([partial(services.expire_coupons, actor=BOSS, at=at)] * 3)
    assert sum(run.coupon_count for run in runs) == 8
    check_counters(batch)


def test_a_screens_code_is_read_by_one_till() -> None:
    member, batch = make_members(1)[0], make_batch()
    shown = services.show_coupon(coupon_id=claim(batch, member).id, member_id=member, actor=BOSS)
    read = partial(services.read_shown_code, text=shown.text, actor=BOSS)
    answers = at_once([partial(read, request_key=f"till-{number}") for number in range(6)])
    assert outcomes(answers) == {"coupons.code_unusable": 5, "ok": 1}


def test_without_the_lock_a_change_in_between_is_overwritten() -> None:
    """What move_coupon does on a row that was read before: the reason why every caller locks first."""
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    issued = claim(batch, member)
    stale = Coupon.objects.get(pk=issued.id)
    redeem(issued.code, shop)
    with transaction.atomic():
        services.history.move_coupon(
            coupon=stale, to=CouponState.EXPIRED, what="x", actor=BOSS, at=clock.now()
        )
        assert Coupon.objects.get(pk=issued.id).state == "expired"
        transaction.set_rollback(True)
