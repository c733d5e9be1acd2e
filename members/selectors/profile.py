"""What a member sees of herself."""

import datetime as dt
from typing import Final

from core import clock
from core.errors import NotFound
from members.contracts import ProfileCard
from members.models import Member
from members.selectors.people import card_of

# Without these a profile is not complete.
WANTED: Final = ("name", "gender", "birthday", "phone")
BIRTHDAY_REST: Final = dt.timedelta(days=365)


def profile_of(member: Member, at: dt.datetime) -> ProfileCard:
    """The profile of a member row as of an instant."""
    missing = tuple(field for field in WANTED if not getattr(member, field))
    return ProfileCard(
        member=card_of(member),
        name=member.name,
        birthday_free_on=birthday_free_on(member, at),
        is_complete=not missing,
        missing=missing,
    )


def birthday_free_on(member: Member, at: dt.datetime) -> dt.date | None:
    """The Shanghai day from which she may change her birthday; None when she may now."""
    if member.birthday is None or member.birthday_changed_at is None:
        return None
    free_at = member.birthday_changed_at + BIRTHDAY_REST
    return None if free_at <= at else clock.business_day(free_at)


def get_profile(member_id: int, at: dt.datetime | None = None) -> ProfileCard:
    """The profile of a living row. Raises NotFound."""
    member = Member.objects.filter(pk=member_id).first()
    if member is None:
        raise NotFound
    return profile_of(member, at or clock.now())
