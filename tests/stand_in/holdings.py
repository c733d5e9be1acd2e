"""The stand-in's part in merging members, and the table with it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from config.member_holdings import HOLDINGS
from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import PlainHoldings


class LikeACouponHoldings(PlainHoldings):
    """Rows that simply are the survivor's."""

    label = "like_a_coupon"
    title = "券"
    models: ClassVar[tuple[str, ...]] = ("stand_in.LikeACoupon",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return ()

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return 0


WITH_STAND_IN = (*HOLDINGS, "tests.stand_in.holdings.LikeACouponHoldings")
