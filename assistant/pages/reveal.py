"""查看手机号: the dialog that asks why, and what it shows for half a minute."""

import dataclasses

from django.utils.translation import gettext as _

from members import selectors as member_selectors
from members.contracts import Choice, MemberCard
from members.services.reveals import SHOWN_FOR


@dataclasses.dataclass(frozen=True, slots=True)
class ReasonSheet:
    """The question. Nothing of the number is in it but its mask."""

    public_id: str
    name: str
    masked_phone: str
    reasons: tuple[Choice, ...]
    request_key: str


@dataclasses.dataclass(frozen=True, slots=True)
class PhoneSheet:
    """The number, in groups to read and plain to dial; gone after `seconds`."""

    name: str
    number: str = dataclasses.field(repr=False)
    dialled: str = dataclasses.field(repr=False)
    seconds: int = 30


def build_reason_sheet(member: MemberCard, request_key: str) -> ReasonSheet:
    """The dialog for one of the guide's members."""
    return ReasonSheet(
        public_id=member.public_id,
        name=member.display_name,
        masked_phone=member.masked_phone or _("还没有留手机"),
        reasons=member_selectors.list_reveal_reasons(),
        request_key=request_key,
    )


def build_phone_sheet(member: MemberCard, phone: str) -> PhoneSheet:
    """What is shown once."""
    return PhoneSheet(
        name=member.display_name,
        number=f"{phone[:3]} {phone[3:7]} {phone[7:]}",
        dialled=phone,
        seconds=int(SHOWN_FOR.total_seconds()),
    )
