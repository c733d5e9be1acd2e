"""Members by the many: those of a list of numbers, those who joined between two days."""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, Final

from django.db.models import QuerySet

from core import clock
from members.models import Identity, Member, MemberIdentity, Tier
from members.selectors.people import list_merge_targets, phone_indexes

SEVERAL: Final = 0  # no row has this id


def registered_member_ids(since: dt.date | None, until: dt.date | None) -> QuerySet[Any, int]:
    """Ids of the living rows registered on these Shanghai days, both included; unevaluated."""
    members = Member.objects.living()
    if since is not None:
        members = members.filter(registered_at__gte=clock.day_bounds(since)[0])
    if until is not None:
        members = members.filter(registered_at__lt=clock.day_bounds(until)[1])
    return members.values_list("pk", flat=True)


def find_listed_members(
    *, phones: Collection[str] = (), codes: Collection[str] = (), cards: Collection[str] = ()
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """The living rows of numbers (11 digits), member codes and card numbers, in a handful of queries; what nobody has
    is missing. A card number that several members have (of different tills) leads to `SEVERAL`."""
    by_index = {index: number for number in phones for index in phone_indexes(number)}
    owners = MemberIdentity.objects.filter(kind=Identity.PHONE, app_id="", value__in=list(by_index))
    found_phones = {
        by_index[value]: member_id for value, member_id in owners.values_list("value", "member_id")
    }
    found_codes = dict(Member.objects.filter(code__in=list(codes)).values_list("code", "pk"))
    found_cards: dict[str, int] = {}
    holders = MemberIdentity.objects.filter(kind=Identity.POS_CARD, value__in=list(cards))
    for value, member_id in holders.values_list("value", "member_id"):
        found_cards[value] = member_id if found_cards.get(value, member_id) == member_id else SEVERAL
    targets = list_merge_targets({*found_phones.values(), *found_codes.values(), *found_cards.values()})
    targets[SEVERAL] = SEVERAL
    phones_of, codes_of, cards_of = (
        {text: targets[member_id] for text, member_id in found.items() if member_id in targets}
        for found in (found_phones, found_codes, found_cards)
    )
    return phones_of, codes_of, cards_of


def list_member_tails(member_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """(member code, last four digits of the phone) by row id, in one query and without opening a seal."""
    rows = Member.objects.filter(pk__in=list(member_ids)).values_list("pk", "code", "phone_tail")
    return {pk: (code, tail) for pk, code, tail in rows}


def find_tier_name(tier_id: int) -> str:
    """Also of a retired one; empty when there is none."""
    return Tier.objects.filter(pk=tier_id).values_list("name", flat=True).first() or ""
