"""What `sales` counted about a member: worked out again wherever her documents go."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot
from sales.models import MemberMetrics, MetricsTouch
from sales.selectors.rfm_rules import get_rfm_rules
from sales.services.metrics import refresh_member_metrics


class MetricsHoldings(MemberHoldings):
    """Her numbers are those of her documents, so a merge adds nothing up and an undo takes nothing apart."""

    label = "metrics"
    title = _("消费画像")
    models: ClassVar[tuple[str, ...]] = ("sales.MemberMetrics",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Nothing of its own: what is merged are the purchases."""
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        row = MemberMetrics.objects.filter(pk=emptier_id).first()
        MetricsTouch.objects.filter(pk=emptier_id).delete()
        if row is not None:
            row.delete()
        refresh_member_metrics([survivor_id], at=at)
        if row is None or row.group_month_on is None:
            return {}
        return {"before": row.before_group, "group": row.rfm_group, "month": row.group_month_on.isoformat()}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        refresh_member_metrics([emptier_id, survivor_id], at=at)
        if not snapshot:
            return
        rows = MemberMetrics.objects.filter(pk=emptier_id, rfm_group__isnull=False)
        month = dt.date.fromisoformat(snapshot["month"])
        # Where she stood before this month is not in her documents. After a month's end it is what she was merged with.
        for row in rows:
            row.before_group = snapshot["before"] if row.group_month_on == month else snapshot["group"]
            row.save(update_fields=["before_group"])

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        row = MemberMetrics.objects.buyers().filter(pk=member_id).first()
        if row is None or row.rfm_group is None:
            return {}
        told = {
            _now("首次消费"): _day(row.first_on),
            _now("最近消费"): _day(row.last_on),
            _now("累计订单"): row.order_count,
            _now("累计消费（分）"): row.amount_fen,
            _now("近 12 个月订单"): row.year_order_count,
            _now("近 12 个月消费（分）"): row.year_amount_fen,
            _now("偏好类目"): list(row.categories),
            _now("通常间隔（天）"): row.typical_days,
            _now("预计下次"): _day(row.next_on),
            _now("客群"): get_rfm_rules().group_names[row.rfm_group],
            _now("生命周期"): row.get_stage_display(),
        }
        return {str(self.title): [told]}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        MetricsTouch.objects.filter(pk=member_id).delete()
        deleted, _kinds = MemberMetrics.objects.filter(pk=member_id).delete()
        return deleted


def _day(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
