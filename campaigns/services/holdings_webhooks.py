"""What other systems are told about a member."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import DeliveryState, WebhookDelivery
from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back

_LABEL = "campaigns.WebhookDelivery"


class WebhookHoldings(MemberHoldings):
    """Tellings to other systems: they follow her, and are silent once she is erased."""

    label = "campaigns.webhooks"
    title = _("外部通知")
    models: ClassVar[tuple[str, ...]] = (_LABEL,)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Nothing that anybody decides on."""
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        return {"rows": repoint(model=_LABEL, emptier_id=emptier_id, survivor_id=survivor_id)}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        if snapshot:
            repoint_back(model=_LABEL, ids=snapshot["rows"], emptier_id=emptier_id, survivor_id=survivor_id)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """Which system was told what, and whether it heard it."""
        rows = WebhookDelivery.objects.filter(member_id=member_id).select_related("endpoint").order_by("pk")
        told = [
            {
                _now("外部系统"): row.endpoint.name,
                _now("内容"): json.loads(row.content)["values"] if row.content else {},
                _now("时间"): row.created_at.isoformat(),
                _now("状态"): str(row.get_state_display()),
            }
            for row in rows
        ]
        return {str(self.title): told} if told else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nobody is told any more, and the words are gone. One that is under way keeps its state, which its sender writes."""
        rows = WebhookDelivery.objects.filter(member_id=member_id)
        rows.filter(state=DeliveryState.WAITING).update(state=DeliveryState.SKIPPED, finished_at=at)
        return rows.update(content="")
