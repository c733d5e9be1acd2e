"""Many members at once, by the names that outside systems give them."""

from collections.abc import Collection, Iterable
from typing import Final

from core import codes, phones
from core.arrays import array_words
from core.compiled import ask, ask_once
from members.models import Identity, Member, MemberIdentity, MemberStage
from members.selectors.people import list_merge_targets, phone_index, phone_indexes

Key = tuple[str, str, str]  # kind, app, value: of a phone the number, of "member_code" her code


_FEW: Final = 100
_NAMED: Final = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(%(kinds)s::text[], %(apps)s::text[], %(values)s::text[]) WITH ORDINALITY
        AS given(kind, app_id, value, place)
), named AS (
    SELECT asked.place, identity.member_id FROM asked
    JOIN members_memberidentity identity ON identity.kind = asked.kind AND identity.app_id = asked.app_id
        AND identity.value = asked.value
    UNION ALL
    SELECT asked.place, member.id FROM asked
    JOIN members_member member ON member.code = asked.value WHERE asked.kind = 'member_code'
)
SELECT named.place, member.id, member.merged_into_id, member.stage
FROM named JOIN members_member member ON member.id = named.member_id
"""


def list_member_ids_by_keys(keys: Iterable[Key]) -> dict[Key, int]:
    """The living row each key belongs to, in one query whatever their number, and a few more where somebody was merged;
    unknown ones are missing.

    A phone that cannot be one is unknown. Erased members are found by nobody.
    """
    stored = [(key, name) for key in set(keys) for name in _stored(key)]
    if not stored:
        return {}
    values = {
        "kinds": array_words(kind for _key, (kind, _app, _value) in stored),
        "apps": array_words(app for _key, (_kind, app, _value) in stored),
        "values": array_words(value for _key, (_kind, _app, value) in stored),
    }
    found: dict[Key, int] = {}
    merged: dict[Key, int] = {}
    for place, member_id, into, stage in (ask if len(stored) <= _FEW else ask_once)(_NAMED, values):
        if into is not None:
            merged[stored[place - 1][0]] = into
        elif stage != MemberStage.ERASED:
            found[stored[place - 1][0]] = member_id
    if merged:
        targets = list_merge_targets(merged.values())
        living = set(Member.objects.living().filter(pk__any_of=targets.values()).values_list("pk", flat=True))
        found |= {key: targets[into] for key, into in merged.items() if targets.get(into) in living}
    return found


def _stored(key: Key) -> list[Key]:
    """As which names a key may stand in the books."""
    kind, _app, value = key
    if kind == "member_code":
        return [(kind, "", codes.normalize(value))]
    if kind == "phone":
        return [(kind, "", index) for index in phone_indexes(phones.digits_of(value))]
    return [key]


def list_outside_names(
    member_ids: Collection[int], kind: str, app_id: str = ""
) -> dict[int, tuple[str, str]]:
    """Of each of these members her code, and her name of that kind (in that app): the newest, empty where she has none.
    "member_code" is her code again. A phone is no name: only its fingerprint is kept."""
    if kind == Identity.PHONE:
        raise ValueError(kind)
    ids = sorted(member_ids)
    found = dict(Member.objects.filter(pk__any_of=ids).values_list("pk", "code"))
    named = MemberIdentity.objects.filter(member_id__any_of=ids, kind=kind, app_id=app_id)
    values = dict(named.order_by("linked_at", "pk").values_list("member_id", "value"))
    return {pk: (code, code if kind == "member_code" else values.get(pk, "")) for pk, code in found.items()}


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
