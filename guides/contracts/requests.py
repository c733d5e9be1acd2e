"""Service requests, as they may leave `guides`."""

import dataclasses
import datetime as dt
from typing import Literal

from members.contracts import MemberCard

RequestStateName = Literal["open", "accepted", "in_progress", "done", "closed", "cancelled", "refused"]
RequestActName = Literal[
    "opened", "accepted", "scheduled", "started", "said", "handed_over", "followed", "store_changed",
    "finished", "closed", "cancelled", "refused",
]  # fmt: skip
RequestTab = Literal["open", "doing", "finished"]


@dataclasses.dataclass(frozen=True, slots=True)
class RequestKindCard:
    """One thing a member may ask for. The hours count while the store is open."""

    id: int
    code: str
    name: str
    wants_time: bool
    accept_within_hours: int
    finish_within_hours: int
    close_after_days: int
    is_active: bool


@dataclasses.dataclass(frozen=True, slots=True)
class RequestCard:
    """One service request, as services answer it and as the member sees it in her list."""

    id: int
    public_id: str
    member_id: int
    kind: RequestKindCard
    words: str
    wanted_at: dt.datetime | None
    scheduled_at: dt.datetime | None
    store_id: int
    store_name: str
    guide_id: int | None
    guide_name: str  # empty while nobody has it
    state: RequestStateName
    state_label: str
    opened_at: dt.datetime
    state_at: dt.datetime
    due_at: dt.datetime | None
    overdue_since: dt.datetime | None
    unread_count: int  # steps the member has not seen
    acts: frozenset[RequestActName]  # what the one who asked may do with it now


@dataclasses.dataclass(frozen=True, slots=True)
class RequestStepLine:
    """One thing that happened. `note` is for colleagues and empty for the member."""

    id: int
    act: RequestActName
    title: str
    words: str
    note: str
    guide_name: str
    store_name: str
    scheduled_at: dt.datetime | None
    at: dt.datetime
    done_by: str
    is_own: bool  # the member did it herself
    is_unread: bool


@dataclasses.dataclass(frozen=True, slots=True)
class RequestDetail:
    """One service request with its history, the oldest step first."""

    request: RequestCard
    steps: tuple[RequestStepLine, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class RequestPage:
    """One page of a member's requests, newest first."""

    requests: tuple[RequestCard, ...]
    next_cursor: str | None  # opaque; pass back for the next page


@dataclasses.dataclass(frozen=True, slots=True)
class GuideRequestLine:
    """One row of a guide's or a manager's list."""

    request: RequestCard
    member: MemberCard
    is_overdue: bool
    is_mine: bool


@dataclasses.dataclass(frozen=True, slots=True)
class GuideRequestPage:
    lines: tuple[GuideRequestLine, ...]
    next_cursor: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class RequestSummary:
    """What waits for a guide (of a manager: for her store): not accepted, not done, and overdue of both."""

    open_count: int
    doing_count: int
    overdue_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Colleague:
    """One guide to whom a request can be handed on."""

    id: int
    public_id: str
    name: str
    role_label: str
