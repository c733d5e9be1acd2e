"""What guides are asked to do for their members."""

import dataclasses
import datetime as dt
from typing import Literal

from members.contracts import MemberCard

FollowUpStateName = Literal["open", "done", "dropped"]


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpOrder:
    """One thing to be done for one member; one for a `source_key`. `reason_key`: of the news that it is told by."""

    member_id: int
    topic: str
    title: str
    script: str
    due_on: dt.date
    source_key: str
    reason_key: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpCard:
    """One follow-up as its guide sees it; the member under the name the guide knows her by."""

    id: int
    public_id: str
    member: MemberCard
    title: str
    script: str
    due_on: dt.date
    state: FollowUpStateName
    result: str
    result_label: str
    note: str
    done_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpCounts:
    """How many she has: due by today (overdue ones among them), overdue, later, and done in the month of that day."""

    due_count: int
    overdue_count: int
    later_count: int
    done_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpPage:
    follow_ups: tuple[FollowUpCard, ...]
    next_cursor: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class AssignmentPlan:
    """Of the members chosen for a follow-up: who gets one, with how many guides, and why the others do not."""

    chosen_count: int
    given_count: int
    guide_count: int
    unguided_count: int
    withdrawn_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class DoneFollowUp:
    """What a ledger needs of one. `stands`: it is done now."""

    id: int
    member_id: int
    guide_id: int | None
    done_at: dt.datetime | None
    title: str
    stands: bool
