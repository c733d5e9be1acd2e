"""Bindings: a guide's members, a member's guides, and the numbers of a guide's home page."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet

from core import clock
from core.compiled import Given, compiled
from core.labels import label_of
from guides.contracts import BindingLine, GuideSummary, NoticeState
from guides.models import Binding, ChannelScan, GuideNotice
from guides.selectors.notes import remarks_of
from members import selectors as member_selectors
from members.contracts import MemberCard


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


def live_bindings_of(guide_id: int | Given) -> QuerySet[Binding]:
    """The live bindings to her; unevaluated."""
    return Binding.objects.live().filter(guide_id=guide_id)


def bound_member_ids(guide_id: int | Given) -> QuerySet[Any, int]:
    """Ids of her members; unevaluated, for composition."""
    return live_bindings_of(guide_id).values_list("member_id", flat=True)


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
    hers = set(
        live_bindings_of(guide_id).filter(member_id__in=list(cards)).values_list("member_id", flat=True)
    )
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
        live_bindings_of(guide_id)
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
