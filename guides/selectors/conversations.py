"""Conversations as a guide sees them: who waits, what was said, until when WeChat takes an answer."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum

from core import clock
from core.compiled import Given, compiled
from core.errors import NotFound
from guides.contracts import GuideCard, Talk, TalkLine, TalkSummary, WaitingTalk
from guides.models import (
    AnswerState,
    Binding,
    Conversation,
    ConversationMessage,
    Guide,
    GuideRole,
    GuideState,
    Speaker,
)
from guides.selectors.bindings import list_cards_for
from guides.selectors.people import access_member
from members import selectors as member_selectors
from members.contracts import MemberCard
from wechat.services import accounts, followers, outbox


def access_talker(*, guide_id: int, public_id: str) -> MemberCard:
    """The member, if this guide may answer her: whom `access_member` opens to her; whose conversation head office gave
    her; and for a manager also one without a guide whose last one worked in the manager's store. Raises NotFound for
    all others alike."""
    try:
        return access_member(guide_id=guide_id, public_id=public_id)
    except NotFound:
        card = member_selectors.find_member_card(public_id.replace("\0", "")[:17])
        guide = Guide.objects.active().filter(pk=guide_id).first()
        if card is None or guide is None:
            raise
        hers = _given_to(guide.pk)
        if guide.role == GuideRole.MANAGER:
            hers |= _unbound_of(guide.store_id)
        if not Conversation.objects.filter(hers, member_id=card.id).exists():
            raise
        return card


def summarize_talks(guide: GuideCard) -> TalkSummary:
    """The numbers of 今日."""
    if guide.role == "manager":
        found = _waiting_manager.first(guide_id=guide.id, store_id=guide.store.id)
    else:
        found = _waiting.first(guide_id=guide.id)
    return TalkSummary() if found is None else TalkSummary(*found)


def list_waiting_talks(guide: GuideCard, *, limit: int) -> tuple[WaitingTalk, ...]:
    """Those who wait, the longest first."""
    newest = ConversationMessage.objects.filter(conversation=OuterRef("pk"), speaker=Speaker.MEMBER)
    newest = newest.order_by("-pk")
    rows: list[Any] = list(
        Conversation.objects.waiting()
        .filter(_hers(guide.id, guide.store.id, is_manager=guide.role == "manager"))
        .annotate(
            newest_id=Subquery(newest.values("pk")[:1]),
            is_hers=Exists(Binding.objects.live().filter(member=OuterRef("member"), guide_id=guide.id)),
        )
        .order_by("waiting_since", "pk")[:limit]
    )
    cards = list_cards_for(guide.id, [row.member_id for row in rows])
    said = ConversationMessage.objects.in_bulk([row.newest_id for row in rows])
    return tuple(
        WaitingTalk(
            member=cards[row.member_id],
            waiting_since=row.waiting_since or row.last_at,
            unread_count=row.unread_count,
            last_words=said[row.newest_id].words if row.newest_id in said else "",
            last_kind=said[row.newest_id].kind if row.newest_id in said else "",
            is_orphan=not row.is_hers,
        )
        for row in rows
    )


def get_talk(*, guide_id: int, public_id: str, limit: int, at: dt.datetime | None = None) -> Talk:
    """The newest lines of a member's conversation. Raises NotFound as `access_talker` does."""
    return talk_of(access_talker(guide_id=guide_id, public_id=public_id), limit=limit, at=at)


def talk_of(member: MemberCard, *, limit: int, at: dt.datetime | None = None) -> Talk:
    """As `get_talk`, of a member whom the guide may open."""
    at = at or clock.now()
    conversation = Conversation.objects.filter(member_id=member.id).first()
    if conversation is None:
        return Talk(member, (), False, None, 0, None)
    newest = list(
        ConversationMessage.objects.filter(conversation=conversation)
        .annotate(guide_name=F("guide__name"))
        .select_related("staff")
        .order_by("-pk")[: limit + 1]
    )
    lines = newest[:limit][::-1]
    pending = {f"talk:{row.pk}": row.pk for row in lines if row.state == AnswerState.QUEUED}
    ended = outbox.list_outcomes(reason_keys=pending) if pending else {}
    states = {pending[reason]: found for reason, found in ended.items()}
    _openid, until = find_reply_window(member.id, conversation.account_id, at)
    return Talk(
        member=member,
        lines=tuple(_line(row, states.get(row.pk)) for row in lines),
        has_more=len(newest) > limit,
        waiting_since=conversation.waiting_since,
        unread_count=conversation.unread_count,
        window_until=until,
    )


def find_reply_window(
    member_id: int, account_id: int, at: dt.datetime
) -> tuple[str | None, dt.datetime | None]:
    """The openid under which she can be answered, and until when as far as we know. Of several (she was merged) the one
    whose window is open longest."""
    app_id = accounts.get_account(account_id).app_id
    openids = member_selectors.list_openids([member_id], app_id).get(member_id, [])
    windows = followers.list_open_windows(account_id=account_id, openids=openids, at=at)
    if not windows:
        return (openids[0] if openids else None), None
    openid = max(windows, key=lambda one: windows[one])
    return openid, windows[openid]


def find_windows(conversations: Iterable[Conversation], at: dt.datetime) -> dict[int, dt.datetime]:
    """By conversation: until when she can be answered; those of whom we know no open window are missing."""
    by_account: dict[int, list[Conversation]] = defaultdict(list)
    for conversation in conversations:
        by_account[conversation.account_id].append(conversation)
    found: dict[int, dt.datetime] = {}
    for account_id, rows in by_account.items():
        app_id = accounts.get_account(account_id).app_id
        openids = member_selectors.list_openids([row.member_id for row in rows], app_id)
        asked = [openid for hers in openids.values() for openid in hers]
        windows = followers.list_open_windows(account_id=account_id, openids=asked, at=at)
        for row in rows:
            untils = [windows[openid] for openid in openids.get(row.member_id, []) if openid in windows]
            if untils:
                found[row.pk] = max(untils)
    return found


def find_newest_messages(conversation_ids: Iterable[int]) -> dict[int, ConversationMessage]:
    """The last thing each member said, by conversation."""
    said = ConversationMessage.objects.filter(conversation_id__in=list(conversation_ids))
    newest = said.filter(speaker=Speaker.MEMBER).order_by("conversation_id", "-pk")
    return {row.conversation_id: row for row in newest.distinct("conversation_id")}


def has_guide_at_work(path: str = "member") -> Exists:
    """Whether she, whom `path` names, is a live member of a guide who works here."""
    live = Binding.objects.live().filter(guide__state=GuideState.ACTIVE)
    return Exists(live.filter(member=OuterRef(path)))


def list_answering_guides(member_id: int) -> list[Guide]:
    """Who is told when she writes: her guide; without one, or when that one has left, whom head office gave the
    conversation to, else the managers of the store."""
    bindings = Binding.objects.filter(member_id=member_id).select_related("guide")
    live = bindings.live().first()
    if live is not None and live.guide.state == GuideState.ACTIVE:
        return [live.guide]
    given = Guide.objects.active().filter(
        pk__in=Conversation.objects.filter(member_id=member_id).values("given_to_id")
    )
    if given:
        return list(given)
    last = live or bindings.order_by("-bound_at", "-pk").first()
    if last is None:
        return []
    store_id = last.guide.store_id if live is not None else last.store_id
    return list(Guide.objects.active().filter(store_id=store_id, role=GuideRole.MANAGER).order_by("pk"))


def _hers(guide_id: int | Given, store_id: int | Given, *, is_manager: bool) -> Q:
    """Whose conversations she sees to. A manager: also those of guides of her store who have left, and of members who
    have none and had their last one there."""
    live = Binding.objects.live().filter(member=OuterRef("member"))
    mine = Q(Exists(live.filter(guide_id=guide_id))) | _given_to(guide_id)
    if not is_manager:
        return mine
    left = live.filter(guide__store_id=store_id, guide__state=GuideState.LEFT)
    return mine | Q(Exists(left)) | _unbound_of(store_id)


def _given_to(guide_id: int | Given) -> Q:
    return Q(given_to_id=guide_id) & ~Q(has_guide_at_work())


def _unbound_of(store_id: int | Given) -> Q:
    live = Binding.objects.live().filter(member=OuterRef("member"))
    later = Binding.objects.filter(member=OuterRef("member"), bound_at__gt=OuterRef("bound_at"))
    last = Binding.objects.filter(~Exists(later), member=OuterRef("member"), store_id=store_id)
    return Q(~Exists(live)) & Q(Exists(last))


def _summed(rows: QuerySet[Conversation]) -> QuerySet[Any, Any]:
    """One row: how many wait, their unread messages, since when the first; none when nobody waits."""
    one = rows.order_by().values(one=F("pk") * 0)
    summed = one.annotate(count=Count("pk"), unread=Sum("unread_count"), since=Min("waiting_since"))
    return summed.values_list("count", "unread", "since")


@compiled
def _waiting(*, guide_id: Given) -> QuerySet[Any, Any]:
    return _summed(Conversation.objects.waiting().filter(_hers(guide_id, 0, is_manager=False)))


@compiled
def _waiting_manager(*, guide_id: Given, store_id: Given) -> QuerySet[Any, Any]:
    return _summed(Conversation.objects.waiting().filter(_hers(guide_id, store_id, is_manager=True)))


def _line(row: Any, ended: tuple[str, str] | None) -> TalkLine:
    state, outcome = row.state, row.outcome
    if ended is not None and ended[0] in (AnswerState.SENT, AnswerState.DROPPED, AnswerState.UNCERTAIN):
        state, outcome = ended
    return TalkLine(
        id=row.pk,
        speaker=row.speaker,
        kind=row.kind,
        words=row.words,
        at=row.at,
        guide_id=row.guide_id,
        name=row.guide_name or ("" if row.staff is None else str(row.staff)),
        state=state,
        outcome=outcome,
    )
