"""A text that staff try on a number: once, limited, audited, and never to who takes none."""

import datetime as dt

import pytest
from pytest_django import Settings

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from sms import services
from sms.contracts import ReceiptTold
from sms.errors import NumberTakesNone, SmsHalted, SmsUnfit, TextUnfit, TextUnusable, TooManyTrials
from sms.models import SmsBlock, SmsSpend, SmsTemplate, SmsTrial
from sms.models.reports import BlockReason
from sms.services import lanes
from sms.services.blocks import block_number
from sms.services.trials import PER_NUMBER, PER_STAFF
from tests.sms.kit import NOTICE_TEMPLATE, Provider, add_template, new_phone
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = Actor.staff(1, "总部")
VALUES = ("2", "明天")


@pytest.fixture
def template(provider: Provider) -> SmsTemplate:
    row: SmsTemplate = add_template(**NOTICE_TEMPLATE)
    return row


def try_it(template: SmsTemplate, phone: str, actor: Actor = STAFF, values: tuple[str, ...] = VALUES) -> str:
    return services.try_text(template_id=template.pk, phone=phone, values=values, actor=actor).state


def test_a_text_arrives_and_its_receipt_its_cost_and_who_did_it_are_kept(
    provider: Provider, template: SmsTemplate
) -> None:
    phone = new_phone()
    assert try_it(template, f" {phone[:3]}-{phone[3:]} ") == "sent"
    assert provider.texts(phone) == ["【素衣】您有2张券明天到期，请到店使用。"]
    trial = SmsTrial.objects.get()
    assert (trial.state, trial.phone_tail, trial.tried_by) == ("sent", phone[-4:], "总部")
    told = ReceiptTold(trial.message_id, False, "MK:0001", clock.now())
    services.store_receipts(told=[told])
    services.work_reports()
    [line] = services.list_text_trials(template_id=template.pk)
    assert (line.state, line.code) == ("failed", "sms.not_delivered")
    entry = AuditEntry.objects.get(action="sms.text_tried")
    assert (entry.actor_label, phone in str(vars(entry))) == ("总部", False)
    spend = SmsSpend.objects.get()
    assert (spend.filed_under, spend.template_code, spend.cost_hundredths) == ("trial", template.code, 450)


@pytest.mark.parametrize("reason", list(BlockReason))
def test_a_number_that_takes_no_texts_gets_none(
    provider: Provider, template: SmsTemplate, reason: BlockReason
) -> None:
    phone = new_phone()
    block_number(phone=phone, reason=reason, at=clock.now())
    with pytest.raises(NumberTakesNone):
        try_it(template, phone)
    assert (provider.texts(phone), SmsTrial.objects.count()) == ([], 0)


def test_limits_of_a_number_and_of_an_account(provider: Provider, template: SmsTemplate) -> None:
    phone = new_phone()
    for _time in range(PER_NUMBER):
        assert try_it(template, phone) == "sent"
    with pytest.raises(TooManyTrials):
        try_it(template, phone, Actor.staff(2, "别人"))
    for _time in range(PER_STAFF - PER_NUMBER):
        try_it(template, new_phone())
    with pytest.raises(TooManyTrials):
        try_it(template, new_phone())
    assert try_it(template, new_phone(), Actor.staff(2, "别人")) == "sent"
    SmsTrial.objects.update(tried_at=clock.now() - dt.timedelta(days=1))
    assert try_it(template, phone) == "sent"
    assert len(provider.texts(phone)) == PER_NUMBER + 1


def test_eight_tries_at_once_keep_the_limit(provider: Provider, template: SmsTemplate) -> None:
    phone = new_phone()

    def one() -> str:
        try:
            return try_it(template, phone)
        except TooManyTrials:
            return "refused"

    outcomes = at_once([one] * 8)
    assert sorted(outcomes) == ["refused"] * (8 - PER_NUMBER) + ["sent"] * PER_NUMBER


@pytest.mark.parametrize("phone", ["", "10086", "1380013800", "+1 212 555 0100", "电话"])
def test_what_is_no_number_is_refused(template: SmsTemplate, phone: str) -> None:
    with pytest.raises(SmsUnfit):
        try_it(template, phone)
    assert not SmsTrial.objects.exists()


def test_what_cannot_be_sent_leaves_no_trial(
    provider: Provider, template: SmsTemplate, settings: Settings
) -> None:
    with pytest.raises(TextUnfit):
        try_it(template, new_phone(), values=("", "明天"))
    lanes.halt(purpose="notice", code="sms.no_balance", until=None, at=clock.now())
    with pytest.raises(SmsHalted):
        try_it(template, new_phone())
    SmsTemplate.objects.update(state="rejected")
    with pytest.raises(TextUnusable):
        try_it(template, new_phone())
    assert not SmsTrial.objects.exists()


def test_a_doubtful_answer_is_said_and_stays_on_the_bill(provider: Provider, template: SmsTemplate) -> None:
    provider.fault("accept_then_drop", times=1)
    assert try_it(template, new_phone()) == "uncertain"
    assert (SmsTrial.objects.get().state, SmsSpend.objects.get().text_count) == ("uncertain", 1)
    assert not SmsBlock.objects.exists()
