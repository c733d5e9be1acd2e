"""Undoing a merge: two rows are two people again, and what came meanwhile stays where it came."""

import datetime as dt
import json
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from core import audit, clock, events
from core.actor import Actor
from core.models import changed_fields
from members.contracts import MemberCard
from members.errors import MergedFurther, MergeForgotten, MergeTooOld, NoSuchMerge
from members.events import MemberUnmerged
from members.models import Identity, Member, MemberIdentity, MemberMerge
from members.selectors import card_of
from members.services.holdings import Snapshot, all_holdings
from members.services.merging import pack_snapshot
from members.services.people import name_columns
from members.services.phone_passing import phone_identities
from members.services.survivorship import GROUPS, group_names
from members.services.tags import tag_doer

_COLUMNS: Final = {field.name: field for field in Member._meta.concrete_fields}


def undo_merge(*, merge_id: int, reason: str = "", actor: Actor, at: dt.datetime | None = None) -> MemberCard:
    """Both are people of their own again, with what each had; returns the one who had been merged away.

    What was changed, earned, spent or linked since stays with the survivor. Twice is once. Refuses after 30
    days (MergeTooOld), while a later merge of either holds (MergedFurther: the last one is undone first), when
    either was erased (MergeForgotten), and an unknown merge. Where the chain refuses debts and the survivor has
    spent points that were the other's, NotEnoughPoints.
    """
    at = at or clock.now()
    with transaction.atomic():
        found = MemberMerge.objects.filter(pk=merge_id).first()
        if found is None:
            raise NoSuchMerge
        rows = {row.pk: row for row in Member.objects.lock_all([found.emptier_id, found.survivor_id])}
        merge = MemberMerge.objects.lock(merge_id)
        emptier, survivor = rows[merge.emptier_id], rows[merge.survivor_id]
        if merge.undone_at is not None:
            return card_of(emptier)
        _check(merge, survivor, at)
        snapshot: Snapshot = json.loads(merge.snapshot)
        emptier.merged_into = None
        emptier.save(update_fields=["merged_into"])
        for part in all_holdings():
            if part.label in snapshot["parts"]:
                part.restore(
                    emptier_id=emptier.pk,
                    survivor_id=survivor.pk,
                    snapshot=snapshot["parts"][part.label],
                    actor=actor,
                    at=at,
                )
        restored = _restore_columns(survivor, emptier, snapshot)
        _end(merge, reason=reason, actor=actor, at=at)
        audit.record(
            action="members.unmerged",
            subject=survivor,
            actor=actor,
            at=at,
            merge_id=merge.pk,
            parted_member_id=emptier.pk,
            restored=group_names(restored),
        )
        audit.record(action="members.parted", subject=emptier, actor=actor, at=at, merge_id=merge.pk)
        events.publish(MemberUnmerged(merge.pk, emptier.pk, survivor.pk))
        return card_of(emptier)


def _check(merge: MemberMerge, survivor: Member, at: dt.datetime) -> None:
    if not merge.snapshot:
        raise MergeForgotten
    if at >= merge.undo_until:
        raise MergeTooOld
    either = Q(survivor_id=survivor.pk) | Q(emptier_id=survivor.pk)
    later = MemberMerge.objects.live().filter(either, pk__gt=merge.pk)
    if survivor.merged_into_id is not None or later.exists():
        raise MergedFurther


def _end(merge: MemberMerge, *, reason: str, actor: Actor, at: dt.datetime) -> None:
    merge.undone_at = max(at, merge.made_at)
    merge.undone_by = tag_doer(actor)
    merge.undo_reason = " ".join(reason.replace("\0", "").split())[:120]
    # Nothing is left to restore, and what it holds of two people need not be kept.
    merge.snapshot = ""
    merge.save(update_fields=["undone_at", "undone_by", "undo_reason", "snapshot"])


def _restore_columns(survivor: Member, emptier: Member, snapshot: Snapshot) -> list[str]:
    """The survivor's columns are as they were before, but for fields that were changed since.

    The emptied row was never touched; only a phone whose identity is gone does not come back with it.
    """
    before = snapshot["before"]
    written = set(snapshot["written"])
    restored: list[str] = []
    has_phone = MemberIdentity.objects.filter(member=survivor, kind=Identity.PHONE).exists()
    for field, columns in GROUPS.items():
        mine = [column for column in columns if column in written]
        # What the merge wrote is what the other row had: anything else was said since. Tokens follow the name,
        # and the key of the day.
        kept = [column for column in mine if column != "name_tokens"]
        if not kept or any(_as_kept(survivor, column) != before["emptier"].get(column) for column in kept):
            continue
        if field == "stage" and has_phone:  # verified for her meanwhile: she has joined herself
            continue
        values = {column: _COLUMNS[column].to_python(before["survivor"][column]) for column in kept}
        if "name" in values:
            values |= name_columns(values["name"])
        restored += changed_fields(survivor, **values)
    if restored:
        survivor.save(update_fields=sorted(restored))
    _follow_identities(survivor, emptier)
    return sorted(restored)


def _blank_lost_phone(row: Member) -> None:
    if row.phone and not phone_identities(member_id=row.pk, digits=row.phone).exists():
        row.save(update_fields=changed_fields(row, phone="", phone_tail=""))


def _as_kept(member: Member, column: str) -> Any:
    """The column's value as the snapshot would have it."""
    return json.loads(pack_snapshot({column: getattr(member, column)}))[column]


def _follow_identities(survivor: Member, emptier: Member) -> None:
    """A phone without its identity was given up or withdrawn meanwhile; following goes with the openid."""
    _blank_lost_phone(survivor)
    _blank_lost_phone(emptier)
    changed: list[str] = []
    heard, known = survivor.follow_changed_at, emptier.follow_changed_at
    follows = MemberIdentity.objects.filter(kind=Identity.OPENID)
    if (
        heard is not None
        and (known is None or heard > known)
        and follows.filter(member=emptier).exists()
        and not follows.filter(member=survivor).exists()
    ):
        emptier.follow_changed_at, emptier.is_following = heard, survivor.is_following
        survivor.follow_changed_at, survivor.is_following = None, False
        survivor.save(update_fields=["follow_changed_at", "is_following"])
        changed += ["follow_changed_at", "is_following"]
    if changed:
        emptier.save(update_fields=changed)
