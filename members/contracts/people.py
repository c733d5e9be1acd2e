"""Who somebody is, as any screen may show her."""

import dataclasses
import datetime as dt
from typing import Literal

IdentityKind = Literal["openid", "mini_openid", "unionid", "phone", "external_userid", "pos_card"]


PhoneProof = Literal["wechat", "wechat_sealed", "sms"]


StageKind = Literal["prospect", "member", "erased"]


SourceKind = Literal["follow", "scan", "mini_program", "pos", "import", "share"]


@dataclasses.dataclass(frozen=True, slots=True)
class MemberCard:
    """One member as any screen may show her: the phone is masked, the id is the public one."""

    id: int
    public_id: str
    code: str
    display_name: str
    is_named: bool
    stage: StageKind
    stage_label: str
    masked_phone: str
    gender: str
    birthday: dt.date | None
    is_following: bool
    source_label: str
    registered_at: dt.datetime
    is_remarked: bool = False  # the name is one that the guide who looks gave her


@dataclasses.dataclass(frozen=True, slots=True)
class Joining:
    """She proved a phone and became a member. `scene` is what she scanned when she first came; `is_first`: no row of
    the same person was a member before."""

    member_id: int
    joined_at: dt.datetime
    scene: str
    is_first: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ProfileCard:
    """What she herself may read and change. `birthday_free_on` is the day from which she may change her
    birthday (again), None while she may."""

    member: MemberCard
    name: str
    birthday_free_on: dt.date | None
    is_complete: bool
    missing: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class AddressCard:
    """Where she lives, as she herself may read it; empty where she told nothing. Places by their full names."""

    province: str = ""
    city: str = ""
    district: str = ""
    street: str = dataclasses.field(default="", repr=False)
    changed_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CorrectedProfile:
    """Who she is after staff put her data right, and the fields that changed by it."""

    member: MemberCard
    address: AddressCard
    changed: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class RotatingCode:
    """What she shows at a till: 20 digits, good once and until `expires_at`."""

    text: str
    expires_at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One of a few fixed values, with its words."""

    value: str
    label: str
