"""会员: the guide's members, searchable, endless."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from assistant import phrases
from assistant.pages.member_360.habits import say_reason
from assistant.pages.shell import Link, MemberRow, Shell, member_row
from core import clock
from guides import selectors as guide_selectors
from guides.contracts import BoundMemberLine, GuideCard
from sales import selectors as sales_selectors

PAGE_ROWS: Final = 20
MOST_ROWS: Final = 100  # what one page restores at once after 后退


@dataclasses.dataclass(frozen=True, slots=True)
class MemberRows:
    """One stretch of the list: `state_url` is the page that shows all up to here, `next_url` the next."""

    rows: tuple[MemberRow, ...]
    query: str
    only: str  # which of the narrower lists
    is_first: bool
    next_url: str
    state_url: str

    @property
    def is_empty(self) -> bool:
        return self.is_first and not self.rows


@dataclasses.dataclass(frozen=True, slots=True)
class MembersPage:
    shell: Shell
    query: str
    only: str
    narrower: tuple[Link, ...]
    live_members: str
    list: MemberRows


def build_rows(
    guide: GuideCard,
    *,
    query: str,
    only: str = "",
    cursor: str | None,
    shown: int,
    limit: int = PAGE_ROWS,
    now: dt.datetime | None = None,
) -> MemberRows:
    """The stretch after `cursor` of the members found by `query`; `shown` rows stand above it already. `only` "due"
    for those whose next purchase is due, "falling" for those who lose their group in a month if they buy nothing."""
    now = now or clock.now()
    part = None
    if only == "due":
        part = sales_selectors.due_members(day=clock.business_day(now))
    elif only == "falling":
        part = sales_selectors.falling_members()
    found = guide_selectors.list_bound_members(
        guide_id=guide.id, query=query, part=part, cursor=cursor, limit=limit
    )
    reasons = _reasons(found.lines, only, today=clock.business_day(now)) if part is not None else {}
    rows = tuple(member_row(line, now=now, reason=reasons.get(line.member.id, "")) for line in found.lines)
    total = shown + len(rows)
    next_url = ""
    if found.next_cursor:
        next_url = _url("assistant:member-rows", q=query, only=only, cursor=found.next_cursor, shown=total)
    return MemberRows(
        rows=rows,
        query=query,
        only=only,
        is_first=cursor is None,
        next_url=next_url,
        state_url=_url("assistant:members", q=query, only=only, rows=total if total > PAGE_ROWS else ""),
    )


def _reasons(lines: Sequence[BoundMemberLine], only: str, *, today: dt.date) -> dict[int, str]:
    """Why each of them is in the narrower list."""
    found = sales_selectors.list_visit_reasons([line.member.id for line in lines])
    return {
        member_id: say_reason(reason, is_falling=only == "falling", today=today)
        for member_id, reason in found.items()
    }


def build_members(
    guide: GuideCard, *, query: str, limit: int, only: str = "", now: dt.datetime | None = None
) -> MembersPage:
    """The whole page, with as many rows as the guide had open before she went to a member and came back."""
    now = now or clock.now()
    summary = guide_selectors.summarize_guide(guide.id, at=now)
    return MembersPage(
        shell=Shell.of("members", summary),
        query=query,
        only=only,
        narrower=tuple(
            Link(label, _url("assistant:members", q=query, only=key), key == only)
            for key, label in (("", _("全部")), ("due", _("该回购")), ("falling", _("快流失")))
        ),
        live_members=phrases.say_count(summary.live_members),
        list=build_rows(guide, query=query, only=only, cursor=None, shown=0, limit=limit, now=now),
    )


def _url(name: str, **values: object) -> str:
    given = {key: value for key, value in values.items() if value not in ("", None)}
    return f"{reverse(name)}?{urlencode(given)}" if given else reverse(name)
