"""Text messages as a channel of the chain: what goes, what is passed over and why, what it cost."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from pytest_django import Settings

from campaigns.models import FrequencyCap, ReachPolicy, TopicText
from core import clock
from sms import services as sms_services
from sms.models import SmsTemplate
from tests.campaigns.kit import tries_of
from tests.campaigns.text_kit import STAFF, TEXT, Desk, agree
from tests.members import privacy_kit


def test_a_text_goes_where_nothing_in_wechat_does_and_its_cost_is_kept(desk: Desk) -> None:
    row = desk.send(channels=("subscription", "template", "sms", "inbox"))
    assert (row.state, row.channel, row.code) == ("sent", "sms", "")
    assert tries_of(row) == [("subscription", "no_template"), ("template", "no_template")]
    assert desk.texts() == [TEXT]
    assert (row.segment_count, row.cost_hundredths) == (1, 450)
    assert row.message_id.startswith("2640:")


def test_a_long_text_costs_more(desk: Desk) -> None:
    SmsTemplate.objects.filter(pk=desk.notice.pk).update(text="长" * 60 + "{1}张{2}")
    templates = {"1002": "长" * 60 + "{1}张{2}"}
    desk.provider.set_up(templates=templates)
    row = desk.send()
    assert (row.segment_count, row.cost_hundredths) == (2, 900)


def test_at_night_no_phone_makes_a_noise(desk: Desk) -> None:
    hour = dt.timedelta(hours=1)
    now = clock.now().astimezone(clock.SHANGHAI)
    night = {"quiet_from": (now - hour).time(), "quiet_until": (now + hour).time()}
    ReachPolicy.objects.update(is_quiet_on=True, **night)
    row = desk.send()
    assert (row.state, row.code) == ("queued", "quiet_hours")
    assert desk.texts() == []
    ReachPolicy.objects.update(is_quiet_on=False)
    assert desk.again().channel == "sms"
    assert desk.texts() == [TEXT]


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("no gateway", "sms_off"),
        ("no mapping", "no_text"),
        ("switched off", "no_text"),
        ("not approved", "text_unusable"),
        ("sign lost", "text_unusable"),
        ("no phone", "no_phone"),
        ("opted out", "sms.opted_out"),
        ("empty", "field_unfit"),
        ("address", "field_unfit"),
        ("capped", "capped"),
        ("marketing by a notice", "no_opt_out"),
    ],
)
def test_why_a_text_is_passed_over_stands_beside_it(
    desk: Desk, settings: Settings, why: str, code: str
) -> None:
    other: dict[str, Any] = {}
    if why == "no gateway":
        settings.SMS_GATEWAY = ""
    elif why == "no mapping":
        TopicText.objects.all().delete()
    elif why == "switched off":
        TopicText.objects.update(is_on=False)
    elif why == "not approved":
        SmsTemplate.objects.update(state="pending")
    elif why == "sign lost":
        sms_services.save_sign(
            sign_id=None, name="别家", provider_id="", is_default=True, state="rejected", actor=STAFF
        )
    elif why == "no phone":
        member_id = desk.world.cast.xiaomei.id
        apps.get_model("members", "Member").objects.filter(pk=member_id).update(phone="")
    elif why == "opted out":
        desk.report(desk.answered("td"))
    elif why == "empty":
        other = {"values": {"count": "2", "day": " "}}
    elif why == "address":
        other = {"values": {"count": "2", "day": "www.example.com"}}
    elif why == "capped":
        FrequencyCap.objects.create(policy_id=1, channel="sms", importance="", span="day", most=1)
        desk.send("first")
    else:
        privacy_kit.consent_texts()
        agree(desk)
        other = {"importance": "marketing"}
    row = desk.send(**other)
    assert (row.channel, tries_of(row)) == ("inbox", [("sms", code)])
    assert len(desk.texts()) == (1 if why == "capped" else 0)


def test_marketing_goes_by_a_template_that_says_how_to_refuse_it_to_who_agreed(desk: Desk) -> None:
    TopicText.objects.update(template_id=desk.marketing.pk, fields={"1": {"words": "羊毛"}})
    assert tries_of(desk.send("normal")) == [("sms", "no_consent")]  # a notice by a marketing template
    privacy_kit.consent_texts()
    agree(desk)
    row = desk.send(importance="marketing")
    assert (row.channel, row.cost_hundredths) == ("sms", 500)
    assert desk.texts() == ["【素衣】羊毛新品到店。拒收请回复R"]


def test_long_values_are_cut_to_what_the_account_may_send(desk: Desk) -> None:
    SmsTemplate.objects.update(gap_limit=6)
    desk.send(values={"count": "👨‍👩‍👧张好多好多好多张", "day": "明天\n上午"})
    [text] = desk.texts()
    assert text == "【素衣】您有…张券明天 上午到期，请到店使用。"
