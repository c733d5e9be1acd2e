"""What members do in the mini-program: the kinds of it with their fields, and what is told about it."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FieldSort = Literal["page", "code", "words", "whole", "choice"]


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviourField:
    """One thing that is told of a kind. `most` is the longest text, or the largest number (the least is nought)."""

    label: str | Promise
    sort: FieldSort
    most: int = 0
    is_required: bool = False
    options: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviourKind:
    """`subject` is the field it is about, which look-ups go by; it is required."""

    code: str
    label: str | Promise
    subject: str
    fields: Mapping[str, BehaviourField]


MOST_SUBJECT: Final = 64
_PAGE: Final = BehaviourField(_("页面"), "page", 64)
_STAY: Final = BehaviourField(_("停留秒数"), "whole", 86_400)
_PRODUCT: Final = BehaviourField(_("商品编码"), "code", 40, is_required=True)
_QUANTITY: Final = BehaviourField(_("件数"), "whole", 10_000)


def _asked(field: BehaviourField) -> BehaviourField:
    return dataclasses.replace(field, is_required=True)


_ALL: Final = (
    BehaviourKind(
        "visited",
        _("进入小程序"),
        "page",
        {"page": _asked(_PAGE), "scene": BehaviourField(_("场景值"), "whole", 9_999), "stay_s": _STAY},
    ),
    BehaviourKind("page_viewed", _("浏览页面"), "page", {"page": _asked(_PAGE), "stay_s": _STAY}),
    BehaviourKind(
        "product_viewed", _("看商品"), "product", {"product": _PRODUCT, "page": _PAGE, "stay_s": _STAY}
    ),
    BehaviourKind(
        "shared",
        _("分享"),
        "page",
        {
            "page": _asked(_PAGE),
            "product": dataclasses.replace(_PRODUCT, is_required=False),
            "to": BehaviourField(_("分享到"), "choice", options=("friend", "group", "moments", "poster")),
        },
    ),
    BehaviourKind(
        "searched",
        _("搜索"),
        "words",
        {
            "words": BehaviourField(_("搜索词"), "words", 40, is_required=True),
            "result_count": BehaviourField(_("结果数"), "whole", 1_000_000),
        },
    ),
    BehaviourKind(
        "cart_added", _("加入购物车"), "product", {"product": _PRODUCT, "quantity": _QUANTITY, "page": _PAGE}
    ),
    BehaviourKind("cart_removed", _("移出购物车"), "product", {"product": _PRODUCT, "quantity": _QUANTITY}),
    BehaviourKind(
        "campaign_viewed",
        _("看活动页"),
        "campaign",
        {
            "campaign": BehaviourField(_("活动编码"), "code", 40, is_required=True),
            "page": _PAGE,
            "stay_s": _STAY,
        },
    ),
)
BEHAVIOUR_KINDS: Final[Mapping[str, BehaviourKind]] = {kind.code: kind for kind in _ALL}
BEHAVIOUR_LABELS: Final[Mapping[str, str | Promise]] = {kind.code: kind.label for kind in _ALL}
# What tells a guide what she has in mind.
INTEREST_KINDS: Final = ("product_viewed", "cart_added", "searched")
PRODUCT_KINDS: Final = tuple(kind.code for kind in _ALL if kind.subject == "product")

# Why one of a batch was refused; the others are kept.
BEHAVIOUR_FAULTS: Final[Mapping[str, str | Promise]] = {
    "not_an_object": _("这里应该是一个对象"),
    "unknown_kind": _("没有这种行为"),
    "unknown_field": _("没有这个字段"),
    "missing_field": _("缺少这个字段"),
    "bad_key": _("key 要是 8 到 64 位字母、数字、_ 和 -"),
    "bad_time": _("时间要写成带时区的 ISO 8601"),
    "too_old": _("发生得太早"),
    "in_future": _("时间在将来"),
    "bad_value": _("这个值不能用"),
    "too_long": _("太长了"),
    "personal": _("里面像是手机号或微信标识，不能上报"),
    "unknown_member": _("没有这个会员"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviourFault:
    """One of the batch that was refused: its place from 0, its own key where it can be read, and why."""

    index: int
    key: str
    code: str
    field: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ReadBehaviour:
    """One of a batch, read and masked. `age` is how long before the batch was sent it happened."""

    index: int
    key: str
    kind: str
    subject: str
    details: Mapping[str, Any]
    age: dt.timedelta
    member: tuple[str, str, str] | None = None  # kind, app, value: only where a server says whose it is


@dataclasses.dataclass(frozen=True, slots=True)
class BehavioursKept:
    """What became of a batch. `declined_count`: she does not agree to it being kept."""

    kept_count: int
    repeated_count: int
    declined_count: int
    faults: tuple[BehaviourFault, ...]

    def told(self) -> dict[str, Any]:
        """The same as JSON, for whoever sent the batch."""
        return {
            "kept_count": self.kept_count,
            "repeated_count": self.repeated_count,
            "declined_count": self.declined_count,
            "refused": [
                {**dataclasses.asdict(fault), "message": str(BEHAVIOUR_FAULTS[fault.code])}
                for fault in self.faults
            ],
        }


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviourInterest:
    """What she did with one thing how often within a span, and when last."""

    kind: str
    subject: str
    count: int
    last_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviourInterests:
    """What she has in mind, the last first; `last_at` is when she was in the mini-program last."""

    last_at: dt.datetime
    interests: tuple[BehaviourInterest, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviourLine:
    """One thing she did."""

    id: int
    kind: str
    kind_label: str
    subject: str
    happened_at: dt.datetime
    door_label: str


@dataclasses.dataclass(frozen=True, slots=True)
class BehaviourDay:
    """How often one kind was done on one Shanghai day, and by how many members."""

    on: dt.date
    kind: str
    count: int
    member_count: int
