"""What members are told."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Literal

TopicName = Literal[
    "sale",
    "return",
    "review",
    "points_changed",
    "points_expiring",
    "coupon_issued",
    "coupon_expiring",
    "tier_up",
    "tier_at_risk",
    "guide_changed",
    "request_step",
    "task",
]


@dataclasses.dataclass(frozen=True, slots=True)
class MemberText:
    """News for one member; there is one message for its reason. `title` has at most 60 characters; `values` are what
    templates of the topic may show (`campaigns.contracts.TOPICS`). Until `not_before` it can be taken back. `due_on`: the
    day by which her guide does it, where it becomes a follow-up, and after which it is no news."""

    member_id: int
    topic: TopicName
    reason_key: str
    title: str
    text: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    not_before: dt.datetime | None = None
    due_on: dt.date | None = None
