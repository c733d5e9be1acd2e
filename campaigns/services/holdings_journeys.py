"""What journeys keep about a member."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import Enrolment, EnrolmentState, EnrolmentStep, JourneyMoment
from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back

_LABEL = "campaigns.Enrolment"
_MERGED = "merged"


class JourneyHoldings(MemberHoldings):
    """The ways she is on. Where both are under way in one journey, the survivor's way goes on."""

    label = "campaigns.journeys"
    title = _("自动化旅程")
    models: ClassVar[tuple[str, ...]] = (_LABEL,)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many each is under way in."""
        hers = set(_live(survivor_id).values_list("journey_id", flat=True))
        theirs = set(_live(emptier_id).values_list("journey_id", flat=True))
        if not theirs:
            return ()
        both = (str(len(hers)), str(len(theirs)), str(len(hers | theirs)))
        return (MergeLine(_now("自动化旅程"), *both, _now("两边都在走的旅程只保留一边")),)

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """As above; the snapshot keeps whose way ended, and which reasons both had."""
        rows = Enrolment.objects.filter(member_id__in=[emptier_id, survivor_id]).lock_rows()
        live = {row.journey_id for row in rows if row.member_id == survivor_id and row.state in _LIVE}
        reasons = {(row.journey_id, row.entry_key) for row in rows if row.member_id == survivor_id}
        mine = [row for row in rows if row.member_id == emptier_id]
        doubled = [row for row in mine if (row.journey_id, row.entry_key) in reasons]
        ended = [row for row in mine if row.state in _LIVE and (row.journey_id in live or row in doubled)]
        Enrolment.objects.filter(pk__in=[row.pk for row in ended]).update(
            state=EnrolmentState.EXITED, code=_MERGED, ended_at=at, lease_holder="", leased_until=None
        )
        for row in doubled:
            Enrolment.objects.filter(pk=row.pk).update(entry_key=f"merged:{row.pk}")
        return {
            "rows": repoint(model=_LABEL, emptier_id=emptier_id, survivor_id=survivor_id),
            "ended": {row.pk: row.state for row in ended},
            "codes": {row.pk: row.code for row in ended},
            "keys": {row.pk: row.entry_key for row in doubled},
        }

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """What was hers is hers again, and goes on where the merge ended it."""
        if not snapshot:
            return
        repoint_back(model=_LABEL, ids=snapshot["rows"], emptier_id=emptier_id, survivor_id=survivor_id)
        for pk, key in snapshot["keys"].items():
            Enrolment.objects.filter(pk=pk, member_id=emptier_id).update(entry_key=key)
        for pk, state in snapshot["ended"].items():
            # Unless she has entered anew meanwhile.
            row = Enrolment.objects.filter(pk=pk, member_id=emptier_id, code=_MERGED).first()
            if row is not None and not _live(emptier_id).filter(journey_id=row.journey_id).exists():
                code = snapshot["codes"][pk]
                Enrolment.objects.filter(pk=pk).update(state=state, code=code, ended_at=None)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """The journeys she was in, since when, and how each ended."""
        rows = Enrolment.objects.filter(member_id=member_id).select_related("journey").order_by("pk")
        told = [
            {
                _now("旅程"): row.journey.name,
                _now("进入时间"): row.entered_at.isoformat(),
                _now("状态"): str(row.get_state_display()),
                _now("结束时间"): row.ended_at.isoformat() if row.ended_at else None,
            }
            for row in rows
        ]
        return {str(self.title): told} if told else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Every way of hers ends, and nobody can read where it led; the rows stay to be counted."""
        rows = Enrolment.objects.filter(member_id=member_id).lock_rows()
        live = [row.pk for row in rows if row.state in _LIVE]
        Enrolment.objects.filter(pk__in=live).update(
            state=EnrolmentState.EXITED, code="erased", ended_at=at, lease_holder="", leased_until=None
        )
        Enrolment.objects.filter(member_id=member_id).update(values={}, heard=[])
        steps = EnrolmentStep.objects.filter(enrolment_id__in=[row.pk for row in rows])
        moments = JourneyMoment.objects.filter(member_id=member_id)
        return len(rows) + int(steps.delete()[0]) + int(moments.delete()[0])


_LIVE = (EnrolmentState.WAITING, EnrolmentState.FAILED)


def _live(member_id: int) -> Any:
    return Enrolment.objects.live().filter(member_id=member_id)
