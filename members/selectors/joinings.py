"""Who became a member with a phone, when, and by whose code; and which rows are one person."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import Min, Q, QuerySet

from core.models import AuditEntry
from members.contracts import Joining
from members.models import Member, MemberMerge, MemberStage, Source
from members.selectors.people import list_merge_targets

# All rows that live on in these, along any chain of merges.
_PERSONS: Final = """
WITH RECURSIVE person(id, root) AS (
    SELECT root, root FROM unnest(%s::bigint[]) AS asked(root)
    UNION ALL
    SELECT other.id, person.root FROM members_member other JOIN person ON other.merged_into_id = person.id)
SELECT id, root FROM person ORDER BY id
"""


def joined_entries(*, since: dt.datetime, until: dt.datetime) -> QuerySet[AuditEntry, int]:
    """Ids of rows that joined with a phone in the half-open span, also of those that live on in another row;
    unevaluated."""
    rows = _joined().filter(at__gte=since, at__lt=until)
    return rows.values_list("subject_id", flat=True)


def list_joinings(member_ids: Iterable[int]) -> dict[int, Joining]:
    """Those of these rows that joined with a phone, by id.

    Of a person's rows one joining is the first; none is when one of them was imported: she was a member before.
    """
    persons = list_person_rows(member_ids)
    every = set().union(*persons.values()) if persons else set()
    joined = dict(
        _joined().filter(subject_id__in=every).values_list("subject_id").annotate(at=Min("at")).order_by()
    )
    rows = {
        row["pk"]: row
        for row in Member.objects.filter(pk__in=every).values("pk", "source", "stage", "source_scene")
    }
    found: dict[int, Joining] = {}
    for member_id, person in persons.items():
        if member_id not in joined:
            continue
        others = [rows[one] for one in person if one != member_id]
        was_imported = any(
            one["source"] == Source.IMPORT and one["stage"] != MemberStage.PROSPECT for one in others
        )
        first = min((one for one in person if one in joined), key=lambda one: (joined[one], one))
        found[member_id] = Joining(
            member_id,
            joined[member_id],
            rows[member_id]["source_scene"],
            first == member_id and not was_imported,
        )
    return found


def list_person_rows(member_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """For each id all the rows that are this person, its own among them; unknown ids are missing."""
    targets = list_merge_targets(member_ids)
    persons: dict[int, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_PERSONS, [sorted(set(targets.values()))])
        for row_id, root in cursor.fetchall():
            persons[root].add(row_id)
    return {member_id: frozenset(persons[root]) for member_id, root in targets.items()}


def list_merge_moments(member_ids: Iterable[int]) -> Mapping[int, frozenset[dt.datetime]]:
    """When each of these rows took part in a merge, also in one that was undone."""
    ids = list(member_ids)
    found: dict[int, set[dt.datetime]] = defaultdict(set)
    rows = MemberMerge.objects.filter(Q(emptier_id__in=ids) | Q(survivor_id__in=ids))
    for emptier_id, survivor_id, made_at in rows.values_list("emptier_id", "survivor_id", "made_at"):
        found[emptier_id].add(made_at)
        found[survivor_id].add(made_at)
    return {member_id: frozenset(moments) for member_id, moments in found.items()}


def list_merged_member_ids(*, since: dt.datetime, until: dt.datetime) -> set[int]:
    """The rows that a merge, or the undoing of one, in the half-open span was about."""
    made = Q(made_at__gte=since, made_at__lt=until)
    undone = Q(undone_at__gte=since, undone_at__lt=until)
    pairs: Any = MemberMerge.objects.filter(made | undone).values_list("emptier_id", "survivor_id")
    return {member_id for pair in pairs for member_id in pair}


def _joined() -> QuerySet[AuditEntry]:
    """The audit says when: its row is written in the transaction that made her a member, and no column keeps it. What
    was written of a till's customers before `has_joined` was is known by its source."""
    return AuditEntry.objects.filter(
        Q(action__in=("members.registered", "members.phone_verified"), details__has_joined=True)
        | Q(action="members.registered", details__source=Source.POS),
        subject_kind="members.member",
    )
