"""The days on which a member came: worked out again wherever her documents and traces go."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot
from sales.models import MemberDay, Trace
from sales.services.nine import forget_member_days, touch_member_days


class MemberDayHoldings(MemberHoldings):
    """Her days are those of her rows, so a merge adds nothing up; the fold counts the survivor within seconds."""

    label = "member_days"
    title = _("到访")
    models: ClassVar[tuple[str, ...]] = ("sales.MemberDay",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Nothing of its own: what is merged are purchases, scans, coupons and behaviours."""
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        forget_member_days([emptier_id], at=at)
        touch_member_days([survivor_id])
        return {}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        touch_member_days([emptier_id, survivor_id])

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        rows = MemberDay.objects.filter(member=member_id).order_by("day", "store_ref")
        told = [
            {
                _now("日期"): row.day.isoformat(),
                _now("来访方式"): _now("、").join(
                    str(trace.label) for trace in Trace if row.traces & trace.value
                ),
            }
            for row in rows
        ]
        return {str(self.title): told} if told else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return forget_member_days([member_id], at=at)
