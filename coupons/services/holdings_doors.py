"""What `coupons` keeps of how a member came by her coupons: scans of face-to-face codes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from coupons.models import FaceToFaceClaim
from members.contracts import MergeLine
from members.services.holdings import PlainHoldings


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
