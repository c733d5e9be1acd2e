"""One attempt to deliver a message, and what its failure means for the message."""

import dataclasses
import datetime as dt
from typing import Any, Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import NotFound, Refusal
from wechat.client.errors import ApiError, WeChatError
from wechat.models import OutboundMessage
from wechat.models.outbox import MessageKind, MessageState
from wechat.services import media
from wechat.services.clients import client_for

SEND_PATH: Final = "/cgi-bin/message/custom/send"
SHORTEST_PAUSE_S: Final = 5
LONGEST_PAUSE_S: Final = 300

WINDOW_CLOSED: Final = "window_closed"
LEASE_EXPIRED: Final = "lease_expired"

# Outcome codes as `OutboundMessage.outcome` keeps them, in the words of the outbox page.
OUTCOME_LABELS: Final[dict[str, str | Promise]] = {
    "": _("已送达微信"),
    WINDOW_CLOSED: _("超过微信允许回复的时间，没有发送"),
    "limit_reached": _("微信限制的条数已用完，对方再次互动后才能发送"),
    "not_following": _("对方没有关注"),
    "blocked": _("对方不接收消息"),
    "unknown_user": _("微信不认识这个用户"),
    "unfit": _("内容或封面图不符合要求"),
    "account_off": _("账号已停用"),
    "refused": _("微信拒绝了这条消息"),
    "busy": _("微信忙，稍后再试"),
    "quota": _("今天的发送次数已用完"),
    "no_token": _("没有拿到接口令牌，稍后再试"),
    "away": _("微信没有响应，稍后再试"),
    "no_answer": _("已发出，但没有收到微信的回复"),
    "busy_unknown": _("微信回答系统繁忙，不确定是否已发出"),
    LEASE_EXPIRED: _("发送中断，不确定是否已发出"),
}
# Official pages "send customer service message" and "global return codes". These end the message.
_LASTING: Final = {
    45015: WINDOW_CLOSED,
    45047: "limit_reached",
    43004: "not_following",
    48002: "blocked",
    43019: "blocked",
    40003: "unknown_user",
}
_LATER: Final = {
    45009: "quota",
    45011: "busy",
    40001: "no_token",
    40014: "no_token",
    42001: "no_token",
}
_UNKNOWN_MEDIA: Final = 40007
_SYSTEM_BUSY: Final = -1


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to: the message's next state, why, and when to try again."""

    state: MessageState
    code: str = ""
    errcode: int | None = None
    not_before: dt.datetime | None = None

    @classmethod
    def dropped(cls, code: str, errcode: int | None = None) -> Self:
        return cls(MessageState.DROPPED, code, errcode)


def describe_outcome(code: str) -> str:
    """An outcome code in words; an unknown code as it is."""
    return str(OUTCOME_LABELS.get(code, code))


def deliver(message: OutboundMessage) -> Outcome:
    """Make one attempt. Never raises for what WeChat, the network or the message's content may do."""
    try:
        _send(message)
    except WeChatError as error:
        return judge(error, message, clock.now())
    except NotFound:
        return Outcome.dropped("account_off")
    except Refusal:
        return Outcome.dropped("unfit")
    return Outcome(MessageState.SENT, errcode=0)


def judge(error: WeChatError, message: OutboundMessage, now: dt.datetime) -> Outcome:
    """Dropped, later or uncertain.

    Before the send itself (token, upload) nothing can have gone out. Of the send: what WeChat refused it did
    not do. An answer that is missing or unreadable leaves it open, and so does -1 "system busy": customer-service
    messages carry no id by which WeChat would know a repeat, so neither is repeated.
    """
    if error.path != SEND_PATH:
        code = "no_token" if error.path.endswith(("/stable_token", "/token")) else "away"
        return _later(code, error, message, now)
    if isinstance(error, ApiError):
        return _judge_refusal(error, message, now)
    if error.reached == "unknown":
        return Outcome(MessageState.UNCERTAIN, "no_answer", error.errcode)
    if error.permanent:
        return Outcome.dropped("refused", error.errcode)
    return _later("away", error, message, now)


def _judge_refusal(error: ApiError, message: OutboundMessage, now: dt.datetime) -> Outcome:
    errcode = error.errcode or 0
    if errcode == _SYSTEM_BUSY:
        return Outcome(MessageState.UNCERTAIN, "busy_unknown", errcode)
    if errcode in _LATER:
        return _later(_LATER[errcode], error, message, now)
    if (
        errcode == _UNKNOWN_MEDIA
        and message.kind == MessageKind.MINI_PROGRAM_CARD
        and message.attempt_count < 3
    ):
        return _later("away", error, message, now)  # forgotten by _send_card; the next attempt uploads again
    return Outcome.dropped(_LASTING.get(errcode, "refused"), errcode)


def _later(code: str, error: WeChatError, message: OutboundMessage, now: dt.datetime) -> Outcome:
    """Queued again with a growing pause; dropped with its reason when the window will have closed by then."""
    left_s = (message.window_until - now).total_seconds()
    # A quarter of what is left, so that a window of one minute sees several attempts too.
    longest_s = min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, left_s / 4))
    growing_s = min(2.0 ** min(message.attempt_count, 16), longest_s)
    pause_s = max(float(error.retry_after_s or 0), growing_s)
    not_before = now + dt.timedelta(seconds=pause_s)
    if not_before >= message.window_until:
        return Outcome.dropped(code, error.errcode)
    return Outcome(MessageState.QUEUED, code, error.errcode, not_before)


def _send(message: OutboundMessage) -> None:
    client = client_for(message.account_id)
    payload: dict[str, Any] = message.payload
    if message.kind == MessageKind.TEXT:
        client.message.send_text(message.openid, payload["text"])
    elif message.kind == MessageKind.ARTICLE:
        client.message.send_article(message.openid, **payload)
    else:
        _send_card(client, message, payload)


def _send_card(client: Any, message: OutboundMessage, payload: dict[str, Any]) -> None:
    media_id = media.get_media_id(account_id=message.account_id, source=payload["thumb_path"])
    try:
        client.message.send_card_page(
            message.openid,
            title=payload["title"],
            app_id=payload["card_app_id"],
            page=payload["page"],
            thumb_media_id=media_id,
        )
    except ApiError as error:
        if error.errcode == _UNKNOWN_MEDIA:
            media.forget_media(account_id=message.account_id, media_id=media_id)
        raise
