"""What `sms` announces: ids only."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class SmsQueued(Event):
    """A text message waits to be sent. A wake-up: `sms.rescue_messages` finds it too."""

    sms_id: int


@dataclasses.dataclass(frozen=True, slots=True)
class ReportsArrived(Event):
    """Receipts or replies wait to be worked off. A wake-up: `sms.work_reports` finds them too."""


@dataclasses.dataclass(frozen=True, slots=True)
class TextReported(Event):
    """The provider says what became of a text whose record another app keeps; whoever hears it raises Unavailable for
    one that it does not know (yet). `reference` is what the sender gave along, where the provider tells it."""

    message_id: str
    reference: str
    is_delivered: bool
    code: str


@dataclasses.dataclass(frozen=True, slots=True)
class OptOutReceived(Event):
    """Somebody answered a text that she wants no more of them; `sms.services.get_reply` says whose number."""

    reply_id: int
