"""Trying a template: one real text to a number that somebody of the staff typed.

It costs money and disturbs whoever has the number, so it has a right of its own, limits for each account and each number,
and never goes to a number that takes no texts.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction

from core import audit, clock, crypto, phones
from core.actor import Actor
from core.outside import refuse_open_transaction
from sms.contracts import SmsOutcome, Spending
from sms.errors import NumberTakesNone, SmsHalted, SmsUnfit, TextUnusable, TooManyTrials
from sms.models import SmsTemplate, SmsTrial
from sms.services import lanes, texts
from sms.services.blocks import list_blocked
from sms.services.direct import send_text
from sms.services.spending import note_spending

PER_STAFF: Final = 10
STAFF_SPAN: Final = dt.timedelta(hours=1)
PER_NUMBER: Final = 3
NUMBER_SPAN: Final = dt.timedelta(days=1)
FILED_UNDER: Final = "trial"
SHOWN: Final = 10
_CONTEXT: Final = "sms.trials"
# First half of the advisory lock's key; the second is the account's number.
_TURN: Final = 75_360_214


@dataclasses.dataclass(frozen=True, slots=True)
class TextTrial:
    """One trial as its list shows it."""

    tried_at: dt.datetime
    tried_by: str
    phone_tail: str
    state: str
    code: str


def try_text(
    *, template_id: int, phone: str, values: Sequence[str], actor: Actor, at: dt.datetime | None = None
) -> SmsOutcome:
    """One text of the template goes to the number now. Not inside a transaction.

    Refuses (SmsUnfit) what is no mobile number, (NumberTakesNone) one that takes no texts, (TextUnusable) a template that
    cannot be sent, TextUnfit, (TooManyTrials) the account's eleventh in an hour and a number's fourth in a day, and
    (SmsHalted) while texts of its purpose are stopped.
    """
    refuse_open_transaction()
    now = at or clock.now()
    digits = phones.digits_of(phone)
    if not phones.is_mobile(digits):
        raise SmsUnfit(field="phone")
    card = texts.get_text(template_id)
    if card.trouble:
        raise TextUnusable(code=card.trouble)
    text = texts.fill_text(card, values)
    if lanes.is_halted(purpose=card.purpose, at=now):
        raise SmsHalted
    trial_id = _begin(template_id, digits, actor, now)
    outcome = send_text(phone=digits, text=text, reference=f"trial:{trial_id}")
    with transaction.atomic():
        SmsTrial.objects.filter(pk=trial_id).update(
            state=outcome.state, code=outcome.code, message_id=outcome.message_id
        )
        if outcome.segment_count:
            spent = Spending(
                text.purpose, text.code, FILED_UNDER, outcome.segment_count, outcome.cost_hundredths
            )
            note_spending(spent=[spent])
    return outcome


def _begin(template_id: int, phone: str, actor: Actor, now: dt.datetime) -> int:
    """The trial is a row before it leaves; limits are counted from the rows, one trial at a time."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])
        if list_blocked({0: phone}, at=now):
            raise NumberTakesNone(field="phone")
        mine = SmsTrial.objects.filter(tried_by_id=actor.id, tried_at__gt=now - STAFF_SPAN)
        same = SmsTrial.objects.filter(
            phone_index__in=crypto.blind_indexes(phone, context=_CONTEXT), tried_at__gt=now - NUMBER_SPAN
        )
        if mine.count() >= PER_STAFF or same.count() >= PER_NUMBER:
            raise TooManyTrials
        trial = SmsTrial.objects.create(
            template_id=template_id,
            phone_index=crypto.blind_index(phone, context=_CONTEXT),
            phone_tail=phone[-4:],
            tried_by_id=actor.id,
            tried_by=actor.label[:80],
            tried_at=now,
        )
        audit.record(
            action="sms.text_tried",
            subject=SmsTemplate(pk=template_id),
            actor=actor,
            at=now,
            trial_id=trial.pk,
        )
    return trial.pk


def settle_trial(*, message_id: str, is_delivered: bool) -> bool:
    """A receipt tells what became of a trial; whether it is one."""
    rows = SmsTrial.objects.filter(message_id=message_id)
    state, code = ("delivered", "") if is_delivered else ("failed", "sms.not_delivered")
    return bool(rows.update(state=state, code=code))


def list_text_trials(*, template_id: int) -> Sequence[TextTrial]:
    """The newest trials of a template."""
    rows = SmsTrial.objects.filter(template_id=template_id).order_by("-tried_at", "-pk")[:SHOWN]
    return [TextTrial(row.tried_at, row.tried_by, row.phone_tail, row.state, row.code) for row in rows]


def forget_trials(*, phone: str) -> int:
    """No trial tells of the number any more; how many did."""
    rows = SmsTrial.objects.filter(phone_index__in=crypto.blind_indexes(phone, context=_CONTEXT))
    return rows.update(phone_index="", phone_tail="")
