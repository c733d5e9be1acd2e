"""Tags that follow a rule: whoever owns the rule says which members it is true of, and they and nobody else have the tag.

No member is locked: the owner holds the lock of its rule, under which alone rows of such a tag are written, but for a
merge and an erasure, which take that lock first. Who is merged away meanwhile is a latecomer of the merge.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from core import audit, clock, events
from core.actor import Actor
from core.arrays import array_words
from members.contracts import TagCard, Tagging
from members.errors import NoSuchTag, TagCannotFollow, TagRetired
from members.events import MembersTagged, MembersUntagged
from members.models import MemberTag, Tag, TagOrigin
from members.selectors import tag_card_of

_WANTED: Final = "WITH wanted (member_id) AS MATERIALIZED ({wanted})"
_TAKE: Final = (
    _WANTED
    + """
UPDATE members_membertag row SET removed_at = %s, removed_by = %s
WHERE row.tag_id = %s AND row.removed_at IS NULL {among}
  AND NOT EXISTS (SELECT FROM wanted WHERE wanted.member_id = row.member_id)
"""
)
_GIVE: Final = (
    _WANTED
    + """
INSERT INTO members_membertag (member_id, tag_id, tagged_at, tagged_by, origin, removed_by)
SELECT wanted.member_id, %s, %s, %s, 'rule', '' FROM wanted
WHERE NOT EXISTS (SELECT FROM members_membertag row
                  WHERE row.tag_id = %s AND row.removed_at IS NULL AND row.member_id = wanted.member_id)
ON CONFLICT (member_id, tag_id) WHERE removed_at IS NULL DO NOTHING
"""
)


def bind_tag_to_rule(*, tag_id: int, actor: Actor, at: dt.datetime | None = None) -> TagCard:
    """People give the tag and take it off no more. Refuses unknown and retired ones, and one of an exclusive group."""
    with transaction.atomic():
        tag = _locked(tag_id)
        if not tag.is_active:
            raise TagRetired
        if tag.group.is_exclusive:
            raise TagCannotFollow
        tag.origin = TagOrigin.RULE
        tag.save(update_fields=["origin"])
        audit.record(action="members.tag_bound_to_rule", subject=tag, actor=actor, at=at)
    return tag_card_of(tag)


def free_tag_of_rule(*, tag_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """The tag is given by people again; who has it keeps it, as if they had given it. How many have it."""
    with transaction.atomic():
        tag = _locked(tag_id)
        tag.origin = TagOrigin.MANUAL
        tag.save(update_fields=["origin"])
        kept = MemberTag.objects.filter(tag=tag, removed_at__isnull=True).update(origin=TagOrigin.MANUAL)
        audit.record(action="members.tag_freed_of_rule", subject=tag, actor=actor, at=at, members=kept)
    return kept


def settle_ruled_tag(
    *,
    tag_id: int,
    members: QuerySet[Any, int],
    among: Sequence[int] | None = None,
    by: str,
    at: dt.datetime | None = None,
) -> Tagging:
    """Of all members, or of these, exactly those of the id queryset have the tag. `by` is told as the doer.

    Inside the caller's transaction, which holds the lock of the rule. `replaced_count` is how many lost it.
    """
    at = at or clock.now()
    if among is None:
        # What a hand gave before is the rule's now, and runs out no more.
        rows = MemberTag.objects.filter(tag_id=tag_id, removed_at__isnull=True).exclude(origin=TagOrigin.RULE)
        rows.update(origin=TagOrigin.RULE, expires_at=None)
    wanted, params = members.order_by().query.sql_with_params()
    narrowed = "" if among is None else "AND row.member_id = ANY(%s::bigint[])"
    ids = () if among is None else (array_words(among),)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE.format(wanted=wanted, among=narrowed), [*params, at, by[:90], tag_id, *ids])
        taken = cursor.rowcount
        cursor.execute(_GIVE.format(wanted=wanted), [*params, tag_id, at, by[:90], tag_id])
        given = cursor.rowcount
    if given:
        events.publish(MembersTagged(tag_id, at.isoformat(), given))
    if taken:
        events.publish(MembersUntagged(tag_id, at.isoformat(), taken))
    return Tagging(tagged_count=given, had_count=0, replaced_count=taken)


def _locked(tag_id: int) -> Tag:
    rows = Tag.objects.select_related("group").lock_all([tag_id])
    if not rows:
        raise NoSuchTag
    return rows[0]
