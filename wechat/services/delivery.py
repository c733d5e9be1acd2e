"""One attempt to deliver a message of the outbox, and what its failure means for the message."""

import dataclasses
import datetime as dt
import time
from typing import Final, Self, cast

from core import clock
from wechat.contracts import SendOutcome
from wechat.models import OutboundMessage
from wechat.models.outbox import MessageKind, MessageState
from wechat.services import direct, lanes, verdicts

# So long a sender waits for a permit with the message in hand, far below its lease.
PERMIT_PATIENCE_S: Final = 2.0
SHORTEST_PAUSE_S: Final = 5
LONGEST_PAUSE_S: Final = 300

WINDOW_CLOSED: Final = "window_closed"
LEASE_EXPIRED: Final = "lease_expired"

_UPLOAD_ATTEMPTS: Final = 3
# Stopped channels that nobody will have opened again while the message's window lasts.
_HOPELESS: Final = frozenset({"account_off", "no_permission", "api_banned", "account_frozen"})


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to: the message's next state, why, and when to try again."""

    state: MessageState
    code: str = ""
    errcode: int | None = None
    not_before: dt.datetime | None = None
    is_attempt: bool = True  # false: WeChat was not asked

    @classmethod
    def dropped(cls, code: str, errcode: int | None = None) -> Self:
        return cls(MessageState.DROPPED, code, errcode)


def deliver(message: OutboundMessage) -> Outcome:
    """Make one attempt. Never raises for what WeChat, the network or the message's content may do."""
    with direct.courier(account_id=message.account_id) as carrying:
        sent = carrying.send_service_message(
            openid=message.openid,
            kind=cast(direct.ServiceKind, message.kind),
            payload=message.payload,
        )
    return settle(sent, message, clock.now())


def take_permit(message: OutboundMessage) -> Outcome | None:
    """None: the message may leave now. Else what becomes of it: the account's rate is used up, or the channel is slowed or
    stopped. A permit that is due within moments is waited for here: the job that comes by would be later."""
    patience_ends = time.monotonic() + PERMIT_PATIENCE_S
    while True:
        now = clock.now()
        permits = lanes.take_permits(account_id=message.account_id, channel="service", wanted=1, at=now)
        if permits.count:
            return None
        if permits.halt_code:
            return settle(SendOutcome("halted", permits.halt_code, retry_at=permits.wait_until), message, now)
        wait_until = max(now, permits.wait_until or now)
        if wait_until >= message.window_until:
            return Outcome.dropped("rate_reached")
        pause_s = (wait_until - now).total_seconds()
        if time.monotonic() + pause_s > patience_ends:
            return Outcome(MessageState.QUEUED, "rate_reached", None, wait_until, is_attempt=False)
        time.sleep(pause_s)


def settle(sent: SendOutcome, message: OutboundMessage, now: dt.datetime) -> Outcome:
    """Sent, dropped, later or uncertain: what the outcome of an attempt makes of the message."""
    code = sent.code.removeprefix(verdicts.PREFIX)
    if sent.state == "sent":
        return Outcome(MessageState.SENT, errcode=0)
    if sent.state == "uncertain":
        return Outcome(MessageState.UNCERTAIN, code, sent.errcode)
    may_upload_again = (
        sent.errcode == verdicts.UNKNOWN_MEDIA
        and message.kind in (MessageKind.MINI_PROGRAM_CARD, MessageKind.IMAGE)
        and message.attempt_count < _UPLOAD_ATTEMPTS
    )
    if (sent.state == "refused" and not may_upload_again) or code in _HOPELESS:
        return Outcome.dropped(code, sent.errcode)
    return _later(code, sent, message, now)


def _later(code: str, sent: SendOutcome, message: OutboundMessage, now: dt.datetime) -> Outcome:
    """Queued again with a growing pause; dropped with its reason when the window will have closed by then."""
    left_s = (message.window_until - now).total_seconds()
    # A quarter of what is left, so that a window of one minute sees several attempts too.
    longest_s = min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, left_s / 4))
    growing = now + dt.timedelta(seconds=min(2.0 ** min(message.attempt_count, 16), longest_s))
    not_before = growing if sent.retry_at is None else max(growing, sent.retry_at)
    if not_before >= message.window_until:
        return Outcome.dropped(code, sent.errcode)
    return Outcome(MessageState.QUEUED, code, sent.errcode, not_before)
