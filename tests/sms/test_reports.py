"""Codes' receipts, reviews of signs and templates, and what is kept how long."""

import datetime as dt

import pytest
from pytest_django import Settings

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from sms import services
from sms.contracts import ReceiptTold, ReplyTold
from sms.errors import ProviderAway, ProviderRefuses
from sms.models import SmsBlock, SmsMessage, SmsReceipt, SmsReply, SmsSign, SmsTemplate
from sms.models.reports import BlockReason
from sms.services.blocks import block_number
from tests.sms.kit import NOTICE_TEMPLATE, SIGN_ID, Provider, add_template, new_phone

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = Actor.staff(1, "总部")


def send_code(phone: str) -> SmsMessage:
    services.queue_sms(
        phone=phone,
        template="verification_code",
        params={"code": "402816"},
        reason_key="r1",
        send_before=clock.now() + dt.timedelta(minutes=5),
    )
    services.send_due_messages()
    return SmsMessage.objects.get()


@pytest.mark.parametrize(("is_dead", "state"), [(False, "delivered"), (True, "failed")])
def test_a_codes_receipt_settles_its_row(
    provider: Provider, settings: Settings, is_dead: bool, state: str
) -> None:
    settings.SMS_PULL_REPORTS = True
    phone = new_phone()
    provider.set_up(dead=[phone] if is_dead else [])
    row = send_code(phone)
    assert (row.state, row.segment_count, row.cost_hundredths) == ("sent", 1, 450)
    assert services.pull_reports() == 1
    services.work_reports()
    row.refresh_from_db()
    assert (row.state, row.outcome) == (state, "not_delivered" if is_dead else "")


def test_nothing_is_pulled_unless_it_is_asked_for(provider: Provider) -> None:
    send_code(new_phone())
    assert services.pull_reports() == 0


@pytest.mark.parametrize("kind", ["drop", "html", "http_500", "too_often", "token_dead"])
def test_a_pull_that_fails_leaves_the_reports_with_the_provider(
    provider: Provider, settings: Settings, kind: str
) -> None:
    settings.SMS_PULL_REPORTS = True
    send_code(new_phone())
    provider.fault(kind, "PullSmsSendStatus", times=1)
    assert services.pull_reports() == 0
    assert services.pull_reports() == 1


def test_reviews_follow_the_provider_and_its_text_is_kept(provider: Provider) -> None:
    notice = add_template(**{**NOTICE_TEMPLATE, "state": "pending", "text": "另一段{1}{2}"})
    gone = add_template(**{**NOTICE_TEMPLATE, "code": "not-a-number", "title": "别处的"})
    provider.set_up(rejected=[SIGN_ID])
    assert services.sync_reviews(actor=STAFF) == 4  # the notes of the other ones too
    notice.refresh_from_db()
    gone.refresh_from_db()
    assert (notice.state, notice.text) == ("approved", NOTICE_TEMPLATE["text"])
    assert (gone.state, SmsSign.objects.get().state) == ("gone", "rejected")
    assert SmsSign.objects.get().review_note == "内容与用途不符"
    assert services.sync_reviews(actor=STAFF) == 0
    assert AuditEntry.objects.filter(action="sms.review_changed").count() == 4


@pytest.mark.parametrize(
    ("kind", "error"), [("drop", ProviderAway), ("html", ProviderAway), ("token_dead", ProviderRefuses)]
)
def test_reviews_that_cannot_be_asked_for_change_nothing(
    provider: Provider, kind: str, error: type[Exception]
) -> None:
    provider.fault(kind, "DescribeSmsTemplateList", times=1)
    with pytest.raises(error):
        services.sync_reviews(actor=STAFF)
    assert SmsTemplate.objects.get().state == "approved"


def test_what_she_said_outlasts_what_the_provider_says(db: None) -> None:
    phone, now = new_phone(), clock.now()
    block_number(phone=phone, reason=BlockReason.OPTED_OUT, at=now)
    block_number(phone=phone, reason=BlockReason.BLACKLISTED, at=now)
    later = now + dt.timedelta(days=365)
    assert services.list_blocked({1: phone, 2: new_phone()}, at=later) == {1: "sms.opted_out"}
    other = new_phone()
    block_number(phone=other, reason=BlockReason.BLACKLISTED, at=now)
    assert services.list_blocked({1: other}, at=now) == {1: "sms.blacklisted"}
    assert services.list_blocked({1: other}, at=now + dt.timedelta(days=31)) == {}
    block_number(phone=other, reason=BlockReason.OPTED_OUT, at=now)
    assert SmsBlock.objects.filter(until=None).count() == 2


def test_reports_are_kept_once_and_forgotten_in_time(db: None) -> None:
    old = clock.now() - dt.timedelta(days=31)
    phone = new_phone()
    for _time in range(2):
        services.store_receipts(told=[ReceiptTold("2640:1", True, "", old)], at=old)
        services.store_replies(told=[ReplyTold(phone, "好\0的", old), ReplyTold("10086", "T", old)], at=old)
    services.store_receipts(told=[ReceiptTold("2640:2", True, "", clock.now())])
    block_number(phone=phone, reason=BlockReason.BLACKLISTED, at=old)
    assert (SmsReceipt.objects.count(), SmsReply.objects.count()) == (2, 1)
    assert services.prune_reports() == 2
    assert not SmsBlock.objects.exists()
