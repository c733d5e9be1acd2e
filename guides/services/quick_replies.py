"""话术: ready answers are kept for everybody who answers members."""

import datetime as dt
import re
from typing import Final

from django.db import IntegrityError, transaction

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.errors import NotFound
from core.models import changed_fields
from guides import errors
from guides.models import QuickReply
from guides.selectors.quick_replies import PLACES
from guides.services.words import clean_text

LONGEST: Final = 500
_BRACED: Final = re.compile(r"\{([^{}]*)\}")


def save_quick_reply(
    *,
    reply_id: int | None,
    group: str,
    title: str,
    text: str,
    is_active: bool,
    order: int,
    actor: Actor,
    at: dt.datetime | None = None,
) -> int:
    """The ready answer is this now (`reply_id` None: a new one); its id.

    Refuses empty and overlong parts (QuickReplyUnusable), a title that is there (QuickReplyTitleTaken), and braces around
    anything but `PLACES` (QuickReplyPlaceUnknown).
    """
    reply = QuickReply() if reply_id is None else QuickReply.objects.filter(pk=reply_id).first()
    if reply is None:
        raise NotFound
    changed = changed_fields(
        reply,
        group=_line(group, "group", 0, 20),
        title=_line(title, "title", 1, 30),
        text=_text(text),
        is_active=is_active,
        order=order,
    )
    if reply.pk is not None and not changed:
        return reply.pk
    is_new = reply.pk is None
    try:
        with transaction.atomic():
            reply.save(update_fields=None if is_new else changed)
            audit.record(
                action="guides.quick_reply_added" if is_new else "guides.quick_reply_changed",
                subject=reply,
                actor=actor,
                at=at or clock.now(),
                fields=sorted(changed),
            )
    except IntegrityError as error:
        if violated(error) == "guides_quickreply_title_key":
            raise errors.QuickReplyTitleTaken(field="title") from None
        raise
    return reply.pk


def _line(text: str, field: str, least: int, most: int) -> str:
    line = " ".join(clean_text(text).split())
    if not least <= len(line) <= most:
        raise errors.QuickReplyUnusable(field=field)
    return line


def _text(text: str) -> str:
    words = clean_text(text)
    if not 1 <= len(words) <= LONGEST:
        raise errors.QuickReplyUnusable(field="text")
    for place in _BRACED.findall(words):
        if place not in PLACES:
            raise errors.QuickReplyPlaceUnknown(field="text", place=place[:20])
    return words
