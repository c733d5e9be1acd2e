"""Bindings: a guide's members, a member's guides, and the numbers of a guide's home page."""

import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery

from core import clock
from core.compiled import Compiled, Given, compiled
from core.labels import label_of
from guides.contracts import BindingLine, BoundMemberLine, BoundMemberPage, GuideSummary, NoticeState
from guides.models import Binding, ChannelScan, GuideNotice, GuideRemark
from guides.selectors.cursors import open_cursor, seal_cursor
from guides.selectors.notes import remarked_member_ids, remarks_of
from members import selectors as member_selectors
from members.contracts import MemberCard

_CURSOR_SALT: Final = "guides.bound_members"
_PAGE_LIMIT: Final = 100


def find_live_binding(member_id: int) -> BindingLine | None:
    """Whose member she is now."""
    binding = _live.first(member_id=member_id)
    return None if binding is None else binding_line_of(binding)


@compiled
def _live(*, member_id: Given) -> QuerySet[Any, Any]:
    return with_names(Binding.objects.live().filter(member_id=member_id))


def list_binding_history(member_id: int) -> tuple[BindingLine, ...]:
    """All her guides, the newest first, with those of the rows that were merged into hers."""
    return tuple(binding_line_of(binding) for binding in _history(member_id=member_id))


@compiled
def _history(*, member_id: Given) -> QuerySet[Any, Any]:
    rows = member_selectors.person_row_ids(member_id)
    return with_names(Binding.objects.filter(member_id__in=rows)).order_by("-bound_at", "-pk")


def list_newest_members(guide_id: int, limit: int = 5) -> tuple[BoundMemberLine, ...]:
    """The members bound to her last, newest first."""
    return _member_lines(_newest(min(limit, _PAGE_LIMIT))(guide_id=guide_id), clock.now())


def bound_member_ids(guide_id: int | Given) -> QuerySet[Any, int]:
    """Ids of her members; unevaluated, for composition."""
    return _live_of(guide_id).values_list("member_id", flat=True)


def list_bound_members(
    *,
    guide_id: int,
    query: str = "",
    among: Iterable[QuerySet[Any, int]] = (),
    cursor: str | None = None,
    limit: int = 20,
) -> BoundMemberPage:
    """One page of her members, newest binding first, narrowed by what she typed and to those in all of `among`.

    `cursor` is the `next_cursor` of the page before; pages neither skip nor repeat when members join
    meanwhile. Raises InvalidInput for a cursor we did not give for this guide.
    """
    limit = max(1, min(limit, _PAGE_LIMIT))
    among = tuple(among)
    if query.strip() or among or cursor:
        narrowed = _narrowed(guide_id, query=query, among=among, cursor=cursor)
        rows = list(_with_members(narrowed, guide_id)[: limit + 1])
    else:
        rows = _newest(limit + 1)(guide_id=guide_id)
    more = len(rows) > limit
    rows = rows[:limit]
    next_cursor = None
    if more:
        next_cursor = seal_cursor(salt=_CURSOR_SALT, owner=guide_id, at=rows[-1].bound_at, row_id=rows[-1].pk)
    return BoundMemberPage(_member_lines(rows, clock.now()), next_cursor)


def _narrowed(
    guide_id: int, *, query: str, among: Iterable[QuerySet[Any, int]], cursor: str | None
) -> QuerySet[Binding]:
    bindings = _live_of(guide_id)
    if query.strip():
        known = Q(member_id__in=member_selectors.search_member_ids(query))
        bindings = bindings.filter(known | Q(member_id__in=remarked_member_ids(guide_id, query)))
    for member_ids in among:
        bindings = bindings.filter(member_id__in=member_ids)
    if cursor:
        bound_at, binding_id = open_cursor(cursor, salt=_CURSOR_SALT, owner=guide_id)
        bindings = bindings.filter(Q(bound_at__lt=bound_at) | Q(bound_at=bound_at, pk__lt=binding_id))
    return bindings


@functools.lru_cache(maxsize=64)
def _newest(limit: int) -> Compiled[Any]:
    def newest(*, guide_id: Given) -> QuerySet[Any, Any]:
        return _with_members(_live_of(guide_id), guide_id)[:limit]

    return compiled(newest)


def _with_members(bindings: QuerySet[Binding], guide_id: int | Given) -> QuerySet[Any, Any]:
    """With their members and what this guide calls them; the newest first."""
    remark = GuideRemark.objects.filter(guide_id=guide_id, member_id=OuterRef("member_id"))
    remarked = bindings.select_related("member").annotate(remark=Subquery(remark.values("name")))
    return remarked.order_by("-bound_at", "-pk")


def list_cards_for(guide_id: int, member_ids: Iterable[int]) -> dict[int, MemberCard]:
    """Members as this guide sees them: the nameless under the name she gave them."""
    cards = member_selectors.list_member_cards(member_ids)
    nameless = [card.id for card in cards.values() if not card.is_named]
    remarks = remarks_of(guide_id, nameless) if nameless else {}
    return {key: as_called(card, remarks.get(key, "")) for key, card in cards.items()}


def as_called(card: MemberCard, remark: str) -> MemberCard:
    """The card with the guide's own name for her, unless she has told her name."""
    if card.is_named or not remark:
        return card
    return dataclasses.replace(card, display_name=remark, is_named=True, is_remarked=True)


def names_as_seen(guide_id: int, member_ids: Iterable[int]) -> dict[int, str]:
    """How this guide may read people's names: her own members' whole, of others the first character."""
    cards = list_cards_for(guide_id, member_ids)
    hers = set(_live_of(guide_id).filter(member_id__in=list(cards)).values_list("member_id", flat=True))
    return {
        key: card.display_name if key in hers or not card.is_named else f"{card.display_name[:1]}**"
        for key, card in cards.items()
    }


def summarize_guide(guide_id: int, at: dt.datetime | None = None) -> GuideSummary:
    """Her live members and how many of them joined today, yesterday and this month (Shanghai days)."""
    days = _days_at(at or clock.now())
    counted = _members_of.first(guide_id=guide_id, **days)
    live, new_today, new_yesterday, new_this_month = counted or (0, 0, 0, 0)
    notices = get_notice_state(guide_id)
    return GuideSummary(
        live_members=live,
        new_today=new_today,
        new_yesterday=new_yesterday,
        new_this_month=new_this_month,
        scans_today=_scans_of.first(guide_id=guide_id, **days) or 0,
        unread_notices=notices.unread_count,
        latest_notice_id=notices.latest_id,
    )


def _days_at(at: dt.datetime) -> dict[str, dt.datetime]:
    """Where the Shanghai days begin and end that a guide's numbers are about."""
    today = clock.business_day(at)
    start, end = clock.day_bounds(today)
    yesterday = clock.day_bounds(today - dt.timedelta(days=1))[0]
    return {
        "start": start,
        "end": end,
        "yesterday": yesterday,
        "month": clock.day_bounds(today.replace(day=1))[0],
    }


@compiled
def _members_of(
    *, guide_id: Given, start: Given, end: Given, yesterday: Given, month: Given
) -> QuerySet[Binding, tuple[int, int, int, int]]:
    counted = (
        _live_of(guide_id)
        .order_by()
        .values("guide_id")
        .annotate(
            live=Count("pk"),
            today=Count("pk", filter=Q(bound_at__gte=start, bound_at__lt=end)),
            before=Count("pk", filter=Q(bound_at__gte=yesterday, bound_at__lt=start)),
            in_month=Count("pk", filter=Q(bound_at__gte=month, bound_at__lt=end)),
        )
    )
    return counted.values_list("live", "today", "before", "in_month")


@compiled
def _scans_of(*, guide_id: Given, start: Given, end: Given) -> QuerySet[ChannelScan, int]:
    scans = ChannelScan.objects.filter(
        channel_code__guide_id=guide_id, scanned_at__gte=start, scanned_at__lt=end
    )
    counted = scans.order_by().values("channel_code__guide_id").annotate(scans=Count("pk"))
    return counted.values_list("scans", flat=True)


def get_notice_state(guide_id: int) -> NoticeState:
    """Her unread notices and the newest one."""
    unread, latest = _notices.first(guide_id=guide_id) or (0, 0)
    return NoticeState(unread_count=unread, latest_id=latest)


@compiled
def _notices(*, guide_id: Given) -> QuerySet[GuideNotice, tuple[int, int]]:
    hers = GuideNotice.objects.filter(guide_id=guide_id).order_by().values("guide_id")
    counted = hers.annotate(unread=Count("pk", filter=Q(read_at__isnull=True)), latest=Max("pk"))
    return counted.values_list("unread", "latest")


def _live_of(guide_id: int | Given) -> QuerySet[Binding]:
    return Binding.objects.live().filter(guide_id=guide_id)


def with_names(bindings: QuerySet[Binding]) -> QuerySet[Any, Any]:
    """With the names of guide and store."""
    return bindings.annotate(guide_name=F("guide__name"), store_name=F("store__name"))


def binding_line_of(binding: Any) -> BindingLine:
    """What may be shown of a binding fetched with names."""
    return BindingLine(
        guide_name=binding.guide_name,
        store_name=binding.store_name,
        source_label=label_of(binding, "source"),
        bound_at=binding.bound_at,
        ended_at=binding.ended_at,
        reason=binding.reason,
        end_reason=binding.end_reason,
    )


def _member_lines(bindings: list[Any], at: dt.datetime) -> tuple[BoundMemberLine, ...]:
    start, _end = clock.day_bounds(clock.business_day(at))
    return tuple(
        BoundMemberLine(
            member=as_called(member_selectors.card_of(binding.member), binding.remark or ""),
            bound_at=binding.bound_at,
            source_label=label_of(binding, "source"),
            is_new=binding.bound_at >= start,
        )
        for binding in bindings
    )
