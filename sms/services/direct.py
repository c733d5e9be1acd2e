"""Sending one text whose record the caller keeps. What the provider says of more than the one text (slow down, stop, this
template is none) is told to all workers before the outcome is returned. Permits are the caller's to take first."""

import datetime as dt
import logging

from django.conf import settings

from core import clock
from core.outside import refuse_open_transaction
from sms.contracts import SmsOutcome, SmsText, TextCard
from sms.errors import SmsNotSetUp
from sms.gateways import Sending, Verdict, gateway
from sms.models.reports import BlockReason
from sms.services import blocks, lanes, texts
from sms.services.words import PREFIX
from sms.wording import count_segments, fill

logger = logging.getLogger(__name__)


def send_text(*, phone: str, text: SmsText, reference: str, at: dt.datetime | None = None) -> SmsOutcome:
    """Hand one text over, once, and say what came of it; never raises for what the provider or the network does.

    `reference` is what receipts that are pulled name again.
    """
    verdict = hand_over(phone=phone, text=text, reference=reference)
    now = at or clock.now()
    code = _prefixed(verdict.code)
    if verdict.fate == "sent":
        count = verdict.segment_count or count_segments(text.whole)
        return SmsOutcome(
            "sent",
            message_id=verdict.provider_ref,
            segment_count=count,
            cost_hundredths=cost_of(text, count),
        )
    if verdict.fate == "later":
        return SmsOutcome("later", code, retry_at=now + dt.timedelta(seconds=verdict.pause_s))
    if verdict.fate == "halted":
        return SmsOutcome("halted", code, retry_at=verdict.until)
    if verdict.fate == "unclear":
        # It may have gone out, and then it is on the bill.
        count = count_segments(text.whole)
        return SmsOutcome("uncertain", code, segment_count=count, cost_hundredths=cost_of(text, count))
    return SmsOutcome("refused", code)


def hand_over(*, phone: str, text: SmsText, reference: str) -> Verdict:
    """What the provider says of this text, and all workers knowing what it says of more than it."""
    refuse_open_transaction()
    try:
        provider = gateway()
    except SmsNotSetUp:
        return Verdict("later", "not_set_up", pause_s=60)
    verdict = provider.send(Sending(phone, text, reference))
    if verdict.scope != "text":
        _tell(verdict, phone, text, clock.now())
    return verdict


def cost_of(text: SmsText, segment_count: int | None = None) -> int:
    """What it costs as so many texts, in hundredths of a fen; None: as many as we count."""
    count = count_segments(text.whole) if segment_count is None else segment_count
    return price_of(text.purpose) * count


def cost_at_most(card: TextCard) -> int:
    """What one text by this template costs, in hundredths of a fen, when every place is filled to its limit."""
    longest = fill(card.text, card.sign, ["满" * card.gap_limit] * card.gap_count)
    return price_of(card.purpose) * count_segments(longest)


def price_of(purpose: str) -> int:
    """What one text of this purpose costs, in hundredths of a fen."""
    is_marketing = purpose == "marketing"
    return int(settings.SMS_MARKETING_PRICE_FEN_PER_100 if is_marketing else settings.SMS_PRICE_FEN_PER_100)


def _tell(verdict: Verdict, phone: str, text: SmsText, at: dt.datetime) -> None:
    if verdict.scope == "number":
        blocks.block_number(phone=phone, reason=BlockReason.BLACKLISTED, at=at)
    elif verdict.scope in ("template", "sign"):
        texts.note_refused(text=text, is_sign=verdict.scope == "sign", at=at)
    elif verdict.fate == "halted":
        lanes.halt(purpose=text.purpose, code=_prefixed(verdict.code), until=verdict.until, at=at)
    else:
        lanes.slow_down(purpose=text.purpose, code=_prefixed(verdict.code), pause_s=None, at=at)


def _prefixed(code: str) -> str:
    return PREFIX + code if code else ""
