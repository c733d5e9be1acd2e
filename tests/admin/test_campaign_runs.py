"""A run's page follows it; its members are listed, narrowed and exported, by whoever may see the campaign."""

import io

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from campaigns import services
from campaigns.models import Campaign, CampaignMember, CampaignRun, Reach
from campaigns.services.running import follow_campaign
from core.actor import Actor
from core.models import AuditEntry
from coupons.models import CouponBatch
from tests.campaigns.run_kit import REACH, launch, listed, make_campaign, work
from tests.cast import Cast
from tests.coupons.kit import make_batch

pytestmark = pytest.mark.django_db
FOLLOW_UP = {"do": "follow_up", "with": {"title": "老客回访", "script": "问候一下", "days": 3}}


@pytest.fixture
def desk(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.head_office)
    return client


@pytest.fixture
def east(cast: Cast) -> Client:
    codes = ("view_campaignrun", "view_campaignmember", "export_campaignmember", "view_member")
    cast.regional.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(cast.regional)
    return client


def test_the_page_asks_for_itself_while_the_run_goes_on_and_says_why_it_stands(
    cast: Cast, desk: Client
) -> None:
    campaign = make_campaign(listed([cast.xiaomei.id, cast.xiaoli.id]), [[FOLLOW_UP, REACH]])
    run = launch(campaign)
    page = reverse("admin:campaigns_campaignrun_change", args=[run.pk])
    progress = reverse("admin:campaigns_run_progress", args=[run.pk])
    html = desk.get(page).content.decode()
    assert f'hx-get="{progress}"' in html
    assert "0% · " in html
    Campaign.objects.update(state="paused", code="budget")
    assert "预算用完了" in desk.get(progress).content.decode()
    Campaign.objects.update(state="running", code="")
    work(campaign)
    html = desk.get(progress).content.decode()
    assert "hx-get" not in html
    assert "100% · 全部发完" in html
    assert "待发送" in html  # her message


def test_a_pause_says_how_many_messages_it_keeps(cast: Cast, desk: Client) -> None:
    campaign = make_campaign(listed([cast.xiaomei.id, cast.xiaoli.id]), [[REACH]])
    run = work(campaign)
    progress = reverse("admin:campaigns_run_progress", args=[run.pk])

    def asked(verb: str) -> str:
        url = reverse("admin:campaigns_campaign_do", args=[campaign.pk, verb])
        return desk.get(url).content.decode()

    assert "队列里有 2 条消息还没有发出，暂停后先留着" in asked("pause")
    assert "队列里有 2 条消息还没有发出，停止后不再发" in asked("stop")
    Campaign.objects.update(state="paused")
    assert "因暂停留在队列里" not in desk.get(progress).content.decode(), (
        "nothing is held before somebody holds it"
    )
    follow_campaign(campaign_id=campaign.pk)
    assert "全部发完；2 条消息因暂停留在队列里没有发" in desk.get(progress).content.decode()
    CampaignRun.objects.update(state="releasing", released_at=None)
    assert "继续后接着发；2 条消息因暂停留在队列里没有发" in desk.get(progress).content.decode()
    assert "队列里留着 2 条消息，继续后发出" in asked("resume")
    assert "短信费用" in desk.get(progress).content.decode()
    CampaignRun.objects.update(text_hundredths=900)
    Campaign.objects.update(text_hundredths=900, held_hundredths=1_350, budget_fen=1_000)
    Reach.objects.filter(pk=Reach.objects.latest("pk").pk).update(held_hundredths=1_350)
    told = desk.get(progress).content.decode()
    assert "¥0.09" in told, "what texts did cost"
    assert "预算 ¥10.00，已用 ¥0.23，其中 ¥0.135 是给在途消息留的短信费" in told
    page = desk.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
    assert "预算 ¥10.00，已用 ¥0.23" in page
    Campaign.objects.update(state="running")
    follow_campaign(campaign_id=campaign.pk)
    Campaign.objects.update(state="paused")
    assert "因暂停留在队列里" not in desk.get(progress).content.decode()


def test_members_are_narrowed_by_state_reason_and_store_and_exported(cast: Cast, desk: Client) -> None:
    campaign = make_campaign(listed([cast.xiaomei.id, cast.xiaoli.id]), [[FOLLOW_UP]])
    run = work(campaign)
    members = reverse("admin:campaigns_campaignmember_changelist")
    [refused] = CampaignMember.objects.filter(state="refused")
    of_run: dict[str, str] = {"run__id__exact": str(run.pk)}
    assert len(desk.get(members, of_run).context["cl"].result_list) == 2
    for narrowed, expected in (
        ({"state": "done"}, [cast.xiaomei.id]),
        ({"code": refused.code}, [cast.xiaoli.id]),
        ({"store_id": str(cast.store.id)}, [cast.xiaomei.id]),
        ({"letter": "B"}, []),
    ):
        listed_rows = desk.get(members, of_run | narrowed).context["cl"].result_list
        assert [row.member_id for row in listed_rows] == expected
    assert desk.get(members, {"run__id__exact": "9" * 30}).status_code in {200, 302}
    export = reverse("admin:campaigns_campaignmember_export")
    answer = desk.get(export, of_run)
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active  # type: ignore[attr-defined]
    assert [line[4] for line in sheet.iter_rows(min_row=2, values_only=True)] == ["未发放", "已发放"]
    assert AuditEntry.objects.filter(action="campaigns.campaignmember_exported").count() == 1


def test_a_region_sees_its_own_campaigns_runs_and_cannot_tell_others_from_none(
    cast: Cast, east: Client
) -> None:
    own = launch(make_campaign(listed([cast.xiaomei.id]), region_id=cast.east.id))
    chain = launch(make_campaign(listed([cast.xiaomei.id])))
    runs = reverse("admin:campaigns_campaignrun_changelist")
    assert [row.pk for row in east.get(runs).context["cl"].result_list] == [own.pk]
    members = reverse("admin:campaigns_campaignmember_changelist")
    assert {row.run_id for row in east.get(members).context["cl"].result_list} == {own.pk}
    for pk in (chain.pk, 10**9):
        for name in ("admin:campaigns_campaignrun_change", "admin:campaigns_run_progress"):
            assert east.get(reverse(name, args=[pk])).status_code in {302, 403, 404}
    assert east.get(reverse("admin:campaigns_campaignrun_change", args=[own.pk])).status_code == 200


def test_a_budget_that_is_used_up_is_raised_on_the_campaigns_page_and_it_goes_on(
    cast: Cast, desk: Client
) -> None:
    batch = CouponBatch.objects.get(pk=make_batch(10)).public_id
    coupon = {"do": "coupon", "with": {"batch": batch}}
    members = [cast.xiaomei.id, cast.xiaoli.id]
    campaign = make_campaign(listed(members), [[coupon]], budget_fen=3_000)
    run = work(campaign)
    page = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    html = desk.get(page).content.decode()
    for words in ("预算用完，加预算后接着发", "预算 ¥30.00，已用 ¥30.00", "加预算…"):
        assert words in html
    progress = reverse("admin:campaigns_run_progress", args=[run.pk])
    assert "活动已暂停：预算用完了，加预算后可以继续" in desk.get(progress).content.decode()
    more = reverse("admin:campaigns_campaign_do", args=[campaign.pk, "budget"])
    assert "预算 ¥30.00，已用 ¥30.00" in desk.get(more).content.decode()
    values = {"_confirmed": "1", "revision": "1", "note": "反响好"}
    for wrong, told in (("30", "新的预算要比现在的多"), ("", "这个字段"), ("abc", "输入")):
        assert told in desk.post(more, values | {"budget_fen": wrong}).content.decode()
    answer = desk.post(more, values | {"budget_fen": "60.00"}, follow=True).content.decode()
    assert "预算已加，活动接着发" in answer
    assert "¥30.00 → ¥60.00：反响好" in answer
    assert work(campaign).done_count == 2


def test_a_paused_and_a_stopped_run_say_so_and_how_far_they_came(desk: Client, cast: Cast) -> None:
    batch = CouponBatch.objects.get(pk=make_batch(10)).public_id
    members = [cast.xiaomei.id, cast.xiaoli.id]
    campaign = make_campaign(
        listed(members), [[{"do": "coupon", "with": {"batch": batch}}]], budget_fen=3_000
    )
    run = work(campaign)
    progress = reverse("admin:campaigns_run_progress", args=[run.pk])
    paused = desk.get(progress).content.decode()
    assert "第 1 次执行 · 已暂停" in paused
    assert "50% · " in paused
    services.stop_campaign(
        campaign_id=campaign.pk, note="够了", actor=Actor.staff(cast.head_office.pk, "总部")
    )
    work(campaign)
    stopped = desk.get(progress).content.decode()
    assert "第 1 次执行 · 已停止" in stopped
    assert "50% · 停止时还有 1 人没轮到" in stopped
    assert "xe-progress-stopped" in stopped
    assert f"run__id__exact={run.pk}&amp;state=stopped" in stopped


def test_a_run_for_nobody_says_what_to_do(desk: Client, cast: Cast) -> None:
    campaign = make_campaign(listed([]))
    run = launch(campaign)
    words = "人群里一个会员也没有"
    assert words in desk.get(reverse("admin:campaigns_run_progress", args=[run.pk])).content.decode()
    assert "0% · " in desk.get(reverse("admin:campaigns_run_progress", args=[run.pk])).content.decode()
    page = desk.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
    assert words in page
    assert "人群现在一个会员也没有，请先改人群条件、名单或活动范围" in page
    Campaign.objects.update(state="draft", code="", next_run_at=None)
    submit = reverse("admin:campaigns_campaign_do", args=[campaign.pk, "submit"])
    answer = desk.post(submit, {"_confirmed": "1", "revision": "1"}).content.decode()
    assert "还要改：人群 这个范围里，人群现在一个会员也没有" in answer
    assert Campaign.objects.get().state == "draft"
