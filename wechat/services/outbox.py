"""The outbox: customer-service messages as rows, sent at most once each.

A row is written in the transaction of its reason. A worker claims it with a guarded update and a lease, sends
with no transaction open, and writes the outcome only while the lease is still its own. Official pages: "send
customer service message", "customer service messages" (windows).
"""

import dataclasses
import datetime as dt
import logging
import secrets
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from core import clock, events
from core.errors import NotFound
from core.outside import refuse_open_transaction
from wechat.events import MessageQueued
from wechat.models import Follower, OutboundMessage
from wechat.models.outbox import MessageKind, MessageState
from wechat.services.contents import Content, article_content, card_content, text_content
from wechat.services.delivery import LEASE_EXPIRED, WINDOW_CLOSED, Outcome, deliver, take_permit
from wechat.services.verdicts import words_of

logger = logging.getLogger(__name__)

# The windows of follow, scan and menu click last one minute.
SHORTEST_WINDOW: Final = dt.timedelta(minutes=1)
# Longer than the slowest send: waiting for a token, an upload, the call, its one repeat.
# Of so many queued at once each wakes a sender.
MOST_WOKEN: Final = 20
LEASE: Final = dt.timedelta(seconds=90)


def queue_text(
    *,
    account_id: int,
    openid: str,
    text: str,
    reason_key: str,
    window_until: dt.datetime | None = None,
    at: dt.datetime | None = None,
) -> bool:
    """The text will be sent to her once for this reason; False when the reason has its message already.

    Control characters are left out. Refuses an empty text and one over 2048 bytes (MessageUnfit).
    `window_until`: after it the message is dropped; by default the follower's own window, or one minute.
    """
    return _queue(account_id, openid, text_content(text=text), reason_key, window_until, at)


def queue_article(
    *,
    account_id: int,
    openid: str,
    title: str,
    description: str,
    url: str,
    picture_url: str,
    reason_key: str,
    window_until: dt.datetime | None = None,
    at: dt.datetime | None = None,
) -> bool:
    """A picture article will be sent once for this reason. Refuses an empty title or address; see
    `queue_text`."""
    content = article_content(title=title, description=description, url=url, picture_url=picture_url)
    return _queue(account_id, openid, content, reason_key, window_until, at)


def queue_card(
    *,
    account_id: int,
    openid: str,
    title: str,
    card_app_id: str,
    page: str,
    thumb_path: str,
    reason_key: str,
    window_until: dt.datetime | None = None,
    at: dt.datetime | None = None,
) -> bool:
    """A mini-program card will be sent once for this reason. `thumb_path`: absolute, or a name in the default
    storage; it is uploaded when the card is sent. Refuses empty parts; see `queue_text`."""
    content = card_content(title=title, card_app_id=card_app_id, page=page, thumb_path=thumb_path)
    return _queue(account_id, openid, content, reason_key, window_until, at)


def queue_in_turn(
    *,
    account_id: int,
    openid: str,
    content: Content,
    reason_key: str,
    after_id: int | None,
    window_until: dt.datetime | None = None,
    at: dt.datetime,
) -> int:
    """The content will be sent once for this reason, when the message `after_id` is over, however that ended; the
    message's id. Runs inside the caller's transaction."""
    before = None if after_id is None else OutboundMessage.objects.lock(after_id)
    waits = before is not None and before.state in (MessageState.HELD, MessageState.QUEUED)
    message, is_new = OutboundMessage.objects.get_or_create(
        reason_key=reason_key,
        defaults={
            "account_id": account_id,
            "openid": openid,
            "kind": content.kind,
            "payload": content.payload,
            "created_at": at,
            "not_before": at,
            "window_until": window_until or _guess_window(account_id, openid, at),
            "state": MessageState.HELD if waits else MessageState.QUEUED,
            "after_message_id": after_id,
        },
    )
    if is_new and waits and before is not None:
        before.is_followed = True
        before.save(update_fields=["is_followed"])
    elif is_new:
        events.publish(MessageQueued(message_id=message.pk))
    return message.pk


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """A text for one follower, its reason, and until when it may be sent."""

    openid: str
    text: str
    reason_key: str
    window_until: dt.datetime


def queue_texts(*, account_id: int, texts: Sequence[Text], at: dt.datetime) -> int:
    """Each of these texts will be sent once for its reason; how many are new. One statement for all; above a few they
    wake nobody and wait for the job. Refuses what `queue_text` refuses, all of them then."""
    rows = [
        OutboundMessage(
            account_id=account_id,
            openid=one.openid,
            kind=MessageKind.TEXT,
            payload={"text": text_content(text=one.text).payload["text"]},
            reason_key=one.reason_key,
            created_at=at,
            not_before=at,
            window_until=one.window_until,
        )
        for one in texts
    ]
    known = set(_of_reasons(rows).values_list("reason_key", flat=True))
    fresh = [row for row in rows if row.reason_key not in known]
    if not fresh:
        return 0
    OutboundMessage.objects.bulk_create(fresh, ignore_conflicts=True)
    if len(fresh) <= MOST_WOKEN:
        for message_id in _of_reasons(fresh).filter(state=MessageState.QUEUED).values_list("pk", flat=True):
            events.publish(MessageQueued(message_id=message_id))
    return len(fresh)


def list_outcomes(*, reason_keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """By reason: the state of its message, and why it ended so, in words. A reason whose message is gone is missing."""
    rows = OutboundMessage.objects.filter(reason_key__in=list(reason_keys))
    return {
        reason: (state, words_of(outcome) if outcome else "")
        for reason, state, outcome in rows.values_list("reason_key", "state", "outcome")
    }


def on_message_queued(event: MessageQueued) -> None:
    """Send what was just queued."""
    send_message(event.message_id)


def send_message(message_id: int) -> str:
    """Send the message if it is due and nobody else is at it, at the rate that all senders of the account share; returns its
    state afterwards. Raises NotFound.

    sent | dropped (window closed, or WeChat refused for good) | uncertain (WeChat may have it: never
    repeated) | queued (WeChat surely does not have it: later, while the window is open).
    """
    refuse_open_transaction()
    holder = secrets.token_hex(16)
    now = clock.now()
    claimed = (
        OutboundMessage.objects.due(now)
        .filter(pk=message_id)
        .update(
            state=MessageState.SENDING,
            leased_until=now + LEASE,
            lease_holder=holder,
            attempt_count=F("attempt_count") + 1,
        )
    )
    message = OutboundMessage.objects.filter(pk=message_id).first()
    if message is None:
        raise NotFound
    if not claimed:
        return message.state
    if message.window_until <= now:
        return _finish(message, holder, Outcome.dropped(WINDOW_CLOSED))
    return _finish(message, holder, take_permit(message) or deliver(message))


def send_due_messages(limit: int = 200) -> int:
    """Send what is due, the longest waiting first; returns how many were taken in hand."""
    due = OutboundMessage.objects.due(clock.now()).order_by("not_before", "pk")
    message_ids = list(due.values_list("pk", flat=True)[:limit])
    for message_id in message_ids:
        send_message(message_id)
    return len(message_ids)


def rescue_stuck_messages() -> int:
    """Give up on messages whose sender died between claim and outcome; returns how many.

    Nobody knows whether such a message went out, and WeChat would not recognise a second one: `uncertain`.
    """
    now = clock.now()
    count = OutboundMessage.objects.filter(state=MessageState.SENDING, leased_until__lt=now).update(
        state=MessageState.UNCERTAIN,
        outcome=LEASE_EXPIRED,
        finished_at=now,
        leased_until=None,
        lease_holder="",
    )
    if count:
        logger.warning("wechat.messages_uncertain", extra={"message_count": count})
    with transaction.atomic():
        # Those whose message before ended where nobody looked back: rescued just now, or sent as they were queued.
        _release(OutboundMessage.objects.unblocked())
    return count


def _of_reasons(rows: Sequence[OutboundMessage]) -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(reason_key__in=[row.reason_key for row in rows])


def _queue(
    account_id: int,
    openid: str,
    content: Content,
    reason_key: str,
    window_until: dt.datetime | None,
    at: dt.datetime | None,
) -> bool:
    now = at or clock.now()
    message, is_new = OutboundMessage.objects.get_or_create(
        reason_key=reason_key,
        defaults={
            "account_id": account_id,
            "openid": openid,
            "kind": content.kind,
            "payload": content.payload,
            "created_at": now,
            "not_before": now,
            "window_until": window_until or _guess_window(account_id, openid, now),
        },
    )
    if is_new:
        events.publish(MessageQueued(message_id=message.pk))
    return is_new


def _guess_window(account_id: int, openid: str, now: dt.datetime) -> dt.datetime:
    """Until when WeChat should take a message for her. Our own note may be behind, so never less than a
    minute: WeChat's answer (45015, 45047) is the truth."""
    known = (
        Follower.objects.filter(account_id=account_id, openid=openid)
        .values_list("window_until", flat=True)
        .first()
    )
    return max(known or now, now + SHORTEST_WINDOW)


def _finish(message: OutboundMessage, holder: str, outcome: Outcome) -> str:
    """Write the outcome while the lease is ours; after it was taken away, what the rescuer wrote stands. The message
    that waits for this one is due with it."""
    if not message.is_followed or outcome.state == MessageState.QUEUED:
        return _write(message, holder, outcome)
    with transaction.atomic():
        state = _write(message, holder, outcome)
        _release(OutboundMessage.objects.filter(after_message_id=message.pk, state=MessageState.HELD))
    return state


def _release(held: QuerySet[OutboundMessage]) -> int:
    """These may be sent now; how many. One that somebody else released meanwhile is woken twice and sent once."""
    ids = list(held.values_list("pk", flat=True)[:500])
    OutboundMessage.objects.filter(pk__in=ids, state=MessageState.HELD).update(state=MessageState.QUEUED)
    for message_id in ids:
        events.publish(MessageQueued(message_id=message_id))
    return len(ids)


def _write(message: OutboundMessage, holder: str, outcome: Outcome) -> str:
    now = clock.now()
    is_over = outcome.state != MessageState.QUEUED
    written = OutboundMessage.objects.filter(
        pk=message.pk, state=MessageState.SENDING, lease_holder=holder
    ).update(
        state=outcome.state,
        outcome=outcome.code,
        errcode=outcome.errcode,
        not_before=message.not_before if outcome.not_before is None else outcome.not_before,
        attempt_count=F("attempt_count") - (0 if outcome.is_attempt else 1),
        finished_at=now if is_over else None,
        leased_until=None,
        lease_holder="",
    )
    if not written:
        logger.warning("wechat.message_outcome_too_late", extra={"message_id": message.pk})
        return OutboundMessage.objects.values_list("state", flat=True).get(pk=message.pk)
    if outcome.state in (MessageState.DROPPED, MessageState.UNCERTAIN):
        logger.warning(
            "wechat.message_not_sent",
            extra={"message_id": message.pk, "outcome": outcome.code, "errcode": outcome.errcode},
        )
    return outcome.state.value
