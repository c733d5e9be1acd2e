"""Text messages as a channel of the chain: what goes, what is passed over and why, what came of it, what it cost."""

import datetime as dt
import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from pytest_django import Settings

from campaigns import services
from campaigns.errors import MappingUnfit, TextPurposeUnfit
from campaigns.models import FrequencyCap, Reach, ReachPolicy, TopicRule, TopicText
from campaigns.services.text_mapping import map_topic_to_text
from core import clock
from core.actor import Actor
from guides.contracts import MemberText
from members import selectors as member_selectors
from members import services as member_services
from sms import services as sms_services
from sms.models import SmsBlock, SmsLane, SmsReceipt, SmsReply, SmsTemplate
from sms.services import lanes
from tests.campaigns.kit import World, tries_of
from tests.killed_job import run_killed
from tests.members import privacy_kit
from tests.sandbox_process import running_sandbox
from tests.sms.kit import (
    APP_ID,
    CALLBACK_KEY,
    CODE_TEMPLATE,
    MARKETING_TEMPLATE,
    NOTICE_TEMPLATE,
    SECRET,
    Provider,
    add_sign,
    add_template,
    new_phone,
    use_provider,
    wait_for,
)
from tests.threads import at_once
from tests.wechat.scripted_server import Reply, Seen, ok

STAFF = Actor.staff(1, "总部")
CHAIN: Any = ("sms", "inbox")
FIELDS = {"1": {"value": "count"}, "2": {"value": "day"}}
TEXT = "【素衣】您有2张券2026-12-01到期，请到店使用。"
SERIAL = "2640:1234567890"
KILLED = """
import os, pathlib
from django.conf import settings
from campaigns.services import send_due_reaches
settings.SMS_GATEWAY, settings.SMS_ENDPOINT = "tencent", {url!r}
settings.SMS_APP_ID, settings.SMS_KEY_ID, settings.SMS_KEY_SECRET = {app_id!r}, "k", "s"
pathlib.Path({pid_file!r}).write_text(str(os.getpid()))
send_due_reaches()
"""


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


class Desk:
    """小美 with a number, a topic that is said by text, and the provider."""

    def __init__(self, world: World, provider: Provider) -> None:
        self.world = world
        self.provider = provider
        self.phone = new_phone()
        self.member_id = world.cast.xiaomei.id
        member_services.verify_phone(member_id=self.member_id, phone=self.phone, how="sms", actor=STAFF)
        add_sign()
        add_template(**CODE_TEMPLATE)
        self.notice = add_template(**NOTICE_TEMPLATE)
        self.marketing = add_template(**MARKETING_TEMPLATE)
        TopicText.objects.create(topic="coupon_expiring", template_id=self.notice.pk, fields=FIELDS)

    def send(self, key: str = "r1", **other: Any) -> Reach:
        return self.world.send(key, **{"channels": CHAIN, **other})

    def again(self, key: str = "r1") -> Reach:
        Reach.objects.filter(state="queued").update(not_before=clock.now())
        services.send_due_reaches()
        return self.world.row(key)

    def texts(self) -> list[str]:
        return self.provider.texts(self.phone)

    def report(self, body: Any, key: str = CALLBACK_KEY) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = Client().post(f"/sms/reports/{key}/", raw, content_type="application/json")
        sms_services.work_reports()
        return answer

    def receipt(self, message_id: str, *, is_delivered: bool = True) -> dict[str, Any]:
        return {
            "user_receive_time": "2026-11-28 08:03:04", "nationcode": "86", "mobile": self.phone,
            "report_status": "SUCCESS" if is_delivered else "FAIL",
            "errmsg": "DELIVRD" if is_delivered else "MK:0001", "description": "", "sid": message_id,
        }  # fmt: skip

    def answered(self, text: str, at: dt.datetime | None = None) -> dict[str, Any]:
        moment = int((at or clock.now()).timestamp())
        return {
            "extend": "",
            "mobile": self.phone,
            "nationcode": "86",
            "sign": "素衣",
            "text": text,
            "time": moment,
        }


@pytest.fixture
def desk(world: World, provider_url: str, settings: Settings) -> Iterator[Desk]:
    provider = Provider(provider_url)
    provider.set_up()
    use_provider(settings, provider)
    yield Desk(world, provider)
    provider.script("DELETE", "/faults")


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


def agree(desk: Desk) -> None:
    privacy_kit.publish("marketing", "我们会告诉您新品。")
    version = member_selectors.list_pending_consents(desk.member_id)
    [text] = [one for one in version if one.kind == "marketing"]
    member_services.agree_consent(
        member_id=desk.member_id, kind="marketing", version=text.version, door="pos", actor=STAFF
    )


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


# What the provider says


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"balance": 0}, "sms.no_balance"),
        ({"app_id": "1400000000"}, "sms.misconfigured"),
    ],
)
def test_a_provider_that_takes_none_stops_the_lane_and_it_is_waited_for(
    desk: Desk, changes: dict[str, Any], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.provider.set_up(**changes)
    services.queue_reaches(orders=[desk.world.order(f"r{n}", channels=CHAIN) for n in range(5)])
    services.send_due_reaches()
    assert set(Reach.objects.values_list("state", "code")) == {("queued", code)}
    assert caplog.messages.count("sms.lane_halted") == 1
    assert lanes.is_halted(purpose="notice", at=clock.now())
    assert not lanes.is_halted(purpose="marketing", at=clock.now())
    assert desk.send("must", importance="must").channel == "inbox"  # what must be said does not wait
    desk.provider.set_up()
    assert desk.again("r0").state == "queued"
    lanes.lift_halt(purpose="notice", actor=STAFF)
    desk.again()
    assert (desk.world.row("r0").state, len(desk.texts())) == ("sent", 5)


def test_a_spent_day_begins_again_at_midnight_by_itself(desk: Desk) -> None:
    desk.provider.fault("quota", times=1)
    row = desk.send()
    assert (row.state, row.code) == ("queued", "sms.day_limit")
    assert row.not_before == clock.day_bounds(clock.today())[1]


def test_a_pace_of_the_provider_slows_everybody_down(desk: Desk) -> None:
    desk.provider.fault("too_often", times=1)
    row = desk.send()
    assert (row.state, row.code) == ("queued", "sms.too_fast")
    assert SmsLane.objects.get(purpose="notice").backoff_until is not None
    SmsLane.objects.update(backoff_until=None)
    assert desk.again().state == "sent"


def test_a_number_that_had_one_a_moment_ago_waits_half_a_minute(desk: Desk) -> None:
    desk.provider.set_up(pace_s=30)
    assert desk.send("r0").state == "sent"
    row = desk.send()
    assert (row.state, row.code) == ("queued", "sms.number_pace")
    assert dt.timedelta(seconds=25) < row.not_before - clock.now() < dt.timedelta(seconds=40)


def test_a_number_on_the_providers_list_is_asked_for_once(desk: Desk) -> None:
    desk.provider.set_up(blacklist=[desk.phone])
    assert tries_of(desk.send("r0")) == [("sms", "sms.blacklisted")]
    desk.provider.set_up()  # whatever its list says now, it is not asked before a month is over
    assert tries_of(desk.send()) == [("sms", "sms.blacklisted")]
    SmsBlock.objects.update(until=clock.now())
    assert desk.send("r2").channel == "sms"


@pytest.mark.parametrize(("lost", "code"), [("1002", "sms.bad_template"), ("501", "sms.bad_sign")])
def test_what_the_provider_did_not_approve_is_not_asked_for_again(
    desk: Desk, lost: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.provider.set_up(rejected=[lost])
    assert tries_of(desk.send("r0")) == [("sms", code)]
    assert "sms.review_lost" in caplog.messages
    assert tries_of(desk.send()) == [("sms", "text_unusable")]
    desk.provider.set_up()
    sms_services.sync_reviews(actor=STAFF)
    assert desk.send("r2").channel == "sms"


def test_an_invalid_number_takes_the_next_channel(desk: Desk, settings: Settings) -> None:
    settings.SMS_ENDPOINT = f"{desk.world.server.base_url}/sms"
    status = {"Code": "InvalidParameterValue.IncorrectPhoneNumber", "SerialNo": "", "Fee": 0}
    desk.world.server.script("/", ok(Response={"SendStatusSet": [status], "RequestId": "1"}))
    assert tries_of(desk.send()) == [("sms", "sms.bad_phone")]


@pytest.mark.parametrize("kind", ["slow", "drop", "accept_then_drop", "http_500", "html", "busy"])
def test_what_may_have_gone_out_is_in_doubt_and_never_repeated(desk: Desk, kind: str) -> None:
    desk.provider.fault(kind, delay_s=1.6 if kind == "slow" else 0, times=1)
    row = desk.send()
    assert (row.state, row.channel) == ("uncertain", "sms")
    assert row.cost_hundredths == 450  # it may be on the bill
    SmsLane.objects.update(backoff_until=None)
    desk.again()
    wanted = 1 if kind in ("slow", "accept_then_drop") else 0
    assert desk.provider.arrived(desk.phone, wanted) == [TEXT] * wanted


def test_a_pulled_receipt_that_names_our_reference_ends_the_doubt(desk: Desk, settings: Settings) -> None:
    settings.SMS_PULL_REPORTS = True
    desk.provider.fault("accept_then_drop", times=1)
    assert desk.send().state == "uncertain"
    assert sms_services.pull_reports() == 1
    sms_services.work_reports()
    row = desk.world.row()
    assert (row.state, row.message_id != "") == ("delivered", True)
    assert len(desk.texts()) == 1


def test_nobody_there_is_tried_later(desk: Desk, settings: Settings) -> None:
    settings.SMS_ENDPOINT = "http://127.0.0.1:1/sms"
    row = desk.send()
    assert (row.state, row.code, row.cost_hundredths) == ("queued", "sms.no_connection", 0)


def test_a_sender_killed_between_send_and_record_leaves_it_in_doubt(desk: Desk, tmp_path: Path) -> None:
    server, pid_file = desk.world.server, tmp_path / "pid"

    def kill(_seen: Seen) -> Reply:
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        return ok()

    server.script("/", kill)
    services.reach_member(order=desk.world.order(channels=CHAIN))
    run_killed(KILLED.format(url=f"{server.base_url}/sms", app_id=APP_ID, pid_file=str(pid_file)))
    assert (desk.world.row().state, len(server.calls("/"))) == ("sending", 1)
    Reach.objects.update(leased_until=clock.now() - dt.timedelta(seconds=1))
    services.send_due_reaches()
    assert (desk.world.row().state, desk.world.row().code) == ("uncertain", "sender_died")
    assert desk.texts() == []


def test_six_workers_send_one_text(desk: Desk) -> None:
    services.reach_member(order=desk.world.order(channels=CHAIN))
    at_once([services.send_due_reaches] * 6)
    assert (desk.world.row().state, len(desk.texts())) == ("sent", 1)


# What comes back


def test_a_receipt_settles_its_reach_once(desk: Desk) -> None:
    sent = desk.send()
    told = [desk.receipt(sent.message_id), desk.receipt(sent.message_id, is_delivered=False)]
    assert desk.report(told).json() == {"result": 0, "errmsg": "OK"}
    assert desk.report(told[1:]).status_code == 200  # the first telling counts
    assert desk.world.row().state == "delivered"
    assert SmsReceipt.objects.get().state == "done"


def test_a_text_that_did_not_arrive_takes_the_next_channel_and_was_paid_for(desk: Desk) -> None:
    sent = desk.send()
    desk.report([desk.receipt(sent.message_id, is_delivered=False)])
    row = desk.again()
    assert (row.state, row.channel, tries_of(row)) == ("sent", "inbox", [("sms", "sms.not_delivered")])
    assert (row.segment_count, row.cost_hundredths) == (1, 450)
    desk.report([desk.receipt(sent.message_id, is_delivered=False)])
    assert desk.world.row().channel == "inbox"


def test_the_providers_own_push_arrives(desk: Desk, live_server: Any) -> None:
    desk.provider.set_up(callback_url=f"{live_server.url}/sms/reports/{CALLBACK_KEY}/", dead=[desk.phone])
    desk.send()
    assert wait_for(lambda: SmsReceipt.objects.exists())
    desk.provider.reply(desk.phone, "R")
    assert wait_for(lambda: SmsReply.objects.exists())
    assert (SmsReceipt.objects.get().is_delivered, SmsReply.objects.get().is_opt_out) == (False, True)


def test_a_receipt_before_our_own_note_waits_and_one_of_nobodys_text_ends_unknown(desk: Desk) -> None:
    desk.report([desk.receipt(SERIAL)])
    assert SmsReceipt.objects.get().state == "waiting"
    desk.send()
    Reach.objects.update(message_id=SERIAL)
    SmsReceipt.objects.update(not_before=clock.now())
    sms_services.work_reports()
    assert (SmsReceipt.objects.get().state, desk.world.row().state) == ("done", "delivered")
    desk.report([desk.receipt("2640:999")])
    SmsReceipt.objects.filter(message_id="2640:999").update(
        not_before=clock.now(), received_at=clock.now() - dt.timedelta(minutes=31)
    )
    sms_services.work_reports()
    assert SmsReceipt.objects.get(message_id="2640:999").state == "unknown"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"<html>", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b"5", 400),
        (b"[" * 100_000, 400),
        (b'{"mobile": 13800138000, "text": "T"}', 400),
        (b'[{"sid": 5}, 7, null, {"sid": ""}, {"sid": "a\\u0000b"}]', 200),
        (b'{"mobile": "10086", "nationcode": "86", "text": "T", "time": 1}', 200),
        (b'{"mobile": "13800138000", "nationcode": "852", "text": "T", "time": 1}', 200),
        (b'{"mobile": "13800138000", "nationcode": "86", "text": ["T"], "time": 1}', 200),
    ],
)
def test_bad_reports_leave_nothing(desk: Desk, body: bytes, status: int) -> None:
    assert desk.report(body).status_code == status
    assert not SmsReceipt.objects.exists()
    assert not SmsReply.objects.exists()


def test_forged_reports_are_refused(desk: Desk, settings: Settings) -> None:
    sent = desk.send()
    for key in ("wrong", CALLBACK_KEY[:-1], f"{CALLBACK_KEY}x", "钥匙"):
        assert desk.report([desk.receipt(sent.message_id, is_delivered=False)], key).status_code == 403
    settings.SMS_CALLBACK_KEY = ""
    assert Client().post("/sms/reports//", b"[]", content_type="application/json").status_code == 404
    assert desk.report([desk.receipt(sent.message_id)]).status_code == 403
    assert Client().get(f"/sms/reports/{CALLBACK_KEY}/").status_code == 405
    assert (desk.world.row().state, SmsReceipt.objects.count()) == ("sent", 0)


@pytest.mark.parametrize("text", ["R", "td", "ＴＤ。", " T ", "退订", "请退订！"])
def test_who_answers_no_more_takes_back_her_consent_and_gets_no_more_texts_but_codes(
    desk: Desk, text: str
) -> None:
    privacy_kit.consent_texts()
    agree(desk)
    said = desk.answered(text, clock.now() + dt.timedelta(seconds=2))
    desk.report(said)
    desk.report(said)  # told again
    assert SmsReply.objects.get().state == "done"
    assert member_selectors.has_withdrawn(desk.member_id)
    assert desk.send(importance="must").channel == "inbox"
    sms_services.queue_sms(
        phone=desk.phone,
        template="verification_code",
        params={"code": "402816"},
        reason_key="code",
        send_before=clock.now() + dt.timedelta(minutes=5),
    )
    sms_services.send_due_messages()
    assert len(desk.texts()) == 1
    sms_services.lift_block(block_id=SmsBlock.objects.get().pk, actor=STAFF)
    assert desk.send("r2", importance="must").channel == "sms"


@pytest.mark.parametrize("text", ["好的", "Thanks", "TDD", "今天到店", "我要退货，怎么退订这个呢"])
def test_other_answers_change_nothing(desk: Desk, text: str) -> None:
    desk.report(desk.answered(text))
    assert not SmsReply.objects.get().is_opt_out
    assert desk.send().channel == "sms"


def test_an_answer_from_a_number_of_nobodys_is_kept_and_blocks_it(desk: Desk) -> None:
    desk.report({**desk.answered("T"), "mobile": new_phone()})
    assert (SmsReply.objects.get().state, SmsBlock.objects.count()) == ("done", 1)


def test_numbers_and_texts_are_in_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for number, kind in enumerate(["drop", "html", "http_500", "token_dead", ""]):
        SmsLane.objects.all().delete()
        if kind:
            desk.provider.fault(kind, times=1)
        desk.send(f"r{number}", values={"count": "planted", "day": "明天"})
    desk.report([desk.receipt(SERIAL)])
    desk.report(desk.answered("T"))
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for planted in (desk.phone, "planted", SECRET, CALLBACK_KEY):
        assert planted not in logged


# Who is told at all, and mapping


def test_who_is_known_in_no_app_is_told_where_a_text_can(desk: Desk) -> None:
    stranger = member_services.register_member(name="陈静", phone=new_phone(), source="pos", actor=STAFF).id

    TopicText.objects.create(
        topic="points_expiring",
        template_id=desk.notice.pk,
        fields={"1": {"value": "points"}, "2": {"value": "day"}},
    )

    def tell(key: str) -> int:
        told = MemberText(
            member_id=stranger,
            topic="points_expiring",
            reason_key=key,
            title="积分快到期了",
            text="有 300 积分。",
            values={"points": "300", "day": "明天"},
        )
        return services.tell_members(told=[told], at=clock.now())

    assert tell("s1") == 0
    TopicRule.objects.create(topic="points_expiring", importance="normal", channels="template,sms,inbox")
    assert tell("s2") == 1
    services.send_due_reaches()
    assert desk.world.row("s2").channel == "sms"
    TopicText.objects.update(is_on=False)
    assert tell("s3") == 0


def test_a_topic_is_mapped_to_a_template_and_its_places_are_guessed(desk: Desk) -> None:
    TopicText.objects.all().delete()
    made = map_topic_to_text(
        topic="coupon_expiring", template_id=desk.notice.pk, fields=None, is_on=True, actor=STAFF
    )
    assert TopicText.objects.get(pk=made).fields == FIELDS
    code = SmsTemplate.objects.get(purpose="code")
    with pytest.raises(TextPurposeUnfit):
        map_topic_to_text(topic="sale", template_id=code.pk, fields=None, is_on=True, actor=STAFF)
    for bad in ({"value": "nothing"}, {"words": ""}, {"words": "看 http://a.cn"}, {}):
        with pytest.raises(MappingUnfit) as refused:
            map_topic_to_text(
                topic="coupon_expiring",
                template_id=desk.notice.pk,
                fields={"1": bad, "2": {"value": "day"}},
                is_on=True,
                actor=STAFF,
            )
        assert list(refused.value.details["faults"]) == ["1"]
