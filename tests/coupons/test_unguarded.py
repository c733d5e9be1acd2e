"""What the races of test_races.py do where the guard is missing: look, let the other look too, then write."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum

from core import clock
from coupons import services
from coupons.models import (
    Coupon,
    CouponBatch,
    CouponBatchShard,
    CouponEvent,
    CouponGift,
    CouponState,
    CouponToken,
    GuideAllowance,
    Redemption,
)
from coupons.services.history import move_coupon
from tests.coupons.kit import (
    BOSS,
    claim,
    key,
    later,
    make_batch,
    make_members,
    make_shop,
    make_template,
    order,
)
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def both(look: Callable[[], Any], write: Callable[[Any, int], Any]) -> list[Any]:
    """Two who look before either writes; what their writing answered."""
    looked = threading.Barrier(2)

    def careless(number: int) -> Any:
        seen = look()
        looked.wait(timeout=30)
        return write(seen, number)

    return at_once([lambda: careless(0), lambda: careless(1)])


def shard_of(coupon_id: int) -> Any:
    coupon = Coupon.objects.get(pk=coupon_id)
    return CouponBatchShard.objects.filter(batch_id=coupon.batch_id, shard=coupon.shard)


def test_a_guides_quota_that_is_read_and_written_back_counts_one_of_two(cast: Any) -> None:
    batch = make_batch(guide_quota=1)
    row = GuideAllowance.objects.create(
        batch_id=batch, guide_id=cast.lina.id, period_start="1970-01-01", allowed_count=1
    )
    own = GuideAllowance.objects.filter(pk=row.pk)
    seen = both(lambda: own.get().used_count, lambda used, _number: own.update(used_count=used + 1) and used)
    assert (seen, own.get().used_count) == ([0, 0], 1)


def test_a_reserve_that_is_read_and_written_back_loses_one_of_two() -> None:
    batch = make_batch(10, budget_fen=16 * 3_000)
    own = CouponBatchShard.objects.filter(batch_id=batch, shard=0)
    both(lambda: own.get().reserved_fen, lambda fen, _number: own.update(reserved_fen=fen + 3_000))
    assert own.get().reserved_fen == 3_000


def test_more_quota_that_is_read_and_written_back_is_given_once() -> None:
    own = CouponBatch.objects.filter(pk=make_batch(5))
    both(lambda: own.get().quota, lambda quota, _number: own.update(quota=quota + 5))
    assert own.get().quota == 10


def test_one_key_for_two_coupons_is_refused_by_the_database_alone() -> None:
    batch, shop = make_batch(), make_shop()
    coupons = [claim(batch, member).id for member in make_members(2)]

    def write(is_new: bool, number: int) -> None:
        assert is_new
        Redemption.objects.create(
            coupon_id=coupons[number], request_id="same", store_id=shop, channel="store", order_no="1",
            amount_fen=1, discount_fen=0, redeemed_at=clock.now(), recorded_at=clock.now(),
        )  # fmt: skip

    answers = both(lambda: not Redemption.objects.filter(request_id="same").exists(), write)
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "NoneType"]


def test_a_gift_that_two_find_open_is_promised_to_both() -> None:
    giver, *friends = make_members(3)
    issued = claim(make_batch(template_id=make_template(gifting="anyone")), giver)
    services.gift_coupon(coupon_id=issued.id, member_id=giver, request_key=key(), actor=BOSS)

    def write(state: str, number: int) -> str:
        Coupon.objects.filter(pk=issued.id).update(state="issued", member_id=friends[number])
        return state

    assert both(lambda: CouponGift.objects.get().state, write) == ["open", "open"]


def test_a_screens_code_that_two_find_unread_is_read_twice() -> None:
    member = make_members(1)[0]
    services.show_coupon(coupon_id=claim(make_batch(), member).id, member_id=member, actor=BOSS)
    token = CouponToken.objects.filter(used_at__isnull=True)
    pk = token.get().pk

    def write(fresh: bool, _number: int) -> bool:
        CouponToken.objects.filter(pk=pk).update(used_at=clock.now())
        return fresh

    assert both(token.exists, write) == [True, True]


def test_a_reversal_that_two_find_open_is_counted_twice() -> None:
    issued, shop = claim(make_batch(), make_members(1)[0]), make_shop()
    services.redeem_coupon(code=issued.code, order=order(shop), request_id="r", actor=BOSS)
    live = Redemption.objects.filter(reversed_at__isnull=True)

    def write(is_live: bool, number: int) -> None:
        assert is_live
        Redemption.objects.update(reversed_at=clock.now(), reversal_key=f"k{number}", reversal_reason="退货")
        shard_of(issued.id).update(redeemed_count=F("redeemed_count") - 1)

    assert both(live.exists, write) == [None, None]
    assert shard_of(issued.id).get().redeemed_count == -1


def test_a_coupon_that_two_jobs_find_due_is_closed_and_given_back_twice() -> None:
    batch = make_batch(budget_fen=100 * 3_000)
    issued = claim(batch, make_members(1)[0])
    due = Coupon.objects.overdue(later(days=30))

    def write(ids: list[int], _number: int) -> None:
        Coupon.objects.filter(pk__in=ids).update(state="expired")
        shard_of(ids[0]).update(expired_count=F("expired_count") + 1)

    both(lambda: list(due.values_list("pk", flat=True)), write)
    shards = CouponBatchShard.objects.filter(batch_id=batch)
    assert shards.aggregate(n=Sum("expired_count"))["n"] == 2
    assert Coupon.objects.get(pk=issued.id).state == "expired"


# What one does while the other has only looked: each pair of test_races.py without its lock. `move` is what services do
# to the row after they have locked it.


def move(coupon: Coupon, to: CouponState, what: str, **columns: Any) -> None:
    with transaction.atomic():
        move_coupon(coupon=coupon, to=to, what=what, actor=BOSS, at=clock.now(), **columns)


def ends(coupon_id: int) -> list[str]:
    """The story its events tell."""
    return list(CouponEvent.objects.filter(coupon_id=coupon_id).order_by("pk").values_list("what", flat=True))


def test_a_coupon_that_expires_after_the_till_looked_is_redeemed_and_expired() -> None:
    batch = make_batch()
    issued = claim(batch, make_members(1)[0])
    seen = Coupon.objects.get(pk=issued.id)
    services.expire_coupons(actor=BOSS, at=later(days=30))
    move(seen, CouponState.REDEEMED, "redeemed")
    assert ends(issued.id) == ["expired", "redeemed"]
    assert shard_of(issued.id).get().expired_count == 1
    assert Coupon.objects.get(pk=issued.id).state == "redeemed"


def test_a_coupon_that_is_given_away_after_the_till_looked_is_used_and_promised() -> None:
    giver = make_members(1)[0]
    issued = claim(make_batch(template_id=make_template(gifting="anyone")), giver)
    seen = Coupon.objects.get(pk=issued.id)
    services.gift_coupon(coupon_id=issued.id, member_id=giver, request_key=key(), actor=BOSS)
    move(seen, CouponState.REDEEMED, "redeemed")
    assert ends(issued.id) == ["offered", "redeemed"]
    assert CouponGift.objects.get().state == "open"


def test_a_coupon_that_is_used_again_after_the_reversal_looked_is_free_and_used() -> None:
    issued, shop = claim(make_batch(), make_members(1)[0]), make_shop()
    use = partial(services.redeem_coupon, code=issued.code, order=order(shop), actor=BOSS)
    use(request_id="first")
    seen = Coupon.objects.get(pk=issued.id)
    services.reverse_redemption(request_id="first", reversal_key="back", reason="退货", actor=BOSS)
    use(request_id="second")
    move(seen, CouponState.ISSUED, "reversed")
    assert ends(issued.id) == ["redeemed", "reversed", "redeemed", "reversed"]
    assert Coupon.objects.get(pk=issued.id).state == "issued"
    assert Redemption.objects.get(reversed_at__isnull=True).request_id == "second"


def test_a_lock_that_lapses_after_its_order_looked_is_two_orders() -> None:
    issued, after = claim(make_batch(), make_members(1)[0]), later(minutes=20)
    services.lock_coupon(code=issued.code, lock_key="order-1", actor=BOSS)
    seen = Coupon.objects.get(pk=issued.id)
    services.release_lapsed_locks(actor=BOSS, at=after)
    services.lock_coupon(code=issued.code, lock_key="order-2", actor=BOSS, at=after)
    move(seen, CouponState.REDEEMED, "redeemed")  # by order-1, whose key it saw on the row
    assert ends(issued.id) == ["locked", "lock_lapsed", "locked", "redeemed"]
    assert Coupon.objects.get(pk=issued.id).lock_key == ""
