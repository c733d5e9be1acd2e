"""Two rows that look like one person and are two."""

import datetime as dt

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from members.errors import CannotMergeWithHerself
from members.models import KnownApart, Member
from members.services.tags import tag_doer


def keep_apart(*, first_id: int, second_id: int, actor: Actor, at: dt.datetime | None = None) -> bool:
    """Somebody looked: two people, not proposed again. False when it was said before. Refuses a row and itself."""
    at = at or clock.now()
    low, high = sorted((first_id, second_id))
    if low == high:
        raise CannotMergeWithHerself
    with transaction.atomic():
        first, second = Member.objects.lock(low), Member.objects.lock(high)
        _row, is_new = KnownApart.objects.get_or_create(
            first=first, second=second, defaults={"said_at": at, "said_by": tag_doer(actor)}
        )
        if is_new:
            audit.record(
                action="members.kept_apart", subject=first, actor=actor, at=at, from_member_id=second.pk
            )
    return is_new
