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
    latitude: float | None = None  # WGS-84 degrees
    longitude: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class StorePlace:
    """Where a store stands in the chain: its region and all above it, and its dealer."""

    store_id: int
    region_ids: tuple[int, ...]
    dealer_id: int | None
    is_active: bool


@dataclasses.dataclass(frozen=True, slots=True)
class GuidePlace:
    """A guide and the store she worked in at the moment that was asked about, with that store's dealer."""

    guide_id: int
    store_id: int
    dealer_id: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class GuideSeat:
    """A guide in a stretch of days: where she worked last in it, and whether she `stays` to its end."""

    guide_id: int
    number: str
    name: str
    store_id: int
    is_manager: bool
    stays: bool


@dataclasses.dataclass(frozen=True, slots=True)
class StoreLabel:
    """A store in a table of numbers."""

    id: int
    code: str
    name: str
    region_id: int
    region_name: str
    dealer_id: int | None
    dealer_name: str


@dataclasses.dataclass(frozen=True, slots=True)
class GuideEntry:
    """A guide in a table of numbers, in the store of today."""

    id: int
    name: str
    number: str
    store_id: int
    store_name: str
    is_active: bool


@dataclasses.dataclass(frozen=True, slots=True)
class CodePlace:
    """Whose channel code a text is."""

    code: str
    guide_id: int | None
    store_id: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class RegionNode:
    """One region of the tree, so many steps below its root."""

    id: int
    name: str
    depth: int


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
class MemberGuide:
    """Her guide as a member sees her. `qr_content` is what the QR of the guide's own code holds, empty while
    there is none; `change_free_on` the day from which she may choose another, None when she may now."""

    guide: GuideCard
    bound_at: dt.datetime
    qr_content: str
    change_free_on: dt.date | None


@dataclasses.dataclass(frozen=True, slots=True)
class ChangeReasonLine:
    """One of the reasons for which members change their guide."""

    key: str
    label: str


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


NoticeKindName = Literal[
    "new_member", "member_left", "request_came", "request_gone", "request_overdue", "message_came"
]


@dataclasses.dataclass(frozen=True, slots=True)
class NoticeLine:
    """One thing a guide is told, with the member it is about: of a binding (`line`), a service request, or a message."""

    id: int
    kind: NoticeKindName
    member: MemberCard
    line: BoundMemberLine | None = None
    request_id: str = ""  # public
    request_kind: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class OpenedMember:
    """A member whom a guide may open, and to whom she is bound."""

    card: MemberCard
    bound: BindingLine


@dataclasses.dataclass(frozen=True, slots=True)
class NoticeState:
    """Whether a guide has notices she has not read; `latest_id` is 0 when there is none: the pulse compares it."""

    unread_count: int
    latest_id: int


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
    ticket_expires_at: dt.datetime | None = None  # until when a printed copy works; None = for ever


@dataclasses.dataclass(frozen=True, slots=True)
class RegionCard:
    """One node of the region tree; `depth` is 1 at the top."""

    id: int
    name: str
    parent_id: int | None
    depth: int


@dataclasses.dataclass(frozen=True, slots=True)
class DealerCard:
    id: int
    code: str
    name: str
    is_active: bool


@dataclasses.dataclass(frozen=True, slots=True)
class BindingCard:
    """One binding as services answer it."""

    id: int
    member_id: int
    guide_id: int
    store_id: int
    bound_at: dt.datetime
    ended_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Rebinding:
    """What became of members who were to have another guide; passed over: hers already, or without any guide."""

    moved_count: int
    passed_count: int


ScanOutcomeKind = Literal[
    "bound", "already_yours", "kept_by_other", "code_closed", "guide_left", "no_guide", "unknown_code"
]


@dataclasses.dataclass(frozen=True, slots=True)
class ScanCard:
    """One scan of a channel code, for the app that opened the code."""

    id: int
    channel_code_id: int | None
    member_id: int
    outcome: ScanOutcomeKind
    scanned_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class ScanResult:
    """What came of one scan. `guide` is the one she belongs to now; None when she has none."""

    scan_id: int
    member_id: int
    outcome: ScanOutcomeKind
    guide: GuideCard | None
    binding_id: int | None  # the binding this scan made
    is_repeat: bool  # the same request came before; this is its answer


@dataclasses.dataclass(frozen=True, slots=True)
class PolicyTrial:
    """What a policy would have done to past scans, member by member, beside what really happened."""

    scan_count: int
    member_count: int
    changed_member_count: int  # members who would have been taken from one guide to another
    really_changed_member_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class BindingImport:
    """One binding taken over from another system; open when `ended_at` is None."""

    member_id: int
    guide_id: int
    store_id: int
    bound_at: dt.datetime
    source: str  # a BindingSource value
    ended_at: dt.datetime | None = None
    end_reason: str = ""
    channel_code_id: int | None = None  # the code whose scan made it: the scan is counted
    is_new_follower: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class NoteLine:
    """A private note, for the guide who wrote it."""

    id: int
    text: str
    created_at: dt.datetime
    edited_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class OwnTag:
    """A tag that one guide made up for herself."""

    id: int
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class CodeOwner:
    """Whose a channel code is: a guide's, or a store's alone."""

    guide_id: int | None
    store_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class WonBinding:
    """A binding that the member made herself, to this guide in the store of then. `counts`: it was not undone soon
    after, and is not the same person's a second time."""

    id: int
    member_id: int
    guide_id: int
    store_id: int
    bound_at: dt.datetime
    source_label: str
    counts: bool
