"""Sharing to unlock: links, friends, the one who completes it, and what the job finds."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from core import clock, events
from core.errors import Refusal
from coupons import selectors, services
from coupons.contracts import UnlockTerms
from coupons.events import CouponIssued
from coupons.models import Coupon, UnlockHelp, UnlockOffer, UnlockShare
from coupons.services import unlocks
from coupons.services.holdings_member_doors import UnlockHoldings
from coupons.services.sold_out import forget_sold_out
from members.models import Member
from tests.cast import Cast
from tests.coupons.kit import BOSS, check_counters, later, make_batch, make_members, make_template
from tests.coupons.test_races import outcomes
from tests.refusals import refused
from tests.threads import at_once
from tests.told import told_texts

pytestmark = pytest.mark.django_db


def make_offer(batch: int = 0, friend_batch: int = 0, **values: Any) -> str:
    batch = batch or make_batch()
    given: dict[str, Any] = {"name": "邀好友", "batch_id": batch, "friend_batch_id": friend_batch or batch}
    offer = services.create_unlock_offer(
        terms=UnlockTerms(**(given | {"needed_count": 2} | values)), actor=BOSS
    )
    return UnlockOffer.objects.get(pk=offer).public_id


def start(offer: str, member: int, **values: Any) -> str:
    return services.start_unlock(offer_public_id=offer, member_id=member, actor=BOSS, **values)


def help_(share: str, member: int, **values: Any) -> Any:
    return services.help_unlock(share_public_id=share, member_id=member, actor=BOSS, **values)


def row(share: str) -> UnlockShare:
    return UnlockShare.objects.get(public_id=share)


def test_the_last_friend_unlocks_the_sharers_coupon_and_later_ones_still_get_theirs() -> None:
    sharer, *friends = make_members(4)
    mine, theirs = make_batch(), make_batch()
    share = start(make_offer(mine, theirs), sharer)
    first = help_(share, friends[0])
    assert (first.is_counted, first.coupon.is_new) == (True, True)
    assert (row(share).state, row(share).helper_count) == ("collecting", 1)
    again = help_(share, friends[0])
    assert (again.coupon.id, again.coupon.is_new, again.is_counted) == (first.coupon.id, False, True)
    assert help_(share, friends[1]).is_counted
    done = row(share)
    assert (done.state, done.helper_count) == ("unlocked", 2)
    assert done.coupon_id is not None
    coupon = Coupon.objects.get(pk=done.coupon_id)
    assert (coupon.member_id, coupon.batch_id, coupon.door) == (sharer, mine, "share")
    extra = help_(share, friends[2])
    assert (extra.is_counted, extra.coupon.is_new) == (False, True)
    assert row(share).helper_count == 2
    assert Coupon.objects.filter(batch_id=theirs).count() == 3
    assert Coupon.objects.filter(batch_id=mine).count() == 1
    assert services.release_unlocks(actor=BOSS) == 0
    for batch in (mine, theirs):
        check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_the_sharer_is_told_once_of_her_coupon_and_her_friend_is_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(events, "_dispatch", told.append)
    batch = make_batch(template_id=make_template(title="同享券"))
    share = start(make_offer(batch, needed_count=1), cast.xiaoli.id)
    help_(share, cast.xiaomei.id)
    mine = row(share).coupon_id
    assert [one.coupon_id for one in told if isinstance(one, CouponIssued)] == [mine]
    for coupon_id in Coupon.objects.order_by("pk").values_list("pk", flat=True):
        assert services.tell_of_coupon(coupon_id=coupon_id) == (coupon_id == mine)
    assert not services.tell_of_coupon(coupon_id=row(share).coupon_id or 0)
    [text] = told_texts("coupon:", member_id=cast.xiaoli.id)
    assert text.startswith("「同享券」已经放进您的券包。")
    assert told_texts("coupon:", member_id=cast.xiaomei.id) == []


def test_a_link_is_one_until_it_is_over_and_then_a_new_one() -> None:
    sharer, friend, late = make_members(3)
    now = clock.now()
    offer = make_offer(lasts_hours=2)
    share = start(offer, sharer, at=now)
    assert start(offer, sharer, at=now + dt.timedelta(hours=1)) == share
    help_(share, friend, at=now)
    end = now + dt.timedelta(hours=2)
    assert refused(help_, share, late, at=end) == "coupons.share_over"
    fresh = start(offer, sharer, at=end)
    assert fresh != share
    assert row(share).state == "expired"
    assert refused(help_, fresh, friend, at=end) == "coupons.already_helped"
    assert help_(fresh, late, at=end).is_counted
    assert services.expire_unlocks(actor=BOSS, at=end) == 0
    assert services.expire_unlocks(actor=BOSS, at=end + dt.timedelta(hours=2)) == 1
    assert row(fresh).state == "expired"


def test_who_may_not_help_is_told_why() -> None:
    sharer, friend, other = make_members(3)
    offer = make_offer()
    share = start(offer, sharer)
    assert refused(help_, "2222222222222222", friend) == "coupons.no_such_share"
    assert refused(help_, share, sharer) == "coupons.own_share"
    assert refused(help_, share, 987_654) == "members.no_such_member"
    theirs = start(offer, other)
    help_(share, friend)
    assert refused(help_, theirs, friend) == "coupons.already_helped"
    assert Coupon.objects.count() == 1
    full = make_batch(1)
    share = start(make_offer(make_batch(), full), sharer)
    assert help_(share, friend).is_counted
    assert refused(help_, share, other) == "coupons.batch_sold_out"
    assert row(share).helper_count == 1


def test_an_offer_for_new_people_takes_who_came_after_the_link() -> None:
    sharer, known = make_members(2)
    share = start(make_offer(new_members_only=True), sharer)
    assert refused(help_, share, known) == "coupons.not_new_member"
    assert not UnlockHelp.objects.exists()
    fresh = make_members(1)[0]
    assert help_(share, fresh).is_counted


def test_a_paused_offer_waits_and_an_ended_one_keeps_its_promise() -> None:
    sharer, other, friend, second = make_members(4)
    public_id = make_offer()
    offer = UnlockOffer.objects.get().pk
    share = start(public_id, sharer)
    services.pause_unlock_offer(offer_id=offer, actor=BOSS)
    assert refused(start, public_id, other) == "coupons.offer_paused"
    assert refused(help_, share, friend) == "coupons.offer_paused"
    services.resume_unlock_offer(offer_id=offer, actor=BOSS)
    help_(share, friend)
    for _ in range(2):
        services.end_unlock_offer(offer_id=offer, actor=BOSS)
    assert refused(start, public_id, other) == "coupons.offer_ended"
    assert refused(services.resume_unlock_offer, offer_id=offer, actor=BOSS) == "coupons.offer_ended"
    help_(share, second)
    assert row(share).coupon_id is not None
    assert refused(start, "2222222222222222", other) == "coupons.no_such_offer"
    assert refused(services.end_unlock_offer, offer_id=0, actor=BOSS) == "coupons.no_such_offer"
    early = make_offer(opens_at=later(hours=1))
    assert refused(start, early, other) == "coupons.offer_not_started"
    late = make_offer(closes_at=later(hours=1))
    assert refused(start, late, other, at=later(hours=1)) == "coupons.offer_ended"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"needed_count": 0}, "needed_count"),
        ({"needed_count": 101}, "needed_count"),
        ({"lasts_hours": 0}, "lasts_hours"),
        ({"lasts_hours": 721}, "lasts_hours"),
        ({"opens_at": later(days=1), "closes_at": later(hours=1)}, "closes_at"),
        ({"batch_id": 987_654}, "batch"),
    ],
)
def test_an_offer_that_makes_no_sense_is_refused_at_its_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as caught:
        make_offer(**values)
    assert caught.value.details["field"] == field


def test_an_offer_changes_for_who_begins_later() -> None:
    sharer, other, friend = make_members(3)
    batch = make_batch()
    public_id = make_offer(batch)
    offer = UnlockOffer.objects.get().pk
    share = start(public_id, sharer)
    easier = UnlockTerms(name="邀一位", batch_id=batch, friend_batch_id=batch, needed_count=1)
    services.change_unlock_offer(offer_id=offer, terms=easier, actor=BOSS)
    help_(share, friend)
    assert row(share).state == "collecting"
    assert row(start(public_id, other)).needed_count == 1
    elsewhere = UnlockTerms(name="邀一位", batch_id=make_batch(), friend_batch_id=batch)
    assert refused(services.change_unlock_offer, offer_id=offer, terms=elsewhere, actor=BOSS)
    assert refused(make_offer, make_batch(doors=("claim",))) == "coupons.offer_unusable"
    services.end_unlock_offer(offer_id=offer, actor=BOSS)
    assert refused(services.change_unlock_offer, offer_id=offer, terms=easier, actor=BOSS)


# What was missed -------------------------------------------------------------------------------------------


def test_the_job_gives_the_coupon_that_a_killed_process_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    sharer, friend = make_members(2)
    share = start(make_offer(needed_count=1), sharer)

    def killed(**values: Any) -> bool:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(unlocks, "release_unlock", killed)
        with pytest.raises(SystemExit):
            help_(share, friend)
    assert (row(share).state, row(share).coupon_id) == ("unlocked", None)
    assert services.release_unlocks(actor=BOSS) == 1
    assert services.release_unlocks(actor=BOSS) == 0
    assert Coupon.objects.filter(member_id=sharer).count() == 1
    assert services.release_unlock(share_id=row(share).pk, actor=BOSS)


def test_a_sharer_waits_for_quota_and_is_told_so() -> None:
    first, second, friend, other = make_members(4)
    batch = make_batch(1)
    offer = make_offer(batch, make_batch(), needed_count=1)
    links = [start(offer, first), start(offer, second)]
    help_(links[0], friend)
    help_(links[1], other)
    [told] = selectors.list_unlock_offers(second)
    assert told.share is not None
    assert (told.share.state, told.share.coupon_id) == ("unlocked", None)
    assert told.share.why_not is not None
    assert told.share.why_not.code == "coupons.batch_sold_out"
    forget_sold_out(batch)
    assert services.release_unlocks(actor=BOSS) == 0
    services.extend_quota(batch_id=batch, more=1, actor=BOSS)
    assert services.release_unlocks(actor=BOSS) == 1
    assert row(links[1]).why_not == ""
    check_counters(batch)


def test_what_is_about_her_is_not_tried_for_ever_but_by_hand() -> None:
    sharer, friend = make_members(2)
    batch = make_batch(member_limit=1)
    services.claim_coupon(batch_id=batch, member_id=sharer, request_key="k", actor=BOSS)
    public_id = make_offer(batch, make_batch(), needed_count=1)
    offer = UnlockOffer.objects.get().pk
    share = start(public_id, sharer)
    help_(share, friend)
    assert row(share).why_not == "coupons.over_member_limit"
    assert services.release_unlocks(actor=BOSS) == 0
    assert services.retry_unlocks(offer_id=offer, actor=BOSS) == 0
    Coupon.objects.filter(member_id=sharer).update(received_by=friend, ordinal=7)
    assert services.release_unlocks(actor=BOSS) == 0
    assert services.retry_unlocks(offer_id=offer, actor=BOSS) == 1
    summary = selectors.sum_unlock_offers([offer])[offer]
    assert (summary.share_count, summary.unlocked_count, summary.waiting_count) == (1, 1, 0)


def test_a_sharer_who_was_erased_meanwhile_gets_nothing() -> None:
    sharer, friend = make_members(2)
    share = start(make_offer(needed_count=1), sharer)
    Member.objects.filter(pk=sharer).update(stage="erased", erased_at=clock.now())
    assert help_(share, friend).is_counted
    assert (row(share).coupon_id, row(share).why_not) == (None, "members.no_such_member")
    assert services.release_unlocks(actor=BOSS) == 0


# What each sees --------------------------------------------------------------------------------------------


def test_a_friend_sees_the_link_and_not_whose_it_is() -> None:
    sharer, friend, other, third = make_members(4)
    offer = make_offer()
    share = start(offer, sharer)

    def visit(member: int, **values: Any) -> Any:
        return selectors.visit_unlock_share(share, member_id=member, **values)

    seen = visit(friend)
    assert (seen.is_own, seen.why_not, seen.coupon_id) == (False, None, None)
    assert visit(sharer).why_not.code == "coupons.own_share"
    helped = help_(share, friend)
    assert visit(friend).coupon_id == helped.coupon.id
    help_(share, other)
    assert visit(third).offer.share.coupon_id is None
    assert visit(sharer).offer.share.coupon_id == row(share).coupon_id
    assert len(visit(sharer).offer.share.helped_at) == 2
    assert visit(third, at=later(days=2)).why_not.code == "coupons.share_over"
    help_(start(offer, other), third)
    assert visit(third).why_not.code == "coupons.already_helped"
    assert refused(selectors.visit_unlock_share, "2" * 16, member_id=friend) == "coupons.no_such_share"
    assert refused(selectors.get_unlock_offer, "2" * 16, member_id=friend) == "coupons.no_such_offer"


def test_her_list_has_open_offers_and_those_she_is_in() -> None:
    sharer = make_members(1)[0]
    plain, joined = make_offer(), make_offer()
    share = start(joined, sharer)
    ended = UnlockOffer.objects.get(public_id=joined).pk
    services.end_unlock_offer(offer_id=ended, actor=BOSS)
    found = {card.public_id: card for card in selectors.list_unlock_offers(sharer)}
    assert set(found) == {plain, joined}
    hers = found[joined].share
    assert hers is not None
    assert hers.public_id == share
    assert (found[plain].share, found[plain].why_not) == (None, None)
    over = {card.public_id for card in selectors.list_unlock_offers(sharer, at=later(days=2))}
    assert over == {plain}


# Races -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_friends_at_once_exactly_one_is_the_last() -> None:
    sharer, *friends = make_members(13)
    mine, theirs = make_batch(), make_batch(12)
    share = start(make_offer(mine, theirs, needed_count=3), sharer)
    answers = at_once([partial(help_, share, friend) for friend in friends])
    assert outcomes(answers) == {"ok": 12}
    assert sum(answer.is_counted for answer in answers) == 3
    assert (row(share).state, row(share).helper_count) == ("unlocked", 3)
    assert list(Coupon.objects.filter(batch_id=mine).values_list("member_id", flat=True)) == [sharer]
    for batch in (mine, theirs):
        check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_a_friend_is_lost() -> None:
    sharer = make_members(1)[0]
    share = row(start(make_offer(needed_count=3), sharer))
    looked = threading.Barrier(2)

    def careless() -> None:
        mine = UnlockShare.objects.get(pk=share.pk)
        looked.wait(timeout=30)
        mine.helper_count += 1
        mine.save(update_fields=["helper_count"])

    at_once([careless, careless])
    assert row(share.public_id).helper_count == 1


def test_the_database_counts_no_friend_beyond_the_last() -> None:
    share = row(start(make_offer(needed_count=1), make_members(1)[0]))
    with pytest.raises(IntegrityError, match="unlockshare_unlocked_by_the_last_friend"):
        UnlockShare.objects.filter(pk=share.pk).update(helper_count=1)


@pytest.mark.django_db(transaction=True)
def test_two_who_help_each_other_do_not_wait_for_each_other() -> None:
    offer = make_offer(needed_count=1)
    for _ in range(5):
        first, second = make_members(2)
        links = [start(offer, first), start(offer, second)]
        answers = at_once([partial(help_, links[0], second), partial(help_, links[1], first)])
        assert outcomes(answers) == {"ok": 2}
        assert all(row(link).coupon_id is not None for link in links)


@pytest.mark.django_db(transaction=True)
def test_releasing_twice_at_once_and_starting_on_two_devices_is_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sharer, friend = make_members(2)
    batch = make_batch()
    offer = make_offer(batch, make_batch(), needed_count=1)
    [share] = set(at_once([partial(start, offer, sharer)] * 6))
    with monkeypatch.context() as patch:
        patch.setattr(unlocks, "release_unlock", lambda **values: False)  # the process died here
        help_(share, friend)
    release = partial(services.release_unlock, share_id=row(share).pk, actor=BOSS)
    assert at_once([release] * 6 + [partial(services.release_unlocks, actor=BOSS)])[:6] == [True] * 6
    assert list(Coupon.objects.filter(batch_id=batch).values_list("pk", flat=True)) == [row(share).coupon_id]


@pytest.mark.django_db(transaction=True)
def test_one_friend_on_two_devices_helps_once() -> None:
    one, two, friend = make_members(3)
    offer = make_offer()
    links = [start(offer, one), start(offer, two)]
    answers = at_once([partial(help_, link, friend) for link in (*links, *links)])
    assert Coupon.objects.filter(member_id=friend).count() == 1
    assert set(outcomes(answers)) == {"ok", "coupons.already_helped"}


# People who turn out to be one -----------------------------------------------------------------------------


def test_merging_moves_links_and_helps_but_for_doubles_and_parts_them_again() -> None:
    emptier, survivor, third = make_members(3)
    both, single = make_offer(), make_offer()
    kept, moved = start(both, emptier), start(single, emptier)
    start(both, survivor)
    theirs = start(both, third)
    help_(theirs, emptier)
    holdings = UnlockHoldings()
    assert holdings.preview(survivor_id=survivor, emptier_id=emptier) == []
    Member.objects.filter(pk=emptier).update(merged_into_id=survivor)
    values: dict[str, Any] = {"emptier_id": emptier, "survivor_id": survivor}
    snapshot = holdings.move(**values, actor=BOSS, at=clock.now())
    assert (row(kept).member_id, row(moved).member_id) == (emptier, survivor)
    assert UnlockHelp.objects.get().helper_id == survivor
    assert holdings.strays(Member.objects.filter(pk=emptier).values_list("pk", flat=True)) == set()
    assert refused(help_, kept, survivor) == "coupons.already_helped"
    fresh = make_members(1)[0]
    help_(kept, fresh)
    help_(kept, make_members(1)[0])
    assert Coupon.objects.get(pk=row(kept).coupon_id or 0).member_id == survivor
    assert {len(rows) for rows in holdings.export(survivor).values()} == {2, 1}
    Member.objects.filter(pk=emptier).update(merged_into_id=None)
    holdings.restore(**values, snapshot=snapshot, actor=BOSS, at=clock.now())
    assert (row(moved).member_id, UnlockHelp.objects.earliest("pk").helper_id) == (emptier, emptier)
    assert holdings.erase(member_id=emptier, actor=BOSS, at=clock.now()) == 1
    assert row(moved).state == "expired"
