"""What a guide may do about journeys: take a member of hers out of one, and say why."""

import datetime as dt
from typing import Final

from campaigns.contracts.journeys import EXIT_REASONS
from campaigns.errors import EnrolmentOver, JourneyExitNeedsReason
from campaigns.models import Enrolment
from campaigns.services.journeys.keeping import exit_enrolment
from core.actor import Actor
from guides import selectors as guide_selectors

BY_GUIDE: Final = "guide"
_LONGEST: Final = 100
_OTHER: Final = "other"


def take_member_out(
    *,
    guide_id: int,
    member_public_id: str,
    journey_public_id: str,
    reason: str,
    words: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> str:
    """She is out of the journey, at once and for good; its name. `reason` is one of EXIT_REASONS, the last of which needs words
    of the guide's own. Both are on record. Refuses a member who is not the guide's nor of the store she manages (NotFound), a
    reason that is none (JourneyExitNeedsReason), and who is not under way in such a journey (EnrolmentOver)."""
    member = guide_selectors.access_member(guide_id=guide_id, public_id=member_public_id)
    said = _said(reason, words)
    row = (
        Enrolment.objects.live()
        .filter(member_id=member.id, journey__public_id=journey_public_id.replace("\0", "")[:17])
        .select_related("journey")
        .first()
    )
    if row is None:
        raise EnrolmentOver
    exit_enrolment(enrolment_id=row.pk, actor=actor, code=BY_GUIDE, reason=said, at=at)
    return row.journey.name


def _said(reason: str, words: str) -> str:
    own = " ".join("".join(sign for sign in words if sign.isprintable()).split())[:_LONGEST]
    if reason not in EXIT_REASONS or (reason == _OTHER and not own):
        raise JourneyExitNeedsReason(field="words" if reason == _OTHER else "reason")
    if reason == _OTHER:
        return own
    return f"{EXIT_REASONS[reason]}：{own}" if own else str(EXIT_REASONS[reason])
