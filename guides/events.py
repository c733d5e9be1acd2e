"""What `guides` announces: ids only."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class MemberBound(Event):
    binding_id: int
    member_id: int
    guide_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MemberUnbound(Event):
    binding_id: int
    member_id: int
    guide_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelScanned(Event):
    """A code of ours was scanned and settled; `purpose` is the code's, for the app that opened it (empty: none)."""

    scan_id: int
    member_id: int
    channel_code_id: int | None
    purpose: str


@dataclasses.dataclass(frozen=True, slots=True)
class GuideLeft(Event):
    guide_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class GuideMoved(Event):
    guide_id: int
    from_store_id: int
    to_store_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelCodeOpened(Event):
    """A channel code exists and wants its ticket from WeChat."""

    channel_code_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class RequestStepped(Event):
    """A service request has a step more: it was opened, accepted, handed on, done …"""

    request_id: int
    step_id: int
    member_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class FollowUpChanged(Event):
    """A follow-up was done, or taken back."""

    follow_up_id: int
