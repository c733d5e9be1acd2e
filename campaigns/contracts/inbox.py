"""What a member finds in her mini-program's inbox."""

import dataclasses
import datetime as dt
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True)
class InboxLine:
    """One message; `read_at` is None while it is unread."""

    id: int
    public_id: str
    topic: str
    topic_label: str
    title: str
    text: str
    page: str
    sent_at: dt.datetime
    read_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class OfferedTemplate:
    """A template the mini-program may ask her consent for, and how often she has agreed to it without having had it."""

    template_id: str
    topic: str
    topic_label: str
    grant_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class GrantAnswer:
    """What she said to one template in WeChat's pop-up."""

    template_id: str
    answer: Literal["accept", "reject"]
