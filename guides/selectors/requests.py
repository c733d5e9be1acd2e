"""Service requests: a member's own, a guide's, a store's; and what each of them may do with one now."""

import datetime as dt
import functools
from typing import Any, Final, Literal, cast

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value

from core import clock
from core.compiled import Compiled, Given, compiled, ids_of
from core.labels import label_of
from guides.contracts import (
    GuideRequestLine,
    GuideRequestPage,
    RequestActName,
    RequestCard,
    RequestDetail,
    RequestKindCard,
    RequestPage,
    RequestStateName,
    RequestStepLine,
    RequestSummary,
    RequestTab,
)
from guides.errors import NoSuchGuide, NoSuchRequest
from guides.models import (
    TRANSITIONS,
    UNFINISHED,
    Binding,
    Guide,
    GuideRemark,
    GuideRole,
    GuideState,
    RequestAct,
    RequestKind,
    RequestState,
    ServiceRequest,
    ServiceRequestStep,
)
from guides.selectors.bindings import as_called
from guides.selectors.cursors import open_cursor, seal_cursor
from members import selectors as member_selectors

_CURSOR_SALT: Final = "guides.requests"
_PAGE_LIMIT: Final = 100
_MEMBER_ACTS: Final = frozenset({RequestAct.CANCELLED, RequestAct.CLOSED})
_GUIDE_ACTS: Final = frozenset(
    {
        RequestAct.ACCEPTED,
        RequestAct.SCHEDULED,
        RequestAct.STARTED,
        RequestAct.SAID,
        RequestAct.FINISHED,
        RequestAct.REFUSED,
        RequestAct.HANDED_OVER,
    }
)
_TAB_STATES: Final[dict[RequestTab, tuple[RequestState, ...]]] = {
    "open": (RequestState.OPEN,),
    "doing": (RequestState.ACCEPTED, RequestState.IN_PROGRESS),
    "finished": (RequestState.DONE, RequestState.CLOSED, RequestState.CANCELLED, RequestState.REFUSED),
}


def list_request_kinds() -> tuple[RequestKindCard, ...]:
    """What a member may ask for now, in order."""
    return tuple(kind_card_of(kind) for kind in RequestKind.objects.filter(is_active=True))


def list_member_requests(member_id: int, cursor: str | None = None, limit: int = 20) -> RequestPage:
    """One page of her requests, newest first. Raises InvalidInput for a cursor that is not of her list."""
    limit = max(1, min(limit, _PAGE_LIMIT))
    owner = f"member:{member_id}"
    if cursor:
        at, row_id = open_cursor(cursor, salt=_CURSOR_SALT, owner=owner)
        found = _of_member(member_id).filter(Q(opened_at__lt=at) | Q(opened_at=at, pk__lt=row_id))
        rows = list(found.order_by("-opened_at", "-pk")[: limit + 1])
    else:
        rows = _newest_of_member(limit + 1)(member_id=member_id)
    next_cursor = None
    if len(rows) > limit:
        rows = rows[:limit]
        next_cursor = seal_cursor(salt=_CURSOR_SALT, owner=owner, at=rows[-1].opened_at, row_id=rows[-1].pk)
    unread = _unread_of([row.pk for row in rows])
    requests = tuple(card_of(row, acts_for_member(row), unread.get(row.pk, 0)) for row in rows)
    return RequestPage(requests, next_cursor)


@functools.lru_cache(maxsize=64)
def _newest_of_member(limit: int) -> Compiled[ServiceRequest]:
    def newest(*, member_id: Given) -> QuerySet[ServiceRequest]:
        return _of_member(member_id).order_by("-opened_at", "-pk")[:limit]

    return compiled(newest)


def access_member_request(member_id: int, public_id: str) -> RequestDetail:
    """Her request with what happened. Raises NoSuchRequest for an unknown one and for another's alike."""
    row = _of_member(member_id).filter(public_id=public_id.replace("\0", "")[:17]).first()
    if row is None:
        raise NoSuchRequest
    steps = _steps_of(row, for_member=True)
    return RequestDetail(card_of(row, acts_for_member(row), sum(step.is_unread for step in steps)), steps)


def count_unread_requests(member_id: int) -> int:
    """Her requests on which something happened that she has not seen."""
    return _unread.first(member_id=member_id) or 0


@compiled
def _unread(*, member_id: Given) -> QuerySet[ServiceRequest, int]:
    unread = ServiceRequestStep.objects.filter(request=OuterRef("pk"), read_at__isnull=True)
    requests = ServiceRequest.objects.filter(Exists(unread), member_id=member_id)
    return requests.order_by().values("member_id").annotate(many=Count("pk")).values_list("many", flat=True)


def list_guide_requests(
    guide_id: int,
    *,
    tab: RequestTab,
    cursor: str | None = None,
    limit: int = 20,
    at: dt.datetime | None = None,
) -> GuideRequestPage:
    """One page of what a guide has and may accept; of a manager, all of her store.

    What waits is in the order of its deadlines, what is over newest first. Raises InvalidInput for a cursor
    that is not of this list.
    """
    at = at or clock.now()
    limit = max(1, min(limit, _PAGE_LIMIT))
    guide = _guide(guide_id)
    owner, by = f"guide:{guide_id}:{tab}", "state_at" if tab == "finished" else "due_at"
    side: Literal["lt", "gt"] = "lt" if tab == "finished" else "gt"
    if cursor:
        moment, row_id = open_cursor(cursor, salt=_CURSOR_SALT, owner=owner)
        later = Q(**{f"{by}__{side}": moment}) | Q(**{by: moment, f"pk__{side}": row_id})
        rows = list(_of_tab(guide_id, tab).filter(later)[: limit + 1])
    else:
        rows = _first_of_tab(tab, limit + 1)(guide_id=guide_id)
    next_cursor = None
    if len(rows) > limit:
        rows = rows[:limit]
        next_cursor = seal_cursor(
            salt=_CURSOR_SALT, owner=owner, at=getattr(rows[-1], by), row_id=rows[-1].pk
        )
    return GuideRequestPage(_guide_lines(rows, guide, at), next_cursor)


def _of_tab(guide_id: int | Given, tab: RequestTab) -> QuerySet[Any, Any]:
    rows = ServiceRequest.objects.filter(_mine_waiting_or_managed(guide_id), state__in=_TAB_STATES[tab])
    order = ("-state_at", "-pk") if tab == "finished" else ("due_at", "pk")
    return _with_members(rows, guide_id).order_by(*order)


@functools.lru_cache(maxsize=64)
def _first_of_tab(tab: RequestTab, limit: int) -> Compiled[Any]:
    def first(*, guide_id: Given) -> QuerySet[Any, Any]:
        return _of_tab(guide_id, tab)[:limit]

    return compiled(first)


def _with_members(rows: QuerySet[ServiceRequest], guide_id: int | Given) -> QuerySet[Any, Any]:
    """With the members and what this guide calls them."""
    remark = GuideRemark.objects.filter(guide_id=guide_id, member_id=OuterRef("member_id"))
    return _with_names(rows).select_related("member").annotate(remark=Subquery(remark.values("name")))


def summarize_requests(guide_id: int, at: dt.datetime | None = None) -> RequestSummary:
    """How much waits for her; of a manager, for her store."""
    at = at or clock.now()
    return RequestSummary(*(_numbers.first(guide_id=guide_id, at=at) or (0, 0, 0)))


@compiled
def _numbers(*, guide_id: Given, at: Given) -> QuerySet[ServiceRequest, tuple[int, int, int]]:
    listed = ServiceRequest.objects.unfinished().filter(_mine_waiting_or_managed(guide_id))
    counted = (
        listed.order_by()
        .values(everything=Value(1))
        .annotate(
            open=Count("pk", filter=Q(state=RequestState.OPEN)),
            doing=Count("pk", filter=~Q(state=RequestState.OPEN)),
            overdue=Count("pk", filter=Q(due_at__lte=at)),
        )
    )
    return counted.values_list("open", "doing", "overdue")


def access_guide_request(
    guide_id: int, public_id: str, at: dt.datetime | None = None
) -> tuple[GuideRequestLine, tuple[RequestStepLine, ...]]:
    """A request this guide may open: hers, one she may accept, one of her member, one of the store she manages.

    Raises NoSuchRequest for an unknown one and for one that is not hers to see alike.
    """
    guide = _guide(guide_id)
    found = _with_members(ServiceRequest.objects.filter(may_see(guide)), guide_id)
    row = found.filter(public_id=public_id.replace("\0", "")[:17]).first()
    if row is None:
        raise NoSuchRequest
    return _guide_lines([row], guide, at or clock.now())[0], _steps_of(row, for_member=False)


def list_requests_of_member_for_guide(
    guide_id: int, member_id: int, limit: int = 10
) -> tuple[RequestCard, ...]:
    """What this member asked for, as far as the guide may see it: unfinished first, then the newest. One query."""
    rows = _seen_of_member(min(limit, _PAGE_LIMIT))(guide_id=guide_id, member_id=member_id)
    return tuple(card_of(row, frozenset()) for row in rows)


@functools.lru_cache(maxsize=64)
def _seen_of_member(limit: int) -> Compiled[ServiceRequest]:
    def seen(*, guide_id: Given, member_id: Given) -> QuerySet[ServiceRequest]:
        rows = _of_member(member_id).filter(_seen_by(guide_id)).annotate(is_open=Q(state__in=UNFINISHED))
        return rows.order_by("-is_open", "-opened_at", "-pk")[:limit]

    return compiled(seen)


def _seen_by(guide_id: int | Given) -> Q:
    """As `may_see`, of a guide who was not fetched."""
    return _mine_waiting_or_managed(guide_id) | _of_her_member(guide_id)


def _mine_waiting_or_managed(guide_id: int | Given) -> Q:
    """As `_mine_or_waiting`, of a guide who was not fetched."""
    guide = Guide.objects.filter(pk=guide_id)
    here = Q(store__in=guide.values("store"))
    waiting = here & Q(guide__isnull=True, state=RequestState.OPEN)
    managed = Q(store__in=guide.filter(role=GuideRole.MANAGER).values("store"))
    return Q(guide_id=guide_id) | waiting | managed


def misplaced_member_ids(limit: int) -> list[int]:
    """Members with an unfinished request that is not where it belongs: its guide has left or moved, or it should
    follow a binding and does not."""
    live = Binding.objects.live().filter(member=OuterRef("member"))
    working = live.filter(guide__state=GuideState.ACTIVE)
    stranded = Q(guide__state=GuideState.LEFT) | (Q(guide__isnull=False) & ~Q(guide__store=F("store")))
    not_with_hers = Q(guide__isnull=False) & ~Q(Exists(working.filter(guide=OuterRef("guide"))))
    elsewhere = (Q(guide__isnull=True) & Q(Exists(working))) | not_with_hers
    found = ServiceRequest.objects.unfinished().filter(stranded | (Q(follows_binding=True) & elsewhere))
    return sorted(set(found.values_list("member_id", flat=True)[:limit]))


def may_see(guide: Guide) -> Q:
    """Requests that this guide may open."""
    return _mine_or_waiting(guide) | _of_her_member(guide.pk)


def acts_for_guide(row: ServiceRequest, guide: Guide) -> frozenset[RequestActName]:
    """What this guide may do with a request now."""
    if row.guide_id == guide.pk or _manages(guide, row.store_id):
        return _possible(row, _GUIDE_ACTS)
    if row.guide_id is None and row.store_id == guide.store_id:
        return _possible(row, frozenset({RequestAct.ACCEPTED}))
    return frozenset()


def acts_for_member(row: ServiceRequest) -> frozenset[RequestActName]:
    """What the member may do with her request now."""
    return _possible(row, _MEMBER_ACTS)


def is_request_overdue(state: str, due_at: dt.datetime | None, at: dt.datetime) -> bool:
    """Whether something should have happened by now and has not."""
    return state in UNFINISHED and due_at is not None and due_at <= at


def card_of(row: ServiceRequest, acts: frozenset[RequestActName], unread_count: int = 0) -> RequestCard:
    """The contract of a request fetched with its kind, store and guide."""
    return RequestCard(
        id=row.pk,
        public_id=row.public_id,
        member_id=row.member_id,
        kind=kind_card_of(row.kind),
        words=row.words,
        wanted_at=row.wanted_at,
        scheduled_at=row.scheduled_at,
        store_id=row.store_id,
        store_name=row.store.name,
        guide_id=row.guide_id,
        guide_name=row.guide.name if row.guide is not None else "",
        state=cast("RequestStateName", str(row.state)),
        state_label=label_of(row, "state"),
        opened_at=row.opened_at,
        state_at=row.state_at,
        due_at=row.due_at,
        overdue_since=row.overdue_since,
        unread_count=unread_count,
        acts=acts,
    )


def kind_card_of(kind: RequestKind) -> RequestKindCard:
    """The contract of a kind."""
    return RequestKindCard(
        id=kind.pk,
        code=kind.code,
        name=kind.name,
        wants_time=kind.wants_time,
        accept_within_hours=kind.accept_within_hours,
        finish_within_hours=kind.finish_within_hours,
        close_after_days=kind.close_after_days,
        is_active=kind.is_active,
    )


def _of_member(member_id: int | Given) -> QuerySet[ServiceRequest]:
    return _with_names(ServiceRequest.objects.filter(member_id=member_id))


def _with_names(rows: QuerySet[ServiceRequest]) -> QuerySet[ServiceRequest]:
    return rows.select_related("kind", "store", "guide")


def _guide(guide_id: int) -> Guide:
    guide = _found.first(guide_id=guide_id)
    if guide is None:
        raise NoSuchGuide
    return guide


@compiled
def _found(*, guide_id: Given) -> QuerySet[Guide]:
    return Guide.objects.filter(pk=guide_id)


def _manages(guide: Guide, store_id: int) -> bool:
    return guide.role == GuideRole.MANAGER and guide.store_id == store_id


def _mine_or_waiting(guide: Guide) -> Q:
    """What she has, what waits for anybody of her store, and all of the store she manages."""
    if guide.role == GuideRole.MANAGER:
        return Q(guide=guide) | Q(store=guide.store_id)
    return Q(guide=guide) | Q(store=guide.store_id, guide__isnull=True, state=RequestState.OPEN)


def _of_her_member(guide_id: int | Given) -> Q:
    hers = Binding.objects.live().filter(member=OuterRef("member"), guide_id=guide_id)
    return Q(Exists(hers))


def _possible(row: ServiceRequest, acts: frozenset[RequestAct]) -> frozenset[RequestActName]:
    return frozenset(
        cast("RequestActName", act.value) for act in acts if row.state in TRANSITIONS[act].sources
    )


def _unread_of(request_ids: list[int]) -> dict[int, int]:
    return dict(_unread_steps(ids=request_ids))


@compiled
def _unread_steps(*, ids: Given) -> QuerySet[ServiceRequestStep, tuple[int, int]]:
    steps = ServiceRequestStep.objects.filter(request_id__in=ids_of(ids), read_at__isnull=True)
    return steps.order_by().values_list("request_id").annotate(n=Count("pk"))


def _steps_of(row: ServiceRequest, *, for_member: bool) -> tuple[RequestStepLine, ...]:
    steps = ServiceRequestStep.objects.filter(request=row).select_related("guide", "store").order_by("pk")
    return tuple(
        RequestStepLine(
            id=step.pk,
            act=cast("RequestActName", str(step.act)),
            title=label_of(step, "act"),
            words=step.words,
            note="" if for_member else step.note,
            guide_name=step.guide.name if step.guide is not None else "",
            store_name=step.store.name,
            scheduled_at=step.scheduled_at,
            at=step.at,
            done_by="" if for_member else step.done_by,
            is_own=step.is_own,
            is_unread=step.read_at is None,
        )
        for step in steps
    )


def _guide_lines(rows: list[Any], guide: Guide, at: dt.datetime) -> tuple[GuideRequestLine, ...]:
    return tuple(
        GuideRequestLine(
            request=card_of(row, acts_for_guide(row, guide)),
            member=as_called(member_selectors.card_of(row.member), row.remark or ""),
            is_overdue=is_request_overdue(row.state, row.due_at, at),
            is_mine=row.guide_id == guide.pk,
        )
        for row in rows
    )
