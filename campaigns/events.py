"""What `campaigns` announces."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignMoved(Event):
    """A campaign came to another state. A wake-up: whoever runs campaigns finds it too."""

    campaign_id: int
    state: str


@dataclasses.dataclass(frozen=True, slots=True)
class MassConfirmed(Event):
    """A mass message is to go out now. A wake-up: `work_mass_messages` finds it too."""

    message_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ReachesQueued(Event):
    """Reaches wait to be sent; one event may stand for many of them. A wake-up: `send_due_reaches` finds them too."""


@dataclasses.dataclass(frozen=True, slots=True)
class SegmentDue(Event):
    """Segments wait to be worked out. A wake-up: `work_segments` finds them too."""


@dataclasses.dataclass(frozen=True, slots=True)
class SegmentMoved(Event):
    """Members came into a living segment or left it: rows of SegmentMove say who. Who reacts goes on from the last one
    that it has seen, for an event may be lost."""

    segment_id: int
    entered_count: int
    left_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignDue(Event):
    """Something of a campaign waits to be launched or released. A wake-up: `work_campaigns` finds it too."""

    campaign_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class MaterialShared(Event):
    """Somebody opened a guide's link, which proves that she shared the material on that day. `count_shares` finds it too."""

    visit_id: int
