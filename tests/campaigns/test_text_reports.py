"""What comes back of texts: receipts, replies, forged and broken ones."""

import datetime as dt
import logging
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from campaigns import services
from campaigns.models import Reach
from core import clock
from members import selectors as member_selectors
from sms import services as sms_services
from sms.models import SmsBlock, SmsLane, SmsReceipt, SmsReply
from tests.campaigns.kit import tries_of
from tests.campaigns.text_kit import SERIAL, STAFF, Desk, agree
from tests.members import privacy_kit
from tests.sms.kit import (
    CALLBACK_KEY,
    SECRET,
    new_phone,
    wait_for,
)


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


def test_a_lost_receipt_and_a_lost_refusal_are_asked_for_by_number(desk: Desk, settings: Settings) -> None:
    settings.SMS_PULL_REPORTS = True
    first = desk.send()
    desk.provider.reply(desk.phone, "R")
    desk.provider.fault("accept_then_drop", "PullSmsSendStatus", times=1)
    desk.provider.fault("accept_then_drop", "PullSmsReplyStatus", times=1)
    assert sms_services.pull_reports() == 0
    assert (desk.world.row().state, SmsReceipt.objects.count()) == ("sent", 0)
    assert services.recall_lost_reports() == 2
    sms_services.work_reports()
    first.refresh_from_db()
    assert first.state == "delivered"
    assert (SmsReply.objects.get().state, SmsBlock.objects.count()) == ("done", 1)


def test_a_lost_receipt_ends_the_doubt_about_a_text_whose_answer_was_lost(
    desk: Desk, settings: Settings
) -> None:
    settings.SMS_PULL_REPORTS = True
    desk.provider.fault("accept_then_drop", times=1)
    assert desk.send().state == "uncertain"
    desk.provider.fault("accept_then_drop", "PullSmsSendStatus", times=1)
    sms_services.pull_reports()
    assert services.recall_lost_reports() == 1
    sms_services.work_reports()
    assert desk.world.row().state == "delivered"
