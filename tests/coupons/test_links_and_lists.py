"""Coupons claimed by a link with what led there, and her own list of them."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.actor import Actor
from coupons import selectors, services
from coupons.models import Coupon, CouponBatch, CouponReferral
from coupons.services.holdings_member_doors import ReferralHoldings
from guides.selectors import get_guide_code, list_stores_within
from members.models import Member
from sales.models import Category, Product
from tests.cast import Cast
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
    terms,
)  # fmt: skip
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def link_of(batch: int) -> str:
    return CouponBatch.objects.get(pk=batch).public_id


def by_link(batch: int, member: int, request_key: str = "", **values: Any) -> Any:
    return services.claim_from_link(
        batch_public_id=link_of(batch),
        member_id=member,
        request_key=request_key or key(),
        actor=BOSS,
        **values,
    )


def test_what_led_to_a_link_is_kept_once_and_counts_for_no_quota(cast: Cast) -> None:
    batch = make_batch(guide_quota=1)
    code = get_guide_code(cast.lina.id).code
    sharer = Member.objects.get(pk=cast.xiaoli.id).public_id
    values = {"scene": code, "sharer_public_id": sharer, "article": "spring-2026"}
    for _ in range(2):
        issued = by_link(batch, cast.xiaomei.id, "once", **values)
    kept = CouponReferral.objects.get()
    assert (kept.coupon_id, kept.scene, kept.guide_id, kept.store_id, kept.sharer_id, kept.article) == (
        issued.id, code, cast.lina.id, cast.store.id, cast.xiaoli.id, "spring-2026",
    )  # fmt: skip
    coupon = Coupon.objects.get()
    assert (coupon.issued_by_guide_id, coupon.door) == (None, "claim")
    assert selectors.get_guide_quota(batch_id=batch, guide_id=cast.lina.id).used_count == 0


@pytest.mark.parametrize(
    "values",
    [{}, {"scene": "unknown"}, {"sharer_public_id": "2" * 16}, {"article": "a b"}, {"article": "x" * 41}],
)
def test_what_is_unknown_is_left_out(values: dict[str, str]) -> None:
    assert by_link(make_batch(), make_members(1)[0], **values).is_new
    assert not CouponReferral.objects.exists()


def test_her_own_link_led_nobody_there() -> None:
    member = make_members(1)[0]
    by_link(make_batch(), member, sharer_public_id=Member.objects.get(pk=member).public_id)
    assert not CouponReferral.objects.exists()


def test_an_unknown_link_and_a_draft_look_the_same() -> None:
    member = make_members(1)[0]
    assert refused(by_link, make_batch(is_open=False), member) == "coupons.no_such_batch"
    for public_id in ("2" * 16, "x" * 99, ""):
        assert selectors.find_claim_target(public_id) is None
        assert refused(selectors.get_claimable_batch, public_id, member_id=member) == "coupons.no_such_batch"
    draft = link_of(make_batch(is_open=False))
    assert refused(selectors.get_claimable_batch, draft, member_id=member) == "coupons.no_such_batch"


def test_a_link_for_a_tier_asks_for_hers(ladder: Any) -> None:
    member = make_members(1)[0]
    batch = make_batch(template_id=make_template(tier_ids=(ladder["金卡"],)))
    assert refused(by_link, batch, member) == "coupons.wrong_tier"
    Member.objects.filter(pk=member).update(stage="member")
    open_to_all = make_batch(template_id=make_template(tier_ids=(ladder["普通"],)))
    assert by_link(open_to_all, member).is_new
    told = selectors.get_claimable_batch(link_of(batch), member_id=member, tier_id=ladder["普通"])
    assert told.why_not == "coupons.wrong_tier"


@pytest.fixture
def ladder() -> dict[str, int]:
    from members import selectors as member_selectors
    from tests.members import tiers_kit

    tiers_kit.make_ladder()
    return {tier.name: tier.id for tier in member_selectors.list_tiers()}


def test_a_link_says_why_it_gives_nothing_any_more() -> None:
    member = make_members(1)[0]

    def why(batch: int, **values: Any) -> str:
        return selectors.get_claimable_batch(link_of(batch), member_id=member, **values).why_not

    assert why(make_batch()) == ""
    assert why(make_batch(), door="partner") == "coupons.wrong_door"
    assert why(make_batch(opens_at=later(hours=1))) == "coupons.batch_not_started"
    assert why(make_batch(closes_at=later(hours=1)), at=later(hours=1)) == "coupons.batch_ended"
    ended = make_batch()
    services.end_batch(batch_id=ended, actor=BOSS)
    assert why(ended) == "coupons.batch_ended"
    retired = make_template()
    batch = make_batch(template_id=retired)
    services.retire_template(template_id=retired, actor=BOSS)
    assert why(batch) == "coupons.batch_ended"
    span = {
        "validity": "fixed",
        "valid_days": None,
        "valid_from": later(days=-2),
        "valid_until": later(days=1),
    }
    fixed = make_batch(template_id=make_template(**span))
    assert why(fixed, at=later(days=2)) == "coupons.batch_ended"
    listed = [line.batch.id for line in selectors.list_claimable_batches(member, at=later(days=2))]
    assert fixed not in listed


# Her list --------------------------------------------------------------------------------------------------


def test_usable_coupons_come_by_their_last_moment_page_by_page() -> None:
    member = make_members(1)[0]
    made = [claim(make_batch(template_id=make_template(valid_days=days)), member).id for days in (9, 2, 5, 2)]
    wanted = [made[1], made[3], made[2], made[0]]
    first = selectors.list_held_coupons(member, limit=2)
    second = selectors.list_held_coupons(member, limit=2, cursor=first.next_cursor)
    assert [held.card.id for held in (*first.coupons, *second.coupons)] == wanted
    assert second.next_cursor is None
    counts = selectors.count_held_coupons(member)
    assert (counts.usable_count, counts.expiring_count, counts.redeemed_count, counts.over_count) == (
        4,
        2,
        0,
        0,
    )


def test_each_state_has_its_list_and_its_count() -> None:
    member, shop = make_members(1)[0], make_shop()
    batch = make_batch()
    used, void, old, kept = (claim(batch, member) for _ in range(4))
    services.redeem_coupon(code=used.code, order=order(shop), request_id=key(), actor=BOSS)
    services.void_coupon(coupon_id=void.id, reason="发错", actor=BOSS)
    Coupon.objects.filter(pk=old.id).update(valid_from=later(days=-9), valid_until=later(days=-1))

    def ids(state: str, **values: Any) -> list[int]:
        page = selectors.list_held_coupons(member, state=state, **values)
        return [held.card.id for held in page.coupons]

    assert (ids("usable"), ids("redeemed"), ids("over")) == ([kept.id], [used.id], [old.id, void.id])
    assert ids("over", cursor=old.id) == [void.id]
    assert ids("voided") == [void.id]
    counts = selectors.count_held_coupons(member)
    assert (counts.usable_count, counts.redeemed_count, counts.over_count) == (1, 1, 2)


def test_each_coupon_says_where_it_came_from(cast: Cast) -> None:
    member, batch = cast.xiaomei.id, make_batch()
    for door in ("guide", "face_to_face"):
        services.issue_coupon(
            batch_id=batch, member_id=member, request_key=key(), door=door, guide_id=cast.lina.id, actor=BOSS
        )
    services.issue_coupon(batch_id=batch, member_id=member, request_key=key(), actor=BOSS)
    for door in ("claim", "code", "share"):
        claim(batch, member, door=door)
    giftable = make_batch(template_id=make_template(gifting="anyone"))
    hers = claim(giftable, cast.xiaoli.id)
    offer = services.gift_coupon(coupon_id=hers.id, member_id=cast.xiaoli.id, request_key=key(), actor=BOSS)
    services.accept_gift(token=offer.token, member_id=member, actor=BOSS)
    partner = services.create_batch(
        template_id=make_template(),
        terms=selectors.get_batch(giftable).terms.__class__(name="合作", quota=0, doors=("partner",)),
        partner_name="咖啡店",
        actor=BOSS,
    )
    services.import_partner_codes(batch_id=partner.id, lines=["P1"], actor=BOSS)
    services.open_batch(batch_id=partner.id, actor=BOSS)
    claim(partner.id, member, door="partner")
    with CaptureQueriesContext(connection) as queries:
        page = selectors.list_held_coupons(member)
    assert len(queries) <= 3
    assert sorted(held.origin_words for held in page.coupons) == sorted(
        [
            "导购李娜赠送",
            "导购李娜当面赠送",
            "会员专享",
            "自己领取",
            "兑换码兑换",
            "好友助力",
            "好友赠送",
            "咖啡店赠送",
        ]
    )


def test_a_gift_tells_nothing_of_the_time_before() -> None:
    giver, friend = make_members(2)
    shop = make_shop()
    issued = claim(make_batch(template_id=make_template(gifting="anyone")), giver)
    first = services.gift_coupon(coupon_id=issued.id, member_id=giver, request_key=key(), actor=BOSS)
    held = selectors.get_held_coupon(issued.id, member_id=giver)
    assert (held.card.state, held.gift_until) == ("gifting", first.expires_at)
    services.return_gift(coupon_id=issued.id, member_id=giver, actor=BOSS)

    def titles(member: int) -> list[str]:
        return [
            step.title
            for step in selectors.list_coupon_steps(selectors.get_held_coupon(issued.id, member_id=member))
        ]

    assert titles(giver) == ["得到这张券", "转赠给好友，等待领取", "转赠已退回"]
    offer = services.gift_coupon(coupon_id=issued.id, member_id=giver, request_key=key(), actor=BOSS)
    services.accept_gift(token=offer.token, member_id=friend, actor=BOSS)
    assert titles(friend) == ["得到这张券"]
    services.redeem_coupon(code=issued.code, order=order(shop), request_id="r", actor=BOSS)
    services.reverse_redemption(request_id="r", reversal_key="b", reason="王女士来电", actor=BOSS)
    held = selectors.get_held_coupon(issued.id, member_id=friend)
    steps = selectors.list_coupon_steps(held)
    assert [step.title for step in steps] == ["得到这张券", "已使用", "使用已撤销"]
    assert steps[1].words.endswith("优惠 30 元")
    assert not any("王女士" in step.words for step in steps)
    assert refused(selectors.get_held_coupon, issued.id, member_id=giver) == "coupons.no_such_coupon"
    assert refused(selectors.get_held_coupon, None, member_id=giver) == "coupons.no_such_coupon"


def test_terms_are_told_line_by_line(ladder: Any) -> None:
    def words(**values: Any) -> dict[str, str]:
        return {line.title: line.words for line in selectors.list_term_lines(terms(**values))}

    plain = words()
    assert plain == {
        "使用门槛": "无门槛",
        "可用时间": "有效期内任何时间",
        "适用门店": "全部门店可用",
        "适用渠道": "不限",
        "适用商品": "全部商品",
        "叠加": "每单最多用 1 张，不与同类优惠券同用",
        "转赠": "不可转赠",
    }
    strict = words(
        min_spend_fen=20_000, min_quantity=2, weekdays=(6, 5), hours=("10:00-14:00",), store_ids=(1,),
        channels=("store", "kiosk"), include_categories=("shirts",), exclude_products=("A1",),
        tier_ids=(ladder["金卡"],), is_exclusive=True, gifting="first",
    )  # fmt: skip
    assert strict == {
        "使用门槛": "满 200 元可用，满 2 件可用",
        "可用时间": "周六、周日 10:00-14:00",
        "适用门店": "指定门店可用，见门店列表",
        "适用渠道": "门店、kiosk",
        "适用商品": "限类目 shirts（不含 A1）",
        "适用会员": "金卡",
        "叠加": "不与其他优惠券同用",
        "转赠": "可转赠好友一次",
    }
    assert words(exclude_products=("A1",))["适用商品"] == "全部商品（不含 A1）"
    assert words(include_products=("A1",), gifting="anyone")["转赠"] == "可转赠好友"


def test_goods_are_named_and_those_nobody_named_are_told_by_their_codes(
    django_assert_num_queries: Any,
) -> None:
    Category.objects.create(code="knit", name="针织")
    Product.objects.bulk_create(
        Product(code=code, name=name, created_at=clock.now())
        for code, name in (("A1", "羊绒衫"), ("A2", "羊绒衫"), ("A3", ""))
    )
    some = terms(
        include_categories=("knit", "odd"), include_products=("A1", "A2", "A3"), exclude_products=("A2", "B1")
    )
    with django_assert_num_queries(3):
        words = {line.title: line.words for line in selectors.list_term_lines(some)}["适用商品"]
    assert words == "限类目 针织、odd，商品 羊绒衫、A3（不含 羊绒衫、B1）"
    assert selectors.face_of(some).goods == words
    with django_assert_num_queries(0):
        assert selectors.face_of(some, is_brief=True).goods == ""
    many = terms(include_products=tuple(f"N{number}" for number in range(9)))
    assert "限商品 N0、N1、N2 等 9 个" in dict(selectors.describe_terms(many)).values()


def test_stores_of_a_scope_come_by_distance(cast: Cast) -> None:
    everywhere, count = list_stores_within(place=(31.2, 121.4))
    assert count == len(everywhere) >= 2
    named, count = list_stores_within(store_ids=[cast.other_store.id])
    assert ([store.id for store in named], count) == ([cast.other_store.id], 1)
    assert [store.id for store in everywhere[:2]] == [cast.store.id, cast.other_store.id]
    assert everywhere[0].distance_m is not None
    below, count = list_stores_within(region_ids=[cast.east.id])
    assert ([store.id for store in below], count) == ([cast.store.id], 1)
    whole, count = list_stores_within(region_ids=[cast.root.id], limit=1)
    assert (len(whole), count) == (1, 2)
    nobody, count = list_stores_within(dealer_ids=[987_654])
    assert (nobody, count) == ((), 0)


def test_merging_exporting_and_erasing_know_whom_she_led(cast: Cast) -> None:
    sharer = Member.objects.get(pk=cast.xiaoli.id)
    first, second, survivor = make_members(3)
    batch = make_batch()
    by_link(batch, first, sharer_public_id=sharer.public_id)
    by_link(batch, second, sharer_public_id=sharer.public_id, article="news")
    holdings = ReferralHoldings()
    assert holdings.preview(survivor_id=survivor, emptier_id=sharer.pk) == []
    values: dict[str, Any] = {"emptier_id": sharer.pk, "survivor_id": survivor}
    snapshot = holdings.move(**values, actor=BOSS, at=clock.now())
    assert [len(rows) for rows in holdings.export(survivor).values()] == [2]
    holdings.restore(**values, snapshot=snapshot, actor=Actor.system("t"), at=clock.now())
    assert holdings.export(survivor) == {}
    assert holdings.erase(member_id=sharer.pk, actor=BOSS, at=clock.now()) == 2
    assert [(row.sharer_id, row.article) for row in CouponReferral.objects.all()] == [(None, "news")]
