"""Who had an occasion, for rules that act on it; unevaluated, for other apps' SQL."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.functions import ExtractDay, ExtractMonth

from members.contracts import Choice
from members.models import Member, MemberStage, Source, Tier, TierCause, TierChange
from members.selectors.joinings import joined_entries
from members.selectors.tiers import tier_member_ids

# Not a tier she reached, only the same tier in another row.
_MOVED: Final = (TierCause.MERGED, TierCause.UNMERGED)


def joined_member_ids(*, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of living members who joined with a phone in the half-open span; who was imported did not join then."""
    joined = Member.objects.living().filter(stage=MemberStage.MEMBER)
    return joined.filter(pk__in=joined_entries(since=since, until=until)).values_list("pk", flat=True)


def completed_member_ids(*, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of living members whose profile was complete for the first time in the half-open span."""
    living = Member.objects.living().filter(profile_completed_at__gte=since, profile_completed_at__lt=until)
    return living.values_list("pk", flat=True)


def birthday_member_ids(*, days: Iterable[tuple[int, int]]) -> QuerySet[Any, int]:
    """Ids of living members born on one of these (month, day), whatever the year."""
    wanted = [month * 100 + day for month, day in days]
    born = Member.objects.living().filter(birthday__isnull=False)
    # One number to compare: a list of pairs would be as many conditions for every row.
    return (
        born.annotate(month_day=ExtractMonth("birthday") * 100 + ExtractDay("birthday"))
        .filter(month_day__in=wanted)
        .values_list("pk", flat=True)
    )


def risen_member_ids(*, tier_id: int, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of living members who came up to this tier in the half-open span."""
    changes = TierChange.objects.filter(
        to_tier=tier_id, is_upgrade=True, at__gte=since, at__lt=until
    ).exclude(cause__in=_MOVED)
    return Member.objects.living().filter(pk__in=changes.values("member_id")).values_list("pk", flat=True)


def holder_member_ids(*, tier_id: int, or_higher: bool = False) -> list[QuerySet[Any, int]]:
    """Ids of living members who have the tier now, or a higher one: a queryset for each tier that counts."""
    if not or_higher:
        return [tier_member_ids(tier_id)]
    least = Tier.objects.filter(pk=tier_id).values("rank")[:1]
    high = Tier.objects.filter(rank__gte=least).values_list("pk", flat=True)
    return [tier_member_ids(pk) for pk in high]


def source_member_ids(sources: Iterable[str]) -> QuerySet[Any, int]:
    """Ids of living members who first came through one of these doors."""
    return Member.objects.living().filter(source__in=list(sources)).values_list("pk", flat=True)


def list_sources() -> tuple[Choice, ...]:
    """The doors through which members first come."""
    return tuple(Choice(source.value, str(source.label)) for source in Source)
