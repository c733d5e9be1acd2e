"""What may leave `guides`."""

import dataclasses
import datetime as dt
from typing import Literal

from members.contracts import MemberCard


@dataclasses.dataclass(frozen=True, slots=True)
class StoreCard:
    id: int
    public_id: str
    name: str
    region_name: str
    dealer_name: str
    address: str
    phone: str
    opening_hours: tuple[str, ...]
    distance_m: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class GuideCard:
    """One guide as screens show her."""

    id: int
    public_id: str
    number: str
    name: str
    role: Literal["guide", "manager"]
    role_label: str
    store: StoreCard
    is_active: bool
    session_epoch: int


@dataclasses.dataclass(frozen=True, slots=True)
class BindingLine:
    """One row of a member's guide history."""

    guide_name: str
    store_name: str
    source_label: str
    bound_at: dt.datetime
    ended_at: dt.datetime | None
    reason: str
    end_reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class BoundMemberLine:
    """One row of a guide's member list."""

    member: MemberCard
    bound_at: dt.datetime
    source_label: str
    is_new: bool  # bound today (Shanghai)


@dataclasses.dataclass(frozen=True, slots=True)
class BoundMemberPage:
    lines: tuple[BoundMemberLine, ...]
    next_cursor: str | None  # opaque; pass back for the next page


@dataclasses.dataclass(frozen=True, slots=True)
class GuideSummary:
    """The numbers of a guide's home page, Shanghai days."""

    live_members: int
    new_today: int
    new_yesterday: int
    new_this_month: int
    scans_today: int
    unread_notices: int
    latest_notice_id: int  # 0 when there is none: the pulse compares it


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelCodeCard:
    id: int
    code: str
    kind: Literal["guide", "store"]
    qr_content: str  # what the QR must hold; empty while WeChat has not answered yet
    is_open: bool
    scan_count: int
    follow_count: int
    binding_count: int
    expires_at: dt.datetime | None
