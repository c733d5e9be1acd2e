"""门店活动: a guide sees what runs, her own members in it and what there is to do, and nobody of the control group."""

from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, CampaignMember, CampaignRun
from core import clock
from guides import services as guide_services
from tests.assistant.conftest import LogIn
from tests.campaigns.run_kit import listed, make_campaign, work
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_members

FOLLOW_UP = {"do": "follow_up", "with": {"title": "老客回访", "script": "问候一下", "days": 3}}
URL = reverse("assistant:campaigns")


def html(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def of(campaign: Campaign) -> str:
    return reverse("assistant:campaign", args=[campaign.public_id])


def test_she_sees_her_members_in_what_runs_and_what_to_do_for_them(cast: Cast, log_in: LogIn) -> None:
    campaign = make_campaign(listed([cast.xiaomei.id, cast.xiaoli.id]), [[FOLLOW_UP]])
    work(campaign)
    CampaignMember.objects.filter(member_id=cast.xiaomei.id).update(clicked_at=clock.now())
    mine = log_in(cast.lina)
    listed_page = html(mine, URL)
    assert "秋季上新" in listed_page
    assert "我的会员 1 位，打开过 1 位" in listed_page
    assert "1 个进行中" in html(mine, reverse("assistant:me"))
    page = html(mine, of(campaign))
    assert "待跟进：老客回访" in page
    assert "小美" in page
    assert "小丽" not in page
    assert "/a/follow-ups/" in page


def test_without_hers_there_is_none_and_nobody_can_tell_it_from_an_unknown_one(
    cast: Cast, log_in: LogIn
) -> None:
    campaign = make_campaign(listed([cast.xiaomei.id]), [[FOLLOW_UP]])
    work(campaign)
    other = log_in(cast.wangfang)
    assert "现在没有您的会员参加的活动" in html(other, URL)
    for public_id in (campaign.public_id, "2" * 16, "x" * 300, "%00"):
        for name in ("assistant:campaign", "assistant:campaign-rows"):
            answer = other.get(reverse(name, args=["A"]).replace("/A/", f"/{public_id}/"))
            assert answer.status_code == 404


def test_the_control_group_is_told_to_nobody(cast: Cast, log_in: LogIn) -> None:
    """A guide who knew would make up for it."""
    campaign = make_campaign(listed([cast.xiaomei.id]), [[FOLLOW_UP]])
    run = work(campaign)
    CampaignMember.objects.update(state="control", letter="")
    CampaignRun.objects.filter(pk=run.pk).update(control_count=1)
    client = log_in(cast.lina)
    assert "现在没有您的会员参加的活动" in html(client, URL)
    assert client.get(of(campaign)).status_code == 404


def test_a_long_list_goes_on_and_what_is_over_says_so(cast: Cast, log_in: LogIn) -> None:
    members = make_members(25)
    for member_id in members:
        guide_services.bind_member(member_id=member_id, guide_id=cast.lina.id, source="scan", actor=DIRECTOR)
    campaign = make_campaign(listed(members), [[FOLLOW_UP]])
    work(campaign)
    Campaign.objects.update(state="ended", ended_at=clock.now(), ends_at=clock.now())
    client = log_in(cast.lina)
    page = html(client, of(campaign))
    assert "已结束" in page
    assert page.count("待跟进：老客回访") == 20
    after = CampaignMember.objects.order_by("pk")[19].pk
    rows = html(client, f"{reverse('assistant:campaign-rows', args=[campaign.public_id])}?after={after}")
    assert rows.count("待跟进：老客回访") == 5
    assert "已经到底了" in rows
