"""Pulled reports: the provider gives each once, so nothing of them may be lost on the way."""

import datetime as dt

import pytest
from pytest_django import Settings

from core import clock
from sms import services
from sms.models import PullState, SmsMessage, SmsPull, SmsReceipt, SmsReply
from tests.killed_job import killed_while_waiting
from tests.sms.kit import APP_ID, SECRET, Provider, new_phone
from tests.sms.test_reports import send_code

pytestmark = pytest.mark.django_db(transaction=True)

PULL = """
from django.conf import settings
from sms import services
settings.SMS_GATEWAY, settings.SMS_ENDPOINT, settings.SMS_PULL_REPORTS = "tencent", {url!r}, True
settings.SMS_APP_ID, settings.SMS_KEY_ID, settings.SMS_KEY_SECRET = {app_id!r}, {key_id!r}, {secret!r}
services.pull_reports()
"""


@pytest.fixture
def pulling(provider: Provider, settings: Settings) -> Provider:
    settings.SMS_PULL_REPORTS = True
    return provider


def job(provider: Provider) -> str:
    return PULL.format(url=f"{provider.base_url}/sms", app_id=APP_ID, key_id=provider.key_id, secret=SECRET)


def test_a_process_killed_between_the_answer_and_its_receipts_loses_nothing(pulling: Provider) -> None:
    row = send_code(new_phone())
    with killed_while_waiting(job(pulling), lock="LOCK TABLE sms_smsreceipt IN EXCLUSIVE MODE"):
        assert not SmsReceipt.objects.exists()
        assert SmsPull.objects.get().state == PullState.STORED
    assert services.pull_reports() == 0  # the provider has given it away
    assert services.work_pulls() == 1
    services.work_reports()
    row.refresh_from_db()
    assert (row.state, SmsReceipt.objects.count(), SmsPull.objects.count()) == ("delivered", 1, 0)
    assert services.work_pulls() == 0


def test_a_process_killed_before_it_asks_leaves_the_reports_with_the_provider(pulling: Provider) -> None:
    send_code(new_phone())
    with killed_while_waiting(job(pulling), lock="LOCK TABLE sms_smspull IN EXCLUSIVE MODE"):
        assert not SmsPull.objects.exists()
    assert services.pull_reports() == 1


def test_a_process_that_died_with_the_answer_in_hand_is_told_of(
    pulling: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    now = clock.now()
    SmsPull.objects.create(kind="receipts", asked_at=now - dt.timedelta(minutes=4))
    assert (services.work_pulls(), services.count_lost_pulls(at=now)) == (0, 0)
    later = now + dt.timedelta(minutes=2)
    assert (services.work_pulls(at=later), services.count_lost_pulls(at=later)) == (1, 1)
    assert "sms.pull_lost" in caplog.messages
    assert services.count_lost_pulls(at=now + dt.timedelta(days=2)) == 0
    assert services.prune_pulls(at=now + dt.timedelta(days=60)) == 1


@pytest.mark.parametrize(("kind", "lost"), [("drop", 1), ("html", 1), ("too_often", 0), ("token_dead", 0)])
def test_an_unclear_answer_is_told_of_and_a_refusal_is_none(pulling: Provider, kind: str, lost: int) -> None:
    send_code(new_phone())
    pulling.fault(kind, "PullSmsSendStatus", times=1)
    assert services.pull_reports() == 0
    assert services.count_lost_pulls(at=clock.now()) == lost
    assert services.pull_reports() == 1


@pytest.mark.parametrize("body", ["", "<html>", "7070707", "{}", '{"Response": {"PullSmsSendStatusSet": 7}}'])
def test_an_answer_that_cannot_be_read_is_kept_for_a_person(
    pulling: Provider, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    SmsPull.objects.create(kind="receipts", state="stored", body=body, asked_at=clock.now())
    services.work_pulls()
    assert (SmsPull.objects.get().state, "sms.pull_unreadable" in caplog.messages) == ("unreadable", True)
    assert body == "" or body not in caplog.text


def test_lines_that_are_none_are_passed_over(pulling: Provider) -> None:
    lines = '[5, null, {}, {"SerialNo": "2640:1", "ReportStatus": "SUCCESS", "UserReceiveTime": "x"}]'
    SmsPull.objects.create(
        kind="receipts",
        state="stored",
        body=f'{{"Response": {{"PullSmsSendStatusSet": {lines}}}}}',
        asked_at=clock.now(),
    )
    services.work_pulls()
    assert [row.message_id for row in SmsReceipt.objects.all()] == ["2640:1"]


def test_replies_are_pulled_as_well(pulling: Provider) -> None:
    phone = new_phone()
    send_code(phone)
    pulling.reply(phone, "好的")
    assert services.pull_reports() == 2
    assert (SmsReply.objects.get().text, SmsMessage.objects.count()) == ("好的", 1)
    assert not SmsPull.objects.exists()
