"""券快到期, on 今日: whose coupons end within days and are unused."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant.pages.coupons.faces import say_end
from assistant.pages.shell import Avatar, member_avatar
from coupons import selectors as coupon_selectors
from coupons.contracts import CouponCard
from guides import selectors as guide_selectors
from guides.contracts import GuideCard

WITHIN: Final = dt.timedelta(days=3)
_SHOWN: Final = 3  # members on the card
_LOOKED_AT: Final = 50


@dataclasses.dataclass(frozen=True, slots=True)
class ExpiringRow:
    """One member with what of hers ends first."""

    public_id: str
    name: str
    avatar: Avatar
    coupon_text: str  # 满 300 减 50 等 2 张
    until_text: str  # 明天到期


@dataclasses.dataclass(frozen=True, slots=True)
class ExpiringCard:
    rows: tuple[ExpiringRow, ...]
    more_text: str  # 另有 4 位会员的券 3 天内到期


def build_expiring(guide: GuideCard, *, now: dt.datetime) -> ExpiringCard | None:
    """None when nothing ends soon."""
    cards = coupon_selectors.list_expiring_coupons(guide.id, within=WITHIN, limit=_LOOKED_AT, at=now)
    if not cards:
        return None
    by_member: dict[int, list[CouponCard]] = {}
    for card in cards:
        by_member.setdefault(card.member_id, []).append(card)
    shown = list(by_member.items())[:_SHOWN]
    members = guide_selectors.list_cards_for(guide.id, [member_id for member_id, _cards in shown])
    rows = []
    for member_id, hers in shown:
        title = hers[0].template.terms.title
        rows.append(
            ExpiringRow(
                public_id=members[member_id].public_id,
                name=members[member_id].display_name,
                avatar=member_avatar(members[member_id]),
                coupon_text=title
                if len(hers) == 1
                else _("%(title)s等 %(count)d 张") % {"title": title, "count": len(hers)},
                until_text=say_end(hers[0], now=now),
            )
        )
    return ExpiringCard(tuple(rows), _say_more(len(by_member) - len(shown), is_whole=len(cards) < _LOOKED_AT))


def _say_more(count: int, *, is_whole: bool) -> str:
    """How many members beyond those shown; without a number when not all were looked at."""
    if not is_whole:
        return _("还有很多会员的券 3 天内到期")
    return _("另有 %(count)d 位会员的券 3 天内到期") % {"count": count} if count else ""
