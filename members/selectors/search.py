"""Members whom somebody may mean by what she types.

The beginning or end of the name, its pinyin and initials (小美: "美", "xiaomei", "xm"), the last four digits of the phone
or the whole number, and the member code or its end.
"""

import dataclasses
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Right

from core import codes, phones
from members.models import Identity, Member, MemberIdentity, MemberStage
from members.selectors.names import typed_tokens
from members.selectors.people import phone_indexes

_QUERY_LENGTH: Final = 40


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, as the columns have it; None and empty where it cannot be that."""

    tokens: list[int]
    code: str | None
    tail: str | None
    numbers: list[str]


def understand(query: str) -> Wanted | None:
    """What somebody may mean by it; None for nothing typed."""
    text = " ".join(query.replace("\0", "").split())[:_QUERY_LENGTH]
    if not text:
        return None
    code, digits = codes.normalize(text), phones.digits_of(text)
    return Wanted(
        tokens=typed_tokens(text),
        code=code if len(code) >= 4 and all(character in codes.ALPHABET for character in code) else None,
        tail=digits if len(digits) == 4 and digits.isdecimal() else None,
        numbers=phone_indexes(digits) if phones.is_mobile(digits) else [],
    )


def search_member_ids(query: str) -> QuerySet[Any, int]:
    """Ids of living members who may be meant, of the whole chain; unevaluated. An empty query means everyone."""
    living, wanted = Member.objects.living(), understand(query)
    if wanted is None:
        return living.values_list("pk", flat=True)
    # An alias of the very expression of the index member_by_code_end.
    living = living.alias(code_end=Right("code", 4))
    meant = Q(name_tokens__overlap=wanted.tokens)
    if wanted.code is not None:
        meant |= Q(code_end=wanted.code[-4:], code__endswith=wanted.code)
    if wanted.tail is not None:
        meant |= Q(phone_tail=wanted.tail)
    if wanted.numbers:
        # Beside each other, for with "or" PostgreSQL would go through all members.
        owners = _owners().filter(value__in=wanted.numbers).values("member_id")
        meant = Q(pk__in=living.filter(meant).values("pk").union(owners))
    return living.filter(meant).values_list("pk", flat=True)


def is_wanted(through: str, *, tokens: Any, code: Any, tail: Any, numbers: Any) -> Q:
    """The same for rows that have a living member `through` a foreign key, given the fields of a `Wanted`: lists, and
    expressions for the others. Each row is looked at, so it is for a person's own members and not for the chain."""
    owners = _owners().filter(value__in=RawSQL("SELECT unnest(%s::text[])", (numbers,)))
    meant = (
        Q(**{f"{through}__name_tokens__overlap": tokens})
        | Q(**{f"{through}__code__endswith": code})
        | Q(**{f"{through}__phone_tail": tail})
        | Q(**{f"{through}__in": owners.values("member_id")})
    )
    return Q(**{f"{through}__merged_into": None}) & ~Q(**{f"{through}__stage": MemberStage.ERASED}) & meant


def _owners() -> QuerySet[MemberIdentity]:
    return MemberIdentity.objects.filter(kind=Identity.PHONE, app_id="")
