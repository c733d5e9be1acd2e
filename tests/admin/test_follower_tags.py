"""The desk of followers' tags."""

from django.test import Client
from django.urls import reverse

from core import clock
from tests.cast import Cast
from wechat.models import FollowerTag

LIST = "admin:wechat_followertag_changelist"


def _tag(cast: Cast) -> FollowerTag:
    return FollowerTag.objects.create(
        account_id=cast.account_id, wechat_tag_id=100, name="老客", follower_count=12, synced_at=clock.now()
    )


def test_the_list_shows_tags_and_which_are_gone(desk: Client, cast: Cast) -> None:
    _tag(cast)
    body = desk.get(reverse(LIST)).content.decode()
    assert [words for words in ("老客", "新建标签", "同步标签") if words not in body] == []
    FollowerTag.objects.update(gone_at=clock.now())
    assert "微信里已删除" in desk.get(reverse(LIST)).content.decode()


def test_a_name_that_is_too_long_is_refused_on_the_page(desk: Client, cast: Cast) -> None:
    url = reverse("admin:wechat_followertag_rename", args=[_tag(cast).pk])
    assert "粉丝身上的标签不变" in desk.get(url).content.decode()
    answer = desk.post(url, {"_confirmed": "1", "name": "长" * 31})
    assert answer.status_code == 200
    assert FollowerTag.objects.get().name == "老客"


def test_a_tag_that_is_gone_is_not_deleted_again(desk: Client, cast: Cast) -> None:
    tag = _tag(cast)
    FollowerTag.objects.update(gone_at=clock.now())
    answer = desk.post(reverse("admin:wechat_followertag_remove", args=[tag.pk]), {"_confirmed": "1"})
    assert "微信里已经没有这个标签" in answer.content.decode()
