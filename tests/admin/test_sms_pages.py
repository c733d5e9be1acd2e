"""短信签名, 短信模板, 短信内容, 短信通道, 不发短信的号码: what staff keep, what they are told, what they can do."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from campaigns.models import TopicText
from core import clock
from core.admin.questions import CONFIRMED
from core.models import AuditEntry, StaffAccount
from sms import services
from sms.contracts import Spending
from sms.models import SmsBlock, SmsLane, SmsPull, SmsReply, SmsSign, SmsTemplate, SmsTrial
from sms.services import lanes
from tests.admin.coupon_desk_kit import sheet_of
from tests.cast import Cast
from tests.sms.kit import CODE_TEMPLATE, MARKETING_TEMPLATE, NOTICE_TEMPLATE, add_sign, add_template

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


def test_a_template_is_seen_while_it_is_written_and_nothing_is_kept(desk: Client, looker: Client) -> None:
    preview = reverse("admin:sms_smstemplate_preview_new")
    page = desk.get(reverse("admin:sms_smstemplate_add")).content.decode()
    assert preview in page
    assert "写正文，这里就显示手机收到的样子" in page
    bare = desk.post(
        preview, {"purpose": "notice", "text": "您有{1}张券{2}<b>到期", "gap_limit": "12"}
    ).content.decode()
    assert (
        '【没有签名】您有<mark class="xe-place">{1}</mark>张券<mark class="xe-place">{2}</mark>&lt;b&gt;到期'
        in bare
    )
    assert "没有默认签名" in bare
    add_sign()
    other = add_sign("素衣会员", is_default=False)
    typed = {"purpose": "notice", "text": "您有{1}张券{2}到期。", "sign": "", "gap_limit": "12"}
    drawn = desk.post(preview, typed).content.decode()
    assert "【素衣】" in drawn
    assert "2 个变量，每个最多 12 个字" in drawn
    assert "最长 35 个字，按 1 条计费，¥0.045" in drawn
    assert "xe-bad" not in drawn
    assert "【素衣会员】" in desk.post(preview, typed | {"sign": str(other.pk)}).content.decode()
    long = desk.post(preview, typed | {"gap_limit": "60"}).content.decode()
    assert "按 2 条计费，¥0.09" in long
    assert (
        "太长的内容会发不出去"
        in desk.post(preview, typed | {"text": "{1}" + "字" * 450, "gap_limit": "60"}).content.decode()
    )
    assert "连续编号" in desk.post(preview, typed | {"text": "{1}和{3}"}).content.decode()
    assert "拒收请回复R" in desk.post(preview, typed | {"purpose": "marketing"}).content.decode()
    for nonsense in ({}, {"text": "x", "sign": "-1", "gap_limit": "abc"}, {"text": "x", "sign": "9" * 30}):
        assert desk.post(preview, nonsense).status_code == 200
    assert looker.post(preview, typed).status_code == 403
    assert not SmsTemplate.objects.exists()
    row = SmsTemplate.objects.create(code="7001", title="换个样子", purpose="notice", text="旧的正文")
    kept = reverse("admin:sms_smstemplate_preview", args=[row.pk])
    assert kept in desk.get(reverse("admin:sms_smstemplate_change", args=[row.pk])).content.decode()
    assert "2 个变量" in desk.post(kept, typed).content.decode()
    assert looker.post(kept, typed).status_code == 403


def test_a_refused_template_keeps_its_phone(desk: Client) -> None:
    add_sign()
    page = add(desk, text="您有{1}张券{3}到期。").content.decode()
    assert '张券<mark class="xe-place">{3}</mark>到期' in page


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
    assert "【素衣】您有2张券2026-12-31到期" in page
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


def test_a_mapping_is_seen_before_it_is_saved(desk: Client) -> None:
    add_sign()
    template, other = add_template(**NOTICE_TEMPLATE), add_template(**MARKETING_TEMPLATE)
    row = TopicText.objects.create(
        topic="coupon_expiring",
        template_id=template.pk,
        fields={"1": {"value": "count"}, "2": {"value": "day"}},
    )
    page = desk.get(reverse("admin:campaigns_topictext_change", args=[row.pk])).content.decode()
    assert "【素衣】您有2张券2026-12-31到期，请到店使用。" in page
    url = reverse("admin:campaigns_topictext_preview", args=[row.pk])
    form = {"chosen": str(template.pk), "value__1": "", "words__1": "好多好多", "value__2": "day"}
    shown = desk.post(url, form).content.decode()
    assert "您有好多好多张券2026-12-31到期" in shown
    assert "按 1 条计费，¥0.045" in shown
    bad = desk.post(url, {**form, "words__1": "看 http://a.cn"}).content.decode()
    assert "填不进，要填不能有网址；这条短信会发不出去" in bad
    assert "新品到店" in desk.post(url, {"chosen": str(other.pk)}).content.decode()
    for nonsense in ("999999", "x", ""):
        assert desk.post(url, {"chosen": nonsense}).status_code == 200
    row.refresh_from_db()
    assert (row.template_id, row.fields["1"]) == (template.pk, {"value": "count"})


def test_a_text_is_seen_and_filled_before_its_first_save(desk: Client) -> None:
    add_sign()
    template = add_template(**NOTICE_TEMPLATE)
    add = reverse("admin:campaigns_topictext_add")
    chosen = {"topic": "coupon_expiring", "chosen": str(template.pk)}
    assert "【素衣】您有2张券2026-12-31到期" in desk.get(add, chosen).content.decode()
    typed = {**chosen, "value__1": "", "words__1": "三", "value__2": "day"}
    shown = desk.post(reverse("admin:campaigns_topictext_preview_new"), typed).content.decode()
    assert "您有三张券2026-12-31到期" in shown
    refused = desk.post(add, {**typed, "words__1": "看 http://a.cn"}).content.decode()
    assert "{1}" in refused
    assert not TopicText.objects.exists()
    assert desk.post(add, {**typed, "is_on": "on"}).headers["Location"] == reverse(
        "admin:campaigns_topictext_changelist"
    )
    assert TopicText.objects.get().fields == {"1": {"words": "三"}, "2": {"value": "day"}}


@pytest.mark.django_db(transaction=True)
def test_trying_a_text_needs_a_right_of_its_own_and_says_what_came_of_it(desk: Client, cast: Cast) -> None:
    add_sign()
    template = add_template(**NOTICE_TEMPLATE)
    page, url = (
        reverse("admin:sms_smstemplate_change", args=[template.pk]),
        reverse("admin:sms_smstemplate_try_one", args=[template.pk]),
    )
    assert url in desk.get(page).content.decode()
    form = {"phone": "13800138111", "place_1": "2", "place_2": "明天", CONFIRMED: "1"}
    assert "手机号有误" in desk.post(url, {**form, "phone": "10086"}).content.decode()
    desk.post(url, form)
    shown = desk.get(page).content.decode()
    assert ("*** **** 8111" in shown, "13800138111" in shown) == (True, False)
    staff = StaffAccount.objects.create_user("texts", password="x", is_staff=True)
    for right in ("view_smstemplate", "change_smstemplate"):
        staff.user_permissions.add(Permission.objects.get(codename=right))
    looker = Client()
    looker.force_login(staff)
    assert url not in looker.get(page).content.decode()
    looker.post(url, {**form, "phone": "13800138222"})
    assert SmsTrial.objects.count() == 1
    staff.user_permissions.add(Permission.objects.get(codename="try_smstemplate"))
    looker.post(url, {**form, "phone": "13800138222"})
    assert SmsTrial.objects.count() == 2


def test_costs_are_summed_by_day_topic_and_template_and_exported(desk: Client) -> None:
    add_sign()
    template = add_template(**NOTICE_TEMPLATE)
    for filed, count in (("coupon_expiring", 3), ("sale", 1)):
        lines = [Spending("notice", template.code, filed, 1, 450)] * count
        services.note_spending(spent=lines)
    services.note_spending(spent=[Spending("code", "1001", "verification_code", 1, 450)])
    url = reverse("admin:sms_smsspend_changelist")
    sums = desk.get(url).context["spending"]
    assert (sums["texts"], sums["cost"]) == ("5", "¥0.225")
    by_topic, by_template, by_day = [rows for _title, rows in sums["tables"]]
    assert by_topic[0] == ("券到期", "3", "¥0.135")
    assert by_template[0] == ("券到期提醒", "4", "¥0.18")
    assert by_day == [(f"{clock.today():%Y-%m-%d}", "5", "¥0.225")]
    assert desk.get(url, {"purpose": "code"}).context["spending"]["cost"] == "¥0.045"
    rows = sheet_of(desk.get(reverse("admin:sms_smsspend_export"), {"purpose": "notice"}))
    assert [row[1:3] + row[5:] for row in rows[1:]] == [
        ["券到期", "券到期提醒", 3, 3, 1350],
        ["购物", "券到期提醒", 1, 1, 450],
    ]


def test_reports_that_may_be_lost_are_an_alarm_on_the_first_page(desk: Client) -> None:
    assert "可能丢失的短信回执" not in desk.get(reverse("admin:index")).content.decode()
    SmsPull.objects.create(kind="receipts", state="lost", asked_at=clock.now())
    assert "可能丢失的短信回执" in desk.get(reverse("admin:index")).content.decode()
