"""Tags."""

import dataclasses
import datetime as dt
from typing import Literal

TagOriginKind = Literal["manual", "rule", "import"]


@dataclasses.dataclass(frozen=True, slots=True)
class TagGroupCard:
    """A group of tags; of an exclusive one a member has at most one tag."""

    id: int
    name: str
    is_exclusive: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TagCard:
    """One tag of the chain, with its group."""

    id: int
    name: str
    group: TagGroupCard
    is_active: bool
    is_ruled: bool  # a rule gives it and takes it off, nobody else


@dataclasses.dataclass(frozen=True, slots=True)
class MemberTagLine:
    """A tag that a member has now."""

    tag: TagCard
    tagged_at: dt.datetime
    tagged_by: str
    origin_label: str
    expires_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Tagging:
    """What tagging did, or would do: members who got the tag, who had it, who lost another of its group."""

    tagged_count: int
    had_count: int
    replaced_count: int
