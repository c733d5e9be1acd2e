"""Everything that is kept under one number: for its owner's copy, and for her erasure."""

import datetime as dt
from collections.abc import Sequence

from core import clock, crypto
from sms.contracts import NumberLine
from sms.models import SmsBlock, SmsMessage, SmsReply
from sms.services.blocks import CONTEXT
from sms.services.trials import forget_trials


def tell_number(*, phone: str) -> Sequence[NumberLine]:
    """Codes that went to the number, what came back from it, and whether it takes no texts; the oldest first."""
    lines = [NumberLine("code", row.queued_at, "") for row in _messages(phone)]
    lines += [NumberLine("reply", row.told_at, row.text) for row in _replies(phone)]
    indexes = crypto.blind_indexes(phone, context=CONTEXT)
    lines += [
        NumberLine("blocked", row.blocked_at, row.reason)
        for row in SmsBlock.objects.filter(phone_index__in=indexes)
    ]
    return sorted(lines, key=lambda line: line.at)


def forget_number(*, phone: str, at: dt.datetime | None = None) -> int:
    """Codes and replies of the number are gone; how many rows changed. That it takes no texts stays, as a fingerprint
    without the number's end: who said no is not written to again because she was erased."""
    now = at or clock.now()
    touched = SmsReply.objects.filter(pk__in=[row.pk for row in _replies(phone)]).delete()[0]
    touched += (
        SmsMessage.objects.filter(pk__in=[row.pk for row in _messages(phone)])
        .exclude(leased_until__gt=now)
        .delete()[0]
    )
    indexes = crypto.blind_indexes(phone, context=CONTEXT)
    blocks = SmsBlock.objects.filter(phone_index__in=indexes).exclude(phone_tail="")
    return touched + blocks.update(phone_tail="") + forget_trials(phone=phone)


def _replies(phone: str) -> list[SmsReply]:
    """Numbers are sealed: those with the same end are looked at."""
    return [row for row in SmsReply.objects.filter(phone_tail=phone[-4:]) if row.phone == phone]


def _messages(phone: str) -> list[SmsMessage]:
    return [row for row in SmsMessage.objects.filter(phone_tail=phone[-4:]) if row.phone == phone]
