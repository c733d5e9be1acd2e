"""The outbox of codes by text message: rows, sent at most once each, as the WeChat gateway's are.

A row is written in the transaction of its reason. A worker claims it with a guarded update and a lease, sends with
no transaction open, and writes the outcome only while the lease is still its own.
"""

import datetime as dt
import json
import logging
import secrets
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from core import clock, events, phones
from core.errors import NotFound
from core.outside import refuse_open_transaction
from sms.contracts import SmsCard, SmsText, Spending, TemplateName
from sms.errors import SmsHalted, SmsNotSetUp, SmsUnfit, TextUnfit
from sms.events import SmsQueued
from sms.gateways import Verdict, is_set_up
from sms.models import SmsMessage, SmsState
from sms.services import direct, lanes, texts
from sms.services.spending import note_spending
from sms.wording import OWN_PLACES, count_segments

logger = logging.getLogger(__name__)

# Longer than the slowest send: connecting and reading.
LEASE: Final = dt.timedelta(seconds=60)
LEASE_EXPIRED: Final = "lease_expired"
TOO_LATE: Final = "too_late"
_CHUNK: Final = 5_000


def queue_sms(
    *,
    phone: str,
    template: TemplateName,
    params: dict[str, str],
    reason_key: str,
    send_before: dt.datetime,
    at: dt.datetime | None = None,
) -> bool:
    """The text will be sent to this number once for this reason; False when the reason has its text already.

    After `send_before` it is not sent any more. Refuses what is no mobile number of mainland China, values that are not
    exactly those of the template or do not fit it (SmsUnfit), and everything while no gateway or no approved template is
    there (SmsNotSetUp) or the provider takes none (SmsHalted).
    """
    at = at or clock.now()
    digits = phones.digits_of(phone)
    if not is_set_up():
        raise SmsNotSetUp
    if not phones.is_mobile(digits):
        raise SmsUnfit(field="phone")
    if set(OWN_PLACES[template]) != params.keys():
        raise SmsUnfit(field="params")
    try:
        text = texts.own_text(template, params)
    except TextUnfit as refusal:
        raise SmsUnfit(field="params") from refusal
    if lanes.is_halted(purpose=text.purpose, at=at):
        raise SmsHalted
    message, is_new = SmsMessage.objects.get_or_create(
        reason_key=reason_key,
        defaults={
            "phone": digits,
            "phone_tail": digits[-4:],
            "template": template,
            "params": json.dumps(params, ensure_ascii=False),
            "queued_at": at,
            "not_before": at,
            "send_before": send_before,
        },
    )
    if is_new:
        events.publish(SmsQueued(sms_id=message.pk))
    return is_new


def on_sms_queued(event: SmsQueued) -> None:
    """Send what was just queued."""
    send_sms(sms_id=event.sms_id)


def send_sms(*, sms_id: int) -> SmsCard:
    """Send the text if it is due and nobody else is at it; how it stands afterwards. Raises NotFound.

    sent | failed (too late, refused, or unclear: never repeated) | queued (surely not taken: tried again).
    What is queued behind others of its purpose waits for its turn.
    """
    refuse_open_transaction()
    holder = secrets.token_hex(16)
    now = clock.now()
    claimed = (
        SmsMessage.objects.due(now)
        .filter(pk=sms_id)
        .update(
            state=SmsState.SENDING,
            leased_until=now + LEASE,
            lease_holder=holder,
            attempt_count=F("attempt_count") + 1,
        )
    )
    message = SmsMessage.objects.filter(pk=sms_id).first()
    if message is None:
        raise NotFound
    if not claimed:
        return _card(message)
    text = _text_of(message) if message.send_before > now else None
    if isinstance(text, SmsText):
        return _finish(message, holder, _hand_over(message, text), text)
    return _finish(message, holder, text or Verdict("refused", TOO_LATE))


def send_due_messages(*, limit: int = 100) -> int:
    """Send what is due, the longest waiting first; how many were taken in hand."""
    due = SmsMessage.objects.due(clock.now()).order_by("not_before", "pk")
    sms_ids = list(due.values_list("pk", flat=True)[:limit])
    for sms_id in sms_ids:
        send_sms(sms_id=sms_id)
    return len(sms_ids)


def rescue_stuck_messages() -> int:
    """Give up on texts whose sender died between claim and outcome; how many. Nobody knows whether they went."""
    now = clock.now()
    count = SmsMessage.objects.stuck(now).update(
        state=SmsState.FAILED,
        outcome=LEASE_EXPIRED,
        finished_at=now,
        params="",
        leased_until=None,
        lease_holder="",
    )
    if count:
        logger.warning("sms.messages_unclear", extra={"message_count": count})
    return count


def prune_messages() -> int:
    """Finished texts are deleted after SMS_KEEP_DAYS; how many were."""
    horizon = clock.now() - dt.timedelta(days=settings.SMS_KEEP_DAYS)
    old = SmsMessage.objects.filter(queued_at__lt=horizon).exclude(
        state__in=[SmsState.QUEUED, SmsState.SENDING]
    )
    total = 0
    while chunk := list(old.values_list("pk", flat=True)[:_CHUNK]):
        total += SmsMessage.objects.filter(pk__in=chunk).delete()[0]
    return total


def _text_of(message: SmsMessage) -> SmsText | Verdict:
    """The whole text, or why there is none now: templates come and go while texts wait."""
    template: Any = message.template
    try:
        return texts.own_text(template, json.loads(message.params))
    except SmsNotSetUp:
        return Verdict("later", "not_set_up", pause_s=60)
    except TextUnfit:
        return Verdict("refused", "text_unfit")


def _hand_over(message: SmsMessage, text: SmsText) -> Verdict:
    now = clock.now()
    permits = lanes.take_permits(purpose=text.purpose, wanted=1, at=now)
    if permits.count == 0:
        code = permits.halt_code.removeprefix("sms.") or "too_fast"
        wait_s = 60.0 if permits.wait_until is None else (permits.wait_until - now).total_seconds()
        return Verdict("later", code, pause_s=max(1, min(60, int(wait_s) + 1)))
    return direct.hand_over(phone=message.phone, text=text, reference=message.reason_key)


def _finish(message: SmsMessage, holder: str, verdict: Verdict, text: SmsText | None = None) -> SmsCard:
    """Write the outcome while the lease is ours; after it was taken away, what the rescuer wrote stands."""
    now = clock.now()
    values: dict[str, Any] = {"outcome": verdict.code, "leased_until": None, "lease_holder": ""}
    if verdict.fate in ("later", "halted"):
        values |= {"state": SmsState.QUEUED, "not_before": now + dt.timedelta(seconds=verdict.pause_s)}
    else:
        is_sent = verdict.fate == "sent"
        values |= {
            "state": SmsState.SENT if is_sent else SmsState.FAILED,
            "finished_at": now,
            "provider_ref": verdict.provider_ref,
            "params": "",
        }
        if text is not None and verdict.fate in ("sent", "unclear"):
            count = verdict.segment_count or count_segments(text.whole)
            values |= {"segment_count": count, "cost_hundredths": direct.cost_of(text, count)}
    held = SmsMessage.objects.filter(pk=message.pk, state=SmsState.SENDING, lease_holder=holder)
    with transaction.atomic():
        is_ours = bool(held.update(**values))
        if is_ours and "segment_count" in values and text is not None:
            spent = Spending(
                text.purpose,
                text.code,
                message.template[:20],
                values["segment_count"],
                values["cost_hundredths"],
            )
            note_spending(spent=[spent])
    if not is_ours:
        logger.warning("sms.outcome_too_late", extra={"sms_id": message.pk})
    elif values["state"] == SmsState.FAILED:
        logger.warning("sms.not_sent", extra={"sms_id": message.pk, "outcome": verdict.code})
    return _card(SmsMessage.objects.get(pk=message.pk))


def _card(message: SmsMessage) -> SmsCard:
    state: Any = message.state
    return SmsCard(message.pk, state, message.outcome, message.queued_at)
