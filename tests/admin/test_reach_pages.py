"""触达事项, 通知模板 and 触达规则: what staff are offered, and what a form starts from."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import services
from campaigns.contracts import MARKETING_TOPICS, TOPICS, ReachOrder
from campaigns.contracts.ready_made import READY_MADE
from campaigns.models import Reach, TopicTemplate
from campaigns.services.mapping import map_topic
from core import clock
from core.actor import Actor
from tests.admin.coupon_desk_kit import sheet_of
from tests.campaigns.kit import make_template
from tests.cast import Cast

LOG = reverse("admin:campaigns_reach_changelist")
RULE = reverse("admin:campaigns_topicrule_add")
MAPPINGS = reverse("admin:campaigns_topictemplate_changelist")


def codes_of(field: Any) -> set[str]:
    return {code for code, _label in field.choices}


@pytest.mark.parametrize("topic", sorted(TOPICS.keys() - MARKETING_TOPICS - {"care"}))
def test_each_topic_that_campaigns_do_not_tell_is_told_by_a_lower_app(topic: str) -> None:
    sources = [path.read_text() for app in ("guides", "coupons", "sales") for path in
               Path(settings.BASE_DIR, app, "services").glob("*.py")]  # fmt: skip
    assert any(f'topic="{topic}"' in text for text in sources)


def test_care_is_told_by_journeys() -> None:
    definitions = json.dumps([one.definition for one in READY_MADE])
    assert '"topic": "care"' in definitions


def test_a_topic_starts_from_how_it_is_handled_so_far(desk: Client) -> None:
    listed = desk.get(reverse("admin:campaigns_topicrule_changelist")).content.decode()
    assert f"{RULE}?topic=tier_at_risk" in listed
    assert f"{RULE}?topic=marketing" in listed
    form = desk.get(RULE, {"topic": "tier_at_risk"}).context["adminform"].form
    first = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    assert (first["topic"], first["importance"], first["is_on"]) == ("tier_at_risk", "normal", True)
    assert first["chosen"] == ["subscription", "template", "service_message", "follow_up", "inbox"]
    assert "sms" in codes_of(form.fields["chosen"])
    assert "marketing" in codes_of(form.fields["topic"])


def test_nothing_chosen_in_a_cap_is_called_all_together(desk: Client, full_chain: Cast) -> None:
    page = desk.get(reverse("admin:campaigns_reachpolicy_change", args=[1]))
    [caps] = page.context["inline_admin_formsets"]
    channel = caps.formset.empty_form.fields["channel"]
    assert dict(channel.choices)[""] == "合计"
    assert "sms" in codes_of(channel)


def test_the_list_of_mappings_asks_for_all_titles_at_once(desk: Client, cast: Cast) -> None:
    def add(topic: str) -> None:
        template = make_template(cast.account_id, f"tpl-{topic}", title=f"模板 {topic}")
        TopicTemplate.objects.create(
            topic=topic, account_id=cast.account_id, kind="template", template_id=template.template_id
        )

    add("sale")
    with CaptureQueriesContext(connection) as one:
        assert "模板 sale" in desk.get(MAPPINGS).content.decode()
    for topic in ("return", "review", "tier_up"):
        add(topic)
    with CaptureQueriesContext(connection) as four:
        assert "模板 tier_up" in desk.get(MAPPINGS).content.decode()
    assert len(four) == len(one)


def make_failed(cast: Cast, number: int, **values: Any) -> Reach:
    services.reach_member(
        order=ReachOrder(
            member_id=cast.xiaomei.id,
            topic="sale",
            reason_key=f"failed-{number}",
            title="购物通知",
            text="您消费了 ¥199。",
        )
    )
    fields: dict[str, Any] = {
        "state": "failed",
        "code": "no_mini_program",
        "finished_at": clock.now(),
        "tries": [{"channel": "template", "code": "not_following", "at": clock.now().isoformat()}],
    }
    Reach.objects.filter(reason_key=f"failed-{number}").update(**(fields | values))
    return Reach.objects.get(reason_key=f"failed-{number}")


def test_the_log_says_why_and_what_was_tried_and_finds_by_reason(desk: Client, cast: Cast) -> None:
    failed = make_failed(cast, 1)
    other = make_failed(cast, 2, code="wechat.blocked", errcode=43019)
    listed = desk.get(LOG, {"code": "no_mini_program"})
    assert [row.pk for row in listed.context["cl"].result_list] == [failed.pk]
    assert "没有用过小程序" in listed.content.decode()
    assert [row.pk for row in desk.get(LOG, {"code": "wechat.blocked"}).context["cl"].result_list] == [
        other.pk
    ]
    page = desk.get(reverse("admin:campaigns_reach_change", args=[failed.pk])).content.decode()
    assert "没有关注公众号" in page
    assert "重发…" in page
    Reach.objects.filter(pk=other.pk).update(state="skipped", tries=[], channel="", errcode=None)
    page = desk.get(reverse("admin:campaigns_reach_change", args=[other.pk])).content.decode()
    assert "没有试过任何通道，原因见上面" in page
    assert "还没有开始发送" not in page


def test_a_failed_reach_is_sent_again_once_by_who_may(desk: Client, looker: Client, cast: Cast) -> None:
    failed = make_failed(cast, 1)
    url = reverse("admin:campaigns_reach_resend", args=[failed.pk])
    assert "上次没发出去：没有用过小程序" in desk.get(url).content.decode()
    assert looker.post(url, {"_confirmed": "1"}).status_code == 403
    answer = desk.post(url, {"_confirmed": "1"})
    again = Reach.objects.get(reason_key=f"again:{failed.pk}")
    assert answer["Location"] == reverse("admin:campaigns_reach_change", args=[again.pk])
    page = desk.get(reverse("admin:campaigns_reach_change", args=[failed.pk])).content.decode()
    assert "重发…" not in page
    assert "重发触达" in page  # who did it
    assert "重发…" not in desk.get(answer["Location"]).content.decode()


def test_of_those_chosen_only_the_failed_ones_go(desk: Client, cast: Cast) -> None:
    rows = [make_failed(cast, number) for number in range(3)]
    sent = make_failed(cast, 9, state="sent", code="")
    chosen = {"action": "resend_chosen", "_selected_action": [row.pk for row in [*rows, sent]]}
    question = desk.post(LOG, chosen).content.decode()
    assert "重发 3 条没发出去的触达" in question
    assert "另外 1 条不是发送失败的" in question
    assert desk.post(LOG, chosen | {"_confirmed": "1"}).status_code == 302
    assert Reach.objects.filter(reason_key__startswith="again:").count() == 3
    nothing = {"action": "resend_chosen", "_selected_action": [sent.pk]}
    assert "没有一条是发送失败的" in desk.post(LOG, nothing, follow=True).content.decode()


def test_the_log_is_exported_as_filtered_without_the_words(
    desk: Client, east_desk: Client, cast: Cast
) -> None:
    make_failed(cast, 1)
    make_failed(cast, 2, state="sent", code="")
    export = reverse("admin:campaigns_reach_export")
    rows = sheet_of(desk.get(export, {"state": "failed"}))
    assert len(rows) == 2
    line = dict(zip(rows[0], rows[1], strict=True))
    assert (line["会员码"], line["状态"], line["原因"]) == (
        cast.xiaomei.code,
        "没有送达",
        "没有用过小程序",
    )
    assert line["试过的通道"] == "模板消息：没有关注公众号"
    assert "¥199" not in str(rows)
    assert east_desk.get(export).status_code == 403


def map_sale(cast: Cast) -> TopicTemplate:
    template = make_template(cast.account_id, "tpl-sale")
    fields = {
        "thing1": {"value": "store"},
        "number2": {"value": "points"},
        "thing3": {"words": "欢迎再来"},
    }
    pk = map_topic(
        topic="sale", template_pk=template.pk, fields=fields, page="", is_on=True, actor=Actor.system("test")
    )
    return TopicTemplate.objects.get(pk=pk)


def test_the_phone_follows_the_form_and_shows_every_cut(desk: Client, looker: Client, cast: Cast) -> None:
    row = map_sale(cast)
    change = reverse("admin:campaigns_topictemplate_change", args=[row.pk])
    assert "素衣湖滨银泰店" in desk.get(change).content.decode()
    preview = reverse("admin:campaigns_topictemplate_preview", args=[row.pk])
    typed = {"value__thing1": "order_no", "value__number2": "", "words__number2": "x<b>", "sample": "1"}
    html = desk.post(preview, typed).content.decode()
    assert "会变成" in html
    assert "填不进" in html
    assert "x&lt;b&gt;" in html
    assert looker.post(preview, typed).status_code in (403, 404)
    assert desk.post(reverse("admin:campaigns_topictemplate_preview", args=[0]), typed).status_code == 404
    row.refresh_from_db()
    assert row.fields["thing1"] == {"value": "store"}


def test_a_mapping_is_seen_and_filled_before_its_first_save(desk: Client, looker: Client, cast: Cast) -> None:
    template = make_template(cast.account_id, "tpl-sale")
    add = reverse("admin:campaigns_topictemplate_add")
    assert "选好事项和模板" in desk.get(add).content.decode()
    chosen = {"topic": "sale", "template": str(template.pk)}
    page = desk.get(add, {**chosen, "page": "pages/x", "is_on": "1"})
    form = page.context["adminform"].form
    assert (form["topic"].value(), form["page"].value()) == ("sale", "pages/x")
    assert form["value__number2"].value() == "points"
    assert "xe-phone-bar" in page.content.decode()
    for nonsense in (
        {"topic": "nothing", "template": chosen["template"]},
        {"topic": "sale", "template": "x"},
    ):
        assert desk.get(add, nonsense).status_code == 200
    preview = reverse("admin:campaigns_topictemplate_preview_new")
    typed = {
        **chosen,
        "value__thing1": "",
        "words__thing1": "门店名<b>",
        "value__number2": "points",
        "value__thing3": "text",
    }
    assert "门店名&lt;b&gt;" in desk.post(preview, typed).content.decode()
    assert desk.post(preview, {"topic": "sale"}).status_code == 403
    assert looker.post(preview, typed).status_code == 403
    refused = desk.post(add, {**typed, "words__thing1": "字" * 21}).content.decode()
    assert "现在会变成" in refused
    assert "xe-phone-bar" in refused
    assert not TopicTemplate.objects.exists()
    saved = desk.post(add, {**typed, "words__thing1": "门店", "is_on": "on"})
    row = TopicTemplate.objects.get()
    assert saved.headers["Location"] == reverse("admin:campaigns_topictemplate_changelist")
    assert row.fields["thing1"] == {"words": "门店"}
    again = desk.post(add, {**typed, "words__thing1": "别的"}).content.decode()
    assert "已经有模板了" in again
    row.refresh_from_db()
    assert row.fields["thing1"] == {"words": "门店"}


def test_another_template_brings_its_own_places(desk: Client, cast: Cast) -> None:
    row = map_sale(cast)
    other = make_template(cast.account_id, "tpl-other", title="别的模板")
    change = reverse("admin:campaigns_topictemplate_change", args=[row.pk])
    page = desk.get(change, {"template": str(other.pk)})
    form = page.context["adminform"].form
    assert form["template"].value() == str(other.pk)
    assert form["words__thing3"].value() == ""  # guessed anew, not the first one's
    row.refresh_from_db()
    assert row.template_id == "tpl-sale"


def test_what_wechat_would_not_take_is_said_at_its_field(desk: Client, cast: Cast) -> None:
    row = map_sale(cast)
    change = reverse("admin:campaigns_topictemplate_change", args=[row.pk])
    template = desk.get(change).context["adminform"].form.initial["template"]
    form = {
        "template": template,
        "page": "",
        "is_on": "on",
        "value__thing1": "store",
        "value__number2": "store",
        "value__thing3": "",
        "words__thing3": "字" * 21,
    }
    errors = desk.post(change, form).context["adminform"].form.errors
    assert "「门店」填不进这里" in str(errors["value__number2"])
    assert "现在会变成" in str(errors["words__thing3"])
    assert set(errors) == {"value__number2", "words__thing3"}
    good = form | {"value__number2": "points", "words__thing3": "期待再见"}
    assert desk.post(change, good).status_code == 302
    row.refresh_from_db()
    assert row.fields["thing3"] == {"words": "期待再见"}
