"""What a ready-made journey gives: points, or a coupon of a batch."""

import datetime as dt

from campaigns.contracts.ready_made_gifts import gift_in, with_gift
from campaigns.errors import JourneyGiftUnknown, JourneyWithoutGift, NoSuchJourney
from campaigns.models import Journey
from campaigns.services.journeys.desk import save_draft
from core.actor import Actor
from coupons import selectors as coupon_selectors


def check_gift(batch: str) -> str:
    """The batch, when the system may give of it, and nothing for points. Raises JourneyGiftUnknown for others."""
    if batch and batch not in dict(coupon_selectors.list_system_batches()):
        raise JourneyGiftUnknown(field="gift")
    return batch


def choose_gift(
    *, journey_id: int, revision: int, batch: str, actor: Actor, at: dt.datetime | None = None
) -> tuple[str, ...]:
    """The draft gives a coupon of this batch, or points when it is empty, and says so; the steps whose words are left, for
    somebody wrote them herself. Refuses a journey that has no such gift (any more), a batch that the system may not give of,
    and what `save_draft` refuses."""
    row = Journey.objects.filter(pk=journey_id).first()
    if row is None:
        raise NoSuchJourney
    if gift_in(row.made_as, row.draft) is None:
        raise JourneyWithoutGift
    draft, left = with_gift(row.made_as, row.draft, check_gift(batch))
    save_draft(
        journey_id=row.pk,
        revision=revision,
        name=row.name,
        note=row.note,
        draft=draft,
        actor=actor,
        at=at,
    )
    return left
