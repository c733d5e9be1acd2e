"""会员 360: one member on one page, a tab at a time; composed of what the apps know of her."""

import dataclasses
import datetime as dt
from typing import Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from assistant.pages.member_360.contract import Part, Viewing
from assistant.pages.member_360.coupons import build_coupons_part
from assistant.pages.member_360.dealings import build_dealings
from assistant.pages.member_360.notes import build_notes
from assistant.pages.member_360.points import build_points
from assistant.pages.member_360.portrait import Portrait, build_portrait
from assistant.pages.member_360.purchases import build_purchases
from assistant.pages.shell import Avatar, Shell, member_avatar
from assistant.pages.talks import build_talk_part
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import BindingLine, GuideCard, OpenedMember
from members import selectors as member_selectors

PARTS: Final = (
    Part("portrait", _("画像"), "assistant/_part_portrait.html", build_portrait),
    Part("sales", _("订单"), "assistant/_part_purchases.html", build_purchases),
    Part("coupons", _("券"), "assistant/_part_coupons.html", build_coupons_part),
    Part("points", _("积分"), "assistant/_part_points.html", build_points),
    Part("talk", _("会话"), "assistant/_talk.html", build_talk_part),
    Part("dealings", _("往来"), "assistant/_part_dealings.html", build_dealings),
    Part("notes", _("备注"), "assistant/_part_notes.html", build_notes),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Tab:
    key: str
    title: str
    is_on: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Who she is, above all tabs."""

    name: str
    avatar: Avatar
    is_member: bool
    stage_label: str
    tier_name: str  # empty while she has none
    is_following: bool
    bound_text: str
    can_remark: bool  # she has told nobody her name


@dataclasses.dataclass(frozen=True, slots=True)
class TabbedPart:
    """The tabs and the open one: what a tap on a tab draws anew."""

    public_id: str
    tabs: tuple[Tab, ...]
    template: str
    part: Any  # the object that the part of the open tab built


@dataclasses.dataclass(frozen=True, slots=True)
class Member360:
    shell: Shell
    head: Head
    opened: TabbedPart


def build_member_360(
    guide: GuideCard, public_id: str, *, tab: str = "", now: dt.datetime | None = None
) -> Member360:
    """The page of one member of hers, with one tab open (the first, when there is no such tab).

    Raises NotFound for an unknown id and for a stranger alike.
    """
    now = now or clock.now()
    member = guide_selectors.open_member(guide_id=guide.id, public_id=public_id)
    opened = _open(Viewing(guide, member.card, now), tab)
    return Member360(
        shell=Shell.around("members", guide.id), head=_head(member, opened.part, now=now), opened=opened
    )


def build_tab(guide: GuideCard, public_id: str, *, tab: str, now: dt.datetime | None = None) -> TabbedPart:
    """The tabs with another one open. Raises NotFound as the page does."""
    member = guide_selectors.access_member(guide_id=guide.id, public_id=public_id)
    return _open(Viewing(guide, member, now or clock.now()), tab)


def _open(viewing: Viewing, tab: str) -> TabbedPart:
    opened = next((part for part in PARTS if part.key == tab), PARTS[0])
    return TabbedPart(
        public_id=viewing.member.public_id,
        tabs=tuple(Tab(part.key, str(part.title), part is opened) for part in PARTS),
        template=opened.template,
        part=opened.build(viewing),
    )


def _head(opened: OpenedMember, part: Any, *, now: dt.datetime) -> Head:
    """The portrait knows her tier already; beside another tab it is looked up."""
    member = opened.card
    if isinstance(part, Portrait):
        tier_name = part.tier_name
    else:
        tier = member_selectors.find_tier_of(member, at=now)
        tier_name = "" if tier is None else tier.name
    return Head(
        name=member.display_name,
        avatar=member_avatar(member),
        is_member=member.stage == "member",
        stage_label=member.stage_label,
        tier_name=tier_name,
        is_following=member.is_following,
        bound_text=_say_bound(opened.bound, now=now),
        can_remark=member.is_remarked or not member.is_named,
    )


def _say_bound(live: BindingLine, *, now: dt.datetime) -> str:
    days = (clock.business_day(now) - clock.business_day(live.bound_at)).days
    if days == 0:
        return _now("今天成为%(name)s的会员") % {"name": live.guide_name}
    return _now("成为%(name)s的会员已 %(days)d 天") % {"name": live.guide_name, "days": days}
