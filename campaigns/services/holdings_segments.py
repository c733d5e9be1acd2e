"""What segments keep about a member."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import F
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import Segment, SegmentKind, SegmentMember, SegmentMove
from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back


class SegmentHoldings(MemberHoldings):
    """Lists and snapshots name the survivor; of living segments the emptier's row goes, and whether the survivor belongs
    there her own rows say, which the merge changes and triggers note."""

    label = "campaigns.segments"
    title = _("人群")
    models: ClassVar[tuple[str, ...]] = ("campaigns.SegmentMember", "campaigns.SegmentMove")

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many lists and snapshots name either."""
        named = SegmentMember.objects.exclude(segment__kind=SegmentKind.LIVING)
        hers = set(named.filter(member_id=survivor_id).values_list("segment_id", flat=True))
        theirs = set(named.filter(member_id=emptier_id).values_list("segment_id", flat=True))
        if not theirs:
            return ()
        both = (str(len(hers)), str(len(theirs)), str(len(hers | theirs)))
        return (MergeLine(_now("名单和定格人群"), *both, _now("两边所在的名单都保留")),)

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """As above. The snapshot keeps what went."""
        _hold(emptier_id)
        hers = SegmentMember.objects.filter(member_id=survivor_id).values("segment_id")
        mine = SegmentMember.objects.filter(member_id=emptier_id)
        going = mine.filter(segment__kind=SegmentKind.LIVING) | mine.filter(segment__in=hers)
        dropped: list[dict[str, Any]] = [
            {"segment": row.segment_id, "entered_at": row.entered_at.isoformat()}
            for row in going.order_by("segment_id")
        ]
        mine.filter(segment_id__in=[row["segment"] for row in dropped]).delete()
        _count([row["segment"] for row in dropped], -1)
        return {
            "dropped": dropped,
            "members": repoint(
                model="campaigns.SegmentMember", emptier_id=emptier_id, survivor_id=survivor_id
            ),
            "moves": repoint(model="campaigns.SegmentMove", emptier_id=emptier_id, survivor_id=survivor_id),
        }

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Rows that moved are back, and those that went are there again; living segments find both by themselves."""
        if not snapshot:
            return
        for label, key in (("campaigns.SegmentMember", "members"), ("campaigns.SegmentMove", "moves")):
            repoint_back(model=label, ids=snapshot[key], emptier_id=emptier_id, survivor_id=survivor_id)
        # A living segment has found her meanwhile, or will: a row of before the merge could be wrong today.
        kept = set(
            Segment.objects.active()
            .filter(pk__in=[row["segment"] for row in snapshot["dropped"]])
            .exclude(kind=SegmentKind.LIVING)
            .values_list("pk", flat=True)
        )
        there = set(SegmentMember.objects.filter(member_id=emptier_id).values_list("segment_id", flat=True))
        rows = [
            SegmentMember(
                segment_id=row["segment"],
                member_id=emptier_id,
                entered_at=dt.datetime.fromisoformat(row["entered_at"]),
            )
            for row in snapshot["dropped"]
            if row["segment"] in kept - there
        ]
        SegmentMember.objects.bulk_create(rows)
        _count([row.segment_id for row in rows], 1)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """The segments she is in, by name and since when."""
        rows = SegmentMember.objects.filter(member_id=member_id).select_related("segment").order_by("pk")
        told = [
            {_now("人群"): row.segment.name, _now("进入时间"): row.entered_at.isoformat()} for row in rows
        ]
        return {str(self.title): told} if told else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """She is in none, and no move tells of her; sizes of past days stay."""
        _hold(member_id)
        rows = SegmentMember.objects.filter(member_id=member_id)
        segment_ids = sorted(rows.values_list("segment_id", flat=True))
        touched = rows.delete()[0]
        _count(segment_ids, -1)
        return touched + SegmentMove.objects.filter(member_id=member_id).delete()[0]


def _hold(member_id: int) -> None:
    """Her segments, locked in their order before her rows in them: who works them out takes the locks in this order."""
    segment_ids = SegmentMember.objects.filter(member_id=member_id).values("segment_id")
    Segment.objects.filter(pk__in=segment_ids).lock_rows()


def _count(segment_ids: Sequence[int], delta: int) -> None:
    """So many members more in each of these; locked in their order."""
    Segment.objects.filter(pk__in=segment_ids).lock_rows()
    Segment.objects.filter(pk__in=segment_ids).update(member_count=F("member_count") + delta)
