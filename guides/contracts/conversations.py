"""What may leave `guides` of conversations."""

import dataclasses
import datetime as dt

from members.contracts import MemberCard


@dataclasses.dataclass(frozen=True, slots=True)
class WaitingTalk:
    """A member who waits for an answer."""

    member: MemberCard
    waiting_since: dt.datetime
    unread_count: int
    last_words: str
    last_kind: str
    is_orphan: bool  # nobody's, or of a guide who has left: the manager sees to her


@dataclasses.dataclass(frozen=True, slots=True)
class TalkSummary:
    """Who waits for this guide, in numbers."""

    waiting_count: int = 0
    unread_count: int = 0
    waiting_since: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class TalkLine:
    """One thing said. `state` and `outcome` are of a guide's words."""

    id: int
    speaker: str
    kind: str
    words: str
    at: dt.datetime
    guide_name: str
    state: str
    outcome: str


@dataclasses.dataclass(frozen=True, slots=True)
class Talk:
    """A member's conversation, the oldest line first; without lines she never wrote."""

    member: MemberCard
    lines: tuple[TalkLine, ...]
    has_more: bool  # older ones than these
    waiting_since: dt.datetime | None
    unread_count: int
    window_until: dt.datetime | None  # None: as far as we know WeChat takes nothing to her
