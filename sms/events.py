"""What `sms` announces: ids only."""

import dataclasses

from core.events import Event


@dataclasses.dataclass(frozen=True, slots=True)
class SmsQueued(Event):
    """A text message waits to be sent. A wake-up: `sms.rescue_messages` finds it too."""

    sms_id: int
