"""A guide gives coupons to her members at one go: each by itself, once for a request, to hers alone."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.errors import Refusal
from coupons import selectors, services
from coupons.contracts import DirectedIssueCard
from coupons.models import Coupon, DirectedIssue, GuideAllowance
from guides import services as guide_services
from members import services as member_services
from members.contracts import MemberCard, TierTerms
from tests.cast import Cast, make_follower, openid_of
from tests.coupons.kit import BOSS, check_counters, key, make_batch, make_template
from tests.threads import at_once

pytestmark = pytest.mark.django_db

GUIDE = Actor.guide(1, "李娜")


def hers(cast: Cast, count: int, guide: Any = None) -> list[MemberCard]:
    """So many more members of 李娜."""
    found = []
    for number in range(count):
        member = make_follower(f"会员{number}", openid_of(f"d{number}-{key()}"))
        guide_services.bind_member(
            member_id=member.id, guide_id=(guide or cast.lina).id, source="scan", actor=Actor.wechat()
        )
        found.append(member)
    return found


def give(
    cast: Cast, batch: int, members: list[Any], request_key: str = "", **values: Any
) -> DirectedIssueCard:
    given: dict[str, Any] = {"guide_id": cast.lina.id, "actor": GUIDE}
    return services.issue_directed(
        batch_id=batch,
        public_ids=[getattr(member, "public_id", member) for member in members],
        request_key=request_key or key(),
        **(given | values),
    )


def reasons(card: DirectedIssueCard) -> list[str]:
    return ["" if line.why_not is None else line.why_not.code for line in card.lines]


def test_each_has_one_in_the_guides_and_her_stores_name_and_counts_in_her_quota(cast: Cast) -> None:
    members, batch = hers(cast, 3), make_batch(guide_quota=10)
    card = give(cast, batch, members)
    assert (card.given_count, [line.member_id for line in card.lines]) == (3, [m.id for m in members])
    coupons = Coupon.objects.filter(batch_id=batch)
    assert {(c.door, c.issued_by_guide_id, c.issued_store_id) for c in coupons} == {
        ("guide", cast.lina.id, cast.store.id)
    }
    assert GuideAllowance.objects.get(batch_id=batch).used_count == 3
    check_counters(batch)


def test_one_at_her_limit_does_not_cost_the_next_hers_and_the_answer_says_which(cast: Cast) -> None:
    first, second, third = hers(cast, 3)
    batch = make_batch(member_limit=1)
    give(cast, batch, [second])
    assert selectors.foresee_directed_issue(batch_id=batch, member_ids=[first.id, second.id]).keys() == {
        second.id
    }
    card = give(cast, batch, [first, second, third])
    assert reasons(card) == ["", "coupons.over_member_limit", ""]
    assert [line.is_passing for line in card.lines] == [False, False, False]
    assert selectors.access_directed_issue(guide_id=cast.lina.id, public_id=card.public_id) == card


def test_what_may_work_later_is_marked_as_passing(cast: Cast) -> None:
    members, batch = hers(cast, 3), make_batch(guide_quota=1, guide_quota_period="day")
    card = give(cast, batch, members)
    assert reasons(card) == ["", "coupons.guide_quota_spent", "coupons.guide_quota_spent"]
    assert [line.is_passing for line in card.lines] == [False, True, True]
    tomorrow = clock.now() + dt.timedelta(days=1)
    assert reasons(give(cast, batch, members[1:], at=tomorrow)) == ["", "coupons.guide_quota_spent"]
    services.pause_batch(batch_id=batch, actor=BOSS)
    assert give(cast, batch, members[:1]).lines[0].is_passing


def test_the_same_request_again_gets_the_first_answer_whatever_became_of_the_batch(cast: Cast) -> None:
    members, batch = hers(cast, 2), make_batch(member_limit=1)
    give(cast, batch, members[:1])
    first = give(cast, batch, members, "tap")
    assert reasons(first) == ["coupons.over_member_limit", ""]
    services.change_batch(batch_id=batch, terms=_without_limit(batch), actor=BOSS)
    assert give(cast, batch, members, "tap").lines == first.lines
    services.end_batch(batch_id=batch, actor=BOSS)
    assert give(cast, batch, list(reversed(members)), "tap").lines == first.lines
    assert Coupon.objects.filter(batch_id=batch).count() == 2
    assert DirectedIssue.objects.count() == 2


def _without_limit(batch: int) -> Any:
    import dataclasses

    return dataclasses.replace(selectors.get_batch(batch).terms, member_limit=None)


def test_a_key_that_meant_another_batch_or_other_members_is_refused(cast: Cast) -> None:
    members, batch, other = hers(cast, 2), make_batch(), make_batch()
    give(cast, batch, members, "tap")
    for again in (partial(give, cast, other, members, "tap"), partial(give, cast, batch, members[:1], "tap")):
        with pytest.raises(Refusal) as refused:
            again()
        assert refused.value.code == "coupons.request_reused"
    # Another guide's key is her own.
    theirs = hers(cast, 1, cast.wangfang)
    assert give(cast, batch, theirs, "tap", guide_id=cast.wangfang.id).given_count == 1


def test_two_who_were_merged_since_are_still_the_same_request(cast: Cast) -> None:
    members, batch = hers(cast, 2), make_batch()
    first = give(cast, batch, members, "tap")
    member_services.merge_members(
        first_id=members[0].id, second_id=members[1].id, reason="同一个人", actor=BOSS
    )
    assert give(cast, batch, members, "tap").given_count == first.given_count == 2
    assert Coupon.objects.filter(batch_id=batch).count() == 2


def test_what_was_killed_half_way_is_finished_by_its_repeat(cast: Cast) -> None:
    members, batch = hers(cast, 3), make_batch(member_limit=None)
    card = give(cast, batch, members, "tap")
    # As a kill after the first coupon left it.
    Coupon.objects.filter(batch_id=batch).exclude(member_id=members[0].id).delete()
    DirectedIssue.objects.filter(public_id=card.public_id).update(finished_at=None)
    assert give(cast, batch, members, "tap").given_count == 3
    assert sorted(Coupon.objects.filter(batch_id=batch).values_list("member_id", flat=True)) == sorted(
        member.id for member in members
    )


@pytest.mark.parametrize("who", ["a stranger", "nobody known", "another guide's"])
def test_somebody_who_is_not_hers_is_unknown_and_then_nobody_gets_one(cast: Cast, who: str) -> None:
    foreign = {
        "a stranger": cast.xiaoli.public_id,
        "nobody known": "2222222222222222",
        "another guide's": hers(cast, 1, cast.wangfang)[0].public_id,
    }[who]
    batch = make_batch()
    with pytest.raises(Refusal) as refused:
        give(cast, batch, [cast.xiaomei, foreign])
    assert (refused.value.code, refused.value.http_status) == ("core.not_found", 404)
    assert not Coupon.objects.filter(batch_id=batch).exists()
    assert not DirectedIssue.objects.exists()


def test_the_manager_gives_to_members_of_her_store_and_a_guide_who_left_to_nobody(cast: Cast) -> None:
    batch = make_batch()
    card = give(cast, batch, [cast.xiaomei], guide_id=cast.zhaoqiang.id)
    assert Coupon.objects.get().issued_by_guide_id == cast.zhaoqiang.id
    with pytest.raises(Refusal):
        selectors.access_directed_issue(guide_id=cast.lina.id, public_id=card.public_id)
    guide_services.leave_guide(guide_id=cast.lina.id, actor=BOSS)
    with pytest.raises(Refusal) as refused:
        give(cast, batch, [cast.xiaomei])
    assert refused.value.code == "core.not_found"


def test_nobody_and_a_crowd_are_refused(cast: Cast) -> None:
    batch = make_batch()
    for members in ([], [f"{number:016}" for number in range(51)]):
        with pytest.raises(Refusal) as refused:
            give(cast, batch, members)
        assert refused.value.code == "core.invalid_input"
    with pytest.raises(Refusal) as refused:
        give(cast, batch, [cast.xiaomei], "no key")
    assert refused.value.code == "coupons.request_key_unusable"
    with pytest.raises(Refusal) as refused:
        give(cast, 0, [cast.xiaomei])
    assert refused.value.code == "coupons.no_such_batch"


def test_a_coupon_for_tiers_asks_for_each_members_own(cast: Cast) -> None:
    silver = member_services.create_tier(
        terms=TierTerms(name="银卡", rank=1, mode="any", spend_fen=1), actor=BOSS
    )
    members = hers(cast, 2)
    member_services.grant_tier(
        member_id=members[0].id,
        tier_id=silver.id,
        until=clock.today() + dt.timedelta(days=30),
        reason="老顾客",
        actor=Actor.staff(cast.head_office.pk, "总部"),
    )
    batch = make_batch(template_id=make_template(tier_ids=(silver.id,)))
    foreseen = selectors.foresee_directed_issue(batch_id=batch, member_ids=[m.id for m in members])
    assert {key: why.code for key, why in foreseen.items()} == {members[1].id: "coupons.wrong_tier"}
    assert reasons(give(cast, batch, members)) == ["", "coupons.wrong_tier"]


def test_what_she_gave_is_listed_newest_first_with_its_use(cast: Cast) -> None:
    members, batch = hers(cast, 3), make_batch()
    give(cast, batch, members)
    used = Coupon.objects.get(member_id=members[0].id)
    services.redeem_coupon(
        code=used.code,
        order=services.Order(store_id=cast.store.id, order_no="A1", amount_fen=20_000, discount_fen=3_000),
        request_id=key(),
        actor=GUIDE,
    )
    page = selectors.list_given_coupons(cast.lina.id, limit=2)
    assert [line.received_by for line in page.lines] == [members[2].id, members[1].id]
    rest = selectors.list_given_coupons(cast.lina.id, cursor=page.next_cursor, limit=2)
    assert [(line.received_by, line.redemption is not None) for line in rest.lines] == [(members[0].id, True)]
    assert len(selectors.list_given_coupons(cast.lina.id, state="redeemed").lines) == 1
    assert selectors.list_given_coupons(cast.wangfang.id).lines == ()
    since = clock.now() - dt.timedelta(hours=1)
    summary = selectors.sum_given_coupons(cast.lina.id, since=since)
    assert (summary.given_count, summary.used_count) == (3, 1)


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_once_are_one_issue(cast: Cast) -> None:
    members, batch = hers(cast, 3), make_batch(guide_quota=50)
    answers = at_once([partial(give, cast, batch, members, "tap") for _ in range(6)])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert {answer.public_id for answer in answers} == {answers[0].public_id}
    assert [answer.given_count for answer in answers] == [3] * 6
    assert Coupon.objects.filter(batch_id=batch).count() == 3
    assert GuideAllowance.objects.get(batch_id=batch).used_count == 3
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_without_the_key_two_taps_give_twice(cast: Cast) -> None:
    """What the request key is for: look first, give then, and both taps give."""
    members, batch = hers(cast, 1), make_batch()
    looked = threading.Barrier(2)

    def careless() -> None:
        if not Coupon.objects.filter(batch_id=batch, member_id=members[0].id).exists():
            looked.wait(timeout=30)
            give(cast, batch, members)

    at_once([careless, careless])
    assert Coupon.objects.filter(batch_id=batch).count() == 2
