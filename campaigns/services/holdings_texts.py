"""What the gateway of texts keeps under a member's number."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members import selectors as member_selectors
from members.services.holdings import FollowingHoldings
from sms import services as sms_services
from sms.services.words import words_of

_KINDS: Final[Mapping[str, str | Promise]] = {
    "code": _("发给您的验证码"),
    "reply": _("您的回复"),
    "blocked": _("不再给您发短信"),
}


class TextHoldings(FollowingHoldings):
    """Codes, replies and blocks hang on her number, which moves by itself."""

    label = "campaigns.texts"
    title = _("短信")

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """Codes that went to her number, what she replied, and whether it takes no texts."""
        phone = member_selectors.list_phones([member_id]).get(member_id)
        if phone is None:
            return {}
        lines = [
            {
                _now("类型"): str(_KINDS[line.kind]),
                _now("时间"): line.at.isoformat(),
                _now("内容"): words_of(line.words) if line.kind == "blocked" else line.words or None,
            }
            for line in sms_services.tell_number(phone=phone)
        ]
        return {str(self.title): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """What she wrote and the codes are gone. That her number takes no texts stays, under a fingerprint only."""
        phone = member_selectors.list_phones([member_id]).get(member_id)
        return 0 if phone is None else sms_services.forget_number(phone=phone, at=at)
