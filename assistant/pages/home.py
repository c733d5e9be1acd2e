"""今日: what happened today and the one thing to do next."""

import dataclasses
import datetime as dt
from typing import Final

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.coupons.expiring import ExpiringCard, build_expiring
from assistant.pages.follow_ups import FollowUpTile, build_follow_up_tile
from assistant.pages.requests import RequestTile, build_request_tile
from assistant.pages.shell import MemberRow, Shell, member_row
from assistant.pages.talks import TalkTile, build_talk_tile
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, GuideSummary

CARDS: Final = 20
_EARLIER: Final = 3


@dataclasses.dataclass(frozen=True, slots=True)
class HomePage:
    shell: Shell
    greeting: str
    result_line: str  # yesterday in one line
    day_text: str
    store_name: str
    new_today: str
    scans_today: str
    live_members: str
    talks: TalkTile | None  # members who wait for an answer
    requests: RequestTile | None  # service requests that wait for her
    follow_ups: FollowUpTile | None  # what she has to do for her members by today
    expiring: ExpiringCard | None  # coupons of her members that end within days
    cards: tuple[MemberRow, ...]  # today's new members, newest first
    more_count: int  # today's new members beyond the cards
    earlier: tuple[MemberRow, ...]  # shown below the empty state only


def build_home(guide: GuideCard, *, now: dt.datetime | None = None) -> HomePage:
    """The home page of a guide at this instant."""
    now = now or clock.now()
    # The numbers first: a binding that commits in between is then announced by the pulse, not lost.
    summary = guide_selectors.summarize_guide(guide.id, at=now)
    rows = [member_row(line, now=now) for line in guide_selectors.list_newest_members(guide.id, CARDS)]
    cards = tuple(row for row in rows if row.is_new)
    return HomePage(
        shell=Shell.of("today", summary),
        greeting=_("%(greeting)s，%(name)s") % {"greeting": phrases.greet(now), "name": guide.name},
        result_line=say_yesterday(summary),
        day_text=phrases.say_today(now),
        store_name=guide.store.name,
        new_today=phrases.say_count(summary.new_today),
        scans_today=phrases.say_count(summary.scans_today),
        live_members=phrases.say_count(summary.live_members),
        talks=build_talk_tile(guide, now=now),
        requests=build_request_tile(guide, now=now),
        follow_ups=build_follow_up_tile(guide, now=now),
        expiring=build_expiring(guide, now=now),
        cards=cards,
        more_count=max(0, summary.new_today - len(cards)) if cards else 0,
        earlier=() if cards else tuple(rows[:_EARLIER]),
    )


def say_yesterday(summary: GuideSummary) -> str:
    """Yesterday's result in one line; the month when yesterday had none."""
    if summary.new_yesterday:
        return _("昨天新增 %(count)s 位会员，本月共 %(month)s 位") % {
            "count": phrases.say_count(summary.new_yesterday),
            "month": phrases.say_count(summary.new_this_month),
        }
    if summary.new_this_month:
        return _("昨天没有新会员，本月已有 %(month)s 位") % {
            "month": phrases.say_count(summary.new_this_month)
        }
    return _("本月还没有新会员，从今天的第一位开始")
