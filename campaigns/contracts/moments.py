"""Moments: what happens to a member that journeys listen to. Triggers of the database note them, in the transaction of the
change; the migration has a query for each family."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from members.contracts.behaviours import BEHAVIOUR_KINDS

Text = str | Promise
# Before the public id of a segment: she came into it, or left it.
SEGMENT_IN: Final = "in:"
SEGMENT_OUT: Final = "out:"
SEGMENT_FAMILY: Final = "segments"
_DID: Final = "did_"


@dataclasses.dataclass(frozen=True, slots=True)
class MomentKind:
    """`family`: whose trigger notes it."""

    code: str
    label: Text
    family: str


MOMENTS: Final[Mapping[str, MomentKind]] = {
    kind.code: kind
    for kind in (
        MomentKind("followed", _("关注了公众号"), "followed"),
        MomentKind("unfollowed", _("取消关注公众号"), "followed"),
        MomentKind("joined", _("成为会员"), "joined"),
        MomentKind("profile_completed", _("完善了资料"), "profile"),
        MomentKind("bought", _("购买"), "sales"),
        MomentKind("returned", _("退货"), "returns"),
        MomentKind("tier_up", _("升级"), "tiers"),
        MomentKind("tier_down", _("降级"), "tiers"),
        MomentKind("tier_at_risk", _("将要降级"), "tier_risk"),
        MomentKind("coupon_received", _("得到一张券"), "coupons"),
        MomentKind("coupon_redeemed", _("用了一张券"), "redemptions"),
        MomentKind("bound", _("有了专属导购"), "bindings"),
        *(
            MomentKind(f"{_DID}{kind.code}", format_lazy(_("小程序里{what}"), what=kind.label), "behaviours")
            for kind in BEHAVIOUR_KINDS.values()
        ),
    )
}
