"""Tags that follow segments, at the staff's desk: from the tag's page and from the segment's, for head office only."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import services
from campaigns.models import Segment, SegmentTag
from core import clock
from core.models import AuditEntry
from members import selectors
from members import services as member_services
from members.models import Tag
from tests.campaigns.outcome_kit import make_members
from tests.campaigns.test_segment_holdings import living
from tests.campaigns.test_segment_tags import follow, make_tag
from tests.cast import DIRECTOR, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def head(cast: Cast, client: Client) -> Client:
    client.force_login(cast.head_office)
    return client


def url(page: str, *args: Any) -> str:
    return reverse(f"admin:{page}", args=args)


def test_a_tag_follows_a_segment_and_leaves_it_again(head: Client, cast: Cast) -> None:
    tag_id, segment = make_tag(), living()
    page = head.get(url("members_tag_change", tag_id)).content.decode()
    asking = f"{url('campaigns_segment_follow')}?tag={tag_id}"
    assert asking in page
    assert "现在有 0 位会员" in head.get(asking).content.decode()
    chosen = {"_confirmed": "1", "tag": tag_id, "segment": segment.pk, "sure": "0"}
    assert head.post(asking, chosen)["Location"] == url("members_tag_change", tag_id)
    assert SegmentTag.objects.get().segment_id == segment.pk
    page = head.get(url("members_tag_change", tag_id)).content.decode()
    assert "关注的人" in page
    assert "自动 · 关注粉丝" in head.get(url("campaigns_segment_change", segment.pk)).content.decode()
    leaving = url("campaigns_segment_leave", tag_id)
    assert leaving in page
    assert "保留这个标签" in head.get(leaving).content.decode()
    head.post(leaving, {"_confirmed": "1"})
    assert not SegmentTag.objects.exists()
    assert Tag.objects.get().origin == "manual"
    actions = AuditEntry.objects.filter(action__startswith="campaigns.tag_").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["campaigns.tag_followed", "campaigns.tag_left"]


def test_before_a_tag_follows_the_page_says_whom_it_will_be_taken_off_and_asks(
    head: Client, cast: Cast
) -> None:
    """小美 follows us and has the tag, 小丽 follows us, two strangers have the tag, the second one while the page is open."""
    tag_id, segment = make_tag(), living()
    strangers = make_members(2)

    def give(member_id: int) -> None:
        member_services.tag_members(member_ids=[member_id], tag_id=tag_id, actor=DIRECTOR)

    give(cast.xiaomei.id)
    give(strangers[0])
    asking = f"{url('campaigns_segment_follow')}?tag={tag_id}"
    chosen = {"_confirmed": "1", "tag": tag_id, "segment": segment.pk}
    told: Any = head.post(asking, chosen)
    numbers = [re.match(r"\d+", str(line)) for line in told.context["question"].lines]
    assert [found.group() for found in numbers if found] == ["1", "1", "1"]
    assert "标签会被去掉" in told.context["question"].lines[0]
    assert told.context["question"].is_dangerous
    assert told.context["form"].initial == {"tag": tag_id, "segment": segment.pk, "sure": 1}
    assert not SegmentTag.objects.exists(), "nothing happens before she confirms"

    give(strangers[1])
    again: Any = head.post(asking, chosen | {"sure": "1"})
    assert again.context["form"].initial["sure"] == 2, "more would lose it than she was told"
    assert not SegmentTag.objects.exists()

    assert head.post(asking, chosen | {"sure": "2"}).status_code == 302
    services.work_segments()
    assert set(selectors.tagged_member_ids(tag_id)) == {cast.xiaomei.id, cast.xiaoli.id}


def test_nobody_is_asked_by_the_members_of_an_older_rule(head: Client, cast: Cast) -> None:
    tag_id, segment = make_tag(), living()
    Segment.objects.update(changed_at=clock.now() + dt.timedelta(seconds=1))
    chosen = {"_confirmed": "1", "tag": tag_id, "segment": segment.pk}
    page: Any = head.post(url("campaigns_segment_follow"), chosen | {"sure": "0"})
    assert page.context["form"].non_field_errors() == ["人群正在计算，请过几秒再试"]
    assert not SegmentTag.objects.exists()


@pytest.mark.parametrize("sure", ["", "-1", "x", "\0", "²", "9" * 400])
def test_nonsense_is_no_confirmation(head: Client, cast: Cast, sure: str) -> None:
    tag_id, segment = make_tag(), living()
    chosen = {"_confirmed": "1", "tag": tag_id, "segment": segment.pk, "sure": sure}
    assert head.post(url("campaigns_segment_follow"), chosen).status_code == 200
    assert not SegmentTag.objects.exists()


def test_the_segments_page_leads_there_too_and_odd_addresses_do_not_break_it(
    head: Client, cast: Cast
) -> None:
    segment = living()
    asking = f"{url('campaigns_segment_follow')}?segment={segment.pk}"
    assert asking in head.get(url("campaigns_segment_change", segment.pk)).content.decode()
    for query in ("?segment=x", "?tag=%00", "?tag=99999999999999", ""):
        assert head.get(f"{url('campaigns_segment_follow')}{query}").status_code == 200
    refused = head.post(asking, {"_confirmed": "1", "tag": 10**12, "segment": segment.pk})
    assert refused.status_code == 200
    assert head.get(url("campaigns_segment_leave", 10**12)).status_code == 403
    assert not SegmentTag.objects.exists()


def test_only_head_office_decides(cast: Cast, client: Client) -> None:
    tag_id = make_tag()
    follow(tag_id, living())
    client.force_login(cast.regional)
    assert client.get(url("campaigns_segment_follow")).status_code == 403
    assert client.post(url("campaigns_segment_leave", tag_id), {"_confirmed": "1"}).status_code == 403
    assert SegmentTag.objects.count() == 1


def test_a_member_page_says_that_it_came_by_itself_and_no_bulk_action_offers_it(
    head: Client, cast: Cast
) -> None:
    tag_id = make_tag()
    make_tag("手工", "手工组")
    follow(tag_id, living())
    assert cast.xiaomei.id in set(selectors.tagged_member_ids(tag_id))
    page = head.get(url("members_member_change", cast.xiaomei.id)).content.decode()
    assert "自动 · 人群“关注的人”" in page
    asked = {"action": "tag_selected", "_selected_action": [cast.xiaomei.id]}
    offered = head.post(url("members_member_changelist"), asked).content.decode()
    assert "手工组 · 手工" in offered
    assert "自动 · 关注粉丝" not in offered
    assert Segment.objects.get().member_count == 2


def test_the_member_list_is_narrowed_by_segment_within_the_accounts_part(
    head: Client, east_desk: Client, cast: Cast
) -> None:
    segment = living()
    listed = url("members_member_changelist")

    def found(client: Client, value: str) -> set[int]:
        answer: Any = client.get(listed, {"segment": value})
        return {row.pk for row in answer.context["cl"].result_list}

    assert found(head, segment.public_id) == {cast.xiaomei.id, cast.xiaoli.id}
    page = head.get(url("campaigns_segment_change", segment.pk)).content.decode()
    assert f"{listed}?segment={segment.public_id}" in page
    assert cast.xiaoli.id not in found(east_desk, segment.public_id)
    for nothing in ("x", "\0", "%27"):
        assert found(head, nothing) == set()
