"""What the gateway to WeChat keeps about a member. It knows no member: her identities lead to it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from guides.services.privacy_parts import erase_gateway, export_gateway
from members.services.holdings import FollowingHoldings


class GatewayHoldings(FollowingHoldings):
    """Followers, pushes and messages, by openid. They go where the identities go, so merging moves nothing."""

    label = "gateway"
    title = _("微信往来")

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        return export_gateway(member_id)

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        return erase_gateway(member_id=member_id, actor=actor, at=at)
