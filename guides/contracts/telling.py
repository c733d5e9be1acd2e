"""What members are told."""

import dataclasses
from collections.abc import Mapping
from typing import Literal

TopicName = Literal[
    "sale",
    "return",
    "review",
    "points_expiring",
    "coupon_issued",
    "coupon_expiring",
    "tier_up",
    "tier_at_risk",
    "request_step",
]


@dataclasses.dataclass(frozen=True, slots=True)
class MemberText:
    """News for one member; there is one message for its reason. `title` has at most 60 characters; `values` are what
    templates of the topic may show (`campaigns.contracts.TOPICS`)."""

    member_id: int
    topic: TopicName
    reason_key: str
    title: str
    text: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
