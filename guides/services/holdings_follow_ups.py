"""What becomes of a member's follow-ups when she is merged, parted, exported or erased."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from guides.models import FollowUp, FollowUpState
from members.contracts import MergeLine
from members.services.holdings import PlainHoldings


class FollowUpHoldings(PlainHoldings):
    """Follow-ups; with whom open ones are is settled once her binding is (`mend_follow_ups`)."""

    label = "guides.follow_ups"
    title = _("跟进任务")
    models: ClassVar[tuple[str, ...]] = ("guides.FollowUp",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many either side has; all of them stay."""
        hers = FollowUp.objects.filter(member_id=survivor_id).count()
        theirs = FollowUp.objects.filter(member_id=emptier_id).count()
        if not hers and not theirs:
            return ()
        reason = _now("两边的任务都保留")
        return (MergeLine(str(self.title), str(hers), str(theirs), str(hers + theirs), reason),)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """Why guides turned to her and what came of it; what guides wrote down about it is theirs."""
        rows = FollowUp.objects.filter(member_id=member_id).order_by("pk")
        lines = [
            {
                _now("缘由"): row.title,
                _now("时间"): row.created_at.isoformat(),
                _now("状态"): str(row.get_state_display()),
                _now("结果"): str(row.get_result_display()) if row.result else None,
            }
            for row in rows
        ]
        return {str(self.title): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Open ones are dropped; words are gone. The rows stay to be counted."""
        rows = FollowUp.objects.filter(member_id=member_id)
        rows.filter(state=FollowUpState.OPEN).update(state=FollowUpState.DROPPED)
        return rows.update(script="", note="")
