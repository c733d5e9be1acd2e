"""Receipts and replies: stored once as they come, worked off by whoever is awake.

The provider gives no key to know a repeat by and may be faster than the sender's own note, so a receipt that nobody knows yet
waits; one that nobody ever knew ends as unknown.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Sequence
from typing import Final

from django.conf import settings

from core import clock, crypto, events, phones
from core.errors import NotFound, Refusal
from sms.contracts import ReceiptTold, ReplyTold
from sms.events import OptOutReceived, ReportsArrived, TextReported
from sms.models import ReportState, SmsBlock, SmsMessage, SmsReceipt, SmsReply, SmsState
from sms.models.reports import BlockReason
from sms.services.blocks import block_number
from sms.services.trials import settle_trial
from sms.wording import is_opt_out

logger = logging.getLogger(__name__)

# The sender's note is seconds behind at most; whose text this is not by then is another system's under the same key.
_KNOWN_WITHIN: Final = dt.timedelta(minutes=30)
_LONGEST_PAUSE_S: Final = 300
_REPLY_LENGTH: Final = 200
_CONTEXT: Final = "sms.replies"


def store_receipts(*, told: Sequence[ReceiptTold], at: dt.datetime | None = None) -> None:
    """These are kept, each text's first; then somebody is woken to work them off."""
    now = at or clock.now()
    SmsReceipt.objects.bulk_create(
        [
            SmsReceipt(
                message_id=one.message_id[:80],
                reference=one.reference,
                is_delivered=one.is_delivered,
                code=one.code[:40],
                told_at=one.at,
                received_at=now,
                not_before=now,
            )
            for one in told
            if one.message_id
        ],
        ignore_conflicts=True,
    )
    events.dispatch_soon(ReportsArrived())


def store_replies(*, told: Sequence[ReplyTold], at: dt.datetime | None = None) -> None:
    """These are kept, each once; then somebody is woken to work them off. What is no number of ours is left out."""
    now = at or clock.now()
    rows = []
    for one in told:
        phone = phones.digits_of(one.phone)
        if not phones.is_mobile(phone):
            continue
        words = f"{phone}:{int(one.at.timestamp())}:{hashlib.sha256(one.text.encode(errors='replace')).hexdigest()}"
        rows.append(
            SmsReply(
                phone=phone,
                phone_tail=phone[-4:],
                text=one.text.encode(errors="replace").decode().replace("\0", "")[:_REPLY_LENGTH],
                is_opt_out=is_opt_out(one.text),
                told_at=one.at,
                received_at=now,
                digest=crypto.blind_index(words, context=_CONTEXT),
                not_before=now,
            )
        )
    SmsReply.objects.bulk_create(rows, ignore_conflicts=True)
    events.dispatch_soon(ReportsArrived())


def on_reports_arrived(event: ReportsArrived) -> None:
    """Work off what was just stored."""
    work_reports()


def work_reports(*, limit: int = 2_000) -> int:
    """Receipts reach their texts, opt-outs their members; how many were looked at. Safe to run twice at once: whatever
    hears of one does nothing the second time."""
    now = clock.now()
    receipts = list(SmsReceipt.objects.due(now).order_by("not_before", "pk")[:limit])
    for receipt in receipts:
        _work_receipt(receipt)
    replies = list(SmsReply.objects.due(now).order_by("not_before", "pk")[:limit])
    for reply in replies:
        _work_reply(reply)
    return len(receipts) + len(replies)


def get_reply(reply_id: int) -> ReplyTold:
    """Who answered what; for a handler of OptOutReceived. Raises NotFound."""
    row = SmsReply.objects.filter(pk=reply_id).first()
    if row is None:
        raise NotFound
    return ReplyTold(row.phone, row.text, row.told_at)


def prune_reports(*, at: dt.datetime | None = None) -> int:
    """Receipts and replies past SMS_KEEP_DAYS are deleted, and blocks that are over; how many of the first."""
    now = at or clock.now()
    horizon = now - dt.timedelta(days=settings.SMS_KEEP_DAYS)
    SmsBlock.objects.filter(until__lt=now).delete()
    receipts = SmsReceipt.objects.filter(received_at__lt=horizon).delete()[0]
    return receipts + SmsReply.objects.filter(received_at__lt=horizon).delete()[0]


def _work_receipt(receipt: SmsReceipt) -> None:
    if _settle_own(receipt) or settle_trial(message_id=receipt.message_id, is_delivered=receipt.is_delivered):
        _done(receipt)
        return
    try:
        events.deliver(
            TextReported(
                message_id=receipt.message_id,
                reference=receipt.reference,
                is_delivered=receipt.is_delivered,
                code=receipt.code,
            )
        )
    except Refusal:
        _wait(receipt)
        return
    except Exception:
        logger.exception("sms.receipt_failed", extra={"receipt_id": receipt.pk})
        _wait(receipt)
        return
    _done(receipt)


def _settle_own(receipt: SmsReceipt) -> bool:
    """A code's text is ours to settle; whether it is one."""
    rows = SmsMessage.objects.filter(provider_ref=receipt.message_id)
    state = SmsState.DELIVERED if receipt.is_delivered else SmsState.FAILED
    outcome = "" if receipt.is_delivered else "not_delivered"
    return bool(rows.filter(state=SmsState.SENT).update(state=state, outcome=outcome)) or rows.exists()


def _work_reply(reply: SmsReply) -> None:
    if reply.is_opt_out:
        block_number(phone=reply.phone, reason=BlockReason.OPTED_OUT, at=reply.told_at)
        try:
            events.deliver(OptOutReceived(reply_id=reply.pk))
        except Exception:
            logger.exception("sms.opt_out_failed", extra={"reply_id": reply.pk})
            _wait(reply)
            return
    _done(reply)


def _done(row: SmsReceipt | SmsReply) -> None:
    type(row)._default_manager.filter(pk=row.pk, state=ReportState.WAITING).update(state=ReportState.DONE)


def _wait(row: SmsReceipt | SmsReply) -> None:
    """Looked at again, less and less often, for half an hour; a reply, which cannot be unknown, for as long as it is kept."""
    now = clock.now()
    pause = dt.timedelta(seconds=min(2**row.try_count, _LONGEST_PAUSE_S))
    is_over = isinstance(row, SmsReceipt) and now + pause > row.received_at + _KNOWN_WITHIN
    type(row)._default_manager.filter(pk=row.pk, state=ReportState.WAITING).update(
        state=ReportState.UNKNOWN if is_over else ReportState.WAITING,
        try_count=min(row.try_count + 1, 20),
        not_before=now + pause,
    )
