"""What a segment is: a tree of rules over members, and what is told about those whom it yields."""

import dataclasses
import datetime as dt
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
class SegmentCard:
    """A segment as other systems see it. `member_count` is of `filled_at`; None: it was never worked out."""

    id: int
    public_id: str
    name: str
    note: str
    kind: str
    rule: Mapping[str, Any]
    version: int
    is_active: bool
    is_due: bool
    fault: str
    member_count: int | None
    filled_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class SegmentSizeLine:
    """How many were in it at the end of a Shanghai day, and how many came and left on it."""

    day: dt.date
    member_count: int
    entered_count: int
    left_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class FollowingTag:
    """A tag that follows a segment, with its group in the name."""

    tag_id: int
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class FollowingSight:
    """What would become of a tag's members if it followed a segment: how many keep it, lose it, and get it."""

    kept_count: int
    lost_count: int
    given_count: int


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
