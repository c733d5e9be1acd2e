"""What campaigns counted about a member: what came of her in each run."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import CampaignMember, CampaignOutcome, OutcomeTouch
from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back

_KEPT: Final = tuple(
    field.attname for field in CampaignOutcome._meta.concrete_fields if field.name not in {"id", "member"}
)


class OutcomeHoldings(MemberHoldings):
    """Outcomes go with her places in runs: where both are in one, the survivor's stays and is counted anew, from what both
    bought. Whoever is erased leaves the figures, without a person."""

    label = "campaigns.outcomes"
    title = _("活动效果")
    models: ClassVar[tuple[str, ...]] = ("campaigns.CampaignOutcome",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Said by her places in runs already."""
        return ()

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """As above. The snapshot keeps what went."""
        hers = CampaignOutcome.objects.filter(member_id=survivor_id).values("run_id")
        both = CampaignOutcome.objects.filter(member_id=emptier_id, run_id__in=hers)
        dropped = [_words(row) for row in both.lock_rows()]
        both.delete()
        moved = repoint(model="campaigns.CampaignOutcome", emptier_id=emptier_id, survivor_id=survivor_id)
        _note(emptier_id, survivor_id)
        return {"dropped": dropped, "outcomes": moved}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Rows that moved are back, and those that went are there again; both are counted anew where a run is not frozen."""
        _note(emptier_id, survivor_id)
        if not snapshot:
            return
        repoint_back(
            model="campaigns.CampaignOutcome",
            ids=snapshot["outcomes"],
            emptier_id=emptier_id,
            survivor_id=survivor_id,
        )
        there = set(CampaignOutcome.objects.filter(member_id=emptier_id).values_list("run_id", flat=True))
        back = [row for row in snapshot["dropped"] if row["run_id"] not in there]
        CampaignOutcome.objects.bulk_create(
            CampaignOutcome(member_id=emptier_id, **_values(row)) for row in back
        )

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """What was counted of her, campaign by campaign."""
        rows = (
            CampaignOutcome.objects.filter(member_id=member_id).select_related("run__campaign").order_by("pk")
        )
        told = [
            {
                _now("活动"): row.run.campaign.name,
                _now("统计期内订单"): row.order_count,
                _now("统计期内金额（元）"): f"{row.amount_fen / 100:.2f}",
                _now("核销时间"): row.redeemed_at.isoformat() if row.redeemed_at else "",
            }
            for row in rows
        ]
        return {str(self.title): told} if told else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nobody is behind the figures any more. Reports say what they said."""
        return CampaignOutcome.objects.filter(member_id=member_id).update(member=None)


def _words(row: CampaignOutcome) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _KEPT}
    return {
        name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in values.items()
    }


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: dt.datetime.fromisoformat(value) if name.endswith("_at") and value else value
        for name, value in row.items()
    }


def _note(*member_ids: int) -> None:
    """In the runs of either both have the rows that are theirs, are counted anew wherever that is not over, and sums are made
    again: somebody may be writing the rows of a run at this moment. Nobody is waited for."""
    runs: set[int] = set()
    for known in (CampaignMember, CampaignOutcome):
        runs |= set(known.objects.filter(member_id__in=member_ids).values_list("run_id", flat=True))
    OutcomeTouch.objects.bulk_create(
        OutcomeTouch(member_id=member_id, run_id=run_id)
        for member_id in member_ids
        for run_id in sorted(runs)
    )
