"""Rows that are one person."""

import dataclasses
import datetime as dt
from typing import Literal

from members.contracts.people import MemberCard


@dataclasses.dataclass(frozen=True, slots=True)
class MergeLine:
    """One line of a merge preview: what either side has, what will be, and why."""

    title: str
    survivor: str
    emptier: str
    outcome: str
    reason: str = ""


MergeHowKind = Literal["unionid", "phone", "desk", "import"]


@dataclasses.dataclass(frozen=True, slots=True)
class MergeField:
    """One field of a merge preview: what either side has, whose value survives (`winner_id`), and why.

    `may_choose`: both have a value, not the same, and a person may decide."""

    field: str
    title: str
    survivor: str
    emptier: str
    winner_id: int
    reason: str
    may_choose: bool


@dataclasses.dataclass(frozen=True, slots=True)
class MergePart:
    """What becomes of one part of what is kept about both."""

    title: str
    lines: tuple[MergeLine, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do: who lives on and why, field by field, and part by part."""

    survivor: MemberCard
    emptier: MemberCard
    survivor_reason: str
    fields: tuple[MergeField, ...]
    parts: tuple[MergePart, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class MergeRecordLine:
    """One merge that happened. `may_be_undone` says whether its time allows it, `days_left` for how long."""

    id: int
    survivor: MemberCard
    emptier: MemberCard
    how_label: str
    reason: str
    made_at: dt.datetime
    made_by: str
    undone_at: dt.datetime | None
    undone_by: str
    may_be_undone: bool
    days_left: int


@dataclasses.dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two living rows that look like one person, and what they have in common."""

    first: MemberCard
    second: MemberCard
    reason: str
