"""Reads about merges: what happened, and which rows look like one person."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from core import clock
from core.labels import label_of
from members.contracts import DuplicatePair, MergeRecordLine
from members.models import KnownApart, Member, MemberMerge, PassedPhone
from members.selectors.people import card_of, list_merge_targets, person_row_ids

_GROUPS: Final = 200
_GROUP_SIZE: Final = 5
_PASSED: Final = 200


def list_merges_of(member_id: int, at: dt.datetime | None = None) -> tuple[MergeRecordLine, ...]:
    """The merges in which she is one of the two, newest first."""
    return merge_lines(MemberMerge.objects.of(member_id).order_by("-made_at", "-pk"), at=at or clock.now())


def merge_lines(merges: Iterable[MemberMerge], *, at: dt.datetime) -> tuple[MergeRecordLine, ...]:
    """Merges for a page, in the order given; the members are read for all of them at once."""
    rows = list(merges)
    people = {key for row in rows for key in (row.survivor_id, row.emptier_id)}
    cards = {member.pk: card_of(member) for member in Member.objects.filter(pk__in=people)}
    return tuple(
        MergeRecordLine(
            id=row.pk,
            survivor=cards[row.survivor_id],
            emptier=cards[row.emptier_id],
            how_label=label_of(row, "how"),
            reason=row.reason,
            made_at=row.made_at,
            made_by=row.made_by,
            undone_at=row.undone_at,
            undone_by=row.undone_by,
            may_be_undone=row.may_be_undone(at),
            # The day on which it ends counts as one.
            days_left=max(0, -((at - row.undo_until) // dt.timedelta(days=1))),
        )
        for row in rows
    )


def are_told_apart(one_id: int, other_id: int) -> bool:
    """Whether staff said of these two, or of rows that live on in them, that they are two people, or a phone
    passed from one to the other."""
    one, other = person_row_ids(one_id), person_row_ids(other_id)
    said = KnownApart.objects.filter(Q(first__in=one, second__in=other) | Q(first__in=other, second__in=one))
    passed = PassedPhone.objects.filter(
        Q(former__in=one, holder__in=other) | Q(former__in=other, holder__in=one)
    )
    return said.exists() or passed.exists()


def list_passed_phones(members: QuerySet[Any], limit: int = 20) -> tuple[DuplicatePair, ...]:
    """Pairs among these living members between whom a phone number passed, the latest first; who was merged or told
    apart since is left out."""
    passed = list(
        PassedPhone.objects.order_by("-passed_at", "-pk").values_list("former_id", "holder_id")[:_PASSED]
    )
    living = list_merge_targets({row_id for pair in passed for row_id in pair})
    told = _apart_pairs()
    pairs = dict.fromkeys(
        (min(one, other), max(one, other))
        for one, other in ((living[former], living[holder]) for former, holder in passed)
        if one != other
    )
    rows = {row.pk: row for row in members.filter(pk__in={row_id for pair in pairs for row_id in pair})}
    return tuple(
        DuplicatePair(card_of(rows[one]), card_of(rows[other]), _("先后验证过同一个手机号，号码可能换了主人"))
        for one, other in pairs
        if one in rows and other in rows and (one, other) not in told
    )[:limit]


def _apart_pairs() -> set[tuple[int, int]]:
    """Whom staff told apart, by the rows they live on in, the lower first."""
    said = list(KnownApart.objects.values_list("first_id", "second_id"))
    living = list_merge_targets({row_id for pair in said for row_id in pair})
    return {(min(pair), max(pair)) for pair in ((living[one], living[other]) for one, other in said)}


def list_possible_duplicates(members: QuerySet[Any], limit: int = 20) -> tuple[DuplicatePair, ...]:
    """Pairs among these living members that look like one person; who was told apart is left out.

    The same name with the same phone tail, or with the same birthday. The database groups by what it can
    compare (tail, birthday, the name's columns); whether the names are equal is seen here.
    """
    apart = _apart_pairs()
    seen: set[tuple[int, int]] = set()
    pairs: list[DuplicatePair] = []
    for column, empty, reason in (
        ("phone_tail", Q(phone_tail=""), _("姓名和手机尾号相同")),
        ("birthday", Q(birthday__isnull=True), _("姓名和生日相同")),
    ):
        for group in _alike(members.exclude(empty), column):
            for place, first in enumerate(group):
                for second in group[place + 1 :]:
                    key = (first.pk, second.pk)
                    if first.name != second.name or key in apart or key in seen:
                        continue
                    seen.add(key)
                    pairs.append(DuplicatePair(card_of(first), card_of(second), reason))
    return tuple(sorted(pairs, key=lambda pair: -pair.second.id)[:limit])


def _alike(members: QuerySet[Any], column: str) -> list[list[Member]]:
    """Rows with the same name columns and the same value in this one, in pk order: one query, and one to read."""
    named = members.filter(merged_into__isnull=True).exclude(name_tokens=[]).order_by()
    shared = named.values(column, "name_tokens").annotate(row_count=Count("pk")).filter(row_count__gt=1)
    groups: dict[tuple[Any, ...], list[Member]] = {
        (found[column], *found["name_tokens"]): [] for found in shared[:_GROUPS]
    }
    values = {key[0] for key in groups}
    names = [list(name) for name in {key[1:] for key in groups}]
    for row in named.filter(**{f"{column}__in": values, "name_tokens__in": names}).order_by("pk"):
        group = groups.get((getattr(row, column), *row.name_tokens))
        if group is not None and len(group) < _GROUP_SIZE:
            group.append(row)
    return list(groups.values())
