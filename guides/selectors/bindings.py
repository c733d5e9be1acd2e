"""Bindings: a guide's members, a member's guides, and the numbers of a guide's home page."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Count, Max, Q, QuerySet

from core import clock
from guides.contracts import BindingLine, BoundMemberLine, BoundMemberPage, GuideSummary, NoticeState
from guides.models import Binding, ChannelScan, GuideNotice
from guides.selectors.cursors import open_cursor, seal_cursor
from guides.selectors.notes import remarked_member_ids, remarks_of
from members import selectors as member_selectors
from members.contracts import MemberCard

_CURSOR_SALT: Final = "guides.bound_members"
_PAGE_LIMIT: Final = 100


def find_live_binding(member_id: int) -> BindingLine | None:
    """Whose member she is now."""
    binding = Binding.objects.live().filter(member_id=member_id).select_related("guide", "store").first()
    return None if binding is None else _line(binding)


def list_binding_history(member_id: int) -> tuple[BindingLine, ...]:
    """All her guides, the newest first, with those of the rows that were merged into hers."""
    rows = member_selectors.person_row_ids(member_id)
    bindings = Binding.objects.filter(member_id__in=rows).select_related("guide", "store")
    return tuple(_line(binding) for binding in bindings.order_by("-bound_at", "-pk"))


def list_newest_members(guide_id: int, limit: int = 5) -> tuple[BoundMemberLine, ...]:
    """The members bound to her last, newest first."""
    bindings = _live_of(guide_id).order_by("-bound_at", "-pk")[: min(limit, _PAGE_LIMIT)]
    return _member_lines(list(bindings), guide_id, clock.now())


def bound_member_ids(guide_id: int) -> QuerySet[Any, int]:
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
    bindings = _live_of(guide_id)
    if query.strip():
        known = Q(member_id__in=member_selectors.search_member_ids(query))
        bindings = bindings.filter(known | Q(member_id__in=remarked_member_ids(guide_id, query)))
    for member_ids in among:
        bindings = bindings.filter(member_id__in=member_ids)
    if cursor:
        bound_at, binding_id = open_cursor(cursor, salt=_CURSOR_SALT, owner=guide_id)
        bindings = bindings.filter(Q(bound_at__lt=bound_at) | Q(bound_at=bound_at, pk__lt=binding_id))
    rows = list(bindings.order_by("-bound_at", "-pk")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    next_cursor = None
    if more:
        next_cursor = seal_cursor(salt=_CURSOR_SALT, owner=guide_id, at=rows[-1].bound_at, row_id=rows[-1].pk)
    return BoundMemberPage(_member_lines(rows, guide_id, clock.now()), next_cursor)


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
    today = clock.business_day(at or clock.now())
    start, end = clock.day_bounds(today)
    yesterday = clock.day_bounds(today - dt.timedelta(days=1))[0]
    month = clock.day_bounds(today.replace(day=1))[0]
    members = _live_of(guide_id).aggregate(
        live=Count("pk"),
        today=Count("pk", filter=Q(bound_at__gte=start, bound_at__lt=end)),
        yesterday=Count("pk", filter=Q(bound_at__gte=yesterday, bound_at__lt=start)),
        month=Count("pk", filter=Q(bound_at__gte=month, bound_at__lt=end)),
    )
    scans = ChannelScan.objects.filter(
        channel_code__guide_id=guide_id, scanned_at__gte=start, scanned_at__lt=end
    )
    notices = get_notice_state(guide_id)
    return GuideSummary(
        live_members=members["live"],
        new_today=members["today"],
        new_yesterday=members["yesterday"],
        new_this_month=members["month"],
        scans_today=scans.count(),
        unread_notices=notices.unread_count,
        latest_notice_id=notices.latest_id,
    )


def get_notice_state(guide_id: int) -> NoticeState:
    """Her unread notices and the newest one."""
    notices = GuideNotice.objects.filter(guide_id=guide_id).aggregate(
        unread=Count("pk", filter=Q(read_at__isnull=True)), latest=Max("pk")
    )
    return NoticeState(unread_count=notices["unread"], latest_id=notices["latest"] or 0)


def _live_of(guide_id: int) -> QuerySet[Binding]:
    return Binding.objects.live().filter(guide_id=guide_id)


def _line(binding: Binding) -> BindingLine:
    return BindingLine(
        guide_name=binding.guide.name,
        store_name=binding.store.name,
        source_label=str(binding.get_source_display()),
        bound_at=binding.bound_at,
        ended_at=binding.ended_at,
        reason=binding.reason,
        end_reason=binding.end_reason,
    )


def _member_lines(bindings: list[Binding], guide_id: int, at: dt.datetime) -> tuple[BoundMemberLine, ...]:
    start, _end = clock.day_bounds(clock.business_day(at))
    cards = list_cards_for(guide_id, [binding.member_id for binding in bindings])
    return tuple(
        BoundMemberLine(
            member=cards[binding.member_id],
            bound_at=binding.bound_at,
            source_label=str(binding.get_source_display()),
            is_new=binding.bound_at >= start,
        )
        for binding in bindings
    )
