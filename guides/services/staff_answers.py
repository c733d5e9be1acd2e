"""Conversations at the staff's desk: head office answers, settles, or gives one to a guide.

Which members an account may open is the caller's to have looked at (`config/scopes.py`).
"""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from guides import errors
from guides.models import (
    Conversation,
    ConversationMessage,
    Guide,
    GuideNotice,
    GuideState,
    NoticeKind,
    Speaker,
)
from guides.selectors.conversations import list_answering_guides
from guides.selectors.member_side import find_member_guide
from guides.services.conversations import Answerer, fit_words, put_answer, put_settled
from guides.services.notices import message_guide
from members import selectors as member_selectors
from members import services as member_services


def answer_as_staff(
    *, member_id: int, staff_id: int, text: str, request_key: str, actor: Actor, at: dt.datetime | None = None
) -> int:
    """Head office's words are on their way to her, and nobody waits any more; the message's id. The same form twice is
    one message. Refuses what `answer_member` refuses. Raises NotFound for one who never wrote."""
    words = fit_words(text)
    with transaction.atomic():
        locked = member_services.lock_member(member_id)
        by = Answerer(staff_id=staff_id)
        return put_answer(member_id=locked, words=words, by=by, request_key=request_key, actor=actor, at=at)


def settle_as_staff(*, member_id: int, staff_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """Nobody waits any more, though nothing was answered; a repeat changes nothing. Raises NotFound for one who never
    wrote."""
    with transaction.atomic():
        locked = member_services.lock_member(member_id)
        put_settled(member_id=locked, by=Answerer(staff_id=staff_id), actor=actor, at=at)


def give_conversation(*, member_id: int, guide_id: int, actor: Actor, at: dt.datetime | None = None) -> None:
    """This guide answers her until she has a guide of her own, and is told while she waits. A repeat changes nothing.

    Refuses a member with a guide at work (MemberHasGuide) and a guide who has left (GuideHasLeft). Raises NotFound for
    one who never wrote, NoSuchGuide.
    """
    at = at or clock.now()
    with transaction.atomic():
        locked = member_services.lock_member(member_id)
        found = find_member_guide(locked, at)
        if found is not None and found.guide.is_active:
            raise errors.MemberHasGuide
        guide = Guide.objects.filter(pk=guide_id).first()
        if guide is None:
            raise errors.NoSuchGuide
        if guide.state != GuideState.ACTIVE:
            raise errors.GuideHasLeft
        conversation = Conversation.objects.filter(member_id=locked).first()
        if conversation is None:
            raise NotFound
        if conversation.given_to_id == guide_id:
            return
        conversation.given_to = guide
        conversation.save(update_fields=["given_to"])
        audit.record(
            action="guides.conversation_given",
            subject=conversation,
            actor=actor,
            at=at,
            guide_id=guide_id,
        )
        if conversation.waiting_since is not None and guide in list_answering_guides(locked):
            _tell(conversation, guide, at)


def _tell(conversation: Conversation, guide: Guide, at: dt.datetime) -> None:
    said = ConversationMessage.objects.filter(conversation=conversation, speaker=Speaker.MEMBER)
    newest = said.order_by("-pk").first()
    if newest is None:
        return
    GuideNotice.objects.get_or_create(
        message=newest,
        guide=guide,
        defaults={
            "kind": NoticeKind.MESSAGE_CAME,
            "member_id": conversation.member_id,
            "created_at": at,
        },
    )
    name = member_selectors.get_member_card(conversation.member_id).display_name
    message_guide(
        guide=guide,
        text=_("总部把 %(member)s 的会话交给您，请在导购助手里回复。") % {"member": name},
        reason_key=f"give-talk:{newest.pk}:{guide.pk}",
        happened_at=at,
        at=at,
    )
