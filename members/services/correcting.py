"""What staff put right about a member, in her name."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.db import transaction

from core import audit, clock
from core.actor import Actor
from core.errors import InvalidInput
from core.imports.contracts import BadValue
from core.models import changed_fields
from members.contracts import CorrectedProfile
from members.errors import AddressUnusable, BirthdayUnusable, GenderUnusable, NameUnusable, StaffOnly
from members.models import Gender, GivenThrough, Member
from members.selectors import card_of
from members.selectors.addresses import get_address
from members.services.addresses import read_address, write_address
from members.services.import_files import REASONS
from members.services.import_values import plain, read_birthday, read_name
from members.services.people import lock_member, name_columns
from members.services.profile import note_completion, usable_birthday

Value = TypeVar("Value")

# Columns that go with a field, and are no change of their own.
_SILENT: Final = frozenset({"name_tokens", "name_given_through"})


def correct_profile(
    *,
    member_id: int,
    name: str | None = None,
    gender: str | None = None,
    birthday: str | None = None,
    address: str | None = None,
    actor: Actor,
    at: dt.datetime | None = None,
) -> CorrectedProfile:
    """Her name, gender, birthday and address are what staff wrote; None leaves what there is, an empty text forgets it.

    Texts are read as those of an imported list are: full-width signs and forms of address go, days may be written in
    any clear way, the place is recognised in the address and kept by its full names. All or nothing. The limit of one
    change of the birthday a year is hers, not the staff's: who mistyped it asks them. The audit names the fields that
    changed, never what they say. Refuses everybody but staff (StaffOnly), what cannot be read safely (NameUnusable,
    GenderUnusable, BirthdayUnusable, AddressUnusable: also an address whose place is not recognised), and an unknown
    or erased member.
    """
    at = at or clock.now()
    if actor.kind != "staff" or not actor.id:
        raise StaffOnly
    values = _usable_values(name, gender, birthday, clock.business_day(at))
    words = None if address is None else _usable_address(address)
    with transaction.atomic():
        member = Member.objects.lock(lock_member(member_id))
        columns = changed_fields(member, **values)
        if "name" in columns:
            member.name_given_through = GivenThrough.STAFF if member.name else ""
            columns.append("name_given_through")
        if columns:
            member.save(update_fields=columns)
        changed = sorted(set(columns) - _SILENT)
        if words is not None and write_address(
            member_id=member.pk, words=words, given_through=GivenThrough.STAFF, at=at
        ):
            changed.append("address")
        if changed:
            audit.record(
                action="members.profile_corrected", subject=member, actor=actor, at=at, fields=changed
            )
            note_completion(member=member, at=at)
        return CorrectedProfile(card_of(member), get_address(member.pk), tuple(changed))


def _usable_values(
    name: str | None, gender: str | None, birthday: str | None, today: dt.date
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if name is not None:
        values |= name_columns(_read(lambda: read_name(name)[0], NameUnusable, "name"))
    if gender is not None:
        if gender not in Gender.values:
            raise GenderUnusable(field="gender")
        values["gender"] = Gender(gender)
    if birthday is not None:
        day = _read(lambda: read_birthday(birthday), BirthdayUnusable, "birthday")
        values["birthday"] = None if day is None else usable_birthday(day=day, today=today)
    return values


def _usable_address(text: str) -> dict[str, str]:
    """The parts of an address that names its place; all empty for an empty one."""
    cleaned = plain(text)
    if not cleaned:
        return {"province": "", "city": "", "district": "", "street": ""}
    words = read_address(cleaned)
    if not words["province"]:
        raise AddressUnusable(REASONS["address_unclear"](), field="address")
    return words


def _read(read: Callable[[], Value], refusal: type[InvalidInput], field: str) -> Value:
    try:
        return read()
    except BadValue as bad:
        raise refusal(REASONS[bad.code](), field=field) from None
