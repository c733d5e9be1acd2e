"""Text messages: queued with their reason, sent at most once, their outcome known."""

import datetime as dt
import logging
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from core import clock
from sms import services
from sms.errors import SmsHalted, SmsNotSetUp, SmsUnfit
from sms.models import SmsLane, SmsMessage, SmsTemplate
from sms.services import lanes
from tests.sms.kit import Provider, new_phone
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def queue(phone: str, key: str = "reason-1", **changes: Any) -> bool:
    values: dict[str, Any] = {
        "phone": phone,
        "template": "verification_code",
        "params": {"code": "402816"},
        "reason_key": key,
        "send_before": clock.now() + dt.timedelta(minutes=5),
    }
    return services.queue_sms(**values | changes)


def only() -> SmsMessage:
    return SmsMessage.objects.get()


def test_a_text_is_queued_once_for_a_reason_and_arrives_once(provider: Provider) -> None:
    phone = new_phone()
    assert (queue(phone), queue(phone)) == (True, False)
    services.send_due_messages()
    services.send_due_messages()
    assert provider.texts(phone) == ["【素衣】您的验证码是 402816，5 分钟内有效。"]
    row = only()
    assert (row.state, row.params, row.attempt_count) == ("sent", "", 1)
    assert row.provider_ref


def test_ten_workers_at_once_send_one_text(provider: Provider) -> None:
    phone = new_phone()
    queue(phone)
    sms_id = only().pk
    at_once([lambda: services.send_sms(sms_id=sms_id)] * 10)
    assert len(provider.texts(phone)) == 1
    assert only().attempt_count == 1


def test_number_and_content_are_sealed(provider: Provider) -> None:
    phone = new_phone()
    queue(phone)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM sms_smsmessage t")
        stored = str(cursor.fetchall())
    assert phone not in stored
    assert "402816" not in stored
    assert phone[-4:] in stored


@pytest.mark.parametrize(
    ("kind", "state", "outcome", "count"),
    [
        ("slow", "failed", "timeout", 1),
        ("drop", "failed", "connection", 0),
        ("accept_then_drop", "failed", "connection", 1),
        ("http_500", "failed", "http_trouble", 0),
        ("html", "failed", "unreadable", 0),
        ("busy", "failed", "busy", 0),
    ],
)
def test_what_is_unclear_or_refused_is_never_repeated(
    provider: Provider, settings: Any, kind: str, state: str, outcome: str, count: int
) -> None:
    if kind == "slow":
        settings.SMS_TIMEOUT_S = 1
    phone = new_phone()
    queue(phone)
    provider.fault(kind, delay_s=1.5 if kind == "slow" else 0, times=1)
    services.send_due_messages()
    assert (only().state, only().outcome, only().params) == (state, outcome, "")
    services.send_due_messages()
    assert len(provider.arrived(phone, count)) == count


@pytest.mark.parametrize(
    ("kind", "outcome"), [("too_often", "too_fast"), ("quota", "day_limit"), ("token_dead", "misconfigured")]
)
def test_what_was_surely_not_sent_is_tried_again_later(provider: Provider, kind: str, outcome: str) -> None:
    phone = new_phone()
    queue(phone, send_before=clock.now() + dt.timedelta(hours=2))
    provider.fault(kind, times=1)
    services.send_due_messages()
    assert (only().state, only().outcome) == ("queued", outcome)
    services.send_due_messages()
    assert provider.texts(phone) == []
    SmsMessage.objects.update(not_before=clock.now())  # the pause is over
    SmsLane.objects.all().delete()  # and whatever stopped or slowed the rest of them
    services.send_due_messages()
    assert (only().state, len(provider.texts(phone))) == ("sent", 1)


def test_a_provider_that_is_not_there_is_tried_again(provider: Provider, settings: Any) -> None:
    queue(new_phone())
    settings.SMS_ENDPOINT = "http://127.0.0.1:1/sms"
    services.send_due_messages()
    assert (only().state, only().outcome) == ("queued", "no_connection")


def test_a_text_that_comes_too_late_is_not_sent(provider: Provider) -> None:
    phone = new_phone()
    queue(phone)
    with time_machine.travel(clock.now() + dt.timedelta(minutes=6), tick=True):
        services.send_due_messages()
    assert (only().state, only().outcome) == ("failed", "too_late")
    assert provider.texts(phone) == []


def test_a_sender_that_died_leaves_a_failed_text(provider: Provider) -> None:
    phone = new_phone()
    queue(phone)
    SmsMessage.objects.update(
        state="sending", lease_holder="dead", leased_until=clock.now() - dt.timedelta(seconds=1)
    )
    assert services.rescue_stuck_messages() == 1
    assert (only().state, only().outcome, only().params) == ("failed", "lease_expired", "")
    services.send_due_messages()
    assert provider.texts(phone) == []


@pytest.mark.parametrize(
    ("setting", "value", "outcome"),
    [
        ("SMS_KEY_SECRET", "wrong", "misconfigured"),
        ("SMS_KEY_ID", "nobody", "misconfigured"),
        ("SMS_APP_ID", "1400000009", "misconfigured"),
    ],
)
def test_a_wrong_set_up_is_told_by_the_provider(
    provider: Provider, settings: Any, setting: str, value: Any, outcome: str
) -> None:
    queue(new_phone())
    setattr(settings, setting, value)
    services.send_due_messages()
    assert (only().state, only().outcome) == ("queued", outcome)
    assert lanes.is_halted(purpose="code", at=clock.now())
    with pytest.raises(SmsHalted):
        queue(new_phone(), "another")


def test_no_socket_is_opened_inside_a_transaction(provider: Provider) -> None:
    queue(new_phone())
    with transaction.atomic(), pytest.raises(RuntimeError):
        services.send_sms(sms_id=only().pk)


def test_what_cannot_be_sent_is_refused(provider: Provider, settings: Any) -> None:
    for number in ("12345", "", "+15551234567"):
        with pytest.raises(SmsUnfit):
            queue(number)
    for params in ({}, {"code": "1", "name": "x"}, {"name": "x"}):
        with pytest.raises(SmsUnfit):
            queue(new_phone(), params=params)
    with pytest.raises(SmsUnfit):
        queue(new_phone(), params={"code": "１２３"})
    SmsTemplate.objects.update(state="rejected")
    with pytest.raises(SmsNotSetUp):
        queue(new_phone())
    SmsTemplate.objects.update(state="approved")
    settings.SMS_GATEWAY = ""
    with pytest.raises(SmsNotSetUp):
        queue(new_phone())
    assert not SmsMessage.objects.exists()


def test_the_console_shows_the_text_in_development_and_never_in_production(
    settings: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.SMS_GATEWAY = "console"
    phone = new_phone()
    queue(phone, "one")
    services.send_due_messages()
    shown = capsys.readouterr().err
    assert "402816" in shown
    settings.PRODUCTION = True
    queue(phone, "two")
    services.send_due_messages()
    assert "402816" not in capsys.readouterr().err
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert phone not in shown + logged
    assert "402816" not in logged


def test_numbers_codes_and_secrets_are_in_no_log(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    phone = new_phone()
    for n, kind in enumerate(["drop", "html", "busy", "http_500"]):
        provider.fault(kind, times=1)
        queue(phone, f"reason-{n}")
        services.send_due_messages()
        SmsLane.objects.all().delete()
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for planted in (phone, "402816", "planted-secret"):
        assert planted not in logged


def test_finished_texts_are_forgotten_in_time(provider: Provider) -> None:
    queue(new_phone(), "sent")
    services.send_due_messages()
    queue(new_phone(), "waiting")
    SmsMessage.objects.update(queued_at=clock.now() - dt.timedelta(days=31))
    assert services.prune_messages() == 1
    assert only().reason_key == "waiting"
