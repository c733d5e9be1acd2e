"""The mass messages whose list names a member; those to everybody or to a tag name nobody."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import MassRecipient
from core.actor import Actor
from members import selectors as member_selectors
from members.services.holdings import FollowingHoldings


class MassHoldings(FollowingHoldings):
    """Places on lists hang on her openids, which move by themselves."""

    label = "campaigns.mass"
    title = _("群发消息")

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """Which went to her, and when."""
        lines = [
            {
                _now("名称"): row.message.name,
                _now("时间"): row.message.sent_at.isoformat() if row.message.sent_at else None,
                _now("状态"): _now("没有发给您") if row.left_out else str(row.message.get_state_display()),
            }
            for rows in _hers(member_id)
            for row in rows.select_related("message").order_by("pk")
        ]
        return {str(self.title): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """She stands on no list any more; messages that wait do not go to her. Their numbers stay."""
        return sum(rows.delete()[0] for rows in _hers(member_id))


def _hers(member_id: int) -> list[QuerySet[MassRecipient]]:
    people, _unionids = member_selectors.list_wechat_identities(member_id)
    return [
        MassRecipient.objects.filter(message__account__app_id=app_id, openid=openid)
        for app_id, openid in people
    ]
