"""What becomes of what a member did in the mini-program when she is merged, parted, exported or erased."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from core.labels import label_of
from members.contracts import MergeLine
from members.contracts.behaviours import BEHAVIOUR_KINDS, BEHAVIOUR_LABELS
from members.models import Behaviour, BehaviourVisitor, MemberIdentity
from members.services.holdings import PlainHoldings, Snapshot


class BehaviourHoldings(PlainHoldings):
    """Pages, goods and searches of hers."""

    label = "behaviours"
    title = _("小程序行为")
    models: ClassVar[tuple[str, ...]] = ("members.Behaviour",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many either side has; all of them stay."""
        mine = Behaviour.objects.filter(member_id=survivor_id).count()
        theirs = Behaviour.objects.filter(member_id=emptier_id).count()
        if not mine and not theirs:
            return ()
        words = _now("两边的行为都保留")
        return (MergeLine(str(self.title), str(mine), str(theirs), str(mine + theirs), words),)

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """All of it is the survivor's. By the member and not by ids: no index of ids spans the months."""
        rows = Behaviour.objects.filter(member_id=emptier_id)
        moved = sorted(rows.values_list("pk", flat=True))
        if moved:
            rows.update(member_id=survivor_id)
        return {"members.Behaviour.member": moved}

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """All of it, the oldest first."""
        rows = Behaviour.objects.filter(member_id=member_id).order_by("happened_at", "pk")
        lines = [
            {
                _now("时间"): row.happened_at.isoformat(),
                _now("行为"): str(BEHAVIOUR_LABELS.get(row.kind, row.kind)),
                _now("对象"): row.subject,
                _now("来自"): label_of(row, "door"),
                **_told(row),
            }
            for row in rows
        ]
        return {str(self.title): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing stays: without her it would say nothing that sums of days do not. What waits under an openid of hers
        goes with it."""
        touched = Behaviour.objects.filter(member_id=member_id).delete()[0]
        for kind, app_id, value in MemberIdentity.objects.filter(member_id=member_id).values_list(
            "kind", "app_id", "value"
        ):
            strangers = BehaviourVisitor.objects.filter(kind=kind, app_id=app_id, value=value)
            ids = list(strangers.values_list("pk", flat=True))
            if ids:
                touched += Behaviour.objects.filter(visitor__in=ids).delete()[0]
                touched += strangers.delete()[0]
        return touched


def _told(row: Behaviour) -> dict[str, Any]:
    kind = BEHAVIOUR_KINDS.get(row.kind)
    fields = {} if kind is None else kind.fields
    return {str(fields[name].label): value for name, value in row.details.items() if name in fields}
