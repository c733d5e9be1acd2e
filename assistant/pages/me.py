"""我的: the guide herself, her store, and the way out."""

import dataclasses
import datetime as dt

from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.materials import NEW_DAYS
from assistant.pages.shell import Avatar, Shell
from campaigns.selectors.guide_campaigns import list_guide_campaigns
from campaigns.selectors.materials import count_new_materials
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import GuideCard


@dataclasses.dataclass(frozen=True, slots=True)
class MePage:
    shell: Shell
    name: str
    avatar: Avatar
    role_label: str
    number: str
    live_members: str
    new_this_month: str
    store_name: str
    region_name: str
    dealer_name: str
    address: str
    phone: str
    phone_link: str
    hours_today: str
    waiting_requests: int  # to accept or to do
    due_follow_ups: int  # by today
    running_campaigns: int  # with members of hers
    new_materials: int  # to share, of the last days


def build_me(guide: GuideCard, *, now: dt.datetime | None = None) -> MePage:
    """The page about the guide and her store."""
    now = now or clock.now()
    summary = guide_selectors.summarize_guide(guide.id, at=now)
    requests = guide_selectors.summarize_requests(guide.id, at=now)
    store = guide.store
    return MePage(
        shell=Shell.of("me", summary),
        name=guide.name,
        avatar=Avatar.of(guide.name, guide.public_id),
        role_label=guide.role_label,
        number=guide.number,
        live_members=phrases.say_count(summary.live_members),
        new_this_month=phrases.say_count(summary.new_this_month),
        store_name=store.name,
        region_name=store.region_name,
        dealer_name=store.dealer_name,
        address=store.address,
        phone=store.phone,
        phone_link="".join(character for character in store.phone if character.isdigit() or character == "+"),
        hours_today=_say_hours(store.opening_hours, clock.business_day(now)),
        waiting_requests=requests.open_count + requests.doing_count,
        running_campaigns=sum(one.is_running for one in list_guide_campaigns(guide.id, at=now)),
        new_materials=count_new_materials(store.id, since=now - dt.timedelta(days=NEW_DAYS), at=now),
        due_follow_ups=guide_selectors.count_due_follow_ups(guide.id, today=clock.business_day(now))[0],
    )


def _say_hours(hours: tuple[str, ...], day: dt.date) -> str:
    """Today's opening hours; empty when the store has not told them."""
    if len(hours) != 7:
        return ""
    return hours[day.weekday()] or _("今天休息")
