"""What a segment is: a tree of rules over members, and what is told about those whom it yields."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

How = Literal["all", "any", "none"]
HOWS: Final[tuple[How, ...]] = ("all", "any", "none")
HOW_LABELS: Final[Mapping[str, str | Promise]] = {
    "all": _("全部满足"),
    "any": _("满足任意一个"),
    "none": _("全都不满足"),
}
# Groups inside groups, the outermost counted; all conditions of a rule together.
MOST_DEPTH: Final = 6
MOST_CONDITIONS: Final = 60
MOST_FAULTS: Final = 50
MOST_RULE_BYTES: Final = 64 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Leaf:
    """One condition with its values, as `read_rule` kept them."""

    code: str
    values: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Nodes of which all, any or none must be true."""

    how: How
    parts: tuple["Node", ...]


Node = Leaf | Group

FAULTS: Final[Mapping[str, str | Promise]] = {
    "not_json": _("不是可以读的 JSON"),
    "not_an_object": _("这里应该是一个对象"),
    "not_a_node": _("这里应该是 all、any、none 中的一个，或者一个条件（is）"),
    "not_a_list": _("这里应该是一个列表"),
    "unknown_field": _("没有这个字段"),
    "missing_field": _("还没有填写"),
    "several_ways": _("时间只能选一种写法"),
    "empty_group": _("这一组里还没有条件"),
    "empty_list": _("至少选一个"),
    "too_deep": _("条件组最多套 %(most)s 层"),
    "too_large": _("一个人群最多 %(most)s 个条件"),
    "too_many": _("最多选 %(most)s 个"),
    "unknown_condition": _("没有这种条件"),
    "not_a_number": _("这里应该是整数，数字不要加引号"),
    "out_of_range": _("应在 %(least)s 到 %(most)s 之间"),
    "upside_down": _("开始不能大于结束"),
    "unknown_choice": _("没有这个选项"),
    "unknown_row": _("找不到“%(key)s”"),
    "not_a_day": _("日期要写成 2026-11-28 这样"),
    "not_a_text": _("这里应该是 1 到 64 个字的文字"),
    "segment_cycle": _("人群不能绕一圈用到自己"),
    "tag_cycle": _("这里的标签跟随着这个人群，不能拿它当条件"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a rule, and where: a JSON pointer ("/all/0/with/tags/1")."""

    path: str
    code: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def words(self) -> str:
        return str(FAULTS[self.code]) % self.details


@dataclasses.dataclass(frozen=True, slots=True)
class SegmentCount:
    """How many they are; None when the database was not done in time."""

    member_count: int | None
    milliseconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a part of the rule is true of one member, and what she has of it. `how` is empty for a condition."""

    is_true: bool
    words: str
    value: str = ""
    how: str = ""
    parts: tuple["Verdict", ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class FollowingTag:
    """A tag that follows a segment, with its group in the name."""

    tag_id: int
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of a rule for people: how deep it stands, and whether a group begins with it."""

    depth: int
    is_group: bool
    words: str


@dataclasses.dataclass(frozen=True, slots=True)
class PivotLine:
    """Members of a segment under one key of a facet; `share_bp` is of the whole segment."""

    label: str
    member_count: int
    share_bp: int


@dataclasses.dataclass(frozen=True, slots=True)
class Pivot:
    """A segment by one facet."""

    label: str
    lines: tuple[PivotLine, ...]
