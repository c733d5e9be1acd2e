"""What members are told of: each topic with how much it matters, over which channels it goes, and what it can say."""

import dataclasses
from collections.abc import Mapping
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ChannelName = Literal["subscription", "template", "service_message", "sms", "follow_up", "inbox"]
ImportanceName = Literal["must", "normal", "marketing"]
Text = str | Promise

SUBSCRIPTION: Final = "subscription"
TEMPLATE: Final = "template"
SERVICE_MESSAGE: Final = "service_message"
SMS: Final = "sms"
FOLLOW_UP: Final = "follow_up"
INBOX: Final = "inbox"

# In the order in which they are tried.
CHANNELS: Final[tuple[ChannelName, ...]] = (
    "subscription",
    "template",
    "service_message",
    "sms",
    "follow_up",
    "inbox",
)
CHANNEL_LABELS: Final[Mapping[str, Text]] = {
    SUBSCRIPTION: _("订阅消息"),
    TEMPLATE: _("模板消息"),
    SERVICE_MESSAGE: _("客服消息"),
    SMS: _("短信"),
    FOLLOW_UP: _("导购任务"),
    INBOX: _("站内信"),
}
# Somebody else's machine is asked, over the network: what it took is never quite certain.
OUTSIDE_CHANNELS: Final[frozenset[str]] = frozenset({SUBSCRIPTION, TEMPLATE, SERVICE_MESSAGE, SMS})
_QUIET: Final[tuple[ChannelName, ...]] = ("subscription", "template", "service_message", "inbox")
_WITH_TEXT: Final[tuple[ChannelName, ...]] = (
    "subscription",
    "template",
    "service_message",
    "sms",
    "inbox",
)
_WITH_GUIDE: Final[tuple[ChannelName, ...]] = (
    "subscription",
    "template",
    "service_message",
    "follow_up",
    "inbox",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Topic:
    """One kind of news. `values`: what a template's keyword may be filled with, by name, in Chinese. `life_hours`: after
    that it is no news any more."""

    code: str
    label: Text
    importance: ImportanceName
    channels: tuple[ChannelName, ...]
    values: Mapping[str, Text]
    life_hours: int = 72


_TITLE: Final[Mapping[str, Text]] = {"title": _("标题"), "text": _("正文"), "member": _("会员称呼")}


def _topic(
    code: str,
    label: Text,
    values: Mapping[str, Text],
    *,
    importance: ImportanceName = "normal",
    channels: tuple[ChannelName, ...] = _QUIET,
    life_hours: int = 72,
) -> Topic:
    return Topic(code, label, importance, channels, {**_TITLE, **values}, life_hours)


TOPICS: Final[Mapping[str, Topic]] = {
    topic.code: topic
    for topic in (
        _topic(
            "sale",
            _("购物"),
            {
                "amount": _("金额"),
                "store": _("门店"),
                "points": _("获得积分"),
                "order_no": _("订单号"),
                "time": _("成交时间"),
            },
        ),
        _topic(
            "return",
            _("退货"),
            {"amount": _("退款金额"), "store": _("门店"), "order_no": _("订单号"), "time": _("退货时间")},
        ),
        _topic("review", _("邀请评价"), {"store": _("门店"), "day": _("截止日期")}),
        _topic(
            "points_changed",
            _("积分变动"),
            {"points": _("变动积分"), "balance": _("现有积分"), "reason": _("变动原因"), "time": _("时间")},
        ),
        _topic("points_expiring", _("积分到期"), {"points": _("到期积分"), "day": _("到期日")}),
        _topic(
            "coupon_issued",
            _("券到账"),
            {"coupon": _("券名称"), "worth": _("面值"), "from_day": _("开始日期"), "day": _("到期日")},
        ),
        _topic(
            "coupon_expiring",
            _("券到期"),
            {"count": _("张数"), "day": _("到期日")},
            channels=_WITH_GUIDE,
        ),
        _topic("tier_up", _("升级"), {"tier": _("等级")}),
        _topic(
            "tier_at_risk",
            _("保级提醒"),
            {"tier": _("等级"), "day": _("到期日")},
            channels=_WITH_GUIDE,
        ),
        _topic(
            "guide_changed",
            _("更换导购"),
            {"guide": _("导购"), "store": _("门店"), "time": _("时间")},
        ),
        _topic(
            "request_step",
            _("服务请求进展"),
            {
                "kind": _("服务类型"),
                "step": _("进展"),
                "guide": _("导购"),
                "store": _("门店"),
                "time": _("时间"),
            },
            importance="must",
            life_hours=24,
        ),
        _topic("task", _("导购关怀"), {}, channels=("follow_up",)),
        _topic("care", _("会员关怀"), {}, channels=_WITH_GUIDE),
        _topic("marketing", _("营销活动"), {}, importance="marketing", channels=_WITH_TEXT),
    )
}
# What asks for a consent of its own stays so, whatever a rule or an order says.
MARKETING_TOPICS: Final = frozenset(
    topic.code for topic in TOPICS.values() if topic.importance == "marketing"
)
