"""券: what she may use, the first to end first, what she used and what is over; and giving her one."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.faces import CouponFace, coupon_faces
from assistant.pages.member_360.contract import Viewing
from core import clock
from coupons import selectors as coupon_selectors
from coupons.contracts import CouponCard, CouponPage
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members.contracts import MemberCard

_FIRST: Final = 5
_MORE: Final = 20


@dataclasses.dataclass(frozen=True, slots=True)
class PastRow:
    title: str
    note: str  # 满 200 减 30 · 导购发放
    when_text: str


@dataclasses.dataclass(frozen=True, slots=True)
class PastRows:
    """Coupons that are used, or over; `next_cursor` opens the following stretch."""

    public_id: str
    state: str
    rows: tuple[PastRow, ...]
    next_cursor: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class CouponsPart:
    public_id: str
    usable: tuple[CouponFace, ...]
    soon_text: str  # 2 张 3 天内到期
    used: PastRows
    expired: PastRows


def build_coupons_part(viewing: Viewing) -> CouponsPart:
    """The tab of her coupons."""
    member, now = viewing.member, viewing.now
    found = coupon_selectors.list_coupons_of_member(member.id, past=_FIRST, at=now)
    faces = coupon_faces(found.usable, now=now)
    soon = sum(face.is_soon for face in faces)
    return CouponsPart(
        public_id=member.public_id,
        usable=faces,
        soon_text=_("%(count)d 张 3 天内到期") % {"count": soon} if soon else "",
        used=_past(member, "redeemed", found.redeemed, now=now),
        expired=_past(member, "expired", found.expired, now=now),
    )


def build_past_rows(
    guide: GuideCard, public_id: str, *, state: str, cursor: int | None, now: dt.datetime | None = None
) -> PastRows:
    """The next stretch of what is used or over. Raises NotFound as the page does."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    now = now or clock.now()
    page = coupon_selectors.list_member_coupons(member.id, state=state, cursor=cursor, limit=_MORE, at=now)
    return _past(member, state, page, now=now)


def _past(member: MemberCard, state: str, page: CouponPage, *, now: dt.datetime) -> PastRows:
    rows = tuple(_row(card, now=now) for card in page.cards)
    return PastRows(member.public_id, state, rows, page.next_cursor)


def _row(card: CouponCard, *, now: dt.datetime) -> PastRow:
    today = clock.business_day(now)
    if card.state == "expired":
        last = clock.business_day(card.valid_until - dt.timedelta(microseconds=1))
        when = _("%(day)s过期") % {"day": phrases.say_day(last, today=today)}
    else:
        when = _("%(time)s领到") % {"time": phrases.say_time(card.issued_at, now=now)}
    return PastRow(
        title=card.template.terms.title,
        note=f"{card.template.value_words} · {card.door_label}",
        when_text=when,
    )
