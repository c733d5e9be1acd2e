"""Conversations: what no rule settles is kept for the member's guide, who answers while WeChat takes a message."""

import dataclasses
import datetime as dt
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Min, Q

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound
from guides import errors
from guides.models import AnswerState, Conversation, ConversationMessage, Speaker
from guides.selectors.conversations import access_talker, find_reply_window
from guides.services.conversation_notices import tell_of_message
from guides.services.talkers import find_talker
from guides.services.words import clean_text
from members import services as member_services
from wechat.services import outbox, reading
from wechat.services.contents import TEXT_BYTES

MOST_WORDS: Final = 4_000  # of one message; WeChat's own limit is below
TRANSFER: Final = "transfer"
_ONCE: Final = ("conversationmessage_once_per_request", "conversationmessage_once_per_staff_request")
_PRUNED_AT_ONCE: Final = 2_000
_SETTLED_AT_ONCE: Final = 500


def keep_message(
    *,
    account_id: int,
    app_id: str,
    openid: str,
    kind: str,
    inbound_id: int,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int | None:
    """What she wrote stands in her conversation, once for the push, and her guide is told; the message's id.

    `kind` is WeChat's, or TRANSFER where a rule called her guide without a word of hers: then a message of the same push
    that is there already stands for it. None for somebody of a mini-program whom nobody knows.
    """
    at = min(at or clock.now(), clock.now())
    member_id = find_talker(account_id=account_id, app_id=app_id, openid=openid, actor=actor, at=at)
    if member_id is None:
        return None
    with transaction.atomic():
        member_id = member_services.lock_member(member_id)
        known = ConversationMessage.objects.filter(inbound_id=inbound_id).first()
        if known is not None:
            return known.pk
        conversation, _is_new = Conversation.objects.get_or_create(
            member_id=member_id, defaults={"account_id": account_id, "last_at": at}
        )
        was_waiting = conversation.waiting_since is not None
        message = ConversationMessage.objects.create(
            conversation=conversation,
            speaker=Speaker.MEMBER,
            kind=kind[:20],
            words="" if kind == TRANSFER else reading.find_words(inbound_id)[:MOST_WORDS],
            at=at,
            inbound_id=inbound_id,
        )
        conversation.account_id = account_id
        conversation.save(update_fields=["account_id"])
        recount(conversation_id=conversation.pk)
        tell_of_message(message=message, member_id=member_id, is_first=not was_waiting, at=clock.now())
        return message.pk


def answer_member(
    *,
    guide_id: int,
    public_id: str,
    text: str,
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """Her guide's words are on their way to her, and nobody waits any more; the message's id. The same form twice is
    one message.

    Refuses an empty text, one over WeChat's 2048 bytes, and when WeChat takes none to her now. Raises NotFound for a
    member this guide may not answer and for one who never wrote.
    """
    words = fit_words(text)
    with transaction.atomic():
        member_id = member_services.lock_member(access_talker(guide_id=guide_id, public_id=public_id).id)
        by = Answerer(guide_id=guide_id)
        return put_answer(
            member_id=member_id, words=words, by=by, request_key=request_key, actor=actor, at=at
        )


def settle_conversation(
    *, guide_id: int, public_id: str, actor: Actor, at: dt.datetime | None = None
) -> None:
    """Nobody waits any more, though nothing was answered; a repeat changes nothing. Raises NotFound as
    `answer_member` does."""
    with transaction.atomic():
        member_id = member_services.lock_member(access_talker(guide_id=guide_id, public_id=public_id).id)
        put_settled(member_id=member_id, by=Answerer(guide_id=guide_id), actor=actor, at=at)


@dataclasses.dataclass(frozen=True, slots=True)
class Answerer:
    """Who speaks for us: a guide, or a staff account."""

    guide_id: int | None = None
    staff_id: int | None = None


def fit_words(text: str) -> str:
    """What would be sent of this text. Refuses an empty one and one over WeChat's 2048 bytes."""
    words = clean_text(text)
    if not words:
        raise errors.AnswerEmpty(field="text")
    if len(words.encode(errors="replace")) > TEXT_BYTES:
        raise errors.AnswerTooLong(field="text")
    return words


def put_answer(
    *, member_id: int, words: str, by: Answerer, request_key: str, actor: Actor, at: dt.datetime | None
) -> int:
    """The words are said, and queued; the message's id. The member is locked by the caller's transaction, so that a
    merge comes before or after it: the openid is read under that lock."""
    at = at or clock.now()
    conversation = _get(member_id)
    asked = ConversationMessage.objects.filter(conversation=conversation, request_key=request_key)
    spoken = Q(guide_id=by.guide_id) if by.guide_id is not None else Q(staff_id=by.staff_id)
    first = asked.filter(spoken).first()
    if first is not None:
        return first.pk
    openid, until = find_reply_window(member_id, conversation.account_id, at)
    if openid is None or until is None or until <= at:
        raise errors.WindowClosed
    message = _say(conversation, Speaker.STAFF if by.staff_id else Speaker.GUIDE, words, by, request_key, at)
    outbox.queue_text(
        account_id=conversation.account_id,
        openid=openid,
        text=words,
        reason_key=reason_of(message_id=message.pk),
        window_until=until,
        at=at,
    )
    audit.record(action="guides.member_answered", subject=conversation, actor=actor, at=at)
    return message.pk


def put_settled(*, member_id: int, by: Answerer, actor: Actor, at: dt.datetime | None) -> None:
    """Nobody waits any more. The member is locked by the caller's transaction."""
    at = at or clock.now()
    conversation = _get(member_id)
    if conversation.waiting_since is not None:
        _say(conversation, Speaker.SETTLED, "", by, None, at)
        audit.record(action="guides.conversation_settled", subject=conversation, actor=actor, at=at)


def read_conversation(*, guide_id: int, public_id: str, up_to_id: int) -> None:
    """Her messages up to this one are read. Raises NotFound for a member this guide may not answer."""
    mark_read(member_id=access_talker(guide_id=guide_id, public_id=public_id).id, up_to_id=up_to_id)


def mark_read(*, member_id: int, up_to_id: int) -> None:
    """Her messages up to this one are read."""
    with transaction.atomic():
        for conversation in Conversation.objects.filter(member_id=member_id).lock_rows():
            if conversation.read_up_to_id < up_to_id:
                conversation.read_up_to_id = up_to_id
                conversation.save(update_fields=["read_up_to_id"])
                recount(conversation_id=conversation.pk)


def recount(*, conversation_id: int) -> None:
    """The conversation's numbers are what its messages say. Inside the caller's transaction."""
    conversation = Conversation.objects.lock(conversation_id)
    said = ConversationMessage.objects.filter(conversation=conversation)
    answered = said.exclude(speaker=Speaker.MEMBER).aggregate(last=Max("pk"))["last"] or 0
    hers = said.filter(speaker=Speaker.MEMBER)
    found: dict[str, Any] = hers.aggregate(
        since=Min("at", filter=Q(pk__gt=answered)),
        unread=Count("pk", filter=Q(pk__gt=max(answered, conversation.read_up_to_id))),
    )
    conversation.waiting_since = found["since"]
    conversation.unread_count = found["unread"]
    conversation.last_at = said.aggregate(last=Max("at"))["last"] or conversation.last_at
    conversation.save(update_fields=["waiting_since", "unread_count", "last_at"])


def settle_answers() -> int:
    """Answers whose message the gateway has ended keep how; how many. The gateway forgets its messages sooner."""
    rows = list(
        ConversationMessage.objects.filter(state=AnswerState.QUEUED).order_by("pk")[:_SETTLED_AT_ONCE]
    )
    ended = outbox.list_outcomes(reason_keys=[reason_of(message_id=row.pk) for row in rows])
    settled = 0
    for row in rows:
        state, outcome = ended.get(reason_of(message_id=row.pk), (AnswerState.UNCERTAIN.value, ""))
        if state in (AnswerState.SENT, AnswerState.DROPPED, AnswerState.UNCERTAIN):
            found = ConversationMessage.objects.filter(pk=row.pk, state=AnswerState.QUEUED)
            settled += found.update(state=state, outcome=outcome[:120])
    return settled


def prune_conversations(at: dt.datetime | None = None) -> int:
    """Messages older than CONVERSATION_KEEP_DAYS are gone, and conversations without any; how many messages."""
    horizon = (at or clock.now()) - dt.timedelta(days=settings.CONVERSATION_KEEP_DAYS)
    gone = 0
    while True:
        old = ConversationMessage.objects.filter(at__lt=horizon).order_by("at")
        rows = list(old.values_list("pk", "conversation_id")[:_PRUNED_AT_ONCE])
        if not rows:
            return gone
        with transaction.atomic():
            gone += ConversationMessage.objects.filter(pk__in=[pk for pk, _conversation in rows]).delete()[0]
            for conversation_id in sorted({conversation_id for _pk, conversation_id in rows}):
                if ConversationMessage.objects.filter(conversation_id=conversation_id).exists():
                    recount(conversation_id=conversation_id)
                else:
                    Conversation.objects.filter(pk=conversation_id).delete()


def reason_of(*, message_id: int) -> str:
    """Under which reason an answer goes out."""
    return f"talk:{message_id}"


def _get(member_id: int) -> Conversation:
    conversation = Conversation.objects.filter(member_id=member_id).first()
    if conversation is None:
        raise NotFound
    return conversation


def _say(
    conversation: Conversation,
    speaker: Speaker,
    words: str,
    by: Answerer,
    request_key: str | None,
    at: dt.datetime,
) -> ConversationMessage:
    try:
        with transaction.atomic():
            message = ConversationMessage.objects.create(
                conversation=conversation,
                speaker=speaker,
                kind="text",
                words=words,
                at=at,
                guide_id=by.guide_id,
                staff_id=by.staff_id,
                request_key=request_key,
                state=AnswerState.NONE if speaker == Speaker.SETTLED else AnswerState.QUEUED,
            )
    except IntegrityError as error:
        if violated(error) in _ONCE:
            raise errors.RequestKeyReused from error
        raise
    recount(conversation_id=conversation.pk)
    return message
