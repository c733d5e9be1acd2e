"""Coupons handed to a friend, shown on a screen, and closed by the jobs."""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction

from core import clock, events
from coupons import selectors, services
from coupons.events import CouponsExpiring, GiftReturned
from coupons.models import Coupon, CouponGift, CouponToken
from coupons.services.redeeming import OFFLINE_SPAN
from coupons.services.showing import CODE_LIFE
from tests.cast import Cast
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
from tests.told import told_texts


def giftable(member: int, gifting: str = "anyone", **template: Any) -> Any:
    return claim(make_batch(template_id=make_template(gifting=gifting, **template), member_limit=1), member)


def offer(coupon_id: int, member: int, request_key: str = "", **values: Any) -> Any:
    return services.gift_coupon(
        coupon_id=coupon_id, member_id=member, request_key=request_key or key(), actor=BOSS, **values
    )


@pytest.mark.django_db
def test_a_gift_goes_to_the_friend_once_and_counts_for_no_limit_of_hers() -> None:
    giver, friend, third = make_members(3)
    issued = giftable(giver)
    made = offer(issued.id, giver, "g")
    assert offer(issued.id, giver, "g") == made
    assert services.preview_gift(token=made.token).state == "gifting"
    shop = make_shop()
    redeem = {"code": issued.code, "order": order(shop), "request_id": key(), "actor": BOSS}
    assert refused(services.redeem_coupon, **redeem) == "coupons.coupon_gifting"
    for _ in range(2):
        card = services.accept_gift(token=made.token, member_id=friend, actor=BOSS)
        assert (card.member_id, card.state, card.may_gift) == (friend, "issued", True)
    assert refused(services.accept_gift, token=made.token, member_id=third, actor=BOSS) == "coupons.gift_gone"
    assert refused(services.preview_gift, token=made.token) == "coupons.gift_gone"
    assert refused(selectors.get_coupon, issued.id, member_id=giver) == "coupons.no_such_coupon"
    batch = Coupon.objects.get().batch_id
    assert claim(batch, friend).is_new
    assert refused(claim, batch, giver) == "coupons.over_member_limit"


@pytest.mark.django_db
def test_gifts_that_may_not_be_are_refused() -> None:
    giver, friend = make_members(2)
    hers = giftable(giver)
    assert refused(offer, hers.id, friend) == "coupons.no_such_coupon"
    assert refused(offer, 987_654, giver) == "coupons.no_such_coupon"
    assert refused(offer, giftable(giver, "nobody").id, giver) == "coupons.not_giftable"
    for lasts in (dt.timedelta(0), dt.timedelta(days=8)):
        assert refused(offer, hers.id, giver, lasts=lasts) == "core.invalid_input"
    made = offer(hers.id, giver)
    assert refused(offer, hers.id, giver) == "coupons.coupon_gifting"
    assert refused(services.accept_gift, token=made.token, member_id=giver, actor=BOSS) == "coupons.own_gift"
    assert (
        refused(services.accept_gift, token="x" * 500, member_id=friend, actor=BOSS) == "coupons.no_such_gift"
    )
    assert refused(services.preview_gift, token="") == "coupons.no_such_gift"
    late = made.expires_at
    taken = refused(services.accept_gift, token=made.token, member_id=friend, actor=BOSS, at=late)
    assert taken == "coupons.gift_gone"
    once = giftable(giver, "first")
    link = offer(once.id, giver)
    services.accept_gift(token=link.token, member_id=friend, actor=BOSS)
    assert refused(offer, once.id, friend) == "coupons.not_giftable"
    services.void_coupon(coupon_id=hers.id, reason="作废", actor=BOSS)
    assert refused(offer, hers.id, giver) == "coupons.coupon_voided"
    assert CouponGift.objects.get(coupon_id=hers.id).state == "returned"
    locked = giftable(giver)
    services.lock_coupon(code=locked.code, lock_key="o", actor=BOSS)
    assert refused(offer, locked.id, giver) == "coupons.coupon_locked"


@pytest.mark.django_db
def test_an_offer_comes_back_by_her_or_by_the_job() -> None:
    giver, friend = make_members(2)
    issued = giftable(giver)
    made = offer(issued.id, giver, "g")
    assert (
        refused(services.return_gift, coupon_id=issued.id, member_id=friend, actor=BOSS)
        == "coupons.no_such_coupon"
    )
    for _ in range(2):
        assert services.return_gift(coupon_id=issued.id, member_id=giver, actor=BOSS).state == "issued"
    assert (
        refused(services.accept_gift, token=made.token, member_id=friend, actor=BOSS) == "coupons.gift_gone"
    )
    newer = offer(issued.id, giver)
    assert newer.token != made.token
    assert services.return_untaken_gifts(actor=BOSS) == 0
    assert services.return_untaken_gifts(actor=BOSS, at=newer.expires_at) == 1
    assert selectors.get_coupon(issued.id).state == "issued"


@pytest.mark.django_db(transaction=True)
def test_she_is_told_once_that_nobody_took_it_and_nothing_where_she_took_it_back(
    cast: Cast, monkeypatch: Any
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(events, "_dispatch", told.append)
    issued = giftable(cast.xiaoli.id, title="送你的券")

    def returned() -> list[int]:
        return [one.gift_id for one in told if isinstance(one, GiftReturned)]

    offer(issued.id, cast.xiaoli.id)
    services.return_gift(coupon_id=issued.id, member_id=cast.xiaoli.id, actor=BOSS)
    again = offer(issued.id, cast.xiaoli.id)
    assert services.return_untaken_gifts(actor=BOSS, at=again.expires_at) == 1
    back, untaken = returned()
    assert not services.tell_of_returned_gift(gift_id=back)
    assert services.tell_of_returned_gift(gift_id=untaken)
    assert not services.tell_of_returned_gift(gift_id=untaken)
    assert not services.tell_of_returned_gift(gift_id=0)
    [text] = told_texts("gift_returned:", member_id=cast.xiaoli.id)
    assert "送你的券" in text
    short = giftable(cast.xiaoli.id, valid_days=1)
    last = offer(short.id, cast.xiaoli.id, at=short.valid_until - dt.timedelta(minutes=5))
    services.return_untaken_gifts(actor=BOSS, at=last.expires_at)
    assert not services.tell_of_returned_gift(gift_id=returned()[-1], at=last.expires_at)


@pytest.mark.django_db
def test_an_offer_ends_with_the_coupons_last_day() -> None:
    giver = make_members(1)[0]
    issued = giftable(giver, valid_days=1)
    at = issued.valid_until - dt.timedelta(minutes=5)
    assert offer(issued.id, giver, at=at).expires_at == issued.valid_until
    services.expire_coupons(actor=BOSS, at=issued.valid_until + OFFLINE_SPAN)
    assert (Coupon.objects.get().state, CouponGift.objects.get().state) == ("expired", "returned")


@pytest.mark.django_db
def test_the_code_on_a_screen_is_read_once_within_a_minute() -> None:
    member, batch, now = make_members(1)[0], make_batch(), clock.now()
    issued = claim(batch, member)
    shown = services.show_coupon(coupon_id=issued.id, member_id=member, actor=BOSS, at=now)
    assert shown.text.startswith("81")
    assert len(shown.text) == 20
    read = services.read_shown_code
    assert read(text=shown.text, request_key="t1", actor=BOSS, at=now).code == issued.code
    again = now + dt.timedelta(minutes=5)
    assert read(text=shown.text, request_key="t1", actor=BOSS, at=again).code == issued.code
    assert refused(read, text=shown.text, request_key="t2", actor=BOSS, at=now) == "coupons.code_unusable"
    assert refused(read, text=shown.text, request_key="t1", actor=BOSS, at=now + dt.timedelta(hours=1))
    old = services.show_coupon(coupon_id=issued.id, member_id=member, actor=BOSS, at=now)
    assert (
        refused(read, text=old.text, request_key="t3", actor=BOSS, at=now + CODE_LIFE)
        == "coupons.code_unusable"
    )
    yesterday = now + dt.timedelta(days=1)
    assert refused(read, text=old.text, request_key="t3", actor=BOSS, at=yesterday) == "coupons.code_unusable"
    services.show_coupon(coupon_id=issued.id, member_id=member, actor=BOSS, at=yesterday)
    assert CouponToken.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["", "81", "80" + "1" * 18, "81" + "1" * 18, "81" + "x" * 18, "８１" + "1" * 18]
)
def test_a_made_up_code_is_refused_like_an_old_one(text: str) -> None:
    code = refused(services.read_shown_code, text=text, request_key="t", actor=BOSS)
    assert code == "coupons.code_unusable"


@pytest.mark.django_db
def test_another_members_coupon_and_a_used_one_have_no_code() -> None:
    member, other = make_members(2)
    issued = claim(make_batch(), member)
    show = services.show_coupon
    assert refused(show, coupon_id=issued.id, member_id=other, actor=BOSS) == "coupons.no_such_coupon"
    assert (
        refused(show, coupon_id=issued.id, member_id=member, actor=BOSS, at=later(days=30))
        == "coupons.coupon_expired"
    )
    services.void_coupon(coupon_id=issued.id, reason="x", actor=BOSS)
    assert refused(show, coupon_id=issued.id, member_id=member, actor=BOSS) == "coupons.coupon_voided"


@pytest.mark.django_db
def test_the_job_closes_a_day_after_the_last_and_frees_the_budget() -> None:
    members = make_members(3)
    batch = make_batch(5, budget_fen=6_000)
    first, second = (claim(batch, member) for member in members[:2])
    services.lock_coupon(
        code=second.code,
        lock_key="o",
        lasts=dt.timedelta(hours=2),
        actor=BOSS,
        at=first.valid_until - dt.timedelta(hours=1),
    )
    due = first.valid_until + OFFLINE_SPAN
    assert services.expire_coupons(actor=BOSS, at=due - dt.timedelta(seconds=1)).coupon_count == 0
    run = services.expire_coupons(actor=BOSS, at=due)
    assert (run.coupon_count, run.member_count) == (2, 2)
    assert services.expire_coupons(actor=BOSS, at=due).coupon_count == 0
    check_counters(batch)
    claim(batch, members[2])
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_who_loses_coupons_soon_is_told_once(monkeypatch: Any) -> None:
    told: list[Any] = []
    monkeypatch.setattr(events, "_dispatch", told.append)
    first, other = make_members(2)
    batch, long = make_batch(template_id=make_template(valid_days=3)), make_batch()
    for member in (first, first, other):
        claim(batch, member)
    claim(long, first)
    told.clear()
    assert services.announce_expiring_coupons(actor=BOSS) == 2
    assert services.announce_expiring_coupons(actor=BOSS) == 0
    day = (clock.business_day(clock.now()) + dt.timedelta(days=2)).isoformat()
    assert told == [CouponsExpiring(first, day, 2), CouponsExpiring(other, day, 1)]


@pytest.mark.django_db
def test_her_list_is_paged_and_says_what_each_counts_for_now() -> None:
    member, batch, shop = make_members(1)[0], make_batch(), make_shop()
    issued = [claim(batch, member) for _ in range(5)]
    services.redeem_coupon(code=issued[0].code, order=order(shop), request_id=key(), actor=BOSS)
    services.void_coupon(coupon_id=issued[1].id, reason="x", actor=BOSS)
    services.lock_coupon(code=issued[2].code, lock_key="o", actor=BOSS)

    def ids(state: str = "", **values: Any) -> list[int]:
        return [card.id for card in selectors.list_member_coupons(member, state=state, **values).cards]

    page = selectors.list_member_coupons(member, limit=3)
    assert [card.id for card in page.cards] == [row.id for row in issued[:1:-1]]
    assert ids(cursor=page.next_cursor) == [issued[1].id, issued[0].id]
    assert ids("usable") == [issued[4].id, issued[3].id, issued[2].id]
    assert (ids("redeemed"), ids("voided"), ids("locked")) == ([issued[0].id], [issued[1].id], [issued[2].id])
    after = later(days=30)
    assert ids("expired", at=after) == [issued[4].id, issued[3].id, issued[2].id]
    assert (ids("usable", at=after), ids("issued", at=after), ids("gifting")) == ([], [], [])
    assert selectors.count_usable_coupons(member) == 3


@pytest.mark.django_db
def test_a_change_that_the_table_does_not_list_is_a_defect() -> None:
    from coupons.models import TRANSITIONS, CouponState
    from coupons.services.history import lock_by_id, move_coupon

    issued = claim(make_batch(), make_members(1)[0])
    for before in CouponState:
        for to in set(CouponState) - TRANSITIONS[before]:
            with transaction.atomic():
                coupon = lock_by_id(coupon_id=issued.id)
                coupon.state = before
                with pytest.raises(RuntimeError):
                    move_coupon(coupon=coupon, to=to, what="x", actor=BOSS, at=clock.now())
