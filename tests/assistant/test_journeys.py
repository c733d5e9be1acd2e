"""旅程 in the assistant: a guide reads on which journeys her member is, and takes her out with a reason; nobody else may."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.contracts.journeys import EXIT_REASONS
from campaigns.models import Enrolment, Journey
from campaigns.services import journeys
from core import clock
from core.models import AuditEntry
from guides import services as guide_services
from tests.assistant.conftest import LogIn
from tests.campaigns.campaign_kit import batch_of
from tests.campaigns.journey_kit import BOSS, DAY, definition, enter, points, run, start, wait, wait_event
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_batch, make_members

TASK = {"kind": "follow_up", "with": {"title": "新会员问候", "script": "您好", "days": 3}}
THANKS = {"kind": "reach", "with": {"title": "恭喜升级为{tier}", "text": "x"}}


def html(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def dealings(cast: Cast) -> str:
    return f"{reverse('assistant:member', args=[cast.xiaomei.public_id])}?tab=dealings"


def exit_url(cast: Cast, row: Journey, *, now: bool = True) -> str:
    name = "assistant:member-journey-exit" + ("-now" if now else "")
    return reverse(name, args=[cast.xiaomei.public_id, row.public_id])


def under_way(cast: Cast) -> Journey:
    """She got points and a coupon, and waits for her purchase."""
    steps = {
        "gift": points(200, following="coupon"),
        "coupon": {"kind": "coupon", "with": {"batch": batch_of(make_batch(10))}, "next": "mark"},
        "mark": {"kind": "webhook", "with": {"endpoint": "erp"}, "next": "buys"},
        "buys": wait_event("bought", 7, "thanks", "guide"),
        "thanks": THANKS,
        "guide": TASK,
    }
    from campaigns import services

    services.create_endpoint(code="erp", name="ERP", url="https://erp.example.com/x", actor=BOSS)
    row = start(definition(steps), name="入会礼")
    enter(row, cast.xiaomei.id)
    run()
    return row


def test_she_reads_where_her_member_stands_what_comes_and_what_she_got(
    cast: Cast, log_in: LogIn, django_assert_max_num_queries: Any
) -> None:
    under_way(cast)
    mine = log_in(cast.lina)
    html(mine, dealings(cast))
    with django_assert_max_num_queries(12):
        page = html(mine, dealings(cast))
    for said in (
        "入会礼", "第 4 步，共 6 步", "等她“购买”", "“购买”发生了", "发消息“恭喜升级为…”", "请专属导购跟进“新会员问候”",
        "200 积分", "一张优惠券", "让她退出",
    ):  # fmt: skip
        assert said in page, said
    assert "ERP" not in page


def test_what_is_over_is_told_for_a_month(cast: Cast, log_in: LogIn) -> None:
    row = start(definition({"a": points(5)}), name="小礼")
    enter(row, cast.xiaomei.id)
    run()
    page = html(log_in(cast.lina), dealings(cast))
    assert "走完" in page
    assert "让她退出" not in page
    Enrolment.objects.update(ended_at=clock.now() - 31 * DAY)
    assert "她现在不在任何旅程里" in html(log_in(cast.lina), dealings(cast))


def test_a_paused_one_and_a_parked_one_say_so(cast: Cast, log_in: LogIn) -> None:
    row = under_way(cast)
    journeys.pause_journey(journey_id=row.pk, actor=BOSS)
    assert "总部暂停了这个旅程" in html(log_in(cast.lina), dealings(cast))
    Enrolment.objects.update(state="failed", code="error")
    assert "等总部处理" in html(log_in(cast.lina), dealings(cast))


@pytest.mark.parametrize("who", ["lina", "zhaoqiang"])
def test_her_guide_and_the_manager_of_her_store_take_her_out_with_a_reason(
    cast: Cast, log_in: LogIn, who: str
) -> None:
    row = under_way(cast)
    mine = log_in(getattr(cast, who))
    sheet = html(mine, exit_url(cast, row, now=False))
    assert all(str(label) in sheet for label in EXIT_REASONS.values())
    for wrong in ({}, {"reason": "x"}, {"reason": "other"}, {"reason": "other", "words": " \0\n "}):
        answer = mine.post(exit_url(cast, row), wrong, headers={"HX-Request": "true"})
        assert answer["X-Refusal"] == "campaigns.journey_exit_needs_reason"
    said = mine.post(exit_url(cast, row), {"reason": "asked", "words": "换季" * 80}).content.decode()
    assert "已让她退出“入会礼”" in said
    assert "已退出" in said
    enrolment = Enrolment.objects.get()
    assert (enrolment.state, enrolment.code) == ("exited", "guide")
    entry = AuditEntry.objects.get(action="campaigns.enrolment_exited")
    assert entry.details["reason"].startswith("她说不想再收到：换季")
    assert len(entry.details["reason"]) < 120
    again = mine.post(exit_url(cast, row), {"reason": "asked"}, headers={"HX-Request": "true"})
    assert again["X-Refusal"] == "campaigns.enrolment_over"
    assert mine.get(exit_url(cast, row, now=False)).status_code == 404
    run(8 * DAY)
    assert not Enrolment.objects.live().exists()


def test_nobody_else_may_and_made_up_ids_are_unknown(cast: Cast, log_in: LogIn) -> None:
    row = under_way(cast)
    for other in (cast.wangfang, cast.chenjing):
        client = log_in(other)
        assert client.get(dealings(cast)).status_code == 404
        assert client.get(exit_url(cast, row, now=False)).status_code == 404
        assert client.post(exit_url(cast, row), {"reason": "asked"}).status_code == 404
        assert client.get(reverse("assistant:journey", args=[row.public_id])).status_code == 404
    mine = log_in(cast.lina)
    for public_id in ("2" * 16, "x" * 300, "%00"):
        url = exit_url(cast, row).replace(row.public_id, public_id)
        answer = mine.post(url, {"reason": "asked"}, headers={"HX-Request": "true"})
        assert answer["X-Refusal"] == "campaigns.enrolment_over"
        assert (
            mine.get(reverse("assistant:journey", args=["A"]).replace("/A/", f"/{public_id}/")).status_code
            == 404
        )
    assert mine.get(exit_url(cast, row)).status_code == 405
    assert Enrolment.objects.get().state == "waiting"


def test_the_stores_page_counts_who_is_on_which_journey(cast: Cast, log_in: LogIn) -> None:
    row = under_way(cast)
    start(definition({"a": wait(3, "b"), "b": points(1)}), name="没有人的旅程")
    campaigns = reverse("assistant:campaigns")
    page = html(log_in(cast.lina), campaigns)
    assert "我的会员 1 位在途" in page
    assert "没有人的旅程" not in page
    assert "本店会员 1 位在途" in html(log_in(cast.zhaoqiang), campaigns)
    assert "自动化旅程" not in html(log_in(cast.wangfang), campaigns)
    listed = html(log_in(cast.zhaoqiang), reverse("assistant:journey", args=[row.public_id]))
    assert "小美" in listed
    assert "第 4 步，共 6 步" in listed


def test_a_long_list_goes_on_where_it_stopped(
    cast: Cast, log_in: LogIn, django_assert_max_num_queries: Any
) -> None:
    row = start(definition({"a": wait(3, "b"), "b": points(1)}))
    members = make_members(25)
    at = clock.now()
    for member_id in members:
        guide_services.bind_member(
            member_id=member_id,
            guide_id=cast.lina.id,
            source="scan",
            actor=DIRECTOR,
            at=at - dt.timedelta(minutes=1),
        )
    enter(row, *members)
    mine = log_in(cast.lina)
    url = reverse("assistant:journey", args=[row.public_id])
    html(mine, url)
    with django_assert_max_num_queries(12):
        first = html(mine, url)
    assert first.count('class="row"') == 20
    place = first.partition("?after=")[2].partition('"')[0]
    rest = html(mine, f"{reverse('assistant:journey-rows', args=[row.public_id])}?after={place}")
    assert rest.count('class="row"') == 5
