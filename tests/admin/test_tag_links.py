"""The desk of links between members' tags and WeChat's."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from core import clock
from guides.models import TagLink
from members import services as member_services
from tests.cast import DIRECTOR, Cast
from wechat.models import FollowerTag, FollowerTagging

LIST = "admin:guides_taglink_changelist"
CREATE = "admin:guides_taglink_create"
CONFIRMED = {"_confirmed": "1"}


@pytest.fixture
def tags(cast: Cast) -> dict[str, Any]:
    """小美 has a tag of ours; WeChat has one of the same name."""
    group = member_services.create_tag_group(name="风格", actor=DIRECTOR)
    ours = member_services.create_tag(group_id=group.id, name="素色", actor=DIRECTOR).id
    member_services.tag_members(member_ids=[cast.xiaomei.id], tag_id=ours, actor=DIRECTOR)
    apps.get_model("wechat", "Follower").objects.create(
        account_id=cast.account_id, openid=cast.xiaomei_openid, is_following=True
    )
    theirs = FollowerTag.objects.create(
        account_id=cast.account_id, wechat_tag_id=100, name="素色客", synced_at=clock.now()
    )
    return {"member_tag": ours, "follower_tag": theirs.pk, "direction": "push"}


def test_a_link_is_made_once_and_says_how_far_it_is(desk: Client, tags: dict[str, Any], cast: Cast) -> None:
    assert "素色客" in desk.get(reverse(CREATE)).content.decode()
    missing = desk.post(reverse(CREATE), CONFIRMED)
    assert set(missing.context["form"].errors) == {"member_tag", "follower_tag", "direction"}
    assert desk.post(reverse(CREATE), CONFIRMED | tags).status_code == 302
    again = desk.post(reverse(CREATE), CONFIRMED | tags)
    assert "follower_tag" in again.context["form"].errors
    link = TagLink.objects.get()
    FollowerTagging.objects.update(state="failed", code="wechat.tags_full", not_before=clock.now())
    body = desk.get(reverse(LIST)).content.decode()
    assert [words for words in ("风格 · 素色", "素色客", "1 人微信拒绝") if words not in body] == []
    page = desk.get(reverse("admin:guides_taglink_change", args=[link.pk])).content.decode()
    assert "打上 1 人，去掉 0 人" in page
    answer = desk.post(reverse("admin:guides_taglink_retry", args=[link.pk]), CONFIRMED)
    assert answer.status_code == 302
    assert FollowerTagging.objects.get().state == "queued"


def test_an_ended_link_has_no_buttons_and_its_tag_is_free(desk: Client, tags: dict[str, Any]) -> None:
    desk.post(reverse(CREATE), CONFIRMED | tags)
    link = TagLink.objects.get()
    assert "都不动" in desk.get(reverse("admin:guides_taglink_end", args=[link.pk])).content.decode()
    desk.post(reverse("admin:guides_taglink_end", args=[link.pk]), CONFIRMED)
    page = desk.get(reverse("admin:guides_taglink_change", args=[link.pk])).content.decode()
    assert "现在核对" not in page
    assert "已停用" in page
    desk.post(reverse(CREATE), CONFIRMED | tags | {"direction": "pull"})
    assert TagLink.objects.filter(is_active=True, direction="pull").count() == 1


def test_a_link_is_looked_at_on_request(desk: Client, tags: dict[str, Any]) -> None:
    desk.post(reverse(CREATE), CONFIRMED | tags)
    FollowerTagging.objects.all().delete()
    link = TagLink.objects.get()
    desk.post(reverse("admin:guides_taglink_look", args=[link.pk]), CONFIRMED)
    assert FollowerTagging.objects.get().wanted is True
