"""A tag of ours and one of WeChat's say the same, in the direction staff chose."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps

from core import clock
from core.errors import Refusal
from guides import handlers, services
from guides.models import TagLink
from members import events as member_events
from members import services as member_services
from tests.cast import DIRECTOR, Cast
from wechat.services import followers, taggings

pytestmark = pytest.mark.django_db
LATER = dt.timedelta(hours=2)


class Desk:
    """One tag on either side, and who has what."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        group = member_services.create_tag_group(name="风格", actor=DIRECTOR)
        self.ours = member_services.create_tag(group_id=group.id, name="素色", actor=DIRECTOR).id
        self.theirs = self.wechat_tag(100)
        for openid in (cast.xiaomei_openid, cast.xiaoli_openid):
            followers.note_follow(account_id=cast.account_id, openid=openid, scene="", at=clock.now())

    def wechat_tag(self, number: int, **other: Any) -> int:
        values = {"name": f"标签{number}", "synced_at": clock.now(), "listed_at": clock.now()} | other
        tag = apps.get_model("wechat", "FollowerTag").objects.create(
            account_id=self.cast.account_id, wechat_tag_id=number, **values
        )
        return int(tag.pk)

    def link(self, direction: str = "push", follower_tag_id: int | None = None) -> int:
        return services.link_tags(
            member_tag_id=self.ours,
            follower_tag_id=follower_tag_id or self.theirs,
            direction=direction,
            actor=DIRECTOR,
        )

    def tag(self, *member_ids: int, **other: Any) -> None:
        member_services.tag_members(member_ids=member_ids, tag_id=self.ours, actor=DIRECTOR, **other)

    def tagged(self) -> set[int]:
        rows = apps.get_model("members", "MemberTag").objects.filter(tag_id=self.ours, removed_at=None)
        return set(rows.values_list("member_id", flat=True))

    def wanted(self) -> dict[str, bool | None]:
        rows = apps.get_model("wechat", "FollowerTagging").objects.filter(tag_id=self.theirs)
        return dict(rows.values_list("openid", "wanted"))

    def carries(self, *openids: str) -> None:
        """WeChat's list, as it was read just now."""
        now = clock.now()
        taggings.keep_listed(tag_pk=self.theirs, openids=list(openids), run_at=now, asked_at=now)
        taggings.close_list(tag_pk=self.theirs, run_at=now)


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return Desk(cast)


def test_who_has_our_tag_is_to_carry_wechats_and_who_lost_it_is_not(cast: Cast, desk: Desk) -> None:
    desk.tag(cast.xiaomei.id)
    link = desk.link()
    assert services.work_tag_links() == 1
    assert desk.wanted() == {cast.xiaomei_openid: True}
    desk.tag(cast.xiaoli.id)
    assert services.work_tag_links() == 0
    handlers.on_tags_changed(member_events.MembersTagged(desk.ours, "", 1))
    assert services.work_tag_links() == 1
    assert set(desk.wanted()) == {cast.xiaomei_openid, cast.xiaoli_openid}
    member_services.untag_members(
        member_ids=[cast.xiaomei.id, cast.xiaoli.id], tag_id=desk.ours, actor=DIRECTOR
    )
    assert services.work_tag_links(at=clock.now() + LATER) == 1
    assert desk.wanted() == {}
    row = TagLink.objects.get(pk=link)
    assert (row.put_count, row.taken_count) == (0, 2)


def test_a_tag_that_ran_out_is_taken_off(cast: Cast, desk: Desk) -> None:
    desk.tag(cast.xiaomei.id, expires_at=clock.now() + dt.timedelta(hours=1))
    desk.link()
    services.work_tag_links()
    services.work_tag_links(at=clock.now() + LATER)
    assert desk.wanted() == {}


def test_who_unfollowed_is_nobody_to_push_to(cast: Cast, desk: Desk) -> None:
    followers.note_unfollow(account_id=cast.account_id, openid=cast.xiaomei_openid, at=clock.now())
    desk.tag(cast.xiaomei.id, cast.xiaoli.id)
    desk.link()
    services.work_tag_links()
    assert desk.wanted() == {cast.xiaoli_openid: True}


def test_who_carries_wechats_tag_has_ours_and_loses_it_with_that(cast: Cast, desk: Desk) -> None:
    desk.carries(cast.xiaomei_openid, cast.xiaoli_openid)
    desk.link("pull")
    services.work_tag_links()
    assert desk.tagged() == {cast.xiaomei.id, cast.xiaoli.id}
    desk.carries(cast.xiaomei_openid)
    services.work_tag_links(at=clock.now() + LATER)
    assert desk.tagged() == {cast.xiaomei.id}


def test_what_people_tagged_by_hand_stays_as_they_gave_it(cast: Cast, desk: Desk) -> None:
    end = clock.now() + dt.timedelta(days=3)
    desk.tag(cast.xiaomei.id, expires_at=end)
    desk.carries(cast.xiaomei_openid)
    desk.link("pull")
    services.work_tag_links()
    desk.carries()
    services.work_tag_links(at=clock.now() + LATER)
    assert desk.tagged() == {cast.xiaomei.id}
    assert apps.get_model("members", "MemberTag").objects.get().expires_at == end


def test_nothing_is_taken_off_before_the_list_was_ever_read(cast: Cast, desk: Desk) -> None:
    unread = desk.wechat_tag(101, listed_at=None)
    desk.tag(cast.xiaomei.id, origin="rule")
    desk.link("pull", unread)
    services.work_tag_links()
    assert desk.tagged() == {cast.xiaomei.id}


def test_a_tag_of_wechats_is_in_one_link_until_that_ends(desk: Desk) -> None:
    link = desk.link()
    with pytest.raises(Refusal) as refusal:
        desk.link("pull")
    assert refusal.value.code == "guides.follower_tag_linked"
    services.unlink_tags(link_id=link, actor=DIRECTOR)
    services.unlink_tags(link_id=link, actor=DIRECTOR)
    assert not services.work_tag_link(link_id=link)
    desk.link("pull")


def test_unlinked_tags_stay_and_what_waits_is_not_done(cast: Cast, desk: Desk) -> None:
    desk.tag(cast.xiaomei.id, cast.xiaoli.id)
    desk.carries(cast.xiaomei_openid)
    link = desk.link()
    services.work_tag_links()
    services.unlink_tags(link_id=link, actor=DIRECTOR)
    assert desk.wanted() == {cast.xiaomei_openid: None}
    assert len(desk.tagged()) == 2


@pytest.mark.parametrize("number", [0, 2])
def test_wechats_own_tags_and_those_that_are_gone_are_refused(desk: Desk, number: int) -> None:
    with pytest.raises(Refusal) as refusal:
        desk.link("push", desk.wechat_tag(number))
    assert refusal.value.code == "wechat.system_follower_tag"
    with pytest.raises(Refusal) as refusal:
        desk.link("push", desk.wechat_tag(150 + number, gone_at=clock.now()))
    assert refusal.value.code == "wechat.follower_tag_gone"


def test_a_link_that_cannot_be_followed_says_why_and_holds_up_no_other(cast: Cast, desk: Desk) -> None:
    gone, other = desk.link(), desk.wechat_tag(101)
    desk.link("push", other)
    desk.tag(cast.xiaomei.id)
    apps.get_model("wechat", "FollowerTag").objects.filter(pk=desk.theirs).update(gone_at=clock.now())
    assert services.work_tag_links() == 2
    assert TagLink.objects.get(pk=gone).trouble_code == "wechat.follower_tag_gone"
    assert set(taggings.count_taggings([desk.theirs, other])) == {other}


def test_a_retired_tag_is_given_to_nobody_new(cast: Cast, desk: Desk) -> None:
    desk.carries(cast.xiaomei_openid)
    link = desk.link("pull")
    member_services.retire_tag(tag_id=desk.ours, actor=DIRECTOR)
    services.work_tag_links()
    assert desk.tagged() == set()
    assert TagLink.objects.get(pk=link).trouble_code == "members.tag_retired"


def test_a_merged_members_openids_are_hers(cast: Cast, desk: Desk) -> None:
    desk.tag(cast.xiaoli.id)
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, survivor_id=cast.xiaomei.id, actor=DIRECTOR
    )
    desk.link()
    services.work_tag_links()
    assert set(desk.wanted()) == {cast.xiaomei_openid, cast.xiaoli_openid}
