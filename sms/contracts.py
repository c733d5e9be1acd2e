"""What may leave `sms`."""

import dataclasses
import datetime as dt
from typing import Literal

TemplateName = Literal["verification_code"]
SmsStateName = Literal["queued", "sending", "sent", "failed"]


@dataclasses.dataclass(frozen=True, slots=True)
class SmsCard:
    """One text message as other apps may see it; no number and no text in it."""

    id: int
    state: SmsStateName
    outcome: str
    queued_at: dt.datetime
