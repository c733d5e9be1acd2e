"""What the gateway to WeChat keeps about a member. It knows no member: her identities lead to it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from guides.services.privacy_parts import erase_gateway, export_gateway
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot


class GatewayHoldings(MemberHoldings):
    """Followers, pushes and messages, by openid. They go where the identities go, so merging moves nothing."""

    label = "gateway"
    title = _("微信往来")
    models = ()

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        return []

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        return {}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        return None

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return export_gateway(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return erase_gateway(member_id=member_id, actor=actor, at=at)
