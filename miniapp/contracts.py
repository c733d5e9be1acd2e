"""What passes between the services and the views."""

import dataclasses
import datetime as dt

from core.actor import Actor


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceSession:
    """Whose request this is: the living member, and the device her token was given to."""

    member_id: int
    device_id: int
    app_id: str
    openid: str = dataclasses.field(repr=False)

    @property
    def actor(self) -> Actor:
        return Actor.member(self.member_id)


@dataclasses.dataclass(frozen=True, slots=True)
class TokenPair:
    """What a device keeps. Lives are in seconds."""

    access_token: str = dataclasses.field(repr=False)
    expires_in: int
    refresh_token: str = dataclasses.field(repr=False)
    refresh_expires_in: int
    device_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login's outcome."""

    tokens: TokenPair
    member_id: int
    is_new: bool


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device of hers, as she sees it."""

    public_id: str
    name: str
    opened_at: dt.datetime
    last_used_at: dt.datetime
    is_this: bool


@dataclasses.dataclass(frozen=True, slots=True)
class SmsCodeTicket:
    """A code is on its way; the number is masked."""

    masked_phone: str
    expires_in: int
    again_in: int
