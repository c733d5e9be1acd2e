"""Many members at once, by the names that outside systems give them."""

from collections.abc import Iterable

from django.db.models import Q

from core import codes, phones
from members.models import Member, MemberIdentity
from members.selectors.people import list_merge_targets, phone_index, phone_indexes

Key = tuple[str, str, str]  # kind, app, value: of a phone the number, of "member_code" her code


def list_member_ids_by_keys(keys: Iterable[Key]) -> dict[Key, int]:
    """The living row each key belongs to, in three queries whatever their number; unknown ones are missing.

    A phone that cannot be one is unknown. Erased members are found by nobody.
    """
    asked = set(keys)
    stored: dict[Key, Key] = {}
    member_codes: dict[str, Key] = {}
    for key in asked:
        kind, app_id, value = key
        if kind == "member_code":
            member_codes[codes.normalize(value)] = key
        elif kind == "phone":
            for index in phone_indexes(phones.digits_of(value)):
                stored[("phone", "", index)] = key
        else:
            stored[(kind, app_id, value)] = key
    found: dict[Key, int] = {}
    wanted = Q(
        value__any_of=[value for _kind, _app, value in stored], kind__in={kind for kind, _a, _v in stored}
    )
    rows = MemberIdentity.objects.filter(wanted).values_list("kind", "app_id", "value", "member_id")
    for kind, app_id, value, member_id in rows if stored else ():
        if (kind, app_id, value) in stored:
            found[stored[(kind, app_id, value)]] = member_id
    if member_codes:
        for code, member_id in Member.objects.filter(code__any_of=member_codes).values_list("code", "pk"):
            found[member_codes[code]] = member_id
    targets = list_merge_targets(found.values())
    living = set(Member.objects.living().filter(pk__any_of=targets.values()).values_list("pk", flat=True))
    return {key: targets[member_id] for key, member_id in found.items() if targets.get(member_id) in living}


def list_identity_values(member_id: int) -> list[tuple[str, str]]:
    """(kind, value) of everything this row is known by; of a phone its fingerprints under every index key, for whoever
    kept an older one."""
    identities = MemberIdentity.objects.filter(member_id=member_id).values_list("kind", "value")
    phone = Member.objects.values_list("phone", flat=True).get(pk=member_id)
    return [*identities, *(("phone", index) for index in (phone_indexes(phone) if phone else ()))]


def phone_indexes_of(text: str) -> list[str]:
    """The fingerprints of a number as somebody typed it, under every index key."""
    return phone_indexes(phones.digits_of(text))


def phone_index_of(text: str) -> str:
    """The fingerprint of a number as somebody typed it."""
    return phone_index(phones.digits_of(text))
