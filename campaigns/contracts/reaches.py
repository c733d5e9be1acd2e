"""What may be asked of the reach layer, and what it tells."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from campaigns.contracts.topics import ChannelName, ImportanceName, Text


@dataclasses.dataclass(frozen=True, slots=True)
class ReachOrder:
    """One message to one member for one reason. `values` fill the keywords of templates; `page` is where it leads inside the
    mini-program. What is None comes from the topic's rule; the instants default to now and to the topic's life. `due_on`: the
    day of the follow-up it may become, else some days from then. `held_hundredths`: what is put by for its text, in hundredths
    of a fen; None asks no budget. `first_reason`: the reason of the first, where this is sent again under one of its own."""

    member_id: int
    topic: str
    reason_key: str
    title: str
    text: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    page: str = ""
    importance: ImportanceName | None = None
    channels: tuple[ChannelName, ...] | None = None
    not_before: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    due_on: dt.date | None = None
    held_hundredths: int | None = None
    first_reason: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ReachTry:
    """One channel that was tried, or passed over, and why it was not the one."""

    channel: str
    code: str
    at: dt.datetime
    errcode: int | None = None

    def pack(self) -> dict[str, Any]:
        """As the row keeps it."""
        kept: dict[str, Any] = {"channel": self.channel, "code": self.code, "at": self.at.isoformat()}
        return kept if self.errcode is None else {**kept, "errcode": self.errcode}


@dataclasses.dataclass(frozen=True, slots=True)
class Cap:
    """At most so many in a span; an empty channel or importance means all of them together."""

    channel: str
    importance: str
    span: str
    most: int


@dataclasses.dataclass(frozen=True, slots=True)
class TopicTerms:
    """How a topic is handled now: the chain's own rule, or the default."""

    topic: str
    is_on: bool
    importance: ImportanceName
    channels: tuple[ChannelName, ...]
    life_hours: int


# Why a reach went no further, or not over a channel. Codes of WeChat's own refusals are the gateway's ("wechat.…").
EXPIRED: Final = "expired"
TAKEN_BACK: Final = "taken_back"
MEMBER_GONE: Final = "member_gone"
TOPIC_OFF: Final = "topic_off"
NO_CONSENT: Final = "no_consent"
QUIET: Final = "quiet_hours"
CAPPED: Final = "capped"
NO_ACCOUNT: Final = "no_account"
NOT_KNOWN: Final = "not_known"
NOT_FOLLOWING: Final = "not_following"
BARRED: Final = "barred"
NO_WINDOW: Final = "no_window"
NO_GRANT: Final = "no_grant"
NO_TEMPLATE: Final = "no_template"
FIELD_UNFIT: Final = "field_unfit"
NO_PHONE: Final = "no_phone"
SMS_OFF: Final = "sms_off"
NO_TEXT: Final = "no_text"
TEXT_UNUSABLE: Final = "text_unusable"
NO_OPT_OUT: Final = "no_opt_out"
NO_MONEY: Final = "no_money"
NO_GUIDE: Final = "no_guide"
NO_MINI: Final = "no_mini_program"
DIED: Final = "sender_died"
NOT_DELIVERED: Final = "not_delivered"

REACH_WORDS: Final[Mapping[str, Text]] = {
    EXPIRED: _("过了有效时间，没有发送"),
    TAKEN_BACK: _("事情又变了，没有发送"),
    MEMBER_GONE: _("会员已注销"),
    TOPIC_OFF: _("这个事项已停用"),
    NO_CONSENT: _("会员没有同意接收，或已经撤回"),
    QUIET: _("免打扰时段，早上再发"),
    CAPPED: _("达到频次上限"),
    NO_ACCOUNT: _("没有可用的账号"),
    NOT_KNOWN: _("没有她在这个账号里的身份"),
    NOT_FOLLOWING: _("没有关注公众号"),
    BARRED: _("对方拒收，等她再次互动"),
    NO_WINDOW: _("不在客服消息的时间窗口里"),
    NO_GRANT: _("没有剩余的订阅授权"),
    NO_TEMPLATE: _("这个事项没有配置模板"),
    FIELD_UNFIT: _("模板字段填不进这次的内容"),
    NO_PHONE: _("没有手机号"),
    SMS_OFF: _("短信服务没有开通"),
    NO_TEXT: _("这个事项没有配置短信"),
    TEXT_UNUSABLE: _("这个事项的短信模板或签名没有通过审核，或已停用"),
    NO_OPT_OUT: _("营销内容要用带退订方式的营销短信模板"),
    NO_MONEY: _("活动预算里没有给这条短信留够钱"),
    NO_GUIDE: _("没有在职的专属导购"),
    NO_MINI: _("没有用过小程序"),
    DIED: _("发送程序中断，不确定是否已发出"),
    NOT_DELIVERED: _("对方回报没有送达"),
}
