"""Two rows that turned out to be one person."""

import datetime as dt

from django.db import transaction

from core import audit, clock, events
from core.actor import Actor
from members.contracts import MemberCard
from members.errors import CannotMergeWithHerself
from members.events import MemberMerged
from members.models import Member, MemberIdentity, MemberStage
from members.selectors import card_of, list_merge_targets
from members.services.points_merging import merge_points
from members.services.tags import move_tags, tag_doer


def merge_members(
    *, first_id: int, second_id: int, actor: Actor, at: dt.datetime | None = None
) -> MemberCard:
    """Both rows are one person: the fuller one lives on with all identities and fills its blanks.

    Fuller means: a member before a prospect, then one with a phone, then one with a name, then the older row.
    The emptier row points to it for ever. Refuses two ids of the same person. The bindings of the emptier row
    are settled by whoever hears MemberMerged.
    """
    at = at or clock.now()
    with transaction.atomic():
        targets = list_merge_targets([first_id, second_id])
        rows = Member.objects.lock_all(set(targets.values()))
        if len(rows) != 2 or any(row.merged_into_id for row in rows):
            raise CannotMergeWithHerself
        return card_of(merge_locked(one=rows[0], other=rows[1], actor=actor, at=at))


def merge_locked(*, one: Member, other: Member, actor: Actor, at: dt.datetime) -> Member:
    """The same for two living rows that the caller has locked; returns the one that lives on."""
    survivor, emptier = sorted((one, other), key=_emptiness)
    moved = MemberIdentity.objects.filter(member=emptier).update(member=survivor)
    tag_count = move_tags(emptier=emptier, survivor=survivor, by=tag_doer(actor), at=at)
    changed = _fill_blanks(survivor, emptier)
    if changed:
        survivor.save(update_fields=changed)
    emptier.merged_into = survivor
    emptier.save(update_fields=["merged_into"])
    merge_points(from_member_id=emptier.pk, into_member_id=survivor.pk, actor=actor, at=at)
    audit.record(
        action="members.merged",
        subject=survivor,
        actor=actor,
        at=at,
        from_member_id=emptier.pk,
        identity_count=moved,
        tag_count=tag_count,
        filled=changed,
    )
    events.publish(MemberMerged(emptier.pk, survivor.pk))
    return survivor


def _emptiness(member: Member) -> tuple[bool, bool, bool, dt.datetime, int]:
    return (
        member.stage != MemberStage.MEMBER,
        not member.phone,
        not member.name,
        member.registered_at,
        member.pk,
    )


def _fill_blanks(survivor: Member, emptier: Member) -> list[str]:
    changed: list[str] = []
    for group in (("name", "name_tokens"), ("phone", "phone_tail"), ("gender",), ("birthday",)):
        if not getattr(survivor, group[0]) and getattr(emptier, group[0]):
            for field in group:
                setattr(survivor, field, getattr(emptier, field))
            changed += group
    heard, theirs = survivor.follow_changed_at, emptier.follow_changed_at
    if theirs is not None and (heard is None or theirs > heard):
        survivor.follow_changed_at = theirs
        survivor.is_following = emptier.is_following
        changed += ["follow_changed_at", "is_following"]
    return changed
