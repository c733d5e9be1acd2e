"""Guides are told once, and what nobody told them is found."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps

from core import clock
from core.actor import Actor
from guides import handlers, selectors, services, tasks
from guides.events import MemberBound, MemberUnbound
from guides.models import Binding, GuideNotice
from members import services as member_services
from tests.cast import Cast, make_follower, openid_of
from tests.threads import at_once

STAFF = Actor.staff(1, "总部")
LINA_OPENID = "oLINA00000000000000000000001"

pytestmark = pytest.mark.django_db


def _bind(cast: Cast, member_id: int, at: dt.datetime | None = None) -> MemberBound:
    card = services.bind_member(member_id=member_id, guide_id=cast.lina.id, source="scan", actor=STAFF, at=at)
    return MemberBound(card.id, card.member_id, card.guide_id)


def _activate(cast: Cast) -> None:
    code = services.issue_activation_code(guide_id=cast.lina.id, actor=STAFF)
    services.activate_guide(app_id=cast.app_id, openid=LINA_OPENID, code=code)


def _messages() -> list[tuple[str, str]]:
    rows: Any = apps.get_model("wechat", "OutboundMessage").objects.order_by("pk")
    return [(row.reason_key, row.openid) for row in rows]


def test_a_new_member_is_noticed_once_and_told_in_wechat(cast: Cast) -> None:
    _activate(cast)
    event = _bind(cast, cast.xiaoli.id)
    for _delivery in range(2):
        handlers.on_member_bound(event)
    notice = GuideNotice.objects.get()
    assert (notice.guide_id, notice.kind, notice.member_id) == (cast.lina.id, "new_member", cast.xiaoli.id)
    assert _messages() == [(f"tell:{event.binding_id}", LINA_OPENID)]
    assert selectors.summarize_guide(cast.lina.id).unread_notices == 1


def test_a_guide_without_wechat_login_has_the_notice_alone(cast: Cast) -> None:
    handlers.on_member_bound(_bind(cast, cast.xiaoli.id))
    assert GuideNotice.objects.count() == 1
    assert _messages() == []


@pytest.mark.django_db(transaction=True)
def test_the_same_event_on_many_workers_at_once_is_one_notice(cast: Cast) -> None:
    _activate(cast)
    event = _bind(cast, cast.xiaoli.id)
    assert at_once([lambda: handlers.on_member_bound(event)] * 12) == [None] * 12
    assert GuideNotice.objects.count() == 1
    assert len(_messages()) == 1


def test_losing_a_member_is_told_to_the_guide_who_lost_her(cast: Cast) -> None:
    _activate(cast)
    old = Binding.objects.get(member_id=cast.xiaomei.id)
    services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.wangfang.id, source="member", reason="", actor=STAFF
    )
    for _delivery in range(2):
        handlers.on_member_unbound(MemberUnbound(old.pk, old.member_id, old.guide_id))
    notice = GuideNotice.objects.get()
    assert (notice.guide_id, notice.kind) == (cast.lina.id, "member_left")
    assert _messages() == [(f"tell-left:{old.pk}", LINA_OPENID)]


def test_lost_events_are_mended_once_and_only_of_the_last_day(cast: Cast) -> None:
    now = clock.now()
    old = make_follower("旧会员", openid_of("old"), at=now - dt.timedelta(days=3))
    _bind(cast, old.id, at=now - dt.timedelta(days=2))
    _bind(cast, cast.xiaoli.id, at=now - dt.timedelta(minutes=5))
    services.rebind_member(
        member_id=cast.xiaomei.id,
        guide_id=cast.wangfang.id,
        source="member",
        reason="",
        actor=STAFF,
        at=now - dt.timedelta(minutes=4),
    )
    # 小美 to 李娜, 小丽 to 李娜, 小美 to 王芳, 小美 gone from 李娜
    assert services.mend_missed_reactions(at=now) == 4
    assert services.mend_missed_reactions(at=now) == 0
    told = GuideNotice.objects.values_list("kind", "guide__name", "member__name")
    assert sorted(told) == sorted(
        [
            ("member_left", "李娜", "小美"),
            ("new_member", "李娜", "小美"),
            ("new_member", "王芳", "小美"),
            ("new_member", "李娜", "小丽"),
        ]
    )


def test_a_change_of_just_now_is_left_to_its_own_event(cast: Cast) -> None:
    services.mend_missed_reactions()
    _bind(cast, cast.xiaoli.id)
    assert services.mend_missed_reactions() == 0


def test_a_merge_nobody_heard_of_is_mended_without_telling_her_guide(cast: Cast) -> None:
    services.mend_missed_reactions()
    twin = make_follower("小美二", openid_of("twin"))
    member_services.merge_members(first_id=cast.xiaomei.id, second_id=twin.id, actor=STAFF)
    assert services.mend_missed_reactions() == 0
    later = make_follower("小美三", openid_of("later"), at=clock.now())
    bound = _bind(cast, later.id)
    member_services.merge_members(first_id=cast.xiaomei.id, second_id=later.id, actor=STAFF)
    before = GuideNotice.objects.count()
    assert tasks.mend_missed_reactions() == 1
    assert Binding.objects.get(pk=bound.binding_id).ended_at is not None
    assert Binding.objects.live().filter(guide_id=cast.lina.id).count() == 1
    assert (
        services.mend_missed_reactions(at=clock.now() + dt.timedelta(minutes=1)) == 1
    )  # 小美三's own coming
    kinds = GuideNotice.objects.order_by("pk").values_list("kind", flat=True)[before:]
    assert list(kinds) == ["new_member"]


def test_guides_who_have_left_are_told_nothing(cast: Cast) -> None:
    event = _bind(cast, cast.xiaoli.id)
    services.leave_guide(guide_id=cast.lina.id, actor=STAFF)
    handlers.on_member_bound(event)
    assert services.mend_missed_reactions(at=clock.now() + dt.timedelta(minutes=1)) == 0
    assert not GuideNotice.objects.exists()


def test_reading_up_to_a_notice_leaves_newer_ones_unread(cast: Cast) -> None:
    handlers.on_member_bound(_bind(cast, cast.xiaoli.id))
    first = selectors.summarize_guide(cast.lina.id).latest_notice_id
    handlers.on_member_bound(_bind(cast, make_follower("小丁", openid_of("ding")).id))
    assert services.read_notices(guide_id=cast.wangfang.id, up_to_id=first) == 0
    assert services.read_notices(guide_id=cast.lina.id, up_to_id=first) == 1
    assert services.read_notices(guide_id=cast.lina.id, up_to_id=first) == 0
    assert selectors.summarize_guide(cast.lina.id).unread_notices == 1
