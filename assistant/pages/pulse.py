"""What an open page learns every few seconds, without a reload."""

import dataclasses
import datetime as dt
from typing import Final, Literal

from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.deals import Deals, build_deals
from assistant.pages.home import HomePage, build_home
from assistant.pages.my_code import CodeCounts, build_my_code
from assistant.pages.performance import page as performance_page
from assistant.pages.performance import store as store_page
from assistant.pages.performance.asked import Asked
from assistant.pages.performance.page import PerformanceView
from assistant.pages.performance.store import StoreView
from assistant.pages.requests import RequestPage, RequestsPage, build_request, build_requests
from assistant.pages.shell import Avatar, MemberRow, member_avatar, member_row
from core import clock
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides.contracts import GuideCard, NoticeLine, RequestTab
from guides.selectors import pulse as pulse_selectors

View = Literal["today", "members", "code", "requests", "request", "performance", "store", "other"]
_TOASTS: Final = 3
_NOTICES: Final = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Looking:
    """What the page that asks shows: the search of the member list and which part of it, the tab and rows of the
    request list, the one request, the board of the page of numbers."""

    view: View
    query: str = ""
    only: str = ""
    tab: RequestTab = "open"
    rows: int = 0
    request_id: str = ""
    board: Asked = dataclasses.field(default_factory=Asked)
    deals: str | None = None  # what of today's sales it knows; None: it does not ask
    seen: str = ""  # what of the ledger the page of numbers shows


@dataclasses.dataclass(frozen=True, slots=True)
class Toast:
    public_id: str
    avatar: Avatar
    text: str
    is_arrival: bool
    url: str  # empty when there is nothing to open


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
    requests: RequestsPage | None = None
    request: RequestPage | None = None
    performance: PerformanceView | None = None
    store: StoreView | None = None
    seen: str = ""
    deals: Deals | None = None


def build_pulse(
    guide: GuideCard, *, looking: Looking, since: int, now: dt.datetime | None = None
) -> PulsePage | None:
    """The changes since the notice `since`; None when there are none (the usual case: a query for notices, one for what
    was sold today, and a page of numbers asks the ledger a third)."""
    now = now or clock.now()
    deals = None if looking.deals is None else build_deals(guide, mark=looking.deals, now=now)
    page = _build_news(guide, looking=looking, since=since, now=now)
    if deals is None:
        return page
    return dataclasses.replace(page or PulsePage(looking.view, since, ()), deals=deals)


def _build_news(guide: GuideCard, *, looking: Looking, since: int, now: dt.datetime) -> PulsePage | None:
    notices = pulse_selectors.list_notices_since(guide_id=guide.id, since_id=since, limit=_NOTICES)
    numbers = _with_numbers(guide, looking, now=now)
    if not notices:
        return None if numbers is None else dataclasses.replace(numbers, since=since)
    newest = _newest_per_matter(notices)
    toasts = tuple(_toast(notice) for notice in newest[:_TOASTS])
    page = PulsePage(looking.view, notices[0].id, toasts)
    if numbers is not None:
        return dataclasses.replace(numbers, since=page.since, toasts=toasts)
    if looking.view == "today":
        return dataclasses.replace(page, home=build_home(guide, now=now))
    if looking.view == "code":
        return dataclasses.replace(page, counts=build_my_code(guide, now=now).counts)
    if looking.view == "members":
        return _with_members(page, guide, newest, looking=looking, now=now)
    if looking.view == "requests":
        requests = build_requests(guide, tab=looking.tab, limit=looking.rows, now=now)
        return dataclasses.replace(page, requests=requests)
    if any(notice.request_id == looking.request_id for notice in newest if notice.request_id):
        return _with_request(page, guide, looking.request_id, now=now)
    return page


def _with_numbers(guide: GuideCard, looking: Looking, *, now: dt.datetime) -> PulsePage | None:
    """The page of numbers anew, when something was booked that it does not show."""
    page = PulsePage(looking.view, 0, ())
    if looking.view == "performance":
        mine = performance_page.build_changed(guide, looking.board, seen=looking.seen, now=now)
        return None if mine is None else dataclasses.replace(page, performance=mine[0], seen=mine[1])
    if looking.view == "store":
        shop = store_page.build_changed(guide, looking.board, seen=looking.seen, now=now)
        return None if shop is None else dataclasses.replace(page, store=shop[0], seen=shop[1])
    return None


def _with_members(
    page: PulsePage, guide: GuideCard, newest: list[NoticeLine], *, looking: Looking, now: dt.datetime
) -> PulsePage:
    arrived = [notice.line for notice in newest if notice.kind == "new_member" and notice.line is not None]
    rows = tuple(member_row(line, now=now) for line in arrived)
    return dataclasses.replace(
        page,
        # A search, and a part of her list, show what was asked for, not what happened.
        new_rows=() if looking.query or looking.only else rows,
        gone_ids=tuple(notice.member.public_id for notice in newest if notice.kind == "member_left"),
        live_members=phrases.say_count(guide_selectors.summarize_guide(guide.id, at=now).live_members),
    )


def _with_request(page: PulsePage, guide: GuideCard, public_id: str, *, now: dt.datetime) -> PulsePage:
    """The open request as it stands; one that was taken away stays as it was until she leaves the page."""
    try:
        return dataclasses.replace(page, request=build_request(guide, public_id, now=now))
    except NotFound:
        return page


def _newest_per_matter(notices: tuple[NoticeLine, ...]) -> list[NoticeLine]:
    """A member who came, left and came again within seconds is told once, as she stands now; a request likewise."""
    found: dict[tuple[str, str, bool], NoticeLine] = {}
    for notice in notices:
        matter = (notice.member.public_id, notice.request_id, notice.kind == "message_came")
        found.setdefault(matter, notice)
    return list(found.values())


def _toast(notice: NoticeLine) -> Toast:
    member = notice.member
    texts = {
        "new_member": _("%(name)s 成为您的会员"),
        "member_left": _("%(name)s 更换了专属导购"),
        "request_came": _("%(name)s 的“%(kind)s”等您接单"),
        "request_gone": _("%(name)s 的“%(kind)s”不用您处理了"),
        "request_overdue": _("%(name)s 的“%(kind)s”超时了"),
        "message_came": _("%(name)s 发来消息"),
    }
    text = texts[notice.kind] % {"name": member.display_name, "kind": notice.request_kind}
    url = ""
    if notice.kind == "new_member":
        url = reverse("assistant:member", args=[member.public_id])
    elif notice.kind == "message_came":
        url = reverse("assistant:talk", args=[member.public_id])
    elif notice.kind in ("request_came", "request_overdue"):
        url = reverse("assistant:request", args=[notice.request_id])
    return Toast(member.public_id, member_avatar(member), text, notice.kind == "new_member", url)
