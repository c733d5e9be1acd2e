"""Where a member lives, told by herself."""

import datetime as dt
import re
from typing import Final

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from core.models import changed_fields
from members.contracts import AddressCard
from members.errors import AddressUnusable
from members.models import Member, MemberAddress
from members.selectors.addresses import address_card_of
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
    values = {**_usable_place(province, city, district), "street": _usable_street(street)}
    with transaction.atomic():
        member_id = lock_member(member_id)
        row = MemberAddress.objects.filter(member_id=member_id).first()
        if row is None and not any(values.values()):
            return AddressCard()
        home = row or MemberAddress(member_id=member_id)
        changed = changed_fields(home, **values)
        if not changed:
            return address_card_of(home)
        if not any(values.values()):
            home.delete()
        elif row is None:
            home = MemberAddress.objects.create(member_id=member_id, **values, changed_at=at)
        else:
            home.changed_at = at
            home.save(update_fields=[*changed, "changed_at"])
        audit.record(
            action="members.address_changed",
            subject=Member(pk=member_id),
            actor=actor,
            at=at,
            fields=sorted(changed),
        )
        return address_card_of(home) if any(values.values()) else AddressCard()


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
