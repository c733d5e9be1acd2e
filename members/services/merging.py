"""Two rows that turned out to be one person: seen before, merged, and kept so that it can be undone."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from core import audit, clock, events
from core.actor import Actor
from core.errors import Conflict
from members.contracts import MemberCard, MergeHowKind, MergePart, MergePreview
from members.errors import CannotMergeWithHerself, MergeChoiceUnusable, NoSuchMember
from members.events import MemberMerged
from members.models import UNDO_DAYS, Member, MemberMerge, MemberStage
from members.selectors import card_of, list_merge_targets
from members.services import survivorship
from members.services.holdings import Snapshot, all_holdings
from members.services.tags import tag_doer

_ATTEMPTS: Final = 5
# What a row is called outside stays with the row.
_OWN: Final = frozenset({"id", "public_id", "code", "merged_into"})


def preview_merge(
    *,
    first_id: int,
    second_id: int,
    survivor_id: int | None = None,
    choices: Mapping[str, int] | None = None,
) -> MergePreview:
    """What merging these two would do now, without doing it: who lives on, field by field and part by part.

    `survivor_id` and `choices` (field → id of the row whose value is wanted) are what a person decided
    otherwise. Refuses what `merge_members` refuses.
    """
    targets = list_merge_targets([first_id, second_id])
    rows = list(Member.objects.filter(pk__in=set(targets.values())).order_by("pk"))
    _check_two(rows, targets, first_id, second_id)
    survivor, emptier, reason = _chosen(rows[0], rows[1], _living(survivor_id, targets))
    rulings = survivorship.rule_fields(
        survivor=survivor, emptier=emptier, choices=_living_choices(choices, targets)
    )
    parts = (
        MergePart(str(part.title), tuple(part.preview(survivor_id=survivor.pk, emptier_id=emptier.pk)))
        for part in all_holdings()
    )
    return MergePreview(
        survivor=card_of(survivor),
        emptier=card_of(emptier),
        survivor_reason=reason,
        fields=survivorship.field_lines(survivor=survivor, emptier=emptier, rulings=rulings),
        parts=tuple(part for part in parts if part.lines),
    )


def merge_members(
    *,
    first_id: int,
    second_id: int,
    survivor_id: int | None = None,
    choices: Mapping[str, int] | None = None,
    how: MergeHowKind = "desk",
    reason: str = "",
    actor: Actor,
    at: dt.datetime | None = None,
) -> MemberCard:
    """Both rows are one person: one lives on with all that either had, the other points to it for ever.

    Who lives on and whose values survive, `members.services.survivorship` says, unless `survivor_id` or
    `choices` (field → id of the row whose value is wanted) do. Undone with `undo_merge`, for 30 days. Refuses
    two ids of the same person, an unknown or erased one, and choices that name neither row.
    """
    at = at or clock.now()
    for _attempt in range(_ATTEMPTS):
        targets = list_merge_targets([first_id, second_id])
        # One of them may be merged between the look-up and the lock. Rolling back gives the locks up: rows are
        # only ever locked in pk order.
        with transaction.atomic():
            rows = Member.objects.lock_all(set(targets.values()))
            if any(row.merged_into_id for row in rows):
                transaction.set_rollback(True)
                continue
            _check_two(rows, targets, first_id, second_id)
            survivor = merge_locked(
                one=rows[0],
                other=rows[1],
                survivor_id=_living(survivor_id, targets),
                choices=_living_choices(choices, targets),
                how=how,
                reason=reason,
                actor=actor,
                at=at,
            )
            return card_of(survivor)
    raise Conflict


def merge_locked(
    *,
    one: Member,
    other: Member,
    survivor_id: int | None = None,
    choices: Mapping[str, int] | None = None,
    how: MergeHowKind = "unionid",
    reason: str = "",
    actor: Actor,
    at: dt.datetime,
) -> Member:
    """The same for two living rows that the caller has locked; returns the one that lives on.

    Every registered part of what is kept about them moves in this transaction.
    """
    survivor, emptier, _reason = _chosen(one, other, survivor_id)
    before = {"survivor": columns_of(survivor), "emptier": columns_of(emptier)}
    written = survivorship.columns_to_write(
        survivor=survivor,
        rulings=survivorship.rule_fields(survivor=survivor, emptier=emptier, choices=choices or {}),
    )
    for column, value in written.items():
        setattr(survivor, column, value)
    if written:
        survivor.save(update_fields=list(written))
    emptier.merged_into = survivor
    emptier.save(update_fields=["merged_into"])
    moved = {
        part.label: part.move(emptier_id=emptier.pk, survivor_id=survivor.pk, actor=actor, at=at)
        for part in all_holdings()
    }
    merge = MemberMerge.objects.create(
        emptier=emptier,
        survivor=survivor,
        how=how,
        reason=" ".join(reason.replace("\0", "").split())[:120],
        made_at=at,
        made_by=tag_doer(actor),
        undo_until=at + dt.timedelta(days=UNDO_DAYS),
        snapshot=pack_snapshot({"before": before, "written": sorted(written), "parts": moved}),
    )
    audit.record(
        action="members.merged",
        subject=survivor,
        actor=actor,
        at=at,
        from_member_id=emptier.pk,
        merge_id=merge.pk,
        how=how,
        filled=survivorship.group_names(written),
    )
    audit.record(
        action="members.merged_away", subject=emptier, actor=actor, at=at, into_member_id=survivor.pk
    )
    events.publish(MemberMerged(emptier.pk, survivor.pk))
    return survivor


def columns_of(member: Member) -> dict[str, Any]:
    """The row's own columns, but for what it is called outside."""
    return {
        field.name: getattr(member, field.attname)
        for field in Member._meta.concrete_fields
        if field.name not in _OWN
    }


def pack_snapshot(snapshot: Snapshot) -> str:
    """As it is kept, sealed, in the merge's row. Times are ISO 8601 to the microsecond."""
    return json.dumps(snapshot, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _check_two(rows: list[Member], targets: Mapping[int, int], first_id: int, second_id: int) -> None:
    if {first_id, second_id} - set(targets) or any(row.stage == MemberStage.ERASED for row in rows):
        raise NoSuchMember
    if len(rows) != 2:
        raise CannotMergeWithHerself


def _chosen(one: Member, other: Member, survivor_id: int | None) -> tuple[Member, Member, str]:
    survivor, emptier, reason = survivorship.choose_survivor(one=one, other=other)
    if survivor_id is None or survivor_id == survivor.pk:
        return survivor, emptier, reason
    if survivor_id != emptier.pk:
        raise MergeChoiceUnusable(field="survivor")
    return emptier, survivor, ""


def _living(member_id: int | None, targets: Mapping[int, int]) -> int | None:
    return None if member_id is None else targets.get(member_id, member_id)


def _living_choices(choices: Mapping[str, int] | None, targets: Mapping[int, int]) -> dict[str, int]:
    return {field: targets.get(member_id, member_id) for field, member_id in (choices or {}).items()}
