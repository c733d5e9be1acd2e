"""What a member opened of what guides shared."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import MaterialReader, MaterialVisit
from campaigns.services.material_openings import make_unknown, reader_keys
from core.actor import Actor
from members import selectors as member_selectors
from members.contracts import MergeLine
from members.services.holdings import PlainHoldings


class MaterialHoldings(PlainHoldings):
    """Materials she opened: they follow her, and are nobody's once she is erased."""

    label = "campaigns.materials"
    title = _("看过的素材")
    models: ClassVar[tuple[str, ...]] = ("campaigns.MaterialReader",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """Nothing that anybody decides on."""
        return ()

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """Which ones, when, and how often."""
        visits = MaterialVisit.objects.filter(reader__member_id=member_id).select_related("share__material")
        lines = [
            {
                _now("素材"): visit.share.material.title,
                _now("首次打开"): visit.first_at.isoformat(),
                _now("次数"): visit.view_count,
            }
            for visit in visits.order_by("first_at", "pk")
        ]
        return {str(self.title): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing tells that it was she, also what was opened before it was known whose WeChat account it is. Counts stay."""
        openids, _unionids = member_selectors.list_wechat_identities(member_id)
        keys = reader_keys(openids=openids, member_id=member_id)
        hers = MaterialReader.objects.filter(member_id=member_id) | MaterialReader.objects.filter(
            key__in=keys
        )
        return make_unknown(reader_ids=sorted(hers.values_list("pk", flat=True)))
