"""The pages of campaigns: the form with its faults, what an approver sees and does, whose campaign it is, the calendar."""

import datetime as dt
import re
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from campaigns import services
from campaigns.admin.campaign_form import initial_of
from campaigns.admin.campaign_sight import cost_lines
from campaigns.admin.campaign_variant import variant_initial
from campaigns.contracts.campaigns import CampaignEstimate, VariantDraft
from campaigns.models import Campaign, CampaignMove, CampaignPolicy, Reach
from campaigns.selectors.campaigns.festivals import festivals_of, moon_day
from core import clock
from core.models import StaffAccount
from tests.campaigns.campaign_kit import Desk, coupon_act, grant, make_desk, make_staff, set_policy
from tests.cast import Cast

pytestmark = pytest.mark.django_db
LIST, ADD, LOOK, MONTH = (
    reverse(f"admin:campaigns_{name}")
    for name in ("campaign_changelist", "campaign_add", "campaign_look", "calendar")
)


@pytest.fixture
def made(cast: Cast) -> Desk:
    return make_desk(cast)


def login(name: str) -> Client:
    client = Client()
    client.force_login(StaffAccount.objects.get(username=name))
    return client


def soon() -> dt.datetime:
    return clock.now() + dt.timedelta(days=2)


def typed(made: Desk, **changes: Any) -> dict[str, Any]:
    """The form as the browser sends it."""
    begins = soon().astimezone(clock.SHANGHAI)
    first = {
        "revision": "0",
        "name": "双十二预热",
        "kind": "coupon",
        "segment": made.segment,
        "goal": "purchase",
        "window_days": "14",
        "holdout": "10",
        "starts_at": f"{begins:%Y-%m-%dT%H:%M}",
        "ends_at": f"{begins + dt.timedelta(days=3):%Y-%m-%dT%H:%M}",
        "send_from": "10:00",
        "send_until": "20:00",
        "budget": "500.50",
        "A-weight": "1",
        "A-batch": made.batch,
        "A-title": "双十二到了",
        "A-text": "{member}，送您一张券",
        "A-task_days": "3",
        "B-weight": "1",
        "B-task_days": "3",
    }
    return {name: value for name, value in (first | changes).items() if value is not None}


def do(pk: int, verb: str) -> str:
    return reverse("admin:campaigns_campaign_do", args=[pk, verb])


def page_of(pk: int) -> str:
    return reverse("admin:campaigns_campaign_change", args=[pk])


def text(answer: Any) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def submitted(made: Desk, **changes: Any) -> Campaign:
    values = {"starts_at": soon(), "ends_at": soon() + dt.timedelta(days=2)} | changes
    pk = services.create_campaign(draft=made.draft(**values), actor=made.writer)
    services.submit_campaign(campaign_id=pk, revision=1, actor=made.writer)
    return Campaign.objects.get(pk=pk)


def test_a_campaign_is_written_submitted_and_approved_on_its_pages(made: Desk) -> None:
    writer, approver = login("writer"), login("approver")
    answer = writer.post(ADD, typed(made))
    row = Campaign.objects.get()
    assert answer["Location"] == page_of(row.pk)
    assert (row.budget_fen, row.holdout_bp, row.kind) == (50_050, 1_000, "coupon")
    assert [act["do"] for act in row.variants.get().acts] == ["coupon", "reach"]
    page = text(writer.get(page_of(row.pk)))
    assert "提交审批" in page
    assert "双十二到了" in page
    asked = text(writer.get(do(row.pk, "submit")))
    assert "人群里、属于这个范围的会员：2" in asked
    writer.post(do(row.pk, "submit"), {"_confirmed": "1", "revision": "1"})
    assert "请另一位" in text(writer.get(page_of(row.pk)))
    refused = text(writer.post(do(row.pk, "approve"), {"_confirmed": "1", "revision": "1", "note": ""}))
    assert "写过这个活动的人不能审批" in refused
    assert "审批通过" in text(approver.get(page_of(row.pk)))
    approver.post(do(row.pk, "approve"), {"_confirmed": "1", "revision": "1", "note": "可以"})
    row.refresh_from_db()
    assert row.state == "approved"
    assert CampaignMove.objects.filter(campaign=row).latest("pk").note == "可以"


def test_a_budget_is_for_coupons_and_texts_together() -> None:
    campaign = Campaign(budget_fen=1_000)
    heads = [head for head, _words in cost_lines(campaign, CampaignEstimate(2, 0, 100, 900))]
    assert heads == ["券全部核销最多", "短信最多", "预算"]
    assert cost_lines(campaign, CampaignEstimate(2, 0, 150, 900))[-1] == (
        "预算不够",
        "差 ¥0.50，用完时自动暂停",
    )


def test_faults_stand_at_their_fields_and_what_was_typed_stays(made: Desk) -> None:
    values = typed(
        made,
        every="month",
        month_days="1、32",
        at="10:30",
        **{"A-title": "", "A-text": "只有正文{nobody}", "B-points": "5", "B-points_reason": ""},
    )
    page = text(login("writer").post(ADD, values))
    for words in ("应在 1 到 31 之间", "还没有填写", "没有“{nobody}”这个变量", "双十二预热"):
        assert words in page
    assert not Campaign.objects.exists()
    page = text(login("writer").post(ADD, typed(made, segment="", month_days="x", every="month")))
    assert "填 1 到 31 的数字" in page
    assert not Campaign.objects.exists()


def test_a_form_that_somebody_else_saved_meanwhile_is_refused(made: Desk) -> None:
    pk = services.create_campaign(draft=made.draft(), actor=made.writer)
    url = reverse("admin:campaigns_campaign_edit", args=[pk])
    writer = login("writer")
    assert "双十二预热" in text(writer.get(url))
    services.change_campaign(
        campaign_id=pk, revision=1, draft=made.draft(name="别人改的"), actor=made.approver
    )
    page = text(writer.post(url, typed(made, revision="1", name="我改的")))
    assert "这个活动有改动" in page
    assert "我改的" in page
    assert Campaign.objects.get(pk=pk).name == "别人改的"
    writer.post(url, typed(made, revision="2", name="再改"))
    assert Campaign.objects.get(pk=pk).name == "再改"


def test_what_was_written_comes_back_into_the_form(made: Desk) -> None:
    tomorrow = soon()
    follow = {"do": "follow_up", "with": {"title": "邀约", "script": "您好", "days": 5}}
    points = {"do": "points", "with": {"points": 88, "reason": "双十二"}}
    pk = services.create_campaign(
        draft=made.draft(
            starts_at=tomorrow,
            ends_at=tomorrow + dt.timedelta(days=9),
            recurrence={"every": "week", "days": [1, 5], "at": "10:30"},
            measure={"least_fen": 9_900},
            variants=(VariantDraft(3, [coupon_act(made.batch), points]), VariantDraft(2, [follow])),
        ),
        actor=made.writer,
    )
    row = Campaign.objects.get(pk=pk)
    first = initial_of(row)
    assert (first["every"], first["week_days"], first["least"]) == ("week", [1, 5], 9_900)
    one, other = (variant_initial(variant) for variant in row.variants.order_by("letter"))
    assert (one["weight"], one["batch"], one["points"]) == (3, made.batch, 88)
    assert (other["weight"], other["task_title"], other["task_days"]) == (2, "邀约", 5)


def test_goods_that_count_are_found_and_told_by_name(made: Desk) -> None:
    apps.get_model("sales.Product").objects.create(code="P1", name="羊绒开衫", created_at=clock.now())
    apps.get_model("sales.Category").objects.create(code="knit", name="针织")
    find = reverse("admin:campaigns_segment_find", args=["sales.purchases", "products"])
    make_staff("eaststore", "view", "add", store_id=made.cast.store.id)
    east, writer = login("eaststore"), login("writer")
    assert 'data-pick="P1">羊绒开衫' in text(east.get(find, {"products": "羊绒"}))
    assert "没有找到" in text(east.get(find, {"products": "没有的"}))
    refused = text(writer.post(ADD, typed(made, products=["P1", "P9"], categories="knit")))
    assert "P9" in re.findall(r'data-picker="products".*?(?=data-picker|id="id_least)', refused, re.S)[0]
    assert not Campaign.objects.exists()
    writer.post(ADD, typed(made, products=["P1", "P1"], categories="knit"))
    row = Campaign.objects.get()
    assert row.measure == {"categories": ["knit"], "products": ["P1"]}
    assert "类目 针织，商品 羊绒开衫" in text(writer.get(page_of(row.pk)))
    form = text(writer.get(reverse("admin:campaigns_campaign_edit", args=[row.pk])))
    assert 'value="P1">羊绒开衫（P1）' in form
    make_staff("nobody", "view", store_id=made.cast.store.id)
    assert login("nobody").get(find, {"products": "羊绒"}).status_code == 403


def test_the_numbers_say_what_they_wait_for(made: Desk) -> None:
    make_staff("eaststore", "view", "add", store_id=made.cast.store.id)
    east = login("eaststore")
    assert "选好区域或门店和人群" in text(east.post(LOOK, typed(made)))
    assert "现在发能" in text(east.post(LOOK, typed(made, store=made.cast.store.id)))
    assert "选好人群就会" in text(login("writer").post(LOOK, typed(made, segment="")))


def test_the_numbers_beside_the_form_store_nothing(made: Desk) -> None:
    writer = login("writer")
    page = text(writer.post(LOOK, typed(made)))
    assert "人群里、属于这个范围的会员" in page
    assert "双十二到了" in page
    assert "林小美，送您一张券" in page
    for broken in ({"segment": ""}, {"segment": "nowhere"}, {"A-text": "\0"}, {"name": "x" * 99}):
        assert writer.post(LOOK, typed(made) | broken).status_code == 200
    assert writer.post(LOOK, {}).status_code == 200
    assert writer.get(LOOK).status_code == 403
    assert not Campaign.objects.exists()


def test_a_stores_staff_see_and_do_nothing_with_others(made: Desk) -> None:
    mine = submitted(made, store_id=made.cast.store.id)
    chain = submitted(made)
    make_staff("south", "view", "add", "change", "approve", store_id=made.cast.other_store.id)
    make_staff("eaststore", "view", "change", store_id=made.cast.store.id)
    south, east = login("south"), login("eaststore")
    assert mine.name not in text(south.get(LIST))
    assert mine.name in text(east.get(LIST))
    for row in (mine, chain):
        assert south.get(page_of(row.pk)).status_code == 302  # as of one that does not exist
        assert south.get(do(row.pk, "approve")).status_code == 403
        answer = south.post(do(row.pk, "stop"), {"_confirmed": "1", "revision": "1", "note": "停"})
        assert answer.status_code == 403
    assert east.get(do(chain.pk, "recall")).status_code == 403
    assert "名称" in text(east.get(page_of(mine.pk)))
    assert mine.name not in text(south.get(MONTH, {"month": f"{soon():%Y-%m}"}))
    for row in (mine, chain):
        row.refresh_from_db()
        assert row.state == "submitted"


def test_an_account_without_the_right_gets_no_page(made: Desk) -> None:
    make_staff("nobody", store_id=made.cast.store.id)
    nobody = login("nobody")
    for url in (LIST, ADD, MONTH):
        assert nobody.get(url).status_code == 403
    grant(StaffAccount.objects.get(username="nobody"), "view")
    assert nobody.get(MONTH).status_code == 200
    assert nobody.get(ADD).status_code == 403


def test_an_approver_sees_what_changed_since_the_last_approval(made: Desk) -> None:
    row = submitted(made, budget_fen=50_000)
    services.approve_campaign(campaign_id=row.pk, revision=1, actor=made.approver)
    services.recall_campaign(campaign_id=row.pk, actor=made.writer)
    draft = made.draft(
        starts_at=row.starts_at, ends_at=row.ends_at, budget_fen=90_000, name="双十二预热（加码）"
    )
    services.change_campaign(campaign_id=row.pk, revision=1, draft=draft, actor=made.writer)
    services.submit_campaign(campaign_id=row.pk, revision=2, actor=made.writer)
    approver = login("approver")
    page = text(approver.get(page_of(row.pk)))
    assert "<del>¥500.00</del>" in page
    assert "<ins>¥900.00</ins>" in page
    asked = text(approver.get(do(row.pk, "approve")))
    assert "改了 2 处" in asked
    stale = text(approver.post(do(row.pk, "approve"), {"_confirmed": "1", "revision": "1", "note": ""}))
    assert "这个活动有改动" in stale


def test_what_is_missing_is_said_before_it_is_submitted(made: Desk) -> None:
    pk = services.create_campaign(
        draft=made.draft(starts_at=None, ends_at=None, variants=()), actor=made.writer
    )
    answer = text(login("writer").post(do(pk, "submit"), {"_confirmed": "1", "revision": "1"}))
    assert "开始时间 还没有填写" in answer
    assert "版本 至少选一个" in answer


def test_the_list_is_filtered_searched_and_exported(made: Desk) -> None:
    row = submitted(made, store_id=made.cast.store.id)
    writer = login("writer")
    month = row.starts_at.astimezone(clock.SHANGHAI) if row.starts_at else clock.now()
    for query in (
        {"state": "submitted"},
        {"kind": "reach"},
        {"place": "store"},
        {"month": f"{month:%Y-%m}"},
        {"q": "预热"},
    ):
        assert row.name in text(writer.get(LIST, query)), query
    for query in ({"state": "draft"}, {"place": "chain"}, {"place": "region"}, {"q": "没有"}):
        assert row.name not in text(writer.get(LIST, query)), query
    answer = writer.get(reverse("admin:campaigns_campaign_export"), {"state": "submitted"})
    answer.close()
    assert answer["Content-Type"].startswith("application/vnd.openxml")


def test_the_calendar_shows_campaigns_festivals_and_members_days(made: Desk) -> None:
    set_policy(month_days=[31])
    at = dt.datetime(2027, 2, 5, 10, tzinfo=clock.SHANGHAI)
    services.create_campaign(
        draft=made.draft(name="年货节", starts_at=at, ends_at=at + dt.timedelta(days=3)), actor=made.writer
    )
    services.create_campaign(
        draft=made.draft(
            name="会员日提醒",
            starts_at=at - dt.timedelta(days=30),
            ends_at=at + dt.timedelta(days=60),
            recurrence={"every": "members_day", "at": "10:30"},
        ),
        actor=made.writer,
    )
    page = text(login("writer").get(MONTH, {"month": "2027-02"}))
    assert page.count(">年货节</a>") == 4
    # The ends of January and of February are on the page.
    assert page.count(">会员日提醒</a>") == 1
    for words in ("2027年2月", "除夕", "春节", "元宵节", "情人节", "会员日"):
        assert words in page
    for odd in ("2027-13", "x", "0000-00", "9999-12x", ""):
        assert login("writer").get(MONTH, {"month": odd}).status_code == 200


def test_festivals_are_the_chinese_ones() -> None:
    def names(*day: int) -> set[str]:
        return {one.name for one in festivals_of(dt.date(*day))}

    assert "春节" in names(2027, 2, 6)
    assert "中秋节" in names(2026, 9, 25)
    assert "清明" in names(2026, 4, 5)
    assert "双十一" in names(2026, 11, 11)
    assert "母亲节" in names(2026, 5, 10)
    assert names(2026, 11, 28) == set()
    assert moon_day(dt.date(2026, 2, 17)) == "正月"
    assert any(one.sort == "off" for one in festivals_of(dt.date(2026, 10, 1)))


def test_head_office_sets_the_rules_in_its_own_words(made: Desk) -> None:
    writer = login("writer")
    add = reverse("admin:campaigns_campaignpolicy_add")
    assert "每月几号是会员日" in text(writer.get(add))
    values = {
        "may_regions": "on",
        "approvers": "regions",
        "most_recipients": "800",
        "campaign_budget": "2000",
        "month_budget": "",
        "chosen_acts": ["reach", "coupon"],
        "chosen_channels": ["inbox"],
        "least_holdout": "5",
        "most_holdout": "20",
        "earliest": "10:00",
        "latest": "20:00",
        "on_month_days": "28、8，18",
        "on_week_days": ["3"],
    }
    assert "填 1 到 31 的数字" in text(writer.post(add, values | {"on_month_days": "0"}))
    assert "最多不能小于最少" in text(writer.post(add, values | {"most_holdout": "1"}))
    assert writer.post(add, values).status_code == 302
    row = CampaignPolicy.objects.get()
    assert (row.pk, row.month_days, row.week_days) == (1, [8, 18, 28], [3])
    assert (row.campaign_budget_fen, row.least_holdout_bp, row.acts) == (200_000, 500, ["reach", "coupon"])
    assert not row.may_stores
    change = reverse("admin:campaigns_campaignpolicy_change", args=[1])
    assert "8、18、28" in text(writer.get(change))


def test_a_copy_goes_to_another_day(made: Desk) -> None:
    row = submitted(made)
    writer = login("writer")
    day = (soon() + dt.timedelta(days=30)).date()
    answer = writer.post(
        do(row.pk, "copy"), {"_confirmed": "1", "revision": "1", "starts_on": day.isoformat()}
    )
    copy = Campaign.objects.latest("pk")
    assert answer["Location"] == page_of(copy.pk)
    assert copy.starts_at is not None
    assert clock.business_day(copy.starts_at) == day


def test_a_message_is_tried_on_a_colleague_of_the_own_part(made: Desk) -> None:
    row = submitted(made, store_id=made.cast.store.id)
    make_staff("eaststore", "view", "change", store_id=made.cast.store.id)
    east, url = login("eaststore"), reverse("admin:campaigns_campaign_try", args=[row.pk])
    assert "试发给同事" in text(east.get(page_of(row.pk)))
    values = {"_confirmed": "1", "revision": "1", "letter": "A"}
    # 小丽 is bound to nobody: to this account there is no such member.
    for who in (made.cast.xiaoli.code, "没有这个人", "1"):
        assert "没有找到唯一一位会员" in text(east.post(url, values | {"who": who}))
    assert east.post(url, values | {"who": made.cast.xiaomei.code})["Location"] == page_of(row.pk)
    assert Reach.objects.filter(member_id=made.cast.xiaomei.id, topic="marketing").count() == 1
