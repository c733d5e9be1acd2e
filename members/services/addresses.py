"""Where a member lives, told by herself or put right by staff."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from members.contracts import AddressCard
from members.errors import AddressUnusable
from members.models import GivenThrough, Member, MemberAddress
from members.selectors.addresses import get_address
from members.services.import_places import STREET_LENGTH, find_place
from members.services.people import lock_member

_PLACE_LENGTH: Final = 40


def change_address(
    *,
    member_id: int,
    province: str,
    city: str,
    district: str,
    street: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> AddressCard:
    """She lives there; all four empty: nothing is known any more. The same again changes nothing.

    Places are kept by their full names of the administrative divisions; what is left out and follows from the rest is
    filled in. Refuses a place there is not, or of whose name there are several, and a street of more than 120
    characters or with signs that cannot be printed. The audit keeps which parts changed, not what they say.
    """
    at = at or clock.now()
    words = {**_usable_place(province, city, district), "street": _usable_street(street)}
    with transaction.atomic():
        member_id = lock_member(member_id)
        changed = write_address(
            member_id=member_id, words=words, given_through=GivenThrough.MINI_PROGRAM, at=at
        )
        if changed:
            audit.record(
                action="members.address_changed",
                subject=Member(pk=member_id),
                actor=actor,
                at=at,
                fields=changed,
            )
        return get_address(member_id)


def write_address(
    *, member_id: int, words: Mapping[str, str], given_through: GivenThrough, at: dt.datetime
) -> list[str]:
    """The address of a living member, locked by the caller, is this one; all empty: none. What changed of it.

    `words` are usable: province, city, district and street.
    """
    home = MemberAddress.objects.filter(member_id=member_id).first()
    changed = sorted(part for part, text in words.items() if getattr(home, part, "") != text)
    if not changed:
        return []
    if not any(words.values()):
        MemberAddress.objects.filter(member_id=member_id).delete()
    else:
        MemberAddress.objects.update_or_create(
            member_id=member_id, defaults={**words, "given_through": given_through, "changed_at": at}
        )
    return changed


def read_address(text: str) -> dict[str, str]:
    """The parts of an address written in one line; no province where no place was recognised."""
    place = find_place(text)
    return {
        "province": place.province,
        "city": place.city,
        "district": place.district,
        "street": _usable_street(place.street),
    }


def _usable_place(province: str, city: str, district: str) -> dict[str, str]:
    """The full names. Raises AddressUnusable where a word of them names no place below the one before."""
    parts = {"province": province, "city": city, "district": district}
    for field, text in parts.items():
        if len(text) > _PLACE_LENGTH or not text.isprintable():
            raise AddressUnusable(field=field)
    found = find_place("".join(parts.values()))
    if found.street:
        raise AddressUnusable(field="province")
    return {field: getattr(found, field) for field in parts}


def _usable_street(text: str) -> str:
    street = re.sub("[ \u3000]+", " ", text).strip()
    if len(street) > STREET_LENGTH or not street.isprintable():
        raise AddressUnusable(field="street")
    return street
