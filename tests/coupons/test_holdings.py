"""Coupons of two rows that turned out to be one person, and of one that turned out to be two."""

import json
from typing import Any

import pytest

from core import clock
from core.errors import Refusal
from coupons import selectors, services
from coupons.models import Coupon, CouponEvent, Redemption
from coupons.services.holdings import CouponHoldings
from members.models import Member
from tests.coupons.kit import (
    BOSS,
    check_counters,
    claim,
    key,
    make_batch,
    make_members,
    make_shop,
    make_template,
    order,
)

pytestmark = pytest.mark.django_db

HOLDINGS = CouponHoldings()


def merge(emptier: int, survivor: int) -> Any:
    Member.objects.filter(pk=emptier).update(merged_into_id=survivor)
    taken = HOLDINGS.move(emptier_id=emptier, survivor_id=survivor, actor=BOSS, at=clock.now())
    return json.loads(json.dumps(taken))


def test_a_merge_gives_the_survivor_all_and_counts_both_for_the_limit() -> None:
    emptier, survivor, friend = make_members(3)
    batch = make_batch(member_limit=3, template_id=make_template(gifting="anyone"))
    hers, mine, gift = claim(batch, emptier, "same"), claim(batch, survivor, "same"), claim(batch, emptier)
    offer = services.gift_coupon(coupon_id=gift.id, member_id=emptier, request_key=key(), actor=BOSS)
    [line] = HOLDINGS.preview(survivor_id=survivor, emptier_id=emptier)
    assert (line.survivor, line.emptier, line.outcome) == ("1", "2", "3")
    snapshot = merge(emptier, survivor)
    assert {card.id for card in selectors.list_member_coupons(survivor).cards} == {hers.id, mine.id, gift.id}
    assert claim(batch, emptier, "same").id == hers.id
    with pytest.raises(Refusal) as caught:
        claim(batch, survivor)
    assert caught.value.code == "coupons.over_member_limit"
    with pytest.raises(Refusal) as caught:
        services.accept_gift(token=offer.token, member_id=survivor, actor=BOSS)
    assert caught.value.code == "coupons.own_gift"
    services.accept_gift(token=offer.token, member_id=friend, actor=BOSS)
    assert merge(emptier, survivor)["coupons"] == []
    Member.objects.filter(pk=emptier).update(merged_into_id=None)
    HOLDINGS.restore(emptier_id=emptier, survivor_id=survivor, snapshot=snapshot, actor=BOSS, at=clock.now())
    assert [card.id for card in selectors.list_member_coupons(emptier).cards] == [hers.id]
    assert selectors.get_coupon(gift.id).member_id == friend
    assert Coupon.objects.get(pk=hers.id).ordinal == 1
    claim(batch, survivor)
    check_counters(batch)


def test_nothing_held_is_nothing_to_tell() -> None:
    first, second = make_members(2)
    assert HOLDINGS.preview(survivor_id=first, emptier_id=second) == []
    assert HOLDINGS.export(first) == {}
    assert HOLDINGS.strays(Member.objects.values_list("pk", flat=True)) == set()


def test_an_export_has_her_coupons_and_gifts_in_words() -> None:
    member, friend = make_members(2)
    batch = make_batch(template_id=make_template(gifting="anyone"))
    claim(batch, member)
    gift = claim(batch, member)
    offer = services.gift_coupon(coupon_id=gift.id, member_id=member, request_key=key(), actor=BOSS)
    services.accept_gift(token=offer.token, member_id=friend, actor=BOSS)
    hers, theirs = HOLDINGS.export(member), HOLDINGS.export(friend)
    assert [len(rows) for rows in hers.values()] == [1, 1]
    assert [len(rows) for rows in theirs.values()] == [1, 1]
    assert json.loads(json.dumps(hers)) == hers


def test_erasing_keeps_the_books_and_drops_what_somebody_typed() -> None:
    member, shop = make_members(1)[0], make_shop()
    issued = claim(make_batch(), member)
    services.redeem_coupon(code=issued.code, order=order(shop), request_id="r", actor=BOSS)
    services.reverse_redemption(request_id="r", reversal_key="b", reason="王女士来电", actor=BOSS)
    services.show_coupon(coupon_id=issued.id, member_id=member, actor=BOSS)
    services.void_coupon(coupon_id=issued.id, reason="她来电要求", actor=BOSS)
    assert HOLDINGS.erase(member_id=member, actor=BOSS, at=clock.now()) == 4
    assert set(CouponEvent.objects.values_list("reason", flat=True)) == {""}
    assert Redemption.objects.get().reversal_reason == ""
    assert Coupon.objects.get().state == "voided"
