"""The full phone, once, for a reason, within limits, and on the record."""

import datetime as dt
from typing import Any, Final

from django.db import transaction

from core import audit, clock, events, phones
from core.actor import Actor
from members.errors import (
    NoPhoneToReveal,
    RevealerUnknown,
    RevealReasonMissing,
    RevealSpent,
    TooManyReveals,
)
from members.events import RevealRefused
from members.models import Member, PhoneReveal, RevealDoer, RevealOutcome, RevealReason
from members.selectors.privacy import get_privacy_decisions
from members.services.people import lock_member

# How long a screen shows the number; the same dialog may ask again within it (a tap that got no answer).
SHOWN_FOR: Final = dt.timedelta(seconds=30)
_HOUR: Final = dt.timedelta(hours=1)
_DAY: Final = dt.timedelta(days=1)
_LONGEST_WORDS: Final = 100


def reveal_phone(
    *,
    member_id: int,
    reason: str,
    words: str = "",
    request_key: str | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> str:
    """Her phone in full; that this person saw it, when and why is kept. The caller has checked that she may see her.

    Refuses a reason that is none of RevealReason (其他 needs words), a doer who is neither guide nor staff, a member
    without phone, and more reveals than the chain allows: a doer in an hour and in a day, all doers of one member in
    a day. A refusal over a limit is kept too, and announced. The same `request_key` within 30 s answers again
    without counting; later it is spent. The words are sealed and stay out of the audit.
    """
    at = at or clock.now()
    words = phones.mask_within(" ".join(words.replace("\0", "").split()))[:_LONGEST_WORDS]
    if reason not in RevealReason.values or (reason == RevealReason.OTHER and not words):
        raise RevealReasonMissing(field="reason")
    doer = _doer_of(actor)
    key = (request_key or "").replace("\0", "")[:40] or None
    with transaction.atomic(durable=True):
        member = Member.objects.get(pk=lock_member(member_id))
        if not member.phone:
            raise NoPhoneToReveal
        _lock_doer(doer)
        if _is_repeated(member, key, doer, at):
            return member.phone
        limit = _find_limit(member, doer, at)
        _record(member, reason, words, key, limit, actor, at)
    # The refused attempt is committed before it is refused: head office shall see it.
    if limit:
        raise TooManyReveals(limit=limit)
    return member.phone


def _doer_of(actor: Actor) -> dict[str, Any]:
    """The columns that say who reveals. Raises RevealerUnknown."""
    if actor.kind not in ("guide", "staff") or actor.id is None:
        raise RevealerUnknown
    return {"actor_kind": actor.kind, "actor_id": actor.id}


def _lock_doer(doer: dict[str, Any]) -> None:
    """One reveal of a person after the other: what is counted is what is there."""
    RevealDoer.objects.get_or_create(**doer)
    RevealDoer.objects.filter(**doer).lock_rows()


def _is_repeated(member: Member, key: str | None, doer: dict[str, Any], at: dt.datetime) -> bool:
    if key is None:
        return False
    first = PhoneReveal.objects.filter(**doer, request_key=key).first()
    if first is None:
        return False
    is_same = first.member_id == member.pk and first.outcome == RevealOutcome.SHOWN
    if not is_same or at - first.at > SHOWN_FOR:
        raise RevealSpent
    return True


def _find_limit(member: Member, doer: dict[str, Any], at: dt.datetime) -> str:
    """Which limit is reached, or an empty text."""
    decisions = get_privacy_decisions()
    is_guide = doer["actor_kind"] == "guide"
    per_hour = decisions.guide_reveals_per_hour if is_guide else decisions.staff_reveals_per_hour
    per_day = decisions.guide_reveals_per_day if is_guide else decisions.staff_reveals_per_day
    shown = PhoneReveal.objects.filter(outcome=RevealOutcome.SHOWN)
    hers = shown.filter(**doer)
    if hers.filter(at__gt=at - _HOUR).count() >= per_hour:
        return "doer_hour"
    if hers.filter(at__gt=at - _DAY).count() >= per_day:
        return "doer_day"
    if shown.filter(member=member, at__gt=at - _DAY).count() >= decisions.member_reveals_per_day:
        return "member_day"
    return ""


def _record(
    member: Member, reason: str, words: str, key: str | None, limit: str, actor: Actor, at: dt.datetime
) -> None:
    reveal = PhoneReveal.objects.create(
        member=member,
        reason=reason,
        words=words,
        outcome=RevealOutcome.REFUSED if limit else RevealOutcome.SHOWN,
        limit=limit,
        **_doer_of(actor),
        actor_label=actor.label[:80],
        request_key=key,
        at=at,
    )
    action = "members.phone_reveal_refused" if limit else "members.phone_revealed"
    audit.record(action=action, subject=member, actor=actor, at=at, reason=reason, limit=limit or None)
    if limit:
        events.publish(RevealRefused(reveal.pk))
