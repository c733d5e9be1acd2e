"""From the failure of one send to what it means: our stable codes, their words, and whether to try again."""

import dataclasses
import datetime as dt
import re
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wechat.client.calls import KNOWN_CLIENT_MSG_ID
from wechat.client.errors import (
    BUSY,
    CONFIGURATION_TROUBLE,
    DAILY_QUOTA,
    TOKEN_TROUBLE,
    ApiError,
    WeChatError,
)
from wechat.contracts import SendOutcome

PREFIX: Final = "wechat."
TOO_FAST: Final = 45011
UNKNOWN_MEDIA: Final = 40007
# The answer to a second send under one client message id: it went out the first time.
ALREADY_SENT: Final = KNOWN_CLIENT_MSG_ID
# The same client message id again within a minute: of the first send WeChat says nothing by it.
REPEATED_TOO_FAST: Final = 45066
AWAY_PAUSE: Final = dt.timedelta(seconds=1)
TOKEN_PAUSE: Final = dt.timedelta(seconds=5)
_FIELD: Final = re.compile(r"data\.([a-z_]+[0-9]+)")
_TOKEN_PATHS: Final = ("/stable_token", "/token")

# Official pages of the sends and "global return codes".
_REFUSED: Final = {
    40003: "unknown_user",
    40007: "unfit",
    40008: "unfit",
    40037: "template_gone",
    41030: "page_unknown",
    43004: "not_follower",
    43019: "blocked",
    43101: "no_grant",
    44004: "unfit",
    45002: "unfit",
    45008: "unfit",
    45015: "window_closed",
    45028: "no_mass_quota",
    45047: "count_spent",
    45159: "tag_gone",
    47003: "field_refused",
    48002: "blocked",
}
_HALTING: Final = {
    DAILY_QUOTA: "quota_spent",
    48001: "no_permission",
    48004: "api_banned",
    50002: "account_frozen",
    40164: "ip_refused",
    61004: "ip_refused",
    **dict.fromkeys(CONFIGURATION_TROUBLE - {40164, 61004}, "misconfigured"),
}

WORDS: Final[dict[str, str | Promise]] = {
    "": _("已送达微信"),
    "account_frozen": _("账号被微信冻结，已停止发送"),
    "account_off": _("账号已停用"),
    "api_banned": _("接口被微信封禁，已停止发送"),
    "away": _("微信没有响应，稍后再试"),
    "blocked": _("对方不接收消息"),
    "busy": _("微信回答系统繁忙，不确定是否已发出"),
    "count_spent": _("微信限制的条数已用完，对方再次互动后才能发送"),
    "field_refused": _("模板字段的内容不符合微信的要求"),
    "ip_refused": _("服务器的 IP 不在白名单里，已停止发送"),
    "lease_expired": _("发送中断，不确定是否已发出"),
    "misconfigured": _("AppID 或 AppSecret 不对，已停止发送"),
    "no_answer": _("已发出，但没有收到微信的回复"),
    "no_grant": _("对方没有同意订阅，或同意的次数已用完"),
    "no_mass_quota": _("微信说群发次数已经用完"),
    "no_permission": _("这个账号没有这个接口的权限，已停止发送"),
    "no_token": _("没有拿到接口令牌，稍后再试"),
    "not_follower": _("对方没有关注"),
    "page_unknown": _("已发布的小程序里没有这个页面"),
    "quota_spent": _("今天的发送次数已用完"),
    "rate_reached": _("达到账号的发送速度上限，还没有轮到"),
    "repeated_fast": _("微信要求隔一分钟再问，这条消息有没有收下还不知道"),
    "refused": _("微信拒绝了这条消息"),
    "tag_gone": _("微信里已经没有这个标签"),
    "tags_full": _("她身上已有 20 个标签，微信不让再打"),
    "template_gone": _("微信里已经没有这个模板"),
    "timeout": _("已发出，但微信没有在规定时间内回复"),
    "too_fast": _("发得太快，微信要求放慢，稍后再试"),
    "unfit": _("内容或封面图不符合要求"),
    "unknown_user": _("微信不认识这个用户"),
    "window_closed": _("超过微信允许回复的时间，没有发送"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Trouble:
    """What a failure tells about the whole channel, not about the one message."""

    kind: Literal["slow_down", "halt"]
    code: str
    errcode: int | None
    pause_s: int | None = None  # slow_down: as long as WeChat asks for; None grows with each time
    until: dt.datetime | None = None  # halt: when it ends by itself


def words_of(code: str) -> str:
    """An outcome code in words, with or without its prefix; an unknown code as it is."""
    return str(WORDS.get(code.removeprefix(PREFIX), code))


def code_of(error: WeChatError) -> str:
    """The failure of a call that sends nothing, as one of the codes that have words here."""
    if isinstance(error, ApiError) and error.errcode in _HALTING:
        return PREFIX + _HALTING[error.errcode]
    if error.errcode == TOO_FAST:
        return PREFIX + "too_fast"
    return PREFIX + ("refused" if error.permanent else "away")


def judge(error: WeChatError, *, send_path: str, is_repeatable: bool, at: dt.datetime) -> SendOutcome:
    """What the failure means for the message.

    Before the send itself (token, upload) nothing can have gone out. Of the send: what WeChat refused it did not do. A
    missing or unreadable answer leaves it open, and so does −1 "system busy".
    """
    if isinstance(error, ApiError) and error.errcode in _HALTING:
        return _outcome("halted", _HALTING[error.errcode], error, retry_at=_halt_end(error, at))
    if error.path != send_path:
        is_token = error.path.endswith(_TOKEN_PATHS)
        return _outcome("later", "no_token" if is_token else "away", error, retry_at=_from(at, error))
    if isinstance(error, ApiError):
        return _judge_refusal(error, is_repeatable, at)
    if error.reached == "unknown":
        code = "timeout" if error.outcome == "timeout" else "no_answer"
        return _outcome("uncertain", code, error, is_repeatable=is_repeatable)
    if error.permanent:
        return _outcome("refused", "refused", error)
    return _outcome("later", "away", error, retry_at=_from(at, error))


def _judge_refusal(error: ApiError, is_repeatable: bool, at: dt.datetime) -> SendOutcome:
    if error.errcode == BUSY:
        return _outcome("uncertain", "busy", error, is_repeatable=is_repeatable)
    if error.errcode == REPEATED_TOO_FAST and is_repeatable:
        return _outcome(
            "uncertain", "repeated_fast", error, retry_at=_from(at, error), is_repeatable=is_repeatable
        )
    if error.errcode == TOO_FAST:
        return _outcome("later", "too_fast", error, retry_at=_from(at, error))
    if error.errcode in TOKEN_TROUBLE:
        return _outcome("later", "no_token", error, retry_at=at + TOKEN_PAUSE)
    if error.errcode == ALREADY_SENT and is_repeatable:
        return SendOutcome(state="sent")
    found = _FIELD.search(error.errmsg)
    return _outcome(
        "refused", _REFUSED.get(error.errcode or 0, "refused"), error, field=found[1] if found else ""
    )


def trouble_of(error: WeChatError, *, at: dt.datetime) -> Trouble | None:
    """What the channel's other workers must know of it; None when it concerns this message only."""
    errcode = error.errcode
    if isinstance(error, ApiError):
        if errcode in _HALTING:
            return Trouble("halt", PREFIX + _HALTING[errcode], errcode, until=_halt_end(error, at))
        if errcode == TOO_FAST:
            return Trouble("slow_down", f"{PREFIX}too_fast", errcode, pause_s=error.retry_after_s)
        return Trouble("slow_down", f"{PREFIX}busy", errcode) if errcode == BUSY else None
    # Turned away by the machines in front of WeChat, or nobody there: every worker would run into it.
    is_away = not error.permanent and error.reached in ("no", "yes")
    return Trouble("slow_down", f"{PREFIX}away", errcode) if is_away else None


def _outcome(
    state: Literal["refused", "later", "uncertain", "halted"],
    code: str,
    error: WeChatError,
    *,
    retry_at: dt.datetime | None = None,
    is_repeatable: bool = False,
    field: str = "",
) -> SendOutcome:
    return SendOutcome(
        state, PREFIX + code, error.errcode, retry_at=retry_at, is_repeatable=is_repeatable, field=field
    )


def _from(at: dt.datetime, error: WeChatError) -> dt.datetime:
    return at + max(AWAY_PAUSE, dt.timedelta(seconds=error.retry_after_s or 0))


def _halt_end(error: ApiError, at: dt.datetime) -> dt.datetime | None:
    """A spent quota comes back at midnight in Beijing; everything else needs a person."""
    if error.errcode != DAILY_QUOTA or error.retry_after_s is None:
        return None
    return at + dt.timedelta(seconds=error.retry_after_s)
