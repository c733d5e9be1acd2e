"""What `coupons` keeps of how a member came by her coupons: scans of face-to-face codes, and standing rules."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from coupons.errors import HadBefore, MemberGone
from coupons.models import FaceToFaceClaim, IssueState, StandingIssue
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, PlainHoldings, Snapshot, repoint_back


class FaceToFaceHoldings(PlainHoldings):
    """Her scans of guides' face-to-face codes and what they brought."""

    label = "face_to_face"
    title = _("面对面领取")
    models: ClassVar[tuple[str, ...]] = ("coupons.FaceToFaceClaim",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Nothing: the coupons themselves are in the part of the coupons."""
        return ()

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        claims = FaceToFaceClaim.objects.filter(member_id=member_id).select_related("offer__batch__template")
        rows = [
            {
                _now("券"): claim.offer.batch.template.title,
                _now("结果"): claim.get_outcome_display(),
                _now("时间"): claim.at.isoformat(),
            }
            for claim in claims.order_by("pk")
        ]
        return {str(_("面对面领取")): rows} if rows else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing: keys and times, without which the counts of an offer would be wrong."""
        return 0


class StandingHoldings(MemberHoldings):
    """What standing rules gave her, or could not. An occasion that both rows had stays with each: of the two only the
    survivor's counts from then on, and she has the coupon of it once."""

    label = "standing_issues"
    title = _("自动发券记录")
    models: ClassVar[tuple[str, ...]] = ("coupons.StandingIssue",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Nothing: the coupons themselves are in the part of the coupons."""
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        rows = StandingIssue.objects.filter(member_id__in=[emptier_id, survivor_id]).lock_rows()
        hers = {(row.rule_id, row.occasion_key): row for row in rows if row.member_id == survivor_id}
        moved: list[int] = []
        stopped: list[int] = []
        for row in (row for row in rows if row.member_id == emptier_id):
            other = hers.get((row.rule_id, row.occasion_key))
            if other is None:
                row.member_id = survivor_id
                row.save(update_fields=["member"])
                moved.append(row.pk)
                continue
            # One of the two at most goes on waiting: the survivor's, where the emptier's has nothing yet.
            late = other if row.state == IssueState.GIVEN else row
            if late.state == IssueState.WAITING:
                late.state, late.reason, late.settled_at = IssueState.REFUSED, HadBefore.code, at
                late.save(update_fields=["state", "reason", "settled_at"])
                stopped.append(late.pk)
        return {"moved": moved, "stopped": stopped}

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        """Rows that came later and wait; those of occasions that both had stay where they are."""
        waiting = StandingIssue.objects.filter(member_id__in=emptier_ids, state=IssueState.WAITING)
        return set(waiting.values_list("member_id", flat=True).distinct())

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        if not snapshot:
            return
        repoint_back(
            model="coupons.StandingIssue",
            ids=snapshot["moved"],
            emptier_id=emptier_id,
            survivor_id=survivor_id,
        )
        stopped = StandingIssue.objects.filter(pk__in=snapshot["stopped"], reason=HadBefore.code)
        stopped.update(state=IssueState.WAITING, reason="", settled_at=None, round=None)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        issues = StandingIssue.objects.filter(member_id=member_id).select_related("rule")
        rows = [
            {
                _now("规则"): issue.rule.name,
                _now("结果"): issue.get_state_display(),
                _now("时间"): (issue.settled_at or issue.noted_at).isoformat(),
            }
            for issue in issues.order_by("pk")
        ]
        return {str(_("自动发券记录")): rows} if rows else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing more is given; what was stays for the counts."""
        waiting = StandingIssue.objects.filter(member_id=member_id, state=IssueState.WAITING)
        return waiting.update(state=IssueState.REFUSED, reason=MemberGone.code, settled_at=at)
