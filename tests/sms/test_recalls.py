"""Answers that were lost on their way: what the provider told once it tells again of a number that is named."""

import datetime as dt
import itertools
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import Settings

from core import clock
from sms import services
from sms.contracts import LostReports
from sms.models import PullState, SmsMessage, SmsPull, SmsReceipt, SmsReply
from sms.services import recalls
from tests.killed_job import killed_while_waiting
from tests.sms.kit import Provider, new_phone
from tests.sms.test_pulls import job
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

BY_NUMBER = "PullSmsSendStatusByPhoneNumber"
_numbers = itertools.count()
HELD = 7_316_999


@pytest.fixture
def pulling(provider: Provider, settings: Settings) -> Provider:
    settings.SMS_PULL_REPORTS = True
    return provider


@pytest.fixture
def slow_update() -> Iterator[str]:
    """Every change of a question waits for whoever holds this lock; asking does not."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_advisory_xact_lock({HELD}); RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER wait_for_test BEFORE UPDATE ON sms_smspull FOR EACH ROW EXECUTE FUNCTION wait_for_test()"
        )
    yield f"SELECT pg_advisory_xact_lock({HELD})"
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER wait_for_test ON sms_smspull")
        cursor.execute("DROP FUNCTION wait_for_test()")


def send_code(phone: str) -> SmsMessage:
    key = f"recall{next(_numbers)}"
    services.queue_sms(
        phone=phone,
        template="verification_code",
        params={"code": "402816"},
        reason_key=key,
        send_before=clock.now() + dt.timedelta(minutes=5),
    )
    services.send_due_messages()
    return SmsMessage.objects.get(reason_key=key)


def nobody(lost: LostReports, after: int, limit: int) -> list[tuple[int, str]]:
    return []


def recall() -> int:
    return services.recall_reports(texted=nobody)


def lose(provider: Provider, action: str = "PullSmsSendStatus") -> None:
    """The provider gives its reports away, and the connection breaks."""
    provider.fault("accept_then_drop", action, times=1)
    assert services.pull_reports() == 0
    assert services.count_lost_pulls(at=clock.now()) == 1


def state_of(row: SmsMessage) -> str:
    services.work_reports()
    return SmsMessage.objects.get(pk=row.pk).state


def test_what_was_given_and_never_arrived_is_asked_for_by_number(pulling: Provider) -> None:
    row = send_code(new_phone())
    lose(pulling)
    assert (services.pull_reports(), state_of(row)) == (0, "sent")
    assert recall() == 1
    assert state_of(row) == "delivered"
    assert (SmsPull.objects.get().state, services.count_lost_pulls(at=clock.now())) == ("recalled", 0)
    assert recall() == 0


def test_a_process_killed_between_the_answer_and_its_row_loses_nothing(
    pulling: Provider, slow_update: str
) -> None:
    row = send_code(new_phone())
    with killed_while_waiting(job(pulling), lock=slow_update):
        assert SmsPull.objects.get().state == PullState.ASKED
    assert (services.pull_reports(), SmsReceipt.objects.count()) == (0, 0)
    assert services.work_pulls(at=clock.now() + dt.timedelta(minutes=6)) == 1
    assert (recall(), state_of(row)) == (1, "delivered")


def test_replies_that_were_lost_are_asked_for_as_well(pulling: Provider) -> None:
    phone = new_phone()
    send_code(phone)
    services.pull_reports()
    pulling.reply(phone, "TD")
    lose(pulling, "PullSmsReplyStatus")
    assert recall() == 1
    reply = SmsReply.objects.get()
    assert (reply.phone, reply.is_opt_out) == (phone, True)
    recall()
    assert SmsReply.objects.count() == 1


def test_a_walk_that_is_refused_or_broken_off_goes_on_where_it_was(
    pulling: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [send_code(new_phone()) for _number in range(3)]
    lose(pulling)
    monkeypatch.setattr(recalls, "_AT_ONCE", 1)
    monkeypatch.setattr(recalls, "_HANDFUL", 1)
    pulling.fault("too_often", BY_NUMBER, times=1)
    assert [recall() for _run in range(5)] == [0, 1, 1, 1, 0]
    assert [state_of(row) for row in rows] == ["delivered"] * 3
    assert SmsPull.objects.get().state == "recalled"


def test_many_lost_answers_are_one_walk_and_a_later_one_is_its_own(pulling: Provider) -> None:
    row = send_code(new_phone())
    now = clock.now()
    for minutes in (1, 2, 3):
        SmsPull.objects.create(kind="receipts", state="lost", asked_at=now - dt.timedelta(minutes=minutes))
    later = SmsPull.objects.create(kind="receipts", state="lost", asked_at=now + dt.timedelta(minutes=1))
    old = SmsPull.objects.create(kind="receipts", state="lost", asked_at=now - dt.timedelta(days=8))
    assert (recall(), state_of(row)) == (1, "delivered")
    assert set(SmsPull.objects.filter(state="lost")) == {later, old}


def test_an_answer_that_is_none_is_asked_for_again(
    pulling: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [send_code(new_phone()) for _number in range(2)]
    lose(pulling)
    pulling.fault("html", BY_NUMBER, times=1)
    assert recall() == 0
    assert recall() == 2
    assert [state_of(row) for row in rows] == ["delivered"] * 2
    assert rows[0].phone not in caplog.text


def test_two_at_once_are_one(pulling: Provider) -> None:
    send_code(new_phone())
    lose(pulling)

    def meanwhile(lost: LostReports, after: int, limit: int) -> list[tuple[int, str]]:
        assert at_once([recall]) == [0]
        return []

    assert services.recall_reports(texted=meanwhile) == 1
