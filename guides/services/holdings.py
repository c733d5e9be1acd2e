"""What `guides` keeps about a member: whose she is, what guides wrote down for themselves, her scans."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actor import Actor
from guides.models import (
    Binding,
    BindingSource,
    ChannelScan,
    Guide,
    GuideMemberTag,
    GuideNote,
    GuideRemark,
)
from guides.services import privacy_parts
from guides.services.bindings import end_binding, lock_live, open_binding
from members import selectors as member_selectors
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, PlainHoldings, Snapshot, repoint, repoint_back

# What guides keep for themselves, and the name of the ids in a snapshot.
_OWN_TABLES: Final = {
    "guides.GuideNote": "notes",
    "guides.GuideMemberTag": "tags",
    "guides.GuideRemark": "remarks",
}


class BindingHoldings(MemberHoldings):
    """Her exclusive guide of today, and all before. The history stays with the row it was written for, so that
    at each instant one row had one guide; only the live binding is settled."""

    label = "bindings"
    title = _("专属导购")
    models: ClassVar[tuple[str, ...]] = ("guides.Binding",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        hers, theirs = _live(survivor_id), _live(emptier_id)
        if hers is None and theirs is None:
            return ()
        kept = theirs if theirs is not None and (hers is None or _wins(theirs, hers)) else hers
        assert kept is not None
        if hers is None or theirs is None:
            reason = _now("只有一边有专属导购")
        elif hers.guide_id == theirs.guide_id:
            reason = _now("两边是同一位导购")
        elif (hers.guide.state == "left") != (theirs.guide.state == "left"):
            reason = _now("另一位导购已离职")
        else:
            reason = _now("先绑定的导购保留")
        return (
            MergeLine(str(self.title), _guide_words(hers), _guide_words(theirs), kept.guide.name, reason),
        )

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """The survivor has the older of the two bindings; a guide who has left loses to one who has not."""
        reason = _now("会员合并")
        rows = Binding.objects.live().filter(member_id__in=[emptier_id, survivor_id]).lock_rows()
        theirs = next((row for row in rows if row.member_id == emptier_id), None)
        hers = next((row for row in rows if row.member_id == survivor_id), None)
        if theirs is None:
            return {}
        moves = hers is None or (hers.guide_id != theirs.guide_id and _wins(theirs, hers))
        guide = Guide.objects.lock(theirs.guide_id)
        end_binding(theirs, reason=reason, actor=actor, at=at)
        if not moves:
            return {"theirs": theirs.pk}
        if hers is not None:
            end_binding(hers, reason=reason, actor=actor, at=at)
        opened = open_binding(
            member_id=survivor_id,
            guide=guide,
            source=BindingSource.MERGE,
            actor=actor,
            at=at if hers is None else max(at, hers.bound_at),
            channel_code_id=theirs.channel_code_id,
            reason=reason,
        )
        return {
            "theirs": theirs.pk,
            "hers": None if hers is None else hers.pk,
            "opened": opened.id,
        }

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        live = Binding.objects.live().filter(member_id__in=emptier_ids)
        return set(live.values_list("member_id", flat=True))

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Each has the guide she had, by a new binding; the survivor's stays when she chose another since."""
        if not snapshot:
            return
        opened = snapshot.get("opened")
        live = lock_live(survivor_id)
        if opened is not None and live is not None and live.pk == opened:
            end_binding(live, reason=_now("撤销合并"), actor=actor, at=at)
            if snapshot["hers"] is not None:
                _reopen(snapshot["hers"], survivor_id, actor, max(at, live.bound_at))
        _reopen(snapshot["theirs"], emptier_id, actor, at)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return privacy_parts.export_bindings(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return privacy_parts.erase_bindings(member_id=member_id, actor=actor, at=at)


class NoteHoldings(MemberHoldings):
    """What guides keep about her for themselves: notes, tags, what they call her."""

    label = "notes"
    title = _("导购备注")
    models: ClassVar[tuple[str, ...]] = tuple(_OWN_TABLES)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Counts only: staff do not read what guides keep for themselves."""
        mine, theirs = _note_count(survivor_id), _note_count(emptier_id)
        if not mine and not theirs:
            return ()
        reason = _now("各位导购自己的内容都保留")
        return (MergeLine(str(self.title), str(mine), str(theirs), str(mine + theirs), reason),)

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """Where a guide has called or tagged both, the survivor's stays."""
        hers = GuideMemberTag.objects.filter(member_id=survivor_id).values("tag_id")
        doubled = GuideMemberTag.objects.filter(member_id=emptier_id, tag_id__in=hers)
        dropped_tags = [
            {"tag": row.tag_id, "tagged_at": row.tagged_at.isoformat()} for row in doubled.order_by("pk")
        ]
        doubled.delete()
        named = GuideRemark.objects.filter(member_id=survivor_id).values("guide_id")
        unused = GuideRemark.objects.filter(member_id=emptier_id, guide_id__in=named)
        dropped_remarks = [{"guide": row.guide_id, "name": row.name} for row in unused.order_by("pk")]
        unused.delete()
        return {
            **{
                name: repoint(model=label, emptier_id=emptier_id, survivor_id=survivor_id)
                for label, name in _OWN_TABLES.items()
            },
            "dropped_tags": dropped_tags,
            "dropped_remarks": dropped_remarks,
        }

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """All of it is where it was; what guides took off or wrote since stays as they left it."""
        for label, name in _OWN_TABLES.items():
            repoint_back(
                model=label, ids=snapshot.get(name, []), emptier_id=emptier_id, survivor_id=survivor_id
            )
        for row in snapshot.get("dropped_tags", []):
            GuideMemberTag.objects.get_or_create(
                tag_id=row["tag"],
                member_id=emptier_id,
                defaults={"tagged_at": dt.datetime.fromisoformat(row["tagged_at"])},
            )
        for row in snapshot.get("dropped_remarks", []):
            GuideRemark.objects.get_or_create(
                guide_id=row["guide"],
                member_id=emptier_id,
                defaults={
                    "name": row["name"],
                    "name_tokens": member_selectors.name_tokens(row["name"]),
                },
            )

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return privacy_parts.export_notes(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return privacy_parts.erase_notes(member_id=member_id, actor=actor, at=at)


class ScanHoldings(PlainHoldings):
    """Which codes she scanned, and what guides were told of her."""

    label = "scans"
    title = _("扫码记录")
    models: ClassVar[tuple[str, ...]] = ("guides.ChannelScan", "guides.GuideNotice")

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        mine, theirs = (
            ChannelScan.objects.filter(member_id=member_id).count() for member_id in (survivor_id, emptier_id)
        )
        if not mine and not theirs:
            return ()
        return (MergeLine(str(self.title), str(mine), str(theirs), str(mine + theirs)),)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return privacy_parts.export_scans(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing: scans and notices are keys and times. Without its notice a guide would be told again."""
        return 0


def _live(member_id: int) -> Binding | None:
    return Binding.objects.live().filter(member_id=member_id).select_related("guide").first()


def _guide_words(binding: Binding | None) -> str:
    if binding is None:
        return ""
    day = clock.business_day(binding.bound_at).isoformat()
    return _now("%(guide)s（%(day)s 绑定）") % {"guide": binding.guide.name, "day": day}


def _wins(theirs: Binding, hers: Binding) -> bool:
    guides = [theirs.guide_id, hers.guide_id]
    active = set(Guide.objects.active().filter(pk__in=guides).values_list("pk", flat=True))
    if (theirs.guide_id in active) != (hers.guide_id in active):
        return theirs.guide_id in active
    return (theirs.bound_at, theirs.pk) < (hers.bound_at, hers.pk)


def _reopen(binding_id: int, member_id: int, actor: Actor, at: dt.datetime) -> None:
    """The guide of a binding that the merge ended has the member again, also one who has left since."""
    ended = Binding.objects.get(pk=binding_id)
    if lock_live(member_id) is None:
        open_binding(
            member_id=member_id,
            guide=Guide.objects.lock(ended.guide_id),
            source=BindingSource.MERGE,
            actor=actor,
            at=at,
            channel_code_id=ended.channel_code_id,
            reason=_now("撤销合并"),
        )


def _note_count(member_id: int) -> int:
    return GuideNote.objects.kept().filter(member_id=member_id).count()
