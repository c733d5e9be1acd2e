"""A run's page follows it; its members are listed, narrowed and exported, by whoever may see the campaign."""

import io

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from campaigns.models import Campaign, CampaignMember, CampaignRun, Reach
from campaigns.services.running import follow_campaign
from core.models import AuditEntry
from tests.campaigns.run_kit import REACH, launch, listed, make_campaign, work
from tests.cast import Cast

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
    Reach.objects.update(cost_hundredths=450)
    assert "¥0.09" in desk.get(progress).content.decode(), "both texts"
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
