"""What `members` itself keeps about a member: her row and its merges, identities, tags."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from core.models import LockingQuerySet, changed_fields
from members.contracts import MergeLine
from members.models import (
    KnownApart,
    Member,
    MemberAddress,
    MemberIdentity,
    MemberMerge,
    MemberTag,
    PassedPhone,
    TagOrigin,
)
from members.selectors import person_row_ids
from members.services import privacy_parts
from members.services.holdings import MemberHoldings, PlainHoldings, Snapshot, repoint, repoint_back
from members.services.tags import tag_doer


class MergeHoldings(MemberHoldings):
    """Her row, the rows merged into it, and the record of merges. The merge itself writes all of it."""

    label = "merges"
    title = _("合并记录")
    models: ClassVar[tuple[str, ...]] = (
        "members.Member",
        "members.MemberMerge",
        "members.KnownApart",
        "members.PassedPhone",
    )

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """Nothing: who was merged into whom, and when, stays as it was; chains are followed."""
        return {}

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        return set()

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """They were one person by mistake: they are not proposed again."""
        first, second = sorted((emptier_id, survivor_id))
        KnownApart.objects.get_or_create(
            first_id=first, second_id=second, defaults={"said_at": at, "said_by": tag_doer(actor)}
        )

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        merges = MemberMerge.objects.filter(survivor_id=member_id).order_by("made_at", "pk")
        rows = [
            {
                _now("时间"): merge.made_at.isoformat(),
                _now("依据"): merge.get_how_display(),
                _now("撤销时间"): None if merge.undone_at is None else merge.undone_at.isoformat(),
            }
            for merge in merges
        ]
        passed = PassedPhone.objects.filter(former_id=member_id).order_by("passed_at", "pk")
        lost = [{_now("时间"): row.passed_at.isoformat()} for row in passed]
        return {
            title: lines
            for title, lines in ((str(self.title), rows), (_now("手机号换了主人"), lost))
            if lines
        }

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """The rows merged into hers are as empty as hers, and no snapshot remembers any of them."""
        everyone = person_row_ids(member_id)
        merges = MemberMerge.objects.filter(Q(emptier__in=everyone) | Q(survivor__in=everyone))
        merges.live().filter(undo_until__gt=at).update(undo_until=at)
        count = merges.update(snapshot="", reason="", undo_reason="")
        count += KnownApart.objects.filter(Q(first__in=everyone) | Q(second__in=everyone)).delete()[0]
        count += PassedPhone.objects.filter(Q(former__in=everyone) | Q(holder__in=everyone)).delete()[0]
        return count + Member.objects.filter(pk__in=everyone).exclude(pk=member_id).update(
            name="",
            name_tokens=[],
            name_given_through="",
            gender="",
            birthday=None,
            phone="",
            phone_tail="",
            source_scene="",
        )


class AddressHoldings(MemberHoldings):
    """Where she lives. A row has one address, so of two the emptied row keeps its own, unseen."""

    label = "address"
    title = _("地址")
    models: ClassVar[tuple[str, ...]] = ("members.MemberAddress",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Places only; street and house stay sealed."""
        rows = {row.member_id: row for row in _addresses(emptier_id, survivor_id)}
        if not rows:
            return ()
        words = {key: str(row) or _now("有详细地址") for key, row in rows.items()}
        mine, theirs = words.get(survivor_id, ""), words.get(emptier_id, "")
        if not mine or not theirs:
            return (MergeLine(str(self.title), mine, theirs, mine or theirs, _now("只有一边有地址")),)
        later = rows[emptier_id].changed_at > rows[survivor_id].changed_at
        reason = _now("最近填写的地址保留")
        return (MergeLine(str(self.title), mine, theirs, theirs if later else mine, reason),)

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """The survivor has the address that was given last."""
        rows = {row.member_id: row for row in _addresses(emptier_id, survivor_id).lock_rows()}
        theirs, hers = rows.get(emptier_id), rows.get(survivor_id)
        if theirs is None:
            return {}
        if hers is None:
            theirs.member_id = survivor_id
            theirs.save(update_fields=["member"])
            return {"moved": [theirs.pk]}
        if theirs.changed_at <= hers.changed_at:
            return {}
        before = _address_words(hers)
        _write_address(hers, _address_words(theirs))
        return {"before": before, "after": _address_words(theirs)}

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        """An address whose survivor has one of her own stays."""
        housed = MemberAddress.objects.filter(member=OuterRef("member__merged_into"))
        rows = MemberAddress.objects.filter(~Exists(housed), member_id__in=emptier_ids)
        return set(rows.values_list("member_id", flat=True))

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Each has her own, but for one that was given since."""
        rows = {row.member_id: row for row in _addresses(emptier_id, survivor_id).lock_rows()}
        hers = rows.get(survivor_id)
        if hers is None:
            return
        if hers.pk in snapshot.get("moved", []) and emptier_id not in rows:
            hers.member_id = emptier_id
            hers.save(update_fields=["member"])
        elif "before" in snapshot and _address_words(hers) == snapshot["after"]:
            _write_address(hers, snapshot["before"])

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return privacy_parts.export_addresses(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return privacy_parts.erase_addresses(member_id=member_id, actor=actor, at=at)


class IdentityHoldings(PlainHoldings):
    """Under which names outside systems know her. Those linked after a merge stay with the survivor."""

    label = "identities"
    title = _("身份标识")
    models: ClassVar[tuple[str, ...]] = ("members.MemberIdentity",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        mine, theirs = _kinds(survivor_id), _kinds(emptier_id)
        if not mine and not theirs:
            return ()
        total = _now("共 %(n)s 个") % {"n": len(mine) + len(theirs)}
        return (MergeLine(str(self.title), "、".join(mine), "、".join(theirs), total, _now("两边的都保留")),)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return privacy_parts.export_identities(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return privacy_parts.erase_identities(member_id=member_id, actor=actor, at=at)


class TagHoldings(MemberHoldings):
    """The chain's tags and their history."""

    label = "tags"
    title = _("标签")
    models: ClassVar[tuple[str, ...]] = ("members.MemberTag",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        mine, theirs = _live_tags(survivor_id), _live_tags(emptier_id)
        if not mine and not theirs:
            return ()
        kept = _after(mine, theirs)
        lost = [row for row in (*mine, *theirs) if row.tag_id not in {tag.tag_id for tag in kept}]
        reason = _now("单选的标签组保留后打的那个") if lost else _now("两边的都保留")
        return (MergeLine(str(self.title), _tag_words(mine), _tag_words(theirs), _tag_words(kept), reason),)

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """Where both have a tag one row stays, with the later end; of an exclusive group the one given last. Tags that follow
        a rule end with her who is merged away: whether the survivor has them the rule says."""
        ruled = MemberTag.objects.filter(
            member_id=emptier_id, removed_at__isnull=True, tag__origin=TagOrigin.RULE
        )
        ruled.update(removed_at=at, removed_by=tag_doer(actor))
        both = MemberTag.objects.filter(
            member_id__in=[emptier_id, survivor_id], removed_at__isnull=True
        ).lock_rows()
        theirs = [row for row in both if row.member_id == emptier_id]
        hers = [row for row in both if row.member_id == survivor_id]
        ended: list[int] = []
        lengthened: list[dict[str, Any]] = []
        for row in theirs:
            rival = next((other for other in hers if _collide(row, other)), None)
            if rival is None:
                continue
            loser = rival if rival.tag_id != row.tag_id and row.tagged_at > rival.tagged_at else row
            if rival.tag_id == row.tag_id:
                lengthened += _lengthen(rival, row)
            loser.removed_at, loser.removed_by = at, tag_doer(actor)
            loser.save(update_fields=["removed_at", "removed_by"])
            ended.append(loser.pk)
        moved = repoint(model="members.MemberTag", emptier_id=emptier_id, survivor_id=survivor_id)
        return {"moved": moved, "ended": ended, "lengthened": lengthened}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Each has the rows she had. One the merge ended holds again, unless another took its place since."""
        repoint_back(
            model="members.MemberTag",
            ids=snapshot.get("moved", []),
            emptier_id=emptier_id,
            survivor_id=survivor_id,
        )
        for change in snapshot.get("lengthened", []):
            row = MemberTag.objects.lock_all([change["id"]])[0]
            if _iso(row.expires_at) == change["after"]:
                row.expires_at = change["before"] and dt.datetime.fromisoformat(change["before"])
                row.save(update_fields=["expires_at"])
        for row in MemberTag.objects.lock_all(snapshot.get("ended", [])):
            live = MemberTag.objects.filter(member_id=row.member_id, removed_at__isnull=True)
            if not any(_collide(row, other) for other in live):
                row.removed_at, row.removed_by = None, ""
                row.save(update_fields=["removed_at", "removed_by"])

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return privacy_parts.export_tags(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return privacy_parts.erase_tags(member_id=member_id, actor=actor, at=at)


def _addresses(emptier_id: int, survivor_id: int) -> LockingQuerySet[MemberAddress]:
    return MemberAddress.objects.filter(member_id__in=[emptier_id, survivor_id])


def _address_words(row: MemberAddress) -> dict[str, str]:
    words = {name: getattr(row, name) for name in ("province", "city", "district", "street", "given_through")}
    return {**words, "changed_at": row.changed_at.isoformat()}


def _write_address(row: MemberAddress, words: Mapping[str, str]) -> None:
    values = {**words, "changed_at": dt.datetime.fromisoformat(words["changed_at"])}
    row.save(update_fields=changed_fields(row, **values))


def _kinds(member_id: int) -> list[str]:
    rows = MemberIdentity.objects.filter(member_id=member_id).order_by("linked_at", "pk")
    return [str(row.get_kind_display()) for row in rows]


def _live_tags(member_id: int) -> list[MemberTag]:
    """Those that people gave."""
    rows = MemberTag.objects.filter(member_id=member_id, removed_at__isnull=True)
    rows = rows.exclude(tag__origin=TagOrigin.RULE)
    return list(rows.select_related("tag").order_by("tagged_at", "pk"))


def _after(mine: list[MemberTag], theirs: list[MemberTag]) -> list[MemberTag]:
    """What `move` leaves."""
    kept = list(mine)
    for row in theirs:
        rival = next((other for other in mine if _collide(row, other)), None)
        if rival is None:
            kept.append(row)
        elif rival.tag_id != row.tag_id and row.tagged_at > rival.tagged_at:
            kept[kept.index(rival)] = row
    return kept


def _tag_words(rows: list[MemberTag]) -> str:
    return "、".join(row.tag.name for row in rows)


def _collide(one: MemberTag, other: MemberTag) -> bool:
    if one.tag_id == other.tag_id:
        return True
    return one.exclusive_group_id is not None and one.exclusive_group_id == other.exclusive_group_id


def _lengthen(rival: MemberTag, row: MemberTag) -> list[dict[str, Any]]:
    """The row that stays has the later end of the two; what changed, for the way back."""
    before = rival.expires_at
    ends = (rival.expires_at, row.expires_at)
    rival.expires_at = None if None in ends else max(end for end in ends if end is not None)
    if rival.expires_at == before:
        return []
    rival.save(update_fields=["expires_at"])
    return [{"id": rival.pk, "before": _iso(before), "after": _iso(rival.expires_at)}]


def _iso(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()
