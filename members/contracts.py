"""What may leave `members`."""

import dataclasses
import datetime as dt
from typing import Literal

IdentityKind = Literal["openid", "mini_openid", "unionid", "phone", "external_userid", "pos_card"]
SourceKind = Literal["follow", "scan", "mini_program", "pos", "import", "share"]


@dataclasses.dataclass(frozen=True, slots=True)
class MemberCard:
    """One member as any screen may show her: the phone is masked, the id is the public one."""

    id: int
    public_id: str
    code: str
    display_name: str
    is_named: bool
    stage: Literal["prospect", "member"]
    stage_label: str
    masked_phone: str
    gender: str
    birthday: dt.date | None
    is_following: bool
    source_label: str
    registered_at: dt.datetime
