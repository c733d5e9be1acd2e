"""Working off the inbox: claim, read, announce, settle.

A push counts as processed only when every handler of what it announced has returned. Handlers are idempotent
(they key what they write by the push), so a worker may die anywhere: the lease runs out, another worker
does the event again, and the late worker's settlement is fenced off by the lease holder's name.
"""

import dataclasses
import datetime as dt
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F

from core import audit, clock, events
from core.actor import Actor
from core.errors import Refusal, Unavailable
from core.logs import redact
from wechat.client.errors import WeChatError
from wechat.events import (
    AuthorizationRevoked,
    CodeScanned,
    FollowerGained,
    FollowerLost,
    InboxFilled,
    MenuClicked,
    MessageReceived,
)
from wechat.models import InboundEvent
from wechat.models.inbox import InboundState
from wechat.services import followers, parsing, rule_messages, send_results
from wechat.services.reply_book import SCENE_PREFIX, Ruled

logger = logging.getLogger(__name__)

# Small: a worker that holds a batch answers nobody meanwhile, and each push takes some 40 ms.
_BATCH: Final = 5
_SAFE_PART: Final = 0.5  # a batch is worked on for at most this share of its lease
MAX_ATTEMPTS: Final = 8
_OUTAGE_ATTEMPTS: Final = 60  # while an engine or WeChat is away: about an hour of tries
# What she sends that a person can answer.
_MESSAGES: Final = (
    "text", "image", "voice", "video", "shortvideo", "location", "link", "miniprogrampage",
)  # fmt: skip
_KNOWN_QUIET: Final = frozenset(
    {"event.location", "event.view", "event.view_miniprogram", "event.scancode_push", "event.pic_sysphoto",
     "event.pic_photo_or_album", "event.pic_weixin", "event.location_select",
     "event.debug_demo", "event.user_info_modified", "event.user_enter_tempsession",
     "event.kf_create_session", "event.kf_close_session", "event.kf_switch_session"}
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class _Push:
    """One stored push, read."""

    id: int
    account_id: int
    app_id: str
    kind: str
    openid: str
    at_unix: int
    fields: Mapping[str, Any]
    won_rule_id: int | None

    @property
    def at(self) -> dt.datetime:
        return clock.from_unix(self.at_unix)

    def text(self, name: str) -> str:
        return parsing.text_field(self.fields, name)


def on_inbox_filled(event: InboxFilled) -> None:
    """Work off one batch."""
    take_turn()


def take_turn() -> int:
    """Process one batch; when more may wait, ask for another turn. Returns the number processed.

    The next turn queues up behind what the batch set off, so that in a rush people are greeted as they come:
    a worker that drained first would let the windows of the first greetings close.
    """
    done = drain_inbox(limit=_BATCH)
    if done >= _BATCH:
        events.publish(InboxFilled())
    return done


def drain_inbox(*, limit: int = 10_000) -> int:
    """Process what waits, batch by batch, until nothing is due or `limit` is reached; the number processed."""
    done = 0
    while done < limit:
        batch, holder = _claim()
        if not batch:
            break
        started = time.monotonic()
        for row in batch:
            if time.monotonic() - started > settings.WECHAT_LEASE_S * _SAFE_PART:
                _settle(row.pk, holder, state=InboundState.STORED, leased_until=None)
                continue
            _process(row, holder)
            done += 1
    return done


def _lease() -> dt.timedelta:
    """How long a worker may hold pushes before others take them over."""
    return dt.timedelta(seconds=settings.WECHAT_LEASE_S)


def _claim() -> tuple[list[InboundEvent], str]:
    """Take a batch of due pushes under a fresh lease. SKIP LOCKED: two workers never take the same."""
    now, holder = clock.now(), secrets.token_hex(8)
    with transaction.atomic():
        batch = InboundEvent.objects.waiting(now).select_related("account").claim(_BATCH)
        InboundEvent.objects.filter(pk__in=[row.pk for row in batch]).update(
            state=InboundState.PROCESSING,
            leased_until=now + _lease(),
            lease_holder=holder,
            attempt_count=F("attempt_count") + 1,
        )
    return batch, holder


def _settle(event_id: int, holder: str, **values: Any) -> bool:
    """Write the outcome if the lease is still ours."""
    mine = InboundEvent.objects.filter(pk=event_id, state=InboundState.PROCESSING, lease_holder=holder)
    return mine.update(**values) == 1


def _process(row: InboundEvent, holder: str) -> None:
    attempt = row.attempt_count + 1
    try:
        state = _announce(_read(row))
    except parsing.Unreadable as error:
        _settle(
            row.pk, holder, state=InboundState.UNREADABLE, finished_at=clock.now(), failure=str(error)[:300]
        )
    except Exception as error:  # noqa: BLE001  (whatever a handler raises, the push waits and is tried again)
        _postpone(row.pk, holder, attempt, error)
    else:
        _settle(row.pk, holder, state=state, finished_at=clock.now(), failure="", leased_until=None)


def _postpone(event_id: int, holder: str, attempt: int, error: Exception) -> None:
    """Try again later, with growing pauses; give up with the reason when it never works."""
    is_outage = isinstance(error, Unavailable | OSError) or (
        isinstance(error, WeChatError) and not error.permanent
    )
    reason = redact(f"{type(error).__name__}: {error}")[:300]
    if attempt >= (_OUTAGE_ATTEMPTS if is_outage else MAX_ATTEMPTS):
        logger.error("wechat.push_failed", extra={"inbound_id": event_id, "reason": reason})
        _settle(event_id, holder, state=InboundState.FAILED, finished_at=clock.now(), failure=reason)
        return
    logger.warning(
        "wechat.push_postponed", extra={"inbound_id": event_id, "attempt": attempt}, exc_info=error
    )
    pause = dt.timedelta(seconds=min(2**attempt, 60))
    _settle(
        event_id,
        holder,
        state=InboundState.STORED,
        leased_until=None,
        retry_not_before=clock.now() + pause,
        failure=reason,
    )


def _read(row: InboundEvent) -> _Push:
    fields = parsing.read_fields(row.raw)
    return _Push(
        id=row.pk,
        account_id=row.account_id,
        app_id=row.account.app_id,
        kind=parsing.kind_of(fields),
        openid=parsing.text_field(fields, "FromUserName"),
        at_unix=parsing.pushed_at_unix(fields),
        fields=fields,
        won_rule_id=row.won_rule_id,
    )


# What each kind means ------------------------------------------------------------------------------------


def _announce(push: _Push) -> InboundState:
    reaction = _REACTIONS.get(push.kind)
    if reaction is not None:
        reaction(push)
        return InboundState.PROCESSED
    if push.kind in _KNOWN_QUIET:
        return InboundState.PROCESSED
    return InboundState.IGNORED


def _on_subscribe(push: _Push) -> None:
    key = push.text("EventKey")
    scene = key.removeprefix(SCENE_PREFIX) if key.startswith(SCENE_PREFIX) else ""
    followers.note_follow(account_id=push.account_id, openid=push.openid, scene=scene, at=push.at)
    _open_window(push, followers.WINDOW_AFTER_ACT)
    unionid = _unionid(push)
    events.deliver(
        FollowerGained(
            push.account_id, push.app_id, push.openid, unionid, scene or None, push.id, push.at_unix
        )
    )
    if scene:
        events.deliver(
            CodeScanned(
                push.account_id, push.app_id, push.openid, unionid, scene, True, push.id, push.at_unix
            )
        )
    _answer(push, rule_messages.find_won(push.won_rule_id))


def _on_scan(push: _Push) -> None:
    _open_window(push, followers.WINDOW_AFTER_ACT)
    scene = push.text("EventKey")
    events.deliver(
        CodeScanned(
            push.account_id, push.app_id, push.openid, _unionid(push), scene, False, push.id, push.at_unix
        )
    )
    _answer(push, rule_messages.find_won(push.won_rule_id))


def _on_unsubscribe(push: _Push) -> None:
    followers.note_unfollow(account_id=push.account_id, openid=push.openid, at=push.at)
    events.deliver(FollowerLost(push.account_id, push.app_id, push.openid, push.id, push.at_unix))


def _on_message(push: _Push) -> None:
    """She wrote or sent something. What the rules say comes before whoever keeps what they leave unanswered."""
    _open_window(push, followers.WINDOW_AFTER_MESSAGE)
    won = rule_messages.find_won(push.won_rule_id)
    events.deliver(
        MessageReceived(
            push.account_id,
            push.app_id,
            push.openid,
            push.kind,
            rule_messages.is_answered(won),
            push.id,
            push.at_unix,
        )
    )
    _answer(push, won)


def _answer(push: _Push, won: Ruled | None) -> None:
    rule_messages.answer_actively(
        won=won,
        account_id=push.account_id,
        app_id=push.app_id,
        openid=push.openid,
        inbound_id=push.id,
    )


def _on_click(push: _Push) -> None:
    _open_window(push, followers.WINDOW_AFTER_ACT)
    events.deliver(
        MenuClicked(push.account_id, push.app_id, push.openid, push.text("EventKey"), push.id, push.at_unix)
    )
    _answer(push, rule_messages.find_won(push.won_rule_id))


def _on_revoke(push: _Push) -> None:
    """FromUserName is the platform's push account here; OpenID names the person, and may be missing."""
    openid, unionid = push.text("OpenID"), push.text("UnionID")
    if not openid and not unionid:
        logger.warning("wechat.revoke_without_openid", extra={"inbound_id": push.id})
        return
    events.deliver(
        AuthorizationRevoked(
            push.account_id,
            push.app_id,
            openid,
            unionid or None,
            push.text("RevokeInfo"),
            push.kind == "event.user_authorization_cancellation",
            push.id,
            push.at_unix,
        )
    )


def _on_result(push: _Push) -> None:
    """What became of messages, and what she said to being sent some."""
    for event in send_results.read_results(
        push.kind,
        push.fields,
        account_id=push.account_id,
        app_id=push.app_id,
        inbound_id=push.id,
        at=push.at_unix,
    ):
        events.deliver(event)


def _open_window(push: _Push, span: dt.timedelta) -> None:
    followers.open_window(account_id=push.account_id, openid=push.openid, at=push.at, span=span)


def _unionid(push: _Push) -> str | None:
    """Her unionid if WeChat tells it now; otherwise the identify job asks again, and she is greeted meanwhile."""
    try:
        return followers.fetch_follower(account_id=push.account_id, openid=push.openid).unionid
    except (WeChatError, Refusal):
        logger.warning("wechat.follower_not_identified", extra={"inbound_id": push.id})
        return None


_REACTIONS: Final = {
    "event.subscribe": _on_subscribe,
    "event.scan": _on_scan,
    "event.unsubscribe": _on_unsubscribe,
    **dict.fromkeys(_MESSAGES, _on_message),
    "event.click": _on_click,
    "event.scancode_waitmsg": _on_click,
    "event.user_authorization_revoke": _on_revoke,
    "event.user_authorization_cancellation": _on_revoke,
    **dict.fromkeys(send_results.KINDS, _on_result),
}


# Replay and counts ---------------------------------------------------------------------------------------


def replay(*, event_ids: Sequence[int], actor: Actor) -> int:
    """Put finished pushes back into the queue; those waiting or in work stay as they are. The number put back."""
    now = clock.now()
    with transaction.atomic():
        rows = InboundEvent.objects.filter(
            pk__in=event_ids,
            state__in=[
                InboundState.PROCESSED, InboundState.IGNORED, InboundState.FAILED, InboundState.UNREADABLE,
            ],
        ).lock_rows()  # fmt: skip
        for row in rows:
            audit.record(action="wechat.replay", subject=row, actor=actor, at=now, was=row.state)
        InboundEvent.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=InboundState.STORED,
            attempt_count=0,
            leased_until=None,
            retry_not_before=None,
            finished_at=None,
            failure="",
        )
        events.publish(InboxFilled())
    return len(rows)


def count_by_kind(*, state: str) -> list[tuple[str, int]]:
    """How many pushes of each kind are in a state, most first: what WeChat sends that we do not read yet."""
    rows = InboundEvent.objects.filter(state=state).values_list("kind").annotate(number=Count("pk"))
    return [(str(kind), int(number)) for kind, number in rows.order_by("-number", "kind")]
