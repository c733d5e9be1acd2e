"""Tiers and activity of two rows that turned out to be one person, and of one who asks for her data."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members.contracts import MergeLine
from members.models import ActivityEntry, MemberTier, Tier, TierCause, TierChange
from members.selectors.people import list_merge_targets
from members.selectors.tiers import get_tier_standing, list_tier_history
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back
from members.services.tiers_assessing import Standing, open_standing

_COLUMNS: Final = (
    "tier_id",
    "since",
    "earned_tier_id",
    "valid_until",
    "grace_until",
    "manual_tier_id",
    "manual_until",
    "warned_for",
)


class TierHoldings(MemberHoldings):
    """Where she stands, how she came there, and what she did for it.

    After a merge she has the higher of what both earned and of what both were given, and all her activity together
    may give her more. Parting gives both back what they had, and what each did by herself counts again.
    """

    label = "members.tiers"
    title = _("会员等级")
    models = ("members.ActivityEntry", "members.MemberTier", "members.TierChange")

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        names = [self._name(member_id) for member_id in (survivor_id, emptier_id)]
        standings = [get_tier_standing(member_id).tier for member_id in (survivor_id, emptier_id)]
        higher = max(standings, key=lambda tier: 0 if tier is None else tier.rank)
        after = _("没有等级") if higher is None else higher.name
        return [] if standings == [None, None] else [_line(self.title, names[0], names[1], str(after))]

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        rows = {row.member_id: row for row in _rows(emptier_id, survivor_id).lock_rows()}
        theirs, hers = rows.get(emptier_id), rows.get(survivor_id)
        moved = {
            "activity": repoint(
                model="members.ActivityEntry", emptier_id=emptier_id, survivor_id=survivor_id
            ),
            "changes": repoint(model="members.TierChange", emptier_id=emptier_id, survivor_id=survivor_id),
            "theirs": None if theirs is None else _packed(theirs),
            "hers": None if hers is None else _packed(hers),
        }
        if theirs is None and not moved["activity"]:
            return moved
        standing = open_standing(member_id=survivor_id, actor=actor, at=at)
        if theirs is not None:
            _take_better(standing.row, theirs)
            theirs.delete()
        standing.assess()
        standing.close(TierCause.MERGED)
        return moved

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        repoint_back(model="members.ActivityEntry", ids=snapshot["activity"], emptier_id=emptier_id)
        repoint_back(model="members.TierChange", ids=snapshot["changes"], emptier_id=emptier_id)
        if snapshot["theirs"] is None and not snapshot["activity"]:
            return
        before = {emptier_id: snapshot["theirs"], survivor_id: snapshot["hers"]}
        for member_id in sorted(before):
            standing = open_standing(member_id=member_id, actor=actor, at=at)
            # What staff gave the survivor after the merge is hers alone.
            is_new_gift = member_id == survivor_id and _is_new_gift(standing.row, snapshot)
            gift = (standing.row.manual_tier_id, standing.row.manual_until)
            _unpack(standing.row, before[member_id], is_new=member_id == emptier_id)
            if is_new_gift:
                standing.row.manual_tier_id, standing.row.manual_until = gift
            _drop_lost(standing)
            standing.assess()
            standing.close(TierCause.UNMERGED)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        if list_merge_targets([member_id]).get(member_id) != member_id:
            return {}  # the row she lives on in has all of it
        standing = get_tier_standing(member_id)
        tier = None if standing.tier is None else standing.tier.name
        return {
            _now("会员等级"): [
                {
                    _now("等级"): tier,
                    _now("开始日"): _iso(standing.since),
                    _now("有效至"): _iso(standing.until),
                }
            ]
            if tier is not None
            else [],
            _now("等级变动"): [
                {
                    _now("时间"): line.at.isoformat(),
                    _now("原等级"): None if line.from_tier is None else line.from_tier.name,
                    _now("新等级"): None if line.to_tier is None else line.to_tier.name,
                    _now("缘由"): line.cause_label,
                    _now("原因"): line.note,
                }
                for line in list_tier_history(member_id)
            ],
            _now("成长记录"): [
                {
                    _now("日期"): entry.day.isoformat(),
                    _now("消费额（分）"): entry.spend_fen,
                    _now("订单数"): entry.order_count,
                    _now("成长值"): entry.growth,
                    _now("业务单号"): entry.source_key,
                }
                for entry in ActivityEntry.objects.filter(member_id=member_id).order_by("day", "pk")
            ],
        }

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """What staff wrote about her is gone, and her tier; days and figures without a person stay."""
        notes = TierChange.objects.filter(member_id=member_id).exclude(note="").update(note="")
        gone, _kinds = MemberTier.objects.filter(member_id=member_id).delete()
        return notes + gone

    def _name(self, member_id: int) -> str:
        tier = get_tier_standing(member_id).tier
        return str(_("没有等级")) if tier is None else tier.name


def _rows(*member_ids: int) -> Any:
    return MemberTier.objects.filter(member_id__in=member_ids)


def _take_better(row: MemberTier, other: MemberTier) -> None:
    """The higher of both earned tiers and of both gifts, and of equal ones the later end."""
    if _worth(other.earned_tier, other.valid_until) > _worth(row.earned_tier, row.valid_until):
        row.earned_tier, row.valid_until, row.grace_until = (
            other.earned_tier,
            other.valid_until,
            other.grace_until,
        )
    if _worth(other.manual_tier, other.manual_until) > _worth(row.manual_tier, row.manual_until):
        row.manual_tier, row.manual_until = other.manual_tier, other.manual_until


def _worth(tier: Tier | None, until: dt.date | None) -> tuple[int, dt.date]:
    return (0 if tier is None else tier.rank), until or dt.date.min


def _is_new_gift(row: MemberTier, snapshot: Snapshot) -> bool:
    if row.manual_tier_id is None:
        return False
    now = [row.manual_tier_id, _iso(row.manual_until)]
    known = [snapshot[side] for side in ("theirs", "hers") if snapshot[side] is not None]
    return now not in [[side["manual_tier_id"], side["manual_until"]] for side in known]


def _drop_lost(standing: Standing) -> None:
    """A tier that was retired since the merge is nobody's."""
    if standing.earned_position == 0:
        standing.row.earned_tier = standing.row.valid_until = standing.row.grace_until = None
    if standing.row.manual_tier is not None and not standing.row.manual_tier.is_active:
        standing.take_back()


def _packed(row: MemberTier) -> dict[str, Any]:
    return {
        name: _iso(value) if isinstance(value := getattr(row, name), dt.date) else value for name in _COLUMNS
    }


def _unpack(row: MemberTier, packed: dict[str, Any] | None, *, is_new: bool) -> None:
    """What was kept, but for the tier the survivor has now: that she has it no more is a change of its own."""
    for name in _COLUMNS if is_new and packed is not None else _COLUMNS[2:]:
        value = None if packed is None else packed[name]
        setattr(row, name, dt.date.fromisoformat(value) if isinstance(value, str) else value)


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _line(title: Any, survivor: str, emptier: str, after: str) -> MergeLine:
    return MergeLine(str(title), survivor, emptier, after)
