"""The rotating member code: issued to her screen, read once by a till."""

import datetime as dt
import re
import secrets
from typing import Final

from django.db import transaction

from core import audit, clock, crypto
from core.actor import Actor
from members.contracts import MemberCard, RotatingCode
from members.errors import MemberCodeUnusable
from members.models import Member, MemberCodeToken
from members.selectors import card_of
from members.services.people import lock_member

MEMBER_CODE_LIFE: Final = dt.timedelta(seconds=60)
# A row that was used is kept so long, for a till whose first answer was lost.
_KEPT: Final = dt.timedelta(minutes=10)
# Begins like no payment code (WeChat's 10–15, Alipay's 25–30); 20 digits are ten signs in Code 128 C.
PREFIX: Final = "80"
_CODE: Final = re.compile(r"80[0-9]{18}")
_CONTEXT: Final = "members.codes"


def issue_member_code(*, member_id: int, actor: Actor, at: dt.datetime | None = None) -> RotatingCode:
    """She has a code that a till can read once within a minute; those of hers that are over are forgotten.

    Codes still good stay so: the screen fetches the next one before the last is over. Not audited: an open
    page asks once a minute; what a till reads is.
    """
    at = at or clock.now()
    text = f"{PREFIX}{secrets.randbelow(10**18):018d}"
    with transaction.atomic():
        living_id = lock_member(member_id)
        MemberCodeToken.objects.filter(member_id=living_id).expired(at - _KEPT).delete()
        MemberCodeToken.objects.create(
            member_id=living_id, code_index=_index(text), expires_at=at + MEMBER_CODE_LIFE
        )
    return RotatingCode(text, at + MEMBER_CODE_LIFE)


def read_member_code(
    *, token: str, request_key: str, actor: Actor, at: dt.datetime | None = None
) -> MemberCard:
    """Whose code this is; it can be read no more. The same `request_key` again gets the same answer.

    Raises MemberCodeUnusable for a wrong, expired or used code alike. The answer is the living row, also when
    she was merged since the code was shown.
    """
    at = at or clock.now()
    if not _CODE.fullmatch(token) or not request_key:
        raise MemberCodeUnusable
    found = MemberCodeToken.objects.filter(code_index=_index(token))
    member_id = found.values_list("member_id", flat=True).first()
    if member_id is None:
        raise MemberCodeUnusable
    with transaction.atomic():
        member = Member.objects.get(pk=lock_member(member_id))
        fresh = found.filter(used_at__isnull=True, expires_at__gt=at)
        if fresh.update(used_at=at, used_by_request=request_key[:80]):
            audit.record(action="members.code_read", subject=member, actor=actor, at=at)
        elif not found.filter(used_by_request=request_key[:80], used_at__gt=at - _KEPT).exists():
            raise MemberCodeUnusable
        return card_of(member)


def _index(text: str) -> str:
    return crypto.blind_index(text, context=_CONTEXT)
