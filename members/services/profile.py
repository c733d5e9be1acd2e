"""What a member tells of herself, and what she gets for telling all."""

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock, events
from core.actor import Actor
from core.models import changed_fields
from members.contracts import ProfileCard
from members.errors import BirthdayChangedLately, BirthdayUnusable, GenderUnusable
from members.events import PointsGranted, ProfileCompleted
from members.models import Gender, GivenThrough, Member, PointsEntry
from members.selectors.points import get_points_decisions
from members.selectors.profile import birthday_free_on, profile_of
from members.services.people import lock_member, name_columns, usable_name
from members.services.points import credit_points

REWARD_KEY: Final = "profile:complete"
_OLDEST: Final = 120 * 366
_LOOK_BACK: Final = dt.timedelta(days=1)
_BATCH: Final = 500


def change_profile(
    *,
    member_id: int,
    name: str | None = None,
    gender: str | None = None,
    birthday: dt.date | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> ProfileCard:
    """Her name, gender and birthday are these; None leaves what there is.

    Refuses an unusable name, gender or day, and another birthday within a year of the last one she set: gifts
    and multipliers hang on it. The first time all is known ProfileCompleted is published.
    """
    at = at or clock.now()
    values: dict[str, object] = {}
    if name is not None:
        values |= name_columns(usable_name(name)) | {"name_given_through": GivenThrough.MINI_PROGRAM}
    if gender is not None:
        if gender not in Gender.values:
            raise GenderUnusable(field="gender")
        values["gender"] = Gender(gender)
    if birthday is not None:
        values["birthday"] = usable_birthday(day=birthday, today=clock.business_day(at))
    with transaction.atomic():
        member = Member.objects.lock(lock_member(member_id))
        if birthday is not None and birthday != member.birthday:
            free_on = birthday_free_on(member, at)
            if free_on is not None:
                raise BirthdayChangedLately(field="birthday", free_on=free_on.isoformat())
            if member.birthday is not None:  # the first time is free, so that a slip can be mended
                values["birthday_changed_at"] = at
        changed = changed_fields(member, **values)
        if changed:
            member.save(update_fields=changed)
            audit.record(
                action="members.profile_changed", subject=member, actor=actor, at=at, fields=sorted(changed)
            )
            note_completion(member=member, at=at)
        return profile_of(member, at)


def note_completion(*, member: Member, at: dt.datetime) -> None:
    """Told once: her locked row has all that makes a profile complete."""
    if member.profile_completed_at is None and profile_of(member, at).is_complete:
        member.profile_completed_at = at
        member.save(update_fields=["profile_completed_at"])
        events.publish(ProfileCompleted(member.pk))


def reward_profile(*, member_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """She has the points the chain gives for a complete profile, once; how many (0 when it gives none)."""
    points = get_points_decisions().profile_reward
    with transaction.atomic():
        living_id = lock_member(member_id)
        entries = PointsEntry.objects.filter(account__member_id=living_id, source_key=REWARD_KEY)
        if points == 0 or entries.exists():
            return 0
        change = credit_points(
            member_id=living_id,
            points=points,
            source_key=REWARD_KEY,
            reason=_("完善资料"),
            actor=actor,
            at=at,
        )
        if change.entry is not None:
            events.deliver(PointsGranted(living_id, change.entry.id))
    return points


def reward_profiles(*, actor: Actor, at: dt.datetime | None = None) -> int:
    """Profiles completed within the last day whose reward was missed have it; how many got one."""
    at = at or clock.now()
    if get_points_decisions().profile_reward == 0:
        return 0
    rewarded = PointsEntry.objects.filter(source_key=REWARD_KEY).values("account__member_id")
    missed = (
        Member.objects.living()
        .filter(profile_completed_at__gt=at - _LOOK_BACK)
        .exclude(pk__in=rewarded)
        .order_by("pk")
        .values_list("pk", flat=True)[:_BATCH]
    )
    return sum(bool(reward_profile(member_id=member_id, actor=actor, at=at)) for member_id in missed)


def usable_birthday(*, day: dt.date, today: dt.date) -> dt.date:
    """The day, if somebody who lives may be born on it. Raises BirthdayUnusable."""
    if not today - dt.timedelta(days=_OLDEST) <= day <= today:
        raise BirthdayUnusable(field="birthday")
    return day
