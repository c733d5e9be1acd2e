"""What an open page learns every few seconds, without a reload."""

import dataclasses
import datetime as dt
from typing import Final, Literal

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.home import HomePage, build_home
from assistant.pages.my_code import CodeCounts, build_my_code
from assistant.pages.shell import Avatar, MemberRow, member_row
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, NoticeLine
from guides.selectors import pulse as pulse_selectors

View = Literal["today", "members", "code", "other"]
_TOASTS: Final = 3
_NOTICES: Final = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Toast:
    public_id: str
    avatar: Avatar
    text: str
    is_arrival: bool


@dataclasses.dataclass(frozen=True, slots=True)
class PulsePage:
    """The changes, by where they go on the page that asked."""

    view: View
    since: int
    toasts: tuple[Toast, ...]
    home: HomePage | None = None
    new_rows: tuple[MemberRow, ...] = ()
    gone_ids: tuple[str, ...] = ()
    live_members: str = ""
    counts: CodeCounts | None = None


def build_pulse(
    guide: GuideCard, *, view: View, since: int, query: str, now: dt.datetime | None = None
) -> PulsePage | None:
    """The changes since the notice `since`; None when there are none (the usual case, one query)."""
    now = now or clock.now()
    notices = pulse_selectors.list_notices_since(guide_id=guide.id, since_id=since, limit=_NOTICES)
    if not notices:
        return None
    newest = _newest_per_member(notices)
    arrived = [notice for notice in newest if notice.kind == "new_member"]
    left = [notice for notice in newest if notice.kind == "member_left"]
    page = PulsePage(view, notices[0].id, tuple(_toast(notice) for notice in newest[:_TOASTS]))
    if view == "today":
        return dataclasses.replace(page, home=build_home(guide, now=now))
    if view == "code":
        return dataclasses.replace(page, counts=build_my_code(guide, now=now).counts)
    if view == "members":
        rows = tuple(member_row(notice.line, now=now) for notice in arrived)
        return dataclasses.replace(
            page,
            new_rows=() if query else rows,  # a search shows what was searched, not what happened
            gone_ids=tuple(notice.line.member.public_id for notice in left),
            live_members=phrases.say_count(guide_selectors.summarize_guide(guide.id, at=now).live_members),
        )
    return page


def _newest_per_member(notices: tuple[NoticeLine, ...]) -> list[NoticeLine]:
    """A member who came, left and came again within seconds is told once, as she stands now."""
    found: dict[str, NoticeLine] = {}
    for notice in notices:
        found.setdefault(notice.line.member.public_id, notice)
    return list(found.values())


def _toast(notice: NoticeLine) -> Toast:
    member = notice.line.member
    is_arrival = notice.kind == "new_member"
    text = _("%(name)s 成为您的会员") if is_arrival else _("%(name)s 更换了专属导购")
    avatar = Avatar.of(member.display_name if member.is_named else _("微"), member.public_id)
    return Toast(member.public_id, avatar, text % {"name": member.display_name}, is_arrival)
