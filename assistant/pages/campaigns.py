"""门店活动: the campaigns that run now with a guide's members in them, and the journeys that they are on; one campaign with what
came of it for each of hers, and what there is to do."""

import dataclasses
import datetime as dt
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.journeys import JourneyRow, build_journey_rows
from assistant.pages.shell import Avatar, Shell, Stretch, member_avatar
from campaigns.selectors.guide_campaigns import (
    GuideCampaign,
    GuideCampaignMember,
    list_guide_campaign_members,
    list_guide_campaigns,
)
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import FollowUpCard, GuideCard

PAGE_ROWS: Final = 20


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignRow:
    """One campaign in the list."""

    public_id: str
    name: str
    until_text: str
    state_text: str
    is_running: bool
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignsPage:
    shell: Shell
    rows: tuple[CampaignRow, ...]
    journeys: tuple[JourneyRow, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignMemberRow:
    """One of hers: what she has of it, and what is to be done for her. `url` leads to that, else to her page."""

    url: str
    name: str
    avatar: Avatar
    to_do: str
    is_late: bool
    tags: tuple[str, ...]
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignMembersPage:
    shell: Shell
    name: str
    note: str
    until_text: str
    state_text: str
    is_running: bool
    numbers: tuple[tuple[str, str], ...]
    list: Stretch[CampaignMemberRow]


def build_campaigns(guide: GuideCard, *, now: dt.datetime | None = None) -> CampaignsPage:
    """The list; empty when none of hers is in any."""
    now = now or clock.now()
    rows = tuple(_row(one, now) for one in list_guide_campaigns(guide.id, at=now))
    return CampaignsPage(Shell.around("me", guide.id), rows, build_journey_rows(guide))


def build_campaign(
    guide: GuideCard, public_id: str, *, after_id: int = 0, now: dt.datetime | None = None
) -> CampaignMembersPage:
    """One campaign with a stretch of her members. Raises NotFound for one without any of hers, and for an unknown one."""
    now = now or clock.now()
    campaign, found = list_guide_campaign_members(
        guide.id, public_id, after_id=after_id, limit=PAGE_ROWS, at=now
    )
    shown = found[:PAGE_ROWS]
    follow_ups = guide_selectors.list_follow_ups_by_id(guide.id, [one.follow_up_id for one in shown])
    next_url = ""
    if len(found) > len(shown):
        rows_url = reverse("assistant:campaign-rows", args=[campaign.public_id])
        next_url = f"{rows_url}?{urlencode({'after': shown[-1].place_id})}"
    rows = tuple(_member_row(one, follow_ups.get(one.follow_up_id), now) for one in shown)
    return CampaignMembersPage(
        shell=Shell.around("me", guide.id),
        name=campaign.name,
        note=campaign.note,
        until_text=_until(campaign, now),
        state_text=_state(campaign),
        is_running=campaign.is_running,
        numbers=(
            (phrases.say_count(campaign.member_count), _("我的会员")),
            (phrases.say_count(campaign.done_count), _("已触达")),
            (phrases.say_count(campaign.coupon_count), _("已得券")),
            (phrases.say_count(campaign.clicked_count), _("打开过")),
        ),
        list=Stretch(rows, not after_id, next_url),
    )


def _row(campaign: GuideCampaign, now: dt.datetime) -> CampaignRow:
    words = _("我的会员 %(n)s 位，打开过 %(clicked)s 位") % {
        "n": phrases.say_count(campaign.member_count),
        "clicked": phrases.say_count(campaign.clicked_count),
    }
    return CampaignRow(
        public_id=campaign.public_id,
        name=campaign.name,
        until_text=_until(campaign, now),
        state_text=_state(campaign),
        is_running=campaign.is_running,
        words=words,
    )


def _state(campaign: GuideCampaign) -> str:
    if campaign.is_running:
        return _("进行中")
    is_over = campaign.ends_at is not None and campaign.ends_at <= clock.now()
    return _("已结束") if is_over else _("暂停中")


def _until(campaign: GuideCampaign, now: dt.datetime) -> str:
    if campaign.ends_at is None:
        return ""
    day = phrases.say_coming_day(clock.business_day(campaign.ends_at), today=clock.business_day(now))
    return _("%(day)s截止") % {"day": day} if campaign.ends_at > now else ""


def _member_row(one: GuideCampaignMember, task: FollowUpCard | None, now: dt.datetime) -> CampaignMemberRow:
    is_open = task is not None and task.state == "open"
    url = reverse("assistant:member", args=[one.member.public_id])
    if is_open and task is not None:
        url = reverse("assistant:follow-up", args=[task.public_id])
    tags = [_("已购买")] if one.has_bought else []
    if one.has_coupon:
        tags.append(_("有券"))
    if one.clicked_at is not None:
        tags.append(_("打开过"))
    return CampaignMemberRow(
        url=url,
        name=one.member.display_name,
        avatar=member_avatar(one.member),
        to_do=task.title if is_open and task is not None else "",
        is_late=is_open and task is not None and task.due_on < clock.business_day(now),
        tags=tuple(tags),
        words=_words(one, task, now),
    )


def _words(one: GuideCampaignMember, task: FollowUpCard | None, now: dt.datetime) -> str:
    if task is not None and task.state == "done":
        return _("已跟进：%(result)s") % {"result": task.result_label}
    if one.clicked_at is not None:
        return _("%(time)s 打开了活动") % {"time": phrases.say_time(one.clicked_at, now=now)}
    if one.released_at is not None and one.state == "done":
        return _("%(time)s 发出") % {"time": phrases.say_time(one.released_at, now=now)}
    return _("还没轮到") if one.state == "waiting" else _("这次没有发给她")
