"""短信签名, 短信模板, 短信内容, 短信通道, 不发短信的号码: what staff keep, what they are told, what they can do."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import TopicText
from core import clock
from core.models import AuditEntry
from sms.models import SmsBlock, SmsLane, SmsReply, SmsSign, SmsTemplate
from sms.services import lanes
from tests.sms.kit import CODE_TEMPLATE, NOTICE_TEMPLATE, add_sign, add_template

GOOD = {
    "code": "2001",
    "title": "券到期",
    "purpose": "notice",
    "text": "您有{1}张券{2}到期。",
    "sign": "",
    "gap_limit": "6",
    "is_on": "on",
    "state": "pending",
}


def add(desk: Client, **changes: str) -> Any:
    return desk.post(reverse("admin:sms_smstemplate_add"), {**GOOD, **changes})


def errors_of(answer: Any) -> dict[str, Any]:
    return dict(answer.context["adminform"].form.errors)


def test_a_template_is_kept_and_its_change_is_audited(desk: Client) -> None:
    assert add(desk).status_code == 302
    row = SmsTemplate.objects.get()
    desk.post(reverse("admin:sms_smstemplate_change", args=[row.pk]), {**GOOD, "gap_limit": "12"})
    row.refresh_from_db()
    assert row.gap_limit == 12
    actions = AuditEntry.objects.filter(action__startswith="sms.").order_by("pk")
    assert [one.action for one in actions] == ["sms.template_added", "sms.template_changed"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "有空格 1"}, "code"),
        ({"text": "您有{1}张券{3}到期。"}, "text"),
        ({"text": ""}, "text"),
        ({"purpose": "code"}, "text"),
        ({"purpose": "marketing"}, "text"),
        ({"gap_limit": "0"}, "gap_limit"),
    ],
)
def test_what_the_provider_would_refuse_is_said_at_its_field(
    desk: Client, changes: dict[str, str], field: str
) -> None:
    assert list(errors_of(add(desk, **changes))) == [field]
    assert not SmsTemplate.objects.exists()


def test_a_new_default_sign_takes_the_place_of_the_old(desk: Client) -> None:
    old = add_sign("素衣")
    answer = desk.post(
        reverse("admin:sms_smssign_add"),
        {"name": "素衣会员", "provider_id": "", "becomes_default": "on", "state": "approved"},
    )
    assert answer.status_code == 302, errors_of(answer)
    old.refresh_from_db()
    assert (old.is_default, SmsSign.objects.get(is_default=True).name) == (False, "素衣会员")
    bad = desk.post(reverse("admin:sms_smssign_add"), {"name": "【素衣】", "state": "approved"})
    assert "name" in errors_of(bad)


def test_a_template_says_what_one_costs_and_why_it_cannot_be_sent(desk: Client) -> None:
    row = add_template(**NOTICE_TEMPLATE)
    page = desk.get(reverse("admin:sms_smstemplate_change", args=[row.pk])).content.decode()
    assert "短信签名没有通过审核" in page
    add_sign()
    page = desk.get(reverse("admin:sms_smstemplate_change", args=[row.pk])).content.decode()
    assert "可以发送" in page
    assert "41 个字，按 1 条计费" in page


def test_reviews_are_asked_for_and_what_changed_is_told(desk: Client) -> None:
    add_template(**{**NOTICE_TEMPLATE, "state": "pending"})  # the console gateway approves everything
    url = reverse("admin:sms_smstemplate_sync")
    assert "不会发送任何短信" in desk.get(url).content.decode()
    told = desk.post(url, {"_confirmed": "1"}, follow=True).content.decode()
    assert "已核对，1 项有变化" in told
    assert SmsTemplate.objects.get().state == "approved"


def test_a_topic_gets_a_template_and_its_places_on_the_next_page(desk: Client) -> None:
    add_sign()
    notice = add_template(**NOTICE_TEMPLATE)
    add_template(**CODE_TEMPLATE)
    url = reverse("admin:campaigns_topictext_add")
    offered = desk.get(url).context["adminform"].form.fields["chosen"].choices
    assert [code for code, _label in offered] == ["", str(notice.pk)]
    made = desk.post(url, {"topic": "coupon_expiring", "chosen": str(notice.pk), "is_on": "on"})
    row = TopicText.objects.get()
    assert made.headers["Location"] == reverse("admin:campaigns_topictext_change", args=[row.pk])
    page = desk.get(made.headers["Location"]).content.decode()
    assert "【素衣】您有「张数」张券「到期日」到期" in page
    saved = {"chosen": str(notice.pk), "is_on": "on", "value__1": "count", "value__2": "", "words__2": ""}
    assert "{2}" in desk.post(made.headers["Location"], saved).content.decode()
    assert desk.post(made.headers["Location"], {**saved, "words__2": "明天"}).status_code == 302
    row.refresh_from_db()
    assert row.fields == {"1": {"value": "count"}, "2": {"words": "明天"}}
    listed = desk.get(reverse("admin:campaigns_topictext_changelist")).content.decode()
    assert "否，到“触达事项”里勾选短信" in listed


def test_a_stopped_lane_shows_on_the_first_page_with_its_remedy_and_is_lifted(desk: Client) -> None:
    lanes.halt(purpose="notice", code="sms.no_balance", until=None, at=clock.now())
    assert "停发的短信" in desk.get(reverse("admin:index")).content.decode()
    lane = SmsLane.objects.get()
    page = desk.get(reverse("admin:sms_smslane_change", args=[lane.pk])).content.decode()
    assert "请在服务商控制台购买套餐包或充值" in page
    desk.post(
        reverse("admin:sms_smslane_change_rate", args=[lane.pk]), {"_confirmed": "1", "rate_per_s": "20"}
    )
    desk.post(reverse("admin:sms_smslane_lift", args=[lane.pk]), {"_confirmed": "1"})
    lane.refresh_from_db()
    assert (lane.halted_at, lane.rate_per_s) == (None, 20)
    lift = reverse("admin:sms_smslane_lift", args=[lane.pk])
    assert lift in page
    assert lift not in desk.get(reverse("admin:sms_smslane_change", args=[lane.pk])).content.decode()
    again = desk.post(lift, {"_confirmed": "1"})
    assert "现在没有停发" in again.content.decode()


def test_numbers_are_masked_and_a_block_is_lifted_by_hand(desk: Client, full_chain: Any) -> None:
    reply = SmsReply.objects.get()
    for page in (
        reverse("admin:sms_smsreply_changelist"),
        reverse("admin:sms_smsreply_change", args=[reply.pk]),
        reverse("admin:sms_smsblock_changelist"),
        reverse("admin:sms_smsmessage_changelist"),
    ):
        shown = desk.get(page).content.decode()
        assert "13800138000" not in shown
        assert "*** **** 8000" in shown
    block = SmsBlock.objects.get(phone_index="x")
    desk.post(reverse("admin:sms_smsblock_lift", args=[block.pk]), {"_confirmed": "1"})
    assert not SmsBlock.objects.filter(pk=block.pk).exists()
    assert AuditEntry.objects.filter(action="sms.block.lift").count() == 1
