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


@dataclasses.dataclass(frozen=True, slots=True)
class MemberImport:
    """One person taken over from another system. A phone makes her a member, none leaves her a prospect;
    `openid` is her name in the official account the import is for."""

    registered_at: dt.datetime
    source: SourceKind
    name: str = ""
    phone: str = ""
    gender: Literal["", "female", "male"] = ""
    birthday: dt.date | None = None
    openid: str = ""
    source_scene: str = ""
    is_following: bool = False
