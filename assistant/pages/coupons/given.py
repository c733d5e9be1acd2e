"""我发的券: each with whom it went to and what became of it."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.faces import say_end
from assistant.pages.links import url_of
from assistant.pages.shell import Avatar, Link, Shell, member_avatar
from core import clock
from coupons import selectors as coupon_selectors
from coupons.contracts import GivenCoupon
from guides import selectors as guide_selectors
from guides.contracts import GuideCard
from members import selectors as member_selectors
from members.contracts import MemberCard

PAGE_ROWS: Final = 20
MOST_ROWS: Final = 100
STATES: Final = ("", "usable", "redeemed", "expired")


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What the list shows: a state, and the members found by words or the one of an id."""

    state: str = ""
    query: str = ""
    member_id: str = ""  # public


@dataclasses.dataclass(frozen=True, slots=True)
class GivenRow:
    member_id: str  # public; empty where she is not this guide's to open
    name: str
    avatar: Avatar
    coupon: str
    state_label: str
    is_used: bool
    is_usable: bool
    when_text: str
    use_text: str  # 今天 15:20 用了，订单 ¥320


@dataclasses.dataclass(frozen=True, slots=True)
class GivenRows:
    rows: tuple[GivenRow, ...]
    is_first: bool
    is_narrowed: bool
    next_url: str
    state_url: str

    @property
    def is_empty(self) -> bool:
        return self.is_first and not self.rows


@dataclasses.dataclass(frozen=True, slots=True)
class GivenListPage:
    shell: Shell
    asked: Asked
    member_name: str  # of the one member it is narrowed to
    month_text: str
    states: tuple[Link, ...]
    list: GivenRows


def build_given(
    guide: GuideCard, asked: Asked, *, limit: int = PAGE_ROWS, now: dt.datetime | None = None
) -> GivenListPage:
    """The list. Raises NotFound for a member who is not hers."""
    now = now or clock.now()
    start = clock.day_bounds(clock.business_day(now).replace(day=1))[0]
    month = coupon_selectors.sum_given_coupons(guide.id, since=start)
    member = _member(guide, asked)
    labels = {"": _("全部"), "usable": _("未使用"), "redeemed": _("已使用"), "expired": _("已过期")}
    return GivenListPage(
        shell=Shell.around("coupons", guide.id),
        asked=asked,
        member_name="" if member is None else member.display_name,
        month_text=_("本月发了 %(given)s 张，用了 %(used)s 张")
        % {"given": phrases.say_count(month.given_count), "used": phrases.say_count(month.used_count)},
        states=tuple(
            Link(labels[state], _url(dataclasses.replace(asked, state=state)), state == asked.state)
            for state in STATES
        ),
        list=build_given_rows(guide, asked, cursor=None, shown=0, limit=limit, now=now),
    )


def build_given_rows(
    guide: GuideCard,
    asked: Asked,
    *,
    cursor: int | None,
    shown: int,
    limit: int = PAGE_ROWS,
    now: dt.datetime | None = None,
) -> GivenRows:
    """The stretch after `cursor`; `shown` rows stand above it already."""
    now = now or clock.now()
    member = _member(guide, asked)
    received_by = []
    if member is not None:
        received_by = [member_selectors.person_row_ids(member.id)]
    elif asked.query:
        received_by = [
            member_selectors.search_member_ids(asked.query),
            guide_selectors.remarked_member_ids(guide.id, asked.query),
        ]
    found = coupon_selectors.list_given_coupons(
        guide.id, state=asked.state, received_by=received_by, cursor=cursor, limit=limit, at=now
    )
    ids = {line.received_by for line in found.lines}
    cards = guide_selectors.list_cards_for(guide.id, ids)
    hers = guide_selectors.openable_ids(guide.id, ids)
    total = shown + len(found.lines)
    next_url = ""
    if found.next_cursor is not None:
        next_url = url_of(
            "assistant:coupons-given-rows", state=asked.state, q=asked.query, member=asked.member_id,
            cursor=found.next_cursor, shown=total,
        )  # fmt: skip
    rows = tuple(
        _row(line, cards[line.received_by], is_hers=line.received_by in hers, now=now) for line in found.lines
    )
    return GivenRows(
        rows=rows,
        is_first=cursor is None,
        is_narrowed=bool(asked.state or asked.query or asked.member_id),
        next_url=next_url,
        state_url=_url(asked, rows=total if total > PAGE_ROWS else ""),
    )


def _member(guide: GuideCard, asked: Asked) -> MemberCard | None:
    if not asked.member_id:
        return None
    return guide_selectors.access_member(guide_id=guide.id, public_id=asked.member_id)


def _row(line: GivenCoupon, card: MemberCard, *, is_hers: bool, now: dt.datetime) -> GivenRow:
    coupon, use = line.coupon, line.redemption
    is_gifted = coupon.member_id != line.received_by
    when = _("%(time)s发放") % {"time": phrases.say_time(coupon.issued_at, now=now)}
    if use is not None:
        use_text = _("%(time)s用了，订单 %(amount)s") % {
            "time": phrases.say_time(use.redeemed_at, now=now),
            "amount": phrases.say_money(use.amount_fen),
        }
    elif is_gifted:
        use_text = _("已转赠给朋友")
    else:
        use_text = say_end(coupon, now=now) if coupon.state in ("issued", "locked", "gifting") else ""
    return GivenRow(
        member_id=card.public_id if is_hers else "",
        # Of who is another guide's by now, the first character is enough to know her by.
        name=card.display_name if is_hers or not card.is_named else f"{card.display_name[:1]}**",
        avatar=member_avatar(card),
        coupon=coupon.template.terms.title,
        state_label=_("已使用") if coupon.state == "redeemed" else coupon.state_label,
        is_used=coupon.state == "redeemed",
        is_usable=coupon.state in ("issued", "locked", "gifting"),
        when_text=when,
        use_text=use_text,
    )


def _url(asked: Asked, **more: object) -> str:
    return url_of("assistant:coupons-given", state=asked.state, q=asked.query, member=asked.member_id, **more)
