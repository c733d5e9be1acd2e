"""What becomes of a member's service requests when she is merged, parted, exported or erased."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from guides.models import ServiceRequest, ServiceRequestStep
from guides.services.request_moves import repoint_requests
from guides.services.requests import withdraw_all
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot


class RequestHoldings(MemberHoldings):
    """Requests and their steps; the notices about them are the bindings' part."""

    label = "guides.requests"
    title = _("服务请求")
    models = ("guides.ServiceRequest",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many requests either side has; all of them stay."""
        hers = ServiceRequest.objects.filter(member_id=survivor_id).count()
        theirs = ServiceRequest.objects.filter(member_id=emptier_id).count()
        if not hers and not theirs:
            return ()
        words = _now("%(count)d 个")
        return (
            MergeLine(
                title=str(self.title),
                survivor=words % {"count": hers},
                emptier=words % {"count": theirs},
                outcome=words % {"count": hers + theirs},
                reason=_now("两边的请求都保留"),
            ),
        )

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """All of them are the survivor's. Where they belong is settled once her binding is (`mend_requests`)."""
        keys = ServiceRequest.objects.filter(member_id=emptier_id, request_key__isnull=False)
        kept = {str(pk): key for pk, key in keys.values_list("pk", "request_key")}
        return {"ids": repoint_requests(emptier_id=emptier_id, survivor_id=survivor_id), "keys": kept}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Those that moved are the parted member's again, under the keys they came with."""
        rows = ServiceRequest.objects.filter(pk__in=snapshot["ids"], member_id=survivor_id).lock_rows()
        for row in rows:
            row.member_id = emptier_id
            row.request_key = snapshot["keys"].get(str(row.pk))
            row.save(update_fields=["member_id", "request_key"])

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """What she asked for, what became of it, and what she was told; colleagues' notes are not hers."""
        rows = ServiceRequest.objects.filter(member_id=member_id).select_related("kind", "store", "guide")
        steps = ServiceRequestStep.objects.filter(request__member_id=member_id).order_by("pk")
        told: dict[int, list[dict[str, Any]]] = {}
        for step in steps:
            line = {_now("时间"): step.at.isoformat(), _now("进展"): str(step.get_act_display())}
            told.setdefault(step.request_id, []).append(
                line | ({_now("说明"): step.words} if step.words else {})
            )
        lines = [
            {
                _now("类型"): row.kind.name,
                _now("内容"): row.words,
                _now("提交时间"): row.opened_at.isoformat(),
                _now("希望时间"): row.wanted_at.isoformat() if row.wanted_at else None,
                _now("约定时间"): row.scheduled_at.isoformat() if row.scheduled_at else None,
                _now("门店"): row.store.name,
                _now("导购"): row.guide.name if row.guide is not None else None,
                _now("状态"): str(row.get_state_display()),
                _now("经过"): told.get(row.pk, []),
            }
            for row in rows.order_by("pk")
        ]
        return {str(self.title): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Unfinished ones are cancelled; all words, hers and to her, are gone. The rows stay to be counted."""
        withdraw_all(member_id=member_id, actor=actor, at=at)
        ServiceRequestStep.objects.filter(request__member_id=member_id).update(words="", note="")
        return ServiceRequest.objects.filter(member_id=member_id).update(words="", request_key=None)
