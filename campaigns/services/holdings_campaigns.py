"""What campaigns keep about a member: that she was in a run, and what came of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import F
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import (
    CampaignBook,
    CampaignMember,
    CampaignMemberState,
    CampaignRun,
    OutcomeTouch,
)
from campaigns.services.outcome_slices import (
    begin_members,
    deliver_members,
    leave_messages,
    read_members,
)
from core.actor import Actor
from core.models import LockingQuerySet
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back

_KEPT = (
    "run_id", "letter", "state", "code", "guide_id", "store_id", "tier_id", "reach_id", "coupon_id", "follow_up_id",
    "other_reach_ids",
)  # fmt: skip
_INSTANTS = ("released_at", "clicked_at")
_HAD = (CampaignMemberState.DONE, CampaignMemberState.REFUSED)
_COUNTS: Mapping[str, str] = {
    CampaignMemberState.CONTROL: "control_count",
    CampaignMemberState.DONE: "done_count",
    CampaignMemberState.REFUSED: "refused_count",
}


class CampaignHoldings(MemberHoldings):
    """Runs that had only the emptier have the survivor; where both are in one, the survivor's place counts and the other's
    goes, with its share of the run's numbers: one person is in a run once. If only the other had her turn, hers is the place
    that counts, for nobody gets the same twice. What was said to the other was said to her, and what it cost was spent on her."""

    label = "campaigns.campaigns"
    title = _("营销活动")
    models: ClassVar[tuple[str, ...]] = ("campaigns.CampaignMember",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """In how many runs either was."""
        hers = set(CampaignMember.objects.filter(member_id=survivor_id).values_list("run_id", flat=True))
        theirs = set(CampaignMember.objects.filter(member_id=emptier_id).values_list("run_id", flat=True))
        if not theirs:
            return ()
        numbers = (str(len(hers)), str(len(theirs)), str(len(hers | theirs)))
        return (MergeLine(_now("参加过的活动"), *numbers, _now("同一次活动只算一次")),)

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """As above. The snapshot keeps what went."""
        _lock_places(emptier_id, survivor_id)
        theirs = CampaignMember.objects.filter(member_id=emptier_id)
        had = theirs.filter(state__in=_HAD).values("run_id")
        waited = _drop(
            CampaignMember.objects.filter(
                member_id=survivor_id, state=CampaignMemberState.WAITING, run_id__in=had
            )
        )
        hers = CampaignMember.objects.filter(member_id=survivor_id).values("run_id")
        dropped = _drop(theirs.filter(run_id__in=hers))
        moved = repoint(model="campaigns.CampaignMember", emptier_id=emptier_id, survivor_id=survivor_id)
        _take_over(survivor_id, [*waited, *dropped])
        return {"dropped": dropped, "waited": waited, "members": moved}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Rows that moved are back, and those that went are there again; one that waited gets nothing any more."""
        if not snapshot:
            return
        _lock_places(emptier_id, survivor_id)
        repoint_back(
            model="campaigns.CampaignMember",
            ids=snapshot["members"],
            emptier_id=emptier_id,
            survivor_id=survivor_id,
        )
        _hand_back(survivor_id, snapshot["dropped"])
        _bring_back(emptier_id, snapshot["dropped"])
        _bring_back(survivor_id, snapshot.get("waited", ()))

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """Which campaigns she was in. Whether by lot she got nothing is said too: it is about her."""
        rows = (
            CampaignMember.objects.filter(member_id=member_id).select_related("run__campaign").order_by("pk")
        )
        told = [
            {
                _now("活动"): row.run.campaign.name,
                _now("时间"): (row.released_at or row.run.due_at).isoformat(),
                _now("状态"): str(row.get_state_display()),
            }
            for row in rows
        ]
        return {str(self.title): told} if told else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing tells that she was in a run. Who still waits gets nothing, and the run has one member less; numbers of
        what was done stay, and the report's have what her message came to and cost until now."""
        rows = CampaignMember.objects.filter(member_id=member_id)
        _tell_last(member_id)
        waiting = rows.filter(state=CampaignMemberState.WAITING).lock_rows()
        _add([row.run_id for row in waiting], {"member_count": -1})
        return rows.delete()[0]


def _tell_last(member_id: int) -> None:
    """What was done to her is read into the outcomes of her runs, or is by who counts them when it is over: without her places
    nobody could read it any more. A run that nobody has counted yet has her before she goes."""
    books = CampaignBook.objects.filter(frozen_at__isnull=False).values("run_id")
    places = CampaignMember.objects.filter(member_id=member_id, run__launched_at__isnull=False)
    places = places.exclude(run_id__in=books)
    for place in places.select_related("run__campaign").order_by("run_id"):
        if place.state != CampaignMemberState.WAITING:
            begin_members(run=place.run, members=read_members(run_id=place.run_id, member_ids=[member_id]))
        messages = [*([place.reach_id] if place.reach_id else ()), *(place.other_reach_ids or ())]
        leave_messages(run_id=place.run_id, member_id=member_id, reach_ids=messages)
        if deliver_members(members=read_members(run_id=place.run_id, member_ids=[member_id])):
            # Whoever takes the note adds the run up again.
            OutcomeTouch.objects.create(member_id=member_id, run_id=place.run_id)


def _lock_places(*member_ids: int) -> None:
    """All of theirs, before any of their runs is: who opens a message locks place and run in that order too."""
    CampaignMember.objects.filter(member_id__in=member_ids).lock_rows()


def _drop(rows: LockingQuerySet[CampaignMember]) -> list[dict[str, Any]]:
    """These places go, with their share of their runs' numbers; what they said."""
    places = rows.lock_rows()
    dropped: list[dict[str, Any]] = [
        {name: getattr(row, name) for name in _KEPT}
        | {name: at and at.isoformat() for name in _INSTANTS for at in [getattr(row, name)]}
        for row in places
    ]
    CampaignMember.objects.filter(pk__in=[row.pk for row in places]).delete()
    _count(dropped, -1)
    return dropped


def _take_over(member_id: int, dropped: Sequence[Mapping[str, Any]]) -> None:
    """Messages of the places that went are her places'."""
    for row in dropped:
        if not (messages := _messages_of(row)):
            continue
        for place in CampaignMember.objects.filter(member_id=member_id, run_id=row["run_id"]).lock_rows():
            place.other_reach_ids = [*(place.other_reach_ids or ()), *messages]
            place.save(update_fields=["other_reach_ids"])


def _hand_back(member_id: int, dropped: Sequence[Mapping[str, Any]]) -> None:
    """They are hers no more. What was sent again meanwhile stays with her: it went to her."""
    for row in dropped:
        gone = set(_messages_of(row))
        for place in CampaignMember.objects.filter(member_id=member_id, run_id=row["run_id"]).lock_rows():
            place.other_reach_ids = [pk for pk in place.other_reach_ids or () if pk not in gone] or None
            place.save(update_fields=["other_reach_ids"])


def _messages_of(row: Mapping[str, Any]) -> list[int]:
    return [*([row["reach_id"]] if row["reach_id"] else ()), *(row.get("other_reach_ids") or ())]


def _bring_back(member_id: int, dropped: Sequence[Mapping[str, Any]]) -> None:
    """Her places are there again. One that waited gets nothing any more: the run may be over, and she had what it gave as the
    other."""
    there = set(CampaignMember.objects.filter(member_id=member_id).values_list("run_id", flat=True))
    back = [dict(row) for row in dropped if row["run_id"] not in there]
    for row in back:
        if row["state"] == CampaignMemberState.WAITING:
            row["state"] = CampaignMemberState.STOPPED
    CampaignMember.objects.bulk_create(
        CampaignMember(
            member_id=member_id,
            **{name: row.get(name) for name in _KEPT},
            **{name: row[name] and dt.datetime.fromisoformat(row[name]) for name in _INSTANTS},
        )
        for row in back
    )
    _count(back, 1)


def _count(rows: Sequence[Mapping[str, Any]], sign: int) -> None:
    """So many members more or less in the runs of these rows, by what became of them."""
    CampaignRun.objects.filter(pk__in=[row["run_id"] for row in rows]).lock_rows()
    for row in rows:
        changes = {"member_count": sign}
        if name := _COUNTS.get(row["state"]):
            changes[name] = sign
        if row["clicked_at"]:
            changes["clicked_count"] = sign
        _add([row["run_id"]], changes)


def _add(run_ids: Sequence[int], changes: Mapping[str, int]) -> None:
    CampaignRun.objects.filter(pk__in=run_ids).lock_rows()
    CampaignRun.objects.filter(pk__in=run_ids).update(
        **{name: F(name) + delta for name, delta in changes.items()}
    )
