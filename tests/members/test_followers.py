"""Followers: registered once, recognised by unionid, following as last told."""

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from members import handlers, selectors, services
from members.errors import IdentityUnusable
from members.models import Member, MemberIdentity
from tests.threads import at_once
from wechat import events as wechat_events

APP, OTHER_APP = "wxaaaaaaaaaaaaaaaa", "wxbbbbbbbbbbbbbbbb"
OPENID, UNIONID = "oFOLLOWER000000000000000001a", "uUNION00000000000000000001ab"
WECHAT = Actor.wechat()
NOON = dt.datetime(2026, 11, 20, 4, 0, tzinfo=dt.UTC)


def _follow(**fields: Any) -> Any:
    told: dict[str, Any] = {"app_id": APP, "openid": OPENID, "actor": WECHAT, "at": NOON}
    return services.register_follower(**told | fields)


@pytest.mark.django_db
def test_a_new_follower_is_a_prospect_named_after_her_code() -> None:
    card = _follow(scene="ABCDEFGHJKMNPQ")
    assert (card.stage, card.is_following, card.is_named) == ("prospect", True, False)
    assert card.display_name.endswith(f" {card.code[-4:]}")
    member = Member.objects.get(pk=card.id)
    assert (member.source, member.source_scene) == ("scan", "ABCDEFGHJKMNPQ")
    assert selectors.find_member_id("openid", APP, OPENID) == card.id
    assert selectors.find_openid(card.id, APP) == OPENID
    assert selectors.find_openid(card.id, OTHER_APP) is None
    actions = AuditEntry.objects.filter(subject_id=card.id).values_list("action", flat=True)
    assert set(actions) == {"members.registered", "members.identity_linked"}


@pytest.mark.django_db
def test_the_same_follow_twice_is_one_member_and_keeps_her_first_door() -> None:
    first = _follow()
    second = _follow(scene="LATER", at=NOON + dt.timedelta(hours=1))
    assert first.id == second.id
    assert Member.objects.get().source == "follow"


@pytest.mark.django_db(transaction=True)
def test_fifty_pushes_of_one_new_follower_at_once_make_one_member() -> None:
    answers = at_once([_follow] * 50)
    assert {answer.id for answer in answers} == {Member.objects.get().pk}
    assert MemberIdentity.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_our_second_look_the_database_refuses_the_second_insert() -> None:
    def insert() -> None:
        with transaction.atomic():
            member = Member.objects.create(source="follow", registered_at=NOON)
            MemberIdentity.objects.create(
                member=member, kind="openid", app_id=APP, value=OPENID, linked_at=NOON
            )

    answers = at_once([insert] * 8)
    assert sum(answer is None for answer in answers) == 1
    assert all(answer is None or isinstance(answer, IntegrityError) for answer in answers)


@pytest.mark.django_db(transaction=True)
def test_two_apps_meeting_the_same_unionid_at_once_make_one_member() -> None:
    calls = [
        lambda: _follow(unionid=UNIONID),
        lambda: _follow(app_id=OTHER_APP, openid="oOTHER0000000000000000000001", unionid=UNIONID),
    ]
    answers = at_once(calls * 4)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert Member.objects.living().count() == 1
    assert MemberIdentity.objects.count() == 3


@pytest.mark.django_db
def test_a_unionid_known_from_elsewhere_links_the_openid_to_that_member() -> None:
    known = _follow(app_id=OTHER_APP, openid="oOTHER0000000000000000000001", unionid=UNIONID)
    here = _follow(unionid=UNIONID)
    assert here.id == known.id
    assert Member.objects.count() == 1
    assert selectors.find_member_id("openid", APP, OPENID) == known.id


@pytest.mark.django_db
def test_unfollow_and_refollow_keep_the_same_member() -> None:
    card = _follow()
    left = services.note_unfollow(app_id=APP, openid=OPENID, actor=WECHAT, at=NOON + dt.timedelta(minutes=5))
    assert left is not None
    assert (left.id, left.is_following) == (card.id, False)
    back = _follow(at=NOON + dt.timedelta(minutes=6))
    assert (back.id, back.is_following) == (card.id, True)


@pytest.mark.django_db
def test_an_unfollow_told_late_does_not_undo_a_newer_follow() -> None:
    _follow(at=NOON)
    _follow(at=NOON + dt.timedelta(minutes=10))
    late = services.note_unfollow(app_id=APP, openid=OPENID, actor=WECHAT, at=NOON + dt.timedelta(minutes=5))
    assert late is not None
    assert late.is_following


@pytest.mark.django_db
def test_a_follow_told_after_its_unfollow_leaves_her_unfollowed() -> None:
    _follow(at=NOON - dt.timedelta(days=2))
    services.note_unfollow(app_id=APP, openid=OPENID, actor=WECHAT, at=NOON)
    assert not _follow(at=NOON - dt.timedelta(seconds=1)).is_following
    assert _follow(at=NOON).is_following  # the same second: as it was told


@pytest.mark.django_db
def test_a_stranger_who_unfollows_is_nobody() -> None:
    assert services.note_unfollow(app_id=APP, openid=OPENID, actor=WECHAT) is None
    assert services.identify_follower(app_id=APP, openid=OPENID, unionid=UNIONID, actor=WECHAT) is None
    assert not Member.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("openid", ["", "o" * 65, "with blank", "nul\0", "'; drop"])
def test_an_openid_wechat_cannot_have_given_is_refused_untold(openid: str) -> None:
    with pytest.raises(IdentityUnusable) as refusal:
        _follow(openid=openid)
    assert refusal.value.code == "members.identity_unusable"
    assert not openid or openid not in str(refusal.value)


@pytest.mark.django_db
def test_a_late_unionid_merges_the_follower_into_the_fuller_member() -> None:
    member = services.register_member(name="小美", phone="13800138000", source="pos", actor=WECHAT, at=NOON)
    MemberIdentity.objects.create(
        member_id=member.id, kind="unionid", app_id="", value=UNIONID, linked_at=NOON
    )
    follower = _follow()
    known = services.identify_follower(app_id=APP, openid=OPENID, unionid=UNIONID, actor=WECHAT)
    assert known is not None
    assert (known.id, known.is_following) == (member.id, True)
    assert selectors.find_member_id("openid", APP, OPENID) == member.id
    assert Member.objects.get(pk=follower.id).merged_into_id == member.id
    followed = selectors.find_member_card(follower.public_id)
    assert followed is not None
    assert followed.id == member.id
    assert _follow(at=NOON + dt.timedelta(days=1)).id == member.id
    again = services.identify_follower(app_id=APP, openid=OPENID, unionid=UNIONID, actor=WECHAT)
    assert again == dataclasses.replace(known)


@pytest.mark.django_db(transaction=True)
def test_identifying_two_followers_as_one_person_from_both_sides_makes_one_row() -> None:
    other = "oOTHER0000000000000000000001"
    _follow()
    _follow(app_id=OTHER_APP, openid=other)
    calls = [
        lambda: services.identify_follower(app_id=APP, openid=OPENID, unionid=UNIONID, actor=WECHAT),
        lambda: services.identify_follower(app_id=OTHER_APP, openid=other, unionid=UNIONID, actor=WECHAT),
    ]
    answers = at_once(calls * 5)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert Member.objects.living().count() == 1
    assert MemberIdentity.objects.values("member").distinct().count() == 1


@pytest.mark.django_db
def test_a_withdrawn_authorisation_takes_with_it_what_it_covered() -> None:
    card = _follow()
    services.change_profile(member_id=card.id, name="小美", actor=WECHAT)
    kept = services.forget_authorization(app_id=APP, openid=OPENID, revoke_info="201", actor=WECHAT)
    assert kept is not None
    assert kept.is_named
    gone = services.forget_authorization(app_id=APP, openid=OPENID, revoke_info="205", actor=WECHAT)
    assert gone is not None
    assert not gone.is_named
    assert Member.objects.get().name_tokens == []


@pytest.mark.django_db
def test_what_she_gave_the_shop_is_not_wechats_to_withdraw() -> None:
    member = services.register_member(name="小美", phone="13800138000", source="pos", actor=WECHAT)
    MemberIdentity.objects.create(
        member_id=member.id, kind="mini_openid", app_id=OTHER_APP, value=OPENID, linked_at=NOON
    )
    card = services.forget_authorization(app_id=OTHER_APP, openid=OPENID, revoke_info="", actor=WECHAT)
    assert card is not None
    assert (card.display_name, card.masked_phone) == ("小美", "138 **** 8000")


@pytest.mark.django_db
def test_handlers_do_not_keep_a_time_from_the_future() -> None:
    ahead = int(clock.now().timestamp()) + 86_400
    handlers.on_follower_gained(
        wechat_events.FollowerGained(
            account_id=1, app_id=APP, openid=OPENID, unionid=None, scene=None, inbound_id=1, at=ahead
        )
    )
    member = Member.objects.get()
    assert member.registered_at <= clock.now()
    assert member.follow_changed_at is not None
    assert member.follow_changed_at <= clock.now()
