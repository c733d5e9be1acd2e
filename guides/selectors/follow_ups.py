"""Follow-ups as their guide sees them, and as a ledger counts them."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final, Literal

from django.db.models import Count, Q, QuerySet

from core import clock
from core.compiled import Given, compiled
from core.labels import label_of
from guides.contracts import DoneFollowUp, FollowUpCard, FollowUpCounts, FollowUpPage
from guides.errors import NoSuchFollowUp
from guides.models import FollowUp, FollowUpResult, FollowUpState
from guides.selectors.bindings import list_cards_for
from guides.selectors.cursors import open_cursor, seal_cursor

FollowUpTab = Literal["due", "later", "done"]
# What may come of one, with its words.
FOLLOW_UP_RESULTS: Final = tuple((result.value, result.label) for result in FollowUpResult)
_CURSOR_SALT: Final = "guides.follow_ups"
_PAGE_LIMIT: Final = 100


def list_follow_up_ids(source_keys: Iterable[str]) -> dict[str, int]:
    """The follow-up of each of these sources; those that nobody has are missing."""
    return dict(FollowUp.objects.filter(source_key__in=list(source_keys)).values_list("source_key", "pk"))


def list_follow_ups(
    guide_id: int,
    *,
    tab: FollowUpTab,
    cursor: str | None = None,
    limit: int = 20,
    today: dt.date | None = None,
) -> FollowUpPage:
    """One page of hers: due by today, the longest overdue first; later ones; done ones, newest first. Raises InvalidInput
    for a cursor that is not of this list."""
    today = today or clock.today()
    limit = max(1, min(limit, _PAGE_LIMIT))
    owner = f"{guide_id}:{tab}"
    rows = _of_tab(guide_id, tab, today)
    if cursor:
        at, row_id = open_cursor(cursor, salt=_CURSOR_SALT, owner=owner)
        if tab == "done":
            rows = rows.filter(Q(done_at__lt=at) | Q(done_at=at, pk__lt=row_id))
        else:
            day = clock.business_day(at)
            rows = rows.filter(Q(due_on__gt=day) | Q(due_on=day, pk__gt=row_id))
    found = list(rows[: limit + 1])
    next_cursor = None
    if len(found) > limit:
        found = found[:limit]
        last = found[-1]
        place = last.done_at if last.done_at is not None else clock.day_bounds(last.due_on)[0]
        next_cursor = seal_cursor(salt=_CURSOR_SALT, owner=owner, at=place, row_id=last.pk)
    return FollowUpPage(_cards(guide_id, found), next_cursor)


def access_follow_up(guide_id: int, public_id: str) -> FollowUpCard:
    """One of hers. Raises NoSuchFollowUp for an unknown one and for another's alike."""
    rows = FollowUp.objects.filter(guide_id=guide_id, public_id=public_id.replace("\0", "")[:17])
    found = _cards(guide_id, list(rows.exclude(state=FollowUpState.DROPPED)))
    if not found:
        raise NoSuchFollowUp
    return found[0]


def list_follow_ups_by_id(guide_id: int, ids: Iterable[int]) -> dict[int, FollowUpCard]:
    """Those of these that are hers and were not dropped."""
    rows = FollowUp.objects.filter(guide_id=guide_id, pk__in=list(ids)).exclude(state=FollowUpState.DROPPED)
    return {card.id: card for card in _cards(guide_id, list(rows))}


def count_follow_ups(guide_id: int, *, today: dt.date | None = None) -> FollowUpCounts:
    """How many she has to do, and has done this month."""
    today = today or clock.today()
    month_start, _end = clock.day_bounds(today.replace(day=1))
    due, overdue, later = _open_counts.first(guide_id=guide_id, today=today) or (0, 0, 0)
    done = _done_count.first(guide_id=guide_id, since=month_start) or 0
    return FollowUpCounts(due, overdue, later, done)


def count_due_follow_ups(guide_id: int, *, today: dt.date | None = None) -> tuple[int, int]:
    """How many she has to do by today, and how many of them are overdue."""
    due, overdue, _later = _open_counts.first(guide_id=guide_id, today=today or clock.today()) or (0, 0, 0)
    return due, overdue


@compiled
def _open_counts(*, guide_id: Given, today: Given) -> QuerySet[Any, Any]:
    rows = FollowUp.objects.open().filter(guide_id=guide_id).order_by().values("guide_id")
    counted = rows.annotate(
        due=Count("pk", filter=Q(due_on__lte=today)),
        overdue=Count("pk", filter=Q(due_on__lt=today)),
        later=Count("pk", filter=Q(due_on__gt=today)),
    )
    return counted.values_list("due", "overdue", "later")


@compiled
def _done_count(*, guide_id: Given, since: Given) -> QuerySet[Any, Any]:
    rows = FollowUp.objects.filter(guide_id=guide_id, state=FollowUpState.DONE, done_at__gte=since)
    return rows.order_by().values("guide_id").annotate(many=Count("pk")).values_list("many", flat=True)


def list_done_follow_ups(follow_up_ids: Iterable[int]) -> tuple[DoneFollowUp, ...]:
    """Those of these that were ever done, and whether they are now."""
    rows = FollowUp.objects.filter(pk__in=list(follow_up_ids), changed_at__isnull=False).order_by("pk")
    return tuple(
        DoneFollowUp(
            id=row.pk,
            member_id=row.member_id,
            guide_id=row.guide_id,
            done_at=row.done_at,
            title=row.title,
            stands=row.state == FollowUpState.DONE,
        )
        for row in rows
    )


def changed_follow_up_ids(*, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of those that were done, or taken back, in the half-open span; unevaluated."""
    rows = FollowUp.objects.filter(changed_at__gte=since, changed_at__lt=until)
    return rows.values_list("pk", flat=True)


def _of_tab(guide_id: int, tab: FollowUpTab, today: dt.date) -> QuerySet[FollowUp]:
    rows = FollowUp.objects.filter(guide_id=guide_id)
    if tab == "done":
        return rows.filter(state=FollowUpState.DONE).order_by("-done_at", "-pk")
    open_ones = rows.filter(state=FollowUpState.OPEN).order_by("due_on", "pk")
    return open_ones.filter(due_on__lte=today) if tab == "due" else open_ones.filter(due_on__gt=today)


def _cards(guide_id: int, rows: list[FollowUp]) -> tuple[FollowUpCard, ...]:
    members = list_cards_for(guide_id, {row.member_id for row in rows})
    return tuple(
        FollowUpCard(
            id=row.pk,
            public_id=row.public_id,
            member=members[row.member_id],
            title=row.title,
            script=row.script,
            due_on=row.due_on,
            state=row.state,  # type: ignore[arg-type]
            result=row.result,
            result_label=label_of(row, "result") if row.result else "",
            note=row.note,
            done_at=row.done_at,
        )
        for row in rows
        if row.member_id in members
    )
