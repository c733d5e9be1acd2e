"""A guide sees a member's phone in full."""

import datetime as dt

from core.actor import Actor
from guides.selectors import access_member
from members import services as member_services


def reveal_member_phone(
    *,
    guide_id: int,
    public_id: str,
    reason: str,
    words: str = "",
    request_key: str | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> str:
    """Her phone, once, if she is this guide's member now, or of the store this guide manages.

    Refuses what `members.services.reveal_phone` refuses, and a member who is not hers as an unknown one.
    """
    member = access_member(guide_id=guide_id, public_id=public_id)
    return member_services.reveal_phone(
        member_id=member.id, reason=reason, words=words, request_key=request_key, actor=actor, at=at
    )
