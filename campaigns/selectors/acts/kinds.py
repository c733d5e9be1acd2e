"""The kinds of acts: what each is called, what it asks to be told, how it reads."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import CHANNEL_LABELS, TOPICS
from campaigns.contracts.acts import ActKindName
from campaigns.models import WebhookEndpoint
from campaigns.selectors.acts.parameters import Page, Pick, Words
from coupons import selectors as coupon_selectors
from members import selectors as member_selectors
from members.selectors.conditions import Choice, Choices, Parameter, Whole

Text = str | Promise
Values = Mapping[str, Any]
# What must be said needs no marketer, and a guide's task has a kind of its own.
_TOPICS: Final = tuple(
    (topic.code, topic.label)
    for topic in TOPICS.values()
    if topic.importance != "must" and topic.code != "task"
)
DEFAULT_TOPIC: Final = "marketing"


@dataclasses.dataclass(frozen=True, slots=True)
class ActKind:
    """One kind. `says` is a short sentence about an act of it."""

    code: ActKindName
    label: Text
    parameters: Mapping[str, Parameter]
    says: Callable[[Values], str]


def _tag_names(keys: Collection[Any]) -> Mapping[Any, Text]:
    return {
        tag.id: f"{tag.group.name}·{tag.name}"
        for tag in member_selectors.list_givable_tags()
        if tag.id in keys
    }


def _tags() -> list[tuple[Any, Text]]:
    return [(tag.id, f"{tag.group.name}·{tag.name}") for tag in member_selectors.list_givable_tags()]


def _endpoint_names(keys: Collection[Any]) -> Mapping[Any, Text]:
    return dict(WebhookEndpoint.objects.filter(code__in=list(keys)).values_list("code", "name"))


def _endpoints() -> list[tuple[Any, Text]]:
    return list(WebhookEndpoint.objects.active().order_by("name").values_list("code", "name"))


_BATCH: Final = Pick(
    label=_("券批次"),
    names=coupon_selectors.list_batch_names,
    options=coupon_selectors.list_system_batches,
)
_TAG: Final = Pick(label=_("标签"), names=_tag_names, options=_tags, key=int)
_ENDPOINT: Final = Pick(label=_("外部系统"), names=_endpoint_names, options=_endpoints)


def _says_reach(values: Values) -> str:
    return _now("发消息：%(title)s") % {"title": values["title"]}


def _says_coupon(values: Values) -> str:
    return _now("发券：%(batch)s") % {"batch": _BATCH.words(values["batch"])}


def _says_points(values: Values) -> str:
    return _now("送 %(points)s 积分") % {"points": f"{values['points']:,}"}


def _says_tag(values: Values) -> str:
    name = _TAG.words(values["tag"])
    if values.get("how") == "remove":
        return _now("去掉标签：%(tag)s") % {"tag": name}
    return _now("打标签：%(tag)s") % {"tag": name}


def _says_follow_up(values: Values) -> str:
    return _now("给导购派任务：%(title)s") % {"title": values["title"]}


def _says_webhook(values: Values) -> str:
    return _now("通知外部系统：%(name)s") % {"name": _ENDPOINT.words(values["endpoint"])}


ACT_KINDS: Final[Mapping[str, ActKind]] = {
    kind.code: kind
    for kind in (
        ActKind(
            "reach",
            _("发消息"),
            {
                "title": Words(label=_("标题"), most=60, is_line=True),
                "text": Words(label=_("正文")),
                "page": Page(label=_("打开的页面"), is_required=False),
                "topic": Choice(label=_("事项（不选为营销活动）"), options=_TOPICS, is_required=False),
                "channels": Choices(
                    label=_("通道（不选为事项的通道）"),
                    options=tuple(CHANNEL_LABELS.items()),
                    is_required=False,
                ),
            },
            _says_reach,
        ),
        ActKind("coupon", _("发券"), {"batch": _BATCH}, _says_coupon),
        ActKind(
            "points",
            _("送积分"),
            {
                "points": Whole(label=_("积分"), least=1, most=1_000_000, unit=_("分")),
                "reason": Words(label=_("积分说明"), most=60, is_line=True, may_place=False),
            },
            _says_points,
        ),
        ActKind(
            "tag",
            _("打标签"),
            {
                "tag": _TAG,
                "how": Choice(
                    label=_("怎么做（不选为打上）"),
                    options=(("add", _("打上")), ("remove", _("去掉"))),
                    is_required=False,
                ),
                "days": Whole(
                    label=_("几天后自动去掉"), least=1, most=3_650, unit=_("天"), is_required=False
                ),
            },
            _says_tag,
        ),
        ActKind(
            "follow_up",
            _("给导购派任务"),
            {
                "title": Words(label=_("缘由"), most=60, is_line=True),
                "script": Words(label=_("话术")),
                "days": Whole(label=_("几天内完成"), least=0, most=30, unit=_("天")),
            },
            _says_follow_up,
        ),
        ActKind("webhook", _("通知外部系统"), {"endpoint": _ENDPOINT}, _says_webhook),
    )
}
